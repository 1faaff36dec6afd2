"""How steps are taken and how long they are: what a stepper and a controller are, and control by the error."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import real_number
from geomflow.core.outcome import Outcome

if TYPE_CHECKING:
    from geomflow.flow.cursor import Cursor


@dataclass(frozen=True)
class ControllerState:
    """All that a controller remembers from step to step.

    dt       length of the next step, unless a save time is nearer
    error    error ratio of the last accepted step
    held     the last attempt was rejected, so the next step must not be longer
    ceiling  dt is never longer than this
    """

    dt: float
    error: float = 1.0
    held: bool = False
    ceiling: float = math.inf


class StepController(ABC):
    """Chooses step lengths. Subclasses are frozen dataclasses; what changes along a run is in the `ControllerState`.

    retries  a rejected step is tried again with a smaller length
    """

    retries: ClassVar[bool] = True

    @abstractmethod
    def start(self, cursor: Cursor, stepper: Stepper, span: float) -> ControllerState:
        """The state at the start of a run.

        Parameters
        ----------
        cursor : Cursor
            Where the run is.
        stepper : Stepper
            The method.
        span : float
            The length of the run in time.
        """

    def step(self, cursor: Cursor, stepper: Stepper, last: ControllerState) -> float:
        """Length of the next step from the cursor's state.

        Parameters
        ----------
        cursor : Cursor
            Where the run is.
        stepper : Stepper
            The method.
        last : ControllerState
            After the last step.
        """
        return last.dt

    def ratio(self, cursor: Cursor, stepper: Stepper) -> float:
        """Error of the candidate over what is allowed; a step is accepted up to 1.

        Parameters
        ----------
        cursor : Cursor
            Where the run is.
        stepper : Stepper
            The method.
        """
        return 0.0

    @abstractmethod
    def accept(self, last: ControllerState, dt: float, ratio: float, stepper: Stepper) -> ControllerState:
        """The state after an accepted step.

        Parameters
        ----------
        last : ControllerState
            Before the step.
        dt : float
            Its length.
        ratio : float
            Its error over what is allowed.
        stepper : Stepper
            The method.
        """

    @abstractmethod
    def reject(self, last: ControllerState, dt: float, ratio: float, stepper: Stepper) -> ControllerState | None:
        """The state after a rejected step; None gives up.

        Parameters
        ----------
        last : ControllerState
            Before the step.
        dt : float
            Its length.
        ratio : float
            Its error over what is allowed; NaN if the candidate was not allowed.
        stepper : Stepper
            The method.
        """


_SAFETY = 0.9
_SHRINK, _GROW = 0.2, 5.0
_SMALLEST_RATIO = 1e-8
_TINY = 1e-300


@dataclass(frozen=True)
class ErrorControl(StepController):
    """Keeps the error of each step below atol + rtol·max|y|, component by component, each at its worst point.

    The maximum norm sees a singularity that forms at one point, does not depend on the resolution, and does not depend
    on the order of summation. The next step is dt·0.9·r_n^(−0.7/k)·r_{n−1}^(0.4/k) with error ratios r and k one more
    than the order of the estimate (Gustafsson's PI controller; Hairer and Wanner II, section IV.2).

    Parameters
    ----------
    rtol : float
        Relative error allowed a step.
    atol : float
        Absolute error allowed a step, in the units of the state.
    largest : float
        No step is longer.
    """

    rtol: float = 1e-6
    atol: float = 1e-9
    largest: float = math.inf

    def __post_init__(self) -> None:
        for name in ("rtol", "atol", "largest"):
            object.__setattr__(self, name, real_number(getattr(self, name), name))
        if not (self.rtol >= 0 and self.atol >= 0 and 0 < self.rtol + self.atol < math.inf):
            raise InputError(f"rtol = {self.rtol} and atol = {self.atol} must be finite, not negative, nor both 0.")
        if not self.largest > 0:
            raise InputError(f"the largest step, {self.largest}, must be positive.")

    def start(self, cursor: Cursor, stepper: Stepper, span: float) -> ControllerState:
        """First step after Hairer, Nørsett and Wanner I, section II.4, with one extra rate."""
        if stepper.estimate_order is None:
            raise InputError(f"{stepper!r} has no error estimate: give it control=FixedStep(dt) or StabilityBound().")
        scale = self._scale(cursor, "y")
        size = float((cursor.work.peaks("y") / scale).max())
        slope = float((_rate_peaks(cursor) / scale).max())
        probe = 0.01 * size / slope if min(size, slope) > 1e-5 else 1e-6 * span
        probe = min(probe, span)
        cursor.work.combine("new", {"y": 1.0, "rate": probe})
        cursor.evaluate(cursor.t + probe, "new", "error")
        cursor.work.combine("error", {"error": 1.0, "rate": -1.0})
        bend = float((cursor.work.peaks("error") / scale).max()) / probe
        worst = max(slope, bend)
        if not math.isfinite(worst):
            return ControllerState(1e-3 * probe)
        best = (0.01 / worst) ** (1 / (stepper.estimate_order + 1)) if worst > 1e-15 else 1e-3 * span
        return ControllerState(min(100 * probe, best, span))

    def step(self, cursor: Cursor, stepper: Stepper, last: ControllerState) -> float:
        """The length proposed, below the largest step, and below the stability limit of a method that knows it."""
        dt = min(last.dt, self.largest)
        if stepper.needs_radius:
            dt = min(dt, stepper.stable_step(cursor.spectral_radius(), cursor.oscillation()))
        return dt

    def ratio(self, cursor: Cursor, stepper: Stepper) -> float:
        """max over components of max|error| / (atol + rtol·max|y|)."""
        return float((cursor.work.peaks("error") / self._scale(cursor, "y", "new")).max())

    def accept(self, last: ControllerState, dt: float, ratio: float, stepper: Stepper) -> ControllerState:
        """Longer or shorter by the PI rule; a step cut short by a save time does not shorten the next."""
        ratio = max(ratio, _SMALLEST_RATIO)
        power = 1 / _exponent(stepper)
        factor = _SAFETY * ratio ** (-0.7 * power) * last.error ** (0.4 * power)
        factor = min(max(factor, _SHRINK), 1.0 if last.held else _GROW)
        after = dt * factor
        return ControllerState(max(after, last.dt) if dt < 0.99 * last.dt else after, ratio)

    def reject(self, last: ControllerState, dt: float, ratio: float, stepper: Stepper) -> ControllerState | None:
        """Shorter as the error asks, or by four if the candidate was not allowed."""
        factor = max(_SHRINK, _SAFETY * ratio ** (-1 / _exponent(stepper))) if math.isfinite(ratio) else 0.25
        return ControllerState(dt * factor, last.error, held=True)

    def _scale(self, cursor: Cursor, *names: str) -> np.ndarray:
        peaks = np.max([cursor.work.peaks(name) for name in names], axis=0)
        scale: np.ndarray = self.atol + self.rtol * peaks + _TINY
        return scale


def _exponent(stepper: Stepper) -> int:
    return (stepper.estimate_order or 0) + 1


def _rate_peaks(cursor: Cursor) -> np.ndarray:
    cursor.rate()
    return cursor.work.peaks("rate")


class Stepper(ABC):
    """A one-step method for dy/dt = f(t, y). Subclasses are frozen dataclasses and remember nothing.

    order            order of the method
    estimate_order   order of the embedded method behind the error estimate; None without an estimate
    rate_known       a step leaves the rate at its end in "new_rate"
    remedy           what to change when a step of fixed length fails, if not its length
    """

    name: ClassVar[str]
    order: ClassVar[int]
    estimate_order: ClassVar[int | None] = None
    rate_known: ClassVar[bool] = False
    needs_radius: ClassVar[bool] = False
    remedy: ClassVar[str] = ""

    @property
    def real_stability(self) -> float:
        """Largest dt·λ for which y' = −λ y does not grow; infinite for implicit methods."""
        return math.inf

    @property
    def imaginary_stability(self) -> float:
        """Largest dt·ω for which y' = iω y does not grow; infinite for implicit methods."""
        return math.inf

    def stable_step(self, radius: float, oscillation: float) -> float:
        """The longest stable step for eigenvalues λ.

        Parameters
        ----------
        radius : float
            Bound of |λ|, in units 1/time.
        oscillation : float
            Bound of |Im λ|.
        """
        real = self.real_stability / radius if radius > 0 else math.inf
        return min(real, self.imaginary_stability / oscillation) if oscillation > 0 else real

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the work arrays it needs."""
        return ()

    @abstractmethod
    def attempt(self, cursor: Cursor, t_new: float) -> Outcome | None:
        """Step from (cursor.t, cursor.y) to t_new: write the row "new", and "error" if there is an estimate.

        Where the problem is an iteration that has come to its end, gives its outcome.

        Parameters
        ----------
        cursor : Cursor
            Where the run is, with its work arrays.
        t_new : float
            The end of the step.
        """

    def check(self, cursor: Cursor) -> None:  # noqa: B027
        """Raise `InputError` if the method cannot work on this problem, before anything is computed.

        Parameters
        ----------
        cursor : Cursor
            At the initial state.
        """

    def control(self, rtol: float, atol: float) -> StepController:
        """The step control that fits the method when the user names none.

        Parameters
        ----------
        rtol, atol : float
            The errors that the run allows a step.
        """
        return ErrorControl(rtol, atol)
