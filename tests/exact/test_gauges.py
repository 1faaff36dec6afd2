"""Gauges of flows of a metric of any order: their symbols, and that they change the flow by diffeomorphisms alone."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.core import graph as gr
from geomflow.symbolic.jets import MetricNodes, metric_nodes

T2, T3, T4 = (gf.Torus(dim=dim) for dim in (2, 3, 4))
SCHOUTEN = {"P": "(Ric - R*g/6)/2", "D": "nabla(P)", "C": "D[i,j,k] - D[i,k,j]"}
BACH = {**SCHOUTEN, "B": "nabla(C)[i,j,k,k] + P[k,l]*Weyl[i,k,j,l]"}


def flow(rate, gauge=None, where=None, **parameters):
    return gf.Flow.from_expression(rate, gauge=gauge, where=where, **parameters)


def symbol(equation, state, wave):
    """The linearised flow on h cos(2π wave·x), a matrix for the components of h, and |k|²."""
    grid = state.grid
    axes = np.meshgrid(*[np.arange(grid.shape[0]) / grid.shape[0]] * grid.dim, indexing="ij")
    shape = np.cos(2 * np.pi * sum(k * x for k, x in zip(wave, axes, strict=True)))
    linear, count = equation.linearise(state), grid.dim * (grid.dim + 1) // 2
    moved = [linear.apply(unit.reshape(-1, *[1] * grid.dim) * shape) for unit in np.eye(count)]
    columns = [(rates * shape).reshape(count, -1).sum(axis=1) / (shape**2).sum() for rates in moved]
    return np.array(columns).T, (2 * np.pi) ** 2 * sum(k * k for k in wave)


@pytest.mark.parametrize(("torus", "rate", "scale", "order"), [
    (T2, "-2*Ric", 1, 2), (T3, "-3*Ric", 1.5, 2), (T2, "laplacian(R)*g", 1, 4), (T3, "laplacian(Ric)", 0.5, 4),
    (T2, "-laplacian(laplacian(R))*g", 1, 6)])
def test_short_waves_of_the_flat_metric_are_damped_alike(torus, rate, scale, order):
    """All eigenvalues of the linearised flow are −c|k|^{2m}."""
    flat = torus.grid(5, scheme="spectral").metric()
    matrix, square = symbol(flow(rate, "deturck"), flat, (1, -2, 2)[: torus.real_dim])
    expected = -scale * square ** (order // 2)
    np.testing.assert_allclose(np.linalg.eigvals(matrix), np.full(len(matrix), expected), rtol=1e-5)


def test_bachs_flow_in_the_conformal_gauge_damps_all_short_waves_alike():
    """B is −¼|k|⁴ on tensors without trace and divergence, so are L_Y g + ΔR g/12 on all others."""
    equation, flat = flow("B", "deturck+conformal", BACH), T4.grid(5, scheme="spectral").metric()
    assert equation.on(flat).facts["gauge"] == (
        "Y = -D W/4, W^k = g^ij Gamma^k_ij, D = g^ab d_a d_b, s = laplacian R/12")
    matrix, square = symbol(equation, flat, (1, -2, 2, 1))
    np.testing.assert_allclose(np.linalg.eigvals(matrix), np.full(10, -(square**2) / 4), rtol=1e-5)


@pytest.mark.parametrize(("rate", "power"), [
    ("-2*Ric", 0), ("laplacian(R)*g", 1), pytest.param("-laplacian(laplacian(R))*g", 2, marks=pytest.mark.slow)])
def test_the_gauge_is_a_lie_derivative(rate, power):
    """Of all fields along the same Y = (−g^{ab}∂_a∂_b)^{m−1} W."""
    _, g = metric_nodes("xy")
    metric, derive = MetricNodes(("x", "y"), g), gr.Derivation("xy")
    field = list(metric.deturck_field())
    for _ in range(power):
        field = [-gr.add(*(metric.inverse[a, b] * derive(derive(entry, a), b) for a in range(2) for b in range(2)))
                 for entry in field]
    grid = T2.grid(9)
    state = grid.fields(g=grid.metric(), f=0, A=grid.form([0, 0]))
    rates = {"g": rate, "f": 0, "A": "0*d(f)"}
    bare, gauged = (flow(rates, gauge).written(state).program.unstaged() for gauge in (None, "deturck"))
    f, a = gr.jet("f", (0, 0)), [gr.jet("A_x", (0, 0)), gr.jet("A_y", (0, 0))]

    def along(node):
        return gr.add(*(field[k] * derive(node, k) for k in range(2)))

    def form(i):
        return along(a[i]) + gr.add(*(a[k] * derive(field[k], i) for k in range(2)))

    def square(i, j):
        return along(g[i, j]) + gr.add(*(g[k, j] * derive(field[k], i) + g[i, k] * derive(field[k], j)
                                         for k in range(2)))

    lie = [square(0, 0), square(0, 1), square(1, 1), along(f), form(0), form(1)]
    differences = [a - b - c for a, b, c in zip(gauged, bare, lie, strict=True)]
    leaves = gr.leaves([*differences, *lie])
    point = dict(zip(leaves, np.random.default_rng(3).normal(scale=0.1, size=len(leaves)), strict=True))
    point |= {gr.jet("g_xx", (0, 0)): 1.2, gr.jet("g_yy", (0, 0)): 0.9}
    scale = max(abs(value) for value in gr.evaluate(lie, point))
    assert max(abs(value) for value in gr.evaluate(differences, point)) < 1e-12 * scale
    assert scale > 1e-3


def test_a_gauged_flow_of_fourth_order_has_the_invariants_of_the_bare_one():
    """∫R² is that of a metric up to diffeomorphisms, and falls; the metrics differ."""
    def squared(t, state):
        return (state.scalar().values ** 2 * state.volume_density().values).mean()

    start = T2.grid(15, scheme="spectral").metric([["1 + cos(2*pi*y)/20", "sin(2*pi*x)/20"],
                                                   ["sin(2*pi*x)/20", "1 + sin(2*pi*y)/20"]])
    bare, gauged = (gf.solve(flow("laplacian(R)*g", gauge), start, t1=2e-5, stepper="rkc", rtol=1e-8, atol=1e-10,
                             monitors={"squared": squared}) for gauge in (None, "deturck"))
    assert abs(gauged.last.values - bare.last.values).max() > 1e-3
    fallen = bare["squared"][0] - bare["squared"][-1]
    assert fallen > 0.05 * bare["squared"][0]
    assert abs(gauged["squared"][-1] - bare["squared"][-1]) < 1e-5 * fallen
