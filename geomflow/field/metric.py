"""Riemannian metrics on a grid, and their curvature through generated routines.

Only independent components are computed; `spread` puts them in their public places.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, combinations_with_replacement
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core import memory, symmetric
from geomflow.core.errors import ShapeError
from geomflow.core.program import Program, Stage
from geomflow.field import matrices
from geomflow.field.mesh import checked_automorphism, permute
from geomflow.field.operators import pointwise
from geomflow.field.sampling import sample_matrix
from geomflow.field.state import MatrixField, ScalarField
from geomflow.field.symmetric import SymmetricField, SymmetricMatrices
from geomflow.field.tensor import TensorField
from geomflow.symbolic.jets import MetricNodes, field_node, metric_nodes

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True, eq=False, repr=False)
class MetricField(SymmetricMatrices, MatrixField):
    """A Riemannian metric g_ij in Cartesian coordinates.

    Curvature follows the conventions of `core.conventions`: spheres have positive curvature, Γ^k_ij is
    `christoffel().values[..., k, i, j]`, R^l_kij is `riemann().values[..., l, k, i, j]`.

    Parameters
    ----------
    grid : Grid
        Where it lives.
    values : (*grid, d, d) array
        Symmetric.
    """

    called: ClassVar[str] = "g"

    def change(self, packed: np.ndarray) -> SymmetricField:
        """The symmetric tensor h_ij with these components, (d(d+1)/2, *grid)."""
        return SymmetricField(self.grid, self.unpack(packed).values)

    def volume_density(self) -> ScalarField:
        """√det g."""
        return ScalarField(self.grid, np.sqrt(matrices.determinant(self.values)))

    def christoffel(self) -> TensorField:
        """Γ^k_ij = ½ g^{kl}(∂_i g_lj + ∂_j g_li − ∂_l g_ij), values [..., k, i, j]."""
        self._require(3, "the Christoffel symbols")
        return TensorField(self.grid, self._computed("christoffel"), "^k_ij")

    def riemann(self) -> TensorField:
        """R^l_kij = ∂_i Γ^l_jk − ∂_j Γ^l_ik + Γ^l_im Γ^m_jk − Γ^l_jm Γ^m_ik, values [..., l, k, i, j]."""
        self._require(4, "the Riemann tensor")
        lower = self._computed("riemann_lower")
        return TensorField(self.grid, np.einsum("...lm,...mkij->...lkij", np.linalg.inv(self.values), lower), "^l_kij")

    def ricci(self) -> TensorField:
        """Ric_ij = R^l_{ilj}, values [..., i, j]."""
        return TensorField(self.grid, self._computed("ricci"), "_ij")

    def scalar(self) -> ScalarField:
        """The scalar curvature R = g^{ij} Ric_ij."""
        return ScalarField(self.grid, self._computed("scalar"))

    def total_curvature(self) -> float:
        """∫ R dμ; by Gauss–Bonnet 0 on a two-dimensional torus."""
        return self.scalar().integral(self)

    def laplacian(self, f: Any) -> ScalarField:
        """Δf = g^{ij}(∂_i∂_j f − Γ^k_ij ∂_k f), ≤ 0 as an operator.

        Parameters
        ----------
        f : scalar
            Anything that `grid.scalar` takes.
        """
        function = self.grid.scalar(f)
        program = laplacian_program(self.grid.torus.coordinates, self.grid.ignorable)
        packed = np.concatenate([self.pack(), function.pack()])
        return ScalarField(self.grid, pointwise(program, self.grid)(packed)[0])

    def pull_back(self, matrix: Any) -> MetricField:
        """(A*g)(x) = Jᵀ g(Ax) J for a matrix A acting on lattice coordinates.

        J is the Cartesian Jacobian of the map, which permutes grid points.

        Parameters
        ----------
        matrix : (d, d) integers
            A, of determinant ±1.
        """
        automorphism = checked_automorphism(self.grid, matrix)
        columns = np.array(self.grid.torus.lattice).T
        jacobian = columns @ automorphism @ np.linalg.inv(columns)
        return MetricField(self.grid, jacobian.T @ permute(self.grid, self.values, automorphism) @ jacobian)

    def _require(self, rank: int, what: str) -> None:
        memory.require(2 * self.grid.dim**rank * self.grid.nbytes, f"{what} on {self.grid!r}", "use a smaller grid")

    def _computed(self, quantity: str) -> np.ndarray:
        program = metric_program(self.grid.torus.coordinates, quantity, self.grid.ignorable)
        if program is None:
            return np.zeros((*self.grid.shape, *(self.grid.dim,) * RANKS[quantity]))
        return spread(quantity, pointwise(program, self.grid)(self.pack()), self.grid.dim)

    def __add__(self, other: Any) -> MetricField:
        if not isinstance(other, MetricField):
            return NotImplemented
        return MetricField(self.grid, self.values + self._same_kind(other))

    def __mul__(self, factor: Any) -> MetricField:
        """The metric times a positive number or a positive scalar field (a conformal change)."""
        if isinstance(factor, ScalarField):
            if factor.grid != self.grid:
                raise ShapeError(f"{self!r} and {factor!r} live on different grids.")
            return MetricField(self.grid, factor.values[..., None, None] * self.values)
        if not isinstance(factor, int | float | np.number):
            return NotImplemented
        return MetricField(self.grid, factor * self.values)

    __rmul__ = __mul__

    def __repr__(self) -> str:
        low, high = self.eigenvalue_range()
        return f"a metric with eigenvalues in [{low:.6g}, {high:.6g}] on {self.grid!r}"


POSITIVE_ADVICE = "make the diagonal larger or the off-diagonal and varying parts smaller there."


def make_metric(grid: Grid, components: Any) -> MetricField:
    """The metric of `grid.metric(components)`, checked."""
    if isinstance(components, MetricField):
        components = components.values
    if components is None:
        components = np.eye(grid.dim)
    components = getattr(components, "components", components)
    values = sample_matrix(grid, components, grid.dim, "the metric", float)
    values = matrices.require_symmetric(grid, values, "the metric")
    advice = f"A metric is positive definite everywhere: {POSITIVE_ADVICE}"
    matrices.require_positive(grid, values, "the metric", advice)
    return MetricField(grid, values)


RANKS = {"scalar": 0, "ricci": 2, "christoffel": 3, "riemann_lower": 4}


@lru_cache(maxsize=64)
def metric_program(coordinates: tuple[str, ...], quantity: str, ignorable: tuple[str, ...] = ()) -> Program | None:
    """The program of "scalar", "ricci", "christoffel" or "riemann_lower" of a general metric.

    Fields are the components g_xx, g_xy, ... in packed order. None where the quantity is identically zero, as all
    curvature is in dimension one.
    """
    names, matrix = metric_nodes(coordinates)
    nodes = MetricNodes(coordinates, matrix, ignorable)
    outputs = _independent(quantity, getattr(nodes, quantity), len(coordinates))
    if all(node is gr.ZERO for node in outputs):
        return None
    stage = Stage(tuple((f"{quantity}_{k}", node) for k, node in enumerate(outputs)))
    return Program(coordinates, names, (), (), (stage,))


@lru_cache(maxsize=16)
def laplacian_program(coordinates: tuple[str, ...], ignorable: tuple[str, ...] = ()) -> Program:
    """The program of Δf: fields are the components of the metric, then the function f."""
    names, matrix = metric_nodes(coordinates)
    node = MetricNodes(coordinates, matrix, ignorable).laplacian(field_node("f", coordinates))
    return Program(coordinates, (*names, "f"), (), (), (Stage((("laplacian", node),)),))


def riemann_places(dim: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Pairs ((l, k), (i, j)) with l < k, i < j and the first pair not after the second: independent up to Bianchi."""
    return list(combinations_with_replacement(list(combinations(range(dim), 2)), 2))


def _independent(quantity: str, nodes: Any, dim: int) -> list[Any]:
    if quantity == "scalar":
        return [nodes]
    if quantity == "ricci":
        return symmetric.entries(nodes)
    if quantity == "christoffel":
        return [nodes[(k, *pair)] for k in range(dim) for pair in symmetric.packed_places(dim)]
    return [nodes[(*first, *second)] for first, second in riemann_places(dim)]


def spread(quantity: str, rows: np.ndarray, dim: int) -> np.ndarray:
    """The outputs (nout, *grid) of a metric program as a public array (*grid, tensor indices)."""
    if quantity == "scalar":
        return np.asarray(rows[0])
    if quantity == "ricci":
        return symmetric.unpack(rows, dim)
    if quantity == "christoffel":
        blocks = rows.reshape(dim, -1, *rows.shape[1:])
        return np.stack([symmetric.unpack(block, dim) for block in blocks], axis=rows.ndim - 1)
    return _spread_riemann(rows, dim)


def _spread_riemann(rows: np.ndarray, dim: int) -> np.ndarray:
    values = np.zeros((*rows.shape[1:], *(dim,) * 4))
    for row, ((l, k), (i, j)) in zip(rows, riemann_places(dim)):
        for p, q, r, s in ((l, k, i, j), (i, j, l, k)):
            values[..., p, q, r, s] = values[..., q, p, s, r] = row
            values[..., q, p, r, s] = values[..., p, q, s, r] = -row
    return values
