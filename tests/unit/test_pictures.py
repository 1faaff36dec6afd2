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
from geomflow.cli.run import check_pictures
from geomflow.core.errors import InputError, UnknownNameError
from geomflow.plot import style

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
