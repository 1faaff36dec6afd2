"""Runge–Kutta–Chebyshev: an explicit method of second order for stiff parabolic problems.

Sommeijer, Shampine and Verwer, "RKC: an explicit solver for parabolic PDEs", J. Comput. Appl. Math. 88 (1998) 315,
equations (2.1)–(2.8) for the method and (3.2) for the error estimate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from geomflow.core.errors import InputError
from geomflow.flow.control import Stepper
from geomflow.flow.cursor import Cursor

_DAMPING = 2 / 13
_INTERVAL = 2 / 3 * (1 - 2 / 15 * _DAMPING)
_OSCILLATION = 0.048


@dataclass(frozen=True)
class RKC(Stepper):
    """Second-order stabilised method: s stages are stable for dt·λ ≤ 0.653 (s² − 1), so s grows like √dt.

    The number of stages follows from the problem's spectral radius; steps follow from the error estimate
    0.8 (y_n − y_{n+1}) + 0.4 dt (f_n + f_{n+1}). Eigenvalues must be near the negative real axis: the method is stable
    in an ellipse about its interval that near 0 does not grow with s, so that oscillation limits dt to 0.048 R/ω² with
    R the largest |λ| and ω the largest |Im λ|. An equation that oscillates more than it damps is refused.

    Parameters
    ----------
    max_stages : int
        The most rates that a step takes.
    """

    max_stages: int = 1000

    name: ClassVar[str] = "rkc"
    order: ClassVar[int] = 2
    estimate_order: ClassVar[int | None] = 2
    rate_known: ClassVar[bool] = True
    needs_radius: ClassVar[bool] = True

    @property
    def real_stability(self) -> float:
        """Length of the stability interval with the greatest number of stages."""
        return _INTERVAL * (self.max_stages**2 - 1)

    def stable_step(self, radius: float, oscillation: float) -> float:
        """The longest step that the most stages, and the oscillation, allow."""
        longest = super().stable_step(radius, 0.0)
        return min(longest, _OSCILLATION * radius / oscillation**2) if oscillation > 0 else longest

    def check(self, cursor: Cursor) -> None:
        """Raises InputError where the eigenvalues are far from the negative real axis."""
        spectrum = cursor.problem.spectrum
        if spectrum is None:
            return
        found = spectrum(cursor.t, cursor.y)
        if found.oscillation > found.damping:
            raise InputError(f"the eigenvalues of this equation reach {found.oscillation:.3g} along the imaginary axis "
                             f"and {found.damping:.3g} along the negative real one, and 'rkc' is for real ones: use "
                             "'rk45', or 'semi-implicit' for derivatives of third and higher order.")

    @property
    def rows(self) -> tuple[str, ...]:
        """Two stages that take turns with "new", and the rate of the latest."""
        return ("older", "stage_rate")

    def stages(self, dt: float, radius: float) -> int:
        """Least number of stages for which a step is stable.

        Parameters
        ----------
        dt : float
            The length of the step.
        radius : float
            Bound of |λ|, in units 1/time.
        """
        needed = 1 + int(math.sqrt(1 + dt * radius / _INTERVAL)) if math.isfinite(dt * radius) else 2
        return min(max(needed, 2), self.max_stages)

    def attempt(self, cursor: Cursor, t_new: float) -> None:
        """One step by the three-term recursion; ends with the rate at the new state."""
        dt = t_new - cursor.t
        chebyshev = _coefficients(self.stages(dt, cursor.spectral_radius()))
        cursor.rate()
        self._recursion(cursor, dt, chebyshev)
        cursor.evaluate(t_new, "new", "new_rate")
        estimate = {"y": 0.8, "new": -0.8, "rate": 0.4 * dt, "new_rate": 0.4 * dt}
        cursor.work.combine("error", estimate)

    def _recursion(self, cursor: Cursor, dt: float, chebyshev: _Coefficients) -> None:
        """Y_j from Y_{j−1} in "new" and Y_{j−2} in "older"; ends with Y_s in "new"."""
        work = cursor.work
        work["older"][...] = cursor.y
        work.combine("new", {"y": 1.0, "rate": dt * chebyshev.first})
        for c, mu, nu, mu_rate, gamma in chebyshev.later:
            cursor.evaluate(cursor.t + c * dt, "new", "stage_rate")
            terms = {
                "older": nu, "new": mu, "y": 1 - mu - nu, "stage_rate": dt * mu_rate, "rate": dt * gamma,
            }  # fmt: skip
            work.combine("older", terms)
            work.swap("older", "new")


@dataclass(frozen=True)
class _Coefficients:
    """`first` = μ̃_1; `later[j-2]` = (c_{j−1}, μ_j, ν_j, μ̃_j, γ̃_j) for j = 2..s."""

    first: float
    later: tuple[tuple[float, float, float, float, float], ...]


@lru_cache(maxsize=64)
def _coefficients(s: int) -> _Coefficients:
    w0 = 1 + _DAMPING / s**2
    value, slope, bend = _chebyshev(w0, s)
    w1 = slope[s] / bend[s]
    b = [bend[j] / slope[j] ** 2 if j >= 2 else bend[2] / slope[2] ** 2 for j in range(s + 1)]
    c = [0.0, w1 * bend[2] / slope[2] ** 2] + [w1 * bend[j] / slope[j] for j in range(2, s + 1)]
    later = []
    for j in range(2, s + 1):
        mu_rate = 2 * b[j] * w1 / b[j - 1]
        gamma = -(1 - b[j - 1] * value[j - 1]) * mu_rate
        later.append((c[j - 1], 2 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2], mu_rate, gamma))
    return _Coefficients(b[1] * w1, tuple(later))


def _chebyshev(x: float, s: int) -> tuple[list[float], list[float], list[float]]:
    """T_j(x), T_j'(x), T_j''(x) for j = 0..s by the three-term recursion."""
    value, slope, bend = [1.0, x], [0.0, 1.0], [0.0, 0.0]
    for _ in range(2, s + 1):
        bend.append(2 * x * bend[-1] - bend[-2] + 4 * slope[-1])
        slope.append(2 * x * slope[-1] - slope[-2] + 2 * value[-1])
        value.append(2 * x * value[-1] - value[-2])
    return value, slope, bend
