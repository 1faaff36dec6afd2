"""Runs of metrics with symmetry against closed forms, and regular equations against those written by hand."""

from math import pi, sqrt

import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.core.outcome import OutcomeKind
from geomflow.field.reduced.compiled import compiled_nodes


def test_a_left_invariant_metric_on_su2_dies_when_it_must() -> None:
    """From (1, 2, 3) at 0.473664231414785, from (1, 1, 4) at 1/8 + π/(6√3): found by two formulations."""
    ansatz = gf.catalogue.ansatz("su2")
    for start, end in (((1, 2, 3), 0.473664231414785), ((1, 1, 4), 1 / 8 + pi / (6 * sqrt(3)))):
        sol = gf.solve(gf.RicciFlow(), ansatz.state(**dict(zip("ABC", start, strict=True))), 1.0)
        assert sol.outcome.kind is OutcomeKind.singular
        assert sol.outcome.time == pytest.approx(end, abs=1e-10)


def test_the_area_of_a_surface_of_revolution_falls_by_eight_pi_a_unit_time() -> None:
    """The prolate spheroid with semi-axes 1, 1, 2: A = A₀ − 8πt, curvature at half of its life."""
    spheroid = gf.catalogue.ansatz("sphere", n=1).grid(48).state(chi="sqrt(cos(x)^2 + 4*sin(x)^2)", psi="sin(x)")
    area = 2 * pi * (1 + 4 * pi / (3 * sqrt(3)))
    assert spheroid.volume() == pytest.approx(area, abs=1e-12)
    sol = gf.solve(gf.RicciFlow(), spheroid, area / (16 * pi))
    assert np.abs(sol["volume"] - area + 8 * pi * sol.monitor_times).max() < 1e-10
    assert sol["curvature_min"][-1] / 2 == pytest.approx(0.7723589332, abs=2e-10)
    assert sol["curvature_max"][-1] / 2 == pytest.approx(2.0933684348, abs=2e-10)


@pytest.mark.parametrize("n", [2, 3])
def test_the_regular_equations_of_warped_spheres_are_those_written_by_hand(n: int) -> None:
    """χ = e^L, ψ = r e^{L + r²w}, r² = 1 − ξ²: L_t = −nK₀, w_t = (n−1)(K₀ − K₁)/r² in radial DeTurck gauge."""
    ansatz = gf.catalogue.ansatz("sphere", n=n)
    grid = ansatz.grid(12)
    found = compiled_nodes(grid, ansatz.regular.of_rates(ansatz.reduce(gf.RicciFlow(gauge="deturck")).rates).rates)
    xi = sympy.Symbol("xi_x")
    log, w = sympy.Function("log_chi")(xi), sympy.Function("w_psi")(xi)
    square = 1 - xi**2
    d = log.diff(xi) - 2 * xi * w + square * w.diff(xi)
    scale = sympy.exp(-2 * log)
    k0 = scale * (1 + 3 * xi * d - xi * log.diff(xi) - square * (d.diff(xi) + d**2 - d * log.diff(xi)))
    k1 = scale * (1 + (sympy.exp(-2 * square * w) - 1) / square + 2 * xi * d - square * d**2)
    gauge = (scale * (square * log.diff(xi, 2) - xi * log.diff(xi) - square * log.diff(xi) ** 2),
             scale * (-log.diff(xi, 2) + log.diff(xi) * d + log.diff(xi) ** 2))
    wanted = [-n * k0 + gauge[0], (n - 1) * (k0 - k1) / square + gauge[1]]
    rng = np.random.default_rng(3)
    y = np.stack([grid.basis_of(f).project @ row
                  for f, row in zip(ansatz.regular.fields, rng.normal(size=(2, 12)) / 5, strict=True)])
    here = {gr.symbol("xi_x"): grid.statics["xi_x"]}
    for name, row, f in zip(("log_chi", "w_psi"), y, ansatz.regular.fields, strict=True):
        here |= {gr.jet(name, (k,)): grid.basis_of(f).derivative((k,)) @ row for k in range(3)}
    by_hand = gr.evaluate([from_sympy(e.doit(), ["xi_x"]) for e in wanted], here, gr.NUMPY)
    assert np.abs(found(y, {}) - np.array(by_hand)).max() < 1e-10 * np.abs(by_hand).max()
