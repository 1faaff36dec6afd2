"""Gradients of functionals of a Kähler potential, and the flows that descend them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, ShapeError
from geomflow.core.program import Average, InnerProduct
from geomflow.symbolic.functionals.derived import GradientSystem, gradient_system
from geomflow.symbolic.functionals.linear import Background, Linearisation, wave_names
from geomflow.symbolic.variation.display import written
from geomflow.symbolic.variation.kahler_frame import PHI, KahlerClass
from geomflow.symbolic.variation.kahler_realise import KahlerRealisation
from geomflow.symbolic.variation.potentials import HALF, Variation

if TYPE_CHECKING:
    from geomflow.symbolic.functionals.potential import PotentialFunctional


@final
@dataclass(frozen=True)
class PotentialGradient:
    """The gradient of a functional of a potential in one metric."""

    functional: PotentialFunctional
    metric: str

    @cached_property
    def variation(self) -> Variation:
        """δE = ∫ψ(Δ_∂S + rest) dμ_J."""
        return self.functional.first_variation()

    @cached_property
    def scalar(self) -> gr.Node:
        """The gradient by structure; in the Dirichlet metric, up to its mean.

        Raises InputError in the Dirichlet metric when E' is not Δ_∂ of a local expression.
        """
        found, use = self.variation, self.variation.algebra
        if self.metric == "mabuchi":
            return found.gradient
        if self.metric == "L2":
            return use.v * found.gradient
        if use.leaves(found.rest):
            raise InputError(f"the gradient of {self.functional.name} in the Dirichlet metric solves −Δ_∂η = grad E "
                             "with a right-hand side that is not Δ_∂ of a local expression; use metric='mabuchi'.")
        return -found.laplacian

    @property
    def expression(self) -> sympy.Expr:
        """The gradient in the usual notation."""
        mean = gr.symbol("mean") if self.metric == "dirichlet" else gr.ZERO
        return written(self.variation.algebra, self.scalar + mean)

    @property
    def equation(self) -> sympy.Eq:
        """∂_tφ = −loss grad E."""
        mean = gr.symbol("mean") if self.metric == "dirichlet" else gr.ZERO
        rate = written(self.variation.algebra, -self.functional.loss * self.scalar - mean)
        t = sympy.Symbol("t")
        return sympy.Eq(sympy.Derivative(sympy.Function("phi")(t), t), rate, evaluate=False)

    @cached_property
    def linearisation(self) -> Linearisation:
        """The linearised flow at φ = 0 over the flat unit metric."""
        return self.linearised_over(None)

    def linearised_over(self, reference: Any) -> Linearisation:
        """The linearised flow at φ = 0 over a constant metric, ½ δ unless given.

        Raises ShapeError if it is not an (n, n) matrix.
        """
        n = self.functional.geometry.dim
        if reference is not None and np.shape(reference)[:2] != (n, n):
            raise ShapeError(f"the background must be 'flat' or an ({n}, {n}) Hermitian matrix of exact numbers, "
                             f"not {reference!r}")
        frame = self.functional.frame(reference=reference)
        realise = KahlerRealisation(self.variation.algebra, frame, values=self.functional.values)
        rate = -self.functional.loss * realise.value(self.scalar)
        coordinates = self.functional.coordinates
        names = wave_names(coordinates)
        k = [gr.symbol(name) for name in names]
        waves = [HALF * gr.I * (k[2 * a] - gr.I * k[2 * a + 1]) for a in range(n)]
        waves += [HALF * gr.I * (k[2 * a] + gr.I * k[2 * a + 1]) for a in range(n)]
        return Linearisation(coordinates, (PHI,), realise.staged([rate]), Background({}), tuple(waves), names)

    def system(self, reference: Any = None, kahler_class: KahlerClass | None = None) -> GradientSystem:
        """Rate, energy and dissipation over real coordinates."""
        functional, use = self.functional, self.variation.algebra
        realise = functional.realisation(use, reference=reference, kahler_class=kahler_class)
        frame, gradient = realise.frame, functional.loss * realise.value(self.scalar)
        flat_volume = 2**frame.dim * frame.kappa
        volume = flat_volume * frame.ratio
        energy = functional.loss * functional.lagrangian(realise, functional.integrand(use))
        mean: Average | None = None
        inner: InnerProduct | None = None
        if self.metric == "dirichlet":
            mean = Average("mean", -gradient * volume, volume)
            field = realise.field(self.scalar)
            dissipation = functional.loss**2 * frame.pairing(field, field) * volume
            rate = -gradient - gr.symbol("mean")
        else:
            inner = InnerProduct(volume if self.metric == "mabuchi" else flat_volume, self.metric != "L2")
            dissipation, rate = gradient**2 * inner.measure, -gradient
        return gradient_system(frame.axes, {PHI: rate}, realise.stages, energy, dissipation,
                               statics=frame.static_names, mean=mean, inner=inner)
