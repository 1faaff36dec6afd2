"""Sums, multiples and products of kernels, kernels of a user's function, and distances on tori."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
from geomflow import kernels as gk
from geomflow import networks
from geomflow.core.errors import InputError, NotFiniteError, PositivityError, SymmetryError
from geomflow.testing import seeds

T = gf.Torus(dim=2)
SLANTED = gf.Torus(dim=2, lattice=[[1.0, 0.3], [-0.2, 0.9]])
CURVE = gf.ComplexTorus(dim=1)
ATOMS = (gk.GaussianKernel(0.3), gk.NetworkKernel("erf"), gk.DeltaKernel(), gk.WrappedGaussianKernel(0.2, T))
kernels = st.recursive(st.sampled_from(ATOMS), lambda inner: st.one_of(
    st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]), st.tuples(inner, inner).map(lambda p: p[0] * p[1]),
    st.tuples(st.floats(0, 3), inner).map(lambda pair: pair[0] * pair[1])), max_leaves=4)


@given(first=kernels, second=kernels, factor=st.floats(0, 3), seed=seeds)
@settings(max_examples=25, deadline=None)
def test_matrices_add_and_multiply_as_kernels_do(first, second, factor, seed):
    x = np.random.default_rng(seed).random((7, 2))
    y = np.concatenate([x[:2], np.random.default_rng(seed + 1).random((3, 2))])
    a, b = first.matrix(x, y), second.matrix(x, y)
    assert (first + factor * second).matrix(x, y) == pytest.approx(a + factor * b)
    assert (first * second).matrix(x, y) == pytest.approx(a * b)
    assert (sum([first, second]) / 2).matrix(x, y) == pytest.approx((a + b) / 2)
    whole = first + second * first
    assert whole.diagonal(x) == pytest.approx(np.diag(whole.matrix(x)))
    v = np.random.default_rng(seed).standard_normal((5, 3))
    assert whole.apply(x, y, v) == pytest.approx(whole.matrix(x, y) @ v, abs=1e-9)
    spectrum = np.linalg.eigvalsh(whole.matrix(x))
    assert spectrum[0] >= -1e-10 * spectrum[-1]


@pytest.mark.parametrize("kernel", [
    2 * gk.GaussianKernel(0.2), gk.GaussianKernel(0.1) + 0.5 * gk.GaussianKernel(0.3),
    gk.GaussianKernel(0.3) + gk.DeltaKernel(),
    gk.GaussianKernel(0.2) * gk.GaussianKernel(0.3), gk.GaussianKernel(0.2) * gk.DeltaKernel(),
    gk.GaussianKernel(0.3) * gk.DistanceKernel(lambda d: np.exp(-d / 0.2), T).wrapped(T),
    gk.GaussianKernel(0.3).rescaled(2.0) + gk.GaussianKernel(0.2),
])  # fmt: skip
def test_operators_of_sums_and_products_are_positive_and_combine(kernel):
    grid = T.grid(12)
    dense = kernel.on(grid).dense()
    assert dense == pytest.approx(dense.T, abs=1e-10 * np.abs(dense).max())
    spectrum = np.linalg.eigvalsh(dense)
    assert spectrum[0] > -1e-10 * spectrum[-1]
    assert spectrum[-1] <= kernel.on(grid).largest * (1 + 1e-10)


def test_a_product_on_a_grid_is_that_of_the_wrapped_kernels():
    grid, first, second = T.grid(24), gk.GaussianKernel(0.15), gk.GaussianKernel(0.2)
    points = grid.points().reshape(grid.size, -1)
    expected = first.wrapped(T).matrix(points) * second.wrapped(T).matrix(points) * grid.torus.cell_volume / grid.size
    assert (first * second).on(grid).dense() == pytest.approx(expected, abs=1e-10)


def height(x):
    return 2 + np.cos(2 * np.pi * x[:, 0])


@pytest.mark.parametrize("kernel", [
    gk.NetworkKernel("erf"), gk.NetworkKernel("relu", depth=2, bias_std=0.3), gk.NetworkKernel("cos").covariance,
    gk.GaussianKernel(0.2) + 2 * gk.NetworkKernel("erf"), gk.GaussianKernel(0.2).rescaled(height),
    gk.NetworkKernel("erf").rescaled(height) * gk.GaussianKernel(0.3), gk.DeltaKernel() + gk.GaussianKernel(0.3),
])  # fmt: skip
def test_a_product_on_a_grid_is_that_of_the_operators_also_where_a_factor_is_not_translation_invariant(kernel):
    grid, varying = T.grid(12), gk.FunctionKernel(lambda x, y: np.multiply.outer(height(x), height(y)))
    product, factors = (kernel * varying).on(grid), (kernel.on(grid), varying.on(grid))
    assert product.symbol is None
    expected = factors[0].dense() * factors[1].dense() / (grid.torus.cell_volume / grid.size)
    assert product.dense() == pytest.approx(expected, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("factor", [-1, np.inf, np.nan])
def test_factors_that_lose_positivity_are_refused(factor):
    with pytest.raises(InputError, match=r"not positive|must be finite"):
        factor * gk.GaussianKernel(0.1)
    with pytest.raises(TypeError):
        gk.GaussianKernel(0.1) + 1


def test_a_flow_under_a_sum_is_between_those_of_its_terms():
    g0 = T.grid(16).metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1 + sin(2*pi*x)/5"]])
    flow = gf.RicciFlow(gauge="deturck")
    kernel = 0.5 * gk.GaussianKernel(0.1) + 0.5 * gk.GaussianKernel(0.3)
    three = (gk.GaussianKernel(0.1), kernel, gk.GaussianKernel(0.3))
    ends = [gf.solve(gf.KernelFlow(flow, k), g0, t1=2e-3).last for k in three]
    assert 0 < ends[0].distance(ends[1]) < ends[0].distance(ends[2])


def gaussian(x, y):
    """A periodic kernel as a plain function: e^{cos − 1} a coordinate."""
    return np.exp(sum(np.cos(2 * np.pi * (x[:, None, a] - y[None, :, a])) - 1 for a in range(x.shape[1])))


def test_a_callable_is_a_kernel():
    g0 = T.grid(10).metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1"]])
    flow = gf.RicciFlow(gauge="deturck")
    named = gf.solve(gf.KernelFlow(flow, gk.FunctionKernel(gaussian)), g0, t1=1e-3)
    plain = gf.solve(gf.KernelFlow(flow, gaussian), g0, t1=1e-3)
    assert plain.outcome.kind == "finished"
    assert np.array_equal(plain.last.values, named.last.values)


@pytest.mark.parametrize("function, error, words", [
    (lambda x, y: np.exp(-np.abs(x[:, None, 0] - y[None, :, 0])), InputError, "not periodic"),
    (lambda x, y: np.cos(2 * np.pi * x[:, None, 0]) + 0 * y[None, :, 0], SymmetryError, "differ"),
    (lambda x, y: -gaussian(x, y), PositivityError, "not positive"),
    (lambda x, y: gaussian(x, y) * np.nan, NotFiniteError, "nan"),
    (lambda x, y: x[:, 0], InputError, "must be of shape"),
])  # fmt: skip
def test_callables_that_are_no_kernels_on_a_torus_are_refused(function, error, words):
    g0 = T.grid(8).metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1"]])
    with pytest.raises(error, match=words):
        gf.solve(gf.KernelFlow(gf.RicciFlow(gauge="deturck"), function), g0, t1=1e-3)


def test_a_euclidean_distance_is_refused_on_a_torus_and_the_others_named():
    kernel = gk.DistanceKernel(lambda d: np.exp(-d**2 / 0.08))
    with pytest.raises(InputError, match=r"seam.*wrapped\(torus\)"):
        kernel.on(T.grid(8))


@pytest.mark.parametrize("torus", [T, SLANTED])
def test_images_sum_to_the_wrapped_gaussian(torus):
    x = np.random.default_rng(0).random((6, 2)) * 2
    peak = 1 / (2 * np.pi * 0.04)
    summed = gk.DistanceKernel(lambda d: peak * np.exp(-d**2 / 0.08)).wrapped(torus)
    assert summed.matrix(x) == pytest.approx(gk.WrappedGaussianKernel(0.2, torus).matrix(x), abs=1e-12)


def test_a_wide_gaussian_of_the_toruss_distance_is_refused_and_its_images_are_not():
    grid, wide = T.grid(16), lambda d: np.exp(-d**2 / 0.18)
    with pytest.raises(PositivityError, match=r"wrapped\(torus\)"):
        gk.DistanceKernel(wide, T).on(grid)
    spectrum = np.linalg.eigvalsh(gk.DistanceKernel(wide, T).wrapped(T).on(grid).dense())
    assert spectrum[0] > -1e-12 * spectrum[-1]
    with pytest.raises(InputError, match="does not converge"):
        gk.DistanceKernel(lambda d: 1 / (1 + d)).wrapped(T).matrix(np.zeros((2, 2)))
    with pytest.raises(InputError, match="images are added"):
        gk.DistanceKernel(wide, "chordal").wrapped(T)


def test_sums_refuse_values_that_are_not_finite():
    values = np.array([0.0, 1.0, np.nan, 2.0])
    for kernel in ATOMS:
        with pytest.raises(NotFiniteError, match="point 2 of 4"):
            kernel.apply(np.zeros((4, 2)), None, values)


def test_kernel_alignment_is_that_of_the_matrices():
    x, y = np.random.default_rng(0).random((9, 2)), np.random.default_rng(1).standard_normal(9)
    kernel = gk.GaussianKernel(0.3)
    k = kernel.matrix(x)
    expected = np.sum(k * np.outer(y, y)) / np.linalg.norm(k) / (y @ y)
    assert gk.kernel_alignment(kernel, x, y) == pytest.approx(expected)
    rank_one = gk.FunctionKernel(lambda a, b: np.outer(a[:, 0], b[:, 0]))
    assert gk.kernel_alignment(rank_one, x, x[:, 0]) == pytest.approx(1)


def test_an_empirical_kernel_binds_at_linear_cost_and_takes_every_stepper():
    network = networks.Perceptron(2, (8,), embedding=networks.FourierEmbedding(CURVE))
    model = networks.Rescaled(networks.PotentialModel(CURVE, network), 0.02)
    start = model.on(CURVE.grid(16, scheme="spectral"), seed=1)
    flow = gf.KernelFlow(gf.functionals.KEnergy(CURVE), gk.Kronecker(
        gk.EmpiricalPotentialKernel(model, start.parameters)))
    operator = gk.EmpiricalPotentialKernel(model, start.parameters).on(start.grid)
    assert operator.largest == pytest.approx(np.linalg.eigvalsh(operator.dense())[-1], rel=1e-5)
    ends = [gf.solve(flow, start.field(), t1=2.0, stepper=name, rtol=1e-7).last for name in ("rkc", "semi-implicit")]
    assert ends[0].distance(ends[1]) < 1e-4 * ends[0].distance(start.field())
