"""The laws of the house: no circles, no long functions, no public name undocumented, nothing from floors above."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

from benchmarks import house

ROOT = Path(__file__).parents[2] / "geomflow"
LONGEST = 60
FILES = house.sources(ROOT)


def parsed(path: Path) -> ast.Module:
    """The tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def undocumented(owner: Any, prefix: str) -> list[str]:
    """Public functions and classes defined in a module or class that have no docstring, of their own or inherited."""
    found = []
    for name, value in vars(owner).items():
        value = getattr(value, "func", getattr(value, "__func__", getattr(value, "fget", value)))
        mine = getattr(value, "__module__", None) == prefix.partition(":")[0]
        if name.startswith("_") or not mine or not (inspect.isfunction(value) or inspect.isclass(value)):
            continue
        if not inspect.getdoc(getattr(owner, name)):
            found.append(f"{prefix}{name}")
        if inspect.isclass(value):
            found += undocumented(value, f"{prefix}{name}.")
    return found


def test_no_modules_import_each_other_in_a_loop():
    """Imports inside functions count, those for type checkers alone do not."""
    pytest.importorskip("grimp")
    assert house.circles() == []


def test_no_function_is_longer_than_a_screen():
    long = [f"{path.relative_to(ROOT)}: {name} has {size} lines"
            for path in FILES for name, size in house.functions(parsed(path)) if size > LONGEST]
    assert long == []


def test_every_public_name_is_documented():
    modules = [".".join(path.relative_to(ROOT.parent).with_suffix("").parts) for path in FILES if path.name[:2] != "__"]
    assert [name for module in modules for name in undocumented(importlib.import_module(module), f"{module}:")] == []


def test_a_run_on_a_torus_loads_no_floor_above():
    loaded, strange = house.loaded_by(house.TORUS)
    assert "geomflow.flow" in loaded
    assert strange == []


def test_a_fit_of_a_form_loads_no_network_and_no_kernel():
    loaded, strange = house.loaded_by(house.FIT, house.FORMS)
    assert "geomflow.fits.algebraic" in loaded
    assert strange == []

