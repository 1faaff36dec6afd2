"""Laws of solve that hold for every stepper and every problem of a kind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import Heat, decay, ode

from geomflow.flow import STEPPERS, FourierImplicit, OutcomeKind, solve

steppers = st.sampled_from(sorted(STEPPERS))
tolerances = st.floats(1e-8, 1e-2)


def modes(rates, mismatch: float = 1.0):
    """y_i' = −λ_i y_i for many rates at once, as modes of a periodic grid of two points."""
    rates = np.array(rates)[:, None]
    implicit = FourierImplicit(-mismatch * np.repeat(rates, 2, axis=1), (len(rates), 2))
    return ode(lambda t, y: -rates * y, np.ones((len(rates), 2)), implicit=implicit,
               jacobian=lambda t, y: np.diag(-np.repeat(rates, 2)),
               spectral_radius=lambda t, y: float(rates.max()))  # fmt: skip


@settings(max_examples=40)
@given(steppers, st.lists(st.floats(0.0, 1e4), min_size=1, max_size=4), tolerances, st.floats(0.7, 3.0))
def test_linear_decay_never_grows(stepper, rates, rtol, mismatch):
    """|y(t)| ≤ |y(0)| at all times, however stiff, for every stepper and tolerance, up to the tolerance."""
    sol = solve(modes(rates, mismatch), None, 0.05, stepper=stepper, rtol=rtol, save_at=5)
    assert sol.outcome.kind is OutcomeKind.finished
    sizes = np.array([np.abs(sol.states.packed(i)).max(axis=1) for i in range(len(sol.states))])
    assert (sizes <= 1 + 10 * rtol).all()
    assert np.abs(sizes[-1] - np.exp(-0.05 * np.array(rates))).max() < 200 * rtol + 1e-6


@settings(max_examples=30)
@given(steppers.filter(lambda name: name != "scipy"), st.lists(st.floats(1e-6, 0.0199), max_size=6))
def test_save_times_do_not_spoil_the_accuracy(stepper, times):
    """However the run is divided, the states at the save times are the solution."""
    heat = Heat(16)
    sol = solve(heat.flow(), None, 0.02, stepper=stepper, save_at=[*sorted(set(times)), 0.02])
    for t, state in zip(sol.times, sol.states, strict=True):
        assert np.abs(state - heat.exact(t)).max() < 3e-5


@settings(max_examples=15)
@given(steppers, st.integers(1, 60), st.integers(1, 60), st.integers(1, 4))
def test_a_resumed_run_equals_the_uninterrupted_one(stepper, first, second, parts):
    """Stopped after any two numbers of steps, continued: the same states, monitors and counts, to the last bit."""
    flow = Heat(16).flow()
    whole = solve(flow, None, 0.01, stepper=stepper, save_at=parts)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "run.zarr"
        for limit in sorted({first, first + second, 100_000}):
            sol = solve(flow, None, 0.01, stepper=stepper, save_at=parts, store=path, resume=True, max_steps=limit)
        last = sol.last
    assert sol.outcome == whole.outcome
    assert np.array_equal(last, whole.last)
    assert np.array_equal(sol["residual"], whole["residual"])
    assert (sol.steps, sol.rejected, sol.rate_evaluations) == (whole.steps, whole.rejected, whole.rate_evaluations)


@settings(max_examples=12)
@given(steppers.filter(lambda name: name != "semi-implicit"), st.floats(-50, 50), st.floats(0.1, 5))
def test_shifting_time_shifts_the_solution(stepper, t0, length):
    """An autonomous equation does not know the time."""
    here = solve(decay(), None, length, stepper=stepper, rtol=1e-7)
    there = solve(decay(), None, t0 + length, t0=t0, stepper=stepper, rtol=1e-7)
    assert there.last[0] == pytest.approx(here.last[0], abs=1e-5)
