"""`geomflow examples`, and examples by name where a file is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import refused

from geomflow.cli import examples, main
from geomflow.cli.examples import chosen, shipped

ROOT = Path(__file__).parents[2]
FLOW = "examples/kahler/calabi_flow_torus.toml"
TINY = """\
# A tiny run.
[geometry]
type = "complex torus"
dim = 1
[grid]
n = 8
[state]
potential = "cos(2*pi*x)/100"
[flow]
name = "kahler-ricci"
[solve]
t1 = 1e-4
[output]
pictures = []
"""


pytestmark = pytest.mark.usefixtures("here")


def test_the_package_holds_every_example_of_the_repository():
    files = {path.relative_to(ROOT / "examples") for path in (ROOT / "examples").rglob("*.*") if path.suffix != ".rst"}
    held = {path.relative_to(examples.FOLDER) for paths in shipped().values() for path in paths}
    assert held == {path for path in files if "__pycache__" not in path.parts}


def test_the_list_names_each_with_a_line(capsys):
    assert main(["examples"]) == 0
    told = capsys.readouterr().out.splitlines()
    rows = [" ".join(row.split()) for row in told]
    assert any(row.startswith("run calabi_flow_torus Calabi flow on the square torus C/(Z + iZ)") for row in rows)
    assert any(row.startswith("variety dwork_quintic ") for row in rows)
    assert "script quintic_metric A nearly Ricci-flat metric on the quintic" in rows
    assert len(told) == 2 + sum(map(len, shipped().values()))


def test_copies_are_the_files_and_overwrite_nothing(capsys):
    assert main(["examples", "calabi_flow_torus", "own_polynomial", "--to", "mine/all"]) == 0
    assert sorted(path.name for path in Path("mine/all").iterdir()) == [
        "calabi_flow_torus.py", "calabi_flow_torus.toml", "own_polynomial.py"]  # fmt: skip
    assert Path("mine/all/calabi_flow_torus.toml").read_bytes() == (ROOT / FLOW).read_bytes()
    assert "nothing is overwritten" in refused(capsys, "examples", "own_polynomial", "--to", "mine/all")
    assert main(["examples", "own_polynomial"]) == 0
    assert Path("own_polynomial.py").exists()
    assert "did you mean 'dwork_quintic'" in refused(capsys, "examples", "dwork_quintik")


@pytest.mark.parametrize("name", ["calabi_flow_torus", "calabi_flow_torus.toml", "kahler/calabi_flow_torus.toml", FLOW])
def test_an_example_is_found_by_its_name(name):
    assert chosen(Path(name), "run").samefile(ROOT / FLOW)


def test_a_file_of_ones_own_comes_before_an_example():
    Path("calabi_flow_torus").write_text(TINY)
    assert chosen(Path("calabi_flow_torus"), "run") == Path("calabi_flow_torus")


def test_what_is_no_example_is_said(capsys):
    assert "did you mean 'calabi_flow_torus'" in refused(capsys, "run", "calabi_flow_tors")
    assert "geomflow variety dwork_quintic" in refused(capsys, "run", "dwork_quintic")
    assert "geomflow run entropy_torus" in refused(capsys, "variety", "entropy_torus")
    assert "no such file" in refused(capsys, "run", "torus.toml")
    assert "no such file" in refused(capsys, "run", "low_torus.toml")


def test_a_run_of_an_example_says_which_file_it_takes(here, capsys, monkeypatch):
    monkeypatch.setattr(examples, "FOLDER", here / "shelf")
    (here / "shelf" / "kahler").mkdir(parents=True)
    (here / "shelf" / "kahler" / "tiny.toml").write_text(TINY)
    assert main(["run", "tiny"]) == 0
    assert f"example   {here / 'shelf' / 'kahler' / 'tiny.toml'}" in capsys.readouterr().out
    assert Path("runs/tiny/run.zarr").exists()


def test_a_package_without_examples_says_so(here, capsys, monkeypatch):
    monkeypatch.setattr(examples, "FOLDER", here / "nothing")
    assert "there are no examples" in refused(capsys, "examples")
    assert "neither a file 'tiny' nor an example" in refused(capsys, "run", "tiny")
