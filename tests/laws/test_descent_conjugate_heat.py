"""Perelman's coupled flow: the metric forward under Ricci flow, the density backward; F and W rise in t."""

import numpy as np
import pytest
from fields import grid_of

import geomflow as gf
from geomflow import functionals as fn
from geomflow.core import graph as gr
from geomflow.flow.equations.conjugate_heat import path_of

METRIC = [["1 + 0.2*cos(2*pi*x)*sin(2*pi*y)", "0.1*sin(2*pi*x)"], ["0.1*sin(2*pi*x)", "1 + 0.1*cos(2*pi*(x + y))"]]
CUBIC = [["1 + 0.1*cos(2*pi*y)", "0", "0.05*sin(2*pi*z)"], ["0", "1 + 0.1*sin(2*pi*z)", "0"],
         ["0.05*sin(2*pi*z)", "0", "1 + 0.1*cos(2*pi*(x + y))"]]
SPAN = 0.01


def forward(gauge="deturck", dim=2, points=24, order="spectral", parts=16):
    grid = grid_of(gf.Torus(dim=dim), points, order)
    flow = gf.RicciFlow(gauge=gauge)
    return gf.solve(flow, grid.metric(METRIC if dim == 2 else CUBIC), SPAN, stepper="rk45", rtol=1e-9, save_at=parts)


def backward(solution, tau=0.05, text="exp(cos(2*pi*x) + sin(2*pi*y)/2)", rtol=1e-9):
    state = solution.last.grid.scalar(text)
    return gf.solve(gf.ConjugateHeatFlow(along=solution, tau=tau), state, SPAN, stepper="rk45", rtol=rtol)


@pytest.mark.parametrize("gauge", [None, "deturck"])
def test_mass_is_kept_and_f_and_w_fall_backward(gauge):
    sol = backward(forward(gauge))
    assert sol.outcome.kind == "finished"
    np.testing.assert_allclose(sol["mass"], sol["mass"][0], rtol=1e-6)
    for name in ("perelman_f", "perelman_w"):
        assert (np.diff(sol[name]) < 0).all()


@pytest.mark.slow
def test_three_dimensions():
    sol = backward(forward(dim=3, points=10), rtol=1e-6)
    np.testing.assert_allclose(sol["mass"], sol["mass"][0], rtol=1e-4)
    assert (np.diff(sol["perelman_f"]) < 0).all()
    assert (np.diff(sol["perelman_w"]) < 0).all()


def test_the_gauge_changes_neither_f_nor_mass():
    """The gauged run is the bare one moved by diffeomorphisms: from densities equal at the end in their own gauges
    F differs, from constants only in ∫e^{-f}dV it does not, since a constant is moved to itself."""
    runs = [backward(forward(gauge), text="1") for gauge in (None, "deturck")]
    for name in ("mass", "perelman_f", "perelman_w"):
        ends = [run[name][-1] for run in runs]
        assert ends[0] == pytest.approx(ends[1], rel=1e-5)


@pytest.mark.slow
def test_f_rises_at_the_rate_of_the_derived_coupled_flow():
    """dF/dt = 2∫|Ric + ∇∇f|²e^{-f}dV: the dissipation of the coupled flow, integrated along the run."""
    solution = forward(parts=32)
    flow = gf.ConjugateHeatFlow(along=solution)
    grid = solution.last.grid
    sol = gf.solve(flow, grid.scalar("exp(cos(2*pi*x))"), SPAN, stepper="rk45", control=gf.FixedStep(SPAN / 800),
                   save_at=8)
    coupled = fn.PerelmanF(gf.Torus(dim=2)).coupled_flow().system()
    density = compiled_density(coupled, grid)
    path = path_of(solution)
    loss = [density(np.concatenate([path(SPAN - tau), -np.log(w.pack())])).mean() for tau, w in
            zip(sol.times, sol.states, strict=True)]
    weights = np.array([1, 4, 2, 4, 2, 4, 2, 4, 1]) * SPAN / 24
    rise = 2 * (sol["perelman_f"][0] - sol["perelman_f"][-1])
    assert rise == pytest.approx(weights @ np.array(loss), rel=1e-3)


def compiled_density(coupled, grid):
    from geomflow.core.program import Program, Stage, needed
    from geomflow.field.operators import discretise

    inner = needed(coupled.stages, [coupled.dissipation])
    final = Stage((("density", coupled.dissipation),))
    return discretise(Program(coupled.program.coordinates, coupled.unknowns, (), (), (*inner, final)), grid)


def test_the_rate_is_the_derived_one():
    """∂_τ w = w ∂_t f with the derived ∂_t f = −R − Δf + |∇f|² at f = −log w."""
    coupled = fn.PerelmanF(gf.Torus(dim=2)).coupled_flow().system()
    flow = gf.ConjugateHeatFlow(along=forward(gauge=None, points=8, parts=1))
    program = flow._program(("x", "y"))
    w, derive = gr.jet("f", (0, 0)), gr.Derivation(("x", "y"))
    rate_f = coupled.rates[-1]
    jets = [leaf for leaf in gr.leaves([rate_f]) if leaf.op == "jet" and leaf.data[0] == "f"]
    replaced = gr.substitute([rate_f], {j: derived_jet(derive, -gr.log(w), j.data[1]) for j in jets})[0]
    assert gr.is_zero(w * replaced - program.stages[-1].outputs[0][1])


def derived_jet(derive, node, index):
    for axis, times in enumerate(index):
        for _ in range(times):
            node = derive(node, axis)
    return node


def test_the_path_is_of_fourth_order_in_time():
    fine = forward(parts=16)
    errors = []
    for parts in (2, 4):
        path = path_of(forward(parts=parts))
        errors.append(max(np.abs(path(t) - fine.states.packed(i)).max() for i, t in enumerate(fine.times)))
    assert np.log2(errors[0] / errors[1]) > 3


def test_what_is_refused():
    solution = forward(points=8, parts=2)
    grid = solution.last.grid
    flow = gf.ConjugateHeatFlow(along=solution)
    with pytest.raises(gf.GeomflowError, match="must be positive"):
        gf.solve(flow, grid.scalar("cos(2*pi*x)"), SPAN)
    with pytest.raises(gf.GeomflowError, match="ScalarField"):
        gf.solve(flow, solution.last, SPAN)
    with pytest.raises(gf.GeomflowError, match="lives on"):
        gf.solve(flow, gf.Torus(dim=2).grid(12).scalar(1), SPAN)
    with pytest.raises(gf.GeomflowError, match="run backward no longer"):
        gf.solve(flow, grid.scalar(1), 2 * SPAN)
    with pytest.raises(gf.GeomflowError, match="tau"):
        gf.ConjugateHeatFlow(along=solution, tau=-1.0)
    with pytest.raises(gf.GeomflowError, match="along a solution of RicciFlow"):
        gf.ConjugateHeatFlow(along="nothing")
    normalised = gf.solve(gf.RicciFlow(gauge="deturck", normalised=True), solution.states[0], SPAN)
    with pytest.raises(gf.GeomflowError, match="along a solution of RicciFlow"):
        gf.ConjugateHeatFlow(along=normalised)


def test_along_a_stored_run(tmp_path):
    solution = forward(points=8, parts=4)
    solution.save(tmp_path / "run.zarr")
    runs = [backward(run, rtol=1e-6) for run in (solution, gf.load(tmp_path / "run.zarr"))]
    np.testing.assert_array_equal(runs[0].last.values, runs[1].last.values)


def test_the_equation_is_shown():
    flow = gf.ConjugateHeatFlow(along=forward(points=8, parts=1))
    assert "W^k" in str(flow)
    (equation,) = flow.components(gf.Torus(dim=2))
    assert "g_xx" in str(equation.rhs)
