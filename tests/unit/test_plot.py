"""Pictures return their Axes, show the right numbers, and leave matplotlib as it was."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

import geomflow as gf
from geomflow import plot
from geomflow.core.errors import InputError, ShapeError, UnknownNameError
from geomflow.plot.style import styled
from geomflow.plot.things import thumbnail


@pytest.fixture(scope="module")
def phi():
    return gf.ComplexTorus(dim=1).grid(16).potential("3 + cos(2*pi*x)*cos(2*pi*y)/100")


@pytest.fixture(scope="module")
def sol(phi):
    return gf.solve(gf.KahlerRicciFlow(), phi, t1=0.01, save_at=5)


def test_heatmap_is_centred_on_zero_and_closed_up(phi):
    ax = plot.heatmap(phi, "potential")
    mesh = ax.collections[0]
    drawn = np.asarray(mesh.get_array()).reshape(17, 17)
    assert mesh.norm.vmin == -mesh.norm.vmax
    assert np.array_equal(drawn[0], drawn[-1])
    assert np.allclose(drawn[:16, :16], phi.values - phi.values.mean(), atol=1e-15)
    assert ax.get_aspect() == 1.0


def test_curvature_is_what_is_drawn_unless_said(phi):
    drawn = np.asarray(plot.heatmap(phi).collections[0].get_array()).reshape(17, 17)
    assert np.array_equal(drawn[:16, :16], phi.scalar().values)


def test_a_constant_is_drawn_neutral_and_not_as_noise():
    flat = gf.ComplexTorus(dim=1).grid(16).potential(0)
    mesh = plot.heatmap(flat).collections[0]
    assert (mesh.norm.vmin, mesh.norm.vmax) == (-1.0, 1.0)


def test_a_skew_torus_is_drawn_as_a_parallelogram():
    skew = gf.ComplexTorus(dim=1, modulus=0.5 + 1j).grid(16).potential(0)
    corners = plot.heatmap(skew).collections[0].get_coordinates().reshape(-1, 2)
    assert list(corners.max(axis=0)) == pytest.approx([1.5, 1.0])


def test_above_dimension_two_the_plane_is_named():
    phi = gf.ComplexTorus(dim=2).grid(8).potential("cos(2*pi*(x1 + x2))/200")
    ax = plot.heatmap(phi, "potential")
    assert ax.get_xlabel() == "$x_{1}$"
    assert "at $x_{2} = 0, y_{2} = 0$" in ax.get_title(loc="left")


def test_a_circle_is_drawn_as_a_curve():
    u = gf.Torus(dim=1).grid(8).scalar("cos(2*pi*x)")
    assert plot.heatmap(u).lines[0].get_xdata()[-1] == 1.0


def test_metric_components_are_drawn_by_name():
    g = gf.Torus(dim=2).grid(8).metric([["2 + cos(2*pi*x)", 0], [0, 1]])
    drawn = np.asarray(plot.heatmap(g, "g_xx").collections[0].get_array()).reshape(9, 9)
    assert np.array_equal(drawn[:8, :8], g.values[..., 0, 0])


def test_an_unknown_quantity_names_the_nearest(phi):
    with pytest.raises(UnknownNameError, match="did you mean 'potential'"):
        plot.heatmap(phi, "potental")


def test_monitors_have_one_panel_each_and_the_outcome_above(sol):
    axes = plot.monitors(sol)
    assert [ax.get_title(loc="left") for ax in axes][:2] == ["energy", "volume"]
    assert axes[0].figure.get_suptitle() == str(sol.outcome)
    assert np.array_equal(axes[0].lines[0].get_ydata(), sol["energy"])
    assert len(plot.monitors(sol, ["energy"])) == 1
    with pytest.raises(UnknownNameError, match="did you mean 'energy'"):
        plot.monitors(sol, ["enrgy"])
    with pytest.raises(InputError, match="those of a run"):
        plot.monitors(sol.last)


def test_monitors_write_their_numbers_out(sol):
    monitors = {"steady": lambda t, state: 2.0, "slow": lambda t, state: 0.999 + 1e-3 * t}
    run = gf.solve(gf.KahlerRicciFlow(), sol.states[0], t1=0.01, monitors=monitors)
    steady, slow = plot.monitors(run, ["steady", "slow"])
    assert [text.get_text() for text in steady.texts] == ["constant"]
    slow.figure.canvas.draw()
    assert slow.yaxis.get_major_formatter().get_offset() == ""


def test_snapshots_have_one_scale_a_row(sol):
    axes = plot.snapshots(sol, count=3)
    assert axes.shape == (2, 3)
    for row in axes:
        assert len({ax.collections[0].norm.vmax for ax in row}) == 1


def test_states_side_by_side_share_a_scale_under_their_titles():
    grid = gf.Torus(dim=2).grid(8)
    one, other = (grid.metric([[f"1 + cos(2*pi*x)/{n}", 0], [0, 1]]) for n in (2, 3))
    axes = plot.side_by_side({"one": one, "the other": other}, ["g_xx", "g_yy"])
    assert axes.shape == (2, 2)
    assert [ax.get_title() for ax in axes[0]] == ["one", "the other"]
    assert {coloured(ax)[1].vmax for ax in axes[0]} == {1.5}
    assert np.array_equal(coloured(axes[0, 1])[0].reshape(9, 9)[:8, :8], other.values[..., 0, 0])
    for bad in ({}, one, [one]):
        with pytest.raises(InputError, match="with their titles"):
            plot.side_by_side(bad)


@dataclass(frozen=True)
class Shown:
    """What pictures need of a run: times and states."""

    states: tuple

    @property
    def times(self):
        return np.arange(float(len(self.states)))


class States(tuple):
    """States with their packed arrays."""

    def packed(self, place):
        return self[place].pack()


def shown(*states):
    return Shown(States(states))


def coloured(ax):
    """(values, norm) of a panel: what is drawn, and the scale that turns it into colours."""
    mesh = ax.collections[0]
    return np.ma.filled(mesh.get_array().astype(float), np.nan), mesh.norm


def test_one_scale_is_true_for_every_panel():
    """A mean that moves from 3 to 4: equal values have equal colours, and the bar reads all of them."""
    grid = gf.Torus(dim=2).grid(8)
    states = [grid.scalar(f"{mean} + cos(2*pi*x)") for mean in (3, 4)]
    panels = plot.snapshots(shown(*states), count=2)[0]
    for ax, state in zip(panels, states):
        values, norm = coloured(ax)
        assert np.array_equal(values.reshape(9, 9)[:8, :8], state.values)
        assert (norm.vmin, norm.vmax) == (2.0, 5.0)
    metric = gf.Torus(dim=2).grid(8).metric([["2 + cos(2*pi*x)", 0], [0, 1]])
    ends = {(n.vmin, n.vmax) for n in (coloured(ax)[1] for ax in plot.snapshots(
        shown(metric, 2.0 * metric), ["g_xx"], count=2)[0])}
    assert ends == {(0.0, 6.0)}


def test_colours_of_a_run_that_blows_up_are_those_of_the_rest():
    """One value of 1e9 at the end leaves the colours of the states before; all values beyond are said to be there."""
    grid = gf.Torus(dim=2).grid(8)
    start = grid.scalar("cos(2*pi*x)")
    end = start.values.copy()
    end[2, 3] = 1e9
    for last in (end, end + 1e8):
        panels = plot.snapshots(shown(start, start, start.unpack(last[None])), count=3)[0]
        norm = coloured(panels[0])[1]
        assert norm.vmax - norm.vmin <= 4
        bar = panels[-1].collections[0].colorbar
        assert bar.extend == "both"
        assert bar.ax.get_ylabel().endswith(f"values reach {last.max():.2g}")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_singular_state_is_marked_in_its_own_panel_alone(bad):
    grid = gf.Torus(dim=2).grid(8)
    good = grid.scalar("cos(2*pi*x)")
    values = good.values.copy()
    values[2, 3] = bad
    panels = plot.snapshots(shown(good, good.unpack(values[None]), good.unpack(np.full((1, 8, 8), bad))), count=3)[0]
    ends = [(coloured(ax)[1].vmin, coloured(ax)[1].vmax) for ax in panels]
    np.testing.assert_allclose(ends, [(-1.0, 1.0)] * 3, rtol=1e-12)
    assert [[text.get_text() for text in ax.texts] for ax in panels] == [
        [], ["not finite at 1 of 64 points"], ["not finite at 64 of 64 points"]]


def test_a_state_that_is_no_metric_has_no_curvature_to_draw(phi):
    panels = plot.snapshots(shown(phi, phi.unpack(40 * phi.pack())), ["scalar curvature"], count=2)[0]
    assert coloured(panels[0])[1].vmax == pytest.approx(np.abs(phi.scalar().values).max())
    assert panels[1].texts[0].get_text() == "not finite at 256 of 256 points"


def test_a_film_keeps_one_scale_for_every_frame(monkeypatch, tmp_path):
    module = sys.modules["geomflow.plot.runs"]
    grid, seen, draw = gf.Torus(dim=2).grid(8), [], module.draw_quantity
    monkeypatch.setattr(module, "draw_quantity", lambda *given: seen.append(given[3]) or draw(*given))
    states = [grid.scalar(f"{mean} + {mean - 2}*cos(2*pi*x)") for mean in (3, 4)]
    plot.film(shown(*states, grid.scalar("3").unpack(np.full((1, 8, 8), np.nan))), tmp_path / "film.gif")
    np.testing.assert_allclose([scale.ends for scale in seen], [(1.0, 6.0)] * 3, rtol=1e-12)


def test_colours_that_end_before_the_values_say_so(phi):
    ends = [plot.heatmap(phi, "potential", limit=limit).collections[0].colorbar.extend for limit in (None, 1e-3)]
    assert ends == ["neither", "both"]


def test_the_plane_of_a_skew_torus_stands_where_it_is():
    lattice = np.eye(4)
    lattice[2, 0] = lattice[3, 2] = 0.25
    state = gf.ComplexTorus(dim=2, lattice=lattice).grid(8).potential(
        lambda x1, y1, x2, y2: -np.cos(2 * np.pi * (x2 - y2 / 4)) / 200)
    ax = plot.heatmap(state, "potential")
    row = int(np.argmax(np.abs(state.values - state.values.mean()).max(axis=(0, 1, 3))))
    assert ax.get_xlim()[0] == pytest.approx(row / 8 / 4)


def test_a_film_has_one_frame_a_saved_time(sol, tmp_path):
    plot.film(sol, tmp_path / "film.gif", "potential")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == len(sol.times)
    with pytest.raises(InputError, match=r"\.gif or \.mp4"):
        plot.film(sol, tmp_path / "film.avi")


def test_convergence_states_the_fitted_order():
    ns = [10, 20, 40]
    ax = plot.convergence(ns, {"a": [n**-2.0 for n in ns], "b": [3 * n**-4.0 for n in ns]}, {"a": 2, "b": 4})
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "a: measured 2.00, dashed $n^{-2}$", "b: measured 4.00, dashed $n^{-4}$"]
    with pytest.raises(ShapeError, match="2 errors of 'error' were given for 3"):
        plot.convergence(ns, [1, 2])


def test_settings_of_matplotlib_stay_as_they_were(phi):
    before = dict(mpl.rcParams)
    plot.heatmap(phi)
    assert dict(mpl.rcParams) == before


def test_runs_on_a_circle_are_drawn_as_curves(tmp_path):
    grid = gf.Torus(dim=1).grid(16)
    sol = gf.solve(gf.Flow.from_expression("laplacian(u)"), grid.scalar("cos(2*pi*x)"), t1=0.01, save_at=3)
    axes = gf.plot.snapshots(sol)
    assert all(len(ax.lines) == 1 for ax in axes.flat)
    gf.plot.film(sol, tmp_path / "film.gif")
    assert (tmp_path / "film.gif").stat().st_size > 1000


def test_values_too_large_for_an_axis_are_left_out():
    grid = gf.Torus(dim=1).grid(16)
    sol = gf.solve(gf.Flow.from_expression("1000*u"), grid.scalar("1"), t1=0.7, rtol=1e-3)
    figure = gf.plot.monitors(sol)[0].figure
    figure.canvas.draw()
    assert max(np.nanmax(line.get_ydata()) for ax in figure.axes for line in ax.lines) < 1e150


def test_states_of_networks_are_drawn_as_their_fields():
    torus = gf.ComplexTorus(dim=1)
    network = gf.networks.Perceptron(2, (4,), embedding=gf.networks.FourierEmbedding(torus))
    state = gf.networks.Rescaled(gf.networks.PotentialModel(torus, network), 0.01).on(torus.grid(8), seed=0)
    drawn = plot.heatmap(state, "potential").collections[0].get_array()
    assert np.array_equal(drawn, plot.heatmap(state.field(), "potential").collections[0].get_array())
    with pytest.raises(InputError, match="field on a grid"):
        plot.heatmap(np.zeros(3))


def test_a_backend_that_a_picture_loads_stays_interactive(monkeypatch):
    """As that of a notebook: the pictures after the first would not be shown."""
    monkeypatch.setitem(mpl.rcParams, "interactive", False)
    sizes = mpl.rcParams["axes.titlesize"]
    styled(lambda: mpl.interactive(True))()
    assert mpl.is_interactive()
    assert mpl.rcParams["axes.titlesize"] == sizes


def test_several_fields_are_drawn_by_name():
    grid = gf.Torus(dim=2).grid(8)
    g = grid.metric([["2 + cos(2*pi*x)", 0], [0, 1]])
    state = grid.fields(g=g, f="sin(2*pi*y)", A=grid.form([1, "cos(2*pi*x)"]))
    names = plot.quantity_names(state)
    assert names == ["scalar curvature of g", "f", "A_x", "g_xx", "g_xy", "g_yy", "A_y"]
    assert plot.quantity_names(state.holding(["g"]))[0] == "f"
    assert [plot.heatmap(state, name).get_title(loc="left") for name in ("f", "A_y")] == ["$f$", "$A_{y}$"]
    drawn = np.asarray(plot.heatmap(state, "A_y").collections[0].get_array()).reshape(9, 9)
    assert np.array_equal(drawn[:8, :8], state["A"].values[..., 1])
    with pytest.raises(UnknownNameError, match="'f'"):
        plot.heatmap(state, "ff")


def test_vectors_and_forms_are_drawn_by_component():
    grid = gf.Torus(dim=2).grid(8)
    assert plot.quantity_names(grid.vector([1, "cos(2*pi*x)"])) == ["T_x", "T_y"]
    assert plot.quantity_names(grid.form({"xy": 1})) == ["omega_xy"]
    assert thumbnail(grid.fields(f="cos(2*pi*x)", g=grid.metric()))[1] == "f"
    assert thumbnail(grid.fields(g=grid.metric()))[1] == "g_xx"
