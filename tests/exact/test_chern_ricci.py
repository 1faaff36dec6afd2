"""Chern–Ricci flow ∂_t h = −Ric^C(h) = ∂∂̄ log det h of Hermitian metrics, typed: its solutions and what it keeps."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import geomflow as gf
from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, IllPosedError, PositivityError
from geomflow.plot.quantities import quantity

CURVE, SURFACE = gf.ComplexTorus(dim=1), gf.ComplexTorus(dim=2)
FLOW = gf.Flow.from_expression({"h": "-ChernRic"})
BUMPY = [["1 + cos(2*pi*y2)/4", "(sin(2*pi*x1) + I*cos(2*pi*y2))/8"],
         ["(sin(2*pi*x1) - I*cos(2*pi*y2))/8", "1 + sin(2*pi*x1)/4"]]


def bumpy(points=8, **how):
    return SURFACE.grid(points, **how).hermitian(BUMPY)


def torsion(metric):
    """∂ω: ∂_1 h_{2b̄} − ∂_2 h_{1b̄}, (*grid, b)."""
    unit = np.eye(4, dtype=int)

    def slope(values, axis):
        return sum(factor * metric.grid.derivative(np.ascontiguousarray(part), tuple(unit[axis]))
                   for factor, part in ((1, values.real), (1j, values.imag)))

    def holomorphic(values, a):
        return (slope(values, 2 * a) - 1j * slope(values, 2 * a + 1)) / 2

    h = metric.values
    return np.stack([holomorphic(h[..., 1, b], 0) - holomorphic(h[..., 0, b], 1) for b in range(2)], axis=-1)


@pytest.mark.parametrize(("torus", "phi"), [(CURVE, "cos(2*pi*x)*sin(2*pi*y)/60"), (
    SURFACE, "cos(2*pi*x1)*sin(2*pi*y2)/80 + sin(2*pi*(y1 + x2))/90")], ids=["curve", "surface"])
def test_a_kahler_start_runs_as_its_potential_does(torus, phi):
    start = torus.grid(8).potential(phi)
    how = {"t1": 2e-3, "stepper": "rk4", "control": gf.flow.FixedStep(5e-4)}
    forms, potentials = gf.solve(FLOW, start.metric(), **how), gf.solve(gf.KahlerRicciFlow(), start, **how)
    assert forms.last.max_distance(potentials.last.metric()) < 1e-13
    assert forms.last.max_distance(start.metric()) > 1e-3


def test_torsion_is_kept_to_rounding():
    """With an odd number of points: of an even one, the shortest wave has a second derivative and no first."""
    start = bumpy((9, 3, 3, 9), scheme="spectral")
    sol = gf.solve(FLOW, start, t1=0.02)
    assert sol.last.max_distance(start) > 0.03
    assert np.abs(torsion(start)).max() > 0.3
    assert np.abs(torsion(sol.last) - torsion(start)).max() < 1e-12


@pytest.mark.parametrize("order", [2, 4])
def test_torsion_is_kept_to_the_order_of_stencils(order):
    moved = []
    for points in (24, 48):
        start = bumpy((points, 5, 5, points), order=order)
        rate = np.empty_like(start.pack())
        FLOW.bind(start).rate(0.0, start.pack(), rate)
        moved.append(np.abs(torsion(start.unpack(rate))).max())
    assert np.log2(moved[0] / moved[1]) == pytest.approx(order, abs=0.5)


def test_a_metric_that_is_not_kahler_converges_to_one_of_constant_volume():
    """h = a |dz¹|² + b |dz²|² of z² alone: a stays, and ∂_t b = ∂∂̄ log(ab), so that b → c/a with the mean of b.

    Near the end w = ab − c obeys ∂_t w = (a/4c) Δw.
    """
    n, times = 11, [0.8, 0.9, 2.0]
    grid = SURFACE.grid((3, 3, n, n), scheme="spectral")
    start = grid.hermitian([["exp(cos(2*pi*x2)/2)", 0], [0, "1 + sin(2*pi*y2)/3"]])
    sol = gf.solve(FLOW, start, t1=times[-1], save_at=times, stepper="rk45", rtol=1e-9, atol=1e-12)
    a, b = (start.values[0, 0, ..., i, i].real for i in (0, 1))
    c = b.mean() / (1 / a).mean()
    left = [(a * state.values[0, 0, ..., 1, 1].real - c).ravel() for state in sol.states[1:]]
    assert np.abs(left[-1]).max() < 1e-7
    assert np.abs(sol.last.values[..., 0, 0] - a).max() < 1e-13
    waves = 2 * np.pi * np.fft.fftfreq(n, 1 / n)
    second = np.fft.ifft(-(waves[:, None] ** 2) * np.fft.fft(np.eye(n), axis=0), axis=0).real
    laplacian = np.kron(second, np.eye(n)) + np.kron(np.eye(n), second)
    predicted = expm(0.1 * a.reshape(-1, 1) / (4 * c) * laplacian) @ left[0]
    assert np.linalg.norm(predicted - left[1]) < 1e-3 * np.linalg.norm(left[1])


def test_the_hopf_surface():
    """h = δ/|z|² on C² − 0 moves to (1 − 2t) δ/|z|² + 2t z̄_a z_b/|z|⁴ (Tosatti and Weinkove 2015, section 8)."""
    x, t = sp.symbols("x1 y1 x2 y2", real=True), sp.Rational(1, 5)
    size = sum(v**2 for v in x)
    initial = {"h_11": 1 / size, "h_22": 1 / size, "re_h_12": sp.S(0), "im_h_12": sp.S(0)}
    products = {"h_11": x[0] ** 2 + x[1] ** 2, "h_22": x[2] ** 2 + x[3] ** 2, "re_h_12": x[0] * x[2] + x[1] * x[3],
                "im_h_12": x[0] * x[3] - x[1] * x[2]}
    h = {name: (1 - 2 * t) * initial[name] + 2 * t * product / size**2 for name, product in products.items()}
    program = FLOW.on(bumpy(5, order=2)).program
    point = dict(zip(x, map(sp.Rational, ("3/10", "-1/2", "7/10", "2/5")), strict=True))
    nodes, known = program.unstaged(), {}
    for leaf in gr.leaves(nodes):
        name, index = leaf.data
        value = h[name]
        for symbol, times in zip(x, index, strict=True):
            value = sp.diff(value, symbol, times) if times else value
        known[leaf] = float(value.subs(point).evalf(30))
    moved = [float(((h[name] - initial[name]) / t).subs(point).evalf(30)) for name in program.fields]
    np.testing.assert_allclose(gr.evaluate(nodes, known), moved, rtol=1e-12, atol=1e-13)


def test_the_volume_density_obeys_the_maximum_principle():
    """∂_t log det h = h^{ab̄}∂_a∂_b̄ log det h: positive metrics stay so, for all times on a torus."""
    sol = gf.solve(FLOW, bumpy(), t1=0.3)
    assert sol.outcome.kind == "finished"
    assert (np.diff(sol["density_max"]) < 0).all()
    assert (np.diff(sol["density_min"]) > 0).all()
    assert sol["curvature_size"][-1] < 0.05 * sol["curvature_size"][0]
    assert sol.last.smallest_eigenvalue()[0] > 0.5


def test_the_flow_is_degenerate_parabolic():
    start = bumpy(5, order=2)
    (block,) = FLOW.character(start)
    assert block.verdict == "h_11, h_22, re_h_12, im_h_12: parabolic of order 2, degenerate in 3 of 4 directions"
    with pytest.raises(IllPosedError, match=r"grow like exp\(.*\|k\|\^2 t\)"):
        gf.Flow.from_expression({"h": "ChernRic"}).bind(start)


def test_the_bound_of_the_step_is_that_of_the_spectrum():
    start = bumpy(4, order=2)
    largest = -np.linalg.eigvals(FLOW.linearise(start).matrix).real.min()
    bound = FLOW.bind(start).spectral_radius(0.0, start.pack())
    assert largest <= bound < 3 * largest


def test_riemanns_curvature_is_no_rate_of_a_hermitian_metric():
    with pytest.raises(ExpressionError, match=r"that J leaves as it is.*and this is not: ChernRic and ddbar\(f\) are"):
        gf.Flow.from_expression({"h": "-2*Ric"}).bind(bumpy(5, order=2))
    gf.Flow.from_expression({"h": "-2*Ric"}).bind(CURVE.grid(8).hermitian())


def test_curvature_of_states():
    """That of fields is the rate of the flow; of a Kähler metric Chern's curvature is Riemann's."""
    start = bumpy()
    rate = np.empty_like(start.pack())
    problem = FLOW.bind(start)
    problem.rate(0.0, start.pack(), rate)
    np.testing.assert_allclose(start.chern_ricci().pack(), -rate, atol=1e-12)
    assert problem.observe(0.0, start.pack())["curvature_max"] == pytest.approx(start.chern_scalar().max(), rel=1e-12)
    kahler = SURFACE.grid(8, scheme="spectral").potential("cos(2*pi*x1)*sin(2*pi*y2)/80")
    assert kahler.metric().chern_scalar().max_distance(kahler.scalar()) < 1e-10
    with pytest.raises(PositivityError, match="log det g does not exist there: it is no metric"):
        start.unpack(start.pack() * np.array([1, -1, 1, 1])[:, None, None, None, None]).chern_ricci()


def test_chern_curvature_is_drawn():
    grid = SURFACE.grid((9, 1, 9, 1))
    state = grid.fields(h=grid.random_hermitian(1), u="cos(2*pi*x1)")
    gf.plot.heatmap(state, "scalar curvature of h")
    assert np.array_equal(quantity(state["h"], "scalar curvature").values, state["h"].chern_scalar().values)


@settings(max_examples=6)
@given(st.integers(0, 10**6), st.floats(0.1, 0.9))
def test_laws_of_random_metrics(seed, amplitude):
    """Volume densities come closer, torsion and mean values of the components stay, metrics stay positive."""
    start = SURFACE.grid((7, 1, 7, 1), scheme="spectral").random_hermitian(seed, amplitude, modes=1)
    sol = gf.solve(FLOW, start, t1=0.05, rtol=1e-6)
    assert sol.outcome.kind == "finished"
    assert np.ptp(sol.last.determinant().values) < 0.95 * np.ptp(start.determinant().values)
    assert np.abs(torsion(sol.last) - torsion(start)).max() < 1e-12
    np.testing.assert_allclose(*(each.values.mean(axis=(0, 1, 2, 3)) for each in (sol.last, start)), atol=1e-14)


def test_equations_written_out():
    (x, y), t = CURVE.symbols, sp.Symbol("t")
    h, phi = (sp.Function(name)(t, x, y) for name in ("h_11", "phi"))
    (written,) = FLOW.components(CURVE)
    assert sp.simplify(written.rhs - (sp.log(h).diff(x, 2) + sp.log(h).diff(y, 2)) / 4) == 0
    (written,) = gf.Flow.from_expression({"phi": "v - 1"}).components(CURVE)
    assert sp.simplify(written.rhs - (phi.diff(x, 2) + phi.diff(y, 2)) / 2) == 0


def test_chern_heat_flow_beside(tmp_path):
    """∂_t u = h^{ab̄}∂_a∂_b̄ u on a metric that moves: the maximum principle, and a store of both."""
    grid = SURFACE.grid(8)
    flow = gf.Flow.from_expression({"h": "-ChernRic", "u": "trace(ddbar(u))/2"})
    sol = gf.solve(flow, grid.fields(h=grid.hermitian(BUMPY), u="cos(2*pi*x1)*sin(2*pi*y2)"), t1=0.01, save_at=1,
                   store=tmp_path / "run.zarr")
    assert (np.diff(sol["u_max"]) < 0).all()
    kept = gf.load(tmp_path / "run.zarr").last
    assert np.array_equal(kept["h"].values, sol.last["h"].values)
