"""Laws of equations in divergence form: the mean of the unknown is kept to rounding."""

import numpy as np
import pytest
import sympy
from fields import grid_of
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError
from geomflow.core.program import Stage
from geomflow.flow.equations.reading import Reading
from geomflow.symbolic.parse import parse

EPSILON = np.finfo(float).eps
LINE, PLANE = gf.Torus(dim=1), gf.Torus(dim=2)
SKEW = gf.Torus(dim=2, lattice=[[1.0, 0.0], [0.37, 1.3]])
TORI = st.sampled_from((LINE, PLANE, SKEW))
ORDERS = st.sampled_from((2, 4, 6, 8, "spectral"))

factors = st.sampled_from(("u", "(1 + u)", "u^2", "exp(u)", "(2 + sin(2*pi*{x}))", "d(u, {x})", "d(u, {x}, {x})",
                           "laplacian(u)", "d(u^2, {x})", "laplacian(u^3)", "3", "pi"))


@st.composite
def fluxes(draw, axis):
    """A sum of products of unknowns, coefficients and derivatives."""
    terms = draw(st.lists(st.lists(factors, min_size=1, max_size=3), min_size=1, max_size=3))
    return " + ".join("*".join(term) for term in terms).format(x=axis)


@st.composite
def divergences(draw, torus):
    """A rate in divergence form, as text."""
    names = torus.coordinates
    flux = [draw(fluxes(name)) for name in names]
    forms = [f"div({', '.join(flux)})", f"laplacian({flux[0]})", *(f"d({f}, {x})" for f, x in zip(flux, names)),
             f"d({flux[0]}, {names[0]}, {names[-1]})"]
    return draw(st.sampled_from(forms))


def rough_state(grid, seed):
    """Numbers without any smoothness."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, grid.shape)


def evaluated(grid, stages, u):
    """The last stage's rate at u, and a bound of its rounding: each jet errs by ε |symbol| |source|."""
    known = {gr.symbol(name): c for name, c in zip(grid.torus.coordinates, grid.coordinates())}
    arrays = {"u": u}
    for stage in stages:
        jets = [leaf for leaf in gr.leaves(stage.nodes) if leaf.op == "jet"]
        values = known | {jet: grid.derivative(arrays[jet.data[0]], jet.data[1]) for jet in jets}
        rows = [np.broadcast_to(row, grid.shape) for row in gr.evaluate(list(stage.nodes), values)]
        sizes = [np.abs(grid.derivative_symbol(jet.data[1])).max() * np.abs(arrays[jet.data[0]]).max() for jet in jets]
        slopes = gr.evaluate(gr.gradient(stage.nodes[-1], jets), values)
        arrays |= dict(zip(stage.names, rows))
    own = np.abs(rows[-1]).max()  # of the sum that the mean is
    return rows[-1], EPSILON * (own + sum(size * np.abs(slope).max() for size, slope in zip(sizes, slopes)))


@given(st.data(), TORI, ORDERS, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_divergences_have_no_mean(data, torus, order, seed):
    rate = data.draw(divergences(torus))
    grid = grid_of(torus, 12, order)
    reading = Reading(torus, {"u": grid.scalar(0)}, {}, {}, True, None)
    (node,) = reading.rates({"u": rate})
    stages = (*reading.stages, Stage((("rate", node),)))
    values, rounding = evaluated(grid, stages, rough_state(grid, seed))
    assert abs(values.mean()) <= 4 * grid.dim * rounding


@pytest.mark.parametrize("torus", [LINE, SKEW], ids=["line", "skew"])
@pytest.mark.parametrize("rate", ["d(u^2*d(u,{x}), {x})", "d((1+u)*d(u^2,{x}), {x})", "d(u*d(u,{x},{x},{x}), {x})",
                                  "d(sin(2*pi*x)*d(u,x) + u^2, x)", "laplacian(u*d(u,x))"])
def test_staged_derivatives_are_the_derivatives(torus, rate):
    """Carried out on the graph, the stages give what the product rule does, and on a grid its values."""
    rate = rate.format(x=torus.coordinates[-1])
    u, names = sympy.Function("u")(sympy.Symbol("t"), *torus.symbols), {s.name: s for s in torus.symbols}
    names |= {"u": u, "d": sympy.diff, "laplacian": lambda f: sum(sympy.diff(f, s, 2) for s in torus.symbols)}
    equation = gf.Flow.from_expression(rate).components(torus)[0]
    assert sympy.expand(equation.rhs.doit() - parse(rate, names)) == 0


RATES = ["laplacian(u^3 - u - laplacian(u)/1000)", "d(u^2*d(u, x), x) - d(u^2/2, x)"]


@pytest.mark.parametrize("stepper", ["rk4", "rk23", "rk45", "rkc", "semi-implicit"])
@pytest.mark.parametrize("rate", RATES)
def test_every_stepper_keeps_the_mean(rate, stepper):
    grid = LINE.grid(24)
    start = grid.scalar(rough_state(grid, 3) / 4 + 0.6)
    sol = gf.solve(gf.Flow.from_expression(rate), start, t1=2e-3, stepper=stepper, rtol=1e-4)
    assert sol.outcome.kind == "finished"
    assert sol.steps >= 3
    assert np.abs(sol["u_mean"] - sol["u_mean"][0]).max() <= 4 * EPSILON * sol.steps * sol["u_max"].max()


def test_phase_separation_keeps_its_mass_and_its_bounds():
    """Cahn and Hilliard: the energy ½κ|∇u|² + ¼(u² − 1)² falls, and |u| stays near 1."""
    grid = LINE.grid(32)
    start = grid.scalar("1/20 + cos(2*pi*x)/10")
    flow = gf.Flow.from_expression("laplacian(u^3 - u - kappa*laplacian(u))", kappa=1e-3)
    energy = {"energy": lambda t, u: ((u * u - 1) ** 2 / 4 - u * u.laplacian() * (1e-3 / 2)).mean()}
    sol = gf.solve(flow, start, t1=0.1, stepper="rk45", monitors=energy)
    assert sol.outcome.kind == "finished"
    assert -1.1 < sol["u_min"].min() < -0.5 < 0.5 < sol["u_max"].max() < 1.1
    assert np.abs(sol["u_mean"] - 0.05).max() <= 4 * EPSILON * sol.steps
    assert (np.diff(sol["energy"]) <= EPSILON).all()


def test_the_area_of_a_conformal_metric_is_kept():
    grid = PLANE.grid(32)
    start = grid.scalar(1 + rough_state(grid, 5))
    sol = gf.solve(gf.ConformalRicciFlow(), start, t1=1e-2)
    assert np.abs(sol["volume"] / sol["volume"][0] - 1).max() <= 4 * EPSILON * sol.steps


def test_short_waves_are_damped_by_symmetric_fluxes():
    """Two first differences would not see the shortest wave of the grid at all."""
    grid = LINE.grid(16)
    start = grid.scalar(1 + 0.1 * (-1.0) ** np.arange(16))
    sol = gf.solve(gf.Flow.from_expression("d(u*d(u, x), x)"), start, t1=1e-2)
    assert sol["u_max"][-1] - sol["u_min"][-1] < 1e-3


def test_a_divergence_takes_one_flux_an_axis():
    with pytest.raises(ExpressionError, match=r"div\(f_x, f_y\) a flux along each of the 2 coordinates, and 1"):
        gf.Flow.from_expression("div(d(u, x))").bind(PLANE.grid(12).scalar("1"))


@pytest.mark.parametrize("scheme", [{"order": 4}, {"order": 8}, {"scheme": "spectral"}])
def test_no_wave_of_a_gauge_field_grows(scheme):
    """The eigenvalues of A ↦ div dA, beside any conformal metric, are real and not positive but for rounding."""
    grid = PLANE.grid(12, **scheme)
    factor = "exp(cos(2*pi*x) + cos(2*pi*y))"
    state = grid.fields(g=grid.metric([[factor, "0"], ["0", factor]]), A=grid.form(["0", "0"]))
    rates = np.linalg.eigvals(gf.Flow.from_expression({"A": "div(d(A))"}).linearise(state).matrix)
    assert rates.real.max() < 1e-9 * -rates.real.min()
