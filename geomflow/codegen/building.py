"""Machine code that a Python function writes: each of its operations becomes an instruction, each loop a loop.

A function of generated code runs once, while it is compiled, on values that stand for numbers of the machine. So the
compiler's front end does not read it: neither types are inferred nor is its text taken apart.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing import signature
from numba.extending import intrinsic

from geomflow.core.memory import LINE

DOUBLE, LONG, BYTES = ir.DoubleType(), ir.IntType(64), ir.IntType(8).as_pointer()
COMPLEX = ir.LiteralStructType([DOUBLE, DOUBLE])
KINDS = {DOUBLE: types.float64, LONG: types.int64, COMPLEX: types.complex128}
"""The kinds of numbers that code computes with, as LLVM and as Numba name them."""


@dataclass(frozen=True)
class Code:
    """The code that is being written: Numba's context, LLVM's builder, the block before the loop that it is in (the
    first where it is in none), and the numbers kept ready there."""

    context: Any
    builder: Any
    before: Any
    ready: dict[Any, Any] = field(default_factory=dict)

    def keep(self, number: Any) -> Any:
        """The integer or double, of which the compiler does not know what it is, made ready before the loop."""
        if number not in self.ready:
            with self.builder.goto_block(self.before):
                whole = hidden(self.builder, self.builder.bitcast(number, LONG))
                self.ready[number] = self.builder.bitcast(whole, number.type)
        return self.ready[number]


_CODE: ContextVar[Code] = ContextVar("the code that is being written")


def code() -> Code:
    """The code that is being written."""
    return _CODE.get()


@contextmanager
def written(context: Any, builder: Any) -> Iterator[None]:
    """Within it, values and loops become instructions there."""
    token = _CODE.set(Code(context, builder, builder.function.entry_basic_block))
    try:
        yield
    finally:
        _CODE.reset(token)


def instructions(function: Callable[..., None]) -> Any:
    """Turn a function of arrays and whole numbers, which writes code, into one of their tuple for Numba's functions."""

    def typed(typing: Any, given: Any) -> Any:
        def build(context: Any, builder: Any, known: Any, args: Any) -> Any:
            arguments = zip(given.types, cgutils.unpack_tuple(builder, args[0]))
            builder.function.attributes.alignstack = LINE  # so that wide registers laid down there cross no line
            with written(context, builder):
                function(*(Array.of(k, a) if isinstance(k, types.Array) else Value(a) for k, a in arguments))
            return context.get_dummy_value()

        return types.void(given), build

    return intrinsic(typed)


# Numbers


class Value:
    """A double, a 64-bit integer, a complex number or a truth value in code."""

    def __init__(self, ir: Any) -> None:
        self.ir = ir

    def __add__(self, other: Number) -> Value:
        return _operation("add", self, other)

    def __radd__(self, other: Number) -> Value:
        return _operation("add", other, self)

    def __sub__(self, other: Number) -> Value:
        return _operation("sub", self, other)

    def __rsub__(self, other: Number) -> Value:
        return _operation("sub", other, self)

    def __mul__(self, other: Number) -> Value:
        return _operation("mul", self, other)

    def __rmul__(self, other: Number) -> Value:
        return _operation("mul", other, self)

    def __truediv__(self, other: Number) -> Value:
        return _operation("truediv", self, other)

    def __rtruediv__(self, other: Number) -> Value:
        return _operation("truediv", other, self)

    def __pow__(self, other: Number) -> Value:
        return library(operator.pow, *alike(self, other))

    def __mod__(self, other: Number) -> Value:
        """The remainder of an integer by a positive one, which is not negative."""
        left, right = alike(self, other)
        rest = Value(code().builder.srem(left.ir, right.ir))
        return where(rest < 0, rest + right, rest)

    def __floordiv__(self, other: Number) -> Value:
        """The quotient of an integer that is not negative by a positive one."""
        left, right = alike(self, other)
        return Value(code().builder.sdiv(left.ir, right.ir))

    def __neg__(self) -> Value:
        if self.ir.type == COMPLEX:
            return library(operator.neg, self)
        builder = code().builder
        return Value(builder.neg(self.ir) if self.ir.type == LONG else builder.fneg(self.ir))

    def __and__(self, other: Number) -> Value:
        return self._joined("and_", other)

    def __or__(self, other: Number) -> Value:
        return self._joined("or_", other)

    def __rshift__(self, count: int) -> Value:
        return self._joined("lshr", count)

    def __lshift__(self, count: int) -> Value:
        return self._joined("shl", count)

    def _joined(self, instruction: str, other: Number) -> Value:
        return Value(getattr(code().builder, instruction)(self.ir, value(other).ir))

    def __lt__(self, other: Number) -> Value:
        return _comparison("<", self, other)

    def __gt__(self, other: Number) -> Value:
        return _comparison(">", self, other)

    def __ge__(self, other: Number) -> Value:
        return _comparison(">=", self, other)

    def __eq__(self, other: object) -> Any:
        return _comparison("==", self, other)

    def __hash__(self) -> int:
        return id(self)

    @property
    def bits(self) -> Value:
        """The 64 bits of a double as an integer."""
        return Value(code().builder.bitcast(self.ir, LONG))

    @property
    def double(self) -> Value:
        """The double that has these bits."""
        return Value(code().builder.bitcast(self.ir, DOUBLE))


Number = Value | int | float | complex


def value(number: Number) -> Value:
    """A number of Python in code: an integer as it is, others kept ready outside of loops."""
    if isinstance(number, Value):
        return number
    if isinstance(number, int):
        return Value(ir.Constant(LONG, number))
    if isinstance(number, complex):
        return Value(cgutils.pack_struct(code().builder, [held(part).ir for part in (number.real, number.imag)]))
    return held(number)


def held(number: float) -> Value:
    """A number of which the compiler does not know what it is, made ready before the innermost loop.

    Numbers that it knows it loads anew in every round of a loop, in two instructions each. Numbers that are ready from
    the first line on take the registers from the loops that do not need them.
    """
    return Value(code().keep(ir.Constant(LONG if isinstance(number, int) else DOUBLE, number)))


def near(number: Value) -> Value:
    """A double from outside all loops, made ready before the innermost one, as `held` ones are."""
    return Value(code().keep(number.ir))


def hidden(builder: Any, whole: Any) -> Any:
    """An integer of which the compiler does not know what it is."""
    same = ir.InlineAsm(ir.FunctionType(whole.type, [whole.type]), "", "=r,0", side_effect=False)
    return builder.call(same, [whole], attrs=("nounwind", "readnone"))


def converted(number: Number, kind: Any) -> Value:
    """A number as one of that kind: integers among doubles, both among complex numbers."""
    known = value(float(number) if isinstance(number, int) and kind != LONG else number)
    if known.ir.type == LONG and kind != LONG:
        known = Value(code().builder.sitofp(known.ir, DOUBLE))
    if known.ir.type == DOUBLE and kind == COMPLEX:
        return Value(cgutils.pack_struct(code().builder, [known.ir, held(0.0).ir]))
    return known


def alike(*numbers: Number) -> list[Value]:
    """Numbers as the widest of their kinds."""
    kinds = [n.ir.type if isinstance(n, Value) else {int: LONG, float: DOUBLE, complex: COMPLEX}[type(n)]
             for n in numbers]
    widest = max(kinds, key=[LONG, DOUBLE, COMPLEX].index)
    return [converted(n, widest) for n in numbers]


def library(function: Any, *arguments: Value, result: Any = None) -> Value:
    """What Numba's own implementation of a function gives, for arguments of one kind."""
    kinds = [KINDS[a.ir.type] for a in arguments]
    implementation = code().context.get_function(function, signature(result or kinds[0], *kinds))
    return Value(implementation(code().builder, [a.ir for a in arguments]))


def _operation(name: str, x: Number, y: Number) -> Value:
    left, right = alike(x, y)
    if left.ir.type == COMPLEX and name == "truediv":
        return _quotient(left, right)
    if left.ir.type == COMPLEX:
        return library(getattr(operator, name), left, right)
    instruction = name if left.ir.type == LONG else "fdiv" if name == "truediv" else f"f{name}"
    return Value(getattr(code().builder, instruction)(left.ir, right.ir))


def parts(number: Value) -> tuple[Value, Value]:
    """The real and the imaginary part of a complex number."""
    real, imag = cgutils.unpack_tuple(code().builder, number.ir, 2)
    return Value(real), Value(imag)


def paired(real: Value, imag: Value) -> Value:
    """The complex number of two doubles."""
    return Value(cgutils.pack_struct(code().builder, [real.ir, imag.ir]))


def _quotient(x: Value, y: Value) -> Value:
    """x/y by R. Smith, Comm. ACM 5 (1962) 435; NaN where y is zero. Numba's own raises an exception there."""
    (a, b), (c, d) = parts(x), parts(y)
    wide = where(c < 0.0, -c, c) >= where(d < 0.0, -d, d)
    large, small = where(wide, c, d), where(wide, d, c)
    ratio = small / large
    scale = large + small * ratio
    return paired(where(wide, a + b * ratio, a * ratio + b) / scale, where(wide, b - a * ratio, b * ratio - a) / scale)


def _comparison(sign: str, x: Number, y: Any) -> Value:
    left, right = alike(x, y)
    builder = code().builder
    compare = builder.icmp_signed if left.ir.type == LONG else builder.fcmp_ordered
    return Value(compare(sign, left.ir, right.ir))


def where(condition: Value, x: Number, y: Number) -> Value:
    """x where the condition holds, else y; both are computed."""
    left, right = alike(x, y)
    return Value(code().builder.select(condition.ir, left.ir, right.ir))


# Arrays, and the flow of control


class Row:
    """The address of a number: row[n] is the n-th from there, before it too. Nothing is checked."""

    def __init__(self, ir: Any) -> None:
        self.ir = ir

    def __getitem__(self, place: Number) -> Value:
        return Value(code().builder.load(self.at(place).ir))

    def __setitem__(self, place: Number, number: Number) -> None:
        code().builder.store(converted(number, self.ir.type.pointee).ir, self.at(place).ir)

    def at(self, count: Number) -> Row:
        """The address so many numbers further on."""
        return Row(code().builder.gep(self.ir, [value(count).ir]))


@dataclass(frozen=True)
class Array:
    """A contiguous array: where it begins, and its extents."""

    begin: Row
    shape: tuple[Value, ...]

    @classmethod
    def of(cls, kind: Any, array: Any) -> Array:
        """An array of Numba's. Raises TypeError unless it is contiguous, last index fastest."""
        if kind.layout != "C":
            raise TypeError(f"generated code takes contiguous arrays, not {kind}")
        held_array = code().context.make_array(kind)(code().context, code().builder, array)
        extents = cgutils.unpack_tuple(code().builder, held_array.shape)
        return cls(Row(held_array.data), tuple(map(Value, extents)))

    def row(self, *index: Number) -> Row:
        """Where the entries with these first indices begin."""
        place = value(0)
        for number, extent in zip((*index, *[0] * (len(self.shape) - len(index))), self.shape):
            place = place * extent + number
        return self.begin.at(place)

    def __getitem__(self, index: Any) -> Value:
        return self.row(*(index if isinstance(index, tuple) else (index,)))[0]

    def __setitem__(self, index: Any, number: Number) -> None:
        self.row(*(index if isinstance(index, tuple) else (index,)))[0] = number


def loop(*bounds: Number) -> Iterator[Value]:
    """`for n in loop(stop)`, `loop(start, stop)` or `loop(start, stop, step)`, as `range` with a positive step."""
    first, last, step = [value(b).ir for b in (*([0] if len(bounds) == 1 else []), *bounds, 1)[:3]]
    builder = code().builder
    before = builder.block
    head, body, after = (builder.append_basic_block() for _ in range(3))
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(LONG)
    index.add_incoming(first, before)
    builder.cbranch(builder.icmp_signed("<", index, last), body, after)
    builder.position_at_end(body)
    token = _CODE.set(replace(code(), before=before, ready={}))
    try:
        yield Value(index)
    finally:
        _CODE.reset(token)
    index.add_incoming(builder.add(index, step, flags=["nsw"]), builder.block)
    builder.branch(head)
    builder.position_at_end(after)


def outer(*bounds: Number) -> Iterator[Value]:
    """`for n in outer(...)`, as `loop`, around other loops.

    The compiler is not told that n counts. It would take long to follow that into every address.
    """
    for n in loop(*bounds):
        yield Value(hidden(code().builder, n.ir))


@contextmanager
def when(condition: Value) -> Iterator[None]:
    """What is written inside runs if the condition holds."""
    with code().builder.if_then(condition.ir):
        yield
