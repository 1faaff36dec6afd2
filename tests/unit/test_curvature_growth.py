"""Runs end where curvature has grown by a factor, and only there."""

import math

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.core.outcome import OutcomeKind
from geomflow.flow import CurvatureGrowth, Problem, solve

SPHERE = gf.catalogue.ansatz("product", spheres=(2,))


def decaying(curvature):
    """dy/dt = y."""
    return Problem(y0=np.ones((1, 1)), rate=lambda t, y, out: out.__setitem__(slice(None), y), unpack=lambda y: y,
                   curvature=curvature)


class Bound:
    def __init__(self, problem):
        self.problem = problem

    def bind(self, state):
        return self.problem


@pytest.mark.parametrize("factor", [1e3, 1e8])
def test_an_event_that_is_given_takes_the_place_of_the_flows_own(factor):
    """r² = 1 − 2t: curvature 1/r² has grown by f at t = (1 − 1/f)/2."""
    sol = gf.solve(gf.RicciFlow(), SPHERE.state(A=1), 1.0, events=CurvatureGrowth(factor))
    assert sol.outcome.kind is OutcomeKind.singular
    assert f"the factor {factor:.6g}" in sol.outcome.message
    assert factor <= sol["riemann_max"][-1] / sol["riemann_max"][0] < 2 * factor


def test_homogeneous_runs_end_when_curvature_has_grown_ten_billion_fold():
    sol = gf.solve(gf.RicciFlow(), SPHERE.state(A=1), 1.0)
    assert sol.outcome.kind is OutcomeKind.singular
    assert 1e10 <= sol["riemann_max"][-1] / sol["riemann_max"][0] < 2e10


def test_curvature_may_grow_to_a_finite_value():
    """A run that is asked to end before curvature is a hundredfold goes on to its end."""
    sol = gf.solve(gf.RicciFlow(), SPHERE.state(A=1), 0.495)
    assert sol.outcome.kind is OutcomeKind.finished
    assert sol["riemann_max"][-1] / sol["riemann_max"][0] == pytest.approx(100, rel=1e-6)


def test_growth_is_a_multiple_of_what_was_there_at_the_start():
    grown = solve(Bound(decaying(lambda t, y: 7 * float(y[0, 0]))), None, 3.0, events=CurvatureGrowth(math.e**2))
    assert grown.outcome.kind is OutcomeKind.singular
    assert 2 <= grown.outcome.time < 2.5
    flat = solve(Bound(decaying(lambda t, y: float(y[0, 0]) - 1)), None, 3.0, events=CurvatureGrowth(2.0))
    assert flat.outcome.kind is OutcomeKind.finished


@pytest.mark.parametrize("factor, words", [(1, "above 1, not by 1.0"), (float("nan"), "not by nan"), (True, "number")])
def test_wrong_factors(factor, words):
    with pytest.raises(InputError, match=words):
        CurvatureGrowth(factor)


def test_without_a_curvature_there_is_nothing_to_watch():
    with pytest.raises(InputError, match="no curvature"):
        solve(Bound(decaying(None)), None, 1.0, events=CurvatureGrowth(10.0))
