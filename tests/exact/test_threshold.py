"""The fate of spheres with rotational symmetry when it is certain, where it changes in a family, and what is there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline

import geomflow as gf
from geomflow.core.errors import ConvergenceError, InputError

ROUND, NECK = "extinction", "neckpinch"


def dumbbell(a: float, n: int = 2, points: int = 64):
    """χ = 1, ψ = sin x √(1 − a sin²x) on S^{n+1}: one bump up to a = ½, then a neck."""
    return gf.catalogue.ansatz("sphere", n=n).grid(points).state(chi="1", psi=f"sin(x)*sqrt(1 - {a!r}*sin(x)^2)")


@pytest.mark.parametrize(("n", "a", "expected"), [(2, 0.3, ROUND), (3, 0.3, ROUND), (2, 0.7, None), (3, 0.9, NECK),
                                                  (2, 0.9, None), (4, 0.97, NECK)])
def test_fates_that_are_certain_at_the_start(n, a, expected):
    """b²/r² = 1/(4a(1 − a)), r²(K₁ − K₀) ≤ 2a: beyond 2n/q, q the larger of 2(n − 2a), and n − 1 where R ≥ 0."""
    assert gf.fate(dumbbell(a, n)) == expected


@pytest.mark.slow
def test_a_fate_that_is_certain_stays_so():
    """Along a run to a neckpinch, and one to a round point."""
    for a, expected in ((0.93, NECK), (0.6, ROUND)):
        seen = []
        gf.solve(gf.RicciFlow(), dumbbell(a, points=48), 0.05, rtol=1e-8, events=gf.ResolutionLoss(1e-4),
                 monitors={"fate": lambda t, state, seen=seen: seen.append(gf.fate(state)) or 0.0})
        first = seen.index(expected)
        assert 0 < first < len(seen) - 3
        assert set(seen[:first]) == {None}
        assert set(seen[first:]) == {expected}


def test_surfaces_and_tubes():
    """A convex sphere of two dimensions is round in the end; S² × S¹ is never, and pinches where its neck is thin."""
    assert gf.fate(gf.catalogue.ansatz("sphere", n=1).grid(24).state(chi=1, psi="sin(x)")) == ROUND
    tube = gf.catalogue.ansatz("sphere-circle", n=2).grid(48)
    assert gf.fate(tube.state(chi=3, psi="1 + cos(x)/2")) == NECK
    assert gf.fate(tube.state(chi=1, psi=1)) is None


def test_other_metrics_have_other_fates():
    with pytest.raises(InputError, match=r"the fate of metrics ds² \+ r\(s\)² g on round spheres of radius r is known"):
        gf.fate(gf.catalogue.ansatz("join").grid(16).state(chi=1, psi1="sin(x)", psi2="cos(x)"))
    with pytest.raises(InputError, match="watch necks, bumps and curvature by Event"):
        gf.fate(gf.catalogue.ansatz("su2").state(A=1, B=2, C=3))


def smaller(state) -> str | None:
    """Which factor of S² × S² is gone first: one is twice as large as the other from when on their difference is."""
    a, b = state["A"], state["B"]
    return "A" if 2 * a < b else "B" if 2 * b < a else None


def test_a_threshold_by_a_fate_of_ones_own():
    """A and B fall at one rate: the smaller is gone first."""
    product = gf.catalogue.ansatz("product")
    found = gf.threshold(gf.RicciFlow(), lambda b: product.state(A="1", B=f"{b!r}"), 0.4, 1.9, 1.0, digits=2,
                         fate=smaller)
    assert found.fates == ("B", "A")
    assert found.low < 1 < found.high
    assert found.error <= 5e-3
    assert found.runs == 2 + 8
    assert repr(found).endswith("B below and A above, 10 runs")


def test_thresholds_that_are_not_between_or_not_decided():
    product = gf.catalogue.ansatz("product")
    with pytest.raises(InputError, match=r"3 and 4 have the same fate, A: take numbers farther apart"):
        gf.threshold(gf.RicciFlow(), lambda b: product.state(A=1, B=b), 3, 4, 1.0, fate=smaller)
    with pytest.raises(ConvergenceError, match=r"the fate at 1, between 1 and 4, is undecided: .* Take more points"):
        gf.threshold(gf.RicciFlow(), lambda b: product.state(A=1, B=b), 1, 4, 1.0, fate=smaller)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "points", "low", "high", "digits"), [(2, 96, 0.84357, 0.84365, 4),
                                                                    (3, 128, 0.73507, 0.7351, 4)])
def test_where_dumbbells_begin_to_pinch(n, points, low, high, digits):
    """On S³ and S⁴, to four digits: 0.8436 and 0.7351."""
    found = gf.threshold(gf.RicciFlow(), lambda a: dumbbell(a, n, points), low, high, 1.0, digits=digits)
    assert found.fates == (ROUND, NECK)
    assert (found.low, found.high, found.runs) == (low, high, 2)


def bryant(reach: float):
    """ψ(s) of Bryant's soliton with R = 6 at its tip, from its series at s = 1/100, where K = 1.

    Ric + ∇∇f = 0 is f'' = 2ψ''/ψ and ψ'f' = ψ'' − (1 − ψ'²)/ψ; ψ = s − s³/6 + 29 s⁵/600, f' = −2s + 8 s³/15.
    """
    def rate(s, y):
        psi, slope, drift = y
        second = (1 - slope**2) / psi + slope * drift
        return [slope, second, 2 * second / psi]

    s = 1e-2
    tip = [s - s**3 / 6 + 29 * s**5 / 600, 1 - s**2 / 2 + 29 * s**4 / 120, -2 * s + 8 * s**3 / 15]
    return solve_ivp(rate, (s, reach), tip, rtol=1e-12, atol=1e-13, dense_output=True).sol


def tip_error(state, reach: float) -> float:
    """The largest relative difference of ψ from Bryant's within a distance of a pole, both with R = 6 there."""
    places = state.grid.places[: len(state.grid.places) // 2]
    scale = np.sqrt(state.scalar_at([0.0])[0] / 6)
    s = scale * CubicSpline(places, state.at("chi", places)).antiderivative()(places)
    inside = (s > 0.05) & (s < reach)
    return float(np.abs(scale * state.at("psi", places)[inside] / bryant(reach)(s[inside])[0] - 1).max())


def test_bryants_soliton_by_its_equation_is_the_catalogues():
    s = np.array([0.5, 1.0, 2.0, 5.0, 20.0])
    found = gf.catalogue.ansatz("sphere", n=2).complete_soliton("steady", R=6).at("psi", s)
    assert found == pytest.approx(bryant(20.0)(s)[0], rel=1e-9)


@pytest.mark.slow
def test_tips_tend_to_bryants_soliton_at_the_threshold():
    """A degenerate neckpinch between two poles: there ψ differs from Bryant's by less the more curved the tips are."""
    errors = {}
    sol = gf.solve(gf.RicciFlow(), dumbbell(0.84365, points=80), 1.0, rtol=1e-8, events=gf.ResolutionLoss(1e-5),
                   monitors={f"to {reach}": lambda t, state, reach=reach: tip_error(state, reach) for reach in (2, 5)})
    found = sol.singularity
    assert found.kind == "degenerate neckpinch"
    assert found.rate == "type II"
    assert found.time == pytest.approx(0.1032, abs=1e-4)
    size = sol["riemann_max"] / sol["riemann_max"][0]
    for reach in (2, 5):
        errors[reach] = [float(np.interp(np.log(grown), np.log(size), sol[f"to {reach}"])) for grown in (1e2, 1e4, 1e6)]
        assert errors[reach][0] > 1.3 * errors[reach][1] > 1.3**2 * errors[reach][2]
    assert errors[2][2] < 0.03
    assert errors[5][2] < 0.12
