"""A space of Kähler potentials: finitely many functions on a hypersurface, with a norm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from geomflow.core.errors import InputError

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.fits.phi.inputs import ProjectiveInputs
    from geomflow.variety.hypersurface import Hypersurface


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
