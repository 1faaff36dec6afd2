"""Perelman's coupled flow: the gradient flow of F at fixed measure, moved by the diffeomorphisms of ∇f."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from geomflow.core import graph as gr
from geomflow.symbolic.functionals.derived import DerivedFlow, GradientSystem, gradient_system
from geomflow.symbolic.functionals.linear import Linearisation, wave_names
from geomflow.symbolic.jets import metric_nodes
from geomflow.symbolic.variation import metrics as mt
from geomflow.symbolic.variation.display import written, written_sum
from geomflow.symbolic.variation.metric_frame import conjugated, packed
from geomflow.symbolic.variation.staged import Staged
from geomflow.symbolic.variation.symbols import Background

if TYPE_CHECKING:
    from geomflow.symbolic.functionals.perelman import PerelmanF

DILATON = "f"


def coupled_flow(functional: PerelmanF) -> DerivedFlow:
    """∂_tg = h + L_{∇f}g and ∂_tf = ½ tr h + |∇f|², h the gradient flow of F at fixed measure.

    f = log(dV/dm) moves by ½ tr h; the Lie derivatives are 2∇∇f and |∇f|². With h = −2(Ric + ∇∇f) this is Ricci flow
    beside ∂_tf = −Δf + |∇f|² − R, parabolic backward in time.
    """
    use = mt.MetricAlgebra(fixed_measure=False)
    dilaton = use.dilaton
    found = functional.gradient("weighted")
    moved = {t: -functional.loss * gr.node(c) for t, c in found.tensors.items()}
    trace = gr.add(*(c * _trace(use, t) for t, c in moved.items()))
    rate_f = trace * Fraction(1, 2) + use.pairing(dilaton, dilaton)
    drift = mt.Tensor("hessian", (dilaton,))
    total = dict(moved)
    total[drift] = total.get(drift, gr.ZERO) + 2
    total = {t: c for t, c in total.items() if not gr.is_zero(c)}
    return _flow(functional, use, total, rate_f)


def _trace(use: mt.MetricAlgebra, tensor: mt.Tensor) -> gr.Node:
    match tensor:
        case mt.Tensor("ricci"):
            return use.scalar
        case mt.Tensor("hessian", (s,)):
            return use.laplacian(s)
        case mt.Tensor("outer", (s, t)):
            return use.pairing(s, t)
    raise ValueError(f"the trace of {tensor.kind} is not needed here")


def _flow(functional: PerelmanF, use: mt.MetricAlgebra, rates: dict[mt.Tensor, gr.Node],
          rate_f: gr.Node) -> DerivedFlow:
    import sympy

    t = sympy.Symbol("t")
    left = sympy.Tuple(*(sympy.Derivative(sympy.Function(u)(t), t) for u in ("g_ij", "f")))
    equation = sympy.Eq(left, sympy.Tuple(written_sum(use, rates), written(use, rate_f)), evaluate=False)
    free = functional.coupled()

    def system() -> GradientSystem:
        realise = free.realisation(use)
        metric, names = realise.metric, metric_nodes(functional.coordinates)[0]
        matrix = realise.combination(rates)
        nodes = (*(matrix[p] for p in packed(len(matrix))), realise.value(rate_f))
        energy = free.loss * realise.value(free.integrand(use)) * metric.volume
        bare = realise.combination({mt.RICCI: gr.ONE, mt.Tensor("hessian", (use.dilaton,)): gr.ONE})
        raised = conjugated(metric, bare)
        square = gr.add(*(bare[p] * raised[p] for p in ((i, j) for i in range(len(bare)) for j in range(len(bare)))))
        dissipation = 4 * square * gr.exp(-metric.leaf(DILATON)) * metric.volume
        evolving = dict(zip((*names, DILATON), nodes, strict=True))
        return gradient_system(metric.coordinates, evolving, realise.stages, energy, dissipation, backward=(DILATON,))

    def linear() -> Linearisation:
        staged, fields = Staged.of(system().program), system().fields
        names = wave_names(staged.coordinates)
        waves = tuple(gr.I * gr.symbol(name) for name in names)
        flat = {entry.data[0]: gr.ONE for entry in metric_nodes(staged.coordinates)[1].diagonal()}
        return Linearisation(staged.coordinates, fields, staged, Background(flat), waves, names)

    return DerivedFlow(free, "coupled", equation, system, linear)
