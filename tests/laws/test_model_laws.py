"""Laws of models and of tensor kernels: adjoints, symmetry and positivity of Θ, one step, closedness."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learned_models import KAHLER_SURFACE, METRIC_MODELS, MODELS, OTHERS, POTENTIAL_MODELS, SURFACE, perceptron, points

from geomflow.core.monomials import multi_indices
from geomflow.kernels.empirical import EmpiricalKernel, EmpiricalPotentialKernel, hermitian_probe
from geomflow.kernels.gaussian import DeltaKernel, GaussianKernel
from geomflow.kernels.potential import PotentialKernel, images, periodic, waves
from geomflow.kernels.tangent import Covariant, Kronecker, Symmetrised, drift, frame, from_frame, pair_matrix, pulled
from geomflow.networks import CholeskyModel, PotentialModel
from geomflow.networks.periodic import lattice_points
from geomflow.testing import seeds

QUICK = settings(max_examples=15, deadline=None)
FEW = settings(max_examples=6, deadline=None)
every_model = st.sampled_from(sorted(MODELS))
smooth = st.sampled_from(("gelu", "tanh", "erf", "cos", "softplus"))


def drawn(name, activation, seed, count=4):
    """A model, its parameters, points, and the stream they came from."""
    model, stream = MODELS[name](activation), np.random.default_rng(seed)
    return model, model.initial(stream), points(model, count, stream), stream


def random_metrics(stream, count, dim):
    """Positive matrices (count, dim, dim)."""
    half = stream.standard_normal((count, dim, dim))
    return half @ half.swapaxes(-1, -2) + 0.3 * np.eye(dim)


@QUICK
@given(every_model, smooth, seeds)
def test_reverse_is_the_adjoint_of_forward(name, activation, seed):
    """⟨D, J v⟩ = ⟨Jᵀ D, v⟩ for values, and both are the Jacobian's."""
    model, theta, x, stream = drawn(name, activation, seed)
    v, d = stream.standard_normal(model.size), stream.standard_normal((len(x), *model.shape))
    forward, back = model.jvp(theta, x, v), model.vjp(theta, x, d)
    flat = model.jacobian(theta, x).reshape(-1, model.size)
    size = np.linalg.norm(flat) * np.linalg.norm(v) * np.linalg.norm(d)
    assert abs(np.vdot(d, forward) - back @ v) < 1e-13 * size
    assert np.abs(flat @ v - forward.ravel()).max() < 1e-13 * size
    assert np.abs(flat.T @ d.ravel() - back).max() < 1e-13 * size


@QUICK
@given(st.sampled_from(sorted({**METRIC_MODELS, **POTENTIAL_MODELS, "linearised": None})), smooth, seeds)
def test_reverse_of_jets_is_the_adjoint_of_their_rates(name, activation, seed):
    """For all input derivatives up to the third at once, and for the metric that the values make."""
    model, theta, x, stream = drawn(name, activation, seed, 2)
    v = stream.standard_normal(model.size)
    rates = model.jets_jvp(theta, x, v, 3)
    d = {index: stream.standard_normal(rate.shape) for index, rate in rates.items()}
    size = sum(np.linalg.norm(rates[i]) * np.linalg.norm(d[i]) for i in d)
    assert abs(sum(np.vdot(d[i], rates[i]) for i in d) - model.jets_vjp(theta, x, d) @ v) < 1e-12 * size
    n = model.target.metric_shape[0]
    weights = hermitian_probe(stream, len(x), n) if model.shape == () else stream.standard_normal((len(x), n, n))
    rate = model.metric_jvp(theta, x, v)
    gap = np.sum(weights * rate).real - model.metric_vjp(theta, x, weights) @ v
    assert abs(gap) < 1e-12 * np.linalg.norm(weights) * np.linalg.norm(rate)


@QUICK
@given(every_model, smooth, seeds)
def test_theta_is_symmetric_and_positive(name, activation, seed):
    """Symmetric in the pairs (p, ij), (q, kl), Θ(x, y) = Θ(y, x)ᵀ, symmetric in ij, and no negative eigenvalue."""
    model, theta, x, stream = drawn(name, activation, seed)
    y = points(model, 3, stream)
    kernel, axes = model.tangent_kernel(theta, x), len(model.shape)
    matrix = pair_matrix(kernel) if axes else kernel
    eigenvalues = np.linalg.eigvalsh(matrix)
    assert np.abs(matrix - matrix.T).max() <= 1e-14 * np.abs(matrix).max()
    assert eigenvalues[0] >= -1e-13 * eigenvalues[-1]
    across, back = model.tangent_kernel(theta, x, y), model.tangent_kernel(theta, y, x)
    swapped = back.transpose(1, 0, 4, 5, 2, 3) if axes else back.T
    assert across == pytest.approx(swapped, abs=1e-13 * np.abs(across).max())
    if axes:
        assert np.array_equal(kernel, kernel.swapaxes(2, 3))


@FEW
@given(st.sampled_from(sorted(POTENTIAL_MODELS)[:2]), smooth, seeds)
def test_kernel_of_a_potential_metric_is_hermitian_and_positive(name, activation, seed):
    model, theta, x, _ = drawn(name, activation, seed, 3)
    matrix = EmpiricalKernel(model, theta).matrix(x)
    eigenvalues = np.linalg.eigvalsh(matrix)
    assert np.abs(matrix - matrix.conj().T).max() <= 1e-13 * np.abs(matrix).max()
    assert eigenvalues[0] >= -1e-13 * eigenvalues[-1]


@FEW
@given(st.floats(0.1, 1.0), st.booleans(), seeds)
def test_gaussian_on_potentials_is_hermitian_and_positive(scale, wrapped, seed):
    x = np.random.default_rng(seed).random((4, 4))
    gaussian = GaussianKernel(scale)
    kernel = PotentialKernel(gaussian.wrapped(KAHLER_SURFACE) if wrapped else gaussian)
    matrix = kernel.matrix(x)
    eigenvalues = np.linalg.eigvalsh(matrix)
    assert np.abs(matrix - matrix.conj().T).max() <= 1e-12 * np.abs(matrix).max()
    assert eigenvalues[0] >= -1e-12 * eigenvalues[-1]


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(sorted({**METRIC_MODELS, "user": None, "potential": None})), smooth, seeds)
def test_one_step_is_the_kernel_prediction_to_second_order(name, activation, seed):
    """g(θ − η Jᵀ D) = g(θ) − η Θ D + O(η²): the fitted slope of what is left is 2."""
    model, theta, x, stream = drawn(name, activation, seed)
    d = stream.standard_normal((len(x), *model.shape))
    gradient = model.vjp(theta, x, d)
    if model.shape:
        predicted = EmpiricalKernel(model, theta).apply(x, None, d)
    else:
        predicted = EmpiricalPotentialKernel(model, theta).apply(x, None, d)
    start, steps = model.values(theta, x), 2.0 ** -np.arange(6, 11) / np.linalg.norm(gradient)
    rests = [np.linalg.norm(model.values(theta - eta * gradient, x) - start + eta * predicted) for eta in steps]
    slope = np.polyfit(np.log(steps), np.log(rests), 1)[0]
    assert abs(slope - 2) < 0.1


@QUICK
@given(st.sampled_from(sorted({**METRIC_MODELS, **OTHERS})), smooth, seeds, st.integers(1, 5))
def test_matrix_free_action_is_that_of_the_array(name, activation, seed, block):
    model, theta, x, stream = drawn(name, activation, seed)
    y = points(model, 6, stream)
    d = stream.standard_normal((len(y), 2, 2))
    kernel = EmpiricalKernel(model, theta)
    expected = np.einsum("pqijkl,qkl->pij", kernel.theta(x, y), d)
    assert kernel.apply(x, y, d, block=block) == pytest.approx(expected, abs=1e-12 * np.abs(expected).max() + 1e-13)


@FEW
@given(st.booleans(), seeds, st.integers(1, 5))
def test_matrix_free_action_on_hermitian_forms_is_that_of_the_array(empirical, seed, block):
    stream = np.random.default_rng(seed)
    model = POTENTIAL_MODELS["potential in two dimensions"]("tanh")
    x, y = points(model, 3, stream), points(model, 4, stream)
    d = hermitian_probe(stream, len(y), 2)
    network = EmpiricalPotentialKernel(model, model.initial(stream))
    kernel = PotentialKernel(network if empirical else GaussianKernel(0.4).wrapped(KAHLER_SURFACE))
    expected = np.einsum("pqabcd,qcd->pab", kernel.theta(x, y), d)
    found = kernel.apply(x, y, d, block=block)
    assert found == pytest.approx(expected, abs=1e-11 * np.abs(expected).max())
    assert np.array_equal(found, np.conj(found.swapaxes(-1, -2)))


@QUICK
@given(st.sampled_from((Kronecker, Symmetrised, Covariant)), st.floats(0.1, 1.0), seeds)
def test_structures_are_symmetric_positive_and_act_as_their_arrays(structure, scale, seed):
    stream = np.random.default_rng(seed)
    x, y, kernel = stream.random((4, 2)), stream.random((5, 2)), structure(GaussianKernel(scale))
    g, h, d = random_metrics(stream, 4, 2), random_metrics(stream, 5, 2), stream.standard_normal((5, 2, 2))
    expected = np.einsum("pqijkl,qkl->pij", kernel.theta(x, y, g, h), d)
    assert kernel.apply(x, y, d, g, h) == pytest.approx(expected, abs=1e-12 * np.abs(expected).max())
    matrix = kernel.matrix(x, None, g)
    eigenvalues = np.linalg.eigvalsh(matrix)
    assert np.abs(matrix - matrix.T).max() <= 1e-13 * np.abs(matrix).max()
    assert eigenvalues[0] >= -1e-13 * eigenvalues[-1]


@QUICK
@given(seeds, st.integers(1, 4))
def test_covariant_kernel_is_perelmans_in_the_local_limit(seed, dim):
    """With the delta kernel: Θ_ijkl = ½(g_ik g_jl + g_il g_jk)/w at equal points and 0 at others."""
    stream = np.random.default_rng(seed)
    x, g, w = stream.random((3, dim)), random_metrics(stream, 3, dim), stream.random(3) + 0.5
    kernel = Covariant(DeltaKernel()).theta(x, None, g, w_x=w)
    expected = 0.5 * (np.einsum("pik,pjl->pijkl", g, g) + np.einsum("pil,pjk->pijkl", g, g))
    for p in range(3):
        assert kernel[p, p] == pytest.approx(expected[p] / w[p], rel=1e-12, abs=1e-12)
    assert np.all(kernel[~np.eye(3, dtype=bool)] == 0)
    by_default = Covariant(DeltaKernel()).theta(x, None, g)
    assert by_default[0, 0] == pytest.approx(expected[0] / np.sqrt(np.linalg.det(g[0])), rel=1e-10, abs=1e-12)


@QUICK
@given(seeds, st.integers(1, 4))
def test_frames_go_there_and_back(seed, dim):
    """g = E Eᵀ; `pulled` is the adjoint of `from_frame`."""
    stream = np.random.default_rng(seed)
    g, h = random_metrics(stream, 3, dim), stream.standard_normal((3, dim, dim))
    e, d = frame(g), stream.standard_normal((3, dim, dim))
    assert e @ e.swapaxes(-1, -2) == pytest.approx(g, rel=1e-12, abs=1e-12)
    assert np.vdot(d, from_frame(e, h)) == pytest.approx(np.vdot(pulled(e, d), h), rel=1e-10, abs=1e-10)


@FEW
@given(seeds, st.floats(0.2, 1.2))
def test_cholesky_metrics_are_positive_for_all_parameters(seed, size):
    """Positive definite, with log det g = 2 (u_xx + u_yy)."""
    model, stream = CholeskyModel(SURFACE, perceptron(SURFACE, "gelu")), np.random.default_rng(seed)
    state = model.on(stream.random((50, 2)), parameters=size * stream.standard_normal(model.size))
    state.require_positive()
    outputs = model.joint.values(state.parameters, state.points)
    assert np.linalg.det(state.metric) == pytest.approx(np.exp(2 * (outputs[:, 0] + outputs[:, 2])), rel=1e-8)
    assert model.on(SURFACE.grid(9), parameters=state.parameters).field().smallest_eigenvalue()[0] > 0


@FEW
@given(st.floats(0.15, 0.8), seeds)
def test_waves_and_images_agree(scale, seed):
    """Poisson summation of the fourth derivatives, on a slanted and on a rectangular lattice."""
    stream = np.random.default_rng(seed)
    r = list(stream.uniform(-1, 1, (2, 3)))
    fourth = [index for index in multi_indices(2, 4) if sum(index) == 4]
    for torus in (SURFACE, POTENTIAL_MODELS["potential"]("tanh").torus):
        by_images = images(scale, r, lattice_points(np.array(torus.lattice), 10 * scale + 3), fourth)
        by_waves, chosen = waves(scale, torus, r, fourth), periodic(scale, torus, r, fourth)
        size = 3 / (2 * np.pi * scale**6)
        for index in fourth:
            assert by_waves[index] == pytest.approx(by_images[index], abs=1e-12 * size)
            assert chosen[index] == pytest.approx(by_images[index], abs=1e-12 * size)


def exterior_derivative(grid, form):
    """The largest |∂_c g_{ab̄} − ∂_a g_{cb̄}| of a Hermitian form (*grid, 2, 2), by Fourier derivatives."""

    def holomorphic(values, a):
        indices = [tuple(int(k == 2 * a + part) for k in range(4)) for part in (0, 1)]
        parts = [grid.derivative(values.real, i) + 1j * grid.derivative(values.imag, i) for i in indices]
        return 0.5 * (parts[0] - 1j * parts[1])

    return max(np.abs(holomorphic(form[..., 0, b], 1) - holomorphic(form[..., 1, b], 0)).max() for b in range(2))


def test_kernels_on_potentials_keep_the_form_closed_and_component_kernels_do_not():
    """δg(x) = Σ_q Θ(x, y_q) D(y_q) with arbitrary D has dω = 0 by K on φ, and not by the same K on components."""
    grid, stream = KAHLER_SURFACE.grid(8, scheme="spectral"), np.random.default_rng(3)
    x, y, d = grid.points().reshape(-1, 4), stream.random((5, 4)), hermitian_probe(stream, 5, 2)
    gaussian = GaussianKernel(0.35).wrapped(KAHLER_SURFACE)
    moved = PotentialKernel(gaussian).apply(x, y, d).reshape(*grid.shape, 2, 2)
    components = Kronecker(gaussian).apply(x, y, d).reshape(*grid.shape, 2, 2)
    assert exterior_derivative(grid, components) > np.abs(components).max()
    assert exterior_derivative(grid, moved) < 1e-8 * np.abs(moved).max()
    model = PotentialModel(KAHLER_SURFACE, perceptron(KAHLER_SURFACE, "cos", hidden=(5,)))
    network = EmpiricalKernel(model, 0.1 * model.initial(1)).apply(x, y, d).reshape(*grid.shape, 2, 2)
    assert exterior_derivative(grid, network) < 1e-4 * np.abs(network).max()


@settings(max_examples=3, deadline=None)
@given(seeds)
def test_drift_by_probes_is_that_of_the_arrays(seed):
    """32 random cotangents come within three tenths of ‖Θ_t − Θ_0‖/‖Θ_0‖, for metrics and for potentials."""
    import geomflow.kernels.tangent as tangent

    for name in ("cholesky", "potential"):
        model, theta, x, stream = drawn(name, "tanh", seed, 6)
        start, now = (EmpiricalKernel(model, theta + size * stream.standard_normal(model.size)) for size in (0, 0.2))
        exact = drift(start, now, x)
        assert exact > 0
        assert drift(start, start, x) == 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tangent, "DENSE", 0)
            assert drift(start, now, x, probes=32) == pytest.approx(exact, rel=0.3)
