"""Pictures of metrics with symmetry: surfaces of revolution against closed forms, profiles, films and thumbnails."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from PIL import Image

import geomflow as gf
from geomflow import plot
from geomflow.core.errors import InputError, UnknownNameError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.solution import Solution, States
from geomflow.plot.moments import picked_times, times_left
from geomflow.plot.outlines import arclength, outline
from geomflow.plot.scenes import scenes
from geomflow.plot.things import thumbnail

SPHEROID = {"chi": "sqrt(cos(x)^2 + 4*sin(x)^2)", "psi": "sin(x)"}


@pytest.fixture(scope="module")
def surfaces():
    return gf.catalogue.ansatz("sphere", n=1).grid(32)


@pytest.fixture(scope="module")
def spheroid(surfaces):
    return surfaces.state(**SPHEROID)


@pytest.fixture(scope="module")
def shrinking(surfaces):
    """Round spheres of radius √(2(T − t)), T = ½, at states even in log(T − t) down to 1e-8, ended as singular."""
    left = np.geomspace(0.5, 1e-8, 40)
    states = [surfaces.state(chi=f"{r:.17g}", psi=f"{r:.17g}*sin(x)") for r in np.sqrt(2 * left)]
    packed = States([state.pack() for state in states], states[0].unpack)
    outcome = Outcome(OutcomeKind.singular, "curvature has grown", 0.5)
    return Solution(0.5 - left, packed, 0.5 - left, {"riemann_max": 1 / left}, outcome, 1, 0, 1)


@pytest.fixture(scope="module")
def nil():
    return gf.solve(gf.RicciFlow(), gf.catalogue.ansatz("nil").state(A=2, B=1, C=1), 1.0, save_at=4)


def test_a_spheroid_is_drawn_as_a_spheroid(spheroid):
    shape = outline(spheroid)
    assert np.ptp(shape.height) == pytest.approx(4, abs=1e-4)
    assert np.abs(shape.radius**2 + shape.height**2 / 4 - 1).max() < 1e-4
    assert shape.closed


def test_arclength_is_that_of_an_ellipse(spheroid):
    from scipy.special import ellipe

    assert np.ptp(arclength(spheroid)) == pytest.approx(4 * ellipe(0.75), abs=1e-7)


def test_what_is_too_steep_is_left_out_and_told():
    """ψ = sin x (1 + sin²x), χ = 1: ψ_s > 1 exactly where (√21 − 3)/6 < cos x < 1."""
    state = gf.catalogue.ansatz("sphere", n=2).grid(32).state(chi="1", psi="sin(x)*(1 + sin(x)^2)")
    shape = outline(state)
    rising = shape.s[shape.steep & (shape.s < np.pi / 2)]
    assert rising.max() == pytest.approx(np.arccos((np.sqrt(21) - 3) / 6), abs=2e-3)
    assert np.ptp(shape.s[~shape.steep]) > 3
    ax = plot.embedding(state)
    assert "left out" in ax.get_title(loc="left")
    (drawn,) = (c for c in ax.collections if isinstance(c, PolyCollection))
    whole = plot.embedding(gf.catalogue.ansatz("sphere", n=2).grid(32).state(chi="1", psi="sin(x)"))
    assert whole.get_title(loc="left") == ""
    widest = np.abs(np.concatenate([path.vertices for path in drawn.get_paths()])[:, 0]).max()
    assert widest == pytest.approx(2, abs=2e-3)


def test_the_time_left_is_read_off_the_curvature(shrinking):
    left = times_left(shrinking)
    assert left is not None
    assert left == pytest.approx(0.5 - shrinking.times, rel=1e-6)
    picked = picked_times(shrinking, 5)
    steps = np.diff(np.log(left[picked]))
    assert (picked[0], len(picked)) == (0, 5)
    assert np.abs(steps - np.log(1 / 300) / 4).max() < np.log(left[0] / left[1])


def test_a_run_that_finished_has_no_singular_time(nil):
    assert times_left(nil) is None


def test_surfaces_at_several_times_have_one_scale(shrinking):
    ax = plot.embedding(shrinking, count=4)
    left = times_left(shrinking)[picked_times(shrinking, 4)]
    widths = [np.ptp(np.concatenate([path.vertices for path in c.get_paths()])[:, 0]) for c in ax.collections]
    assert widths == pytest.approx(2 * np.sqrt(2 * left), rel=2e-3)
    assert ax.get_title(loc="left") == ""


def test_open_ends_are_within_the_picture():
    state = gf.catalogue.ansatz("sphere-circle", n=2).grid(16).state(chi="1", psi="1 + cos(x)/2")
    ax = plot.embedding(state)
    drawn = np.concatenate([path.vertices for path in ax.collections[0].get_paths()])
    assert not outline(state).closed
    for side, (low, high) in enumerate((ax.get_xlim(), ax.get_ylim())):
        assert low < drawn[:, side].min()
        assert drawn[:, side].max() < high


def test_a_profile_has_the_closing_radius_against_arclength(shrinking):
    (ax,) = plot.profile(shrinking, count=3)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("arclength $s$", r"$\psi$")
    radii = np.sqrt(2 * times_left(shrinking)[picked_times(shrinking, 3)])
    for line, r in zip(ax.lines, radii, strict=True):
        s, psi = line.get_data()
        assert np.abs(psi - r * np.sin(s / r)).max() < 1e-7 * r
    assert ax.figure.axes[-1].get_title(loc="left") == "$T - t$"
    assert plot.profile(shrinking, "chi")[0].get_ylabel() == r"$\chi$"


def test_profiles_on_a_span_are_drawn_between_its_ends():
    state = gf.catalogue.ansatz("momentum", n=2, k=1).grid(24).state(F="(y-a)*(b-y)/(b-a)", a=2, b=5)
    (panel,) = plot.profile(state)
    y, F = panel.lines[0].get_data()
    assert (y[0], y[-1]) == pytest.approx((2, 5))
    assert F == pytest.approx((y - 2) * (5 - y) / 3, abs=1e-9)
    assert thumbnail(state) is not None


def test_two_radii_have_two_panels():
    state = gf.catalogue.ansatz("join", p=1, q=1).grid(16).state(chi="1", psi1="sin(x)", psi2="cos(x)")
    assert [ax.get_ylabel() for ax in plot.profile(state)] == [r"$\psi_{1}$", r"$\psi_{2}$"]
    assert outline(state, "psi2").radius[0] == pytest.approx(1, abs=1e-9)


def test_homogeneous_metrics_are_drawn_against_time(nil):
    """A = A₀ u^{−1/3}, u = 1 + 12 A₀/(B₀C₀) t."""
    (ax,) = plot.profile(nil)
    assert [line.get_label() for line in ax.lines] == ["$A$", "$B$", "$C$"]
    t, A = ax.lines[0].get_data()
    assert pytest.approx(2 * (1 + 24 * t) ** (-1 / 3), rel=1e-9) == A
    assert len(nil.plot("B")[0].lines) == 1
    titles = [ax.get_title(loc="left") for ax in plot.monitors(nil)]
    assert titles[:3] == ["volume", "total curvature", "curvature, least and largest"]


def test_what_cannot_be_drawn_is_told(nil, spheroid):
    with pytest.raises(InputError, match="no coordinate to be drawn against"):
        plot.profile(nil.last)
    with pytest.raises(InputError, match="surface of revolution"):
        plot.embedding(nil)
    with pytest.raises(InputError, match="metric of an ansatz"):
        plot.embedding(gf.Torus(dim=2).grid(8).scalar("1"))
    with pytest.raises(UnknownNameError, match="radius"):
        plot.embedding(spheroid, "chi")
    with pytest.raises(UnknownNameError, match="unknown"):
        plot.profile(spheroid, "phi")


def test_a_film_goes_evenly_to_the_end(shrinking, tmp_path):
    ax = plot.film(shrinking, tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == len(picked_times(shrinking, 48))
    assert ax.get_title().startswith("$T - t")


def test_notebooks_show_surfaces_and_unknowns(nil, spheroid, shrinking):
    assert thumbnail(spheroid)[1] == "surface of revolution"
    assert thumbnail(shrinking)[1].startswith("surface of revolution, first and last")
    assert thumbnail(nil)[1] == "A, B, C against time"
    assert thumbnail(nil.last) is None


def test_pieces_stand_above_each_other():
    """Before the cut one surface in the middle, after it two, each about its own place, that do not meet."""
    state = gf.catalogue.ansatz("sphere", n=2).grid(48).state(chi="1", psi="sin(x)*sqrt(1 - 19/20*sin(x)^2)")
    sol = gf.solve(gf.RicciFlow(), state, 0.03, rtol=1e-6, save_at=6, after=gf.Surgery(0.15, ratio=1, points=64))
    found = scenes(sol, 5, None)
    assert [len(scene.shapes) for scene in found] == sorted(len(scene.shapes) for scene in found)
    assert {len(scene.shapes) for scene in found} == {1, 2}
    cut = next(k for k, scene in enumerate(found) if scene.title.endswith("cut"))
    assert found[cut].title == f"{found[cut - 1].title}, cut"
    assert len(found[cut].shapes) == 2
    for scene in found[cut:]:
        low, high = scene.shapes
        assert low.height.max() < 0 < high.height.min()
        assert low.centre == pytest.approx(-high.centre, rel=1e-4)
        assert low.centre == found[cut].shapes[0].centre
    ax = gf.plot.embedding(sol)
    assert len(ax.collections) == sum(len(scene.shapes) for scene in found)
    (volumes,) = gf.plot.monitors(sol, ["volume"])
    assert [curve.get_xdata()[0] for curve in volumes.lines] == [0, sol.outcome.time, sol.outcome.time]
