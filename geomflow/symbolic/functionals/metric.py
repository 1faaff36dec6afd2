"""Functionals of a real metric (and a dilaton): integrands by structure, gradients in three metrics, derived flows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, ShapeError
from geomflow.symbolic.functionals.explain import explain_metric
from geomflow.symbolic.functionals.functional import Functional, FunctionalSum, Terms, check_alike, needs
from geomflow.symbolic.functionals.linear import Linearisation
from geomflow.symbolic.functionals.metric_gradient import MetricGradient
from geomflow.symbolic.jets import metric_nodes
from geomflow.symbolic.variation.metric_frame import DerivingMetric, RunningMetric, conjugated, packed
from geomflow.symbolic.variation.metric_realise import MetricRealisation
from geomflow.symbolic.variation.metrics import DILATON, MetricAlgebra, Variation, vary
from geomflow.symbolic.variation.staged import Staged


class MetricFunctional(Functional):
    """E(g) = ∫ s dV, or E(g, f) with a dilaton, in real dimension 2, 3 and 4.

    A subclass gives the integrand s by structure. Gradients: "ebin" ∫⟨h,h'⟩_g dV, "weighted" ∫⟨h,h'⟩_g dm
    with dm = e^{−f}dV, "L2" ∫ Σ_ij h_ij h'_ij dm at a fixed reference measure dm (not covariant: the frozen
    kernel δ_ik δ_jl).
    """

    metrics: ClassVar[tuple[str, ...]] = ("ebin", "L2")
    dims: ClassVar[tuple[int, ...]] = (2, 3, 4)
    fixed_measure: ClassVar[bool | None] = None
    """True: f = log(dV/dm); False: f is an unknown of its own; None: there is no f."""

    def check(self) -> None:
        """Check the geometry; called by subclasses when they are made."""
        needs(type(self).__name__, self.geometry, False, self.dims)

    @property
    def dilaton(self) -> bool | None:
        """`fixed_measure`, of sums too."""
        return self.fixed_measure

    @property
    def elliptic(self) -> bool:
        """Whether f is solved for at each state instead of evolved."""
        return False

    def plus(self, terms: Terms) -> MetricFunctional:
        """A sum of multiples; all must be functionals of a metric over the same geometry, with one meaning of f."""
        check_alike(self, terms, MetricFunctional)
        if len({e.dilaton for _, e in terms} - {None}) > 1:
            raise InputError("functionals in which f is log(dV/dm) cannot be added to ones in which f is an unknown.")
        return MetricSum(terms)

    @property
    def place(self) -> str:
        """The dimension."""
        return f"dimension {len(self.coordinates)}"

    def new_algebra(self) -> MetricAlgebra:
        """An algebra with this functional's meaning of f."""
        return MetricAlgebra(fixed_measure=bool(self.dilaton))

    def deriving(self, use: MetricAlgebra, tag: str = "") -> MetricRealisation:
        """An algebra's scalars and tensors over jets of g, of its inverse and of the volume."""
        return MetricRealisation(use, DerivingMetric(self.coordinates), tag)

    def realisation(self, use: MetricAlgebra, **setting: Any) -> MetricRealisation:
        """An algebra's scalars and tensors over real coordinates, parameters with values replaced."""
        return MetricRealisation(use, RunningMetric(self.coordinates), values=self.values, **setting)

    def lagrangian(self, realise: MetricRealisation, integrand: gr.Node) -> gr.Node:
        """s √det g."""
        return realise.value(integrand) * realise.frame.volume

    @property
    def differential(self) -> Staged:
        """√det g (E^{ij}h_ij + E_f h_f), h the fields h_xx, h_xy, ..., h_f."""
        found = self.first_variation()
        realise = self.realisation(found.algebra)
        metric = realise.frame
        raised = conjugated(metric, realise.combination(found.tensors))
        direction = metric_nodes(self.coordinates, "h")[1]
        pairs: list[Any] = [(raised[place], direction[place]) for place in np.ndindex(raised.shape)]
        if self.dilaton is False:
            pairs.append((realise.value(found.dilaton), metric.leaf("h_f")))
        return realise.staged([metric.ring.dot(pairs) * metric.volume])

    def first_variation(self) -> Variation:
        """δE = ∫ (E^{ij}h_ij + E_f δf) dV, by structure."""
        use = self.new_algebra()
        return vary(use, self.integrand(use))

    @property
    def fields(self) -> tuple[str, ...]:
        """g_xx, g_xy, ..., then f where it is varied."""
        names = metric_nodes(self.coordinates)[0]
        return (*names, DILATON) if self.dilaton is False else names

    def closed_form(self, use: MetricAlgebra, given: Any) -> Variation:
        """The variation with coefficients of tensors, and of f under its name."""
        tensors = dict(given)
        free = tensors.pop(DILATON, gr.ZERO)
        return Variation(use, tensors, free)

    def structure(self, realise: MetricRealisation, found: Variation) -> list[gr.Node]:
        """√det g E^{ij} in packed order, off the diagonal twice, then √det g E_f."""
        metric = realise.frame
        raised = conjugated(metric, realise.combination(found.tensors))
        expected = [(1 if i == j else 2) * metric.volume * raised[i, j] for i, j in packed(len(self.coordinates))]
        return expected if self.dilaton is not False else [*expected, metric.volume * realise.value(found.dilaton)]

    def gradient(self, metric: str | None = None) -> MetricGradient:
        """The gradient in "ebin", "weighted" or "L2"."""
        return MetricGradient(self, self.checked_metric(metric))

    def second_variation_at(self, background: Any = "flat", metric: str | None = None) -> Linearisation:
        """The linearised gradient flow at the flat metric δ_ij, or at a constant g_ij.

        Raises ShapeError if the background is not a (d, d) matrix.
        """
        if isinstance(background, str) and background == "flat":
            return self.gradient(metric).linearisation
        dim = len(self.coordinates)
        if np.shape(background) != (dim, dim):
            raise ShapeError(f"the background must be 'flat' or a ({dim}, {dim}) symmetric matrix of exact numbers, "
                             f"not {background!r}")
        return self.gradient(metric).linearised_at(background)

    def explain(self) -> str:
        """The steps of the derivation by structure."""
        return explain_metric(self)


@final
@dataclass(frozen=True)
class MetricSum(FunctionalSum, MetricFunctional):
    """Σ c E over pairs (c, E)."""

    summands: Terms

    @property
    def metrics(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those offered by every summand that has an f, else "ebin" and "L2"."""
        return next((e.metrics for _, e in self.summands if e.dilaton is not None), ("ebin", "L2"))

    @property
    def dilaton(self) -> bool | None:
        """The meaning of f of the summand that has one."""
        return next((e.dilaton for _, e in self.summands if e.dilaton is not None), None)

    @property
    def elliptic(self) -> bool:
        """Whether a summand's f is the ground state's."""
        return any(e.elliptic for _, e in self.summands)
