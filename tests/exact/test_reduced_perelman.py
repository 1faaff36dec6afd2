"""Perelman's F, W and μ along Ricci flow of metrics with symmetry, against his formulas for their rates."""

from math import lgamma, log, pi

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.flow.equations import ConjugateHeatFlow

RICCI = gf.RicciFlow()
SPHERE = gf.catalogue.ansatz("sphere", n=2)
DUMBBELL = {"chi": "1", "psi": "sin(x)*sqrt(1 - 9/10*sin(x)^2)"}


def test_a_density_on_a_round_sphere_that_shrinks_has_a_closed_form() -> None:
    """On S³, r² = r₁² + 4τ: constants fall as r⁻³, and cos x, an eigenfunction of −Δ with 3/r², as r^{-9/2}."""
    for gauge in ("arclength", "comoving"):
        start = SPHERE.grid(16).state(chi="1", psi="sin(x)")
        sol = gf.solve(gf.RicciFlow(gauge=gauge), start, 0.2, save_at=64)
        back = gf.solve(ConjugateHeatFlow(sol), sol.last.grid.scalar("2 + cos(x)"), 0.2)
        share, x = (1 - 4 * 0.2), sol.last.grid.points["x"]
        wanted = 2 * share**1.5 + share**2.25 * np.cos(x)
        assert back.last.values == pytest.approx(wanted, rel=1e-8)
        assert back["mass"] == pytest.approx(4 * pi**2 * share**1.5, rel=1e-8)


def test_a_density_on_a_left_invariant_metric_keeps_its_mass() -> None:
    """Then w = w₁ V₁/V, and F = R w V."""
    group = gf.catalogue.ansatz("su2")
    sol = gf.solve(RICCI, group.state(A=1, B=2, C=3), 0.3, save_at=32)
    back = gf.solve(ConjugateHeatFlow(sol), sol.last.grid.scalar(0.5), 0.3)
    first, last = sol.states[0], sol.last
    assert float(back.last.values) == pytest.approx(0.5 * last.volume() / first.volume(), rel=1e-8)
    assert back["perelman_f"][-1] == pytest.approx(0.5 * last.volume() * float(first.scalar("R")), rel=1e-8)


RUNS = [(gf.catalogue.ansatz("su2"), None, {"A": 1, "B": 2, "C": 3}, 0.3, "1/2"),
        (gf.catalogue.ansatz("nil"), None, {"A": 1, "B": 1, "C": 2}, 1.0, "1/2"),
        (SPHERE, 96, DUMBBELL, 0.06, "exp(cos(x)/2)"),
        (gf.catalogue.ansatz("sphere-circle", n=2), 64,
         {"chi": "1", "psi": "1 + cos(x)/8"}, 0.1, "exp(cos(x)/2)")]


@pytest.mark.parametrize("ansatz, points, values, end, density", RUNS)
def test_f_and_w_rise_by_the_squares_that_perelman_found(ansatz, points, values, end, density) -> None:
    """dF/dt = 2∫|Ric + ∇²f|² e^{−f}dV, and dW/dt = 2τ∫|Ric + ∇²f − g/2τ|² (4πτ)^{−N/2}e^{−f}dV, integrated in time."""
    sol = gf.solve(RICCI, ansatz.grid(points).state(**values), end, save_at=64)
    scale, (nodes, weights) = 0.1, np.polynomial.legendre.leggauss(16)
    flow = ConjugateHeatFlow(sol, tau=scale)
    back = gf.solve(flow, sol.last.grid.scalar(density), end, save_at=end * (1 + nodes) / 2, rtol=1e-9)
    assert np.ptp(back["mass"]) < 1e-8 * back["mass"][0]
    assert (np.diff(back["perelman_f"]) < 0).all()
    assert (np.diff(back["perelman_w"]) < 0).all()
    square = ansatz.functional("dot(Ric + Hess(f), Ric + Hess(f))*exp(-f)", fields="f")
    trace, mass = (ansatz.functional(text, fields="f") for text in ("(R + laplacian(f))*exp(-f)", "exp(-f)"))
    of_f, of_w = [], []
    for tau, w in zip(back.times[1:-1], back.states[1:-1], strict=True):
        metric, f, left = flow.metric(tau), w.grid.scalar(-np.log(w.values)), scale + tau
        parts = [functional(metric, f=f) for functional in (square, trace, mass)]
        of_f.append(2 * parts[0])
        of_w.append(2 * left * parts[0] - 2 * parts[1] + ansatz.metric.dim / (2 * left) * parts[2])
    for name, rates in (("perelman_f", of_f), ("perelman_w", of_w)):
        assert back[name][0] - back[name][-1] == pytest.approx(end / 2 * weights @ rates, rel=2e-7)


def test_along_a_torus_f_and_w_are_those_without_symmetry() -> None:
    """e^{2u}(dx² + dy²) of both coordinates, backward on its grid and on that of the torus."""
    chart = gf.Chart("x y", periods=dict.fromkeys("xy", 1))
    ansatz = gf.Ansatz(gf.Metric(chart, [["exp(2*u(x, y))", 0], [0, "exp(2*u(x, y))"]], functions="u"))
    u, w, grid = "cos(2*pi*x)*cos(2*pi*y)/8", "1 + sin(2*pi*x)/3", gf.Torus(dim=2).grid(12, scheme="spectral")
    reduced = gf.solve(RICCI, ansatz.grid(12).state(u=u), 0.01, save_at=8, rtol=1e-9)
    whole = gf.solve(RICCI, grid.metric([[f"exp(2*({u}))", 0], [0, f"exp(2*({u}))"]]), 0.01, save_at=64, rtol=1e-9)
    ends = [gf.solve(ConjugateHeatFlow(sol, tau=0.1), sol.last.grid.scalar(w), 0.01, rtol=1e-9)
            for sol in (reduced, whole)]
    for name in ("mass", "perelman_f", "perelman_w"):
        assert ends[0][name][[0, -1]] == pytest.approx(ends[1][name][[0, -1]], rel=1e-6)


def test_gauges_move_densities_along() -> None:
    """A density that is 1 at the end has the same F at the start whatever coordinates did on the way."""
    found = []
    for gauge in ("deturck", "arclength", "comoving"):
        start = SPHERE.grid(32).state(chi="1 + cos(2*x)/20", psi="sin(x)*(1 + sin(x)^2/5)*(21/20 - sin(x)^2/20)")
        sol = gf.solve(gf.RicciFlow(gauge=gauge), start, 0.02, save_at=32)
        back = gf.solve(ConjugateHeatFlow(sol), sol.last.grid.scalar(1), 0.02)
        found.append(back["perelman_f"][[0, -1]])
    assert found[1] == pytest.approx(found[0], rel=1e-7)
    assert found[2] == pytest.approx(found[0], rel=1e-7)


def shrinking(dim: int) -> float:
    """μ of a round sphere at its own τ = r²/2(N − 1), where f = log(ω_N ((N − 1)/2π)^{N/2}) is constant: f − N/2."""
    area = log(2) + (dim + 1) / 2 * log(pi) - lgamma((dim + 1) / 2)
    return area + dim / 2 * log((dim - 1) / (2 * pi)) - dim / 2


@pytest.mark.parametrize("dim", [2, 3, 4])
def test_mu_stays_the_same_on_a_round_sphere_that_shrinks(dim: int) -> None:
    """Of S² it is log(2/e): at each time until T = 1/2(N − 1), and in another coordinate."""
    start = gf.catalogue.ansatz("sphere", n=dim - 1).grid(24).state(chi="1", psi="sin(x)")
    end = 1 / (2 * (dim - 1))
    sol = gf.solve(RICCI, start, 0.9 * end, save_at=3)
    found = [state.perelman_mu(end - t) for t, state in zip(sol.times, sol.states, strict=True)]
    assert found == pytest.approx([shrinking(dim)] * 4, abs=1e-9)
    slid = "x + sin(2*x)/8"
    other = gf.catalogue.ansatz("sphere", n=dim - 1).grid(48).state(chi="1 + cos(2*x)/4", psi=f"sin({slid})")
    assert other.perelman_mu(end) == pytest.approx(shrinking(dim), abs=1e-10)


def test_mu_of_a_group_is_that_of_a_constant_f() -> None:
    group = gf.catalogue.ansatz("su2").state(A=1, B=1, C=1)
    assert group.perelman_mu(0.25) == pytest.approx(shrinking(3), abs=1e-12)


@pytest.mark.parametrize("tau", [0.15, 0.2, 0.24])
def test_mu_of_a_large_sphere_is_that_of_a_function_about_a_pole(tau: float) -> None:
    """Of the unit S² the constant is no minimum where τ < 1/2λ₁: 2Δf − |∇f|² + R + (f − 2)/τ = μ/τ by shooting."""
    sphere = gf.catalogue.ansatz("sphere", n=1).grid(48).state(chi="1", psi="sin(x)")
    assert sphere.perelman_mu(tau) == pytest.approx(by_shooting(tau), abs=1e-9)
    assert sphere.perelman_mu(tau) < log(1 / tau) + 2 * tau - 2
    assert sphere.perelman_mu(0.3) == pytest.approx(log(1 / 0.3) + 0.6 - 2, abs=1e-11)


def by_shooting(tau: float) -> float:
    """μ of the unit S², of the f − μ that is less at one pole than at the other, from both poles to the equator."""
    def side(pole: float) -> np.ndarray:
        def rhs(x, y):
            bend = -y[1] / np.tan(x) + y[1] ** 2 / 2 - 1 + (2 - y[0]) / (2 * tau)
            return [y[1], bend, np.sin(x) * np.exp(-y[0]) / (2 * tau)]

        near, bend = 1e-3, ((2 - pole) / (2 * tau) - 1) / 2
        first = [pole + bend * near**2 / 2, bend * near, near**2 / 2 * np.exp(-pole) / (2 * tau)]
        return solve_ivp(rhs, [near, pi / 2], first, rtol=1e-12, atol=1e-14).y[:, -1]

    def gap(poles):
        one, two = map(side, poles)
        return one[0] - two[0], one[1] + two[1]

    constant = 2 - 2 * tau
    poles = fsolve(gap, [constant - 1.3, constant + 4.0], xtol=1e-13)
    assert poles[1] - poles[0] > 1
    return float(np.log(sum(side(pole)[2] for pole in poles)))


def test_mu_rises_to_that_of_a_cylinder_while_a_neck_pinches() -> None:
    """At T − t, of the singular time T, up to log(2/e) of the cylinder S² × R; of a later T it rises too."""
    sol = gf.solve(RICCI, SPHERE.grid(96).state(**DUMBBELL), 0.07, save_at=[0.02, 0.05])
    for end in (0.0748525, 0.2):
        found = [state.perelman_mu(end - t) for t, state in zip(sol.times, sol.states, strict=True)]
        assert (np.diff(found) > 0).all()
        if end < 0.1:
            assert shrinking(2) - 2e-3 < found[-1] < shrinking(2)


def test_what_cannot_be_watched_backward_is_said() -> None:
    start = SPHERE.grid(16).state(chi="1", psi="sin(x)")
    sol = gf.solve(RICCI, start, 0.1, save_at=4)
    one = sol.last.grid.scalar(1)
    with pytest.raises(InputError, match="runs along a solution"):
        ConjugateHeatFlow(gf.solve(gf.RicciFlow(normalised=True), start, 0.1, save_at=4))
    with pytest.raises(InputError, match="must be positive"):
        gf.solve(ConjugateHeatFlow(sol), sol.last.grid.scalar("cos(x)"), 0.1)
    with pytest.raises(InputError, match="moves a function on their grid"):
        gf.solve(ConjugateHeatFlow(sol), start, 0.1)
    with pytest.raises(InputError, match="run backward no longer than"):
        gf.solve(ConjugateHeatFlow(sol), one, 0.2)
    with pytest.raises(InputError, match="must be a positive number"):
        start.perelman_mu(0)
    with pytest.raises(InputError, match="does not resolve the function"):
        start.perelman_mu(1e-4)
    with pytest.raises(InputError, match="spectral grids of one coordinate"):
        gf.catalogue.ansatz("sphere", n=1).grid(16, order=4).state(chi="1", psi="sin(x)").perelman_mu(1)


@pytest.mark.parametrize("ansatz, points, values", [
    (gf.catalogue.ansatz("su2"), None, {"A": 1, "B": 2, "C": 3}),
    (gf.catalogue.ansatz("sphere", n=3), 16, {"chi": "1", "psi": "sin(x)"})])
@pytest.mark.parametrize("tau", [0, -1])
def test_w_is_of_a_positive_scale(ansatz, points, values, tau) -> None:
    """In an even dimension (4πτ)^{−N/2} is finite for τ < 0 too."""
    with pytest.raises(InputError, match=f"tau = {tau} is a scale.*positive"):
        ansatz.perelman_w(ansatz.grid(points).state(**values), {"tau": tau}, f=0)
