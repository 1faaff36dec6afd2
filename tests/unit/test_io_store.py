"""Runs on disk: written as they go, killed, continued, refused."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from problems import Heat, decay, same

import geomflow as gf
from geomflow.core.errors import MissingExtraError, StoreError
from geomflow.flow import OutcomeKind, SteadyState, Store, load, solve
from geomflow.io import store as store_module
from geomflow.io.datasets import to_xarray
from geomflow.io.written import describe_field, rebuild_field

TESTS = Path(__file__).parents[1]


def test_a_stored_run_is_the_run(tmp_path):
    flow = Heat(32).flow()
    plain = solve(flow, None, 0.02, save_at=3)
    stored = solve(flow, None, 0.02, save_at=3, store=Store(tmp_path / "run.zarr", seed=7, configuration={"a": [1]}))
    loaded = load(tmp_path / "run.zarr")
    assert same(plain, stored)
    assert same(plain, loaded)
    assert loaded.outcome == plain.outcome
    assert loaded.description["equation"] == "u_t = a(t) u_xx"
    assert loaded.description["axes"]["x"] == Heat(32).x.tolist()
    header = json.loads((tmp_path / "run.zarr" / "zarr.json").read_text())["attributes"]["geomflow"]
    assert header["seed"] == 7
    assert header["configuration"] == {"a": [1]}
    assert header["versions"]["numpy"] == np.__version__
    assert not list(tmp_path.rglob("*.partial"))


def test_a_saved_solution_is_the_solution(tmp_path):
    sol = solve(decay(), None, 100.0, events=SteadyState(1e-2))
    sol.save(tmp_path / "saved.zarr")
    assert same(sol, load(tmp_path / "saved.zarr"))
    with pytest.raises(StoreError, match="not overwritten"):
        sol.save(tmp_path / "saved.zarr")
    solve(decay(), None, 100.0, max_steps=2).save(tmp_path / "cut.zarr")
    with pytest.raises(StoreError, match="saved solution"):
        solve(decay(), None, 100.0, store=tmp_path / "cut.zarr", resume=True)


def test_checkpoints_do_not_change_the_numbers(tmp_path):
    flow = Heat(32).flow()
    often = solve(flow, None, 0.02, store=Store(tmp_path / "often.zarr", every=0))
    seldom = solve(flow, None, 0.02, store=Store(tmp_path / "seldom.zarr", every=1e9))
    assert same(often, seldom)
    assert same(load(tmp_path / "often.zarr"), seldom)


def test_an_interrupted_run_is_kept_and_continued(tmp_path):
    flow, path = Heat(32).flow(), tmp_path / "run.zarr"
    whole = solve(flow, None, 0.02, save_at=3)
    cut = solve(flow, None, 0.02, save_at=3, store=path, max_steps=whole.steps // 2)
    half = load(path)
    assert half.outcome == cut.outcome
    assert half.times[-1] == cut.times[-1] < 0.02
    assert np.array_equal(half.last, cut.last)
    assert same(whole, solve(flow, None, 0.02, save_at=3, store=path, resume=True))
    assert same(whole, load(path))
    assert same(whole, solve(flow, None, 0.02, save_at=3, store=path, resume=True))


def test_resume_begins_where_there_is_nothing(tmp_path):
    path = tmp_path / "deep" / "run.zarr"
    assert same(solve(decay(), None, 1.0), solve(decay(), None, 1.0, store=path, resume=True))


def test_a_finished_run_goes_on_to_a_later_time(tmp_path):
    path = tmp_path / "run.zarr"
    solve(decay(), None, 1.0, store=path)
    longer = solve(decay(), None, 2.0, save_at=[1.0], store=path, resume=True)
    assert longer.times.tolist() == [0, 1, 2]
    assert longer.last[0] == pytest.approx(np.exp(-2), rel=1e-5)
    assert same(longer, load(path))


def test_a_steady_run_stays_ended(tmp_path):
    path, events = tmp_path / "run.zarr", SteadyState(1e-2)
    first = solve(decay(), None, 100.0, events=events, store=path)
    again = solve(decay(), None, 200.0, events=events, store=path, resume=True, save_at=[100.0])
    assert same(first, again)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stepper": "rk23"}, r"stepper is RKC\(max_stages=1000\) there and RK23\(\) here"),
        ({"rtol": 1e-3}, "control.rtol is 1e-06 there and 0.001 here"),
        ({"t0": 0.1}, "t0 is 0.0 there and 0.1 here"),
        ({"save_at": 3}, "save_at is"),
    ],
)
def test_another_run_is_not_continued(tmp_path, change, words):
    path = tmp_path / "run.zarr"
    solve(decay(), None, 1.0, save_at=2, store=path, max_steps=40, stepper="rkc")
    before = (path / "zarr.json").read_bytes()
    with pytest.raises(StoreError, match=words):
        solve(decay(), None, 1.0, **{"save_at": 2, "stepper": "rkc", **change}, store=path, resume=True)
    assert (path / "zarr.json").read_bytes() == before


def test_an_existing_path_is_not_overwritten(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "precious.txt").write_text("keep me")
    with pytest.raises(StoreError, match="not overwritten"):
        solve(decay(), None, 1.0, store=tmp_path / "notes")
    assert [p.name for p in (tmp_path / "notes").iterdir()] == ["precious.txt"]
    solve(decay(), None, 1.0, store=tmp_path / "run.zarr")
    with pytest.raises(StoreError, match="resume=True"):
        solve(decay(), None, 1.0, store=tmp_path / "run.zarr")


def test_a_store_of_another_version(tmp_path):
    path = tmp_path / "run.zarr"
    solve(decay(), None, 1.0, store=path)
    root = json.loads((path / "zarr.json").read_text())
    root["attributes"]["geomflow"] |= {"format": 99, "versions": {"geomflow": "9.9"}}
    (path / "zarr.json").write_text(json.dumps(root))
    before = (path / "zarr.json").read_bytes()
    for attempt in (lambda: load(path), lambda: solve(decay(), None, 1.0, store=path, resume=True)):
        with pytest.raises(StoreError, match=r"format 99, written by geomflow 9\.9"):
            attempt()
    assert (path / "zarr.json").read_bytes() == before


def damage_commit(path):
    (path / "zarr.json").write_text((path / "zarr.json").read_text()[:100])


def truncate_state(path):
    chunk = next(p for p in (path / "state" / "c").rglob("*") if p.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-5])


def flip_state(path):
    chunk = next(p for p in (path / "state" / "c").rglob("*") if p.is_file())
    bits = bytearray(chunk.read_bytes())
    bits[len(bits) // 2] ^= 1
    chunk.write_bytes(bits)


def lose_state(path):
    next(p for p in (path / "state" / "c").rglob("*") if p.is_file()).unlink()


def lose_array(path):
    (path / "state" / "zarr.json").unlink()


@pytest.mark.parametrize("damage", [damage_commit, truncate_state, flip_state, lose_state, lose_array])
def test_a_damaged_store_is_said_to_be(tmp_path, damage):
    path = tmp_path / "run.zarr"
    solve(Heat(32).flow(), None, 0.02, save_at=2, stepper="rkc", store=path, max_steps=20)
    damage(path)
    with pytest.raises(StoreError, match="damaged"):
        list(load(path).states)
    with pytest.raises(StoreError, match="damaged"):
        solve(Heat(32).flow(), None, 0.02, save_at=2, stepper="rkc", store=path, resume=True)


def test_what_is_not_a_store(tmp_path):
    with pytest.raises(StoreError, match="no stored run"):
        load(tmp_path / "nothing")
    (tmp_path / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    with pytest.raises(StoreError, match="not that of a geomflow run"):
        load(tmp_path)


def test_two_runs_do_not_write_to_one_store(tmp_path):
    path = tmp_path / "run.zarr"
    solve(decay(), None, 100.0, store=path, max_steps=3)
    writer = store_module.RunWriter.reopen(path)
    with pytest.raises(StoreError, match="another run is writing"):
        solve(decay(), None, 100.0, store=path, resume=True)
    writer.close()
    assert solve(decay(), None, 100.0, store=path, resume=True).outcome.kind is OutcomeKind.finished


@pytest.mark.parametrize("at", [1, 2, 5])
def test_a_full_disk_interrupts_and_loses_nothing(tmp_path, monkeypatch, at):
    flow, path = Heat(32).flow(), tmp_path / "run.zarr"
    whole = solve(flow, None, 0.02, save_at=6)
    calls, genuine = [], store_module.RunWriter._write_root

    def full(*arguments):
        calls.append(1)
        if len(calls) > at:
            raise OSError(errno.ENOSPC, "No space left on device")
        genuine(*arguments)

    monkeypatch.setattr(store_module.RunWriter, "_write_root", full)
    cut = solve(flow, None, 0.02, save_at=6, store=path)
    assert cut.outcome.kind is OutcomeKind.interrupted
    assert "No space left on device" in cut.outcome.message
    assert np.array_equal(cut.last, whole.states[at])
    monkeypatch.undo()
    assert len(load(path).states) == at
    assert same(whole, solve(flow, None, 0.02, save_at=6, store=path, resume=True))


def test_a_store_that_cannot_be_begun(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        solve(decay(), None, 1.0, store=tmp_path / "file" / "run.zarr")

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module.RunWriter, "_write_root", full)
    with pytest.raises(StoreError, match="No space left on device"):
        solve(decay(), None, 1.0, store=tmp_path / "run.zarr")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 400 kB, where the system lets us have one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no right to mount a small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_really_full(small_disk, tmp_path):
    heat = Heat(4096)
    flow = heat.flow(spectral_radius=lambda t, y: 1e4)
    options = {"save_at": 50, "stepper": "semi-implicit", "rtol": 1e-3}
    whole = solve(flow, None, 0.01, **options)
    cut = solve(flow, None, 0.01, **options, store=small_disk / "run.zarr")
    assert cut.outcome.kind is OutcomeKind.interrupted
    assert "No space left on device" in cut.outcome.message
    kept = load(small_disk / "run.zarr")
    assert 1 < len(kept.states) < 51
    assert all(np.array_equal(kept.states[i], whole.states[i]) for i in range(len(kept.states)))
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert same(whole, solve(flow, None, 0.01, **options, store=small_disk / "run.zarr", resume=True))


KILLED = """
import sys, time
sys.path[:0] = [{tests!r}, {root!r}]
from problems import Heat
from geomflow.flow import Store, solve

def slow(t, state):
    time.sleep(0.004)
    return 0.0

sol = solve(Heat(64).flow(), None, 0.02, save_at=7, stepper={stepper!r}, monitors={{"slow": slow}},
            store=Store({path!r}, every={every}), resume=True)
print(sol.outcome.kind)
"""


@pytest.mark.parametrize(
    ("stepper", "every"),
    [("rkc", 0.0), *(pytest.param(*case, marks=pytest.mark.slow) for case in (("semi-implicit", 0.05), ("rk23", 0.2),
                                                                             ("rosenbrock", 0.0)))],
)
def test_killed_runs_continue_to_the_same_bits(tmp_path, stepper, every):
    """SIGKILL at random moments, again and again, until the run comes through."""
    path, random = tmp_path / "run.zarr", np.random.default_rng(len(stepper))
    script = KILLED.format(tests=str(TESTS), root=str(TESTS.parent), stepper=stepper, every=every, path=str(path))
    whole = solve(Heat(64).flow(), None, 0.02, save_at=7, stepper=stepper, monitors={"slow": lambda t, s: 0.0})
    kills = 0
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        commit = (path / "zarr.json").stat().st_mtime_ns if path.exists() else 0
        while process.poll() is None and (not path.exists() or (path / "zarr.json").stat().st_mtime_ns == commit):
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.15))
        kills += process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert load(path).outcome.kind in (OutcomeKind.interrupted, OutcomeKind.finished)
    assert kills > 0
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "finished"
    assert same(whole, load(path))


FIELDS = {
    "scalar": lambda: gf.Torus(1, periods=0.3).grid(16).scalar("cos(2*pi*x/0.3)"),
    "metric": lambda: gf.Torus(2, lattice=[[1, 0], [0.5, 0.8]]).grid((8, 9), order=2).metric(),
    "hermitian": lambda: gf.ComplexTorus(1, modulus=0.2 + 1.1j).grid(8, scheme="spectral").hermitian(),
    "potential": lambda: gf.ComplexTorus(2).grid(6, order=4).potential("cos(2*pi*x1)/100"),
    "varying in dimension two": lambda: gf.ComplexTorus(2).grid(6).potential(
        0, reference=[["1 + cos(2*pi*x1)/4", "i/5 + sin(2*pi*y2)/9"], ["-i/5 + sin(2*pi*y2)/9", "1"]]),
    "varying": lambda: gf.ComplexTorus(1).grid(8).potential(0, reference=[["1 + cos(2*pi*x)/4"]]),
}


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_states_come_back_as_what_they_were(kind):
    state = FIELDS[kind]()
    facts, given = describe_field(state)
    again = rebuild_field(json.loads(json.dumps(facts)), given).unpack(state.pack())
    assert type(again) is type(state)
    assert again.grid == state.grid
    assert np.array_equal(again.values, state.values)
    assert again.distance(state) == 0
    if hasattr(state, "reference"):
        assert np.array_equal(again.reference_values, state.reference_values)


def test_a_reference_form_in_another_order_is_refused():
    facts, given = describe_field(FIELDS["varying in dimension two"]())
    facts["components"] = ["h_11", "re_h_12", "im_h_12", "h_22"]
    with pytest.raises(StoreError, match="in an order that this version does not know"):
        rebuild_field(facts, given)


def test_a_store_opens_in_xarray(tmp_path):
    xarray = pytest.importorskip("xarray")
    path, heat = tmp_path / "run.zarr", Heat(32)
    sol = solve(heat.flow(), None, 0.02, save_at=3, store=path)
    data = to_xarray(path)
    assert data["u"].dims == ("time", "x")
    assert np.array_equal(data["u"].sel(time=0.02), sol.last[0])
    assert np.array_equal(data["x"], heat.x)
    assert np.array_equal(data["monitor_mean"], sol["mean"])
    assert data.attrs["equation"] == "u_t = a(t) u_xx"
    assert data.attrs["outcome"] == str(sol.outcome)
    assert xarray.open_zarr(path)["state"].dims == ("time", "component", "x")
    assert np.array_equal(xarray.open_zarr(path, group="monitors")["residual"], sol["residual"])


def test_without_xarray(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(MissingExtraError, match=r"geomflow\[xarray\]"):
        to_xarray(tmp_path)
