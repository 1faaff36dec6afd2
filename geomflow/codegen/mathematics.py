"""The elementary operations that generated routines are made of, and calls of one routine by another.

All are branch-free, so that LLVM turns a loop over them into vector instructions, and none depends on
whether a point is computed in a vector or on its own: results do not change with the number of threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_DOUBLE, _LONG = ir.DoubleType(), ir.IntType(64)
_TRIPLE = types.float64(types.float64, types.float64, types.float64)


@intrinsic
def fma(typing: Any, x: Any, y: Any, z: Any) -> Any:
    """x*y + z, rounded once where the processor can."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_DOUBLE, [_DOUBLE] * 3)
        return builder.call(builder.module.declare_intrinsic("llvm.fmuladd", [_DOUBLE], kind), args)

    return _TRIPLE, build


@intrinsic
def bits(typing: Any, x: Any) -> Any:
    """The 64 bits of a double as an integer."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _LONG)

    return types.int64(types.float64), build


@intrinsic
def double(typing: Any, n: Any) -> Any:
    """The double that has the bits of an integer."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _DOUBLE)

    return types.float64(types.int64), build


@intrinsic
def select(typing: Any, condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y; both are computed."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(*args)

    return types.float64(types.boolean, types.float64, types.float64), build


@intrinsic
def below(typing: Any, m: Any, n: Any) -> Any:
    """m < n for the integers read as unsigned."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.icmp_unsigned("<", *args)

    return types.boolean(types.int64, types.int64), build


@intrinsic
def noalias(typing: Any) -> Any:
    """Promise that no two array arguments of the calling function overlap where one is written."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for argument in builder.function.args:
            if isinstance(argument.type, ir.PointerType):
                argument.add_attribute("noalias")
        return context.get_dummy_value()

    return types.void(), build


_TINY = 2.0**-1022
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LOG_HIGH, _LOG_LOW = _LN2_HIGH * 2.0**-52, _LN2_LOW * 2.0**-52


@njit(error_model="numpy")
def log(x: float) -> float:
    """The natural logarithm to 0.9 units in the last place.

    x = 2**k m with m in [sqrt(1/2), sqrt(2)), log m = f - s (f - R(s**2)) with f = m - 1, s = f / (2 + f) and
    the polynomial R of FreeBSD's msun. log 0 = -inf, numbers below 2**-1022 count as zero, and the logarithm
    of a negative number is NaN.
    """
    n = bits(x)
    shifted = (n - 0x3FE6A09E667F3BCD) & -0x10000000000000
    k = float(shifted)
    m = double(n - shifted)
    f = m - 1.0
    s = f / (m + 1.0)
    z = s * s
    z2 = z * z
    even = fma(z2, fma(z2, fma(z2, 1.479819860511658591e-01, 1.818357216161805012e-01), 2.857142874366239149e-01),
               6.666666666666735130e-01)
    odd = fma(z2, fma(z2, 1.531383769920937332e-01, 2.222219843214978396e-01), 3.999999999940941908e-01)
    r = f - fma(s, fma(z, -fma(z, odd, even), f), k * -_LOG_LOW)
    ordinary = below(n - 0x0010000000000000, 0x7FE0000000000000)
    special = select(x < 0.0, np.nan, select(x < _TINY, -np.inf, x))
    return select(ordinary, fma(k, _LOG_HIGH, r), special)


_ROUND = 1.5 * 2.0**52


@njit(error_model="numpy")
def exp(x: float) -> float:
    """The exponential to 1 unit in the last place, gradually underflowing and overflowing to infinity.

    x = k log 2 + r with |r| <= log(2)/2, and e**r by its Taylor polynomial of degree 13.
    """
    y = select(x > 710.0, 710.0, select(x < -746.0, -746.0, x))
    shifted = fma(y, 1.4426950408889634, _ROUND)
    k = shifted - _ROUND
    r = fma(k, -_LN2_LOW, fma(k, -_LN2_HIGH, y))
    r2 = r * r
    even = fma(r2, fma(r2, fma(r2, fma(r2, 1 / 479001600, 1 / 3628800), 1 / 40320), 1 / 720), 1 / 24)
    odd = fma(r2, fma(r2, fma(r2, fma(r2, 1 / 6227020800, 1 / 39916800), 1 / 362880), 1 / 5040), 1 / 120)
    tail = fma(r2, fma(r, odd, even), fma(r, 1 / 6, 0.5))
    value = 1.0 + fma(r2, tail, r)
    n = bits(shifted) - bits(_ROUND)
    half = n >> 1
    return value * double((half + 1023) << 52) * double((n - half + 1023) << 52)


@njit(error_model="numpy")
def sign(x: float) -> float:
    """-1, 0 or 1; NaN for NaN."""
    return select(x > 0.0, 1.0, select(x < 0.0, -1.0, x))


@njit(error_model="numpy")
def complex_sign(z: complex) -> complex:
    """z/|z|, and 0 at 0."""
    size = abs(z)
    return z / size if size != 0.0 else z


@njit(error_model="numpy")
def erf(x: float) -> float:
    """The error function."""
    return math.erf(x)


@intrinsic
def call(typing: Any, address: Any, arguments: Any) -> Any:
    """Call the compiled function at `address`, which returns nothing; 1 if it raised an exception, else 0."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args[1].types
        convention = context.call_conv
        pointer = convention.get_function_type(types.none, kinds).as_pointer()
        function = builder.inttoptr(args[0], pointer)
        values = cgutils.unpack_tuple(builder, args[1])
        status, _ = convention.call_function(builder, function, types.none, kinds, values)
        return builder.zext(status.is_error, _LONG)

    return types.int64(types.int64, arguments), build


def address(dispatcher: Any) -> int:
    """Where the machine code of a function with one compiled signature lies."""
    compiled = dispatcher.overloads[dispatcher.signatures[0]]
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))
