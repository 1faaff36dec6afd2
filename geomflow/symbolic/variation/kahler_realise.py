"""From scalars by structure to staged nodes in a Kähler frame: what is differentiated becomes a stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.program import Stage
from geomflow.symbolic.linear import determinant
from geomflow.symbolic.variation import potentials as pt
from geomflow.symbolic.variation.algebra import Laplacian, Pairing, Partial, Term
from geomflow.symbolic.variation.kahler_frame import PHI, Entries, KahlerFrame
from geomflow.symbolic.variation.realise import Realisation


@final
class KahlerRealisation(Realisation[KahlerFrame, pt.PotentialAlgebra]):
    """Realises scalars of a potential in one frame."""

    def __init__(self, algebra: pt.PotentialAlgebra, frame: KahlerFrame, tag: str = "",
                 values: Mapping[gr.Node, gr.Node] | None = None) -> None:
        super().__init__(algebra, frame, tag, {**frame.constants, **(values or {})})

    def _name(self, scalar: gr.Node) -> str:
        known = {self.algebra.v: "v", gr.log(self.algebra.v): "log_v", self.algebra.scalar: "R"}
        return self._tag + known[scalar] if scalar in known else self._next("scalar")

    def _term(self, term: Term) -> gr.Node:
        frame = self.frame
        match term:
            case pt.Potential():
                return frame.leaf(PHI)
            case pt.Ratio():
                return frame.ratio
            case pt.ReferenceRatio():
                base = frame.constant_matrix(frame.reference)
                return frame.lower(determinant(frame.ring, base)) / (frame.kappa * frame.ratio)
            case pt.Scalar():
                return -2 * frame.trace(frame.hessian(self.field(gr.log(self.algebra.v))))
            case pt.FormTrace():
                return frame.trace(frame.constant_matrix(frame.form))
            case Laplacian(s):
                return frame.trace(frame.hessian(self.field(s)))
            case Pairing(s, t):
                return frame.pairing(self.field(s), self.field(t))
            case pt.HessianPairing(s, t):
                return frame.contracted(frame.hessian(self.field(s)), frame.hessian(self.field(t)))
            case Partial(s, axis):
                return frame.partial(self.field(s), axis)
            case pt.DoubleDivergence(kind, weight, scalars):
                return self._double_divergence(kind, weight, scalars)
        raise InputError(f"{type(term).__name__} is not a scalar of a Kähler potential")

    def _double_divergence(self, kind: str, weight: gr.Node, scalars: tuple[gr.Node, ...]) -> gr.Node:
        """∇_c∇_d̄ U^{cd̄} = v^{-1} ∂_c∂_d̄(v U^{cd̄}), the measure v dμ_Ω being that of the metric and Ω flat."""
        frame, ring = self.frame, self.frame.ring
        scale = frame.lift(self.value(weight) * frame.ratio)
        flux = frame.raised(self._tensor(kind, scalars))
        for place in np.ndindex(flux.shape):
            flux[place] = scale * flux[place]
        leaves = self._flux_stage(flux)
        n = frame.dim
        terms = [ring.d(ring.d(leaves[c, d], c), n + d) for c in range(n) for d in range(n)]
        return frame.lower(ring.real(ring.total(terms))) / frame.ratio

    def _tensor(self, kind: str, scalars: tuple[gr.Node, ...]) -> Entries:
        frame, fields = self.frame, [self.field(s) for s in scalars]
        if kind == "form":
            return frame.constant_matrix(frame.form)
        if kind == "outer":
            return frame.outer(*fields)
        hessians = [frame.hessian(f) for f in fields]
        return hessians[0] if kind == "hessian" else frame.composed(*hessians)

    def _flux_stage(self, flux: Entries) -> Entries:
        """The flux as outputs of a stage; Hermitian, so that real coordinates need n² of them."""
        frame, name, outputs = self.frame, self._next("current"), []
        leaves = frame.ring.array(flux.shape)
        for c, d in np.ndindex(flux.shape):
            label = f"{name}_{c + 1}{d + 1}"
            if not frame.real:
                outputs.append((label, flux[c, d]))
                leaves[c, d] = frame.leaf(label)
            elif c <= d:
                outputs.append((f"{label}_re", flux[c, d].re))
                imaginary = gr.ZERO
                if c < d:
                    outputs.append((f"{label}_im", flux[c, d].im))
                    imaginary = frame.leaf(f"{label}_im")
                leaves[c, d] = gr.Complex(frame.leaf(f"{label}_re"), imaginary)
                leaves[d, c] = leaves[c, d].conjugate()
        self._stages.append(Stage(tuple(outputs)))
        return leaves
