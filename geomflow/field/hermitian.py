"""Hermitian forms g_{ab̄} on complex tori, and the real metrics that they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from geomflow.core import conventions, hermitian
from geomflow.core.errors import PositivityError
from geomflow.field import matrices
from geomflow.field.mesh import place
from geomflow.field.metric import POSITIVE_ADVICE, MetricField
from geomflow.field.sampling import sample_matrix
from geomflow.field.state import MatrixField, ScalarField, freeze, unpacked_rows
from geomflow.field.wirtinger import complex_dimension, complex_hessian

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True, eq=False, repr=False)
class HermitianField(MatrixField):
    """A Hermitian form h_{ab̄}.

    As a metric it is ds² = 2 h_{ab̄} dz^a dz̄^b (flat unit metric ½δ); Ricci forms R_{ab̄} are of this kind too.

    Parameters
    ----------
    grid : Grid
        On a complex torus.
    values : (*grid, n, n) complex array
        First index holomorphic.
    """

    grid: Grid
    values: NDArray[np.complex128]

    def __post_init__(self) -> None:
        size = complex_dimension(self.grid, "a Hermitian form")
        freeze(self, (size, size), complex)

    called: ClassVar[str] = "h"

    def names(self, name: str) -> tuple[str, ...]:
        """("h_11", "h_22", "re_h_12", "im_h_12") and the like, in the order of `core.hermitian`."""
        return hermitian_names(self.values.shape[-1], name)

    def pack(self) -> np.ndarray:
        """(n², *grid), real."""
        return np.ascontiguousarray(np.moveaxis(hermitian.pack(self.values), -1, 0))

    def unpack(self, packed: np.ndarray) -> HermitianField:
        """The form with these real components, (n², *grid)."""
        return HermitianField(self.grid, hermitian.unpack(np.moveaxis(unpacked_rows(self, packed), 0, -1)))

    def determinant(self) -> ScalarField:
        """det h_{ab̄}."""
        return ScalarField(self.grid, matrices.determinant(self.values).real)

    def volume_density(self) -> ScalarField:
        """dμ_J/dx = 2ⁿ det h_{ab̄} = √det g of the real metric."""
        return self.determinant() * float(2 ** self.values.shape[-1])

    def trace(self, other: HermitianField) -> ScalarField:
        """h^{ab̄} T_{ab̄}.

        Parameters
        ----------
        other : HermitianField
            T.
        """
        return ScalarField(self.grid, matrices.quotient_trace(self.values, other.values))

    def chern_ricci(self) -> HermitianField:
        """R_{ab̄} = −∂_a∂_b̄ log det h, the Ricci curvature of Chern's connection; Ric where the metric is Kähler.

        Raises PositivityError where det h ≤ 0.
        """
        return HermitianField(self.grid, -complex_hessian(self.grid, log_determinant(self).values))

    def chern_scalar(self) -> ScalarField:
        """2 h^{ab̄} R_{ab̄} of Chern's curvature; the scalar curvature R where the metric is Kähler."""
        return self.trace(self.chern_ricci()) * 2.0

    def realify(self) -> MetricField:
        """The real metric ds² = 2 h_{ab̄} dz^a dz̄^b in the coordinates x1, y1, x2, y2, ... of the torus."""
        order = conventions.pairs_from_blocks(self.values.shape[-1])
        blocks = conventions.realify(self.values)
        return MetricField(self.grid, blocks[..., order[:, None], order[None, :]].real)

    def __repr__(self) -> str:
        low, high = self.eigenvalue_range()
        return f"a Hermitian form with eigenvalues in [{low:.6g}, {high:.6g}] on {self.grid!r}"


def log_determinant(metric: HermitianField) -> ScalarField:
    """log det g; PositivityError with the worst value and its place where det g ≤ 0."""
    determinant = metric.determinant()
    if not determinant.min() > 0:
        index = np.unravel_index(int(np.argmin(determinant.values)), metric.grid.shape)
        where = place(metric.grid, [int(i) for i in index])
        raise PositivityError(
            f"det g is {determinant.min():.6g} at {where}, so that log det g does not exist there: it is no "
            "metric. Of a Kähler potential use a smaller multiple, or a larger reference form."
        )
    return determinant.map(np.log)


def hermitian_names(size: int, prefix: str) -> tuple[str, ...]:
    """Names of the n² real components of a Hermitian matrix, in packed order."""
    names: list[str] = []
    for a, b in hermitian.packed_places(size):
        label = f"{prefix}_{a + 1}{b + 1}"
        names += [label] if a == b else [f"re_{label}", f"im_{label}"]
    return tuple(names)


def make_hermitian(grid: Grid, components: Any) -> HermitianField:
    """The Hermitian metric of `grid.hermitian(components)`, checked."""
    size = complex_dimension(grid, "a Hermitian metric")
    if isinstance(components, HermitianField):
        components = components.values
    if components is None:
        components = 0.5 * np.eye(size)
    components = getattr(components, "components", components)
    values = sample_matrix(grid, components, size, "the Hermitian metric", complex)
    values = matrices.require_symmetric(grid, values, "the Hermitian metric")
    matrices.require_positive(grid, values, "the Hermitian metric", f"Metrics are positive definite: {POSITIVE_ADVICE}")
    return HermitianField(grid, values)
