"""Steppers are chosen by where the eigenvalues of an equation lie: its whole symbol, not its order alone."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.flow.composed import composed

LINE = gf.Torus(dim=1).grid(32, scheme="spectral")
PLANE = gf.Torus(dim=2, lattice=[[1.0, 0.0], [0.3, 1.0]]).grid(16, scheme="spectral")
WAVE = {"g_xx": "g_yy", "g_xy": "0", "g_yy": "laplacian(g_xx)"}
SCHROEDINGER = {"g_xx": "-laplacian(g_yy)", "g_xy": "0", "g_yy": "laplacian(g_xx)"}


def chosen(rate, start):
    """The name of the stepper of a run of one step."""
    sol = gf.solve(gf.Flow.from_expression(rate), start, t1=1e-9, max_steps=1)
    return sol.recipe["stepper"].split("(")[0]


@pytest.mark.parametrize(("rate", "stepper"), [
    ("laplacian(u)", "RKC"), ("laplacian(u) - d(u, x)", "RKC"), ("laplacian(u)/1000 - d(u, x)", "RK45"),
    ("-d(u, x)", "RK45"), ("-u*d(u, x) + laplacian(u)/10000", "RK45"), ("u - u^3", "RK45"),
    ("-d(u, x, x, x)", "SemiImplicit"), ("-d(u, x, x, x) - d(u^2, x)/100", "SemiImplicit"),
    ("-(2 + sin(2*pi*x))*d(u, x, x, x)", "SemiImplicit"), ("sin(2*pi*x)*d(u, x, x, x)", "RK45"),
    ("-laplacian(laplacian(u)) - d(u, x, x, x)", "SemiImplicit"), ("laplacian(u^3 - u - laplacian(u))", "SemiImplicit"),
    ("d(u, x, x, x, x, x)", "SemiImplicit")])
def test_the_default_follows_the_spectrum(rate, stepper):
    assert chosen(rate, LINE.scalar("sin(2*pi*x)")) == stepper


@pytest.mark.parametrize(("rate", "stepper"), [
    ("laplacian(u)", "RKC"), ("-d(u, x) + 2*d(u, y)", "RK45"), ("d(u, x, x, y) - d(u, y, y, y)", "SemiImplicit")])
def test_the_default_in_the_plane(rate, stepper):
    assert chosen(rate, PLANE.scalar("sin(2*pi*(x - 3*y/10))")) == stepper


@pytest.mark.parametrize(("rates", "stepper"), [
    (WAVE, "RK45"), (SCHROEDINGER, "RK45"), ({name: f"laplacian({name})" for name in WAVE}, "RKC")])
def test_the_default_of_systems(rates, stepper):
    assert chosen(rates, PLANE.metric()) == stepper


@pytest.mark.parametrize(("grid", "rate", "symbol"), [
    (LINE, "3*laplacian(u) - 2*d(u, x) - u", lambda d: 3 * d(2) - 2 * d(1) - 1),
    (LINE, "d(u, x, x, x) + laplacian(u)/10", lambda d: d(3) + d(2) / 10),
    (PLANE, "-laplacian(laplacian(u)) + 5*d(u, x, x, y)",
     lambda d: -d(4, 0) - 2 * d(2, 2) - d(0, 4) + 5 * d(2, 1))])
def test_bounds_of_the_spectrum_are_those_of_the_symbol(grid, rate, symbol):
    """Constant coefficients: the symbol is known, and the two parts of the bound are its own."""
    values = symbol(lambda *index: grid.derivative_symbol(index))
    problem = gf.Flow.from_expression(rate).bind(grid.scalar("1"))
    found = problem.spectrum(0.0, problem.y0)
    size = np.abs(values).max()
    assert found.damping == pytest.approx(-values.real.min(), abs=1e-12 * size)
    assert found.oscillation == pytest.approx(np.abs(values.imag).max(), abs=1e-12 * size)
    assert problem.spectral_radius(0.0, problem.y0) >= (1 - 1e-12) * size
    assert problem.oscillation(0.0, problem.y0) >= (1 - 1e-12) * found.oscillation


@pytest.mark.parametrize("rates", [
    {"u": "laplacian(u)"}, {"u": "laplacian(u + u^3)"}, {"u": "-laplacian(laplacian(u))"},
    {"u": "W*div(grad(u)/W)"}, {"u": "laplacian(u)", "v": "div((1 + v^2)*d(v)/3)"},
    {"g": "-2*Ric + 2*d(u)*d(u)", "u": "laplacian(u)"}])
@pytest.mark.parametrize("scheme", [{"order": 4}, {"scheme": "spectral"}], ids=str)
def test_the_bound_is_just_above_the_largest_eigenvalue(rates, scheme):
    """Symbols are worked out through all stages: what cancels there, as in the symmetric form of fluxes, is gone."""
    grid = gf.Torus(dim=2).grid(10, **scheme)
    parts = {name: grid.random_scalar(seed, amplitude=0.5) for seed, name in enumerate("uv")}
    parts = {name: part for name, part in parts.items() if name in rates}
    start = grid.fields(g=grid.random_metric(3, amplitude=0.4), **parts)
    where = {"W": "sqrt(1 + dot(d(u), d(u)))"} if "W" in rates["u"] else None
    flow = gf.Flow.from_expression(rates, where=where, gauge="deturck" if "g" in rates else None)
    problem = flow.bind(start)
    true = np.abs(np.linalg.eigvals(flow.linearise(start).matrix)).max()
    assert true < problem.spectral_radius(0.0, problem.y0) < 2 * true


def test_the_bound_of_very_many_ways_takes_the_worst_of_each_stage(monkeypatch):
    grid = gf.Torus(dim=2).grid(10)
    start, flow = grid.random_metric(3, amplitude=0.4), gf.Flow.from_expression("laplacian(R)*g")
    sharp = flow.bind(start).spectral_radius(0.0, start.pack())
    monkeypatch.setattr("geomflow.flow.composed.MOST", 0)
    composed.cache_clear()
    problem = flow.bind(start)
    rough = problem.spectral_radius(0.0, problem.y0)
    composed.cache_clear()
    assert sharp < rough < 100 * sharp


def test_airys_equation_is_right_at_once():
    """u = sin(2πx + 8π³t), and an explicit method of fifth order needs more steps."""
    grid = gf.Torus(dim=1).grid(64, scheme="spectral")
    flow, start = gf.Flow.from_expression("-d(u, x, x, x)"), grid.scalar("sin(2*pi*x)")
    sol = gf.solve(flow, start, t1=0.1)
    exact = np.sin(2 * np.pi * grid.coordinates()[0] + 8 * np.pi**3 * 0.1)
    assert np.abs(sol.last.values - exact).max() < 1e-5
    assert gf.solve(flow, start, t1=0.1, stepper="rk45", max_steps=sol.steps).outcome.kind == "interrupted"


def test_a_soliton_keeps_its_shape():
    """u_t = −6uu_x − u_xxx on a long circle: ½ sech²(½(x − t))."""
    grid = gf.Torus(dim=1, periods=40).grid(128, scheme="spectral")

    def wave(t):
        return 0.5 / np.cosh((grid.coordinates()[0] - 20 - t) / 2) ** 2

    sol = gf.solve(gf.Flow.from_expression("-d(3*u^2, x) - d(u, x, x, x)"), grid.scalar(wave(0)), t1=2.0)
    assert np.abs(sol.last.values - wave(2.0)).max() < 1e-4


def test_steps_by_stability_see_lower_derivatives():
    """Of −u_x + 10⁻⁴u_xx the first derivative limits the step; RK4 has no error estimate that would tell."""
    grid = gf.Torus(dim=1).grid(64, scheme="spectral")
    flow = gf.Flow.from_expression("laplacian(u)/10000 - d(u, x)")
    sol = gf.solve(flow, grid.scalar("sin(2*pi*x)"), 1.0, stepper="rk4")
    exact = np.exp(-4e-4 * np.pi**2) * np.sin(2 * np.pi * (grid.coordinates()[0] - 1))
    assert np.abs(sol.last.values - exact).max() < 1e-4


def test_stabilised_steps_see_the_oscillation():
    grid = gf.Torus(dim=1).grid(32, scheme="spectral")
    flow, start = gf.Flow.from_expression("laplacian(u)/100 - d(u, x)"), grid.scalar("sin(2*pi*x)")
    sol = gf.solve(flow, start, 1.0, stepper="rkc", rtol=1e-3)
    exact = np.exp(-4e-2 * np.pi**2) * np.sin(2 * np.pi * (grid.coordinates()[0] - 1))
    assert sol.rejected == 0
    assert np.abs(sol.last.values - exact).max() < 1e-2


def test_stabilised_methods_refuse_oscillations():
    with pytest.raises(InputError, match=r"reach .* along the imaginary axis .* use 'rk45', or 'semi-implicit'"):
        gf.solve(gf.Flow.from_expression("-d(u, x, x, x)"), LINE.scalar("sin(2*pi*x)"), 0.1, stepper="rkc")


def test_linear_growth_is_not_taken_implicitly():
    """Of 100u − u_xxxx the constant grows like e^{100t}: an implicit part with eigenvalue 100 would have a pole."""
    grid = gf.Torus(dim=1).grid(16, scheme="spectral")
    flow = gf.Flow.from_expression("100*u - laplacian(laplacian(u))/1000")
    sol = gf.solve(flow, grid.scalar("1"), 0.1, stepper="semi-implicit")
    assert sol.last.values == pytest.approx(np.exp(10), rel=1e-3)
