"""What solve accepts, what it gives back, and how runs end."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest
from problems import Heat, blow_up, decay, ode, shrinking

from geomflow.core.errors import (
    InputError,
    MemoryLimitError,
    NotFiniteError,
    PositivityError,
    ShapeError,
    UnknownNameError,
)
from geomflow.flow import (
    RK4,
    RK45,
    STEPPERS,
    CurvatureBlowUp,
    ErrorControl,
    Event,
    FixedStep,
    FourierImplicit,
    OutcomeKind,
    PositivityLoss,
    Problem,
    ScipyStiff,
    StabilityBound,
    SteadyState,
    solve,
)


@pytest.mark.parametrize("name", sorted(STEPPERS))
def test_every_stepper_by_name_solves_the_heat_equation(name):
    heat = Heat(32)
    sol = solve(heat.flow(), None, 0.02, stepper=name, rtol=1e-7)
    assert sol.outcome.kind is OutcomeKind.finished
    assert sol.outcome.time == sol.times[-1] == 0.02
    assert np.abs(sol.last - heat.exact(0.02)).max() < 2e-5


@pytest.mark.parametrize(("order", "name"), [(0, "rk45"), (2, "rkc"), (4, "semi-implicit")])
def test_the_stepper_follows_from_the_stiffness(order, name):
    sol = solve(Heat(16).flow(stiff_order=order, jacobian=None), None, 1e-3)
    assert sol.recipe["stepper"].startswith({"rk45": "RK45", "rkc": "RKC", "semi-implicit": "SemiImplicit"}[name])


@pytest.mark.parametrize("order", [0, 1, 4])
def test_with_a_jacobian_problems_have_the_rosenbrock_method(order):
    """A few numbers too: some may settle long before the others."""
    assert solve(Heat(16).flow(stiff_order=order), None, 1e-4).recipe["stepper"].startswith("Rosenbrock")


@pytest.mark.parametrize("given", [None, 1e-4])
def test_the_tolerance_is_the_problems_own_unless_given(given):
    """atol is a thousandth of it, of the initial state."""
    sol = solve(decay(rtol=1e-9), None, 1.0, rtol=given)
    rtol = given or 1e-9
    assert sol.recipe["control"] == repr(ErrorControl(rtol, 1e-3 * rtol))
    assert solve(decay(), None, 1.0).recipe["control"] == repr(ErrorControl(1e-6, 1e-9))
    assert abs(sol.last[0] - np.exp(-1)) < 10 * rtol


def test_fourth_order_without_an_implicit_part_is_stabilised():
    flow = Heat(16).flow(stiff_order=4, implicit=None, jacobian=None)
    assert solve(flow, None, 1e-3).recipe["stepper"].startswith("RKC")


def test_save_times_are_hit_exactly_and_the_ends_are_kept():
    wanted = [0.1, 0.1 + 1e-9, 0.7]
    sol = solve(decay(), None, 1.0, save_at=wanted)
    assert sol.times.tolist() == [0.0, *wanted, 1.0]
    assert len(sol.states) == 5
    assert np.abs(np.array([s[0] for s in sol.states]) - np.exp(-sol.times)).max() < 1e-6
    assert solve(decay(), None, 1.0, save_at=4).times.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_save_times_hardly_disturb_the_steps():
    free = solve(decay(), None, 20.0)
    assert solve(decay(), None, 20.0, save_at=[5 + 1e-6, 10, 15]).steps <= free.steps + 8


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"t1": 0.0}, "t1 = 0.0 must be greater than t0 = 0.0"),
        ({"t1": -1.0}, "t1 = -1.0"),
        ({"t1": np.nan}, "must be finite"),
        ({"t1": np.inf}, "must be finite"),
        ({"t0": 2.0}, "t0 = 2.0"),
        ({"save_at": [0.5, 2.0]}, "save time 2.0 is outside"),
        ({"save_at": [-0.5]}, "save time -0.5 is outside"),
        ({"save_at": [0.5, 0.5]}, "0.5 follows 0.5"),
        ({"save_at": [np.nan]}, "not finite"),
        ({"save_at": 0}, "at least 1"),
        ({"save_at": []}, "number of parts or a list"),
        ({"rtol": -1.0}, "rtol = -1.0"),
        ({"t1": "1"}, "t1 must be a real number, and '1' is not"),
        ({"t1": None}, "t1 must be a real number"),
        ({"t0": 1j}, "t0 must be a real number, and 1j is not"),
        ({"rtol": "small"}, "rtol must be a real number"),
        ({"atol": "small"}, "atol must be a real number"),
        ({"save_at": "often"}, "number of parts or a list"),
        ({"monitors": ["mass"]}, "must map names to functions"),
        ({"monitors": {"mass": lambda t, s: np.zeros(3)}}, "'mass' must return one number"),
        ({"max_steps": 0}, "max_steps is 0"),
        ({"monitor_every": 1.5}, "monitor_every is 1.5"),
        ({"stepper": 3}, "stepper must be"),
        ({"stepper": "semi-implicit"}, "no implicit part"),
        ({"stepper": "rk4", "control": ErrorControl()}, "no error estimate"),
        ({"events": [lambda t, s: 1]}, "an event must be"),
        ({"events": CurvatureBlowUp(1.0)}, "no curvature"),
        ({"events": PositivityLoss()}, "has to stay positive"),
        ({"monitors": {"residual": lambda t, s: 1.0}}, "exists already"),
        ({"monitors": {"a/b": lambda t, s: 1.0}}, "a/b"),
        ({"monitors": {"a": 1.0}}, "must be a function"),
        ({"resume": True}, "give store=path"),
    ],
)
def test_arguments_that_make_no_sense(options, words):
    with pytest.raises(InputError, match=words.replace("(", "\\(")):
        solve(decay(), None, **{"t1": 1.0, **options})


def test_an_unknown_stepper_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'rkc'"):
        solve(decay(), None, 1.0, stepper="rkcc")
    with pytest.raises(UnknownNameError, match="did you mean 'residual'"):
        solve(decay(), None, 1.0)["residuals"]


def test_something_that_is_not_a_flow():
    with pytest.raises(InputError, match="needs a flow"):
        solve("ricci", None, 1.0)
    with pytest.raises(InputError, match=r"not its class: write Problem\(\.\.\.\)"):
        solve(Problem, None, 1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_initial_state_or_rate_that_is_not_finite(bad):
    with pytest.raises(NotFiniteError, match=r"component 1 at the point \(\)"):
        solve(ode(lambda t, y: -y, [1.0, bad]), None, 1.0)
    with pytest.raises(NotFiniteError, match="rate at the initial state"):
        solve(ode(lambda t, y: y * bad, [1.0]), None, 1.0)


def test_an_initial_state_outside_of_the_domain():
    flow = shrinking()
    flow.problem.y0[...] = -2.0
    with pytest.raises(PositivityError, match="least eigenvalue = -2"):
        solve(flow, None, 1.0)


@pytest.mark.parametrize("make", [lambda: Event(1, lambda t, s: t), lambda: Event("half", 0.5)])
def test_events_take_a_name_and_a_function(make):
    with pytest.raises(InputError, match="Event takes a name and a function"):
        make()


def test_more_save_times_than_memory_holds_are_refused_before_they_are_made():
    with pytest.raises(MemoryLimitError, match="the 1000000000000 save times would take 64 TB"):
        solve(decay(), None, 1.0, save_at=10**12)


def test_memory_for_the_kept_states_is_stated_before_it_is_taken():
    flow = ode(lambda t, y: -y, np.zeros((1, 1000, 1000)))
    with pytest.raises(MemoryLimitError, match="the 1000002 kept states would take 8 TB"):
        solve(flow, None, 1.0, save_at=1_000_000)


def test_dense_jacobians_are_refused_when_too_large():
    flow = ode(lambda t, y: -y, np.ones((1, 10_000_000)))
    with pytest.raises(MemoryLimitError, match="dense Jacobian of 10000000 × 10000000"):
        solve(flow, None, 1.0, stepper="scipy")
    with pytest.raises(InputError, match="BDFF"):
        solve(decay(), None, 1.0, stepper=ScipyStiff("BDFF"))


@pytest.mark.parametrize("method", ["BDF", "Radau", "LSODA"])
def test_scipys_stiff_solvers(method):
    """Robertson's reaction, which explicit methods cannot reach."""

    def rate(t, y):
        a, b, c = y
        fast = 3e7 * b * b
        return np.array([-0.04 * a + 1e4 * b * c, 0.04 * a - 1e4 * b * c - fast, fast])

    sol = solve(ode(rate, [1.0, 0.0, 0.0]), None, 40.0, stepper=ScipyStiff(method, rtol=1e-8, atol=1e-12))
    assert np.abs(sol.last - [0.7158270688, 9.185534765e-06, 0.2841637458]).max() < 1e-6


@pytest.mark.parametrize("stepper", ["rk4", "rk23", "rk45", "rkc"])
def test_blow_up_is_singular_at_the_right_time(stepper):
    sol = solve(blow_up(), None, 2.0, stepper=stepper)
    assert sol.outcome.kind is OutcomeKind.singular
    assert sol.outcome.time == pytest.approx(1.0, abs=0.05 if stepper == "rk4" else 1e-4)
    assert "blows up" in sol.outcome.message
    assert "t1 <" in sol.outcome.message
    assert np.isfinite(sol.last).all()


@pytest.mark.parametrize("stepper", ["rk4", "rk45", "rkc", "scipy"])
def test_loss_of_positivity_is_singular(stepper):
    sol = solve(shrinking(), None, 2.0, stepper=stepper)
    assert sol.outcome.kind is OutcomeKind.singular
    assert sol.outcome.time == pytest.approx(1.0, abs=1e-12)
    assert "positivity is lost (the least eigenvalue" in sol.outcome.message


def test_growth_beyond_all_numbers_is_no_singularity():
    sol = solve(ode(lambda t, y: y, [1.0]), None, 1000.0, stepper="rk45", rtol=1e-3)
    assert sol.outcome.kind is OutcomeKind.diverged
    assert "overflow without a singularity" in sol.outcome.message
    assert sol.outcome.time == pytest.approx(709.8, abs=2)


def test_an_unstable_step_diverges_and_says_what_to_change():
    sol = solve(decay(50.0), None, 1e4, stepper="rk4", control=FixedStep(1.0))
    assert sol.outcome.kind is OutcomeKind.diverged
    assert "smaller step than 1" in sol.outcome.message


def test_a_rate_that_stops_being_finite_diverges():
    sol = solve(ode(lambda t, y: -y if t < 0.5 else y * np.nan, [1.0]), None, 1.0)
    assert sol.outcome.kind is OutcomeKind.diverged
    assert sol.times[-1] == pytest.approx(0.5, abs=1e-9)


def test_the_step_limit_interrupts_with_advice():
    sol = solve(decay(), None, 100.0, max_steps=3)
    assert sol.outcome.kind is OutcomeKind.interrupted
    assert sol.steps == 3
    assert "Raise max_steps" in sol.outcome.message


def test_curvature_and_positivity_events():
    curved = blow_up(curvature=lambda t, y: float(y[0]))
    sol = solve(curved, None, 2.0, events=CurvatureBlowUp(100.0))
    assert sol.outcome.kind is OutcomeKind.singular
    assert 100 <= sol.last[0] < 200
    assert "threshold 100" in sol.outcome.message
    sol = solve(shrinking(), None, 2.0, events=[PositivityLoss(0.25)], control=FixedStep(0.01))
    assert sol.outcome.time == pytest.approx(0.75, abs=0.011)


def test_steady_state_and_a_start_that_is_steady_already():
    sol = solve(decay(), None, 100.0, events=SteadyState(1e-3))
    assert sol.outcome.kind is OutcomeKind.steady
    assert sol["residual"][-1] <= 1e-3 < sol["residual"][-2]
    still = solve(ode(lambda t, y: 0 * y, [1.0]), None, 1.0, events=SteadyState(1e-3))
    assert still.outcome.kind is OutcomeKind.steady
    assert still.steps == 0


@pytest.mark.parametrize("stepper", sorted(set(STEPPERS) - {"semi-implicit"}))
def test_a_users_event_is_located(stepper):
    tight = {"rtol": 1e-9, "control": StabilityBound(0.05) if stepper == "rk4" else None}
    half = Event("half", lambda t, state: state[0] - 0.5)
    sol = solve(decay(), None, 2.0, events=[half], stepper=stepper, save_at=2, **tight)
    assert sol.outcome.kind is OutcomeKind.finished
    assert "'half'" in sol.outcome.message
    assert sol.times[-1] == pytest.approx(np.log(2), abs=1e-6)
    assert sol.last[0] == pytest.approx(0.5, abs=1e-8)


def test_the_flows_own_events_watch_too():
    assert solve(decay(events=(SteadyState(1e-2),)), None, 100.0).outcome.kind is OutcomeKind.steady


def test_monitors_of_the_problem_and_of_the_user():
    flow = decay(
        monitors={"square": lambda t, y: float(y[0] ** 2)},
        observe=lambda t, y: {"cube": float(y[0] ** 3)},
        residual=lambda rate: 7.0,
    )
    sol = solve(flow, None, 1.0, monitors={"double": lambda t, state: 2 * state[0]}, monitor_every=3, save_at=[0.5])
    assert list(sol.monitors) == ["square", "cube", "double", "residual"]
    assert np.isin(sol.times, sol.monitor_times).all()
    assert np.allclose(sol["cube"], np.exp(-3 * sol.monitor_times), rtol=1e-5)
    assert np.allclose(sol["double"], 2 * np.sqrt(sol["square"]))
    assert (sol["residual"] == 7).all()
    assert len(sol.monitor_times) < sol.steps


@pytest.fixture
def handled():
    """The handlers of a process that was not started in the background, where Ctrl-C is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_returns_what_there_is(handled):
    steps = []

    def rate(t, y):
        steps.append(t)
        if len(steps) == 50:
            os.kill(os.getpid(), signal.SIGINT)
        return -y

    sol = solve(ode(rate, [1.0]), None, 1e4)
    assert sol.outcome.kind is OutcomeKind.interrupted
    assert 0 < sol.times[-1] < 1e4
    assert sol.last[0] == pytest.approx(np.exp(-sol.times[-1]), abs=1e-5)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_raised_inside_of_the_rate():
    def rate(t, y):
        if t > 0.5:
            raise KeyboardInterrupt
        return -y

    sol = solve(ode(rate, [1.0]), None, 10.0)
    assert sol.outcome.kind is OutcomeKind.interrupted
    assert "Ctrl-C" in sol.outcome.message


def test_solve_in_another_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(solve(decay(), None, 1.0)))
    thread.start()
    thread.join()
    assert found[0].outcome.kind is OutcomeKind.finished


def test_progress_is_silent_unless_wanted(capsys):
    solve(decay(), None, 1.0)
    assert capsys.readouterr() == ("", "")
    solve(decay(), None, 1.0, progress=True)
    assert "t = " in capsys.readouterr().err


def test_a_solution_is_a_sentence():
    text = repr(solve(decay(), None, 1.0, stepper=RK4()))
    assert text.startswith("Solution over t = 0 to 1, 2 states, 20 steps (0 rejected), 81 rates; finished: reached")


def test_the_spectral_radius_is_estimated_when_it_is_not_given():
    heat = Heat(32)
    given, found = (solve(heat.flow(**facts), None, 0.02, stepper="rkc") for facts in ({}, {"spectral_radius": None}))
    assert np.abs(found.last - given.last).max() < 1e-5
    assert found.outcome.kind is OutcomeKind.finished


def test_default_tolerances_do_not_depend_on_units():
    small, large = (solve(ode(lambda t, y: -y, [size]), None, 1.0, stepper=RK45()) for size in (2.0**-40, 2.0**40))
    assert small.steps == large.steps
    assert small.last[0] * 2.0**80 == large.last[0]


def test_the_fourier_operator_solves_and_applies():
    n = 16
    symbol = -(np.fft.rfftfreq(n, 1 / n) ** 2)
    operator = FourierImplicit(symbol, (2, n))
    y = np.random.default_rng(0).standard_normal((2, n))
    applied, solved = np.empty_like(y), np.empty_like(y)
    operator.apply(y, applied)
    operator.solve(y - 0.3 * applied, 0.3, solved)
    assert np.abs(solved - y).max() < 1e-13
    with pytest.raises(ShapeError, match="the grid"):
        FourierImplicit(symbol, (2, n + 2))
