"""Fourier modes near the flat metric: under a Gaussian kernel each moves at its classical rate times e^{−s²|k|²/2}.

Perelman's F at a fixed measure grows at |k|² in longitudinal modes; the kernel caps that at 2/(e s²).
"""

import numpy as np
import pytest

import geomflow as gf
from geomflow import functionals as fn
from geomflow.flow.equations.perelman_rates import index_structures
from geomflow.kernels import DeltaKernel, GaussianKernel
from geomflow.kernels.tangent import Covariant, Kronecker
from geomflow.tangent.kernel_checks import CappedGrowthWarning
from geomflow.tangent.kernel_flow import KernelFlow

SIZE = 1e-6
WAVES = [((1, 0), 0.15), ((1, 2), 0.09), ((3, 1), 0.085)]
WAVY = [["1 + 0.2*cos(2*pi*x)*sin(2*pi*y)", "0.1*sin(2*pi*x)"], ["0.1*sin(2*pi*x)", "1 + 0.1*cos(2*pi*(x + y))"]]


def squared(numbers):
    """|k|² of the wave with these numbers."""
    return 4 * np.pi**2 * sum(m * m for m in numbers)


def mode(grid, numbers):
    """cos k·x."""
    return np.cos(2 * np.pi * sum(m * x for m, x in zip(numbers, grid.coordinates(), strict=True)))


def polarisations(numbers):
    """Longitudinal and transverse symmetric matrices of the wave."""
    k = np.array(numbers) / np.linalg.norm(numbers)
    across = np.array([-k[1], k[0]])
    return np.outer(k, k), np.outer(across, across)


def measured(flow, state, profile, t1):
    """d log(amplitude)/dt over [0, t1] of the state's part along `profile`."""
    sol = gf.solve(flow, state, t1, stepper="rk45", rtol=1e-9, atol=1e-15)
    assert sol.outcome.kind == "finished"
    before, after = (float((profile * s.values).sum()) for s in (state, sol.last))
    return np.log(after / before) / t1


@pytest.mark.parametrize(("numbers", "scale"), WAVES)
@pytest.mark.parametrize("functional", [fn.KEnergy, lambda t: fn.EF(t, "v*log(v)"), lambda t: fn.EF(t, "(v-1)^2")])
@pytest.mark.parametrize("kind", [Covariant, Kronecker])
def test_potentials_decay_at_the_damped_rate(functional, kind, numbers, scale):
    torus = gf.ComplexTorus(dim=1)
    energy, grid = functional(torus), torus.grid(12, scheme="spectral")
    wave, k2 = mode(grid, numbers), squared(numbers)
    rate = float(energy.gradient_flow().decay_rate([2 * np.pi * m for m in numbers])) * np.exp(-scale**2 * k2 / 2)
    state = grid.potential(SIZE / k2 * wave)
    found = measured(KernelFlow(energy, kind(GaussianKernel(scale))), state, wave, 0.3 / rate)
    assert found == pytest.approx(-rate, rel=1e-5)


@pytest.mark.parametrize(("name", "numbers", "scale"), [
    *((name, *wave) for name in ("ricci-deturck", "ricci-deturck longitudinal") for wave in WAVES),
    ("lambda", *WAVES[1])])
@pytest.mark.parametrize("kind", [Covariant, Kronecker])
def test_metrics_decay_at_the_damped_rate(name, kind, numbers, scale):
    torus = gf.Torus(dim=2)
    grid = torus.grid(12, scheme="spectral")
    along, across = polarisations(numbers)
    profile = mode(grid, numbers)[..., None, None] * (along if "longitudinal" in name else across)
    source = fn.PerelmanLambda(torus) if name == "lambda" else gf.RicciFlow(gauge="deturck")
    rate = squared(numbers) * np.exp(-scale**2 * squared(numbers) / 2)
    state = grid.metric(np.eye(2) + SIZE * profile)
    found = measured(KernelFlow(source, kind(GaussianKernel(scale))), state, profile, 0.3 / rate)
    assert found == pytest.approx(-rate, rel=1e-5)


@pytest.mark.filterwarnings("ignore::geomflow.kernels.UnderResolvedWarning")
def test_ricci_deturck_decays_at_the_damped_rate_in_dimension_four():
    grid, numbers, scale = gf.Torus(dim=4).grid(6, scheme="spectral"), (1, 0, 1, -1), 0.1
    shape = np.array([[1, 0, 0, 0], [0, -1, 0.5, 0], [0, 0.5, 0, 1], [0, 0, 1, 0]])
    profile = mode(grid, numbers)[..., None, None] * shape
    rate = squared(numbers) * np.exp(-scale**2 * squared(numbers) / 2)
    state = grid.metric(np.eye(4) + SIZE * profile)
    flow = KernelFlow(gf.RicciFlow(gauge="deturck"), GaussianKernel(scale))
    assert measured(flow, state, profile, 0.1 / rate) == pytest.approx(-rate, rel=1e-5)


def growth(kernel, numbers, polarisation, t1):
    torus = gf.Torus(dim=2)
    grid = torus.grid(16, scheme="spectral")
    profile = mode(grid, numbers)[..., None, None] * polarisation
    state = grid.metric(np.eye(2) + SIZE * profile)
    if kernel is None:
        return measured(gf.Descent(fn.PerelmanF(torus).gradient_flow(), forced=True), state, profile, t1)
    with pytest.warns(CappedGrowthWarning):
        return measured(KernelFlow(fn.PerelmanF(torus), kernel), state, profile, t1)


@pytest.mark.parametrize("numbers", [(1, 0), (2, 1), (3, 0)])
def test_f_at_fixed_measure_grows_and_the_kernel_caps_the_growth(numbers):
    """Longitudinal modes grow at |k|², with the kernel at |k|²e^{−s²|k|²/2}; transverse ones decay so."""
    along, across = polarisations(numbers)
    scale, k2 = 0.09, squared(numbers)
    damped = k2 * np.exp(-scale**2 * k2 / 2)
    assert growth(None, numbers, along, 0.2 / k2) == pytest.approx(k2, rel=1e-4)
    for kind in (Covariant, Kronecker):
        kernel = kind(GaussianKernel(scale))
        assert growth(kernel, numbers, along, 0.2 / damped) == pytest.approx(damped, rel=1e-4)
        assert growth(kernel, numbers, across, 0.2 / damped) == pytest.approx(-damped, rel=1e-4)
    assert damped <= 2 / (np.e * scale**2)


def test_the_cap_is_reached():
    """At |k| = √2/s the growth is 2/(e s²), and neighbours grow more slowly."""
    numbers = (2, 0)
    scale = np.sqrt(2 / squared(numbers))
    cap = 2 / (np.e * scale**2)
    rates = {n: growth(GaussianKernel(scale), (n, 0), polarisations((n, 0))[0], 0.2 / cap) for n in (1, 2, 3, 4)}
    assert rates[2] == pytest.approx(cap, rel=1e-5)
    assert all(rate < cap for n, rate in rates.items() if n != 2)
    assert rates[4] < rates[3] < rates[2]


def test_kernels_of_both_index_structures_raise_f_at_their_own_rates():
    """dF/dt from the flow's dissipation (loss = −2F) against the closed form at the same metric."""
    torus = gf.Torus(dim=2)
    state = torus.grid(16, scheme="spectral").metric(WAVY)
    known = index_structures(state)
    forced = gf.Descent(fn.PerelmanF(torus).gradient_flow(), forced=True)
    found = {}
    for kind in (Covariant, Kronecker):
        problem = KernelFlow(forced, kind(DeltaKernel())).bind(state)
        found[kind] = problem.observe(0.0, problem.y0)["dissipation"] / 2
    assert found[Covariant] == pytest.approx(known.covariant_growth, rel=1e-10)
    assert found[Kronecker] == pytest.approx(known.kronecker_growth, rel=1e-10)
    assert abs(found[Kronecker] / found[Covariant] - 1) > 0.05
