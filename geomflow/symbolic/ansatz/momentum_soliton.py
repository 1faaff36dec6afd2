"""Gradient Kähler–Ricci solitons in the momentum y, whose potential is f = αy: what is known of one, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import mpmath
import numpy as np
import sympy

from geomflow.core.errors import InputError, require_known
from geomflow.symbolic.given import given_freely
from geomflow.symbolic.show import InLatex, latex

ALPHA = sympy.Symbol("alpha", real=True)
"""The slope of the potential, f = αy."""

DIGITS = 40
"""Of α where it is no algebraic number."""


@final
@dataclass(frozen=True)
class MomentumSoliton(InLatex):
    """A gradient soliton Ric + ∇∇f = λ g with f = αy. Made by `ansatz.compact_soliton()` and `.complete_soliton(kind)`.

    Parameters
    ----------
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
        return replace(self, profile=self.profile.xreplace(numbers), scalar=self.scalar.xreplace(numbers), ends=fixed)

    def at(self, y: Any) -> np.ndarray:
        """F at places y, to the last digit.

        Raises InputError where an end is free.

        Parameters
        ----------
        y : (M,) array
            Places.
        """
        return self._values(self.profile, y)

    def scalar_at(self, y: Any) -> np.ndarray:
        """R at places y; see `at`.

        Parameters
        ----------
        y : (M,) array
            Places.
        """
        return self._values(self.scalar, y)

    def _values(self, expression: sympy.Expr, y: Any) -> np.ndarray:
        free = sorted(s.name for s in expression.free_symbols - {ALPHA, self.place})
        if free:
            raise InputError(f"the end '{free[0]}' of this soliton is free: give a number, soliton.of({free[0]}=1).")
        function = sympy.lambdify([self.place, ALPHA], expression, "mpmath")
        with mpmath.workdps(DIGITS):
            alpha = mpmath.mpf(str(sympy.N(self.alpha, DIGITS)))
            return np.array([float(function(mpmath.mpf(float(s)), alpha)) for s in np.atleast_1d(y)])

    def __exact__(self) -> tuple[sympy.Expr, ...]:
        return self.profile, self.scalar, self.alpha

    def __str__(self) -> str:
        return f"F = {self.profile}, alpha = {self.alpha}"

    __repr__ = __str__

    def _latex(self, printer: object = None) -> str:
        return rf"F = {latex(self.profile)}, \quad \alpha = {latex(self.alpha)}"
