"""Toric surfaces against closed forms: polygons, integrals, Koiso and Cao's soliton, Calabi's extremal metrics."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow.field.toric import ToricState
from geomflow.flow.toric.equations import Abreu
from geomflow.symbolic import is_zero
from geomflow.symbolic.toric.geometry import X, hessian_of, inverse_of, metric_of
from geomflow.symbolic.toric.integrals import over_boundary, over_polygon
from geomflow.symbolic.toric.polygon import polygon_of

UNSTABLE = [(39, 1), (38, 2), (36, 3), (24, 7), (-24, 7), (-36, 3), (-38, 2), (-39, 1), (-39, -1), (-38, -2), (-36, -3),
            (-24, -7), (24, -7), (36, -3), (38, -2), (39, -1)]
NAMES = ["CP2", "CP1xCP1", "dP1", "dP2", "dP3", "F1", "F2", "F3"]


def inside(toric: gf.Toric, count: int = 5) -> np.ndarray:
    """Places inside of a polygon: means of its corners."""
    shares = np.random.default_rng(0).dirichlet(np.ones(len(toric.vertices)), size=count)
    return shares @ np.array(toric.vertices, dtype=float)


# exact geometry


def test_abreus_equation_comes_from_the_metric():
    u = sympy.Function("u")(*X)
    inverse = inverse_of(hessian_of(u))
    wanted = -2 * sum(sympy.diff(inverse[i, j], X[i], X[j]) for i in (0, 1) for j in (0, 1))
    assert is_zero(metric_of(u, "u").scalar - wanted)
    assert is_zero(gf.Toric("CP2").equation.rhs.doit() - wanted)


def test_ricci_in_logarithms_comes_from_the_metric():
    """R_{ij̄} = u^ik ∂_k(u^jl ∂_l log det u): what the equation of solitons is made of."""
    u = sympy.Function("u")(*X)
    hessian = hessian_of(u)
    inverse, log = inverse_of(hessian), sympy.log(hessian.det())
    slopes = [sum(inverse[j, m] * log.diff(X[m]) for m in (0, 1)) for j in (0, 1)]
    ricci = metric_of(u, "u").ricci
    for i in (0, 1):
        for j in (0, 1):
            wanted = sum(inverse[i, k] * slopes[j].diff(X[k]) for k in (0, 1))
            assert is_zero(ricci[2 + i, 2 + j] - 2 * wanted)


@pytest.mark.parametrize("name", ["CP2", "CP1xCP1"])
def test_the_simplest_metrics_are_einstein_in_exact_geometry(name):
    metric = gf.Toric(name).metric()
    assert is_zero(list(metric.ricci - metric.matrix))
    assert is_zero(metric.scalar - 4)


def test_exact_geometry_closes_on_states():
    """Ric and R of a state with h ≠ 0 by the exact geometry of the package, against what the state says itself."""
    state = gf.Toric("CP2").grid(4).state("x1^2*x2/20 + x2^4/50 - x1*x2/10")
    metric = state.metric()
    place = dict(zip(metric.chart.symbols, (sympy.Rational(1, 4), sympy.Rational(1, 5), 0, 0), strict=True))
    ricci = np.array(metric.ricci.subs(place).evalf(20), dtype=float)[2:, 2:] / 2
    own = state.curvature([(0.25, 0.2)])
    assert np.abs(ricci - own.ricci[0]).max() < 1e-12
    assert abs(float(metric.scalar.subs(place).evalf(20)) - own.scalar[0]) < 1e-11


def test_legendres_transform_gives_complex_coordinates():
    """On CP² |z_i|² = x_i/(1 − x₁ − x₂), and g_{ij̄} = ∂_i∂_j log(1 + |z₁|² + |z₂|²) in their logarithms."""
    plane = gf.Toric([(0, 0), (1, 0), (0, 1)]).grid(2).state()
    x = np.array([[0.2, 0.5], [0.6, 0.1]])
    square = np.exp(plane.complex_coordinates(x))
    assert np.abs(square - x / (1 - x.sum(axis=1))[:, None]).max() < 1e-13
    assert np.abs(plane.at(x) - (np.einsum("mi,ij->mij", x, np.eye(2)) - np.einsum("mi,mj->mij", x, x))).max() < 1e-14
    curvature = plane.curvature(x)
    assert np.abs(curvature.scalar - 12).max() < 1e-11
    assert np.abs(curvature.riemann**2 - 48).max() < 1e-10  # as KahlerMetric says


# polygons


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("powers", [(0, 0), (1, 0), (2, 3), (0, 4)])
def test_integrals_are_those_of_triangles(name, powers):
    """Over triangles between corners by mpmath, which is exact for polynomials."""
    toric = gf.Toric(name)
    first, *others = [np.array([mpmath.mpf(v.numerator) / v.denominator for v in x]) for x in toric.vertices]
    total = mpmath.mpf(0)
    for p, q in pairwise(others):
        a, b = p - first, q - first

        def integrand(r, s, a=a, b=b):
            x = first + r * ((1 - s) * a + s * b)
            return r * x[0] ** powers[0] * x[1] ** powers[1]

        inner = mpmath.quad(integrand, [0, 1], [0, 1], method="gauss-legendre", maxdegree=3)
        total += abs(a[0] * b[1] - a[1] * b[0]) * inner
    assert abs(float(total) - float(over_polygon(toric.polygon, {powers: Fraction(1)}))) < 1e-11


def test_known_integrals_and_invariants():
    triangle = gf.Toric([(0, 0), (1, 0), (0, 1)])
    assert over_polygon(triangle.polygon, {(1, 1): Fraction(1)}) == Fraction(1, 24)
    assert over_boundary(triangle.polygon, {(1, 0): Fraction(1)}) == 1
    assert triangle.einstein_constant == 3
    assert gf.Toric("dP1").futaki == (Fraction(1, 3), Fraction(1, 3))
    assert gf.Toric("dP3").futaki == gf.Toric("CP2").futaki == (0, 0)
    assert gf.Toric("dP2").self_intersections == (0, 0, -1, -1, -1)
    assert [len(gf.Toric(name).symmetries) for name in NAMES] == [6, 8, 2, 2, 12, 2, 2, 2]


@pytest.mark.parametrize("name", ["dP1", "dP2", "dP3", "CP2"])
def test_futakis_invariant_of_the_first_class_is_the_centre_of_mass(name):
    """∫_{∂P} f dσ = ∫_P (2f + x·∂f) where all constants are 1."""
    toric = gf.Toric(name)
    assert toric.futaki == tuple(over_polygon(toric.polygon, {p: Fraction(1)}) for p in [(1, 0), (0, 1)])


def test_stability():
    for name in NAMES:
        assert gf.Toric(name).stability.stable is True
    unstable = gf.Toric(UNSTABLE)
    assert unstable.futaki == (0, 0)
    assert unstable.stability.stable is False
    cut = unstable.stability.cut
    assert (cut.a, cut.b, cut.c) == (-1, 0, -4)  # across x₁, along which the polygon is long
    assert cut.value == Fraction(-19849, 1407)


def test_the_value_of_a_cut_is_its_integral():
    """L(f) of the cut that destabilises, by the exact integrals over the polygon that it cuts off."""
    toric = gf.Toric(UNSTABLE)
    cut = toric.stability.cut
    line = Fraction(-cut.c, cut.a)
    assert cut.a < 0
    assert -24 < line < 24
    part = polygon_of([(line, 7), *(v for v in UNSTABLE if v[0] < line), (line, -7)])
    f = {(1, 0): Fraction(cut.a), (0, 0): Fraction(cut.c)}
    mean = toric.boundary / toric.area
    assert over_boundary(part, f) - mean * over_polygon(part, f) == cut.value  # f vanishes on the cut itself


# solutions


def koiso_cao() -> tuple[float, float]:
    """α with ∫_1^3 y(2 − y)e^{αy} dy = 0, and F(2) = ∫_1^2 y(2 − y)e^{α(y − 2)} dy / 2, to 40 digits."""
    with mpmath.workdps(40):
        alpha = mpmath.findroot(lambda a: mpmath.quad(lambda y: y * (2 - y) * mpmath.exp(a * y), [1, 3]), -0.5)
        return float(alpha), float(mpmath.quad(lambda y: y * (2 - y) * mpmath.exp(alpha * (y - 2)), [1, 2]) / 2)


def profile(state: ToricState, x: np.ndarray) -> np.ndarray:
    """The momentum profile F = Σ u^ij of metrics on the blow-up of CP² that U(2) keeps."""
    return state.at(x).sum(axis=(1, 2))


def test_the_soliton_of_one_blow_up_is_that_of_koiso_and_cao():
    alpha, middle = koiso_cao()
    found = gf.Toric("dP1").soliton(14)
    assert np.abs(np.array(found.drift) - alpha).max() < 1e-12
    x = np.array([[-1, 1], [-0.5, 0.5], [0.3, -0.3]])  # y = x₁ + x₂ + 2 = 2
    assert np.abs(profile(found.state(), x) - middle).max() < 1e-8
    assert abs(middle - 0.4673258778314) < 1e-12


@pytest.mark.parametrize(("b", "affine"), [(2, (6, 24, 13)), (3, (9, 6, 11)), (5, (33 * 23, 3 * 46, 46 * 23))])
def test_extremal_metrics_of_one_blow_up_are_calabis(b, affine):
    """yF is the polynomial of degree four with (yF)'' = 2 − y r, r = A + By, and F as it closes at 1 and b."""
    toric = gf.Toric([(1, 0), (b, 0), (0, b), (0, 1)])
    A, B = Fraction(affine[0], affine[2]), Fraction(affine[1], affine[2])
    y, p, q = sympy.symbols("y p q")
    r = sympy.Rational(A) + sympy.Rational(B) * y
    assert sympy.expand(toric.extremal_curvature - 2 * r.subs(y, X[0] + X[1])) == 0
    yF = sympy.integrate(sympy.integrate(2 - y * r, y), y) + p * y + q
    constants = sympy.solve([yF.subs(y, 1), yF.subs(y, b)], [p, q])
    F = yF.subs(constants) / y
    assert F.diff(y).subs(y, 1) == 1
    assert F.diff(y).subs(y, b) == -1
    found = gf.Toric([(1, 0), (b, 0), (0, b), (0, 1)]).extremal(16)
    places = np.linspace(1, b, 7)
    x = np.stack([places * 0.3, places * 0.7], axis=1)
    wanted = np.array([float(F.subs(y, sympy.Rational(place))) for place in places])
    assert np.abs(profile(found.state(), x) - wanted).max() < 1e-7


def test_coordinates_are_eigenfunctions_of_einstein_metrics_and_solitons():
    """−Δ_R x_i = 2x_i where Ric = g; with the drift, where Ric = g + ∂∂̄⟨c, x⟩."""
    assert np.abs(gf.Toric("CP2").einstein(4).spectrum(6) / [1, 2, 2, 16 / 3, 16 / 3, 16 / 3]
                  - [0, 1, 1, 1, 1, 1]).max() < 1e-12
    for found in (gf.Toric("dP3").einstein(14), gf.Toric("dP1").soliton(14)):
        assert np.abs(found.spectrum(3) - [0, 2, 2]).max() < found.residual


def test_the_einstein_metric_of_the_hexagon():
    residuals = {degree: gf.Toric("dP3").einstein(degree).residual for degree in (6, 14, 18)}
    assert residuals[6] < 4.7e-3
    assert residuals[14] < 6.8e-6
    assert residuals[18] < 2.5e-7
    found = gf.Toric("dP3").einstein(18)
    assert abs(found.spectrum(2, symmetric=True)[1] - 6.32277268) < 1e-8
    assert np.abs(found.scalar(inside(gf.Toric("dP3"))) - 4).max() < 1e-4


@pytest.mark.slow
def test_the_einstein_metric_of_the_hexagon_to_nine_digits():
    assert gf.Toric("dP3").einstein(26).residual < 1e-9


def test_the_soliton_of_two_blow_ups():
    assert gf.Toric("dP2").soliton(20).residual < 1e-6


@pytest.mark.parametrize(("name", "constants"), [("F2", None), ("F2", (1, 1, 5, 1)), ("dP2", None),
                                                  ("dP2", (1, 1, 1, "1/2", 1))])
def test_extremal_metrics_exist_and_converge(name, constants):
    toric = gf.Toric(name, constants)
    residuals = [toric.extremal(degree).residual for degree in (8, 12)]
    assert residuals[1] < residuals[0] / 4
    state = toric.extremal(12).state()
    x = inside(toric)
    wanted = [float(toric.extremal_curvature.subs(dict(zip(X, map(float, place), strict=True)))) for place in x]
    assert np.abs(state.scalar(x) - wanted).max() < 20 * residuals[1]


@pytest.mark.parametrize(("name", "constants", "degree"), [
    ("F1", None, 24), ("F1", (1, 1, 3, 1), 24), ("F2", None, 28), ("F2", (1, 1, 5, 1), 24), ("dP2", None, 32),
    ("dP2", (1, 1, 1, "1/2", 1), 32)])  # fmt: skip
def test_extremal_metrics_to_six_digits_of_their_curvature_everywhere(name, constants, degree):
    assert gf.Toric(name, constants).extremal(degree).residual < 1e-6


def test_newtons_last_steps_are_taken_in_full():
    """The K-energy tells √rounding; the gradient of it vanishes to rounding where its last steps are not halved."""
    found = gf.Toric("F1", (1, 1, 3, 1)).extremal(24)
    equation = Abreu(found.state().grid)
    h = found.state().values
    assert np.abs(np.linalg.solve(equation.slopes(h), equation.values(h))).max() < 1e-13


def test_perelmans_densities():
    assert abs(gf.Toric("CP2").einstein(4).perelman_density * np.e**2 - 4.5) < 1e-13
    assert abs(gf.Toric("CP1xCP1").einstein(4).perelman_density * np.e**2 - 4) < 1e-13
    assert abs(gf.Toric([(0, 0), (1, 0), (0, 1)]).einstein(4).perelman_density * np.e**2 - 4.5) < 1e-13
