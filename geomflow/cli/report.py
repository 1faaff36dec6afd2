"""The report of a run, of a metric on a variety, or of a study: one page that tells what was asked, how, and what came.

What is told is read from the folder that the command wrote, so that a report can be made at any time after.
"""

from __future__ import annotations

import csv
import io
import json
import shlex
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from geomflow import __version__, plot
from geomflow.cli.document import as_toml
from geomflow.cli.page import Page, Section, drawn, equation, facts, film, grid, joined, listing, prose
from geomflow.cli.surface import surface
from geomflow.core import archive
from geomflow.core.errors import InputError, StoreError
from geomflow.core.notebook import Facts, Markup, figure, written
from geomflow.plot.quantities import drawable

if TYPE_CHECKING:
    from geomflow.flow import Solution
    from geomflow.io.reader import StoredRun

STORE = "run.zarr"
MOST_ROWS, MOST_FRAMES, LONGEST, MOST_VALUES = 200, 40, 160, 8
_REAL = [
    ("curvature", r"R^l{}_{kij} = \partial_i\Gamma^l_{jk} - \partial_j\Gamma^l_{ik} + \Gamma^l_{im}\Gamma^m_{jk}"
                  r" - \Gamma^l_{jm}\Gamma^m_{ik}"),
    ("Ricci", r"R_{kj} = R^i{}_{kij},\quad R = g^{kj} R_{kj}"),
    ("signs", r"R > 0 \text{ on spheres},\quad \Delta = g^{ij}\nabla_i\nabla_j \le 0"),
]
_COMPLEX = [
    ("metric", r"\mathrm{d}s^2 = 2 g_{a\bar b}\,\mathrm{d}z^a\,\mathrm{d}\bar z^b,\quad z^a = x^a + i y^a"),
    ("potential", r"g_{a\bar b} = g^0_{a\bar b} + \partial_a\partial_{\bar b}\varphi"),
    ("Kähler curvature", r"R_{a\bar b} = -\partial_a\partial_{\bar b}\log\det g,\quad R = 2 g^{a\bar b}R_{a\bar b}"),
    ("density", r"v = \frac{\det g}{\kappa |\Omega|^2},\quad \langle v\rangle = 1"),
]
_SIGMA = ("quality", r"\sigma = \frac{\int |v - 1|\,\mathrm{d}\mu_\Omega}{\int \mathrm{d}\mu_\Omega}")


class Report(ABC):
    """What is told about a folder, in lines and as a page."""

    @abstractmethod
    def lines(self) -> list[str]:
        """For a terminal."""

    @abstractmethod
    def page(self) -> Page:
        """With pictures, mathematics and how to do it again."""


def report_of(path: Path) -> Report:
    """The report of what a command wrote: a store or the folder of one, a folder of a metric, or one of a study.

    Raises `StoreError` where there is none of them.
    """
    if (path / STORE).exists():
        return RunReport(path / STORE)
    if (path / "numbers.json").exists():
        return StudyReport(path) if "study" in _numbers(path) else VarietyReport(path)
    return RunReport(path)


def _numbers(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = archive.read_table(folder / "numbers.json")
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"cannot read {folder / 'numbers.json'}: {error}") from error
    needed = "numbers" if "study" in found else "settings"
    if not isinstance(found.get(needed), dict):
        raise StoreError(f"'{folder / 'numbers.json'}' is damaged: it has no table '{needed}'; make it again")
    return found


def versions_in(numbers: Mapping[str, Any]) -> Facts:
    """Of all that computed; folders of older versions know that of geomflow alone."""
    known = numbers.get("geomflow", numbers.get("version"))
    return {"geomflow": known, **numbers.get("versions", {})}.items()


def in_short(value: object) -> str:
    """A value in words, of many only the first and the last, and long text up to a comma.

    >>> in_short([0.5, 1.0, 2.0]), in_short([k / 2 for k in range(40)])
    ('0.5, 1, 2', '0, 0.5, 1, …, 19.5 (40 values)')
    """
    if isinstance(value, list | tuple) and len(value) > MOST_VALUES:
        return f"{written(value[:3])}, …, {written(value[-1])} ({len(value):,} values)"
    text = written(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rpartition(', ')[0] or text[:LONGEST]}, …"


def conventions(rows: list[tuple[str, str]]) -> Section:
    """Signs and factors, as formulas."""
    from geomflow.symbolic.show import mathml

    return Section("Conventions", facts((name, mathml(rf"\displaystyle {latex}")) for name, latex in rows))


def made() -> str:
    """The last line of a page."""
    return f"Made by geomflow {__version__}. This page holds all it shows and asks nothing of the network."


@final
@dataclass(frozen=True)
class RunReport(Report):
    """Of the run in a store."""

    path: Path

    @cached_property
    def stored(self) -> StoredRun:
        """The store."""
        from geomflow.io.reader import StoredRun

        return StoredRun(self.path)

    @cached_property
    def solution(self) -> Solution[Any]:
        """The run."""
        from geomflow.flow import load

        return load(self.path)

    def lines(self) -> list[str]:
        """Equation, state, times, outcome, monitors at the start and the end."""
        sol = self.solution
        told = [*self._facts(), ("outcome", str(sol.outcome)), *sol.sequel()]
        width = max(len(name) for name in (*sol.monitors, *(name for name, _ in told)))
        monitors = [f"{name:<{width}}  {values[0]:.10g} → {values[-1]:.10g}" for name, values in sol.monitors.items()]
        return [f"{name:<{width}}  {text}" for name, text in told] + monitors

    def _facts(self) -> list[tuple[str, str]]:
        sol = self.solution
        return [
            ("flow", sol.description["equation"]),
            ("first", repr(sol.states[0])),
            ("last", repr(sol.last)),
            ("stepper", str(sol.recipe["stepper"]).partition("(")[0]),
            ("times", f"{len(sol.times)} saved, from {sol.times[0]:g} to {sol.times[-1]:g}"),
            ("steps", f"{sol.steps}, and {sol.rejected} rejected"),
        ]

    def page(self) -> Page:
        """Equation, conventions, outcome, monitors, states, configuration, versions, and the file to run again."""
        sol, name = self.solution, self.path.parent.name if self.path.name == STORE else self.path.stem
        flow = str(sol.description.get("flow", "run"))
        is_complex = sol.description.get("grid", {}).get("torus") == "ComplexTorus"
        return Page(f"{name}: {flow}", str(sol.outcome), [
            Section("Equation", equation(sol.description["latex"]) if "latex" in sol.description
                    else prose(str(sol.description["equation"]))),
            conventions(_REAL + _COMPLEX if is_complex else _REAL),
            Section("Outcome", joined(prose(str(sol.outcome)), facts([*self._facts(), *sol.sequel()]))),
            *self._monitors(),
            *self._states(),
            *self._configuration(),
            Section("Versions", facts(self._versions())),
            Section("How to reproduce", self._again(name)),
        ], made())

    def _monitors(self) -> Iterator[Section]:
        sol = self.solution
        if not sol.monitors:
            return
        rows = [(name.replace("_", " "), values[0], values[-1], values.min(), values.max())
                for name, values in sol.monitors.items()]
        picture = drawn(plot.monitors(sol)[0].figure, "Monitors against time")
        yield Section("Monitors", joined(picture, grid(("monitor", "first", "last", "least", "largest"), rows)))

    def _states(self) -> Iterator[Section]:
        sol = self.solution
        try:
            grid_of = drawable(sol.states[0]).grid
        except InputError:
            if shown := [*_of_symmetry(sol), *_of_polygon(sol)]:
                yield from shown
                return
            kind = sol.description.get("state", "other things")
            yield Section("Snapshots", prose(f"The states are of the kind {kind}, no fields on a grid that a picture "
                                             "could show without the model that made them."))
            return
        yield Section("Snapshots", drawn(plot.snapshots(sol)[0, 0].figure, "States at times between which they move "
                                         "about equally far; one colour scale a row, or, said above them, one a panel"))
        if len(grid_of.resolved) == 2:
            yield Section("Surface", surface(sol))
        elif len(sol.times) > 2:
            yield Section("Film", self._film())

    def _film(self) -> Markup:
        from geomflow.plot.moments import telling_times

        sol = self.solution
        places = telling_times(sol, MOST_FRAMES)
        some = replace(sol, times=sol.times[places], states=sol.states.chosen(places))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "film.gif"
            plot.film(some, path)
            return film(path, f"{len(places)} of the {len(sol.times)} saved times")

    def _configuration(self) -> Iterator[Section]:
        recipe = facts((name.replace("_", " "), in_short(value)) for name, value in self.solution.recipe.items())
        yield Section("Configuration", joined(prose("How it was integrated:"), recipe))

    def _versions(self) -> Facts:
        header = self.stored.header
        yield from header["versions"].items()
        for n, later in enumerate(header.get("continued_with", [])):
            yield f"continued with ({n + 1})", later
        yield "seed", header["seed"]

    def _again(self, name: str) -> Markup:
        file = self.stored.header["configuration"]
        if not file:
            return prose("The run was begun from Python, and its store holds no file. The equation, the first state "
                         "and the way it was integrated stand above.")
        again = f"geomflow run {shlex.quote(name)}.toml\ngeomflow show runs/{shlex.quote(name)} --html report.html"
        return joined(prose(f"With this file as {name}.toml:"), listing(as_toml(file), f"{name}.toml"), listing(again))


def _of_symmetry(sol: Solution[Any]) -> Iterator[Section]:
    """Runs of metrics with symmetry: their unknowns, and surfaces of revolution where an unknown is the radius."""
    from geomflow.plot.revolution import has_outline, is_reduced

    if not is_reduced(sol):
        return
    ansatz = sol.last.grid.ansatz
    if len(ansatz.coordinates) < 2:
        yield Section("Unknowns", drawn(plot.profile(sol).flat[0].figure, "The unknowns of the metric"))
    if has_outline(ansatz):
        told = "a section through the axis of spheres of higher dimension, and the sphere that joins the ends of a span"
        yield Section("Surface of revolution", drawn(plot.embedding(sol).figure, f"In one scale; {told}"))


def _of_polygon(sol: Solution[Any]) -> Iterator[Section]:
    """Runs on toric surfaces: scalar curvature over the polygon, at the start and at the end."""
    from geomflow.field.toric import ToricState

    ends = [(sol.states[0], "At the start"), (sol.last, "At the end")]
    if isinstance(sol.last, ToricState):
        yield Section("Polygon", joined(*(drawn(plot.polygon(state).figure, when) for state, when in ends)))


@final
@dataclass(frozen=True)
class VarietyReport(Report):
    """Of a metric on a variety in a folder, with its numbers."""

    folder: Path

    @cached_property
    def numbers(self) -> dict[str, Any]:
        """numbers.json."""
        return _numbers(self.folder)

    @cached_property
    def metric(self) -> Any:
        """The metric."""
        from geomflow.fits import load_metric

        return load_metric(self.folder / "metric.npz")

    @property
    def outcome(self) -> str:
        """How good the metric is, in a sentence."""
        if (sigma := self.numbers.get("measures", {}).get("sigma")) is None:
            return "The fit was stopped before the metric was measured."
        points = self.numbers["measures"].get("points", 0)
        return f"σ = {sigma['value']:.4g} ± {sigma['error']:.1g} on {points:,} points that no fit has seen."

    def measures(self) -> Facts:
        """Each with its error, and the exact value where there is one."""
        for name, found in self.numbers.get("measures", {}).items():
            if isinstance(found, Mapping) and "value" in found:
                exact = f", exactly {found['exact']:.6g}" if "exact" in found else ""
                yield name.replace("_", " "), f"{found['value']:.6g} ± {found['error']:.2g}{exact}"
            elif isinstance(found, Mapping):
                parts = [f"{key.replace('_', ' ')} {part['value']:.4g} ± {part['error']:.1g}"
                         if isinstance(part, Mapping) else f"{key.replace('_', ' ')} {part:.6g}"
                         for key, part in found.items()]
                yield name.replace("_", " "), ", ".join(parts)
            else:
                yield name, found

    def lines(self) -> list[str]:
        """The variety, its metric and the measures."""
        rows = [("variety", self.numbers.get("variety")), ("metric", self.metric), ("outcome", self.outcome),
                *self.measures()]
        width = max(len(name) for name, _ in rows)
        return [f"{name:<{width}}  {value}" for name, value in rows]

    def page(self) -> Page:
        """Variety, conventions, measures, fits, pictures, settings, versions, and how to do it again."""
        variety = self.metric.variety
        place = r" \times ".join(rf"\mathbb{{P}}^{n}" for n in variety.ambient.dims)
        told = equation(rf"{variety.latex()} \quad\text{{in}}\quad {place}")
        about = facts([*list(variety.__facts__())[1:], *self.metric.__facts__()])
        return Page(f"{self.folder.name}: {self.numbers.get('variety')}", self.outcome, [
            Section("Variety and metric", joined(told, about)),
            conventions([*_COMPLEX, _SIGMA]),
            Section("Outcome", joined(prose(self.outcome), facts(self.measures()))),
            *self._fits(),
            *self._pictures(),
            Section("Configuration", facts((name, value) for name, value in self.numbers["settings"].items())),
            Section("Versions", facts(versions_in(self.numbers))),
            Section("How to reproduce", self._again()),
        ], made())

    def _fits(self) -> Iterator[Section]:
        rungs = self.numbers.get("rungs") or []
        if rungs:
            rows = [(rung["degree"], rung["parameters"], rung["points"], f"{rung['sigma']:.4g} ± {rung['error']:.1g}",
                     f"{rung['seconds']:.2g} s") for rung in rungs]
            yield Section("Fits", grid(("degree", "parameters", "points", "σ on unseen points", "time"), rows))

    def _pictures(self) -> Iterator[Section]:
        found = sorted(self.folder.glob("*.png"))
        if found:
            yield Section("Pictures", joined(*(figure(path.read_bytes(), _CAPTIONS.get(path.stem, path.stem))
                                               for path in found)))

    def _again(self) -> Markup:
        command, file = self.numbers.get("command"), self.numbers.get("file")
        name = self.folder.name
        parts = [prose("The command:"), listing(command)] if command else []
        if file:
            file_name = f"{name}.toml"
            parts += [prose(f"Or geomflow variety {file_name}, with this file:"), listing(as_toml(file), file_name)]
        return joined(*parts) if parts else prose("The folder was written by a version that kept no command.")


_CAPTIONS = {
    "sigma": "σ on unseen points against the degree",
    "fit": "The fit, step by step",
    "histograms": "v and the scalar curvature over the variety, against those of Fubini–Study",
    "slices": "Over a plane slice of the variety",
}


@final
@dataclass(frozen=True)
class StudyReport(Report):
    """Of what a study found, in a folder."""

    folder: Path

    @cached_property
    def numbers(self) -> dict[str, Any]:
        """numbers.json."""
        return _numbers(self.folder)

    def word(self, name: str) -> str:
        """What the study says of itself: its title, question, source and answer."""
        return str(self.numbers.get(name, f"The {name} is not in the folder: run the study again."))

    @property
    def command(self) -> str:
        """What made it."""
        return f"geomflow study {self.numbers['study']}{' --quick' if self.numbers.get('quick') else ''}"

    @property
    def told(self) -> dict[str, str]:
        """The numbers in words, each with its error; by their names where an older version wrote the folder."""
        return {name: in_short(value) for name, value in self.numbers.get("told", self.numbers["numbers"]).items()}

    def lines(self) -> list[str]:
        """Question, answer and numbers."""
        width = max(map(len, self.told))
        rows = [f"{name:<{width}}  {value}" for name, value in self.told.items()]
        return [self.word("question"), "", self.word("answer"), "", *rows]

    def page(self) -> Page:
        """Question, answer, figure, what was published, numbers, rows, versions, and how to do it again."""
        compared = self.numbers.get("compared")
        return Page(self.word("title"), self.word("answer"), [
            Section("Question", joined(prose(self.word("question")), prose(f"Source: {self.word('source')}"))),
            conventions(_REAL + _COMPLEX),
            Section("Answer", joined(prose(self.word("answer")), figure((self.folder / "figure.png").read_bytes(),
                                                                        self.word("title")))),
            *([Section("Beside the paper", prose(compared))] if compared else []),
            Section("Numbers", facts(self.told.items())),
            Section("Rows", self._rows()),
            Section("Versions", facts(versions_in(self.numbers))),
            Section("How to reproduce", listing(self.command)),
        ], made())

    def _rows(self) -> Markup:
        text = (self.folder / "table.csv").read_text(encoding="utf-8")
        head, *rows = csv.reader(io.StringIO(text))
        said = f"{min(len(rows), MOST_ROWS)} of {len(rows)} rows; the file holds all." if len(rows) > MOST_ROWS else \
            f"{len(rows)} rows."
        shown = [[_short(entry) for entry in row] for row in rows[:MOST_ROWS]]
        inner = joined(prose(said), grid(head, shown), listing(text, "table.csv") if len(text) < 200_000 else "")
        return Markup(f"<details><summary>What was measured</summary>{inner}</details>")


def _short(entry: str) -> str:
    """A number to six digits, and other words as they are."""
    try:
        return f"{float(json.loads(entry)):.6g}"
    except (ValueError, TypeError):
        return entry
