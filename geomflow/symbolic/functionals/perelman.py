"""Perelman's functionals F, W and λ of a metric and a dilaton, and the coupled flow of F."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.symmetric import entries
from geomflow.symbolic.functionals.derived import DerivedFlow
from geomflow.symbolic.functionals.linear import Linearisation, wave_vector
from geomflow.symbolic.functionals.metric import MetricFunctional
from geomflow.symbolic.functionals.system import GradientSystem, gradient_system
from geomflow.symbolic.ring import HALF
from geomflow.symbolic.variation.display import written, written_sum
from geomflow.symbolic.variation.metrics import DILATON, RICCI, MetricAlgebra, Tensor
from geomflow.symbolic.variation.staged import Staged

ILL_POSED = (
    "At a fixed measure the flow ∂_t g_ij = −2(R_ij + ∇_i∇_jf) is backward parabolic in the longitudinal directions of "
    "diffeomorphisms: on a flat torus the mode h = k⊗k e^{ik·x} grows at +|k|^2. Use PerelmanLambda, whose f is the "
    "ground state of −4Δ + R, or Ricci–DeTurck flow, RicciFlow(gauge='deturck').")


class Perelman(MetricFunctional):
    """What Perelman's functionals share: a metric weighted by dm, and descent of −2E, for the literature ascends.

    Then ∂_tg_ij = −2(R_ij + ∇_i∇_jf) + ..., Ricci flow up to diffeomorphisms.
    """

    factor: ClassVar[Fraction | int] = -2
    metrics: ClassVar[tuple[str, ...]] = ("weighted", "ebin", "L2")

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """(R + |∇f|²)e^{−f}, the density of F by dV where dm = e^{−f}dV."""
        return (use.scalar + use.pairing(use.dilaton, use.dilaton)) * gr.exp(-use.dilaton)


class PerelmanEntropy(Perelman):
    """What W at a fixed measure and with a free f share."""

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """[τ(R + |∇f|²) + f − (d/2) log 4πτ − d]e^{−f}, the density of W by dV where dm = e^{−f}dV."""
        tau, f = gr.symbol("tau"), use.dilaton
        dim: int = self.geometry.dim
        shift = gr.log(4 * gr.PI * tau) * dim / 2 + dim
        return (tau * (use.scalar + use.pairing(f, f)) + f - shift) * gr.exp(-f)


@final
@dataclass(frozen=True)
class PerelmanF(Perelman):
    """Perelman's F(g) = ∫ (R + |∇f|²) dm at a fixed measure dm, with f = log(dV/dm).

    Its gradient in the metric ∫⟨h,h'⟩_g dm is −(R_ij + ∇_i∇_jf). The literature ascends: gradient flow here is
    ∂_tg_ij = −2(R_ij + ∇_i∇_jf), the descent of −2F, and is ill-posed (see `remarks`).
    Source: Perelman 2002, §1; eqs. (2.40), (2.41) of Halverson and Ruehle.

    Parameters
    ----------
    geometry : Torus or Chart
        Real, of dimension 2, 3 or 4.
    """

    name: ClassVar[str] = "perelman-f"
    definition: ClassVar[str] = "F = ∫ (R + |∇f|^2) dm, f = log(dV/dm)"
    source: ClassVar[str] = "Perelman, arXiv:math/0211159, section 1"
    fixed_measure: ClassVar[bool | None] = True
    remarks: ClassVar[tuple[str, ...]] = (ILL_POSED,)

    def coupled(self) -> PerelmanFCoupled:
        """F as a functional of g and of an independent f."""
        return PerelmanFCoupled(self.geometry)

    def coupled_flow(self) -> DerivedFlow:
        """Ricci flow of g beside the backward conjugate heat equation of f: this flow moved by diffeomorphisms.

        ∂_tg = h + L_{∇f}g and ∂_tf = ½ tr h + |∇f|², h the gradient flow of F at fixed measure: f = log(dV/dm) moves by
        ½ tr h; the Lie derivatives are 2∇∇f and |∇f|². With h = −2(Ric + ∇∇f) this is Ricci flow beside
        ∂_tf = −Δf + |∇f|² − R, parabolic backward in time.
        """
        use = MetricAlgebra(fixed_measure=False)
        f, found = use.dilaton, self.gradient_in("weighted")
        rates = {t: -self.factor * gr.node(c) for t, c in found.tensors.items()}
        trace = gr.add(*(c * _trace(use, t) for t, c in rates.items()))
        drift = Tensor("hessian", (f,))
        rates[drift] = rates.get(drift, gr.ZERO) + 2
        kept = {t: c for t, c in rates.items() if not gr.is_zero(c)}
        return _Coupled(self.coupled(), use, kept, trace * HALF + use.pairing(f, f)).flow


@final
@dataclass(frozen=True)
class PerelmanFCoupled(Perelman):
    """Perelman's F(g, f) = ∫ (R + |∇f|²) e^{−f} dV with g and f varied independently.

    Source: Perelman 2002, §1.

    Parameters
    ----------
    geometry : Torus or Chart
        Real, of dimension 2, 3 or 4.
    """

    name: ClassVar[str] = "perelman-f-coupled"
    definition: ClassVar[str] = "F = ∫ (R + |∇f|^2) e^{−f} dV"
    source: ClassVar[str] = "Perelman, arXiv:math/0211159, section 1"
    fixed_measure: ClassVar[bool | None] = False
    remarks: ClassVar[tuple[str, ...]] = (
        "In Perelman's coupled flow g runs forward under Ricci flow and e^{−f} backward under the conjugate "
        "heat equation: solve for g first, then for f from the final time to the initial one.",
    )


@final
@dataclass(frozen=True)
class PerelmanW(PerelmanEntropy):
    """Perelman's W(g, τ) = ∫ [τ(R + |∇F|²) + F − d] dm at a fixed measure dm = (4πτ)^{−d/2} e^{−F} dV.

    With f = log(dV/dm) the dilaton is F = f − (d/2) log 4πτ. The gradient at fixed τ (a parameter, "tau") in the
    metric ∫⟨h,h'⟩_g dm is −τ(R_ij + ∇_i∇_jF − g_ij/2τ). Source: Perelman 2002, §3.

    Parameters
    ----------
    geometry : Torus or Chart
        Real, of dimension 2, 3 or 4.
    """

    name: ClassVar[str] = "perelman-w"
    definition: ClassVar[str] = "W = ∫ [τ(R + |∇f|^2) + f − (d/2) log(4πτ) − d] dm, f = log(dV/dm)"
    source: ClassVar[str] = "Perelman, arXiv:math/0211159, section 3"
    fixed_measure: ClassVar[bool | None] = True
    remarks: ClassVar[tuple[str, ...]] = (ILL_POSED,)


@final
@dataclass(frozen=True)
class PerelmanWCoupled(PerelmanEntropy):
    """Perelman's W(g, f, τ) with g and f varied independently, dm = e^{−f}dV; see `PerelmanW`.

    Along the coupled flow with dτ/dt = −1 it is monotone. Source: Perelman 2002, §3.

    Parameters
    ----------
    geometry : Torus or Chart
        Real, of dimension 2, 3 or 4.
    """

    name: ClassVar[str] = "perelman-w-coupled"
    definition: ClassVar[str] = "W = ∫ [τ(R + |∇f|^2) + f − (d/2) log(4πτ) − d] e^{−f} dV"
    source: ClassVar[str] = "Perelman, arXiv:math/0211159, section 3"
    fixed_measure: ClassVar[bool | None] = False


@final
@dataclass(frozen=True)
class PerelmanLambda(Perelman):
    """Perelman's λ(g): the lowest eigenvalue of −4Δ + R, which is the least F(g, f) with ∫e^{−f}dV = 1.

    e^{−f/2} is the ground state, so that R + 2Δf − |∇f|² = λ: f is solved for at every metric. By the envelope theorem
    the gradient of λ is that of F − λ∫e^{−f}dV at fixed f; in the metric ∫⟨h,h'⟩_g e^{−f}dV it is −(R_ij + ∇_i∇_jf),
    and gradient flow is the descent of −2λ, ∂_tg_ij = −2(R_ij + ∇_i∇_jf): Ricci flow up to diffeomorphisms, weakly
    parabolic.
    Source: Perelman 2002, §2.

    Parameters
    ----------
    geometry : Torus or Chart
        Real, of dimension 2, 3 or 4.
    """

    name: ClassVar[str] = "perelman-lambda"
    definition: ClassVar[str] = "λ = min ∫ (R + |∇f|^2) e^{−f} dV over ∫ e^{−f} dV = 1"
    source: ClassVar[str] = "Perelman, arXiv:math/0211159, section 2"
    fixed_measure: ClassVar[bool | None] = False
    elliptic: ClassVar[bool] = True

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """(R + |∇f|² − λ)e^{−f}, λ a constant that is stationary."""
        f = use.dilaton
        return (use.scalar + use.pairing(f, f) - gr.symbol("eigenvalue")) * gr.exp(-f)

    def energy_integrand(self, use: MetricAlgebra) -> gr.Node:
        """(R + |∇f|²)e^{−f}, whose integral is λ where ∫e^{−f}dV = 1."""
        return super().integrand(use)


def _trace(use: MetricAlgebra, tensor: Tensor) -> gr.Node:
    match tensor:
        case Tensor("ricci"):
            return use.scalar
        case Tensor("hessian", (s,)):
            return use.laplacian(s)
        case Tensor("outer", (s, t)):
            return use.pairing(s, t)
    raise ValueError(f"the trace of {tensor.kind} is not needed here")


@dataclass(frozen=True)
class _Coupled:
    """∂_tg as coefficients of tensors beside ∂_tf, by structure."""

    functional: PerelmanFCoupled
    use: MetricAlgebra
    tensors: Mapping[Tensor, gr.Node]
    dilaton: gr.Node

    @property
    def flow(self) -> DerivedFlow:
        """The flow as data."""
        t = sympy.Symbol("t")
        left = sympy.Tuple(*(sympy.Derivative(sympy.Function(u)(t), t) for u in ("g_ij", DILATON)))
        right = sympy.Tuple(written_sum(self.use, self.tensors), written(self.use, self.dilaton))
        return DerivedFlow(self.functional, "coupled", sympy.Eq(left, right, evaluate=False), self.system,
                           self.linearised)

    def system(self) -> GradientSystem:
        """The rates over real coordinates."""
        use, free = self.use, self.functional
        realise = free.realisation(use)
        metric, matrix = realise.frame, realise.combination(self.tensors)
        nodes = (*entries(matrix), realise.value(self.dilaton))
        energy = free.factor * free.lagrangian(realise, free.integrand(use))
        bare = realise.combination({RICCI: gr.ONE, Tensor("hessian", (use.dilaton,)): gr.ONE})
        raised = metric.raised(bare)
        square = gr.add(*(bare[place] * raised[place] for place in np.ndindex(bare.shape)))
        dissipation = free.factor**2 * square * gr.exp(-metric.leaf(DILATON)) * metric.volume
        return gradient_system(metric.axes, dict(zip(free.unknowns, nodes, strict=True)), realise.stages, energy,
                               dissipation, backward=(DILATON,))

    def linearised(self) -> Linearisation:
        """The linearised flow at g_ij = δ_ij and f = 0."""
        whole, metric = self.system(), self.functional.realisation(self.use).frame
        flat = {entry.data[0]: gr.ONE for entry in metric.matrix.diagonal()}
        staged = Staged.of(whole.program)
        return Linearisation(metric.axes, whole.unknowns, staged, flat, metric.waves(wave_vector(metric.axes)))
