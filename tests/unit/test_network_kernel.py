"""Closed-form network kernels: blocks, grids, memory, input that cannot be used, and Monte Carlo over networks."""

from __future__ import annotations

import numpy as np
import pytest

from geomflow.core import memory
from geomflow.core.errors import InputError, MemoryLimitError, NotFiniteError, ShapeError, UnknownNameError
from geomflow.field import Torus
from geomflow.kernels import LeakyRelu, Polynomial, Quadrature, ResidualKernel
from geomflow.kernels.network import NetworkKernel
from geomflow.kernels.network_sampling import monte_carlo
from geomflow.networks.periodic import FourierEmbedding


def points(count, inputs=3, seed=0):
    return np.random.default_rng(seed).standard_normal((count, inputs))


def test_blocks_matrix_diagonal_and_sums_agree():
    kernel, x, y = NetworkKernel("relu", 2, 1.3, 0.2), points(301), points(177, seed=1)
    whole = kernel.matrix(np.concatenate([x, y]))
    np.testing.assert_allclose(kernel.matrix(x, y), whole[:301, 301:], rtol=1e-14)
    np.testing.assert_allclose(kernel.diagonal(x), np.diag(whole)[:301], rtol=1e-14)
    np.testing.assert_array_equal(whole, whole.T)
    columns = points(177, 4, seed=2).reshape(177, 2, 2)
    np.testing.assert_allclose(kernel.apply(x, y, columns), np.tensordot(whole[:301, 301:], columns, 1), rtol=1e-11)
    np.testing.assert_array_equal(kernel.apply(x, y, columns, block=64), kernel.apply(x, y, columns))
    np.testing.assert_allclose(kernel.apply(x, None, np.ones(301)), whole[:301, :301].sum(axis=1), rtol=1e-12)


def test_sums_across_tiles_of_columns():
    kernel, x, y = NetworkKernel("cos", 1, 1.0, 0.3), points(3), points(5000, seed=1)
    np.testing.assert_allclose(kernel.apply(x, y, np.ones(5000)), kernel.matrix(x, y).sum(axis=1), rtol=1e-12)


def test_on_a_torus_the_operator_is_the_kernel_behind_its_embedding():
    torus = Torus(dim=2, periods=(1.0, 2.0))
    grid = torus.grid((8, 9))
    kernel = NetworkKernel("relu", 2, 1.4, 0.1)
    where = grid.points().reshape(-1, 2)
    periodic = kernel.periodic(torus)
    np.testing.assert_allclose(periodic.matrix(where), periodic.matrix(where + np.array([1.0, -2.0])), rtol=1e-12)
    weight = torus.cell_volume / grid.size
    f = np.random.default_rng(0).standard_normal((2, *grid.shape))
    direct = np.einsum("pq,cq->cp", periodic.matrix(where), f.reshape(2, -1)).reshape(f.shape) * weight
    for operator in (kernel.on(grid), periodic.on(grid)):
        np.testing.assert_allclose(operator(f), direct, atol=1e-12 * np.abs(direct).max())
        assert operator.symbol is not None
        assert operator.largest == pytest.approx(np.linalg.eigvalsh(periodic.matrix(where))[-1] * weight)


def test_an_embedding_of_another_torus_acts_in_blocks():
    grid = Torus(dim=1, periods=(2.0,)).grid(6)
    kernel = NetworkKernel("erf", 1, embedding=FourierEmbedding(Torus(dim=1), 2))
    assert kernel.on(grid).symbol is None
    with pytest.raises(ShapeError, match="2 coordinates"):
        kernel.matrix(np.zeros((3, 2)))


def test_the_tangent_kernel_and_its_covariance_are_one_architecture():
    kernel = NetworkKernel("gelu", 3, 1.4, 0.1)
    assert kernel.covariance.depth == 3
    assert np.all(kernel.diagonal(points(5)) > kernel.covariance.diagonal(points(5)))


def test_zero_points_without_bias():
    matrix = NetworkKernel("relu", 2).matrix(np.array([[0.0, 0.0], [1.0, 2.0]]))
    assert matrix[0].tolist() == [0.0, 0.0]
    assert np.isfinite(matrix).all()


def test_a_matrix_too_large_is_told_first(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(MemoryLimitError, match=r"100 × 100 points would take 80 kB.*kernel.apply"):
        NetworkKernel().matrix(points(100))


@pytest.mark.parametrize(("arguments", "message"), [
    ({"depth": 0}, "depth"), ({"depth": 1.5}, "depth"), ({"weight_std": -1.0}, "weight_std"),
    ({"weight_std": 0.0}, "weight_std"), ({"weight_std": 1e200}, "weight_std is squared"),
    ({"bias_std": 1e200}, "bias_std is squared"), ({"bias_std": -0.1}, "bias_std"), ({"bias_std": np.nan}, "bias_std"),
])
def test_parameters_out_of_range(arguments, message):
    with pytest.raises(InputError, match=message):
        NetworkKernel("relu", **arguments)


def test_an_unknown_activation_names_its_neighbour():
    with pytest.raises(UnknownNameError, match="did you mean 'relu'"):
        NetworkKernel("rellu")


def test_points_that_cannot_be_used():
    kernel = NetworkKernel()
    with pytest.raises(ShapeError):
        kernel.matrix(np.zeros(3))
    with pytest.raises(ShapeError, match="3 and of 2 inputs"):
        kernel.matrix(np.zeros((2, 3)), np.zeros((2, 2)))
    with pytest.raises(NotFiniteError, match="point 1 of 2"):
        kernel.matrix([[0.0, 1.0], [np.nan, 1.0]])
    with pytest.raises(ShapeError, match="one row for each point"):
        kernel.apply(np.zeros((2, 3)), None, np.zeros(3))


@pytest.mark.parametrize("activation", ["relu", "erf", "cos", "gelu", "sin", "identity", "sin+cos", "tanh", "softplus",
                                        "swish", LeakyRelu(0.2), Polynomial((0.2, 1.0, 0.1)), Quadrature(np.arctan)],
                         ids=str)
def test_monte_carlo_over_networks_meets_the_closed_form(activation):
    x = points(4, seed=5)
    for kernel in (NetworkKernel(activation, 2, 1.2, 0.3), NetworkKernel(activation, 2, 1.2, 0.3).covariance):
        estimate = monte_carlo(kernel, x, width=256, networks=60, seed=3)
        deviations = (estimate.mean - kernel.matrix(x)) / estimate.error
        assert np.sqrt(np.mean(deviations**2)) < 2.0
        assert np.all(estimate.error > 0)


def test_monte_carlo_is_deterministic():
    x, kernel = points(3), NetworkKernel("relu", 1)
    first = monte_carlo(kernel, x, width=32, networks=5, seed=1)
    second = monte_carlo(kernel, x, width=32, networks=5, seed=1)
    np.testing.assert_array_equal(first.mean, second.mean)
    assert not np.array_equal(first.mean, monte_carlo(kernel, x, width=32, networks=5, seed=2).mean)


@pytest.mark.parametrize(("activation", "depth"), [
    ("relu", 1), ("relu", 4), ("erf", 2), ("cos", 1), ("gelu", 3), ("sin", 2), ("identity", 2), ("sin+cos", 1),
    (LeakyRelu(0.2), 2), (Polynomial((0.2, 1.0, 0.1)), 1), ("tanh", 1), ("softplus", 4), ("swish", 2),
    (Quadrature(np.arctan), 3),
], ids=str)
def test_one_network_approaches_the_closed_form_as_the_root_of_its_width(activation, depth):
    kernel, x = NetworkKernel(activation, depth, 1.2, 0.3), points(6, seed=8)
    exact = kernel.matrix(x)
    widths, networks = np.array([64, 128, 256, 512, 1024]) // depth, 40 * depth
    spreads = [monte_carlo(kernel, x, width=int(n), networks=networks, seed=4).spread(exact) for n in widths]
    slope = np.polyfit(np.log(widths), np.log(spreads), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.1)


def test_the_mean_over_networks_approaches_as_the_root_of_their_number():
    kernel, x = NetworkKernel("relu", 1, 1.2, 0.3), points(6, seed=8)
    errors = []
    for networks in (4, 16, 64):
        runs = [monte_carlo(kernel, x, width=16, networks=networks, seed=s) for s in range(48)]
        errors.append(np.sqrt(np.mean([np.sum((run.mean - kernel.matrix(x)) ** 2) for run in runs])))
    slope = np.polyfit(np.log([4, 16, 64]), np.log(errors), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.1)


def test_monte_carlo_refuses_single_networks():
    with pytest.raises(InputError, match="networks"):
        monte_carlo(NetworkKernel(), points(2), width=8, networks=1, seed=0)
    with pytest.raises(InputError, match=r"depends on the deviation of u.*sin\+cos"):
        monte_carlo(NetworkKernel("gauss"), points(2), width=8, networks=4, seed=0)
    with pytest.raises(InputError, match="networks are drawn for a NetworkKernel"):
        monte_carlo(ResidualKernel(), points(2), width=8, networks=4, seed=0)


def test_monte_carlo_over_exponentials():
    """In a layer of little variance, since the tails are heavy."""
    kernel, x = NetworkKernel("exp", 1, 0.4, 0.2), points(4, seed=5)
    estimate = monte_carlo(kernel, x, width=256, networks=60, seed=3)
    assert np.sqrt(np.mean(((estimate.mean - kernel.matrix(x)) / estimate.error) ** 2)) < 2.0


def test_a_kernel_that_overflows_is_told():
    with pytest.raises(NotFiniteError, match="2000 hidden layers with weight_std 3"):
        NetworkKernel("relu", depth=2000, weight_std=3.0).matrix(points(3))
