"""Perelman's μ of metrics with symmetry: the least W, by Newton's method on a sphere of functions.

With φ² = (4πτ)^{−N/2} e^{−f}, W is ∫ [τ(4|∇φ|² + Rφ²) − φ² log φ²] dV − (N/2) log 4πτ − N, and ∫ φ² dV = 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, final

import numpy as np
import scipy.linalg

from geomflow.core.errors import ConvergenceError, InputError
from geomflow.core.numbers import real_number
from geomflow.core.threads import one_thread_products
from geomflow.field.bases.spectral import Modal
from geomflow.field.reduced.ground_state import Modes

if TYPE_CHECKING:
    from geomflow.field.reduced.state import ReducedState

STEPS, SHORTEST = 100, 1e-6
"""Newton's steps, and the least share of one."""

ROUNDING = 1e-14
"""What W still falls by where Newton's method ends, relative to its size."""

RESOLVED = 1e-4
"""What the shortest modes may hold of φ, relative to its largest."""

FLAT = 1e-12
"""The least curvature of W along a direction that Newton's method takes, relative to the largest."""


def perelman_mu(state: ReducedState, tau: float) -> float:
    """μ(g, τ) among functions of the same symmetry: the least of the minima that are found from several starts.

    The starts are the ground state of λ, and functions e^{−s²/8τ} of the distance s from places along the coordinate.
    Raises InputError where the volume is infinite.
    """
    if not 0 < real_number(tau, "tau") < np.inf:
        raise InputError(f"tau = {tau!r} is the scale of Perelman's W; it must be a positive number.")
    _ = state.grid.ansatz.measure.volume
    with one_thread_products():
        modes = Modes(state)
        entropy = _Entropy(modes, float(tau))
        value, c = min((entropy.least(start) for start in entropy.starts()), key=lambda found: found[0])
    basis, dim, phi = state.grid.basis, state.grid.ansatz.metric.dim, modes.at_points @ c
    if isinstance(basis, Modal) and not basis.tail(phi / np.abs(phi).max()) < RESOLVED:
        raise InputError(f"the grid of {basis.size} points does not resolve the function that makes W least at τ = "
                         f"{tau:g}: take more points, or a larger τ.")
    return float(value - dim / 2 * np.log(4 * np.pi * tau) - dim)


@final
class _Entropy:
    """∫ [τ(4|∇φ|² + Rφ²) − φ² log φ²] dV of φ = Σ c_k φ_k with |c| = 1."""

    def __init__(self, modes: Modes, tau: float) -> None:
        self._modes, self._tau = modes, tau
        self._form = 2 * tau * modes.energy

    def starts(self) -> Iterator[np.ndarray]:
        """Coefficients c where Newton's method begins."""
        _, ground = scipy.linalg.eigh(self._form, subset_by_index=[0, 0])
        yield ground[:, 0]
        inverse = self._modes.inverse
        if len(inverse) == 1:
            return
        x, scalar = self._modes.places, self._modes.scalar
        s = np.concatenate([[0.0], np.cumsum(np.diff(x) * (inverse[1:] ** -0.5 + inverse[:-1] ** -0.5) / 2)])
        for place in np.unique([0, len(x) // 2, len(x) - 1, int(np.argmax(scalar))]):
            yield self._normal(np.exp(-((s - s[place]) ** 2) / (8 * self._tau)))

    def _normal(self, phi: np.ndarray) -> np.ndarray:
        c = self._modes.values.T @ (self._modes.weights * phi)
        return np.asarray(c / np.linalg.norm(c))

    def least(self, c: np.ndarray) -> tuple[float, np.ndarray]:
        """A minimum and its coefficients, by Newton's method with curvatures made positive, and steps that let W fall.
        """
        value = self._value(c)
        for _ in range(STEPS):
            step, slope = self._step(c)
            if -slope <= ROUNDING * max(1.0, abs(value)):
                return value, c
            c, value = self._moved(c, value, step, slope)
        raise ConvergenceError(f"{STEPS} steps of Newton's method do not come to a function that makes W least at τ = "
                               f"{self._tau:g}: take another number of points.")

    def _moved(self, c: np.ndarray, value: float, step: np.ndarray, slope: float) -> tuple[np.ndarray, float]:
        """The coefficients after a step, or a share of it with which W falls, and W there."""
        share = 1.0
        while True:
            moved = (c + share * step) / np.linalg.norm(c + share * step)
            found = self._value(moved)
            if found <= value + 1e-4 * share * slope or share < SHORTEST:
                return moved, found
            share /= 2

    def _value(self, c: np.ndarray) -> float:
        phi = self._modes.values @ c
        return float(c @ self._form @ c / 2 - self._modes.weights @ (phi**2 * _log_square(phi)))

    def _step(self, c: np.ndarray) -> tuple[np.ndarray, float]:
        """Newton's step at a right angle to c, and the slope of W along it."""
        modes, weights = self._modes.values, self._modes.weights
        phi = modes @ c
        log = _log_square(phi)
        gradient = self._form @ c - modes.T @ (weights * 2 * phi * (log + 1))
        bends = self._form - (modes.T * (weights * (2 * log + 6))) @ modes
        along = scipy.linalg.null_space(c[None])
        if not along.size:
            return np.zeros_like(c), 0.0
        curvature, axes = np.linalg.eigh(along.T @ (bends - (c @ gradient) * np.eye(len(c))) @ along)
        size = np.maximum(np.abs(curvature), FLAT * np.abs(curvature).max())
        slopes = axes.T @ (along.T @ gradient)
        return along @ (axes @ (-slopes / size)), -float(slopes**2 @ (1 / size))


def _log_square(phi: np.ndarray) -> np.ndarray:
    """log φ², of a φ that may be 0 where φ² log φ² is."""
    return np.log(np.maximum(phi**2, np.finfo(float).tiny))
