"""Normalised, conformal and gauged flows of metrics with symmetry: what each keeps, and energies watched by name."""

import numpy as np
import pytest

import geomflow as gf

SPHERE = gf.catalogue.ansatz("sphere", n=2)
START = {"chi": "1", "psi": "sin(x)*(1 + sin(x)^2/10)"}


@pytest.mark.parametrize("flow", [gf.RicciFlow(normalised=True), gf.Flow.from_expression("-(R - mean(R))*g")])
def test_normalised_flows_keep_the_volume(flow) -> None:
    sol = gf.solve(flow, SPHERE.grid(32).state(**START), 0.02)
    assert sol["volume"] == pytest.approx(sol["volume"][0], rel=1e-10)
    assert np.ptp(sol["curvature_max"] - sol["curvature_min"]) > 0.1


def test_yamabe_flow_stays_in_its_conformal_class_and_lowers_its_quotient() -> None:
    """∂_t g = −R g on S³: χ and ψ grow alike, and ∫R dV/V^{1/3} falls (R. Hamilton; R. Ye, J. Diff. Geom. 39, 1994)."""
    functional = SPHERE.functional("R")
    start = SPHERE.grid(16).state(**START)
    sol = gf.solve(gf.Flow.from_expression("-R*g"), start, 0.02, monitors={"total": lambda t, s: functional(s)})
    assert (np.diff(sol["total"] / sol["volume"] ** (1 / 3)) < 0).all()
    assert sol["total"] == pytest.approx(sol["total_curvature"], rel=1e-10)
    assert sol.last["psi"] / sol.last["chi"] == pytest.approx(start["psi"] / start["chi"], rel=1e-9)


def test_conformal_ricci_flow_of_a_surface_is_its_ricci_flow() -> None:
    start = gf.catalogue.ansatz("sphere", n=1).grid(16).state(**START)
    one, two = gf.solve(gf.ConformalRicciFlow(), start, 0.02), gf.solve(gf.RicciFlow(gauge="comoving"), start, 0.02)
    assert one["volume"] == pytest.approx(start.volume() - 8 * np.pi * one.monitor_times, abs=1e-9)
    assert one.last.values == pytest.approx(two.last.values, abs=1e-8)


def test_ricci_flow_has_the_same_energies_in_every_gauge() -> None:
    found = []
    for gauge in ("deturck", "arclength", "comoving"):
        sol = gf.solve(gf.RicciFlow(gauge=gauge), SPHERE.grid(24).state(**START), 0.02,
                       monitors={"energy": lambda t, s: s.integral("R^2"), "ground": lambda t, s: s.perelman_lambda()})
        found.append([sol[name][-1] for name in ("energy", "ground", "volume", "total_curvature")])
    assert found[1] == pytest.approx(found[0], rel=1e-7)
    assert found[2] == pytest.approx(found[0], rel=1e-7)
