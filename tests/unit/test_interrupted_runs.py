"""Runs that are stopped by a signal or by what a user's function raises: kept first, and then stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from problems import Given, Heat, decay, ode, same

from geomflow.flow import RK4, Event, OutcomeKind, Problem, Store, load, solve

TESTS = Path(__file__).parents[1]

SCRIPT = """
import os, signal, sys
sys.path[:0] = [{tests!r}, {root!r}]
from problems import decay
from geomflow.flow import Store, solve

def signalled(t, state):
    if t > 1:
        os.kill(os.getpid(), signal.SIGTERM)
    return 0.0

sol = solve(decay(), None, 1e3, stepper="rk4", monitors={{"m": signalled}}, store=Store({path!r}, every=1e9))
print("first", sol.outcome.kind, flush=True)
solve(decay(), None, 1.0)
"""


def test_a_request_to_terminate_keeps_the_run_and_ends_the_script(tmp_path):
    script = SCRIPT.format(tests=str(TESTS), root=str(TESTS.parent), path=str(tmp_path / "run"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "")
    kept = load(tmp_path / "run")
    assert kept.outcome.kind is OutcomeKind.interrupted
    assert "a request to terminate" in kept.outcome.message
    assert kept.times[-1] > 1


def signalled_run(number, path):
    """A run in which this process gets a signal, once."""
    sent = []

    def signalled(t, state):
        if t > 0.5 and not sent:
            sent.append(t)
            os.kill(os.getpid(), number)
        return 0.0

    return solve(decay(), None, 1.0, stepper="rk4", monitors={"m": signalled}, store=Store(path, every=1e9))


@pytest.fixture
def restored():
    """The handlers of this process, afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("goes_on", [True, False])
def test_a_request_to_terminate_has_the_effect_that_the_script_gave_it(tmp_path, restored, number, goes_on):
    path, heard = tmp_path / "run", []

    def handler(*_):
        heard.append(load(path).outcome.kind)
        if not goes_on:
            sys.exit(7)

    signal.signal(number, handler)
    if goes_on:
        assert signalled_run(number, path).outcome.kind is OutcomeKind.interrupted
    else:
        with pytest.raises(SystemExit, match="7"):
            signalled_run(number, path)
    assert heard == [OutcomeKind.interrupted]
    assert 0.5 < load(path).times[-1] < 1
    assert signal.getsignal(number) is handler


def test_a_signal_that_is_ignored_stays_ignored(tmp_path, restored):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signalled_run(signal.SIGTERM, tmp_path / "run").outcome.kind is OutcomeKind.finished


class Broken(Exception):
    """What a user's function raises."""


class Fuse:
    """A function that raises when it is called with a time of at least `at`, as long as it is armed."""

    def __init__(self, at, error=Broken, value=1.0):
        self.at, self.error, self.value, self.armed = at, error, value, True

    def __call__(self, t, *rest):
        if self.armed and t >= self.at:
            raise self.error(f"at {t}")
        return self.value

    def __content__(self):
        return {"value": self.value}


def heat(fuse, **facts):
    """Heat flow, one of whose functions burns the fuse."""
    problem = Heat(16).flow(**facts).problem
    return Given(problem) if fuse is None else Given(_burning(problem, fuse))


def _burning(problem, fuse):
    from dataclasses import replace

    def rate(t, y, out):
        fuse(t)
        problem.rate(t, y, out)

    return replace(problem, rate=rate)


PLACES = {
    "monitor": lambda fuse: (heat(None), {"monitors": {"fuse": fuse}}),
    "event": lambda fuse: (heat(None), {"events": Event("fuse", fuse)}),
    "located event": lambda fuse: (heat(None), {"events": Event("mean", Located(fuse))}),
    "rate": lambda fuse: (heat(fuse), {}),
    "check": lambda fuse: (heat(None, check=lambda t, y: fuse(t) and None), {}),
    "radius": lambda fuse: (heat(None, spectral_radius=lambda t, y: fuse(t) * 1e5), {}),
}


class Located(Fuse):
    """An event in the last third of the run that burns its fuse while it is being located."""

    def __init__(self, fuse):
        self.fuse = fuse

    def __call__(self, t, state):
        if t > 0.0095:
            self.fuse(0.01 if t < 0.0101 else 0.0)
        return 0.01003 - t

    def __content__(self):
        return {"at": 0.01003}


@pytest.mark.parametrize(
    ("place", "stepper"),
    [*((place, "rkc") for place in sorted(PLACES)), ("radius", "rk4"), ("located event", "semi-implicit"),
     ("monitor", "rk45"), ("rate", "rk45"), ("rate", "rosenbrock"), ("located event", "rosenbrock")],
)  # fmt: skip
def test_what_is_raised_is_raised_when_the_run_is_kept(tmp_path, place, stepper):
    """The store holds the run up to the step before, and goes on to the bits of one in which nothing was raised."""
    fuse, path = Fuse(0.01), tmp_path / "run"
    flow, watched = PLACES[place](fuse)
    options = {"save_at": 3, "stepper": stepper, "rtol": 1e-4, **watched}
    with pytest.raises(Broken) as caught:
        solve(flow, None, 0.02, store=Store(path, every=1e9), **options)
    assert any("resume=True" in note for note in caught.value.__notes__)
    kept = load(path)
    assert kept.outcome.kind is OutcomeKind.interrupted
    assert "Broken" in kept.outcome.message
    assert 0.004 < kept.times[-1] < 0.02
    fuse.armed = False
    whole = solve(flow, None, 0.02, **options)
    rest = solve(flow, None, 0.02, store=path, resume=True, **options)
    assert same(rest, whole)
    assert same(load(path), whole)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError])
def test_exits_keep_the_run_too(tmp_path, error):
    fuse, path = Fuse(0.5, error), tmp_path / "run"
    flow = ode(lambda t, y: -y, [1.0])
    if error is KeyboardInterrupt:
        assert solve(flow, None, 1.0, monitors={"fuse": fuse}, store=path).outcome.kind is OutcomeKind.interrupted
    else:
        with pytest.raises(error):
            solve(flow, None, 1.0, monitors={"fuse": fuse}, store=Store(path, every=1e9))
    assert 0 < load(path).times[-1] < 0.5
    fuse.armed = False
    rest = solve(flow, None, 1.0, monitors={"fuse": fuse}, store=path, resume=True)
    assert same(rest, solve(flow, None, 1.0, monitors={"fuse": fuse}))


def test_a_progress_bar_that_breaks_loses_nothing(tmp_path, monkeypatch):
    from geomflow.core import progress

    def broken(self, done, note):
        if note == "5 steps":
            raise BrokenPipeError

    monkeypatch.setattr(progress.Bar, "show", broken)
    with pytest.raises(BrokenPipeError):
        solve(Heat(16).flow(), None, 0.02, stepper=RK4(), store=Store(tmp_path / "run", every=1e9))
    assert load(tmp_path / "run").steps == 5


def test_a_store_killed_at_birth_leaves_nothing_for_ever(tmp_path):
    """The hidden folder of a process that died goes with the next run there; that of a living one stays."""
    process = subprocess.Popen(["true"])
    process.wait()
    left, others = tmp_path / f".run.zarr.{process.pid}.partial", [tmp_path / f".run.zarr.{os.getppid()}.partial"]
    others.append(tmp_path / ".run.zarr.mine.partial")
    for folder in (left, *others):
        folder.mkdir()
        (folder / "zarr.json").write_text("{}")
    solve(decay(), None, 1.0, store=tmp_path / "run.zarr")
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "run.zarr"])


def test_problems_are_what_determines_their_numbers():
    """What is only told of a problem is no part of it."""
    problem = Heat(16).flow().problem
    assert isinstance(problem, Problem)
    assert {"monitors", "observe", "description"}.isdisjoint(problem.__content__())
