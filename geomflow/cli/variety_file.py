"""Files that describe a variety and a metric on it: their schema, and what is made of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomflow.cli.document import parse_document, read_text
from geomflow.cli.schema import NUMBER, NUMBERS, SWITCH, TEXT, TEXTS, WHOLE, WHOLES, Key, Table, line_of
from geomflow.core.content import content
from geomflow.core.errors import GeomflowError, InputError, UnknownNameError

if TYPE_CHECKING:
    from geomflow.variety import Hypersurface, Points

KINDS = ("algebraic", "balanced", "network", "fubini-study")
FAMILIES = {"fermat": ("degree",), "dwork": ("degree", "psi"), "bicubic": (), "tetraquadric": ()}
DEGREE = 8
POINTS = 20_000
CURVED = 2_000
SECONDS = 60.0
HIDDEN = (64, 64, 64)

VARIETY = {
    "variety": Table(
        {
            "polynomial": Key(TEXT, "the polynomial Q, homogeneous, of the Calabi–Yau degree"),
            "ambient": Key(WHOLES, "dimensions of the projective spaces, such as [2, 2]; one space unless given"),
            "coordinates": Key(TEXTS, "the homogeneous coordinates in order; the names in the polynomial unless given"),
            "family": Key(TEXT, 'instead of a polynomial: "fermat", "dwork", "bicubic" or "tetraquadric"'),
            "degree": Key(WHOLE, "of fermat and dwork: 3 for curves, 4 for K3, 5 for the quintic (the default)"),
            "psi": Key(NUMBER | TEXT, 'of the family dwork: its parameter, such as 0.5 or "1/2 + i/3"'),
        },
        "the hypersurface: a polynomial or a family",
        required=True,
    ),
    "points": Table(
        {
            "count": Key(WHOLE, f"points to fit on; {POINTS} unless given"),
            "unseen": Key(WHOLE, "points to measure on; as many unless given"),
            "seed": Key(WHOLE, "seed of the points to fit on, 1 unless given; the unseen ones have the next"),
            "file": Key(TEXT, "instead of count and seed: points of this variety that `Points.save` wrote, to fit on; "
                              "a path from the folder of this file"),
        },
        "the samples",
    ),
    "metric": Table(
        {
            "kind": Key(TEXT, '"algebraic" (optimal; the default), "balanced", "network" or "fubini-study"'),
            "degree": Key(WHOLE | WHOLES, f"the k of O(k t), or k t, one for each factor; {DEGREE} unless given"),
            "ladder": Key(WHOLES, "values of k on the way to `degree`; halves of it unless given, none if empty"),
            "functional": Key(TEXT, 'of "algebraic" and "network": the F(v) to minimise; "(v - 1)^2" unless given'),
            "symmetry": Key(SWITCH, "whether the metric has the symmetries of the polynomial; true unless given"),
            "seconds": Key(NUMBER, "time to fit: no degree is begun that is not expected to end in it; "
                                   f"a network is trained for so long, {SECONDS:g} unless given"),
            "hidden": Key(WHOLES, f'of "network": the widths of its layers; {list(HIDDEN)} unless given'),
            "activation": Key(TEXT, 'of "network": by name; "gelu" unless given'),
            "class": Key(NUMBERS, "the Kähler class t, one positive number for each factor; 1 unless given, or what "
                                  "a degree for each factor says. Algebraic and balanced metrics are forms on O(k t), "
                                  "so that k t must be whole"),
        },
        "what is fitted",
    ),
    "measure": Table(
        {
            "curvature": Key(SWITCH | WHOLE, f"the scalar curvature at so many unseen points; true is {CURVED}"),
            "euler": Key(SWITCH | WHOLE, "the Euler number from so many unseen points; true is all of them"),
        },
        "what is measured besides σ, κ and the volume",
    ),
    "output": Table(
        {"pictures": Key(TEXTS, "pictures to draw: sigma, fit, histograms, slices; all that apply unless given")},
        "what is drawn",
    ),
}

_FORMS = ("algebraic", "balanced")
_ONLY_WITH = {
    "degree": _FORMS,
    "ladder": _FORMS,
    "symmetry": _FORMS,
    "functional": ("algebraic", "network"),
    "seconds": ("algebraic", "network"),
    "hidden": ("network",),
    "activation": ("network",),
}


@dataclass(frozen=True)
class Task:
    """A checked document; `source` and `text` are where it was read from, to name lines in errors."""

    document: Mapping[str, Mapping[str, Any]]
    source: str = ""
    text: str = field(default="", repr=False)

    @classmethod
    def read(cls, path: Path) -> Task:
        """Read and check a file. Raises `InputError` and `UnknownNameError`."""
        text = read_text(path)
        task = cls(parse_document(text, str(path), VARIETY), str(path), text)
        task.check()
        return task

    def get(self, table: str, key: str, default: Any = None) -> Any:
        """A value, or the default."""
        return self.document.get(table, {}).get(key, default)

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
            if self.kind not in KINDS:
                raise UnknownNameError.among("kind of metric", self.kind, KINDS)
        for key, kinds in _ONLY_WITH.items():
            with self.at("metric", key):
                if self.get("metric", key) is not None and self.kind not in kinds:
                    named = " and ".join(f"'{kind}'" for kind in kinds)
                    raise InputError(f"metric.{key} goes with {named}, and the metric is '{self.kind}'")
        self._check_variety()
        for key in ("count", "seed"):
            with self.at("points", key):
                if self.get("points", "file") is not None and self.get("points", key) is not None:
                    raise InputError(f"points.{key} is of points that are sampled, and points.file gives them; "
                                     "keep one of the two")
        for table, key, least in (("points", "count", 1), ("points", "unseen", 2), ("points", "seed", 0)):
            with self.at(table, key):
                if self.get(table, key, least) < least:
                    raise InputError(f"{table}.{key} is {self.get(table, key)}; give a whole number >= {least}")
        for key in ("curvature", "euler"):
            self.share(key)
        self._check_functional()
        with self.at("metric", "seconds"):
            if not self.get("metric", "seconds", 1) > 0:
                raise InputError(f"metric.seconds is {self.get('metric', 'seconds')}; give a positive number")

    def _check_functional(self) -> None:
        text = self.get("metric", "functional")
        if text is not None and not (self.kind == "network" and text == "sigma"):
            from geomflow.fits.density import Density

            with self.at("metric", "functional"):
                Density.of(text)

    def _check_variety(self) -> None:
        given = [key for key in ("polynomial", "family") if self.get("variety", key) is not None]
        if len(given) != 1:
            what = "both were" if given else "neither was"
            with self.at("variety", given[0] if given else ""):
                raise InputError(f"[variety] takes one of polynomial and family, and {what} given")
        own = ("ambient", "coordinates") if given == ["polynomial"] else self._family_keys()
        for key in self.document["variety"]:
            with self.at("variety", key):
                if key not in (*given, *own):
                    where = given[0] if given == ["polynomial"] else f"family '{self.get('variety', 'family')}'"
                    raise InputError(f"variety.{key} does not go with the {where}")

    def _family_keys(self) -> tuple[str, ...]:
        name = self.get("variety", "family")
        with self.at("variety", "family"):
            if name not in FAMILIES:
                raise UnknownNameError.among("family", name, FAMILIES)
        return FAMILIES[name]

    @property
    def kind(self) -> str:
        """The kind of metric."""
        return self.get("metric", "kind", "algebraic")

    @property
    def count(self) -> int:
        """Points to fit on."""
        return self.get("points", "count", POINTS) if self.kept is None else len(self.kept)

    @property
    def unseen(self) -> int:
        """Points to measure on."""
        return self.get("points", "unseen", self.count)

    @property
    def seed(self) -> int:
        """The seed of the points to fit on; for points of a file a number of their own, made of their content.

        A small seed could be the one that the points of the file were sampled with, the unseen ones among them.
        """
        return self.get("points", "seed", 1) if self.digest is None else int(self.digest[:15], 16)

    @cached_property
    def kept(self) -> Points | None:
        """The points of `points.file`, None where they are to be sampled. Raises `StoreError` and `InputError`."""
        name = self.get("points", "file")
        if name is None:
            return None
        from geomflow.variety import Points

        with self.at("points", "file"):
            points = Points.load(Path(self.source).parent / name)
            if not len(points):
                raise InputError(f"'{name}' holds no points; a fit needs some")
        return points

    @cached_property
    def digest(self) -> str | None:
        """What the points of `points.file` are, as a digest of their numbers."""
        from geomflow.variety.points import ARRAYS

        if self.kept is None:
            return None
        found = content({name: getattr(self.kept, name) for name in ARRAYS})
        return hashlib.sha256(json.dumps(found).encode()).hexdigest()

    def share(self, key: str) -> int:
        """At how many of the unseen points curvature or the Euler number is measured; 0 for not at all."""
        asked = self.get("measure", key, False)
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
                    f"the points of '{self.get('points', 'file')}' are on {_words(self.kept.variety)}, and this file "
                    f"describes {_words(variety)}; describe the variety of the points, or sample points of this one"
                )
        return replace(self.kept, variety=variety)

    def variety(self) -> Hypersurface:
        """The hypersurface, checked to be smooth and Calabi–Yau."""
        from geomflow import variety as gv

        table = self.document["variety"]
        if "polynomial" in table:
            with self.at("variety", "polynomial"):
                options = {key: table[key] for key in ("ambient", "coordinates") if key in table}
                return gv.Hypersurface(table["polynomial"], **options)
        with self.at("variety", "family"):
            makers = {
                "fermat": lambda: gv.Fermat(table.get("degree", 5)),
                "dwork": lambda: gv.Dwork(table.get("psi", 0), table.get("degree", 5)),
                "bicubic": gv.Bicubic,
                "tetraquadric": gv.Tetraquadric,
            }
            return makers[table["family"]]()

    @property
    def kahler_class(self) -> tuple[float, ...] | None:
        """The Kähler class as it was given."""
        found = self.get("metric", "class")
        return None if found is None else tuple(found)

    def degrees(self, variety: Hypersurface) -> list[tuple[int, ...]]:
        """The degrees to fit, rising on one ray: those of the ladder and the last.

        Raises `InputError` for one below 1 and for a class or degrees that do not exist, `MemoryLimitError` where
        the sections of the last would not fit.
        """
        from geomflow.variety.fubini_study import checked_class
        from geomflow.variety.levels import line_bundle
        from geomflow.variety.monomials import require_monomials

        with self.at("metric", "class"):
            checked_class(variety, self.kahler_class)
        if self.kind not in _FORMS:
            return []
        with self.at("metric", "degree"):
            last, k = line_bundle(variety, self.get("metric", "degree", DEGREE), self.kahler_class)
            require_monomials(variety.ambient, last)
        with self.at("metric", "ladder"):
            given = self.get("metric", "ladder")
            if given is None:
                lower = halves(last) if self.kind == "algebraic" else []
                return [*(rung for rung in lower if sum(rung) * k % sum(last) == 0), last]
            rungs = [rung for rung in given if rung != k]
            if rungs != sorted(rungs) or any(rung >= k for rung in rungs):
                raise InputError(f"metric.ladder is {given}; give degrees that rise to {k}")
            t = [d / k for d in last]
            return [*(line_bundle(variety, rung, t)[0] for rung in rungs), last]


def _words(variety: Hypersurface) -> str:
    """A variety in full: two are the same where these are."""
    return f"{variety.polynomial} = 0 in {variety.ambient} ({' : '.join(variety.names)})"


def halves(degrees: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The half of some degrees on their ray, the half of that and so on, rising, rounded up.

    >>> halves((10,)), halves((4, 4)), halves((3, 6)), halves((1,))
    ([(1,), (2,), (3,), (5,)], [(1, 1), (2, 2)], [(1, 2), (2, 4)], [])
    """
    from geomflow.variety.levels import halved

    half = halved(degrees)
    return [] if half == degrees else [*halves(half), half]
