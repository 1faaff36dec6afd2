"""Energies along runs of U(n)-invariant Kähler metrics: Calabi's, and the K-energy relative to the extremal metric."""

import mpmath
import numpy as np
import pytest

import geomflow as gf

MOMENTUM = gf.catalogue.ansatz("momentum", n=2, k=1)
START = "(y-a)*(b-y)/(b-a)"


def extremal(y):
    """E on [1, 2], by (yE)'' = 2 − (A + By) y of Calabi's A = 6/13 and B = 24/13, E(1) = 0, E'(1) = 1."""
    shift, slope = mpmath.mpf(6) / 13, mpmath.mpf(24) / 13
    return ((y - 1) + (y - 1) ** 2 - shift * (y**3 / 6 - y / 2 + mpmath.mpf(1) / 3)
            - slope * (y**4 / 12 - y / 3 + mpmath.mpf(1) / 4)) / y


def by_hand():
    """∫(R − R̄)² dV and 2∫(log(F/E) + E/F − 1) dV of F = (y − 1)(2 − y), 60 digits; dV = 4π² y dy.

    R = 4/y − 2 (yF)''/y, and yF is a cubic with the second derivative 2(3 − 3y).
    """
    def integral(f):
        return 4 * mpmath.pi**2 * mpmath.quad(lambda y: f(y) * y, [1, mpmath.mpf(3) / 2, 2])

    def scalar(y):
        return 4 / y - 4 * (3 - 3 * y) / y

    def excess(y):
        ratio = (y - 1) * (2 - y) / extremal(y)
        return mpmath.log(ratio) + 1 / ratio - 1

    with mpmath.workdps(60):
        mean = integral(scalar) / integral(lambda y: 1)
        return float(integral(lambda y: (scalar(y) - mean) ** 2)), float(2 * integral(excess))


def observed(state):
    return gf.CalabiFlow().bind(state).observe(0.0, state.pack())


def test_values_are_those_of_their_integrals():
    found = observed(MOMENTUM.grid(32).state(F=START, a=1, b=2))
    calabi, relative = by_hand()
    assert found["calabi_energy"] == pytest.approx(calabi, rel=1e-10)
    assert found["relative_k_energy"] == pytest.approx(relative, rel=1e-10)


def test_the_relative_energy_falls_by_the_square_of_what_is_left_of_the_curvature():
    """dK/dt = −∫(R − R_E)² dV along Calabi flow, by the slope of a run."""
    step = 1e-4
    times = [0.01 + k * step for k in (-2, -1, 0, 1, 2)]
    sol = gf.solve(gf.CalabiFlow(), MOMENTUM.grid(32).state(F=START, a=1, b=2), times[-1], save_at=times)
    energy = [observed(state)["relative_k_energy"] for state in sol.states[-5:]]
    slope = (energy[0] - 8 * energy[1] + 8 * energy[3] - energy[4]) / (12 * step)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    y = 1.5 + nodes / 2
    left = sol.states[-3].scalar_at(y) - (12 + 48 * y) / 13
    assert slope == pytest.approx(-4 * np.pi**2 * float(weights / 2 @ (left**2 * y)), rel=1e-6)


@pytest.mark.parametrize("n", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_energies_fall_along_calabi_flow_to_those_of_the_extremal_metric(n):
    ansatz = gf.catalogue.ansatz("momentum", n=n, k=1)
    sol = gf.solve(gf.CalabiFlow(), ansatz.grid(24).state(F=START, a=1, b=2), 5.0)
    for name in ("relative_k_energy", "calabi_energy"):
        energy = sol[name]
        assert np.all(np.diff(energy) <= 1e-9 * energy[0])
    assert 0 <= sol["relative_k_energy"][-1] < 1e-12 * sol["relative_k_energy"][0]
    exact = ansatz.extremal().of(a=1, b=2)
    y = next(iter(exact.scalar.free_symbols))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    places = 1.5 + nodes / 2
    scalar, share = np.array([float(exact.scalar.subs(y, s)) for s in places]), weights * places ** (n - 1)
    spread = share @ (scalar - share @ scalar / share.sum()) ** 2 / share.sum()
    assert sol["calabi_energy"][-1] == pytest.approx(spread * sol["volume"][-1], rel=1e-8)


def test_fubini_study_has_neither_energy():
    found = observed(gf.catalogue.ansatz("momentum-ball", n=2).grid(16).state(F="y*(b-y)/b", b=2))
    assert abs(found["calabi_energy"]) < 1e-18
    assert abs(found["relative_k_energy"]) < 1e-20
