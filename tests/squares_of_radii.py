"""Necks of dumbbells in plain NumPy, by another derivation: the square of the radius, v = ψ², in shares of the length.

∂_t v = v_ss + (n − 2) v_s²/(2v) − 2(n − 1) along points, and (log ds)_t = n ψ_ss/ψ. Symmetric about the equator; with h
the share of the half length H and g = (2/π) sin(πh/2), v = H² g² (1 + g² b): the closing is built in, b is even.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp

BEND = (np.pi / 2) ** 2


class Squares:
    """The equation for b at the middles of N parts of y, h' ∝ exp(−κ(1 − cos πy)/2), with 3/4 of the modes."""

    def __init__(self, n: int, size: int, kappa: float) -> None:
        y, numbers = (np.arange(size) + 0.5) / size, np.arange(size)
        cosines, sines = (f(np.pi * np.outer(y, numbers)) for f in (np.cos, np.sin))
        to_modes = 2 * cosines.T / size
        to_modes[0] /= 2
        first = -(np.pi * numbers * sines) @ to_modes
        speed = np.exp(-kappa * (1 - np.cos(np.pi * y)) / 2)
        speed /= (to_modes @ speed)[0]
        summed = np.column_stack([y, sines[:, 1:] / (np.pi * numbers[1:])]) @ to_modes * speed
        kept = 3 * size // 4
        self.n, self.project = n, cosines[:, :kept] @ to_modes[:kept]
        self.whole, self.before, self.h = to_modes[0] * speed, summed, summed.sum(axis=1)
        second = -((np.pi * numbers) ** 2 * cosines) @ to_modes
        self.slope = first / speed[:, None] @ self.project
        self.bend = (second - (first @ speed / speed)[:, None] * first) / speed[:, None] ** 2 @ self.project
        self.at_equator = np.cos(np.pi * numbers) @ to_modes @ self.project
        self.g, self.c = 2 / np.pi * np.sin(np.pi * self.h / 2), np.cos(np.pi * self.h / 2)

    def rate(self, t: float, packed: np.ndarray) -> np.ndarray:
        """Of b and log H."""
        g, c, b = self.g, self.c, self.project @ packed[:-1]
        slope = self.slope @ b
        a, along = 1 + g**2 * b, 4 * c * b + g * slope
        second = -4 * BEND + 12 * b - 16 * BEND * g**2 * b + 8 * g * c * slope + g**2 * (self.bend @ b)
        stretch = self.n / 2 * (2 * b + 2 * BEND + second * a - 2 * c * along - g**2 * along**2 / 2) / a**2
        grown = self.whole @ stretch
        drift = self.before @ (stretch - grown) / g
        own = second + (self.n - 2) * (4 * c * along + g**2 * along**2 - 4 * BEND - 4 * b) / (2 * a)
        change = (own - 2 * grown * a - (2 * c + g**2 * along) * drift) / g**2
        return np.append(self.project @ change, grown) * np.exp(-2 * packed[-1])

    def jacobian(self, t: float, packed: np.ndarray) -> np.ndarray:
        """By central differences: only the steps need it."""
        steps = 1e-6 * np.maximum(1, np.abs(packed))
        return np.column_stack([(self.rate(t, packed + d) - self.rate(t, packed - d)) / (2 * d.sum())
                                for d in np.diag(steps)])

    def neck(self, packed: np.ndarray) -> float:
        """ψ at the equator."""
        b = float(self.at_equator @ packed[:-1])
        return float(np.exp(packed[-1])) * 2 / np.pi * np.sqrt(max(1 + b / BEND, 1e-30))


def times(n: int, a: float, radii: tuple[float, ...], size: int = 96, kappa: float = 5.0) -> list[float]:
    """When the neck of χ = 1, ψ = sin x √(1 − a sin²x) on S^{n+1} has these radii, which fall.

    Parameters
    ----------
    n : int
        The dimension of the fibre sphere.
    a : float
        Of the dumbbell.
    radii : tuple of float
        ψ at the equator.
    size, kappa : int, float
        Places, and how strongly they are drawn to the neck.
    """
    problem = Squares(n, size, kappa)
    events = [lambda t, packed, r=radius: problem.neck(packed) - r for radius in radii]
    for event in events:
        event.direction, event.terminal = -1, event is events[-1]
    start = np.append(np.full(size, -a * BEND), np.log(np.pi / 2))
    sol = solve_ivp(problem.rate, (0, 1), start, method="Radau", rtol=1e-11, atol=1e-12, events=events,
                    jac=problem.jacobian)
    return [float(found[0]) for found in sol.t_events]
