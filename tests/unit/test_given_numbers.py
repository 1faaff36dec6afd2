"""Single numbers, parameters, events, times and masked arrays: right, or refused with what to change."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow.core.content import content
from geomflow.core.errors import GeomflowError, InputError, UnknownNameError
from geomflow.core.numbers import exact_number, finite_number, real_number, require_unmasked
from geomflow.flow import CurvatureBlowUp, Event, FixedStep, PositivityLoss, SteadyState
from geomflow.flow.plan import stop_times

LINE = gf.Torus(dim=1).grid(16)
DECAY = gf.Flow.from_expression("-u")


def run(event=(), t1=0.3, scale=1.0, **options):
    return gf.solve(DECAY, LINE.scalar(scale), t1, events=event, **options)


@pytest.mark.parametrize(("given", "exact"), [
    (np.float32(0.5), Fraction(1, 2)), (np.int64(3), 3), (sympy.Rational(1, 3), Fraction(1, 3)),
    (Fraction(1, 3), Fraction(1, 3)), (Decimal("0.1"), Fraction(1, 10)), (sympy.pi, Fraction(math.pi)),
    (np.array(0.25), Fraction(1, 4)), (np.longdouble(0.5), Fraction(1, 2)), (0.1, Fraction(0.1)),
    (sympy.sqrt(2), Fraction(math.sqrt(2))), (np.ma.array([2.0]), 2), (1e-320, Fraction(1e-320)),
    (sympy.Float(0), 0),
])
def test_numbers_are_what_they_are(given, exact):
    assert exact_number(given, "k") == exact
    assert type(exact_number(given, "k").numerator) is int
    flow = gf.Flow.from_expression("k*u", k=given)
    assert flow.on(LINE.scalar(1)).facts["parameters"] == {"k": float(exact)}
    assert content(flow) == content(gf.Flow.from_expression("k*u", k=flow.parameters["k"]))


@pytest.mark.parametrize(("given", "message"), [
    ("1", "must be a real number"), (True, "must be a real number"), (np.True_, "must be a real number"),
    (1j, "must be a real number"), (np.complex128(1), "must be a real number"), (None, "must be a real number"),
    (np.zeros(3), r"an array of shape \(3,\)"), (sympy.Symbol("k"), "must be a real number"),
    pytest.param(10**400, "beyond double precision", id="400 digits"),
    pytest.param(10**5000, "beyond double precision", id="5000 digits"),
    (Decimal("1e400"), "beyond double precision"), (Decimal("1e-400"), "below double precision"),
    (sympy.exp(-1000), "below double precision"), (np.ma.masked, "1 of 1 values are masked"),
    (math.nan, "must be finite"), (-math.inf, "must be finite"), (sympy.oo, "must be finite"),
])
def test_what_is_no_number_is_refused(given, message):
    for read in (finite_number, exact_number, lambda value, what: gf.Flow.from_expression("k*u", k=value)):
        with pytest.raises(InputError, match=message):
            read(given, "k")
    assert real_number(math.inf, "k") == math.inf


@pytest.mark.parametrize(("rate", "parameters", "message"), [
    ("-u", {"kapa": 3}, "'kapa' does not occur in the rate '-u'"),
    ("kappa*u", {"kappa": 1, "kapa": 3}, "'kapa' does not occur .*did you mean 'kappa'"),
    ("u*u", {"u": 3}, "'u' is the unknown"), ("u*x", {"x": 3}, "'x' is a coordinate"),
    ("d*u", {"d": 3}, "'d' is an operator"), ("t*u", {"t": 3}, "'t' is the time"),
    ({"g": "-g"}, {"g": 3}, "'g' is the unknown"), (-sympy.Symbol("u"), {"k": 3}, "'k' does not occur"),
    ({"g": "-g", "h": "k*h"}, {"k": 1, "l": 2}, "'l' does not occur in the rate '-g', 'k\\*h'"),
])
def test_parameters_are_used_and_have_names_of_their_own(rate, parameters, message):
    with pytest.raises(InputError, match=message):
        gf.Flow.from_expression(rate, **parameters)


def test_names_of_the_torus_are_reserved_there():
    flow = gf.Flow.from_expression("y*u", y=2)
    flow.on(LINE.scalar(1))
    with pytest.raises(InputError, match="'y' is a coordinate"):
        flow.on(gf.Torus(dim=2).grid(16).scalar(1))


def test_a_mistyped_parameter_is_named_when_the_rate_is_read():
    with pytest.raises(InputError, match="'kappa'; did you mean 'kapa'"):
        gf.Flow.from_expression("kappa*u", kapa=3).on(LINE.scalar(1))
    for name in ("µ", "ϕ"):
        gf.Flow.from_expression("µ*ϕ*u", **{"µ": 1, "ϕ": 2, name: 3}).on(LINE.scalar(1))


@pytest.mark.parametrize(("parameters", "error", "message"), [
    ({"tua": 1}, UnknownNameError, "'tua'; did you mean 'tau'"), ({}, InputError, "needs a number for 'tau'"),
    ({"tau": "1"}, InputError, r"'tau' of perelman-w\S* must be a real number"),
])
def test_parameters_of_functionals(parameters, error, message):
    plane = gf.Torus(dim=2)
    functional, state = gf.functionals.PerelmanW(plane), plane.grid(16).metric()
    with pytest.raises(error, match=message):
        functional(state, parameters=parameters)
    with pytest.raises(error, match=message):
        gf.Descent(functional.gradient_flow(), parameters=parameters, forced=True).on(state)


@pytest.mark.parametrize("scale", [1.0, 1e-310, 1e-200, 1e200, 1e307])
def test_events_of_any_size(scale):
    assert run(Event("late", lambda t, s: scale * (0.1 - t)), rtol=1e-3).times[-1] == pytest.approx(0.1, abs=1e-8)
    assert run(Event("never", lambda t, s: scale * (0.1 + t)), rtol=1e-3).times[-1] == 0.3


def test_events_of_states_below_normal_numbers():
    sol = run(Event("half", lambda t, s: s.max() - 0.5e-310), t1=1.0, scale=1e-310)
    assert sol.times[-1] == pytest.approx(math.log(2), abs=1e-5)


@pytest.mark.parametrize("event", [
    lambda t, s: t > 0.1, lambda t, s: np.bool_(t < 0.1), lambda t, s: math.inf if t < 0.1 else -math.inf,
    lambda t, s: math.inf if t < 0.1 else -1e-300, lambda t, s: int(t < 0.1), lambda t, s: max(0.1 - t, 0.0),
    lambda t, s: min(t - 0.1, 0.0), lambda t, s: sympy.Float(0.1 - t),
])
def test_events_that_jump(event):
    assert run(Event("late", event)).times[-1] == pytest.approx(0.1, abs=1e-8)


@pytest.mark.parametrize(("event", "message"), [
    (lambda t, s: math.nan, "'odd' at t = 0 is NaN"), (lambda t, s: math.nan if t else 1.0, r"at t = 0\.\d+ is NaN"),
    (lambda t, s: None, "None is not"), (lambda t, s: s.values, "an array of shape"), (lambda t, s: 1j, "1j is not"),
    (lambda t, s: np.ma.masked, "masked"), (lambda t, s: 0.0, "still after a step"),
    (lambda t, s: int(t > 0.1), "give a truth value"),
])
def test_events_without_a_sign_are_refused(event, message):
    with pytest.raises(InputError, match=message):
        run(Event("odd", event))


def test_monitors_are_numbers():
    sol = run(monitors={"late": lambda t, s: t > 0.1, "mean": lambda t, s: np.float32(s.mean())})
    assert [sol["late"][0], sol["late"][-1], sol["mean"][0]] == [0, 1, 1]
    for wrong in (None, 1j, np.complex128(1), np.ma.masked, "1", 10**400):
        with pytest.raises(InputError, match="the monitor 'm' must return one number"):
            run(monitors={"m": lambda t, s, wrong=wrong: wrong})


@pytest.mark.parametrize(("make", "message"), [
    (lambda: SteadyState(math.nan), "must be positive"), (lambda: PositivityLoss(math.nan), "must be finite"),
    (lambda: CurvatureBlowUp(True), "real number"), (lambda: FixedStep("0.1"), "real number"),
    (lambda: run(rtol=math.nan), "rtol = nan"), (lambda: run(t1=True), "t1 must be a real number"),
    (lambda: run(t1=10**400), "t1 is beyond"), (lambda: run(t1=10**5000), "t1 is beyond"),
    (lambda: run(save_at=[0.1, 10**5000]), "beyond double precision"),
    (lambda: run(t0=-1e308, t1=1e308), "time between them"),
    (lambda: gf.Torus(dim=1, periods=10**400), "period 0 is beyond"),
    (lambda: run(save_at=10**5000), "that many save times would take .* EB"),
    (lambda: run(save_at=np.ma.array([0.1, 0.2], mask=[0, 1])), "save_at: 1 of 2 values are masked"),
])
def test_settings_that_are_no_numbers(make, message):
    with pytest.raises(GeomflowError, match=message):
        make()


def test_settings_may_be_any_numbers():
    sol = run(t1=Decimal("0.3"), t0=np.float32(0), rtol=sympy.Rational(1, 1000), atol=Fraction(1, 10**6),
              save_at=[Decimal("0.1"), Fraction(1, 5)], control=None)
    assert sol.times.tolist() == [0, 0.1, 0.2, 0.3]
    assert CurvatureBlowUp(sympy.pi).threshold == math.pi
    assert FixedStep(Decimal("0.1")).dt == 0.1


HALVES = (np.float32(0.5), np.array(0.5), Fraction(1, 2), Decimal("0.5"), sympy.Rational(1, 2))


@pytest.mark.parametrize("half", HALVES, ids=lambda half: type(half).__name__)
def test_settings_of_kernels_networks_and_optimisers(half):
    assert gf.GaussianKernel(half) == gf.GaussianKernel(0.5)
    assert gf.NetworkKernel(weight_std=half, bias_std=half) == gf.NetworkKernel(weight_std=0.5, bias_std=0.5)
    assert gf.tangent.Adam(half, first=half) == gf.tangent.Adam(0.5, first=0.5)
    assert type(gf.tangent.Adam(half).rate) is float
    assert gf.networks.Perceptron(1, (2,), weight_std=half).weight_std == 0.5


@pytest.mark.parametrize("make", [
    gf.GaussianKernel, lambda value: gf.NetworkKernel(weight_std=value), gf.tangent.SGD,
    lambda value: gf.networks.Perceptron(1, (2,), bias_std=value), lambda value: gf.Torus(dim=1, periods=[value]),
])
def test_what_these_refuse(make):
    for wrong in (True, "1", 1j, np.complex128(1), None, math.nan, 10**400, np.ma.masked, Decimal("1e-400")):
        with pytest.raises(InputError):
            make(wrong)


@pytest.mark.parametrize(("save_at", "t0", "t1", "times"), [
    ([0.1, 0.2, 0.1 + 0.2], 0, 0.3, (0.1, 0.2, 0.3)), ([0.1, np.nextafter(0.3, 0)], 0, 0.3, (0.1, 0.3)),
    ([0.1, 0.3, np.nextafter(0.3, 1)], 0, 0.3, (0.1, 0.3)), ([0.3, 0.5], 0.1 + 0.2, 0.5, (0.5,)),
    ([1e-20, 1e-9], 0, 1, (1e-20, 1e-9, 1)), (np.linspace(-1, 1, 11)[:6] + 1e-16, -1, 0, (-0.8, -0.6, -0.4, -0.2, 0)),
    ([-1e-17, 0.5], 0, 1, (0.5, 1)),
])
def test_times_that_miss_the_ends_by_rounding(save_at, t0, t1, times):
    assert stop_times(t0, t1, save_at) == pytest.approx(times, rel=1e-15)


@pytest.mark.parametrize("save_at", [[0.1, 0.3000001], [-1e-9, 0.1], [0.1, 0.3 + 1e-13]])
def test_times_that_miss_them_by_more(save_at):
    with pytest.raises(InputError, match="is outside of the run"):
        stop_times(0, 0.3, save_at)


@pytest.mark.parametrize("t1", [1e-320, 5e-324, 1e-310, 1e-300])
def test_the_shortest_runs(t1):
    sol = run(t1=t1)
    assert sol.times.tolist() == [0, t1]
    assert sol.outcome.kind == "finished"


def _masked(*shape):
    return np.ma.array(np.ones(shape), mask=np.arange(math.prod(shape)).reshape(shape) == 1)


PLANE, COMPLEX = gf.Torus(dim=2).grid(16), gf.ComplexTorus(dim=1).grid(16)


@pytest.mark.parametrize("enter", [
    lambda: LINE.scalar(_masked(16)), lambda: LINE.scalar([1.0] * 15 + [np.ma.masked]),
    lambda: LINE.scalar(lambda x: np.ma.masked_greater(np.cos(2 * np.pi * x), 0.5)),
    lambda: LINE.scalar(1).unpack(_masked(1, 16)), lambda: type(LINE.scalar(1))(LINE, _masked(16)),
    lambda: PLANE.metric([[_masked(16, 16), 0], [0, 1]]), lambda: PLANE.metric(_masked(2, 2)),
    lambda: PLANE.metric(lambda x, y: [[np.ma.masked_greater(1 + np.cos(2 * np.pi * x) / 9, 1), 0 * y], [0 * x, 1]]),
    lambda: COMPLEX.potential(_masked(16, 16)), lambda: COMPLEX.potential("0", reference=_masked(1, 2)[:, 1:]),
    lambda: COMPLEX.potential("0", reference=[[_masked(16, 16)]]),
    lambda: gf.Torus(dim=2, periods=_masked(2)), lambda: gf.Torus(dim=2, lattice=_masked(2, 2)),
    lambda: gf.functionals.PerelmanF(PLANE.torus)(PLANE.metric(), measure=_masked(16, 16)),
    lambda: gf.GaussianKernel(0.1).matrix(_masked(5, 2)),
    lambda: gf.GaussianKernel(0.1).apply(np.zeros((5, 2)), None, _masked(5)),
    lambda: gf.GaussianKernel(0.1).on(LINE)(_masked(16)),
    lambda: gf.Fermat(3).points(_masked(4, 3)),
    lambda: gf.variety.distance(_masked(4, 3), np.ones((4, 3))),
])
def test_nothing_is_read_under_a_mask(enter):
    with pytest.raises(InputError, match="values are masked"):
        enter()


def test_a_mask_that_hides_nothing_is_no_mask():
    require_unmasked([np.ma.array([1.0]), [np.ma.array([2.0], mask=[False])]], "these")
    assert (LINE.scalar(np.ma.array(np.ones(16), mask=False)).values == 1).all()
