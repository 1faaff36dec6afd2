"""Laws of kernel flows: the energy falls, the delta kernel is the classical flow, translations commute."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import geomflow as gf
from geomflow import functionals as fn
from geomflow.kernels import DeltaKernel, GaussianKernel, Kernel
from geomflow.kernels.tangent import Covariant, Kronecker, Symmetrised
from geomflow.tangent.kernel_flow import KernelFlow
from geomflow.testing import amplitudes, check_energy, seeds

PLANE, CURVE = gf.Torus(dim=2), gf.ComplexTorus(dim=1)
SOURCES = {
    "lambda": fn.PerelmanLambda(PLANE).gradient_flow(),
    "lambda L2": fn.PerelmanLambda(PLANE).gradient_flow("L2"),
    "scalar-squared": fn.ScalarSquared(PLANE).gradient_flow(),
    "kenergy": fn.KEnergy(CURVE).gradient_flow(),
    "ef": fn.EF(CURVE, "v*log(v)").gradient_flow(),
    "ef L2": fn.EF(CURVE, "(v-1)^2").gradient_flow("L2"),
}
OTHERS = {"ricci": gf.RicciFlow(), "ricci-deturck": gf.RicciFlow(gauge="deturck"),
          "normalised": gf.RicciFlow(normalised=True), "kahler-ricci": gf.KahlerRicciFlow(),
          "calabi": gf.CalabiFlow(), "dirichlet": fn.KEnergy(CURVE).gradient_flow("dirichlet")}
COMPLEX = {"kenergy", "ef", "ef L2", "kahler-ricci", "calabi", "dirichlet"}
FEW = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Bumps(Kernel):
    """α(x) e^{(cos 2π(x−y) − 1)/s²} α(y): positive and not translation-invariant."""

    def __init__(self, scale):
        self.scale = scale

    def values(self, x, y):
        exponent = sum(np.cos(2 * np.pi * np.subtract.outer(a, b)) - 1 for a, b in zip(x.T, y.T, strict=True))
        return np.exp(exponent / self.scale**2) * np.multiply.outer(self._alpha(x), self._alpha(y))

    def diagonal(self, x):
        return self._alpha(self.read(x)) ** 2

    def _alpha(self, x):
        return 1 + 0.5 * np.cos(2 * np.pi * x[:, 0])


scalars = st.one_of(st.builds(GaussianKernel, st.floats(0.13, 0.5)), st.builds(Bumps, st.floats(0.7, 2.0)),
                    st.builds(DeltaKernel))
kernels = st.one_of(scalars, st.builds(Kronecker, scalars), st.builds(Symmetrised, scalars),
                    st.builds(Covariant, scalars))


def usable(name, kernel):
    """The kernel, frozen where an evolving one on potentials would need a half that is not known."""
    scalar = getattr(kernel, "kernel", kernel)
    evolving = kernel is scalar or isinstance(kernel, Covariant)
    return Kronecker(scalar) if name in ("kenergy", "ef") and evolving and isinstance(scalar, Bumps) else kernel


def state_for(name, seed, amplitude):
    torus = CURVE if name in COMPLEX else PLANE
    grid = torus.grid(8, scheme="spectral")
    return (grid.random_potential if name in COMPLEX else grid.random_metric)(seed, amplitude, modes=1)


def rate_of(flow, state):
    problem = flow.bind(state)
    out = np.empty_like(problem.y0)
    problem.rate(0.0, problem.y0, out)
    return out


def fastest(flow, state):
    """A bound of the eigenvalues of the linearised kernel flow, by that of the classical flow."""
    classical = flow.classical.bind(state)
    scalar = getattr(flow.kernel, "kernel", flow.kernel)
    frames = 1 if flow.kernel is scalar or isinstance(flow.kernel, Covariant) else 4
    return frames * scalar.on(state.grid).largest * classical.spectral_radius(0.0, classical.y0)


@pytest.mark.parametrize("name", SOURCES)
@given(seed=seeds, amplitude=amplitudes, kernel=kernels)
@FEW
def test_the_energy_never_rises(name, seed, amplitude, kernel):
    state, flow = state_for(name, seed, amplitude), KernelFlow(SOURCES[name], usable(name, kernel))
    t1 = 3 / fastest(flow, state)
    sol = gf.solve(flow, state, t1, stepper="rk4", control=gf.flow.FixedStep(t1 / 2), max_steps=2)
    energy = sol["energy"]
    assert (np.diff(energy) <= 1e-12 * np.abs(energy).max()).all()
    assert (sol["dissipation"] >= -1e-12 * abs(sol["dissipation"][0])).all()
    if name not in ("kenergy", "ef"):
        assert (sol["alignment"] <= 1 + 1e-12).all()


@pytest.mark.parametrize("name", SOURCES)
@given(seed=seeds, kernel=kernels)
@FEW
def test_the_dissipation_is_minus_the_slope_of_the_energy(name, seed, kernel):
    flow = KernelFlow(SOURCES[name], usable(name, kernel))
    check_energy(flow, state_for(name, seed, 0.1), tolerance=2e-3)


@pytest.mark.parametrize("name", [*SOURCES, *OTHERS])
@given(seed=seeds, amplitude=amplitudes)
@settings(FEW, max_examples=2)
def test_the_delta_kernel_is_the_classical_flow(name, seed, amplitude):
    state = state_for(name, seed, amplitude)
    flow = KernelFlow({**SOURCES, **OTHERS}[name], DeltaKernel())
    classical = rate_of(flow.classical, state)
    np.testing.assert_allclose(rate_of(flow, state), classical, rtol=0, atol=3e-14 * np.abs(classical).max())


@pytest.mark.parametrize("name", [*SOURCES, "ricci-deturck"])
@given(seed=seeds, scale=st.floats(0.13, 0.5), shift=st.tuples(st.integers(0, 7), st.integers(0, 7)))
@FEW
def test_translations_commute_with_the_flow(name, seed, scale, shift):
    state, source = state_for(name, seed, 0.2), {**SOURCES, **OTHERS}[name]
    moved = state.unpack(np.roll(state.pack(), shift, axis=(1, 2)))
    for kernel in (GaussianKernel(scale), Kronecker(GaussianKernel(scale))):
        flow = KernelFlow(source, kernel)
        expected = np.roll(rate_of(flow, state), shift, axis=(1, 2))
        np.testing.assert_allclose(rate_of(flow, moved), expected, rtol=0, atol=1e-9 * np.abs(expected).max())
