"""Grids: points, derivatives of single arrays, the factors of discrete derivatives."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from fields import grid_of

from geomflow.core.errors import GridTooSmallError, InputError, MemoryLimitError, ShapeError, UnknownNameError
from geomflow.field import ComplexTorus, Torus

HEXAGONAL = ComplexTorus(1, modulus=0.5 + 1j * np.sqrt(3) / 2)


def test_points_of_a_rectangular_grid():
    grid = Torus(2, periods=(1, 3)).grid((5, 6))
    points = grid.points()
    assert points.shape == (5, 6, 2)
    assert points[2, 3] == pytest.approx((2 / 5, 3 * 3 / 6))
    assert grid.spacing == pytest.approx((0.2, 0.5))


def test_points_of_a_lattice_grid():
    rows = np.array(HEXAGONAL.lattice)
    points = HEXAGONAL.grid(6).points()
    assert points[1, 4] == pytest.approx(rows[0] / 6 + 4 * rows[1] / 6)


def test_coordinates_broadcast_to_the_grid():
    grid = ComplexTorus(2).grid((5, 6, 7, 8))
    stacked = np.stack(np.broadcast_arrays(*grid.coordinates()), axis=-1)
    assert np.array_equal(stacked, grid.points())


def test_grids_print_as_sentences():
    assert repr(Torus(2).grid((8, 9))).startswith("a grid of 8 × 9 points with stencils of order 4 on the torus")
    assert "spectral derivatives" in repr(Torus(2).grid(8, scheme="spectral"))


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: Torus(2).grid((9, 4)), GridTooSmallError, r"axis 1 \(y\) has 4 points.*order 4 reach over 5"),
        (lambda: Torus(1).grid(8, order=8), GridTooSmallError, "use at least 9 points"),
        (lambda: Torus(1).grid(2, scheme="spectral"), GridTooSmallError, "Fourier derivatives need 3"),
        (lambda: Torus(2).grid((9, 9, 9)), ShapeError, "3 numbers of points were given for 2 axes"),
        (lambda: Torus(2).grid(0), InputError, "positive integers, and 0"),
        (lambda: Torus(2).grid(10.5), InputError, "positive integers, and 10.5"),
        (lambda: Torus(2).grid(9, order=3), UnknownNameError, "unknown order of accuracy '3'"),
        (lambda: Torus(2).grid(9, scheme="spektral"), UnknownNameError, "did you mean 'spectral'"),
        (lambda: Torus(2).grid(9, order="spectral"), InputError, 'write scheme = "spectral"'),
        (lambda: Torus(2).grid(9, order=4, scheme="spectral"), InputError, "has no order, and order = 4"),
        (lambda: Torus(4).grid(2000), MemoryLimitError, "128 TB.*smaller grid"),
    ],
)
def test_what_grids_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_derivative_refuses_other_shapes():
    grid = Torus(2).grid(9)
    with pytest.raises(ShapeError, match=r"shape \(3,\) was given on a grid of shape \(9, 9\)"):
        grid.derivative(np.zeros(3), (1, 0))
    with pytest.raises(ShapeError, match="2 counts"):
        grid.derivative(np.zeros((9, 9)), (1,))


@pytest.mark.parametrize("n", [15, 16])
@pytest.mark.parametrize("torus", [Torus(2, periods=(1, 2)), HEXAGONAL, Torus(2, lattice=[[1, 0], [1, 1]])])
def test_fourier_derivatives_are_exact_below_the_nyquist_mode(torus, n):
    grid = torus.grid(n, scheme="spectral")
    rows = np.array(torus.lattice)
    k = 2 * np.pi * np.linalg.inv(rows) @ np.array([3, -2])
    angle = grid.points() @ k
    for index in product(range(4), repeat=2):
        exact = np.real((1j * k[0]) ** index[0] * (1j * k[1]) ** index[1] * np.exp(1j * angle))
        size = max(1.0, abs(k[0]) ** index[0] * abs(k[1]) ** index[1])
        assert np.max(np.abs(grid.derivative(np.cos(angle), index) - exact)) < 1e-11 * size


def test_the_even_nyquist_mode_has_even_derivatives_only():
    grid = Torus(1).grid(8, scheme="spectral")
    zigzag = (-1.0) ** np.arange(8)
    assert np.array_equal(grid.derivative(zigzag, (1,)), np.zeros(8))
    assert grid.derivative(zigzag, (2,)) == pytest.approx(-((8 * np.pi) ** 2) * zigzag)


@pytest.mark.parametrize("order", [2, 4, 6, 8])
@pytest.mark.parametrize("times", [1, 2])
def test_stencils_are_exact_on_polynomials_of_their_degree(order, times):
    """Away from the seam, where a polynomial jumps: a centred stencil of order p is exact on x^(p + times − 1)."""
    n = 2 * order + 6
    grid = Torus(1, periods=n).grid(n, order=order)
    x = np.arange(n) - n // 2
    inside = slice(order, -order)
    for degree in range(order + times):
        exact = np.polynomial.Polynomial.basis(degree).deriv(times)(x.astype(float))
        found = grid.derivative(x.astype(float) ** degree, (times,))
        scale = float(np.max(np.abs(x)) ** degree)
        assert np.max(np.abs(found - exact)[inside]) < 1e-13 * scale


@pytest.mark.parametrize("order", [2, 8, "spectral"])
@pytest.mark.parametrize("torus", [Torus(2, periods=(1, 2)), HEXAGONAL])
@pytest.mark.parametrize("index", [(1, 0), (0, 2), (1, 1), (2, 2)])
def test_derivative_symbol_is_the_derivative_in_fourier_space(order, torus, index):
    grid = grid_of(torus, (12, 11), order)
    values = np.random.default_rng(1).standard_normal(grid.shape)
    by_symbol = np.fft.irfftn(grid.derivative_symbol(index) * np.fft.rfftn(values), s=grid.shape, axes=(0, 1))
    direct = grid.derivative(values, index)
    assert np.max(np.abs(by_symbol - direct)) < 1e-12 * np.max(np.abs(direct))


@pytest.mark.parametrize("order", [2, "spectral"])
def test_laplacian_symbol(order):
    grid = grid_of(HEXAGONAL, 10, order)
    symbol = grid.laplacian_symbol()
    assert symbol.shape == (10, 6)
    assert symbol[0, 0] == 0
    assert np.all(symbol.reshape(-1)[1:] < 0)


def test_several_derivatives_at_once_agree_with_single_ones():
    grid = Torus(3).grid(9, order=4)
    values = np.random.default_rng(2).standard_normal(grid.shape)
    indices = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 2), (0, 0, 2)]
    together = grid.derivatives(values, indices)
    assert all(np.array_equal(together[index], grid.derivative(values, index)) for index in indices)
