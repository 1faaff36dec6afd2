"""Gradients of functionals of a metric, and the flows that descend them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.program import Elliptic, InnerProduct, Stage
from geomflow.symbolic.functionals.derived import GradientSystem, gradient_system
from geomflow.symbolic.functionals.linear import Background, Linearisation, wave_names
from geomflow.symbolic.jets import metric_nodes
from geomflow.symbolic.variation.algebra import expanded
from geomflow.symbolic.variation.display import written_sum
from geomflow.symbolic.variation.metric_frame import DerivingMetric, MetricFrame, conjugated, packed
from geomflow.symbolic.variation.metric_realise import LOG_MEASURE, MetricRealisation
from geomflow.symbolic.variation.metrics import DILATON, METRIC, Tensor, Variation
from geomflow.symbolic.variation.staged import Staged

if TYPE_CHECKING:
    from geomflow.symbolic.functionals.metric import MetricFunctional


FLAT_DILATON = "f"


def ground_state(metric: MetricFrame) -> Elliptic:
    """−4Δu + Ru = λu with f = −2 log u, ∫u² dV = 1."""
    unknown = metric.leaf("u")
    operator = -4 * metric.laplacian(unknown) + metric.scalar * unknown
    return Elliptic("f", "u", operator, -2 * gr.log(unknown))


def with_ground_state(coordinates: Sequence[str], fields: tuple[str, ...], staged: Staged, background: Background,
                      waves: tuple[gr.Node, ...], names: tuple[str, ...]) -> Linearisation:
    """The linearisation at the flat metric, where the ground state's first variation is known in closed form.

    There u = 1, R = 0, λ = 0 and R + 2Δf − |∇f|² = λ, so that 2Δδf = −δR at nonzero k with
    δR = ∂^i∂^jh_ij − Δ tr h: δf = (|k|² tr h − k·h·k)/(2|k|²). It enters as a stage whose symbol is this quotient.
    """
    squares = gr.add(*(w * w for w in waves))
    terms = []
    for place, name in enumerate(fields):
        i, j = _indices(place, len(coordinates))
        second = waves[i] * waves[j] * (1 if i == j else 2) - (squares if i == j else gr.ZERO)
        flat = gr.jet(name, (0,) * len(coordinates)) - int(i == j)
        terms.append(-Fraction(1, 2) * second / squares * flat)
    stage = Stage(((FLAT_DILATON, gr.add(*terms)),))
    whole = Staged(staged.coordinates, staged.groups, (stage, *staged.stages), staged.outputs)
    return Linearisation(tuple(coordinates), fields, whole, background, waves, names)


def _indices(place: int, dim: int) -> tuple[int, int]:
    return packed(dim)[place]


@final
@dataclass(frozen=True)
class MetricGradient:
    """The gradient of a functional of a metric in one metric on metrics."""

    functional: MetricFunctional
    metric: str

    @cached_property
    def variation(self) -> Variation:
        """δE by structure."""
        return self.functional.first_variation()

    @cached_property
    def weight(self) -> gr.Node:
        """dV over the measure of the inner product, by structure (not for "L2")."""
        return gr.exp(self.variation.algebra.dilaton) if self.metric == "weighted" else gr.ONE

    @cached_property
    def tensors(self) -> dict[Tensor, gr.Node]:
        """The gradient with lower indices, as coefficients of tensors; for "L2" those of E_ij dV."""
        found = {t: c * self.weight for t, c in self.variation.tensors.items()}
        if self.functional.elliptic:
            multiplier = self.variation.dilaton * self.weight * Fraction(1, 2)
            found[METRIC] = found.get(METRIC, gr.ZERO) + multiplier
        multiplied_out = {t: expanded(c) for t, c in found.items()}
        return {t: c for t, c in multiplied_out.items() if not gr.is_zero(c)}

    @cached_property
    def dilaton(self) -> gr.Node:
        """The component along f, where f is evolved."""
        return gr.ZERO if self.functional.elliptic else self.variation.dilaton * self.weight

    @property
    def expression(self) -> sympy.Expr:
        """The gradient in the usual notation; for "L2", raised and divided by dm/dV."""
        return self._written(1)

    def _written(self, factor: Fraction | int) -> sympy.Expr:
        shown = written_sum(self.variation.algebra, {t: factor * c for t, c in self.tensors.items()})
        if self.metric != "L2":
            return shown
        return sympy.Symbol("dV/dm") * sympy.Function("raised")(shown)

    @property
    def equation(self) -> sympy.Eq:
        """∂_tg_ij = −loss grad E."""
        t = sympy.Symbol("t")
        left = sympy.Derivative(sympy.Function("g_ij")(t), t)
        return sympy.Eq(left, self._written(-self.functional.loss), evaluate=False)

    @cached_property
    def _realisation(self) -> MetricRealisation:
        return self.functional.realisation(self.variation.algebra)

    @cached_property
    def matrix(self) -> np.ndarray:
        """The gradient as a (d, d) matrix of nodes over the jets of g."""
        return self._matrix(self._realisation)

    def _matrix(self, realise: MetricRealisation) -> np.ndarray:
        lower = realise.combination(self.tensors)
        if self.metric != "L2":
            return lower
        scale = realise.frame.volume * gr.exp(-realise.frame.leaf(LOG_MEASURE))
        return np.asarray(conjugated(realise.frame, lower) * scale)

    @cached_property
    def linearisation(self) -> Linearisation:
        """The linearised flow at g_ij = δ_ij and f = 0."""
        return self.linearised_at(np.eye(len(self.functional.coordinates), dtype=int).tolist())

    def linearised_at(self, background: Any) -> Linearisation:
        """The linearised flow at a constant metric and f = 0; a ground state's f varies with the metric."""
        functional = self.functional
        metric = DerivingMetric(functional.coordinates)
        realise = MetricRealisation(self.variation.algebra, metric, values=functional.values)
        rates, fields = self._rates(realise, self._matrix(realise))
        places = zip(metric_nodes(metric.coordinates)[0], packed(len(metric.coordinates)), strict=True)
        flat = {name: gr.node(background[i][j]) for name, (i, j) in places}
        names = wave_names(metric.coordinates)
        waves = tuple(gr.I * gr.symbol(name) for name in names)
        staged = realise.staged(rates)
        if functional.elliptic:
            if np.any(np.array(background) != np.eye(len(names), dtype=int)):
                raise InputError("the second variation of λ is offered at the background 'flat', g_ij = δ_ij.")
            return with_ground_state(metric.coordinates, fields, staged, Background(flat), waves, names)
        return Linearisation(metric.coordinates, fields, staged, Background(flat), waves, names)

    def _rates(self, realise: MetricRealisation, matrix: np.ndarray) -> tuple[list[gr.Node], tuple[str, ...]]:
        functional, loss = self.functional, self.functional.loss
        rates = [-loss * matrix[place] for place in packed(len(matrix))]
        names = metric_nodes(functional.coordinates)[0]
        if functional.dilaton is False and not functional.elliptic:
            return [*rates, -loss * realise.value(self.dilaton)], (*names, DILATON)
        return rates, names

    def system(self) -> GradientSystem:
        """Rates, energy and dissipation over real coordinates."""
        functional, realise = self.functional, self._realisation
        metric, loss = realise.frame, functional.loss
        rates, fields = self._rates(realise, self.matrix)
        energy = loss * realise.value(functional.energy_integrand(self.variation.algebra)) * metric.volume
        dissipation, inner = self._dissipation(), InnerProduct(self.measure, self.metric != "L2")
        solved = ground_state(metric) if functional.elliptic else None
        made = {*fields, *(n for s in realise.stages for n in s.names), *([solved.field] if solved else [])}
        nodes = [*rates, energy, dissipation, *(n for s in realise.stages for n in s.nodes)]
        statics = sorted({leaf.data[0] for leaf in gr.leaves(nodes) if leaf.op == "jet"} - made)
        return gradient_system(metric.coordinates, dict(zip(fields, rates, strict=True)), realise.stages, energy,
                               dissipation, statics=statics, inner=inner, elliptic=solved)

    def _dissipation(self) -> gr.Node:
        """‖loss grad E‖² by d^dx."""
        realise, metric, dim = self._realisation, self._realisation.frame, range(len(self.matrix))
        loss = self.functional.loss
        if self.metric == "L2":
            square = gr.add(*(self.matrix[i, j] ** 2 for i in dim for j in dim))
            return loss**2 * square * self.measure
        raised = conjugated(metric, self.matrix)
        square = gr.add(*(self.matrix[i, j] * raised[i, j] for i in dim for j in dim))
        return loss**2 * (square + realise.value(self.dilaton) ** 2) * self.measure

    @cached_property
    def measure(self) -> gr.Node:
        """The measure of the inner product by d^dx."""
        realise = self._realisation
        if self.metric == "L2":
            return gr.exp(realise.frame.leaf(LOG_MEASURE))
        return realise.frame.volume * realise.value(gr.ONE / self.weight)
