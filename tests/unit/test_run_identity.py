"""What a run is: whatever determines its numbers. With anything else it is another run, and is not continued."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from problems import Heat, decay, ode, same

import geomflow as gf
from geomflow.cli import main
from geomflow.core.content import content, differences
from geomflow.core.errors import StoreError
from geomflow.flow import Event, SteadyState, Store, load, solve
from geomflow.flow.checkpoints import UnverifiedRunWarning

T, R = gf.ComplexTorus(1), gf.Torus(2)
LOSS = gf.functionals.KEnergy(T)
NETWORK = gf.networks.Perceptron(2, (4,), embedding=gf.networks.FourierEmbedding(T))
MODEL = gf.networks.Rescaled(gf.networks.PotentialModel(T, NETWORK), 0.01)


def heat(kappa=0.1, periods=1.0, order=4, n=16, amplitude=1.0):
    """A flow and a state, with what may be changed of them."""
    flow = gf.Flow.from_expression("kappa*laplacian(u)", kappa=kappa)
    state = gf.Torus(1, periods=periods).grid(n, order=order).scalar(f"{amplitude}*cos(2*pi*x/{periods})")
    return flow, state


@pytest.mark.parametrize(
    ("change", "how", "named"),
    [
        ({"kappa": 0.5}, {}, "flow.parameters.kappa is 0.1 there and 0.5 here"),
        ({"periods": 2.0}, {}, "state.grid.torus.lattice"),
        ({"order": 6}, {}, "state.grid.order is 4 there and 6 here"),
        ({"amplitude": 2.0}, {}, "state.values"),
        ({"n": 32}, {}, "state.grid.shape"),
        ({}, {"rtol": 1e-4}, "control.rtol"),
        ({}, {"atol": 1e-3}, "control.atol"),
        ({}, {"stepper": "rk4"}, "stepper is RKC"),
        ({}, {"save_at": [0.02]}, "save_at is"),
        ({}, {"t0": 0.001}, "t0 is"),
        ({}, {"monitor_every": 2}, "monitor_every is 1 there and 2 here"),
        ({}, {"events": SteadyState(1e-3)}, "events"),
        ({}, {"store_seed": 4}, "seed is 3 there and 4 here"),
    ],
)
def test_one_ingredient_changed_is_another_run(tmp_path, change, how, named):
    path = tmp_path / "run"
    gf.solve(*heat(), 0.05, store=Store(path, seed=3), stepper="rkc", max_steps=2)
    before = (path / "zarr.json").read_bytes()
    store = Store(path, seed=how.get("store_seed"))
    how = {key: value for key, value in how.items() if key != "store_seed"}
    with pytest.raises(StoreError, match="holds another run") as caught:
        gf.solve(*heat(**change), 0.05, **{"stepper": "rkc", **how}, store=store, resume=True)
    assert named in str(caught.value)
    assert (path / "zarr.json").read_bytes() == before


def test_the_same_run_goes_on_to_the_right_numbers(tmp_path):
    gf.solve(*heat(), 0.05, store=tmp_path / "run", max_steps=5)
    assert same(gf.solve(*heat(), 0.05, store=tmp_path / "run", resume=True), gf.solve(*heat(), 0.05))


MADE = {
    "expression": heat()[0],
    "ricci": gf.RicciFlow(),
    "descent": LOSS.gradient_flow(),
    "kernel": gf.KernelFlow(LOSS, gf.GaussianKernel(0.1), gf.tangent.Batch(4)),
    "network kernel": gf.KernelFlow(LOSS, gf.NetworkKernel(embedding=gf.networks.FourierEmbedding(T))),
    "gradient": gf.GradientFlow(LOSS, MODEL),
    "training": gf.Training(LOSS, MODEL, gf.tangent.Adam(1e-3), batch=4, seed=1),
    "scalar": heat()[1],
    "metric": R.grid(8).metric(),
    "potential": T.grid(8).potential("cos(2*pi*x)/100"),
    "varying reference": T.grid(8).potential(0, reference=[["1 + cos(2*pi*x)/4"]]),
    "ansatz": gf.catalogue.ansatz("sphere"),
    "metric with symmetry": gf.catalogue.ansatz("sphere").grid(8, modes=7).state(chi=1, psi="sin(x)"),
    "model state": MODEL.on(T.grid(8), seed=0),
    "steady": SteadyState(1e-3),
}


def altered(value):
    """The same thing with one part changed, in every way: (path, thing), down to the numbers and the text."""
    if dataclasses.is_dataclass(value):
        for f in dataclasses.fields(value):
            for path, other in altered(getattr(value, f.name)):
                copy = object.__new__(type(value))
                copy.__dict__.update({g.name: getattr(value, g.name) for g in dataclasses.fields(value)})
                copy.__dict__[f.name] = other
                yield f"{f.name}.{path}".rstrip("."), copy
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from ((f"{key}.{path}", {**value, key: other}) for path, other in altered(item))
    elif isinstance(value, tuple | list):
        for i, item in enumerate(value):
            yield from ((f"[{i}].{path}", type(value)([*value[:i], other, *value[i + 1 :]]))
                        for path, other in altered(item))
    elif isinstance(value, bool) or value is None:
        yield "", (not value)
    elif isinstance(value, np.ndarray):
        other = value.copy()
        other.flat[-1] = np.nextafter(other.flat[-1].real, 2.0)
        yield "", other
    elif isinstance(value, int | float | str):
        yield "", value + ("'" if isinstance(value, str) else 1)


@pytest.mark.parametrize("name", sorted(MADE))
def test_every_field_is_an_ingredient(name):
    """Found by walking, so that a field that a class gains tomorrow is one too."""
    thing = MADE[name]
    there, tried = content(thing), 0
    assert not differences(there, json.loads(json.dumps(content(thing))))
    for path, other in altered(thing):
        tried += 1
        assert differences(there, content(other)), path
    assert tried or not dataclasses.fields(thing)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LOSS, gf.functionals.Calabi(T)),
        (LOSS, gf.functionals.KEnergy(gf.ComplexTorus(1, periods=(1, 2)))),
        (gf.GaussianKernel(0.1), gf.DeltaKernel()),
        (gf.tangent.Adam(1e-3), gf.tangent.SGD(1e-3)),
        (lambda t, y: t - 1.0, lambda t, y: t - 2.0),
        (Event("a", lambda t, y: y.min()), Event("a", lambda t, y: y.max())),
        (decay(1.0), decay(2.0)),
        (Heat(16).flow(), Heat(16, strength=2.0).flow()),
        (1, True),
        (1.0, float("nan")),
        (1j, 2j), (b"a", b"b"), (range(3), range(4)), (slice(1), slice(2)), ({1j}, {2j}), (lambda: 1j, lambda: 2j),
        (np.longdouble(1), np.longdouble(2)), (np.clongdouble(1), np.clongdouble(2)),
        (np.complex64(1), np.complex64(2)), (np.array([1], np.longdouble), np.array([2], np.longdouble)),
    ],
)  # fmt: skip
def test_other_things_have_other_content(one, other):
    assert differences(content(one), content(other))
    assert not differences(content(one), content(one))


def test_a_function_is_what_it_reaches():
    def made(scale):
        return lambda t, y: scale * t

    assert not differences(content(made(2.0)), content(made(2.0)))
    assert [path for path, *_ in differences(content(made(2.0)), content(made(3.0)))] == ["inner.scale"]


def test_running_changes_nothing():
    flow, state = MADE["training"], MODEL.on(np.random.default_rng(0).random((9, 2)), seed=0)
    before = content([flow, state])
    gf.solve(flow, state, 3)
    assert not differences(before, content([flow, state]))


def test_content_is_the_same_in_every_process():
    script = ("import sys, json; sys.path[:0] = {!r}\nfrom test_run_identity import MADE, content\n"
              "print(json.dumps({{n: content(MADE[n]) for n in ('expression', 'descent', 'training', 'steady')}}))")
    places = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
    done = subprocess.run([sys.executable, "-c", script.format(places)], capture_output=True, text=True, check=True)
    for name, found in json.loads(done.stdout).items():
        assert not differences(found, content(MADE[name]))


def test_what_cannot_be_compared_is_said(tmp_path):
    hidden = (n for n in range(3))
    flow = ode(lambda t, y: -y if hidden else y, [1.0])
    solve(flow, None, 1.0, store=tmp_path / "run", max_steps=3)
    with pytest.warns(UnverifiedRunWarning, match="hidden") as caught:
        solve(flow, None, 1.0, store=tmp_path / "run", resume=True)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnverifiedRunWarning)
        solve(decay(), None, 1.0, store=tmp_path / "other", max_steps=3)
        solve(decay(), None, 1.0, store=tmp_path / "other", resume=True)


def test_monitors_change_by_saying_so(tmp_path):
    path, first = tmp_path / "run", {"a": lambda t, y: t, "b": lambda t, y: 2 * t}
    solve(decay(), None, 1.0, store=path, monitors=first, max_steps=3)
    then = {"b": first["b"], "c": lambda t, y: 3 * t}
    with pytest.raises(StoreError, match="'c' is new, 'a' is gone"):
        solve(decay(), None, 1.0, store=path, monitors=then, resume=True)
    with pytest.raises(StoreError, match="'b' is another function"):
        solve(decay(), None, 1.0, store=path, monitors={**first, "b": lambda t, y: -t}, resume=True)
    sol = solve(decay(), None, 1.0, store=path, monitors=then, resume=True, change_monitors=True)
    for found in (sol, load(path)):
        times = found.monitor_times
        begun = np.isnan(found["c"])
        assert 0 < begun.sum() < len(times)
        assert np.array_equal(found["b"], 2 * times)
        assert np.array_equal(found["c"][~begun], 3 * times[~begun])
        assert np.array_equal(np.isnan(found["a"]), ~begun)


FILE = """\
[geometry]
type = "torus"
dim = 1
[grid]
n = 16
order = 4
[state]
scalar = "cos(2*pi*x)"
[flow]
name = "expression"
rate = "kappa*laplacian(u)"
kappa = 0.1
[solve]
t1 = 0.05
max_steps = 3
"""


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [("kappa = 0.1", "kappa = 0.5", "flow.parameters.kappa is 0.1 there and 0.5 here"),
     ("order = 4", "order = 6", "state.grid.order is 4 there and 6 here"),
     ("dim = 1", "dim = 1\nperiods = 2", "state.grid.torus.lattice"),
     ("cos(2", "2*cos(2", "state.values")],
)  # fmt: skip
def test_an_edited_run_file_is_another_run(tmp_path, capsys, old, new, named):
    file, out = tmp_path / "heat.toml", ["--out", str(tmp_path / "out")]
    file.write_text(FILE)
    assert main(["run", str(file), *out]) == 130
    before = (tmp_path / "out" / "run.zarr" / "zarr.json").read_bytes()
    file.write_text(FILE.replace(old, new))
    capsys.readouterr()
    assert main(["run", str(file), *out, "--resume"]) == 2
    assert named in capsys.readouterr().err
    assert (tmp_path / "out" / "run.zarr" / "zarr.json").read_bytes() == before


def test_a_run_file_goes_on_to_a_later_time(tmp_path):
    file = tmp_path / "heat.toml"
    for t1, out, more in (("0.1", "whole", []), ("0.05", "parts", []), ("0.1", "parts", ["--resume"])):
        file.write_text(FILE.replace("0.05", t1).replace("max_steps = 3", ""))
        assert main(["run", str(file), "--out", str(tmp_path / out), *more]) == 0
    whole, parts = (load(tmp_path / out / "run.zarr") for out in ("whole", "parts"))
    assert same(parts, whole)
    stored = json.loads((tmp_path / "parts" / "run.zarr" / "zarr.json").read_text())["attributes"]["geomflow"]
    assert stored["configuration"]["solve"]["t1"] == 0.1


def test_a_derived_flow_is_its_functional_and_its_metric():
    found = content(LOSS.gradient_flow())
    assert set(found) == {"is", "functional", "metric"}
    assert differences(found, content(LOSS.gradient_flow(LOSS.metrics[-1])))
