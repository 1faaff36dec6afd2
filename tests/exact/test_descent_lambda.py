"""Perelman's λ on grids: the ground state against a dense eigenvalue solver, and the flow that raises λ."""

import numpy as np
import pytest
from fields import grid_of
from threadpoolctl import threadpool_limits

import geomflow as gf
from geomflow import functionals as fn
from geomflow.field import spectra
from geomflow.field.spectra import GroundState

METRIC = [["1 + 0.2*cos(2*pi*x)*sin(2*pi*y)", "0.1*sin(2*pi*x)"], ["0.1*sin(2*pi*x)", "1 + 0.1*cos(2*pi*(x + y))"]]
CUBIC = [["1 + 0.1*cos(2*pi*y)", "0", "0.1*sin(2*pi*y)"], ["0", "1 + 0.1*sin(2*pi*z)", "0"],
         ["0.1*sin(2*pi*y)", "0", "1 + 0.1*cos(2*pi*(x + y))"]]


def ground_state(grid):
    program = fn.PerelmanLambda(grid.torus).gradient_flow().system()
    return GroundState(program.elliptic, grid.torus.coordinates, grid)


def dense(state):
    """The matrix of u -> −4 g^{ij}(∂_i∂_j u − Γ^k_ij ∂_k u) + R u on the points of the grid."""
    grid, dim = state.grid, state.grid.dim
    unit = np.eye(dim, dtype=int)
    inverse, gamma = np.linalg.inv(state.values), state.christoffel()
    drift = np.einsum("...ij,...kij->...k", inverse, gamma)
    columns = []
    for place in np.ndindex(grid.shape):
        u = np.zeros(grid.shape)
        u[place] = 1.0
        first = [grid.derivative(u, tuple(unit[k])) for k in range(dim)]
        second = sum(inverse[..., i, j] * grid.derivative(u, tuple(unit[i] + unit[j]))
                     for i in range(dim) for j in range(dim))
        laplacian = second - sum(drift[..., k] * first[k] for k in range(dim))
        columns.append((state.scalar().values * u - 4 * laplacian).ravel())
    return np.array(columns).T


@pytest.mark.parametrize(("dim", "points", "text", "order"), [
    (2, 12, METRIC, 4), (2, 12, METRIC, "spectral"), (3, 6, CUBIC, "spectral")])
def test_eigenvalue_agrees_with_a_dense_solver(dim, points, text, order):
    state = grid_of(gf.Torus(dim=dim), points, order).metric(text)
    values, vectors = np.linalg.eig(dense(state))
    lowest = np.argmin(values.real)
    u, value = ground_state(state.grid).eigenpair(state.pack())
    assert value == pytest.approx(values[lowest].real, rel=1e-8, abs=1e-9)
    known = vectors[:, lowest].real.reshape(u.shape)
    np.testing.assert_allclose(u / u.mean(), known / known.mean(), rtol=1e-7)
    assert (u > 0).all()
    assert float((u**2 * np.sqrt(np.linalg.det(state.values))).mean()) == pytest.approx(1, rel=1e-12)


def test_known_values():
    """λ = 0 on flat tori; λ(cg) = λ(g)/c; λ < 0 for a torus that is not flat, by Gauss and Bonnet in dimension two."""
    grid = gf.Torus(dim=2).grid(16, scheme="spectral")
    ground = ground_state(grid)
    sheared = grid.metric([["1", "0.3"], ["0.3", "2"]])
    assert abs(ground.eigenpair(sheared.pack())[1]) < 1e-9
    state = grid.metric(METRIC)
    value = ground.eigenpair(state.pack())[1]
    assert value < -0.01
    assert ground.eigenpair(3 * state.pack())[1] == pytest.approx(value / 3, rel=1e-8)


@pytest.fixture
def searches(monkeypatch):
    """The packed metrics at which a ground state was searched for."""
    found, search = [], GroundState._found
    spectra.ground_state_on.cache_clear()
    monkeypatch.setattr(GroundState, "_found", lambda self, y: (found.append(y.copy()), search(self, y))[1])
    return found


@pytest.mark.parametrize(("stepper", "order"), [
    ("rk45", "spectral"), ("semi-implicit", "spectral"), pytest.param("rkc", 4, marks=pytest.mark.slow)])
def test_one_search_serves_a_rate_its_bounds_and_all_that_is_watched(searches, stepper, order):
    torus = gf.Torus(dim=2)
    state, functional = grid_of(torus, 12, order).metric(METRIC), fn.PerelmanLambda(torus)
    sol = gf.solve(functional.gradient_flow(), state, 0.001, stepper=stepper,
                   monitors={"own": lambda t, metric: functional(metric)})
    assert len(searches) == sol.rate_evaluations
    np.testing.assert_allclose(-2 * sol["own"], sol["energy"], rtol=1e-12)


def test_what_is_shared_is_what_a_fresh_search_finds(searches):
    """To the bit, whatever was asked before: no search starts from an earlier result."""
    grid = gf.Torus(dim=2).grid(12, scheme="spectral")
    states = [grid.metric(METRIC).pack(), grid.metric(METRIC).pack() * 1.5, grid.metric().pack()]
    shared = spectra.ground_state_on(fn.PerelmanLambda(grid.torus).gradient_flow().system().elliptic,
                                     grid.torus.coordinates, grid)
    for y in (*states, *states[::-1], states[0]):
        u, value = shared.eigenpair(y)
        fresh, known = ground_state(grid).eigenpair(y)
        assert value == known
        np.testing.assert_array_equal(u, fresh)
        assert not u.flags.writeable
    y = states[0].copy()
    before = shared.eigenpair(y)[1]
    y[0, 0, 0] *= 1 + 1e-15
    count = len(searches)
    shared.eigenpair(y)
    assert len(searches) == count + 1
    assert shared.eigenpair(states[0])[1] == before


def test_states_do_not_depend_on_what_is_watched_nor_on_a_stop(tmp_path):
    torus = gf.Torus(dim=2)
    state, functional = torus.grid(12, scheme="spectral").metric(METRIC), fn.PerelmanLambda(torus)
    flow, path = functional.gradient_flow(), tmp_path / "run.zarr"
    spectra.ground_state_on.cache_clear()
    alone = gf.solve(flow, state, 0.002, stepper="rk23", monitor_every=1000)
    assert alone.steps > 4
    other = state.grid.metric()
    watched = gf.solve(flow, state, 0.002, stepper="rk23",
                       monitors={"own": lambda t, metric: functional(metric) + functional(other)})
    gf.solve(flow, state, 0.002, stepper="rk23", monitor_every=1000, store=path, max_steps=3)
    spectra.ground_state_on.cache_clear()
    resumed = gf.solve(flow, state, 0.002, stepper="rk23", monitor_every=1000, store=path, resume=True)
    for sol in (watched, resumed):
        np.testing.assert_array_equal(sol.last.values, alone.last.values)


def test_a_search_that_goes_astray_is_taken_up_from_below(monkeypatch):
    """From a guess with a node Newton's method finds another eigenfunction, and from noise none."""
    grid = gf.Torus(dim=2).grid(12, scheme="spectral")
    y = grid.metric(METRIC).pack()
    u, value = ground_state(grid).eigenpair(y)
    x, noise = grid.coordinates()[0], np.random.default_rng(0).standard_normal(grid.shape)
    for guess in (np.sin(2 * np.pi * x) * np.ones(grid.shape), noise):
        monkeypatch.setattr(spectra._System, "guess", lambda self, guess=guess: guess)
        again, known = ground_state(grid).eigenpair(y)
        assert known == pytest.approx(value, rel=1e-9)
        np.testing.assert_allclose(again, u, rtol=1e-9)


def test_the_number_of_threads_does_not_change_a_ground_state():
    """Nor that of the library whose sums over ten thousand points and more would depend on it."""
    grid = gf.Torus(dim=2).grid(160, scheme="spectral")
    y, found = grid.metric(METRIC).pack(), []
    for number in (1, 2):
        with threadpool_limits(number, "blas"):
            found.append(ground_state(grid).eigenpair(y)[0])
    np.testing.assert_array_equal(*found)


def test_no_metric_has_no_ground_state():
    """NaN, as a logarithm: a step that leaves the metrics is tried again, a shorter one, and not an exception."""
    grid = gf.Torus(dim=2).grid(12, scheme="spectral")
    y = grid.metric(METRIC).pack()
    y[0, 0, 0] = -1
    assert np.isnan(ground_state(grid).eigenpair(y)[1])
    assert np.isnan(ground_state(grid)(y)).all()


def test_ground_state_does_not_depend_on_a_grid_that_resolves_it():
    coarse, fine = (gf.Torus(dim=2).grid((n, 8), scheme="spectral") for n in (24, 48))
    pairs = []
    for grid in (coarse, fine):
        state = grid.metric([["1", "0"], ["0", "(1 + 0.1*cos(2*pi*x))^2"]])
        pairs.append(ground_state(grid).eigenpair(state.pack()))
    assert pairs[0][1] == pytest.approx(pairs[1][1], rel=1e-9)
    np.testing.assert_allclose(pairs[0][0], pairs[1][0][::2], rtol=1e-8)


@pytest.mark.parametrize("stepper", [pytest.param("rkc", marks=pytest.mark.slow), "rk45"])
def test_lambda_rises_along_its_flow(stepper):
    torus = gf.Torus(dim=2)
    state = torus.grid(12, scheme="spectral").metric(METRIC)
    sol = gf.solve(fn.PerelmanLambda(torus).gradient_flow(), state, 0.006, stepper=stepper)
    assert sol.outcome.kind == "finished"
    value = -sol["energy"] / 2
    assert (np.diff(value) > 0).all()
    assert value[0] < 2 * value[-1] < 0
    assert value[0] == pytest.approx(ground_state(state.grid).eigenpair(state.pack())[1], rel=1e-7)


@pytest.mark.parametrize(("kind", "factor"), [("trace", 1), ("longitudinal", 0), ("gauge", 0)])
def test_modes_move_as_in_ricci_flow(kind, factor):
    torus = gf.Torus(dim=2)
    grid = torus.grid(8, scheme="spectral")
    k = 2 * np.pi * np.array([1, 1])
    mode, along = np.cos(sum(kj * x for kj, x in zip(k, grid.coordinates()))), np.outer(k, k) / (k @ k)
    across = np.outer(k, k[::-1] * [1, -1]) / (k @ k)
    shape = {"trace": np.eye(2) - along, "longitudinal": along, "gauge": across + across.T}[kind]
    size, t1 = 1e-5, 1 / float(k @ k)
    state = grid.metric(np.eye(2) + size * shape * mode[..., None, None])
    sol = gf.solve(fn.PerelmanLambda(torus).gradient_flow(), state, t1, stepper="rk45", rtol=1e-13)
    ends = [float((mode[..., None, None] * shape * metric.values).sum()) for metric in (state, sol.last)]
    assert np.log(ends[0] / ends[1]) == pytest.approx(factor, abs=1e-4)
