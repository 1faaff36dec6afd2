"""Definitions, errors, warnings and texts of functionals."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError, PositivityError, ShapeError, UnknownNameError
from geomflow.field import ComplexTorus, Torus
from geomflow.symbolic import functionals as fn
from geomflow.symbolic.chart import Chart, ComplexChart

POTENTIAL_KINDS = [fn.KEnergy, fn.Calabi, fn.JFunctional, fn.AubinI, fn.AubinJ, fn.Ding, fn.Sigma, fn.PerelmanKahler]
METRIC_KINDS = [fn.Volume, fn.EinsteinHilbert, fn.ScalarSquared, fn.RicciSquared, fn.PerelmanF, fn.PerelmanFCoupled,
                fn.PerelmanW, fn.PerelmanWCoupled, fn.PerelmanLambda]


@pytest.mark.parametrize("kind", POTENTIAL_KINDS)
def test_potential_functional_needs_a_complex_geometry(kind):
    with pytest.raises(InputError, match=r"ComplexTorus.*the geometry given is real, of dimension 2"):
        kind(Torus(dim=2))


@pytest.mark.parametrize("kind", METRIC_KINDS)
def test_metric_functional_needs_a_real_geometry_of_dimension_two_to_four(kind):
    with pytest.raises(InputError, match=r"Torus.*the geometry given is complex"):
        kind(ComplexTorus(dim=2))
    with pytest.raises(InputError, match="the geometry has dimension 1"):
        kind(Torus(dim=1))


@pytest.mark.parametrize(("functional", "state", "words"), [
    (fn.KEnergy(ComplexTorus(1)), Torus(2).grid(8).metric(None), "kenergy is a functional of a Kähler.*Metric"),
    (fn.Volume(Torus(2)), ComplexTorus(1).grid(8).potential("0"), "volume is a functional of a metric.*PotentialField"),
    (fn.KEnergy(ComplexTorus(1)), Torus(2).grid(8).scalar("sin(2*pi*x)"), "a ScalarField was given"),
    (fn.KEnergy(ComplexTorus(1)), np.zeros(3), "evaluated at a field on a grid.*a ndarray was given"),
    (fn.KEnergy(ComplexTorus(2)), ComplexTorus(1).grid(8).potential("0"), "coordinates x1, y1, x2, y2.*own torus"),
    (fn.PerelmanW(Torus(2)), Torus(2).grid(8).metric(None), "perelman-w needs a number for 'tau'"),
])
def test_a_functional_says_where_it_can_be_evaluated(functional, state, words):
    with pytest.raises(InputError, match=words):
        functional(state)


def test_numbers_and_measures_that_a_functional_does_not_have_are_refused():
    metric = Torus(2).grid(8).metric(None)
    with pytest.raises(InputError, match="no parameters, and 'tau' was given"):
        fn.Volume(Torus(2))(metric, {"tau": 1})
    with pytest.raises(InputError, match="no reference measure"):
        fn.Volume(Torus(2))(metric, measure=2)
    with pytest.raises(InputError, match="must be positive"):
        fn.PerelmanF(Torus(2))(metric, measure=-1)
    bent = ComplexTorus(1).grid(16).potential("cos(2*pi*x)/100")
    with pytest.raises(PositivityError, match="Kähler cone"):
        fn.KEnergy(ComplexTorus(1))(bent.unpack(40 * bent.pack()))


@pytest.mark.parametrize("chi", [[[0.5]], [[(0.5, 0)]], [[[0.5, 0.0]]], np.array([[0.5 + 0j]]), [[Fraction(1, 2)]],
                                 [[sympy.Rational(1, 2)]]])
def test_forms_are_read_however_they_are_written(chi):
    assert fn.JFunctional(ComplexTorus(1), chi).form == [[(Fraction(1, 2), 0)]]


@pytest.mark.parametrize("chi", [0.5, "x", [["a"]], [[None]], [[np.nan]], [[(1, 0, 0)]]])
def test_what_is_no_form_is_refused(chi):
    with pytest.raises(InputError, match="chi"):
        fn.JFunctional(ComplexTorus(1), chi)


def test_critical_states_and_volumes():
    """χ = ½ over the reference 1: c = ½, so that the flat state is critical; σ is divided by the volume."""
    torus = ComplexTorus(1)
    state = torus.grid(16, scheme="spectral").potential("cos(2*pi*x)/100", reference=[[1]])
    functional = fn.JFunctional(torus, [[Fraction(1, 2)]])
    assert functional(state.unpack(state.pack() + 1)) == pytest.approx(functional(state), abs=1e-15)
    assert functional(state.unpack(0 * state.pack())) == 0
    wide = ComplexTorus(1, periods=(2, 3))
    state = wide.grid(32, scheme="spectral").potential("cos(pi*x)*cos(2*pi*y/3)/50")
    assert fn.Sigma(wide)(state) == pytest.approx(np.abs(state.density().values - 1).mean(), rel=1e-12)


def test_a_functional_needs_a_geometry():
    with pytest.raises(InputError, match="not a int"):
        fn.KEnergy(3)


def test_charts_are_geometries():
    assert fn.Volume(Chart("x y")).certify()
    flow = fn.KEnergy(ComplexChart("z")).gradient_flow()
    assert flow.system().program.coordinates == ("x", "y")


@pytest.mark.parametrize("kind", [*POTENTIAL_KINDS, *METRIC_KINDS])
def test_every_functional_says_what_it_is(kind):
    functional = kind(ComplexTorus(dim=1) if kind in POTENTIAL_KINDS else Torus(dim=2))
    assert functional.definition in str(functional)
    assert functional.source
    assert fn.FUNCTIONALS[functional.name] is kind
    text = functional.explain()
    assert "δE = ∫" in text
    assert functional.source in text
    assert r"\frac{d}{d t}" in functional.gradient_flow().latex().partition(" = ")[0]
    assert "Eq(" not in functional.gradient_flow().explain()


def test_equations_read_like_the_textbook():
    shown = {
        fn.KEnergy(ComplexTorus(dim=1)): "phi(t), t) = R - Rbar",
        fn.EF(ComplexTorus(dim=1), "v*log(v)"): "= R/2",
        fn.EF(ComplexTorus(dim=1), "(v-1)^2"): "= -2*Laplacian_d(v)",
        fn.Ding(ComplexTorus(dim=2)): "= 1 - 1/v",
        fn.JFunctional(ComplexTorus(dim=2)): "= c - tr(chi)",
        fn.PerelmanF(Torus(dim=3)): "g_ij(t), t) = -2*R_ij - 2*Hessian(f)",
        fn.PerelmanLambda(Torus(dim=3)): "= -2*R_ij - 2*Hessian(f)",
        fn.EinsteinHilbert(Torus(dim=3)): "= -R*g_ij/2 + R_ij",
    }
    for functional, text in shown.items():
        assert str(functional.gradient_flow()).endswith(text)
    assert sympy.latex(fn.KEnergy(ComplexTorus(dim=1)).equation).endswith(r"R - \bar{R}")


def test_dirichlet_flow_of_the_entropy_is_kahler_ricci_flow():
    flow = fn.EF(ComplexTorus(dim=2), "v*log(v)").gradient_flow("dirichlet")
    assert str(flow).endswith("= -Sbar + log(v) + 1")
    assert flow.system().averages[0].parameter == "mean"


def test_sums_and_multiples():
    torus = ComplexTorus(dim=1)
    whole = fn.KEnergy(torus) / 2 - 3 * fn.Calabi(torus) + 0.5 * fn.EF(torus, "v^2")
    assert [c for c, _ in whole.terms()] == [Fraction(1, 2), -3, Fraction(1, 2)]
    assert whole.certify()
    assert "kenergy" in str(whole)
    difference = fn.KEnergy(torus) - 2 * fn.EF(torus, "v*log(v)")
    assert difference.certify_gradient(lambda use: gr.symbol("Rbar"))


def test_sums_of_unlike_functionals_are_refused():
    with pytest.raises(InputError, match="one kind of field"):
        fn.KEnergy(ComplexTorus(dim=1)) + fn.Volume(Torus(dim=2))
    with pytest.raises(InputError, match="one geometry"):
        fn.KEnergy(ComplexTorus(dim=1)) + fn.KEnergy(ComplexTorus(dim=2))
    with pytest.raises(InputError, match="an unknown"):
        fn.PerelmanF(Torus(dim=2)) + fn.PerelmanLambda(Torus(dim=2))


def test_metrics_on_fields_are_named():
    with pytest.raises(UnknownNameError, match="did you mean 'mabuchi'"):
        fn.KEnergy(ComplexTorus(dim=1)).gradient("mabuci")
    with pytest.raises(InputError, match="use metric='mabuchi'"):
        fn.Calabi(ComplexTorus(dim=1)).gradient_flow("dirichlet")


def test_concave_function_is_warned_with_its_place():
    with pytest.warns(UserWarning, match=r"F''\(v\) < 0 for v from about 0.001 to 0.57"):
        fn.EF(ComplexTorus(dim=1), "v^4 - 2*v^2")


@pytest.mark.parametrize("function", ["v*log(v)", "(v-1)^2", "v^3", "exp(v)", "1/v", "abs(v-1)", "-sqrt(v)"])
def test_convex_functions_are_not_warned(function):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fn.EF(ComplexTorus(dim=1), function)


def test_functions_are_given_as_text_sympy_or_nodes():
    v = sympy.Symbol("v")
    torus = ComplexTorus(dim=1)
    given = ("v^3", v**3, gr.symbol("v") ** 3)
    equations = {str(fn.EF(torus, f).gradient_flow()) for f in given}
    assert len(equations) == 1
    with pytest.raises(ExpressionError, match="contains 'w'"):
        fn.EF(torus, sympy.Symbol("w") * v)


def test_g_must_be_positive():
    with pytest.raises(PositivityError, match=r"G\(0.001\) = -0.999"):
        fn.EG(ComplexTorus(dim=1), "v - 1")


def test_chi_must_be_positive_and_hermitian():
    torus = ComplexTorus(dim=2)
    with pytest.raises(PositivityError, match="smallest eigenvalue is -1"):
        fn.JFunctional(torus, [[1, 0], [0, -1]])
    with pytest.raises(InputError, match="Hermitian"):
        fn.JFunctional(torus, [[1, (0, 1)], [(0, 1), 2]])
    with pytest.raises(InputError, match="2 x 2"):
        fn.JFunctional(torus, [[1]])


def test_ding_needs_vanishing_first_chern_class_on_a_torus():
    with pytest.raises(InputError, match="a torus has c₁ = 0"):
        fn.Ding(ComplexTorus(dim=1), chern=1)


CHART_DEPENDENT = ["g_xx", "g_xx*g_yy - g_xy^2", "d(f, x)", "d(f, x)^2 + d(f, y)^2", "x*R", "d(R, x, y)"]


@pytest.mark.parametrize("density", CHART_DEPENDENT)
def test_densities_that_depend_on_the_chart_are_named(density):
    with pytest.raises(InputError, match="is not covariant") as error:
        fn.from_density(Torus(dim=2), density)
    assert density in str(error.value)


@pytest.mark.parametrize("density", ["d(phi, x1)", "d(phi, x1)^2", "x1*R", "d(d(v, y1), x2)"])
def test_potential_densities_that_depend_on_the_chart_are_named(density):
    with pytest.raises(InputError, match="is not covariant"):
        fn.from_density(ComplexTorus(dim=2), density)


@pytest.mark.parametrize("density", ["R", "1", "Ric2 - R^2/2", "f*laplacian(R)", "dot(f, R)", "exp(f)*dot(f, f)"])
def test_covariant_densities_are_accepted(density):
    assert fn.from_density(Torus(dim=2), density).certify()


def test_densities_from_sympy_and_from_functions():
    torus = Torus(dim=2)
    curvature = sympy.Symbol("R")
    texts = {str(fn.from_density(torus, d).equation) for d in ("R^2", curvature**2, lambda use: use.scalar**2)}
    assert texts == {str(fn.ScalarSquared(torus).equation)}


def test_density_errors():
    with pytest.raises(ExpressionError, match="unknown name 'Q'"):
        fn.from_density(Torus(dim=2), "Q^2")
    with pytest.raises(InputError, match="measure must be 'dmu' or 'omega'"):
        fn.from_density(ComplexTorus(dim=1), "R", measure="dV")
    for geometry in (Torus(dim=2), ComplexTorus(dim=1)):
        with pytest.raises(InputError, match=r"'i\*R' holds the imaginary unit"):
            fn.from_density(geometry, "i*R")


def test_background_must_be_a_matrix():
    with pytest.raises(ShapeError):
        fn.KEnergy(ComplexTorus(dim=2)).second_variation_at([[1]])
    with pytest.raises(ShapeError):
        fn.Volume(Torus(dim=2)).second_variation_at([[1]])
    scaled = fn.KEnergy(ComplexTorus(dim=1)).second_variation_at([[1]])
    assert scaled.decay_rate((2, 0)) == 2


def test_principal_symbol_at_a_state():
    torus = ComplexTorus(dim=1)
    with pytest.warns(UserWarning, match="not convex"):
        functional = fn.EF(torus, "v^4 - 2*v^2")
    symbol = functional.gradient_flow().principal_symbol()
    stretch = np.array([-0.8, 0.0, 0.5])
    values = {leaf: stretch if leaf.data[1] == (2, 0) else np.zeros(3) for leaf in symbol.leaves}
    v = 1 + stretch / 2
    for k in range(3):
        growth = symbol.growth({leaf: x[k:k + 1] for leaf, x in values.items()})
        assert growth == pytest.approx(-(12 * v[k] ** 2 - 4) / v[k] / 4, rel=1e-12)
    assert symbol.order == 4


def test_perelman_f_is_ill_posed_at_every_metric():
    symbol = fn.PerelmanF(Torus(dim=2)).gradient_flow().principal_symbol()
    random = np.random.default_rng(0)
    values = {}
    for leaf in symbol.leaves:
        diagonal = leaf.data[0] in ("g_xx", "g_yy")
        values[leaf] = random.uniform(1, 2, 5) if diagonal else random.uniform(-0.5, 0.5, 5)
    assert symbol.growth(values) > 0.4


def test_lambda_solves_for_its_dilaton():
    system = fn.PerelmanLambda(Torus(dim=2)).gradient_flow().system()
    assert (system.program.fields, system.unknowns) == (("g_xx", "g_xy", "g_yy", "f"), ("g_xx", "g_xy", "g_yy"))
    ground = system.elliptic
    assert ground.unknown == "u"
    assert gr.jet("u", (2, 0)) in gr.leaves([ground.operator])


def test_stages_needed_are_few():
    assert len(fn.Calabi(ComplexTorus(dim=2)).gradient_flow().stages) == 3
    assert [s.names for s in fn.KEnergy(ComplexTorus(dim=2)).gradient_flow().stages] == [("log_v",)]
