"""Functions beside a metric that have its symmetry: what functionals of an ansatz may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.typed import METRIC
from geomflow.symbolic.ansatz.unknowns import Unknown
from geomflow.symbolic.given import names_in
from geomflow.symbolic.language.kinds import pairs_of_kinds
from geomflow.symbolic.language.words import NUMBERS, RESERVED

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


def functions_of(ansatz: Ansatz, fields: str | Mapping[str, str]) -> tuple[Unknown, ...]:
    """The functions that `fields`, "f" or "g f", names beside the metric: of the coordinates of unknowns.

    Raises InputError for a field of another kind, and for a name that is taken.
    """
    if not fields:
        return ()
    pairs = {name: kind for name, kind in pairs_of_kinds(fields).items() if (name, kind) != (METRIC, "metric")}
    taken = {**dict.fromkeys([*ansatz.metric.chart.coordinates, *names_in(ansatz.metric.matrix)], "of the ansatz"),
             **RESERVED, **NUMBERS, METRIC: "the metric"}
    for name, kind in pairs.items():
        if kind != "scalar":
            raise InputError(f"beside the metric of an ansatz there are functions, and '{name}' is to be of the kind "
                             f"'{kind}': write fields='{name}'.")
        if name in taken:
            raise InputError(f"the function '{name}' has a name that is {taken[name]}: call it otherwise.")
    symbols = [s for s in ansatz.metric.chart.symbols if s.name in ansatz.coordinates]
    return tuple(Unknown(_value(name, symbols), ansatz.coordinates, False) for name in pairs)


def _value(name: str, symbols: list[sympy.Symbol]) -> sympy.Expr:
    found: sympy.Expr = sympy.Function(name, real=True)(*symbols) if symbols else sympy.Symbol(name, real=True)
    return found
