"""Laws of kernels: symmetric, positive, sums equal to matrices, invariant as their distances are."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geomflow import kernels as gk
from geomflow.field import Torus
from geomflow.kernels import operators
from geomflow.kernels.operators import gaussian_symbol
from geomflow.testing import check_kernel, seeds

scales = st.floats(min_value=0.02, max_value=2.0)
few = settings(max_examples=25, deadline=None)
HEXAGONAL = Torus(dim=2, lattice=[[1, 0], [0.5, 3**0.5 / 2]])


def points(seed, count, dim, spread=1.0):
    """Random points, some of them nearly or exactly equal."""
    x = np.random.default_rng(seed).standard_normal((count, dim)) * spread
    x[1] = x[0]
    x[2] = x[0] + 1e-9
    return x


def projective(seed, count, dim):
    return points(seed, count, dim) + 1j * points(seed + 1, count, dim)


def every(scale, seed):
    """Every kernel that is positive by construction, with points for it."""
    real = points(seed, 30, 2)
    yield gk.GaussianKernel(scale), real
    yield gk.DeltaKernel(), real
    yield gk.WrappedGaussianKernel(scale, Torus(dim=2)), real
    yield gk.WrappedGaussianKernel(scale, HEXAGONAL), real
    yield gk.DistanceKernel(lambda d: np.exp(-d / scale)), real
    yield gk.GaussianKernel(scale).rescaled(lambda x: np.cos(x[:, 0])), real
    yield gk.FubiniStudyGaussian(scale), projective(seed, 30, 3)


@given(scales, seeds)
@few
def test_symmetric_positive_and_sums_are_matrix_products(scale, seed):
    for kernel, x in every(scale, seed):
        check_kernel(kernel, x)


@given(scales, seeds, st.sampled_from([2, 3, 5]))
@few
def test_projective_kernels_see_lines_only(scale, seed, dim):
    """Phases and lengths of each point, and one unitary map of all, change nothing."""
    rng = np.random.default_rng(seed)
    x = projective(seed, 20, dim)
    factors = rng.standard_normal((20, 1)) + 1j * rng.standard_normal((20, 1))
    unitary = np.linalg.qr(rng.standard_normal((dim, dim)) + 1j * rng.standard_normal((dim, dim)))[0]
    kernel = gk.FubiniStudyGaussian(scale)
    assert np.abs(kernel.matrix(x) - kernel.matrix(factors * x @ unitary)).max() < 2e-15 * (1 + 1 / scale**2)


@given(st.floats(min_value=0.05, max_value=1.0), seeds, st.sampled_from([(8, 9), (10, 12), (7, 7)]))
@few
def test_operators_on_grids_are_self_adjoint(scale, seed, shape):
    rng = np.random.default_rng(seed)
    f, g = rng.standard_normal((2, *shape))
    for torus in (Torus(dim=2), HEXAGONAL):
        grid = torus.grid(shape)
        wrapped = gk.WrappedGaussianKernel(scale, torus)
        alpha = rng.random(shape)
        for operator in (
            operators.FourierOperator(grid, gaussian_symbol(grid, scale)),
            operators.RescaledOperator(operators.FourierOperator(grid, gaussian_symbol(grid, scale)), alpha),
            operators.BlockOperator(wrapped, grid),
        ):
            bound = operator.largest * np.linalg.norm(f) * np.linalg.norm(g)
            assert abs(np.vdot(g, operator(f)) - np.vdot(operator(g), f)) < 1e-14 * bound
            assert np.vdot(f, operator(f)) >= -1e-14 * operator.largest * np.vdot(f, f)


@given(st.floats(min_value=0.05, max_value=0.4), st.floats(min_value=0.05, max_value=0.4))
@few
def test_wrapped_gaussians_form_a_semigroup(first, second):
    """Variances add, on every mode below the Nyquist frequency."""
    grid = HEXAGONAL.grid((9, 10))
    symbols = [gaussian_symbol(grid, s)[:, :-1] for s in (first, second, np.hypot(first, second))]
    assert np.abs(symbols[0] * symbols[1] - symbols[2]).max() < 1e-14
