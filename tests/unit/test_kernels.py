"""Kernels on points and on grids: what they accept, what they return, what they refuse."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from geomflow import kernels as gk
from geomflow.core import memory
from geomflow.core.errors import (
    InputError,
    MemoryLimitError,
    NotFiniteError,
    PositivityError,
    ShapeError,
    SymmetryError,
    UnknownNameError,
)
from geomflow.field import Torus
from geomflow.kernels import operators

HEXAGONAL = [[1, 0], [0.5, 3**0.5 / 2]]


def real(count, dim=3, seed=0):
    return np.random.default_rng(seed).standard_normal((count, dim))


def projective(count, dim=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, dim)) + 1j * rng.standard_normal((count, dim))


KERNELS = [
    (gk.GaussianKernel(0.7), real),
    (gk.DeltaKernel(), real),
    (gk.WrappedGaussianKernel(0.2, Torus(dim=3)), real),
    (gk.DistanceKernel(lambda d: np.exp(-d)), real),
    (gk.GaussianKernel(0.7).rescaled(lambda x: 1 + x[:, 0] ** 2), real),
    (gk.FubiniStudyGaussian(0.3), projective),
    (gk.FubiniStudyGeodesicGaussian(0.3), projective),
]
NAMES = [type(kernel).__name__ for kernel, _ in KERNELS]


@pytest.mark.parametrize(("kernel", "points"), KERNELS, ids=NAMES)
@pytest.mark.parametrize("tail", [(), (2,), (3, 3)])
def test_apply_is_the_matrix_times_the_values(kernel, points, tail):
    x, y = points(300, seed=1), points(281, seed=2)
    y[:20] = x[:20]
    for second in (None, y):
        values = np.random.default_rng(3).standard_normal((len(x if second is None else second), *tail))
        expected = np.einsum("pq,q...->p...", kernel.matrix(x, second), values)
        assert np.abs(kernel.apply(x, second, values) - expected).max() < 1e-13 * max(1, np.abs(expected).max())


@pytest.mark.parametrize(("kernel", "points"), KERNELS, ids=NAMES)
def test_diagonal_is_that_of_the_matrix(kernel, points):
    x = points(40)
    assert np.allclose(kernel.diagonal(x), np.diag(kernel.matrix(x)), rtol=1e-14, atol=0)


def test_complex_values_keep_their_parts():
    kernel, x = gk.FubiniStudyGaussian(0.4), projective(50)
    v, w = real(50, 2), real(50, 2, seed=1)
    assert np.array_equal(kernel.apply(x, None, v + 1j * w).real, kernel.apply(x, None, np.stack([v, w], -1))[..., 0])


def test_blocks_do_not_change_the_sums():
    kernel, x, v = gk.DistanceKernel(lambda d: 1 / (1 + d * d)), real(100), real(100)
    assert np.array_equal(kernel.apply(x, None, v, block=7), kernel.apply(x, None, v))


@pytest.mark.parametrize(("kernel", "points"), KERNELS, ids=NAMES)
def test_sums_do_not_depend_on_the_number_of_threads(kernel, points, monkeypatch):
    x, v = points(1500), real(1500, 4)
    results = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("GEOMFLOW_THREADS", threads)
        results.append(kernel.apply(x, None, v))
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


@pytest.mark.parametrize("kind", [gk.FubiniStudyGaussian, gk.FubiniStudyGeodesicGaussian])
def test_single_precision_agrees_with_double(kind):
    x, v = projective(1000), real(1000, 9)
    double, single = kind(0.3).apply(x, None, v), kind(0.3, precision="single").apply(x, None, v)
    assert 0 < np.abs(double - single).max() < 1e-5 * np.abs(double).max()


def test_delta_sums_over_equal_points():
    x = np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0], [-0.0, 1.0]])
    assert np.array_equal(gk.DeltaKernel().apply(x, None, [1.0, 10.0, 100.0, 1000.0]), [1101, 10, 1101, 1101])
    assert np.array_equal(gk.DeltaKernel().apply(x, x[:1] + 5, [3.0]), np.zeros(4))


@pytest.mark.parametrize("lattice", [None, HEXAGONAL])
@pytest.mark.parametrize("n", [15, 16])
def test_operators_on_grids(lattice, n):
    grid = Torus(dim=2, lattice=lattice).grid((n, n + 3))
    f = np.random.default_rng(0).standard_normal((3, *grid.shape))
    for kernel in (gk.GaussianKernel(0.2), gk.DeltaKernel(), gk.GaussianKernel(0.2).rescaled(2.0)):
        operator = kernel.on(grid)
        out = np.empty_like(f)
        assert operator(f, out=out) is out
        assert np.allclose(out.reshape(3, -1).T, operator.dense() @ f.reshape(3, -1).T, rtol=0, atol=1e-13)
        assert np.array_equal(operator(f[1]), out[1])
        assert np.linalg.eigvalsh(operator.dense())[-1] <= operator.largest * (1 + 1e-12)
        again = f.copy()
        assert np.array_equal(operator(again, out=again), out)


def test_blocks_on_a_grid_agree_with_the_fast_transform():
    grid = Torus(dim=2, lattice=HEXAGONAL).grid(24)
    kernel = gk.WrappedGaussianKernel(0.15, grid.torus)
    f = np.random.default_rng(0).standard_normal((2, 24, 24))
    blocks = operators.BlockOperator(kernel, grid)
    assert blocks.symbol is None
    assert np.abs(blocks(f) - kernel.on(grid)(f)).max() < 1e-13
    assert blocks.largest == pytest.approx(1, rel=1e-12)


def test_delta_is_the_identity_on_a_grid():
    grid = Torus(dim=2).grid(8)
    f = np.random.default_rng(0).standard_normal((2, 8, 8))
    assert np.array_equal(gk.DeltaKernel().on(grid)(f), f)
    assert np.array_equal(gk.DeltaKernel().on(grid).symbol, np.ones((8, 5)))


def test_rescaling_on_a_grid_takes_functions_arrays_and_fields():
    grid = Torus(dim=2).grid(16)
    f = np.random.default_rng(0).standard_normal((1, 16, 16))
    alpha = grid.scalar("2 + cos(2*pi*x)")
    kernel = gk.GaussianKernel(0.2)
    expected = alpha.values * kernel.on(grid)(alpha.values * f)
    for given in (alpha, alpha.values, lambda p: 2 + np.cos(2 * np.pi * p[:, 0])):
        assert np.allclose(kernel.rescaled(given).on(grid)(f), expected, rtol=1e-13)
    with pytest.raises(InputError, match="grid only"):
        kernel.rescaled(alpha.values).matrix(real(4, 2))
    with pytest.raises(ShapeError):
        kernel.rescaled(np.ones(3)).on(grid)
    with pytest.raises(NotFiniteError):
        kernel.rescaled(np.nan * alpha.values).on(grid)


def test_narrow_widths_are_warned_of():
    grid = Torus(dim=2).grid(20)
    with pytest.warns(gk.UnderResolvedWarning, match=r"under-resolved.*0\.01.*0\.05.*100 × 100"):
        gk.GaussianKernel(0.01).on(grid)
    with pytest.warns(gk.UnderResolvedWarning):
        gk.WrappedGaussianKernel(0.01, grid.torus).on(grid)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gk.GaussianKernel(0.06).on(grid)


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf, "wide"])
@pytest.mark.parametrize("kind", [gk.GaussianKernel, gk.FubiniStudyGaussian, gk.FubiniStudyGeodesicGaussian])
def test_widths_are_positive_numbers(kind, scale):
    with pytest.raises(InputError, match="positive number"):
        kind(scale)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
@pytest.mark.parametrize("kind", [gk.GaussianKernel, gk.FubiniStudyGaussian, gk.FubiniStudyGeodesicGaussian])
def test_widths_have_squares(kind, scale):
    with pytest.raises(InputError, match="width of a kernel is squared"):
        kind(scale)


def test_bad_points_and_values():
    kernel = gk.GaussianKernel(1.0)
    with pytest.raises(ShapeError, match="rows"):
        kernel.matrix(np.zeros(3))
    with pytest.raises(NotFiniteError, match="point 1 of 2"):
        kernel.matrix([[0.0], [np.nan]])
    with pytest.raises(ShapeError, match="no distance"):
        kernel.matrix(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(ShapeError, match="one row for each"):
        kernel.apply(np.zeros((2, 2)), None, np.zeros(3))
    with pytest.raises(ShapeError, match="the kernel acts on"):
        kernel.on(Torus(dim=2).grid(16))(np.zeros((16, 8)))
    with pytest.raises(InputError, match="wrapped around"):
        kernel.wrapped(Torus(dim=2)).on(Torus(dim=2, periods=2).grid(8))


def test_complex_points_and_functions_are_refused():
    kernel = gk.GaussianKernel(1.0)
    with pytest.raises(InputError, match=r"the points of shape \(4, 5\) are complex.*FubiniStudyGaussian"):
        kernel.matrix(projective(4))
    with pytest.raises(InputError, match="real and imaginary part"):
        kernel.on(Torus(dim=2).grid(16))(np.ones((16, 16)) * 1j)
    with pytest.raises(InputError, match=r"values of the kernel .* are complex"):
        gk.DistanceKernel(lambda d: np.exp(1j * d)).matrix(real(4))


@pytest.mark.parametrize("kernel", [gk.GaussianKernel(0.7), gk.DeltaKernel(), gk.NetworkKernel("erf")])
def test_sums_over_no_points_are_empty(kernel):
    assert kernel.apply(np.zeros((0, 2)), None, np.zeros((0, 3))).shape == (0, 3)
    assert np.all(kernel.apply(np.zeros((4, 2)), np.zeros((0, 2)), np.zeros((0, 3))) == np.zeros((4, 3)))


def test_what_is_no_kernel_is_refused_when_it_is_made():
    for wrong in (lambda: gk.DistanceKernel(3), lambda: gk.DistanceKernel(np.exp, 3), lambda: gk.Kronecker(3),
                  lambda: gk.Symmetrised(gk.Kronecker(gk.GaussianKernel(1.0))), lambda: gk.Covariant("gaussian"),
                  lambda: gk.GaussianKernel(1.0).rescaled("1 + x"), lambda: gk.EmpiricalKernel.of(real(3)),
                  lambda: gk.monte_carlo(gk.GaussianKernel(1.0), real(3), width=4, networks=2, seed=0)):
        with pytest.raises(InputError):
            wrong()
    with pytest.raises(NotFiniteError, match="α is not finite at 3 of 3"):
        gk.GaussianKernel(1.0).rescaled(np.nan).matrix(real(3))


@pytest.mark.parametrize("kernel", [gk.GaussianKernel(0.7), gk.DeltaKernel(), gk.NetworkKernel("erf"),
                                    gk.WrappedGaussianKernel(0.2, Torus(dim=2)), gk.DistanceKernel(np.exp),
                                    gk.NetworkKernel("erf").periodic(Torus(dim=2))])
def test_operators_need_a_grid(kernel):
    with pytest.raises(InputError, match="operator on a grid"):
        kernel.on(Torus(dim=2))


def test_bad_projective_points():
    kernel = gk.FubiniStudyGaussian(0.3)
    with pytest.raises(InputError, match="point 1 has all coordinates zero"):
        kernel.matrix(np.array([[1, 0], [0, 0]]))
    with pytest.raises(ShapeError):
        kernel.matrix(np.ones((3, 1)))
    with pytest.raises(ShapeError, match="3 and of 4"):
        kernel.matrix(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(UnknownNameError, match="double"):
        gk.FubiniStudyGaussian(0.3, precision="doubel")


def test_dense_matrices_state_their_bytes(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1_000_000)
    with pytest.raises(MemoryLimitError, match=r"1,000 × 1,000 points would take 8 MB.*take 62 rows at a time"):
        gk.GaussianKernel(1.0).matrix(real(1000))
    with pytest.raises(MemoryLimitError, match=r"kernel\.apply"):
        gk.GaussianKernel(0.2).on(Torus(dim=2).grid(24)).dense()


def test_users_kernels_are_checked():
    x = real(90)
    good = gk.DistanceKernel(lambda d: np.exp(-d)).check(x)
    assert good.positive
    assert good.points == 64
    assert good.asymmetry == 0
    torus = Torus(dim=3)
    for use in (lambda k: k.matrix(x), lambda k: k.apply(x, None, x), lambda k: k.on(torus.grid(5))):
        with pytest.raises(PositivityError, match="smallest eigenvalue"):
            use(gk.DistanceKernel(lambda d: np.cos(3 * d), torus))
        with pytest.raises(SymmetryError, match="differ by up to"):
            use(gk.DistanceKernel(lambda d: d, lambda a, b: a[:, :1] + 2 * b[:, 0]))
        with pytest.raises(NotFiniteError, match="at the distance 0"):
            use(gk.DistanceKernel(lambda d: 1 / np.where(d == 0, np.nan, d), torus))
        with pytest.raises(ShapeError, match="must be"):
            use(gk.DistanceKernel(lambda d: d, lambda a, b: np.zeros(3)))
    with pytest.raises(UnknownNameError, match="euclidean"):
        gk.DistanceKernel(np.exp, "euclidian")


def test_users_kernels_on_projective_points():
    x = projective(40)
    for name, built_in in (("chordal", gk.FubiniStudyGaussian), ("geodesic", gk.FubiniStudyGeodesicGaussian)):
        kernel = gk.DistanceKernel(lambda d: np.exp(-(d**2) / 0.18), name)
        assert np.allclose(kernel.matrix(x), built_in(0.3).matrix(x), rtol=1e-12, atol=0)
        assert np.allclose(built_in(0.3).distances(x), getattr(gk, f"{name}_distance")(x, x))


def test_users_kernels_on_their_own_torus_act_by_transform():
    torus = Torus(dim=2, lattice=HEXAGONAL)
    kernel = gk.DistanceKernel(lambda d: np.exp(-(d**2) / 0.0072), torus)
    grid = torus.grid(24)
    f = np.random.default_rng(0).standard_normal((2, 24, 24))
    assert kernel.on(grid).symbol is not None
    assert np.abs(kernel.on(grid)(f) - operators.BlockOperator(kernel, grid)(f)).max() < 1e-15
    with pytest.raises(PositivityError, match="on a grid of 24 × 24"):
        gk.DistanceKernel(lambda d: np.exp(-(d**2) / 0.1), torus).on(grid)  # cut off where images meet


def test_the_geodesic_gaussian_warns_where_it_is_indefinite():
    x = projective(400)
    with pytest.warns(gk.IndefiniteKernelWarning, match="smallest_eigenvalue"):
        wide = gk.FubiniStudyGeodesicGaussian(0.8)
    assert gk.smallest_eigenvalue(wide, x) < -0.1
    assert gk.smallest_eigenvalue(gk.FubiniStudyGaussian(0.8), x) > 0


def test_spectra(monkeypatch):
    x = projective(300)
    kernel = gk.FubiniStudyGaussian(0.5)
    dense, least = gk.eigenvalues(kernel, x), gk.smallest_eigenvalue(kernel, x)
    assert dense.sum() == pytest.approx(300, rel=1e-12)
    assert np.array_equal(gk.eigenvalues(kernel, x, 3), dense[:3])
    monkeypatch.setattr("geomflow.kernels.spectrum.DENSE", 100)
    assert np.allclose(gk.eigenvalues(kernel, x, 3), dense[:3], rtol=1e-9)
    assert gk.smallest_eigenvalue(kernel, x) == pytest.approx(least, abs=1e-9 * dense[0])
    with pytest.raises(InputError):
        gk.eigenvalues(kernel, x, 0)
    with pytest.raises(InputError):
        gk.effective_dimension(dense, 0.0)
    with pytest.raises(PositivityError, match="not positive"):
        gk.participation_ratio(np.array([1.0, -0.5]))
    top = np.linalg.eigh(kernel.matrix(x))[1][:, -1]
    assert gk.kernel_alignment(kernel, x, top) == pytest.approx(dense[0] / np.linalg.norm(dense), rel=1e-9)
    with pytest.raises(ShapeError):
        gk.alignment(np.zeros(3), np.zeros(4), 1.0)


@pytest.mark.parametrize("kernel", [
    gk.GaussianKernel(0.2), gk.FubiniStudyGaussian(0.2), gk.FubiniStudyGeodesicGaussian(0.1), gk.NetworkKernel("gelu"),
])  # fmt: skip
def test_a_matrix_of_points_with_themselves_is_built_once_a_pair(kernel):
    x = np.random.default_rng(3).standard_normal((600, 3))
    points = x + 1j if isinstance(kernel, gk.FubiniStudyGaussian | gk.FubiniStudyGeodesicGaussian) else x
    matrix = kernel.matrix(points)
    assert matrix == pytest.approx(kernel.matrix(points, points), rel=1e-12, abs=1e-13)
    assert np.array_equal(matrix[300:, :200], matrix[:200, 300:].T)
    if not isinstance(kernel, gk.NetworkKernel):
        assert np.array_equal(matrix, matrix.T)
