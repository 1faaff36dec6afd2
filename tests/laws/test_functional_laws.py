"""Every functional and its gradient agree, and constants shift it as they should: on every torus and over every class.

The slope (E(u + εh) − E(u − εh))/2ε is a number of the functional alone, ⟨grad E, h⟩ one of the flow that is derived
from it. Tori, reference forms, forms χ and reference measures are random; derivatives are Fourier ones, and states are
waves that the grids resolve.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import geomflow as gf
from geomflow import functionals as fn
from geomflow.core import conventions
from geomflow.field import HermitianField
from geomflow.testing import seeds
from geomflow.testing.pairing import Derived

POINTS = {1: 24, 2: 12}
TAU = {"tau": 0.4}
ONCE = settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.too_slow])

POTENTIALS = {
    "kenergy": (fn.KEnergy, ("mabuchi", "dirichlet", "L2")),
    "ef": (lambda t: fn.EF(t, "v^3"), ("mabuchi", "dirichlet", "L2")),
    "eg": (lambda t: fn.EG(t, "1/v"), ("mabuchi", "L2")),
    "calabi": (fn.Calabi, ("mabuchi",)),
    "aubin-i": (fn.AubinI, ("mabuchi",)),
    "aubin-j": (fn.AubinJ, ("mabuchi", "L2")),
    "ding": (fn.Ding, ("mabuchi",)),
    "j": (lambda t: fn.JFunctional(t, positive_form(t)), ("mabuchi", "L2")),
    "two js": (lambda t: fn.JFunctional(t, positive_form(t)) - 2 * fn.JFunctional(t), ("mabuchi",)),
    "sum": (lambda t: fn.KEnergy(t) / 2 + 3 * fn.AubinJ(t), ("mabuchi",)),
    "own": (lambda t: fn.from_density(t, "R^2*v + dot(v, phi)"), ("mabuchi",)),
    "own by Ω": (lambda t: fn.from_density(t, "phi^2 + v^2", measure="omega"), ("mabuchi", "L2")),
}
METRICS = {
    "volume": (fn.Volume, ("ebin", "L2"), 1),
    "einstein-hilbert": (fn.EinsteinHilbert, ("ebin",), 0),
    "scalar-squared": (fn.ScalarSquared, ("ebin", "L2"), -1),
    "ricci-squared": (fn.RicciSquared, ("ebin",), -1),
    "perelman-f": (fn.PerelmanF, ("weighted", "ebin", "L2"), -1),
    "perelman-w": (fn.PerelmanW, ("weighted", "L2"), None),
    "lambda": (fn.PerelmanLambda, ("weighted", "L2"), -1),
    "sum": (lambda t: fn.Volume(t) - 2 * fn.PerelmanLambda(t), ("weighted",), None),
    "own": (lambda t: fn.from_density(t, "R^2*f", measure="dm"), ("weighted",), None),
}
"""Functionals of metrics in dimension two: gradients, and the degree in a constant factor of the metric."""


SLOW = {"ricci-squared", "scalar-squared", "perelman-w", "two js"}
"""Whose routines take longest to compile."""


def pairs(table):
    """Every functional with every gradient, by default with the first."""
    return [pytest.param(name, metric, marks=[pytest.mark.slow] if n or name in SLOW else [])
            for name, entry in table.items() for n, metric in enumerate(entry[1])]


def positive_form(torus):
    """A Hermitian matrix χ that is not ½δ."""
    if torus.dim == 1:
        return [[Fraction(3, 4)]]
    return [[Fraction(1), (Fraction(1, 5), Fraction(1, 7))], [(Fraction(1, 5), Fraction(-1, 7)), Fraction(2, 3)]]


def random_torus(kind, dim, random):
    """Periods from ½ to 2; every second torus is oblique."""
    size = dim if kind is gf.Torus else 2 * dim
    periods = random.uniform(0.5, 2, size)
    if random.random() < 0.5:
        return kind(dim, periods=tuple(periods))
    return kind(dim, lattice=np.diag(periods) + np.tril(random.uniform(-0.2, 0.2, (size, size)), -1))


def random_wave(grid, random, size):
    """Two of the longest waves with random phases, of which each second derivative is below `size`."""
    lattice = np.array(grid.torus.lattice)
    total = np.zeros(grid.shape)
    for a in random.permutation(grid.dim)[:2]:
        k = 2 * np.pi * np.linalg.inv(lattice)[:, a]
        phase = sum(kj * x for kj, x in zip(k, grid.coordinates(), strict=True)) + 2 * np.pi * random.random()
        total = total + np.cos(phase) / (k @ k)
    return size * total / 2


def random_reference(grid, random):
    """A constant Hermitian form, or one that varies in its class."""
    n = grid.dim // 2
    root = np.eye(n) + 0.2 * (random.normal(size=(n, n)) + 1j * random.normal(size=(n, n)))
    constant = random.uniform(0.3, 2) * (root @ root.conj().T + np.eye(n)) / 2
    if random.random() < 0.5:
        return constant
    varied = grid.potential(0.1 * random_wave(grid, random, 1.0), reference=constant)
    return HermitianField(grid, varied.metric().values)


def potential_state(dim, random):
    """A state, and a direction."""
    grid = random_torus(gf.ComplexTorus, dim, random).grid(POINTS[dim], scheme="spectral")
    return grid.potential(random_wave(grid, random, 0.15), reference=random_reference(grid, random)), random_wave(
        grid, random, 0.15)


def slope(energy, moved, step=1e-2):
    """dE/dε at zero, by a central difference of fourth order."""
    return (8 * (energy(moved(step)) - energy(moved(-step))) - (energy(moved(2 * step)) - energy(moved(-2 * step)))) / (
        12 * step)


def gradient(functional, metric, state, **options):
    """grad E at the state, from the flow that descends loss E."""
    return Derived(functional, metric, options).gradient(state)


def largest(first, second):
    """The product of the largest values, for tolerances: where a slope nearly vanishes, its terms do not."""
    return float(np.abs(first).max() * np.abs(second).max())


@pytest.mark.parametrize(("name", "metric"), pairs(POTENTIALS))
@given(seed=seeds)
@ONCE
def test_slopes_of_functionals_of_potentials(name, metric, seed):
    random = np.random.default_rng(seed)
    state, psi = potential_state(1, random)
    functional = POTENTIALS[name][0](state.grid.torus)
    found = slope(functional, lambda s: state.unpack(state.pack() + s * psi))
    eta = gradient(functional, metric, state)
    wanted = Derived(functional, metric).pairing(state, eta, psi)
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-7 * largest(eta, psi) * state.volume())


@pytest.mark.parametrize("name", ["two js", *(pytest.param(n, marks=pytest.mark.slow) for n in ("kenergy", "aubin-j"))])
@given(seed=seeds)
@ONCE
def test_slopes_in_complex_dimension_two(name, seed):
    state, psi = potential_state(2, np.random.default_rng(seed))
    functional = POTENTIALS[name][0](state.grid.torus)
    found = slope(functional, lambda s: state.unpack(state.pack() + s * psi))
    eta = gradient(functional, "mabuchi", state)
    wanted = Derived(functional, "mabuchi").pairing(state, eta, psi)
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6 * largest(eta, psi) * state.volume())


@pytest.mark.parametrize("name", POTENTIALS)
@given(seed=seeds)
@ONCE
def test_constants_change_only_what_contains_the_potential(name, seed):
    """E(φ + s) = E(φ), but for the user's φ²: its change is ∫(2sφ + s²) dμ_Ω."""
    state, _ = potential_state(1, np.random.default_rng(seed))
    functional, shift = POTENTIALS[name][0](state.grid.torus), 0.7
    change = functional(state.unpack(state.pack() + shift)) - functional(state)
    expected = (2 * shift * state.mean() + shift**2) * state.volume() if name == "own by Ω" else 0.0
    assert change == pytest.approx(expected, abs=1e-10 * max(1.0, abs(functional(state))))


@given(seed=seeds)
@settings(max_examples=2, deadline=None)
def test_values_are_those_of_the_convention_table(seed):
    state, _ = potential_state(1, np.random.default_rng(seed))
    torus, v = state.grid.torus, state.density().values
    mass = np.full(v.shape, state.volume() / v.size)
    assert fn.KEnergy(torus)(state) == pytest.approx(conventions.k_energy(v, mass), rel=1e-10)
    assert fn.EF(torus, "v*log(v)")(state) == pytest.approx(conventions.entropy(v, mass), rel=1e-10)
    assert fn.Sigma(torus)(state) == pytest.approx(conventions.sigma(v, mass), rel=1e-10)


@pytest.mark.parametrize("dim", [1, 2])
@given(seed=seeds)
@ONCE
def test_the_constant_of_the_j_functional_is_that_of_the_classes(dim, seed):
    """The J-flow's rate is c − tr χ with c = ∫tr χ dμ/∫dμ at every state of the class."""
    state, _ = potential_state(dim, np.random.default_rng(seed))
    functional = fn.JFunctional(state.grid.torus, positive_form(state.grid.torus))
    chi = np.array([[complex(*map(float, e)) if isinstance(e, tuple) else float(e) for e in row]
                    for row in functional.form])
    h = state.metric().values
    c = conventions.mean_trace(h.reshape(-1, dim, dim), chi)
    expected = c - conventions.complex_trace(h, chi)
    np.testing.assert_allclose(-gradient(functional, "mabuchi", state), expected, rtol=0, atol=1e-8 * abs(c))


def metric_state(random, dim=2):
    """A metric, a direction and a reference measure."""
    grid = random_torus(gf.Torus, dim, random).grid({2: 24, 3: 12}[dim], scheme="spectral")
    root = np.eye(dim) + random.uniform(-0.1, 0.1, (dim, dim))
    flat = grid.metric(root @ root.T)
    waves, directions = (np.stack([unit_wave(grid, random) for _ in flat.pack()]) for _ in range(2))
    return flat.unpack(flat.pack() + 0.1 * waves), 0.1 * directions, 1.5 + 0.5 * unit_wave(grid, random)


def unit_wave(grid, random):
    """A random wave with values in [−1, 1]."""
    wave = random_wave(grid, random, 1.0)
    return wave / np.abs(wave).max()


def options_of(functional, measure):
    open_names = TAU if "perelman-w" in functional.name else {}
    return {"parameters": open_names, "measure": measure if functional.dilaton else None}


@pytest.mark.parametrize(("name", "metric"), pairs(METRICS))
@given(seed=seeds)
@ONCE
def test_slopes_of_functionals_of_metrics(name, metric, seed):
    assert_slope(name, metric, *metric_state(np.random.default_rng(seed)))


@pytest.mark.slow
@given(seed=seeds)
@ONCE
def test_slope_of_the_total_curvature_in_dimension_three(seed):
    """In dimension two its gradient vanishes."""
    assert_slope("einstein-hilbert", "ebin", *metric_state(np.random.default_rng(seed), 3))


def assert_slope(name, metric, state, h, measure):
    """(E(g + εh) − E(g − εh))/2ε = ⟨grad E, h⟩."""
    functional = METRICS[name][0](state.grid.torus)
    options = options_of(functional, measure)
    found = slope(lambda g: functional(g, **options), lambda s: state.unpack(state.pack() + s * h))
    grad = gradient(functional, metric, state, **options)
    wanted = Derived(functional, metric, options).pairing(state, grad, state.unpack(h).values)
    size = largest(grad, h) * state.grid.torus.cell_volume
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6 * size + 1e-9)


@pytest.mark.parametrize("name", [name for name in METRICS if name not in ("sum", "own")])
@given(seed=seeds)
@ONCE
def test_constant_factors_scale_functionals_of_metrics(name, seed):
    """E(sg) = s^p E(g); W is the same where τ is scaled too."""
    state, _, measure = metric_state(np.random.default_rng(seed))
    functional, s, power = METRICS[name][0](state.grid.torus), 1.7, METRICS[name][2]
    options = options_of(functional, measure)
    scaled = {**options, "parameters": {key: s * value for key, value in options["parameters"].items()}}
    expected = functional(state, **options) * s ** (power or 0)
    assert functional(s * state, **scaled) == pytest.approx(expected, rel=1e-8, abs=1e-9)


@given(seed=seeds)
@ONCE
def test_a_constant_factor_of_the_measure(seed):
    """dm to s dm takes f to f − log s: F to sF, and W to s(W − log s ∫dm)."""
    state, _, measure = metric_state(np.random.default_rng(seed))
    torus, s = state.grid.torus, 2.3
    f, w = fn.PerelmanF(torus), fn.PerelmanW(torus)
    mass = state.grid.scalar(measure).integral()
    assert f(state, measure=s * measure) == pytest.approx(s * f(state, measure=measure), rel=1e-9)
    assert w(state, TAU, s * measure) == pytest.approx(s * (w(state, TAU, measure) - np.log(s) * mass), rel=1e-9)


FLOWS = {"calabi": gf.CalabiFlow(), "kahler-ricci": gf.KahlerRicciFlow(), "twice as fast": gf.KahlerRicciFlow(speed=2),
         "derived": fn.KEnergy(gf.ComplexTorus(1)).gradient_flow(),
         "derived, dirichlet": fn.KEnergy(gf.ComplexTorus(1)).gradient_flow("dirichlet")}


@pytest.mark.parametrize("name", FLOWS)
@given(seed=seeds)
@ONCE
def test_flows_of_the_k_energy_record_the_k_energy(name, seed):
    state, _ = potential_state(1, np.random.default_rng(seed))
    flow = FLOWS[name]
    problem = (flow if isinstance(flow, gf.Flow) else gf.Descent(flow)).bind(state)
    found = problem.observe(0.0, problem.y0)["energy"]
    assert found == pytest.approx(fn.KEnergy(state.grid.torus)(state), rel=1e-10)
