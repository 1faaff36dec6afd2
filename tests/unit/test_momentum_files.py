"""Run files, pictures and films of Kähler metrics on a span."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import refused
from PIL import Image

import geomflow as gf
from geomflow import plot
from geomflow.cli import main
from geomflow.cli.pictures import symmetric_pictures
from geomflow.cli.run import Prepared, read_run_file
from geomflow.core.errors import UnknownNameError
from geomflow.plot.outlines import outline
from geomflow.plot.things import thumbnail

START = "(y-a)*(b-y)/(b-a)"
COLLAPSE = """\
[ansatz]
name = "momentum"
n = 2
k = 1
[grid]
n = 16
[state]
F = "(y-a)*(b-y)/(b-a)"
a = 1
b = "3/2"
[flow]
name = "kahler-ricci"
[solve]
t1 = 1
save = 8
[events]
boundary = 20
[output]
pictures = ["profile", "embedding", "film"]
"""
OWN = COLLAPSE.replace('name = "momentum"\nn = 2\nk = 1\n', '''\
coordinates = "y psi theta phi"
ranges = {y = [0, "oo"], theta = [0, "pi"]}
periods = {psi = "4*pi", phi = "2*pi"}
metric = [["1/(2*F(y))", 0, 0, 0],
          [0, "F(y)/2", 0, "F(y)*cos(theta)/2"],
          [0, 0, "y/2", 0],
          [0, "F(y)*cos(theta)/2", 0, "F(y)*cos(theta)^2/2 + y*sin(theta)^2/2"]]
form = [[0, "1/2", 0, "cos(theta)/2"], ["-1/2", 0, 0, 0], [0, 0, 0, "-y*sin(theta)/2"],
        ["-cos(theta)/2", 0, "y*sin(theta)/2", 0]]
unknowns = "F"
span = ["a", "b"]
''')
pytestmark = pytest.mark.usefixtures("here")


def prepared(text: str) -> Prepared:
    """A run file, read and bound."""
    Path("run.toml").write_text(text)
    return Prepared.of(read_run_file(Path("run.toml")))


def state(n, a, b):
    return gf.catalogue.ansatz("momentum").grid(n).state(F=START, a=a, b=b)


@pytest.mark.parametrize("text", [COLLAPSE, OWN])
def test_a_file_is_run_kept_drawn_and_told(capsys, text):
    """(1, 3/2) collapses at (b − a)/2 = 1/4; in Euler angles the metric is the same."""
    Path("collapse.toml").write_text(text)
    assert main(["run", "collapse.toml"]) == 0
    told = capsys.readouterr().out
    assert "db/dt = -3" in told
    assert "collapse at y = " in told
    assert "T = 0.25 ± " in told
    loaded = gf.load("runs/collapse/run.zarr")
    assert loaded.singularity.time == pytest.approx(0.25, abs=1e-12)
    assert np.array_equal(loaded.last.pack(), gf.solve(
        gf.KahlerRicciFlow(), loaded.states[0], 1.0, save_at=8, events=gf.ClassBoundary(20)).last.pack())
    with Image.open("runs/collapse/film.gif") as film:
        assert film.n_frames == len(loaded.times)
    assert main(["show", "runs/collapse", "--html", "report.html"]) == 0
    assert "collapse at y = " in capsys.readouterr().out
    page = Path("report.html").read_text()
    assert "Unknowns" in page
    assert "Surface of revolution" in page


def test_a_file_of_calabi_flow_is_resumed_to_the_same_bits(capsys):
    text = COLLAPSE.replace('"kahler-ricci"', '"calabi"').replace("[events]\nboundary = 20\n", "").replace(
        '["profile", "embedding", "film"]', "[]")
    Path("calabi.toml").write_text(text.replace("t1 = 1", "t1 = 0.01\nmax_steps = 5"))
    assert main(["run", "calabi.toml"]) == 130
    Path("calabi.toml").write_text(text.replace("t1 = 1", "t1 = 0.01"))
    assert main(["run", "calabi.toml", "--resume"]) == 0
    whole = gf.solve(gf.CalabiFlow(), state(16, 1, 1.5), 0.01, save_at=8)
    assert np.array_equal(gf.load("runs/calabi/run.zarr").last.pack(), whole.last.pack())
    assert "finished" in capsys.readouterr().out


@pytest.mark.parametrize("old, new, message", [
    ('F = "(y-a)*(b-y)/(b-a)"', 'F = "2*(y-a)*(b-y)/(b-a)"', "the slope of the profile is 2.0, and a smooth"),
    ('b = "3/2"', "b = 1", "the Kähler class is outside of its cone"),
    ("a = 1\n", "a = -1\n", "the Kähler class is outside of its cone"),
    ("a = 1\n", "", "the unknown 'a' has no value"),
    ('b = "3/2"', 'b = "c"', "the end 'b' is a number, and 'c' was given"),
    ('F = "(y-a)*(b-y)/(b-a)"', 'F = "(y-a)*(b-y)*(y-5/4)"', "it must be positive between the ends"),
    ("n = 16", "n = 16\norder = 4", "spectral"),
    ("boundary = 20", "boundary = 1", "by a factor above 1"),
    ('"profile", "embedding"', '"profile", "polygon"', "polygon"),
    ("k = 1", "k = 0", "the degree k of the normal bundle"),
])
def test_what_is_wrong_is_said(capsys, old, new, message):
    Path("wrong.toml").write_text(COLLAPSE.replace(old, new, 1))
    assert message in refused(capsys, "run", "wrong.toml")


@pytest.mark.parametrize("old, new, message", [
    ('span = ["a", "b"]', 'span = ["a"]', "ansatz.span are two ends"),
    ('span = ["a", "b"]', 'span = ["a", "b"]\nends = "pole"', "one of ends and span"),
    ('span = ["a", "b"]', 'span = ["1", "b"]', "ends of a span are names"),
    ('form = [[0, "1/2"', 'form = [[0, "1/3"', "antisymmetric"),
])
def test_what_is_wrong_with_a_span_of_ones_own_is_said(capsys, old, new, message):
    Path("wrong.toml").write_text(OWN.replace(old, new, 1))
    assert message in refused(capsys, "run", "wrong.toml")


def test_the_fibre_is_drawn_as_the_surface_that_it_is():
    """dy²/2F + 2F dθ² of F = (y − a)(b − y)/(b − a) is a round sphere of the radius √((b − a)/2), whatever k is."""
    shape = outline(state(16, 1, 3))
    assert np.abs(shape.radius**2 + shape.height**2 - 1).max() < 1e-4
    assert shape.closed
    doubled = gf.catalogue.ansatz("momentum", k=2).grid(16).state(F=f"2*{START}", a=1, b=3)
    assert np.ptp(outline(doubled).s) == pytest.approx(np.pi / np.sqrt(2), abs=1e-6)
    ball = gf.catalogue.ansatz("momentum-ball").grid(16).state(F="y*(b-y)/b", b=2)
    assert np.ptp(outline(ball).s) == pytest.approx(np.pi, abs=1e-6)
    with pytest.raises(UnknownNameError, match="radius 'a'"):
        outline(state(16, 1, 3), "a")


def test_a_profile_is_drawn_above_its_span():
    (ax,) = plot.profile(state(16, 1, 3))
    y, values = ax.lines[0].get_data()
    assert (y[0], y[-1]) == pytest.approx((1, 3), abs=1e-14)
    assert np.abs(values - (y - 1) * (3 - y) / 2).max() < 1e-12
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$y$", "$F$")
    assert thumbnail(state(16, 1, 3))[1] == "surface of revolution"


def test_ends_are_drawn_against_time():
    sol = gf.solve(gf.KahlerRicciFlow(), state(16, 1, 3), 0.25, save_at=4)
    (ax,) = plot.profile(sol, "b")
    assert ax.lines[0].get_ydata() == pytest.approx(3 - 3 * sol.times)


def test_what_can_be_drawn_is_known():
    file = prepared(COLLAPSE).file
    assert symmetric_pictures(file) == ["monitors", "profile", "embedding", "film"]
