"""Zero on ranges: expressions with known verdicts, renaming, scaling, and signs that are proved."""

import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Abs, Rational, acos, asin, atan, cos, cosh, exp, log, oo, pi, sin, sinh, sqrt, tan

from geomflow.symbolic import Chart, Metric, is_zero
from geomflow.symbolic.signs import sign_of, without_moduli

x, y = sympy.symbols("x y", real=True)
rationals = st.fractions(min_value=-9, max_value=9, max_denominator=20).map(Rational)
widths = st.fractions(min_value="1/50", max_value=5, max_denominator=50).map(Rational)

BRANCHES = [  # what is zero, where, and a longer interval on which it is not
    (Abs(x + 1) - (x + 1), (-1, oo), (Rational(-101, 100), oo)),
    (Abs(x + 1) + (x + 1), (-oo, -1), (-oo, Rational(-99, 100))),
    (acos(cos(x)) - x, (0, pi), (0, Rational(315, 100))),
    (acos(cos(x)) - x, (0, pi), (Rational(-1, 100), pi)),
    (asin(sin(x)) - x, (-pi / 2, pi / 2), (-pi / 2, Rational(158, 100))),
    (atan(tan(x)) - x, (-pi / 2, pi / 2), (0, Rational(158, 100))),
    (atan(sin(x) / cos(x)) - x, (-1, 1), (-1, 2)),
    (Abs(x**2 - 2) - (2 - x**2), (-1, sqrt(2)), (-1, Rational(3, 2))),
    (sqrt(1 - cos(x) ** 2) - sin(x), (0, pi), (0, Rational(32, 10))),
    (sqrt(cosh(x) ** 2 - 1) - sinh(x), (0, oo), (Rational(-1, 10), oo)),
    (sqrt((x - 1) * (x - 2)) - sqrt(x - 1) * sqrt(x - 2), (1, oo), (Rational(9, 10), oo)),
    (log(x**2) - 2 * log(x), (0, oo), (-1, oo)),
    (sqrt(x**3) - x * sqrt(x), (0, oo), (-1, oo)),
    (atan(x) + atan(1 / x) - pi / 2, (0, oo), (Rational(-1, 1000), oo)),
    (Abs(exp(x) - 1) - (exp(x) - 1), (0, oo), (Rational(-1, 10**6), oo)),
    (sympy.sign(x - 3) - 1, (3, oo), (Rational(29999, 10000), oo)),
]


@pytest.mark.parametrize("expression, where, beyond", BRANCHES, ids=str)
def test_an_identity_holds_on_its_branch_and_not_beyond(expression, where, beyond):
    assert is_zero(expression, ranges={x: where})
    longer = is_zero(expression, ranges={x: beyond})
    assert (longer.zero, longer.status) == (False, "proved")
    assert is_zero(expression).zero is False


@pytest.mark.parametrize("expression, where, beyond", BRANCHES, ids=str)
def test_the_point_of_a_verdict_refutes(expression, where, beyond):
    point = is_zero(expression, ranges={x: beyond}).point
    assert set(point) == {x}
    assert bool(beyond[0] < point[x])
    assert bool(point[x] < beyond[1])
    value = sympy.N(expression.subs(point), 60)
    assert abs(value) > 1e-40


@given(roots=st.lists(rationals, min_size=1, max_size=3, unique=True), start=rationals, width=widths)
@settings(max_examples=25, deadline=None)
def test_the_modulus_of_a_product_has_the_sign_of_its_stretch(roots, start, width):
    polynomial = sympy.Mul(*[x - r for r in roots])
    ranges = {x: (start, start + width)}
    crossed = any(start < r < start + width for r in roots)
    sign = sympy.sign(polynomial.subs(x, start + width / 2 if start + width / 2 not in roots else start + width / 3))
    assert bool(is_zero(Abs(polynomial) - sign * polynomial, ranges=ranges)) is not crossed
    assert bool(is_zero(sqrt(sympy.expand(polynomial**2)) - sign * polynomial, ranges=ranges)) is not crossed


@given(case=st.sampled_from(BRANCHES), scale=st.sampled_from([Rational(1, 30), Rational(1, 3), 1, 7]),
       mirrored=st.booleans(), name=st.sampled_from(["t", "omega", "z9"]))  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_renaming_and_scaling_change_nothing(case, scale, mirrored, name):
    expression, where, beyond = case
    symbol = sympy.Symbol(name, real=True)
    factor = -scale if mirrored else scale
    moved = expression.subs(x, symbol / factor)
    for interval, expected in ((where, True), (beyond, False)):
        ends = [end * factor for end in interval]
        assert bool(is_zero(moved, ranges={name: ends[::-1] if mirrored else ends})) is expected


@given(first=st.sampled_from(BRANCHES), second=st.sampled_from(BRANCHES))
@settings(max_examples=25, deadline=None)
def test_in_two_variables_every_factor_must_be_on_its_branch(first, second):
    a, b = first[0], second[0].subs(x, y)
    assert is_zero(a + (1 + x**2) * b, ranges={x: first[1], y: second[1]})
    assert is_zero(a + (1 + x**2) * b, ranges={x: first[1], y: second[2]}).zero is False
    assert is_zero(a * b, ranges={x: first[1], y: second[2]})
    assert is_zero(a * b, ranges={x: first[2], y: second[2]}).zero is False


@given(coefficients=st.lists(st.integers(-4, 4), min_size=3, max_size=6), start=rationals, width=widths)
@settings(max_examples=60, deadline=None)
def test_a_proved_sign_is_the_sign(coefficients, start, width):
    a, b, *rest = coefficients
    polynomial = sum(c * x**k for k, c in enumerate(rest))
    expression = polynomial + a * sin(x) + b * x * y**2 + exp(y) * max(a, 0)
    ranges = {"x": (start, start + width), "y": (0, oo)}
    sign = sign_of(expression, ranges)
    assume(sign is not None)
    for k in range(1, 12):
        value = expression.subs({x: start + width * Rational(k, 12), y: Rational(k * k, 7)})
        assert sign * sympy.N(value, 30) >= -1e-25


def test_signs_that_ranges_prove():
    m, r, theta = sympy.symbols("m r theta", real=True)
    outside = {"m": (0, oo), "r": (2 * m, oo)}
    assert sign_of(1 - 2 * m / r, {**outside}) == 1
    assert sign_of(r**2 - 4 * m**2, outside) == 1
    assert sign_of(r - 3 * m, outside) is None
    assert sign_of(1 - r**2, {"r": (-1, 1)}) == 1
    assert sign_of(cos(theta), {"theta": (pi / 2, 3 * pi / 2)}) == -1
    assert sign_of(sin(2 * theta), {"theta": (0, pi / 2)}) == 1
    assert sign_of(2 + cos(theta), {}) == 1
    assert sign_of(1 + x**2 + y**4, {}) == 1
    assert sign_of(log(x), {"x": (0, 1)}) == -1
    z = sympy.Symbol("z", complex=True)
    assert sign_of(z**2, {}) is None
    assert without_moduli(Abs(z**2 + 1), {}) == Abs(z**2 + 1)
    assert is_zero(Abs(z**2) - z**2).zero is False
    assert is_zero(Abs(z**2) - Abs(z) * Abs(-z))
    assert without_moduli(Abs(r - 1) * sympy.sign(1 - r), {"r": (1, 2)}) == 1 - r


diagonals = st.lists(
    st.sampled_from([x, -x, 1 - x**2, -exp(x), sin(y), -sin(y) ** 2, y - 4, 1 + x**2, (y - 1) ** 3, 1 / (x - 2)]),
    min_size=2, max_size=2,
)  # fmt: skip


@given(entries=diagonals, mixed=st.sampled_from([0, x * y, sympy.Integer(3)]))
@settings(max_examples=25, deadline=None)
def test_a_volume_form_is_a_real_root_of_the_modulus(entries, mixed):
    chart = Chart([x, y], ranges={"x": (0, 1), "y": (0, 3)})
    metric = Metric(chart, [[entries[0], mixed], [mixed, entries[1]]])
    for place in ((Rational(1, 7), Rational(5, 2)), (Rational(4, 5), Rational(1, 3))):
        at = dict(zip((x, y), place, strict=True))
        density, determinant = (sympy.N(e.subs(at), 40) for e in (metric.volume_form, metric.determinant))
        assert density.is_real
        assert density >= 0
        assert abs(density**2 - abs(determinant)) < 1e-30


@given(kink=rationals, slope=st.sampled_from([Rational(1, 2), 1, 3]), gap=widths)
@settings(max_examples=15, deadline=None)
def test_curvature_beyond_a_kink_is_seen_from_its_side(kink, slope, gap):
    """dr² + exp(2 s (|r − k| + r − k)) dθ²: flat for r < k, R = −8 s² beyond."""
    r = sympy.Symbol("r", real=True)
    bend = exp(2 * slope * (Abs(r - kink) + r - kink))

    def on(low, high):
        return Metric(Chart([r, "theta"], ranges={"r": (low, high)}), [[1, 0], [0, bend]])

    assert on(kink, oo).scalar == -8 * slope**2
    assert on(-oo, kink).is_flat
    assert not on(kink - gap, kink + gap).is_flat
    assert on(kink - gap, kink + gap).einstein_constant is None


f = sympy.Function("f")(x)
HOSTILE = [  # an expression, its ranges, whether it is zero
    (Abs(f) - f, {}, False),
    (sqrt(f**2) - f, {}, False),
    (Abs(x - Rational(1, 10**9)) - (x - Rational(1, 10**9)), {x: (0, 1)}, False),
    (Abs((x - 2) * (x - Rational(2001, 1000))) - (x - 2) * (x - Rational(2001, 1000)), {}, False),
    (Abs(x + 10**8) - (x + 10**8), {}, False),
    *((Abs(u - c) + u - c, {}, False) for u, c in [
        (x, 10**15), (x, 10**40), (log(x), 60), (-log(Abs(x)), 30), (1 / x, 10**13), (x * y, 10**20), (tan(x), 1000),
        (tan(x) * y, 10**6), (1 / sin(x), 10**5), (1 / (x**2 - 2), 10**7), (1 / cos(3 * x) ** 2, 10**7)]),
    ((x**2) ** Rational(1, 3) - x ** Rational(2, 3), {}, False),
    ((x**2) ** Rational(1, 3) - x ** Rational(2, 3), {x: (0, oo)}, True),
    (sympy.acosh(cosh(x)) - Abs(x), {}, True),
    (sympy.atanh(sympy.tanh(x)) - x, {}, True),
    (sqrt(1 - sin(x) ** 2) - Abs(cos(x)), {}, True),
    (Abs(x) ** y - x**y, {}, False),
    (Abs(x) ** y - x**y, {x: (0, oo)}, True),
    (Abs(sin(50 * x)) - sin(50 * x), {x: (0, pi / 50)}, True),
    (Abs(sin(50 * x)) - sin(50 * x), {x: (0, pi / 49)}, False),
    (Abs(x - y) + x - y, {y: (x, oo)}, True),
    (Abs(Abs(x) - 1) - 1 + Abs(x), {x: (-1, 1)}, True),
    (Abs(Abs(x) - 1) - 1 + Abs(x), {x: (-1, Rational(101, 100))}, False),
]


@pytest.mark.parametrize("expression, ranges, zero", HOSTILE, ids=str)
def test_scales_kinks_and_nests(expression, ranges, zero):
    assert is_zero(expression, ranges=ranges).zero is zero


def test_generators_that_depend_on_each_other_prove_nothing():
    """A root or a logarithm may be a combination of functions that are there already."""
    assert is_zero(log(cosh(x) + sinh(x)) - x)
    assert is_zero(sqrt(1 + sinh(x) ** 2) - cosh(x))
    assert is_zero(log(exp(x) * cosh(1)) - log(cosh(1)) - x)
    assert is_zero(sqrt(sin(x) ** 2 * (1 - cos(x) ** 2)) - sin(x) ** 2)


def test_a_flatness_verdict_names_the_kinks_that_it_passes_over():
    cone = Metric("x y", [["1", "0"], ["0", "(1 + abs(x - 3))^2"]])
    assert cone.is_flat
    assert "the zeros of x - 3" in cone.flatness.evidence
    assert "δ" in cone.ricci_flatness.evidence
    assert "δ" not in Metric(Chart("x y", ranges={"x": (3, oo)}), cone.matrix).flatness.evidence


@pytest.mark.parametrize("expression", [x / 10**6, 1 / (3 + x**2), cos(x) / 7 - y / (1 + exp(x))], ids=str)
def test_the_value_that_a_refutation_tells_is_that_of_the_expression(expression):
    found = is_zero(expression)
    told = float(found.evidence.removeprefix("it is ").partition(" at ")[0])
    assert told == pytest.approx(float(expression.subs(found.point)), rel=1e-3)
