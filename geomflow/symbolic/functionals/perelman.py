"""Perelman's functionals F, W and λ of a metric and a dilaton, and the coupled flow of F."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, final

import sympy

from geomflow.core import graph as gr
from geomflow.symbolic.functionals.derived import DerivedFlow, GradientSystem, gradient_system
from geomflow.symbolic.functionals.linear import Background, Linearisation, wave_names
from geomflow.symbolic.functionals.metric import MetricFunctional
from geomflow.symbolic.jets import metric_nodes
from geomflow.symbolic.variation import metrics as mt
from geomflow.symbolic.variation.display import written, written_sum
from geomflow.symbolic.variation.metric_frame import conjugated, packed
from geomflow.symbolic.variation.metrics import MetricAlgebra
from geomflow.symbolic.variation.staged import Staged

ILL_POSED = (
    "At a fixed measure the flow ∂_t g_ij = −2(R_ij + ∇_i∇_jf) is backward parabolic in the longitudinal directions of "
    "diffeomorphisms: on a flat torus the mode h = k⊗k e^{ik·x} grows at +|k|^2. Use PerelmanLambda, whose f is the "
    "ground state of −4Δ + R, or Ricci–DeTurck flow, RicciFlow(gauge='deturck').")


@final
@dataclass(frozen=True)
class PerelmanF(MetricFunctional):
    """Perelman's F(g) = ∫ (R + |∇f|²) dm at a fixed measure dm, with f = log(dV/dm).

    Its gradient in the metric ∫⟨h,h'⟩_g dm is −(R_ij + ∇_i∇_jf). The literature ascends: gradient flow here is
    ∂_tg_ij = −2(R_ij + ∇_i∇_jf), the descent of −2F, and is ill-posed (see `remarks`).
    Source: Perelman 2002, §1; eqs. (2.40), (2.41) of Halverson and Ruehle.
    """

    geometry: Any
    name: ClassVar[str] = "perelman-f"
    definition: ClassVar[str] = "F = ∫ (R + |∇f|^2) dm, f = log(dV/dm)"
    source: ClassVar[str] = "Perelman, arXiv:math/0211159, section 1"
    metrics: ClassVar[tuple[str, ...]] = ("weighted", "ebin", "L2")
    fixed_measure: ClassVar[bool | None] = True

    def __post_init__(self) -> None:
        self.check()

    @property
    def loss(self) -> int:
        """−2: the flow ascends F at twice its gradient."""
        return -2

    @property
    def remarks(self) -> tuple[str, ...]:
        """That the flow is ill-posed."""
        return (ILL_POSED,)

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """(R + |∇f|²)e^{−f}."""
        return (use.scalar + use.pairing(use.dilaton, use.dilaton)) * gr.exp(-use.dilaton)

    def coupled(self) -> PerelmanFCoupled:
        """F as a functional of g and of an independent f."""
        return PerelmanFCoupled(self.geometry)

    def coupled_flow(self) -> DerivedFlow:
        """Ricci flow of g beside the backward conjugate heat equation of f: this flow moved by diffeomorphisms."""
        return coupled_flow(self)


@final
@dataclass(frozen=True)
class PerelmanFCoupled(MetricFunctional):
    """Perelman's F(g, f) = ∫ (R + |∇f|²) e^{−f} dV with g and f varied independently.

    Source: Perelman 2002, §1.
    """

    geometry: Any
    name: ClassVar[str] = "perelman-f-coupled"
    definition: ClassVar[str] = "F = ∫ (R + |∇f|^2) e^{−f} dV"
    source: ClassVar[str] = "Perelman, arXiv:math/0211159, section 1"
    metrics: ClassVar[tuple[str, ...]] = ("weighted", "ebin", "L2")
    fixed_measure: ClassVar[bool | None] = False

    def __post_init__(self) -> None:
        self.check()

    @property
    def loss(self) -> int:
        """−2."""
        return -2

    @property
    def remarks(self) -> tuple[str, ...]:
        """That f runs backward."""
        return ("In Perelman's coupled flow g runs forward under Ricci flow and e^{−f} backward under the conjugate "
                "heat equation: solve for g first, then for f from the final time to the initial one.",)

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """(R + |∇f|²)e^{−f}."""
        return (use.scalar + use.pairing(use.dilaton, use.dilaton)) * gr.exp(-use.dilaton)


@final
@dataclass(frozen=True)
class PerelmanW(MetricFunctional):
    """Perelman's W(g, τ) = ∫ [τ(R + |∇F|²) + F − d] dm at a fixed measure dm = (4πτ)^{−d/2} e^{−F} dV.

    With f = log(dV/dm) the dilaton is F = f − (d/2) log 4πτ. The gradient at fixed τ (a parameter, "tau") in the
    metric ∫⟨h,h'⟩_g dm is −τ(R_ij + ∇_i∇_jF − g_ij/2τ). Source: Perelman 2002, §3.
    """

    geometry: Any
    name: ClassVar[str] = "perelman-w"
    definition: ClassVar[str] = "W = ∫ [τ(R + |∇f|^2) + f − (d/2) log(4πτ) − d] dm, f = log(dV/dm)"
    source: ClassVar[str] = "Perelman, arXiv:math/0211159, section 3"
    metrics: ClassVar[tuple[str, ...]] = ("weighted", "ebin", "L2")
    fixed_measure: ClassVar[bool | None] = True

    def __post_init__(self) -> None:
        self.check()

    @property
    def loss(self) -> int:
        """−2."""
        return -2

    @property
    def remarks(self) -> tuple[str, ...]:
        """That the flow is ill-posed."""
        return (ILL_POSED,)

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """[τ(R + |∇f|²) + f − (d/2) log 4πτ − d]e^{−f}."""
        return w_integrand(use, self.geometry.dim)


def w_integrand(use: MetricAlgebra, dim: int) -> gr.Node:
    """[τ(R + |∇f|²) + f − (d/2) log 4πτ − d]e^{−f}, the density of W by dV where dm = e^{−f}dV."""
    tau, f = gr.symbol("tau"), use.dilaton
    shift = gr.log(4 * gr.PI * tau) * dim / 2 + dim
    return (tau * (use.scalar + use.pairing(f, f)) + f - shift) * gr.exp(-f)


@final
@dataclass(frozen=True)
class PerelmanWCoupled(MetricFunctional):
    """Perelman's W(g, f, τ) with g and f varied independently, dm = e^{−f}dV; see `PerelmanW`.

    Along the coupled flow with dτ/dt = −1 it is monotone. Source: Perelman 2002, §3.
    """

    geometry: Any
    name: ClassVar[str] = "perelman-w-coupled"
    definition: ClassVar[str] = "W = ∫ [τ(R + |∇f|^2) + f − (d/2) log(4πτ) − d] e^{−f} dV"
    source: ClassVar[str] = "Perelman, arXiv:math/0211159, section 3"
    metrics: ClassVar[tuple[str, ...]] = ("weighted", "ebin", "L2")
    fixed_measure: ClassVar[bool | None] = False

    def __post_init__(self) -> None:
        self.check()

    @property
    def loss(self) -> int:
        """−2."""
        return -2

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """[τ(R + |∇f|²) + f − (d/2) log 4πτ − d]e^{−f}."""
        return w_integrand(use, self.geometry.dim)


@final
@dataclass(frozen=True)
class PerelmanLambda(MetricFunctional):
    """Perelman's λ(g): the lowest eigenvalue of −4Δ + R, which is the least F(g, f) with ∫e^{−f}dV = 1.

    e^{−f/2} is the ground state, so that R + 2Δf − |∇f|² = λ: f is solved for at every metric. By the envelope theorem
    the gradient of λ is that of F − λ∫e^{−f}dV at fixed f; in the metric ∫⟨h,h'⟩_g e^{−f}dV it is −(R_ij + ∇_i∇_jf),
    and gradient flow is the descent of −2λ, ∂_tg_ij = −2(R_ij + ∇_i∇_jf): Ricci flow up to diffeomorphisms, weakly
    parabolic.
    Source: Perelman 2002, §2.
    """

    geometry: Any
    name: ClassVar[str] = "perelman-lambda"
    definition: ClassVar[str] = "λ = min ∫ (R + |∇f|^2) e^{−f} dV over ∫ e^{−f} dV = 1"
    source: ClassVar[str] = "Perelman, arXiv:math/0211159, section 2"
    metrics: ClassVar[tuple[str, ...]] = ("weighted", "ebin", "L2")
    fixed_measure: ClassVar[bool | None] = False

    def __post_init__(self) -> None:
        self.check()

    @property
    def loss(self) -> int:
        """−2."""
        return -2

    @property
    def elliptic(self) -> bool:
        """True: f is the ground state's."""
        return True

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """(R + |∇f|² − λ)e^{−f}, λ a constant that is stationary."""
        f = use.dilaton
        return (use.scalar + use.pairing(f, f) - gr.symbol("eigenvalue")) * gr.exp(-f)

    def energy_integrand(self, use: MetricAlgebra) -> gr.Node:
        """(R + |∇f|²)e^{−f}, whose integral is λ where ∫e^{−f}dV = 1."""
        f = use.dilaton
        return (use.scalar + use.pairing(f, f)) * gr.exp(-f)


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
    t = sympy.Symbol("t")
    left = sympy.Tuple(*(sympy.Derivative(sympy.Function(u)(t), t) for u in ("g_ij", "f")))
    equation = sympy.Eq(left, sympy.Tuple(written_sum(use, rates), written(use, rate_f)), evaluate=False)
    free = functional.coupled()

    def system() -> GradientSystem:
        realise = free.realisation(use)
        metric, names = realise.frame, metric_nodes(functional.coordinates)[0]
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
