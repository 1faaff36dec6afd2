"""Ends that are given or infinitely far: exact metrics stand still or move as they must, and what is kept is kept."""

import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import InputError, UnknownNameError
from geomflow.field.reduced.written import grid_facts, read_grid
from geomflow.flow.reduced.binding import rates_in
from geomflow.symbolic import is_zero

FAR = "infinity: chi=1, a=2"
STILL = {
    "Taub-NUT": (("nut", FAR), 1, {"chi": "sqrt(x^2 + 1)", "a": "x*sqrt(x^2 + 1)", "b": "x/sqrt(x^2 + 1)"}),
    "Taub-bolt": (("bolt", FAR), 1, {"chi": "2*sqrt((x^2 + 1)*(x^2 + 3)/(x^2 + 3/2))",
                                     "a": "2*sqrt((x^2 + 1)*(x^2 + 3))",
                                     "b": "4*x*sqrt((x^2 + 3/2)/((x^2 + 1)*(x^2 + 3)))"}),
    "Eguchi-Hanson": (("bolt", "infinity: a=1, b=1"), 2, {"chi": "sqrt((x^2 + 1)/(x^2 + 2))", "a": "sqrt(x^2 + 1)",
                                                          "b": "x*sqrt((x^2 + 2)/(x^2 + 1))"}),
}  # fmt: skip
CIGAR = gf.catalogue.ansatz("sphere", n=1, ends=("pole", "infinity: chi=-1"))


def still(name, n=24):
    """One of the metrics with Ric = 0, on a grid."""
    ends, k, values = STILL[name]
    return gf.catalogue.ansatz("taub", ends=ends, k=k).grid(n).state(**values)


def linearised(state, gauge="start"):
    """The Jacobian of Ricci flow at a state."""
    return rates_of(state, gauge).jacobian(0.0, state.pack())


def rates_of(state, gauge="start"):
    return rates_in(gauge, state.grid, state.grid.ansatz.reduce(gf.RicciFlow()), state.pack())


def ball(n=2, ends=("pole", "given"), length=1):
    """χ² dx² + ψ² g_{S^n} along 0 < x < ℓ."""
    angles = [f"theta{k}" for k in range(1, n + 1)]
    chart = gf.Chart(["x", *angles], ranges={"x": (0, length), **dict.fromkeys(angles[:-1], (0, sympy.pi))},
                     periods={angles[-1]: 2 * sympy.pi})
    squares, factor = ["chi(x)^2"], "psi(x)^2"
    for angle in angles:
        squares.append(factor)
        factor += f"*sin({angle})^2"
    rows = [[square if i == j else 0 for j in range(n + 1)] for i, square in enumerate(squares)]
    return gf.Ansatz(gf.Metric(chart, rows, functions="chi psi"), domain=gf.Interval(0, length, ends))


@pytest.mark.parametrize("name", STILL)
def test_complete_metrics_without_ricci_curvature_stand_still(name):
    ends, k, values = STILL[name]
    ansatz = gf.catalogue.ansatz("taub", ends=ends, k=k)
    (x,) = ansatz.unknowns[0].value.args
    known = {u.value: sympy.sympify(values[u.name].replace("^", "**"), {"x": x}) for u in ansatz.unknowns}
    rates = [rate.subs(known).doit() for rate in ansatz.reduce(gf.RicciFlow()).rates]
    assert is_zero(rates).decided()
    state = still(name, 40)
    out = np.empty_like(state.packed)
    rates_of(state).rate(0.0, state.pack(), out)
    assert np.abs(out).max() < 1e-8


@pytest.mark.parametrize("name", ["Taub-NUT", "Eguchi-Hanson"])
def test_runs_from_them_stay_where_they_are(name):
    state = still(name)
    sol = gf.solve(gf.RicciFlow(), state, 1.0)
    assert np.abs(sol.last.packed - state.packed).max() < 1e-9
    assert "volume" not in sol.monitors


def test_curvature_of_eguchis_and_hansons_metric():
    """|Rm|² = 384/r^12 with r² = 1 + x²."""
    state = still("Eguchi-Hanson", 40)
    places = np.array([0.0, 0.3, 1.0, 2.0])
    assert state.scalar_at(places, "Rm2") == pytest.approx(384 / (1 + places**2) ** 6, rel=1e-6)


@pytest.mark.parametrize("name", ["Taub-NUT", "Eguchi-Hanson"])
def test_no_mode_grows_about_metrics_of_special_holonomy(name):
    """Their spectrum reaches up to 0, and what discrete ones have above it falls with the number of points."""
    tops = [np.linalg.eigvals(linearised(still(name, n))).real.max() for n in (16, 24, 40)]
    assert tops[2] < 1e-3
    assert tops[2] < max(tops[0] / 10, 1e-5)


def test_one_mode_grows_about_taub_bolt():
    """The negative mode of Lichnerowicz' operator: the rest does not grow. Its rate is that of another scale, too."""
    tops = [np.sort(np.linalg.eigvals(linearised(still("Taub-bolt", n))).real)[::-1] for n in (24, 32, 48)]
    assert tops[0][0] == pytest.approx(tops[2][0], rel=1e-5)
    assert tops[1][0] == pytest.approx(tops[2][0], rel=1e-7)
    assert all(top[1] < 1e-5 for top in tops)
    ends, _, values = STILL["Taub-bolt"]
    metric = gf.catalogue.ansatz("taub", ends=ends).metric
    wide = gf.Ansatz(metric, "chi a b", gf.Interval(0, "oo", ends, scale=2))
    other = np.linalg.eigvals(linearised(wide.grid(40).state(**values))).real.max()
    assert other == pytest.approx(tops[2][0], rel=1e-6)


def test_taub_bolt_leaves_itself_at_the_rate_of_its_mode():
    state = still("Taub-bolt", 24)
    values, vectors = np.linalg.eig(linearised(state))
    top = int(np.argmax(values.real))
    mode = vectors[:, top].real.reshape(state.packed.shape)
    start = state.unpack(state.packed + 1e-5 * mode / np.abs(mode).max())
    problem = rates_in("start", state.grid, state.grid.ansatz.reduce(gf.RicciFlow()), state.pack())
    out, base = np.empty_like(state.packed), np.empty_like(state.packed)
    problem.rate(0.0, start.pack(), out)
    problem.rate(0.0, state.pack(), base)
    moved = (out - base) * np.abs(mode).max() / 1e-5
    assert moved == pytest.approx(values[top].real * mode, abs=2e-4 * np.abs(mode).max())


def test_the_cigar_moves_by_diffeomorphisms():
    """χ² = 1/(e^{4t} + x²), ψ = xχ, R = 4(1 − ψ²) at all times; errors fall geometrically with the points.

    The logarithm of e² (1 − s) + s is singular where ξ is −1.31: by 2.16 for each mode, of which 8 points have 6.
    """
    errors = []
    for n in (16, 24, 32):
        state = CIGAR.grid(n).state(chi="1/sqrt(1 + x^2)", psi="x/sqrt(1 + x^2)")
        last = gf.solve(gf.RicciFlow(), state, 0.5).last
        x = last.grid.points["x"]
        errors.append(float(np.abs(last["chi"] * np.sqrt(np.exp(2) + x**2) - 1).max()))
        assert last["psi"] / last["chi"] == pytest.approx(x, rel=1e-10)
    rates = np.diff(np.log(errors)) / 6
    assert rates == pytest.approx([-np.log(2.164)] * 2, rel=0.3)
    assert errors[2] < 1e-7


def test_the_cigar_is_itself_in_other_gauges():
    state = CIGAR.grid(40).state(chi="1/sqrt(1 + x^2)", psi="x/sqrt(1 + x^2)")
    out = np.empty_like(state.packed)
    rates_of(state).rate(0.0, state.pack(), out)
    comoving = np.empty_like(state.packed)
    rates_of(state, "comoving").rate(0.0, state.pack(), comoving)
    assert out == pytest.approx(comoving, abs=1e-9)
    share = state.grid.statics["xi_low_x"] / 2
    assert comoving[0] == pytest.approx(-2 * (1 - share), abs=1e-9)


@pytest.mark.parametrize(("ends", "profile"), [
    (("pole", "given"), "x*(1 + x^2/5)"), (("given", "pole"), "(1 - x)*(2 - (1 - x)^2/3)/2"),
    (("given", "given"), "1 + x/3 - x^2/4"), (("mirror", "given"), "1 + x^2/3"), ("pole", "sin(pi*x)/pi")])
def test_derivatives_at_all_kinds_of_ends(ends, profile):
    ansatz = ball(ends=ends)
    state = ansatz.grid(24).state(chi="1", psi=profile)
    psi = ansatz.unknown("psi").value
    x = state.grid.points["x"]
    (symbol,) = psi.args
    exact = sympy.sympify(profile.replace("^", "**"), {"x": symbol})
    for times in range(3):
        wanted = sympy.lambdify(symbol, exact.diff(symbol, times) / exact if times == 2 else exact.diff(symbol, times))
        found = state.evaluated(psi.diff(symbol, times) / psi if times == 2 else psi.diff(symbol, times))
        assert found == pytest.approx(np.broadcast_to(wanted(x), x.shape), abs=1e-8)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(("ends", "profile"), [(("pole", "given"), "x"), (("given", "pole"), "1 - x")])
def test_volumes_of_flat_balls(n, ends, profile):
    state = ball(n, ends).grid(12).state(chi="1", psi=profile)
    half = (n + 1) / 2
    assert state.volume() == pytest.approx(np.pi**half / float(sympy.gamma(half + 1)), rel=1e-12)
    assert np.abs(state.scalar("R")).max() < 1e-9


def test_the_volume_of_a_shell():
    state = ball(ends="given").grid(12).state(chi="1", psi="1 + x")
    assert state.volume() == pytest.approx(4 * np.pi * 7 / 3, rel=1e-13)


@pytest.mark.parametrize("n", [24, 40])
def test_flat_balls_stand_still_and_their_modes_decay(n):
    """In three dimensions the radial heat equation with its boundary kept has the rates −(kπ)²."""
    state = ball().grid(n).state(chi="1", psi="x")
    out = np.empty_like(state.packed)
    rates_of(state).rate(0.0, state.pack(), out)
    assert np.abs(out).max() < 1e-9
    found = np.linalg.eigvals(linearised(state))
    assert found.real.max() < 1e-4
    for k in (1, 2, 3):
        assert np.abs(found + (k * np.pi) ** 2).min() < 1e-4


def test_what_is_given_stays_and_runs_converge():
    """A cap with its boundary sphere kept: curvature at the pole, by the number of points."""
    found = []
    for n in (12, 16, 32):
        state = ball().grid(n).state(chi="1", psi="sin(x)*(1 + x^2*sin(x)^2/5)")
        last = gf.solve(gf.RicciFlow(), state, 0.05).last
        assert last.at("psi", [1.0]) == pytest.approx(state.at("psi", [1.0]), rel=1e-10)
        found.append(float(last.scalar_at([0.0])[0]))
    errors = np.abs(np.array(found[:2]) - found[2])
    assert errors[1] < errors[0] / 5
    assert errors[1] < 1e-4 * abs(found[2])


def test_kept_slopes_of_nothing_are_a_mirror():
    half = {"chi": "1", "psi": "sin(pi*x/2)*2/pi*(1 + cos(pi*x/2)^2*sin(pi*x/2)^2/5)"}
    ends = []
    for end in ("mirror", "given:slopes"):
        last = gf.solve(gf.RicciFlow(), ball(ends=("pole", end)).grid(32).state(**half), 0.02).last
        ends.append((float(last.at("psi", [1.0])[0]), float(last.scalar_at([0.0])[0])))
    assert ends[1] == pytest.approx(ends[0], rel=1e-6)


@pytest.mark.parametrize("ends", [("pole", "given"), ("pole", "given:slopes"), ("given", "given:slopes")])
def test_jacobians_know_what_is_given(ends):
    profile = "1 + x/3" if ends[0] == "given" else "sin(x)"
    state = ball(ends=ends).grid(12).state(chi="1 + x^2/5", psi=f"{profile}*(1 + x^2/5)")
    rates, y = rates_of(state), state.pack()
    direction = np.random.default_rng(0).normal(size=y.shape)
    matrix = rates.jacobian(0.0, y)
    sides = []
    for sign in (1, -1):
        out = np.empty_like(y)
        rates.rate(0.0, y + sign * 1e-6 * direction, out)
        sides.append(out)
    wanted = (sides[0] - sides[1]) / 2e-6
    assert (matrix @ direction.ravel()).reshape(y.shape) == pytest.approx(wanted, abs=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("make", [
    lambda: ball().grid(12), lambda: ball(ends=("given", "pole")).grid(12), lambda: ball(ends="given:slopes").grid(12),
    lambda: still("Taub-NUT", 12).grid,
    lambda: gf.Ansatz(CIGAR.metric, domain=gf.Interval(0, "oo", ("pole", "infinity: chi=-1"), scale="1/2")).grid(16),
], ids=range(5))  # fmt: skip
def test_grids_are_read_as_they_were_written(make):
    grid = make()
    assert read_grid(grid_facts(grid)) == grid


def test_arrays_are_read_where_unknowns_grow():
    one = still("Taub-NUT")
    two = one.grid.state(**{name: one[name] for name in one.unknowns})
    assert two.packed == pytest.approx(one.packed, abs=1e-10)
    assert one.at("b", [np.inf]) == pytest.approx([1.0], rel=1e-10)


NUT = gf.catalogue.ansatz("taub", ends=("nut", FAR)).grid(16)
VALUES = STILL["Taub-NUT"][2]
WRONG = {
    "a wrong power": (lambda: NUT.state(**{**VALUES, "b": "x"}), InputError, "'b' grows by the power 1 .* says 0"),
    "a wrong power of chi": (
        lambda: NUT.state(**{**VALUES, "chi": "1"}), InputError, "'chi' grows by the power 0 .* says 1"),
    "odd terms": (
        lambda: NUT.state(**{**VALUES, "b": "x/sqrt(x^2 + 1)*(1 + x^2/(1 + x^2)^(3/2)/2)"}), InputError,
        "'b' has terms .* not smooth in 1/x\\^2"),
    "an integral": (lambda: still("Taub-NUT").volume(), InputError, "goes to infinity"),
    "a mean": (
        lambda: gf.solve(gf.RicciFlow(normalised=True), still("Taub-NUT"), 1.0), InputError, "infinite|infinity"),
    "infinity first": (lambda: gf.Interval(0, 1, ("infinity", "pole")), InputError, "at its last end"),
    "infinity at a number": (lambda: gf.Interval(0, 1, ("pole", "infinity")), InputError, "at its last end"),
    "a pole infinitely far": (lambda: gf.Interval(0, "oo", "pole"), InputError, "at its last end"),
    "given, then infinity": (
        lambda: gf.Interval(0, "oo", ("given", "infinity")), InputError, "begins at a pole, a bolt, a nut or a mirror"),
    "a power of nothing": (
        lambda: gf.catalogue.ansatz("taub", ends=("nut", "infinity: c=1")), UnknownNameError, "grows at the end"),
    "a broken power": (lambda: gf.Interval(0, "oo", ("pole", "infinity: chi=1/2")), InputError, "whole powers"),
    "no power": (lambda: gf.Interval(0, "oo", ("pole", "infinity: chi")), InputError, "whole powers"),
    "a scale": (lambda: gf.Interval(0, "oo", ("pole", "infinity"), scale=-1), InputError, "a positive number"),
    "something else given": (
        lambda: gf.Interval(0, 1, ("pole", "given:flux")), UnknownNameError, "choose one of: slopes, values"),
    "stencils": (lambda: ball().grid(16, order=4), InputError, "Leave the order and the places out"),
    "places": (lambda: ball().grid(16, places=[(1, 3)]), InputError, "Leave the order and the places out"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "kind", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(make, kind, told):
    with pytest.raises(kind, match=told):
        make()
