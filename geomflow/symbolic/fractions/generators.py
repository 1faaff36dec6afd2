"""What is adjoined to the rationals: one record a generator of a field of fractions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sympy


class Kind(StrEnum):
    """How a generator is differentiated, and whether it satisfies an equation."""

    FREE = "free"
    JET = "jet"
    EXP = "exp"
    POWER = "power"
    COS = "cos"
    SIN = "sin"
    COSH = "cosh"
    SINH = "sinh"
    PRIMITIVE = "primitive"
    ROOT = "root"
    UNIT = "unit"


ALGEBRAIC = frozenset({Kind.SIN, Kind.SINH, Kind.ROOT, Kind.UNIT})
"""Kinds that satisfy sin² = 1 − cos², sinh² = cosh² − 1, σⁿ = U and i² = −1; all other kinds are free."""


@dataclass(frozen=True)
class Generator:
    """One generator.

    `shown` is the sympy expression it stands for (for a root, the n-th root of `argument` up to a known factor);
    `argument` is the angle, the exponent of e, the radicand, the base of a power or the argument of a function;
    `exponent` is the constant exponent of a power; `degree` is that of a root's equation; `index` says which
    derivative of the unknown function a jet is, and `argument` is the function at its arguments.
    """

    kind: Kind
    shown: sympy.Expr
    argument: sympy.Expr | None = None
    degree: int = 2
    exponent: sympy.Expr | None = None
    index: tuple[int, ...] = ()

    @property
    def algebraic(self) -> bool:
        """Whether the generator satisfies a polynomial equation over those before it."""
        return self.kind in ALGEBRAIC
