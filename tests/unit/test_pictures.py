"""No panel is blank, and one look holds for all."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image, ImageSequence

import geomflow as gf
from geomflow import plot
from geomflow.cli.pictures import check_pictures
from geomflow.core.errors import InputError, UnknownNameError
from geomflow.plot import style
from geomflow.plot.quantities import Scale, scientific
from geomflow.plot.runs import group

SHRINKING = (1.0, 1e-3, 1e-6, 1e-12)


class States(tuple):
    """States with their packed arrays."""

    def packed(self, place):
        return self[place].pack()


@dataclass(frozen=True)
class Shown:
    """What pictures need of a run."""

    states: States

    @property
    def times(self):
        return np.arange(float(len(self.states)))


class Early(Shown):
    """A run of a short time."""

    @property
    def times(self):
        return 2e-5 * super().times


def contrast(*axes):
    """How many of 255 shades lie between the darkest and the lightest pixel inside of each panel of a picture."""
    figure = axes[0].figure
    figure.set_dpi(50)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[::-1, :, :3].astype(int)
    found = []
    for ax in axes:
        inside = ax.get_window_extent().padded(-4)
        part = pixels[int(inside.y0) : int(inside.y1), int(inside.x0) : int(inside.x1)]
        found.append(int(np.ptp(part, axis=(0, 1)).max()))
    return min(found)


def planes():
    """Runs whose last state spans 10⁻¹² of the first: around zero, around a moving mean, potentials, metrics."""
    real, kahler = gf.Torus(dim=2).grid(8), gf.ComplexTorus(dim=1).grid(8)
    wave = real.scalar("cos(2*pi*x) + sin(2*pi*y)/2").values
    yield "values", "values", [real.scalar("0").unpack(size * wave[None]) for size in SHRINKING]
    yield "mean", "values", [real.scalar("0").unpack(1 + i + size * wave[None]) for i, size in enumerate(SHRINKING)]
    yield "growing", "values", [real.scalar("0").unpack(size * wave[None]) for size in SHRINKING[::-1]]
    start = kahler.potential("cos(2*pi*x)*cos(2*pi*y)/150")
    yield "potential", "potential", [start.unpack(size * start.pack()) for size in SHRINKING]
    yield "curvature", "scalar curvature", [start.unpack(size * start.pack()) for size in SHRINKING[:3]]
    flat, bent = real.metric([[1, 0], [0, 1]]), real.metric([["1 + cos(2*pi*x)/3", 0], [0, 1]])
    yield "metric", "g_xx", [flat.unpack(flat.pack() + size * (bent.pack() - flat.pack())) for size in SHRINKING]


RUNS = {name: (quantity, Shown(States(states))) for name, quantity, states in planes()}


@pytest.mark.parametrize("run", RUNS)
def test_no_panel_of_snapshots_is_blank(run):
    quantity, shown = RUNS[run]
    axes = plot.snapshots(shown, [quantity])[0]
    assert contrast(*axes) > 60
    plt.close(axes[0].figure)


def test_a_scale_of_its_own_is_written_above_each_panel():
    quantity, shown = RUNS["mean"]
    axes = plot.snapshots(shown, [quantity])[0]
    titles = [ax.get_title() for ax in axes]
    assert titles[-1].endswith(r"$4 \pm 1.5 \times 10^{-12}$")
    for ax, state in zip(axes, shown.states):
        assert ax.collections[0].norm.vmax == pytest.approx(state.values.max(), rel=1e-12)
    assert "above" in axes[-1].collections[0].colorbar.ax.get_ylabel()


def test_one_scale_stays_where_it_shows_something_everywhere():
    u = gf.Torus(dim=2).grid(8).scalar("cos(2*pi*x)")
    axes = plot.snapshots(Shown(States([u, u / 5])))[0]
    assert [ax.collections[0].norm.vmax for ax in axes] == [1.0, 1.0]
    assert not any("pm" in ax.get_title() for ax in axes)


@pytest.mark.parametrize("text, centre, limit", [
    ("cos(2*pi*x)/2 + 1/4", 0, 0.75), ("exp(9*cos(2*pi*x) - 9)", 0, 1), ("-exp(9*cos(2*pi*x) - 9)", 0, 1),
    ("2 + cos(2*pi*x)", 2, 1), ("cos(2*pi*x) - 3", -3, 1)])
def test_zero_is_white_where_values_reach_it(text, centre, limit):
    """What has both signs, or vanishes somewhere, is red and blue by its sign; what is far from zero, by its mean."""
    u = gf.Torus(dim=2).grid(8).scalar(text)
    for ax in (plot.heatmap(u), *plot.snapshots(Shown(States([u, u])))[0]):
        norm = ax.collections[0].norm
        assert (norm.vmin, norm.vmax) == pytest.approx((centre - limit, centre + limit), rel=1e-12)


def test_a_row_of_scales_of_their_own_has_one_kind_of_centre():
    u = gf.Torus(dim=2).grid(8).scalar("cos(2*pi*x)")
    around_one = [1 + 2 * u, 1 + u / 10, 1 + u / 100]
    titles = [ax.get_title().split("\n")[1] for ax in plot.snapshots(Shown(States(around_one)))[0]]
    assert titles == [r"$1 \pm 2$", r"$1 \pm 0.1$", r"$1 \pm 0.01$"]
    around_zero = [u, 1e-5 + u / 100, u / 10_000 - 3e-17]
    titles = [ax.get_title().split("\n")[1] for ax in plot.snapshots(Shown(States(around_zero)))[0]]
    assert titles == [r"$\pm 1$", r"$\pm 0.01$", r"$\pm 10^{-4}$"]


@pytest.mark.parametrize("text, ends", [
    ("exp(9*cos(2*pi*x) - 9)", (0, 1)), ("cos(2*pi*x)/2 + 1/4", (-0.25, 0.75)), ("2 + cos(2*pi*x)", (1, 3)),
    ("3", (2, 4))])
def test_the_bar_goes_from_the_least_value_or_white_to_the_largest(text, ends):
    u = gf.Torus(dim=2).grid(8).scalar(text)
    assert plot.heatmap(u).collections[0].colorbar.ax.get_ylim() == pytest.approx(ends, abs=1e-12)
    v = gf.Torus(dim=1).grid(8).scalar(text)
    room = (ends[1] - ends[0]) / 10
    low, high = plot.heatmap(v).get_ylim()
    assert ends[0] - room < low < ends[0]
    assert ends[1] < high < ends[1] + room


@pytest.mark.parametrize("number, digits, text", [
    (1000.0, 3, "1000"), (4000, 3, "4000"), (1234.5, 3, "1230"), (12345.0, 3, r"1.23 \times 10^{4}"),
    (0.008, 3, "0.008"), (-0.00842, 3, "-0.00842"), (9.996e-4, 3, "0.001"), (1e-8, 1, "10^{-8}"),
    (2.4e-16, 1, r"2 \times 10^{-16}"),
    (1.0000123456, 9, "1.00001235"), (0.0, 3, "0")])
def test_numbers_in_tex(number, digits, text):
    assert scientific(number, digits) == text


def test_the_centre_of_a_scale_has_the_digits_of_its_limit():
    spelled = [Scale(centre, limit, 0, 0).range for centre, limit in (
        (1.0316234, 0.617), (1.0000123, 0.00842), (3.2e-5, 0.0232), (1234.6, 121.0), (1.00000004, 3e-7))]
    assert spelled == [r"$1.032 \pm 0.617$", r"$1.00001 \pm 0.00842$", r"$\pm 0.0232$",
                       r"$1235 \pm 121$", r"$1.00000004 \pm 3 \times 10^{-7}$"]


def test_nothing_is_cut_off_at_the_edges_of_snapshots():
    """Drawn once, as it is when a picture is saved: titles with exponents, and rows of one to three."""
    u = gf.Torus(dim=2).grid(8).scalar("cos(2*pi*x)")
    g = gf.Torus(dim=2).grid(8).metric([["2 + cos(2*pi*x)", 0], [0, 1]])
    runs = [(States([u, u / 2, u / 3, u / 5]), None), (States([u, u / 50, u / 300, u / 3000]), None)]
    runs += [(States([g, 2 * g, 3 * g]), ["scalar curvature", "g_xx", "g_xy"][:rows]) for rows in (1, 2, 3)]
    for states, names in runs:
        figure = plot.snapshots(Early(states), names)[0, 0].figure
        figure.canvas.draw()
        for ax in figure.axes:
            inside, edge = ax.get_tightbbox(), figure.dpi / 50
            assert inside.y0 > edge
            assert inside.y1 < figure.bbox.height - edge


def test_what_is_constant_says_so():
    u = gf.Torus(dim=2).grid(8).scalar("cos(2*pi*x)")
    axes = plot.snapshots(Shown(States([u, u, 0 * u + 3])))[0]
    assert [[text.get_text() for text in ax.texts] for ax in axes] == [[], [], ["constant"]]
    noise = u.unpack(1 + 1e-16 * u.pack())
    assert plot.heatmap(noise).texts[0].get_text().startswith("constant")


@pytest.mark.parametrize("size", SHRINKING)
def test_no_heatmap_or_curve_is_blank(size):
    u = gf.Torus(dim=2).grid(8).scalar("cos(2*pi*x)")
    assert contrast(plot.heatmap(size * u)) > 60
    v = gf.Torus(dim=1).grid(8).scalar("cos(2*pi*x)")
    height = np.ptp((ax := plot.heatmap(size * v)).lines[0].get_ydata()) / np.ptp(ax.get_ylim())
    assert height > 0.8


def test_curves_over_a_circle_fill_their_panels():
    v = gf.Torus(dim=1).grid(8).scalar("cos(2*pi*x)")
    axes = plot.snapshots(Shown(States(size * v for size in SHRINKING)))[0]
    assert [ax.lines[0].get_ydata().max() / ax.get_ylim()[1] for ax in axes] == pytest.approx([1 / 1.05] * 4)


def test_no_frame_of_a_film_is_blank(tmp_path):
    quantity, shown = RUNS["values"]
    plot.film(shown, tmp_path / "film.gif", quantity)
    with Image.open(tmp_path / "film.gif") as film:
        for frame in ImageSequence.Iterator(film):
            pixels = np.asarray(frame.convert("RGB")).astype(int)
            inside = pixels[len(pixels) // 4 : len(pixels) // 2, 100 : pixels.shape[1] // 2]
            assert np.ptp(inside, axis=(0, 1)).max() > 60


def test_no_panel_of_monitors_is_blank():
    @dataclass
    class Watched:
        monitor_times = np.linspace(0, 1, 40)
        outcome = "finished"
        monitors = {  # noqa: RUF012
            "energy": np.geomspace(1, 1e-12, 40),
            "signed": np.cos(9 * monitor_times) * np.geomspace(1, 1e-12, 40),
        }

        def __getitem__(self, name):
            return self.monitors[name]

    for ax in plot.monitors(Watched()):
        drawn = ax.transData.transform(np.column_stack(ax.lines[0].get_data()))
        assert np.ptp(drawn[:, 1]) > 0.5 * ax.get_window_extent().height


def test_panels_of_one_end_of_a_range_say_which():
    assert group(["curvature_max", "v_min", "ricci_norm_max"]) == {
        "curvature": ["curvature_max"], "v": ["v_min"], "Ricci norm": ["ricci_norm_max"]}
    u = gf.Torus(dim=1).grid(16).scalar("cos(2*pi*x)")
    sol = gf.solve(gf.Flow.from_expression("laplacian(u)"), u, t1=0.01)
    chosen = ["u_max"], ["u_min"], ["u_min", "u_max"]
    titles = [plot.monitors(sol, names)[0].get_title(loc="left") for names in chosen]
    assert titles == ["u, largest", "u, least", "u, least and largest"]


def test_titles_of_monitors_stand_on_one_line():
    """Also where an axis has a power of ten, which is written at the other end."""
    u = gf.Torus(dim=1).grid(16).scalar("cos(2*pi*x)")
    watched = {"small": lambda t, state: 1e-5 * (1 + t), "usual": lambda t, state: 1 + t}
    sol = gf.solve(gf.Flow.from_expression("laplacian(u)"), u, t1=0.01, monitors=watched)
    axes = plot.monitors(sol, ["small", "usual"])
    axes[0].figure.canvas.draw()
    assert axes[0].yaxis.get_offset_text().get_text()
    heights = [ax._left_title.get_window_extent().y0 for ax in axes]
    assert heights[0] == pytest.approx(heights[1], abs=0.5)


def lab(colours):
    """sRGB in CIELAB, by the standard's own formulas."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.4124564, 0.2126729, 0.0193339], [0.3575761, 0.7151522, 0.1191920],
                             [0.1804375, 0.0721750, 0.9503041]]) / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@pytest.mark.parametrize("colours", [style.diverging, style.sequential])
def test_equal_steps_of_the_maps_look_equal(colours):
    seen = lab(colours()(np.arange(colours().N))[:, :3])
    steps = np.linalg.norm(np.diff(seen, axis=0), axis=1)
    assert steps.max() < 1.05 * steps.min()


def test_both_sides_of_the_diverging_map_are_equally_light():
    light = lab(style.diverging()(np.arange(255))[:, :3])[:, 0]
    assert np.abs(light - light[::-1]).max() < 0.6
    assert int(np.argmax(light)) == 127


def test_the_house_is_a_style_of_matplotlib():
    with plt.style.context(style.HOUSE):
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == style.CYCLE
        assert mpl.rcParams["axes.labelcolor"] == style.INK
        assert mpl.rcParams["axes.edgecolor"] == style.MUTED


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_a_file_is_of_the_kind_that_its_name_ends_in(tmp_path):
    u = gf.Torus(dim=2).grid(8).scalar("cos(2*pi*x)")
    starts = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    for ending, start in starts.items():
        files = [plot.save(plot.heatmap(u), tmp_path / f"{name}{ending}") for name in "ab"]
        first, second = (path.read_bytes() for path in files)
        assert first.startswith(start)
        assert first == second
    assert not plt.get_fignums()
    with pytest.raises(InputError, match=r"\.svg or \.pdf, and 'a.bmp' is none"):
        plot.save(plot.heatmap(u), tmp_path / "a.bmp")
    with pytest.raises(InputError, match="a picture is what"):
        plot.save(u, tmp_path / "a.png")


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
@pytest.mark.parametrize("ending, start", [("mp4", (4, b"ftyp")), ("webm", (0, b"\x1aE\xdf\xa3"))])
def test_films_for_browsers(ending, start, tmp_path):
    plot.film(RUNS["values"][1], tmp_path / f"film.{ending}", "values")
    place, mark = start
    assert (tmp_path / f"film.{ending}").read_bytes()[place:].startswith(mark)


def test_pictures_of_run_files_may_have_endings():
    assert check_pictures(["snapshots", "monitors.pdf", "film", "film.webm"]) == [
        "snapshots.png", "monitors.pdf", "film.gif", "film.webm"]
    with pytest.raises(InputError, match=r"snapshots\.gif"):
        check_pictures(["snapshots.gif"])
    with pytest.raises(UnknownNameError, match="did you mean 'snapshots'"):
        check_pictures(["snapshot.pdf"])
