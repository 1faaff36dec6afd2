"""A run that ended at t1 and goes on to a later one is the run that would have gone there at once, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from problems import Heat, blow_up, decay, ode, same

import geomflow as gf
from geomflow.core.errors import StoreError
from geomflow.flow import (
    RK4,
    CurvatureBlowUp,
    ErrorControl,
    Event,
    FixedStep,
    OutcomeKind,
    ScipyStiff,
    SteadyState,
    Store,
    load,
    solve,
)

WAYS = {
    "rk23": {"stepper": "rk23"},
    "rk45": {"stepper": "rk45", "rtol": 1e-3},
    "rk45 with a largest step": {"stepper": "rk45", "control": ErrorControl(1e-4, 1e-8, largest=3e-4)},
    "rkc": {"stepper": "rkc"},
    "rk4 by stability": {"stepper": "rk4"},
    "rk4 of fixed steps": {"stepper": RK4(), "control": FixedStep(0.0013)},
    "rk4 of steps that divide the time": {"stepper": RK4(), "control": FixedStep(0.001)},
    "semi-implicit": {"stepper": "semi-implicit"},
    "rosenbrock": {"stepper": "rosenbrock"},
    "scipy": {"stepper": ScipyStiff(legs=7)},
}
SAVED = {
    "no times": (None, None),
    "times before": ([0.004, 0.0065], [0.004, 0.0065]),
    "times after": ([0.004], [0.004, 0.015]),
    "the first end": (None, [0.01]),
    "times near the end": ([0.00999], [0.00999, 0.01001]),
}


def single_and_extended(flow, path, t1, t2, saved, **options):
    """The run to t2, and the one to t1 that then went on; both as they were given back and as they are stored."""
    first, second = saved
    state = None
    single = solve(flow, state, t2, save_at=second, **options)
    solve(flow, state, t1, save_at=first, store=path, **options)
    longer = solve(flow, state, t2, save_at=second, store=path, resume=True, **options)
    return single, longer, load(path)


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("saved", ["no times", "times after"])
def test_a_longer_run_is_the_single_run(tmp_path, way, saved):
    n = 8 if way == "scipy" else 16
    runs = single_and_extended(Heat(n).flow(), tmp_path / "run", 0.01, 0.02, SAVED[saved], **WAYS[way])
    assert same(runs[1], runs[0])
    assert same(runs[2], runs[0])
    assert load(tmp_path / "run").recipe["save_at"][-1] == 0.02


@pytest.mark.parametrize("saved", sorted(SAVED))
@pytest.mark.parametrize("way", ["rkc", "rk4 of fixed steps"])
def test_whatever_times_are_saved(tmp_path, saved, way):
    runs = single_and_extended(Heat(16).flow(), tmp_path / "run", 0.01, 0.02, SAVED[saved], **WAYS[way])
    assert same(runs[1], runs[0])
    assert same(runs[2], runs[0])


def test_only_the_end_is_computed_again(tmp_path):
    """The steps that the first end has not shaped are kept."""
    rates = []

    def rate(t, y):
        rates.append(t)
        return -y

    flow, path = ode(rate, [1.0], spectral_radius=lambda t, y: 1.0), tmp_path / "run"
    flow.problem.rate.__closure__[0].cell_contents.__content__ = lambda: {"decay": 1.0}
    solve(flow, None, 10.0, stepper="rk45", store=path)
    before = len(rates)
    solve(flow, None, 11.0, stepper="rk45", store=path, resume=True)
    assert len(rates) - before < before / 3


def test_again_and_again(tmp_path):
    """In three goes, each cut off once, to a later end each time."""
    flow, path, options = Heat(16).flow(), tmp_path / "run", {"stepper": "rkc", "rtol": 1e-5}
    single = solve(flow, None, 0.02, **options)
    for t1 in (0.005, 0.011, 0.02):
        for limit in (single.steps // 4, single.steps // 2, 10**5):
            longer = solve(flow, None, t1, store=Store(path, every=0), resume=True, max_steps=limit, **options)
    assert same(longer, single)
    assert same(load(path), single)


def test_a_run_cut_off_near_its_end_goes_on_to_a_later_one(tmp_path):
    flow, path, options = Heat(16).flow(), tmp_path / "run", {"stepper": "rkc", "rtol": 1e-5}
    steps = solve(flow, None, 0.01, **options).steps
    for back in (0, 1, 2, 3):
        solve(flow, None, 0.01, store=path / str(back), max_steps=steps - back, **options)
        longer = solve(flow, None, 0.02, store=path / str(back), resume=True, **options)
        assert same(longer, solve(flow, None, 0.02, **options)), back


@pytest.mark.parametrize("end", [0.695, 0.7, 1.0])
def test_an_event_in_the_last_step_is_located_again(tmp_path, end):
    """With another end the step in which it happens is another one."""
    flow, path, events = decay(), tmp_path / "run", Event("half", lambda t, y: float(y[0]) - 0.5)
    single = solve(flow, None, 3.0, events=events)
    solve(flow, None, end, events=events, store=path)
    assert same(solve(flow, None, 3.0, events=events, store=path, resume=True), single)
    assert single.outcome.kind is OutcomeKind.finished


@pytest.mark.parametrize(
    ("flow", "events", "end"),
    [(blow_up(), (), 1.5), (decay(), SteadyState(1e-2), 30.0),
     (blow_up(curvature=lambda t, y: float(y[0])), CurvatureBlowUp(50.0), 0.9801)],
    ids=["singular", "steady", "curvature"],
)  # fmt: skip
def test_what_has_ended_for_good_stays_so(tmp_path, flow, events, end):
    single = solve(flow, None, 60.0, events=events)
    solve(flow, None, end, events=events, store=tmp_path / "run")
    assert same(solve(flow, None, 60.0, events=events, store=tmp_path / "run", resume=True), single)


@pytest.mark.parametrize(
    ("flow", "stop", "later", "end"),
    [(decay(), Event("half", lambda t, y: float(y[0]) - 0.5), (), 3.0),
     (decay(), Event("half", lambda t, y: float(y[0]) - 0.5), (), 0.7),
     (decay(), Event("at once", lambda t, y: True), (), 3.0),
     (decay(), SteadyState(1e-2), SteadyState(1e-3), 30.0),
     (blow_up(curvature=lambda t, y: float(y[0])), CurvatureBlowUp(50.0), CurvatureBlowUp(500.0), 1.5)],
    ids=["left out", "in the last step", "not happened", "lower", "higher"],
)  # fmt: skip
def test_a_run_goes_on_without_the_event_that_ended_it(tmp_path, flow, stop, later, end):
    single = solve(flow, None, end, events=later)
    stopped = solve(flow, None, end, events=stop, store=tmp_path / "run")
    assert same(solve(flow, None, end, events=later, store=tmp_path / "run", resume=True), single)
    assert same(load(tmp_path / "run"), single)
    assert stopped.times[-1] <= single.times[-1]


def test_a_run_over_at_its_start_begins_without_the_event(tmp_path):
    flow, steady = decay(), SteadyState(10.0)
    assert solve(flow, None, 1.0, events=steady, store=tmp_path / "run").steps == 0
    assert same(solve(flow, None, 1.0, store=tmp_path / "run", resume=True), solve(flow, None, 1.0))


@pytest.mark.parametrize("events", [SteadyState(0.1), (SteadyState(0.01), CurvatureBlowUp(9.0)), CurvatureBlowUp(9.0)],
                         ids=["higher", "further", "another"])
def test_an_event_that_might_have_ended_the_run_is_refused(tmp_path, events):
    flow = decay(curvature=lambda t, y: float(y[0]))
    solve(flow, None, 1.0, events=SteadyState(0.01), store=tmp_path / "run")
    with pytest.raises(StoreError, match=r"holds another run: events"):
        solve(flow, None, 2.0, events=events, store=tmp_path / "run", resume=True)


def test_killed_on_the_way_to_a_later_end(tmp_path, monkeypatch):
    """Going back is one rename: whatever dies after it leaves the beginning of the run whole."""
    from geomflow.io import store as stores

    flow, path, options = Heat(16).flow(), tmp_path / "run", {"stepper": "rkc", "save_at": [0.004]}
    single = solve(flow, None, 0.02, **options)
    solve(flow, None, 0.01, store=path, **options)

    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    monkeypatch.setattr(stores.RunWriter, "commit", die)
    with pytest.raises(Killed):
        solve(flow, None, 0.02, store=path, resume=True, **options)
    monkeypatch.undo()
    assert load(path).outcome.kind is OutcomeKind.interrupted
    assert 0.004 < load(path).times[-1] < 0.01
    assert same(solve(flow, None, 0.02, store=path, resume=True, **options), single)


def test_an_earlier_end_is_another_run(tmp_path):
    solve(decay(), None, 2.0, store=tmp_path / "run")
    with pytest.raises(StoreError, match=r"t1 is 2\.0 there and 1\.0 here"):
        solve(decay(), None, 1.0, store=tmp_path / "run", resume=True)


def test_flows_of_the_package_go_on(tmp_path):
    """Through generated routines, and the iteration of an optimiser."""
    T = gf.ComplexTorus(1)
    phi = T.grid(16).potential("cos(2*pi*x)*cos(2*pi*y)/100")
    network = gf.networks.Perceptron(2, (4,), embedding=gf.networks.FourierEmbedding(T))
    model = gf.networks.Rescaled(gf.networks.PotentialModel(T, network), 0.01)
    training = gf.Training(gf.functionals.KEnergy(T), model, gf.tangent.Adam(1e-3), batch=4, seed=1)
    for n, (flow, state, t1, t2) in enumerate([
        (gf.KahlerRicciFlow(), phi, 0.01, 0.02),
        (gf.KernelFlow(gf.functionals.KEnergy(T), gf.GaussianKernel(0.1)), phi, 1e-4, 2e-4),
        (training, model.on(np.random.default_rng(0).random((9, 2)), seed=0), 5, 9),
    ]):
        single = gf.solve(flow, state, t2)
        gf.solve(flow, state, t1, store=tmp_path / str(n))
        assert same(gf.solve(flow, state, t2, store=tmp_path / str(n), resume=True), single)
    assert single.recipe["stepper"] == "Iteration()"
