"""Kernels that are singular on the train points: how many modes are never learned, and that nothing else is lost."""

import math
import warnings

import numpy as np
import pytest

from geomflow.kernels import InfiniteEnsemble, NetworkKernel, Polynomial, filters

RNG = np.random.default_rng(5)
DISTINCT, NEW = RNG.standard_normal((6, 2)), RNG.standard_normal((4, 2))
TWICE = np.concatenate([DISTINCT, DISTINCT[:2]])
BESIDE = np.concatenate([DISTINCT, -DISTINCT])
KERNEL = NetworkKernel("erf", 1, 1.3, 0.4)


@pytest.fixture(params=["spectrum", "Lanczos"])
def way(request, monkeypatch):
    """Both ways to a function of a kernel."""
    monkeypatch.setattr(filters, "DENSE", 3000 if request.param == "spectrum" else 0)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("trained", ["all", "last"])
@pytest.mark.parametrize(("kernel", "x", "count"), [
    (KERNEL, DISTINCT, 0),
    (KERNEL, TWICE, 2),
    (KERNEL, np.ones((5, 2)), 4),
    (NetworkKernel("relu"), BESIDE, 12 - 6 - 2),  # |w·x| sees six points, and what is odd is linear in two coordinates
    (NetworkKernel("relu", 1, 1.0, 0.5), BESIDE, 0),
    (NetworkKernel("identity", 2, 1.0, 0.0), BESIDE, 12 - 2),
    (NetworkKernel("identity", 2, 1.0, 0.5), BESIDE, 12 - 3),
    (NetworkKernel(Polynomial((0, 0, 1))), BESIDE, 12 - 3),  # the quadratic forms of two coordinates
    (NetworkKernel(Polynomial((1, 1, 1)), 1, 1.0, 0.5), np.concatenate([BESIDE, NEW]), 16 - 6),
])
def test_modes_are_counted_by_features(kernel, x, count, trained):
    regression = InfiniteEnsemble(kernel, trained).regress(x, np.zeros(len(x)))
    assert regression.unlearned == count


@pytest.mark.usefixtures("way")
def test_points_that_weigh_nothing_are_no_modes():
    weights = np.array([1.0, 1, 1, 0, 0, 1, 1, 1])
    assert InfiniteEnsemble(KERNEL).regress(TWICE, np.zeros(8), weights).unlearned == 2


@pytest.mark.usefixtures("way")
def test_only_values_that_cannot_be_learned_are_warned_of():
    values = np.sin(TWICE[:, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        InfiniteEnsemble(KERNEL).regress(TWICE, values).at(math.inf).mean(NEW)
        InfiniteEnsemble(KERNEL).regress(TWICE, values + np.eye(8)[7]).at(1e6).mean(NEW)
        InfiniteEnsemble(KERNEL).regress(TWICE, values + np.eye(8)[7], ridge=0.1).at(math.inf).mean(NEW)
        InfiniteEnsemble(KERNEL).regress(TWICE, values + np.eye(8)[7], 1 - np.eye(8)[7]).at(math.inf).mean(NEW)
    share = math.sqrt(0.5) / np.linalg.norm(values + np.eye(8)[7])
    many = "2 modes" if filters.DENSE else "some modes"
    for process in (InfiniteEnsemble(KERNEL).regress(TWICE, values + np.eye(8)[7]).at(math.inf),
                    InfiniteEnsemble(KERNEL).regress(TWICE, values + np.eye(8)[7]).posterior()):
        with pytest.warns(UserWarning, match=f"^{share:.2g} of the length of what is learned lies in {many}"):
            process.mean(NEW)


@pytest.mark.usefixtures("way")
@pytest.mark.filterwarnings("ignore:.*training never changes")
@pytest.mark.parametrize("late", [
    lambda regression: regression.at(1e9), lambda regression: regression.at(1e300),
    lambda regression: regression.after(10**15, 1 / regression.rates(1)[0]),
])
def test_what_cannot_be_learned_does_not_grow(late):
    """Late is for ever, whatever differs at points that come twice."""
    regression = InfiniteEnsemble(KERNEL).regress(TWICE, RNG.standard_normal((8, 2)))
    found, limit = late(regression), regression.at(math.inf)
    assert np.abs(found.mean(NEW) - limit.mean(NEW)).max() < 1e-7
    assert np.abs(found.covariance(NEW) - limit.covariance(NEW)).max() < 1e-10


@pytest.mark.usefixtures("way")
@pytest.mark.filterwarnings("ignore:.*training never changes")
@pytest.mark.parametrize("ridge", [1e-320, 1e-300, 1e-20])
def test_a_ridge_below_rounding_is_none(ridge):
    values = RNG.standard_normal(8)
    found, none = (InfiniteEnsemble(KERNEL).regress(TWICE, values, ridge=r).at(math.inf) for r in (ridge, 0.0))
    assert np.abs(found.mean(NEW) - none.mean(NEW)).max() < 1e-10
    assert np.abs(found.variance(NEW) - none.variance(NEW)).max() < 1e-10
