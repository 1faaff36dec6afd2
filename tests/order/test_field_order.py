"""Convergence of curvature on grids: stencils of order p give errors that fall like h^p, in the maximum norm."""

from __future__ import annotations

import numpy as np
import pytest
from fields import exact_kahler, exact_metric, grid_of, on_grid

from geomflow.field import ComplexTorus, Torus

SURFACE = [["1 + cos(2*pi*y)/10", "sin(2*pi*x)/20"], ["sin(2*pi*x)/20", "1 + sin(2*pi*x)/10"]]
SPACE = [
    ["1 + cos(2*pi*y)/10", "0", "0"],
    ["0", "1 + sin(2*pi*z)/10", "cos(2*pi*x)/20"],
    ["0", "cos(2*pi*x)/20", "1 + cos(2*pi*y)/10"],
]
POTENTIAL = "cos(2*pi*x)/1200 + sin(2*pi*y)/1500"
SLANTED = Torus(2, lattice=[[1.0, 0.0], [0.5, 1.0]])
ON_SLANTED = [["1 + cos(2*pi*y)/10", "sin(2*pi*(x - y/2))/20"], ["sin(2*pi*(x - y/2))/20", "1 + cos(2*pi*y)/10"]]


def slope(sizes, errors):
    """The exponent p of error ≈ C n^(−p), by least squares in logarithms."""
    return -np.polyfit(np.log(sizes), np.log(errors), 1)[0]


def curvature_error(torus, components, n, order):
    """max |R − R_exact| over the grid."""
    grid = grid_of(torus, n, order)
    exact = on_grid(grid, exact_metric(torus, components).scalar)
    return np.max(np.abs(grid.metric(components).scalar().values - exact))


def fitted(error, sizes):
    """The slope of `error(n)`; sizes are fine enough for the leading term and coarse enough for rounding at order 8."""
    return slope(sizes, [error(n) for n in sizes])


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_scalar_curvature_on_a_surface(order):
    found = fitted(lambda n: curvature_error(Torus(2), SURFACE, n, order), (16, 24, 32))
    assert found == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("order", [2, 8])
def test_scalar_curvature_on_a_slanted_lattice(order):
    found = fitted(lambda n: curvature_error(SLANTED, ON_SLANTED, n, order), (16, 24, 32))
    assert found == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("order", [4, 8])
def test_ricci_curvature_in_space(order):
    def error(n):
        grid = Torus(3).grid(n, order=order)
        exact = exact_metric(grid.torus, SPACE).ricci[1, 2]
        return np.max(np.abs(grid.metric(SPACE).ricci().values[..., 1, 2] - on_grid(grid, exact)))

    assert fitted(error, (16, 20, 24)) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_kahler_scalar_curvature(order):
    def error(n):
        grid = ComplexTorus(1).grid(n, order=order)
        exact = on_grid(grid, exact_kahler(grid.torus, POTENTIAL).scalar)
        return np.max(np.abs(grid.potential(POTENTIAL).scalar().values - exact))

    assert fitted(error, (24, 28, 32)) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("order", [2, 4, 6, 8])
@pytest.mark.parametrize("index", [(1, 0), (0, 2), (1, 1), (2, 2)])
def test_derivatives(order, index):
    def error(n):
        grid = Torus(2).grid(n, order=order)
        u = grid.scalar("sin(2*pi*x)*cos(2*pi*y) + cos(2*pi*(x+y))")
        exact = Torus(2).grid(n, scheme="spectral").derivative(u.values, index)
        return np.max(np.abs(grid.derivative(u.values, index) - exact))

    assert fitted(error, (16, 24, 32)) == pytest.approx(order, abs=0.15)


def test_fourier_derivatives_converge_faster_than_any_power():
    components = [["exp(cos(2*pi*y)/3)", "0"], ["0", "exp(sin(2*pi*x)/3)"]]
    errors = [curvature_error(Torus(2), components, n, "spectral") for n in (6, 10, 14)]
    assert errors[1] < 1e-2 * errors[0]
    assert errors[2] < 1e-2 * errors[1]
