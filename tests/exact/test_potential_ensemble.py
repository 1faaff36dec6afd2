"""Potentials as ensembles: derivatives of kernels against 40 digits and closed forms, draws, positivity, curvature."""

from functools import cache

import mpmath
import numpy as np
import pytest

import geomflow as gf
from geomflow.core import hermitian
from geomflow.core.errors import InputError, ShapeError
from geomflow.kernels import (
    GaussianKernel,
    InfiniteEnsemble,
    NetworkKernel,
    PotentialEnsemble,
    PotentialKernel,
    SeriesKernel,
    Waves,
)
from geomflow.kernels.waves import FLOOR, _spectra
from geomflow.variety.curvature_slopes import curvature_slopes
from geomflow.variety.jets import from_jets

LINE, SURFACE = gf.ComplexTorus(1), gf.ComplexTorus(2)
SKEW = gf.ComplexTorus(1, lattice=[[1, 0], [0.3, 0.9]])
STD, BIAS = 1.4, 0.3


@pytest.mark.parametrize("torus", [LINE, SKEW, SURFACE], ids=["line", "skew", "surface"])
def test_waves_of_a_wrapped_gaussian_have_its_derivatives(torus):
    """K and ∂∂̄∂'∂̄'K against `PotentialKernel`, which sums Gaussians."""
    kernel, rng = GaussianKernel(0.25).wrapped(torus), np.random.default_rng(0)
    vectors, heights, _ = _spectra((kernel, kernel), torus)
    both = np.concatenate([heights, heights])
    waves = Waves(torus, vectors, InfiniteEnsemble(SeriesKernel(both, both)), 0.5 * np.eye(torus.complex_dim))
    x, y = rng.uniform(size=(4, torus.real_dim)), rng.uniform(size=(3, torus.real_dim))
    series = waves.ensemble.covariance
    expected = kernel.matrix(x, y)
    assert np.abs(series.matrix(waves.values(x), waves.values(y)) - expected).max() < 1e-12 * expected.max()
    left, right = (hermitian.unpack(np.moveaxis(waves.hessians(points), 1, 2)) for points in (x, y))
    found, theta = np.einsum("pmab,qmcd,m->pqabcd", left, right, both), PotentialKernel(kernel).theta(x, y)
    assert np.abs(found - theta).max() < 1e-9 * np.abs(theta).max()


def erf_kernel(x, y):
    """K at two points of the line, in mpmath: of one hidden layer behind cos and sin of 2πx and 2πy."""
    m, beta = mpmath.mpf(STD) ** 2, mpmath.mpf(BIAS) ** 2
    overlap = mpmath.cos(2 * mpmath.pi * x) + mpmath.cos(2 * mpmath.pi * y)
    k, p = m * overlap / 4 + beta, 1 + 2 * (m * 2 / 4 + beta)
    return m * 2 / mpmath.pi * mpmath.asin(2 * k / p) + beta


def test_a_network_s_metrics_have_the_covariance_of_its_kernel_s_derivatives():
    """(1/16)(∂_x² + ∂_y²)² K by differences in 40 digits, K by asin; waves below the floor are missing."""
    waves = Waves.of(InfiniteEnsemble(NetworkKernel("erf", 1, STD, BIAS).periodic(LINE), "last"), LINE)
    x, y = np.array([[0.13, 0.4]]), np.array([[0.9, 0.21], [0.13, 0.4]])
    found = waves.ensemble.covariance.matrix(waves.hessians(x)[:, 0], waves.hessians(y)[:, 0])[0]
    square = np.sum(waves.vectors**2, axis=1).max()
    lost = FLOOR * waves.ensemble.covariance.heights.max() * waves.size * (square / 4) ** 2
    assert lost < 1e-6 * found[1]
    with mpmath.workdps(40):
        for place, other in enumerate(y):
            r = [mpmath.mpf(float(a)) - mpmath.mpf(float(b)) for a, b in zip(x[0], other)]
            fourth = [mpmath.diff(erf_kernel, tuple(r), order) for order in ((4, 0), (2, 2), (0, 4))]
            expected = float((fourth[0] + 2 * fourth[1] + fourth[2]) / 16)
            assert abs(found[place] - expected) < lost


@cache
def waves_on(torus, amplitude=1.0):
    kernel = NetworkKernel("cos", 1, 0.5, 0.1).periodic(torus)
    return Waves.of(InfiniteEnsemble(kernel, "last", amplitude=amplitude), torus)


def some_potential(waves, seed, size):
    """Coefficients of a potential whose complex Hessian is of that size."""
    draw = np.random.default_rng(seed).standard_normal(waves.size) * np.sqrt(waves.ensemble.covariance.heights)
    points = np.random.default_rng(seed).uniform(size=(200, waves.torus.real_dim))
    return draw * size / np.abs(waves.hessians(points) @ draw).max()


@pytest.mark.parametrize("torus, n", [(LINE, 32), (SKEW, 32), (SURFACE, 8)], ids=["line", "skew", "surface"])
def test_jets_are_those_of_the_grid(torus, n):
    """Metric and curvature at points against spectral derivatives of the values, for the longest waves.

    In log det g products of n/2 waves are the first that the grid does not see, (size/½)^{n/2} of it; rounding is
    ε(πn)⁴.
    """
    waves, size = waves_on(torus), 0.02
    numbers = np.rint(waves.vectors @ np.array(torus.lattice).T / (2 * np.pi))
    long = np.abs(numbers).sum(axis=1) == 1
    coefficients = np.tile(long, 2) * np.random.default_rng(3).standard_normal(waves.size)
    grid = torus.grid(n, scheme="spectral")
    points = grid.points().reshape(-1, torus.real_dim)
    coefficients *= size / np.abs(waves.hessians(points) @ coefficients).max()
    phi = grid.potential((waves.values(points) @ coefficients).reshape(grid.shape))
    jets, curvature = waves.jets(points, coefficients), phi.scalar().values.ravel()
    assert np.abs(jets[0] - phi.metric().values.reshape(jets[0].shape)).max() < 1e-13
    tolerance = 100 * (2 * size) ** (n / 2) + np.finfo(float).eps * (np.pi * n) ** 4
    assert np.abs(from_jets(*jets).scalar - curvature).max() < tolerance * np.abs(curvature).max()


@pytest.mark.parametrize("torus", [LINE, SKEW, SURFACE], ids=["line", "skew", "surface"])
def test_the_linearised_curvature_is_a_derivative(torus):
    """(R(φ + εψ) − R(φ − εψ))/2ε tends to it as ε²."""
    waves, x = waves_on(torus), np.random.default_rng(1).uniform(size=(10, torus.real_dim))
    phi, psi = some_potential(waves, 1, 0.2), some_potential(waves, 2, 0.2)
    exact = waves.linearised(x, curvature_slopes(*waves.jets(x, phi))) @ psi

    def error(step):
        ends = [from_jets(*waves.jets(x, phi + sign * step * psi)).scalar for sign in (1, -1)]
        return np.abs((ends[0] - ends[1]) / (2 * step) - exact).max()

    wide, narrow = error(1e-2), error(1e-3)
    assert wide < 0.1 * np.abs(exact).max()
    assert abs(wide / narrow / 100 - 1) < 0.05


@cache
def learned_on(torus, count, noise=1e-4, amplitude=1.0):
    """From metrics at points, with errors, so that something is left to know everywhere."""
    waves, rng = waves_on(torus, amplitude), np.random.default_rng(5)
    x = rng.uniform(size=(count, torus.real_dim))
    truth = some_potential(waves, 4, 0.2)
    return PotentialEnsemble.learn(waves, x, waves.metric(x, waves.hessians(x) @ truth), ridge=noise), x, truth


@pytest.mark.parametrize("torus, count", [(LINE, 30), (SURFACE, 40)], ids=["line", "surface"])
def test_draws_have_the_mean_and_the_covariance(torus, count):
    learned, _, _ = learned_on(torus, count)
    new, number = np.random.default_rng(6).uniform(size=(4, torus.real_dim)), 4000
    drawn, mean, deviation = learned.sample(new, number, 7), learned.mean(new), learned.deviation(new)
    assert np.allclose(drawn, np.swapaxes(drawn, -1, -2).conj())
    spread = np.sqrt(np.mean(np.abs(drawn - mean) ** 2, axis=0))
    assert (np.abs(drawn.mean(axis=0) - mean) < 5 * deviation / np.sqrt(number)).all()
    assert (np.abs(spread / deviation - 1) < 5 / np.sqrt(number)).all()
    packed = hermitian.pack(drawn - mean).transpose(1, 2, 0)
    found, expected = packed @ packed.transpose(0, 2, 1) / number, learned.covariance(new)
    size = np.sqrt(np.einsum("paa,pbb->pab", expected, expected))
    assert (np.abs(found - expected) < 5 * np.sqrt(2 / number) * size).all()


def test_metrics_that_were_learned_come_back():
    """Without errors the mean is the metric at the points, with no deviation; at others it comes near."""
    for torus, count in ((LINE, 30), (SURFACE, 40)):
        learned, x, truth = learned_on(torus, count, noise=0.0)
        waves = learned.functions
        before = PotentialEnsemble.learn(waves, x, learned.mean(x), time=0.0)
        assert np.abs(learned.mean(x) - waves.metric(x, waves.hessians(x) @ truth)).max() < 1e-7
        assert learned.deviation(x).max() < 1e-4 * before.deviation(x).max()


@pytest.mark.parametrize("torus, count", [(LINE, 12), (SURFACE, 12)], ids=["line", "surface"])
def test_positivity_is_the_share_of_positive_draws(torus, count):
    learned, _, _ = learned_on(torus, count, noise=1e-2)
    new = np.random.default_rng(8).uniform(size=(6, torus.real_dim))
    found, number = learned.positivity(new, seed=1), 4000
    share = np.mean(np.linalg.eigvalsh(learned.sample(new, number, 9))[..., 0] > 0, axis=0)
    error = np.sqrt(found.value * (1 - found.value) / number + found.error**2)
    assert (np.abs(found.value - share) < 5 * error + 1e-3).all()
    assert ((found.value > 0.01) & (found.value < 0.99)).any()


@pytest.mark.parametrize("torus, count", [(LINE, 40), (SURFACE, 60)], ids=["line", "surface"])
def test_linearised_curvature_against_draws(torus, count):
    """Standard deviations of R of 2,000 metrics, where these fluctuate by a percent or two."""
    learned, _, _ = learned_on(torus, count, noise=1e-6, amplitude=0.2)
    waves, new, number = learned.functions, np.random.default_rng(10).uniform(size=(5, torus.real_dim)), 2000
    curvature, drawn = learned.curvature(new), learned.draw(number, 11)
    assert learned.deviation(new).max() < 0.02
    found = np.array([from_jets(*waves.jets(new, coefficients)).scalar for coefficients in drawn])
    assert (np.abs(found.std(axis=0) / curvature.deviation - 1) < 5 / np.sqrt(2 * number) + 0.03).all()
    assert (np.abs(found.mean(axis=0) - curvature.value) < 0.3 * curvature.deviation).all()


def test_a_draw_on_a_grid_has_the_curvature_of_its_jets():
    learned, _, _ = learned_on(LINE, 40, noise=1e-6, amplitude=0.2)
    grid = LINE.grid(48, scheme="spectral")
    points, waves = grid.points().reshape(-1, 2), learned.functions
    fields, drawn = learned.fields(grid, 3, 12), learned.draw(3, 12)
    for field, coefficients in zip(fields, drawn):
        expected = from_jets(*waves.jets(points, coefficients)).scalar
        assert np.abs(field.scalar().values.ravel() - expected).max() < 1e-6 * np.abs(expected).max()


def test_what_is_no_ensemble_of_potentials_is_refused():
    smooth = NetworkKernel("erf", 1, STD, BIAS).periodic(LINE)
    with pytest.raises(InputError, match="too rough"):
        Waves.of(InfiniteEnsemble(NetworkKernel("relu").periodic(LINE)), LINE)
    with pytest.raises(InputError, match="translation-invariant"):
        Waves.of(InfiniteEnsemble(smooth), SKEW)
    with pytest.raises(InputError, match="complex torus"):
        Waves.of(InfiniteEnsemble(smooth), gf.Torus(2))
    with pytest.raises(InputError, match="up to a constant"):
        Waves.of(InfiniteEnsemble(smooth, mean=1.0), LINE)
    with pytest.raises(ShapeError, match="Hermitian"):
        Waves.of(InfiniteEnsemble(smooth), LINE, reference=[[1, 2], [3, 4]])
    waves, x = waves_on(LINE), np.array([[0.1, 0.2], [0.3, 0.4]])
    with pytest.raises(ShapeError, match="Hermitian"):
        PotentialEnsemble.learn(waves, x, np.ones((2, 2, 2)))
    with pytest.raises(ShapeError, match="one value"):
        PotentialEnsemble.learn_potential(waves, x, np.ones((2, 1)))
    with pytest.raises(ShapeError, match="coordinates"):
        PotentialEnsemble.learn_potential(waves, x[:, :1], np.ones(2))
    with pytest.raises(InputError, match="not positive at point 0"):
        PotentialEnsemble.learn(waves, x, np.array([[[-1.0]], [[1.0]]])).curvature(x)
    with pytest.raises(ShapeError, match="2 variances"):
        SeriesKernel(np.ones(3), np.ones(2))
