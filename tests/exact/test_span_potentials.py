"""Random potentials on the quintic: forms against kernel metrics, curvature against differences, error bars."""

from functools import cache

import numpy as np
import pytest

import geomflow.variety as gv
from geomflow.core.errors import InputError, ShapeError
from geomflow.fits import (
    Exponential,
    InvariantKernel,
    KernelMetric,
    OverlapKernel,
    Power,
    SpanPotentials,
    algebraic_metric,
)
from geomflow.kernels import PotentialEnsemble
from geomflow.variety.curvature_slopes import curvature_slopes

QUINTIC, CUBIC = gv.Fermat(5), gv.Fermat(3)
FUNCTIONS = {"quintic": SpanPotentials.of(OverlapKernel(Power(2)), QUINTIC.sample(400, seed=1)),
             "cubic": SpanPotentials.of(InvariantKernel(3, Exponential(0.5)), CUBIC.sample(300, seed=1), None, 1e-6)}
NAMES = list(FUNCTIONS)


def some(name, seed=3, count=6, size=0.3):
    """Functions, points, and the metric of some coefficients, whose ∂∂̄φ is of that size against Fubini–Study."""
    functions = FUNCTIONS[name]
    x = functions.span.variety.sample(count, seed=seed)
    a = np.random.default_rng(seed).standard_normal(functions.size)
    a *= size / np.abs(functions.hessians(functions.span.variety.sample(200, seed=9)) @ a).max()
    return functions, x, KernelMetric(functions.span, a)


@pytest.mark.parametrize("name", NAMES)
def test_linear_forms_are_those_of_kernel_metrics(name):
    functions, x, metric = some(name)
    a = metric.coefficients
    assert np.allclose(functions.values(x) @ a, metric.correction(x), rtol=0, atol=1e-12)
    assert np.allclose(functions.metric(x, functions.hessians(x) @ a), metric.at(x), rtol=0, atol=1e-12)
    assert np.allclose(functions.lacking(x, metric.at(x)), functions.hessians(x) @ a, rtol=0, atol=1e-11)
    assert all(np.allclose(*pair, rtol=0, atol=1e-10) for pair in zip(functions.jets(x, a), metric.jets(x)))


def test_the_covariance_is_that_of_the_kernel():
    """Σ ψ_m(x) ψ_m(y) = |⟨x, y⟩|⁴ of unit vectors."""
    functions, x = FUNCTIONS["quintic"], QUINTIC.sample(20, seed=4)
    z = x.coordinates / np.linalg.norm(x.coordinates, axis=1, keepdims=True)
    assert functions.size == 15**2
    found = functions.ensemble.covariance.matrix(functions.values(x))
    assert np.abs(found - np.abs(z @ z.conj().T) ** 4).max() < 1e-7


@pytest.mark.parametrize("name", NAMES)
def test_the_linearised_curvature_is_a_derivative(name):
    functions, x, metric = some(name, count=3)
    a, b = metric.coefficients, some(name, seed=5)[2].coefficients
    exact = functions.linearised(x, curvature_slopes(*functions.jets(x, a))) @ b

    def error(step):
        ends = [KernelMetric(functions.span, a + sign * step * b).curvature(x).scalar for sign in (1, -1)]
        return np.abs((ends[0] - ends[1]) / (2 * step) - exact).max()

    wide, narrow = error(3e-2), error(3e-3)
    assert wide < 0.1 * np.abs(exact).max()
    assert abs(wide / narrow / 100 - 1) < 0.1


@cache
def learned_on_the_cubic():
    """A metric of these functions, from values with errors."""
    functions, x, metric = some("cubic", count=40, size=0.2)
    quiet = SpanPotentials(functions.span, 0.02)
    return PotentialEnsemble.learn(quiet, x, metric.at(x), ridge=1e-7)


def test_draws_on_the_cubic_have_the_deviations_that_are_said():
    learned = learned_on_the_cubic()
    new, number = CUBIC.sample(4, seed=6), 2000
    drawn, functions = learned.draw(number, 7), learned.functions
    metrics = learned.sample(new, number, 7)
    assert np.allclose(metrics[0], functions.metric(new, functions.hessians(new) @ drawn[0]), atol=1e-12)
    frames = np.array([functions.lacking(new, each)[:, 0] for each in metrics])
    assert (np.abs(frames.std(axis=0) / learned.deviation(new)[:, 0, 0] - 1) < 5 / np.sqrt(2 * number)).all()
    scalars = np.array([KernelMetric(functions.span, each).curvature(new).scalar for each in drawn[:500]])
    bars = learned.curvature(new)
    assert (np.abs(scalars.std(axis=0) / bars.deviation - 1) < 5 / np.sqrt(1000) + 0.03).all()
    assert learned.positivity(new).value.min() > 0.999


@pytest.mark.slow
def test_potentials_of_the_quintic_s_metric_have_pulls_of_width_one():
    """Metrics at 60 points, of the algebraic metric of degree 12, learned in the Bergman kernel of O(3)."""
    functions = SpanPotentials.of(OverlapKernel(Power(3)), QUINTIC.sample(1500, seed=8))
    metric, points = algebraic_metric(QUINTIC, 12, QUINTIC.sample(4000, seed=1)), QUINTIC.sample(5000, seed=9)
    squares = []
    for draw in range(20):
        chosen = np.random.default_rng(draw).permutation(len(points))[:160]
        x, new = points[chosen[:60]], points[chosen[60:]]
        learned = PotentialEnsemble.learn(functions, x, metric.at(x)).cross_calibrated()
        rows = functions.hessians(new)
        missed = functions.lacking(new, metric.at(new)) - rows @ learned.process.mean(np.eye(functions.size))
        variance = learned.process.variance(rows.reshape(-1, functions.size)).reshape(missed.shape)
        squares.append(np.mean(missed**2 / variance))
    assert abs(np.sqrt(np.mean(squares)) - 1) < 0.1


def test_what_is_no_span_of_potentials_is_refused():
    functions, x = FUNCTIONS["quintic"], QUINTIC.sample(3, seed=1)
    with pytest.raises(InputError, match="more centres"):
        SpanPotentials.of(OverlapKernel(Power(3)), QUINTIC.sample(50, seed=1))
    with pytest.raises(InputError, match="points of it"):
        functions.values(CUBIC.sample(3, seed=1))
    with pytest.raises(ShapeError, match="Hermitian"):
        PotentialEnsemble.learn(functions, x, np.ones((3, 2, 2)))
    with pytest.raises(ShapeError, match="not Hermitian"):
        PotentialEnsemble.learn(functions, x, np.triu(np.ones((3, 3, 3))))
    with pytest.raises(InputError, match="positive"):
        SpanPotentials(functions.span, 0.0)
