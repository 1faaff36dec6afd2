"""The complex Hessian of networks against autograd, finite differences and exact numbers."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.scipy.special import erf

import geomflow.variety as gv
from benchmarks.networks import GivenInputs
from geomflow.core.hermitian import pack, unpack
from geomflow.fits import PhiNetwork, ProjectiveInputs
from geomflow.networks import Activation, Perceptron
from geomflow.networks.complex_hessian import ComplexHessian

ACTIVATIONS = {
    "gelu": lambda h: h * (1 + erf(h / np.sqrt(2))) / 2,
    "tanh": anp.tanh,
    "erf": erf,
    "cos": anp.cos,
    "softplus": lambda h: anp.logaddexp(0.0, h),
}
TANGENTS, INPUTS, POINTS = 2, 4, 9


class Reference:
    """φ(u + 2 Re t_a x^a + s_{ab̄} x^a x̄^b) at x = 0, all by autograd."""

    def __init__(self, network: Perceptron, curved: bool = True) -> None:
        rng = np.random.default_rng(5)
        self.network, self.function = network, ACTIVATIONS[network.activation.name]
        self.values = rng.normal(size=(POINTS, INPUTS))
        self.tangents = rng.normal(size=(POINTS, TANGENTS, INPUTS, 2)) @ np.array([1, 1j])
        second = rng.normal(size=(POINTS, TANGENTS, TANGENTS, INPUTS, 2)) @ np.array([1, 1j])
        self.second = (second + np.swapaxes(second.conj(), 1, 2)) * curved
        self.mixture = rng.normal(size=(POINTS, TANGENTS**2))

    @property
    def inputs(self) -> GivenInputs:
        return GivenInputs(self.values, self.tangents, self.second if self.second.any() else None)

    def phi(self, theta, u):
        layers = self.network.layout.slices
        for number in range(self.network.depth + 1):
            part = layers[f"W{number}"]
            scale = self.network.scales[part.start]
            u = anp.dot(u, anp.reshape(theta[part], self.network.layout.shapes[f"W{number}"]).T) * scale
            u = u + theta[layers[f"b{number}"]] * self.network.scales[layers[f"b{number}"].start]
            u = self.function(u) if number < self.network.depth else u[:, 0]
        return u

    def moved(self, x):
        n = TANGENTS
        u = self.values
        for a in range(n):
            t = self.tangents[:, a]
            u = u + 2 * (t.real * x[:, a : a + 1] - t.imag * x[:, n + a : n + a + 1])
            for b in range(n):
                real = x[:, a] * x[:, b] + x[:, n + a] * x[:, n + b]
                imaginary = x[:, n + a] * x[:, b] - x[:, a] * x[:, n + b]
                s = self.second[:, a, b]
                u = u + s.real * real[:, None] - s.imag * imaginary[:, None]
        return u

    def hessian(self, theta):
        n, origin = TANGENTS, np.zeros((POINTS, 2 * TANGENTS))
        slope = grad(lambda x: anp.sum(self.phi(theta, self.moved(x))))
        rows = [grad(lambda x, i=i: anp.sum(slope(x)[:, i]))(origin) for i in range(2 * n)]
        parts = [(rows[a][:, a] + rows[n + a][:, n + a]) / 4 for a in range(n)]
        for a in range(n):
            for b in range(a + 1, n):
                parts.append((rows[a][:, b] + rows[n + a][:, n + b]) / 4)
                parts.append((rows[a][:, n + b] - rows[n + a][:, b]) / 4)
        return anp.stack(parts, axis=1)

    def loss(self, theta):
        value = self.phi(theta, self.values)
        return anp.sum(self.mixture * anp.sin(self.hessian(theta))) + anp.sum(value**2)

    def local(self, block, value, packed):
        mixture = self.mixture[block]
        total = np.sum(mixture * np.sin(packed)) + value @ value
        return total, 2 * value, mixture * np.cos(packed)


@pytest.mark.parametrize("parametrisation", ["standard", "ntk"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_hessian_and_gradient_agree_with_autograd(name, parametrisation):
    network = Perceptron(INPUTS, (6, 5), 1, name, parametrisation, bias_std=0.5)
    reference, theta = Reference(network), network.initial(1)
    engine = ComplexHessian(network)
    value, packed = engine(theta, reference.inputs)
    exact = reference.hessian(theta)
    assert np.abs(packed - exact).max() < 1e-12 * np.abs(exact).max()
    assert np.abs(value - reference.phi(theta, reference.values)).max() < 1e-13
    total, gradient = engine.gradient(theta, reference.inputs, reference.local)
    slope = grad(reference.loss)(theta)
    assert total == pytest.approx(reference.loss(theta), rel=1e-12)
    assert np.abs(gradient - slope).max() < 1e-11 * np.abs(slope).max()


def test_inputs_without_second_derivatives_and_one_hidden_layer():
    network = Perceptron(INPUTS, (7,), 1, "gelu", "standard", bias_std=0.5)
    reference, theta = Reference(network, curved=False), network.initial(2)
    gradient = ComplexHessian(network).gradient(theta, reference.inputs, reference.local)[1]
    slope = grad(reference.loss)(theta)
    assert np.abs(gradient - slope).max() < 1e-11 * np.abs(slope).max()


def test_rows_of_the_jacobian_add_up_to_the_gradient():
    network = Perceptron(INPUTS, (6, 5), 1, "tanh", "ntk", bias_std=0.5)
    reference, theta = Reference(network), network.initial(3)
    engine, rows = ComplexHessian(network), np.empty((POINTS, network.size))
    values = engine.jacobian(theta, reference.inputs, lambda *a: (a[1].copy(), *reference.local(*a)[1:]), rows)
    gradient = engine.gradient(theta, reference.inputs, reference.local)[1]
    assert np.abs(rows.sum(axis=0) - gradient).max() < 1e-12 * np.abs(gradient).max()
    assert np.allclose(values, network.values(theta, reference.values)[:, 0], rtol=0, atol=1e-14)


def test_an_activation_of_the_users_own():
    def fill(u, out):
        for k in range(len(out)):
            out[k] = np.sin(u + k * np.pi / 2)

    own = Perceptron(INPUTS, (6, 5), 1, Activation("sine", fill), "standard", bias_std=0.5)
    cosine = Perceptron(INPUTS, (6, 5), 1, "cos", "standard", bias_std=0.5)
    reference, theta = Reference(cosine), own.initial(4)
    shifted = {k: v - (k in ("b0", "b1")) * np.pi / 2 for k, v in own.layout.views(theta).items()}
    expected = ComplexHessian(cosine)(own.layout.flat(shifted), reference.inputs)[1]
    found = ComplexHessian(own)(theta, reference.inputs)[1]
    assert np.abs(found - expected).max() < 1e-12 * np.abs(expected).max()


def test_activations_are_right_far_out():
    import mpmath

    from geomflow.networks import activation

    x = np.concatenate([np.linspace(-9, 9, 41), [-40.0, -1e-9, 0.0, 40.0]])
    exact = {
        "gelu": lambda t: t * mpmath.ncdf(t),
        "erf": mpmath.erf,
        "tanh": mpmath.tanh,
        "cos": mpmath.cos,
        "softplus": lambda t: mpmath.log1p(mpmath.exp(t)),
    }
    for name in exact:
        out = activation(name).derivatives(x, 4)
        with mpmath.workdps(60):
            expected = np.array([[float(d) for d in mpmath.diffs(exact[name], mpmath.mpf(t), 4)] for t in x]).T
        assert np.abs(out - expected).max() < 3e-14, name


def phi_network(variety, seed=0, size=0.05):
    inputs = sum((n + 1) ** 2 for n in variety.ambient.dims)
    network = Perceptron(inputs, (8, 8), 1, "gelu", "standard", bias_std=0.3)
    theta = network.initial(seed)
    theta[network.layout.slices["W2"]] *= size
    return PhiNetwork(variety, network, theta)


def displaced(points, step):
    """Points a step (n,) of the local coordinates away, on the variety, in the same local coordinates."""
    z, every = points.coordinates.copy(), np.arange(len(points))
    for a, move in enumerate(step):
        z[every, points.good[:, a]] += move
    for _ in range(8):
        slope = points.variety.polynomial.gradient(z)[1][every, points.elim]
        z[every, points.elim] -= points.variety.polynomial.value(z) / slope
    moved = points.variety.points(z)
    return gv.in_patch(moved, points.patch, points.elim)


def mixed_derivative(function, points, step=1e-3):
    """∂_a∂_b̄ of a real function of points, (P, n, n), by central differences of fourth order."""
    n = points.variety.dim
    directions = [*np.eye(n), *(1j * np.eye(n))]

    def second(u, v):
        total = 0.0
        for h, c in ((1, 4 / 3), (2, -1 / 3)):
            signs = [(s, t) for s in (1, -1) for t in (1, -1)]
            corners = [s * t * function(displaced(points, h * step * (s * u + t * v))) for s, t in signs]
            total = total + c * sum(corners) / (4 * (h * step) ** 2)
        return total

    real = np.array([[second(u, v) for v in directions] for u in directions])
    mixed = real[:n, :n] + real[n:, n:] + 1j * (real[:n, n:] - real[n:, :n])
    return np.moveaxis(mixed, 2, 0) / 4


@pytest.mark.parametrize("variety", [gv.Fermat(3), gv.Fermat(4), gv.Bicubic()], ids=str)
def test_metric_is_the_mixed_derivative_of_its_potential(variety):
    points, metric = variety.sample(12, seed=3), phi_network(variety)
    g = metric.at(points)
    numeric = mixed_derivative(metric.potential, points)
    assert np.abs(g - numeric).max() < 1e-6 * np.abs(g).max()


@pytest.mark.parametrize("variety", [gv.Fermat(3), gv.Fermat(4)], ids=str)
def test_curvature_is_the_derivative_of_the_volume(variety):
    points, metric = variety.sample(12, seed=4), phi_network(variety)
    ricci = metric.curvature(points).ricci
    numeric = -mixed_derivative(metric.log_determinant, points)
    assert np.abs(ricci - numeric).max() < 1e-5 * np.abs(ricci).max()


def test_second_jets_are_the_metric():
    for variety in (gv.Fermat(5), gv.Bicubic()):
        points, metric = variety.sample(10, seed=5), phi_network(variety)
        second, third, fourth = metric.jets(points)
        assert np.abs(second - metric.at(points)).max() < 1e-12
        assert np.abs(third - np.swapaxes(third, 1, 2)).max() < 1e-12
        assert np.abs(fourth - fourth.transpose(0, 3, 4, 1, 2).conj()).max() < 1e-12 * np.abs(fourth).max()


def test_euler_number_of_the_quartic_surface_from_a_network():
    variety = gv.Fermat(4)
    found = variety.sample(4000, seed=6).euler_number(phi_network(variety, size=0.02))
    assert found.within(24)
    assert found.error < 2


def test_inputs_are_orthonormal_for_fubini_study():
    variety = gv.Bicubic()
    points = variety.sample(20, seed=7)
    inputs = ProjectiveInputs.of(points, (1.0, 2.0))
    weights = np.repeat([1.0, 2.0], 3)
    gram = (inputs.frame * weights) @ np.swapaxes(inputs.frame.conj(), 1, 2)
    assert np.abs(gram - np.eye(3)).max() < 1e-13
    g = gv.FubiniStudy(variety, (1.0, 2.0)).at(points)
    assert np.abs(inputs.lower @ np.swapaxes(inputs.lower.conj(), 1, 2) - g).max() < 1e-13


def test_packed_matrices_unpack():
    rng = np.random.default_rng(8)
    matrix = rng.normal(size=(5, 3, 3)) + 1j * rng.normal(size=(5, 3, 3))
    matrix = matrix + np.swapaxes(matrix.conj(), 1, 2)
    assert np.array_equal(unpack(pack(matrix)), matrix)
