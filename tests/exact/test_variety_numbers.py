"""Exact numbers of the cubic, the quartic and the quintic, from points."""

from __future__ import annotations

from math import gamma, pi

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv

VOLUMES = {3: 2.7028760880209, 4: 11.8170450080771, 5: 47.2975609186562}
KAPPAS = {3: 3.48694414906, 4: 1.67040142343, 5: 0.546298020414}
SIGMAS = {3: 0.0974, 4: 0.2305, 5: 0.3727}
EULER = {3: 0, 4: 24, 5: -200}


@pytest.fixture(scope="module", params=[3, 4, 5])
def case(request):
    variety = gv.Fermat(request.param)
    return request.param, variety, variety.sample(100_000, seed=11)


def test_volume_of_omega(case):
    """∫|Ω|² = (N/π²)(π/N)^N (Γ(1/N)/Γ(1 − 1/N))^N."""
    n, _, points = case
    exact = n / pi**2 * (pi / n) ** n * (gamma(1 / n) / gamma(1 - 1 / n)) ** n
    assert exact == pytest.approx(VOLUMES[n], rel=1e-12)
    assert points.volume().within(exact)
    assert points.volume().error < 0.003 * exact


def test_the_error_is_the_spread_over_seeds(case):
    n, variety, _ = case
    found = np.array([float(variety.sample(4000, seed=s).volume()) for s in range(30)])
    claimed = variety.sample(4000, seed=99).volume().error
    assert 0.6 < found.std(ddof=1) / claimed < 1.5
    assert abs(found.mean() - VOLUMES[n]) < 4 * claimed / np.sqrt(30)


def test_fubini_study(case):
    n, variety, points = case
    metric = gv.FubiniStudy(variety)
    assert float(gv.volume(metric, points)) == pytest.approx(n * pi ** (n - 2) / gamma(n - 1), rel=1e-10)
    assert gv.class_volume(metric) == pytest.approx(variety.fubini_study_volume, rel=1e-14)
    assert gv.kappa(metric, points).within(KAPPAS[n])
    sigma = gv.sigma(metric, points)
    assert abs(sigma - SIGMAS[n]) < 3 * sigma.error + 2e-4


def test_euler_numbers(case):
    """Within three standard errors, and these below 2 % of the value, from 100,000 points and an optimal metric."""
    n, variety, points = case
    metric = gf.fits.algebraic_metric(variety, 4, points)
    euler = gv.euler_number(metric, points)
    assert euler.within(EULER[n])
    assert euler.error < 0.02 * max(abs(EULER[n]), 1)


def test_euler_number_of_fubini_study(case):
    n, _, points = case
    euler = points[:50_000].euler_number()
    assert euler.within(EULER[n])
    assert euler.error < 0.04 * max(abs(EULER[n]), 1)


def test_second_chern_number_of_the_quintic():
    variety = gv.Fermat(5)
    points = variety.sample(50_000, seed=3)
    metric = gf.fits.algebraic_metric(variety, 4, points)
    assert gv.chern_number(metric, points, 2).within(50)
    assert gv.chern_number(metric, points, 1).within(0)
    assert gv.chern_number(metric, points, 0) == pytest.approx(5, rel=1e-10)


@pytest.mark.parametrize(("variety", "second"), [(gv.Bicubic(), 72), (gv.Tetraquadric(), 96)])
def test_products(variety, second):
    """Intersection numbers, ∫c_2∧ΣH_i and the Euler number in products of projective spaces."""
    points = variety.sample(40_000, seed=5)
    assert points.residual < 1e-12
    assert float(gv.volume(gv.FubiniStudy(variety), points)) == pytest.approx(variety.fubini_study_volume, rel=1e-9)
    for classes in ((0, 0, 0), (0, 0, 1), (0, 1, 1)) if len(variety.degree) == 2 else ((0, 1, 2), (0, 0, 1), (1, 2, 3)):
        found = gv.intersection_number(points, *classes)
        assert abs(found - variety.intersection(*classes)) < 3 * found.error + 1e-9
    metric = gv.FubiniStudy(variety)
    assert gv.chern_number(metric, points, 2).within(second)
    assert gv.euler_number(metric, points).within(variety.euler_number)


@pytest.mark.parametrize(("n", "optimum", "error"), [(3, 1.25993, 1e-5), (4, 0.83375, 1e-4), (5, 0.58194, 2.6e-4)])
def test_optimum_of_degree_two(n, optimum, error):
    """Σ|z_i|⁴ + c Σ_{i<j}|z_i z_j|²: c = 0.58194(26), 0.83375(10), 1.25993(1)."""
    variety = gv.Fermat(n)
    found = []
    for seed in range(12):
        metric = gf.fits.algebraic_metric(variety, 2, variety.sample(4000, seed=seed))
        diagonal = metric.form.diagonal().real
        squares = metric.exponents.max(axis=1) == 2
        found.append(diagonal[~squares][0] / diagonal[squares][0])
    spread = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - optimum) < 3 * np.hypot(spread, error)
    assert spread < 0.003


def test_cubic_to_machine_precision():
    variety = gv.Fermat(3)
    metric = gf.fits.algebraic_metric(variety, 8, variety.sample(4000, seed=1))
    assert gv.sigma(metric, variety.sample(20_000, seed=2)) < 1e-14


def test_flat_metric_of_the_cubic():
    """κ|Ω|² is flat, the optimal algebraic metrics tend to it, and ℘ gives back the points."""
    variety = gv.Fermat(3)
    points = variety.sample(2000, seed=1)
    flat = gv.FlatCurve(variety)
    assert flat.kappa == pytest.approx(KAPPAS[3], rel=1e-11)
    assert gv.sigma(flat, points) < 1e-15
    assert np.max(np.abs(flat.curvature(points).scalar)) < 1e-10
    near = gf.fits.algebraic_metric(variety, 6, points[:1999])
    np.testing.assert_allclose(near.at(points), flat.at(points), rtol=1e-10)
    from geomflow.variety.flat import weierstrass

    p, dp = weierstrass(flat.coordinate(points))
    z = points.coordinates
    np.testing.assert_allclose((72 + dp) / (12 * p), -z[:, 0] / z[:, 2], rtol=1e-9)
    np.testing.assert_allclose((72 - dp) / (12 * p), -z[:, 1] / z[:, 2], rtol=1e-9)
    np.testing.assert_allclose(dp**2, 4 * p**3 - 1728, rtol=1e-7, atol=1e-6)


def test_geodesic_distance_of_the_cubic():
    """Permutations and phases are isometries; short distances agree with the metric; the area fixes the lattice."""
    variety = gv.Fermat(3)
    flat = gv.FlatCurve(variety)
    first, second = variety.sample(500, seed=1), variety.sample(500, seed=2)
    distance = flat.distance(first, second)
    turn = np.exp(2j * pi / 3)
    moved = [variety.points(p.coordinates[:, [2, 0, 1]] * [1, turn, 1]) for p in (first, second)]
    np.testing.assert_allclose(flat.distance(*moved), distance, atol=1e-9)
    from geomflow.variety.flat import PERIOD

    assert distance.max() <= np.sqrt(8 * flat.kappa) * PERIOD / np.sqrt(3) + 1e-12
    area = 2 * flat.kappa * 4 * PERIOD**2 * np.sqrt(3) / 2
    assert area == pytest.approx(2 * gv.class_volume(flat), rel=1e-12)
    x = first.coordinates.copy()
    near = variety.points(x + 1e-7 * first.pullbacks[:, 0])
    np.testing.assert_allclose(flat.distance(first, near), 1e-7 * np.sqrt(2 * flat.at(first)[:, 0, 0].real), rtol=1e-5)


def test_invariant_forms_are_counted_as_published():
    """1, 2, 5, 10, 20, 38 parameters for k = 1, 2, 4, 6, 8, 10 on the Fermat quintic."""
    variety = gv.Fermat(5)
    points = variety.sample(300, seed=1)
    from geomflow.fits.algebraic import reduced_forms

    counts = [reduced_forms(variety, (k,), variety.symmetry, points).count for k in (1, 2, 4, 6, 8, 10)]
    assert counts == [1, 2, 5, 10, 20, 38]
    assert [gv.Sections(variety, (k,)).count for k in range(1, 9)] == [5, 15, 35, 70, 125, 205, 315, 460]
