"""The unknowns of an ansatz: functions or numbers that the components of a metric hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

import sympy
from sympy.core.function import AppliedUndef

from geomflow.core.errors import InputError, require_known
from geomflow.core.graph.sympy_bridge import contents
from geomflow.symbolic.ansatz.typed import METRIC
from geomflow.symbolic.exact import all_zero
from geomflow.symbolic.language.words import RESERVED
from geomflow.symbolic.metric import Metric

MOST = 2
"""Of the coordinates that an unknown depends on."""


@final
@dataclass(frozen=True)
class Unknown:
    """A function of some coordinates, or a number, that a metric holds and a flow changes.

    Parameters
    ----------
    value : sympy expression
        A symbol, or a function of coordinates.
    coordinates : tuple of str
        On which it depends.
    positive : bool
        Whether the metric is degenerate, or singular, where it vanishes.
    """

    value: sympy.Expr
    coordinates: tuple[str, ...]
    positive: bool

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.value.func.__name__ if isinstance(self.value, AppliedUndef) else self.value)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.coordinates)})" if self.coordinates else self.name


def unknowns_of(metric: Metric, names: str | Iterable[str] | None) -> tuple[Metric, tuple[Unknown, ...]]:
    """The unknowns by name, all unless given, and the metric in which those that must be positive are declared so.

    Raises UnknownNameError for a name that the metric does not hold, InputError where there is none, or where one is
    differentiated or has other arguments than coordinates.
    """
    found = _candidates(metric)
    wanted = list(found) if names is None else _names(names)
    for name in wanted if found else ():
        require_known("function or number of the metric", name, tuple(found))
    if not (found and wanted):
        raise InputError(f"the metric {metric.matrix.tolist()} holds no unknown: write functions of a coordinate, "
                         'psi(x) with functions="psi", or parameters into its components.')
    unknowns = tuple(_unknown(metric, found[name]) for name in wanted)
    table = {u.value: _declared(u) for u in unknowns}
    matrix = metric.matrix.xreplace(table)
    return Metric(metric.chart, matrix), tuple(Unknown(table[u.value], u.coordinates, u.positive) for u in unknowns)


def _candidates(metric: Metric) -> dict[str, sympy.Expr]:
    """Unknown functions by name; parameters where there is none."""
    held = contents(metric.matrix)
    written = [found.name for entry in metric.matrix for found in sorted(contents([entry]).unknown, key=str)]
    for applied in held.unknown:
        if any(applied.index):
            raise InputError(f"the components hold a derivative of '{applied.name}': an ansatz is written in unknowns "
                             "themselves, so that a change of the metric is a change of these, point by point.")
    functions = {applied.name: applied.value for applied in held.unknown}
    if len(functions) < len({applied.value for applied in held.unknown}):
        raise InputError("an unknown function comes with several arguments: call each by a name of its own.")
    parameters = {s.name: s for s in sorted(held.symbols, key=str) if s.name not in metric.chart.coordinates}
    return {name: functions[name] for name in dict.fromkeys(written)} or parameters


def _names(given: str | Iterable[str]) -> list[str]:
    if not isinstance(given, Iterable):
        raise InputError(f"unknowns are names, such as \"chi psi\", and {given!r} was given.")
    names = given.replace(",", " ").split() if isinstance(given, str) else [str(name) for name in given]
    if len(set(names)) < len(names):
        raise InputError(f"unknowns={given!r} names an unknown twice.")
    return names


def _unknown(metric: Metric, value: sympy.Expr) -> Unknown:
    coordinates = tuple(str(argument) for argument in value.args)
    strange = [name for name in coordinates if name not in metric.chart.coordinates]
    if strange or len(set(coordinates)) < len(coordinates):
        raise InputError(f"the unknown {value} depends on other things than coordinates "
                         f"({', '.join(metric.chart.coordinates)}).")
    if len(coordinates) > MOST:
        raise InputError(f"the unknown {value} depends on {len(coordinates)} coordinates, and an ansatz is of up to "
                         f"{MOST}: metrics of more are fields, as in Torus(dim=3).grid(n).metric(...).")
    _require_free(str(getattr(value.func, "__name__", value)) if coordinates else str(value), "unknown")
    for name in coordinates:
        _require_free(name, "coordinate of unknowns")
    degenerate = metric.determinant.xreplace({value: sympy.Integer(0)})
    singular = degenerate.has(sympy.zoo, sympy.oo, sympy.nan)
    return Unknown(value, coordinates, singular or bool(all_zero([degenerate], metric.chart)))


def _require_free(name: str, what: str) -> None:
    taken = {**RESERVED, METRIC: "the metric"}
    if name in taken:
        raise InputError(f"the {what} '{name}' has a name that rates use for {taken[name]}: call it otherwise.")


def _declared(unknown: Unknown) -> Any:
    """The same symbol or function, declared real, and positive where it must be."""
    facts = {"positive": True} if unknown.positive else {"real": True}
    if isinstance(unknown.value, AppliedUndef):
        return sympy.Function(unknown.name, **facts)(*unknown.value.args)
    return sympy.Symbol(unknown.name, **facts)
