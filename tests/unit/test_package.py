"""The package as a whole: what an import costs, and which names it offers."""

from __future__ import annotations

import ast
import configparser
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import geomflow

ROOT = Path(geomflow.__file__).parent
STUBS = sorted(ROOT.rglob("*.pyi"))
CONDA_NAMES = {"lazy-loader": "lazy_loader", "matplotlib": "matplotlib-base"}
HEAVY = ("sympy", "numba", "matplotlib", "scipy", "flint", "zarr", "autograd", "xarray")


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_loads_no_heavy_package():
    loaded = run_python(f"import sys, geomflow; print([name for name in {HEAVY} if name in sys.modules])")
    assert loaded.strip() == "[]"


def test_an_import_costs_little_more_than_that_of_numpy():
    """Processor time of what comes beyond numpy over that of numpy: whatever slows a busy machine slows both."""
    code = "import time; now = time.process_time; a = now(); import numpy; b = now(); import geomflow; c = now(); "
    assert min(float(run_python(code + "print((c - b)/(b - a))")) for _ in range(3)) < 1.5


@pytest.mark.parametrize("name", geomflow.__all__)
def test_public_name_resolves_and_is_documented(name):
    value = getattr(geomflow, name)
    assert value.__doc__


def test_every_public_name_is_listed_by_dir():
    assert set(geomflow.__all__) <= set(dir(geomflow))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="attribute Rici"):
        geomflow.Rici


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: ".".join(stub.parent.parts[len(ROOT.parent.parts):]))
def test_every_name_that_type_checkers_see_is_there(stub):
    """Public names of a package stand in its stub, which it reads: each resolves to the object of its own module."""
    package = importlib.import_module(".".join(stub.parent.parts[len(ROOT.parent.parts):]))
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            assert alias.asname == alias.name
            home = importlib.import_module("." * node.level + (node.module or ""), package.__name__)
            assert getattr(package, alias.name) is getattr(home, alias.name)
            assert alias.name in package.__all__


def test_version_agrees_with_the_citation_file():
    citation = (Path(geomflow.__file__).parents[1] / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {geomflow.__version__}\n" in citation


def test_every_address_of_the_project_is_under_its_home():
    """On the page of a registry the README has no folder beside it: its pictures and links are absolute."""
    setup = configparser.ConfigParser()
    setup.read(ROOT.parent / "setup.cfg", encoding="utf-8")
    home = setup["metadata"]["url"]
    assert all(f"= {home}" in line for line in setup["metadata"]["project_urls"].strip().splitlines())
    readme = (ROOT.parent / "README.md").read_text(encoding="utf-8")
    pages = home.replace("github.com", "raw.githubusercontent.com")
    for link in re.findall(r"\]\(([^)]*)\)", readme):
        own = re.fullmatch(f"(?:{home}/blob|{pages})/main/(.*)", link)
        assert (ROOT.parent / own[1]).exists() if own else link.startswith("https://arxiv.org/"), link
    assert f'repository-code: "{home}"' in (ROOT.parent / "CITATION.cff").read_text(encoding="utf-8")


def test_the_conda_recipe_asks_for_what_the_package_asks_for():
    yaml = pytest.importorskip("yaml")
    recipe = yaml.safe_load((ROOT.parent / "conda" / "recipe.yaml").read_text(encoding="utf-8"))
    setup = configparser.ConfigParser()
    setup.read(ROOT.parent / "setup.cfg", encoding="utf-8")
    wanted = {f"python {setup['options']['python_requires']}"}
    for line in setup["options"]["install_requires"].split():
        name, least = line.split(">=")
        wanted.add(f"{CONDA_NAMES.get(name, name)} >={least}")
    assert set(recipe["requirements"]["run"]) == wanted
    assert recipe["context"]["version"] == geomflow.__version__
    assert recipe["about"]["homepage"] == setup["metadata"]["url"]
    assert recipe["about"]["summary"] == setup["metadata"]["description"]
