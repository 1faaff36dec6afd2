"""Runs into a singularity at a finite time, of which time and approach are known: y' = −1/y ends at t = 1/2."""

from __future__ import annotations

import numpy as np
import pytest
from problems import shrinking_radius

from geomflow.flow import OutcomeKind, solve


@pytest.mark.parametrize("stepper", ["rosenbrock", "rk45"])
@pytest.mark.parametrize("rtol", [1e-6, 1e-9, 1e-11])
def test_a_run_follows_a_radius_until_it_is_gone(stepper, rtol):
    """t + y²/2 = 1/2 to some tolerances, down to a time of 1e-12 before the end and a curvature of 1e12.

    Steps fall from 1e-2 to 1e-15, in a geometric progression that makes the error of each the tolerance.
    """
    sol = solve(shrinking_radius(), None, 1.0, stepper=stepper, rtol=rtol)
    assert sol.outcome.kind is OutcomeKind.singular
    assert sol.last[0] ** 2 / 2 < 1e-12
    assert sol.outcome.time == pytest.approx(0.5, abs=10 * rtol)
    assert sol.rejected <= sol.steps < 1500
    radii = np.array([sol.states.packed(i)[0] for i in range(len(sol.states))])
    assert np.abs(sol.times + radii**2 / 2 - 0.5).max() < 10 * rtol


@pytest.mark.parametrize("end", [0.4, 0.49999])
def test_the_radius_before_the_end(end):
    sol = solve(shrinking_radius(), None, end, stepper="rosenbrock", rtol=1e-12, save_at=20)
    exact = np.sqrt(1 - 2 * sol.times)
    found = np.array([state[0] for state in sol.states])
    assert np.abs(found**2 - exact**2).max() < 1e-11
