"""Names that are taken, fresh names, one symbol a name, and complex parameters."""

import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import InputError, SymmetryError
from geomflow.symbolic import Chart, ComplexChart, KahlerMetric, Metric, catalogue
from geomflow.symbolic.flows import follows_rates, is_soliton, satisfies_ricci_flow
from geomflow.symbolic.given import fresh, identified
from geomflow.symbolic.jets import metric_names, metric_nodes

LINE = ComplexChart("z")


def test_fresh_names_count_up():
    assert [fresh("x", taken) for taken in ([], ["x"], ["x", "x_1"])] == ["x", "x_1", "x_2"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Metric(Chart("x y"), [["x", 0], [0, 1]], parameters="x"),
        lambda: Metric(Chart("x y"), [["x", 0], [0, 1]], parameters=[sympy.Symbol("x", positive=True)]),
        lambda: Metric("X", [[1]]).pullback(Chart("x"), ["2*x"], parameters="x"),
        lambda: Chart("x").expression("x", "x"),
        lambda: KahlerMetric.from_potential(LINE, "z*abs(z)^2", parameters="z"),
        lambda: KahlerMetric.from_potential(LINE, "abs(z)^2", parameters="zb"),
        lambda: KahlerMetric.from_potential(LINE, "abs(z)^2", parameters={"zb": "complex"}),
        lambda: ComplexChart("z", moduli="z"),
        lambda: catalogue.get("schwarzschild", mass=sympy.Symbol("r")),
        lambda: catalogue.get("kerr", spin=sympy.Symbol("theta")),
        lambda: catalogue.get("round-sphere", radius=sympy.Symbol("t")),
        lambda: catalogue.get("eguchi-hanson", size=sympy.Symbol("z1")),
        lambda: satisfies_ricci_flow(Metric("x y", sympy.eye(2)), sympy.Symbol("x")),
        lambda: gf.functionals.Functional.from_density(Chart("R theta"), "R^2"),
    ],
)
def test_a_parameter_is_no_coordinate(make):
    with pytest.raises(InputError, match="name"):
        make()


def test_one_name_is_one_symbol():
    m, positive = sympy.Symbol("m"), sympy.Symbol("m", positive=True)
    metric = Metric(Chart("x y"), [[m, 0], [0, positive]])
    assert metric.matrix == positive * sympy.eye(2)
    assert Metric("x y", [["1", 0], [0, "m"]], parameters=[positive]).laplacian(m * sympy.Symbol("y") ** 2) == 2
    sphere = catalogue.get("round-sphere").metric
    assert sphere.pullback(Chart("a b"), ["a/r0", "b"], "r0").matrix[0, 0] == 1
    with pytest.raises(InputError, match="contradict"):
        Metric(Chart("x y"), [[m, 0], [0, positive + sympy.Symbol("m", negative=True)]])
    with pytest.raises(InputError, match="dummy"):
        identified([sympy.Dummy("x") + 1], {"x": sympy.Symbol("x")})


def test_times_rates_and_constants_are_found_by_name():
    flow = catalogue.get("round-sphere").flow()
    assert satisfies_ricci_flow(flow, sympy.Symbol("t"))
    nil = catalogue.get("nil")
    a, b, c = sympy.symbols("A B C")
    assert follows_rates(nil.metric, {a: -4 * a**2 / (b * c), b: 4 * a / c, c: 4 * a / b})
    r0 = sympy.Symbol("r0")
    assert is_soliton(catalogue.get("round-sphere").metric, [0, 0], 1 / r0**2)


def test_names_of_components_are_different():
    names, matrix = metric_nodes(("x", "xx", "xxx"))
    assert names == metric_names(("x", "xx", "xxx")) == ("g_xx", "g_xxx", "g_xxxx", "g_xxxx_1", "g_xxxxx", "g_xxxxxx")
    assert len(set(matrix.ravel())) == 6


def test_an_argument_comes_once():
    x = sympy.Symbol("x")
    with pytest.raises(InputError, match="twice"):
        gf.compile(x**2, [x, sympy.Symbol("x", real=True)])


def test_geodesics_may_not_take_a_name():
    metric = Metric(Chart("r s"), [[1, 0], [0, "r^2"]])
    assert "r(s(" not in str(metric.geodesic_equations())
    with pytest.raises(InputError, match="already"):
        metric.geodesic_equations("r")


@pytest.mark.parametrize("t", [sympy.Symbol("t"), sympy.Symbol("t", complex=True)])
def test_a_complex_parameter_of_a_potential(t):
    metric = KahlerMetric.from_potential(LINE, sympy.log(1 + sympy.Abs(LINE.symbols[0] - t) ** 2))
    assert [s.name for s in metric.arguments] == ["z", "zb", "t", "tb"]
    assert gf.compile(metric)(0.5, 0.5, 1j, -1j)[0, 0] == pytest.approx(1 / (1 + 5 / 4) ** 2)
    assert r"\bar{t}" in metric._repr_latex_()
    assert metric.laplacian("abs(z - t)^2") == metric.laplacian(sympy.Abs(LINE.symbols[0] - t) ** 2)
    assert {s.name for s in metric.realify().matrix.free_symbols} == {"x", "y", "t_re", "t_im"}


def test_text_declares_complex_parameters():
    text = "log(1 + a*abs(z - t)^2) + re(t*z)"
    metric = KahlerMetric.from_potential("z", text, {"t": "complex", "a": "positive"})
    assert metric.matrix == KahlerMetric.from_potential(ComplexChart("z", moduli="t"), text, {"a": "positive"}).matrix
    assert metric.scalar == 4
    real = KahlerMetric.from_potential("z", text, "t a")
    assert [s.name for s in real.arguments] == ["z", "zb", "a", "t"]
    with pytest.raises(InputError, match="no assumption"):
        KahlerMetric.from_potential("z", "abs(z)^2*a", {"a": "nice"})


def test_a_symbol_that_says_nothing_is_real_unless_conjugated():
    z, zb = LINE.all_symbols
    a = sympy.Symbol("a")
    assert KahlerMetric.from_potential(LINE, a * z * zb).chart.moduli == ()
    with pytest.raises(SymmetryError):
        KahlerMetric.from_potential(LINE, sympy.Symbol("a", complex=True) * z * zb)
    assert KahlerMetric.from_potential(LINE, sympy.Symbol("a", imaginary=True) ** 2 * z * zb).is_ricci_flat


def test_matrices_with_complex_parameters():
    plane, t = ComplexChart("z1 z2"), sympy.Symbol("t", complex=True)
    metric = KahlerMetric(plane, [[2, t], [sympy.conjugate(t), 1]])
    assert str(metric.determinant) == "-t*tb + 2"
    assert str(metric.positivity) == "-t_im**2 - t_re**2 + 2 > 0"
    with pytest.raises(SymmetryError):
        KahlerMetric(plane, [[2, t], [t, 1]])


def test_conjugates_of_names_that_are_taken():
    t, tb = sympy.symbols("t tb", complex=True)
    z, zb = LINE.all_symbols
    metric = KahlerMetric.from_potential(LINE, "tb*log(1 + abs(z - t)^2)", {"t": "complex", "tb": "positive"})
    assert [bar.name for _, bar in metric.chart.moduli] == ["tb_1"]
    with pytest.raises(InputError, match="conjugate of 't'"):
        KahlerMetric.from_potential(LINE, z * zb + sympy.Abs(z**2 - t) ** 2 * sympy.Abs(z - tb) ** 2)


def test_a_parameter_is_real_or_complex_and_not_both():
    t, real = sympy.Symbol("t", complex=True), sympy.Symbol("t", real=True)
    z, zb = LINE.all_symbols
    both = "'t' is a real parameter in one place and a complex one in another"
    with pytest.raises(InputError, match=both):
        KahlerMetric.from_potential(LINE, real**2 * z * zb + sympy.Abs(z**2 - t) ** 2)
    with pytest.raises(InputError, match=both):
        KahlerMetric(ComplexChart("z1 z2"), [[1 + real**2, t], [sympy.conjugate(t), 1]])
    with pytest.raises(InputError, match=both):
        KahlerMetric.from_potential(LINE, sympy.Abs(z - t) ** 2 + sympy.Symbol("t", positive=True), {"t": "complex"})
    metric = KahlerMetric.from_potential(LINE, "log(1 + abs(z - t)^2)", {"t": "complex"})
    with pytest.raises(InputError, match=both):
        metric.laplacian(real * z * zb)
    assert metric.laplacian(sympy.Symbol("t") * z * zb) == metric.laplacian(t * z * zb)


def test_a_real_chart_forms_no_conjugates_of_complex_parameters():
    with pytest.raises(InputError, match="t_re"):
        Metric("x y", [[1 + sympy.Abs(sympy.Symbol("x") - sympy.Symbol("t", complex=True)) ** 2, 0], [0, 1]])


def test_charts_may_be_given_by_their_names():
    assert Metric("x y", [[1, 0], [0, "1 + x^2"]]).chart == Chart("x y")
    assert Metric(gf.Torus(2), sympy.eye(2)).chart == gf.Torus(2).chart
    for wrong in (LINE, 3, None, [[1, 0], [0, 1]]):
        with pytest.raises(InputError):
            Metric(wrong, [[1]])
    with pytest.raises(InputError, match="ComplexChart"):
        KahlerMetric.from_potential(Chart("x"), "x^2")
