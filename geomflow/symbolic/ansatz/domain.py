"""Where the unknown functions of an ansatz live: circles, and intervals with what happens at their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import sympy

from geomflow.core.errors import InputError, require_known
from geomflow.symbolic.given import given_bound, given_freely

ENDS = ("pole", "mirror")


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
    kind : {"pole", "mirror"}
        A point where orbits close smoothly, or where the manifold is its own mirror image.
    closing : str
        The unknown that vanishes at a pole; found from the ansatz where it is empty.
    """

    kind: str
    closing: str = ""

    @classmethod
    def read(cls, text: Any) -> End:
        """An end from text: "pole", "pole:psi" or "mirror"."""
        if isinstance(text, End):
            return text
        if not isinstance(text, str):
            raise InputError(f'an end of an interval is "pole", "pole:psi" or "mirror", and {text!r} was given.')
        kind, _, closing = text.partition(":")
        require_known("end of an interval", kind.strip(), ENDS)
        if closing and kind.strip() != "pole":
            raise InputError(f"nothing closes at a {kind.strip()}, and {text!r} names {closing.strip()}: an unknown "
                             'vanishes at a pole, "pole:psi".')
        return cls(kind.strip(), closing.strip())

    def __str__(self) -> str:
        return f"{self.kind}:{self.closing}" if self.closing else self.kind


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
        What happens there: "pole" (an orbit closes to a point, smoothly), "pole:psi" where it must be said which
        unknown vanishes, or "mirror" (all goes on as a mirror image).
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


Domain: TypeAlias = Circle | Interval
