"""Users' networks by JAX: all derivatives equal those by autograd, and so do the kernels of models made of them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from geomflow.core.errors import InputError, ShapeError
from geomflow.field import ComplexTorus, Torus
from geomflow.kernels import EmpiricalKernel, EmpiricalPotentialKernel
from geomflow.networks import AutogradNetwork, JaxNetwork, PotentialModel, SharedComponents

jnp = pytest.importorskip("jax.numpy")
anp = pytest.importorskip("autograd.numpy")

WIDTH = 5


def waves(np_):
    """Two layers of a periodic network, with one module of arrays or another."""
    def function(views, x):
        inner = np_.dot(np_.sin(2 * np.pi * x), views["w"].T) + views["b"]
        return np_.dot(np_.tanh(inner) + np_.exp(-inner**2), views["a"].T)

    return function


def pair(inputs, outputs):
    arrays = {"w": (WIDTH, inputs), "b": (WIDTH,), "a": (outputs, WIDTH)}
    return JaxNetwork(waves(jnp), arrays, inputs, outputs), AutogradNetwork(waves(anp), arrays, inputs, outputs)


def close(found, expected):
    assert found.dtype == np.float64
    assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()


def test_values_and_derivatives_equal_those_by_autograd():
    one, other = pair(2, 3)
    rng = np.random.default_rng(1)
    theta, x, y, v, c = one.initial(0), rng.random((4, 2)), rng.random((3, 2)), rng.random(one.size), rng.random((4, 3))
    assert np.array_equal(theta, other.initial(0))
    for call in (lambda n: n.values(theta, x), lambda n: n.jvp(theta, x, v), lambda n: n.vjp(theta, x, c),
                 lambda n: n.jacobian(theta, x), lambda n: n.tangent_kernel(theta, x, y)):
        close(call(one), call(other))
    jets, expected = one.jets(theta, x, 4), other.jets(theta, x, 4)
    rates, others = (n.jets_jvp(theta, x, v, 2) for n in (one, other))
    for index in expected:
        close(jets[index], expected[index])
    for index in others:
        close(rates[index], others[index])
    close(*(n.jets_vjp(theta, x, {(1, 0): c, (0, 2): c}) for n in (one, other)))


def test_empirical_kernels_of_metrics_equal_those_by_autograd():
    torus, rng = Torus(dim=2), np.random.default_rng(2)
    x, y = rng.random((4, 2)), rng.random((3, 2))
    kernels = [EmpiricalKernel(model, model.initial(3)) for model in
               (SharedComponents(torus, network) for network in pair(2, 3))]
    close(*(kernel.theta(x, y) for kernel in kernels))
    cotangent = rng.standard_normal((3, 2, 2))
    close(*(kernel.apply(x, y, cotangent + cotangent.transpose(0, 2, 1)) for kernel in kernels))


def test_empirical_kernels_of_potentials_equal_those_by_autograd():
    torus, rng = ComplexTorus(dim=1), np.random.default_rng(3)
    x, y = rng.random((4, 2)), rng.random((3, 2))
    models = [PotentialModel(torus, network) for network in pair(2, 1)]
    close(*(EmpiricalPotentialKernel(model, model.initial(3)).matrix(x, y) for model in models))
    found, expected = (EmpiricalKernel(model, model.initial(3)).theta(x, y) for model in models)
    assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()


def test_functions_that_cannot_be_used():
    theta, x = np.ones(2), np.zeros((3, 2))

    def refused(function, kind, message):
        with pytest.raises(kind, match=message):
            JaxNetwork(function, {"w": (2,)}, 2, 1).values(theta, x)

    refused(lambda views, x: jnp.dot(x, views["w"]), ShapeError, r"shape \(3,\) instead of \(3, 1\)")
    refused(lambda views, x: np.sin(x @ views["w"])[:, None], InputError, "jax.numpy in place of numpy")
    refused(lambda views, x: x[:, :1] if views["w"][0] > 0 else x[:, 1:], InputError, "jnp.where")
    refused(lambda views, x: x[:, :1] - x[:, :1].mean(), InputError, "mixes points")
    with pytest.raises(InputError, match="not callable"):
        JaxNetwork("f", {"w": (2,)}, 2, 1)


def test_compiled_functions_do_not_travel():
    network = JaxNetwork(abs, {"w": (1,)}, 1, 1)
    network._made["jacobian"] = lambda: None
    assert pickle.loads(pickle.dumps(network))._made == {}
