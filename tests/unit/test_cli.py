"""The command: what it prints, which code it returns, and no traceback on bad input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import geomflow
from geomflow.cli import main

RUN = """\
[geometry]
type = "complex torus"
dim = 1

[grid]
n = 16

[state]
potential = "cos(2*pi*x)*cos(2*pi*y)/100"

[flow]
name = "kahler-ricci"

[solve]
t1 = 0.02
save = 4

[output]
pictures = ["monitors", "snapshots"]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bump.toml").write_text(RUN)
    return tmp_path


def fail(capsys, *argv: str) -> str:
    """The message of a command that must fail with code 2 and one line, without a traceback."""
    assert main(argv) == 2
    message = capsys.readouterr().err
    assert message.startswith("geomflow: error: ")
    assert "Traceback" not in message
    return message


def test_run_writes_a_store_and_pictures_and_says_how_it_ended(here, capsys):
    assert main(["run", "bump.toml"]) == 0
    told = capsys.readouterr().out
    assert "finished" in told
    assert "16 × 16 points" in told
    assert "runs/bump/run.zarr" in told
    assert sorted(path.name for path in Path("runs/bump").iterdir()) == ["monitors.png", "run.zarr", "snapshots.png"]


def test_a_second_run_overwrites_nothing(here, capsys):
    assert main(["run", "bump.toml"]) == main(["run", "bump.toml"]) == 0
    assert Path("runs/bump-2/run.zarr").exists()
    assert main(["run", "bump.toml", "--out", "mine"]) == 0
    assert "--resume" in fail(capsys, "run", "bump.toml", "--out", "mine")


def test_show_tells_about_a_run(here, capsys):
    main(["run", "bump.toml"])
    capsys.readouterr()
    assert main(["show", "runs/bump"]) == 0
    told = capsys.readouterr().out
    for word in ("kahler-ricci", "finished", "energy", "volume", "RKC"):
        assert word in told


def test_resuming_nothing_is_an_error(here, capsys):
    assert "no run to resume" in fail(capsys, "run", "bump.toml", "--resume")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kahler-ricci", "kahler-rici", "unknown flow 'kahler-rici'; did you mean 'kahler-ricci'"),
        ('name = "kahler-ricci"', 'name = "kahler-ricci"\nsped = 2', "did you mean 'speed'"),
        ("t1 = 0.02", "t1 = -1", "t1 = -1"),
        ("t1 = 0.02", 't1 = 0.02\nstepper = "rk5"', "unknown stepper 'rk5'; did you mean 'rk"),
        ("t1 = 0.02", "t1 = 0.02\nrtoll = 1", "did you mean 'rtol'"),
        ("n = 16", "n = 4", "4 points"),
        ("n = 16", "n = 1000000", "available"),
        ("n = 16", "n = 16\norder = 5", "order"),
        ("/100", "/10", "leaves the Kähler cone"),
        ('"cos(2*pi*x)*cos(2*pi*y)/100"', "\"__import__('os').getcwd()\"", "__import__"),
        ("cos(2*pi*x)*", "coss(2*pi*x)*", "coss"),
        ("cos(2*pi*x)*", "cos(2*pi*q)*", "q"),
        ("complex torus", "complex tours", "did you mean 'complex torus'"),
        ("dim = 1", "dim = 7", "1 to 3"),
        ('"monitors"', '"monitor"', "did you mean 'monitors'"),
        ("potential =", 'metric = [["1", 0], [0, 1]]\n#', "PotentialField"),
        ("potential =", "scalar = 1\npotential =", "one of potential, metric, scalar"),
    ],
)
def test_bad_input_is_one_clear_message(here, capsys, old, new, message):
    assert old in RUN
    Path("bad.toml").write_text(RUN.replace(old, new))
    assert message in fail(capsys, "run", "bad.toml")
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ('[["1", "2"], ["0", "1"]]', "symmetric"),
        ('[["1", "2"], ["2", "1"]]', "positive"),
        ('[["1", "0"]]', "metric"),
        ('[["1/sin(2*pi*x)", "0"], ["0", "1"]]', "finite"),
    ],
)
def test_bad_metrics_are_one_clear_message(here, capsys, metric, message):
    text = RUN.replace("complex torus", "torus").replace("dim = 1", "dim = 2").replace("kahler-ricci", "ricci-deturck")
    Path("bad.toml").write_text(re.sub("potential = .*", f"metric = {metric}", text))
    assert message in fail(capsys, "run", "bad.toml")


def test_derive_prints_text_latex_and_components(capsys):
    assert main(["derive", "calabi"]) == 0
    assert capsys.readouterr().out.startswith("Derivative(phi(t), t) = R - Rbar")
    assert main(["derive", "calabi", "--latex"]) == 0
    assert r"\frac{d}{d t} \phi" in capsys.readouterr().out
    assert main(["derive", "ricci", "--dim", "2"]) == 0
    assert len(capsys.readouterr().out.strip().splitlines()) == 3
    assert main(["derive", "--list"]) == 0
    assert "kahler-ricci" in capsys.readouterr().out


def test_derive_names_the_nearest_flow(capsys):
    assert "did you mean 'calabi'" in fail(capsys, "derive", "calaby")
    assert "--list" in fail(capsys, "derive")


def test_version(capsys):
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith(f"geomflow {geomflow.__version__}\n")


def test_debug_shows_where_an_error_was_raised(here):
    with pytest.raises(geomflow.GeomflowError):
        main(["--debug", "run", "nowhere.toml"])


def test_the_command_starts_without_loading_heavy_packages():
    code = "import sys; from geomflow.cli import main; main(['version']); print('sympy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("False")
    assert json.dumps(done.stderr) == '""'
