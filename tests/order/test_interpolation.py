"""Interpolation is exact for resolved modes on spectral grids and of order p + 2 on stencils of order p; eigenvalues of
the Laplacian converge spectrally, or with the order of the stencils."""

import numpy as np
import pytest
from fields import grid_of

import geomflow as gf
from geomflow.field.interpolate import Interpolation, interpolate, resample
from geomflow.field.spectra import laplacian_spectrum
from geomflow.flow.diffeomorphism import TorusMap

SLANTED = gf.Torus(dim=2, lattice=[[1.0, 0.2], [0.3, 1.5]])
SURFACE = [["1 + 0.2*cos(2*pi*x)*sin(2*pi*y)", "0.1*sin(2*pi*x)"], ["0.1*sin(2*pi*x)", "1 + 0.1*cos(2*pi*(x + y))"]]


def points(dim, count=200):
    return np.random.default_rng(3).uniform(-2, 3, (count, dim))


@pytest.mark.parametrize(("torus", "shape"), [
    (gf.Torus(dim=1), (9,)), (gf.Torus(dim=2), (8, 7)), (gf.Torus(dim=3, periods=[1, 2, 3]), (6, 7, 8)),
    (gf.Torus(dim=4), (5, 6, 5, 6)),
])
def test_resolved_modes_are_exact_anywhere(torus, shape):
    grid, rng = torus.grid(shape, scheme="spectral"), np.random.default_rng(1)
    where = points(torus.dim)
    for _ in range(5):
        numbers = np.array([rng.integers(-((n - 1) // 2), (n - 1) // 2 + 1) for n in shape])
        k, shift = 2 * np.pi * numbers / np.array(torus.periods), rng.uniform(0, 7)
        mode = np.cos(grid.points() @ k + shift)
        assert np.abs(Interpolation.to(grid, where)(mode) - np.cos(where @ k + shift)).max() < 1e-12


@pytest.mark.parametrize("shape", [(8, 11), (9, 6)])
def test_a_slanted_lattice(shape):
    """Fields with few modes go to a finer grid and back to rounding, and the finer ones are the same functions."""
    grid = SLANTED.grid(shape, scheme="spectral")
    fine = SLANTED.grid((16, 21), scheme="spectral")
    f, g = grid.random_scalar(1, 0.3, 2), grid.random_metric(2, 0.3, 2)
    assert resample(f, fine).max_distance(fine.random_scalar(1, 0.3, 2)) < 1e-13
    assert resample(resample(g, fine), grid).max_distance(g) < 1e-13


@pytest.mark.parametrize("order", [2, 4, 6, 8, "spectral"])
def test_grid_points_and_periods(order):
    """The interpolant goes through the samples, and points a period apart have one value."""
    grid = grid_of(SLANTED, (12, 13), order)
    values = np.random.default_rng(0).standard_normal((*grid.shape, 2, 3))
    shifted = grid.points() + np.array(SLANTED.lattice[0]) - 2 * np.array(SLANTED.lattice[1])
    for where in (grid.points(), shifted):
        np.testing.assert_allclose(Interpolation.to(grid, where)(values), values, atol=1e-11)


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_the_order_between_stencil_points(order):
    where, sizes = points(2, 2000), (32, 64)
    exact = np.exp(np.sin(2 * np.pi * where[:, 0]) / 2 + np.cos(2 * np.pi * where[:, 1]) / 3)
    text = "exp(sin(2*pi*x)/2 + cos(2*pi*y)/3)"
    fields = [gf.Torus(dim=2).grid(n, order=order).scalar(text) for n in sizes]
    errors = [np.abs(interpolate(f, where) - exact).max() for f in fields]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order + 2, abs=0.5)


def test_curvature_of_what_was_pulled_back_keeps_the_order():
    """ψ*g has R∘ψ: two derivatives of interpolated numbers, still of the order of the stencils."""
    errors = []
    for n in (32, 64):
        grid = gf.Torus(dim=2).grid(n, order=4)
        psi = TorusMap(grid, np.stack([grid.scalar("sin(2*pi*y)/20").values, grid.scalar("cos(2*pi*x)/25").values], -1))
        fine = gf.Torus(dim=2).grid(48, scheme="spectral").metric(SURFACE).scalar()
        exact = Interpolation.to(fine.grid, psi.images())(fine.values)
        errors.append(np.abs(psi.pull_back(grid.metric(SURFACE)).scalar().values - exact).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.5)


@pytest.mark.parametrize("n", [8, 9])
@pytest.mark.parametrize("torus", [gf.Torus(dim=1), SLANTED, gf.Torus(dim=3, periods=[1, 1, 2])])
def test_eigenvalues_of_flat_tori(torus, n):
    """|k|² for k in the dual lattice, with multiplicity, and nothing from the Nyquist modes of even grids."""
    count = 4 if torus.dim == 1 else 9
    basis = 2 * np.pi * np.linalg.inv(np.array(torus.lattice)).T
    waves = np.stack(np.meshgrid(*[np.arange(-3, 4)] * torus.dim, indexing="ij"), -1).reshape(-1, torus.dim) @ basis
    exact = np.sort((waves**2).sum(axis=1))[:count]
    found = laplacian_spectrum(torus.grid(n, scheme="spectral").metric(), count)
    np.testing.assert_allclose(found, exact, rtol=1e-10, atol=1e-9)


def test_eigenvalues_on_a_circle_know_its_length_only():
    grid = gf.Torus(dim=1).grid(48, scheme="spectral")
    metric = grid.metric([["(1 + cos(2*pi*x)/3)^2"]])
    k = 2 * np.pi
    np.testing.assert_allclose(laplacian_spectrum(metric, 5), [0, k**2, k**2, 4 * k**2, 4 * k**2], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("order", [2, 4, 8])
def test_eigenvalues_by_stencils(order):
    exact = laplacian_spectrum(gf.Torus(dim=2).grid(24, scheme="spectral").metric(SURFACE), 8)
    errors = [np.abs(laplacian_spectrum(gf.Torus(dim=2).grid(n, order=order).metric(SURFACE), 8) - exact).max()
              for n in (16, 32)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.5)


def test_eigenvalues_converge_spectrally():
    found = [laplacian_spectrum(gf.Torus(dim=2).grid(n, scheme="spectral").metric(SURFACE), 6) for n in (8, 12, 16, 24)]
    errors = [np.abs(values - found[-1]).max() for values in found[:-1]]
    assert errors[0] < 1e-4
    assert errors[1] < 0.03 * errors[0]
    assert errors[2] < 1e-8
