"""Small modes of flat metrics decay at the rates of the linearised equations.

A mode of amplitude 1e-6 keeps the nonlinear terms twelve digits down; the rate is read off the amplitude after the
mode has decayed by a factor of about e. Potential flows, with λ = |k|²/2: Kähler–Ricci λ, Hamilton's speed 2λ,
Calabi 2λ². Ricci flow: the transverse part of h decays at |k|², pure gauge modes not at all; in DeTurck's gauge
every component decays at |k|².
"""

import numpy as np
import pytest
from fields import grid_of

import geomflow as gf

AMPLITUDE = 1e-6
ORDERS = (8, "spectral")
POINTS = {(1, 8): 32, (1, "spectral"): 16, (2, 8): 12, (2, "spectral"): 8}
WAVES_2 = [(1, 0), (1, 1), (2, 1)]
WAVES_4 = [(1, 0, 0, 0), (1, 0, 1, 0), (1, 1, 0, 1)]


def wave(grid, numbers):
    """cos(k·x) on the grid, and |k|², for a unit torus."""
    k = 2 * np.pi * np.array(numbers)
    phase = sum(kj * xj for kj, xj in zip(k, grid.coordinates(), strict=True))
    return np.cos(phase), float(k @ k)


def measured_rate(flow, state, project, expected):
    stepper, accuracy = ("semi-implicit", 1e-7) if flow.name == "calabi" else ("rk45", 1e-8)
    sol = gf.solve(flow, state, t1=1.0 / expected, stepper=stepper, rtol=1e-15, atol=accuracy * AMPLITUDE)
    assert sol.outcome.kind == "finished"
    return np.log(project(state.pack()) / project(sol.last.pack())) / sol.times[-1]


POTENTIAL_FLOWS = {
    "kahler-ricci": (gf.KahlerRicciFlow(), lambda lam: lam),
    "hamilton": (gf.KahlerRicciFlow(speed=2), lambda lam: 2 * lam),
    "calabi": (gf.CalabiFlow(), lambda lam: 2 * lam**2),
}


POTENTIAL_CASES = [
    *((1, wave, name, order) for wave in WAVES_2 for name in POTENTIAL_FLOWS for order in ORDERS),
    *((2, wave, name, "spectral") for wave in WAVES_4 for name in ("kahler-ricci", "calabi"))]


@pytest.mark.parametrize(("dim", "numbers", "name", "order"), [
    *POTENTIAL_CASES,  # stencils in four real dimensions compile for half a minute
    *(pytest.param(2, WAVES_4[2], name, 8, marks=pytest.mark.slow) for name in ("kahler-ricci", "calabi"))])
def test_potentials_decay(dim, numbers, name, order):
    flow, law = POTENTIAL_FLOWS[name]
    grid = grid_of(gf.ComplexTorus(dim=dim), POINTS[dim, order], order)
    mode, k2 = wave(grid, numbers)
    expected = law(k2 / 2)
    rate = measured_rate(flow, grid.potential(AMPLITUDE * mode), lambda y: float((y[0] * mode).sum()), expected)
    assert rate == pytest.approx(expected, rel=1e-4)


def symmetric(dim, first, second):
    tensor = np.outer(first, second)
    return (tensor + tensor.T) / 2


def metric_modes(dim, numbers):
    """Polarisations by kind, for wave vector k: transverse (traceless in dimension three), traces, gauge."""
    k = np.array(numbers, dtype=float)
    basis = np.linalg.svd(k[None])[2][1:]
    along = k / np.linalg.norm(k)
    modes = {"gauge": symmetric(dim, along, basis[0]), "longitudinal": np.outer(along, along),
             "trace": np.eye(dim) - np.outer(along, along)}
    if dim == 3:
        modes["transverse-traceless"] = np.outer(basis[0], basis[0]) - np.outer(basis[1], basis[1])
        modes["transverse-shear"] = symmetric(dim, basis[0], basis[1])
    return modes


CASES = [(2, (1, 1), kind) for kind in ("gauge", "longitudinal", "trace")] + [
    (3, (1, 0, 0), kind)
    for kind in ("gauge", "longitudinal", "trace", "transverse-traceless", "transverse-shear")] + [
    (3, (1, 1, 0), "transverse-traceless")]


METRIC_CASES = [(*case, order, gauge) for case in CASES for gauge in (None, "deturck") for order in ORDERS
                if (case[0], order) != (3, 8)]


@pytest.mark.parametrize(("dim", "numbers", "kind", "order", "gauge"), [
    *METRIC_CASES,  # stencils in three dimensions compile for most of a minute
    pytest.param(3, (1, 1, 0), "transverse-traceless", 8, "deturck", marks=pytest.mark.slow)])
def test_metrics_decay(dim, numbers, kind, order, gauge):
    grid = grid_of(gf.Torus(dim=dim), 16 if order == 8 else 8, order)
    polarisation = metric_modes(dim, numbers)[kind]
    mode, k2 = wave(grid, numbers)
    state = grid.metric(np.eye(dim) + AMPLITUDE * polarisation * mode[..., None, None])
    frozen = gauge is None and kind in ("gauge", "longitudinal")
    expected = 0.0 if frozen else k2

    def project(y):
        h = (state.unpack(y).values * polarisation).sum(axis=(-1, -2))
        return float((h * mode).sum())

    rate = measured_rate(gf.RicciFlow(gauge=gauge), state, project, k2)
    assert rate == pytest.approx(expected, rel=1e-4, abs=1e-4 * k2)


@pytest.mark.parametrize("order", ORDERS)
def test_conformal_factors_obey_the_heat_equation(order):
    grid = grid_of(gf.Torus(dim=2), 32, order)
    mode, k2 = wave(grid, (1, 2))
    state = grid.scalar(1 + AMPLITUDE * mode)
    rate = measured_rate(gf.ConformalRicciFlow(), state, lambda y: float((y[0] * mode).sum()), k2)
    assert rate == pytest.approx(k2, rel=1e-4)
