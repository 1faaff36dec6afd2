"""Runs of metrics with symmetry on disk: resumed, killed and made longer to the same bits, and rebuilt from text."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import sympy
from problems import same

import geomflow as gf
from geomflow.core.content import content, differences
from geomflow.core.errors import InputError, StoreError
from geomflow.flow import Event, OutcomeKind, Store, load, solve
from geomflow.io.reader import StoredRun
from geomflow.io.written import describe_field, rebuild_field
from geomflow.symbolic.ansatz.written import read_ansatz, written

ROOT = Path(__file__).parents[2]
BUMPED = "sin(x)*(1 + sin(x)^2/5)"
NECK = "sin(x)*sqrt(1 - 9/10*sin(x)^2)"


def two_coordinates():
    metric = gf.Metric(gf.Chart("x y", periods={"x": 1, "y": 2}), [["u(x, y)^2", 0], [0, "u(x, y)^2"]], functions="u")
    return gf.Ansatz(metric).grid([6, 8]).state(u="1 + cos(2*pi*x)*sin(pi*y)/9")


STATES = {
    "su2": lambda: gf.catalogue.ansatz("su2").state(A=1, B=2, C=3),
    "sphere": lambda: gf.catalogue.ansatz("sphere", n=2).grid(16).state(chi="1", psi=BUMPED),
    "necks": lambda: gf.solve(gf.RicciFlow(), gf.catalogue.ansatz("sphere", n=2).grid(32).state(chi="1", psi=NECK),
                              1e-6).last,
    "stencils": lambda: gf.catalogue.ansatz("sphere", n=1).grid(16, order=4).state(chi="1", psi=BUMPED),
    "circle": lambda: gf.catalogue.ansatz("sphere-circle").grid(16).state(chi="1", psi="2 + cos(x)/5"),
    "circle by stencils": lambda: gf.catalogue.ansatz("sphere-circle").grid(16, order=2).state(chi=1, psi="2 + cos(x)"),
    "join": lambda: gf.catalogue.ansatz("join").grid(16).state(chi=1, psi1="sin(x)", psi2="cos(x)"),
    "two coordinates": two_coordinates,
    "momentum": lambda: gf.catalogue.ansatz("momentum").grid(16).state(F="(y-a)*(b-y)/(b-a)", a=1, b=3),
    "momentum to a point": lambda: gf.catalogue.ansatz("momentum-ball").grid(16).state(F="y*(b-y)/b", b=3),
}
RUN = ("import sys\nsys.path[:0] = [{root!r}]\nimport geomflow as gf\n"
       "state = gf.catalogue.ansatz({name!r}, n=2).grid(16).state(**{given!r})\n")


def sphere():
    return STATES["sphere"]()


@pytest.mark.parametrize("kind", sorted(STATES))
def test_states_come_back_as_what_they_were(kind):
    state = STATES[kind]()
    facts, given = describe_field(state)
    again = rebuild_field(json.loads(json.dumps(facts)), given).unpack(state.pack())
    assert again.grid == state.grid
    assert again.distance(state) == 0
    assert np.array_equal(again.pack(), state.pack())
    assert not differences(content(state), content(again))
    assert again.volume() == state.volume()


def test_what_an_ansatz_is_holds_all_of_it_and_no_caches():
    metric = gf.Metric("x y z", [["u(x)^2", 0, 0], [0, "v(x)^2", 0], [0, 0, "v(x)^2"]], functions="u v")
    other = gf.Metric("x y z", [["u(x)^2", 0, 0], [0, "v(x)^2", 0], [0, 0, "u(x)^2"]], functions="u v")
    made = [gf.Ansatz(m, unknowns, domain) for m, unknowns, domain in [
        (metric, "u v", gf.Circle(1)), (other, "u v", gf.Circle(1)), (metric, "v u", gf.Circle(1)),
        (metric, "u v", gf.Circle(2)), (metric, "u v", gf.Interval(0, 1, "mirror"))]]
    for i, one in enumerate(made):
        for j, another in enumerate(made):
            assert bool(differences(content(one), content(another))) == (i != j)
            assert (one == another) == (i == j)
    before = content(made[0])
    used = made[0].measure, made[0].regular, made[0].scalar("R"), made[0].reduce("-2*Ric")
    assert used
    assert not differences(before, content(made[0]))
    again = read_ansatz(json.loads(json.dumps(written(made[0]))))
    assert again == made[0]
    assert hash(again) == hash(made[0])


@pytest.mark.parametrize("name", ["A'", "A B"])
def test_states_with_names_that_no_text_can_hold_are_unpacked_by_another(tmp_path, name):
    unknown = sympy.Symbol(name, positive=True)
    state = gf.Ansatz(gf.Metric("x y", sympy.diag(unknown, 1))).state(**{name: 2})
    sol = solve(gf.RicciFlow(), state, 1.0, store=tmp_path / "run")
    assert isinstance(load(tmp_path / "run").last, np.ndarray)
    assert load(tmp_path / "run", like=state).last.distance(sol.last) == 0


@pytest.mark.parametrize("kind", ["su2", "sphere", "momentum"])
def test_resumed_and_longer_runs_are_the_single_run(tmp_path, kind):
    """Cut off once, and then taken to a later end."""
    state, path = STATES[kind](), tmp_path / "run"
    single = solve(gf.RicciFlow(), state, 0.02, save_at=[0.004])
    solve(gf.RicciFlow(), state, 0.01, save_at=[0.004], store=Store(path, every=0), max_steps=3)
    cut = load(path)
    assert cut.outcome.kind is OutcomeKind.interrupted
    assert cut.steps == 3
    solve(gf.RicciFlow(), state, 0.01, save_at=[0.004], store=path, resume=True)
    longer = solve(gf.RicciFlow(), state, 0.02, save_at=[0.004], store=path, resume=True)
    loaded = load(path)
    assert same(longer, single)
    assert same(loaded, single)
    assert loaded.last.distance(single.last) == 0
    assert loaded.last.volume() == pytest.approx(single["volume"][-1], rel=1e-14)
    assert loaded.last.unknowns == state.unknowns


def test_a_singular_run_is_kept_with_its_end(tmp_path):
    state = STATES["su2"]()
    sol = solve(gf.RicciFlow(), state, 10.0, store=tmp_path / "run")
    again = solve(gf.RicciFlow(), state, 20.0, store=tmp_path / "run", resume=True)
    assert sol.outcome.kind is OutcomeKind.singular
    assert same(sol, again)
    assert load(tmp_path / "run").outcome == sol.outcome


def test_a_run_that_draws_points_to_necks_is_resumed(tmp_path):
    """Its states are on other points than the one that it was given."""
    state = gf.catalogue.ansatz("sphere", n=2).grid(32).state(chi="1", psi=NECK)
    single = solve(gf.RicciFlow(), state, 1e-3)
    solve(gf.RicciFlow(), state, 1e-3, store=tmp_path / "run", max_steps=2)
    assert same(solve(gf.RicciFlow(), state, 1e-3, store=tmp_path / "run", resume=True), single)
    assert load(tmp_path / "run").last.grid == single.last.grid != state.grid


def test_a_run_goes_on_without_the_event_that_ended_it(tmp_path):
    state = sphere()
    single = solve(gf.RicciFlow(), state, 0.01)
    small = Event("small", lambda t, state: state.volume() - 25.5)
    solve(gf.RicciFlow(), state, 0.01, events=small, store=tmp_path / "run")
    assert load(tmp_path / "run").times[-1] < 0.01
    assert same(solve(gf.RicciFlow(), state, 0.01, store=tmp_path / "run", resume=True), single)


@pytest.mark.parametrize(
    ("flow", "state", "named"),
    [(gf.RicciFlow(normalised=True), sphere, "flow.normalised is False there and True here"),
     (gf.RicciFlow(), lambda: sphere().grid.ansatz.grid(18).state(chi="1", psi=BUMPED), "bases[0].n is 16 there"),
     (gf.RicciFlow(), lambda: sphere().grid.state(chi="2", psi=f"2*{BUMPED}"), "state.packed"),
     (gf.RicciFlow(), lambda: gf.catalogue.ansatz("sphere", n=3).grid(16).state(chi="1", psi=BUMPED), "state.grid.")],
)  # fmt: skip
def test_another_run_is_refused(tmp_path, flow, state, named):
    solve(gf.RicciFlow(), sphere(), 0.01, store=tmp_path / "run", max_steps=2)
    with pytest.raises(StoreError, match="holds another run") as caught:
        solve(flow, state(), 0.01, store=tmp_path / "run", resume=True)
    assert named in str(caught.value)


@pytest.mark.parametrize(("kind", "given"), [
    ("sphere", {"chi": "1", "psi": BUMPED}), ("momentum", {"F": "(y-a)*(b-y)/(b-a)", "a": 1, "b": 3})])
def test_killed_runs_continue_to_the_same_bits(tmp_path, kind, given):
    """SIGKILL in the middle, and the rest in another process; loaded without a word of what it is."""
    path = tmp_path / "run"
    script = RUN.format(root=str(ROOT), name=kind, given=given) + (
        "import time\n"
        f"gf.solve(gf.RicciFlow(), state, 0.02, save_at=4, store=gf.flow.Store({str(path)!r}, every=0), resume=True,\n"
        "         monitors={'slow': lambda t, s: time.sleep(0.05) or 0.0}, progress=False)\n")
    process = subprocess.Popen([sys.executable, "-c", script])
    while process.poll() is None and not (path.exists() and StoredRun(path).facts["costs"][0] > 5):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert 5 < load(path).steps
    assert load(path).outcome.kind is OutcomeKind.interrupted
    subprocess.run([sys.executable, "-c", script], check=True)
    whole = solve(gf.RicciFlow(), STATES[kind](), 0.02, save_at=4, monitors={"slow": lambda t, s: 0.0}, progress=False)
    assert same(load(path), whole)


def test_a_saved_solution_is_the_solution(tmp_path):
    sol = solve(gf.RicciFlow(), STATES["su2"](), 0.01)
    sol.save(tmp_path / "saved.zarr")
    loaded = load(tmp_path / "saved.zarr")
    assert same(sol, loaded)
    assert loaded.last["A"] == sol.last["A"]


def test_a_run_as_a_dataset_has_the_coordinates_at_its_points(tmp_path):
    pytest.importorskip("xarray")
    state = sphere()
    sol = solve(gf.RicciFlow(), state, 1e-3, store=tmp_path / "run")
    for data in (sol.to_xarray(), gf.load(tmp_path / "run").to_xarray(), gf.export.to_xarray(tmp_path / "run")):
        assert data["log_chi"].dims == data["psi"].dims == ("time", "x")
        assert np.array_equal(data["x"], state.grid.points["x"])
        assert np.array_equal(data["w_psi"].isel(time=-1), sol.last.pack()[1])
        assert np.array_equal(data["psi"].isel(time=-1), sol.last["psi"])
    two = two_coordinates()
    flat = solve(gf.RicciFlow(), two, 1e-5).to_xarray()
    assert flat["log_u"].dims == ("time", "x", "y")
    assert np.array_equal(flat["y"], two.grid.points["y"][0])
    group = solve(gf.RicciFlow(), STATES["su2"](), 1e-3)
    assert group.to_xarray()["A"].dims == ("time",)
    assert group.to_xarray()["A"][-1] == group.last["A"]


@pytest.mark.parametrize("name", ["time", "state", "monitors", "component"])
def test_names_that_stores_use_themselves_are_no_trouble(tmp_path, name):
    pytest.importorskip("xarray")
    metric = gf.Metric(gf.Chart([name, "y"], periods={name: 1}), [[1, 0], [0, f"u({name})^2"]], functions="u")
    state = gf.Ansatz(metric).grid(24).state(u=f"2 + cos(2*pi*{name})")
    sol = solve(gf.Flow.from_expression({"g": "Ric - R*g/2"}), state, 1e-4, store=tmp_path / "run")
    assert load(tmp_path / "run").last.distance(sol.last) == 0
    assert gf.export.to_xarray(tmp_path / "run")["u"].dims == ("time", "axis_0")
    assert sol.to_xarray()["u"].dims == ("time", "axis_0")


def test_metrics_with_symmetry_are_no_fields_of_vtk(tmp_path):
    pytest.importorskip("pyevtk")
    with pytest.raises(InputError, match="fields on tori"):
        gf.export.vtk(sphere(), tmp_path / "ball")


def test_fields_that_this_version_packs_otherwise_are_refused():
    facts, given = describe_field(sphere())
    with pytest.raises(StoreError, match="run it again"):
        rebuild_field({**facts, "components": ["chi", "psi"]}, given)
    strange = {**facts, "bases": [{**facts["bases"][0], "kind": "os"}]}
    with pytest.raises(StoreError, match="points of the kind 'os'"):
        rebuild_field(strange, given)


def test_a_round_sphere_runs_though_its_fields_vanish():
    """chi = 1, psi = sin x: the logarithms are 0, and errors are told by 1. r² = 1 − 4t."""
    state = gf.catalogue.ansatz("sphere", n=2).grid(12).state(chi="1", psi="sin(x)")
    sol = solve(gf.RicciFlow(), state, 0.05, max_steps=200)
    assert sol.outcome.kind is OutcomeKind.finished
    assert np.allclose(sol.last["chi"] ** 2, 1 - 4 * 0.05, rtol=1e-9)
