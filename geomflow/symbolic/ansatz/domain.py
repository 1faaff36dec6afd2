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

EVEN = (*CLOSING, "mirror")
"""Ends about which unknowns are even, but for those that vanish."""

ENDS = (*EVEN, "given", "infinity")
KEPT = ("values", "slopes")
_CHOICES = '"pole", "pole:psi", "bolt", "nut", "mirror", "given", "infinity: chi=1"'


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
    kind : {"pole", "bolt", "nut", "mirror", "given", "infinity"}
        Orbits close to a point by a sphere, some of them close and others stay, all of them close by several unknowns,
        the manifold is its own mirror image, it has a boundary at which something is given, or it has no end.
    names : tuple of str
        The unknowns that vanish; found from the ansatz where there are none.
    kept : {"values", "slopes"}, optional
        What stays of the logarithms of unknowns at an end that is given.
    powers : tuple of (str, int)
        How unknowns grow at infinity, as powers of the coordinate; 0 of those that are not named.
    """

    kind: str
    names: tuple[str, ...] = ()
    kept: str = ""
    powers: tuple[tuple[str, int], ...] = ()

    @classmethod
    def read(cls, text: Any) -> End:
        """An end from text: "pole", "pole:psi", "nut:a,b", "mirror", "given", "given:slopes", "infinity:chi=1,a=2"."""
        if isinstance(text, End):
            return text
        if not isinstance(text, str):
            raise InputError(f"an end of an interval is one of {_CHOICES}, and {text!r} was given.")
        kind, _, rest = (part.strip() for part in text.partition(":"))
        require_known("end of an interval", kind, ENDS)
        if kind == "given":
            require_known("data kept at an end", rest or KEPT[0], KEPT)
            return cls(kind, kept=rest or KEPT[0])
        words = tuple(rest.replace(" =", "=").replace("= ", "=").replace(",", " ").split())
        if kind == "infinity":
            return cls(kind, powers=tuple(sorted(map(_power, words))))
        if words and kind not in CLOSING:
            raise InputError(f"nothing closes at a {kind}, and {text!r} names {rest}: an unknown vanishes at a pole, "
                             '"pole:psi".')
        return cls(kind, words)

    @property
    def closes(self) -> bool:
        """Whether orbits close there."""
        return self.kind in CLOSING

    @property
    def even(self) -> bool:
        """Whether unknowns are even about it, but for those that vanish."""
        return self.kind in EVEN

    def __str__(self) -> str:
        powers = [f"{name}={power}" for name, power in self.powers]
        rest = self.kept.replace(KEPT[0], "") or ",".join([*self.names, *powers])
        return f"{self.kind}:{rest}" if rest else self.kind


def _power(word: str) -> tuple[str, int]:
    name, _, power = word.partition("=")
    try:
        return name, int(power)
    except ValueError:
        raise InputError(f"at infinity unknowns grow by whole powers of the coordinate, told as in \"infinity: chi=1, "
                         f"a=2\", and {word!r} is none.") from None


@final
@dataclass(frozen=True)
class Interval:
    """A coordinate from a to b.

    Raises InputError for ends that are not numbers in their order, or do not go together; UnknownNameError for another
    kind of end.

    Parameters
    ----------
    a, b : number or expression
        Where it begins and ends; b is oo where the last end is infinity.
    ends : str or pair of str
        What happens there: "pole" (a sphere closes, smoothly), "pole:psi" where it must be said which unknown vanishes,
        "bolt" (a circle or a sphere closes, and others stay), "nut" (all orbits close to a point, by several unknowns
        together), "mirror" (all goes on as a mirror image), "given" (a boundary at which values stay as they are at the
        start, or "given:slopes"), or "infinity: chi=1, a=2" (unknowns grow by these powers of the coordinate, and what
        is left is smooth in the square of its inverse).
    scale : number or expression, optional
        With b infinite, the length ℓ with half of all points within it; 1 unless given.
    """

    a: Any
    b: Any
    ends: Any = "pole"
    scale: Any = 1

    def __post_init__(self) -> None:
        low, high, scale = given_bound(self.a), given_bound(self.b), given_freely(self.scale)
        pair = (self.ends, self.ends) if isinstance(self.ends, str | End) else self.ends
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise InputError(f"an interval has two ends, each one of {_CHOICES}, and {self.ends!r} was given for them.")
        ends = tuple(map(End.read, pair))
        for name, value in (("a", low), ("b", high), ("ends", ends), ("scale", scale)):
            object.__setattr__(self, name, value)
        self._require_in_order()

    def _require_in_order(self) -> None:
        first, last = self.ends
        if first.kind == "infinity" or (last.kind == "infinity") != (self.b == sympy.oo):
            raise InputError("an interval goes to infinity at its last end, Interval(0, oo, ('pole', 'infinity')), "
                             f"and ({self.a}, {self.b}) with the ends {first} and {last} was given.")
        if last.kind == "infinity" and not (first.even and self.a.is_finite):
            raise InputError(f"an interval to infinity begins at a pole, a bolt, a nut or a mirror, and it begins at "
                             f"{self.a} with the end {first}.")
        if last.kind != "infinity" and not (self.a.is_finite and self.b.is_finite and self.length.is_positive):
            raise InputError(f"an interval goes from a number to a larger one, and ({self.a}, {self.b}) was given.")
        if not self.scale.is_positive:
            raise InputError(f"the scale of an interval is a positive number, and {self.scale} was given.")

    @property
    def length(self) -> sympy.Expr:
        """b − a."""
        return self.b - self.a

    @property
    def reach(self) -> sympy.Expr:
        """The length, or the scale where it is infinite."""
        return self.length if self.length.is_finite else self.scale

    @property
    def closed(self) -> bool:
        """Whether nothing is given at its ends, and it has two."""
        return all(end.even for end in self.ends)

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
