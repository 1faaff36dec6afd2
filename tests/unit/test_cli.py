"""The command: what it prints, which code it returns, and no traceback on bad input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import refused

import geomflow
from geomflow.cli import main
from geomflow.symbolic.functionals import FUNCTIONALS

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
def bump(here):
    """A folder with a run file."""
    (here / "bump.toml").write_text(RUN)
    return here


def test_run_writes_a_store_and_pictures_and_says_how_it_ended(bump, capsys):
    assert main(["run", "bump.toml"]) == 0
    told = capsys.readouterr().out
    assert "finished" in told
    assert "16 × 16 points" in told
    assert "runs/bump/run.zarr" in told
    assert sorted(path.name for path in Path("runs/bump").iterdir()) == ["monitors.png", "run.zarr", "snapshots.png"]


def test_a_second_run_overwrites_nothing(bump, capsys):
    assert main(["run", "bump.toml"]) == main(["run", "bump.toml"]) == 0
    assert Path("runs/bump-2/run.zarr").exists()
    assert main(["run", "bump.toml", "--out", "mine"]) == 0
    assert "--resume" in refused(capsys, "run", "bump.toml", "--out", "mine")


def test_show_tells_about_a_run(bump, capsys):
    main(["run", "bump.toml"])
    capsys.readouterr()
    assert main(["show", "runs/bump"]) == 0
    told = capsys.readouterr().out
    for word in ("kahler-ricci", "finished", "energy", "volume", "RKC"):
        assert word in told


def test_resuming_nothing_is_an_error(bump, capsys):
    assert "no run to resume" in refused(capsys, "run", "bump.toml", "--resume")


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
        ("n = 16", 'n = 16\norder = "spectral"', 'write scheme = "spectral"'),
        ("n = 16", 'n = 16\nscheme = "spektral"', "did you mean 'spectral'"),
        ("/100", "/10", "leaves the Kähler cone"),
        ('"cos(2*pi*x)*cos(2*pi*y)/100"', "\"__import__('os').getcwd()\"", "__import__"),
        ("cos(2*pi*x)*", "coss(2*pi*x)*", "coss"),
        ("cos(2*pi*x)*", "cos(2*pi*q)*", "q"),
        ("complex torus", "complex tours", "did you mean 'complex torus'"),
        ("dim = 1", "dim = 7", "1 to 3"),
        ('"monitors"', '"monitor"', "did you mean 'monitors'"),
        ("potential =", 'metric = [["1", 0], [0, 1]]\n#', "PotentialField"),
        ("potential =", "scalar = 1\npotential =", "one of potential, metric, hermitian, scalar"),
    ],
)
def test_bad_input_is_one_clear_message(bump, capsys, old, new, message):
    assert old in RUN
    Path("bad.toml").write_text(RUN.replace(old, new))
    assert message in refused(capsys, "run", "bad.toml")
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
def test_bad_metrics_are_one_clear_message(bump, capsys, metric, message):
    text = RUN.replace("complex torus", "torus").replace("dim = 1", "dim = 2").replace("kahler-ricci", "ricci-deturck")
    Path("bad.toml").write_text(re.sub("potential = .*", f"metric = {metric}", text))
    assert message in refused(capsys, "run", "bad.toml")


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
    assert "did you mean 'calabi'" in refused(capsys, "derive", "calaby")
    assert "--list" in refused(capsys, "derive")


def test_both_sides_of_a_component_are_functions_of_the_same_arguments(capsys):
    assert main(["derive", "conformal-ricci", "--dim", "2"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Derivative(f(t, x, y), t) = ")
    assert "f(x, y)" not in told


def test_derive_prints_the_gradient_flow_of_a_functional(capsys):
    assert main(["derive", "kenergy", "--dim", "2", "--gradient", "mabuchi", "--latex"]) == 0
    assert capsys.readouterr().out.strip() == r"\frac{d}{d t} \phi{\left(t \right)} = R - \bar{R}"
    assert main(["derive", "ef", "--function", "v*log(v)", "--gradient", "dirichlet"]) == 0
    told = capsys.readouterr().out
    for words in ("E = ∫ v*log(v) dμ_Ω", "δv = v Δ_∂ψ", "log(v)", "decays at the rate |k|**2/2", "Parabolic of order 2",
                  "complex dimension 1: decided zero"):
        assert words in told


@pytest.mark.parametrize("name", FUNCTIONALS)
def test_every_functional_is_derived_by_name(name, capsys):
    function = {"ef": ["--function", "v*log(v)"], "eg": ["--function", "1/v"]}.get(name, [])
    assert main(["derive", name, "--gradient", *function]) == 0
    told = capsys.readouterr().out
    assert FUNCTIONALS[name].source in told
    assert "decided zero" in told
    assert main(["derive", "--list"]) == 0
    assert f"  {name} " in capsys.readouterr().out


def test_derive_tells_that_a_flow_is_ill_posed(capsys):
    assert main(["derive", "perelman-f"]) == 0
    told = capsys.readouterr().out
    assert "Ill-posed" in told
    assert "PerelmanLambda" in told


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["kenergi"], "unknown flow or functional 'kenergi'; did you mean 'kenergy'?"),
        (["kenergy", "--gradient", "mabuci"], "did you mean 'mabuchi'?"),
        (["kenergy", "--dim", "7"], "dim is 7"),
        (["volume", "--dim", "1"], "2, 3, 4"),
        (["ef"], "needs a function"),
        (["ef", "--function", "v*lg(v)"], "lg"),
        (["volume", "--function", "v"], "no option 'function'"),
        (["ricci", "--gradient"], "unknown functional 'ricci'"),
        (["gradient"], "unknown flow or functional"),
    ],
)
def test_what_cannot_be_derived_is_one_clear_message(capsys, argv, message):
    assert message in refused(capsys, "derive", *argv)


GRADIENT = RUN.replace('"kahler-ricci"', '"gradient"\nfunctional = "ef"\nfunction = "v*log(v)"\nmetric = "dirichlet"')


def test_a_run_file_names_a_functional(bump, capsys):
    Path("mine.toml").write_text(GRADIENT)
    assert main(["run", "mine.toml"]) == main(["run", "bump.toml"]) == 0
    assert "ef-dirichlet" in capsys.readouterr().out
    mine, known = (geomflow.load(f"runs/{name}/run.zarr").last for name in ("mine", "bump"))
    difference = mine.values - known.values
    assert abs(difference - difference.mean()).max() < 1e-3 * abs(known.values).max()


def test_a_run_file_holds_a_functional_of_ones_own(bump, capsys):
    own = 'functional = "density"\ndensity = "v^2"'
    text = GRADIENT.replace("t1 = 0.02", "t1 = 1e-4").replace('metric = "dirichlet"\n', "")
    Path("mine.toml").write_text(text.replace('functional = "ef"\nfunction = "v*log(v)"', own))
    assert main(["run", "mine.toml"]) == 0
    assert "density-mabuchi" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('functional = "ef"', 'functional = "eff"', "unknown functional 'eff'; did you mean 'ef'?"),
        ('functional = "ef"\n', "", "needs the option 'functional'"),
        ('function = "v*log(v)"\n', "", "needs a function"),
        ('"dirichlet"', '"dirichlett"', "did you mean 'dirichlet'?"),
        ('"dirichlet"', '"dirichlet"\nchi = [[1]]', "no option 'chi'"),
        ('"dirichlet"', '"dirichlet"\ngeometry = 1', "geometry"),
        ('"dirichlet"', '"dirichlet"\nforced = 1', "forced takes true or false"),
        ('functional = "ef"\nfunction = "v*log(v)"', 'functional = "volume"', "Torus(dim=...)"),
    ],
)
def test_bad_functionals_are_one_clear_message(bump, capsys, old, new, message):
    assert old in GRADIENT
    Path("bad.toml").write_text(GRADIENT.replace(old, new))
    assert message in refused(capsys, "run", "bad.toml")


def test_an_ill_posed_flow_is_refused_with_its_rate_unless_forced(bump, capsys):
    text = RUN.replace("complex torus", "torus").replace("dim = 1", "dim = 2").replace("kahler-ricci", "gradient")
    text = re.sub("potential = .*", 'metric = [["1", "0"], ["0", "1 + cos(2*pi*y)/10"]]', text).replace("0.02", "1e-5")
    text = text.replace('"gradient"', '"gradient"\nfunctional = "perelman-w"\nparameters = {tau = 1}\nforced = true')
    Path("w.toml").write_text(text.replace("forced = true", "forced = false"))
    assert "ill-posed" in refused(capsys, "run", "w.toml")
    Path("w.toml").write_text(text)
    assert main(["run", "w.toml"]) == 0
    Path("w.toml").write_text(text.replace("parameters = {tau = 1}\n", ""))
    assert "'tau'" in refused(capsys, "run", "w.toml")


def test_version(capsys):
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith(f"geomflow {geomflow.__version__}\n")


def test_the_command_starts_without_loading_heavy_packages():
    code = "import sys; from geomflow.cli import main; main(['version']); print('sympy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("False")
    assert json.dumps(done.stderr) == '""'


def test_the_flows_own_stepper_runs(bump, capsys):
    (bump / "bump.toml").write_text(RUN.replace('"kahler-ricci"', '"kahler-ricci"\ndensity = "1 + cos(2*pi*x)/4"'))
    assert main(["run", "bump.toml"]) == 0
    assert "stepper   semi-implicit" in capsys.readouterr().out
