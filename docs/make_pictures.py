"""Draw the pictures of the README, the first page and a spectrum: python docs/make_pictures.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import numpy as np

import geomflow as gf
from geomflow.cli.document import read_document
from geomflow.cli.run import Prepared
from geomflow.cli.schema import RunFile
from geomflow.plot.style import diverging

HERE = Path(__file__).parent
RUN_FILE = HERE.parent / "examples" / "kahler" / "calabi_flow_torus.toml"
FILM = HERE / "_static" / "flow.webp"
ROUGH = "(cos(2*pi*x)*cos(2*pi*y)*9 + sin(4*pi*x + 2*pi*y)*2 + cos(2*pi*x - 4*pi*y)*2 + sin(6*pi*x)*cos(4*pi*y))/2600"
FRAMES = 28


def snapshots(path: Path) -> None:
    """Make the run of the file and write the snapshots of its curvature and potential."""
    sol = Prepared.of(read_document(RUN_FILE, RunFile)).solve()
    figure = gf.plot.snapshots(sol)[0, 0].figure
    figure.savefig(path, dpi=110)


def film(path: Path) -> None:
    """Write the film of a Calabi flow: the scalar curvature of a torus as a surface that evens out."""
    torus = gf.ComplexTorus(dim=1)
    times = np.concatenate([[0.0], np.geomspace(1e-6, 1.5e-3, FRAMES - 1)])
    sol = gf.solve(gf.CalabiFlow(), torus.grid(40).potential(ROUGH), t1=times[-1], save_at=times)
    first, *rest = surfaces([state.scalar().values for state in sol.states])
    lasts = [1000] + [90] * (len(rest) - 1) + [1400]
    first.save(path, save_all=True, append_images=rest, duration=lasts, loop=0, quality=75, method=4)


def levels(path: Path) -> None:
    """Write the spectrum of the Fermat quintic: a minute of two cores."""
    quintic = gf.Fermat(5)
    points = quintic.sample(4000, seed=1)
    found = gf.spectrum(gf.algebraic_metric(quintic, 10, points), points[:2000], 6, count=136)
    gf.plot.spectrum(found).figure.savefig(path, dpi=110)


def surfaces(values: list[np.ndarray]) -> Iterator[Any]:
    """Each array over the unit square as a surface, on no ground, by one scale of heights and colours."""
    import matplotlib.pyplot as plt
    from PIL import Image

    most = max(float(np.abs(each).max()) for each in values)
    x, y = np.meshgrid(np.linspace(0, 1, len(values[0]) + 1), np.linspace(0, 1, len(values[0]) + 1), indexing="ij")
    figure = plt.figure(figsize=(5.2, 3.0), dpi=200)
    ax = figure.add_axes((-0.18, -0.42, 1.36, 1.72), projection="3d")
    for number, each in enumerate(values):
        ax.clear()
        ax.set_axis_off()
        ax.view_init(elev=34, azim=-60 + 20 * number / len(values))
        ax.set(zlim=(-most, most), box_aspect=(1, 1, 0.42))
        height = np.pad(each, (0, 1), mode="wrap")
        colours = diverging()(0.5 + 0.5 * np.arcsinh(6 * height / most) / np.arcsinh(6.0))
        east, north = np.gradient(height / most, 1 / len(each))
        colours[..., :3] *= np.clip(0.9 + (0.05 * east - 0.03 * north), 0.6, 1)[..., None]
        ax.plot_surface(x, y, height, facecolors=colours, shade=False, rcount=99, ccount=99, linewidth=0,
                        antialiased=False)
        figure.patch.set_alpha(0)
        ax.patch.set_alpha(0)
        figure.canvas.draw()
        yield Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).resize((520, 300), Image.Resampling.LANCZOS)
    plt.close(figure)


if __name__ == "__main__":
    snapshots(HERE / "_static" / "calabi_flow_torus.png")
    film(FILM)
    levels(HERE / "_static" / "quintic_spectrum.png")
