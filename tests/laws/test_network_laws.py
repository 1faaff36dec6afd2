"""Laws of networks: adjointness, symmetry and positivity of Θ, periodicity, seeds, over random settings."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geomflow import testing
from geomflow.networks import FourierEmbedding, Layout, Network, Perceptron
from geomflow.networks.periodic import DiscreteGaussian, lattice_points
from geomflow.testing import seeds
from geomflow.testing.draw.kernels import ACTIVATIONS, TORI

networks = testing.networks()


def state(network: Network, seed: int, points: int = 5):
    rng = np.random.default_rng(seed)
    return network.initial(rng), rng.uniform(-1, 1, (points, network.inputs)), rng


@given(networks, seeds)
def test_vjp_is_the_transpose_of_jvp(network, seed):
    """⟨c, J v⟩ = ⟨Jᵀ c, v⟩, and both are those of the Jacobian."""
    theta, x, rng = state(network, seed)
    direction, cotangent = rng.standard_normal(network.size), rng.standard_normal((len(x), network.outputs))
    forward, back = network.jvp(theta, x, direction), network.vjp(theta, x, cotangent)
    jacobian = network.jacobian(theta, x)
    size = np.abs(jacobian).max() * np.sqrt(jacobian.size) + 1e-300
    assert abs(np.sum(cotangent * forward) - back @ direction) < 1e-11 * size
    np.testing.assert_allclose(forward, jacobian @ direction, atol=1e-12 * size)
    np.testing.assert_allclose(back, np.einsum("po,pos->s", cotangent, jacobian), atol=1e-12 * size)


@settings(max_examples=40)
@given(networks, seeds, st.integers(0, 4))
def test_reverse_of_jets_is_the_transpose_of_their_rate(network, seed, order):
    theta, x, rng = state(network, seed, 3)
    order = min(order, 2) if network.inputs > 2 else order
    direction = rng.standard_normal(network.size)
    rates = network.jets_jvp(theta, x, direction, order)
    cotangents = {index: rng.standard_normal(rate.shape) for index, rate in rates.items()}
    back = network.jets_vjp(theta, x, cotangents)
    paired = sum(np.sum(cotangents[index] * rate) for index, rate in rates.items())
    scale = sum(np.sum(np.abs(cotangents[index] * rate)) for index, rate in rates.items()) + np.abs(back) @ np.abs(
        direction
    )
    assert abs(paired - back @ direction) <= 1e-12 * scale
    np.testing.assert_allclose(network.jets(theta, x, order)[(0,) * network.inputs], network.values(theta, x))


@given(networks, seeds)
def test_tangent_kernel_is_symmetric_and_positive(network, seed):
    """Θ(x, y)_ab = Θ(y, x)_ba, no negative eigenvalue, and equal to J Jᵀ of the Jacobian."""
    theta, x, _ = state(network, seed, 6)
    kernel = network.tangent_kernel(theta, x)
    np.testing.assert_allclose(kernel, kernel.transpose(1, 0, 3, 2), rtol=1e-12, atol=1e-14 * np.abs(kernel).max())
    matrix = kernel.transpose(0, 2, 1, 3).reshape((len(x) * network.outputs,) * 2)
    spectrum = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    assert spectrum[0] >= -1e-13 * max(spectrum[-1], 1e-300) * len(matrix)
    jacobian = network.jacobian(theta, x).reshape(len(matrix), -1)
    np.testing.assert_allclose(matrix, jacobian @ jacobian.T, atol=1e-13 * np.abs(matrix).max())
    np.testing.assert_array_equal(network.tangent_kernel(theta, x[:2], x[3:]).shape, (2, 3) + (network.outputs,) * 2)


@given(st.sampled_from(TORI), st.sampled_from(ACTIVATIONS), seeds, st.lists(st.integers(-3, 3), min_size=4, max_size=4))
def test_embedded_networks_are_periodic(torus, name, seed, steps):
    """f(x + Σ_a m_a v_a) = f(x), first derivatives too."""
    network = Perceptron(torus.real_dim, (6,), 2, name, embedding=FourierEmbedding(torus), bias_std=0.1)
    theta, x, _ = state(network, seed)
    shift = np.array(steps[: torus.real_dim]) @ np.array(torus.lattice)
    here, there = network.jets(theta, x, 1).array, network.jets(theta, x + shift, 1).array
    tolerance = 1e-11 * max(np.abs(here).max(), 1e-300)
    near_kink = name == "relu"  # a derivative may jump where rounding crosses a kink
    np.testing.assert_allclose(there[: 1 if near_kink else None], here[: 1 if near_kink else None], atol=tolerance)


@given(networks, seeds)
def test_seeds_decide(network, seed):
    np.testing.assert_array_equal(network.initial(seed), network.initial(seed))
    assert network.initial(seed).shape == (network.size,)
    assert not np.array_equal(network.initial(seed), network.initial(seed + 1))


@given(st.lists(st.lists(st.integers(1, 3), max_size=3), min_size=1, max_size=5), seeds)
def test_layouts_keep_every_number(shapes, seed):
    """views and flat are inverse, and views are views."""
    layout = Layout(tuple((f"part{i}", tuple(shape)) for i, shape in enumerate(shapes)))
    theta = np.random.default_rng(seed).standard_normal(layout.size)
    views = layout.views(theta)
    np.testing.assert_array_equal(layout.flat(views), theta)
    views["part0"][...] = 7.0
    assert theta[0] == 7.0


@settings(max_examples=30)
@given(st.sampled_from(TORI[:4]), st.floats(0.15, 1.2))
def test_partition_functions_agree(torus, scale):
    """Poisson: Σ_k e^{−s²|k|²/2} = Vol (2πs²)^{-d/2} Σ_λ e^{−|λ|²/2s²}."""
    law = DiscreteGaussian(np.array(torus.lattice), scale)
    waves = np.exp(-0.5 * scale**2 * (law.terms() ** 2).sum(axis=1)).sum()
    images = (lattice_points(law.rows, 9 * scale) ** 2).sum(axis=1)
    other = law.volume * (2 * np.pi * scale**2) ** (-law.dim / 2) * np.exp(-0.5 * images / scale**2).sum()
    np.testing.assert_allclose([waves, other], law.partition, rtol=1e-13)
