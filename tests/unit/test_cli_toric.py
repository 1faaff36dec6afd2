"""Run files about toric surfaces: what they say, that their runs are kept, and what is said of wrong ones."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from commands import refused
from problems import same

import geomflow as gf
from geomflow import plot
from geomflow.cli import main
from geomflow.cli.run import Prepared, read_run_file
from geomflow.plot.files import png

HEXAGON = """\
[toric]
polygon = "dP3"
degree = 6
symmetric = true

[state]
h = "(x1^2 + x1*x2 + x2^2)/10"

[flow]
name = "kahler-ricci"
normalised = true

[solve]
t1 = 0.2

[output]
pictures = []
"""
ROOT = Path(__file__).parents[2]
CORNERS = '[toric]\npolygon = "dP3"'

pytestmark = pytest.mark.usefixtures("here")


def prepared(text: str) -> Prepared:
    """A run file, read and bound."""
    Path("run.toml").write_text(text)
    return Prepared.of(read_run_file(Path("run.toml")))


def hexagon(**options):
    return gf.Toric("dP3").grid(6, **options)


def test_a_run_is_kept_resumed_and_told(capsys):
    Path("six.toml").write_text(HEXAGON.replace("t1 = 0.2", "t1 = 0.2\nmax_steps = 2"))
    assert main(["run", "six.toml"]) == 130
    assert "a toric metric with R from" in capsys.readouterr().out
    Path("six.toml").write_text(HEXAGON.replace("t1 = 0.2", "t1 = 0.4"))
    assert main(["run", "six.toml", "--resume"]) == 0
    start = hexagon(symmetric=True).state("(x1^2 + x1*x2 + x2^2)/10")
    kept = gf.load("runs/six/run.zarr")
    assert same(kept, gf.solve(gf.KahlerRicciFlow(normalised=True), start, 0.4))
    assert kept.last.grid == start.grid


def test_pictures_and_a_report_show_the_polygon(capsys):
    Path("six.toml").write_text(HEXAGON.replace("pictures = []", 'pictures = ["monitors.svg", "polygon"]'))
    assert main(["run", "six.toml", "--html", "six.html"]) == 0
    assert sorted(path.name for path in Path("runs/six").iterdir()) == ["monitors.svg", "polygon.png", "run.zarr"]
    page, sol = Path("six.html").read_text(), gf.load("runs/six/run.zarr")
    shown = [base64.b64decode(code) for code in re.findall(r'src="data:image/png;base64,([^"]+)"', page)]
    assert shown[1:] == [png(plot.polygon(state).figure, 130) for state in (sol.states[0], sol.last)]
    assert shown[1] != shown[2]
    assert "polygon = &quot;dP3&quot;" in page


@pytest.mark.parametrize(
    ("old", "new", "flow", "start"),
    [
        ("normalised = true", "", gf.KahlerRicciFlow, lambda: hexagon(symmetric=True)),
        ("normalised = true", "speed = 0.5", lambda: gf.KahlerRicciFlow(speed=0.5), lambda: hexagon(symmetric=True)),
        ('"kahler-ricci"\nnormalised = true', '"calabi"', gf.CalabiFlow, lambda: hexagon(symmetric=True)),
        ("symmetric = true", "", lambda: gf.KahlerRicciFlow(normalised=True), hexagon),
        (CORNERS, "[toric]\ncorners = [[1, 0], [1, 1], [0, 1], [-1, 0], [-1, -1], [0, -1]]",
         lambda: gf.KahlerRicciFlow(normalised=True),
         lambda: gf.Toric([(1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1)]).grid(6, symmetric=True)),
        (CORNERS, '[toric]\nsides = [[1, 0, "1/2"], [0, 1, 0.5], [-1, 0, 0.5], [0, -1, 0.5]]',
         lambda: gf.KahlerRicciFlow(normalised=True),
         lambda: gf.Toric([(1, 0, "1/2"), (0, 1, "1/2"), (-1, 0, "1/2"), (0, -1, "1/2")]).grid(6, symmetric=True)),
        (CORNERS, '[toric]\npolygon = "CP1xCP1"\nconstants = [2, 2, 2, 2]',
         lambda: gf.KahlerRicciFlow(normalised=True),
         lambda: gf.Toric("CP1xCP1", constants=[2, 2, 2, 2]).grid(6, symmetric=True)),
    ],
)  # fmt: skip
def test_files_say_what_would_be_said_in_python(old, new, flow, start):
    assert old in HEXAGON
    canonical = HEXAGON.replace('"(x1^2 + x1*x2 + x2^2)/10"', '"canonical"')
    run, state = prepared(canonical.replace(old, new, 1)), start().state()
    wanted = flow().bind(state)
    assert run.state.grid == state.grid
    assert not run.state.values.any()
    assert np.array_equal(run.problem.y0, wanted.y0)
    rate, other = np.empty_like(wanted.y0), np.empty_like(wanted.y0)
    run.problem.rate(0.0, run.problem.y0, rate)
    wanted.rate(0.0, wanted.y0, other)
    assert np.array_equal(rate, other)
    assert np.isfinite(rate).all()


def test_the_table_of_the_state_may_be_left_out():
    run = prepared(HEXAGON.replace('[state]\nh = "(x1^2 + x1*x2 + x2^2)/10"\n', ""))
    assert run.state.distance(hexagon(symmetric=True).state()) == 0


def test_events_end_a_run(capsys):
    Path("six.toml").write_text(HEXAGON.replace("t1 = 0.2", "t1 = 40") + "[events]\nsteady = 1e-3\n")
    assert main(["run", "six.toml"]) == 0
    kept = gf.load("runs/six/run.zarr")
    assert kept.outcome.kind == "steady"
    assert kept.times[-1] < 40


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"dP3"', '"dP4"', "[toric]: "),
        ('polygon = "dP3"\n', "", "[toric] takes one of polygon, corners, sides, and none of them was given"),
        ('"dP3"', '"dP3"\ncorners = [[0, 0], [1, 0], [0, 1]]', "and polygon and corners were given"),
        ('polygon = "dP3"', "corners = [[0, 0], [2, 0], [0, 1]]", "[toric]: the corner (0, 1), where"),
        ('polygon = "dP3"', "corners = [[0, 0, 1], [2, 0, 1], [0, 2, 1]]", "each of the corners has 2 numbers"),
        ('polygon = "dP3"', "sides = [[0, 0], [2, 0], [0, 2]]", "each of the sides has 3 numbers"),
        ('"dP3"', '"dP3"\nconstants = [1, 1]', "[toric]: the polygon has 6 sides, and 2 constants were given"),
        ("degree = 6\n", "", "[toric] needs the key 'degree': of the polynomials h"),
        ("degree = 6", "degree = 1", "[toric]: "),
        ("degree = 6", "degrees = 6", "unknown key in [toric] 'degrees'; did you mean 'degree'"),
        ('h = "(x1^2 + x1*x2 + x2^2)/10"', 'h = "x1^9"', "[state]: h has the degree 9"),
        ('h = "(x1^2 + x1*x2 + x2^2)/10"', 'h = "x1^2"', "[state]: h = x1**2 is not kept by the 12 symmetries"),
        ('h = "(x1^2 + x1*x2 + x2^2)/10"', 'h = "-9*(x1^2 + x1*x2 + x2^2)"', "Σ l log l + h is not convex"),
        ('h = "(x1^2 + x1*x2 + x2^2)/10"', 'h = "canonicle"', "[state]: "),
        ('"kahler-ricci"', '"ricci"', "unknown flow of toric surfaces 'ricci'"),
        ('"kahler-ricci"', '"calabi"', "[flow]: unknown option of the flow 'calabi' 'normalised'"),
        ('"dP3"\ndegree = 6\nsymmetric = true', '"F2"\ndegree = 6', "no multiple of c₁"),
        ("pictures = []", 'pictures = ["snapshots"]', "unknown picture 'snapshots'"),
        ("[toric]", '[ansatz]\nname = "su2"\n[toric]', "unknown table 'toric'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(capsys, old, new, message):
    assert old in HEXAGON
    Path("six.toml").write_text(HEXAGON.replace(old, new, 1))
    assert message in refused(capsys, "run", "six.toml")
    assert not Path("runs").exists()


def test_the_example_tends_to_the_einstein_metric_at_the_rate_that_is_known():
    """λ/2 − 1 with the lowest eigenvalue λ of symmetric functions, up to squares of what is left at t = 2, 0.4 %."""
    sol = prepared((ROOT / "examples" / "kahler" / "toric_hexagon.toml").read_text()).solve()
    einstein = gf.Toric("dP3").einstein(8).state()
    slowest = einstein.spectrum(2, symmetric=True)[1] / 2 - 1
    away = [state.distance(sol.last) for state in sol.states]
    assert np.log(away[2] / away[3]) == pytest.approx(slowest, rel=0.004)
    assert sol.last.distance(einstein) < away[0] / 1000
