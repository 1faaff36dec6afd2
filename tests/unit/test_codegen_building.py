"""Functions that write machine code: what they write computes what Python would."""

import cmath
import math

import numpy as np
import pytest
from numba import njit

from geomflow.codegen import instructions as ins
from geomflow.codegen.building import instructions
from geomflow.codegen.text import INSTRUCTIONS


def run(function, *arrays):
    """Compile a function of arrays that writes code, and call it."""
    written = instructions(function)
    compiled = njit(lambda *given: written(given))
    compiled(*arrays)


def test_generated_code_knows_every_instruction_by_name():
    assert set(ins.__all__) == INSTRUCTIONS
    assert all(callable(getattr(ins, name)) for name in INSTRUCTIONS)


@pytest.mark.parametrize("a, b", [(7, 3), (-7, 3), (0, 5), (-6, 3), (4, 9)])
def test_whole_numbers(a, b):
    def write(given, out):
        x, y = given[0], given[1]
        for place, number in enumerate((x + y, x - y, x * y, x % y, -x, ins.minimum(x, y), ins.maximum(x, y), 2 - x,
                                        ins.where(x >= y, 1, 0), ins.where(x == y, 1, 0), (y * 10 + 3) // y)):
            out[place] = number

    out = np.empty(11, dtype=np.int64)
    run(write, np.array([a, b]), out)
    assert out.tolist() == [a + b, a - b, a * b, a % b, -a, min(a, b), max(a, b), 2 - a, a >= b, a == b,
                            (b * 10 + 3) // b]


def test_loops_and_branches():
    def write(out):
        for i in ins.loop(4):
            for j in ins.loop(i, 10, 3):
                with ins.when(j > 4):
                    out[i, j] = 10 * i + j

    out = np.zeros((4, 10))
    run(write, out)
    expected = np.zeros((4, 10))
    for i in range(4):
        for j in range(i, 10, 3):
            expected[i, j] = 10 * i + j if j > 4 else 0
    assert np.array_equal(out, expected)


NAMES = sorted(INSTRUCTIONS & (set(dir(math)) | {"abs"}) - {"fma", "erf"})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("x", [0.3, 1.7, 0.3 + 0.4j, -1.2 + 2.5j])
def test_functions_of_real_and_complex_numbers(name, x):
    if isinstance(x, float) and (name in ("asin", "acos", "atanh")) == (x > 1):
        x = 1 / x if name != "acosh" else x
    if name == "acosh" and isinstance(x, float):
        x = 1 + x

    def write(given, out):
        out[0] = getattr(ins, name)(given[0])

    out = np.empty(1, dtype=type(x))
    run(write, np.array([x]), out)
    expected = abs(x) if name == "abs" else getattr(cmath if isinstance(x, complex) else math, name)(x)
    assert abs(out[0] - expected) <= 4e-16 * abs(expected)


def test_kinds_of_numbers_mix():
    def write(given, whole, out):
        z, n = given[0], whole[0]
        for place, number in enumerate((z + n, 2 / z, 1.5 * z - 1j, n * 0.5, z**2.0, ins.fma(n, z, 1.0), ins.sign(z))):
            out[place] = number

    z, out = 0.6 - 0.8j, np.empty(7, dtype=complex)
    run(write, np.array([z]), np.array([3]), out)
    assert np.allclose(out, [z + 3, 2 / z, 1.5 * z - 1j, 1.5, z**2, 3 * z + 1, z / abs(z)], rtol=1e-15, atol=0)


def test_arrays_with_gaps_are_refused():
    def write(given, out):
        out[0] = given[1]

    with pytest.raises(TypeError, match="takes contiguous arrays"):
        run(write, np.arange(6.0)[::2], np.empty(1))
