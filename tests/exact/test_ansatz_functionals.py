"""Functionals on an ansatz: their reduced gradient is the gradient of the whole, reduced (symmetric criticality)."""

import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.symbolic import is_zero

DESCENTS = {"R": "Ric - R*g/2", "R^2": "2*R*Ric - R^2*g/2 + 2*g*laplacian(R) - 2*Hess(R)", "1": "-g/2"}
"""−grad of ∫R, of ∫R² and of the volume in ∫ h_ij h^ij dV (A. Besse, Einstein manifolds, 1987, 4.17, 4.66)."""
ANSAETZE = [("su2", {}), ("nil", {}), ("sol", {}), ("sl2r", {}), ("berger", {"n": 2}),
            ("product", {"spheres": (2, 3), "flat": 1}), ("sphere", {"n": 1}), ("sphere", {"n": 2}),
            ("join", {"p": 1, "q": 1})]


@pytest.mark.parametrize("density", DESCENTS)
@pytest.mark.parametrize("name, parameters", ANSAETZE)
def test_the_gradient_of_the_reduced_functional_is_the_reduced_gradient(name, parameters, density):
    ansatz = gf.catalogue.ansatz(name, **parameters)
    found, whole = ansatz.functional(density).gradient_flow(), ansatz.reduce(DESCENTS[density])
    assert is_zero([f - w for f, w in zip(found.rates, whole.rates, strict=True)], ansatz.metric.chart).decided()


def test_unknowns_whose_changes_are_not_orthogonal_have_the_same_gradient():
    """e^{2u+2v} dx² + e^{2v} dy²: the inner product of metrics mixes u and v."""
    chart = gf.Chart("x y", periods={"x": 1, "y": 1})
    metric = gf.Metric(chart, [["exp(2*u(x) + 2*v(x))", 0], [0, "exp(2*v(x))"]], functions="u v")
    ansatz = gf.Ansatz(metric, unknowns="u v")
    energy = ansatz.functional("R^2")
    assert not is_zero(energy.products[0, 1], chart).decided()
    found, whole = energy.gradient_flow(), ansatz.reduce(DESCENTS["R^2"])
    assert is_zero([f - w for f, w in zip(found.rates, whole.rates, strict=True)], chart).decided()


@pytest.mark.parametrize("density, value", [("1", 2), ("R", 12), ("R^2", 72), ("Ric2", 24), ("Rm2", 24)])
def test_the_unit_three_sphere_has_its_textbook_values(density, value):
    """The volume is 2π², R = 6, |Ric|² = 12 and |Rm|² = 12."""
    energy = gf.catalogue.ansatz("su2").functional(density)
    at_one = energy.density.subs(dict.fromkeys(energy.density.free_symbols, 1))
    assert is_zero(at_one - value * sympy.pi**2).decided()


def test_the_total_curvature_of_a_surface_is_a_number():
    """∫ R dV = 8π on a sphere of revolution: no change of the metric changes it, after Gauss and Bonnet."""
    energy = gf.catalogue.ansatz("sphere", n=1).functional("R")
    assert energy.variation == (0, 0)
    assert energy.gradient_flow().rates == (0, 0)


def test_derivatives_of_curvature_are_carried_out():
    """On χ² dx² + ψ² dθ², Δf = (ψ f_s)_s/ψ, and R = −2ψ_ss/ψ."""
    ansatz = gf.catalogue.ansatz("sphere", n=1)
    (x,), (chi, psi) = (s for s in ansatz.metric.chart.symbols if s.name == "x"), (u.value for u in ansatz.unknowns)
    scalar = -2 * (psi.diff(x) / chi).diff(x) / (chi * psi)
    wanted = (psi * scalar.diff(x) / chi).diff(x) / (chi * psi)
    found = ansatz.reduce("laplacian(R)*g")
    left = [ansatz.scalar("laplacian(R)") - wanted, found["psi"] - psi * wanted / 2]
    assert is_zero(left, ansatz.metric.chart).decided()


def test_orbits_of_infinite_volume_have_no_functional():
    with pytest.raises(InputError, match="infinite along x"):
        gf.catalogue.ansatz("bianchi", type="V").functional("R")


def test_functionals_show_their_integrand():
    assert str(gf.catalogue.ansatz("nil").functional("R")) == "E = (-2*A**(3/2)/(sqrt(B)*sqrt(C)))"
    assert str(gf.catalogue.ansatz("sphere", n=1).functional("1")) == "E = integral((2*pi*chi*psi) dx)"
    assert r"\mathrm{d}x" in gf.catalogue.ansatz("sphere", n=1).functional("1").latex()
