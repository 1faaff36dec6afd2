"""Exact geometry, decided: what is Ricci-flat, what is Einstein, what satisfies the flow."""

import pytest
import sympy
from sympy import Function, Rational, cos, sin

from geomflow.symbolic import Chart, ComplexChart, KahlerMetric, Metric, catalogue, is_zero
from geomflow.symbolic.catalogue import TIME, bryant_equations, bryant_series
from geomflow.symbolic.flows import is_soliton, satisfies_kahler_ricci_flow, satisfies_ricci_flow


def test_kerr_is_ricci_flat_and_not_flat():
    kerr = catalogue.get("kerr").metric
    assert kerr.is_ricci_flat
    assert not kerr.is_flat
    assert kerr.ricci == sympy.zeros(4, 4)


def test_a_flaw_in_kerr_is_seen():
    kerr = catalogue.get("kerr").metric
    r = kerr.chart.symbols[1]
    flawed = kerr.matrix + sympy.diag(0, 0, sympy.Symbol("m", positive=True) / (10**6 * r), 0)
    assert not Metric(kerr.chart, flawed).is_ricci_flat


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_fubini_study_is_einstein_with_constant_n_plus_1(n):
    metric = catalogue.get("fubini-study", dim=n).metric
    assert metric.einstein_constant == n + 1
    assert metric.scalar == 2 * n * (n + 1)
    assert metric.ricci - (n + 1) * metric.matrix == sympy.zeros(n, n) or is_zero(
        metric.ricci - (n + 1) * metric.matrix
    )


def test_the_projective_plane_as_a_real_metric_is_einstein():
    real = catalogue.get("fubini-study", dim=2).metric.realify()
    assert real.einstein_constant == 3
    assert real.scalar == 12
    assert real.kretschmann == 48


def test_eguchi_hanson_and_calabi_are_ricci_flat():
    eguchi_hanson = catalogue.get("eguchi-hanson").metric
    assert eguchi_hanson.is_ricci_flat
    assert eguchi_hanson.determinant == 1
    for n in (2, 3):
        assert catalogue.get("calabi", dim=n).metric.is_ricci_flat


def test_a_flaw_in_eguchi_hanson_is_seen():
    known = catalogue.get("eguchi-hanson").metric
    z, w = known.chart.symbols[0], known.chart.conjugates[0]
    flawed = KahlerMetric.from_potential(known.chart, known.potential + z * w / 10**6)
    assert not flawed.is_ricci_flat


def test_king_rosenau_and_the_cigar_satisfy_the_flow():
    for name in ("king-rosenau", "cigar"):
        entry = catalogue.get(name)
        moving = entry.flow()
        assert satisfies_ricci_flow(moving, TIME)
        assert not satisfies_ricci_flow(moving.scaled(2), TIME)


def test_the_cigar_is_a_steady_soliton():
    cigar = catalogue.get("cigar").metric
    potential = "-log(1 + x^2 + y^2)"
    assert is_soliton(cigar, cigar.gradient(potential))
    assert not is_soliton(cigar, cigar.gradient(potential), constant=1)
    slope = cigar.gradient(potential)
    speed = sum(cigar.matrix[i, i] * slope[i] ** 2 for i in range(2))
    assert is_zero(cigar.scalar + speed - 4)


def test_king_rosenau_has_area_minus_eight_pi_t():
    """∫∫ u dx dy = 4π ∫ sinh(−t)/(cosh x + cosh t) dx, and F = log(cosh((x−t)/2)/cosh((x+t)/2)) has that derivative."""
    entry = catalogue.get("king-rosenau")
    x = entry.metric.chart.symbols[0]
    primitive = sympy.log(sympy.cosh((x - TIME) / 2) / sympy.cosh((x + TIME) / 2))
    assert is_zero(primitive.diff(x) - entry.metric.matrix[0, 0])
    assert sympy.limit(primitive.subs(TIME, -1), x, sympy.oo) * 2 * 4 * sympy.pi == 8 * sympy.pi


def test_fubini_study_shrinks_at_half_speed_under_kahler_ricci_flow():
    metric = catalogue.get("fubini-study", dim=2).metric
    slow = KahlerMetric(metric.chart, (1 - 3 * TIME) * metric.matrix)
    assert satisfies_kahler_ricci_flow(slow, TIME)
    assert not satisfies_kahler_ricci_flow(slow, TIME, speed=2)


def test_calabis_ansatz_has_the_stated_scalar_curvature():
    """K = P(log|z|²): with y = P', F(y) = P'', r = n(n−1)/y − y^{1−n}(y^{n−1}F)'' and det g = y^{n−1} F e^{−ns}."""
    chart = ComplexChart("z1 z2")
    s = sympy.log(sum(z * w for z, w in zip(chart.symbols, chart.conjugates, strict=True)))
    metric = KahlerMetric.from_potential(chart, sympy.exp(s) + sympy.exp(2 * s) / 3)
    square = sympy.exp(s)
    y, f = square + 2 * square**2 / 3, square + 4 * square**2 / 3
    assert is_zero(metric.determinant - y * f / square**2, chart.all_symbols)


def test_static_spherical_metrics_solve_einsteins_equations_only_for_schwarzschild():
    h = Function("h")(sympy.Symbol("r", real=True))
    chart = Chart("t r theta phi")
    _, r, theta, _ = chart.symbols
    metric = Metric(chart, sympy.diag(-h, 1 / h, r**2, r**2 * sin(theta) ** 2))
    assert is_zero(metric.scalar + (r**2 * h).diff(r, 2) / r**2 - 2 / r**2, chart.symbols)
    assert is_zero(metric.ricci[2, 2] - 1 + (r * h).diff(r), chart.symbols)


def test_bryants_equations_are_those_of_a_steady_soliton():
    """Ric + ∇²f is a combination of the two residuals."""
    metric = catalogue.get("bryant", dim=3).metric
    r = metric.chart.symbols[0]
    w = metric.matrix[1, 1].args[0]
    f = Function("f")(r)
    first, second = bryant_equations(w, f.diff(r), r)
    soliton = metric.ricci + metric.hessian(f)
    assert is_zero(soliton[0, 0] - first / w, metric.chart.symbols)
    assert is_zero(soliton[1, 1] + second, metric.chart.symbols)


@pytest.mark.parametrize("n", [3, 4])
def test_bryants_series_conserves_scalar_curvature_plus_gradient(n):
    r = sympy.Symbol("r")
    a = sympy.Rational(-1, 7)
    w, slope = bryant_series(5, r, dim=n, shape=a)
    scalar = (n - 1) * ((n - 2) * (1 - w.diff(r) ** 2) - 2 * w * w.diff(r, 2))
    conserved = scalar + (slope**2 + 6 * n * (n - 1) * a) * w**2
    assert sympy.Poly(conserved, r).terms()[-1][0][0] >= 2 + 8


def test_general_left_invariant_einstein_condition_on_su2():
    entry = catalogue.get("su2")
    a, b, c = sorted(entry.known.rates, key=str)
    round_metric = Metric(entry.metric.chart, entry.metric.matrix.subs({b: a, c: a}))
    assert round_metric.einstein_constant == 2 / a
    assert not entry.metric.is_einstein()


def test_taub_nut_is_ricci_flat_through_the_left_invariant_forms():
    """Taub–NUT: 4 ds² = (r+m)/(r−m) dr² + (r²−m²)(σ₂² + σ₃²) + 4m²(r−m)/(r+m) σ₁²."""
    chart = Chart("r psi theta phi")
    r, psi, theta, _ = chart.symbols
    m = sympy.Symbol("m", positive=True)
    forms = sympy.Matrix([
        [0, 1, 0, cos(theta)],
        [0, 0, -sin(psi), cos(psi) * sin(theta)],
        [0, 0, cos(psi), sin(psi) * sin(theta)],
    ])  # fmt: skip
    weights = sympy.diag(4 * m**2 * (r - m) / (r + m), r**2 - m**2, r**2 - m**2)
    metric = Metric(chart, forms.T * weights * forms / 4 + sympy.diag((r + m) / (r - m) / 4, 0, 0, 0))
    assert metric.is_ricci_flat
    assert not metric.is_flat


def test_roots_as_parameters_of_nil():
    entry = catalogue.get("nil")
    a, b, c = sorted(entry.known.rates, key=str)
    unit = entry.flow().matrix.subs({a: 1, b: 1, c: 1})
    assert unit[2, 2] == (1 + 12 * TIME) ** Rational(-1, 3)


def test_kasner_is_ricci_flat_exactly_under_kasners_conditions():
    """−dt² + Σ t^{2p_i} dx_i² with Σp = Σp² = 1; a one-parameter family satisfies both."""
    chart = Chart("t x y z", ranges={"t": (0, sympy.oo)})
    t = chart.symbols[0]
    u = sympy.Symbol("u", positive=True)
    scale = 1 + u + u**2
    powers = [-u / scale, (1 + u) / scale, u * (1 + u) / scale]
    assert Metric(chart, sympy.diag(-1, *[t ** (2 * p) for p in powers])).is_ricci_flat
    p, q, s = sympy.symbols("p q s", real=True)
    general = Metric(chart, sympy.diag(-1, t ** (2 * p), t ** (2 * q), t ** (2 * s)))
    assert is_zero(general.ricci[0, 0] * t**2 - (p + q + s - p**2 - q**2 - s**2))
    assert is_zero(general.ricci[1, 1] * t**2 - t ** (2 * p) * p * (p + q + s - 1))
