"""Inputs of homogeneous degree zero: functions on the whole variety, with exact derivatives along its tangents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numba import njit

from geomflow.core.hermitian import unpack
from geomflow.variety import Ambient, Points
from geomflow.variety.lifts import horizontal

_OPTIONS = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy",
            "fastmath": {"contract", "reassoc", "nsz"}}


@njit(**_OPTIONS)
def projective(
    z: np.ndarray, frame: np.ndarray, bounds: np.ndarray, centre: np.ndarray, scale: np.ndarray, first: np.ndarray,
    second: np.ndarray,
) -> None:
    """Re and Im of z_i z̄_j of unit vectors z (P, N) in each factor, minus `centre`, times `scale`, along horizontal
    lifts frame (P, n, N) of the tangents: ∂_a(z_i z̄_j) = e_{a,i} z̄_j and
    ∂_a∂_b̄(z_i z̄_j) = e_{a,i} ē_{b,j} − ⟨e_a, e_b⟩ z_i z̄_j, the product taken in the factor."""
    count, n, _ = frame.shape
    gram = np.empty((n, n), np.complex128)
    for p in range(count):
        place = 0
        for f in range(bounds.size - 1):
            start, stop = bounds[f], bounds[f + 1]
            for a in range(n):
                for b in range(n):
                    gram[a, b] = 0
                    for i in range(start, stop):
                        gram[a, b] += frame[p, a, i] * np.conj(frame[p, b, i])
            for i in range(start, stop):
                for j in range(i, stop):
                    _pair(z[p], frame[p], gram, i, j, p, place, centre, scale, first, second)
                    place += 1 if i == j else 2


@njit(**_OPTIONS)
def _pair(
    z: np.ndarray, frame: np.ndarray, gram: np.ndarray, i: int, j: int, p: int, place: int, centre: np.ndarray,
    scale: np.ndarray, first: np.ndarray, second: np.ndarray,
) -> None:
    """The inputs of one pair i <= j: at `place` the real part, next to it the imaginary one."""
    n = gram.shape[0]
    value = z[i] * np.conj(z[j])
    size, other = scale[place], place + 1
    first[0, p, place] = (value.real - centre[place]) * size
    if i != j:
        first[0, p, other] = value.imag * size
    for a in range(n):
        up, down = frame[a, i] * np.conj(z[j]), frame[a, j] * np.conj(z[i])
        slope = 0.5 * size * (up + down)
        first[1 + a, p, place], first[1 + n + a, p, place] = slope.real, slope.imag
        if i != j:
            slope = -0.5j * size * (up - down)
            first[1 + a, p, other], first[1 + n + a, p, other] = slope.real, slope.imag
    row = n
    for a in range(n):
        for b in range(a, n):
            up = frame[a, i] * np.conj(frame[b, j]) - gram[a, b] * value
            down = frame[a, j] * np.conj(frame[b, i]) - gram[a, b] * np.conj(value)
            real, imaginary = 0.5 * size * (up + down), -0.5j * size * (up - down)
            if a == b:
                second[a, p, place] = real.real
                if i != j:
                    second[a, p, other] = imaginary.real
            else:
                second[row, p, place], second[row + 1, p, place] = real.real, real.imag
                if i != j:
                    second[row, p, other], second[row + 1, p, other] = imaginary.real, imaginary.imag
                row += 2


def input_count(ambient: Ambient) -> int:
    """Σ (n_i + 1)²: 25 on P^4."""
    return sum((n + 1) ** 2 for n in ambient.dims)


def normalisation(ambient: Ambient) -> tuple[np.ndarray, np.ndarray]:
    """(centre, scale) of every input: mean zero and variance one over each projective space (not over the variety).

    Over P^{N−1} the |z_i|² have mean 1/N and variance (N−1)/(N²(N+1)), Re and Im z_i z̄_j variance 1/(2N(N+1)).
    """
    centre, scale = [], []
    for size in (n + 1 for n in ambient.dims):
        diagonal, beside = size * np.sqrt((size + 1) / (size - 1)), np.sqrt(2.0 * size * (size + 1))
        for i in range(size):
            later = 2 * (size - 1 - i)
            centre += [1 / size] + [0.0] * later
            scale += [diagonal] + [beside] * later
    return np.array(centre), np.array(scale)


@final
@dataclass(frozen=True, eq=False)
class ProjectiveInputs:
    """Re and Im of z_i z̄_j/|z|² in each factor, i <= j, in a frame that is orthonormal for Fubini–Study.

    Parameters
    ----------
    ambient : Ambient
        The product of projective spaces.
    z : (P, N) complex array
        Unit vectors in each factor.
    frame : (P, n, N) complex array
        Horizontal lifts e_a of the frame.
    lower : (P, n, n) complex array
        L with g_FS = L L† in local coordinates: a matrix M in the frame is L M L† there.
    """

    ambient: Ambient
    z: np.ndarray
    frame: np.ndarray
    lower: np.ndarray
    curved = True

    @classmethod
    def of(cls, points: Points, kahler_class: tuple[float, ...]) -> ProjectiveInputs:
        """At points of a variety.

        Parameters
        ----------
        points : Points
            P of them.
        kahler_class : tuple of float
            The t_i of g_FS.
        """
        ambient = points.variety.ambient
        z, lifts = horizontal(points)
        weights = np.asarray(kahler_class)[ambient.factor_of]
        lower = np.linalg.cholesky((lifts * weights) @ np.swapaxes(lifts.conj(), 1, 2))
        return cls(ambient, z, np.ascontiguousarray(np.linalg.solve(lower, lifts)), lower)

    @property
    def count(self) -> int:
        """The number of points."""
        return len(self.z)

    @property
    def n(self) -> int:
        """The dimension of the variety."""
        return self.frame.shape[1]

    @property
    def width(self) -> int:
        """The number of inputs."""
        return input_count(self.ambient)

    @cached_property
    def _constants(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        bounds = np.array([0, *(block.stop for block in self.ambient.blocks)])
        return (bounds, *normalisation(self.ambient))

    def fill(self, block: slice, first: np.ndarray, second: np.ndarray | None) -> None:
        """The inputs of a block with their first and second derivatives; see `geomflow.networks.complex_hessian`.

        Parameters
        ----------
        block : slice
            Which points.
        first : (1 + 2n, points, inputs) array
            Room for values and first derivatives.
        second : (n², points, inputs) array or None
            Room for packed second derivatives, which these inputs have.
        """
        projective(self.z[block], self.frame[block], *self._constants, first, second)

    def __getitem__(self, index: slice | np.ndarray) -> ProjectiveInputs:
        """Those at some of the points."""
        return ProjectiveInputs(self.ambient, self.z[index], self.frame[index], self.lower[index])

    def metric(self, hessian: np.ndarray) -> np.ndarray:
        """g_FS + ∂∂̄φ = L (1 + H) L† in local coordinates, (P, n, n), from the packed H = ∂∂̄φ in the frame.

        Parameters
        ----------
        hessian : (P, n²) array
            H, packed.
        """
        return self.lower @ (unpack(hessian) + np.eye(self.n)) @ np.swapaxes(self.lower.conj(), 1, 2)

    def log_determinant(self) -> np.ndarray:
        """log det g_FS in local coordinates, (P,)."""
        return 2 * np.log(np.diagonal(self.lower, axis1=1, axis2=2).real).sum(axis=1)
