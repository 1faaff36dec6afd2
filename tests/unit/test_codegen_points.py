"""Routines on points: shapes, kinds of numbers, functions, errors."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.special
import sympy

import geomflow as gf
import geomflow.codegen.points as points_module
import geomflow.codegen.routine as routine_module
from geomflow.codegen import compile, compile_points, lowering
from geomflow.codegen.lowering import IMPLEMENTATIONS
from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError, ShapeError, UnknownFunctionError

X, Y = gr.symbol("x"), gr.symbol("y")
RNG = np.random.default_rng(3)


def test_broadcasting_puts_batch_axes_first():
    r = compile_points([[X, Y, X * Y], [X + Y, gr.ONE, X - Y]], (X, Y))
    x, y = RNG.uniform(size=(4, 1)), RNG.uniform(size=5)
    value = r(x, y)
    assert value.shape == (4, 5, 2, 3)
    assert np.array_equal(value[2, 3], [[x[2, 0], y[3], x[2, 0] * y[3]], [x[2, 0] + y[3], 1.0, x[2, 0] - y[3]]])


def test_scalars_give_scalars_and_no_arguments_are_fine():
    assert compile_points(X**2, (X,))(3.0).shape == ()
    assert compile_points([gr.PI, gr.sqrt(gr.constant(2))], ())() == pytest.approx([np.pi, 2**0.5], rel=1e-15)


def test_result_goes_into_out():
    r = compile_points([X, X**2], (X,))
    out = np.empty((3, 2))
    assert r(np.arange(3.0), out=out) is out
    assert np.array_equal(out, [[0, 0], [1, 1], [2, 4]])
    with pytest.raises(ShapeError, match=r"\(2, 3\).*\(3, 2\)"):
        r(np.arange(3.0), out=np.empty((2, 3)))


def test_complex_arguments_and_the_imaginary_unit():
    r = compile_points([gr.exp(X) * Y, gr.sqrt(X) / Y, gr.log(X * Y)], (X, Y))
    z, w = RNG.normal(size=7) + 1j * RNG.normal(size=7), RNG.normal(size=7) - 2j
    assert r(z, w) == pytest.approx(np.stack([np.exp(z) * w, np.sqrt(z) / w, np.log(z * w)], -1), rel=1e-13)
    assert r(z.real**2, 1.0).dtype == np.float64
    rotated = compile_points(gr.I * X, (X,))(2.0)
    assert rotated.dtype == np.complex128
    assert rotated == 2j


@pytest.mark.parametrize("exponent", [-4, -1, 2, 3, 5, 7, *(Fraction(n, 2) for n in (1, -3, 5)), Fraction(1, 3)])
def test_powers(exponent):
    x = RNG.uniform(0.3, 3, 50)
    assert compile_points(X**exponent, (X,))(x) == pytest.approx(x ** float(exponent), rel=1e-15)


@pytest.mark.parametrize("name", sorted(gr.FUNCTIONS))
def test_every_function_of_the_graph(name):
    x = RNG.uniform(1.1, 3, 33) if name == "acosh" else RNG.uniform(0.05, 0.95, 33)
    numpy_names = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
                   "atanh": "arctanh"}
    expected = scipy.special.erf(x) if name == "erf" else getattr(np, numpy_names.get(name, name))(x)
    assert compile_points(gr.call(name, X), (X,))(x) == pytest.approx(expected, rel=4e-16)
    if name != "erf":
        z = x + 0.1j
        expected = getattr(np, numpy_names.get(name, name))(z)
        assert compile_points(gr.call(name, X), (X,))(z) == pytest.approx(expected, rel=1e-14)


def test_logarithm_and_exponential_to_the_last_place_and_at_their_edges():
    r = compile_points([gr.log(X), gr.exp(X)], (X,))
    x = np.concatenate([np.exp(RNG.uniform(-700, 700, 20000)), 1 + RNG.uniform(-1e-3, 1e-3, 20000)])
    exact = np.log(x.astype(np.longdouble))
    assert np.all(np.abs(r(x)[:, 0] - exact) <= 1.0 * np.spacing(np.abs(exact).astype(float)))
    x = RNG.uniform(-700, 700, 20000)
    exact = np.exp(x.astype(np.longdouble))
    assert np.all(np.abs(r(x)[:, 1] - exact) <= 1.0 * np.spacing(exact.astype(float)))
    edges = np.array([0.0, -0.0, np.inf, -np.inf, -1.0, np.nan, 1e-310, 1000.0, -1000.0])
    assert np.array_equal(r(edges)[:4, 0], [-np.inf, -np.inf, np.inf, np.nan], equal_nan=True)
    assert np.array_equal(r(edges)[4:7, 0], [np.nan, np.nan, -np.inf], equal_nan=True)
    assert np.array_equal(r(edges)[:4, 1], [1, 1, np.inf, 0])
    assert np.array_equal(r(edges)[5:, 1], [np.nan, 1, np.inf, 0], equal_nan=True)


def test_complex_functions_far_out_and_on_their_cuts():
    r = compile_points([gr.tanh(X), gr.call("acosh", X)], (X,))
    below = complex(-2, -0.0), complex(0.5, -0.0)
    z = np.array([350 + 1j, 400 + 0.3j, -800 - 2j, *below, -2 + 0j, 1 + 1e-300j])
    expected = np.stack([np.tanh(z), np.arccosh(z)], -1)
    assert np.abs(r(z) - expected).max(axis=0) == pytest.approx([0, 0], abs=1e-14)


def test_unknown_function_is_named():
    known = dict(IMPLEMENTATIONS)
    del known["tanh"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lowering, "IMPLEMENTATIONS", known)
        with pytest.raises(UnknownFunctionError, match="'tanh'"):
            compile_points(gr.tanh(X), (X,))
    with pytest.raises(UnknownFunctionError, match="zeta"):
        compile(sympy.zeta(sympy.Symbol("x")))
    with pytest.raises(UnknownFunctionError, match="'erf' is known for real arguments only"):
        compile_points(gr.call("erf", X), (X,))(1j)


def test_wrong_arguments_are_refused():
    r = compile_points(X * Y, (X, Y))
    with pytest.raises(InputError, match=r"2 arguments \(x, y\), but 1"):
        r(1.0)
    with pytest.raises(ShapeError, match=r"\(3,\), \(4,\)"):
        r(np.ones(3), np.ones(4))
    with pytest.raises(ExpressionError, match="y"):
        compile_points(X * Y, (X,))
    with pytest.raises(InputError, match="takes numbers"):
        r("a", 1.0)
    with pytest.raises(ExpressionError, match=r"None .* is no exact expression"):
        compile(None)
    with pytest.raises(ExpressionError, match="beyond double precision"):
        compile(10**400 * sympy.Symbol("x"))
    for text in ("x + 1", ["x + 1"]):
        with pytest.raises(ExpressionError, match="is text"):
            compile(text)
    with pytest.raises(InputError, match="symbols or derivatives"):
        compile_points(X * Y, (X * Y,))


def test_results_do_not_depend_on_chunks_or_threads(monkeypatch):
    import numba

    r = compile_points([gr.log(X) * Y - X / (1 + Y**2), gr.exp(X * Y) - X * Y + 1], (X, Y))
    x, y = RNG.uniform(0.1, 1, (2, 50_001))
    whole = r(x, y)
    assert np.array_equal(whole[777], r(x[777], y[777]))
    assert np.array_equal(whole[3:20], r(x[3:20], y[3:20]))
    monkeypatch.setattr(points_module, "use_threads", lambda seconds: True)
    before = numba.get_num_threads()
    try:
        for threads in {1, before}:
            numba.set_num_threads(threads)
            assert np.array_equal(r(x, y), whole)
    finally:
        numba.set_num_threads(before)


def test_common_subexpressions_are_computed_once():
    u = gr.log(X * Y + 1)
    r = compile_points([u, u**2, u + X, 1 / (X + Y), X / (X + Y)], (X, Y))
    assert r.source.count("log(") == 1
    assert r.source.count("/ ") == 1
    assert r.source == compile_points([u, u**2, u + X, 1 / (X + Y), X / (X + Y)], (X, Y)).source


def test_metrics_are_compiled_in_their_coordinates_and_parameters():
    half_plane = gf.Metric(gf.Chart("x y"), [["a/y^2", "0"], ["0", "a/y^2"]], parameters="a")
    routine = compile(half_plane)
    assert [str(a) for a in routine.arguments] == ["x", "y", "a"]
    assert np.array_equal(routine(7.0, [1.0, 2.0], 4.0), [4 * np.eye(2), np.eye(2)])
    sphere = compile(gf.KahlerMetric.from_potential(gf.ComplexChart("z"), "log(1 + z*conj(z))"))
    assert [str(a) for a in sphere.arguments] == ["z", "zb"]
    assert sphere(1 + 1j, 1 - 1j) == pytest.approx(1 / 9)


def test_names_that_python_or_the_code_needs_are_avoided():
    names = ["lambda", "p", "log", "t1", "φ", "out", "arguments", "a b", "__debug__"]
    symbols = [gr.symbol(n) for n in names]
    total = compile_points(gr.log(gr.add(*symbols)), symbols)
    assert total(*range(1, 10)) == pytest.approx(np.log(45))


def test_roots_of_negative_numbers_are_principal_ones():
    root = compile(sympy.cbrt(-2) * sympy.Symbol("x"))
    assert root(1.0) == pytest.approx((-2 + 0j) ** (1 / 3), rel=1e-15)
    assert root(1j) == pytest.approx(1j * (-2 + 0j) ** (1 / 3), rel=1e-15)
    with pytest.raises(ExpressionError, match="beyond double precision"):
        compile_points(gr.PI ** Fraction(2101, 3) * X, (X,))


def test_division_by_zero_spoils_only_its_point(monkeypatch):
    r = compile_points([1 / X, gr.call("sign", X)], (X,))
    z = np.array([0j, 2j, 3 - 4j, -1e200 + 1e200j])
    for _ in range(2):
        values = r(z)
        assert np.isnan(values[0, 0])
        assert values[0, 1] == 0
        assert values[1:] == pytest.approx(np.stack([1 / z[1:], z[1:] / abs(z[1:])], -1), rel=1e-15)
        monkeypatch.setattr(points_module, "use_threads", lambda seconds: True)


def test_long_sums_and_no_outputs():
    many = [gr.symbol(f"x{k}") for k in range(1500)]
    assert max(line.count("+") for line in compile_points(gr.add(*many), many).source.splitlines()) <= 200
    n = np.arange(1500.0)
    assert compile_points(gr.add(*many[:450]), many[:450])(*n[:450]) == n[:450].sum()
    assert compile_points([], (X,))(np.ones(3)).shape == (3, 0)


def test_packed_arrays_that_do_not_fit_are_refused():
    r = compile_points([X + Y, X * Y], (X, Y))
    given, out = RNG.uniform(size=(2, 10)), np.empty((2, 10))
    assert np.array_equal(r.packed(given, out), [given[0] + given[1], given[0] * given[1]])
    wide, fixed = RNG.uniform(size=(2, 20)), np.empty((2, 10))
    fixed.flags.writeable = False
    for arguments, outputs in ((wide[:, ::2], out), (given, np.empty((10, 2)).T), (given.astype(np.float32), out),
                               (given, out.astype(complex))):
        with pytest.raises(InputError, match="C-contiguous array of"):
            r.packed(arguments, outputs)
    for outputs in (given, fixed):
        with pytest.raises(InputError, match="cannot be written to, or overlap"):
            r.packed(given, outputs)


def test_a_forked_process_computes_without_threads(monkeypatch):
    import os

    monkeypatch.setattr(routine_module, "PARALLEL_FROM", 0.0)
    r = compile_points(gr.log(X) + 17, (X,))
    x = RNG.uniform(1, 2, 10_000)
    expected = r(x)
    child = os.fork()
    if not child:
        os._exit(0 if np.array_equal(r(x), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_compile_takes_sympy_in_every_form():
    x, y = sympy.symbols("x y")
    assert compile(x + 2 * y)(1.0, 2.0) == 5.0
    assert compile(x + 2 * y, [y, x])(1.0, 2.0) == 4.0
    assert compile(sympy.Matrix([[x, y]]))(1.0, 2.0).shape == (1, 2)
    assert compile(sympy.Array([[[x], [y]]]))(1.0, 2.0).shape == (1, 2, 1)
    assert compile([[x, 1], [0, y]])(1.0, 2.0).tolist() == [[1, 1], [0, 2]]
    assert compile(X * Y, [X, Y]).path.exists()
