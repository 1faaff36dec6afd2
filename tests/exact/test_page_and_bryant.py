"""Page's metric, and Bryant's solitons on all of their half-line, against computations of many digits."""

from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy

import geomflow as gf

BLOWN_UP = gf.catalogue.ansatz("taub", ends=("bolt", "bolt"), k=1)
ORDER, STEP, NEAR = 40, mpmath.mpf(1) / 4, mpmath.mpf(60)
"""Of the Taylor series along s, and how far they go."""


class Page:
    """g = c g_E/R² with the extremal metric g_E of the class in which R³ + 6RΔR − 12|∇R|² = 4c is one number.

    Then Ric = g (A. Derdziński, Compositio Math. 49, 1983). At the ends of the span F = 0 and ΔR = ±2R'.
    """

    def __init__(self):
        exact = gf.catalogue.ansatz("momentum").extremal().of(a=1)
        names = {s.name: s for s in exact.profile.free_symbols}
        y, b = names["y"], names["b"]
        low, high, slope = exact.scalar.subs(y, 1), exact.scalar.subs(y, b), exact.scalar.diff(y)
        equation = sympy.numer(sympy.factor(low**3 + 12 * low * slope - high**3 + 12 * high * slope))
        self.last = max(root for root in sympy.Poly(equation, b).nroots(n=50) if root.is_real)
        jets = [exact.profile.diff(y, k) for k in range(3)]
        self.profile, self.first, self.second, self.scalar = (
            sympy.lambdify(y, e.subs(b, self.last), "mpmath") for e in [*jets, exact.scalar])
        self.c = sympy.N((low**3 + 12 * low * slope).subs(b, self.last) / 4, 45)

    def factor(self, y):
        """c/R²."""
        return mpmath.mpf(str(self.c)) / self.scalar(y) ** 2

    def place(self, angle):
        return 1 + (mpmath.mpf(str(self.last)) - 1) * mpmath.sin(angle) ** 2

    def speed(self, angle):
        """ds by the angle, ds² = c/R² dy²/2F."""
        y = self.place(angle)
        across = (mpmath.mpf(str(self.last)) - 1) * mpmath.sin(2 * angle)
        return across * mpmath.sqrt(self.factor(y) / (2 * self.profile(y)))

    def curvature(self, y):
        """|Rm|² = |W|² + 8/3, with |W|² of g_E by its curvatures A, B, C (see test_solitons_everywhere)."""
        f, first, second = self.profile(y), self.first(y), self.second(y)
        a, b, c = -second, f / y**2 - first / y, (1 - f / y) / y
        whole, ricci, scalar = 4 * (a**2 + 4 * b**2 + 4 * c**2), 2 * ((a + b) ** 2 + (b + 2 * c) ** 2), self.scalar(y)
        return (whole - 2 * ricci + scalar**2 / 3) / self.factor(y) ** 2 + mpmath.mpf(8) / 3


def test_pages_metric_everywhere():
    found = BLOWN_UP.soliton("shrinking", 48, chi=1, a=1, b="sin(x)").state
    with mpmath.workdps(40):
        page = Page()
        angles = [mpmath.pi * k / 48 for k in range(25)]
        steps = [mpmath.quad(page.speed, pair, method="gauss-legendre") for pair in pairwise(angles)]
        places = [page.place(angle) for angle in angles]
        arclength = np.cumsum([0.0, *map(float, steps)])
        wide = [float(mpmath.sqrt(2 * y * page.factor(y))) for y in places]
        around = [float(mpmath.sqrt(abs(2 * page.profile(y)) * page.factor(y))) for y in places]
        curvature = [float(page.curvature(y)) for y in places]
    length = found["chi"][0] * np.pi
    assert length == pytest.approx(arclength[-1], abs=1e-11)
    x = np.pi * np.minimum(arclength / length, 1)
    assert found.at("a", x) == pytest.approx(wide, abs=1e-11)
    assert found.at("b", x) == pytest.approx(around, abs=1e-11)
    for text, values in [("R", 4.0), ("Ric2", 4.0), ("Rm2", curvature)]:
        assert found.scalar_at(x, text) == pytest.approx(np.broadcast_to(values, 25), abs=1e-10)
    einstein = BLOWN_UP.reduce("-Ric + g")
    for unknown, rate in zip(einstein.unknowns, einstein.rates, strict=True):  # Ric - g along each direction
        assert np.abs(found.evaluated(rate / unknown.value)).max() < 1e-11


def test_that_of_koiso_and_cao_by_arclength_is_the_one_in_the_momentum():
    found = BLOWN_UP.soliton("shrinking", 48, chi=1, a="sqrt(4 - 2*cos(x))", b="sin(x)").state
    exact = gf.catalogue.ansatz("momentum").compact_soliton()
    y = found["a"] ** 2 / 2
    assert found["b"] ** 2 / 2 == pytest.approx(exact.at(y), abs=1e-11)
    for text in ("R", "Rm2"):
        assert found.scalar(text) == pytest.approx(exact.scalar_at(y, text), abs=1e-10)


# Bryant's: ψ'' = (n−1)(1 − ψ'²)/ψ + f'ψ' and f'' = nψ''/ψ, Ric + ∇∇f = 0 of ds² + ψ² g_{S^n}

def product(u, v, k):
    """The coefficient of s^k in u v."""
    return mpmath.fsum(u[j] * v[k - j] for j in range(k + 1))


def at_the_tip(n):
    """The coefficients of ψ and v = f' about s = 0 where R = n(n + 1), order by order."""
    psi, v = [mpmath.mpf(0)] * (ORDER + 2), [mpmath.mpf(0)] * (ORDER + 2)
    psi[1] = mpmath.mpf(1)
    psi[3], v[1] = -mpmath.mpf(1) / 6, -mpmath.mpf(n)
    for m in range(5, ORDER + 1, 2):
        first = [(j + 1) * psi[j + 1] for j in range(ORDER + 1)]
        second = [(j + 1) * first[j + 1] for j in range(ORDER)]
        driven = [product(first, v, j) for j in range(m)]
        left = product(psi, second, m - 1) - product(psi, driven, m - 1) + (n - 1) * product(first, first, m - 1)
        bent = product(psi, [(j + 1) * v[j + 1] for j in range(ORDER)], m - 2) - n * second[m - 2]
        own, beside = m * (m - 1) + 2 * (n - 1) * m, n * m * (m - 1)
        psi[m] = -(left + bent / (m - 2)) / (own - mpmath.mpf(beside) / (m - 2))
        v[m - 2] = (beside * psi[m] - bent) / (m - 2)
    return psi, v


def onward(n, psi0, slope0, v0):
    """The same from values elsewhere."""
    psi, p, v = [psi0], [slope0], [v0]
    bend = []
    for k in range(ORDER):
        curve = (n - 1) * ((k == 0) - product(p, p, k))
        bend.append((curve - mpmath.fsum(psi[k - j] * (bend[j] - product(p, v, j)) for j in range(k))) / psi[0]
                    + product(p, v, k))
        psi.append(p[k] / (k + 1))
        rate = (n * bend[k] - mpmath.fsum(psi[k - j] * (j + 1) * v[j + 1] for j in range(k))) / psi[0]
        p.append(bend[k] / (k + 1))
        v.append(rate / (k + 1))
    return psi, v


def value(coefficients, s):
    return mpmath.polyval(coefficients[::-1], s)


def jets(psi, v, s):
    """ψ, ψ' and v."""
    first = [(j + 1) * psi[j + 1] for j in range(len(psi) - 1)]
    here, slope, drag = value(psi, s), value(first, s), value(v, s)
    return here, slope, drag


def scalar(n, here, slope, drag):
    """R by the equations."""
    bend = (n - 1) * (1 - slope**2) / here + drag * slope
    return -2 * n * bend / here + n * (n - 1) * (1 - slope**2) / here**2


def followed(n):
    """(s, ψ, R) to s = NEAR, and the last ψ."""
    psi, v = at_the_tip(n)
    rows, s = [], mpmath.mpf(0)
    while s < NEAR:
        here, slope, drag = jets(psi, v, STEP)
        s += STEP
        rows.append((float(s), float(here), float(scalar(n, here, slope, drag))))
        psi, v = onward(n, here, slope, drag)
    return np.array(rows), here


def far(n, count):
    """h_k of h = ψ'² = Σ h_k ψ^{−2k}, by h q_r = n h h_r/2r + q h_r/2 with q = f'ψ' = h_r/2 − (n−1)(1 − h)/r."""
    size = n * (n + 1)
    h = [Fraction(0), Fraction((n - 1) ** 2, size)]

    def left(series, k):
        """The coefficient of r^{−2k−2}."""
        q = [-(n - 1) * (j == 0) + (n - 1 - j) * series[j] for j in range(len(series))]  # by r^{−2j−1}
        return sum(series[j] * (-(2 * (k - j) + 1) * q[k - j] + n * (k - j) * series[k - j]) + j * series[j] * q[k - j]
                   for j in range(k + 1))

    for k in range(2, count):
        known = left([*h, Fraction(0)], k)
        h.append(-known / (left([*h, Fraction(1)], k) - known))
    return h


@pytest.mark.parametrize("n", [2, 3])
def test_bryants_soliton_everywhere(n):
    """By Taylor series of 40 digits to s = 60, and by its expansion at infinity beyond."""
    bryant = gf.catalogue.ansatz("sphere", n=n).complete_soliton("steady", R=n * (n + 1))
    with mpmath.workdps(40):
        rows, start = followed(n)
        h = [mpmath.mpf(c.numerator) / c.denominator for c in far(n, 12)]
        distant = [200, 1000]
        radii = [mpmath.mpf(float(r)) for r in bryant.at("psi", distant)]
        reached = [NEAR + mpmath.quad(lambda r: 1 / mpmath.sqrt(mpmath.polyval(h[::-1], r**-2)),
                                      mpmath.linspace(start, r, 9)) for r in radii]
        beyond = [n * (n - 1) / r**2 + mpmath.fsum((2 * n * k - n * (n - 1)) * c * r ** (-2 * k - 2)
                                                   for k, c in enumerate(h)) for r in radii]
    s, psi, size = rows.T
    assert bryant.at("psi", s) == pytest.approx(psi, rel=1e-11)
    assert bryant.scalar(s) == pytest.approx(size, abs=1e-10)
    assert np.array(reached, dtype=float) == pytest.approx(distant, rel=1e-11)
    assert bryant.scalar(distant) == pytest.approx(np.array(beyond, dtype=float), rel=1e-8, abs=1e-10)
