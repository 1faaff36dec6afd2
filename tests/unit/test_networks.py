"""Networks: activations against exact derivatives, layouts, blocks and threads, initial variances, bad input."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import sympy as sp

from geomflow.core import memory
from geomflow.core.errors import (
    InputError,
    MemoryLimitError,
    MissingExtraError,
    NotFiniteError,
    ShapeError,
    UnknownNameError,
)
from geomflow.core.monomials import multi_indices
from geomflow.field import Torus
from geomflow.networks import (
    Activation,
    AutogradNetwork,
    CosineNetwork,
    FourierEmbedding,
    JaxNetwork,
    Layout,
    Perceptron,
    activation,
)
from geomflow.networks.activation import ACTIVATIONS
from geomflow.networks.jets import Series

U = sp.Symbol("u", real=True)
EXACT = {
    "gelu": U * (1 + sp.erf(U / sp.sqrt(2))) / 2,
    "tanh": sp.tanh(U),
    "erf": sp.erf(U),
    "cos": sp.cos(U),
    "softplus": sp.log(1 + sp.exp(U)),
}


@pytest.mark.parametrize("name", EXACT)
def test_activation_derivatives_are_exact(name):
    """All six against 40-digit evaluations of sympy's derivatives, to rounding of their largest value."""
    places = [sp.Rational(n, 16) for n in (-400, -90, -37, -16, -1, 0, 3, 16, 41, 88, 200)]
    found = ACTIVATIONS[name].derivatives(np.array([float(place) for place in places]), 5)
    for order in range(6):
        derivative = sp.diff(EXACT[name], U, order)
        expected = np.array([float(derivative.subs(U, place).evalf(40)) for place in places])
        np.testing.assert_allclose(found[order], expected, rtol=2e-15, atol=1e-15 * np.abs(expected[2:-2]).max())


def test_relu_derivatives():
    found = activation("relu").derivatives(np.array([-2.0, 0.0, 3.0]), 5)
    np.testing.assert_array_equal(found[:2], [[0, 0, 3], [0, 0, 1]])
    assert not found[2:].any()


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_fewer_derivatives_are_the_first_ones(name):
    u = np.random.default_rng(0).standard_normal((3, 4))
    every = activation(name).derivatives(u, 5)
    for order in range(5):
        np.testing.assert_array_equal(activation(name).derivatives(u, order), every[: order + 1])
    np.testing.assert_array_equal(activation(name)(u), every[0])


def test_users_own_activation():
    def square(u, out):
        for order, value in enumerate((u * u, 2 * u, 2.0, 0.0, 0.0, 0.0)[: len(out)]):
            out[order] = value

    network = Perceptron(2, (3,), 1, Activation("square", square))
    theta, x = network.initial(0), np.array([[0.3, -0.2]])
    jets = network.jets(theta, x, 3)
    layers = network.layers(theta)
    hessian = np.einsum("n,ni,nj->ij", layers[1][0][0] * 2, layers[0][0], layers[0][0])
    np.testing.assert_allclose(jets[(1, 1)][0, 0], hessian[0, 1], rtol=1e-13)
    np.testing.assert_allclose(jets[(2, 0)][0, 0], hessian[0, 0], rtol=1e-13)
    assert not jets.array[6:].any()


def test_multi_indices_count():
    assert len(multi_indices(4, 4)) == 70
    assert Series(10, 2).channels == 66
    assert multi_indices(3, 1) == ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))


def test_series_of_a_polynomial():
    """(1 + x + y²)² expanded, by products and by composition with the square."""
    series = Series(2, 4)
    base = np.zeros((series.channels, 1))
    for index in ((0, 0), (1, 0), (0, 2)):
        base[series.indices.index(index)] = 1
    expected = {(0, 0): 1, (1, 0): 2, (2, 0): 1, (0, 2): 2, (1, 2): 2, (0, 4): 1}
    outer = np.array([[1.0], [2.0], [2.0], [0.0], [0.0]])
    for found in (series.multiply(base, base), series.compose(outer, base)):
        assert {i: v for i, v in zip(series.indices, found[:, 0]) if v} == expected


@pytest.mark.parametrize("parametrisation", ["ntk", "standard"])
def test_initial_variances(parametrisation):
    """Outputs of a wide linear network: variance σ_w² |x|²/d + σ_b² a layer, the same in both parametrisations."""
    network = Perceptron(3, (), 4000, "tanh", parametrisation, weight_std=1.5, bias_std=0.7)
    x = np.array([[0.3, -1.0, 0.4]])
    values = network.values(network.initial(1), x)
    assert values.var() == pytest.approx(1.5**2 * 1.25 / 3 + 0.49, rel=0.1)


def test_parametrisations_are_the_same_functions():
    """Standard parameters are the NTK ones times their deviations."""
    ntk, standard = (Perceptron(3, (6, 5), 2, "erf", kind, 1.4, 0.2) for kind in ("ntk", "standard"))
    x = np.random.default_rng(0).standard_normal((4, 3))
    np.testing.assert_array_equal(ntk.values(ntk.initial(3), x), standard.values(standard.initial(3), x))
    assert not np.allclose(ntk.tangent_kernel(ntk.initial(3), x), standard.tangent_kernel(standard.initial(3), x))


def test_biases_without_variance():
    assert set(Perceptron(2, (3,)).layout.shapes) == {"W0", "W1"}
    network = Perceptron(2, (3,), parametrisation="standard")
    assert not network.layout.views(network.initial(0))["b0"].any()


def test_blocks_and_threads_do_not_matter(monkeypatch):
    """Many points in blocks on any number of threads: the same values; the same gradient bit for bit."""
    network = Perceptron(3, (64, 64), 2, "gelu")
    rng = np.random.default_rng(0)
    theta, x, cotangent = network.initial(0), rng.uniform(size=(5000, 3)), rng.standard_normal((5000, 2))
    values, gradient = network.values(theta, x), network.vjp(theta, x, cotangent)
    monkeypatch.setenv("GEOMFLOW_THREADS", "1")
    np.testing.assert_array_equal(network.values(theta, x), values)
    np.testing.assert_array_equal(network.vjp(theta, x, cotangent), gradient)
    pieces = sum(network.vjp(theta, x[s : s + 700], cotangent[s : s + 700]) for s in range(0, 5000, 700))
    np.testing.assert_allclose(gradient, pieces, rtol=1e-11, atol=1e-11 * np.abs(gradient).max())
    np.testing.assert_allclose(np.concatenate([network.values(theta, x[:33]), network.values(theta, x[33:])]), values)


def test_no_points():
    network = Perceptron(2, (4,), 3)
    theta, none = network.initial(0), np.empty((0, 2))
    assert network.values(theta, none).shape == (0, 3)
    assert network.jacobian(theta, none).shape == (0, 3, network.size)
    assert network.tangent_kernel(theta, none, np.zeros((2, 2))).shape == (0, 2, 3, 3)
    assert not network.vjp(theta, none, np.empty((0, 3))).any()


def test_jets_are_a_mapping():
    network = Perceptron(2, (4,), 1, "tanh")
    jets = network.jets(network.initial(0), np.zeros((3, 2)), 2)
    assert list(jets) == [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
    assert jets.order == 2
    assert "order 2" in repr(jets)
    with pytest.raises(KeyError, match="2 inputs and order 2"):
        jets[(3, 0)]


def test_unknown_names():
    with pytest.raises(UnknownNameError, match="did you mean 'gelu'"):
        Perceptron(2, activation="gulu")
    with pytest.raises(UnknownNameError, match="standard"):
        Perceptron(2, parametrisation="standart")
    with pytest.raises(UnknownNameError, match="parameter 'W9'"):
        Perceptron(2).layout.flat({"W9": np.zeros(3)})


@pytest.mark.parametrize(
    "make",
    [
        lambda: Perceptron(0),
        lambda: Perceptron(2, hidden=(4, -1)),
        lambda: Perceptron(2, hidden=(4, 2.5)),
        lambda: Perceptron(2, weight_std=0.0),
        lambda: Perceptron(2, bias_std=float("nan")),
        lambda: Perceptron(3, embedding=FourierEmbedding(Torus(2))),
        lambda: FourierEmbedding(Torus(2), harmonics=0),
        lambda: FourierEmbedding(2),
        lambda: CosineNetwork(2, 10, kernel_width=0.1, torus=2),
        lambda: Perceptron(2, embedding=Torus(2)),
        lambda: Perceptron(2).initial("seven"),
        lambda: AutogradNetwork(np.sin, [("w", (1,))], 1, 1),
        lambda: CosineNetwork(2, 10),
        lambda: CosineNetwork(2, 10, kernel_width=0.1, weight_std=3.0),
        lambda: CosineNetwork(2, 10, kernel_width=-0.1),
        lambda: CosineNetwork(3, 10, kernel_width=0.1, torus=Torus(2)),
        lambda: AutogradNetwork("f", Layout((("w", (1,)),)), 1, 1),
        lambda: Layout((("w", (1,)), ("w", (2,)))),
        lambda: activation("tanh").derivatives(np.zeros(2), 6),
    ],
)
def test_settings_out_of_range(make):
    with pytest.raises(InputError):
        make()


@pytest.fixture(params=["perceptron", "cosine"])
def network(request):
    return Perceptron(2, (4,), 3) if request.param == "perceptron" else CosineNetwork(2, 5, 0.3, outputs=3)


def test_wrong_shapes(network):
    theta, x = network.initial(0), np.zeros((4, 2))
    with pytest.raises(ShapeError, match=r"points have shape \(4, 3\); this network takes \(points, 2\)"):
        network.values(theta, np.zeros((4, 3)))
    with pytest.raises(ShapeError, match=r"shape \(2,\)"):
        network.jets(theta, np.zeros(2), 1)
    with pytest.raises(ShapeError, match=rf"\({network.size},\)"):
        network.values(theta[:-1], x)
    with pytest.raises(ShapeError, match="direction"):
        network.jvp(theta, x, theta[:-1])
    with pytest.raises(ShapeError, match=r"\(4, 3\)"):
        network.vjp(theta, x, np.zeros((4, 2)))
    with pytest.raises(ShapeError, match=r"cotangent of \(1, 0\)"):
        network.jets_vjp(theta, x, {(1, 0): np.zeros((3, 3))})
    with pytest.raises(InputError, match="multi-index"):
        network.jets_vjp(theta, x, {(1,): np.zeros((4, 3))})
    with pytest.raises(InputError, match="order is 5"):
        network.jets(theta, x, 5)


def test_non_finite_input(network):
    theta, x = network.initial(0), np.zeros((4, 2))
    theta[-1] = np.nan
    last = list(network.layout.shapes)[-1]
    with pytest.raises(NotFiniteError, match=f"1 of {network.size} parameters are not finite, the first in '{last}'"):
        network.tangent_kernel(theta, x)
    x[2, 1] = np.inf
    with pytest.raises(NotFiniteError, match="point 2 of 4"):
        network.values(network.initial(0), x)


def test_jacobian_too_large_names_the_block(monkeypatch, network):
    """The bytes are said first, with the number of points that fits, and that number does fit."""
    theta, x = network.initial(0), np.zeros((3000, 2))
    monkeypatch.setattr(memory, "available", lambda: 100_000)
    with pytest.raises(MemoryLimitError, match=r"3,000 points .* take blocks of at most (\d+) points") as failure:
        network.jacobian(theta, x)
    fits = int(str(failure.value).split("at most ")[1].split()[0])
    assert network.jacobian(theta, x[:fits]).nbytes <= 100_000
    with pytest.raises(MemoryLimitError, match=r"tangent kernel between 3,000 and 3,000 points .* take blocks"):
        network.tangent_kernel(theta, x)


def test_complex_input_is_refused(network):
    theta, x = network.initial(0), np.zeros((4, 2))
    for values in (lambda: network.values(theta, x + 1j), lambda: network.values(theta + 1j, x),
                   lambda: network.vjp(theta, x, np.full((4, 3), 1j))):
        with pytest.raises(InputError, match="are complex, and real numbers are needed"):
            values()
    with pytest.raises(InputError, match="the points must be an array of numbers, and a str was given"):
        network.values(theta, "here")


def test_networks_too_large_to_draw_say_their_bytes():
    with pytest.raises(MemoryLimitError, match=r"1,000,003,000,000 parameters .* narrower"):
        Perceptron(2, (10**6, 10**6)).initial(0)
    with pytest.raises(MemoryLimitError, match="wave vectors"):
        CosineNetwork(2, 10**12, 0.3)


def test_autograd_network_takes_names_with_shapes():
    network = AutogradNetwork(lambda views, x: x @ views["w"], {"w": (2, 1)}, 2, 1)
    assert network.layout == Layout((("w", (2, 1)),))
    with pytest.raises(ShapeError, match=r"returned shape \(\) instead of \(3, 1\)"):
        AutogradNetwork(lambda views, x: 1.0, {"w": (1,)}, 2, 1).values(np.zeros(1), np.zeros((3, 2)))


def test_autograd_network_checks_the_shape():
    network = AutogradNetwork(lambda views, x: x, Layout((("w", (1,)),)), 2, 1)
    with pytest.raises(ShapeError, match=r"returned shape \(3, 2\) instead of \(3, 1\)"):
        network.values(np.zeros(1), np.zeros((3, 2)))


def test_without_jax_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(MissingExtraError, match=r"'jax'.*geomflow\[jax\]"):
        JaxNetwork(lambda views, x: x, {"w": (1,)}, 1, 1)


def test_sentences():
    assert "ntk" not in repr(Perceptron(2)).replace("NTK", "")
    assert "periodic on the torus" in repr(CosineNetwork(2, 5, 0.3, torus=Torus(2)))
    assert "by autograd" in repr(AutogradNetwork(lambda v, x: x, Layout((("w", (1,)),)), 1, 1))
    assert repr(activation("relu")) == "the activation relu"


def test_a_function_that_mixes_points_is_refused():
    import autograd.numpy as anp

    def normed(views, x):
        u = anp.dot(x, views["w"].T)
        return u / (1e-3 + anp.std(u, axis=0))

    network = AutogradNetwork(normed, {"w": (2, 3)}, inputs=3, outputs=2)
    theta, x = network.initial(0), np.random.default_rng(0).random((5, 3))
    for call in (network.values, network.jacobian, network.tangent_kernel):
        with pytest.raises(InputError, match="mixes points"):
            call(theta, x)


@pytest.mark.parametrize("name", ["weight_std", "bias_std"])
@pytest.mark.parametrize("value", [[1.0, 2.0], "1", None, True])
def test_deviations_are_one_number_for_all_layers(name, value):
    with pytest.raises(InputError, match="one number for all layers"):
        Perceptron(2, (4,), **{name: value})
