"""Problems that bring their Jacobian: what uses it, and what it must be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from problems import Given, decay, kaps, ode, shrinking_radius

from geomflow.core.errors import InputError
from geomflow.flow import ErrorControl, FixedStep, OutcomeKind, Rosenbrock, ScipyStiff, solve
from geomflow.flow.linear import Linearised


def changed(flow, **facts):
    """The flow with other facts about its problem."""
    return Given(replace(flow.problem, **facts))


MATRIX = np.array([[-1.0, 3.0], [0.0, -4.0]])


def test_a_linearised_problem_takes_its_jacobian():
    """To the bit, at its time; differences would err by some 1e-11."""
    problem = ode(lambda t, y: np.exp(t) * MATRIX @ y, [0.3, 0.1], jacobian=lambda t, y: np.exp(t) * MATRIX).problem
    linear, change = Linearised(problem, 0.7), np.array([0.2, 0.5])
    assert np.array_equal(linear.matrix, np.exp(0.7) * MATRIX)
    assert np.array_equal(linear.apply(change), linear.matrix @ change)
    assert linear.apply(change[:, None]).shape == (2, 1)
    assert repr(linear) == "a rate, linearised, in 2 unknowns"
    assert linear.spectrum(2) == pytest.approx(np.exp(0.7) * np.array([-1.0, -4.0]), rel=1e-14)


def test_without_a_jacobian_other_steppers_are_named():
    with pytest.raises(InputError, match=r"no Jacobian for the stepper 'rosenbrock': use 'rkc', 'scipy' or 'rk45'"):
        solve(decay(jacobian=None), None, 1.0, stepper="rosenbrock")


@pytest.mark.parametrize("wrong", [np.array(-1.0), np.array([-1.0]), -np.eye(2), -np.ones((1, 1, 1))])
def test_a_jacobian_of_the_wrong_shape(wrong):
    with pytest.raises(InputError, match=r"1 unknowns must have the shape \(1, 1\), and the problem's has \("):
        solve(decay(jacobian=lambda t, y: wrong), None, 1.0, stepper="rosenbrock")


def test_a_jacobian_that_is_not_finite_ends_the_run():
    sol = solve(decay(jacobian=lambda t, y: np.array([[-1.0 if t < 0.5 else np.nan]])), None, 1.0, stepper="rosenbrock")
    assert sol.outcome.kind is OutcomeKind.diverged
    assert 0.5 <= sol.outcome.time < 1


def test_a_step_whose_matrix_is_singular_is_tried_again():
    """1 − γ dt J = 0 to the last bit at the first step of y' = 3y, which is taken shorter."""
    flow = ode(lambda t, y: 3 * y, [1.0], jacobian=lambda t, y: np.full((1, 1), 3.0), autonomous=True)
    first = 1 / (3 * Rosenbrock.method.gamma)
    assert 1 - Rosenbrock.method.gamma * first * 3 == 0
    assert solve(flow, None, first, stepper="rosenbrock", control=FixedStep(first)).outcome.kind is OutcomeKind.diverged

    class Long(ErrorControl):
        def start(self, cursor, stepper, span):
            return type(super().start(cursor, stepper, span))(first)

    sol = solve(flow, None, 2 * first, stepper="rosenbrock", control=Long(1e-6, 1e-9))
    assert sol.rejected >= 1
    assert sol.last[0] == pytest.approx(np.exp(6 * first), rel=1e-4)


def test_one_jacobian_a_step_and_what_rates_cost():
    """Eight rates an attempt, and four more where the rate may depend on t; one at the start for the first step."""
    flow, taken = shrinking_radius(), []

    def jacobian(t, y):
        taken.append(t)
        return flow.problem.jacobian(t, y)

    for autonomous, rates in ((True, 7), (False, 11)):
        taken.clear()
        counted = changed(flow, jacobian=jacobian, autonomous=autonomous)
        sol = solve(counted, None, 0.4999, stepper="rosenbrock", rtol=1e-4)
        assert sol.rejected > 0
        assert len(taken) == sol.steps
        assert sol.rate_evaluations == rates * (sol.steps + sol.rejected) + sol.steps + 2


def test_an_autonomous_problem_gives_the_same_numbers_if_it_does_not_say_so():
    runs = [solve(changed(kaps(1e3), autonomous=known), None, 1.0, stepper="rosenbrock") for known in (True, False)]
    assert np.array_equal(runs[0].last, runs[1].last)


@pytest.mark.parametrize("method", ["BDF", "Radau", "LSODA"])
def test_scipy_takes_the_jacobian(method):
    """Fewer rates for the same solution."""
    flow = kaps(1e4)
    both = (flow, changed(flow, jacobian=None))
    exact, without = (solve(each, None, 1.0, stepper=ScipyStiff(method, 4)) for each in both)
    assert exact.rate_evaluations < without.rate_evaluations
    assert exact.last == pytest.approx(np.exp([-2.0, -1.0]), abs=1e-5)
