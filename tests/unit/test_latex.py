"""What sympy.latex and notebooks show: mathematics, whatever the object, that a LaTeX reader can set."""

import re

import matplotlib.mathtext
import pytest
import sympy

import geomflow as gf
from geomflow.symbolic import Chart, ComplexChart, KahlerMetric, Metric

PLANE = KahlerMetric.from_potential("z1 z2", "log(1 + abs(z1)^2 + abs(z2)^2)")
CONFORMAL = KahlerMetric.from_potential("z", "abs(z)^2 + abs(h(z))^2", functions="h")
PERELMAN = gf.functionals.PerelmanLambda(gf.Torus(dim=2))
SHOWN = [
    Chart("t lambda"), ComplexChart("z1 h"), Metric("t x", [["-1", "0"], ["0", "a(t)^2"]], functions="a"), PLANE,
    PLANE.ricci_form, PLANE.kahler_form, CONFORMAL.ricci_form, gf.catalogue.get("round-sphere"), PERELMAN,
    PERELMAN.gradient_flow(), gf.RicciFlow(gauge="deturck", normalised=True), gf.CalabiFlow(), gf.KahlerRicciFlow(),
    gf.ConformalRicciFlow(), gf.Flow.from_expression("-d(u,x,x,x)^2 + kappa*div(u*d(u,x), u)", kappa=1),
    gf.Flow.from_expression({"a": "laplacian(a) - a*b", "b": "d(b, x)^2/2"}),
]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda s: f"{type(s).__name__}-{str(s)[:20]}")
def test_every_symbolic_object_is_set_as_mathematics(shown):
    text = sympy.latex(shown)
    assert text in shown._repr_latex_()
    assert not re.search(r"\\mathtt|\\hbar|\*\*|\$|nabla_\{i W|(?<!\\)(nabla|laplacian|kappa|div|bar)\b", text), text
    readable = re.sub(r"\\begin\{matrix\}|\\end\{matrix\}|\\displaystyle", "", text)
    matplotlib.mathtext.MathTextParser("path").parse(f"${readable.replace('&', '').replace(chr(92) * 2, '')}$")


def test_ricci_deturck_reads_as_in_the_textbook():
    rate = sympy.latex(gf.RicciFlow(gauge="deturck").equation.rhs)
    assert rate == r"- 2 R_{ij} + \nabla_{i} W_{j} + \nabla_{j} W_{i}"


def test_the_conjugate_of_h_is_not_planck_s_constant():
    assert r"\bar{h}{\left(\bar{z} \right)}" in CONFORMAL._repr_latex_()
    assert r"\bar{h}" in sympy.latex(CONFORMAL.scalar)


def test_the_equation_of_an_expression_is_an_equation():
    flow = gf.Flow.from_expression("kappa*laplacian(u^3) - d(u, x, y)/2", kappa=2)
    t, kappa = sympy.symbols("t kappa")
    u = sympy.Function("u")(t)
    assert flow.equation.lhs == u.diff(t)
    assert flow.equation.rhs.coeff(kappa).args == (u**3,)
    assert sympy.latex(flow.equation.rhs).replace(r"{\left(t \right)}", "") == (
        r"\kappa \Delta\left(u^{3}\right) - \frac{\partial_{x}\partial_{y}\left(u\right)}{2}")
    assert str(flow) == "expression: Derivative(u(t), t) = kappa*laplacian(u(t)**3) - d(u(t), x, y)/2"
