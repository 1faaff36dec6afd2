"""Fifty bad inputs in every place of ensembles and of kernels of wide networks: an error of geomflow's, or numbers."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from geomflow.core.errors import GeomflowError
from geomflow.kernels import (
    CosineNetKernel,
    GaussNetKernel,
    InfiniteEnsemble,
    LeakyRelu,
    MetricEnsemble,
    NetworkKernel,
    NormalisedKernel,
    Polynomial,
    Quadrature,
    ResidualKernel,
    monte_carlo,
    positive_probability,
    zonal_series,
)


class Unknown:
    """Nothing that can be used."""


RNG = np.random.default_rng(0)
X, NEW = RNG.standard_normal((5, 2)), RNG.standard_normal((3, 2))
Y, METRICS = RNG.standard_normal(5), np.eye(2) + np.zeros((5, 2, 2))
KERNEL, RELU = NetworkKernel("erf", 1, 1.2, 0.3), NetworkKernel("relu")
ENSEMBLE = InfiniteEnsemble(KERNEL)
LEARNED = ENSEMBLE.regress(X, Y, ridge=0.1)
PROCESS, METRIC = LEARNED.at(1.0), MetricEnsemble.learn(ENSEMBLE, X, METRICS, 1.0)

INPUTS = [
    None, "abc", "", b"x", True, math.nan, math.inf, -math.inf, -1, 0, 10**400, 1e308, 1e-320, -0.0, 1j, [1, 2],
    [[1], [1, 2]], [], {}, {1}, Unknown(), lambda *some: 1, lambda *some: None, KERNEL, range(5),
    Decimal("1.5"), Fraction(1, 3), datetime.date(2020, 1, 1), [[[1.0]] * 2] * 5, np.array(1.0), np.zeros(5),
    np.zeros((4, 3)), np.zeros((5, 2, 2)), np.full((5, 2), np.nan), np.full((5, 2), np.inf), 1j * np.ones((5, 2)),
    np.array([["a", "b"]] * 5), np.array([[Unknown(), 1]] * 5, dtype=object), np.zeros((0, 2)), np.zeros((5, 0)),
    np.ma.masked_array(np.ones((5, 2)), mask=np.eye(5, 2)), np.ones((5, 2), bool), np.ones((5, 2), np.float32),
    np.ones((5, 2), np.int8), np.array(["2020-01-01"] * 5, dtype="datetime64[D]"), np.full((5, 2), 1e200),
    np.full((5, 2), 1e-200), np.ones((5, 4))[:, ::2], np.asfortranarray(X),
]

PLACES = {
    "InfiniteEnsemble kernel": InfiniteEnsemble,
    "InfiniteEnsemble trained": lambda bad: InfiniteEnsemble(KERNEL, bad),
    "InfiniteEnsemble mean": lambda bad: InfiniteEnsemble(KERNEL, "all", bad).regress(X, Y).at(1.0).mean(NEW),
    "InfiniteEnsemble amplitude": lambda bad: InfiniteEnsemble(KERNEL, amplitude=bad).regress(X, Y).at(1.0).mean(NEW),
    "regress x": lambda bad: ENSEMBLE.regress(bad, Y).at(1.0).mean(NEW),
    "regress y": lambda bad: ENSEMBLE.regress(X, bad).at(1.0).mean(NEW),
    "regress weights": lambda bad: ENSEMBLE.regress(X, Y, bad).at(1.0).mean(NEW),
    "regress ridge": lambda bad: ENSEMBLE.regress(X, Y, ridge=bad).at(1.0).mean(NEW),
    "at": lambda bad: LEARNED.at(bad).variance(NEW),
    "after steps": lambda bad: LEARNED.after(bad, 0.01).mean(NEW),
    "after rate": lambda bad: LEARNED.after(3, bad).mean(NEW),
    "rates": LEARNED.rates,
    "posterior": lambda bad: LEARNED.posterior(bad).mean(NEW),
    "left_out": lambda bad: LEARNED.posterior().left_out(bad).pulls,
    "cross_calibrated": lambda bad: LEARNED.posterior().cross_calibrated(bad).variance(NEW),
    "process mean": lambda bad: PROCESS.mean(bad),
    "process covariance": lambda bad: PROCESS.covariance(bad),
    "process covariance y": lambda bad: PROCESS.covariance(NEW, bad),
    "process covariance other": lambda bad: PROCESS.covariance(NEW, NEW, bad),
    "process variance": PROCESS.variance,
    "process sample x": lambda bad: PROCESS.sample(bad, 2, 0),
    "process sample count": lambda bad: PROCESS.sample(NEW, bad, 0),
    "process sample seed": lambda bad: PROCESS.sample(NEW, 2, bad),
    "learn ensemble": lambda bad: MetricEnsemble.learn(bad, X, METRICS),
    "learn x": lambda bad: MetricEnsemble.learn(ENSEMBLE, bad, METRICS).mean(NEW),
    "learn metrics": lambda bad: MetricEnsemble.learn(ENSEMBLE, X, bad).mean(NEW),
    "learn time": lambda bad: MetricEnsemble.learn(ENSEMBLE, X, METRICS, bad).mean(NEW),
    "learn weights": lambda bad: MetricEnsemble.learn(ENSEMBLE, X, METRICS, 1.0, bad).mean(NEW),
    "learn ridge": lambda bad: MetricEnsemble.learn(ENSEMBLE, X, METRICS, 1.0, None, bad).mean(NEW),
    "learn reference": lambda bad: MetricEnsemble.learn(ENSEMBLE, X, METRICS, 1.0, reference=bad).mean(X),
    "metric mean": METRIC.mean,
    "metric deviation": METRIC.deviation,
    "metric positivity": lambda bad: METRIC.positivity(bad).value,
    "metric positivity count": lambda bad: METRIC.positivity(NEW, bad).value,
    "metric sample": lambda bad: METRIC.sample(bad, 2, 0),
    "positive_probability mean": lambda bad: positive_probability(bad, 1.0).value,
    "positive_probability deviation": lambda bad: positive_probability(np.eye(3) + np.zeros((5, 3, 3)), bad, 9).value,
    "positive_probability count": lambda bad: positive_probability(np.eye(3), 1.0, bad).value,
    "positive_probability seed": lambda bad: positive_probability(np.eye(3), 1.0, 9, bad).value,
    "activation": lambda bad: NetworkKernel(bad).matrix(X),
    "depth": lambda bad: NetworkKernel("relu", bad).matrix(X),
    "weight_std": lambda bad: NetworkKernel("relu", 1, bad).matrix(X),
    "bias_std": lambda bad: NetworkKernel("relu", 1, 1.0, bad).matrix(X),
    "embedding": lambda bad: NetworkKernel("relu", embedding=bad).matrix(X),
    "matrix x": RELU.matrix,
    "matrix y": lambda bad: RELU.matrix(X, bad),
    "matrix by series": NetworkKernel("softplus", 1, 0.1).matrix,
    "diagonal": KERNEL.diagonal,
    "apply": lambda bad: KERNEL.apply(X, None, bad),
    "LeakyRelu": lambda bad: NetworkKernel(LeakyRelu(bad)).matrix(X),
    "Polynomial": lambda bad: NetworkKernel(Polynomial(bad)).matrix(X),
    "Polynomial.hermite": lambda bad: NetworkKernel(Polynomial.hermite(bad)).matrix(X),
    "Quadrature": Quadrature,
    "Quadrature derivative": lambda bad: Quadrature(np.tanh, bad),
    "Quadrature tolerance": lambda bad: Quadrature(np.tanh, None, bad),
    "GaussNetKernel": lambda bad: GaussNetKernel(bad).matrix(X),
    "GaussNetKernel bias_std": lambda bad: GaussNetKernel(1.0, bad).matrix(X),
    "GaussNetKernel output_weight_std": lambda bad: GaussNetKernel(1.0, 0.1, bad).matrix(X),
    "GaussNetKernel output_bias_std": lambda bad: GaussNetKernel(1.0, 0.1, 1.0, bad).matrix(X),
    "GaussNetKernel x": GaussNetKernel(1.0).matrix,
    "CosineNetKernel": lambda bad: CosineNetKernel(bad).matrix(X),
    "CosineNetKernel amplitude": lambda bad: CosineNetKernel(1.0, bad).matrix(X),
    "CosineNetKernel x": CosineNetKernel(1.0).diagonal,
    "ResidualKernel": lambda bad: ResidualKernel(bad).matrix(X),
    "ResidualKernel branch": lambda bad: ResidualKernel("relu", branch=bad).matrix(X),
    "ResidualKernel x": ResidualKernel("relu").matrix,
    "NormalisedKernel": lambda bad: NormalisedKernel(bad).matrix(X),
    "NormalisedKernel x": NormalisedKernel("relu").matrix,
    "monte_carlo kernel": lambda bad: monte_carlo(bad, X, width=4, networks=2, seed=0).mean,
    "monte_carlo x": lambda bad: monte_carlo(KERNEL, bad, width=4, networks=2, seed=0).mean,
    "monte_carlo width": lambda bad: monte_carlo(KERNEL, X, width=bad, networks=2, seed=0).mean,
    "monte_carlo networks": lambda bad: monte_carlo(KERNEL, X, width=4, networks=bad, seed=0).mean,
    "monte_carlo seed": lambda bad: monte_carlo(KERNEL, X, width=4, networks=2, seed=bad).mean,
    "spread": monte_carlo(KERNEL, X, width=4, networks=2, seed=0).spread,
    "zonal_series": zonal_series,
    "zonal_series tolerance": lambda bad: zonal_series(KERNEL, bad),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("place", PLACES)
def test_bad_input(place):
    for bad in INPUTS:
        try:
            found = PLACES[place](bad)
        except GeomflowError as error:
            assert len(str(error)) > 20  # noqa: PT017  an error for some of the inputs, numbers for the others
        else:
            if isinstance(found, np.ndarray):
                assert found.dtype in (float, complex), (place, bad)
                assert np.isfinite(found).all(), (place, bad)
