"""Texts of the language for reading: as sympy expressions whose words are not carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import sympy

from geomflow.symbolic.given import given
from geomflow.symbolic.language.operators import FLAT
from geomflow.symbolic.meaning import FUNCTIONS, SympyMeaning
from geomflow.symbolic.parse import read
from geomflow.symbolic.variation import display
from geomflow.symbolic.variation.display import operator

PATTERNS = {
    "Hess": r"\nabla\nabla %s", "ddbar": r"\partial\bar\partial %s", "nabla": r"\nabla %s",
    "grad": r"\nabla %s", "mean": r"\left\langle %s\right\rangle",
    "trace": r"\operatorname{tr} %s", "sym": r"\operatorname{sym}\left(%s\right)", "star": r"\star %s",
    "dot": r"\left\langle %s, %s\right\rangle", "wedge": r"%s \wedge %s", "Lie": r"\mathcal{L}_{%s} %s",
    "integral": r"\int %s\, dV", "sharp": r"\left(%s\right)^\sharp", "flat": r"\left(%s\right)^\flat",
}
"""How an operator is shown, %s for each argument."""


WRITTEN: Mapping[str, Callable[..., Any]] = {
    **{name: operator(name, pattern) for name, pattern in PATTERNS.items()},
    **{name: operator(name, rf"\operatorname{{{name}}}\left(%s\right)") for name in FLAT},
    "d": display.shown_derivative, "div": display.shown_divergence, "laplacian": display.shown_laplacian,
}


class Shown(SympyMeaning):
    """Every name as a symbol, every operator as it is written."""

    indexed: ClassVar[bool] = True
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {**FUNCTIONS, **WRITTEN}  # type: ignore[misc]

    def at_indices(self, value: Any, indices: tuple[str, ...]) -> Any:
        """R_ij, and (…)_ij of what is no name."""
        if value.is_Symbol:
            return sympy.Symbol(f"{value.name}_{''.join(indices)}")
        return operator("at", r"\left(%s\right)_{" + " ".join(indices) + "}")(value)


class _Names(dict[str, Any]):
    """The names that are given, and a symbol for every other that is no function."""

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, name) or name not in Shown.functions

    def __missing__(self, name: str) -> sympy.Symbol:
        return sympy.Symbol(name)


def shown(rate: Any, names: Mapping[str, Any]) -> sympy.Expr:
    """A rate as it was given. Raises ExpressionError for text that cannot be read.

    Parameters
    ----------
    rate : str or sympy expression
        In the language of rates.
    names : mapping
        How unknowns are shown.
    """
    if isinstance(rate, str):
        found: sympy.Expr = read(rate, Shown(_Names(names)))
        return found
    return given(rate, names)
