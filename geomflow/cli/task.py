"""What a file about a variety asks for: its names and keys checked against each other, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, final

from geomflow.cli.document import checked, line_of, parse_document, read_text
from geomflow.cli.schema import CURVED, DEGREE, HIDDEN, POINTS, VarietyFile
from geomflow.core.errors import GeomflowError, InputError, require_known

if TYPE_CHECKING:
    from geomflow.fits import DegreeLadder
    from geomflow.variety import Hypersurface, Points

KINDS = ("algebraic", "balanced", "network", "fubini-study")
FAMILIES = {"fermat": ("degree",), "dwork": ("degree", "psi"), "bicubic": (), "tetraquadric": ()}
FUNCTIONAL = "(v - 1)^2"
FORMS = ("algebraic", "balanced")
_ONLY_WITH = {
    "degree": FORMS,
    "ladder": FORMS,
    "symmetry": FORMS,
    "functional": ("algebraic", "network"),
    "work": ("algebraic", "network"),
    "hidden": ("network",),
    "activation": ("network",),
}
T = TypeVar("T")


@final
@dataclass(frozen=True)
class Task:
    """What a file asks for; `source` and `text` are where it was read from, to name lines in errors."""

    file: VarietyFile
    source: str = ""
    text: str = field(default="", repr=False)

    @classmethod
    def read(cls, path: Path) -> Task:
        """Read and check a file. Raises `InputError` and `UnknownNameError`."""
        text = read_text(path)
        task = cls(parse_document(text, str(path), VarietyFile), str(path), text)
        task.check()
        return task

    @classmethod
    def of(cls, tables: Mapping[str, Mapping[str, Any]]) -> Task:
        """Check tables that do not stand in a file. Raises `InputError` and `UnknownNameError`."""
        task = cls(checked(tables, "", "the arguments", VarietyFile))
        task.check()
        return task

    @contextmanager
    def at(self, table: str, key: str) -> Iterator[None]:
        """Errors of what a key holds begin with the file and the line."""
        try:
            yield
        except GeomflowError as error:
            if not self.source:
                raise
            raise type(error)(f"{self.source}{line_of(self.text, table, key)}: {error}") from error

    def check(self) -> None:
        """Raise for names that do not exist and for keys that do not belong together."""
        with self.at("metric", "kind"):
            require_known("kind of metric", self.kind, KINDS)
        for key in self.file.metric.given():
            kinds = _ONLY_WITH.get(key, KINDS)
            with self.at("metric", key):
                if self.kind not in kinds:
                    named = " and ".join(f"'{kind}'" for kind in kinds)
                    raise InputError(f"metric.{key} goes with {named}, and the metric is '{self.kind}'")
        self._check_variety()
        self._check_points()
        for key in ("curvature", "euler"):
            self.share(key)
        self._check_functional()
        with self.at("metric", "work"):
            work = self.file.metric.work
            if work is not None and not work > 0:
                raise InputError(f"metric.work is {work}; give a positive number")

    def _check_points(self) -> None:
        given = self.file.points.given()
        for key in ("count", "seed"):
            with self.at("points", key):
                if "file" in given and key in given:
                    raise InputError(f"points.{key} is of points that are sampled, and points.file gives them; "
                                     "keep one of the two")
        for key, least in (("count", 1), ("unseen", 2), ("seed", 0)):
            with self.at("points", key):
                if given.get(key, least) < least:
                    raise InputError(f"points.{key} is {given[key]}; give a whole number >= {least}")

    def _check_functional(self) -> None:
        text = self.file.metric.functional
        if text is not None and not (self.kind == "network" and text == "sigma"):
            from geomflow.fits.objective import Density

            with self.at("metric", "functional"):
                Density.of(text)

    def _check_variety(self) -> None:
        told = self.file.variety.given()
        given = [key for key in ("polynomial", "family") if key in told]
        if len(given) != 1:
            what = "both were" if given else "neither was"
            with self.at("variety", given[0] if given else ""):
                raise InputError(f"[variety] takes one of polynomial and family, and {what} given")
        own = ("ambient", "coordinates") if given == ["polynomial"] else self._family_keys()
        for key in told:
            with self.at("variety", key):
                if key not in (*given, *own):
                    where = given[0] if given == ["polynomial"] else f"family '{told['family']}'"
                    raise InputError(f"variety.{key} does not go with the {where}")

    def _family_keys(self) -> tuple[str, ...]:
        name = self.file.variety.family or ""
        with self.at("variety", "family"):
            require_known("family", name, FAMILIES)
        return FAMILIES[name]

    @property
    def kind(self) -> str:
        """The kind of metric."""
        return _or(self.file.metric.kind, "algebraic")

    @property
    def functional(self) -> str:
        """The F(v) of the fit."""
        return _or(self.file.metric.functional, FUNCTIONAL)

    @property
    def network(self) -> dict[str, Any]:
        """The widths of the layers of a network and its activation."""
        return {"hidden": _or(self.file.metric.hidden, list(HIDDEN)),
                "activation": _or(self.file.metric.activation, "gelu")}

    @property
    def count(self) -> int:
        """Points to fit on."""
        return _or(self.file.points.count, POINTS) if self.kept is None else len(self.kept)

    @property
    def unseen(self) -> int:
        """Points to measure on."""
        return _or(self.file.points.unseen, self.count)

    @property
    def seed(self) -> int:
        """The seed of the points to fit on; for points of a file a number of their own, made of their content.

        A small seed could be the one that the points of the file were sampled with, the unseen ones among them.
        """
        return _or(self.file.points.seed, 1) if self.digest is None else int(self.digest[:15], 16)

    @cached_property
    def kept(self) -> Points | None:
        """The points of `points.file`, None where they are to be sampled. Raises `StoreError` and `InputError`."""
        name = self.file.points.file
        if name is None:
            return None
        from geomflow.variety import load_points


        with self.at("points", "file"):
            points = load_points(Path(self.source).parent / name)
            if not len(points):
                raise InputError(f"'{name}' holds no points; a fit needs some")
        return points

    @cached_property
    def digest(self) -> str | None:
        """What the points of `points.file` are, as a digest of their numbers."""
        from geomflow.fits.ladder import digest

        return None if self.kept is None else digest(self.kept)

    def share(self, key: str) -> int:
        """At how many of the unseen points curvature or the Euler number is measured; 0 for not at all."""
        asked = _or(getattr(self.file.measure, key), False)
        if asked is True:
            asked = CURVED if key == "curvature" else self.unseen
        with self.at("measure", key):
            if asked < 0 or asked == 1:
                raise InputError(f"measure.{key} is {asked}; give true, false or a number of points >= 2")
        return min(int(asked), self.unseen)

    def points(self, variety: Hypersurface) -> Points | None:
        """The points of `points.file`. Raises `InputError` where they are on another variety."""
        if self.kept is None:
            return None
        if _words(self.kept.variety) != _words(variety):
            with self.at("points", "file"):
                raise InputError(
                    f"the points of '{self.file.points.file}' are on {_words(self.kept.variety)}, and this file "
                    f"describes {_words(variety)}; describe the variety of the points, or sample points of this one"
                )
        return replace(self.kept, variety=variety)

    def variety(self) -> Hypersurface:
        """The hypersurface, checked to be smooth and Calabi–Yau."""
        from geomflow import variety as gv

        table = self.file.variety
        if table.polynomial is not None:
            with self.at("variety", "polynomial"):
                options = {key: value for key, value in table.given().items() if key in ("ambient", "coordinates")}
                return gv.Hypersurface(table.polynomial, **options)
        with self.at("variety", "family"):
            makers: dict[str, Callable[[], Hypersurface]] = {
                "fermat": lambda: gv.Fermat(_or(table.degree, 5)),
                "dwork": lambda: gv.Dwork(_or(table.psi, 0), _or(table.degree, 5)),
                "bicubic": gv.Bicubic,
                "tetraquadric": gv.Tetraquadric,
            }
            return makers[table.family or ""]()

    @property
    def kahler_class(self) -> tuple[float, ...] | None:
        """The Kähler class as it was given."""
        found = self.file.metric.class_
        return None if found is None else tuple(found)

    def degrees(self, variety: Hypersurface) -> list[tuple[int, ...]]:
        """The degrees to fit, rising on one ray: those of the ladder and the last; none for other kinds.

        Raises `InputError` for one below 1 and for a class or degrees that do not exist, `MemoryLimitError` where
        the sections of the last would not fit.
        """
        from geomflow.fits.ladder import degrees_to
        from geomflow.variety.sections import checked_class, line_bundle, require_monomials

        with self.at("metric", "class"):
            checked_class(variety, self.kahler_class)
        if self.kind not in FORMS:
            return []
        metric = self.file.metric
        degree: int | list[int] = DEGREE if metric.degree is None else metric.degree
        with self.at("metric", "degree"):
            require_monomials(variety.ambient, line_bundle(variety, degree, self.kahler_class)[0])
        with self.at("metric", "ladder"):
            lower = [] if metric.ladder is None and self.kind == "balanced" else metric.ladder
            return degrees_to(variety, degree, lower, self.kahler_class)

    def ladder(self, degrees: list[tuple[int, ...]], points: Points) -> DegreeLadder:
        """What is fitted."""
        from geomflow.fits import DegreeLadder

        metric = self.file.metric
        limit = {} if metric.work is None else {"work": metric.work}
        return DegreeLadder(points, degrees, self.kind, self.functional, _or(metric.symmetry, True),
                            self.kahler_class, **limit)

    def settings(self, variety: Hypersurface) -> dict[str, Any]:
        """What must be the same for a kept metric to be gone on from."""
        network = self.network if self.kind == "network" else {}
        return {
            "variety.polynomial": str(variety.polynomial),
            "variety.ambient": list(variety.ambient.dims),
            "metric.kind": self.kind,
            "metric.class": self.file.metric.class_,
            "metric.functional": self.functional,
            "metric.symmetry": _or(self.file.metric.symmetry, True),
            "metric.hidden": network.get("hidden"),
            "metric.activation": network.get("activation"),
            "points.file": self.digest,
            "points.count": self.count,
            "points.seed": self.seed,
        }


def _words(variety: Hypersurface) -> str:
    """A variety in full: two are the same where these are."""
    return f"{variety.polynomial} = 0 in {variety.ambient} ({' : '.join(variety.names)})"


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
