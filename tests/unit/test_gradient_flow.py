"""Gradient flow and training of networks: runs, monitors, resumed runs, errors."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError, PositivityError
from geomflow.kernels.empirical import EmpiricalKernel
from geomflow.networks.network_model import PotentialModel
from geomflow.networks.perceptron import Perceptron
from geomflow.networks.periodic import FourierEmbedding
from geomflow.networks.wrapped import Rescaled
from geomflow.tangent.gradient_flow import GradientFlow, LinearisedFlow
from geomflow.tangent.training import SGD, Adam, Momentum, Training

CURVE = gf.ComplexTorus(dim=1)
KENERGY = gf.functionals.KEnergy(CURVE)
PLAIN = PotentialModel(CURVE, Perceptron(2, (12,), embedding=FourierEmbedding(CURVE)))
MODEL = Rescaled(PLAIN, 0.01)
GRID = CURVE.grid(8, scheme="spectral")


@pytest.mark.parametrize("optimiser", [SGD(0.5), Momentum(0.1), Adam(1e-2)], ids=lambda o: type(o).__name__)
def test_training_lowers_the_energy(optimiser):
    run = gf.solve(Training(KENERGY, MODEL, optimiser, batch=16), MODEL.on(GRID, seed=1), t1=60, monitor_every=20)
    assert run.outcome.kind == "finished"
    assert run.steps == 60
    assert run["energy"][-1] < 0.95 * run["energy"][0]


def test_adam_follows_its_algorithm():
    optimiser, rng = Adam(0.1), np.random.default_rng(0)
    memory, mean, square = np.zeros((2, 3)), np.zeros(3), np.zeros(3)
    for k in range(3):
        descent = rng.standard_normal(3)
        mean, square = 0.9 * mean + 0.1 * descent, 0.999 * square + 0.001 * descent**2
        wanted = 0.1 * (mean / (1 - 0.9 ** (k + 1))) / (np.sqrt(square / (1 - 0.999 ** (k + 1))) + 1e-8)
        increment, change = optimiser.step(k, descent, memory)
        memory = memory + change
        assert increment == pytest.approx(wanted, rel=1e-12)


def test_a_resumed_training_goes_on_to_the_same_bits(tmp_path):
    flow, start = Training(KENERGY, MODEL, Adam(1e-2), batch=8, seed=4), MODEL.on(GRID, seed=1)
    whole = gf.solve(flow, start, t1=30)
    path = tmp_path / "run.zarr"
    part = gf.solve(flow, start, t1=30, store=path, max_steps=11)
    assert part.outcome.kind == "interrupted" or part.steps == 11
    resumed = gf.solve(flow, start, t1=30, store=path, resume=True)
    assert np.array_equal(resumed.last.parameters, whole.last.parameters)


@pytest.mark.parametrize("optimiser", [SGD(0.1), Momentum(0.05), Adam(1e-2)], ids=lambda o: type(o).__name__)
def test_training_goes_on_from_the_last_state_to_the_bits_of_one_run(optimiser, tmp_path):
    flow, start = Training(KENERGY, MODEL, optimiser, batch=8, seed=4), MODEL.on(GRID, seed=1)
    whole = gf.solve(flow, start, t1=20)
    half = gf.solve(flow, start, t1=12, store=tmp_path / "half.zarr")
    loaded = gf.load(tmp_path / "half.zarr", like=start)
    for last in (half.last, loaded.last):
        assert np.array_equal(gf.solve(flow, last, t1=8).last.parameters, whole.last.parameters)


def test_another_optimiser_starts_afresh():
    start = MODEL.on(GRID, seed=1)
    last = gf.solve(Training(KENERGY, MODEL, Adam(1e-2)), start, t1=5).last
    fresh = MODEL.on(GRID, parameters=last.parameters)
    flow = Training(KENERGY, MODEL, Momentum(0.1))
    assert np.array_equal(gf.solve(flow, last, t1=5).last.parameters, gf.solve(flow, fresh, t1=5).last.parameters)


def test_a_training_can_end_steady():
    run = gf.solve(Training(KENERGY, MODEL, SGD(1e-9)), MODEL.on(GRID, seed=1), t1=5, events=gf.SteadyState(1e-3))
    assert run.outcome.kind == "steady"


def test_a_stored_training_loads_as_states_of_the_model(tmp_path):
    start, path = MODEL.on(GRID, seed=1), tmp_path / "run.zarr"
    run = gf.solve(Training(KENERGY, MODEL, Adam(1e-2)), start, t1=4, save_at=2, store=path)
    again = gf.load(path, like=start)
    assert np.array_equal(again.last.values, run.last.values)
    assert np.array_equal(np.asarray(gf.load(path).last)[0], run.last.parameters)


def test_energy_falls_by_the_dissipation():
    run = gf.solve(GradientFlow(KENERGY, MODEL), MODEL.on(GRID, seed=1), t1=5.0, rtol=1e-8)
    energy, dissipation, t = run["energy"], run["dissipation"], run.monitor_times
    assert (np.diff(energy) < 0).all()
    assert energy[0] - energy[-1] == pytest.approx(np.trapezoid(dissipation, t), rel=1e-2)


def test_the_linearised_run_starts_at_the_network():
    start = MODEL.on(GRID, seed=1)
    run = gf.solve(LinearisedFlow(KENERGY, MODEL), start, t1=0.1)
    assert run.states[0].values == pytest.approx(start.values, abs=1e-15)


def test_a_state_of_another_kind_is_refused():
    with pytest.raises(InputError, match=r"model\.on"):
        gf.solve(GradientFlow(KENERGY, MODEL), GRID.potential(0), t1=1)
    with pytest.raises(InputError, match="belongs to"):
        gf.solve(GradientFlow(KENERGY, MODEL), PLAIN.on(GRID, seed=0), t1=1)
    with pytest.raises(InputError, match="functional"):
        GradientFlow("kenergy", MODEL)


def test_a_network_that_is_no_metric_is_refused_with_the_place():
    with pytest.raises(PositivityError, match="grid point"):
        gf.solve(GradientFlow(KENERGY, PLAIN), PLAIN.on(GRID, seed=1), t1=1)
    with pytest.raises(PositivityError, match="point"):
        gf.solve(GradientFlow(KENERGY, PLAIN), PLAIN.on(GRID.points().reshape(-1, 2), seed=1), t1=1)


def test_a_metric_that_is_lost_ends_the_run_with_the_place():
    run = gf.solve(Training(KENERGY, MODEL, SGD(1e5)), MODEL.on(GRID, seed=1), t1=5)
    assert run.outcome.kind in ("singular", "diverged")
    assert "at grid point (" in run.outcome.message
    assert "(x, y) = (" in run.outcome.message
    scattered = MODEL.on(np.random.default_rng(0).random((10, 2)), seed=1)
    assert ", (x, y) = (" in gf.solve(Training(KENERGY, MODEL, SGD(1e5)), scattered, t1=5).outcome.message


def test_functionals_that_are_not_local_need_a_grid():
    plane = gf.Torus(dim=2)
    from geomflow.networks.components import IndependentComponents
    from geomflow.networks.wrapped import Correction

    model = Correction(None, Rescaled(IndependentComponents(plane, Perceptron(2, (4,))), 0.01))
    state = model.on(np.random.default_rng(0).random((10, 2)), seed=0)
    with pytest.raises(InputError, match="on a grid"):
        gf.solve(GradientFlow(gf.functionals.PerelmanLambda(plane), model), state, t1=1)


def test_kinks_are_refused_where_the_loss_differentiates_twice():
    plane = gf.Torus(dim=2)
    relu, kinked = (Perceptron(2, (6,), activation="relu", embedding=FourierEmbedding(t)) for t in (plane, CURVE))
    metric = gf.networks.Correction(None, Rescaled(gf.networks.IndependentComponents(plane, relu), 0.01))
    points = np.random.default_rng(0).random((10, 2))
    potential = Rescaled(PotentialModel(CURVE, kinked), 1e-4)
    square, convex = gf.functionals.ScalarSquared(plane), gf.functionals.EF(CURVE, "v^2")
    for functional, model in ((square, metric), (convex, potential)):
        with pytest.raises(InputError, match=r"kinks.*smooth activation"):
            gf.solve(GradientFlow(functional, model), model.on(points, seed=0), t1=1)
    assert gf.solve(GradientFlow(gf.functionals.Volume(plane), metric), metric.on(points, seed=0), t1=0.1).outcome


def test_a_measure_on_a_grid_is_part_of_the_sum():
    plane = gf.Torus(dim=2)
    network = Perceptron(2, (6,), embedding=FourierEmbedding(plane))
    model = gf.networks.Correction(None, Rescaled(gf.networks.IndependentComponents(plane, network), 0.01))
    grid = plane.grid(16, scheme="spectral")
    measure = grid.scalar("1 + cos(2*pi*x)/3")
    state = model.on(grid, seed=0)
    exact, sampled = (GradientFlow(gf.functionals.PerelmanF(plane), model, measure=m).on(state)
                      for m in ("1 + cos(2*pi*x)/3", measure))
    theta = np.array(state.parameters)
    assert sampled.descent(theta) == pytest.approx(exact.descent(theta), rel=1e-5, abs=1e-9)
    with pytest.raises(InputError, match="on a grid"):
        GradientFlow(gf.functionals.PerelmanF(plane), model, measure=measure).on(model.on(np.zeros((3, 2)), seed=0))


def test_the_continuum_takes_a_functional():
    for wrong in ("kenergy", gf.tangent.Continuum(KENERGY)):
        with pytest.raises(InputError, match="Continuum"):
            gf.tangent.Continuum(wrong)
    assert GradientFlow(gf.tangent.Continuum(KENERGY), MODEL).name == "kenergy-continuum-parameters"


def test_a_network_that_is_not_periodic_is_refused_on_a_grid():
    model = PotentialModel(CURVE, Perceptron(2, (4,)))
    assert model.on(np.zeros((1, 2)), seed=0).points.shape == (1, 2)
    with pytest.raises(InputError, match="not periodic"):
        model.on(GRID, seed=0)


def test_a_network_is_no_model():
    network = Perceptron(2, (4,))
    for wrong in (lambda: GradientFlow(KENERGY, network), lambda: EmpiricalKernel(network, network.initial(0))):
        with pytest.raises(InputError, match="a model is needed"):
            wrong()
    with pytest.raises(InputError, match=r"field\(\)"):
        gf.solve(gf.CalabiFlow(), MODEL.on(GRID, seed=1), t1=1)


def test_a_step_that_fails_names_the_learning_rate():
    run = gf.solve(Training(KENERGY, MODEL, SGD(1e5)), MODEL.on(GRID, seed=1), t1=5)
    assert "learning rate" in run.outcome.message


@pytest.mark.parametrize("wrong", [lambda: Adam(0), lambda: Momentum(1e-3, momentum=1.0), lambda: SGD(float("nan"))])
def test_optimisers_check_their_numbers(wrong):
    with pytest.raises(InputError, match="must be"):
        wrong()


@pytest.mark.parametrize("wrong", [lambda: Adam(lambda k: 1 / (1 + k)), lambda: SGD([0.1, 0.2]), lambda: SGD(True),
                                   lambda: Momentum(0.1, momentum="0.9")])
def test_schedules_are_told_how_to_be_made(wrong):
    with pytest.raises(InputError, match="one number for all steps"):
        wrong()


def test_a_model_made_twice_is_told():
    twin = Rescaled(PLAIN, 0.01)
    with pytest.raises(InputError, match="another object: make the model once"):
        gf.solve(GradientFlow(KENERGY, MODEL), twin.on(GRID, seed=1), t1=1)


def test_a_loss_needs_points():
    with pytest.raises(InputError, match="the state has none"):
        gf.solve(GradientFlow(KENERGY, MODEL), MODEL.on(np.zeros((0, 2)), seed=1), t1=1)


@pytest.mark.parametrize("seed", [None, 1.5, -1, "one"])
def test_batches_are_drawn_from_whole_numbers(seed):
    with pytest.raises(InputError, match="seed of the batches"):
        Training(KENERGY, MODEL, batch=4, seed=seed)


def test_tangent_monitors_check_what_they_watch():
    start = MODEL.on(GRID, seed=1)
    with pytest.raises(InputError, match="GradientFlow, LinearisedFlow or Training"):
        gf.tangent.tangent_monitors(gf.CalabiFlow(), start)
    with pytest.raises(InputError, match="points is 0"):
        gf.tangent.tangent_monitors(GradientFlow(KENERGY, MODEL), start, points=0)


def test_kernels_of_networks_are_short_sentences():
    state = MODEL.on(GRID, seed=1)
    for kernel in (EmpiricalKernel.of(state), gf.kernels.EmpiricalPotentialKernel(MODEL, state.parameters)):
        assert repr(kernel).startswith(f"{type(kernel).__name__} of {MODEL!r} at |θ| = ")


@pytest.mark.parametrize("batch", [0, 65])
def test_batches_must_fit_the_points(batch):
    with pytest.raises(InputError, match="cannot be drawn"):
        gf.solve(Training(KENERGY, MODEL, batch=batch), MODEL.on(GRID, seed=1), t1=1)
