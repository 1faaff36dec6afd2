"""Kähler–Ricci flow on CP^n blown up at a point, through the contraction of its divisor, to the end of CP^n."""

from functools import lru_cache

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError

START = "(y-a)*(b-y)/(b-a)"


def blow_up(points, a, b, n=2):
    return gf.catalogue.ansatz("momentum", n=n, k=1).grid(points).state(F=START, a=a, b=b)


def run(state, t1, factor, points=None, **options):
    options = {"rtol": 1e-8} | options
    return gf.solve(gf.KahlerRicciFlow(), state, t1, after=gf.Contraction(factor, points), **options)


@lru_cache(maxsize=1)
def whole():
    return run(blow_up(24, 1, 6), 3.0, 30, save_at=[1.5, 1.9])


def expander(n):
    """The soliton out of the cone that the shrinking one on O(−1) leaves."""
    cone = gf.catalogue.ansatz("momentum", n=n, k=1).complete_soliton("shrinking").alpha
    return gf.catalogue.ansatz("momentum-ball", n=n).complete_soliton("expanding", alpha=-cone)


def test_the_divisor_contracts_and_the_space_that_is_left_dies_when_cohomology_says():
    """The class (1, 6) is (1 − t, 6 − 3t), and 6 − 3t from then on."""
    sol = whole()
    assert [found.kind for found in sol.singularities] == ["contraction", "extinction"]
    assert [found.time for found in sol.singularities] == pytest.approx([1.0, 2.0], abs=1e-10)
    (piece,) = sol.pieces
    assert piece["b"] == pytest.approx(6 - 3 * piece.monitor_times, abs=1e-12)
    assert piece["volume"] == pytest.approx(2 * np.pi**2 * piece["b"] ** 2, rel=1e-12)


def test_the_volume_grows_by_what_the_divisor_was_missing():
    sol = whole()
    (cut,) = sol.cuts
    a = sol.last["a"]
    assert (cut.kind, cut.time, dict(cut.location)) == ("contraction", sol.outcome.time, {"y": a})
    assert cut.volume == pytest.approx(-2 * np.pi**2 * a**2, rel=1e-12)
    assert cut.radius == pytest.approx(np.sqrt(2 * a))
    assert sol.pieces[0].states[0].volume() + cut.volume == pytest.approx(sol.last.volume(), rel=1e-7)


@pytest.mark.parametrize("n", [2, 3])
def test_the_metric_stays_but_next_to_the_point_which_is_smooth(n):
    start = blow_up(48, 0.1, 3, n)
    sol = gf.solve(gf.KahlerRicciFlow(), start, 1.0, events=gf.ClassBoundary(4), rtol=1e-8)
    (after,) = gf.Contraction(4).parts(sol).states
    a, b = sol.last["a"], sol.last["b"]
    assert after["b"] == b
    far = np.linspace(12 * a, b, 20)
    assert after.at("F", far) == pytest.approx(sol.last.at("F", far), abs=1e-9)
    near = a * np.array([0.1, 0.5, 1.0, 3.0])
    assert after.at("F", near) == pytest.approx(sol.last.at("F", near + a * np.exp(-((near / a) ** 2) / 4)), abs=1e-9)
    assert after.at("F", [1e-9])[0] == pytest.approx(1e-9, rel=1e-6)


def test_the_metric_becomes_round_at_the_rate_of_the_second_eigenvalue():
    """F = u(1 − u)b(1 + O(b^{5/3})): λ = 8/3 of functions of degree 2 on CP² with Ric = g, less the 1 of the class."""
    states = whole().pieces[0].states[1:]
    share = np.array([0.1, 0.3, 0.5, 0.8])
    lengths = [s["b"] for s in states]
    sizes = [np.abs(s.at("F", s["b"] * share) / (s["b"] * share * (1 - share)) - 1).max() for s in states]
    rates = np.diff(np.log(sizes)) / np.diff(np.log(lengths))
    assert rates[-1] == pytest.approx(5 / 3, abs=3e-3)
    assert abs(rates[-1] - 5 / 3) < abs(rates[0] - 5 / 3)


@pytest.mark.slow
def test_the_flow_comes_out_of_the_cone_as_the_expanding_soliton():
    """R(0)(t − T) and F(2(t − T))/(t − T), by parabolas through three times, against the exact soliton.

    A cut at 1/1000 instead moves R(0)(t − T) by 7e-4 at the first time, the limit by 2e-3; cubic terms by as much.
    """
    times = np.array([0.05, 0.1, 0.2])
    sol = run(blow_up(48, 1, 6), 1.2, 300, save_at=list(1 + times))
    exact, states = expander(2), sol.pieces[0].states[1:]
    curvature = [s.scalar_at([0.0])[0] * t for s, t in zip(states, times)]
    profile = [s.at("F", [2 * t])[0] / t for s, t in zip(states, times)]
    limit = np.array([8 / 3, -2, 1 / 3])
    assert limit @ curvature == pytest.approx(float(-4 * (1 + exact.alpha)), abs=5e-3)
    assert limit @ profile == pytest.approx(float(exact.at([2.0])[0]), abs=5e-3)


def decay(n, count=24):
    """μ, −μ the largest eigenvalue of ψ ↦ (y^{n−1}e^{−αy}Fψ')'/(y^{n−1}e^{−αy}), with ψ = e^{αy} L_k(−αy)."""
    alpha = float(expander(n).alpha)
    x, weights = np.polynomial.laguerre.laggauss(60)
    weights = weights * x ** (n - 1)
    F = expander(n).at(-x / alpha)
    basis = np.polynomial.laguerre.lagvander(x, count)
    slopes = np.stack([np.polynomial.laguerre.Laguerre.basis(k).deriv()(x) for k in range(count + 1)], axis=1)
    along = alpha * (basis - slopes)
    stiffness, mass = (along.T * (F * weights)) @ along, (basis.T * weights) @ basis
    return float(np.linalg.eigvals(np.linalg.solve(mass, stiffness)).real.min())


@pytest.mark.parametrize(("n", "mu"), [(2, 2.394696), (3, 3.800532)])
def test_the_rate_at_which_cuts_are_forgotten(n, mu):
    assert decay(n) == pytest.approx(mu, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "points", "factors", "rtol"), [(2, 32, (5, 10, 40), 1e-9), (3, 48, (10, 20, 50), 1e-10)])
def test_it_matters_less_and_less_where_the_divisor_is_contracted(n, points, factors, rtol):
    """Errors next to the point ∝ a^{1 + μ}: against a cut that is nearer to the contraction, 0.25 after it."""
    time = 0.1 / (n - 1) + 0.25
    found = [run(blow_up(points, 0.1, 3, n), time, factor, rtol=rtol) for factor in factors]
    a = np.array([sol.last["a"] for sol in found])
    values = np.array([sol.pieces[0].last.at("F", [0.05, 0.1]) for sol in found])
    errors = np.abs(values[:-1] - values[-1])
    orders = np.diff(np.log(errors), axis=0) / np.diff(np.log(a[:-1]))[:, None]
    assert orders[-1] == pytest.approx(1 + decay(n), abs=0.25)


@pytest.mark.slow
def test_threefolds_go_on_as_projective_space():
    """The class (0.1, 3) on CP³ blown up is (0.1 − 2t, 3 − 4t); volumes are (2π)³(b³ − a³)/3!."""
    sol = run(blow_up(24, 0.1, 3, n=3), 0.06, 4, rtol=1e-5)
    (piece,) = sol.pieces
    assert sol.cuts[0].kind == "contraction"
    assert piece.last["b"] == pytest.approx(3 - 0.24, abs=1e-12)
    assert piece["volume"] == pytest.approx((2 * np.pi) ** 3 * piece["b"] ** 3 / 6, rel=1e-11)
    assert sol.cuts[0].volume == pytest.approx(-((2 * np.pi) ** 3) * sol.last["a"] ** 3 / 6, rel=1e-11)


@pytest.mark.slow
def test_points_do_not_matter():
    one, two = (run(blow_up(points, 0.2, 3), 0.4, 30, more, rtol=1e-10) for points, more in ((32, 72), (48, 108)))
    places = [0.05, 0.3, 1.0]
    assert one.pieces[0].last.at("F", places) == pytest.approx(two.pieces[0].last.at("F", places), abs=1e-8)


def test_runs_are_kept_interrupted_and_continued_to_the_same_bits(tmp_path):
    state, options = blow_up(24, 0.2, 3), {"factor": 4, "rtol": 1e-5, "points": 40}
    straight = run(state, 0.16, **options)
    for most in (20, 60, 1000):
        sol = run(state, 0.16, **options, store=tmp_path / "run.zarr", resume=True, max_steps=most)
    assert len(sol.pieces) == 1
    for other in (sol, gf.load(tmp_path / "run.zarr")):
        assert other.cuts == straight.cuts
        assert np.array_equal(other.pieces[0].last.pack(), straight.pieces[0].last.pack())
        assert other.pieces[0].last.grid == straight.pieces[0].last.grid


def test_what_cannot_be_contracted_is_said():
    with pytest.raises(InputError, match="factor above 1"):
        gf.Contraction(factor=1)
    with pytest.raises(InputError, match="points of Contraction"):
        gf.Contraction(points=0)
    ball = gf.catalogue.ansatz("momentum-ball", n=2).grid(16).state(F="y*(b-y)/b", b=1)
    quotient = gf.catalogue.ansatz("momentum", n=2, k=2).grid(16).state(F="2*" + START, a=1, b=9)
    sphere = gf.catalogue.ansatz("sphere", n=3).grid(16).state(chi="1", psi="sin(x)")
    for state in (ball, quotient, sphere):
        with pytest.raises(InputError, match="leave out after=Contraction"):
            gf.solve(gf.KahlerRicciFlow(), state, 1.0, after=gf.Contraction())


def test_what_does_not_contract_ends_the_run_with_the_reason():
    collapse = run(blow_up(24, 1, 2), 1.0, 30, rtol=1e-5)
    assert (collapse.singularity.kind, collapse.pieces) == ("collapse", ())
    early = run(blow_up(24, 0.5, 3), 1.0, 2.2, rtol=1e-5)
    assert early.pieces == ()
    assert "is not small beside b = " in early.outcome.message
    assert early.outcome.message.endswith("take a factor of more than 2.2.")
    few = run(blow_up(24, 0.2, 3), 0.5, 8, points=12, rtol=1e-5)
    assert few.pieces == ()
    assert "The divisor is not contracted: points are drawn too strongly" in few.outcome.message
