"""Grids with axes of one point, along which nothing changes."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import GridTooSmallError, InputError
from geomflow.field.interpolate import interpolate, resample
from geomflow.networks import FourierEmbedding, IndependentComponents, Perceptron

T7 = gf.Torus(dim=7)
THIN = T7.grid((12, 12) + (1,) * 5)
FLOW = gf.RicciFlow(gauge="deturck")
NETWORK = IndependentComponents(gf.Torus(2), Perceptron(2, (3,), embedding=FourierEmbedding(gf.Torus(2))))


def start(grid=THIN):
    return grid.random_metric(3, amplitude=0.2)


def test_tori_above_four_number_their_coordinates():
    assert T7.coordinates == ("x1", "x2", "x3", "x4", "x5", "x6", "x7")
    assert gf.Torus(dim=4).coordinates == ("x", "y", "z", "w")
    assert len(set(THIN.metric().component_names)) == 28
    assert len(set(gf.Torus(dim=11).grid((3,) + (1,) * 10, scheme="spectral").metric().component_names)) == 66


def test_a_thin_grid_says_what_it_resolves():
    assert THIN.resolved == (0, 1)
    assert THIN.ignorable == ("x3", "x4", "x5", "x6", "x7")
    skew = gf.Torus(3, lattice=[[1, 0, 0.2], [0, 1, 0], [0, 0, 1]])
    assert skew.grid((8, 1, 8)).ignorable == ("y",)
    assert skew.grid((8, 8, 1)).ignorable == ("z",)
    assert skew.grid((1, 8, 8)).ignorable == ()  # what is constant along (1, 0, 0.2) still depends on x and z
    assert gf.Torus(2).grid(8).ignorable == ()


def test_volume_and_points_are_those_of_the_whole_torus():
    grid = gf.Torus(5, periods=(1, 1, 2, 3, 4)).grid((8, 8, 1, 1, 1))
    assert grid.metric().volume() == pytest.approx(24)
    assert grid.scalar("cos(2*pi*x1)^2").integral() == pytest.approx(12)
    assert grid.points().shape == (8, 8, 1, 1, 1, 5)


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: THIN.scalar("cos(2*pi*x3)"), InputError,
     r"changes along x3, .* one point along it. Give axis 2 more points"),
    (lambda: THIN.metric(lambda *x: [[2 * (i == j) + (i == j == 6) * np.cos(2 * np.pi * x[6]) / 9 for i in range(7)]
                                     for j in range(7)]), InputError, r"component \(6, 6\) .* changes along x7"),
    (lambda: gf.Torus(2, lattice=[[1, 0], [0.5, 1]]).grid((8, 1)).scalar("cos(2*pi*y)"), InputError,
     r"changes along the lattice vector \(0.5, 1\)"),
    (lambda: gf.Torus(2).grid((1, 1)), GridTooSmallError, r"axis 0 \(x\) has 1 points"),
    (lambda: gf.Torus(2).grid((8, 2)), GridTooSmallError, "or one along axes that nothing depends on"),
    (lambda: gf.solve(gf.Flow.from_expression("laplacian(u) + cos(2*pi*x3)"), THIN.scalar(0), t1=1), InputError,
     "changes along x3"),
    (lambda: NETWORK.on(gf.Torus(2).grid((8, 1))), InputError, "depends on all coordinates, and there is one point"),
    (lambda: gf.GaussianKernel(0.2).wrapped(gf.Torus(2)).on(gf.Torus(2).grid((8, 1))), InputError,
     "give all axes points"),
])
def test_what_thin_grids_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_stored_run_goes_on_to_the_same_bits(tmp_path):
    whole = gf.solve(FLOW, start(), t1=1e-3, store=tmp_path / "whole", save_at=2)
    gf.solve(FLOW, start(), t1=5e-4, store=tmp_path / "run", save_at=1)
    gone_on = gf.solve(FLOW, start(), t1=1e-3, store=tmp_path / "run", save_at=2, resume=True)
    assert np.array_equal(gone_on.last.values, whole.last.values)
    assert gf.load(tmp_path / "run").last.grid == THIN


def test_monitors_and_positivity_are_those_of_all_seven_dimensions():
    metric = start()
    problem, density = FLOW.bind(metric), np.sqrt(np.linalg.det(metric.values))
    found = problem.observe(0.0, problem.y0)
    assert found["volume"] == pytest.approx(density.mean(), rel=1e-13)
    assert found["density_min"] == pytest.approx(density.min(), rel=1e-12)
    assert metric.volume() == pytest.approx(density.mean(), rel=1e-13)
    curvature = np.einsum("...ij,...ij", np.linalg.inv(metric.values), metric.ricci().values)
    assert found["curvature_max"] == pytest.approx(curvature.max(), rel=1e-10)
    minors = min(np.linalg.det(metric.values[..., :k, :k]).min() for k in range(1, 8))
    assert problem.positivity(0.0, problem.y0) == pytest.approx(minors, rel=1e-12)
    lost = problem.y0.copy()
    lost[18, 5, 7] = -0.5  # g_x4x4 in packed order
    assert metric.component_names[18] == "g_x4x4"
    assert problem.check(0.0, lost).place[:2] == (5, 7)


def test_metrics_that_are_not_positive_are_refused():
    values = start().values * np.where(np.eye(7)[3][:, None] * np.eye(7)[3], -1, 1)
    with pytest.raises(InputError, match="not positive"):
        THIN.metric(values)


@pytest.mark.parametrize("how", [{"order": 4}, {"scheme": "spectral"}], ids=str)
def test_interpolation_between_points(how):
    grid = T7.grid((24, 20) + (1,) * 5, **how)
    field = grid.scalar("cos(2*pi*x1)*sin(2*pi*x2)")
    points = np.random.default_rng(0).random((20, 7))
    exact = np.cos(2 * np.pi * points[:, 0]) * np.sin(2 * np.pi * points[:, 1])
    assert np.abs(interpolate(field, points) - exact).max() < (1e-12 if grid.is_spectral else 2e-5)
    fine = resample(start(T7.grid((9, 9) + (1,) * 5, scheme="spectral")), THIN)
    assert fine.max_distance(start(THIN)) < 1e-12


def test_pictures_are_over_the_axes_with_points():
    ax = gf.plot.heatmap(start(), "g_x1x3")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_{1}$", "$x_{2}$")
    assert " at " not in ax.get_title(loc="left")
    across = gf.Torus(3).grid((8, 1, 9)).scalar("cos(2*pi*x)*sin(2*pi*z)")
    ax = gf.plot.heatmap(across)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$z$")
    curve = gf.plot.heatmap(gf.Torus(5).grid((1, 1, 9, 1, 1)).scalar("cos(2*pi*x3)"))
    assert curve.get_xlabel() == "$x_{3}$"
    assert len(curve.lines[0].get_xdata()) == 10


def test_a_run_file_has_such_a_grid(tmp_path):
    from geomflow.cli import main

    text = '''[geometry]
type = "torus"
dim = 5
[grid]
n = [8, 8, 1, 1, 1]
[state]
metric = [["1 + cos(2*pi*x1)/9", 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, "sin(2*pi*x2)/9"], [0, 0, 0, 1, 0],
            [0, 0, "sin(2*pi*x2)/9", 0, 1]]
[flow]
name = "expression"
gauge = "deturck"
rate = "-2*Ric"
[solve]
t1 = 1e-4
'''
    (tmp_path / "run.toml").write_text(text)
    assert main(["run", str(tmp_path / "run.toml"), "--out", str(tmp_path / "out")]) == 0


@pytest.mark.parametrize(("shape", "drawn"), [((8, 1, 9), "surface-canvas"), ((8, 1, 1), "Film")])
def test_a_report_shows_a_surface_over_two_axes(tmp_path, shape, drawn):
    from geomflow.cli import main

    state = gf.Torus(3).grid(shape).random_metric(1)
    gf.solve(FLOW, state, t1=1e-4, save_at=3, store=tmp_path / "run")
    assert main(["show", str(tmp_path / "run"), "--html", str(tmp_path / "page.html")]) == 0
    assert drawn in (tmp_path / "page.html").read_text()


def test_vtk_files_of_two_axes(tmp_path):
    pytest.importorskip("pyevtk")
    assert gf.export.vtk(start(), tmp_path / "metric").exists()
