"""What is periodic on a torus: wave vectors of its dual lattice, series of waves, the Fourier embedding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import pi, sqrt
from typing import final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.numbers import whole
from geomflow.field.lattice import FlatTorus
from geomflow.networks.jets import Series


@final
class FourierEmbedding:
    """x ↦ (cos 2π m t_a, sin 2π m t_a) for every lattice direction a and m = 1..harmonics, x = Σ_a t_a v_a.

    The v_a are the lattice vectors of the torus (rectangular or not): a function of these features is periodic, and on
    the torus the map is injective. `features` = 2 × harmonics × dimension: all cosines, then all sines.
    Raises `InputError` for a number of harmonics below one, and for what is no torus.

    Parameters
    ----------
    torus : FlatTorus
        Whose lattice vectors v_a are meant, of real dimension d.
    harmonics : int
        The highest m.

    Examples
    --------
    >>> from geomflow.field import Torus
    >>> FourierEmbedding(Torus(dim=2), harmonics=2)
    8 cosines and sines on the torus R^2/Λ with coordinates x, y and periods 1, 1
    """

    def __init__(self, torus: FlatTorus, harmonics: int = 1) -> None:
        if not hasattr(torus, "lattice"):
            raise InputError(f"an embedding belongs to a torus, such as Torus(dim=2), and {torus!r} was given.")
        self.torus, self.harmonics = torus, whole(harmonics, "harmonics", 1)
        basis = 2 * np.pi * np.linalg.inv(np.array(torus.lattice))
        self.waves = np.concatenate([m * basis for m in range(1, self.harmonics + 1)], axis=1)

    @property
    def inputs(self) -> int:
        """The number of torus coordinates."""
        return self.torus.real_dim

    @property
    def features(self) -> int:
        """The number of cosines and sines."""
        return 2 * self.waves.shape[1]

    def values(self, x: np.ndarray) -> np.ndarray:
        """The features (p, features) at points (p, inputs).

        Parameters
        ----------
        x : (p, d) array
            Points.
        """
        return self.series(x, Series(self.inputs, 0))[0]

    def series(self, x: np.ndarray, series: Series) -> np.ndarray:
        """Taylor coefficients of the features by the coordinates, (C, p, features).

        Parameters
        ----------
        x : (p, d) array
            Points.
        series : Series
            The algebra of series in d variables.
        """
        return np.concatenate(wave_series(x @ self.waves, self.waves, series), axis=-1)

    def __repr__(self) -> str:
        return f"{self.features} cosines and sines on {self.torus!r}"


def wave_series(phases: np.ndarray, waves: np.ndarray, series: Series) -> tuple[np.ndarray, np.ndarray]:
    """Taylor coefficients, (C, p, m) each, of cos φ and sin φ by x, where φ = x·k + b.

    `phases` (p, m) are the φ and `waves` (d, m) the wave vectors k: ∂^α cos φ = k^α cos(φ + |α| π/2).
    """
    cosine, sine = np.cos(phases), np.sin(phases)
    turns = ((cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine))
    out = np.empty((2, series.channels, *phases.shape))
    for channel, (index, factorial) in enumerate(zip(series.indices, series.factorials)):
        factor = np.prod(waves ** np.array(index)[:, None], axis=0) / factorial
        for target, turned in zip(out[:, channel], turns[sum(index) % 4]):
            np.multiply(turned, factor, out=target)
    return out[0], out[1]


#: Terms below e^-40 of the largest are left out of sums.
_CUT = 40.0


@final
class DiscreteGaussian:
    """Wave vectors k of the dual lattice with probability e^{−s²|k|²/2}/Z, Z = Σ_k e^{−s²|k|²/2}.

    `rows` (d, d) are the lattice vectors v_a; k runs over 2π Z^d V^{-T}, so that k·v_a is a multiple of 2π.
    By Poisson's formula Z = Vol (2πs²)^{-d/2} Σ_λ e^{−|λ|²/2s²} over lattice vectors λ.
    """

    def __init__(self, rows: np.ndarray, scale: float) -> None:
        self.rows, self.scale = np.array(rows, dtype=float), float(scale)
        self.dual = 2 * pi * np.linalg.inv(self.rows).T

    @property
    def dim(self) -> int:
        """The dimension d."""
        return len(self.rows)

    @cached_property
    def volume(self) -> float:
        """Volume of the lattice's cell."""
        return abs(float(np.linalg.det(self.rows)))

    @cached_property
    def partition(self) -> float:
        """Z, by the sum over wave vectors or over lattice vectors, whichever is shorter."""
        density = (2 * pi * self.scale**2) ** (-self.dim / 2)
        if self.volume * density < 1:
            return float(np.exp(-0.5 * _squares(self.terms() * self.scale)).sum())
        images = lattice_points(self.rows, sqrt(2 * _CUT) * self.scale)
        return self.volume * density * float(np.exp(-0.5 * _squares(images / self.scale)).sum())

    def terms(self) -> np.ndarray:
        """All wave vectors (count, d) that matter in double precision."""
        return lattice_points(self.dual, sqrt(2 * _CUT) / self.scale)

    def distribution(self) -> tuple[np.ndarray, np.ndarray]:
        """Wave vectors (count, d) and their probabilities (count,), those below e^−40 of the largest left out."""
        waves = self.terms()
        return waves, np.exp(-0.5 * self.scale**2 * _squares(waves)) / self.partition

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """`count` independent wave vectors, (count, d), exactly distributed.

        Coordinate by coordinate of the triangular form of the dual basis, each from the one-dimensional discrete
        Gaussian around the shift that the later ones cause; a vector is kept with probability Π Z(shift)/Z(0) <= 1,
        which makes the joint distribution exact (Brakerski, Langlois, Peikert, Regev and Stehlé, 2013).
        """
        kept: list[np.ndarray] = []
        while sum(map(len, kept)) < count:
            integers, probability = self._propose(count, rng)
            kept.append(integers[rng.uniform(size=count) < probability])
        return np.concatenate(kept)[:count] @ self.dual

    def _propose(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        triangle: np.ndarray = np.asarray(np.linalg.qr(self.dual.T, mode="r")) * self.scale
        integers, probability = np.zeros((count, self.dim)), np.ones(count)
        for axis in reversed(range(self.dim)):
            shift = -(integers[:, axis + 1 :] @ triangle[axis, axis + 1 :]) / triangle[axis, axis]
            width = abs(triangle[axis, axis])
            integers[:, axis], mass = _draw_line(shift, width, rng)
            probability *= mass / _masses(np.zeros(1), width)[1].sum()
        return integers, probability


def _draw_line(shift: np.ndarray, width: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Integers m with weight e^{−width² (m − shift)²/2}, one a shift, and the sums Z(shift) of these weights."""
    blocks = np.array_split(shift, 1 + len(shift) * int(2 + 2 * sqrt(2 * _CUT) / width) // 2**22)
    numbers, sums = [], []
    for part in blocks:
        integers, weights = _masses(part, width)
        climbing = np.cumsum(weights, axis=1)
        place = (climbing < rng.uniform(size=(len(part), 1)) * climbing[:, -1:]).sum(axis=1)
        numbers.append(np.take_along_axis(integers, place[:, None], axis=1)[:, 0])
        sums.append(climbing[:, -1])
    return np.concatenate(numbers), np.concatenate(sums)


def _masses(shift: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Integers near each shift, (n, m), and their weights."""
    reach = int(sqrt(2 * _CUT) / width) + 1
    integers = np.rint(shift)[:, None] + np.arange(-reach, reach + 1)
    return integers, np.exp(-0.5 * (width * (integers - shift[:, None])) ** 2)


def lattice_points(rows: np.ndarray, radius: float) -> np.ndarray:
    """All points Σ_a m_a v_a, integer m, of modulus <= radius, (count, d), the shortest first.

    Raises `MemoryLimitError` where there are too many to hold.
    """
    boxed = lattice_count(rows, radius)
    require(16.0 * len(rows) * boxed, f"a list of {boxed:.3g} lattice points", "take a width nearer to the periods")
    points = integer_box(_bounds(rows, radius)) @ rows
    squares = _squares(points)
    order = np.argsort(squares, kind="stable")
    return np.ascontiguousarray(points[order[squares[order] <= radius**2 * (1 + 1e-12)]])


def lattice_count(rows: np.ndarray, radius: float) -> float:
    """About how many points of the lattice have modulus <= radius: those of the box that holds them all."""
    return float(np.prod(2.0 * _bounds(rows, radius) + 1))


def _bounds(rows: np.ndarray, radius: float) -> np.ndarray:
    """Bounds of the integers of lattice points: |m_a| ≤ radius |column a of the inverse|."""
    return np.floor(radius * np.linalg.norm(np.linalg.inv(rows), axis=0) + 1e-9).astype(int)


def integer_box(bounds: Sequence[int] | np.ndarray) -> np.ndarray:
    """All integer vectors m with |m_a| ≤ bounds[a], (count, d), the last entry running fastest."""
    axes = [np.arange(-bound, bound + 1) for bound in bounds]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def into_cell(rows: np.ndarray, differences: np.ndarray) -> np.ndarray:
    """Differences (..., d) moved by points of the lattice into the cell around zero, Σ_a t_a v_a with |t_a| ≤ ½."""
    moved: np.ndarray = differences - np.rint(differences @ np.linalg.inv(rows)) @ rows
    return moved


def _squares(points: np.ndarray) -> np.ndarray:
    return np.einsum("...i,...i->...", points, points)


def checked_scale(scale: float, name: str) -> float:
    """`scale` if it is a positive finite number; raises `InputError` otherwise."""
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"{name} must be positive and finite, and it is {scale!r}.")
    return float(scale)
