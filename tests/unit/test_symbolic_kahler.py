"""Kähler metrics: the convention table on examples, real forms, printing, and errors."""

import pytest
import sympy

from geomflow.core.errors import InputError, ShapeError, SymmetryError
from geomflow.symbolic import ComplexChart, KahlerMetric, Metric, catalogue

C1, C2 = ComplexChart("z"), ComplexChart("z1 z2")
SPHERE = KahlerMetric.from_potential(C1, "log(1 + abs(z)^2)")


def test_the_projective_line_is_the_sphere_of_radius_squared_one_half():
    z, w = SPHERE.chart.all_symbols
    assert SPHERE.matrix[0, 0] == 1 / (1 + z * w) ** 2
    assert SPHERE.scalar == 4
    assert SPHERE.riemann_squared == 16
    assert SPHERE.ricci == 2 * SPHERE.matrix
    real = SPHERE.realify()
    x, y = real.chart.symbols
    assert real.matrix == 2 / (1 + x**2 + y**2) ** 2 * sympy.eye(2)
    assert real.scalar == 4


def test_the_laplacians_differ_by_two():
    z, w = SPHERE.chart.all_symbols
    assert SPHERE.laplacian("abs(z)^2") == (1 + z * w) ** 2
    assert SPHERE.real_laplacian("abs(z)^2") == 2 * (1 + z * w) ** 2


def test_volume_density_and_flat_unit_metric():
    flat = KahlerMetric.from_potential(C2, "(abs(z1)^2 + abs(z2)^2)/2")
    assert flat.realify().matrix == sympy.eye(4)
    assert flat.volume_form == 1
    assert flat.holomorphic_volume == 1
    assert flat.density_ratio(kappa=sympy.Rational(1, 4)) == 1
    assert flat.is_ricci_flat


def test_positivity_is_stated():
    assert SPHERE.positivity is sympy.true
    ball = KahlerMetric.from_potential(C1, "-log(1 - abs(z)^2)")
    x, y = ball.chart.real_chart.symbols
    assert ball.positivity is sympy.true
    quartic = KahlerMetric.from_potential(C1, "abs(z)^2 - abs(z)^4/4")
    assert quartic.positivity.subs({x: 0, y: 0}) is sympy.true
    assert quartic.positivity.subs({x: 2, y: 0}) is sympy.false


def test_components_may_be_given_and_are_checked():
    again = KahlerMetric(C1, [["1/(1 + abs(z)^2)^2"]])
    assert again.scalar == 4
    with pytest.raises(ShapeError, match="2 x 2"):
        KahlerMetric(C2, [["1"]])
    with pytest.raises(SymmetryError, match="Hermitian"):
        KahlerMetric(C2, [["1", "z1"], ["z1", "1"]])
    with pytest.raises(InputError, match="closed"):
        KahlerMetric(C2, [["1 + abs(z2)^2", "0"], ["0", "1"]])


def test_bad_potentials_are_refused():
    with pytest.raises(SymmetryError, match="real"):
        KahlerMetric.from_potential(C1, "i*abs(z)^2")
    with pytest.raises(InputError, match="degenerate"):
        KahlerMetric.from_potential(C2, "abs(z1)^2")


def test_an_unknown_potential_works():
    z, w = C1.all_symbols
    u = sympy.Function("u")(z, w)
    metric = KahlerMetric.from_potential(C1, z * w / 2 + u)
    assert metric.matrix[0, 0] == u.diff(z, w) + sympy.Rational(1, 2)
    assert metric.scalar.subs(u, 0).doit() == 0


def test_pluriharmonic_terms_do_not_matter():
    assert KahlerMetric.from_potential(C1, "log(1 + abs(z)^2) + re(z^3)").matrix == SPHERE.matrix


def test_sentences_and_latex():
    assert str(SPHERE).startswith("the Kähler metric of the potential log(z*zb + 1)")
    assert r"\bar{z}" in SPHERE._repr_latex_()
    assert str(SPHERE.kahler_form) == "the (1, 1)-form i ((z*zb + 1)**(-2) dz ∧ dconj(z))"
    assert r"\wedge" in SPHERE.ricci_form._repr_latex_()


def test_sympy_writes_our_matrices_with_bars():
    metric = KahlerMetric.from_potential(ComplexChart("z1 z2"), "log(1 + abs(z1)^2 + abs(z2)^2)")
    for matrix in (metric.matrix, metric.inverse, metric.ricci):
        assert r"\bar{z}_{1}" in sympy.latex(matrix)
        assert "zb" not in sympy.latex(matrix)
    assert metric.matrix == sympy.ImmutableMatrix(metric.matrix.tolist())


def test_eguchi_hanson_is_flat_in_real_coordinates_too():
    real = catalogue.get("eguchi-hanson").metric.realify()
    assert isinstance(real, Metric)
    assert real.is_ricci_flat
    assert not real.is_flat
