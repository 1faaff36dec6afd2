"""The steps of a derivation as text: definition, rules used, result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geomflow.core import graph as gr
from geomflow.symbolic.variation import metrics as mt
from geomflow.symbolic.variation import potentials as pt
from geomflow.symbolic.variation.algebra import Laplacian, Pairing, Term
from geomflow.symbolic.variation.display import written, written_sum

if TYPE_CHECKING:
    from geomflow.symbolic.functionals.metric import MetricFunctional
    from geomflow.symbolic.functionals.potential import PotentialFunctional

POTENTIAL_RULES: dict[type, str] = {
    pt.Potential: "δφ = ψ",
    pt.Ratio: "δv = v Δ_∂ψ",
    pt.ReferenceRatio: "δ(dμ_0/dμ_J) = −(dμ_0/dμ_J) Δ_∂ψ",
    pt.Scalar: "δR = −2Δ_∂Δ_∂ψ + 2⟨∂∂̄ψ, ∂∂̄ log v⟩",
    pt.FormTrace: "δ tr_ω χ = −⟨∂∂̄ψ, χ⟩",
    Laplacian: "δ(Δ_∂s) = Δ_∂δs − ⟨∂∂̄ψ, ∂∂̄s⟩",
    Pairing: "δ⟨∂s,∂t⟩ = ⟨∂δs,∂t⟩ + ⟨∂s,∂δt⟩ − ψ^{ab̄}∂_as ∂_b̄t",
    pt.HessianPairing: "δ⟨∂∂̄s,∂∂̄t⟩ = ⟨∂∂̄δs,∂∂̄t⟩ + ⟨∂∂̄s,∂∂̄δt⟩ − 2ψ^{ab̄}s_{ac̄}t^c̄_b̄",
}
METRIC_RULES: dict[type, str] = {
    mt.Scalar: "δR = −R^{ij}h_ij + ∇^i∇^jh_ij − Δh",
    mt.Dilaton: "δf = h/2 for f = log(dV/dm)",
    mt.RicciSquared: "δR_ij = ½(∇^k∇_ih_jk + ∇^k∇_jh_ik − Δh_ij − ∇_i∇_jh)",
    Laplacian: "δ(Δs) = Δδs − h^{ij}∇_i∇_js − ∇_ih^{ij}∇_js + ½⟨∇h,∇s⟩",
    Pairing: "δ⟨∇s,∇t⟩ = ⟨∇δs,∇t⟩ + ⟨∇s,∇δt⟩ − h^{ij}∇_is∇_jt",
}


def explain_potential(functional: PotentialFunctional) -> str:
    """Definition, rules, and the first variation of a functional of a potential."""
    found = functional.first_variation()
    use = found.algebra
    lines = [str(functional), f"Source: {functional.source}" if functional.source else "",
             "Vary φ to φ + ψ. The measure: δ dμ_J = Δ_∂ψ dμ_J, so its weight is the integrand: "
             f"{written(use, functional.integrand(use))}."]
    lines += [_rule(POTENTIAL_RULES, term, written(use, weight)) for term, weight in found.rules]
    lines += [_path(kind, use, c) for kind, c in functional.paths().items()]
    lines.append("Integrate by parts until ψ stands alone (dμ_J is covariantly constant):")
    lines.append(f"δE = ∫ ψ [{written(use, found.gradient)}] dμ_J, with Δ_∂ log v = −R/2.")
    return "\n".join(line for line in lines if line)


def _path(kind: str, use: pt.PotentialAlgebra, c: gr.Node) -> str:
    rate = "1" if kind == "volume" else "tr_ω χ − c"
    return f"Energy along tφ with weight {written(use, c)}: its gradient is {rate}, whatever the path."


def _rule(rules: dict[type, str], term: Term, weight: Any) -> str:
    return f"{rules[type(term)]}, with weight {weight}."


def explain_metric(functional: MetricFunctional) -> str:
    """Definition, rules, and the first variation of a functional of a metric."""
    found = functional.first_variation()
    use = found.algebra
    lines = [str(functional), f"Source: {functional.source}" if functional.source else "",
             "Vary g to g + h, h = g^{ij}h_ij. The measure: δ dV = ½ h dV, with weight "
             f"{written(use, functional.integrand(use))}."]
    for term, weight in found.rules:
        free = isinstance(term, mt.Dilaton) and not term.fixed_measure
        rule = f"f is varied by itself, with weight {written(use, weight)}." if free else \
            _rule(METRIC_RULES, term, written(use, weight))
        lines.append(rule)
    lines.append("Integrate by parts until h_ij stands alone, and drop what cancels identically:")
    lines.append(f"δE = ∫ h^{{ij}} [{written_sum(use, found.tensors)}] dV"
                 + (f" + ∫ δf [{written(use, found.dilaton)}] dV." if found.dilaton is not gr.ZERO else "."))
    return "\n".join(line for line in lines if line)
