"""Networks against automatic differentiation, and the cosine network against the Gaussian it tends to.

The oracle is the same formula written with autograd: its Jacobians, nested input derivatives and their reverse share no
line with the hand-written ones.
"""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.scipy.special import erf

from geomflow.field import ComplexTorus, Torus
from geomflow.networks import AutogradNetwork, CosineNetwork, FourierEmbedding, Perceptron
from geomflow.networks.periodic import DiscreteGaussian

NAMES = ("relu", "gelu", "tanh", "erf", "cos", "softplus")
SIGMAS = {
    "relu": lambda u: anp.maximum(u, 0.0),
    "gelu": lambda u: u * (1 + erf(u / np.sqrt(2))) / 2,
    "tanh": anp.tanh,
    "erf": erf,
    "cos": anp.cos,
    "softplus": lambda u: anp.logaddexp(0.0, u),
}
OBLIQUE = [[1.0, 0.2], [-0.3, 0.8]]
SLANTED = [[1.0, 0.45], [0.0, 1.0]]


def oracle(network: Perceptron) -> AutogradNetwork:
    """The perceptron's formula in autograd, from its settings alone."""
    sigma, last = SIGMAS[network.activation.name], network.depth
    ntk = network.parametrisation == "ntk"

    def embedded(x):
        if network.embedding is None:
            return x
        phases = 2 * np.pi * anp.dot(x, np.linalg.inv(np.array(network.embedding.torus.lattice)))
        return anp.concatenate([anp.cos(phases), anp.sin(phases)], axis=1)

    def function(views, x):
        z = embedded(x)
        for layer in range(last + 1):
            weights = views[f"W{layer}"]
            u = anp.dot(z, weights.T) * (network.weight_std / np.sqrt(weights.shape[1]) if ntk else 1.0)
            if f"b{layer}" in views:
                u = u + views[f"b{layer}"] * (network.bias_std if ntk else 1.0)
            z = sigma(u) if layer < last else u
        return z

    return AutogradNetwork(function, network.layout, network.inputs, network.outputs)


def relative(found, expected) -> float:
    return float(np.abs(np.asarray(found) - np.asarray(expected)).max() / np.abs(expected).max())


def build(name, parametrisation="ntk", hidden=(5, 4), embedding=None, bias_std=0.3):
    network = Perceptron(2, hidden, 2, name, parametrisation, 1.3, bias_std, embedding)
    rng = np.random.default_rng(len(name) + len(hidden))
    return network, network.initial(rng), rng.uniform(-1, 1, (4, 2)), rng


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("parametrisation", ["ntk", "standard"])
@pytest.mark.parametrize("hidden", [(7,), (7, 5), (6, 5, 4)])
def test_tangent_kernel_is_that_of_autograd(name, parametrisation, hidden):
    """Θ by layers, and J Jᵀ by hand, equal J Jᵀ of autograd to 1e-12; eq. (2.7)."""
    network, theta, x, _ = build(name, parametrisation, hidden)
    reference = oracle(network)
    jacobian = reference.jacobian(theta, x)
    expected = np.einsum("pas,qbs->pqab", jacobian, jacobian)
    by_hand = network.jacobian(theta, x)
    assert relative(network.values(theta, x), reference.values(theta, x)) < 1e-13
    assert relative(by_hand, jacobian) < 1e-12
    assert relative(np.einsum("pas,qbs->pqab", by_hand, by_hand), expected) < 1e-12
    assert relative(network.tangent_kernel(theta, x), expected) < 1e-12
    assert relative(network.tangent_kernel(theta, x[:1], x[1:]), expected[:1, 1:]) < 1e-12


@pytest.mark.parametrize("bias_std", [0.0, 0.5])
def test_embedded_networks(bias_std):
    """Values, Jacobian and third-order jets through the Fourier embedding of an oblique torus."""
    embedding = FourierEmbedding(Torus(2, lattice=OBLIQUE))
    network, theta, x, _ = build("tanh", "ntk", (5,), embedding, bias_std)
    reference = oracle(network)
    assert relative(network.values(theta, x), reference.values(theta, x)) < 1e-13
    assert relative(network.jacobian(theta, x), reference.jacobian(theta, x)) < 1e-12
    jets, expected = network.jets(theta, x, 3), reference.jets(theta, x, 3)
    for index in expected:
        assert relative(jets[index], expected[index]) < 1e-11


@pytest.mark.parametrize("name", NAMES[1:])
def test_jets_and_their_reverse(name):
    """Fourth-order input derivatives, their parameter gradient and their rate along a direction."""
    network, theta, x, rng = build(name, hidden=(4, 3))
    x = x[:2]
    reference = oracle(network)
    jets, expected = network.jets(theta, x, 4), reference.jets(theta, x, 4)
    assert len(jets) == 15
    for index in expected:
        assert relative(jets[index], expected[index]) < 1e-11
    cotangents = {index: rng.standard_normal(jets[index].shape) for index in jets}
    assert relative(network.jets_vjp(theta, x, cotangents), reference.jets_vjp(theta, x, cotangents)) < 1e-11
    direction = rng.standard_normal(network.size)
    paired = sum(np.sum(cotangents[i] * rate) for i, rate in network.jets_jvp(theta, x, direction, 4).items())
    assert paired == pytest.approx(reference.jets_vjp(theta, x, cotangents) @ direction, rel=1e-10)


def test_relu_jets_are_those_almost_everywhere():
    """A ReLU network is linear near almost every point: first derivatives are autograd's, the rest vanish."""
    network, theta, x, _ = build("relu")
    jets, expected = network.jets(theta, x, 2), oracle(network).jets(theta, x, 1)
    for index in expected:
        assert relative(jets[index], expected[index]) < 1e-13
    assert not jets.array[3:].any()


def test_autograd_network_by_finite_differences():
    """The fallback itself: jvp, and jets against closed forms of f = c sin(w x)."""
    from geomflow.networks import Layout

    layout = Layout((("w", (1,)), ("c", (1,))))
    network = AutogradNetwork(lambda v, x: v["c"] * anp.sin(v["w"] * x), layout, 1, 1)
    theta, x = np.array([1.7, 0.6]), np.array([[0.4], [1.1]])
    phase = 1.7 * x
    jets = network.jets(theta, x, 4)
    for order, shape in enumerate((np.sin, np.cos, lambda u: -np.sin(u), lambda u: -np.cos(u), np.sin)):
        np.testing.assert_allclose(jets[(order,)], 0.6 * 1.7**order * shape(phase), rtol=1e-13)
    rate = network.jvp(theta, x, np.array([0.5, -2.0]))
    np.testing.assert_allclose(rate, -2 * np.sin(phase) + 0.5 * 0.6 * x * np.cos(phase), rtol=1e-13)
    moved = network.jets_jvp(theta, x, np.array([0.0, 1.0]), 2)
    np.testing.assert_allclose(moved[(2,)], -(1.7**2) * np.sin(phase), rtol=1e-13)


def gaussian(x, y, scale):
    squares = ((x[:, None] - y[None]) ** 2).sum(axis=-1)
    return (2 * np.pi * scale**2) ** (-x.shape[1] / 2) * np.exp(-squares / (2 * scale**2))


def standard_error(x, y, scale, width):
    """Exact standard deviation of the empirical kernel: E (cos cos)² = 1/4 + e^{−2|x−y|²/s²}/8 a neuron."""
    mean = gaussian(x, y, scale)
    top = 2 * (2 * np.pi * scale**2) ** (-x.shape[1] / 2)
    squares = ((x[:, None] - y[None]) ** 2).sum(axis=-1)
    return np.sqrt((top**2 * (1 / 4 + np.exp(-2 * squares / scale**2) / 8) - mean**2) / width)


@pytest.mark.parametrize("dim", [1, 2, 4, 6])
def test_cosine_kernel_tends_to_the_gaussian(dim):
    """Eqs. (2.35)–(2.37): errors of the empirical kernel are N^(−1/2), of the size that theory gives."""
    scale = 0.7
    rng = np.random.default_rng(dim)
    x, y = rng.uniform(-0.5, 0.5, (3, dim)), rng.uniform(-0.5, 0.5, (3, dim))
    widths, scores, errors = 4 ** np.arange(4, 9), [], []
    for width in widths:
        networks = (CosineNetwork(dim, int(width), kernel_width=scale, seed=seed) for seed in range(24))
        found = np.array([n.tangent_kernel(n.initial(0), x, y)[:, :, 0, 0] for n in networks])
        difference = found - gaussian(x, y, scale)
        errors.append(np.sqrt(np.mean(difference**2)))
        scores.append(difference / standard_error(x, y, scale, width))
    slope = np.polyfit(np.log(widths), np.log(errors), 1)[0]
    scores = np.array(scores)
    assert abs(slope + 0.5) < 0.06
    assert np.abs(scores).max() < 5
    assert abs(np.sqrt(np.mean(scores**2)) - 1) < 0.15
    assert abs(scores.mean()) < 5 / np.sqrt(24 * len(widths))


def test_cosine_settings_by_the_paper():
    """σ_w and s name the same network, s² = d/σ_w², and A² is that of eq. (2.36)."""
    dim, weight_std = 6, 2.5
    one = CosineNetwork(dim, 50, weight_std=weight_std, seed=3)
    other = CosineNetwork(dim, 50, kernel_width=np.sqrt(dim) / weight_std, seed=3)
    np.testing.assert_allclose(one.waves, other.waves)
    assert one.weight_std == pytest.approx(weight_std)
    assert one.amplitude**2 == pytest.approx(2 * (weight_std**2 / (2 * np.pi * dim)) ** (dim / 2))
    many = CosineNetwork(dim, 20_000, weight_std=weight_std)
    assert many.waves.var() == pytest.approx(weight_std**2 / dim, rel=0.02)
    x = np.random.default_rng(0).uniform(size=(3, dim))
    np.testing.assert_allclose(one.expected_kernel(x), gaussian(x, x, one.kernel_width), rtol=1e-13)


TORI = [
    (Torus(1), 0.05),
    (Torus(1, periods=2.5), 0.9),
    (Torus(2), 0.1),
    (Torus(2, lattice=OBLIQUE), 0.15),
    (ComplexTorus(1, modulus=0.4 + 1.3j), 0.6),
    (Torus(4), 0.3),
    (ComplexTorus(2, periods=(1, 1.5, 0.8, 1)), 0.35),
    (ComplexTorus(3), 0.3),
]


def wrapped(torus, x, y, scale):
    """Σ_λ (2πs²)^{-d/2} e^{−|x−y+λ|²/2s²}: the Gaussian summed over lattice translations."""
    rows = np.array(torus.lattice)
    reach = int(np.ceil(9 * scale * np.linalg.norm(np.linalg.inv(rows), axis=0).max())) + 1
    axes = [np.arange(-reach, reach + 1)] * len(rows)
    shifts = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(rows)) @ rows
    return np.array([[gaussian(a[None], b + shifts, scale).sum() for b in y] for a in x])


@pytest.mark.parametrize("torus, scale", TORI, ids=lambda value: str(value)[:24])
def test_torus_expectation_is_the_wrapped_gaussian(torus, scale):
    """The sum over the discrete distribution of wave vectors equals the sum over images to machine precision."""
    rng = np.random.default_rng(1)
    dim = torus.real_dim
    x, y = (rng.uniform(0, 1, (3, dim)) @ np.array(torus.lattice) for _ in range(2))
    network = CosineNetwork(dim, 10, kernel_width=scale, torus=torus)
    expected = wrapped(torus, x, y, scale)
    top = wrapped(torus, x[:1], x[:1], scale)[0, 0]
    assert np.abs(network.expected_kernel(x, y) - expected).max() < 4e-15 * top * max(1, dim)
    assert network.amplitude**2 / 2 == pytest.approx(top, rel=4e-15 * max(1, dim))
    _, probabilities = network.gaussian.distribution()
    assert probabilities.sum() == pytest.approx(1, abs=1e-13)


@pytest.mark.parametrize(
    "torus, scale",
    [(Torus(2, lattice=SLANTED), 0.35), (Torus(2, lattice=OBLIQUE), 0.15), (Torus(2), 0.6), (Torus(1), 0.1)],
)
def test_wave_vectors_follow_the_discrete_gaussian(torus, scale):
    """Pearson's χ² of 40,000 draws against the exact probabilities, within five standard deviations.

    On the slanted lattice the proposals alone, none rejected, are more than five away.
    """
    count = 40_000
    law = DiscreteGaussian(np.array(torus.lattice), scale)
    drawn = law.draw(count, np.random.default_rng(5))
    waves, probabilities = law.distribution()
    inverse = np.linalg.inv(law.dual)
    np.testing.assert_allclose(drawn @ inverse, np.rint(drawn @ inverse), atol=1e-9)
    place = {tuple(key): i for i, key in enumerate(np.rint(waves @ inverse).astype(int).tolist())}
    seen = np.bincount(
        [place[tuple(key)] for key in np.rint(drawn @ inverse).astype(int).tolist()], minlength=len(waves)
    )
    likely = count * probabilities >= 5
    observed = np.append(seen[likely], seen[~likely].sum())
    predicted = count * np.append(probabilities[likely], probabilities[~likely].sum())
    keep = predicted >= 1
    chi2, freedom = np.sum((observed - predicted)[keep] ** 2 / predicted[keep]), keep.sum() - 1
    assert freedom > 1
    assert abs(chi2 - freedom) < 5 * np.sqrt(2 * freedom)


def test_torus_network_is_periodic_and_converges():
    """f is periodic to rounding, and the empirical kernel tends to the wrapped Gaussian as N^(−1/2)."""
    torus, scale = Torus(2, lattice=OBLIQUE), 0.2
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 1, (4, 2)), rng.uniform(0, 1, (4, 2))
    widths, errors = 4 ** np.arange(4, 9), []
    for width in widths:
        networks = [CosineNetwork(2, int(width), scale, torus=torus, seed=seed) for seed in range(16)]
        found = np.array([n.tangent_kernel(n.initial(0), x, y)[:, :, 0, 0] for n in networks])
        errors.append(np.sqrt(np.mean((found - networks[0].expected_kernel(x, y)) ** 2)))
    assert abs(np.polyfit(np.log(widths), np.log(errors), 1)[0] + 0.5) < 0.06
    theta = networks[0].initial(1)
    values = networks[0].values(theta, x)
    for shift in torus.lattice:
        np.testing.assert_allclose(networks[0].values(theta, x + shift), values, atol=1e-11 * np.abs(values).max())


def test_cosine_network_against_autograd():
    """Jets, their reverse, and the Jacobian of two outputs."""
    network = CosineNetwork(2, 6, kernel_width=0.5, outputs=2, seed=1)

    def function(views, x):
        waves = anp.cos(anp.dot(x, network.waves) + network.phases)
        return network.amplitude / np.sqrt(6) * anp.dot(waves, views["a"].T)

    reference = AutogradNetwork(function, network.layout, 2, 2)
    rng = np.random.default_rng(4)
    theta, x = network.initial(0), rng.uniform(size=(3, 2))
    jets, expected = network.jets(theta, x, 4), reference.jets(theta, x, 4)
    for index in expected:
        assert relative(jets[index], expected[index]) < 1e-12
    cotangents = {index: rng.standard_normal((3, 2)) for index in expected}
    assert relative(network.jets_vjp(theta, x, cotangents), reference.jets_vjp(theta, x, cotangents)) < 1e-12
    jacobian = reference.jacobian(theta, x)
    assert relative(network.jacobian(theta, x), jacobian) < 1e-13
    expected = np.einsum("pas,qbs->pqab", jacobian, jacobian)
    assert relative(network.tangent_kernel(theta, x), expected) < 1e-12
    assert relative(reference.tangent_kernel(theta, x), expected) < 1e-12
