"""Initial value problems with known solutions, made by hand, for the tests of steppers and stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from geomflow.flow import FourierImplicit, Problem, Violation


@dataclass(frozen=True)
class Given:
    """A flow that binds to the problem it was given."""

    problem: Problem

    def bind(self, state: Any) -> Problem:
        return self.problem


def ode(rate, y0, **facts) -> Given:
    """dy/dt = rate(t, y) for a few numbers y; the state object is the array."""

    def write(t: float, y: np.ndarray, out: np.ndarray) -> None:
        out[...] = rate(t, y)

    return Given(Problem(y0=np.array(y0, dtype=float), rate=write, unpack=np.asarray, **facts))


def decay(rate: float = 1.0, **facts) -> Given:
    """y' = −rate·y, y(0) = 1."""
    settled = {"spectral_radius": lambda t, y: rate, "jacobian": lambda t, y: np.array([[-rate]])}
    return ode(lambda t, y: -rate * y, [1.0], **{**settled, **facts})


def blow_up(**facts) -> Given:
    """y' = y², y(0) = 1: y = 1/(1 − t) ends at t = 1."""
    return ode(lambda t, y: y**2, [1.0], spectral_radius=lambda t, y: 2 * float(y.max()), **facts)


def shrinking(**facts) -> Given:
    """y' = −1, y(0) = 1, y > 0: the metric of a shrinking sphere; positivity ends at t = 1."""

    def check(t: float, y: np.ndarray) -> Violation | None:
        return Violation("positivity", "the least eigenvalue", float(y.min()), (0,)) if y.min() <= 0 else None

    return ode(lambda t, y: -np.ones_like(y), [1.0], check=check, positivity=lambda t, y: float(y.min()), **facts)


def shrinking_radius(**facts) -> Given:
    """y' = −1/y, y(0) = 1, y > 0: the radius of a shrinking sphere, √(1 − 2t), and its curvature 1/y²."""

    def check(t: float, y: np.ndarray) -> Violation | None:
        return Violation("positivity", "the radius", float(y.min()), (0,)) if y.min() <= 0 else None

    return ode(lambda t, y: -1 / y, [1.0], check=check, positivity=lambda t, y: float(y.min()), autonomous=True,
               curvature=lambda t, y: float(1 / y[0] ** 2), jacobian=lambda t, y: np.array([[1 / y[0] ** 2]]), **facts)


def kaps(stiffness: float) -> Given:
    """Kaps' problem (Hairer and Wanner II, section IV.7), with an eigenvalue near −stiffness; y = (e^(−2t), e^(−t))."""

    def rate(t: float, y: np.ndarray) -> np.ndarray:
        return np.array([-(2 + stiffness) * y[0] + stiffness * y[1] ** 2, y[0] - y[1] - y[1] ** 2])

    def jacobian(t: float, y: np.ndarray) -> np.ndarray:
        return np.array([[-(2 + stiffness), 2 * stiffness * y[1]], [1, -1 - 2 * y[1]]])

    return ode(rate, [1.0, 1.0], jacobian=jacobian, autonomous=True)


def prothero_robinson(stiffness: float) -> Given:
    """y' = −stiffness (y − sin t) + cos t, y(0) = 0: y = sin t."""
    return ode(lambda t, y: -stiffness * (y - np.sin(t)) + np.cos(t), [0.0],
               jacobian=lambda t, y: np.array([[-stiffness]]))


def pendulum() -> tuple[Given, Any]:
    """Two coupled equations with explicit time and the solution (exp(sin t), cos 2t), which is returned too."""

    def exact(t: float) -> np.ndarray:
        return np.array([np.exp(np.sin(t)), np.cos(2 * t)])

    def rate(t: float, y: np.ndarray) -> np.ndarray:
        u, v = y - exact(t)
        return np.array([y[0] * np.cos(t) + v * y[0], -2 * np.sin(2 * t) - u * y[1] + u * v])

    def jacobian(t: float, y: np.ndarray) -> np.ndarray:
        u, v = y - exact(t)
        return np.array([[np.cos(t) + v, y[0]], [v - y[1], -u + y[0] - exact(t)[0]]])

    return ode(rate, exact(0.0), spectral_radius=lambda t, y: 6.0, jacobian=jacobian), exact


class Heat:
    """u_t = a(t) (−1)^{m+1} ∂^{2m} u on a periodic interval of n points by FFT, a(t) = 1 + cos(40 t)/5.

    `strength` scales the constant-coefficient operator of the implicit part against the largest true one.
    """

    def __init__(self, n: int = 64, half_order: int = 1, strength: float = 1.0) -> None:
        self.n = n
        self.x = np.arange(n) / n
        self.symbol = -((2 * np.pi * np.fft.rfftfreq(n, 1 / n)) ** (2 * half_order))
        self.y0 = np.exp(np.sin(2 * np.pi * self.x))[None]
        self.strength = strength
        self.stiff_order = 2 * half_order

    def flow(self, **facts) -> Given:
        """The problem, with a spectral radius, an implicit part, its Jacobian, a monitor and a description."""
        implicit = FourierImplicit(1.2 * self.strength * self.symbol, self.y0.shape)
        settled = {
            "spectral_radius": lambda t, y: -1.2 * self.symbol[-1],
            "implicit": implicit,
            "jacobian": self._jacobian,
            "stiff_order": self.stiff_order,
            "monitors": {"mean": lambda t, y: float(y.mean())},
            "description": {"equation": "u_t = a(t) u_xx", "axes": {"x": self.x}, "components": ["u"]},
        }
        return ode(self._rate, self.y0, **{**settled, **facts})

    def _rate(self, t: float, y: np.ndarray) -> np.ndarray:
        return np.fft.irfft((1 + np.cos(40 * t) / 5) * self.symbol * np.fft.rfft(y), self.n)

    def _jacobian(self, t: float, y: np.ndarray) -> np.ndarray:
        return np.stack([self._rate(t, unit) for unit in np.eye(self.n)], axis=1)

    def exact(self, t: float) -> np.ndarray:
        """The solution at time t."""
        return np.fft.irfft(np.exp((t + np.sin(40 * t) / 200) * self.symbol) * np.fft.rfft(self.y0), self.n)


class LogDiffusion:
    """u_t = (log u)_xx on a circle of n points by Fourier: Ricci flow of u (dx² + dy²), from t = 1.

    u = 1/(coth t + cos x / sinh t): v = a + b cos x solves v_t = v v_xx − v_x² where a' = −b², b' = −a b.
    """

    def __init__(self, n: int = 64) -> None:
        self.x = 2 * np.pi * np.arange(n) / n
        waves = np.fft.rfftfreq(n, 1 / n)[:, None]
        self.second = np.fft.irfft(-(waves**2) * np.fft.rfft(np.eye(n), axis=0), n, axis=0)

    def flow(self) -> Given:
        """The problem, with its Jacobian."""
        return ode(lambda t, y: self.second @ np.log(y), self.exact(1.0), jacobian=lambda t, y: self.second / y,
                   stiff_order=2, autonomous=True)

    def exact(self, t: float) -> np.ndarray:
        """The solution at time t."""
        return 1 / (1 / np.tanh(t) + np.cos(self.x) / np.sinh(t))


def same(one: Any, other: Any) -> bool:
    """Whether two solutions agree to the last bit, in what they cost and how they ended too."""
    facts = [(s.steps, s.rejected, s.rate_evaluations, list(s.monitors), len(s.states)) for s in (one, other)]
    arrays = [(one.times, other.times), (one.monitor_times, other.monitor_times)]
    arrays += [(one[name], other[name]) for name in one.monitors]
    arrays += [(one.states.packed(i), other.states.packed(i)) for i in range(min(len(one.states), len(other.states)))]
    equal = all(np.array_equal(a, b, equal_nan=True) for a, b in arrays)
    return equal and facts[0] == facts[1] and one.outcome == other.outcome
