"""Geometry of unknown fields on the expression graph: what flows on grids are derived from.

Real metrics have one jet a component, g_xx, g_xy, ... ; Kähler metrics one real potential jet over real coordinates
x1, y1, x2, y2, ... with z^a = x^a + i y^a. Everything returned is graph nodes (or complex numbers of real nodes).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core import hermitian, symmetric
from geomflow.core.errors import ShapeError
from geomflow.symbolic.given import fresh
from geomflow.symbolic.kahler_tensors import KahlerTensors, complex_hessian
from geomflow.symbolic.ring import GraphRing, WirtingerRing
from geomflow.symbolic.tensors import MetricTensors


def field_node(name: str, coordinates: Sequence[str]) -> gr.Node:
    """The unknown field `name` itself: the jet of order zero."""
    return gr.jet(name, (0,) * len(coordinates))


def metric_names(coordinates: Sequence[str], prefix: str = "g") -> tuple[str, ...]:
    """The component names in packed order: g_xx, g_xy, ..., g_yy, ... (row by row, i <= j).

    Where two would be the same (g_xxx of x and xx), the later one is g_xxx_1.
    """
    names: list[str] = []
    for i, a in enumerate(coordinates):
        names += [fresh(f"{prefix}_{a}{b}", names) for b in coordinates[i:]]
    return tuple(names)


def symmetric_matrix(components: Sequence[gr.Node], dim: int) -> np.ndarray:
    """The symmetric (d, d) matrix with these components, in the order of `core.symmetric`."""
    matrix = np.empty((dim, dim), dtype=object)
    for (i, j), node in zip(symmetric.packed_places(dim), components, strict=True):
        matrix[i, j] = matrix[j, i] = node
    return matrix


def hermitian_matrix(components: Iterable[gr.Node], size: int) -> np.ndarray:
    """The Hermitian (n, n) matrix of `Complex` with these real components, in the order of `core.hermitian`."""
    parts, matrix = iter(components), np.empty((size, size), dtype=object)
    for a, b in hermitian.packed_places(size):
        entry = gr.Complex(next(parts), next(parts) if a != b else gr.ZERO)
        matrix[a, b], matrix[b, a] = entry, entry.conjugate()
    return matrix


def metric_nodes(coordinates: Sequence[str], prefix: str = "g") -> tuple[tuple[str, ...], np.ndarray]:
    """The component names in packed order and the (d, d) matrix of jets."""
    names = metric_names(coordinates, prefix)
    return names, symmetric_matrix([field_node(name, coordinates) for name in names], len(coordinates))


@final
@dataclass(frozen=True, eq=False)
class MetricNodes(MetricTensors[gr.Node]):
    """The curvature of a symmetric (d, d) matrix of nodes over d named coordinates, of which some may be ignorable.

    Raises ShapeError if the matrix is not (d, d).
    """

    coordinates: tuple[str, ...]
    matrix: np.ndarray
    ignorable: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        dim = len(self.coordinates)
        if np.shape(self.matrix) != (dim, dim):
            raise ShapeError(f"a metric in {dim} coordinates is a {dim} x {dim} matrix, not {np.shape(self.matrix)}")

    @cached_property
    def ring(self) -> GraphRing:
        """The graph with derivations along the coordinates."""
        return GraphRing(self.coordinates, ignorable=self.ignorable)

    @cached_property
    def density(self) -> gr.Node:
        """√det g."""
        return gr.sqrt(self.determinant)


@final
@dataclass(frozen=True, eq=False)
class HermitianNodes:
    """A Kähler metric g_{ab̄} over real coordinates x1, y1, x2, y2, ... as complex numbers of real nodes.

    `matrix` is (n, n) of `Complex` with n = half the number of coordinates. Conventions: ds² = 2 g_{ab̄} dz^a dz̄^b.
    Raises ShapeError if the matrix does not fit the coordinates.
    """

    coordinates: tuple[str, ...]
    matrix: np.ndarray

    def __post_init__(self) -> None:
        n, odd = divmod(len(self.coordinates), 2)
        if odd or np.shape(self.matrix) != (n, n):
            raise ShapeError(
                f"{len(self.coordinates)} real coordinates go with a Hermitian matrix of shape "
                f"({n}, {n}), not {np.shape(self.matrix)}"
            )

    @cached_property
    def tensors(self) -> KahlerTensors[WirtingerRing]:
        """The tensors as complex numbers of nodes."""
        return KahlerTensors(WirtingerRing(self.coordinates), self.matrix)

    @property
    def determinant(self) -> gr.Node:
        """det g_{ab̄}, a real node."""
        return _node(self.tensors.determinant)

    @cached_property
    def log_det(self) -> gr.Node:
        """log det g_{ab̄}."""
        return gr.log(self.determinant)

    @property
    def minors(self) -> tuple[gr.Node, ...]:
        """The leading principal minors: all positive exactly where the matrix is a metric."""
        return tuple(map(_node, self.tensors.leading_minors))

    @property
    def inverse(self) -> np.ndarray:
        """The inverse matrix: g^{ab̄} = `inverse[b, a]`."""
        return self.tensors.inverse

    def complex_laplacian(self, f: gr.Node) -> gr.Node:
        """Δ_∂ f = g^{ab̄} ∂_a∂_b̄ f of a real node, real; the Riemannian Laplacian is twice this."""
        return _node(self.tensors.laplacian(gr.Complex(f)))

    @cached_property
    def ricci(self) -> np.ndarray:
        """R_{ab̄} = −∂_a∂_b̄ log det g."""
        return -complex_hessian(self.tensors.ring, gr.Complex(self.log_det), len(self.matrix))

    @cached_property
    def scalar(self) -> gr.Node:
        """R = 2 g^{ab̄} R_{ab̄} = −2 Δ_∂ log det g."""
        return -2 * self.complex_laplacian(self.log_det)


def _node(element: gr.Complex) -> gr.Node:
    """A number known to be real as a node."""
    return element.re


def hermitian_nodes(
    coordinates: Sequence[str], reference: Any = None, potential: str | gr.Node = "phi"
) -> HermitianNodes:
    """g_{ab̄} = reference + ∂_a∂_b̄ φ for an unknown real potential (a field name) or a given real node.

    `reference` is an (n, n) array of nodes, numbers or `Complex`; by default the flat unit metric ½ δ_{ab}.
    """
    n = len(coordinates) // 2
    flat = [[Fraction(int(a == b), 2) for b in range(n)] for a in range(n)]
    given = np.array(flat if reference is None else reference, dtype=object)
    phi = field_node(potential, coordinates) if isinstance(potential, str) else potential
    hessian = complex_hessian(WirtingerRing(coordinates), gr.Complex(phi), n)
    if given.shape != (n, n):
        raise ShapeError(f"the reference form must have shape ({n}, {n}), not {given.shape}")
    return HermitianNodes(tuple(coordinates), hessian + given)
