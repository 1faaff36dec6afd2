"""Kernels against closed forms and against arithmetic of fifty digits."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from numba import njit

from geomflow import kernels as gk
from geomflow.core.memory import LINE
from geomflow.field import ComplexTorus, Torus
from geomflow.kernels.tile_rows import arc_square, exp2
from geomflow.kernels.tiles import TiledGaussian

HEXAGONAL = [[1, 0], [0.5, 3**0.5 / 2]]
SKEW = [[1, 0, 0], [0.3, 1.2, 0], [0.1, -0.4, 0.9]]
TORI = [Torus(dim=1), Torus(dim=2), Torus(dim=2, lattice=HEXAGONAL), Torus(dim=3, lattice=SKEW), Torus(dim=3)]
NAMES = ["circle", "square", "hexagonal", "skew", "cube"]


def pairs(separations, dim=5, seed=0):
    """Points p, q at the given distances, up to a phase and a length of each."""
    rng = np.random.default_rng(seed)
    p, r = (rng.standard_normal((len(separations), dim)) + 1j * rng.standard_normal((len(separations), dim))
            for _ in range(2))
    p /= np.linalg.norm(p, axis=1)[:, None]
    r -= np.sum(r * p.conj(), axis=1)[:, None] * p
    r /= np.linalg.norm(r, axis=1)[:, None]
    d = np.asarray(separations)[:, None]
    return p, (np.cos(d) * p + np.sin(d) * r) * np.exp(0.7j) * 3.0


def exact_distance(p, q):
    """The Fubini–Study distance of two float vectors, to fifty digits."""
    with mp.workdps(50):
        p, q = ([mp.mpc(z) for z in v] for v in (p, q))
        overlap = abs(sum(a * mp.conj(b) for a, b in zip(p, q))) ** 2
        norms = sum(abs(a) ** 2 for a in p) * sum(abs(b) ** 2 for b in q)
        return mp.asin(mp.sqrt(max(1 - overlap / norms, mp.mpf(0))))


@njit
def of_all(function, x, out):
    for k in range(x.size):
        out[k] = function(x[k])


powers = njit(lambda z: exp2(z))
arcs = njit(lambda w: arc_square(w))


@pytest.mark.parametrize("dtype, allowed", [(np.float64, 8e-16), (np.float32, 3e-7)])
@pytest.mark.parametrize("name", ["power", "arc"])
def test_polynomials_in_place_of_functions(name, dtype, allowed):
    x = np.linspace(-120, 3, 3001).astype(dtype) if name == "power" else np.linspace(0, 1, 3001).astype(dtype)[1:]
    found = np.empty_like(x)
    of_all(powers if name == "power" else arcs, x, found)
    with mp.workdps(30):
        exact = [mp.mpf(2) ** float(z) if name == "power" else mp.acos(1 - mp.mpf(float(z))) ** 2 for z in x]
        assert max(abs(float(mp.mpf(float(f)) / e - 1)) for f, e in zip(found, exact)) < allowed


def test_powers_of_two_are_exact_and_those_out_of_range_are_least():
    x, found = np.array([0.0, -1.0, -7.0, 3.0, -1020.0, -1e4, -np.inf]), np.empty(7)
    of_all(powers, x, found)
    assert np.array_equal(found, [1, 0.5, 2.0**-7, 8, *[2.0**-1020] * 3])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_tiles_start_on_a_cache_line(dtype):
    tiles = TiledGaussian(0, 5, 0.3, dtype=dtype)._pack(np.ones((700, 10)))
    assert all(tile.ctypes.data % LINE == 0 for tile in tiles)


RIGHT = np.pi / 2
SEPARATIONS = [1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 0.03, 0.3, 0.31, 0.4, 1.0, 1.5, RIGHT - 1e-6, RIGHT - 1e-12, RIGHT]


def test_distances_near_zero_and_near_a_right_angle():
    p, q = pairs(SEPARATIONS)
    exact = [exact_distance(a, b) for a, b in zip(p, q)]
    geodesic, chordal = np.diag(gk.geodesic_distance(p, q)), np.diag(gk.chordal_distance(p, q))
    for d, e, found, chord in zip(SEPARATIONS, exact, geodesic, chordal):
        allowed = 1e-15 + 1e-14 * d  # a rounding of the coordinates moves the points by 1e-16
        assert abs(float(mp.mpf(float(found)) - e)) < allowed
        assert abs(float(mp.mpf(float(chord)) - mp.sin(e))) < allowed


def test_distance_of_a_point_to_itself():
    p, _ = pairs([1.0] * 200)
    assert np.diag(gk.geodesic_distance(p, p)).max() < 1e-15
    assert np.array_equal(np.diag(gk.FubiniStudyGaussian(0.01).matrix(p)), np.ones(200))


@pytest.mark.parametrize("scale", [1e-3, 0.02, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("geodesic", [False, True])
@pytest.mark.filterwarnings("ignore::geomflow.kernels.IndefiniteKernelWarning")
def test_kernels_to_twelve_digits(scale, geodesic):
    """Relative to the kernel where it is above 1e-16 of its peak; the distance itself is known to rounding only."""
    p, q = pairs([*SEPARATIONS, scale, 2 * scale / 3, 3 * scale])
    kernel = (gk.FubiniStudyGeodesicGaussian if geodesic else gk.FubiniStudyGaussian)(scale)
    found = np.diag(kernel.matrix(p, q))
    applied = kernel.apply(p, q, np.eye(len(p)))
    for a, b, value in zip(p, q, found):
        with mp.workdps(50):
            d = exact_distance(a, b)
            exact = mp.exp(-(d if geodesic else mp.sin(d)) ** 2 / (2 * mp.mpf(scale) ** 2))
        if exact > 1e-16:
            assert abs(float(value / exact) - 1) < 1e-12
    assert np.array_equal(np.diag(applied), found)


@pytest.mark.parametrize("torus", TORI, ids=NAMES)
@pytest.mark.parametrize("scale", [0.25, 0.3, 0.45, 1.0])
def test_wrapped_gaussian_is_the_transform_of_its_symbol(torus, scale):
    grid = torus.grid(16 if torus.real_dim < 3 else 14)
    kernel = gk.WrappedGaussianKernel(scale, torus)
    points = grid.points().reshape(grid.size, -1)
    spike = np.zeros(grid.shape)
    spike.flat[0] = grid.size / torus.cell_volume
    column = kernel.on(grid)(spike).ravel()
    assert np.abs(kernel.matrix(points[:1], points)[0] - column).max() < 4e-15 * column.max()


@pytest.mark.parametrize("torus", TORI[:4], ids=NAMES[:4])
@pytest.mark.parametrize("scale", [0.02, 0.1, 0.33, 0.8])
def test_wrapped_gaussian_is_the_sum_over_images(torus, scale):
    """Image sums by brute force, relative to machine precision even where the kernel is small."""
    rng = np.random.default_rng(0)
    x, rows = rng.standard_normal((6, torus.real_dim)), np.array(torus.lattice)
    reach = 9 if torus.real_dim < 3 else 7
    counts = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * torus.real_dim), -1).reshape(-1, torus.real_dim)
    delta = x[:, None] - x[None]
    delta -= np.rint(delta @ np.linalg.inv(rows)) @ rows
    squares = np.sum((delta[:, :, None] + counts @ rows) ** 2, axis=-1)
    exact = np.exp(-squares / (2 * scale**2)).sum(axis=-1) * (2 * np.pi * scale**2) ** (-torus.real_dim / 2)
    found = gk.WrappedGaussianKernel(scale, torus).matrix(x)
    rounding = 1 + squares.min(axis=-1) / scale**2  # of the exponent
    seen = exact > 1e-250
    assert np.max((np.abs(found / np.where(seen, exact, 1) - 1) / rounding)[seen]) < 1e-14


def test_wrapped_gaussian_on_six_dimensions():
    torus = ComplexTorus(dim=3)
    x = np.random.default_rng(0).random((5, 6))
    single = gk.WrappedGaussianKernel(0.3, Torus(dim=1))
    expected = np.prod([single.matrix(x[:, a : a + 1]) for a in range(6)], axis=0)
    assert np.allclose(gk.WrappedGaussianKernel(0.3, torus).matrix(x), expected, rtol=1e-14)


@pytest.mark.parametrize("mode", [(1, 0), (2, -1), (3, 4)])
def test_modes_decay_by_the_symbol(mode):
    """K cos k·x = exp(−s²|k|²/2) cos k·x on a hexagonal lattice, k = 2π Λ^{-1} m."""
    torus = Torus(dim=2, lattice=HEXAGONAL)
    grid, scale = torus.grid(20), 0.13
    k = 2 * np.pi * np.linalg.inv(np.array(HEXAGONAL)) @ np.array(mode)
    wave = np.cos(grid.points() @ k)
    assert np.allclose(gk.GaussianKernel(scale).on(grid)(wave), np.exp(-0.5 * scale**2 * k @ k) * wave, atol=1e-14)


def test_gaussian_has_unit_integral_and_its_semigroup():
    axis = np.arange(-40, 41) * 0.15
    x = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    narrow, wide, origin = gk.GaussianKernel(0.3), gk.GaussianKernel(0.5), np.zeros((1, 2))
    assert narrow.matrix(origin, x).sum() * 0.15**2 == pytest.approx(1, rel=1e-13)
    middle = x[np.abs(x).max(axis=1) < 0.5]
    smoothed = narrow.apply(middle, x, wide.matrix(x, origin)) * 0.15**2
    assert np.allclose(smoothed, gk.GaussianKernel(np.hypot(0.3, 0.5)).matrix(middle, origin), rtol=1e-12)


def test_rescaling_by_a_reference_metric_tends_to_its_delta():
    """∫ K̃ f √|g| d^dx' → f as s → 0, with an error of s²: Halverson and Ruehle, eqs. (2.25)–(2.29)."""
    grid = Torus(dim=2).grid(64)
    metric = grid.metric([["1 + cos(2*pi*y)/3", "0"], ["0", "2"]])
    f = grid.scalar("sin(2*pi*x) + cos(2*pi*y)").values
    root = np.sqrt(np.linalg.det(metric.values))
    errors = []
    for scale in (0.04, 0.02):
        errors.append(np.abs(gk.reference_rescaled(gk.GaussianKernel(scale), metric).on(grid)(root * f) - f).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.05)


def test_numbers_of_a_known_spectrum():
    assert gk.participation_ratio(np.ones(7)) == 7
    assert gk.effective_dimension(np.array([1.0, 1.0, 3.0]), 1.0) == 1.75
    grid = Torus(dim=2, lattice=HEXAGONAL).grid((7, 10))
    operator = gk.GaussianKernel(0.2).on(grid)
    assert np.allclose(gk.operator_eigenvalues(operator), np.linalg.eigvalsh(operator.dense())[::-1], atol=1e-14)
    wave = np.cos(2 * np.pi * grid.points()[..., 0] - 2 * np.pi * grid.points()[..., 1] / 3**0.5)
    decay = np.exp(-0.5 * 0.04 * (2 * np.pi) ** 2 * 4 / 3)
    assert gk.operator_alignment(operator, wave) == pytest.approx(decay, rel=1e-12)
