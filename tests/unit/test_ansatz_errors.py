"""What cannot be an ansatz, a domain or a flow of one is said, with where it is wrong and what to change."""

import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import ExpressionError, InputError, UnknownNameError

TORUS = gf.Chart("x y", periods={"x": 1, "y": 1})
SOLID = gf.Chart("x y z", periods=dict.fromkeys("xyz", 1))
LINE = gf.Chart("x y", ranges={"x": (0, 1)})
CIRCLE = gf.Circle(1)


def surface():
    """χ² dx² + ψ² dθ² without a domain."""
    return gf.Metric("x theta", [["chi(x)^2", "0"], ["0", "psi(x)^2"]], functions="chi psi")


def of(rows, functions="u", chart=TORUS, **options):
    """An ansatz of a metric in components."""
    return gf.Ansatz(gf.Metric(chart, rows, functions=functions), **options)


def around():
    """The surface on a circle."""
    return gf.Ansatz(surface(), domain=CIRCLE)


U = [["u(x)", 0], [0, 1]]
SLOPE = sympy.Function("u")(sympy.Symbol("x")).diff()
ANSAETZE = {
    "a name that the metric does not hold": (
        lambda: gf.Ansatz(surface(), unknowns="chi phi", domain=CIRCLE), UnknownNameError, "did you mean 'psi'"),
    "a coordinate as unknown": (
        lambda: gf.Ansatz(surface(), unknowns="x", domain=CIRCLE), UnknownNameError, "choose one of: chi, psi"),
    "unknowns that are no names": (
        lambda: gf.Ansatz(surface(), unknowns=5, domain=CIRCLE), InputError, "unknowns are names"),
    "an unknown twice": (
        lambda: gf.Ansatz(surface(), unknowns="chi chi", domain=CIRCLE), InputError, "twice"),
    "no unknown": (lambda: of([[1, 0], [0, 1]], ""), InputError, "holds no unknown: write functions"),
    "an unknown that drops out": (
        lambda: of([["u(x) - u(x) + 1", 0], [0, 1]], unknowns="u"), InputError, "holds no unknown"),
    "no metric": (lambda: gf.Ansatz([[1]]), InputError, "made of a Metric"),
    "a derivative": (lambda: of([[1 + SLOPE**2, 0], [0, 1]]), InputError, "hold a derivative of 'u'"),
    "two arguments": (lambda: of([["u(x)", 0], [0, "u(y)"]]), InputError, "call each by a name of its own"),
    "an argument that is no coordinate": (lambda: of([["u(2*x)", 0], [0, 1]]), InputError, "other things than coord"),
    "three coordinates": (
        lambda: of([["u(x,y,z)", 0, 0], [0, 1, 0], [0, 0, 1]], chart=SOLID), InputError, "3 coordinates, .* up to 2"),
    "an unknown called as a curvature": (lambda: of([["R(x)", 0], [0, 1]], "R"), InputError, "'R' .* a curvature"),
    "an unknown called as the time": (lambda: of([["t(x)", 0], [0, 1]], "t"), InputError, "'t' .* the time"),
    "a coordinate called as the time": (
        lambda: gf.Ansatz(gf.Metric("t y", [["u(t)", 0], [0, 1]], functions="u"), domain=CIRCLE), InputError,
        "coordinate of unknowns 't' .* the time"),
}  # fmt: skip
DOMAINS = {
    "none": (lambda: gf.Ansatz(surface()), InputError, "nothing says where it lies"),
    "two for one coordinate": (
        lambda: gf.Ansatz(surface(), domain=[CIRCLE, CIRCLE]), InputError, r"1 coordinate \(x\), and 2 domains"),
    "one for none": (
        lambda: gf.Ansatz(gf.catalogue.get("su2").metric, domain=CIRCLE), InputError, "no coordinate, and 1 domain"),
    "of another coordinate": (
        lambda: gf.Ansatz(surface(), domain={"theta": CIRCLE}), UnknownNameError, "choose one of: x"),
    "no domain at all": (lambda: gf.Ansatz(surface(), domain=7), InputError, "is a Circle, an Interval or a Span"),
    "text": (lambda: gf.Ansatz(surface(), domain="circle"), InputError, "is a Circle, an Interval or a Span"),
    "a circle without a period": (
        lambda: gf.Ansatz(surface(), domain=gf.Circle()), InputError, "has no period: give it"),
    "another period": (lambda: of(U, domain=gf.Circle(2)), InputError, "the period 1, and the circle 2"),
    "a circle longer than the range": (
        lambda: of(U, chart=LINE, domain=gf.Circle(2)), InputError, r"lies in \(0, 1\), and the domain is a circle"),
    "an interval on a period": (lambda: of(U, domain=gf.Interval(0, 1)), InputError, "the period 1, and the domain"),
    "another range": (
        lambda: of(U, chart=LINE, domain=gf.Interval(0, 2, "mirror")), InputError, "make them agree"),
    "an end where nothing of that name closes": (
        lambda: gf.Ansatz(surface(), domain=gf.Interval(0, 1, "pole:phi")), UnknownNameError, "did you mean 'psi'"),
    "a mirror that closes": (lambda: gf.Interval(0, 1, "mirror:psi"), InputError, "nothing closes at a mirror"),
    "another kind of end": (lambda: gf.Interval(0, 1, "poles"), UnknownNameError, "did you mean 'pole'"),
    "three ends": (lambda: gf.Interval(0, 1, ["pole"] * 3), InputError, "two ends"),
    "an end that is no text": (lambda: gf.Interval(0, 1, 5), InputError, "two ends"),
    "a reversed interval": (lambda: gf.Interval(1, 0), InputError, "from a number to a larger one"),
    "an endless interval": (lambda: gf.Interval(0, "oo"), InputError, "goes to infinity at its last end"),
    "an interval of unknown length": (lambda: gf.Interval(0, "L"), InputError, "from a number to a larger one"),
    "a negative period": (lambda: gf.Circle(-1), InputError, "positive, and -1"),
    "a period that is no number": (lambda: gf.Circle([1]), ExpressionError, "cannot read"),
}  # fmt: skip
FLOWS = {
    "an off-diagonal component": (
        lambda: of([["u(x)", 0], [0, "v(x)"]], "u v").reduce("-2*Ric + sym(d(x)*d(y))"), InputError,
        "leaves the ansatz: .* the component g_xy"),
    "a component without an unknown": (
        lambda: of([["u(x)", 0, 0], [0, "v(x)", 0], [0, 0, 1]], "u v", SOLID).reduce("-R*g"), InputError,
        "the component g_zz"),
    "a foreign coordinate": (
        lambda: of([["u(x)", 0], [0, "v(x)"]], "u v").reduce("cos(2*pi*y)*g"), InputError,
        r"the rate of u\(x\) depends on y too"),
    "unknowns that are one": (
        lambda: of([["u(x)*v(x)", 0], [0, 1]], "u v").reduce("-2*Ric"), InputError, "only as others do"),
    "a rate that is not symmetric": (lambda: around().reduce("d(x)*d(theta)"), ExpressionError, r"write sym\(...\)"),
    "a rate of another type": (lambda: around().reduce("R"), ExpressionError, "2 lower indices, and 'R' is a scalar"),
    "a word that is none": (lambda: around().reduce("-2*Rici"), ExpressionError, "did you mean 'Ric'"),
    "a flow of Kähler metrics": (
        lambda: around().reduce(gf.CalabiFlow()), InputError, "nothing says that this one is Kähler"),
    "a flow of several fields": (
        lambda: around().reduce(gf.Flow.from_expression({"g": "-2*Ric", "f": "laplacian(f)"})), InputError,
        "one of g, f: give the rate of g alone"),
    "a class": (lambda: around().reduce(gf.RicciFlow), InputError, r"such as RicciFlow\(\)"),
    "a number": (lambda: around().reduce(7), InputError, "and 7 was given"),
    "a parameter called as an unknown": (
        lambda: gf.catalogue.ansatz("nil").reduce(gf.Flow.from_expression("-2*A*Ric", A=1)), InputError,
        "a parameter or a definition 'A'"),
    "a tensor for a function": (lambda: around().scalar("Ric"), ExpressionError, "'Ric' is a tensor"),
    "a function with a mean": (lambda: around().scalar("R - mean(R)"), ExpressionError, "leave mean, integral"),
    "a function that varies along orbits": (lambda: around().scalar("sin(theta)"), InputError, "more coordinates"),
    "an unknown that is none": (lambda: around().unknown("phi"), UnknownNameError, "did you mean 'psi'"),
    "a rate that is none": (lambda: around().reduce("-2*Ric")["phi"], UnknownNameError, "did you mean 'psi'"),
    "an infinite orbit": (
        lambda: gf.Ansatz(gf.Metric("x y", [["u(x)", 0], [0, "exp(y)*u(x)"]], functions="u"), domain=CIRCLE).measure,
        InputError, "infinite along y: give the chart a range or a period"),
    "a volume density that does not split": (
        lambda: of([["u(x) + 2 + sin(2*pi*y)", 0], [0, 1]]).measure, InputError, "there is no volume of orbits"),
}  # fmt: skip
ENTRIES = {
    "a name": (lambda: gf.catalogue.ansatz("spere"), UnknownNameError, "did you mean 'sphere'"),
    "a number": (lambda: gf.catalogue.ansatz(7), UnknownNameError, "unknown ansatz '7'"),
    "a parameter": (lambda: gf.catalogue.ansatz("sphere", m=2), UnknownNameError, "choose one of: ends, n"),
    "a parameter of none": (lambda: gf.catalogue.ansatz("nil", n=2), InputError, "takes no parameters"),
    "a dimension": (lambda: gf.catalogue.ansatz("sphere", n=0), InputError, "whole number >= 1"),
    "a dimension in text": (lambda: gf.catalogue.ansatz("join", p="2"), InputError, "whole number >= 1"),
    "no Bianchi type": (lambda: gf.catalogue.ansatz("bianchi"), InputError, "needs its parameter 'type'"),
    "another Bianchi type": (lambda: gf.catalogue.ansatz("bianchi", type="X"), UnknownNameError, "Bianchi type 'X'"),
    "an h of another type": (lambda: gf.catalogue.ansatz("bianchi", type="VI", h=1), InputError, "VI takes h <= 0"),
    "no factors": (lambda: gf.catalogue.ansatz("product", spheres=()), InputError, "1 to 8 factors"),
    "one sphere as a number": (lambda: gf.catalogue.ansatz("product", spheres=2), InputError, r"such as \(2, 2\)"),
}  # fmt: skip


@pytest.mark.parametrize("make, kind, message", [
    pytest.param(*case, id=f"{what}: {name}") for what, table in
    {"ansatz": ANSAETZE, "domain": DOMAINS, "flow": FLOWS, "catalogue": ENTRIES}.items() for name, case in table.items()
])  # fmt: skip
def test_what_is_wrong_is_said(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def test_half_a_circle_between_mirrors_is_a_domain():
    assert str(of(U, domain=gf.Interval(0, "1/2", "mirror")).domain["x"]).endswith("mirror and mirror")


def test_a_circle_of_the_length_of_the_range_is_a_domain():
    assert of(U, chart=LINE, domain=CIRCLE).domain["x"].period == 1
