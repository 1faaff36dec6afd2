"""Kernels on Kähler potentials as kernels on metrics: ∂_a∂_b̄ ∂'_c∂'_d̄ K(x, x')."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.field.lattice import FlatTorus
from geomflow.kernels.blocks import row_blocks
from geomflow.kernels.empirical import EmpiricalKernel, EmpiricalPotentialKernel, hermitian_probe
from geomflow.kernels.gaussian import GaussianKernel, WrappedGaussianKernel
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.tangent import TangentKernel, cotangents, require_theta
from geomflow.networks.jets import hessian_adjoint, hessian_of_jets, hessian_terms
from geomflow.networks.periodic import into_cell, lattice_count, lattice_points

Index = tuple[int, ...]
Derivatives = dict[Index, np.ndarray]

_REACH = 9.5
"""Gaussians are summed out to so many widths: e^{−9.5²/2} = 2.5e-20."""


@final
@dataclass(frozen=True)
class PotentialKernel(TangentKernel):
    """Θ_{ab̄cd̄}(x, x') = ∂_a∂_b̄ ∂'_c∂'_d̄ K(x, x'), complex Theta[p, q, a, b, c, d], of a kernel K on potentials.

    If φ moves by K, then g = reference + ∂∂̄φ moves by Θ: δg_{ab̄}(x) = Σ Θ_{ab̄cd̄}(x, x') D^{cd̄}(x') for Hermitian D, and
    dω = 0 is kept. Coordinates are x1, y1, x2, y2, ..., ∂_a = ½(∂_{x^a} − i ∂_{y^a}).

    Exact for `GaussianKernel` and `WrappedGaussianKernel` (closed derivatives), and for `EmpiricalPotentialKernel` (the
    network's jets). Raises InputError for kernels whose derivatives are not known.

    Parameters
    ----------
    kernel : GaussianKernel, WrappedGaussianKernel or EmpiricalPotentialKernel
        K.
    """

    kernel: Kernel

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, GaussianKernel | WrappedGaussianKernel | EmpiricalPotentialKernel):
            raise InputError(f"the fourth derivatives of {self.kernel!r} are not known: give a GaussianKernel, one "
                             "wrapped around a torus, or the EmpiricalPotentialKernel of a network.")

    @property
    def _empirical(self) -> EmpiricalKernel | None:
        if isinstance(self.kernel, EmpiricalPotentialKernel):
            return EmpiricalKernel(self.kernel.model, self.kernel.parameters)
        return None

    def theta(self, x: Any, y: Any = None, g_x: Any = None, g_y: Any = None) -> np.ndarray:
        """The array, from the fourth derivatives of K."""
        if self._empirical is not None:
            return self._empirical.theta(x, y)
        first, second, size = self._points(x, y)
        require_theta(len(first), len(second), size, itemsize=16)
        pairs = [(left, right) for left in hessian_terms(size) for right in hessian_terms(size)]
        fourth = self._derivatives(first, second, {_sum(left[2], right[2]) for left, right in pairs})
        result = np.zeros((len(first), len(second), *(size,) * 4), complex)
        for (a, b, index, factor), (c, d, other, weight) in pairs:
            result[:, :, a, b, c, d] += factor * weight * fourth[_sum(index, other)]
        return result

    def apply(self, x: Any, y: Any, cotangent: np.ndarray, g_x: Any = None, g_y: Any = None,
              block: int | None = None) -> np.ndarray:
        """∂_a∂_b̄ of the potential Σ_q ∂'_c∂'_d̄ K(x, y_q) D^{cd̄}(y_q), in blocks; of D the Hermitian part counts."""
        if self._empirical is not None:
            return self._empirical.apply(x, y, cotangent, block=block)
        first, second, size = self._points(x, y)
        sources = hessian_adjoint(cotangents(cotangent, len(second)))
        result = np.empty((len(first), size, size), complex)
        for rows in row_blocks(len(first), len(second), block):
            result[rows] = hessian_of_jets(self._second_jets(first[rows], second, sources), size)
        return result

    def _second_jets(self, x: np.ndarray, y: np.ndarray, sources: Derivatives) -> Derivatives:
        """The second derivatives at x of Σ_q Σ_β (∂'^β K)(x, y_q) sources[β][q]."""
        totals: dict[Index, list[tuple[Index, Index]]] = {}
        for index, other in product(sources, sources):
            totals.setdefault(_sum(index, other), []).append((index, other))
        jets = {index: np.zeros(len(x)) for index in sources}
        for total, pairs in totals.items():
            block = self._derivatives(x, y, [total])[total]
            for index, other in pairs:
                jets[index] += block @ sources[other]
        return jets

    def _points(self, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray, int]:
        first = self.kernel.read(x)
        second = first if y is None else self.kernel.read(y)
        kernel = self.kernel
        wanted = kernel.torus.real_dim if isinstance(kernel, WrappedGaussianKernel) else first.shape[1]
        if wanted % 2 or not first.shape[1] == second.shape[1] == wanted:
            raise ShapeError(f"points of {first.shape[1]} and {second.shape[1]} real coordinates were given for "
                             f"{self.kernel!r}; points on a complex torus have twice its complex dimension.")
        return first, second, first.shape[1] // 2

    def _derivatives(self, x: np.ndarray, y: np.ndarray, indices: Iterable[Index]) -> Derivatives:
        """∂^γ k(x_p − y_q) for |γ| = 4, which are ∂^α ∂'^β K for |α| = |β| = 2, α + β = γ."""
        separations = [np.subtract.outer(a, b) for a, b in zip(x.T, y.T, strict=True)]
        if isinstance(self.kernel, WrappedGaussianKernel):
            return periodic(self.kernel.scale, self.kernel.torus, separations, indices)
        assert isinstance(self.kernel, GaussianKernel)
        return images(self.kernel.scale, separations, np.zeros((1, len(separations))), indices)

    def probe(self, stream: np.random.Generator, points: int, dim: int) -> np.ndarray:
        """A random Hermitian cotangent."""
        return hermitian_probe(stream, points, dim)


def _sum(first: Index, second: Index) -> Index:
    return tuple(a + b for a, b in zip(first, second, strict=True))


def gaussian_derivatives(scale: float, r: np.ndarray, highest: int = 4) -> list[np.ndarray]:
    """d^m/dr^m of (2πs²)^{−1/2} e^{−r²/2s²}, m = 0..highest: (−1)^m He_m(r/s) s^{−m} times it."""
    u = r / scale
    found = [np.exp(-0.5 * u * u) / (np.sqrt(2 * np.pi) * scale)]
    for m in range(highest):
        before = (m / scale**2) * found[m - 1] if m else 0.0
        found.append(-(u / scale) * found[m] - before)
    return found


def images(scale: float, separations: list[np.ndarray], shifts: np.ndarray, indices: Iterable[Index]) -> Derivatives:
    """Σ_v ∂^γ k(r + v) of the Gaussian k, over the shifts v (n, d); separations are d arrays of one shape."""
    totals = {index: np.zeros_like(separations[0]) for index in indices}
    for shift in shifts:
        factors = [gaussian_derivatives(scale, r + v) for r, v in zip(separations, shift, strict=True)]
        for index, total in totals.items():
            total += _product(factors, index)
    return totals


def waves(scale: float, torus: FlatTorus, separations: list[np.ndarray], indices: Iterable[Index]) -> Derivatives:
    """(1/Vol) Σ_k e^{−s²|k|²/2} ∂^γ cos(k·r) for |γ| = 4, over the dual lattice."""
    dual = 2 * np.pi * np.linalg.inv(np.array(torus.lattice)).T
    vectors = lattice_points(dual, _REACH / scale)
    totals = {index: np.zeros_like(separations[0]) for index in indices}
    for k in vectors:
        phase = np.cos(sum(component * r for component, r in zip(k, separations, strict=True)))
        phase *= np.exp(-0.5 * scale**2 * float(k @ k)) / torus.cell_volume
        for index, total in totals.items():
            total += float(np.prod(k ** np.array(index))) * phase
    return totals


def periodic(scale: float, torus: FlatTorus, separations: list[np.ndarray], indices: Iterable[Index]) -> Derivatives:
    """Σ_v ∂^γ k(r + v) over the lattice of the torus, |γ| = 4.

    On rectangular tori a product of one periodic function a coordinate; else by images or by waves, whichever takes
    fewer terms.
    """
    if torus.is_rectangular:
        return _products(scale, torus.periods, separations, indices)
    lattice = np.array(torus.lattice)
    reach = _REACH * scale + 0.5 * float(np.sum(np.linalg.norm(lattice, axis=1)))
    dual = 2 * np.pi * np.linalg.inv(lattice).T
    if lattice_count(dual, _REACH / scale) < lattice_count(lattice, reach):
        return waves(scale, torus, separations, indices)
    reduced = into_cell(lattice, np.stack(separations, axis=-1))
    return images(scale, list(np.moveaxis(reduced, -1, 0)), lattice_points(lattice, reach), indices)


def _products(scale: float, periods: tuple[float, ...], separations: list[np.ndarray],
              indices: Iterable[Index]) -> Derivatives:
    factors = [periodic_gaussian(scale, period, r) for period, r in zip(periods, separations, strict=True)]
    return {index: _product(factors, index) for index in indices}


def _product(factors: list[list[np.ndarray]], index: Index) -> np.ndarray:
    """Π_a of the derivative of factor a that `index` counts."""
    return reduce(np.multiply, (factor[times] for factor, times in zip(factors, index, strict=True)))


def periodic_gaussian(scale: float, period: float, r: np.ndarray, highest: int = 4) -> list[np.ndarray]:
    """d^m/dr^m Σ_n (2πs²)^{−1/2} e^{−(r + nL)²/2s²}, m = 0..highest: images where s < 0.3 L, waves above."""
    if scale < 0.3 * period:
        nearest = r - period * np.round(r / period)
        count = int(np.ceil(_REACH * scale / period + 0.5))
        terms = [gaussian_derivatives(scale, nearest + n * period, highest) for n in range(-count, count + 1)]
        return [np.asarray(sum(column)) for column in zip(*terms, strict=True)]
    found = [np.full_like(r, 1 / period), *(np.zeros_like(r) for _ in range(highest))]
    for n in range(1, int(_REACH * period / (2 * np.pi * scale)) + 1):
        k = 2 * np.pi * n / period
        height = 2 * np.exp(-0.5 * (scale * k) ** 2) / period
        for m, total in enumerate(found):
            total += height * k**m * np.cos(k * r + 0.5 * np.pi * m)
    return found
