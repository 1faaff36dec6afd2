"""How an ansatz and its reduction read: as text, in LaTeX, and as exact equations."""

import sympy

import geomflow as gf
from geomflow.symbolic import is_zero

SPHERE = gf.catalogue.ansatz("sphere", n=2)
FLOW = SPHERE.reduce("-2*Ric")


def test_rates_of_functions_read_as_sums_with_short_derivatives():
    assert str(FLOW).splitlines() == [
        "dchi/dt = 2*psi_xx/(chi*psi) - 2*chi_x*psi_x/(chi**2*psi)",
        "dpsi/dt = -1/psi + psi_xx/chi**2 + psi_x**2/(chi**2*psi) - chi_x*psi_x/chi**3",
    ]


def test_latex_writes_derivatives_as_indices():
    first, second = FLOW.latex().split(r"\\")
    assert r"\partial_t \chi &= \frac{2 \psi_{xx}}{\chi \psi}" in first
    assert r"\partial_t \psi &= - \frac{1}{\psi}" in second
    assert r"\frac{\psi_{x}^{2}}{\chi^{2} \psi}" in second
    assert "Derivative" not in FLOW.latex()
    assert r"\frac{d" not in FLOW.latex()


def test_an_index_of_a_name_stands_before_those_of_derivatives():
    text = gf.catalogue.ansatz("join").reduce("-2*Ric").latex()
    assert r"\partial_t \psi_{1}" in text
    assert r"\psi_{1,xx}" in text


def test_means_are_told_below_the_rates():
    found = SPHERE.reduce(gf.RicciFlow(normalised=True))
    name = found.means[0].name
    assert str(found).splitlines()[-1].startswith(f"{name} = integral(")
    assert str(found).endswith("/ integral((chi*psi**2) dx)")
    assert r"\mathrm{average}_{0} &= \frac{\int \left(" in found.latex()
    assert r"\right) \, \mathrm{d}x}" in found.latex()


def test_equations_are_exact_and_in_functions_of_the_time():
    t, x = sympy.Symbol("t", real=True), SPHERE.metric.chart.symbols[0]
    chi, psi = (sympy.Function(name)(t, x) for name in ("chi", "psi"))
    first, second = FLOW.equations
    assert (first.lhs, second.lhs) == (chi.diff(t), psi.diff(t))
    assert is_zero(first.rhs - 2 * (psi.diff(x) / chi).diff(x) / psi, SPHERE.metric.chart).decided()


def test_equations_of_numbers_are_ordinary_ones():
    t = sympy.Symbol("t", real=True)
    A, B, C = (sympy.Function(name)(t) for name in "ABC")
    found = gf.catalogue.ansatz("nil").reduce("-2*Ric + t*g").equations
    assert found[0].lhs == A.diff(t)
    assert is_zero(found[0].rhs - t * A + 4 * A**2 / (B * C)).decided()


def test_unknowns_come_in_the_order_given_else_as_they_appear():
    metric = gf.Metric("x y z", [["v(x)", 0, 0], [0, "u(x)", 0], [0, 0, "v(x)*u(x)^2"]], functions="u v")
    assert [u.name for u in gf.Ansatz(metric, domain=gf.Circle(1)).unknowns] == ["v", "u"]
    assert [u.name for u in gf.Ansatz(metric, unknowns="u v", domain=gf.Circle(1)).unknowns] == ["u", "v"]


def test_a_notebook_shows_an_ansatz_by_its_metric():
    assert SPHERE._repr_latex_().startswith(r"$\mathrm{d}s^2 = \chi^{2}")
