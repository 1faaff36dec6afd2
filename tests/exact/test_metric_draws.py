"""Curvature of metrics drawn on grids, against its variance to first order about the flat metric."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import PositivityError
from geomflow.kernels import InfiniteEnsemble, MetricEnsemble, NetworkKernel

TORUS = gf.Torus(dim=2)
KERNEL = NetworkKernel("erf", 1, 1.0, 0.3).periodic(TORUS)


def flat(x):
    return np.tile(np.eye(2), (len(x), 1, 1))


def untrained(amplitude):
    """g = δ + h before training."""
    x = np.zeros((1, 2))
    return MetricEnsemble.learn(InfiniteEnsemble(KERNEL, amplitude=amplitude), x, flat(x), time=0.0, reference=flat)


def test_the_variance_of_curvature_about_the_flat_metric_is_a_fourth_derivative():
    """δR = ∂_i∂_j h_ij − Δ tr h, so that Var R = Σ_k c_k |k|⁴ = Δ²K(0), in the mean over the torus too."""
    grid, amplitude, count = TORUS.grid(24, scheme="spectral"), 1e-3, 400
    fields = untrained(amplitude).fields(grid, count, seed=1)
    curvature = np.stack([field.scalar().values for field in fields])
    symbol = KERNEL.covariance.on(grid).symbol * amplitude**2 / TORUS.cell_volume
    whole = np.meshgrid(np.fft.fftfreq(24, 1 / 24), np.arange(13), indexing="ij")
    twice = np.where((whole[1] > 0) & (whole[1] < 12), 2, 1)
    fourth = symbol * twice * (4 * np.pi**2 * (whole[0] ** 2 + whole[1] ** 2)) ** 2
    independent = fourth.sum() ** 2 / np.sum(fourth**2)  # at least so many numbers in each draw
    assert abs(np.mean(curvature**2) / fourth.sum() - 1) < 5 * np.sqrt(2 / count / independent)
    assert np.abs(curvature.mean(axis=0)).max() < 6 * np.sqrt(fourth.sum() / count)


def test_draws_that_are_no_metrics_are_refused():
    with pytest.raises(PositivityError):
        untrained(3.0).fields(TORUS.grid(8), 10, seed=1)
