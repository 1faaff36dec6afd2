"""Spaces of Kähler potentials: finitely many functions on a hypersurface with a norm, and the kernels they are of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from geomflow.core.errors import InputError

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.fits.phi.inputs import ProjectiveInputs
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points


#: Every span that has a place on disk, by the name of its kind.
KINDS: dict[str, type[PotentialSpan]] = {}


class PotentialSpan(ABC):
    """The functions φ = Σ_α a_α ψ_α on a hypersurface, α = 1..size, with the norm |a|.

    The ψ_α are orthonormal in the reproducing kernel Hilbert space of the kernel K(x, y) = Σ_α ψ_α(x) ψ_α(y): for a
    kernel they are combinations of its functions K(·, c), for a network its tangent features ∂φ/∂θ_α. Descent of a loss
    in the coefficients a is then its flow in the kernel, ∂φ/∂t = −K δE/δφ (Halverson and Ruehle, eq. (2.12) with the
    kernel on the potential).

    Derivatives along the variety are in an orthonormal frame of Fubini–Study, as `ProjectiveInputs` has it; a Hermitian
    (n, n) matrix is packed as n² real numbers, the diagonal, then real and imaginary part of each a < b.
    A new kernel defines `combine` and `rows`; both work in blocks, and neither holds more than (P, size) numbers. One
    whose metrics files hold names its kind, and defines `record` and `from_record`, as a `HermitianMetric` does.
    """

    variety: Hypersurface
    kahler_class: tuple[float, ...]
    #: The name of this kind in files; empty for spans that no file holds.
    kind: ClassVar[str] = ""

    def __init_subclass__(cls, kind: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.kind = kind
        if kind:
            KINDS[kind] = cls

    def record(self) -> dict[str, Any]:
        """What the span is made of besides its variety, for files."""
        raise NotImplementedError

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> PotentialSpan:
        """The span of a `record`. Raises `StoreError` for what is none."""
        raise NotImplementedError

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of functions."""

    @abstractmethod
    def combine(self, place: Any, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """φ = Σ_α a_α ψ_α and its packed ∂_a∂_b̄φ at a place: shapes (P,) and (P, n²)."""

    @abstractmethod
    def rows(self, place: Any, dual: np.ndarray) -> np.ndarray:
        """Σ_c dual[p, c] (packed ∂∂̄ψ_α)[p, c]: the derivative by a_α of whatever has derivative `dual` by ∂∂̄φ.

        `dual` is (P, n²), the result (P, size).
        """

    def place(self, inputs: ProjectiveInputs) -> Any:
        """What `combine` and `rows` take at these points: the inputs, or what is worth computing only once for them."""
        return inputs

    def take(self, place: Any, block: slice) -> Any:
        """The part of a place at some of its points."""
        return place.take(block)

    def jets(self, points: Any, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(φ_ab̄, φ_acb̄, φ_acb̄d̄) in local coordinates, as `PolarisedMetric.jets`; `InputError` where there are none."""
        raise InputError(
            f"{self} has no third and fourth derivatives, which curvature needs; take a kernel with a smooth profile"
        )


class KahlerKernel(ABC):
    """A symmetric, positive semi-definite K(x, y) of two points of a hypersurface, smooth enough for ∂∂̄∂∂̄K to exist.

    A metric g_FS + ∂∂̄φ with φ = Σ_c a_c K(·, c) is Kähler and in the class of g_FS wherever it is positive, and one
    function on the whole variety: K depends on points, not on their representatives or coordinates.
    """

    @abstractmethod
    def span(
        self, points: Points, kahler_class: tuple[float, ...] | None = None, tolerance: float = 1e-10
    ) -> PotentialSpan:
        """The functions K(·, c) with c among the points, as many as are independent up to `tolerance`.

        `tolerance` is relative to the largest K(c, c): what is left out has a norm below its root. The Gram matrix of
        all points is formed: 2,500 of them take 50 MB. Raises `MemoryLimitError` before it is.
        """


def independent(gram: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """(chosen, L): the centres that pivoted Cholesky takes from a Gram matrix, and their Cholesky factor.

    It stops where no function K(·, c) is farther than √(tolerance · largest K(c, c)) from the span of the chosen ones;
    L L† is the Gram matrix of these, so that L⁻¹ K(chosen, ·) is orthonormal in the kernel's space (Newton's basis).
    Raises `InputError` where the matrix is not positive anywhere or not finite.
    """
    largest = float(np.diagonal(gram).max())
    if not (np.isfinite(gram).all() and largest > 0):
        raise InputError(f"the Gram matrix of {len(gram)} centres has largest diagonal entry {largest:.3g}: no kernel")
    factor, pivots, rank, _ = dpstrf(gram, tol=tolerance * largest, lower=1)
    return pivots[:rank] - 1, np.ascontiguousarray(np.tril(factor[:rank, :rank]))


def whitened(lower: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows in terms of K(·, c) to rows in terms of the orthonormal basis: (P, M) -> (P, M)."""
    return solve_triangular(lower, rows.T, lower=True, check_finite=False).T


def unwhitened(lower: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Coefficients of the orthonormal basis to those of the K(·, c), (M,)."""
    return solve_triangular(lower, coefficients, lower=True, trans=1, check_finite=False)


def stored_factor(file: Archive) -> np.ndarray:
    """The whitening L of a file, (size, size). Raises `StoreError` for what is no Cholesky factor."""
    size = len(file.numbers("coefficients", "f", None))
    lower = file.numbers("lower", "f", size, size)
    if not np.all(np.diagonal(lower) > 0):
        raise file.damaged("'lower' is no Cholesky factor")
    return lower
