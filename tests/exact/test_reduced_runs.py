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
from geomflow.field.reduced.state import ReducedState

RICCI = gf.RicciFlow()


def test_a_left_invariant_metric_on_su2_dies_when_it_must() -> None:
    """From (1, 2, 3) at 0.473664231414785, from (1, 1, 4) at 1/8 + π/(6√3): found by two formulations."""
    ansatz = gf.catalogue.ansatz("su2")
    for start, end in (((1, 2, 3), 0.473664231414785), ((1, 1, 4), 1 / 8 + pi / (6 * sqrt(3)))):
        sol = gf.solve(gf.RicciFlow(), ansatz.state(**dict(zip("ABC", start, strict=True))), 1.0)
        assert sol.outcome.kind is OutcomeKind.singular
        assert sol.outcome.time == pytest.approx(end, abs=1e-10)


AREA = 2 * pi * (1 + 4 * pi / (3 * sqrt(3)))
LIFE = AREA / (8 * pi)
"""Of the prolate spheroid with semi-axes 1, 1, 2."""


@pytest.fixture(scope="module")
def spheroid() -> ReducedState:
    return gf.catalogue.ansatz("sphere", n=1).grid(48).state(chi="sqrt(cos(x)^2 + 4*sin(x)^2)", psi="sin(x)")


@pytest.fixture(scope="module")
def life(spheroid: ReducedState) -> gf.Solution:
    """To 99.9 % of its life, with what it is at the half."""
    return gf.solve(RICCI, spheroid, 0.999 * LIFE, save_at=[LIFE / 2])


def test_the_area_of_a_surface_of_revolution_falls_by_eight_pi_a_unit_time(spheroid: ReducedState,
                                                                          life: gf.Solution) -> None:
    """A = A₀ − 8πt; the Gaussian curvature at half of its life by two other formulations."""
    assert spheroid.volume() == pytest.approx(AREA, abs=1e-12)
    assert np.abs(life["volume"] - AREA + 8 * pi * life.monitor_times).max() < 1e-10
    assert life["total_curvature"] == pytest.approx(8 * pi, rel=1e-10)
    half = life.states[1]
    assert half.grid.range_of(half.scalar("R") / 2) == pytest.approx((0.7723589332, 2.0933684348), abs=2e-10)


def test_a_surface_of_revolution_becomes_round_by_the_square_of_the_time_that_is_left(life: gf.Solution) -> None:
    """R (T − t) → 1, and |R (T − t) − 1| ~ (T − t)²: the mode of degree two on S², λ = 6, falls so."""
    left = LIFE - life.monitor_times
    late = (left < 0.03 * LIFE) & (left > 0.002 * LIFE)
    for name in ("curvature_min", "curvature_max"):
        deviation = np.abs(life[name] * left - 1)
        assert deviation[-1] < 1e-5
        assert np.polyfit(np.log(left[late]), np.log(deviation[late]), 1)[0] == pytest.approx(2, abs=5e-3)


def test_an_event_is_found_where_curvatures_are_nearly_equal(spheroid: ReducedState) -> None:
    """K_max/K_min = 1.1 at t = 0.73998813641, by two other formulations."""
    def excess(t: float, state: ReducedState) -> float:
        low, high = state.grid.range_of(state.scalar("R"))
        return high / low - 1.1

    sol = gf.solve(RICCI, spheroid, LIFE, events=gf.Event("nearly round", excess))
    assert sol.outcome.time == pytest.approx(0.73998813641, rel=1e-8)


def rosenau(t: float, n: int, order: int | None = None) -> ReducedState:
    """King's and Rosenau's metric u (dX² + 4 dθ²), u = sinh(−t)/(cosh X + cosh t), with X = 2 log tan(x/2)."""
    root = f"2*sqrt(sinh({-t})/(1 + cos(x)^2 + cosh({t})*sin(x)^2))"
    return gf.catalogue.ansatz("sphere", n=1).grid(n, order).state(chi=root, psi=f"sin(x)*{root}")


def test_the_solution_of_king_and_rosenau_is_reproduced() -> None:
    """From −2 to −½ with 32 nodes: R = (cosh t cosh X + 1)/(sinh(−t)(cosh X + cosh t)), at the radius ψ = 2√u."""
    start, end = rosenau(-2.0, 32), -0.5
    sol = gf.solve(RICCI, start, 1.5, rtol=1e-13)
    assert start.volume() == pytest.approx(16 * pi, abs=1e-12)
    assert sol.last.volume() == pytest.approx(4 * pi, abs=1e-11)
    sh, ch, x = np.sinh(-end), np.cosh(end), np.linspace(0, pi, 201)
    equator = sol.last.at("psi", [pi / 2])
    assert equator == pytest.approx(2 * sqrt(sh / (1 + ch)), rel=1e-12)
    square = sol.last.at("psi", x) ** 2
    wanted = (ch * (4 * sh - square * ch) + square) / (4 * sh**2)
    assert np.abs(sol.last.scalar_at(x, "R") / wanted - 1).max() < 2e-12


@pytest.mark.parametrize("n", [2, 3])
def test_a_round_sphere_in_another_coordinate_shrinks_as_a_round_sphere(n: int) -> None:
    """S^{n+1} in y = x + sin(2x)/10: R = n(n+1)/(1 − 2nt), to the resolution, geometrically."""
    ansatz, end = gf.catalogue.ansatz("sphere", n=n), 1 / (2 * n)
    errors = []
    for size in (20, 32):
        start = ansatz.grid(size).state(chi="1 + 1/5*cos(2*x)", psi="sin(x + 1/10*sin(2*x))")
        sol = gf.solve(RICCI, start, 0.9 * end)
        wanted = n * (n + 1) / (1 - 2 * n * sol.monitor_times)
        errors.append(max(np.abs(sol[name] / wanted - 1).max() for name in ("curvature_min", "curvature_max")))
    assert errors[1] < 2e-3 * errors[0]


@pytest.mark.parametrize("n, end", [(2, 1 / 4), (3, 1 / 6)])
def test_a_round_sphere_in_another_coordinate_dies_when_it_must(n: int, end: float) -> None:
    """S³ at 1/4, S⁴ at 1/6: T = t + (n + 1)/(2R) where the run ends."""
    start = gf.catalogue.ansatz("sphere", n=n).grid(32).state(chi="1 + 1/5*cos(2*x)", psi="sin(x + 1/10*sin(2*x))")
    sol = gf.solve(RICCI, start, 1.0)
    assert sol.outcome.kind is OutcomeKind.singular
    assert sol.outcome.time == pytest.approx(end, abs=1e-6)
    assert sol.monitor_times[-1] + (n + 1) / (2 * sol["curvature_max"][-1]) == pytest.approx(end, abs=1e-10)


def test_what_is_round_is_stepped_by_how_fast_it_shrinks() -> None:
    """Fields near zero are not measured by themselves."""
    start = gf.catalogue.ansatz("sphere", n=2).grid(24).state(chi="1 + 1/5*cos(2*x)", psi="sin(x + 1/10*sin(2*x))")
    assert gf.solve(RICCI, start, 0.1).steps < 200


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
