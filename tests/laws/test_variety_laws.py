"""Laws of points and metrics, over random metrics, patches and polynomials."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
import geomflow.variety as gv
from geomflow.fits.algebraic import FormObjective
from geomflow.fits.objective import EnergyLoss
from geomflow.testing import check_metric, forms
from geomflow.testing.draw.varieties import named_variety
from geomflow.variety.orbits import invariant_forms, reference
from geomflow.variety.sections import multi_monomials

seeds = st.integers(0, 10_000)


@cache
def varieties() -> tuple[gv.Hypersurface, ...]:
    return tuple(named_variety(name) for name in ("fermat 3", "fermat 4", "dwork", "bicubic", "generic"))


which = st.integers(0, 4)


def random_metric(variety: gv.Hypersurface, level: int, seed: int) -> gv.HermitianForm:
    """A positive Hermitian form: Fubini–Study's plus a random positive one."""
    rng = np.random.default_rng(seed)
    exponents = multi_monomials(variety.ambient, (level,) * len(variety.ambient.dims))
    root = rng.standard_normal((len(exponents),) * 2) + 1j * rng.standard_normal((len(exponents),) * 2)
    form = 2 * len(exponents) * np.eye(len(exponents)) + root @ root.conj().T
    return gv.HermitianForm(variety, exponents, form, level)


@settings(max_examples=12)
@given(which, seeds)
def test_metrics_do_not_depend_on_the_patch(number, seed):
    variety = varieties()[number]
    metric = random_metric(variety, 1, seed)
    points = variety.sample(40, seed=seed)
    assert gv.transition_loss(metric, points) < 1e-10


@settings(max_examples=5)
@given(forms())
def test_forms_are_metrics_of_their_potentials(metric):
    """Hermitian, positive, closed, the same in all patches, and ∂∂̄ of the potential."""
    check_metric(metric, metric.variety.sample(8, seed=1))


@settings(max_examples=8)
@given(which, seeds)
def test_measures_do_not_depend_on_the_patch(number, seed):
    """σ, κ, the Euler density and R in the default patch and with every other coordinate eliminated."""
    variety = varieties()[number]
    metric = random_metric(variety, 1, seed)
    points = variety.sample(200, seed=seed)
    slope = np.abs(variety.polynomial.gradient(points.coordinates)[1])
    np.put_along_axis(slope, points.patch, 0, axis=1)
    second = np.argsort(slope, axis=1)[:, -2]
    kept = np.take_along_axis(slope, second[:, None], axis=1)[:, 0] > 0.05
    points, second = points[kept], second[kept]
    other = gv.in_patch(points, points.patch, second)
    for measure in (gv.sigma, gv.kappa, gv.euler_number):
        first, moved = float(measure(metric, points)), float(measure(metric, other))
        assert abs(first - moved) < 1e-10 * max(1, abs(first)), measure.__name__
    np.testing.assert_allclose(
        gv.scalar_curvature(metric, other), gv.scalar_curvature(metric, points), rtol=1e-8, atol=1e-8
    )


@settings(max_examples=8)
@given(which, seeds)
def test_ricci_is_minus_the_hessian_of_log_det(number, seed):
    """R_{aā} = −∂_a∂_ā log det g by finite differences along the variety."""
    variety = varieties()[number]
    metric = random_metric(variety, 1, seed)
    points = variety.sample(6, seed=seed)

    def moved(shift: complex, a: int) -> np.ndarray:
        z = points.coordinates.copy()
        z[np.arange(len(z)), points.good[:, a]] += shift
        for _ in range(6):
            value, slope = variety.polynomial.gradient(z)
            z[np.arange(len(z)), points.elim] -= value / slope[np.arange(len(z)), points.elim]
        return metric.log_determinant(gv.Points(variety, z, points.weights, points.omega2, points.patch, points.elim))

    h = 3e-4
    ricci = metric.curvature(points).ricci
    for a in range(variety.dim):
        laplacian = sum(moved(s * h, a) for s in (1, -1, 1j, -1j)) - 4 * moved(0, a)
        size = 1 + np.abs(metric.curvature(points).riemann).max(axis=(1, 2, 3, 4))
        assert np.all(np.abs(-laplacian / (4 * h * h) - ricci[:, a, a].real) < 2e-4 * size**2)


@settings(max_examples=8)
@given(which, seeds)
def test_kahler_symmetries_of_the_curvature(number, seed):
    variety = varieties()[number]
    riemann = random_metric(variety, 1, seed).curvature(variety.sample(20, seed=seed)).riemann
    scale = np.abs(riemann).max()
    np.testing.assert_allclose(riemann, np.swapaxes(riemann, 1, 3), atol=1e-12 * scale)
    np.testing.assert_allclose(riemann, np.swapaxes(riemann, 2, 4), atol=1e-12 * scale)
    np.testing.assert_allclose(riemann.conj(), np.einsum("pabcd->pbadc", riemann), atol=1e-12 * scale)


@settings(max_examples=10)
@given(which, seeds, st.floats(0.1, 10))
def test_scaling_a_form_changes_nothing_and_a_metric_its_curvature(number, seed, factor):
    variety = varieties()[number]
    metric = random_metric(variety, 1, seed)
    points = variety.sample(30, seed=seed)
    scaled = gv.HermitianForm(variety, metric.exponents, metric.form * factor, metric.level)
    np.testing.assert_allclose(scaled.at(points), metric.at(points), rtol=1e-10, atol=1e-13)
    wide = gv.HermitianForm(variety, metric.exponents, metric.form, 2)
    np.testing.assert_allclose(wide.curvature(points).ricci, metric.curvature(points).ricci, rtol=1e-7, atol=1e-9)


@settings(max_examples=10)
@given(st.integers(0, 2), st.integers(1, 4), seeds)
def test_invariant_forms_are_invariant(number, degree, seed):
    """P(gz) = P(z) for permutations, conjugation and the phases of the Fermat polynomials."""
    variety = varieties()[number]
    symmetry = variety.symmetry
    forms = invariant_forms(variety, (degree,), symmetry)
    rng = np.random.default_rng(seed)
    metric = gv.HermitianForm(variety, forms.exponents, forms.matrix(rng.standard_normal(forms.count)), degree)
    points = variety.sample(10, seed=seed)
    value = metric.gram(points, 0)[:, 0, 0].real / reference(forms, points)
    permutation = symmetry.permutations[rng.integers(len(symmetry.permutations))]
    images = [points.coordinates[:, permutation]]
    if symmetry.conjugation:
        images.append(points.coordinates.conj())
    if number < 2:
        images.append(points.coordinates * np.exp(2j * np.pi * rng.integers(0, 9, variety.ambient.size) / (number + 3)))
    for image in images:
        moved = variety.points(image)
        found = metric.gram(moved, 0)[:, 0, 0].real / reference(forms, moved)
        np.testing.assert_allclose(found, value, rtol=1e-9, atol=1e-10)


@settings(max_examples=10)
@given(which, seeds)
def test_the_derivative_of_the_fit_is_exact(number, seed):
    """J against central differences of √μ (v − 1)."""
    variety = varieties()[number]
    forms = invariant_forms(variety, (1,) * len(variety.ambient.dims), variety.symmetry)
    points = variety.sample(60, seed=seed)
    features = forms.features(points) / reference(forms, points)[:, None, None]
    mass = points.weights / points.weights.sum()
    objective = FormObjective(features, np.log(points.omega2), mass, 1, EnergyLoss.of("(v - 1)^2 / 2"))
    rng = np.random.default_rng(seed)
    start = np.linalg.lstsq(features[:, 0], np.ones(len(points)), rcond=None)[0]
    direction = rng.standard_normal(forms.count) * 0.01
    jacobian, _ = objective.rows(objective.evaluate(start))
    h = 1e-5
    up, down = (objective.evaluate(start + s * h * direction).v for s in (1, -1))
    np.testing.assert_allclose(jacobian @ direction, np.sqrt(mass) * (up - down) / (2 * h), rtol=1e-5, atol=1e-9)


@settings(max_examples=20)
@given(seeds, st.complex_numbers(min_magnitude=0.1, max_magnitude=10, allow_nan=False))
def test_distance_is_a_distance_of_projective_space(seed, scale):
    rng = np.random.default_rng(seed)
    p, q, r = (rng.standard_normal((50, 5)) + 1j * rng.standard_normal((50, 5)) for _ in range(3))
    np.testing.assert_allclose(gv.distance(p, q), gv.distance(q, p), rtol=1e-12)
    np.testing.assert_allclose(gv.distance(p * scale, q), gv.distance(p, q), rtol=1e-12)
    assert np.all(gv.distance(p, r) <= gv.distance(p, q) + gv.distance(q, r) + 1e-14)
    overlap = np.abs(np.sum(p * q.conj(), axis=1)) / (np.linalg.norm(p, axis=1) * np.linalg.norm(q, axis=1))
    np.testing.assert_allclose(gv.distance(p, q), np.arccos(overlap), atol=1e-7)


@settings(max_examples=6)
@given(which, seeds)
def test_metrics_and_points_survive_their_files(number, seed):
    import tempfile

    variety = varieties()[number]
    metric = random_metric(variety, 1, seed)
    points = variety.sample(10, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        metric.save(f"{folder}/metric.npz")
        back = gf.load_metric(f"{folder}/metric.npz")
    np.testing.assert_array_equal(back.at(replace(points, variety=back.variety)), metric.at(points))
