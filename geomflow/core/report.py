"""How a fit went: one report for all fits, and how files keep it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from geomflow.core.archive import Archive
from geomflow.core.errors import require_known
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.outcome import Outcome, OutcomeKind


class Watched(Protocol):
    """A solution, as far as a report is made from it."""

    @property
    def outcome(self) -> Outcome:
        """How it ended."""

    @property
    def monitor_times(self) -> NDArray[np.float64]:
        """The steps after which numbers were taken."""

    def __getitem__(self, name: str, /) -> NDArray[np.float64]:
        """The numbers of a name."""


@final
@dataclass(frozen=True, eq=False)
class FitReport(InNotebook):
    """How the fit of a metric ended and went.

    `report["sigma"]` is a column of the history. Its first column is what the fit is drawn against and its second how
    good the metric was there: `curve`.

    Parameters
    ----------
    outcome : Outcome
        finished, steady, interrupted, singular (the metric is not positive somewhere) or diverged.
    method : str
        How it was fitted, in words.
    loss : str
        F(v) of the E_F that falls, "sigma", or "" where none of these falls.
    parameters, points, held_out : int
        Numbers that were fitted, points that they were fitted on, points that were watched only.
    sigma : float
        σ at the end, on the held-out points where there are any.
    columns : tuple of str
        Names of the columns of the history.
    history : (rows, columns) array
        A row for each step, or for each watched one; NaN where a number is not known.
    settings : mapping
        What else was chosen, by name: "degree", "seed", "steps", "ridge", "trials".
    """

    outcome: Outcome
    method: str
    loss: str
    parameters: int
    points: int
    held_out: int
    sigma: float
    columns: tuple[str, ...]
    history: NDArray[np.float64]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, solution: Watched, columns: Sequence[str], rows: slice | NDArray[np.bool_] = slice(None), **facts: Any
    ) -> FitReport:
        """From monitors of a solution and the other fields; σ is its last, and the outcome that of the solution.

        Parameters
        ----------
        solution : Solution
            Of a fit. Its monitor times count as the column "step".
        columns : sequence of str
            Monitors.
        rows : slice or (steps,) array of bool
            The steps that are told of.
        **facts
            Other fields by name.
        """
        history = table(solution, columns)[rows]
        facts = {"outcome": solution.outcome, "sigma": float(history[-1, 1]), "held_out": 0, **facts}
        return cls(columns=tuple(columns), history=history, **facts)

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        """A column of the history, (rows,). Raises `UnknownNameError`."""
        require_known("column of a report", column, self.columns)
        return self.history[:, self.columns.index(column)]

    @property
    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The first column and the second, to be drawn."""
        return self.history[:, 0], self.history[:, 1]

    @property
    def degree(self) -> tuple[int, ...]:
        """The degree of an algebraic or balanced metric, empty for others."""
        return tuple(self.settings.get("degree", ()))

    def __facts__(self) -> Facts:
        told = {"σ": self.sigma, "method": self.method, "parameters": self.parameters, "points": self.points}
        return [*told.items(), ("held-out points", self.held_out), *self.settings.items(), ("outcome", self.outcome)]

    def __str__(self) -> str:
        where = f"{self.held_out} held-out points" if "held out" in self.columns[1] else "the fitted points"
        plural = "" if self.parameters == 1 else "s"
        return (
            f"{self.parameters} parameter{plural}, {self.points} points, {self.method}: σ = {self.sigma:.3g} on "
            f"{where}; {self.outcome}"
        )


def table(solution: Watched, columns: Sequence[str]) -> NDArray[np.float64]:
    """Monitors side by side, (steps + 1, columns); "step" are their times."""
    return np.stack([solution.monitor_times if name == "step" else solution[name] for name in columns], axis=1)


def degree_text(degree: Sequence[int]) -> str:
    """A degree, or several, in short.

    >>> degree_text((4,)), degree_text((4, 4)), degree_text((2, 3))
    ('4', '4', '(2, 3)')
    """
    return str(degree[0]) if len(set(degree)) == 1 else str(tuple(degree))


_ARRAY, _TEXT = "history", "report"


def report_record(report: FitReport | None) -> dict[str, Any]:
    """A report as `geomflow.core.archive.write` takes it: its history, and all else as JSON; "" without one."""
    if report is None:
        return {_TEXT: ""}
    ended = report.outcome
    facts = {**vars(report), "outcome": [ended.kind.value, ended.message, ended.time]}
    history = facts.pop(_ARRAY)
    return {_TEXT: json.dumps(facts, default=lambda number: number.item()), _ARRAY: history}


def read_report(file: Archive, former: str = "") -> FitReport | None:
    """The report of a `report_record`, None where there was none. Raises `StoreError`.

    Parameters
    ----------
    file : Archive
        The content of a file.
    former : str
        The class of the report in older files, which hold the fields of that class in a list.
    """
    if not (text := file.text(_TEXT)):
        return None
    if text.startswith("["):
        ended, *values = file.json(_TEXT, list)
        return _former(file, former, ended, dict(zip(_FORMER[former][0], values, strict=True)))
    facts = file.json(_TEXT, dict)
    if "class" in facts:
        fields = facts["fields"]
        return _former(file, facts["class"], fields.pop("outcome")["outcome"], fields)
    facts = {name: _tuples(value) for name, value in facts.items()}
    history = file.array(_ARRAY, "f", None, len(facts["columns"]))
    return FitReport(**{**facts, "outcome": _outcome(facts["outcome"]), _ARRAY: history})


def _tuples(value: Any) -> Any:
    """Lists as tuples, all through."""
    if isinstance(value, dict):
        return {name: _tuples(part) for name, part in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _outcome(parts: Sequence[Any]) -> Outcome:
    kind, message, time = parts
    return Outcome(OutcomeKind(kind), message, float(time))


#: Reports of older files by their class: fields in order, columns, and the order of these now. What the first column of
#: trainings held, seconds or work, the files do not say: it is left out, and so is the time of their end.
_FORMER = {
    "PhiReport": (
        ("parameters", "points", "held_out", "steps", "seed", "loss"),
        ("", "adam steps", "gauss-newton steps", "loss", "sigma held out", "pivot held out"), (1, 4, 2, 5, 3),
    ),
    "ComponentReport": (
        ("parameters", "points", "held_out", "epochs", "batch", "seed"),
        ("", "epoch", "loss", "sigma held out", "pivot held out"), (1, 3, 4, 2),
    ),
    "CloudReport": (("points", "loss"), ("step", "loss", "sigma", "pivot", "size"), (0, 2, 1, 3, 4)),
    "KernelReport": (
        ("method", "loss", "functions", "points", "trials"),
        ("time", "energy", "sigma", "sigma held out", "pivot"), (0, 2, 3, 1, 4),
    ),
    "FrozenReport": (
        ("features", "points", "ridge"), ("ridge", "sigma", "sigma held out", "pivot"), (0, 1, 2, 3),
    ),
}
_COUNTS = ("functions", "features")


def _former(file: Archive, name: str, ended: Sequence[Any], fields: Mapping[str, Any]) -> FitReport:
    """A report of older files."""
    _, columns, order = _FORMER[name]
    history = file.array(_ARRAY, "f", None, len(columns))[:, order]
    columns = tuple(columns[k] for k in order)
    if name == "PhiReport":  # both kinds of steps make one column to draw against
        columns = ("step", *columns[1:])
        history[:, 0] += history[:, 2]
    outcome = _outcome(ended)
    if columns[0] in ("step", "epoch"):
        outcome = Outcome(outcome.kind, outcome.message, float(history[-1, 0]))
    settings = {key: _tuples(value) for key, value in fields.items()}
    facts = {key: settings.pop(key) for key in ("method", "loss", "points", "held_out") if key in settings}
    counts = [settings.pop(key) for key in ("parameters", *_COUNTS) if key in settings]
    loss = "(v - 1)^2" if name == "FrozenReport" else "sigma"
    facts = {"method": name.removesuffix("Report").lower(), "loss": loss, "held_out": 0, **facts}
    return FitReport(
        outcome=outcome, parameters=counts[0] if counts else 0, sigma=float(history[-1, 1]), columns=columns,
        history=history, settings=settings, **facts,
    )
