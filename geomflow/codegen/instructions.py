"""The vocabulary of generated code: functions, lines of arrays, buffers and stencils; each writes instructions.

Functions are branch-free, so that LLVM turns a loop over them into vector instructions, and none depends on
whether a point is computed in a vector or on its own: results do not change with the number of threads.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from geomflow.codegen.building import (
    BYTES,
    COMPLEX,
    DOUBLE,
    LONG,
    Array,
    Number,
    Row,
    Value,
    alike,
    code,
    held,
    library,
    loop,
    near,
    outer,
    paired,
    parts,
    value,
    when,
    where,
)
from geomflow.codegen.width import wide_registers
from geomflow.core.memory import PAGE

__all__ = [
    "abs", "acos", "acosh", "around", "asin", "asinh", "at", "atan", "atanh", "buffer", "cos", "cosh", "erf", "even",
    "exp", "fma", "log", "loop", "maximum", "minimum", "noalias", "odd", "outer", "periodic", "release", "row", "sign",
    "sin", "sinh", "sqrt", "tan", "tanh", "vectors", "when", "where",
]


# Functions


def fma(x: Number, y: Number, z: Number) -> Value:
    """x*y + z; of doubles rounded once where the processor can."""
    numbers = alike(x, y, z)
    if numbers[0].ir.type == COMPLEX:
        return numbers[2] + numbers[0] * numbers[1]
    return _intrinsic("llvm.fmuladd", *numbers)


def _intrinsic(name: str, *numbers: Value) -> Value:
    function = code().builder.module.declare_intrinsic(name, [DOUBLE], ir.FunctionType(DOUBLE, [DOUBLE] * len(numbers)))
    return Value(code().builder.call(function, [n.ir for n in numbers]))


def _polynomial(x: Value, *coefficients: float) -> Value:
    """Coefficients from the highest power down."""
    total = value(coefficients[0])
    for c in coefficients[1:]:
        total = fma(x, total, c)
    return total


_TINY = 2.0**-1022
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_UNIT = 2.0**52
_ROUND = 1.5 * _UNIT


def _exponent(shifted: Value) -> Value:
    """The exponent in the bits of a double, as a double: converted where vectors can, else put together of bits."""
    if wide_registers():
        return Value(code().builder.sitofp(shifted.ir, DOUBLE)) * 2.0**-52
    biased = ((shifted + held(0x3FF0000000000000)) >> 52) & held(0x7FF)
    return (biased | held(0x4330000000000000)).double - (_UNIT + 1023.0)


def _log(x: Value) -> Value:
    n = x.bits
    shifted = (n - held(0x3FE6A09E667F3BCD)) & held(-0x10000000000000)
    k = _exponent(shifted)
    m = (n - shifted).double
    f = m - 1.0
    s = f / (m + 1.0)
    z = s * s
    z2 = z * z
    even = _polynomial(z2, 1.479819860511658591e-01, 1.818357216161805012e-01, 2.857142874366239149e-01,
                       6.666666666666735130e-01)
    odd = _polynomial(z2, 1.531383769920937332e-01, 2.222219843214978396e-01, 3.999999999940941908e-01)
    r = f - fma(s, fma(z, -fma(z, odd, even), f), k * -_LN2_LOW)
    finite = where(x < math.inf, fma(k, _LN2_HIGH, r), x)
    return where(x < _TINY, where(x < 0.0, math.nan, -math.inf), finite)


def _exp(x: Value) -> Value:
    y = where(x > 710.0, 710.0, where(x < -746.0, -746.0, x))
    shifted = fma(y, 1.4426950408889634, _ROUND)
    k = shifted - _ROUND
    r = fma(k, -_LN2_LOW, fma(k, -_LN2_HIGH, y))
    r2 = r * r
    even = _polynomial(r2, 1 / 479001600, 1 / 3628800, 1 / 40320, 1 / 720, 1 / 24)
    odd = _polynomial(r2, 1 / 6227020800, 1 / 39916800, 1 / 362880, 1 / 5040, 1 / 120)
    tail = fma(r2, fma(r, odd, even), fma(r, 1 / 6, 0.5))
    result = fma(r2, tail, r) + 1.0
    n = shifted.bits - (held(_ROUND).bits - held(2048))
    half = n >> 1
    return result * ((half - held(1)) << 52).double * ((n - half - held(1)) << 52).double


def log(x: Number) -> Value:
    """The natural logarithm, of a double to 0.9 units in the last place.

    x = 2**k m with m in [sqrt(1/2), sqrt(2)), log m = f - s (f - R(s**2)) with f = m - 1, s = f / (2 + f) and
    the polynomial R of FreeBSD's msun. log 0 = -inf, numbers below 2**-1022 count as zero, and the logarithm
    of a negative number is NaN.
    """
    return _of_kind(x, _log, np.log)


def exp(x: Number) -> Value:
    """The exponential, of a double to 1 unit in the last place, gradually underflowing and overflowing to infinity.

    x = k log 2 + r with |r| <= log(2)/2, and e**r by its Taylor polynomial of degree 13.
    """
    return _of_kind(x, _exp, np.exp)


def sign(x: Number) -> Value:
    """-1, 0 or 1; NaN for NaN. Of a complex number z/|z|, and 0 at 0."""
    known = _inexact(x)
    size = abs(known)
    if known.ir.type == COMPLEX:
        return where(size > 0.0, known / size, known)
    return where(known > 0.0, 1.0, where(known < 0.0, -1.0, known))


def abs(x: Number) -> Value:
    """|x|, a double."""
    known = _inexact(x)
    if known.ir.type == COMPLEX:
        return library(builtins.abs, known, result=types.float64)
    return _intrinsic("llvm.fabs", known)


def sqrt(x: Number) -> Value:
    """The square root; of a complex number the one with a real part that is not negative."""
    return _of_kind(x, partial(_intrinsic, "llvm.sqrt"), np.sqrt)


def erf(x: Number) -> Value:
    """The error function of a double."""
    return library(math.erf, _inexact(x))


def _of_kind(x: Number, of_double: Callable[[Value], Value], of_complex: Any) -> Value:
    known = _inexact(x)
    return library(of_complex, known) if known.ir.type == COMPLEX else of_double(known)


def _inexact(x: Number) -> Value:
    return alike(x, 1.0)[0]


def _elementary(name: str, of_complex: Any) -> Callable[[Number], Value]:
    def function(x: Number) -> Value:
        return _of_kind(x, partial(library, getattr(math, name)), of_complex)

    function.__name__, function.__doc__ = name, f"{name} x, as the library of C computes it."
    return function


sin, cos, tan = _elementary("sin", np.sin), _elementary("cos", np.cos), _elementary("tan", np.tan)
asin, acos, atan = _elementary("asin", np.arcsin), _elementary("acos", np.arccos), _elementary("atan", np.arctan)
sinh, cosh = _elementary("sinh", np.sinh), _elementary("cosh", np.cosh)
asinh, atanh = _elementary("asinh", np.arcsinh), _elementary("atanh", np.arctanh)


def tanh(x: Number) -> Value:
    """The hyperbolic tangent; of a complex number by Numba's, which squares e**x, from no farther than it can."""
    known = _inexact(x)
    if known.ir.type == COMPLEX:
        real, imag = parts(known)
        return library(np.tanh, paired(where(real > 350.0, 350.0, where(real < -350.0, -350.0, real)), imag))
    return library(math.tanh, known)


def acosh(x: Number) -> Value:
    """The inverse of cosh; of a complex number ±i acos z, with a real part that is not negative, on the cut too."""
    known = _inexact(x)
    if known.ir.type == COMPLEX:
        real, imag = parts(library(np.arccos, known))
        return paired(abs(imag), where(parts(known)[1].bits < 0, -real, real))
    return library(math.acosh, known)


# What is promised of a function


def noalias() -> None:
    """Promise that no two arrays overlap where one is written."""
    for argument in code().builder.function.args:
        if isinstance(argument.type, ir.PointerType):
            argument.add_attribute("noalias")


def vectors(bits: int) -> None:
    """Ask for vectors of so many bits in loops."""
    wanted = f'"prefer-vector-width"="{bits}"'
    set.add(code().builder.function.attributes, wanted)  # llvmlite knows no attributes of targets


# Whole numbers


def minimum(x: Number, y: Number) -> Value:
    """The smaller of two whole numbers."""
    left, right = alike(x, y)
    return where(left < right, left, right)


def maximum(x: Number, y: Number) -> Value:
    """The larger of two whole numbers."""
    left, right = alike(x, y)
    return where(left > right, left, right)


def periodic(number: Number, size: Number) -> Value:
    """A number that is less than one period off, in [0, size)."""
    n = value(number)
    low = where(n < 0, n + size, n)
    return where(low >= size, low - size, low)


# Lines and buffers


def row(array: Array, index: tuple[Number, ...]) -> Row:
    """Where a line of an array begins, given all its indices but the last; row[n] is its n-th number."""
    return array.row(*index)


def at(row: Row, count: Number) -> Row:
    """The address so many numbers further on."""
    return row.at(count)


def around(row: Row, numbers: Sequence[Number], stride: Number) -> tuple[Row, ...]:
    """The addresses of several rows: `stride` times each of `numbers` further on."""
    return tuple(row.at(n * stride) for n in numbers)


def buffer(count: Number) -> Row:
    """Memory for so many doubles that nothing else points to. Raises MemoryError.

    It begins in the middle of a page, far from where `aligned` arrays begin in theirs, and for the same reason.
    """
    context, builder = code().context, code().builder
    whole = context.nrt.allocate(builder, (value(count) * 8 + 2 * PAGE).ir)
    with builder.if_then(cgutils.is_null(builder, whole), likely=False):
        context.call_conv.return_user_exc(builder, MemoryError, ())
    begin = Row(whole).at(PAGE + PAGE // 2 - (Value(builder.ptrtoint(whole, LONG)) & (PAGE - 1)))
    builder.store(whole, builder.bitcast(begin.at(-8).ir, BYTES.as_pointer()))
    return Row(builder.bitcast(begin.ir, DOUBLE.as_pointer()))


def release(row: Row) -> None:
    """Give back the memory of a buffer."""
    builder = code().builder
    whole = builder.load(builder.bitcast(row.at(-1).ir, BYTES.as_pointer()))
    code().context.nrt.free(builder, whole)


# Stencils


def odd(rows: Row | Sequence[Row], place: Number, weights: Sequence[Value]) -> Value:
    """Σ_s w_s (u(place + s) − u(place − s)), s = 1, …; `rows` as for `even`."""
    return _stencil(rows, place, weights, 1)


def even(rows: Row | Sequence[Row], place: Number, weights: Sequence[Value]) -> Value:
    """w_0 u(place) + Σ_s w_s (u(place + s) + u(place − s)).

    `rows` is one row, along which the points lie, or the 2r + 1 rows in which they have the same place.
    """
    return _stencil(rows, place, weights, 0)


def _stencil(rows: Row | Sequence[Row], place: Number, weights: Sequence[Value], parity: int) -> Value:
    reach, weights = len(weights) - 1 + parity, [near(w) for w in weights]

    def at_shift(s: int) -> Value:
        return rows.at(s)[place] if isinstance(rows, Row) else rows[reach + s][place]

    total = None if parity else weights[0] * at_shift(0)
    for s in range(1, reach + 1):
        pair = at_shift(s) - at_shift(-s) if parity else at_shift(s) + at_shift(-s)
        w = weights[s - parity]
        total = w * pair if total is None else fma(w, pair, total)
    assert total is not None
    return total
