"""The elementary operations that generated routines are made of.

All are branch-free, so that LLVM turns a loop over them into vector instructions, and none depends on
whether a point is computed in a vector or on its own: results do not change with the number of threads.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import njit, types
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
def select(typing: Any, condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y; both are computed."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(*args)

    return types.float64(types.boolean, types.float64, types.float64), build


@intrinsic
def noalias(typing: Any) -> Any:
    """Promise that no two array arguments of the calling function overlap where one is written."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for argument in builder.function.args:
            if isinstance(argument.type, ir.PointerType):
                argument.add_attribute("noalias")
        return context.get_dummy_value()

    return types.void(), build


@intrinsic
def vectors(typing: Any, bits: Any) -> Any:
    """Ask for vectors of so many bits in the loops of the calling function."""
    if not isinstance(bits, types.IntegerLiteral):
        return None

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wanted = f'"prefer-vector-width"="{bits.literal_value}"'
        set.add(builder.function.attributes, wanted)  # llvmlite knows no attributes of targets
        return context.get_dummy_value()

    return types.void(bits), build


@intrinsic
def held(typing: Any, x: Any) -> Any:
    """x itself, kept ready outside of loops: a number of which the compiler does not know what it is.

    Numbers that it knows it loads anew in every round, in two instructions each.
    """

    kind = types.float32 if x == types.float32 else types.float64

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole = _LONG if kind == types.float64 else ir.IntType(32)
        return builder.bitcast(_held(builder, builder.bitcast(args[0], whole)), args[0].type)

    return kind(kind), build


def _held(builder: Any, whole: Any) -> Any:
    same = ir.InlineAsm(ir.FunctionType(whole.type, [whole.type]), "", "=r,0", side_effect=False)
    return builder.call(same, [whole], attrs=("nounwind", "readnone"))


# Functions, written as formulas over values of code that is being built


@dataclass(frozen=True)
class Value:
    """A double, a 64-bit integer or a truth value in code; what is done to it becomes an instruction."""

    builder: Any
    ir: Any

    def _with(self, instruction: str, other: Value | float) -> Value:
        return Value(self.builder, getattr(self.builder, instruction)(self.ir, self.like(other).ir))

    def like(self, other: Value | float) -> Value:
        """A number of this type, held outside of loops; a value as it is."""
        if isinstance(other, Value):
            return other
        is_long = self.ir.type == _LONG
        kept = Value(self.builder, _held(self.builder, ir.Constant(_LONG, other if is_long else _bits(other))))
        return kept if is_long else kept.double

    def _arithmetic(self, name: str, other: Value | float) -> Value:
        return self._with(name if self.ir.type == _LONG else f"f{name}", other)

    def __add__(self, other: Value | float) -> Value:
        return self._arithmetic("add", other)

    def __sub__(self, other: Value | float) -> Value:
        return self._arithmetic("sub", other)

    def __mul__(self, other: Value | float) -> Value:
        return self._arithmetic("mul", other)

    def __truediv__(self, other: Value) -> Value:
        return self._with("fdiv", other)

    def __neg__(self) -> Value:
        return Value(self.builder, self.builder.fneg(self.ir))

    def __and__(self, other: int) -> Value:
        return self._with("and_", other)

    def __or__(self, other: int) -> Value:
        return self._with("or_", other)

    def __rshift__(self, count: int) -> Value:
        return Value(self.builder, self.builder.lshr(self.ir, ir.Constant(_LONG, count)))

    def __lshift__(self, count: int) -> Value:
        return Value(self.builder, self.builder.shl(self.ir, ir.Constant(_LONG, count)))

    def __lt__(self, other: float) -> Value:
        return Value(self.builder, self.builder.fcmp_ordered("<", self.ir, self.like(other).ir))

    def __gt__(self, other: float) -> Value:
        return Value(self.builder, self.builder.fcmp_ordered(">", self.ir, self.like(other).ir))

    @property
    def bits(self) -> Value:
        """The 64 bits of a double as an integer."""
        return Value(self.builder, self.builder.bitcast(self.ir, _LONG))

    @property
    def double(self) -> Value:
        """The double that has these bits."""
        return Value(self.builder, self.builder.bitcast(self.ir, _DOUBLE))

    def where(self, x: Value | float, y: Value) -> Value:
        """x where this truth value holds, else y."""
        return Value(self.builder, self.builder.select(self.ir, y.like(x).ir, y.ir))


def _bits(x: float) -> int:
    return int.from_bytes(struct.pack("<d", x), "little", signed=True)


def _polynomial(x: Value, *coefficients: float) -> Value:
    """Coefficients from the highest power down."""
    total = x.like(coefficients[0])
    for c in coefficients[1:]:
        total = multiply_add(x, total, c)
    return total


def multiply_add(x: Value, y: Value | float, z: Value | float) -> Value:
    """x y + z, rounded once where the processor can."""
    kind = ir.FunctionType(_DOUBLE, [_DOUBLE] * 3)
    function = x.builder.module.declare_intrinsic("llvm.fmuladd", [_DOUBLE], kind)
    return Value(x.builder, x.builder.call(function, [x.ir, x.like(y).ir, x.like(z).ir]))


_TINY = 2.0**-1022
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_UNIT = 2.0**52
_ROUND = 1.5 * _UNIT


def _log(x: Value) -> Value:
    n = x.bits
    shifted = (n - 0x3FE6A09E667F3BCD) & -0x10000000000000
    k = (((shifted + 0x3FF0000000000000) >> 52) & 0x7FF | 0x4330000000000000).double - (_UNIT + 1023.0)
    m = (n - shifted).double
    f = m - 1.0
    s = f / (m + 1.0)
    z = s * s
    z2 = z * z
    even = _polynomial(z2, 1.479819860511658591e-01, 1.818357216161805012e-01, 2.857142874366239149e-01,
                       6.666666666666735130e-01)
    odd = _polynomial(z2, 1.531383769920937332e-01, 2.222219843214978396e-01, 3.999999999940941908e-01)
    r = f - multiply_add(s, multiply_add(z, -multiply_add(z, odd, even), f), k * -_LN2_LOW)
    finite = (x < math.inf).where(multiply_add(k, _LN2_HIGH, r), x)
    return (x < _TINY).where((x < 0.0).where(math.nan, x.like(-math.inf)), finite)


def _exp(x: Value) -> Value:
    y = (x > 710.0).where(710.0, (x < -746.0).where(-746.0, x))
    shifted = multiply_add(y, 1.4426950408889634, _ROUND)
    k = shifted - _ROUND
    r = multiply_add(k, -_LN2_LOW, multiply_add(k, -_LN2_HIGH, y))
    r2 = r * r
    even = _polynomial(r2, 1 / 479001600, 1 / 3628800, 1 / 40320, 1 / 720, 1 / 24)
    odd = _polynomial(r2, 1 / 6227020800, 1 / 39916800, 1 / 362880, 1 / 5040, 1 / 120)
    tail = multiply_add(r2, multiply_add(r, odd, even), multiply_add(r, 1 / 6, 0.5))
    value = multiply_add(r2, tail, r) + 1.0
    n = shifted.bits - (_bits(_ROUND) - 2048)
    half = n >> 1
    return value * ((half - 1) << 52).double * ((n - half - 1) << 52).double


@intrinsic
def log(typing: Any, x: Any) -> Any:
    """The natural logarithm to 0.9 units in the last place.

    x = 2**k m with m in [sqrt(1/2), sqrt(2)), log m = f - s (f - R(s**2)) with f = m - 1, s = f / (2 + f) and
    the polynomial R of FreeBSD's msun. log 0 = -inf, numbers below 2**-1022 count as zero, and the logarithm
    of a negative number is NaN.
    """
    return _function(_log)


@intrinsic
def exp(typing: Any, x: Any) -> Any:
    """The exponential to 1 unit in the last place, gradually underflowing and overflowing to infinity.

    x = k log 2 + r with |r| <= log(2)/2, and e**r by its Taylor polynomial of degree 13.
    """
    return _function(_exp)


@intrinsic
def sign(typing: Any, x: Any) -> Any:
    """-1, 0 or 1; NaN for NaN."""
    return _function(lambda x: (x > 0.0).where(1.0, (x < 0.0).where(-1.0, x)))


def _function(formula: Callable[[Value], Value]) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return formula(Value(builder, args[0])).ir

    return types.float64(types.float64), build


@njit(error_model="numpy")
def complex_sign(z: complex) -> complex:
    """z/|z|, and 0 at 0."""
    size = abs(z)
    return z / size if size != 0.0 else z


@njit(error_model="numpy")
def erf(x: float) -> float:
    """The error function."""
    return math.erf(x)
