"""Bases of reduced unknowns: polynomials and known functions, differentiated, integrated and evaluated to rounding."""

import mpmath as mp
import numpy as np
import pytest

from geomflow.field.bases import Clustered, Fourier, Legendre, Periodic, Point, Product, Staggered, polynomials

EPS = np.finfo(float).eps
NECK = ((np.pi / 2, 6.0),)
TIPS = ((np.pi / 2, 8.0), (0.0, 2.0), (np.pi, 2.0))
PLACES = [NECK, TIPS, ((0.0, 3.0),), ((np.pi, 2.0),), ((1.0, 5.0),), ((0.3, 4.0), (2.0, 4.0)), ()]


def amplified(modes, times):
    """How far rounding of values of size one gets in a derivative, by the inequality of the brothers Markov."""
    return 16 * EPS * float(np.prod([(modes**2 - j**2) / (2 * j + 1) for j in range(times)]))


@pytest.mark.parametrize("n", [2, 3, 8, 31, 96, 400])
def test_nodes_and_weights_of_gauss_have_all_their_digits(n):
    angles, weights = polynomials.gauss(n)
    with mp.workdps(40):
        for j in {0, 1, n // 4, (n - 1) // 2}:
            xi = mp.cos(mp.mpf(float(angles.near[j])))
            value, below = mp.legendre(n, xi), mp.legendre(n - 1, xi)
            slope = n * (xi * value - below) / mp.sqrt(1 - xi**2)
            assert abs(value / slope) < 2 * EPS * angles.near[j]
            assert abs(weights[j] * slope**2 / 2 - 1) < 4 * n * EPS
    assert np.array_equal(weights, weights[::-1])


@pytest.mark.parametrize("n", [6, 32, 97])
def test_legendre_differentiates_polynomials_of_the_cosine(n):
    basis = Legendre(n, -1.0, 2.0)
    xi = basis.points[0]
    power = np.polynomial.Polynomial(np.random.default_rng(n).normal(size=min(basis.kept, 9)))
    size = np.abs(power.coef).sum()
    for times in (1, 2, 3):
        error = np.abs(basis.derivative((times,)) @ power(xi) - power.deriv(times)(xi)).max()
        assert error < size * amplified(basis.kept, times)
    assert np.array_equal(basis.derivative((0,)), np.eye(n))


@pytest.mark.parametrize("n", [4, 33, 128])
def test_legendre_integrates_in_both_variables(n):
    """∫_0^π cos^{2k} X dX = π C(2k, k)/4^k, for degrees below n; ∫ e^ξ dX = π I_0(1), ∫ sin X e^ξ dX = 2 sinh 1."""
    basis, k = Legendre(n, 1.0, 4.0), (n - 1) // 2
    scale, xi = 3 / np.pi, basis.points[0]
    with mp.workdps(30):
        wanted = float(mp.pi * mp.binomial(2 * k, k) / mp.mpf(4) ** k)
        bessel = float(mp.pi * mp.besseli(0, 1))
    assert basis.weights @ xi ** (2 * k) == pytest.approx(scale * wanted, rel=1e-14)
    assert basis.weights_xi @ xi ** (2 * k) == pytest.approx(2 / (2 * k + 1), rel=1e-14)
    if n > 30:
        assert basis.weights @ np.exp(xi) == pytest.approx(scale * bessel, rel=1e-14)
        assert basis.odd_weights @ (np.sqrt(basis.sine_squared) * np.exp(xi)) == pytest.approx(
            scale * 2 * np.sinh(1), rel=1e-14)


def test_distances_from_the_poles_have_all_their_digits():
    tip = ((0.0, 6.0),)
    for basis in (Legendre(400, 0.0, np.pi), Clustered(200, 0.0, np.pi, TIPS), Clustered(60, 0.0, np.pi, tip)):
        near, far = basis.angles.near, basis.angles.far
        with mp.workdps(40):
            small = [1 - mp.cos(mp.mpf(float(t))) for t in near]
            squares = [mp.sin(mp.mpf(float(t))) ** 2 for t in near]
        for found, wanted in ((np.where(far, basis.from_end, basis.from_start), small), (basis.sine_squared, squares)):
            assert max(abs(f / w - 1) for f, w in zip(found, wanted)) < 8 * EPS
        assert np.abs(basis.from_start - 1 + basis.points[0]).max() < 4 * EPS


@pytest.mark.parametrize("places", PLACES)
def test_clustered_positions_are_the_integral_of_the_density(places):
    """1 ∓ ξ at the outermost nodes, by another quadrature with 30 digits."""
    basis = Clustered(24, 0.0, np.pi, places)
    density = basis._density

    def slope(eta):
        total = mp.mpf(0)
        for y, s in zip(density.centres, density.strengths):
            bump = [mp.exp(mp.cos(t - y)) + mp.exp(mp.cos(t + y)) for t in (mp.acos(eta), mp.mpf(float(y)), 0, mp.pi)]
            least = min(bump[2], bump[3])
            total += mp.mpf(float(s)) * (bump[0] - least) / (bump[1] - least)
        return mp.exp(-total)

    with mp.workdps(30):
        panels = list(mp.linspace(-1, 1, 5))
        whole = mp.quad(slope, panels)
        eta = [mp.cos(mp.mpf(float(t))) for t in basis.eta.near]
        start, end = mp.quad(slope, [eta[0], (1 + eta[0]) / 2, 1]), mp.quad(slope, [-1, -(1 + eta[-1]) / 2, -eta[-1]])
        assert basis.from_start[0] == pytest.approx(float(2 * start / whole), rel=1e-14)
        assert basis.from_end[-1] == pytest.approx(float(2 * end / whole), rel=1e-14)


@pytest.mark.parametrize("places", PLACES)
def test_clustered_places_are_centres_and_integrals_are_exact(places):
    basis = Clustered(64, 0.0, 2.0, places)
    density, xi = basis._density, basis.points[0]
    centres = density.positions(polynomials.Angles.of(density.centres)).value
    assert np.abs(centres - [x for x, _ in places]).max(initial=0) < 1e-10
    assert basis.weights_xi.sum() == pytest.approx(2, rel=1e-14)
    assert basis.weights.sum() == pytest.approx(2, rel=1e-14)
    assert basis.odd_weights @ np.sqrt(basis.sine_squared) == pytest.approx(4 / np.pi, rel=1e-14)
    assert basis.weights @ np.exp(xi) == pytest.approx(2 * float(mp.besseli(0, 1)), rel=1e-12)


def test_without_places_clustering_is_legendre():
    one, two = Clustered(40, 0.0, 1.0, ()), Legendre(40, 0.0, 1.0)
    for found, wanted in ((one.x[0], two.x[0]), (one.weights, two.weights), (one.project, two.project),
                          (one.at([0.0, 0.3, 1.0]), two.at([0.0, 0.3, 1.0]))):
        assert np.abs(found - wanted).max() < 1e-13
    for times in (1, 2):
        found, wanted = one.derivative((times,)), two.derivative((times,))
        assert np.abs(found - wanted).max() < amplified(30, times)


@pytest.mark.parametrize("places", [((np.pi / 2, 6.0),), TIPS, ((1.0, 5.0),)])
def test_a_feature_of_one_hundredth_is_resolved_by_96_nodes(places):
    """1/(1 + (ξ − ξ₀)²/w²), whose singularities are w from the real axis: values, integral and slope, in units of w."""
    center, width = float(np.cos(places[0][0])), 0.01
    basis = Clustered(96, 0.0, np.pi, places)
    part = (basis.points[0] - center) / width
    f, slope = 1 / (1 + part**2), -2 * part / (1 + part**2) ** 2
    assert np.abs(basis.project @ f - f).max() < 1e-10
    assert np.abs(width * (basis.derivative((1,)) @ f) - slope).max() < 1e-10
    area = width * (np.arctan((1 - center) / width) + np.arctan((1 + center) / width))
    assert basis.weights_xi @ f == pytest.approx(area, rel=1e-11)
    plain = Legendre(96, 0.0, np.pi)
    f = 1 / (1 + ((plain.points[0] - center) / width) ** 2)
    assert np.abs(plain.project @ f - f).max() > 0.01


def test_a_narrow_tip_is_resolved():
    """1/(1 + (1 − ξ)/δ), a tip of width √(2δ) = 1/50 at X = 0, and its second derivative in units of δ."""
    basis, delta = Clustered(96, 0.0, np.pi, ((0.0, 4.5),)), 2e-4
    part = 1 + basis.from_start / delta
    assert np.abs(basis.project @ (1 / part) - 1 / part).max() < 1e-10
    assert np.abs(delta * (basis.derivative((1,)) @ (1 / part)) - 1 / part**2).max() < 1e-9


@pytest.mark.parametrize("places", PLACES)
def test_clustered_derivatives_of_known_functions(places):
    """d^k e^{ξ}/dξ^k = e^ξ. A derivative in ξ multiplies rounding by dη/dξ as well."""
    basis = Clustered(80, 0.0, np.pi, places)
    f, steepest = np.exp(basis.points[0]), 1 / basis._density.slope(basis.eta).min()
    for times in (1, 2, 3):
        error = np.abs(basis.derivative((times,)) @ f - f).max()
        assert error < np.e * amplified(basis.kept, times) * steepest**times


@pytest.mark.parametrize("basis", [Legendre(48, -1.0, 2.0), Clustered(128, -1.0, 2.0, TIPS)])
def test_interval_bases_evaluate_anywhere(basis):
    places = np.linspace(-1, 2, 41)
    f = np.exp(np.cos(np.pi * (places + 1) / 3))
    assert np.abs(basis.at(places) @ np.exp(basis.points[0]) - f).max() < 1e-12
    assert np.abs(basis.at(basis.x[0]) - basis.project).max() < 1e-11


def test_modes_are_counted():
    basis = Legendre(33, 0.0, 1.0)
    assert basis.kept == 24
    assert np.linalg.matrix_rank(basis.project) == 24
    assert np.linalg.matrix_rank(basis.limited(2).project) == 22
    assert basis.limited(2).points[0] is not None
    assert basis == Legendre(33, 0.0, 1.0, modes=24)


@pytest.mark.parametrize("n", [1, 2, 15, 16])
def test_fourier_is_exact_for_its_waves(n):
    basis, turn = Fourier(n, 3.0, start=0.5), 2 * np.pi / 3.0
    x = basis.x[0]
    places = np.linspace(-2, 5, 29)
    for k in range((n - 1) // 2 + 1):
        for phase in (0.0, 0.3):
            def wave(at, m=0, k=k, phase=phase):
                return (k * turn) ** m * np.cos(k * turn * at + phase + m * np.pi / 2)

            for m in (0, 1, 2, 4):
                assert np.abs(basis.derivative((m,)) @ wave(x) - wave(x, m)).max() <= 64 * EPS * (n * turn) ** m
            assert np.abs(basis.at(places) @ wave(x) - wave(places)).max() < 64 * n * EPS
            assert basis.weights @ wave(x) == pytest.approx(3.0 * np.cos(phase) * (k == 0), abs=64 * EPS)
    if n % 2 == 0:
        assert np.abs(basis.project @ (-1.0) ** np.arange(n)).max() < n * EPS


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_sums_of_even_functions_on_staggered_nodes_are_spectrally_accurate(order):
    basis = Staggered(24, 0.0, 2.0, order)
    f = np.exp(np.cos(np.pi * basis.x[0] / 2))
    assert basis.weights @ f == pytest.approx(2 * float(mp.besseli(0, 1)), rel=1e-14)


def test_products_act_on_each_axis():
    basis = Product(Fourier(8, 2 * np.pi), Legendre(20, 0.0, np.pi))
    x, xi = basis.points
    f = np.sin(x) * np.exp(xi)
    assert basis.shape == (8, 20)
    assert np.abs(basis.derivative((1, 2)) @ f - np.cos(x) * np.exp(xi)).max() < np.e * amplified(15, 2) * 8
    assert basis.weights @ (np.sin(x) ** 2 * xi**2) == pytest.approx(np.pi * np.pi / 2, rel=1e-14)
    assert basis.odd_weights @ np.sqrt(1 - xi**2) == pytest.approx(4 * np.pi, rel=1e-14)
    places = np.array([[0.0, 0.0], [1.0, np.pi], [-3.0, 2.0]])
    wanted = np.sin(places[:, 0]) * np.exp(np.cos(places[:, 1]))
    assert np.abs(basis.at(places) @ f - wanted).max() < 1e-12
    assert Product(Periodic(9, 1.0, 6), Staggered(5, 0.0, 1.0, 4)).order == 4


def test_a_point_has_one_node():
    basis = Point()
    assert (basis.shape, basis.size, basis.points) == ((), 1, ())
    assert basis.derivative(()) == basis.project == basis.weights == 1
