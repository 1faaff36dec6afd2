"""A general metric in coordinates, for deriving: the inverse and the volume are stages with their own derivatives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations_with_replacement
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Stage
from geomflow.symbolic import curvature as cv
from geomflow.symbolic.jets import metric_nodes
from geomflow.symbolic.linear import determinant, inverse
from geomflow.symbolic.ring import GraphRing, Ring
from geomflow.symbolic.variation.realise import Frame

HALF = Fraction(1, 2)


def packed(dim: int) -> list[tuple[int, int]]:
    """The places (i, j), i <= j, of a symmetric matrix, row by row."""
    return list(combinations_with_replacement(range(dim), 2))


@dataclass(frozen=True)
class MetricFrame(Frame):
    """A symmetric (d, d) matrix of jets g_xx, g_xy, ... with its tensors as nodes, each computed once.

    Index order as everywhere: `christoffel[k, i, j]` = Γ^k_ij, `riemann_lower[l, k, i, j]` = R_lkij.
    """

    coordinates: tuple[str, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        """The coordinates."""
        return self.coordinates

    @cached_property
    def matrix(self) -> np.ndarray:
        """g_ij."""
        return metric_nodes(self.coordinates)[1]

    @property
    @abstractmethod
    def inverse(self) -> np.ndarray:
        """g^{ij}."""

    @property
    @abstractmethod
    def volume(self) -> gr.Node:
        """√det g."""

    @cached_property
    def ring(self) -> Ring:
        """The graph with derivations along the coordinates."""
        return GraphRing(self.coordinates)

    @cached_property
    def _derivatives(self) -> np.ndarray:
        return cv.first_derivatives(self.ring, self.matrix)

    @cached_property
    def _christoffel_lower(self) -> np.ndarray:
        return cv.christoffel_lower(self.ring, self._derivatives)

    @cached_property
    def christoffel(self) -> np.ndarray:
        """Γ^k_ij."""
        return cv.christoffel(self.ring, self.inverse, self._christoffel_lower)

    @cached_property
    def riemann_lower(self) -> np.ndarray:
        """R_lkij."""
        return cv.riemann_lower(self.ring, self._derivatives, self._christoffel_lower, self.christoffel)

    @cached_property
    def ricci(self) -> np.ndarray:
        """R_ij."""
        return cv.ricci(self.ring, self.inverse, self.riemann_lower)

    @cached_property
    def scalar(self) -> gr.Node:
        """R."""
        return cv.trace(self.ring, self.inverse, self.ricci)

    def hessian(self, f: gr.Node) -> np.ndarray:
        """∇_i∇_jf."""
        return cv.hessian(self.ring, self.christoffel, f)

    def laplacian(self, f: gr.Node) -> gr.Node:
        """Δf."""
        return cv.trace(self.ring, self.inverse, self.hessian(f))


@final
@dataclass(frozen=True)
class RunningMetric(MetricFrame):
    """A metric whose tensors are nodes over its own jets."""

    @cached_property
    def inverse(self) -> np.ndarray:
        """g^{ij} over jets of g."""
        return inverse(self.ring, self.matrix)

    @cached_property
    def volume(self) -> gr.Node:
        """√det g over jets of g."""
        return gr.sqrt(determinant(self.ring, self.matrix))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """None."""
        return ()


@final
@dataclass(frozen=True)
class DerivingMetric(MetricFrame):
    """A metric whose tensors are nodes over its jets, over those of its inverse and of √det g."""

    @cached_property
    def inverse(self) -> np.ndarray:
        """g^{ij}, outputs of a stage."""
        return cv.symmetric(self.ring, self.ring.dim, lambda i, j: self.leaf(self._inverse_name(i, j)))

    @cached_property
    def volume(self) -> gr.Node:
        """√det g, the output of a stage."""
        return self.leaf("volume")

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The inverse and √det g."""
        explicit = inverse(self.ring, self.matrix)
        entries = tuple((self._inverse_name(*place), explicit[place]) for place in packed(self.ring.dim))
        volume = gr.sqrt(determinant(self.ring, self.matrix))
        return (Stage(entries, self._inverse_pullback), Stage((("volume", volume),), self._volume_pullback))

    def _inverse_name(self, i: int, j: int) -> str:
        return f"inverse_{self.coordinates[i]}{self.coordinates[j]}"

    def _inverse_pullback(self, adjoints: Mapping[str, gr.Node]) -> Mapping[gr.Node, gr.Node]:
        """d(g⁻¹) = −g⁻¹ dg g⁻¹, packed."""
        ring, dim = self.ring, self.ring.dim

        def weight(i: int, j: int) -> gr.Node:
            return adjoints.get(self._inverse_name(i, j), gr.ZERO) * (1 if i == j else HALF)

        slopes = conjugated(self, cv.symmetric(ring, dim, weight))
        return {self.matrix[i, j]: (-1 if i == j else -2) * slopes[i, j] for i, j in packed(dim)}

    def _volume_pullback(self, adjoints: Mapping[str, gr.Node]) -> Mapping[gr.Node, gr.Node]:
        """d√det g = ½√det g tr g⁻¹dg, packed."""
        scale = adjoints["volume"] * self.volume
        return {self.matrix[i, j]: scale * self.inverse[i, j] * (HALF if i == j else 1)
                for i, j in packed(self.ring.dim)}


def conjugated(metric: MetricFrame, tensor: np.ndarray) -> np.ndarray:
    """g^{ik}T_kl g^{lj} of a symmetric tensor."""
    ring, dim = metric.ring, metric.ring.dim
    half = ring.array((dim, dim))
    for i, l in np.ndindex(dim, dim):
        half[i, l] = ring.dot((metric.inverse[i, k], tensor[k, l]) for k in range(dim))
    return cv.symmetric(ring, dim, lambda i, j: ring.dot((half[i, l], metric.inverse[l, j]) for l in range(dim)))
