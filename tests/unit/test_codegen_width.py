"""The width of vectors: chosen by processor, forced by the environment, without influence on any bit."""

import numpy as np
import pytest

from geomflow.codegen import compile_grid, compile_points, emit, instructions
from geomflow.codegen.width import preferred, vector_bits
from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.memory import LINE, PAGE, aligned
from geomflow.core.program import Program, Stage

WIDE = "+avx2,+avx512f,+avx512dq,+avx512vl"


def test_processors_with_wide_vectors_use_them_but_those_that_slow_down():
    assert preferred("sapphirerapids", WIDE) == preferred("znver5", WIDE) == 512
    assert preferred("skylake-avx512", WIDE) == preferred("znver3", "+avx2,-avx512f,-avx512dq,-avx512vl") == 0


def test_a_width_that_there_is_not_is_refused(monkeypatch):
    monkeypatch.setenv("GEOMFLOW_VECTOR_BITS", "300")
    with pytest.raises(InputError, match="'300'; vectors have 128, 256 or 512 bits"):
        vector_bits()


def test_values_do_not_depend_on_the_width(monkeypatch):
    """Two stages with a logarithm, an exponential and a division, on a grid that no width divides."""
    u = [gr.jet("u", i) for i in ((0, 0), (1, 1), (2, 0), (0, 2))]
    first = Stage((("a", gr.log(u[0] + u[1] ** 2)),))
    second = Stage((("r", (gr.jet("a", (2, 0)) + gr.jet("a", (1, 1))) / (u[0] + gr.exp(u[2] - u[3]))),))
    program = Program(("x", "y"), ("u",), (), (), (first, second))
    fields = 2 + np.random.default_rng(1).uniform(-0.5, 0.5, (1, 21, 37))
    point = compile_points([gr.exp(u[0]) / u[1] + gr.log(u[0])], u[:2])
    expected = compile_grid(program, 4)(fields, (0.7, 0.7)), point(fields[0], 1 + fields[0])
    for bits in ("128", "256", "512"):
        monkeypatch.setenv("GEOMFLOW_VECTOR_BITS", bits)
        routine, again = compile_grid(program, 4), compile_points([gr.exp(u[0]) / u[1] + gr.log(u[0])], u[:2])
        assert all(f"vectors({bits})" in r.source for r in (routine, again))
        assert np.array_equal(routine(fields, (0.7, 0.7)), expected[0])
        assert np.array_equal(again(fields[0], 1 + fields[0]), expected[1])


@pytest.mark.parametrize("wide", [False, True])
def test_values_do_not_depend_on_the_number_of_registers(monkeypatch, wide):
    """Logarithms in a loop of their own, their exponents put together of bits, or in the loop before, converted."""
    u = [gr.jet("u", i) for i in ((0, 0), (1, 0))]
    program = Program(("x", "y"), ("u",), (), (), (Stage((("a", gr.log(u[0] + u[1] ** 2)), ("b", gr.log(u[0])))),))
    scales = 10.0 ** np.random.default_rng(2).uniform(-300, 300, (1, 12, 37))
    fields, given = np.concatenate([scales, 1 / scales], axis=1), compile_grid(program, 4)
    expected = given(fields, (0.7, 0.7))
    for module in (emit, instructions):
        monkeypatch.setattr(module, "wide_registers", lambda: wide)
    monkeypatch.setenv("GEOMFLOW_VECTOR_BITS", "128" if wide else "256")  # files that are not in the cache
    again = compile_grid(program, 4)
    assert ("for j in loop(left, right):\n                at_out_0[j] = log(at_out_0[j])" in again.source) != wide
    assert np.array_equal(again(fields, (0.7, 0.7)), expected)
    assert np.allclose(expected[1], np.log(fields[0]), rtol=1e-15, atol=1e-15)


def test_large_arrays_begin_on_a_page():
    assert aligned((3, 101, 203)).ctypes.data % PAGE == 0


@pytest.mark.parametrize("shape, dtype", [((3, 5), float), ((7,), complex), ((), float)])
def test_aligned_arrays_begin_on_a_cache_line(shape, dtype):
    array = aligned(shape, dtype)
    assert (array.ctypes.data % LINE, array.flags.c_contiguous, array.flags.writeable) == (0, True, True)
    assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
    assert not array.any()
