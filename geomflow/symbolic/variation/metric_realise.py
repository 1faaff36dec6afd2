"""From scalars and tensors by structure to staged nodes of a metric: what is differentiated becomes a stage."""

from __future__ import annotations

from functools import cached_property
from itertools import product
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.symbolic import curvature as cv
from geomflow.symbolic.ring import Ring
from geomflow.symbolic.variation import metrics as mt
from geomflow.symbolic.variation.algebra import Laplacian, Pairing, Partial, Term, label
from geomflow.symbolic.variation.metric_frame import MetricFrame, packed
from geomflow.symbolic.variation.realise import Realisation

LOG_MEASURE = "log_measure"
"""The given field log(dm/d^dx) of a fixed measure dm."""


@final
class MetricRealisation(Realisation[MetricFrame, mt.MetricAlgebra]):
    """Realises scalars and tensors for one metric."""

    def _name(self, scalar: gr.Node) -> str:
        return self._tag + label(scalar) if self.algebra.term(scalar) is not None else self._next("scalar")

    def _term(self, term: Term) -> gr.Node:
        metric = self.frame
        match term:
            case mt.Scalar():
                return metric.scalar
            case mt.Dilaton(fixed_measure=True):
                return gr.log(metric.volume) - metric.leaf(LOG_MEASURE)
            case mt.Dilaton():
                return metric.leaf("f")
            case mt.RicciSquared():
                ricci = self.ricci
                mixed = raised(metric, ricci)
                return metric.ring.dot((mixed[i, j], mixed[j, i]) for i, j in np.ndindex(mixed.shape))
            case Laplacian(s):
                return metric.laplacian(self.field(s))
            case Pairing(s, t):
                return cv.trace(metric.ring, metric.inverse, self.outer(s, t))
            case mt.RicciDivergence(w):
                return self._double_divergence(w)
            case mt.Component(place=place):
                return metric.matrix[place]
            case Partial(s, axis):
                return metric.ring.d(self.field(s), axis)
        raise InputError(f"{type(term).__name__} is not a scalar of a metric")

    @cached_property
    def ricci(self) -> np.ndarray:
        """R_ij as outputs of a stage."""
        metric, x = self.frame, self.frame.coordinates
        places = packed(metric.ring.dim)
        leaves = self.stage({f"{self._tag}ricci_{x[i]}{x[j]}": metric.ricci[i, j] for i, j in places})
        found = dict(zip(places, leaves, strict=True))
        return cv.symmetric(metric.ring, metric.ring.dim, lambda i, j: found[i, j])

    def outer(self, s: gr.Node, t: gr.Node) -> np.ndarray:
        """½(∂_is ∂_jt + ∂_is ∂_jt)."""
        ring, dim = self.frame.ring, self.frame.ring.dim
        ds, dt = ([ring.d(self.field(u), i) for i in range(dim)] for u in (s, t))
        return cv.symmetric(ring, dim, lambda i, j: (ds[i] * dt[j] + dt[i] * ds[j]) * mt.HALF)

    def tensor(self, tensor: mt.Tensor) -> np.ndarray:
        """The (d, d) matrix of a tensor."""
        metric = self.frame
        match tensor:
            case mt.Tensor("metric"):
                return metric.matrix
            case mt.Tensor("ricci"):
                return metric.ricci
            case mt.Tensor("ricci_square"):
                mixed, ricci = raised(metric, self.ricci), self.ricci
                return cv.symmetric(metric.ring, metric.ring.dim, lambda i, j: metric.ring.dot(
                    (ricci[i, k], mixed[k, j]) for k in range(metric.ring.dim)))
            case mt.Tensor("hessian", (s,)):
                return metric.hessian(self.field(s))
            case mt.Tensor("outer", (s, t)):
                return self.outer(s, t)
            case mt.Tensor(("rough" | "swapped") as kind, (w,)):
                return self._second_of_ricci(kind, w)
        raise InputError(f"unknown tensor {tensor.kind!r}")

    def combination(self, tensors: dict[mt.Tensor, gr.Node]) -> np.ndarray:
        """Σ c T over the pairs (T, c), as a (d, d) matrix."""
        ring, dim = self.frame.ring, self.frame.ring.dim
        parts = [(self.value(c), self.tensor(t)) for t, c in tensors.items()]
        return cv.symmetric(ring, dim, lambda i, j: ring.dot((c, t[i, j]) for c, t in parts))

    def _derivative_of_ricci(self, weight: gr.Node) -> np.ndarray:
        """`[i, j, k]` = ∇_k(wR_ij), outputs of a stage."""
        metric, scale = self.frame, self.field(weight) if self.algebra.leaves(weight) else weight
        weighted = cv.symmetric(metric.ring, metric.ring.dim, lambda i, j: scale * self.ricci[i, j])
        nabla = covariant(metric.ring, metric.christoffel, weighted)
        name = self._next("nabla_ricci")
        labels = {(i, j, k): f"{name}_{i}{j}{k}" for i, j in packed(metric.ring.dim) for k in range(metric.ring.dim)}
        leaves = self.stage({label: nabla[place] for place, label in labels.items()})
        result = metric.ring.array(nabla.shape)
        for (i, j, k), leaf in zip(labels, leaves, strict=True):
            result[i, j, k] = result[j, i, k] = leaf
        return result

    def _second_of_ricci(self, kind: str, weight: gr.Node) -> np.ndarray:
        """g^{kl}∇_l∇_k T_ij ("rough") or sym g^{kl}∇_l∇_i T_kj ("swapped") of T = w Ric."""
        metric, ring = self.frame, self.frame.ring
        second = covariant(ring, metric.christoffel, self._derivative_of_ricci(weight))
        inverse, places = metric.inverse, list(np.ndindex(ring.dim, ring.dim))
        if kind == "rough":
            return cv.symmetric(ring, ring.dim, lambda i, j: ring.dot(
                (inverse[k, l], second[i, j, k, l]) for k, l in places))
        return cv.symmetric(ring, ring.dim, lambda i, j: mt.HALF * ring.dot(
            (inverse[k, l], second[k, j, i, l] + second[k, i, j, l]) for k, l in places))

    def _double_divergence(self, weight: gr.Node) -> gr.Node:
        """∇^i∇^j(wR_ij)."""
        metric, ring = self.frame, self.frame.ring
        second = covariant(ring, metric.christoffel, self._derivative_of_ricci(weight))
        inverse = metric.inverse
        return ring.dot((inverse[i, l] * inverse[j, k], second[i, j, k, l])
                        for i, j, k, l in product(range(ring.dim), repeat=4))


def raised(metric: MetricFrame, tensor: np.ndarray) -> np.ndarray:
    """T^i_j = g^{ik}T_kj."""
    return cv.raise_first(metric.ring, metric.inverse, tensor)


def covariant(ring: Ring, gamma: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    """`result[..., k]` = ∇_k T of a tensor with lower indices only."""
    result, dim = ring.differential(tensor), ring.dim
    for place in np.ndindex(result.shape):
        *indices, k = place
        for position, i in enumerate(indices):
            moved = ((gamma[m, k, i], tensor[(*indices[:position], m, *indices[position + 1:])]) for m in range(dim))
            result[place] = result[place] - ring.dot(moved)
    return result
