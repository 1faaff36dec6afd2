"""Flows of Kähler potentials in a geometer's words: the built-in and the derived ones, and the words themselves."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
from geomflow.core import graph as gr
from geomflow.core.program import Stage, unstaged
from geomflow.flow.equations.kahler import LOG_KAPPA
from geomflow.flow.equations.reading import Reading
from geomflow.symbolic.language.words import Words
from geomflow.symbolic.parse import read
from geomflow.symbolic.variation.residues import all_vanish
from geomflow.symbolic.variation.staged import Staged

CURVE, SURFACE = gf.ComplexTorus(dim=1), gf.ComplexTorus(dim=2)
VARYING = {1: [["1/2 + cos(2*pi*x)/9"]],
           2: [["1/2 + cos(2*pi*x1)/9", "(sin(2*pi*y2) + I*cos(2*pi*x1))/30"],
               ["(sin(2*pi*y2) - I*cos(2*pi*x1))/30", "1"]]}
CONSTANT = {1: [[0.6]], 2: [[0.5, 0.2 + 0.1j], [0.2 - 0.1j, 0.75]]}
PHI = {1: "cos(2*pi*x)*sin(2*pi*y)/200", 2: "cos(2*pi*x1)*sin(2*pi*y2)/300"}
BUILT_IN = {"log(v)": gf.KahlerRicciFlow(), "R - mean(R)": gf.CalabiFlow(), "2*ln(v)": gf.KahlerRicciFlow(speed=2)}


def potential(torus, reference, points=8, **how):
    form = {"flat": None, "constant": CONSTANT, "varying": VARYING}[reference]
    return torus.grid(points, **how).potential(PHI[torus.dim], reference=form and form[torus.dim])


@pytest.mark.parametrize("reference", ["flat", "constant", "varying"])
@pytest.mark.parametrize("torus", [CURVE, SURFACE], ids=["curve", "surface"])
@pytest.mark.parametrize("rate", BUILT_IN)
def test_typed_flows_are_the_built_in_programs(torus, reference, rate):
    state = potential(torus, reference)
    typed, built_in = gf.Flow.from_expression({"phi": rate}).on(state), BUILT_IN[rate].on(state)
    assert typed.program == built_in.program
    assert typed.averages == built_in.averages
    assert (typed.numbers, typed.modulo, typed.positive) == (built_in.numbers, built_in.modulo, built_in.positive)


@pytest.mark.parametrize("reference", ["flat", "varying"])
@pytest.mark.parametrize("rate", ["log(v)", "R - mean(R)"])
def test_typed_flows_run_to_the_same_bits(rate, reference):
    start = potential(CURVE, reference, 16)
    t1 = 1e-2 if rate == "log(v)" else 1e-4
    typed = gf.solve(gf.Flow.from_expression({"phi": rate}), start, t1=t1)
    built_in = gf.solve(BUILT_IN[rate], start, t1=t1)
    assert np.array_equal(typed.times, built_in.times)
    assert np.array_equal(typed.last.values, built_in.last.values)
    for name in ("volume", "curvature_max", "v_min", "residual"):
        assert np.array_equal(typed[name], built_in[name])


DERIVED = {
    "-laplacian(v)": lambda T: gf.functionals.EF(T, "(v-1)^2"),
    "R": gf.functionals.KEnergy,
    "laplacian(laplacian(R)) + 2*dot(Ric, Hess(R)) + dot(d(R), d(R))":
        lambda T: gf.functionals.Functional.from_density(T, "R^2"),
}


@pytest.mark.parametrize("reference", ["flat", "constant"])
@pytest.mark.parametrize("torus", [CURVE, SURFACE], ids=["curve", "surface"])
@pytest.mark.parametrize("rate", DERIVED)
def test_typed_flows_are_the_derived_ones(torus, reference, rate):
    state = potential(torus, reference)
    derived = gf.Descent(DERIVED[rate](torus).gradient_flow("mabuchi"), forced=True).on(state).program
    assert all_vanish(difference(torus, program(state, rate), derived))
    assert not all_vanish(difference(torus, program(state, f"2*({rate})"), derived))


def program(state, rate):
    """The program of a rate; κ is a number, as in derived flows."""
    found = gf.Flow.from_expression({"phi": rate}, forced=True).on(state).program
    kappa = gr.constant(Fraction(float(np.linalg.det(state.reference_values).real)))
    stages = tuple(stage.substituted({gr.exp(-gr.symbol(LOG_KAPPA)): 1 / kappa}) for stage in found.stages)
    return replace(found, parameters=(), stages=stages)


def difference(torus, first, second):
    one, other = tagged(first, "a"), tagged(second, "b")
    rates = [stages.pop().nodes[0] for stages in (one, other)]
    return Staged(torus.coordinates, (2 * torus.dim,), (*one, *other), (rates[0] - rates[1],))


def tagged(program, tag):
    """The stages of a program under other names."""
    inner = {name for stage in program.inner for name in stage.names}
    leaves = [leaf for leaf in gr.leaves([node for stage in program.stages for node in stage.nodes])
              if leaf.op == "jet" and leaf.data[0] in inner]
    values = {leaf: gr.jet(tag + leaf.data[0], leaf.data[1]) for leaf in leaves}
    return [Stage(tuple((tag + name, node) for name, node in stage.substituted(values).outputs))
            for stage in program.stages]


# the words

X = {1: sp.symbols("x y", real=True), 2: sp.symbols("x1 y1 x2 y2", real=True)}
FORMULA = {1: "x^4/40 + x^2*y/9 + sin(x + 2*y)/20", 2: "x1^3*y2/60 + sin(x1 + y2)/30 + x2^4/50 + x1*x2*y1/25"}
POINT = (0.3, -0.2, 0.45, 0.15)
OTHER = "sin({0})*exp({1}/2)"


def value(dim, text):
    """What a text is at the point, of the potential of the formula over ½δ, as an array."""
    grid = gf.ComplexTorus(dim=dim).grid(5, order=2)
    state = grid.fields(phi=grid.potential(), f="0")
    reading = Reading(grid.torus, state.parts, {}, {}, True, None)
    found = read(text, Words(reading._space, reading.averages, reading._known))
    nodes = unstaged(reading.stages, list(found.entries.flat), grid.torus.coordinates)
    known = {leaf: jet_value(dim, *leaf.data) if leaf.op == "jet" else dim * np.log(0.5) for leaf in gr.leaves(nodes)}
    return np.array(gr.evaluate(nodes, known), dtype=float).reshape(found.entries.shape)


def formulas(dim):
    names = {str(x): x for x in X[dim]}
    return {"phi": sp.sympify(FORMULA[dim], locals=names), "f": sp.sympify(OTHER.format(*X[dim]), locals=names)}


@cache
def jet_value(dim, name, index):
    expression = formulas(dim)[name]
    for symbol, times in zip(X[dim], index, strict=True):
        expression = sp.diff(expression, symbol, times) if times else expression
    return at_point(dim, expression)


def at_point(dim, expression):
    return float(expression.subs(dict(zip(X[dim], POINT, strict=False))).evalf(30))


def derivatives(dim, count):
    """The real metric 2 (½δ + ∂∂̄φ)_{ab̄} dz^a dz̄^b with `count` further derivatives, (2n, 2n, 2n, ...)."""
    size = 2 * dim
    result = np.zeros((size,) * (2 + count))
    for a, b in np.ndindex(dim, dim):
        for further in np.ndindex((size,) * count):
            second = np.array([[jet_value(dim, "phi", index(size, 2 * a + i, 2 * b + j, *further)) for j in (0, 1)]
                               for i in (0, 1)])
            re = np.trace(second) / 4 + (0.5 if a == b and not count else 0)
            im = (second[0, 1] - second[1, 0]) / 4
            result[(slice(2 * a, 2 * a + 2), slice(2 * b, 2 * b + 2), *further)] = [[2 * re, 2 * im], [-2 * im, 2 * re]]
    return result


def index(size, *axes):
    return tuple(axes.count(axis) for axis in range(size))


def riemannian(dim):
    """The metric, its inverse and its curvature, R^k_lij = ∂_i Γ^k_jl − ∂_j Γ^k_il + Γ^k_im Γ^m_jl − Γ^k_jm Γ^m_il."""
    g, dg, ddg = (derivatives(dim, count) for count in range(3))
    up = np.linalg.inv(g)
    lower = (dg + dg.transpose(0, 2, 1) - dg.transpose(2, 0, 1)) / 2
    dlower = (ddg + ddg.transpose(0, 2, 1, 3) - ddg.transpose(2, 0, 1, 3)) / 2
    gamma = np.einsum("km,mij->kij", up, lower)
    dgamma = np.einsum("km,mijl->kijl", up, dlower) - np.einsum("ka,abl,bij->kijl", up, dg, gamma)
    full = np.einsum("kjli->klij", dgamma) + np.einsum("kim,mjl->klij", gamma, gamma)
    full = full - full.transpose(0, 1, 3, 2)
    return g, up, gamma, np.einsum("ak,klij->alij", g, full), np.einsum("klkj->lj", full)


@pytest.mark.parametrize("dim", [1, 2])
def test_words_of_potentials_are_those_of_their_real_metrics(dim):
    g, up, gamma, riemann, ricci = riemannian(dim)
    size = 2 * dim
    slopes = np.array([jet_value(dim, "f", index(size, i)) for i in range(size)])
    second = [[jet_value(dim, "f", index(size, i, j)) for j in range(size)] for i in range(size)]
    hessian = second - np.einsum("kij,k->ij", gamma, slopes)
    density = np.sqrt(np.linalg.det(g))
    for text, right in {
        "g": g, "Ric": ricci, "R": np.einsum("ij,ij", up, ricci), "Hess(f)": hessian, "grad(f)": up @ slopes,
        "Ric2": np.einsum("ij,kl,ik,jl", ricci, ricci, up, up), "dot(d(f), d(f))": slopes @ up @ slopes,
        "Rm2": np.einsum("iklm,jpqr,ij,kp,lq,mr", riemann, riemann, *[up] * 4),
        "laplacian(f)": np.einsum("ij,ij", up, hessian), "dot(Ric, Hess(f))": np.einsum(
            "ij,kl,ik,jl", ricci, hessian, up, up),
        "v": density, "dV": density, "log(v)": np.log(density), "ln(v^2)": 2 * np.log(density),
        "flat.laplacian(f)": np.trace(second),
    }.items():
        np.testing.assert_allclose(value(dim, text), right, rtol=1e-9, atol=1e-10, err_msg=text)


# beside other fields

@pytest.mark.parametrize("reference", ["constant", "varying"])
def test_a_heat_flow_on_a_metric_that_moves(reference, tmp_path):
    """The potential moves as it does alone, f obeys the maximum principle, and both are stored."""
    phi = potential(CURVE, reference, 16, scheme="spectral")
    grid = phi.grid
    flow = gf.Flow.from_expression({"phi": "log(v)", "f": "laplacian(f)"})
    sol = gf.solve(flow, grid.fields(phi=phi, f="1 + sin(2*pi*x)/3"), t1=5e-3, rtol=1e-9, save_at=2,
                   store=tmp_path / "run.zarr")
    alone = gf.solve(gf.KahlerRicciFlow(), phi, t1=5e-3, rtol=1e-9)
    assert sol.last["phi"].max_distance(alone.last) < 1e-9
    assert (np.diff(sol["f_max"]) < 0).all()
    assert (np.diff(sol["f_min"]) > 0).all()
    kept = gf.load(tmp_path / "run.zarr").last
    assert np.array_equal(kept["phi"].values, sol.last["phi"].values)
    assert np.array_equal(kept["phi"].metric().values, sol.last["phi"].metric().values)


def test_waves_on_the_metric_of_a_potential_that_stays():
    """The rate of u on a still potential is that on its real metric."""
    grid = CURVE.grid(16, scheme="spectral")
    phi = grid.potential("cos(2*pi*x)/100", reference=VARYING[1])
    flow = gf.Flow.from_expression({"u": "laplacian(u) - dot(d(u), d(u))"})
    ends = [gf.solve(flow, grid.fields(u="sin(2*pi*y)/2", **metric), t1=0.01, rtol=1e-9).last["u"]
            for metric in ({"phi": phi}, {"g": phi.realify()})]
    assert ends[0].max_distance(ends[1]) < 1e-8


def test_a_run_of_two_fields_ends_where_the_metric_of_the_potential_does():
    grid = CURVE.grid(16, scheme="spectral")
    state = grid.fields(f="0", phi=grid.potential("cos(2*pi*x)/100"))
    sol = gf.solve(gf.Flow.from_expression({"f": "v", "phi": "phi"}), state, t1=9.0)
    assert sol.outcome.kind == "singular"
    assert sol.times[-1] == pytest.approx(np.log(50 / np.pi**2), rel=3e-3)


def test_a_prescribed_density_is_the_built_in_flow():
    """log v − log ρ, ρ a function that stays, with the mean of ρ one."""
    grid = CURVE.grid(16, scheme="spectral")
    phi, density = grid.potential("cos(2*pi*x)/100"), "1 + cos(2*pi*x)/2 + sin(2*pi*y)/4"
    typed = gf.Flow.from_expression({"phi": "log(v) - log(rho)"})
    problem = typed.bind(grid.fields(phi=phi, rho=density))
    right = gf.KahlerRicciFlow(density=density).bind(phi)
    rates = [np.empty_like(phi.pack()) for _ in range(2)]
    for bound, rate in zip((problem, right), rates, strict=True):
        bound.rate(0.0, phi.pack(), rate)
    np.testing.assert_allclose(rates[0], rates[1], rtol=0, atol=1e-14)


@pytest.mark.parametrize(("dim", "reference"), [(1, "varying"), (2, "constant")])
def test_numbers_of_the_whole_state(dim, reference):
    """mean(R) is 0, the class being that of a torus; averages are by dμ_J."""
    state = potential(gf.ComplexTorus(dim=dim), reference, 12 if dim == 1 else 8, scheme="spectral")
    function = state.density() ** 2
    expected = {"mean(R)": 0.0, "3*mean(R/2)": 0.0, "volume": state.volume(), "integral(v^2)": function.integral(state),
                "mean(v^2)": function.integral(state) / state.volume(), "mean(v*R)": (
                    state.density() * state.scalar()).integral(state) / state.volume()}
    for text, right in expected.items():
        problem = gf.Flow.from_expression({"phi": f"{text} + 0*phi"}, forced=True).bind(state)
        rate = np.empty_like(problem.y0)
        problem.rate(0.0, problem.y0, rate)
        np.testing.assert_allclose(rate, right, rtol=1e-9, atol=1e-9, err_msg=text)


# covariance

COVARIANT = ("v", "R", "laplacian(v)", "dot(d(v), d(R))", "dot(Ric, Hess(v))", "Ric2", "trace(ddbar(v))",
             "div(grad(v))")


def turned(values):
    """A function after z¹ ↔ z² and then z¹ → i z¹, which keep the reference ½δ."""
    if values.ndim == 4:
        values = values.transpose(2, 3, 0, 1)
    return np.roll(np.flip(values, 0), 1, 0).swapaxes(0, 1)


@pytest.mark.parametrize("dim", [1, 2])
@settings(max_examples=3)
@given(seed=st.integers(0, 10**6))
def test_rates_do_not_see_unitary_changes_of_coordinates(dim, seed):
    grid = gf.ComplexTorus(dim=dim).grid(10 if dim == 1 else 6, order=2)
    start = grid.random_potential(seed, 0.3, modes=1)
    moved = grid.potential(turned(start.values))
    for rate, same in ((" + ".join(f"{n + 1}*{word}" for n, word in enumerate(COVARIANT)), True), ("d(v, x1)", False)):
        flow = gf.Flow.from_expression({"phi": rate.replace("x1", grid.torus.coordinates[0])}, covariant=same,
                                       forced=True)
        rates = [np.empty_like(state.pack()) for state in (start, moved)]
        for state, out in zip((start, moved), rates, strict=True):
            flow.bind(state).rate(0.0, state.pack(), out)
        gap = np.abs(rates[1][0] - turned(rates[0][0])).max() / np.abs(rates[0]).max()
        assert (gap < 1e-11) == same
        assert same or gap > 1e-3
