"""Functionals of a real metric (and a dilaton): integrands by structure, and gradients in three metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.program import Elliptic, InnerProduct, Stage
from geomflow.core.symmetric import entries, packed_places
from geomflow.symbolic.functionals.by_algebra import ByAlgebra
from geomflow.symbolic.functionals.functional import Functional
from geomflow.symbolic.functionals.gradient import Gradient
from geomflow.symbolic.functionals.linear import Background, Linearisation
from geomflow.symbolic.jets import metric_names, metric_nodes
from geomflow.symbolic.ring import HALF
from geomflow.symbolic.variation.algebra import expanded
from geomflow.symbolic.variation.display import written, written_sum
from geomflow.symbolic.variation.metric_frame import (
    LOG_MEASURE,
    DerivingMetric,
    MetricFrame,
    MetricRealisation,
    RunningMetric,
)
from geomflow.symbolic.variation.metrics import DILATON, METRIC, MetricAlgebra, MetricVariation, Tensor
from geomflow.symbolic.variation.staged import Staged


class MetricFunctional(ByAlgebra, Functional):
    """E(g) = ∫ s dV, or E(g, f) with a dilaton, in real dimension 2, 3 and 4.

    A subclass gives the integrand s by structure. Gradients: "ebin" ∫⟨h,h'⟩_g dV, "weighted" ∫⟨h,h'⟩_g dm
    with dm = e^{−f}dV, "L2" ∫ Σ_ij h_ij h'_ij dm at a fixed reference measure dm (not covariant: the frozen
    kernel δ_ik δ_jl).
    """

    metrics: ClassVar[tuple[str, ...]] = ("ebin", "L2")
    complex_geometry: ClassVar[bool] = False
    dims: ClassVar[tuple[int, ...]] = (2, 3, 4)
    fixed_measure: ClassVar[bool | None] = None
    """True: f = log(dV/dm); False: f is an unknown of its own; None: there is no f."""
    elliptic: ClassVar[bool] = False
    """Whether f is solved for at each state instead of evolved."""

    @property
    def dilaton(self) -> bool | None:
        """`fixed_measure`, of sums too."""
        return self.fixed_measure

    @property
    def unknowns(self) -> tuple[str, ...]:
        """g_xx, g_xy, ..., then f where it is varied."""
        names = metric_names(self.coordinates)
        return (*names, DILATON) if self.dilaton is False else names

    @property
    def place(self) -> str:
        """The dimension."""
        return f"dimension {len(self.coordinates)}"

    def new_algebra(self) -> MetricAlgebra:
        """An algebra with this functional's meaning of f."""
        return MetricAlgebra(fixed_measure=bool(self.dilaton))

    def deriving(self, use: MetricAlgebra, tag: str = "", **setting: Any) -> MetricRealisation:
        """An algebra's scalars and tensors over jets of g, of its inverse and of the volume."""
        return MetricRealisation(use, DerivingMetric(self.coordinates), tag, **setting)

    def realisation(self, use: MetricAlgebra, **setting: Any) -> MetricRealisation:
        """An algebra's scalars and tensors over real coordinates, parameters with values replaced."""
        return MetricRealisation(use, RunningMetric(self.coordinates), values=self.values, **setting)

    @property
    def differential(self) -> Staged:
        """√det g (E^{ij}h_ij + E_f h_f), h the fields h_xx, h_xy, ..., h_f."""
        found = self.first_variation()
        realise = self.realisation(found.algebra)
        metric = realise.frame
        raised = metric.raised(realise.combination(found.tensors))
        direction = metric_nodes(self.coordinates, "h")[1]
        pairs: list[tuple[Any, Any]] = [(raised[place], direction[place]) for place in np.ndindex(raised.shape)]
        if self.dilaton is False:
            pairs.append((realise.value(found.dilaton), metric.leaf("h_f")))
        return realise.staged([metric.ring.dot(pairs) * metric.volume])

    def first_variation(self) -> MetricVariation:
        """δE = ∫ (E^{ij}h_ij + E_f δf) dV, by structure."""
        use = self.new_algebra()
        return MetricVariation.of(use, self.integrand(use))

    def closed_form(self, use: MetricAlgebra, given: Any) -> MetricVariation:
        """The variation with coefficients of tensors, and of f under its name."""
        tensors = dict(given)
        free = tensors.pop(DILATON, gr.ZERO)
        return MetricVariation(use, tensors, free)

    def structure(self, realise: MetricRealisation, found: MetricVariation) -> list[gr.Node]:
        """√det g E^{ij} in packed order, off the diagonal twice, then √det g E_f."""
        metric = realise.frame
        raised = metric.raised(realise.combination(found.tensors))
        expected = [(1 if i == j else 2) * metric.volume * raised[i, j] for i, j in packed_places(metric.dim)]
        return expected if self.dilaton is not False else [*expected, metric.volume * realise.value(found.dilaton)]

    def gradient_in(self, metric: str | None = None) -> MetricGradient:
        """The gradient in "ebin", "weighted" or "L2"."""
        return MetricGradient(self, self.checked_metric(metric))


@final
@dataclass(frozen=True)
class MetricGradient(Gradient):
    """The gradient of a functional of a metric in one metric on metrics."""

    functional: MetricFunctional
    metric: str

    left: ClassVar[str] = "g_ij"

    @cached_property
    def weight(self) -> gr.Node:
        """dV over the measure of the inner product, by structure (not for "L2")."""
        return gr.exp(self.variation.algebra.dilaton) if self.metric == "weighted" else gr.ONE

    @cached_property
    def tensors(self) -> dict[Tensor, gr.Node]:
        """The gradient with lower indices, as coefficients of tensors; for "L2" those of E_ij dV."""
        found = {t: c * self.weight for t, c in self.variation.tensors.items()}
        if self.functional.elliptic:
            multiplier = self.variation.dilaton * self.weight * HALF
            found[METRIC] = found.get(METRIC, gr.ZERO) + multiplier
        multiplied_out = {t: expanded(c) for t, c in found.items()}
        return {t: c for t, c in multiplied_out.items() if not gr.is_zero(c)}

    @cached_property
    def dilaton(self) -> gr.Node:
        """The component along f, where f is evolved."""
        return gr.ZERO if self.functional.elliptic else self.variation.dilaton * self.weight

    def written(self, factor: Fraction | int = 1) -> sympy.Expr:
        """A multiple of the gradient in the usual notation; for "L2", raised and divided by dm/dV."""
        shown = written_sum(self.variation.algebra, {t: factor * c for t, c in self.tensors.items()})
        return shown if self.metric != "L2" else sympy.Symbol("dV/dm") * sympy.Function("raised")(shown)

    @property
    def equation(self) -> sympy.Eq:
        """∂_t g_ij = −c grad E, and ∂_t f beside it where f is evolved."""
        found = super().equation
        if self.functional.dilaton is not False or self.functional.elliptic:
            return found
        moving = sympy.Derivative(sympy.Function(DILATON)(sympy.Symbol("t")), sympy.Symbol("t"))
        rate = sympy.expand(-self.functional.factor * written(self.variation.algebra, self.dilaton))
        return sympy.Eq(sympy.Tuple(found.lhs, moving), sympy.Tuple(found.rhs, rate), evaluate=False)

    def components(self, realise: MetricRealisation) -> dict[str, gr.Node]:
        """g_xx, g_xy, ..., then f where it is evolved."""
        metric, matrix = realise.frame, realise.combination(self.tensors)
        if self.metric == "L2":
            matrix = metric.raised(matrix) * (metric.volume * gr.exp(-metric.leaf(LOG_MEASURE)))
        found = dict(zip(metric_names(metric.coordinates), entries(matrix), strict=True))
        if self.functional.dilaton is False and not self.functional.elliptic:
            found[DILATON] = realise.value(self.dilaton)
        return found

    def square(self, realise: MetricRealisation, components: Mapping[str, gr.Node]) -> gr.Node:
        """The square of the metric's components, that of f's beside it where it is covariant."""
        metric = realise.frame
        matrix = metric.symmetric(list(components.values()))
        if self.metric == "L2":
            return gr.add(*(entry**2 for entry in matrix.flat)) * self._measure(realise)
        raised = metric.raised(matrix)
        square = gr.add(*(matrix[place] * raised[place] for place in np.ndindex(matrix.shape)))
        return (square + realise.value(self.dilaton) ** 2) * self._measure(realise)

    def inner(self, realise: MetricRealisation) -> InnerProduct:
        """∫⟨h,h'⟩ against its measure."""
        return InnerProduct(self._measure(realise), self.metric != "L2")

    def _measure(self, realise: MetricRealisation) -> gr.Node:
        """The measure of the inner product by d^dx."""
        if self.metric == "L2":
            return gr.exp(realise.frame.leaf(LOG_MEASURE))
        return realise.frame.volume * realise.value(gr.ONE / self.weight)

    def statics(self, realise: MetricRealisation, nodes: Sequence[gr.Node]) -> Sequence[str]:
        """The fixed measure, where there is one."""
        return (LOG_MEASURE,) if realise.frame.leaf(LOG_MEASURE) in gr.leaves(nodes) else ()

    def solved(self, realise: MetricRealisation) -> Elliptic | None:
        """The ground state."""
        return ground_state(realise.frame) if self.functional.elliptic else None

    def background(self, given: Any) -> tuple[MetricRealisation, Background]:
        """g_ij = δ_ij unless given, and f = 0."""
        names, realise = metric_names(self.functional.coordinates), self.functional.deriving(
            self.variation.algebra, values=self.functional.values)
        places = zip(names, packed_places(realise.frame.dim), strict=True)
        return realise, {n: gr.node(int(i == j) if given is None else given[i][j]) for n, (i, j) in places}

    def linearised_at(self, background: Any = "flat") -> Linearisation:
        """The linearised flow at a constant metric and f = 0; a ground state's f varies with the metric.

        Raises ShapeError if the background is not a (d, d) matrix, InputError where it is not "flat" and f is a ground
        state's.
        """
        found = super().linearised_at(background)
        if not self.functional.elliptic:
            return found
        if any(value is not gr.node(int(i == j)) for value, (i, j) in zip(
                found.background.values(), packed_places(len(found.coordinates)), strict=True)):
            raise InputError("the second variation of λ is offered at the background 'flat', g_ij = δ_ij.")
        return with_ground_state(found)


def ground_state(metric: MetricFrame) -> Elliptic:
    """−4Δu + Ru = λu with f = −2 log u, ∫u² dV = 1.

    Parameters
    ----------
    metric : MetricFrame
        g in coordinates.
    """
    unknown = metric.leaf("u")
    operator = -4 * metric.laplacian(unknown) + metric.scalar * unknown
    return Elliptic(DILATON, "u", operator, -2 * gr.log(unknown))


def with_ground_state(linear: Linearisation) -> Linearisation:
    """A linearisation at the flat metric, where the ground state's first variation is known in closed form.

    There u = 1, R = 0, λ = 0 and R + 2Δf − |∇f|² = λ, so that 2Δδf = −δR at nonzero k with
    δR = ∂^i∂^jh_ij − Δ tr h: δf = (|k|² tr h − k·h·k)/(2|k|²). It enters as a stage whose symbol is this quotient.

    Parameters
    ----------
    linear : Linearisation
        Of the rates of g_xx, g_xy, ... at δ_ij.
    """
    waves, staged, terms = linear.waves, linear.staged, []
    squares = gr.add(*(w * w for w in waves))
    for name, (i, j) in zip(linear.unknowns, packed_places(len(waves)), strict=True):
        second = waves[i] * waves[j] * (1 if i == j else 2) - (squares if i == j else gr.ZERO)
        flat = gr.jet(name, (0,) * len(waves)) - int(i == j)
        terms.append(-HALF * second / squares * flat)
    stage = Stage(((DILATON, gr.add(*terms)),))
    return replace(linear, staged=replace(staged, stages=(stage, *staged.stages)))
