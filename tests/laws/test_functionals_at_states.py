"""Gradients and second variations at states: of every functional that comes with the package, at random states.

The first and second differences are numbers of E alone. Gradients come by structure, second variations from the Euler
operator on jets: that H is the derivative of the gradient is a check of both.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import geomflow as gf
from geomflow import functionals as fn
from geomflow.core.differences import derivative_along
from geomflow.field import Fields, PotentialField
from geomflow.testing import seeds
from geomflow.testing.pairing import Derived

ONCE = settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FUNCTIONS = {"ef": "v^3 + exp(v)", "eg": "1/v"}
POTENTIALS = [name for name in fn.FUNCTIONALS if issubclass(fn.FUNCTIONALS[name], fn.PotentialFunctional)]
METRICS = [name for name in fn.FUNCTIONALS if issubclass(fn.FUNCTIONALS[name], fn.MetricFunctional)]
CORNERS = {"sigma"}
SEVERAL = "several fields"
TEXT = "R*f - dot(d(f), d(f))/2 - f^4 - dot(d(A), d(A)) + R^2/9"
TORI = {"square": gf.Torus(2), "oblique": gf.Torus(2, lattice=[[1.2, 0], [0.3, 0.8]])}


def functional_and_state(name, seed, grid=None):
    """A functional of the catalogue, a random state, and what the functional leaves open."""
    if name == SEVERAL:
        grid = grid or TORI["oblique"].grid(24, scheme="spectral")
        form = grid.form([grid.random_scalar(seed + n, 0.3, 1).values for n in (1, 2)])
        state = grid.fields(A=form, g=grid.random_metric(seed, 0.2, 1), f=grid.random_scalar(seed + 3, 0.3, 1))
        return fn.from_density(grid.torus, TEXT, fields="g f A:form"), state, {}
    kind, rest = fn.FUNCTIONALS[name], (FUNCTIONS[name],) if name in FUNCTIONS else ()
    if name in POTENTIALS:
        grid = grid or gf.ComplexTorus(1, lattice=[[1.2, 0], [0.3, 0.8]]).grid(32, scheme="spectral")
        return kind(grid.torus, *rest), grid.random_potential(seed, amplitude=0.2, modes=1), {}
    grid = grid or TORI["oblique"].grid(24, scheme="spectral")
    functional, state = kind(grid.torus), grid.random_metric(seed, amplitude=0.2, modes=1)
    if name.endswith("coupled"):
        state = grid.fields(g=state, f=grid.random_scalar(seed, 0.2, 1))
    options = {"parameters": {"tau": 0.4}} if "perelman-w" in name else {}
    if functional.dilaton:
        options["measure"] = 1.5 + 0.5 * grid.random_scalar(seed + 1, 1.0, 1)
    return functional, state, options


def smooth_change(state, seed):
    """Waves that the grid resolves, as packed components, up to one hundredth of what ends the geometry."""
    grid = state.grid
    rows = [grid.random_scalar(seed + n, 1.0, 1).values for n in range(len(state.pack()))]
    size = 1 / 40 if isinstance(state, PotentialField) else 1.0
    return size * np.stack(rows)


def moved(state, rows):
    return state.unpack(state.pack() + rows)


def fourth_order(energy, state, h, step):
    """The first two derivatives of E(u + sh) at zero."""
    down, low, high, up = (energy(moved(state, n * step * h)) for n in (-2, -1, 1, 2))
    middle = energy(state)
    first = (8 * (high - low) - (up - down)) / (12 * step)
    return first, (16 * (high + low) - (up + down) - 30 * middle) / (12 * step**2)


def pairing(functional, state, options, first, second):
    """The inner product of the functional's first metric; of several fields Σ over them by dV, or e^{−f}dV."""
    if not isinstance(state, Fields):
        return Derived(functional, functional.metrics[0], options).pairing(state, first.values, second.values)
    inverse, volume = np.linalg.inv(state["g"].values), state["g"].volume_density().values
    total = np.einsum("...ij,...jk,...kl,...li->...", inverse, first["g"].values, inverse, second["g"].values)
    total = total + first["f"].values * second["f"].values
    if "A" in state.parts:
        total = total + np.einsum("i...,...ij,j...->...", first["A"].pack(), inverse, second["A"].pack())
    else:
        volume = volume * np.exp(-state["f"].values)
    return state.grid.scalar(total * volume).integral()


@pytest.mark.parametrize("name", [*POTENTIALS, *METRICS, SEVERAL])
@given(seed=seeds)
@ONCE
def test_the_first_variation_is_the_gradient(name, seed):
    """dE(h) = ⟨grad E, h⟩ to 1e-7 of |grad E||h|, with a corner (σ) by a step that does not meet it."""
    functional, state, options = functional_and_state(name, seed)
    h = smooth_change(state, seed + 7)
    step = 1e-6 if name in CORNERS else 1e-2
    found, _ = fourth_order(lambda s: functional(s, **options), state, h, step)
    gradient, change = functional.gradient(state, **options), state.change(h)
    square = (pairing(functional, state, options, x, x) for x in (gradient, change))
    assert abs(found - pairing(functional, state, options, gradient, change)) <= 1e-7 * np.sqrt(
        np.prod(list(square))) + 1e-9


@pytest.mark.parametrize("name", [name for name in (*POTENTIALS, *METRICS, SEVERAL) if name not in CORNERS])
@given(seed=seeds)
@ONCE
def test_the_second_variation_is_that_of_the_values(name, seed):
    """h·Hh = d²E(u + sh)/ds², also on a grid that resolves little: H is exact for the sum that stands for E."""
    torus = gf.ComplexTorus(1) if name in POTENTIALS else TORI["oblique"]
    functional, state, options = functional_and_state(name, seed, torus.grid(16, order=4) if (
        name != "perelman-lambda") else torus.grid(24, scheme="spectral"))
    h = smooth_change(state, seed + 7)
    _, found = fourth_order(lambda s: functional(s, **options), state, h, 1e-2)
    image = functional.hessian(state, **options) @ h.ravel()
    cell = state.grid.torus.cell_volume / state.grid.size
    size = np.linalg.norm(h) * np.linalg.norm(image) * cell
    rounding = 1e-11 * abs(functional(state, **options))
    assert abs(found - h.ravel() @ image * cell) <= 2e-6 * size + rounding


@pytest.mark.parametrize("name", [name for name in (*POTENTIALS, *METRICS, SEVERAL) if name not in CORNERS])
@given(seed=seeds)
@ONCE
def test_the_second_variation_is_symmetric(name, seed):
    """To rounding, on noise; the ground state's to the error of differences, on waves that the grid resolves."""
    functional, state, options = functional_and_state(name, seed)
    H, random = functional.hessian(state, **options), np.random.default_rng(seed)
    solved = name == "perelman-lambda"
    h, k = (smooth_change(state, seed + n).ravel() if solved else random.standard_normal(H.shape[0]) for n in (3, 20))
    first, second = H @ h, H @ k
    size = np.linalg.norm(first) * np.linalg.norm(k) + np.linalg.norm(second) * np.linalg.norm(h)
    assert abs(k @ first - h @ second) <= (1e-7 if solved else 1e-13) * size


DIFFERENTIATED = [name for name in (*POTENTIALS, *METRICS)
                  if name not in {*CORNERS, "perelman-kahler"} and not name.endswith("coupled")]


@pytest.mark.parametrize("name", DIFFERENTIATED)
@given(seed=seeds)
@ONCE
def test_the_second_variation_is_the_derivative_of_the_gradient(name, seed):
    """Where it does not vanish identically."""
    functional, state, options = functional_and_state(name, seed)

    def covector(rows):
        there = state.unpack(rows)
        return covector_of(there, functional.gradient(there, "mabuchi" if name in POTENTIALS else "ebin", **options))

    assert_derivative(functional.hessian(state, **options), covector, state, smooth_change(state, seed + 7), seed)


def covector_of(state, gradient):
    """By d^2x: Mabuchi's gradient times dμ/dx; √g g^{ia}g^{jb} of Ebin's, off the diagonal twice."""
    if isinstance(state, PotentialField):
        return (gradient * state.volume_density()).pack()
    inverse = np.linalg.inv(state.values)
    dense = inverse @ gradient.values @ inverse * state.volume_density().values[..., None, None]
    return np.stack([dense[..., 0, 0], 2 * dense[..., 0, 1], dense[..., 1, 1]])


def assert_derivative(hessian, covector, state, h, seed):
    """Along waves that the grid resolves: differences of eighth derivatives are noise on the shortest ones."""
    found = (hessian @ h.ravel()).reshape(h.shape)
    wanted = derivative_along(covector, state.pack(), h)
    size = np.linalg.norm(found) + np.linalg.norm(covector(state.pack())) * np.abs(h).max()
    for n in (30, 40):
        k = smooth_change(state, seed + n)
        assert abs((k * (found - wanted)).sum()) <= 1e-6 * np.linalg.norm(k) * size + 1e-8


@pytest.mark.parametrize(("name", "metric"), [
    ("kenergy", "dirichlet"), ("j-functional", "L2"), ("perelman-lambda", "weighted"), ("perelman-w", "L2"),
    ("volume", "L2"),
])
@given(seed=seeds)
@ONCE
def test_the_gradient_is_what_the_flow_descends(name, metric, seed):
    """With averages, what is solved for, measures and parameters."""
    functional, state, options = functional_and_state(name, seed)
    if name == "volume":
        options["measure"] = "2 + cos(2*pi*x/1.2 - 2*pi*y*0.3/0.96)"
    problem = gf.Descent(functional.gradient_flow(metric), forced=True, **options).bind(state)
    rate = np.empty_like(problem.y0)
    problem.rate(0.0, problem.y0, rate)
    wanted = state.change(rate / -float(functional.factor)).values
    found = functional.gradient(state, metric, **options).values
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-11 * np.abs(wanted).max())
