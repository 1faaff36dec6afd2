"""Whole runs that are compared: one wave on the flat torus, which decays at a rate known exactly.

φ_0 = ε cos(2πx) cos(2πy) with ε so small that the flow is linear to twelve digits: φ(t) = e^{−rt} φ_0 with
r = |k|²/2 for Kähler–Ricci flow and r = |k|⁴/2 for Calabi flow, |k|² = 8π². The run ends at t = 1/r.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, pi

import numpy as np

WAVE_SQUARED = 8 * pi**2
PERTURBATION = 1e-6
"""Largest relative change of the volume density at the start."""

LARGEST_SECOND = {2: 4.0, 4: 16 / 3}
"""Largest symbol of h² times minus the second difference, by order."""

RK4_REACH = 2.5
"""A step times the largest decay rate that classical Runge–Kutta takes with room to spare (its limit is 2.785)."""


@dataclass(frozen=True)
class RunCase:
    """One run: `kind` is "krf" or "calabi", on an n × n grid of the unit torus."""

    name: str
    title: str
    kind: str
    n: int

    @property
    def power(self) -> int:
        """The power of the flat Laplacian in the linearised flow."""
        return 1 if self.kind == "krf" else 2

    @property
    def rate(self) -> float:
        """The exact decay rate."""
        return WAVE_SQUARED**self.power / 2

    @property
    def end(self) -> float:
        """The time at which the wave has decayed by e."""
        return 1 / self.rate

    @property
    def amplitude(self) -> float:
        """ε: half its Laplacian is PERTURBATION."""
        return 2 * PERTURBATION / WAVE_SQUARED

    @property
    def shape(self) -> tuple[int, int]:
        """The grid's shape."""
        return (self.n, self.n)

    def wave(self) -> np.ndarray:
        """cos(2πx) cos(2πy) on the grid."""
        line = np.cos(2 * np.pi * np.arange(self.n) / self.n)
        return line[:, None] * line[None, :]

    def fields(self) -> np.ndarray:
        """The initial potential."""
        return self.amplitude * self.wave()

    def error(self, final: np.ndarray) -> float:
        """Relative error of the amplitude of the wave at the end."""
        wave = self.wave()
        amplitude = float((final * wave).sum() / (wave * wave).sum())
        return abs(amplitude / (self.amplitude * exp(-1.0)) - 1)

    def explicit_steps(self, order: int) -> int:
        """How many steps classical Runge–Kutta needs to be stable with stencils of this order."""
        fastest = (2 * LARGEST_SECOND[order] * self.n**2) ** self.power / 2
        return int(np.ceil(self.end * fastest / RK4_REACH))


RUNS = (
    RunCase("krf-256", "Kähler–Ricci flow, 256², until the wave has decayed by e", "krf", 256),
    RunCase("calabi-64", "Calabi flow, 64², until the wave has decayed by e", "calabi", 64),
    RunCase("calabi-256", "Calabi flow, 256², until the wave has decayed by e", "calabi", 256),
)
