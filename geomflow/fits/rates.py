"""Learning rates: how long the steps of a flow on points are, and how they shrink as σ does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core.errors import InputError


class Rate(ABC):
    """The factor of each step: one number, or one for each train point.

    |v − 1| has a slope of constant size, so that steps of constant length come to a stop at a distance of about that
    length from v = 1 and go around it. To reach small σ the steps must shrink; each rate says how.
    """

    #: Whether `at` is one number, which updates that are normalised by their largest need.
    uniform = True

    @abstractmethod
    def at(self, step: int, steps: int, newton: np.ndarray) -> float | np.ndarray:
        """η of a step.

        Parameters
        ----------
        step : int
            From 0 on.
        steps : int
            How many there are.
        newton : (P,) array
            The η that would bring each v to one on its own.
        """


@final
@dataclass(frozen=True)
class ConstantRate(Rate):
    """The same η for every step: the plain descent of Halverson and Ruehle, section 3. A number means this rate.

    With the σ-loss, σ stops at about the change of v in one step.

    Parameters
    ----------
    value : float
        η > 0.
    """

    value: float

    def __post_init__(self) -> None:
        _positive("learning rate", self.value)

    def at(self, step: int, steps: int, newton: np.ndarray) -> float:
        """`value`."""
        return float(self.value)


@final
@dataclass(frozen=True)
class FallingRate(Rate):
    """η falls from `first` to `last` in equal ratios over the steps: η_t = first (last/first)^{t/(steps − 1)}.

    Subgradient descent with steps that fall geometrically converges linearly on functions that rise at a finite slope
    from their minimum (Goffin, 1977), as σ does where the kernel can bring every v to one: σ ends near its change in
    the last step, if the sum of all steps reaches that far. It works with every kernel.

    Parameters
    ----------
    first : float
        η of the first step.
    last : float
        η of the last step, at most `first`.
    """

    first: float = 0.1
    last: float = 1e-3

    def __post_init__(self) -> None:
        _positive("first learning rate", self.first)
        _positive("last learning rate", self.last)
        if self.last > self.first:
            raise InputError(f"the learning rate falls from {self.first:g} to {self.last:g}, which is more: exchange "
                             "them, or take a constant rate.")

    def at(self, step: int, steps: int, newton: np.ndarray) -> float:
        """first (last/first)^{step/(steps − 1)}."""
        return float(self.first * (self.last / self.first) ** (step / max(steps - 1, 1)))


@final
@dataclass(frozen=True)
class PointwiseRate(Rate):
    """The gradient scaled at each point, η_p = share · (Newton's step for log v_p alone): the same for every loss.

    If a kernel does not couple the train points, share = 1 is Newton's method and the digits of v double every step;
    weak coupling makes the convergence linear. For kernels of nearest points and Gaussians narrower than the distance
    of neighbours, and for those only: with wide kernels the steps of all points add up, and the flow diverges.

    Parameters
    ----------
    share : float
        Of Newton's step, > 0.
    """

    share: float = 1.0
    uniform = False

    def __post_init__(self) -> None:
        _positive("share of Newton's step", self.share)

    def at(self, step: int, steps: int, newton: np.ndarray) -> np.ndarray:
        """share · newton, (P,)."""
        return self.share * newton


def rate_of(rate: float | Rate) -> Rate:
    """A number as a constant rate; InputError for what is neither."""
    if isinstance(rate, Rate):
        return rate
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.integer | np.floating):
        raise InputError(f"a learning rate is a positive number, FallingRate(first, last) or PointwiseRate(), and "
                         f"{rate!r} was given.")
    return ConstantRate(float(rate))


def _positive(what: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise InputError(f"the {what} is a positive number, and it is {value!r}.")
