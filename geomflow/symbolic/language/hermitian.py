"""Hermitian metrics as the real ones of the language: ds² = 2 h_{ab̄} dz^a dz̄^b in coordinates x1, y1, x2, y2, ….

A Hermitian form T_{ab̄} is the real symmetric tensor 2 T_{ab̄} dz^a dz̄^b, whatever it is of; R_{ab̄} is then Riemann's Ric
where the metric is a Kähler one.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.hermitian import packed_places
from geomflow.symbolic.jets import HermitianNodes
from geomflow.symbolic.language.differences import Differences, summands
from geomflow.symbolic.ring import HALF, GraphRing
from geomflow.symbolic.tensors import MetricTensors

QUARTER = HALF**2


@dataclass(frozen=True, eq=False)
class ComplexMetric(MetricTensors[gr.Node], ABC):
    """The real metric of a Hermitian one.

    Parameters
    ----------
    derive : Differences
        Derivatives along the real coordinates.
    hermitian : HermitianNodes
        h_{ab̄}.
    matrix : (2n, 2n) array of nodes
        g_ij.
    """

    derive: Differences
    hermitian: HermitianNodes
    matrix: np.ndarray

    @cached_property
    def ring(self) -> GraphRing:
        """The graph with derivations along the coordinates."""
        return GraphRing(self.derive.coordinates, ignorable=self.derive.ignorable)

    @cached_property
    def inverse(self) -> np.ndarray:
        """g^ij: that of 2 h is ½ h⁻¹, matrix by matrix."""
        return realified(self.hermitian.inverse, HALF)

    @property
    def density(self) -> gr.Node:
        """√det g = 2ⁿ det h."""
        density: gr.Node = 2 ** len(self.hermitian.matrix) * self.hermitian.determinant
        return density

    @property
    def determinant(self) -> gr.Node:
        """det g."""
        return self.density**2

    @cached_property
    def chern_ricci(self) -> np.ndarray:
        """−∂_a∂_b̄ log det h as a real tensor, of the logarithm as it is on the grid."""
        return -realified(self.complex_hessian(self.hermitian.log_det))

    def complex_hessian(self, node: gr.Node) -> np.ndarray:
        """∂_a∂_b̄ s = ¼(s_{x^a x^b} + s_{y^a y^b} + i(s_{x^a y^b} − s_{y^a x^b})), (n, n)."""
        size, derive = len(self.hermitian.matrix), self.derive
        s = gr.add(*(term for term in summands(node) if not derive.is_constant(term)))
        result = np.empty((size, size), dtype=object)
        for a, b in np.ndindex(size, size):
            (xa, ya), (xb, yb) = (2 * a, 2 * a + 1), (2 * b, 2 * b + 1)
            re = derive(s, xa, xb) + derive(s, ya, yb)
            im = gr.ZERO if a == b else derive(s, xa, yb) - derive(s, ya, xb)
            result[a, b] = gr.Complex(QUARTER * re, QUARTER * im)
        return result


@final
@dataclass(frozen=True, eq=False)
class ChernMetric(ComplexMetric):
    """A Hermitian metric that need not be closed: its curvature is Riemann's, beside Chern's Ricci curvature."""

    @classmethod
    def of(cls, derive: Differences, hermitian: HermitianNodes) -> Self:
        """Of h_{ab̄}."""
        derive.call(hermitian.log_det, "log_det")
        return cls(derive, hermitian, realified(hermitian.matrix))


@final
@dataclass(frozen=True, eq=False)
class PotentialMetric(ComplexMetric):
    """The Kähler metric of a potential: R_{ab̄} = −∂_a∂_b̄ log det g, R = −2 Δ_∂ log det g, Δ = 2 Δ_∂.

    Parameters
    ----------
    ratio, log_ratio : Node
        v and log v.
    """

    ratio: gr.Node
    log_ratio: gr.Node

    @classmethod
    def of(cls, derive: Differences, hermitian: HermitianNodes, ratio: gr.Node, log_ratio: gr.Node) -> Self:
        """Of g_{ab̄} = reference + ∂_a∂_b̄φ."""
        derive.call(hermitian.log_det, "log_v")  # up to a constant, and as derived flows call it
        return cls(derive, hermitian, realified(hermitian.matrix), ratio, log_ratio)

    @property
    def ricci(self) -> np.ndarray:
        """Ric, which is Chern's."""
        return self.chern_ricci

    @cached_property
    def scalar(self) -> gr.Node:
        """R = −2 Δ_∂ log det g."""
        return -self.laplacian(self.hermitian.log_det)

    @cached_property
    def riemann_squared(self) -> gr.Node:
        """|Rm|² = 4 R_{ab̄cd̄} R^{ab̄cd̄}."""
        squared: gr.Node = self.hermitian.tensors.riemann_squared.re
        return squared

    def laplacian(self, node: gr.Node) -> gr.Node:
        """Δs = 2 g^{ab̄} ∂_a∂_b̄ s."""
        trace: gr.Node = self.hermitian.tensors.trace(self.complex_hessian(node)).re
        return 2 * trace


def realified(form: Any, factor: gr.Rational = 2) -> np.ndarray:
    """`factor` Re T_{ab̄} dz^a dz̄^b of a Hermitian matrix T, (2n, 2n): with T = A + iB, blocks [[A, B], [−B, A]]."""
    size = 2 * len(form)
    result = np.empty((size, size), dtype=object)
    for a, b in np.ndindex(form.shape):
        re, im = factor * form[a, b].re, factor * form[a, b].im
        result[2 * a : 2 * a + 2, 2 * b : 2 * b + 2] = [[re, im], [-im, re]]
    return result


def by_complex_structure(tensor: np.ndarray) -> np.ndarray:
    """T(J·, J·) of a real tensor T_ij, J∂_x = ∂_y, J∂_y = −∂_x."""
    size = len(tensor)
    result = np.empty_like(tensor)
    for i, j in np.ndindex(size, size):
        sign = -1 if (i + j) % 2 else 1
        result[i, j] = sign * tensor[i ^ 1, j ^ 1]
    return result


def packed_form(tensor: np.ndarray) -> list[gr.Node]:
    """The Hermitian matrix of a real tensor that J leaves as it is, ½(T_{x^a x^b} + i T_{x^a y^b}), in packed order."""
    found: list[gr.Node] = []
    for a, b in packed_places(len(tensor) // 2):
        found += [HALF * tensor[2 * a, 2 * b + part] for part in ((0,) if a == b else (0, 1))]
    return found
