"""Kähler ansätze: Calabi's equations come out of the exact geometry, of potentials and in the momentum, decided."""

import pickle

import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import InputError, ShapeError
from geomflow.symbolic import is_zero
from geomflow.symbolic.ansatz.written import read_ansatz, written

y, a, b, r = (sympy.Symbol(name, positive=True) for name in ("y", "a", "b", "r"))
F = sympy.Function("F", positive=True)(y)
CASES = [(2, 1), (2, 3), (3, 1), (3, 2)]


def same(found, wanted):
    """Whether two expressions agree, decided; symbols are those of their names."""
    names = {"a": a, "b": b, "y": y}
    left, right = (e.xreplace({s: names.get(s.name, s) for s in e.free_symbols}) for e in (found, wanted))
    return is_zero(left - right).decided()


def scalar(n):
    """r = n(n−1)/y − y^{1−n}(y^{n−1}F)'' (Hwang, Singer 2002)."""
    return n * (n - 1) / y - y ** (1 - n) * (y ** (n - 1) * F).diff(y, 2)


def kahler_ricci(n):
    return F * F.diff(y, 2) - F.diff(y) ** 2 + n * F.diff(y) - (n - 1) * F**2 / y**2


def potential(n):
    """P(log|z|²) on C^n."""
    z = "zwv"[:n]
    square = " + ".join(f"{c}*conj({c})" for c in z)
    return gf.Ansatz(gf.KahlerMetric.from_potential(gf.ComplexChart(" ".join(z)), f"P(log({square}))", functions="P"))


@pytest.mark.parametrize(("n", "k"), CASES)
def test_kahler_ricci_flow_is_calabis_momentum_equation_with_ends_that_move_with_the_class(n, k):
    found = gf.catalogue.ansatz("momentum", n=n, k=k).reduce(gf.KahlerRicciFlow())
    assert same(found["F"], kahler_ricci(n))
    assert (found["a"], found["b"]) == (-(n - k), -(n + k))


@pytest.mark.parametrize(("n", "k"), CASES)
def test_calabi_flow_is_f_squared_times_the_second_derivative_of_curvature(n, k):
    found = gf.catalogue.ansatz("momentum", n=n, k=k).reduce(gf.CalabiFlow())
    assert same(found["F"], 2 * F**2 * scalar(n).diff(y, 2))
    assert (found["a"], found["b"]) == (0, 0)


@pytest.mark.parametrize("n", [2, 3])
def test_a_multiple_of_the_metric_scales_the_momentum(n):
    found = gf.catalogue.ansatz("momentum", n=n).reduce("-Ric + g")
    assert same(found["F"], kahler_ricci(n) + F - y * F.diff(y))
    assert same(found["a"], a - (n - 1))
    assert same(found["b"], b - (n + 1))


@pytest.mark.parametrize("n", [2, 3])
def test_curvature_in_the_momentum_is_that_of_the_potential(n):
    A = gf.catalogue.ansatz("momentum", n=n)
    assert same(A.scalar("R"), 2 * scalar(n))


def test_hamiltons_flow_is_twice_as_fast():
    A = gf.catalogue.ansatz("momentum")
    slow, fast = A.reduce(gf.KahlerRicciFlow()), A.reduce(gf.RicciFlow())
    assert all(same(2 * slow[name], fast[name]) for name in "Fab")


@pytest.mark.parametrize("n", [2, 3])
def test_a_potential_with_a_profile_gives_the_same_equations(n):
    P = potential(n)
    for flow in (gf.KahlerRicciFlow(), gf.CalabiFlow()):
        assert same(P.momentum(flow)["F"], gf.catalogue.ansatz("momentum", n=n).reduce(flow)["F"])


def test_the_rate_of_a_potential_is_the_logarithm_of_the_volume():
    s = sympy.Symbol("s", real=True)
    P = sympy.Function("P", real=True)(s)
    found = potential(3).reduce(gf.KahlerRicciFlow())["P"]
    assert is_zero(found.diff(s) - (2 * P.diff(s, 2) / P.diff(s) + P.diff(s, 3) / P.diff(s, 2) - 3)).decided()


def test_the_metric_of_fubini_and_study_is_einstein_on_the_ball():
    A = gf.catalogue.ansatz("momentum-ball", n=2)
    profile = A.unknown("F").value
    (y,) = profile.args
    study = y * (b - y) / b
    found = A.reduce(gf.KahlerRicciFlow())
    moved = found["F"].subs(profile, study).doit()
    assert is_zero(moved - study.diff(b) * -3).decided()
    assert found["b"] == -3
    assert is_zero(A.scalar("R").subs(profile, study).doit() - 12 / b).decided()


@pytest.mark.parametrize("n", [2, 3])
def test_ricci_flow_in_the_radius_of_orbits_has_the_round_sphere_that_shrinks(n):
    angles = [f"t{k}" for k in range(n)]
    chart = gf.Chart(["r", *angles], ranges={"r": (1, 2), **dict.fromkeys(angles[:-1], (0, sympy.pi))})
    (radius, *turns), time = chart.symbols, sympy.Symbol("time", positive=True)
    h = sympy.Function("h", positive=True)(radius)
    spheres = [radius**2 * sympy.Mul(*[sympy.sin(t) ** 2 for t in turns[:k]]) for k in range(n)]
    metric = gf.Metric(chart, sympy.diag(1 / h, *spheres))
    found = gf.Ansatz(metric, "h", gf.Interval(1, 2, "mirror")).reduce(gf.RicciFlow())["h"]
    size = 9 - 2 * n * time
    shrinking = 1 - radius**2 / size
    assert is_zero(found.subs(h, shrinking).doit() - shrinking.diff(time)).decided()


def test_ansaetze_with_a_form_are_kept_as_text_and_pickled():
    A = gf.catalogue.ansatz("momentum", n=2, k=3)
    assert read_ansatz(written(A)) == A
    assert pickle.loads(pickle.dumps(A)) == A
    assert A != gf.catalogue.ansatz("momentum", n=2, k=1)


def test_forms_that_are_none_are_refused():
    A = gf.catalogue.ansatz("momentum")
    metric, form = A.metric, sympy.Matrix(A.form)
    for wrong, error, told in [
        (form[:3, :3], ShapeError, "4 x 4 components"),
        (form + sympy.eye(4), InputError, "antisymmetric"),
        (metric.chart.symbols[3] * form, InputError, "not closed"),
        (2 * form, InputError, "not J² = −1"),
    ]:
        with pytest.raises(error, match=told):
            gf.Ansatz(metric, "F", gf.Span("a", "b"), form=wrong)


def test_spans_that_are_none_are_refused():
    for ends in [(1, "b"), ("a", "a"), ("a", 3), (0, 0), ("a + 1", "b")]:
        with pytest.raises(InputError, match="ends of a span are names"):
            gf.Span(*ends)
    metric = gf.catalogue.ansatz("momentum").metric
    with pytest.raises(InputError, match="is called as something of the metric"):
        gf.Ansatz(metric, "F", gf.Span("psi0", "b"))


def test_flows_that_leave_potentials_and_others_are_refused():
    with pytest.raises(InputError, match="reduces flows of Kähler potentials"):
        potential(2).reduce(gf.RicciFlow())
    chart = gf.ComplexChart("z w")
    lopsided = gf.KahlerMetric.from_potential(chart, "P(z*conj(z) + (w*conj(w))^2)", functions="P")
    with pytest.raises(InputError, match="leaves the ansatz"):
        gf.Ansatz(lopsided).reduce(gf.KahlerRicciFlow())
    with pytest.raises(InputError, match="one unknown function of one function"):
        gf.Ansatz(gf.KahlerMetric.from_potential(chart, "z*conj(z) + w*conj(w)"))
    with pytest.raises(InputError, match="density is prescribed on a torus"):
        gf.catalogue.ansatz("momentum").reduce(gf.KahlerRicciFlow(density="1"))


@pytest.mark.parametrize(("n", "k"), CASES)
def test_extremal_metrics_close_smoothly_and_have_affine_curvature(n, k):
    A = gf.catalogue.ansatz("momentum", n=n, k=k)
    found, value, (low, high) = A.extremal(), A.unknown("F").value, (A.domain["y"].a, A.domain["y"].b)
    (y,) = value.args
    assert is_zero(A.scalar("R").subs(value, found.profile).doit() - found.scalar).decided()
    assert is_zero([found.scalar.diff(y, 2), found.profile.subs(y, low), found.profile.subs(y, high),
                    found.profile.diff(y).subs(y, low) - k, found.profile.diff(y).subs(y, high) + k]).decided()


@pytest.mark.parametrize(("b", "scalar"), [(2, (6, 24, 13)), (3, (9, 6, 11)), (5, (33, 6, 46))])
def test_extremal_metrics_of_the_blow_up_are_calabis(b, scalar):
    shift, slope, below = scalar
    found = gf.catalogue.ansatz("momentum").extremal().of(a=1, b=b).scalar
    y = next(iter(found.free_symbols))
    assert sympy.expand(found / 2 - sympy.Rational(shift, below) - sympy.Rational(slope, below) * y) == 0


def test_futaki_vanishes_on_projective_space_and_not_on_the_blow_up():
    assert gf.catalogue.ansatz("momentum-ball", n=3).extremal().futaki == 0
    found = gf.catalogue.ansatz("momentum").extremal().of(a=1, b=3).futaki
    moments = [sympy.Rational(3 ** (k + 2) - 1, k + 2) for k in range(3)]
    spread = moments[2] - moments[1] ** 2 / moments[0]
    assert sympy.simplify(found - 4 * sympy.pi**2 * sympy.Rational(12, 11) * spread) == 0


def test_extremal_metrics_of_what_is_on_no_span_are_refused():
    with pytest.raises(InputError, match="on a Span"):
        gf.catalogue.ansatz("sphere").extremal()
