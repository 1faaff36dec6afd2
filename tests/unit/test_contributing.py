"""The five changes that CONTRIBUTING describes: each file runs as it stands there, and its line makes it known."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import geomflow as gf
from geomflow.flow.registry import FLOWS, Entry, named_flow, named_functional
from geomflow.flow.steppers.choose import STEPPERS
from geomflow.symbolic.functionals import FUNCTIONALS
from geomflow.tangent.kernel_flow import KERNELS, named_kernel_flow

PAGE = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"\*\*A (\w+)\*\*.*?```python\n(.*?)```", PAGE, re.DOTALL))
PLACES = dict(re.findall(r"\*\*A (\w+)\*\*: `([\w/]+\.py)`", PAGE))
ENTRIES = dict(re.findall(r"\*\*A (\w+)\*\*: `[^*]*?\n    (.*),\n", PAGE))
LISTS = {"flow": FLOWS, "functional": FUNCTIONALS, "kernel": KERNELS, "stepper": STEPPERS}


@pytest.fixture
def names(request, monkeypatch):
    """What a file of the page defines when a script runs it; the lists are as before afterwards."""
    for known in LISTS.values():
        monkeypatch.setattr(known, "data", dict(known.data))
    module = {"__name__": "contributed"}
    exec(compile(FILES[request.param], request.param, "exec", dont_inherit=True), module)
    return module


@pytest.mark.parametrize("kind", LISTS)
def test_in_the_package_it_takes_the_file_and_the_line(kind, tmp_path, monkeypatch):
    *folders, file = PLACES[kind].split("/")
    *body, last = FILES[kind].rstrip().splitlines()
    (tmp_path / file).write_text("\n".join(body), encoding="utf-8")
    package = importlib.import_module(".".join(["geomflow", *folders]))
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    (name, where), = eval(f"{{{ENTRIES[kind]}}}", {"Entry": Entry, "Torus": gf.Torus}).items()
    monkeypatch.setattr(LISTS[kind], "data", {**LISTS[kind].data, name: where})
    assert last.startswith(f'{kind.upper()}S["{name}"]')
    found = LISTS[kind][name]
    assert getattr(found, "make", found).__module__ == f"{package.__name__}.{file.removesuffix('.py')}"


@pytest.mark.parametrize("kind", LISTS)
def test_each_name_in_a_list_is_that_of_the_thing(kind):
    for name, thing in LISTS[kind].items():
        made = getattr(thing, "make", thing)
        own = getattr(made, "name", name)
        assert callable(made)
        assert own == name or not isinstance(own, str)


def test_the_page_tells_of_five_changes():
    assert list(FILES) == ["flow", "functional", "kernel", "stepper", "variety"]


@pytest.mark.parametrize("names", ["flow"], indirect=True)
def test_a_new_flow_runs_by_name(names):
    start = gf.Torus(dim=1).grid(16).scalar("cos(2*pi*x)")
    sol = gf.solve(named_flow("heat", {}), start, t1=1e-3)
    assert np.allclose(sol.last.values, np.exp(-4 * np.pi**2 * 1e-3) * start.values, atol=1e-3)
    assert abs(sol["mass"][-1]) < 1e-12


@pytest.mark.parametrize("names", ["functional"], indirect=True)
def test_a_new_functional_is_derived_by_name(names):
    found = named_functional("scalar-fourth", gf.Torus(dim=2), {})
    assert found.certify()
    assert "scalar-fourth" in str(found.gradient_flow())


@pytest.mark.parametrize("names", ["kernel"], indirect=True)
def test_a_new_kernel_drives_a_flow_by_name(names):
    torus = gf.Torus(dim=2)
    flow = named_kernel_flow(gf.RicciFlow(), torus, "linear", slope=0.1)
    start = torus.grid(8, order=4).metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1"]])
    assert gf.solve(flow, start, t1=1e-4).outcome.kind == "finished"


@pytest.mark.parametrize("names", ["stepper"], indirect=True)
def test_a_new_stepper_steps_by_name(names):
    start = gf.Torus(dim=2).grid(8, order=4).metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1"]])
    heun = gf.solve(gf.RicciFlow(), start, t1=1e-3, stepper="heun", rtol=1e-7)
    assert heun.last.distance(gf.solve(gf.RicciFlow(), start, t1=1e-3, rtol=1e-9).last) < 1e-5


@pytest.mark.parametrize("names", ["variety"], indirect=True)
def test_a_new_variety_has_points(names):
    assert names["Klein"]().sample(200, seed=1).euler_number().within(24)
