"""The compiled first variation is the derivative of the compiled functional, at random states, to 1e-7.

Both run through the operators of fields, with Fourier derivatives; the derivative of E(u + s δu) at s = 0 is a central
difference of fourth order with s δu of a hundredth of the perturbation, so that its error is about 1e-8.
"""

import numpy as np
import pytest

import geomflow as gf
from geomflow import functionals as fn
from geomflow.field.operators import discretise

STEP = 0.01
PARAMETERS = {"tau": 0.3}
POINTS = {1: 24, 2: 12}
"""By complex dimension: points an axis."""

POTENTIALS = {
    "kenergy": fn.KEnergy, "calabi": fn.Calabi, "ef v log v": lambda t: fn.EF(t, "v*log(v)"),
    "ef v^3": lambda t: fn.EF(t, "v^3"), "eg v^-2": lambda t: fn.EG(t, "v^-2"), "eg v^-1": lambda t: fn.EG(t, "v^-1"),
    "aubin-i": fn.AubinI, "aubin-j": fn.AubinJ, "ding": fn.Ding, "j": fn.JFunctional,
    "density": lambda t: fn.from_density(t, "R^2*v + dot(v, phi)"),
    "sum": lambda t: fn.KEnergy(t) + fn.EF(t, "v^2") / 2,
}
METRICS = {
    "volume": fn.Volume, "scalar-squared": fn.ScalarSquared, "ricci-squared": fn.RicciSquared, "f": fn.PerelmanF,
    "f-coupled": fn.PerelmanFCoupled, "w": fn.PerelmanW, "w-coupled": fn.PerelmanWCoupled,
    "density": lambda t: fn.from_density(t, "R^2 + dot(R, f)"),
}


def compiled(staged, names, grid):
    """The integral of the staged density over the torus, as a function of the named fields."""
    operator = discretise(staged.program(names, parameters=tuple(PARAMETERS)), grid)

    def integral(fields):
        packed = np.stack([fields[name] for name in names])
        return float(operator(packed, tuple(PARAMETERS.values())).mean()) * grid.torus.cell_volume

    return integral


def assert_derivative(functional, grid, state, direction):
    """`direction` maps the names of variations in the differential to (field, values)."""
    energy = compiled(functional.density, tuple(state), grid)
    slope = compiled(functional.differential, (*state, *direction), grid)

    def moved(s):
        return energy(state | {field: state[field] + s * STEP * change for field, change in direction.values()})

    difference = (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * STEP)
    exact = slope(state | {name: change for name, (_, change) in direction.items()})
    assert abs(exact) > 1e-8
    assert difference == pytest.approx(exact, rel=1e-7)


def random_wave(grid, random, size):
    """A few long waves with random phases."""
    axes = [x / period for x, period in zip(grid.coordinates(), np.array(grid.shape) * np.array(grid.spacing))]
    waves = [np.cos(2 * np.pi * (x + random.random())) for x in axes]
    waves.append(np.sin(2 * np.pi * (axes[0] + axes[1] + random.random())))
    return size * np.broadcast_to(sum(random.uniform(0.5, 1) * w for w in waves), grid.shape)


@pytest.mark.parametrize("dim", POINTS)
@pytest.mark.parametrize("name", POTENTIALS)
def test_first_variation_of_potential_functionals(name, dim):
    torus, random = gf.ComplexTorus(dim=dim), np.random.default_rng(7)
    grid = torus.grid(POINTS[dim], scheme="spectral")
    state = {"phi": random_wave(grid, random, 4e-4)}
    assert_derivative(POTENTIALS[name](torus), grid, state, {"psi": ("phi", random_wave(grid, random, 4e-4))})


@pytest.mark.parametrize("name", METRICS)
def test_first_variation_of_metric_functionals(name):
    torus, random = gf.Torus(dim=2), np.random.default_rng(8)
    grid, functional = torus.grid(32, scheme="spectral"), METRICS[name](gf.Torus(dim=2))
    names = ("g_xx", "g_xy", "g_yy")
    state = {n: float(n[2] == n[3]) + random_wave(grid, random, 0.02) for n in names}
    direction = {f"h{n[1:]}": (n, random_wave(grid, random, 0.02)) for n in names}
    if "f" in functional.unknowns:
        state["f"] = random_wave(grid, random, 0.1)
        direction["h_f"] = ("f", random_wave(grid, random, 0.02))
    else:
        state["log_measure"] = random_wave(grid, random, 0.1)
    assert_derivative(functional, grid, state, direction)
