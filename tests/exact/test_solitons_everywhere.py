"""Solitons and Einstein metrics on the whole of their manifolds, ends and infinity included: profile and curvature.

Profiles are integrals in 40 digits. With A = −F'', B = −(F/y)' and C = (1 − F/y)/y, the curvatures of U(n)-invariant
metrics (E. Calabi, Extremal Kähler metrics, 1982), R = 2(A + 2(n−1)B + n(n−1)C), |Rm|² = 4(A² + 4(n−1)B² + 2n(n−1)C²).
"""

import mpmath
import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import InputError, PositivityError, UnknownNameError

INFINITE = np.concatenate([np.linspace(0, 0.95, 20), 1 - np.array([1e-2, 1e-4, 1e-8, 1e-12])])
"""Shares t of a half-line, at t/(1 − t)."""


def bundle(n, k):
    return gf.catalogue.ansatz("momentum", n=n, k=k)


def digits(soliton):
    return mpmath.mpf(str(sympy.N(soliton.alpha, 40)))


def outward(n, constant, alpha, low, y):
    """F where α ≤ 0, with t downward from y: ∫ e^{αt} P(y − t) dt, P = s^{n−1}(n − λs)."""
    reach = min(y - low, mpmath.mpf(100) / max(-alpha, mpmath.mpf(1) / 10))
    places = [reach * mpmath.mpf(share) / 8 for share in range(9)]
    inner = mpmath.quad(lambda t: mpmath.exp(alpha * t) * (y - t) ** (n - 1) * (n - constant * (y - t)), places)
    return inner / y ** (n - 1) if y else mpmath.mpf(0)


def inward(n, alpha, y):
    """F where ∫ e^{−αt} P dt vanishes to infinity: what is beyond y."""
    places = [mpmath.mpf(100) / alpha * share / 8 for share in range(9)]
    inner = mpmath.quad(lambda t: mpmath.exp(-alpha * t) * (y + t) ** (n - 1) * (n - y - t), places)
    return -inner / y ** (n - 1)


def curvature(n, constant, alpha, y, value):
    """R and |Rm|², by F' = n − λy + αF − (n−1)F/y and its derivative."""
    first = n - constant * y + alpha * value - (n - 1) * value / y
    second = -constant + alpha * first - (n - 1) * (first / y - value / y**2)
    a, b, c = -second, value / y**2 - first / y, (1 - value / y) / y
    return 2 * (a + 2 * (n - 1) * b + n * (n - 1) * c), 4 * (a**2 + 4 * (n - 1) * b**2 + 2 * n * (n - 1) * c**2)


def require_agreement(n, soliton, y, profile):
    """F, R and |Rm|² are those of the integral, to 1e-13 of their size."""
    with mpmath.workdps(50):
        alpha, places = digits(soliton), [mpmath.mpf(float(s)) for s in y]
        values = [profile(alpha, s) for s in places]
        scalars, squares = zip(*(curvature(n, soliton.constant, alpha, s, v)
                                 for s, v in zip(places, values, strict=True)), strict=True)
    for found, wanted in [(soliton.at(y), values), (soliton.scalar_at(y), scalars),
                          (soliton.scalar_at(y, "R"), scalars), (soliton.scalar_at(y, "Rm2"), squares)]:
        assert found == pytest.approx(np.array(wanted, dtype=float), rel=1e-13, abs=1e-30)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 1), (3, 2)])
def test_koiso_and_cao(n, k):
    def profile(alpha, s):
        inner = mpmath.quad(lambda t: mpmath.exp(-alpha * t) * t ** (n - 1) * (n - t), [n - k, s])
        return mpmath.exp(alpha * s) / s ** (n - 1) * inner

    require_agreement(n, bundle(n, k).compact_soliton(), np.linspace(n - k, n + k, 33), profile)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 1), (3, 2)])
def test_feldman_ilmanen_and_knopf(n, k):
    """On O(−k) up to 10¹² times as far as the sphere that stays."""
    y = n - k + INFINITE / (1 - INFINITE)
    require_agreement(n, bundle(n, k).complete_soliton("shrinking"), y, lambda alpha, s: inward(n, alpha, s))


@pytest.mark.parametrize("kind, constant", [("steady", 0), ("expanding", -1)])
@pytest.mark.parametrize("n", [2, 3])
def test_caos_on_complex_space(n, kind, constant):
    found = gf.catalogue.ansatz("momentum-ball", n=n).complete_soliton(kind, alpha="-1/2")
    y = (INFINITE / (1 - INFINITE))[1:]
    require_agreement(n, found, y, lambda alpha, s: outward(n, constant, alpha, 0, s))
    first = found.scalar_at([0.0])[0], found.scalar_at([0.0], "Rm2")[0]
    assert first == pytest.approx((found.scalar_at([1e-9])[0], found.scalar_at([1e-9], "Rm2")[0]), rel=1e-7)
    assert first[1] / first[0] ** 2 == pytest.approx(2 / (n * (n + 1)), rel=1e-14)  # constant holomorphic curvature


@pytest.mark.parametrize("n, k, kind, constant", [(2, 2, "steady", 0), (3, 3, "steady", 0), (2, 3, "expanding", -1)])
def test_those_on_bundles(n, k, kind, constant):
    found = bundle(n, k).complete_soliton(kind, alpha=-1)
    found = found if found.ends else found.of(a=1)
    low = int(found.ends["a"])
    require_agreement(n, found, low + INFINITE / (1 - INFINITE), lambda alpha, s: outward(n, constant, alpha, low, s))


@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 1), (3, 2)])
def test_newtons_method_finds_that_of_koiso_and_cao_everywhere(n, k):
    exact, found = bundle(n, k).compact_soliton(), bundle(n, k).soliton("shrinking", 40)
    y = np.linspace(n - k, n + k, 41)
    assert found.state.at("F", y) == pytest.approx(exact.at(y), abs=1e-13)
    for text in ("R", "Rm2"):
        assert found.state.scalar_at(y, text) == pytest.approx(exact.scalar_at(y, text), rel=1e-12)


def test_places_that_are_none_and_classes_outside_of_the_cone_are_refused():
    soliton, extremal = bundle(2, 1).compact_soliton(), bundle(2, 1).extremal()
    for y in (0.5, 3.5, np.nan, np.inf):
        with pytest.raises(InputError, match="outside of the span from 1 to 3"):
            soliton.at([y])
    with pytest.raises(InputError, match="array of numbers"):
        soliton.at(["y"])
    with pytest.raises(InputError, match=r"\.of\(a=1\)"):
        extremal.at([2.0])
    for ends in [{"a": 3, "b": 1}, {"a": 1, "b": 1}, {"a": -1, "b": 2}, {"a": 0}]:
        with pytest.raises(PositivityError, match="outside of its cone"):
            extremal.of(**ends)
    with pytest.raises(UnknownNameError, match="choose one of: a, b"):
        extremal.of(c=1)
    with pytest.raises(PositivityError, match="outside of its cone"):
        bundle(2, 2).complete_soliton("steady", alpha=-1).of(a=-1)
    assert extremal.of(a=1).of(b=2).at([1.0, 2.0]) == pytest.approx([0, 0], abs=1e-30)
