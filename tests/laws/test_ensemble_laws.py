"""What holds for every ensemble of infinite networks, whatever the kernel, the points, the values and the time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomflow.core.errors import InputError, ShapeError
from geomflow.kernels import GaussianKernel, InfiniteEnsemble, MetricEnsemble, NetworkKernel
from geomflow.kernels.metric_ensemble import columns_of, metrics_of

KERNELS = st.builds(NetworkKernel, st.sampled_from(["relu", "erf", "gelu", "sin"]), st.integers(1, 3),
                    st.floats(0.5, 2.0), st.floats(0.2, 1.0))
SEEDS = st.integers(0, 2**32 - 1)
TIMES = st.floats(0.0, 50.0)


def problem(seed, count=7, others=4):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 2)), rng.standard_normal((count, 2)), rng.standard_normal((others, 2))


@given(KERNELS, st.sampled_from(["all", "last"]), SEEDS, TIMES)
def test_covariances_are_positive(kernel, trained, seed, time):
    x, y, z = problem(seed)
    process = InfiniteEnsemble(kernel, trained).regress(x, y).at(time)
    covariance = process.covariance(z)
    assert np.abs(covariance - covariance.T).max() <= 1e-10 * (1 + np.abs(covariance).max())
    assert np.linalg.eigvalsh(covariance)[0] >= -1e-9 * kernel.covariance.diagonal(np.vstack([x, z])).max()
    assert np.allclose(process.variance(z), np.diag(covariance), atol=1e-9 * kernel.covariance.diagonal(z).max())


@given(KERNELS, SEEDS, TIMES, TIMES)
def test_what_the_last_layer_learns_it_never_unlearns(kernel, seed, early, late):
    """Training the last layer, variances fall everywhere: e^{−Kt}-weighted, K commuting with itself."""
    x, y, z = problem(seed)
    learned = InfiniteEnsemble(kernel, "last").regress(x, y)
    early, late = sorted((early, late))
    scale = kernel.covariance.diagonal(z).max()
    assert (learned.at(late).variance(z) <= learned.at(early).variance(z) + 1e-9 * scale).all()


@given(KERNELS, SEEDS, TIMES, TIMES)
def test_training_goes_on_from_where_it_is(kernel, seed, first, second):
    """On the train points the mean at t + s is that of time s for an ensemble whose mean is that at t."""
    x, y, _ = problem(seed)
    whole = InfiniteEnsemble(kernel).regress(x, y).at(first + second).mean(x)
    between = InfiniteEnsemble(kernel).regress(x, y).at(first).mean(x)
    resumed = InfiniteEnsemble(kernel, mean=lambda points: between).regress(x, y).at(second).mean(x)
    assert np.allclose(whole, resumed, atol=1e-8)


@given(KERNELS, SEEDS, TIMES, st.permutations(range(7)), st.floats(-3, 3))
def test_means_are_linear_in_values_and_know_no_order_of_points(kernel, seed, time, order, factor):
    x, y, z = problem(seed)
    ensemble = InfiniteEnsemble(kernel)
    mean = ensemble.regress(x, y).at(time).mean(z)
    again = ensemble.regress(x[order], factor * y[order]).at(time).mean(z)
    assert np.allclose(again, factor * mean, atol=1e-8 * (1 + np.abs(mean).max()))


@given(SEEDS, st.integers(1, 4))
def test_columns_keep_lengths_of_metrics(seed, dim):
    half = np.random.default_rng(seed).standard_normal((5, dim, dim))
    metrics = half + np.swapaxes(half, 1, 2)
    assert np.allclose(np.sum(columns_of(metrics) ** 2, axis=1), np.sum(metrics**2, axis=(1, 2)))
    assert np.allclose(metrics_of(columns_of(metrics), dim), metrics)


@given(SEEDS, st.floats(0, 2 * math.pi), TIMES)
def test_no_axes_are_preferred(seed, angle, time):
    """Learning rotated metrics gives the rotated mean, and the same deviation and probability of positivity."""
    x, _, z = problem(seed)
    half = np.random.default_rng(seed).standard_normal((7, 2, 2))
    metrics = half @ np.swapaxes(half, 1, 2) + np.eye(2)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    ensemble = InfiniteEnsemble(NetworkKernel("gelu", 2, 1.2, 0.4))
    plain, turned = (MetricEnsemble.learn(ensemble, x, g, time) for g in (metrics, turn @ metrics @ turn.T))
    assert np.allclose(turned.mean(z), turn @ plain.mean(z) @ turn.T, atol=1e-9)
    assert np.allclose(turned.positivity(z).value, plain.positivity(z).value, atol=1e-9)


def test_draws_have_the_mean_and_covariance_that_are_said():
    x, _, z = problem(3)
    metrics = np.eye(2) + 0.1 * np.einsum("pi,pj->pij", x, x)
    ensemble = InfiniteEnsemble(NetworkKernel("erf", 1, 1.2, 0.4))
    learned = MetricEnsemble.learn(ensemble, x, metrics, 0.5, reference=lambda points: np.eye(2)[None])
    drawn = learned.sample(z, 40_000, seed=1)
    spread = learned.deviation(z)
    assert np.abs(drawn.mean(0) - learned.mean(z)).max() < 5 * spread.max() / 200
    assert np.allclose(drawn[:, :, 0, 0].std(0), spread, rtol=0.02)
    assert np.allclose(drawn[:, :, 0, 1].std(0), spread / math.sqrt(2), rtol=0.02)
    share, found = (np.linalg.eigvalsh(drawn)[..., 0] > 0).mean(0), learned.positivity(z).value
    assert np.abs(share - found).max() < 5 * 0.5 / 200


@pytest.mark.parametrize("call, error, words", [
    (lambda: InfiniteEnsemble(GaussianKernel(0.3)), InputError, "knows the covariance"),
    (lambda: InfiniteEnsemble(NetworkKernel(), "first"), LookupError, "first"),
    (lambda: InfiniteEnsemble(NetworkKernel()).regress(np.eye(2), [1.0]), ShapeError, "2 points"),
    (lambda: InfiniteEnsemble(NetworkKernel()).regress(np.eye(2), [1.0, np.nan]), InputError, "at point 1 is nan"),
    (lambda: InfiniteEnsemble(NetworkKernel()).regress(np.eye(2), [1, 2], [1.0, -1.0]), InputError, "point 1 is -1"),
    (lambda: InfiniteEnsemble(NetworkKernel()).regress(np.eye(2), [1, 2], ridge=-1), InputError, "ridge is not"),
    (lambda: InfiniteEnsemble(NetworkKernel()).regress(np.eye(2), [1, 2]).at(-1), InputError, "time is not negative"),
    (lambda: InfiniteEnsemble(NetworkKernel()).regress(np.eye(2), [1, 2]).at(math.nan), InputError, "time is not"),
    (lambda: InfiniteEnsemble(NetworkKernel()).regress(np.eye(2), [1, 2]).after(3, 9.0), InputError, r"2/λ = 3\.45"),
    (lambda: MetricEnsemble.learn(InfiniteEnsemble(NetworkKernel()), np.eye(2), np.eye(2)), ShapeError, r"\(p, d, d\)"),
    (lambda: MetricEnsemble.learn(InfiniteEnsemble(NetworkKernel()), np.eye(2), np.eye(2) + np.zeros((2, 2, 2)),
                                  reference=lambda x: np.eye(3)[None]), ShapeError, r"\(1, 3, 3\) at points"),
    (lambda: MetricEnsemble(InfiniteEnsemble(NetworkKernel()).regress(np.eye(2), [1, 2]).at(1), 2), ShapeError,
     "3 components"),
    (lambda: MetricEnsemble(None, 2), InputError, "GaussianProcess"),
])
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()
