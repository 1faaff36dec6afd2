"""Where the unknown functions of an ansatz live: circles, intervals with what happens at their ends, moving spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, final

import sympy

from geomflow.core.errors import InputError, require_known
from geomflow.symbolic.ansatz.unknowns import Unknown
from geomflow.symbolic.given import given_bound, given_freely

CLOSING = ("pole", "bolt", "nut")
"""Ends at which unknowns vanish."""

ENDS = (*CLOSING, "mirror")
_CHOICES = '"pole", "pole:psi", "bolt", "nut", "mirror"'


@final
@dataclass(frozen=True)
class Circle:
    """A coordinate that begins anew after a period.

    Raises InputError for a period that is not positive.

    Parameters
    ----------
    period : number or expression, optional
        That of the chart unless given.
    """

    period: Any = None

    def __post_init__(self) -> None:
        if self.period is not None:
            object.__setattr__(self, "period", given_freely(self.period))
            if not self.period.is_positive:
                raise InputError(f"the period of a circle is positive, and {self.period} was given.")

    def __str__(self) -> str:
        return "a circle" if self.period is None else f"a circle of length {self.period}"


@final
@dataclass(frozen=True)
class End:
    """What happens at an end of an interval.

    Parameters
    ----------
    kind : {"pole", "bolt", "nut", "mirror"}
        Orbits close to a point by a sphere, some of them close and others stay, all of them close by several unknowns,
        or the manifold is its own mirror image.
    names : tuple of str
        The unknowns that vanish; found from the ansatz where there are none.
    """

    kind: str
    names: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: Any) -> End:
        """An end from text: "pole", "pole:psi", "bolt:b", "nut:a,b" or "mirror"."""
        if isinstance(text, End):
            return text
        if not isinstance(text, str):
            raise InputError(f"an end of an interval is one of {_CHOICES}, and {text!r} was given.")
        kind, _, rest = (part.strip() for part in text.partition(":"))
        require_known("end of an interval", kind, ENDS)
        names = tuple(rest.replace(",", " ").split())
        if names and kind not in CLOSING:
            raise InputError(f"nothing closes at a {kind}, and {text!r} names {rest}: an unknown vanishes at a pole, "
                             '"pole:psi".')
        return cls(kind, names)

    @property
    def closes(self) -> bool:
        """Whether orbits close there."""
        return self.kind in CLOSING

    def __str__(self) -> str:
        return f"{self.kind}:{','.join(self.names)}" if self.names else self.kind


@final
@dataclass(frozen=True)
class Interval:
    """A coordinate from a to b.

    Raises InputError for ends that are not numbers in their order, UnknownNameError for another kind of end.

    Parameters
    ----------
    a, b : number or expression
        Where it begins and ends.
    ends : str or pair of str
        What happens there: "pole" (a sphere closes, smoothly), "pole:psi" where it must be said which unknown vanishes,
        "bolt" (a circle or a sphere closes, and others stay), "nut" (all orbits close to a point, by several unknowns
        together), or "mirror" (all goes on as a mirror image).
    """

    a: Any
    b: Any
    ends: Any = "pole"

    def __post_init__(self) -> None:
        low, high = given_bound(self.a), given_bound(self.b)
        if not (low.is_finite and high.is_finite and (high - low).is_positive):
            raise InputError(f"an interval goes from a number to a larger one, and ({self.a}, {self.b}) was given.")
        object.__setattr__(self, "a", low)
        object.__setattr__(self, "b", high)
        pair = (self.ends, self.ends) if isinstance(self.ends, str | End) else self.ends
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise InputError(f"an interval has two ends, each \"pole\" or \"mirror\", and {self.ends!r} was given for "
                             "them.")
        object.__setattr__(self, "ends", tuple(map(End.read, pair)))

    @property
    def length(self) -> sympy.Expr:
        """b − a."""
        return self.b - self.a

    def __str__(self) -> str:
        return f"the interval ({self.a}, {self.b}) with the ends {self.ends[0]} and {self.ends[1]}"


@final
@dataclass(frozen=True)
class Span:
    """A coordinate y from a to b, at which the unknown of the metric vanishes and a circle closes smoothly.

    Such is Calabi's momentum, the radius of orbits or their area: components that are functions of y alone say which
    orbit is where, and the ends move with them. Unknown numbers are a and b; a that is 0 stays, and all of the orbit
    closes to a point there.

    Raises InputError for ends that are neither names nor 0 and a name.

    Parameters
    ----------
    a, b : str or 0
        What the ends are called.
    """

    a: Any
    b: Any

    def __post_init__(self) -> None:
        for end in ("a", "b"):
            found = given_freely(getattr(self, end))
            object.__setattr__(self, end, sympy.Symbol(found.name, real=True) if found.is_Symbol else found)
        if not (self.b.is_Symbol and (self.a.is_Symbol or self.a == 0) and self.a != self.b):
            raise InputError(f"the ends of a span are names of numbers, the first may be 0, as in Span('a', 'b'), and "
                             f"({self.a}, {self.b}) was given.")

    @property
    def length(self) -> sympy.Expr:
        """b − a."""
        return self.b - self.a

    @cached_property
    def ends(self) -> tuple[Unknown, ...]:
        """The ends that move, as unknown numbers."""
        return tuple(Unknown(end, (), False) for end in (self.a, self.b) if end.is_Symbol)

    def __str__(self) -> str:
        return f"the span from {self.a} to {self.b}"


Domain: TypeAlias = Circle | Interval | Span
