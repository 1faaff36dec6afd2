"""Ensembles against the motion itself in 40 digits: the matrix exponential of the linear flow of values, no A_t.

Two hidden layers of relu on points of which two come twice, weights and a ridge. All values move together: u = f − f_0
on new and train points obeys u' = −(Θ W + ρ) u + Θ W (Y − f_0), W zero off the train points.
"""

import math
from functools import cache

import mpmath as mp
import numpy as np
import pytest

from geomflow.kernels import InfiniteEnsemble, NetworkKernel, filters

STD, BIAS, NEW, SEEN, STEPS = "1.3", "0.4", 3, 7, 23
RNG = np.random.default_rng(11)
_DISTINCT = RNG.integers(-16, 17, (NEW + SEEN - 2, 2)) / 8
POINTS = np.vstack([_DISTINCT, _DISTINCT[NEW:NEW + 2]])  # of those to learn from, two come twice
VALUES, MEAN = RNG.integers(-8, 9, (SEEN, 2)) / 4, 0.75
WEIGHTS = np.array([1.0, 0.5, 2.0, 0.0, 1.5, 0.25, 3.0])
KERNEL = NetworkKernel("relu", 2, float(STD), float(BIAS))
LATE = 1e6
CASES = [(np.ones(SEEN), 0.0), (WEIGHTS, 0.0), (WEIGHTS, 0.25)]


@pytest.fixture(params=["spectrum", "Lanczos"])
def way(request, monkeypatch):
    """Both ways to a function of a kernel."""
    monkeypatch.setattr(filters, "DENSE", 3000 if request.param == "spectrum" else 0)


@cache
@mp.workdps(40)
def kernels():
    """K and Θ of all points by the textbook recursion."""
    count, m, beta = len(POINTS), mp.mpf(float(STD)) ** 2, mp.mpf(float(BIAS)) ** 2
    rows = [[mp.mpf(float(c)) for c in point] for point in POINTS]
    k = mp.matrix(count, count)
    for i in range(count):
        for j in range(count):
            k[i, j] = m * mp.fdot(rows[i], rows[j]) / 2 + beta
    theta = k.copy()
    for _ in range(2):
        below, slopes = k, theta
        k, theta = mp.matrix(count, count), mp.matrix(count, count)
        for i in range(count):
            for j in range(count):
                size = mp.sqrt(below[i, i] * below[j, j])
                angle = mp.acos(1 if rows[i] == rows[j] else below[i, j] / size)
                k[i, j] = m * size * (mp.sin(angle) + (mp.pi - angle) * mp.cos(angle)) / (2 * mp.pi) + beta
                theta[i, j] = k[i, j] + m * (mp.pi - angle) / (2 * mp.pi) * slopes[i, j]
    return k, theta


def pushed(trained, case):
    """Θ W and the generator Θ W + ρ."""
    (weights, ridge), theta = CASES[case], kernels()[trained == "all"]
    drive = theta * mp.diag([0] * NEW + [mp.mpf(float(w)) for w in weights])
    return drive, drive + mp.mpf(ridge) * mp.eye(len(POINTS))


@cache
@mp.workdps(40)
def flowed(trained, case, time):
    """B with u(t) = B (Y − f_0), by the exponential of the flow with its constant term."""
    drive, generator = pushed(trained, case)
    count = len(POINTS)
    joint = mp.matrix(2 * count, 2 * count)
    joint[:count, :count], joint[:count, count:] = -generator, drive
    return mp.expm(joint * mp.mpf(time))[:count, count:]


@mp.workdps(40)
def descended(trained, case, eta):
    """The same after steps of descent, one by one."""
    drive, generator = pushed(trained, case)
    moved = mp.matrix(len(POINTS), len(POINTS))
    for _ in range(STEPS):
        moved = moved + mp.mpf(eta) * (drive - generator * moved)
    return moved


@mp.workdps(40)
def moments(moved, other=None):
    """The mean of f = f_0 + B (Y − f_0) at the new points, and its covariance there with another B."""
    count = len(POINTS)
    wanted = mp.zeros(count, 2)
    wanted[NEW:, :] = mp.matrix(VALUES.tolist()) - MEAN * mp.ones(SEEN, 2)
    stay, late = mp.eye(count) - moved, mp.eye(count) - (moved if other is None else other)
    parts = MEAN * mp.ones(count, 2) + moved * wanted, stay * kernels()[0] * late.T
    return [np.array(part.tolist(), dtype=float)[:NEW, :] for part in parts]


def learned(trained, case):
    weights, ridge = CASES[case]
    return InfiniteEnsemble(KERNEL, trained, MEAN).regress(POINTS[NEW:], VALUES, weights, ridge)


def same(process, moved):
    mean, covariance = moments(moved)
    new = POINTS[:NEW]
    assert np.abs(process.mean(new) - mean).max() < 1e-10
    assert np.abs(process.covariance(new) - covariance[:, :NEW]).max() < 1e-10
    assert np.abs(process.variance(new) - np.diag(covariance)).max() < 1e-10


@pytest.mark.usefixtures("way")
@pytest.mark.filterwarnings("ignore:.*training never changes")
@pytest.mark.parametrize("time", [0.1, 1.0, 10.0, math.inf])
@pytest.mark.parametrize("case", range(3))
@pytest.mark.parametrize("trained", ["all", "last"])
def test_flows(trained, case, time):
    same(learned(trained, case).at(time), flowed(trained, case, min(time, LATE)))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("share", [0.05, 0.95])
@pytest.mark.parametrize("case", range(3))
def test_descents(case, share):
    regression = learned("all", case)
    eta = 2 * share / float(regression.rates(1)[0])
    same(regression.after(STEPS, eta), descended("all", case, eta))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("case", range(3))
def test_two_times(case):
    regression = learned("all", case)
    expected = moments(flowed("all", case, 0.1), flowed("all", case, 1.0))[1]
    found = regression.at(0.1).covariance(POINTS[:NEW], POINTS, regression.at(1.0))
    assert np.abs(found - expected).max() < 1e-10


@pytest.mark.parametrize("case", range(3))
@pytest.mark.parametrize("trained", ["all", "last"])
def test_late_is_for_ever(trained, case):
    """The slowest rate is 1e-3, and in 40 digits nothing moves any more."""
    with mp.workdps(40):
        assert mp.mnorm(flowed(trained, case, LATE) - flowed(trained, case, 2 * LATE), "f") < mp.mpf(10) ** -20
