"""Compiling ahead, and by what compiled code is looked up."""

import pickle

import llvmlite.binding
import pytest

from geomflow.cli import main, warm_up
from geomflow.codegen import cache, compile_points
from geomflow.core import graph as gr


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOMFLOW_CACHE", str(tmp_path / "routines"))
    monkeypatch.setattr(cache, "_loaded", {})
    return tmp_path / "routines"


def square():
    """a square"""
    x = gr.symbol("x")
    compile_points([x**2], (x,))([1.0])


def test_what_was_built_is_told_with_its_place_and_size(own_cache, monkeypatch, capsys):
    monkeypatch.setattr(warm_up, "RECIPES", {"square": square})
    assert main(["warm-up", "square"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].split()[0] == "square"
    assert told[1].startswith("built     1 compiled function")
    assert any(line.startswith("kept      1 compiled function") and line.endswith(str(own_cache)) for line in told)


def test_what_can_be_built_is_listed_and_nothing_else_is(capsys):
    assert main(["warm-up", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(warm_up.RECIPES)
    assert main(["warm-up", "quintics"]) == 2
    assert "quintic" in capsys.readouterr().err
    assert main(["warm-up", "--workers", "0"]) == 2


def test_machine_code_is_looked_up_by_the_processor_and_its_features(own_cache):
    square()
    (index,) = own_cache.rglob("*.nbi")
    with index.open("rb") as file:
        pickle.load(file)
        _, overloads = pickle.loads(file.read())
    features = llvmlite.binding.get_host_cpu_features().flatten()
    for _, (_, processor, kinds), _ in overloads:
        assert processor == llvmlite.binding.get_host_cpu_name()
        assert set(features.split(",")) >= {f for f in kinds.split(",") if f.startswith("+")} != set()
