"""Gradient Kähler–Ricci solitons in the momentum y, whose potential is f = αy: what is known of one, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.core.errors import require_known
from geomflow.symbolic.ansatz.exact_places import checked_class, formula, values_at
from geomflow.symbolic.given import given_freely
from geomflow.symbolic.show import InLatex, latex

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz

ALPHA = sympy.Symbol("alpha", real=True)
"""The slope of the potential, f = αy."""


@final
@dataclass(frozen=True)
class MomentumSoliton(InLatex):
    """A gradient soliton Ric + ∇∇f = λ g with f = αy. Made by `ansatz.compact_soliton()` and `.complete_soliton(kind)`.

    Parameters
    ----------
    ansatz : Ansatz
        What the metric is of.
    constant : int
        λ.
    alpha : sympy number
        α, with 40 digits where it is no algebraic number.
    profile : sympy expression
        F, in y, the symbol alpha unless α is rational, and the first end where it is free.
    scalar : sympy expression
        R, in the same.
    condition : sympy expression
        In the symbol alpha; it vanishes at α and at no other number of its sign. 0 where α is free.
    ends : mapping
        The ends that are numbers, by name.
    place : sympy symbol
        y.
    """

    ansatz: Ansatz
    constant: int
    alpha: sympy.Expr
    profile: sympy.Expr
    scalar: sympy.Expr
    condition: sympy.Expr
    ends: Mapping[str, sympy.Expr]
    place: sympy.Symbol

    def of(self, **ends: object) -> MomentumSoliton:
        """That with numbers for ends that are free.

        Parameters
        ----------
        **ends : number or text
            By name, such as a=1.
        """
        free = sorted(s.name for s in self.profile.free_symbols - {ALPHA, self.place})
        for name in ends:
            require_known("free end", name, free)
        numbers = {s: given_freely(ends[s.name]) for s in self.profile.free_symbols if s.name in ends}
        fixed = {**self.ends, **{s.name: number for s, number in numbers.items()}}
        checked_class(self.ansatz, fixed)
        return replace(self, profile=self.profile.xreplace(numbers), scalar=self.scalar.xreplace(numbers), ends=fixed)

    def at(self, y: Any) -> np.ndarray:
        """F at places y, to the last digit.

        Raises InputError where an end is free, and for places outside of the span.

        Parameters
        ----------
        y : (M,) array
            Places.
        """
        return self._values(self.profile, y)

    def scalar_at(self, y: Any, text: str = "R") -> np.ndarray:
        """A function of the metric at places y, such as "R" or "Rm2", from the exact geometry; see `at`.

        Parameters
        ----------
        y : (M,) array
            Places.
        text : str
            In the language of `Flow.from_expression`.
        """
        return self._values(self.scalar if text == "R" else formula(self.ansatz, self.profile, text), y)

    def _values(self, expression: sympy.Expr, y: Any) -> np.ndarray:
        return values_at(self.ansatz, expression, self.ends, {ALPHA: self.alpha}, y)

    def __exact__(self) -> tuple[sympy.Expr, ...]:
        return self.profile, self.scalar, self.alpha

    def __str__(self) -> str:
        return f"F = {self.profile}, alpha = {self.alpha}"

    __repr__ = __str__

    def _latex(self, printer: object = None) -> str:
        return rf"F = {latex(self.profile)}, \quad \alpha = {latex(self.alpha)}"
