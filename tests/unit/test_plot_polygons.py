"""Pictures over moment polygons: the mesh covers the polygon, values are the metric's, cuts meet the boundary."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import geomflow as gf
from geomflow.core.errors import InputError, UnknownNameError
from geomflow.plot.polygons import _chord, _mesh
from geomflow.plot.things import thumbnail

RIGHT = [(24, -7), (36, -3), (38, -2), (39, -1), (39, 1), (38, 2), (36, 3), (24, 7)]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("name", ["CP2", "dP2", "F3"])
def test_the_mesh_covers_the_polygon(name):
    toric = gf.Toric(name)
    x, triangles = _mesh(toric)
    a, b, c = (x[triangles[:, k]] for k in range(3))
    areas = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert abs(areas.sum() - float(toric.area)) < 1e-12
    assert areas.min() > 0


def test_values_are_those_of_the_metric():
    state = gf.Toric("dP3").grid(6).state("x1*x2/10")
    ax = gf.plot.polygon(state, "h")
    x, _ = _mesh(state.grid.toric)
    assert np.abs(ax.collections[0].get_array() - (x[:, 0] * x[:, 1] / 10 - offset(state))).max() < 1e-12
    assert ax.get_xlabel() == "$x_1$"
    gf.plot.polygon(gf.Toric("CP2").grid(2).state())  # constant curvature has colours too


def offset(state):
    """What was taken off h with the affine functions: x1 x2 has a mean."""
    return -state.h([(0.0, 0.0)])[0]


def test_a_run_is_drawn_by_its_last_state():
    start = gf.Toric("dP3").grid(4, symmetric=True).state()
    sol = gf.solve(gf.KahlerRicciFlow(normalised=True), start, t1=0.1)
    ax = gf.plot.polygon(sol, "riemann")
    x, _ = _mesh(start.grid.toric)
    assert np.array_equal(ax.collections[0].get_array(), sol.last.curvature(x).riemann)
    assert "scalar curvature" in sol.last._repr_html_()
    assert "k_energy" in sol._repr_html_()


def test_notebooks_show_metrics_over_their_polygons():
    found = gf.Toric("dP3").einstein(6)
    for thing in (found, found.state()):
        png, caption = thumbnail(thing)
        assert png[:4] == b"\x89PNG"
        assert caption == "scalar curvature over the moment polygon"


def test_a_cut_meets_the_boundary_twice():
    toric = gf.Toric(RIGHT + [(-x, -y) for x, y in RIGHT])
    ends = _chord(np.array(toric.vertices, dtype=float), toric.stability.cut)
    assert ends.shape == (2, 2)
    for end in ends:
        assert min(abs(float(edge(end))) for edge in toric.edges) < 1e-12
    assert "destabilised" in gf.plot.polygon(toric).get_title(loc="left")
    assert [text.get_text() for text in gf.plot.polygon(gf.Toric("F2")).texts] == ["$0$", "$-2$", "$0$", "$2$"]


def test_what_is_not_toric_is_refused():
    with pytest.raises(InputError, match="toric surfaces"):
        gf.plot.polygon(3)
    with pytest.raises(UnknownNameError):
        gf.plot.polygon(gf.Toric("CP2").grid(2).state(), "colour")


@pytest.mark.parametrize(("flow", "label"), [
    (gf.KahlerRicciFlow(), "$(T - t)$ scalar curvature $R$"),
    (gf.KahlerRicciFlow(normalised=True), "scalar curvature $R$"),
])  # fmt: skip
def test_films_over_polygons_have_one_scale_and_curvature_times_what_is_left(tmp_path, flow, label):
    """Of the round plane that dies (T − t)R is 4 in all frames."""
    sol = gf.solve(flow, gf.Toric("CP2").grid(4).state("x1*x2/10" if flow.normalised else 0), t1=1.5, save_at=3)
    ax = gf.plot.film(sol, tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == len(sol.times)
    assert [each.get_ylabel() for each in ax.figure.axes[1:]] == [label]
    if not flow.normalised:
        assert np.abs(ax.collections[0].get_array() - 4).max() < 1e-6
    assert ax.get_xlim()[1] > 2  # as of the first polygon, whose corners are at 2


def test_films_of_unknown_quantities_are_refused(tmp_path):
    sol = gf.solve(gf.KahlerRicciFlow(normalised=True), gf.Toric("CP2").grid(2).state(), t1=0.1)
    with pytest.raises(UnknownNameError, match="quantity of toric metrics"):
        gf.plot.film(sol, tmp_path / "film.gif", "colour")
