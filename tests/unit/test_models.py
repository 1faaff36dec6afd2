"""Models, their states, and what is said when something cannot be used."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from learned_models import (
    ALPHA,
    CURVE,
    KAHLER_SURFACE,
    METRIC,
    MODELS,
    POTENTIAL_MODELS,
    SURFACE,
    perceptron,
    points,
    user_function,
)

from geomflow.core import memory
from geomflow.core.errors import (
    InputError,
    MemoryLimitError,
    NotFiniteError,
    PositivityError,
    ShapeError,
    SymmetryError,
)
from geomflow.field import ComplexTorus, MetricField, PotentialField, Torus
from geomflow.kernels.empirical import EmpiricalKernel, EmpiricalPotentialKernel
from geomflow.kernels.gaussian import DeltaKernel, GaussianKernel
from geomflow.kernels.potential import PotentialKernel
from geomflow.kernels.tangent import Covariant, Kronecker, drift
from geomflow.networks import (
    CholeskyModel,
    Correction,
    CosineNetwork,
    FourierEmbedding,
    IndependentComponents,
    Linearised,
    Perceptron,
    PotentialModel,
    Rescaled,
    SharedComponents,
    UserModel,
)

GRID = SURFACE.grid(8)
INDEPENDENT = IndependentComponents(SURFACE, perceptron(SURFACE))
POTENTIAL = POTENTIAL_MODELS["potential"]("tanh")


def test_parameters_are_one_flat_array_with_named_views():
    theta = INDEPENDENT.initial(0)
    views = INDEPENDENT.layout.views(theta)
    assert list(views)[:2] == ["g_xx.W0", "g_xx.b0"]
    assert {name.split(".")[0] for name in views} == {"g_xx", "g_xy", "g_yy"}
    assert sum(view.size for view in views.values()) == INDEPENDENT.size == theta.size
    views["g_xy.W0"][...] = 0
    size = INDEPENDENT.network.size
    assert np.all(theta[size:size + views["g_xy.W0"].size] == 0)
    assert np.array_equal(INDEPENDENT.initial(5), INDEPENDENT.initial(5))
    assert next(iter(CholeskyModel(SURFACE, perceptron(SURFACE)).layout.shapes)) == "L_xx.W0"


def test_components_may_have_different_networks():
    networks = [perceptron(SURFACE, hidden=(width,)) for width in (3, 4, 5)]
    model = IndependentComponents(SURFACE, networks)
    assert model.size == sum(network.size for network in networks)
    with pytest.raises(InputError, match="2 networks were given for the 3 components g_xx, g_xy, g_yy"):
        IndependentComponents(SURFACE, networks[:2])


def test_metrics_are_symmetric_with_scaled_off_diagonals():
    theta, x = INDEPENDENT.initial(1), points(INDEPENDENT, 5, np.random.default_rng(0))
    metric, outputs = INDEPENDENT.values(theta, x), INDEPENDENT.joint.values(theta, x)
    assert np.array_equal(metric, metric.swapaxes(1, 2))
    assert metric[:, 0, 1] == pytest.approx(outputs[:, 1] / np.sqrt(2), rel=1e-15)
    assert np.array_equal(metric[:, 1, 1], outputs[:, 2])


def test_references_may_be_text_sympy_callable_constant_or_none():
    x = points(INDEPENDENT, 6, np.random.default_rng(1))
    zero = np.zeros(INDEPENDENT.size)
    a, b = SURFACE.symbols
    wave = sympy.sin(4 * sympy.pi * b / 3) / 10
    exact = [[1 + sympy.cos(2 * sympy.pi * a) / 5, wave], [wave, 1]]

    def called(u, v):
        off = np.sin(4 * np.pi * v / 3) / 10
        return [[1 + np.cos(2 * np.pi * u) / 5, off], [off, np.ones_like(u)]]

    found = [Correction(given, INDEPENDENT).values(zero, x) for given in (METRIC, exact, sympy.Matrix(exact), called)]
    assert all(other == pytest.approx(found[0], abs=1e-14) for other in found[1:])
    constant = Correction(np.diag([2.0, 3.0]), INDEPENDENT).values(zero, x)
    assert np.array_equal(constant, np.broadcast_to(np.diag([2.0, 3.0]), constant.shape))
    assert np.array_equal(Correction(None, INDEPENDENT).values(zero, x), np.broadcast_to(np.eye(2), (6, 2, 2)))


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"cosine"}))
def test_jets_are_derivatives_of_each_other(name):
    """Central differences of every derivative up to the second, by position and by parameters."""
    model, stream = MODELS[name]("tanh"), np.random.default_rng(2)
    theta, x, h = model.initial(stream), points(model, 3, stream), 1e-5
    top, v = model.jets(theta, x, 3), stream.standard_normal(model.size)
    lower = [index for index in top if sum(index) < 3]
    for axis in range(model.torus.real_dim):
        step = h * np.eye(model.torus.real_dim)[axis]
        ahead, behind = (model.jets(theta, x + sign * step, 2) for sign in (1, -1))
        for index in lower:
            raised = tuple(n + (k == axis) for k, n in enumerate(index))
            size = max(np.abs(top[raised]).max(), np.abs(top[index]).max())
            assert (ahead[index] - behind[index]) / (2 * h) == pytest.approx(top[raised], abs=1e-6 * size + 1e-9)
    rates = model.jets_jvp(theta, x, v, 2)
    ahead, behind = (model.jets(theta + sign * h * v, x, 2) for sign in (1, -1))
    for index in lower:
        size = np.abs(rates[index]).max() + np.abs(top[index]).max()
        assert (ahead[index] - behind[index]) / (2 * h) == pytest.approx(rates[index], abs=1e-6 * size + 1e-9)


def test_models_on_grids_are_ordinary_fields():
    model = Correction(METRIC, Rescaled(INDEPENDENT, 0.05))
    state = model.on(GRID, seed=3)
    field = state.field()
    assert isinstance(field, MetricField)
    assert np.array_equal(field.values, state.values)
    assert state.values.shape == (8, 8, 2, 2)
    assert state.distance(field) == 0
    assert state.distance(model.on(GRID, seed=4)) == pytest.approx(field.distance(model.on(GRID, seed=4).field()))
    assert np.array_equal(state.unpack(state.pack()).parameters, state.parameters)
    assert state.pack().shape == (1, model.size)
    assert not state.parameters.flags.writeable
    assert not state.values.flags.writeable
    assert "g_xx.W0" in state.views
    flat = model.on(GRID, parameters=np.zeros(model.size)).field()
    assert flat.max_distance(GRID.metric(METRIC)) < 1e-15


def test_models_at_points_have_values_and_no_field():
    x = points(INDEPENDENT, 7, np.random.default_rng(4))
    state = INDEPENDENT.on(x, seed=3)
    assert np.array_equal(state.values, INDEPENDENT.values(INDEPENDENT.initial(3), x))
    with pytest.raises(InputError, match="lives on scattered points"):
        state.field()


def test_potential_models_make_the_metric_of_their_potential():
    """The model's exact ∂∂̄φ is that of the potential field, up to what a grid of 40² points does not resolve."""
    grid = CURVE.grid(40, scheme="spectral")
    model = PotentialModel(CURVE, perceptron(CURVE), [["1 + cos(2*pi*y/1.1)/3"]])
    state = model.on(grid, parameters=0.3 * model.initial(2))
    field = state.field()
    assert isinstance(field, PotentialField)
    assert state.metric.shape == (40, 40, 1, 1)
    assert field.metric().values == pytest.approx(state.metric, abs=1e-8)
    assert state.smallest_eigenvalue()[0] == pytest.approx(field.smallest_eigenvalue()[0], abs=1e-8)
    template = model.template(CURVE.grid(8))
    assert isinstance(template, PotentialField)
    assert np.all(template.values == 0)


def test_hermitian_references_of_potentials():
    model = POTENTIAL_MODELS["potential in two dimensions"]("tanh")
    metric = model.metric(np.zeros(model.size), np.zeros((1, 4)))[0]
    assert metric == pytest.approx(np.array([[1, 0.25j], [-0.25j, 1]]))
    with pytest.raises(SymmetryError, match=r"components \(0, 1\) and \(1, 0\)"):
        PotentialModel(KAHLER_SURFACE, perceptron(KAHLER_SURFACE), [["1", "i/4"], ["i/4", "1"]])


def test_lost_positivity_names_value_and_place():
    negative = INDEPENDENT.initial(0)
    with pytest.raises(PositivityError, match=r"eigenvalue is -.*grid point \(\d, \d\), \(x, y\) = .*Cholesky"):
        INDEPENDENT.on(GRID, parameters=negative).field()
    with pytest.raises(PositivityError, match=r"smallest eigenvalue is -.* at point \d+, \(x, y\) = "):
        INDEPENDENT.on(np.random.default_rng(0).random((20, 2)), parameters=negative).require_positive()
    with pytest.raises(PositivityError, match=r"leaves the Kähler cone.*grid point .*Multiply the potential by less"):
        POTENTIAL.on(CURVE.grid(16), parameters=5 * POTENTIAL.initial(0)).field()


def test_parameters_must_be_finite_and_of_the_right_number():
    theta = INDEPENDENT.initial(0)
    theta[INDEPENDENT.layout.slices["g_xy.W1"].start] = np.nan
    with pytest.raises(NotFiniteError, match=r"1 of \d+ parameters are not finite, the first in 'g_xy.W1'"):
        INDEPENDENT.on(GRID, parameters=theta)
    with pytest.raises(NotFiniteError, match=r"g_xy\.W1"):
        EmpiricalKernel(INDEPENDENT, theta)
    with pytest.raises(ShapeError, match="shape"):
        INDEPENDENT.on(GRID, parameters=theta[:-1])
    model = CholeskyModel(SURFACE, perceptron(SURFACE, hidden=()))
    with pytest.raises(NotFiniteError, match=r"not finite at grid point \(0, 0\)"):
        model.on(GRID, parameters=np.full(model.size, 1e4)).require_positive()


def test_memory_is_stated_before_it_is_taken(monkeypatch):
    theta = INDEPENDENT.initial(0)
    monkeypatch.setattr(memory, "available", lambda: 10_000_000)
    with pytest.raises(MemoryLimitError, match=r"Jacobian.* would take .*at most (\d+) points at a time") as caught:
        INDEPENDENT.jacobian(theta, np.zeros((100_000, 2)))
    fits = int(str(caught.value).split("at most ")[1].split()[0])
    assert 0 < fits < 100_000
    assert INDEPENDENT.jacobian(theta, np.zeros((fits, 2))).shape == (fits, 2, 2, INDEPENDENT.size)
    with pytest.raises(MemoryLimitError, match=r"1000 × 1000 points.*blocks of at most \d+ × \d+ points.*apply"):
        INDEPENDENT.tangent_kernel(theta, np.zeros((1000, 2)))
    with pytest.raises(MemoryLimitError, match=r"tensor kernel at 1,000 × 1,000.*blocks of at most .*apply"):
        Kronecker(DeltaKernel()).theta(np.zeros((1000, 2)))
    with pytest.raises(MemoryLimitError, match=r"Jacobian of the metric .*at most \d+ points at a time"):
        EmpiricalKernel(POTENTIAL, POTENTIAL.initial(0)).metric_jacobian(np.zeros((10_000, 2)))
    assert EmpiricalKernel(INDEPENDENT, theta).apply(np.zeros((1000, 2)), None, np.zeros((1000, 2, 2))).shape[0] == 1000


BAD = {
    "a field as reference": (lambda: Correction(GRID.metric(), INDEPENDENT), "must be known off the grid too"),
    "a reference that jumps": (lambda: Correction([["1 + x", "0"], ["0", "1"]], INDEPENDENT), "not periodic in x"),
    "an asymmetric reference": (lambda: Correction([[1, "1/2"], [0, 1]], INDEPENDENT), "not symmetric"),
    "a reference of another size": (lambda: Correction([[1]], INDEPENDENT), "2×2 components"),
    "a scale factor that jumps": (lambda: Rescaled(INDEPENDENT, "x"), "not periodic in x"),
    "a corrected potential": (lambda: Correction(None, POTENTIAL), "reference form of its own"),
    "no model": (lambda: Rescaled(perceptron(SURFACE), "2"), "a model is needed"),
    "no network": (lambda: IndependentComponents(SURFACE, [1, 2, 3]), "a network is needed for 'g_xx'"),
    "several outputs": (lambda: IndependentComponents(SURFACE, perceptron(SURFACE, outputs=3)), "SharedComponents"),
    "too few outputs": (lambda: SharedComponents(SURFACE, perceptron(SURFACE)), "give outputs=3"),
    "a factor of two outputs": (lambda: CholeskyModel(SURFACE, perceptron(SURFACE, outputs=2)), "or outputs=3"),
    "other inputs": (lambda: IndependentComponents(Torus(3), perceptron(SURFACE)), "takes 2 inputs"),
    "a potential on a real torus": (lambda: PotentialModel(SURFACE, perceptron(SURFACE)), "needs a complex torus"),
    "a potential of two outputs": (lambda: PotentialModel(CURVE, perceptron(CURVE, outputs=2)), "one function"),
    "no torus": (lambda: IndependentComponents(2, perceptron(SURFACE)), "lives on a torus"),
    "another torus": (lambda: INDEPENDENT.on(Torus(2).grid(8)), "take one torus"),
    "points of another dimension": (lambda: INDEPENDENT.on(np.zeros((3, 3))), r"\(p, 2\) is needed"),
    "derivatives of a callable": (
        lambda: Rescaled(INDEPENDENT, lambda x, y: 1.0 + 0 * x).jets(INDEPENDENT.initial(0), np.zeros((1, 2)), 1),
        "a callable has values only"),
    "jets of order five": (lambda: INDEPENDENT.jets(INDEPENDENT.initial(0), np.zeros((1, 2)), 5), "order"),
    "parameters without shapes": (lambda: UserModel(SURFACE, user_function, ["a", "b"]), "names with shapes"),
    "a covariant kernel without a metric": (
        lambda: Covariant(DeltaKernel()).theta(np.zeros((2, 2))), "give the metrics"),
    "metrics of another number": (
        lambda: Covariant(DeltaKernel()).theta(np.zeros((2, 2)), None, np.eye(2)[None]), r"\(2, d, d\) is needed"),
    "metrics that are not positive": (
        lambda: Covariant(DeltaKernel()).theta(np.zeros((1, 2)), None, -np.eye(2)[None]), "smallest eigenvalue is -1"),
    "a kernel without derivatives": (lambda: PotentialKernel(DeltaKernel()), "fourth derivatives"),
    "points on a real torus": (lambda: PotentialKernel(GaussianKernel(1)).theta(np.zeros((2, 3))), "complex torus"),
    "points of another torus": (
        lambda: PotentialKernel(GaussianKernel(1).wrapped(CURVE)).theta(np.zeros((2, 4))), "complex torus"),
    "a scalar kernel of a metric": (
        lambda: EmpiricalPotentialKernel(INDEPENDENT, INDEPENDENT.initial(0)), "is no potential"),
    "cotangents of another number": (
        lambda: EmpiricalKernel(INDEPENDENT, INDEPENDENT.initial(0)).apply(np.zeros((2, 2)), None, np.zeros((3, 2, 2))),
        "cotangents of shape"),
    "a comparison with an array": (lambda: INDEPENDENT.on(GRID).distance(np.zeros(3)), "is compared with"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_what_cannot_be_used_is_said(name):
    build, words = BAD[name]
    with pytest.raises(InputError, match=words):
        build()


def test_a_user_function_is_a_model_like_any_other():
    model = UserModel(SURFACE, user_function, {"a": (), "b": ()})
    theta, x = np.array([0.3, 0.5]), points(model, 4, np.random.default_rng(3))
    wave = np.cos(2 * np.pi * x[:, 0])
    metric = model.values(theta, x)
    assert metric[:, 0, 0] == pytest.approx(np.exp(0.3 * wave))
    assert metric[:, 0, 1] == pytest.approx(0.25 * wave + 0.075 * wave**2)
    assert model.tangent_kernel(theta, x)[:, :, 0, 0, 0, 0] == pytest.approx(np.outer(*[wave * np.exp(0.3 * wave)] * 2))
    wrong = UserModel(SURFACE, lambda views, x: x, {"a": ()})
    with pytest.raises(ShapeError, match="returned shape"):
        wrong.values(np.zeros(1), x)


def test_linearised_models_are_affine_in_their_parameters():
    model = CholeskyModel(SURFACE, perceptron(SURFACE))
    start, x = model.initial(0), points(model, 3, np.random.default_rng(5))
    linear = Linearised(model, start)
    step = 0.1 * np.random.default_rng(6).standard_normal(model.size)
    assert np.array_equal(linear.values(start, x), model.values(start, x))
    twice, once = linear.values(start + 2 * step, x), linear.values(start + step, x)
    assert twice - once == pytest.approx(once - model.values(start, x), abs=1e-14)
    assert np.array_equal(linear.tangent_kernel(start + step, x), model.tangent_kernel(start, x))


def test_frozen_features_make_a_frozen_kernel():
    """The cosine network is linear in its parameters: no drift, whatever the step; a perceptron's kernel drifts."""
    cosine = IndependentComponents(SURFACE, CosineNetwork(2, 10, 0.2, torus=SURFACE))
    stream = np.random.default_rng(7)
    for model, moves in ((cosine, False), (INDEPENDENT, True)):
        x, theta = points(model, 5, stream), model.initial(stream)
        change = drift(EmpiricalKernel(model, theta), EmpiricalKernel.of(model.on(x, parameters=1.5 * theta)), x)
        assert (change > 0.01) == moves
        assert moves or change == 0


def test_scalar_kernels_of_potentials():
    model, stream = POTENTIAL, np.random.default_rng(8)
    kernel = EmpiricalPotentialKernel(model, model.initial(stream))
    x, y = points(model, 4, stream), points(model, 5, stream)
    matrix = kernel.matrix(x, y)
    assert matrix == pytest.approx(model.tangent_kernel(kernel.parameters, x, y))
    assert kernel.diagonal(x) == pytest.approx(np.diag(kernel.matrix(x)))
    values = stream.standard_normal((5, 2))
    assert kernel.apply(x, y, values, block=2) == pytest.approx(matrix @ values, abs=1e-13)
    operator = kernel.on(CURVE.grid(6))
    f = stream.standard_normal((1, 6, 6))
    at = CURVE.grid(6).points().reshape(-1, 2)
    expected = kernel.matrix(at) @ f.ravel() * CURVE.cell_volume / 36
    assert operator(f).ravel() == pytest.approx(expected, abs=1e-12)


def test_models_on_tori_of_any_dimension():
    for torus in (Torus(1), Torus(3), Torus(4), ComplexTorus(2)):
        dim = torus.real_dim
        network = Perceptron(dim, (4,), embedding=FourierEmbedding(torus))
        model = CholeskyModel(torus, network)
        theta, x = model.initial(0), np.zeros((2, dim))
        assert model.values(theta, x).shape == (2, dim, dim)
        assert model.size == network.size * dim * (dim + 1) // 2
        assert repr(model).startswith("a metric L Lᵀ of")


def test_scale_factors_may_be_numbers_text_or_callables():
    theta, x = INDEPENDENT.initial(0), points(INDEPENDENT, 3, np.random.default_rng(9))
    by_text = Rescaled(INDEPENDENT, ALPHA).values(theta, x)
    by_call = Rescaled(
        INDEPENDENT, lambda x, y: 1 + np.sin(2 * np.pi * x) * np.cos(4 * np.pi * y / 3) / 2).values(theta, x)
    assert by_text == pytest.approx(by_call, rel=1e-13)
    assert Rescaled(INDEPENDENT, 0.5).values(theta, x) == pytest.approx(0.5 * INDEPENDENT.values(theta, x))
