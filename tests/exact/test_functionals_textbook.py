"""Derived equals textbook, decided at random jets modulo a 61-bit prime, in every dimension offered."""

from fractions import Fraction

import pytest

from geomflow.core import graph as gr
from geomflow.core.symmetric import packed_places
from geomflow.field import ComplexTorus, Torus
from geomflow.symbolic import functionals as fn
from geomflow.symbolic.variation import metrics as mt
from geomflow.symbolic.variation.metric_frame import DerivingMetric, MetricRealisation
from geomflow.symbolic.variation.potentials import HessianPairing
from geomflow.symbolic.variation.residues import all_vanish
from geomflow.symbolic.variation.staged import Staged

HALF = Fraction(1, 2)
COMPLEX, REAL = (1, 2, 3), (2, 3, 4)


def two_derivative(big_w, slope):
    """Δ_∂(|∂W|² − 2vW'Δ_∂W) − ∇_c∇_d̄(∂^cW ∂^d̄W), the gradient of E_G with W'² = G/v."""

    def textbook(use):
        w = big_w(use.v)
        inner = use.pairing(w, w) - 2 * use.v * slope(use.v) * use.laplacian(w)
        return use.laplacian(inner) - use.double_divergence("outer", gr.ONE, w, w)

    return textbook


def lichnerowicz(use):
    """−8 𝒟*𝒟 r, 𝒟*𝒟f = Δ_∂²f + R^{b̄a}f_{ab̄} + ⟨∂r,∂f⟩."""
    r = HALF * use.scalar
    ricci_hessian = -use.symbol(HessianPairing(gr.log(use.v), r))
    return -8 * (use.laplacian(use.laplacian(r)) + ricci_hessian + use.pairing(r, r))


POTENTIALS = {
    "K-energy: Rbar - R": (fn.KEnergy, lambda use: gr.symbol("Rbar") - use.scalar),
    "E_F, v log v: -R/2": (lambda t: fn.EF(t, "v*log(v)"), lambda use: -HALF * use.scalar),
    "E_F, (v-1)^2": (lambda t: fn.EF(t, "(v-1)^2"), lambda use: 2 * use.laplacian(use.v)),
    "E_F, exp(v) + v^(5/2)": (lambda t: fn.EF(t, "exp(v) + v^(5/2)"),
                              lambda use: use.laplacian(gr.exp(use.v) + Fraction(5, 2) * use.v ** Fraction(3, 2))),
    "E_G, v^-2": (lambda t: fn.EG(t, "v^-2"),
                  two_derivative(lambda v: -2 * v ** -HALF, lambda v: v ** Fraction(-3, 2))),
    "E_G, v^-2 in curvature": (lambda t: fn.EG(t, "v^-2"), lambda use: use.laplacian(use.laplacian(1 / use.v))
                               - use.double_divergence("hessian", 1 / use.v, gr.log(use.v))),
    "E_G, v^-1": (lambda t: fn.EG(t, "1/v"), two_derivative(gr.log, lambda v: 1 / v)),
    "E_G, v^-1 in curvature": (lambda t: fn.EG(t, "1/v"), lambda use: HALF * (
        2 * use.laplacian(use.scalar) + use.ricci_squared - HALF * use.scalar**2)),
    "E_G, v^3": (lambda t: fn.EG(t, "v^3"), two_derivative(lambda v: HALF * v**2, lambda v: v)),
    "Calabi: Lichnerowicz": (fn.Calabi, lichnerowicz),
    "Aubin J": (fn.AubinJ, lambda use: use.reference_ratio - 1),
    "Aubin I": (fn.AubinI, lambda use: use.reference_ratio - 1 - use.laplacian(use.phi)),
    "Ding, c1 = 0": (fn.Ding, lambda use: 1 / use.v - 1),
    "sigma": (fn.Sigma, lambda use: use.laplacian(gr.call("sign", use.v - 1))),
    "Perelman's F with f = log v": (fn.PerelmanKahler, lambda use: gr.ZERO),
}


@pytest.mark.parametrize("dim", COMPLEX)
@pytest.mark.parametrize("name", POTENTIALS)
def test_gradient_of_potential_functional(name, dim):
    make, textbook = POTENTIALS[name]
    functional = make(ComplexTorus(dim=dim))
    assert functional.certify_gradient(textbook)
    assert functional.certify()


@pytest.mark.parametrize("dim", COMPLEX)
def test_j_functional_gives_trace_minus_constant(dim):
    assert fn.JFunctional(ComplexTorus(dim=dim)).certify_gradient(lambda use: use.form_trace - dim)


def test_j_functional_of_another_form():
    chi = [[2, (1, 1)], [(1, -1), 3]]
    functional = fn.JFunctional(ComplexTorus(dim=2), chi)
    assert functional.certify_gradient(lambda use: use.form_trace - 10)
    assert not functional.certify_gradient(lambda use: use.form_trace - 9)


@pytest.mark.parametrize("dim", COMPLEX)
def test_total_scalar_curvature_is_topological(dim):
    total = fn.from_density(ComplexTorus(dim=dim), "R")
    assert all_vanish(total.euler())


@pytest.mark.parametrize("dim", COMPLEX)
def test_perelman_with_the_calabi_yau_dilaton_is_identically_zero(dim):
    assert all_vanish(fn.PerelmanKahler(ComplexTorus(dim=dim)).euler())
    almost = fn.from_density(ComplexTorus(dim=dim), "R + 2*dot(log(v), log(v))", measure="omega")
    assert not all_vanish(almost.euler())


@pytest.mark.parametrize("dim", COMPLEX)
def test_two_derivative_functional_is_minus_half_the_curvature_in_the_flat_measure(dim):
    torus = ComplexTorus(dim=dim)
    curvature = fn.from_density(torus, "R", measure="omega")
    assert all_vanish((fn.EG(torus, "v^-2") + curvature / 2).euler())


@pytest.mark.parametrize("dim", COMPLEX)
def test_wrong_closed_forms_are_rejected(dim):
    torus = ComplexTorus(dim=dim)
    assert not fn.KEnergy(torus).certify_gradient(lambda use: gr.symbol("Rbar") + use.scalar)
    assert not fn.KEnergy(torus).certify_gradient(lambda use: gr.symbol("Rbar") - HALF * use.scalar)
    assert not fn.EF(torus, "(v-1)^2").certify_gradient(lambda use: use.laplacian(use.v))
    assert not fn.Calabi(torus).certify_gradient(lambda use: -4 * use.laplacian(use.laplacian(use.scalar)))


def exp_f(use):
    return gr.exp(-use.dilaton)


def f_hessian(use):
    return mt.Tensor("hessian", (use.dilaton,))


def r_hessian(use):
    return mt.Tensor("hessian", (use.scalar,))


def dm(use, tensors):
    return {t: c * exp_f(use) for t, c in tensors.items()}


def coupled(use):
    f = use.dilaton
    bracket = use.scalar + 2 * use.laplacian(f) - use.pairing(f, f)
    minus = gr.constant(-1)
    return {mt.METRIC: HALF * exp_f(use) * bracket, **dm(use, {mt.RICCI: minus, f_hessian(use): minus}),
            "f": -exp_f(use) * bracket}


METRICS = {
    "volume": (fn.Volume, lambda use: {mt.METRIC: gr.constant(HALF)}),
    "Einstein-Hilbert: minus the Einstein tensor": (
        fn.EinsteinHilbert, lambda use: {mt.RICCI: gr.constant(-1), mt.METRIC: HALF * use.scalar}),
    "R^2": (fn.ScalarSquared, lambda use: {
        r_hessian(use): gr.constant(2), mt.RICCI: -2 * use.scalar,
        mt.METRIC: HALF * use.scalar**2 - 2 * use.laplacian(use.scalar)}),
    "Perelman F at fixed measure": (
        fn.PerelmanF, lambda use: dm(use, {mt.RICCI: gr.constant(-1), f_hessian(use): gr.constant(-1)})),
    "Perelman F of g and f": (fn.PerelmanFCoupled, coupled),
    "Perelman W at fixed measure": (fn.PerelmanW, lambda use: dm(use, {
        mt.RICCI: -gr.symbol("tau"), f_hessian(use): -gr.symbol("tau"), mt.METRIC: gr.constant(HALF)})),
}


@pytest.mark.parametrize("dim", REAL)
@pytest.mark.parametrize("name", METRICS)
def test_gradient_of_metric_functional(name, dim):
    make, textbook = METRICS[name]
    assert make(Torus(dim=dim)).certify_gradient(textbook)


@pytest.mark.parametrize("dim", REAL)
@pytest.mark.parametrize("kind", [fn.RicciSquared, fn.PerelmanLambda, fn.PerelmanWCoupled])
def test_euler_operator_agrees_with_the_rules(kind, dim):
    assert kind(Torus(dim=dim)).certify()


@pytest.mark.parametrize("dim", REAL)
def test_ricci_squared_against_besse(dim):
    """½|Ric|²g − 2R_{ikjl}R^{kl} + ∇∇R − ΔRic − ½ΔR g, the derivatives commuted as in the textbook."""
    functional = fn.RicciSquared(Torus(dim=dim))
    euler, use = functional.euler(), functional.new_algebra()
    metric = DerivingMetric(functional.coordinates)
    realise = MetricRealisation(use, metric, "besse_")
    known = realise.combination({
        mt.METRIC: HALF * use.ricci_squared - HALF * use.laplacian(use.scalar),
        r_hessian(use): gr.ONE, mt.Tensor("rough", (gr.ONE,)): gr.constant(-1)})
    upper, riemann, axes = metric.raised(metric.ricci), metric.riemann_lower, range(dim)
    bent = [[known[i, j] - 2 * gr.add(*(riemann[i, k, j, l] * upper[k, l] for k in axes for l in axes)) for j in axes]
            for i in axes]
    raised = metric.raised(metric.ring.array((dim, dim)) + bent)
    outputs = tuple(e - (1 if i == j else 2) * metric.volume * raised[i, j]
                    for e, (i, j) in zip(euler.outputs, packed_places(dim)))
    stages = (*euler.stages, *realise.stages[len(metric.stages):])
    assert all_vanish(Staged(functional.coordinates, (dim,), stages, outputs))


@pytest.mark.parametrize("dim", REAL)
def test_lambda_gradient_uses_the_eigenvalue_equation(dim):
    gradient = fn.PerelmanLambda(Torus(dim=dim)).gradient("weighted")
    use = gradient.variation.algebra
    assert gradient.tensors == {mt.RICCI: gr.constant(-1), f_hessian(use): gr.constant(-1)}


@pytest.mark.parametrize("dim", REAL)
def test_wrong_closed_forms_of_metrics_are_rejected(dim):
    torus = Torus(dim=dim)
    assert not fn.PerelmanF(torus).certify_gradient(lambda use: dm(use, {mt.RICCI: gr.constant(-1)}))
    assert not fn.Volume(torus).certify_gradient(lambda use: {mt.METRIC: gr.ONE})
    assert not fn.ScalarSquared(torus).certify_gradient(lambda use: {
        r_hessian(use): gr.constant(2), mt.RICCI: -2 * use.scalar, mt.METRIC: HALF * use.scalar**2})


@pytest.mark.parametrize("dim", REAL)
def test_perelmans_coupled_flow_is_ricci_flow_beside_the_conjugate_heat_equation(dim):
    flow = fn.PerelmanF(Torus(dim=dim)).coupled_flow()
    whole = flow.system()
    use = mt.MetricAlgebra()
    realise = fn.PerelmanFCoupled(Torus(dim=dim)).realisation(use)
    f = use.dilaton
    rate_f = realise.value(-use.scalar - use.laplacian(f) + use.pairing(f, f))
    expected = [*(-2 * realise.frame.ricci[p] for p in packed_places(dim)), rate_f]
    assert gr.all_zero([a - b for a, b in zip(whole.rates, expected)])
    assert whole.backward == ("f",)


def test_einstein_tensor_vanishes_in_dimension_two():
    assert all_vanish(fn.EinsteinHilbert(Torus(dim=2)).euler())
    assert not all_vanish(fn.EinsteinHilbert(Torus(dim=3)).euler())
