"""Functionals of metrics with symmetry and of functions beside them: variations, values, and their descents as runs."""

import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.symbolic import is_zero

ON = gf.functionals
FLOWS = [(ON.ScalarSquared, "R^2"), (ON.RicciSquared, "Ric2"),
         (lambda T: ON.from_density(T, "dot(R, R) + R^2/3"), "dot(d(R), d(R)) + R^2/3"),
         (lambda T: ON.from_density(T, "R^2/2 + 1", fields="g"), "R^2/2 + 1"),
         (lambda T: 2*ON.EinsteinHilbert(T) + ON.Volume(T), "2*R + 1")]


@pytest.mark.parametrize("name, parameters", [("su2", {}), ("nil", {}), ("sphere", {"n": 1}), ("sphere", {"n": 2})])
@pytest.mark.parametrize("make, density", FLOWS)
def test_a_gradient_flow_that_is_derived_elsewhere_reduces_to_that_of_the_reduced_functional(name, parameters, make,
                                                                                            density) -> None:
    """Varied by structure over the torus and written as tensors, or by the Euler operator of the unknowns."""
    ansatz = gf.catalogue.ansatz(name, **parameters)
    whole = ansatz.reduce(make(gf.Torus(dim=ansatz.metric.dim)).gradient_flow())
    functional = ansatz.functional(density)
    found = functional.gradient_flow()
    assert is_zero([f - w for f, w in zip(found.rates, whole.rates, strict=True)], ansatz.metric.chart).decided()
    assert is_zero(whole.energy.density - functional.density, ansatz.metric.chart).decided()


def test_the_variation_of_perelmans_f_is_his() -> None:
    """δF = ∫ [−⟨h, Ric + ∇²f⟩ + (½ tr h − δf)(2Δf − |∇f|² + R)] e^{−f} dV (Perelman 2002, §1), on χ²dx² + ψ²g_{S²}."""
    ansatz = gf.catalogue.ansatz("sphere", n=2)
    functional, chart = ansatz.perelman_f, ansatz.metric.chart
    shared = ansatz.scalar("(2*laplacian(f) - dot(d(f), d(f)) + R)*exp(-f)", fields="f")
    weight = ansatz.measure.density * ansatz.measure.volume
    assert is_zero(functional.variation[-1] + shared * weight, chart).decided()
    f = functional.functions[0].value
    (x,) = (s for s in chart.symbols if s.name == "x")
    hessian = ansatz.metric.ricci + sympy.Matrix(ansatz.metric.dim, ansatz.metric.dim, lambda i, j: (
        f.diff(chart.symbols[i], chart.symbols[j]) - ansatz.metric.christoffel[0, i, j] * f.diff(x)))
    for k, unknown in enumerate(ansatz.unknowns):
        moved = ansatz.metric.inverse * ansatz.metric.matrix.diff(unknown.value)
        along = (moved * ansatz.metric.inverse * hessian).trace() * sympy.exp(-f)
        wanted = weight * ansatz.constant_on_orbits(moved.trace() * shared / 2 - along)
        assert is_zero(functional.variation[k] - wanted, chart).decided()


def test_perelmans_functionals_of_round_spheres_have_closed_values() -> None:
    """On S³ of radius r with f constant: F = 6/r² V e^{−f}, W = (6τ/r² + f − 3)(4πτ)^{−3/2} V e^{−f}, V = 2π²r³."""
    radius, f, tau = 1.5, 0.3, 0.7
    volume = 2 * np.pi**2 * radius**3
    sphere = gf.catalogue.ansatz("sphere", n=2).grid(16).state(chi=radius, psi=f"{radius}*sin(x)")
    group = gf.catalogue.ansatz("su2").state(A=radius**2, B=radius**2, C=radius**2)
    for state in (sphere, group):
        ansatz = state.grid.ansatz
        wanted = 6 / radius**2 * volume * np.exp(-f)
        assert ansatz.perelman_f(state, f=f) == pytest.approx(wanted, rel=1e-12)
        wanted = (6 * tau / radius**2 + f - 3) * (4 * np.pi * tau) ** -1.5 * volume * np.exp(-f)
        assert ansatz.perelman_w(state, {"tau": tau}, f=f) == pytest.approx(wanted, rel=1e-12)


def test_perelmans_functionals_of_a_torus_are_those_without_symmetry() -> None:
    """diag(a², b², b²) of functions of x alone on T³, with an f of x: F and W on a grid of the torus too.

    There W takes f + (3/2) log 4πτ, of e^{−f}dV = dm, for Perelman's f.
    """
    chart = gf.Chart("x y z", periods=dict.fromkeys("xyz", 1))
    metric = gf.Metric(chart, [["a(x)^2", "0", "0"], ["0", "b(x)^2", "0"], ["0", "0", "b(x)^2"]], functions="a b")
    a, b, f = "1 + cos(2*pi*x)/10", "1 + sin(2*pi*x)/8", "sin(2*pi*x)/3"
    ansatz = gf.Ansatz(metric)
    reduced = ansatz.grid(48).state(a=a, b=b)
    torus = gf.Torus(dim=3)
    grid = torus.grid((48, 1, 1), scheme="spectral")
    whole = grid.fields(g=grid.metric([[f"({a})^2", "0", "0"], ["0", f"({b})^2", "0"], ["0", "0", f"({b})^2"]]), f=f)
    assert ansatz.perelman_f(reduced, f=f) == pytest.approx(ON.PerelmanFCoupled(torus)(whole), rel=1e-9)
    shifted = grid.fields(g=whole["g"], f=f"{f} + 3/2*log(4*pi*2/5)")
    wanted = ON.PerelmanWCoupled(torus)(shifted, parameters={"tau": 0.4})
    assert ansatz.perelman_w(reduced, {"tau": 0.4}, f=f) == pytest.approx(wanted, rel=1e-9)
    for functional, text in ((ON.ScalarSquared(torus), "R^2"), (ON.RicciSquared(torus), "Ric2")):
        assert functional(reduced) == pytest.approx(functional(whole["g"]), rel=1e-8)
        assert ansatz.functional(text)(reduced) == pytest.approx(reduced.integral(text), rel=1e-12)


RUNS = [("su2", {}, None, {"A": 1, "B": 2, "C": 3}, 0.02),
        ("product", {"flat": 1}, None, {"A": 1, "B": 3, "C": 2}, 0.02),
        ("sphere", {"n": 1}, 20, {"chi": "1", "psi": "sin(x)*(1 + sin(x)^2/10)"}, 0.005)]


@pytest.mark.parametrize("name, parameters, points, values, end", RUNS)
def test_the_energy_falls_at_the_rate_of_its_gradient_squared(name, parameters, points, values, end) -> None:
    """dE/dt = −‖grad E‖², E at moved states against the integral of h_ij h^ij, whatever the gauge adds to the rates."""
    ansatz = gf.catalogue.ansatz(name, **parameters)
    start = ansatz.grid(points).state(**values)
    sol = gf.solve(ansatz.functional("R^2").gradient_flow(), start, end)
    assert sol.outcome.kind.value == "finished"
    assert (np.diff(sol["energy"]) < 0).all()
    for place in (0, -1):
        assert sol["energy"][place] == pytest.approx(sol.states[place].integral("R^2"), rel=1e-12)
    fine = gf.solve(ansatz.functional("R^2").gradient_flow(), start, end, save_at=end * fractions(12))
    energies = [fine["energy"][np.searchsorted(fine.monitor_times, t)] for t in fine.times]
    falls = [fine["dissipation"][np.searchsorted(fine.monitor_times, t)] for t in fine.times[1:-1]]
    lost = end / 2 * np.polynomial.legendre.leggauss(12)[1] @ falls
    assert energies[0] - energies[-1] == pytest.approx(lost, rel=1e-9)


def fractions(count: int) -> np.ndarray:
    """Gauss's points of (0, 1)."""
    return (1 + np.polynomial.legendre.leggauss(count)[0]) / 2


def test_equations_that_are_reduced_first_run_as_the_flow_does() -> None:
    ansatz = gf.catalogue.ansatz("sphere", n=2)
    start = ansatz.grid(20).state(chi="1", psi="sin(x)*(1 + sin(x)^2/10)")
    for flow in (gf.RicciFlow(), gf.RicciFlow(normalised=True)):
        one, two = gf.solve(flow, start, 0.02), gf.solve(ansatz.reduce(flow), start, 0.02)
        assert (one.last.packed == two.last.packed).all()


def test_what_no_reduced_functional_does_is_said() -> None:
    su2, sphere = gf.catalogue.ansatz("su2"), gf.catalogue.ansatz("sphere", n=2)
    state, torus = su2.state(A=1, B=2, C=3), gf.Torus(dim=3)
    with pytest.raises(InputError, match="moves beside the metric"):
        gf.solve(su2.perelman_f.gradient_flow(), state, 0.1)
    with pytest.raises(InputError, match="reduce the flow on its own ansatz"):
        gf.solve(gf.catalogue.ansatz("nil").reduce("-2*Ric"), state, 0.1)
    with pytest.raises(InputError, match="the functional of its own ansatz"):
        sphere.functional("R")(state)
    with pytest.raises(InputError, match="of the function 'f' too"):
        su2.perelman_f(state)
    with pytest.raises(InputError, match="needs a number for 'tau'"):
        su2.perelman_w(state, f=0)
    with pytest.raises(InputError, match="holds an f beside the metric"):
        su2.reduce(ON.PerelmanLambda(torus).gradient_flow())
    with pytest.raises(InputError, match="Take a geometry of dimension 3"):
        su2.reduce(ON.ScalarSquared(gf.Torus(dim=2)).gradient_flow())
    with pytest.raises(InputError, match="gradient_flow\\(\"ebin\"\\)"):
        su2.reduce(ON.ScalarSquared(torus).gradient_flow("L2"))
    with pytest.raises(InputError, match="there are functions"):
        su2.functional("R", fields="A:form")
    with pytest.raises(InputError, match="has a name that is of the ansatz"):
        su2.functional("R*A", fields="A")
    with pytest.raises(InputError, match="has a slope"):
        sphere.grid(16).scalar("x")
