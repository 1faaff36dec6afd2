"""A general metric in coordinates, and scalars and tensors by structure realised there.

For running, the inverse and the volume are nodes over jets of g; for deriving they are stages with derivatives of their
own. What is differentiated becomes a stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.program import Stage
from geomflow.core.symmetric import packed_places
from geomflow.symbolic.jets import metric_nodes, symmetric_matrix
from geomflow.symbolic.linear import inverse
from geomflow.symbolic.ring import HALF, GraphRing
from geomflow.symbolic.tensors import MetricTensors
from geomflow.symbolic.variation import metrics as mt
from geomflow.symbolic.variation.algebra import Scalar, Term, label
from geomflow.symbolic.variation.realise import Frame, Realisation

LOG_MEASURE = "log_measure"
"""The given field log(dm/d^dx) of a fixed measure dm."""


@dataclass(frozen=True)
class MetricFrame(MetricTensors[gr.Node], Frame):
    """A symmetric (d, d) matrix of jets g_xx, g_xy, ... with its tensors as nodes, each computed once."""

    coordinates: tuple[str, ...]

    @cached_property
    def matrix(self) -> np.ndarray:  # type: ignore[override]
        """g_ij."""
        return metric_nodes(self.coordinates)[1]

    @cached_property
    def ring(self) -> GraphRing:
        """The graph with derivations along the coordinates."""
        return GraphRing(self.coordinates)

    def symmetric(self, entries: Sequence[gr.Node]) -> np.ndarray:
        """The symmetric (d, d) matrix whose entries i <= j come first in a list, row by row."""
        return symmetric_matrix(entries[: len(packed_places(self.dim))], self.dim)

    def partial(self, s: gr.Node, axis: int) -> gr.Node:
        """∂_is."""
        return self.ring.d(s, axis)


@final
@dataclass(frozen=True)
class RunningMetric(MetricFrame):
    """A metric whose tensors are nodes over its own jets."""

    @cached_property
    def volume(self) -> gr.Node:
        """√det g over jets of g."""
        return gr.sqrt(self.determinant)


@final
@dataclass(frozen=True)
class DerivingMetric(MetricFrame):
    """A metric whose tensors are nodes over its jets, over those of its inverse and of √det g."""

    @cached_property
    def inverse(self) -> np.ndarray:
        """g^{ij}, outputs of a stage."""
        return self.ring.symmetric(self.dim, lambda i, j: self.leaf(self._inverse_name(i, j)))

    @cached_property
    def volume(self) -> gr.Node:
        """√det g, the output of a stage."""
        return self.leaf("volume")

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The inverse and √det g."""
        explicit = inverse(self.ring, self.matrix)
        entries = tuple((self._inverse_name(*place), explicit[place]) for place in packed_places(self.dim))
        volume = (("volume", gr.sqrt(self.determinant)),)
        return (Stage(entries, self._inverse_pullback), Stage(volume, self._volume_pullback))

    def _inverse_name(self, i: int, j: int) -> str:
        return f"inverse_{self.coordinates[i]}{self.coordinates[j]}"

    def _inverse_pullback(self, adjoints: Mapping[str, gr.Node]) -> Mapping[gr.Node, gr.Node]:
        """d(g⁻¹) = −g⁻¹ dg g⁻¹, packed."""

        def weight(i: int, j: int) -> gr.Node:
            return adjoints.get(self._inverse_name(i, j), gr.ZERO) * (1 if i == j else HALF)

        slopes = self.raised(self.ring.symmetric(self.dim, weight))
        return {self.matrix[i, j]: (-1 if i == j else -2) * slopes[i, j] for i, j in packed_places(self.dim)}

    def _volume_pullback(self, adjoints: Mapping[str, gr.Node]) -> Mapping[gr.Node, gr.Node]:
        """d√det g = ½√det g tr g⁻¹dg, packed."""
        scale = adjoints["volume"] * self.volume
        return {self.matrix[place]: scale * self.inverse[place] * (HALF if place[0] == place[1] else 1)
                for place in packed_places(self.dim)}


@final
class MetricRealisation(Realisation[MetricFrame, mt.MetricAlgebra]):
    """Realises scalars and tensors for one metric."""

    def _name(self, scalar: gr.Node) -> str:
        return self._tag + label(scalar) if self.algebra.term(scalar) is not None else self._next("scalar")

    def _own_term(self, term: Term) -> gr.Node:
        metric = self.frame
        match term:
            case Scalar():
                return metric.scalar
            case mt.Dilaton(fixed_measure=True):
                return gr.log(metric.volume) - metric.leaf(LOG_MEASURE)
            case mt.Dilaton():
                return metric.leaf(mt.DILATON)
            case mt.RicciSquared():
                mixed = self._mixed_ricci
                return metric.ring.dot((mixed[i, j], mixed[j, i]) for i, j in product(range(metric.dim), repeat=2))
            case mt.RicciDivergence(w):
                return self._double_divergence(w)
            case mt.Component(place=place):
                component: gr.Node = metric.matrix[place]
                return component
        raise InputError(f"{type(term).__name__} is not a scalar of a metric")

    @cached_property
    def ricci(self) -> np.ndarray:
        """R_ij as outputs of a stage."""
        metric, x = self.frame, self.frame.coordinates
        names = {f"{self._tag}ricci_{x[i]}{x[j]}": metric.ricci[i, j] for i, j in packed_places(metric.dim)}
        return metric.symmetric(self.stage(names))

    @property
    def _mixed_ricci(self) -> np.ndarray:
        """R^i_j."""
        return self.frame.first_raised(self.ricci)

    def tensor(self, tensor: mt.Tensor) -> np.ndarray:
        """The (d, d) matrix of a tensor."""
        metric = self.frame
        match tensor:
            case mt.Tensor("metric"):
                return metric.matrix
            case mt.Tensor("ricci"):
                return metric.ricci
            case mt.Tensor("ricci_square"):
                return metric.ring.multiply(self.ricci, self._mixed_ricci)
            case mt.Tensor("hessian", (s,)):
                return metric.hessian(self.field(s))
            case mt.Tensor("outer", (s, t)):
                return metric.outer(self.field(s), self.field(t))
            case mt.Tensor(("rough" | "swapped") as kind, (w,)):
                return self._second_of_ricci(kind, w)
        raise InputError(f"unknown tensor {tensor.kind!r}")

    def combination(self, tensors: Mapping[mt.Tensor, gr.Node]) -> np.ndarray:
        """Σ c T over the pairs (T, c), as a (d, d) matrix."""
        ring, dim = self.frame.ring, self.frame.dim
        parts = [(self.value(c), self.tensor(t)) for t, c in tensors.items()]
        return ring.symmetric(dim, lambda i, j: ring.dot((c, t[i, j]) for c, t in parts))

    @cached_property
    def _second_derivatives(self) -> dict[gr.Node, np.ndarray]:
        """∇_l∇_k(wR_ij) by w, each made once."""
        return {}

    def _second_derivative_of_ricci(self, weight: gr.Node) -> np.ndarray:
        if weight not in self._second_derivatives:
            self._second_derivatives[weight] = self._differentiated_twice(weight)
        return self._second_derivatives[weight]

    def _differentiated_twice(self, weight: gr.Node) -> np.ndarray:
        """`[i, j, k, l]` = ∇_l∇_k(wR_ij), its first derivative being outputs of a stage."""
        metric, scale = self.frame, self.field(weight) if self.algebra.leaves(weight) else weight
        weighted = metric.ring.symmetric(metric.dim, lambda i, j: scale * self.ricci[i, j])
        nabla = metric.covariant_derivative(weighted)
        name = self._next("nabla_ricci")
        labels = {(i, j, k): f"{name}_{i}{j}{k}" for i, j in packed_places(metric.dim) for k in range(metric.dim)}
        leaves = self.stage({label: nabla[place] for place, label in labels.items()})
        for (i, j, k), leaf in zip(labels, leaves, strict=True):
            nabla[i, j, k] = nabla[j, i, k] = leaf
        return metric.covariant_derivative(nabla)

    def _second_of_ricci(self, kind: str, weight: gr.Node) -> np.ndarray:
        """g^{kl}∇_l∇_k T_ij ("rough") or sym g^{kl}∇_l∇_i T_kj ("swapped") of T = w Ric."""
        ring, dim, inverse = self.frame.ring, self.frame.dim, self.frame.inverse
        second, places = self._second_derivative_of_ricci(weight), list(product(range(dim), repeat=2))
        if kind == "rough":
            return ring.symmetric(
                dim, lambda i, j: ring.dot((inverse[k, l], second[i, j, k, l]) for k, l in places))
        return ring.symmetric(dim, lambda i, j: HALF * ring.dot(
            (inverse[k, l], second[k, j, i, l] + second[k, i, j, l]) for k, l in places))

    def _double_divergence(self, weight: gr.Node) -> gr.Node:
        """∇^i∇^j(wR_ij)."""
        ring, dim, inverse = self.frame.ring, self.frame.dim, self.frame.inverse
        second = self._second_derivative_of_ricci(weight)
        return ring.dot((inverse[i, l] * inverse[j, k], second[i, j, k, l])
                        for i, j, k, l in product(range(dim), repeat=4))
