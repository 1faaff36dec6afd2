"""Flows typed in a geometer's words: equal to the built-in ones, and with the laws that textbooks state of them."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.core import graph as gr
from geomflow.core.errors import IllPosedError

T2, T3 = gf.Torus(dim=2), gf.Torus(dim=3)
BUMPY = [["1 + cos(2*pi*y)/5", "sin(2*pi*(x+y))/10"], ["sin(2*pi*(x+y))/10", "1 + sin(2*pi*x)/5"]]


def run(rate, state, t1, *, where=None, gauge=None, stepper=None, rtol=1e-6, save_at=None, **parameters):
    flow = gf.Flow.from_expression(rate, where=where, gauge=gauge, **parameters)
    return gf.solve(flow, state, t1=t1, rtol=rtol, save_at=save_at, stepper=stepper)


def falls(values, slack=1e-12):
    return (np.diff(values) <= slack * np.abs(values).max()).all()


# the built-in ones

@pytest.mark.parametrize("torus", [T2, T3], ids=["surface", "space"])
@pytest.mark.parametrize(("rate", "gauge", "built_in"), [
    ("-2*Ric", None, gf.RicciFlow()), ("-2*Ric", "deturck", gf.RicciFlow(gauge="deturck")),
    ("-2*R[i,j]", "deturck", gf.RicciFlow(gauge="deturck"))])
def test_typed_ricci_flows_are_the_built_in_programs(torus, rate, gauge, built_in):
    metric = torus.grid(8).metric()
    typed = gf.Flow.from_expression(rate, gauge=gauge).on(metric)
    assert typed.program == built_in.on(metric).program


def test_a_typed_ricci_flow_runs_to_the_same_bits():
    start = T2.grid(16).metric(BUMPY)
    typed, built_in = run("-2*Ric", start, 1e-3), gf.solve(gf.RicciFlow(), start, t1=1e-3)
    assert np.array_equal(typed.last.values, built_in.last.values)


def test_typed_normalised_ricci_flow():
    start = T2.grid(16).metric(BUMPY)
    typed = run("-2*Ric + mean(R)*g", start, 1e-3)
    assert typed.last.max_distance(gf.solve(gf.RicciFlow(normalised=True), start, t1=1e-3).last) < 1e-14


def test_typed_conformal_ricci_flow_is_the_built_in_one():
    start = T2.grid(16).scalar("1 + cos(2*pi*x)*sin(2*pi*y)/4")
    flow = gf.Flow.from_expression({"f": "laplacian(log(f))"})
    typed, built_in = flow.on(start).program, gf.ConformalRicciFlow().on(start).program
    assert [stage.nodes for stage in typed.inner] == [stage.nodes for stage in built_in.inner]
    assert gr.all_zero([a - b for a, b in zip(typed.unstaged(), built_in.unstaged(), strict=True)])
    ends = [gf.solve(each, start, t1=2e-3) for each in (flow, gf.ConformalRicciFlow())]
    assert np.array_equal(ends[0].last.values, ends[1].last.values)


def test_conformal_ricci_flow_typed_on_a_metric():
    """On surfaces 2 Ric = R g: −R g is Ricci flow, decided exactly, and moves conformal metrics by their factor."""
    metric = T2.grid(24, scheme="spectral").metric()
    typed, built_in = gf.Flow.from_expression("-R*g").on(metric).program, gf.RicciFlow().on(metric).program
    assert gr.all_zero([a - b for a, b in zip(typed.unstaged(), built_in.unstaged(), strict=True)])
    factor = metric.grid.scalar("1 + cos(2*pi*x)*sin(2*pi*y)/4")
    moved = run("-R*g", metric.grid.metric(factor.values[..., None, None] * np.eye(2)), 2e-3, rtol=1e-10)
    right = gf.solve(gf.ConformalRicciFlow(), factor, t1=2e-3, rtol=1e-10).last
    np.testing.assert_allclose(moved.last.values, right.values[..., None, None] * np.eye(2), atol=1e-8)


# flows of a metric and more

def test_lists_flow():
    """f is a heat mode while g is flat up to ε², and min(R − a|df|²) does not fall (List 2008, Lemma 3.2)."""
    grid, small, t1 = T2.grid(24, scheme="spectral"), 1e-3, 5e-3
    rate = {"g": "-2*Ric + 2*a*d(f)*d(f)", "f": "laplacian(f)"}
    sol = run(rate, grid.fields(g=grid.metric(), f=f"{small}*cos(2*pi*x)*sin(2*pi*y)"), t1, a=2, rtol=1e-10)
    decayed = grid.scalar("cos(2*pi*x)*sin(2*pi*y)") * (small * np.exp(-8 * np.pi**2 * t1))
    assert sol.last["f"].max_distance(decayed) < small**2
    assert sol.last["g"].max_distance(grid.metric()) < 100 * small**2
    start = grid.fields(g=grid.metric(BUMPY), f="cos(2*pi*x)*sin(2*pi*y)/5")
    sol = run(rate, start, 2e-3, a=2, save_at=8, gauge="deturck")
    energy = [state["g"].scalar().values - 2 * slope_squared(state["g"], state["f"]).values for state in sol.states]
    assert (np.diff([values.min() for values in energy]) > 0).all()


def slope_squared(metric, function):
    slopes = np.stack([function.derivative(index).values for index in np.eye(metric.grid.dim, dtype=int)], axis=-1)
    return metric.grid.scalar(np.einsum("...i,...ij,...j", slopes, np.linalg.inv(metric.values), slopes))


def test_ricci_bourguignon_flow_is_refused_above_its_bound():
    """−2Ric + 2ρRg is backward for ρ > 1/(2(d − 1)) (Catino et al. 2017)."""
    for torus, bound in ((T2, 1 / 2), (T3, 1 / 4)):
        start = torus.grid(8).random_metric(1)
        run("-2*Ric + 2*rho*R*g", start, 1e-5, rho=0.95 * bound)
        with pytest.raises(IllPosedError, match=r"grow like exp\(.*\|k\|\^2 t\)"):
            run("-2*Ric + 2*rho*R*g", start, 1e-5, rho=1.05 * bound)


def test_yamabe_flow_keeps_volume_and_conformal_class():
    start = T3.grid(10, scheme="spectral").random_metric(3, amplitude=0.05, modes=1)
    sol = run("(mean(R) - R)*g", start, 2e-3)
    assert sol.last.volume() == pytest.approx(start.volume(), rel=1e-7)
    factors = sol.last.values / np.linalg.det(sol.last.values)[..., None, None] ** (1 / 3)
    before = start.values / np.linalg.det(start.values)[..., None, None] ** (1 / 3)
    np.testing.assert_allclose(factors, before, atol=1e-12)
    spread = [float(np.std(metric.scalar().values)) for metric in (start, sol.last)]
    assert spread[1] < spread[0]


def test_rg2_flow_has_riccis_rates_at_flat_metrics():
    grid, small = T2.grid(16, scheme="spectral"), 1e-6
    start = grid.metric([[f"1 + {small}*cos(2*pi*y)", "0"], ["0", "1"]])
    typed = run("-2*Ric - alpha/2*R[i,k,l,m]*R[j,k,l,m]", start, 1e-2, alpha=0.3)
    assert typed.last.max_distance(gf.solve(gf.RicciFlow(), start, t1=1e-2).last) < 1e-3 * small


def test_yang_mills_flow_lowers_the_energy_as_it_moves():
    """∂A/∂t = div F of F = dA: d/dt ½∫|F|² = −∫|div F|² with |F|² = F_xy F^xy on a surface; dF = 0 to rounding."""
    grid, dt = T2.grid(24, scheme="spectral"), 1e-6
    metric = grid.metric(BUMPY)
    start = grid.fields(g=metric, A=grid.form(["cos(2*pi*y)/10", "sin(2*pi*x)/10"]))
    rate = {"A": "div(d(A))"}
    sol = run(rate, start, 2 * dt, save_at=2, rtol=1e-12)

    def energy(state):
        return grid.scalar(curl(state["A"]) ** 2 / np.linalg.det(metric.values)).integral(metric) / 2

    problem, middle = gf.Flow.from_expression(rate).bind(start), sol.states[1]
    moved = np.empty_like(problem.y0)
    problem.rate(0.0, middle.pack(), moved)
    lost = np.einsum("i...,...ij,j...->...", moved, np.linalg.inv(metric.values), moved)
    slope = (energy(sol.states[2]) - energy(sol.states[0])) / (2 * dt)
    assert slope == pytest.approx(-grid.scalar(lost).integral(metric), rel=1e-6)


def curl(form):
    values = np.moveaxis(form.values, -1, 0)
    return form.grid.derivative(values[1], (1, 0)) - form.grid.derivative(values[0], (0, 1))


def test_ricci_yang_mills_flow_in_space():
    """∂g/∂t = −2Ric + F², ∂A/∂t = div F (Streets 2010): parabolic in DeTurck's gauge but for dA's own; dF = 0."""
    grid = T3.grid(10)
    start = grid.fields(g=grid.random_metric(2), A=grid.form(["cos(2*pi*y)/10", "sin(2*pi*z)/10", "0"]))
    where = {"F": "d(A)"}
    sol = run({"g": "-2*Ric + F[i,k]*F[j,k]", "A": "div(F)"}, start, 1e-4, where=where, gauge="deturck")
    a = np.moveaxis(sol.last["A"].values, -1, 0)
    unit = np.eye(3, dtype=int)
    field = [[grid.derivative(a[j], unit[i]) - grid.derivative(a[i], unit[j]) for j in range(3)] for i in range(3)]
    closed = sum(grid.derivative(field[i][j], unit[k]) for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)))
    assert np.abs(closed).max() < 1e-10 * max(np.abs(field[0][1]).max(), 1) * 4 * np.pi**2
    with pytest.raises(IllPosedError):
        run({"g": "-2*Ric + F[i,k]*F[j,k]", "A": "-div(F)"}, start, 1e-4, where=where)


# functions on a curved torus

def test_cahn_hilliard_keeps_the_mass_and_lowers_the_energy():
    grid, kappa = T2.grid(32), 1e-3
    metric = grid.metric(BUMPY)
    start = grid.fields(g=metric, c="cos(2*pi*x)*sin(2*pi*y)/10 + 1/20")
    sol = run({"c": "laplacian(c^3 - c - kappa*laplacian(c))"}, start, 0.02, kappa=kappa, save_at=10, stepper="rkc")
    mass = [state["c"].integral(metric) for state in sol.states]
    assert np.ptp(mass) < 1e-13
    wells = [((state["c"] ** 2 - 1) ** 2 / 4).integral(metric) for state in sol.states]
    slopes = [slope_squared(metric, state["c"]).integral(metric) for state in sol.states]
    assert falls(np.array(wells) + kappa / 2 * np.array(slopes), 1e-9)
    assert np.array_equal(sol.last["g"].values, metric.values)


def test_waves_keep_their_energy_to_the_order_of_the_stepper():
    grid = T2.grid(16, scheme="spectral")
    metric = grid.metric(BUMPY)
    start = grid.fields(g=metric, f="cos(2*pi*x)/10", p="0")

    def energy(state):
        density = state["p"] ** 2 + slope_squared(metric, state["f"]) + state["f"] ** 2
        return density.integral(metric) / 2

    flow = gf.Flow.from_expression({"f": "p", "p": "laplacian(f) - f"})
    assert [block.verdict for block in flow.character(start)] == ["f, p: hyperbolic of order 1"]
    errors = []
    for steps in (50, 100, 200):
        sol = gf.solve(flow, start, t1=0.5, stepper="rk4", control=gf.flow.FixedStep(0.5 / steps))
        errors.append(abs(energy(sol.last) - energy(start)))
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx([5, 5], abs=0.3)


def test_a_hyperbolic_flow_of_a_metric_keeps_its_energy_to_the_order_of_the_stepper():
    """∂_t²g = −2Ric + L_W g is a wave equation for every component; small changes of the flat metric are waves, with
    the energy ½∫(|∂_t h|² + |∂h|²)."""
    grid, small, t1 = T2.grid(9, scheme="spectral"), 1e-6, 0.5
    shapes = [["cos(2*pi*y)", "sin(2*pi*x)"], ["sin(2*pi*x)", "cos(2*pi*(x + y))"]]
    metric = grid.metric([[f"{int(i == j)} + {small}*{shapes[i][j]}" for j in range(2)] for i in range(2)])
    start = grid.fields(g=metric, k=grid.symmetric([[0, 0], [0, 0]]))
    flow = gf.Flow.from_expression({"g": "k", "k": "-2*Ric + Lie(W, g)"}, covariant=False,
                                   where={"G": "flat.nabla(g)", "W": "G[i,j,i] - G[i,i,j]/2"})
    (block,) = flow.character(start)
    assert block.verdict.endswith("hyperbolic of order 1")

    def energy(state):
        parts = [grid.scalar(state["g"].values[..., i, j] / small) for i, j in np.ndindex(2, 2)]
        slopes = [part.derivative(index).values for part in parts for index in ((1, 0), (0, 1))]
        velocities = [state["k"].values[..., i, j] / small for i, j in np.ndindex(2, 2)]
        return sum((values**2).mean() for values in (*slopes, *velocities)) / 2

    errors = []
    for steps in (10, 20, 40):
        sol = gf.solve(flow, start, t1=t1, stepper="rk4", control=gf.flow.FixedStep(t1 / steps))
        errors.append(abs(energy(sol.last) / energy(start) - 1))
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx([5, 5], abs=0.3)
    sol = gf.solve(flow, start, t1=t1, rtol=1e-9)
    assert sol.recipe["stepper"].startswith("RK45")
    wave = small * np.cos(2 * np.pi * t1)
    exact = grid.metric([["1", f"{wave}*sin(2*pi*x)"], [f"{wave}*sin(2*pi*x)", "1"]]).values[..., 0, 1]
    assert np.abs(sol.last["g"].values[..., 0, 1] - exact).max() < 1e-4 * small


def test_mean_curvature_flow_of_graphs():
    """∂u/∂t = W div(∇u/W), W = √(1 + |∇u|²), over a torus with ambient metric g + du²: dA/dt = −∫H² dA."""
    grid = T2.grid(24, scheme="spectral")
    metric = grid.metric(BUMPY)
    start = grid.fields(g=metric, u="cos(2*pi*x)*sin(2*pi*y)/10")
    dt = 1e-6
    rate, where = {"u": "W*div(grad(u)/W)"}, {"W": "sqrt(1 + dot(d(u), d(u)))"}
    sol = run(rate, start, 2 * dt, where=where, save_at=2, rtol=1e-12)

    def area(state):
        return ((slope_squared(metric, state["u"]) + 1) ** 0.5).integral(metric)

    slope = (area(sol.states[2]) - area(sol.states[0])) / (2 * dt)
    flow = gf.Flow.from_expression(rate, where=where)
    problem, middle = flow.bind(start), sol.states[1]
    speed = np.empty_like(problem.y0)
    problem.rate(0.0, middle.pack(), speed)
    stretched = slope_squared(metric, middle["u"]) + 1
    lost = (grid.scalar(speed[0]) ** 2 / stretched**0.5).integral(metric)  # H W = ∂u/∂t, dA = W dV
    assert slope == pytest.approx(-lost, rel=1e-6)


def test_the_harmonic_map_flow_into_the_sphere_lowers_the_energy_as_it_moves():
    """dE/dt = −∫|τ|² for E = ½∫(|da|² + sin²a |db|²)."""
    grid = T2.grid(24, scheme="spectral")
    metric = grid.metric(BUMPY)
    rate = {"a": "laplacian(a) - sin(a)*cos(a)*dot(d(b), d(b))",
            "b": "laplacian(b) + 2*cos(a)/sin(a)*dot(d(a), d(b))"}
    start = grid.fields(g=metric, a="3/2 + cos(2*pi*x)/5", b="cos(2*pi*y)/5")
    dt = 1e-6
    sol = run(rate, start, 2 * dt, save_at=2, rtol=1e-12)

    def energy(state):
        sine = state["a"].map(np.sin)
        return (slope_squared(metric, state["a"]) + sine**2 * slope_squared(metric, state["b"])).integral(metric) / 2

    problem, middle = gf.Flow.from_expression(rate).bind(start), sol.states[1]
    tension = np.empty_like(problem.y0)
    problem.rate(0.0, middle.pack(), tension)
    sine = middle["a"].map(np.sin)
    lost = (grid.scalar(tension[0]) ** 2 + sine**2 * grid.scalar(tension[1]) ** 2).integral(metric)
    assert (energy(sol.states[2]) - energy(sol.states[0])) / (2 * dt) == pytest.approx(-lost, rel=1e-6)


def test_time_in_a_rate():
    sol = run("cos(t)*sin(2*pi*x) - mean(u)", gf.Torus(dim=1).grid(16).scalar("1"), 1.0, rtol=1e-9)
    x = sol.last.grid.points()[..., 0]
    assert np.abs(sol.last.values - np.exp(-1) - np.sin(1) * np.sin(2 * np.pi * x)).max() < 1e-7


@pytest.mark.parametrize(("rate", "rest"), [("Ric - R*g/2", "0*g"), ("R*g - 2*Ric - g/9", "-g/9"),
                                            ("laplacian(Ric - R*g/2) - R*g/9", "-R*g/9")])
def test_what_cancels_in_dimension_two_is_no_growth_of_short_waves(rate, rest):
    """Ric = Rg/2 there, in numbers to rounding only: the symbol of what is left judges the flow."""
    state = T2.grid(16, scheme="spectral").metric(BUMPY)
    found, wanted = (gf.Flow.from_expression({"g": text}).character(state) for text in (rate, rest))
    assert [block.names for block in found] == [block.names for block in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert (one.order, one.growth) == (other.order, pytest.approx(other.growth, rel=1e-9, abs=1e-12))


def test_time_in_a_rate_under_a_kernel():
    """A Gaussian keeps constants."""
    flow = gf.Flow.from_expression("laplacian(u)/100 + 2*t")
    sol = gf.solve(gf.KernelFlow(flow, gf.GaussianKernel(0.1)), gf.Torus(dim=1).grid(16).scalar("cos(2*pi*x)"), t1=1.0)
    assert sol.last.mean() == pytest.approx(1.0, abs=1e-9)


def test_what_bounds_the_steps_is_of_the_time_it_is_asked_for():
    """Whatever rate was asked for last: a run goes on from a store as it would have gone on."""
    problem = gf.Flow.from_expression("-(1 + t)*laplacian(laplacian(u))").bind(gf.Torus(dim=1).grid(16).scalar("1"))
    radius, b = problem.spectral_radius(0.0, problem.y0), np.ones_like(problem.y0)
    b[0, ::2] = -1.0
    for last in (0.0, 5.0):
        problem.rate(last, problem.y0, np.empty_like(b))
        assert problem.spectral_radius(2.0, problem.y0) == pytest.approx(3 * radius, rel=1e-12)
        assert problem.spectrum(2.0, problem.y0).damping == pytest.approx(3 * radius, rel=1e-12)
        damped = np.empty_like(b)
        problem.implicit.prepare(2.0, problem.y0)
        problem.implicit.solve(b, 1.0, damped)
        np.testing.assert_allclose(damped, b / (1 + 3 * radius), rtol=1e-9)


def test_equations_with_time_are_judged_where_runs_start_by_default():
    start = gf.Torus(dim=1).grid(16).scalar("cos(2*pi*x)")
    with pytest.raises(IllPosedError, match="at this state and t = 0: "):
        gf.solve(gf.Flow.from_expression("(t - 1)*laplacian(u)"), start, t1=1.0)
    assert gf.solve(gf.Flow.from_expression("(1 - t)*laplacian(u)"), start, t1=0.1).outcome.kind == "finished"
