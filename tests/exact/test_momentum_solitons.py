"""Kähler–Ricci solitons in the momentum: Koiso and Cao's, Feldman, Ilmanen and Knopf's, Cao's, each from its equation.

n, k of O(−k) over CP^{n−1}; Ric + ∇∇f = λ g.
"""

import mpmath
import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import InputError, UnknownNameError
from geomflow.symbolic.ansatz.momentum_soliton import ALPHA


def bundle(n, k):
    return gf.catalogue.ansatz("momentum", n=n, k=k)


def ball(n):
    return gf.catalogue.ansatz("momentum-ball", n=n)


def integral(n, constant, alpha, low, high):
    """∫ e^{−αt} t^{n−1}(n − λt) dt."""
    places = [low, min(low + 20, high), high]
    return mpmath.quad(lambda t: mpmath.exp(-alpha * t) * t ** (n - 1) * (n - constant * t), places)


def profile(n, constant, alpha, low, y):
    return mpmath.exp(alpha * y) / y ** (n - 1) * integral(n, constant, alpha, low, y)


def digits(soliton):
    return mpmath.mpf(str(sympy.N(soliton.alpha, 40)))


def left_of_the_equation(ansatz, soliton, places):
    """|Ric + ∇∇f − λ g|² of the whole metric, f = αy, with 100 digits."""
    tensor = f"(Ric + Hess(f) - ({soliton.constant})*g)"
    square = ansatz.scalar(f"dot({tensor}, {tensor})", fields="f")
    y, value = soliton.place, ansatz.unknown("F").value
    (potential,) = (f for f in square.atoms(sympy.core.function.AppliedUndef) if f.func.__name__ == "f")
    whole = square.subs({value: soliton.profile, potential: ALPHA * y}).doit()
    function = sympy.lambdify([y, ALPHA], whole, "mpmath")
    with mpmath.workdps(100):
        alpha = mpmath.mpf(str(sympy.N(soliton.alpha, 100)))
        return [abs(function(mpmath.mpf(s), alpha)) for s in places]


@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 1), (3, 2)])
def test_koiso_and_cao(n, k):
    found = bundle(n, k).compact_soliton()
    assert found.ends == {"a": n - k, "b": n + k}
    with mpmath.workdps(40):
        alpha = mpmath.findroot(lambda c: integral(n, 1, c, n - k, n + k), 0.6)
        assert abs(digits(found) - alpha) < 1e-36
        places = [mpmath.mpf(n - k) + 2 * k * mpmath.mpf(u) / 8 for u in range(1, 8)]
        exact = [float(profile(n, 1, alpha, n - k, y)) for y in places]
    assert found.at([float(y) for y in places]) == pytest.approx(exact, rel=1e-15)
    assert abs(found.at([n + k])[0]) < 1e-35
    assert max(left_of_the_equation(bundle(n, k), found, [2.5, 2.75])) < 1e-60


def test_the_known_slope_of_koiso_and_cao():
    found = bundle(2, 1).compact_soliton()
    assert float(found.alpha) == pytest.approx(0.527619519897, abs=1e-12)
    assert found.at([2.0])[0] == pytest.approx(0.4673258778314, abs=1e-13)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 1), (3, 2)])
def test_feldman_ilmanen_and_knopf(n, k):
    found = bundle(n, k).complete_soliton("shrinking")
    with mpmath.workdps(40):
        alpha = mpmath.findroot(lambda c: integral(n, 1, c, n - k, mpmath.inf), (1, 2), solver="anderson")
        assert abs(digits(found) - alpha) < 1e-36
        places = [mpmath.mpf(n - k) + s for s in (0.125, 1, 4, 16)]
        exact = [float(profile(n, 1, alpha, n - k, y)) for y in places]
    assert found.at([float(y) for y in places]) == pytest.approx(exact, rel=1e-15)
    far = found.at([1e8])[0] / 1e8
    assert far == pytest.approx(1 / float(found.alpha), rel=1e-7)  # a cone, s² = 2αy
    assert max(left_of_the_equation(bundle(n, k), found, [2.5, 17])) < 1e-60


def test_the_one_on_the_blow_up_of_the_plane_has_the_square_root_of_two():
    found = bundle(2, 1).complete_soliton("shrinking")
    assert found.alpha == sympy.sqrt(2)
    assert found.scalar_at([1.0])[0] == pytest.approx(4 - 2 * np.sqrt(2), rel=1e-15)


@pytest.mark.parametrize("n", [2, 3])
def test_those_of_balls(n):
    y = ball(n).compact_soliton().place
    assert sympy.simplify(ball(n).compact_soliton().profile - y * (n + 1 - y) / (n + 1)) == 0  # Fubini and Study
    gauss = ball(n).complete_soliton("shrinking")
    assert (gauss.profile, gauss.scalar, gauss.alpha) == (y, 0, 1)
    steady = ball(n).complete_soliton("steady", alpha=-1)
    assert steady.at([1e4])[0] == pytest.approx(n, rel=1e-3)  # asymptotic to a cigar's paraboloid
    with mpmath.workdps(40):
        exact = float(profile(n, 0, mpmath.mpf(-1), 0, mpmath.mpf(1.5)))
    assert steady.at([1.5])[0] == pytest.approx(exact, rel=1e-15)
    assert max(left_of_the_equation(ball(n), steady, [0.5, 5])) < 1e-60
    hyperbolic = ball(n).complete_soliton("expanding", alpha=0)
    assert sympy.simplify(hyperbolic.profile - y * (y + n + 1) / (n + 1)) == 0
    assert hyperbolic.scalar == -2 * n


def test_those_that_need_their_bundle():
    flat = bundle(2, 2).complete_soliton("steady", alpha=0)  # Eguchi and Hanson
    assert flat.scalar == 0
    assert flat.of(a=1).at([2.0])[0] == 1.5
    with pytest.raises(InputError, match="'a' of this metric is free"):
        flat.at([2.0])
    cao = bundle(2, 2).complete_soliton("steady", alpha="-1/2").of(a=1)
    assert max(left_of_the_equation(bundle(2, 2), cao, [1.5, 5])) < 1e-60
    expanding = bundle(2, 3).complete_soliton("expanding", alpha=-1)
    assert expanding.ends == {"a": 1}
    assert max(left_of_the_equation(bundle(2, 3), expanding, [1.5, 5])) < 1e-60


def test_what_is_refused():
    for kind, k in [("shrinking", 2), ("steady", 1), ("expanding", 2)]:
        with pytest.raises(InputError, match="k < n"):
            bundle(2, k).complete_soliton(kind, **({} if kind == "shrinking" else {"alpha": -1}))
    with pytest.raises(InputError, match="k < n"):
        bundle(2, 2).compact_soliton()
    with pytest.raises(InputError, match="give alpha"):
        ball(2).complete_soliton("steady")
    with pytest.raises(InputError, match="not complete"):
        ball(2).complete_soliton("steady", alpha=1)
    with pytest.raises(UnknownNameError, match="alpha"):
        ball(2).complete_soliton("shrinking", alpha=1)
    with pytest.raises(InputError, match="on a Span"):
        gf.catalogue.ansatz("sphere").compact_soliton()
    with pytest.raises(InputError, match="is Einstein"):
        bundle(2, 1).soliton("steady", 16)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 2)])
def test_newtons_method_finds_the_exact_one(n, k):
    exact, found = bundle(n, k).compact_soliton(), bundle(n, k).soliton("shrinking", 40)
    places = np.linspace(n - k, n + k, 9)[1:-1]
    assert found.state.at("F", places) == pytest.approx(exact.at(places), abs=1e-11)
    assert found.state.scalar_at(places) == pytest.approx(exact.scalar_at(places), abs=1e-8)
    assert (found.state["a"], found.state["b"]) == pytest.approx((n - k, n + k), abs=1e-13)
    assert found.range == pytest.approx(2 * k * float(exact.alpha), rel=1e-12)
    assert found.residual < 1e-11
    assert found.spectrum[:2] == pytest.approx([2, 2], abs=1e-8)


def test_projective_space_is_found_too():
    found = ball(2).soliton("shrinking", 16)
    assert "Einstein" in str(found)
    assert found.state["b"] == pytest.approx(3, abs=1e-13)
