"""Predicted linear rates at the flat metric: the table of rates, exactly."""

import pytest
import sympy

from geomflow.core.conventions import DECAY_RATES
from geomflow.field import ComplexTorus, Torus
from geomflow.symbolic import functionals as fn

K = sympy.Symbol("|k|", nonnegative=True)

RATES = {
    "Kähler–Ricci": (lambda t: fn.EF(t, "v*log(v)"), "dirichlet", K**2 / 2),
    "Hamilton's speed": (fn.KEnergy, "dirichlet", K**2),
    "Monge–Ampère": (lambda t: fn.EF(t, "(v-1)^2/2"), "dirichlet", K**2 / 2),
    "entropy": (lambda t: fn.EF(t, "v*log(v)"), "mabuchi", K**4 / 4),
    "Calabi flow": (fn.KEnergy, "mabuchi", K**4 / 2),
    "(v-1)^2": (lambda t: fn.EF(t, "(v-1)^2"), "mabuchi", K**4 / 2),
    "E_F, F''(1) = 7": (lambda t: fn.EF(t, "v^3 + v^2/2"), "mabuchi", sympy.Rational(7, 4) * K**4),
    "E_G, G(1) = 1": (lambda t: fn.EG(t, "v^-2"), "mabuchi", K**6 / 4),
    "E_G, G(1) = 5": (lambda t: fn.EG(t, "3*v + 2/v"), "mabuchi", sympy.Rational(5, 4) * K**6),
    "Calabi's functional": (fn.Calabi, "mabuchi", K**8 / 2),
    "J-flow": (fn.JFunctional, "mabuchi", K**2 / 2),
    "Ding": (fn.Ding, "mabuchi", K**2 / 2),
    "L2 at the flat metric is Mabuchi's": (fn.KEnergy, "L2", K**4 / 2),
}


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("name", RATES)
def test_decay_rate_of_potential_flow(name, dim):
    make, metric, expected = RATES[name]
    linear = make(ComplexTorus(dim=dim)).second_variation_at("flat", metric=metric)
    assert sympy.expand(linear.polynomial - expected) == 0
    assert linear.order == sympy.degree(expected, K)
    assert linear.well_posed


def test_rates_agree_with_the_executable_conventions():
    torus = ComplexTorus(dim=2)
    flows = {"kahler-ricci": fn.EF(torus, "v*log(v)").gradient_flow("dirichlet"),
             "hamilton": fn.KEnergy(torus).gradient_flow("dirichlet"),
             "entropy": fn.EF(torus, "v*log(v)").gradient_flow("mabuchi"),
             "k-energy": fn.KEnergy(torus).gradient_flow("mabuchi"),
             "calabi": fn.KEnergy(torus).gradient_flow()}
    for name, flow in flows.items():
        assert flow.decay_rate((1, 2, 0, 3)) == sympy.nsimplify(DECAY_RATES[name](14))


@pytest.mark.parametrize("dim", [2, 3, 4])
def test_perelman_f_grows_longitudinally(dim):
    linear = fn.PerelmanF(Torus(dim=dim)).gradient_flow().linearisation
    transverse = dim * (dim + 1) // 2 - dim
    assert linear.rates([2] + [0] * (dim - 1)) == {4: 1, 0: dim - 1, -4: transverse}
    assert not linear.well_posed
    assert linear.growing == {1: 1}


@pytest.mark.parametrize("dim", [2, 3, 4])
def test_lambda_flow_is_weakly_parabolic(dim):
    linear = fn.PerelmanLambda(Torus(dim=dim)).gradient_flow().linearisation
    assert linear.rates([2] + [0] * (dim - 1)) == {0: dim, -4: dim * (dim + 1) // 2 - dim}
    assert linear.well_posed


def test_longitudinal_mode_itself_grows():
    linear = fn.PerelmanF(Torus(dim=2)).gradient_flow().linearisation
    k = linear.wave_numbers
    mode = sympy.Matrix([k[0] ** 2, k[0] * k[1], k[1] ** 2])
    assert sympy.expand(linear.matrix * mode - (k[0] ** 2 + k[1] ** 2) * mode) == sympy.zeros(3, 1)


@pytest.mark.parametrize("dim", [3, 4])
def test_einstein_hilbert_is_ill_posed_both_ways(dim):
    total = fn.EinsteinHilbert(Torus(dim=dim))
    assert not total.gradient_flow().linearisation.well_posed
    assert not (-total).gradient_flow().linearisation.well_posed


@pytest.mark.parametrize("kind", [fn.ScalarSquared, fn.RicciSquared])
@pytest.mark.parametrize("dim", [2, 3])
def test_quadratic_curvature_flows_are_weakly_parabolic(kind, dim):
    linear = kind(Torus(dim=dim)).gradient_flow().linearisation
    assert linear.order == 4
    assert linear.well_posed


def test_the_wrong_sign_of_the_laplacian_of_v_is_caught():
    with pytest.warns(UserWarning, match="not convex"):
        wrong = fn.EF(ComplexTorus(dim=1), "-(v-1)^2")
    flow = wrong.gradient_flow()
    assert str(flow).endswith("= 2*Laplacian_d(v)")
    assert not flow.linearisation.well_posed
    assert "Ill-posed" in flow.explain()
    assert flow.linearisation.rates((1, 0)) == {sympy.Rational(1, 2): 1}


def test_explanation_of_perelman_f_names_the_well_posed_flows():
    text = fn.PerelmanF(Torus(dim=2)).gradient_flow().explain()
    for expected in ("Ill-posed", "|k|^2", "PerelmanLambda", "deturck"):
        assert expected in text
