"""Tangent kernels of models against automatic differentiation of the same formulas, and kernels on potentials against
multiprecision arithmetic."""

from __future__ import annotations

import autograd.numpy as anp
import mpmath
import numpy as np
import pytest
from autograd import elementwise_grad, jacobian
from autograd.scipy.special import erf
from learned_models import ALPHA, CURVE, METRIC_MODELS, POTENTIAL_MODELS, perceptron, points

from geomflow.field import ComplexTorus
from geomflow.field.sampling import closed_form
from geomflow.kernels.empirical import EmpiricalKernel, EmpiricalPotentialKernel
from geomflow.kernels.gaussian import GaussianKernel
from geomflow.kernels.potential import PotentialKernel
from geomflow.kernels.tangent import pair_matrix
from geomflow.networks import CholeskyModel, Correction, IndependentComponents, PotentialModel, Rescaled
from geomflow.networks.activation import ACTIVATIONS
from geomflow.networks.components import SharedComponents, UncorrectedComponents

PLAIN = {
    "relu": lambda u: anp.maximum(u, 0.0),
    "gelu": lambda u: 0.5 * u * (1 + erf(u / np.sqrt(2))),
    "tanh": anp.tanh,
    "erf": erf,
    "cos": anp.cos,
    "softplus": lambda u: anp.logaddexp(0.0, u),
}


def forward(network, parameters, x):
    """The perceptron's outputs (p, outputs), written again."""
    phases = anp.dot(x, 2 * np.pi * np.linalg.inv(np.array(network.embedding.torus.lattice)))
    z = anp.concatenate([anp.cos(phases), anp.sin(phases)], axis=1)
    views, layers = network.layout.views(parameters), network.depth + 1
    for layer in range(layers):
        z = anp.dot(z, views[f"W{layer}"].T) / np.sqrt(z.shape[1]) + 0.3 * views[f"b{layer}"]
        z = PLAIN[network.activation.name](z) if layer < layers - 1 else z
    return z


def component_outputs(model, parameters, x):
    """u (p, m) of independent networks or of one."""
    if model.network.outputs > 1:
        return forward(model.network, parameters, x)
    size = model.network.size
    return anp.concatenate([forward(model.network, parameters[m * size:(m + 1) * size], x) for m in range(3)], axis=1)


def plain_values(model, parameters, x):
    """The model's values, written again for real dimension two."""
    if isinstance(model, Rescaled):
        text = model.alpha
        return _scaled(closed_form(model.torus, text)(*x.T), plain_values(model.model, parameters, x))
    if isinstance(model, Correction):
        return plain_values(model.model, parameters, x)
    if isinstance(model, PotentialModel):
        return forward(model.network, parameters, x)[:, 0]
    xx, xy, yy = component_outputs(model, parameters, x).T
    if isinstance(model, CholeskyModel):
        xx, xy, yy = anp.exp(2 * xx), anp.exp(xx) * xy, xy**2 + anp.exp(2 * yy)
    elif isinstance(model, IndependentComponents | SharedComponents):
        xy = xy / np.sqrt(2)
    else:
        assert isinstance(model, UncorrectedComponents)
    return anp.stack([anp.stack([xx, xy], axis=-1), anp.stack([xy, yy], axis=-1)], axis=-2)


def _scaled(alpha, values):
    return anp.reshape(alpha, (-1,) + (1,) * (values.ndim - 1)) * values


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", [*METRIC_MODELS, *POTENTIAL_MODELS])
def test_theta_is_the_product_of_jacobians_by_autograd(name, activation):
    model = {**METRIC_MODELS, **POTENTIAL_MODELS}[name](activation)
    stream = np.random.default_rng(5)
    theta, x, y = model.initial(stream), points(model, 3, stream), points(model, 4, stream)
    left = jacobian(lambda t: plain_values(model, t, x))(theta)
    right = jacobian(lambda t: plain_values(model, t, y))(theta)
    expected = np.tensordot(left, right, axes=(-1, -1))
    axes = len(model.shape)
    order = (0, 1 + axes, *range(1, 1 + axes), *range(2 + axes, 2 + 2 * axes))
    scale = np.abs(expected).max()
    assert model.tangent_kernel(theta, x, y) == pytest.approx(expected.transpose(order), abs=1e-12 * scale)
    assert model.jacobian(theta, x) == pytest.approx(left, abs=1e-12 * np.abs(left).max())


def second_derivative(function, i, j):
    """∂_i∂_j of a function of points (p, d) to (p,)."""
    first = elementwise_grad(function)
    return lambda x: elementwise_grad(lambda z: first(z)[:, i])(x)[:, j]


def plain_complex_hessian(model, parameters, x):
    """Real and imaginary part of ∂_a∂_b̄ φ, (2, p, n, n), by nested reverse differentiation."""
    n = model.torus.dim

    def part(i, j):
        return second_derivative(lambda z: plain_values(model, parameters, z), i, j)(x)

    real = [[(part(2 * a, 2 * b) + part(2 * a + 1, 2 * b + 1)) / 4 for b in range(n)] for a in range(n)]
    imag = [[(part(2 * a, 2 * b + 1) - part(2 * a + 1, 2 * b)) / 4 for b in range(n)] for a in range(n)]
    return anp.stack([anp.stack([anp.stack(row, axis=-1) for row in rows], axis=-2) for rows in (real, imag)])


@pytest.mark.parametrize("activation", ["tanh", "gelu", "cos"])
@pytest.mark.parametrize("name", ["potential", "potential in two dimensions"])
def test_kernel_of_a_potential_metric_is_the_product_of_jacobians_by_autograd(name, activation):
    model = POTENTIAL_MODELS[name](activation)
    stream = np.random.default_rng(6)
    theta, x = model.initial(stream), points(model, 2, stream)
    real, imag = jacobian(lambda t: plain_complex_hessian(model, t, x))(theta)
    rows = real + 1j * imag
    expected = np.tensordot(rows, rows, axes=(-1, -1)).transpose(0, 3, 1, 2, 4, 5)
    kernel = EmpiricalKernel(model, theta)
    assert kernel.theta(x) == pytest.approx(expected, abs=1e-12 * np.abs(expected).max())
    same = PotentialKernel(EmpiricalPotentialKernel(model, theta))
    assert np.array_equal(same.theta(x), kernel.theta(x))
    assert model.metric(theta, x) - model.target.reference(x) == pytest.approx(
        sum(factor * part for factor, part in zip((1, 1j), plain_complex_hessian(model, theta, x))), abs=1e-12)


def exact_wrapped_gaussian(torus, scale):
    """k(r), summed over the images of a lattice in multiprecision."""
    lattice = [[mpmath.mpf(value) for value in row] for row in torus.lattice]
    dim = len(lattice)

    def value(*r):
        total = mpmath.mpf(0)
        for n in np.ndindex(*(13,) * dim):
            shift = [sum((n[a] - 6) * lattice[a][k] for a in range(dim)) for k in range(dim)]
            total += mpmath.exp(-sum((r[k] + shift[k]) ** 2 for k in range(dim)) / (2 * mpmath.mpf(scale) ** 2))
        return total / (2 * mpmath.pi * mpmath.mpf(scale) ** 2) ** (mpmath.mpf(dim) / 2)

    return value


@pytest.mark.parametrize("scale", [0.2, 0.45])
@pytest.mark.parametrize("torus", [CURVE, ComplexTorus(1, periods=(1.0, 1.3))])
def test_wrapped_gaussian_on_potentials_matches_multiprecision(torus, scale):
    """∂∂̄∂'∂̄' k(x − x') = (1/16) Δ² k(r) in complex dimension one."""
    x, y = np.array([[0.3, 0.1]]), np.array([[0.05, 0.35]])
    with mpmath.workdps(40):
        k = exact_wrapped_gaussian(torus, scale)
        r = [mpmath.mpf(a) - mpmath.mpf(b) for a, b in zip(x[0], y[0])]
        orders = {(4, 0): 1, (2, 2): 2, (0, 4): 1}
        expected = float(sum(times * mpmath.diff(k, tuple(r), order) for order, times in orders.items()) / 16)
    found = PotentialKernel(GaussianKernel(scale).wrapped(torus)).theta(x, y)[0, 0, 0, 0, 0, 0]
    assert found.real == pytest.approx(expected, rel=1e-10)
    assert found.imag == 0


def test_gaussian_on_potentials_matches_multiprecision_in_complex_dimension_two():
    """All sixteen components by fourth derivatives of the kernel as a function of both points."""
    scale, x, y = 0.4, np.array([[0.3, 0.1, 0.2, 0.7]]), np.array([[0.05, 0.35, 0.4, 0.5]])
    found = PotentialKernel(GaussianKernel(scale)).theta(x, y)[0, 0]
    with mpmath.workdps(30):
        r = [mpmath.mpf(a) - mpmath.mpf(b) for a, b in zip(x[0], y[0])]
        lines = [[mpmath.diff(lambda t: mpmath.exp(-t * t / (2 * mpmath.mpf(scale) ** 2)), r[k], m) for m in range(5)]
                 for k in range(4)]
        norm = (2 * mpmath.pi * mpmath.mpf(scale) ** 2) ** 2
        for place in np.ndindex(2, 2, 2, 2):
            assert found[place] == pytest.approx(complex(polynomial(place, lines) / norm), abs=1e-11 * abs(found).max())


def polynomial(place, lines):
    """∂_a∂_b̄∂'_c∂'_d̄ k from the derivatives of its one-dimensional factors, expanding (∂_x ± i∂_y)/2 four times."""
    total = mpmath.mpc(0)
    for halves in np.ndindex(2, 2, 2, 2):
        orders, factor = [0] * 4, mpmath.mpc(1) / 16
        for slot, (direction, half) in enumerate(zip(place, halves)):
            orders[2 * direction + half] += 1
            factor *= (mpmath.mpc(0, -1) if slot % 2 == 0 else mpmath.mpc(0, 1)) if half else 1
        total += factor * mpmath.fprod(lines[k][orders[k]] for k in range(4))
    return total


def test_off_diagonal_components_run_at_half_speed_and_components_do_not_mix():
    """Θ_12,12 of the corrected model is ½ that of the uncorrected one; (2.21) holds for i ≤ j, k ≤ l."""
    corrected, uncorrected = METRIC_MODELS["independent"]("gelu"), METRIC_MODELS["uncorrected"]("gelu")
    stream = np.random.default_rng(7)
    theta, x = corrected.initial(stream), points(corrected, 4, stream)
    half, whole = corrected.tangent_kernel(theta, x), uncorrected.tangent_kernel(theta, x)
    assert half[:, :, 0, 1, 0, 1] == pytest.approx(0.5 * whole[:, :, 0, 1, 0, 1], rel=1e-14)
    assert half[:, :, 0, 1, 1, 0] == pytest.approx(0.5 * whole[:, :, 0, 1, 0, 1], rel=1e-14)
    assert np.array_equal(half[:, :, 0, 0, 0, 0], whole[:, :, 0, 0, 0, 0])
    network, upper = uncorrected.network, [(0, 0), (0, 1), (1, 1)]
    for m, (i, j) in enumerate(upper):
        part = theta[m * network.size:(m + 1) * network.size]
        assert whole[:, :, i, j, i, j] == pytest.approx(network.tangent_kernel(part, x)[:, :, 0, 0], rel=1e-14)
        assert all(np.all(whole[:, :, i, j, k, l] == 0) for k, l in upper if (k, l) != (i, j))


def test_mean_kernels_are_the_same_for_all_components():
    """(2.22) and (2.23) in the mean over networks; corrected ½(δ_ik δ_jl + δ_il δ_jk) Θ̄, within 4.5 standard errors."""
    model = IndependentComponents(CURVE, perceptron(CURVE, hidden=(8,)))
    draws, x = 300, np.array([[0.1, 0.2], [0.5, 0.9]])
    samples = np.array([model.tangent_kernel(model.initial(seed), x) for seed in range(draws)])
    delta = np.eye(2)
    structure = 0.5 * (np.einsum("ik,jl->ijkl", delta, delta) + np.einsum("il,jk->ijkl", delta, delta))
    single = np.array([model.network.tangent_kernel(model.network.initial(seed), x)[:, :, 0, 0]
                       for seed in range(10_000, 10_000 + 4 * draws)])
    expected = np.multiply.outer(single.mean(axis=0), structure)
    error = np.sqrt(samples.var(axis=0) / draws + np.multiply.outer(single.var(axis=0) / len(single), structure**2))
    gap = np.abs(samples.mean(axis=0) - expected)
    assert np.all(gap <= 4.5 * error)
    assert np.all((gap == 0) == (np.broadcast_to(structure, gap.shape) == 0))


def test_rescaling_multiplies_kernels():
    """Θ̃(x, x') = α(x) α(x') Θ(x, x'): eq. (2.16)."""
    inner = METRIC_MODELS["cholesky"]("tanh")
    stream = np.random.default_rng(8)
    theta, x, y = inner.initial(stream), points(inner, 3, stream), points(inner, 4, stream)
    at_x, at_y = (closed_form(inner.torus, ALPHA)(*place.T) for place in (x, y))
    expected = np.einsum("p,q,pqijkl->pqijkl", at_x, at_y, inner.tangent_kernel(theta, x, y))
    scaled = Rescaled(inner, ALPHA)
    assert scaled.tangent_kernel(theta, x, y) == pytest.approx(expected, rel=1e-14)
    jacobians = [scaled.jacobian(theta, place).reshape(-1, inner.size) for place in (x, y)]
    assert pair_matrix(expected) == pytest.approx(jacobians[0] @ jacobians[1].T, abs=1e-12)
