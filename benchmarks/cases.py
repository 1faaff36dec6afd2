"""The right-hand sides that are compared: what each maps to what, on which grid, and its input.

Arrays are component-major, (components, *grid). Metrics are packed as g_00, g_01, ..., g_11, ... (i ≤ j). All tori have
unit periods. With Δ = Σ ∂_i² flat and v = g_{zz̄}/½ = 1 + ½Δφ:

- A: log v;
- B: R − R̄ = −Δ log v / v (R̄ = 0 on a torus);
- C2, C3: −2 Ric_ij of the metric, derivatives of which are taken of g itself (its 2-jet);
- D: log det(g_{ab̄})/det(½δ), g_{ab̄} = ½δ + ∂_a∂_b̄ φ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FINEST_WAVE = 32
"""Points per wave length of the finest wave in the input: resolved, and far above roundoff of fourth derivatives."""


@dataclass(frozen=True)
class Case:
    """One right-hand side: `kind` is "krf", "calabi", "ricci" or "logdet"; `order` is the order of the stencils."""

    name: str
    title: str
    kind: str
    shape: tuple[int, ...]
    order: int = 4

    @property
    def dim(self) -> int:
        """The real dimension."""
        return len(self.shape)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance of neighbours on the unit torus."""
        return tuple(1 / n for n in self.shape)

    @property
    def components(self) -> int:
        """Components of the input, which are as many in the output."""
        return len(pairs(self.dim)) if self.kind == "ricci" else 1

    @property
    def points(self) -> int:
        """The number of grid points."""
        return int(np.prod(self.shape))

    @property
    def traffic(self) -> int:
        """Bytes that must move at least: every input read once, every output written once."""
        return 2 * self.components * 8 * self.points

    def fields(self) -> np.ndarray:
        """The input, (components, *grid): smooth, random, the same in every process."""
        rng = np.random.default_rng(20)
        if self.kind == "ricci":
            waves = np.stack([0.1 * smooth(rng, self.shape) for _ in pairs(self.dim)])
            for place, (i, j) in enumerate(pairs(self.dim)):
                waves[place] += i == j
            return waves
        wave = smooth(rng, self.shape)
        return 0.2 * wave[None] / np.abs(laplacian_of_waves(wave)).max()


CASES = (
    Case("A", "Kähler–Ricci potential flow, T², 1024²", "krf", (1024, 1024)),
    Case("B", "Calabi flow, T², 1024², two stages", "calabi", (1024, 1024)),
    Case("C2", "−2 Ric of a general metric, T², 512²", "ricci", (512, 512)),
    Case("C3", "−2 Ric of a general metric, T³, 96³", "ricci", (96, 96, 96)),
    Case("D", "log det on T⁴ (complex dimension 2), 32⁴", "logdet", (32, 32, 32, 32)),
)


def case(name: str) -> Case:
    """The case of this name."""
    return next(c for c in CASES if c.name == name)


def pairs(dim: int) -> list[tuple[int, int]]:
    """The packed order of a symmetric matrix: (i, j) with i ≤ j, by rows."""
    return [(i, j) for i in range(dim) for j in range(i, dim)]


def smooth(rng: np.random.Generator, shape: tuple[int, ...], terms: int = 8) -> np.ndarray:
    """A random sum of plane waves with values in [−1, 1], no wave shorter than FINEST_WAVE points (or one period)."""
    total = np.zeros(shape)
    for _ in range(terms):
        phase = np.full((1,) * len(shape), rng.uniform(0, 2 * np.pi))
        for axis, n in enumerate(shape):
            top = max(1, n // FINEST_WAVE)
            angle = 2 * np.pi * rng.integers(-top, top + 1) * np.arange(n) / n
            phase = phase + angle.reshape((-1,) + (1,) * (len(shape) - 1 - axis))
        total += np.cos(phase)
    return total / terms


def laplacian_of_waves(values: np.ndarray) -> np.ndarray:
    """The flat Laplacian on the unit torus by Fourier transform."""
    squares = np.zeros(())
    for axis, n in enumerate(values.shape):
        k = 2 * np.pi * np.fft.fftfreq(n, 1 / n)
        squares = squares + (k**2).reshape((-1,) + (1,) * (values.ndim - 1 - axis))
    return np.fft.ifftn(-squares * np.fft.fftn(values)).real
