"""What users give: text, sympy, callables, arrays; and what is said when it cannot be used."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import sympy

from geomflow.core.errors import (
    ExpressionError,
    GeomflowError,
    InputError,
    MemoryLimitError,
    NotFiniteError,
    PositivityError,
    ShapeError,
    SymmetryError,
    UnknownFunctionError,
    UnknownNameError,
)
from geomflow.field import ComplexTorus, Torus
from geomflow.field.potential import hessian_arrays
from geomflow.symbolic import KahlerMetric, Metric

GRID = Torus(2).grid(16)
CURVE = ComplexTorus(1).grid(32)
SURFACE = ComplexTorus(2).grid(6)
X, Y = Torus(2).symbols


def test_text_sympy_callable_and_array_agree():
    text = GRID.scalar("cos(2*pi*x)*sin(2*pi*y)^2 + 1/2").values
    by_sympy = GRID.scalar(sympy.cos(2 * sympy.pi * X) * sympy.sin(2 * sympy.pi * Y) ** 2 + sympy.Rational(1, 2)).values
    by_call = GRID.scalar(lambda x, y: np.cos(2 * np.pi * x) * np.sin(2 * np.pi * y) ** 2 + 0.5).values
    assert by_sympy == pytest.approx(text, abs=1e-15)
    assert by_call == pytest.approx(text, abs=1e-15)
    assert np.array_equal(GRID.scalar(text).values, text)
    assert all(np.all(GRID.scalar(number).values == 2.0) for number in (2, 2.0, np.float64(2), np.array(2), "2"))


def test_text_on_complex_tori_may_use_z():
    assert CURVE.scalar("cos(2*pi*re(z))").values == pytest.approx(CURVE.scalar("cos(2*pi*x)").values)
    form = SURFACE.hermitian([["1", "i*cos(2*pi*x1)/4"], ["-i*cos(2*pi*re(z1))/4", "1"]])
    assert form.values[0, 0, 0, 0, 0, 1] == pytest.approx(0.25j)


def test_exact_objects_of_the_chart_become_fields():
    torus = ComplexTorus(1)
    z, conjugate = torus.chart.all_symbols
    exact = sympy.cos(sympy.pi * (z + conjugate)) / 100
    assert CURVE.potential(exact).max_distance(CURVE.potential("cos(2*pi*x)/100")) < 1e-15
    form = KahlerMetric.from_potential(torus.chart, z * conjugate / 2 + exact)
    fine = torus.grid(24, scheme="spectral")
    assert fine.hermitian(form).max_distance(fine.potential(exact).metric()) < 1e-12
    metric = Metric(Torus(2).chart, [["1 + cos(2*pi*y)/5", "0"], ["0", "1"]])
    assert np.array_equal(GRID.metric(metric).values, GRID.metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1"]]).values)


def test_metrics_from_text_sympy_callables_and_arrays_agree():
    text = GRID.metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1"]]).values
    entry = 1 + sympy.cos(2 * sympy.pi * Y) / 5
    by_call = GRID.metric(lambda x, y: [[1 + np.cos(2 * np.pi * y) / 5, 0], [0, 1]]).values
    assert GRID.metric(sympy.diag(entry, 1)).values == pytest.approx(text, abs=1e-15)
    assert by_call == pytest.approx(text, abs=1e-15)
    assert np.array_equal(GRID.metric(np.array(text)).values, text)
    assert np.array_equal(GRID.metric(np.array([["1", "0"], ["0", "1"]])).values, GRID.metric().values)


def test_arrays_are_copied_and_fields_are_read_only():
    array = np.ones(GRID.shape)
    field = GRID.scalar(array)
    array[0, 0] = 7
    assert field.values[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        field.values[0, 0] = 2


def test_large_wave_numbers_are_periodic_to_rounding():
    GRID.scalar("cos(2*pi*1000*x)")
    GRID.scalar("sin(2*pi*x)**2 + cos(2*pi*x)**2 - 1")


def test_reference_forms():
    plain = CURVE.potential("cos(2*pi*x)/100")
    constant = CURVE.potential("cos(2*pi*x)/100", reference=[[0.5]])
    field = CURVE.potential("cos(2*pi*x)/100", reference=CURVE.hermitian())
    text = CURVE.potential("cos(2*pi*x)/100", reference=[["1/2 + 0*cos(2*pi*x)"]])
    for other in (constant, field, text):
        assert np.array_equal(plain.metric().values, other.metric().values)


BAD_SCALARS = [
    ("x**2", InputError, "'x\\*\\*2' is not periodic in x: it jumps by .* over the period 1"),
    ("1e-9*y", InputError, "not periodic in y"),
    ("sqrt(x*(1-x))", InputError, "not periodic in x"),
    (lambda x, y: np.cos(x), InputError, "not periodic in x"),
    ("cos(2*pi*t)", ExpressionError, "unknown name 't'"),
    (sympy.Symbol("t"), UnknownNameError, "'t'"),
    (sympy.Function("u")(X), ExpressionError, "unknown function 'u'"),
    ("zeta(x)", UnknownFunctionError, "unknown function 'zeta'"),
    ("__import__('os').system('true')", ExpressionError, "only numbers, names"),
    ("(lambda: 1)()", ExpressionError, "only numbers, names|function"),
    ("1 +", ExpressionError, "at column \\d+: cannot read"),
    (" ", ExpressionError, "an expression is empty"),
    ("1e400", NotFiniteError, "beyond double precision"),
    ("exp(exp(exp(10)))", ExpressionError, "is beyond 2"),
    ("exp(exp(7)) + 0*x", NotFiniteError, "256 of 256"),
    (lambda x, y: np.zeros(3), ShapeError, r"shape \(3,\), which does not broadcast"),
    ("1/sin(2*pi*x)", NotFiniteError, r"is inf at grid point \(0, 0\), \(x, y\) = \(0, 0\) \(16 of 256"),
    ("log(cos(2*pi*x))", NotFiniteError, r"grid point \(4, 0\)|grid point \(5, 0\)"),
    ("i*cos(2*pi*x)", InputError, "must be real, and its imaginary part reaches 1"),
    (np.full((16, 16), np.nan), NotFiniteError, "256 of 256"),
    (np.zeros((16, 15)), ShapeError, r"shape \(16, 15\), and shape \(16, 16\) is needed"),
    (np.array([["a"]]), InputError, "give numbers"),
    ([[1, 2], [3, 4]], ShapeError, r"shape \(2, 2\), and shape \(16, 16\)"),
    ([[1, 2], [3]], ShapeError, "unequal lengths"),
    (None, ExpressionError, r"None \(of type NoneType\) is not a function"),
    (b"__import__('os')", ExpressionError, "of type bytes"),
    (True, ExpressionError, "of type bool"),
]


@pytest.mark.parametrize("given, error, message", BAD_SCALARS, ids=[str(i) for i in range(len(BAD_SCALARS))])
def test_what_scalars_refuse(given, error, message):
    with pytest.raises(error, match=message) as caught:
        GRID.scalar(given)
    assert isinstance(caught.value, GeomflowError)


def nan_metric():
    values = np.broadcast_to(np.eye(2), (16, 16, 2, 2)).copy()
    values[3, 5, 0, 1] = np.nan
    return values


BAD_METRICS = [
    ([["1", "0.2"], ["0.1", "1"]], SymmetryError, r"component \(0, 1\) is 0.2 and component \(1, 0\) is 0.1"),
    ([["1", "2"], ["2", "1"]], PositivityError, r"smallest eigenvalue is -1, at grid point \(0, 0\)"),
    ([["1 + 2*cos(2*pi*x)", "0"], ["0", "1"]], PositivityError, r"-1, at grid point \(8, 0\), \(x, y\) = \(0.5, 0\)"),
    ([["1", "0"]], ShapeError, "2×2 components here; 1 rows"),
    ("1", ShapeError, "2×2"),
    (7, ShapeError, "2×2 expressions, and 7"),
    (np.zeros((16, 16, 2)), ShapeError, r"shape \(16, 16, 2\), and shape \(16, 16, 2, 2\)"),
    (nan_metric(), NotFiniteError, r"nan at grid point \(3, 5\).*in component \(0, 1\)"),
    ([["1", "x"], ["x", "1"]], InputError, r"component \(0, 1\) of the metric 'x' is not periodic in x"),
    (lambda x, y: [[1 + x, 0], [0, 1]], InputError, r"component \(0, 0\) of the metric is not periodic in x"),
]


@pytest.mark.parametrize("given, error, message", BAD_METRICS, ids=[str(i) for i in range(len(BAD_METRICS))])
def test_what_metrics_refuse(given, error, message):
    with pytest.raises(error, match=message):
        GRID.metric(given)


def test_three_dimensional_metrics_name_the_worst_point():
    with pytest.raises(PositivityError, match=r"eigenvalue is -0.5, at grid point \(0, 4, 0\)"):
        Torus(3).grid(8).metric([["1", "0", "0"], ["0", "1/2 + cos(2*pi*y)", "0"], ["0", "0", "1"]])


BAD_POTENTIALS = [
    (lambda: CURVE.potential("cos(2*pi*x)/10"), PositivityError, "leaves the Kähler cone.*Multiply the potential by"),
    (lambda: CURVE.potential(0, reference=[[-1]]), PositivityError, "The reference form is not positive either"),
    (lambda: GRID.potential(0), InputError, "needs a complex torus"),
    (lambda: GRID.hermitian(), InputError, "needs a complex torus"),
    (lambda: SURFACE.potential(0, reference=[[1, 1], [0, 1]]), SymmetryError, "not Hermitian"),
    (lambda: SURFACE.hermitian([["1", "1"], ["-1", "1"]]), SymmetryError, "not Hermitian.*conjugate"),
    (lambda: SURFACE.potential(0, reference=[["1"]]), ShapeError, "2×2 components here"),
    (lambda: SURFACE.hermitian([["1", "2*i"], ["-2*i", "1"]]), PositivityError, "smallest eigenvalue is -1"),
    (lambda: CURVE.potential(0, reference=ComplexTorus(1).grid(8).hermitian()), ShapeError, "the reference lives on"),
]


@pytest.mark.parametrize("make, error, message", BAD_POTENTIALS, ids=[str(i) for i in range(len(BAD_POTENTIALS))])
def test_what_potentials_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_the_advice_of_the_kahler_cone_is_right():
    """Just below the factor that the message gives, the potential is accepted; just above it is refused."""
    with pytest.raises(PositivityError) as caught:
        CURVE.potential("cos(2*pi*x)/10")
    factor = float(str(caught.value).split("less than ")[1].split(",")[0])
    CURVE.potential(f"cos(2*pi*x)/10*{0.999 * factor}")
    with pytest.raises(PositivityError):
        CURVE.potential(f"cos(2*pi*x)/10*{1.001 * factor}")


@pytest.mark.parametrize("torus", [ComplexTorus(1), ComplexTorus(1, modulus=0.3 + 1j), ComplexTorus(3)], ids=repr)
@pytest.mark.parametrize("scheme", ["stencil", "spectral"])
def test_a_potential_takes_no_more_memory_than_it_states(torus, scheme):
    grid = torus.grid(5 if torus.dim == 3 else 128, scheme=scheme)
    values = grid.random_potential(1, modes=1).values
    grid.potential(values)
    tracemalloc.start()
    try:
        grid.potential(values)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 0.5 < peak / ((1 + hessian_arrays(grid)) * grid.nbytes) <= 1.05


def test_memory_is_stated_before_it_is_taken(monkeypatch):
    from geomflow.core import memory

    grid = Torus(4).grid(16, scheme="spectral")
    metric = grid.metric()
    monkeypatch.setattr(memory, "available", lambda: 10 * grid.nbytes)
    with pytest.raises(MemoryLimitError, match=r"the metric on a grid of 16 × 16 × 16 × 16 points.*would take 8.39 MB"):
        grid.metric()
    with pytest.raises(MemoryLimitError, match="the Riemann tensor"):
        metric.riemann()
    with pytest.raises(MemoryLimitError, match="arrays of derivatives and results"):
        metric.scalar()
