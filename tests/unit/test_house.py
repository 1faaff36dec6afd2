"""The laws of the house: no circles, no long functions, public names documented, nothing from floors above."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import geomflow
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


def public_callables() -> Iterator[tuple[str, list[Any]]]:
    """Public functions, classes and methods, each with the objects whose docstrings may name its parameters.

    A class names its fields and the arguments of its constructor; an override may rely on what its base says.
    """
    floors = [module.name for module in pkgutil.iter_modules(geomflow.__path__) if not module.name.startswith("_")]
    seen: set[int] = set()
    for module in [geomflow, *(importlib.import_module(f"geomflow.{floor}") for floor in floors)]:
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            if id(thing) in seen or not getattr(thing, "__module__", "").startswith("geomflow"):
                continue
            seen.add(id(thing))
            where = f"{thing.__module__}.{name}"
            if inspect.isclass(thing):
                yield from class_and_methods(where, thing)
            elif inspect.isfunction(thing):
                yield where, [thing]


def class_and_methods(where: str, kind: type) -> Iterator[tuple[str, list[Any]]]:
    """A class, if it has a constructor of its own, and its public methods."""
    if "__init__" in vars(kind) or hasattr(kind, "__dataclass_fields__"):
        yield where, [kind]
    for name, method in vars(kind).items():
        if not name.startswith("_") and inspect.isfunction(getattr(method, "__func__", method)):
            yield f"{where}.{name}", [getattr(base, name) for base in kind.__mro__ if name in vars(base)]


def misnamed(thing: Any) -> list[str]:
    """What numpydoc finds of parameters that are not named (PR01), and of names that are no parameters (PR02)."""
    from numpydoc.docscrape import get_doc_object
    from numpydoc.validate import Validator

    found = Validator(get_doc_object(thing, config={"show_class_members": False})).parameter_mismatches
    return [f"{code}: {text}" for code, text in found if code in ("PR01", "PR02")]


def test_every_parameter_of_public_names_is_named_in_its_docstring():
    pytest.importorskip("numpydoc")
    wrong = [f"{where}: {'; '.join(misnamed(things[0]))}" for where, things in public_callables()
             if all(misnamed(thing) for thing in things)]
    assert wrong == []


def test_a_run_on_a_torus_loads_no_floor_above():
    loaded, strange = house.loaded_by(house.TORUS)
    assert "geomflow.flow" in loaded
    assert strange == []


def test_a_fit_of_a_form_loads_no_network_and_no_kernel():
    loaded, strange = house.loaded_by(house.FIT, house.FORMS)
    assert "geomflow.fits.algebraic" in loaded
    assert strange == []

