"""Two processes return the bits of none, whatever they do, also where one of them is killed in the middle."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import geomflow as gf
from geomflow.distribute import DaskWorkers, Workers, local_workers
from geomflow.fits import LogRange, Space, tune
from geomflow.kernels import (
    DistanceKernel,
    FubiniStudyGaussian,
    FubiniStudyGeodesicGaussian,
    GaussianKernel,
    Kernel,
    NetworkKernel,
)
from geomflow.variety.points import ARRAYS

VARIETY = gf.Fermat(5)


@pytest.fixture(scope="module")
def team():
    """Two processes, shared by the tests of this module."""
    with local_workers(2) as found:
        yield found


@dataclass(frozen=True)
class Polynomial(Kernel):
    """(1 + x·y)² by products of matrices, in the blocks that all kernels have."""

    def values(self, x, y):
        return (1 + x @ y.T) ** 2

    def diagonal(self, x):
        return (1 + np.sum(self.read(x) ** 2, axis=1)) ** 2


@dataclass(frozen=True)
class Fatal(Kernel):
    """exp(−|x − y|²), of which one process dies the first time that it has a block, once `armed` exists."""

    armed: Path

    def values(self, x, y):
        if self.armed.exists() and len(x) > 1:
            self.armed.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return np.exp(-np.sum((x[:, None] - y[None]) ** 2, axis=2))

    def diagonal(self, x):
        return np.ones(len(x))


class Deadly(Workers):
    """Workers of whom one is killed before the tasks of some later call are sent."""

    def __init__(self, team: DaskWorkers, calls: int) -> None:
        self.team, self.calls = team, calls

    count = property(lambda self: self.team.count)

    def share(self, value):
        return self.team.share(value)

    def keep(self, function, *tasks, common=()):
        return self.team.keep(function, *tasks, common=common)

    def done(self, function, *tasks, common=()):
        self.calls -= 1
        if self.calls == 0:
            os.kill(processes(self.team)[0], signal.SIGKILL)
        return self.team.done(function, *tasks, common=common)


def processes(team):
    """The numbers of the worker processes."""
    return sorted(team.client.run(os.getpid).values())


def same_points(first, second):
    return all(np.array_equal(getattr(first, name), getattr(second, name))
               for name in ARRAYS)


@pytest.mark.parametrize("variety", [VARIETY, gf.Hypersurface("x^2*y^2 + x^2*v^2 + u^2*y^2 + 3*u^2*v^2 + x*u*y*v",
                                                              ambient=(1, 1), coordinates=("x", "u", "y", "v"))])
def test_points(team, variety):
    assert same_points(variety.sample(30_000, seed=3, workers=team), variety.sample(30_000, seed=3))


def kernels():
    projective = VARIETY.sample(1500, seed=1)
    real = np.random.default_rng(2).standard_normal((1500, 3))
    yield FubiniStudyGaussian(0.3), projective
    yield FubiniStudyGaussian(0.3, precision="single"), projective
    yield FubiniStudyGeodesicGaussian(0.3), projective
    yield GaussianKernel(0.5), real
    yield NetworkKernel("relu", depth=2), real
    yield DistanceKernel(lambda d: np.exp(-d)), real
    yield Polynomial(), real
    yield GaussianKernel(0.5).rescaled(lambda x: 1 + x[:, 0] ** 2), real


def test_sums_of_kernels(team):
    values = np.random.default_rng(3).standard_normal((1500, 2, 2, 2)).view(complex)[..., 0]
    for kernel, points in kernels():
        alone = kernel.apply(points, None, values)
        np.testing.assert_array_equal(kernel.apply(points, None, values, workers=team), alone, err_msg=str(kernel))
        oblique = kernel.apply(points[:700], points, values.real)
        np.testing.assert_array_equal(kernel.apply(points[:700], points, values.real, workers=team), oblique)
    blocked = Polynomial().apply(points, None, values.real, block=7)
    np.testing.assert_array_equal(Polynomial().apply(points, None, values.real, block=7, workers=team), blocked)


@pytest.mark.parametrize("symmetric", [True, False])
def test_balanced_metrics(team, symmetric):
    points = VARIETY.sample(10_000, seed=4)
    alone, theirs = (gf.balanced_metric(VARIETY, 3, points, symmetric=symmetric, steps=6, workers=workers)
                     for workers in (None, team))
    np.testing.assert_array_equal(theirs.form.toarray(), alone.form.toarray())
    assert str(theirs.report) == str(alone.report)
    assert np.array_equal(theirs.report.history, alone.report.history)


def test_hyperparameters(team):
    space = Space({"x": LogRange(1e-2, 1e2)})
    alone, theirs = (tune(valley, space, 6, seed=5, workers=workers) for workers in (None, team))
    assert theirs == alone


def valley(settings, seed):
    return np.log(settings["x"]) ** 2 + np.random.default_rng(seed).standard_normal() / 100


def test_a_worker_that_is_killed_at_the_sums_of_a_kernel(team, tmp_path):
    kernel = Fatal(tmp_path / "armed")
    points, values = np.random.default_rng(6).standard_normal((2, 3000, 3))
    alone = kernel.apply(points, None, values)
    before = processes(team)
    kernel.armed.touch()
    np.testing.assert_array_equal(kernel.apply(points, None, values, workers=team), alone)
    assert not kernel.armed.exists()
    assert processes(team) != before


@pytest.mark.slow
def test_a_worker_that_is_killed_with_the_sections_it_holds(team):
    points = VARIETY.sample(10_000, seed=4)
    alone = gf.balanced_metric(VARIETY, 3, points, steps=6)
    theirs = gf.balanced_metric(VARIETY, 3, points, steps=6, workers=Deadly(team, calls=5))
    np.testing.assert_array_equal(theirs.form.toarray(), alone.form.toarray())
