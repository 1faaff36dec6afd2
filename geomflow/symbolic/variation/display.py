"""Scalars, tensors and variations by structure as sympy expressions and text, with the textbook's LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar

import sympy

from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import to_sympy
from geomflow.symbolic.variation import metrics as mt
from geomflow.symbolic.variation import potentials as pt
from geomflow.symbolic.variation.algebra import Algebra, Laplacian, Pairing, Scalar, Term

Writer = Callable[[gr.Node], Any]


class Written(sympy.Function):
    """An operator that is shown and not evaluated; `pattern` is its LaTeX, %s for each argument shown."""

    pattern: ClassVar[str] = ""

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        shown = tuple(printer.doprint(a) for a in self.args)[: self.pattern.count("%s")]
        text = self.pattern % shown
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


@cache
def operator(name: str, pattern: str) -> type[Written]:
    """A shown operator of this name."""
    return type(name, (Written,), {"pattern": pattern, "__module__": __name__})


def shown_laplacian(e: sympy.Expr) -> sympy.Expr:
    """Δe as a rate in text writes it."""
    return operator("laplacian", r"\Delta\left(%s\right)")(e)


def shown_derivative(e: sympy.Expr, *along: sympy.Symbol) -> sympy.Expr:
    """d(e, x, y), which is ∂_x ∂_y e, or the differential d(e)."""
    if not along:
        return operator("d", r"\mathrm{d} %s")(e)
    directions = "".join(rf"\partial_{{{sympy.latex(x)}}}" for x in along)
    return operator("d", directions + r"\left(%s\right)")(e, *along)


def shown_divergence(*fluxes: sympy.Expr) -> sympy.Expr:
    """div(a, b), the divergence of fluxes along the coordinates."""
    return operator("div", rf"\nabla \cdot \left({', '.join(['%s'] * len(fluxes))}\right)")(*fluxes)


LAPLACIAN_D = operator("Laplacian_d", r"\Delta_\partial \left(%s\right)")
PAIRING_D = operator("Pairing_d", r"\left\langle \partial %s, \partial %s\right\rangle")
HESSIANS_D = operator("Hessians_d", r"\left\langle \partial\bar\partial %s, \partial\bar\partial %s\right\rangle")
LAPLACIAN = operator("Laplacian", r"\Delta %s")
PAIRING = operator("Pairing", r"\left\langle \nabla %s, \nabla %s\right\rangle")
RICCI_DIVERGENCE = operator("RicciDivergence", r"\nabla_k \nabla_l\left(%s R^{kl}\right)")
HESSIAN = operator("Hessian", r"\nabla_i \nabla_j %s")
OUTER = operator("Outer", r"\nabla_{(i} %s \nabla_{j)} %s")
ROUGH = operator("RoughLaplacian", r"\nabla^k \nabla_k\left(%s R_{ij}\right)")
SWAPPED = operator("Swapped", r"\nabla^k \nabla_{(i}\left(%s R_{j)k}\right)")
DIVDIV = {
    "hessian": operator("DivDivHessian", r"\nabla_a \nabla_{\bar b}\left(%s \nabla^a\nabla^{\bar b} %s\right)"),
    "outer": operator("DivDivOuter", r"\nabla_a \nabla_{\bar b}\left(%s \partial^{(a} %s \partial^{\bar b)} %s\right)"),
    "product": operator("DivDivProduct", r"\nabla_a \nabla_{\bar b}\left(%s\, \nabla^{(a}\nabla^{\bar c} %s "
                                         r"\nabla_{\bar c}\nabla^{\bar b)} %s\right)"),
    "form": operator("DivDivForm", r"\nabla_a \nabla_{\bar b}\left(%s \chi^{a\bar b}\right)"),
}

RIC = sympy.Symbol("Ric")
SYMBOLS = {
    "trace_chi": operator("tr", r"\operatorname{tr}_\omega %s")(sympy.Symbol("chi")),
    "reference_ratio": operator("Ratio", r"\frac{d%s}{d%s}")(sympy.Symbol("mu_0"), sympy.Symbol("mu_J")),
    "ricci_squared": operator("NormSquared", r"|\mathrm{%s}|^2")(RIC),
}
PARAMETERS = {"mean": "Sbar", "eigenvalue": "lambda", "c_chi": "c"}
TENSORS = {"metric": sympy.Symbol("g_ij"), "ricci": sympy.Symbol("R_ij"),
           "ricci_square": operator("RicciSquare", r"R_{ik} R^{k}{}_{j}")(RIC)}


def written(algebra: Algebra, scalar: gr.Node) -> sympy.Expr:
    """The scalar as a sympy expression in shown operators."""
    symbols: dict[str, Any] = {name: sympy.Symbol(latex) for name, latex in PARAMETERS.items()}
    for leaf in algebra.leaves(scalar):
        symbols[leaf.data] = _term(algebra, algebra.terms[leaf.data])
    return to_sympy(scalar, symbols)


def _term(algebra: Algebra, term: Term) -> Any:
    parts = [written(algebra, s) for s in term.arguments]
    real = isinstance(algebra, mt.MetricAlgebra)
    match term:
        case Laplacian():
            return (LAPLACIAN if real else LAPLACIAN_D)(*parts)
        case Pairing():
            return (PAIRING if real else PAIRING_D)(*parts)
        case pt.HessianPairing():
            return HESSIANS_D(*parts)
        case pt.DoubleDivergence(kind):
            return DIVDIV[kind](*parts)
        case mt.RicciDivergence():
            return RICCI_DIVERGENCE(*parts)
    return SYMBOLS.get(term.name, sympy.Symbol(term.name))


def written_tensor(algebra: Algebra, tensor: mt.Tensor) -> sympy.Expr:
    """A tensor with lower indices i, j."""
    parts = [written(algebra, s) for s in tensor.scalars]
    shown = {"hessian": HESSIAN, "outer": OUTER, "rough": ROUGH, "swapped": SWAPPED}
    return shown[tensor.kind](*parts) if tensor.kind in shown else TENSORS[tensor.kind]


def written_sum(algebra: Algebra, tensors: Mapping[mt.Tensor, gr.Node]) -> sympy.Expr:
    """Σ c T with the coefficients expanded, so that what cancels is not shown."""
    return sympy.Add(*[sympy.expand(written(algebra, c)) * written_tensor(algebra, t) for t, c in tensors.items()])


POTENTIAL_RULES: dict[type, str] = {
    pt.Potential: "δφ = ψ",
    pt.Ratio: "δv = v Δ_∂ψ",
    pt.ReferenceRatio: "δ(dμ_0/dμ_J) = −(dμ_0/dμ_J) Δ_∂ψ",
    Scalar: "δR = −2Δ_∂Δ_∂ψ + 2⟨∂∂̄ψ, ∂∂̄ log v⟩",
    pt.FormTrace: "δ tr_ω χ = −⟨∂∂̄ψ, χ⟩",
    Laplacian: "δ(Δ_∂s) = Δ_∂δs − ⟨∂∂̄ψ, ∂∂̄s⟩",
    Pairing: "δ⟨∂s,∂t⟩ = ⟨∂δs,∂t⟩ + ⟨∂s,∂δt⟩ − ψ^{ab̄}∂_as ∂_b̄t",
    pt.HessianPairing: "δ⟨∂∂̄s,∂∂̄t⟩ = ⟨∂∂̄δs,∂∂̄t⟩ + ⟨∂∂̄s,∂∂̄δt⟩ − 2ψ^{ab̄}s_{ac̄}t^c̄_b̄",
}
METRIC_RULES: dict[type, str] = {
    Scalar: "δR = −R^{ij}h_ij + ∇^i∇^jh_ij − Δh",
    mt.Dilaton: "δf = h/2 for f = log(dV/dm)",
    mt.RicciSquared: "δR_ij = ½(∇^k∇_ih_jk + ∇^k∇_jh_ik − Δh_ij − ∇_i∇_jh)",
    Laplacian: "δ(Δs) = Δδs − h^{ij}∇_i∇_js − ∇_ih^{ij}∇_js + ½⟨∇h,∇s⟩",
    Pairing: "δ⟨∇s,∇t⟩ = ⟨∇δs,∇t⟩ + ⟨∇s,∇δt⟩ − h^{ij}∇_is∇_jt",
}


Found = mt.MetricVariation | pt.PotentialVariation


def explained(found: Found, integrand: gr.Node) -> list[str]:
    """The steps to a first variation: what the volume gives, the rules used with their weights, the result."""
    use, weight = found.algebra, written(found.algebra, integrand)
    rules = [_rule(use, term, w) for term, w in found.rules]
    if isinstance(found, pt.PotentialVariation):
        return ["Vary φ to φ + ψ. The measure: δ dμ_J = Δ_∂ψ dμ_J, so its weight is the integrand: "
                f"{weight}.", *rules,
                *(_path(kind, written(use, c)) for kind, c in found.paths.items()),
                "Integrate by parts until ψ stands alone (dμ_J is covariantly constant):",
                f"δE = ∫ ψ [{written(use, found.gradient)}] dμ_J, with Δ_∂ log v = −R/2."]
    free = "." if found.dilaton is gr.ZERO else f" + ∫ δf [{written(use, found.dilaton)}] dV."
    return [f"Vary g to g + h, h = g^{{ij}}h_ij. The measure: δ dV = ½ h dV, with weight {weight}.", *rules,
            "Integrate by parts until h_ij stands alone, and drop what cancels identically:",
            f"δE = ∫ h^{{ij}} [{written_sum(use, found.tensors)}] dV" + free]


def _rule(use: Algebra, term: Term, weight: gr.Node) -> str:
    rules = METRIC_RULES if isinstance(use, mt.MetricAlgebra) else POTENTIAL_RULES
    free = isinstance(term, mt.Dilaton) and not term.fixed_measure
    return f"{'f is varied by itself' if free else rules[type(term)]}, with weight {written(use, weight)}."


def _path(kind: str, c: sympy.Expr) -> str:
    rate = "1" if kind == "volume" else "tr_ω χ − c"
    return f"Energy along tφ with weight {c}: its gradient is {rate}, whatever the path."
