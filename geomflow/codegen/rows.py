"""Lines of arrays, buffers and stencils in generated code.

A row is the address of a number: row[n] is the n-th from there, before it too. Nothing is checked.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from geomflow.codegen.mathematics import Value, multiply_add

_DOUBLE, _LONG = ir.DoubleType(), ir.IntType(64)
_ROW = types.CPointer(types.float64)
_LINE = 64
"""Bytes of a cache line."""


@intrinsic
def row(typing: Any, array: Any, index: Any) -> Any:
    """Where a line of an array begins, given all its indices but the last; row[n] is its n-th number."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        held_array = context.make_array(signature.args[0])(context, builder, args[0])
        extents = cgutils.unpack_tuple(builder, held_array.shape)
        place = ir.Constant(_LONG, 0)
        for number, extent in zip([*cgutils.unpack_tuple(builder, args[1]), ir.Constant(_LONG, 0)], extents):
            place = builder.add(builder.mul(place, extent), number)
        return builder.gep(held_array.data, [place])

    return _ROW(array, types.UniTuple(types.int64, len(index))), build


@intrinsic
def at(typing: Any, row: Any, count: Any) -> Any:
    """The address so many numbers further on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return _ROW(_ROW, types.int64), build


@intrinsic
def around(typing: Any, row: Any, numbers: Any, stride: Any) -> Any:
    """The addresses of several rows: `stride` times each of `numbers` further on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = [builder.gep(args[0], [builder.mul(n, args[2])]) for n in cgutils.unpack_tuple(builder, args[1])]
        return context.make_tuple(builder, signature.return_type, rows)

    return types.UniTuple(_ROW, len(numbers))(_ROW, types.UniTuple(types.int64, len(numbers)), types.int64), build


@intrinsic
def periodic(typing: Any, number: Any, size: Any) -> Any:
    """A number that is less than one period off, in [0, size)."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        n, period = args
        low = builder.select(builder.icmp_signed("<", n, ir.Constant(_LONG, 0)), builder.add(n, period), n)
        return builder.select(builder.icmp_signed(">=", low, period), builder.sub(low, period), low)

    return types.int64(types.int64, types.int64), build


@intrinsic
def buffer(typing: Any, count: Any) -> Any:
    """Memory for so many numbers that begins on a cache line and that nothing else points to. Raises MemoryError."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        size = builder.add(builder.mul(args[0], ir.Constant(_LONG, 8)), ir.Constant(_LONG, 2 * _LINE))
        whole = context.nrt.allocate(builder, size)
        with builder.if_then(cgutils.is_null(builder, whole), likely=False):
            context.call_conv.return_user_exc(builder, MemoryError, ())
        misplaced = builder.and_(builder.ptrtoint(whole, _LONG), ir.Constant(_LONG, _LINE - 1))
        begin = builder.gep(whole, [builder.sub(ir.Constant(_LONG, 2 * _LINE), misplaced)])
        builder.store(whole, builder.bitcast(builder.gep(begin, [ir.Constant(_LONG, -8)]), whole.type.as_pointer()))
        return builder.bitcast(begin, _DOUBLE.as_pointer())

    return _ROW(types.int64), build


@intrinsic
def release(typing: Any, row: Any) -> Any:
    """Give back the memory of a buffer."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        begin = builder.bitcast(args[0], cgutils.voidptr_t)
        place = builder.bitcast(builder.gep(begin, [ir.Constant(_LONG, -8)]), begin.type.as_pointer())
        context.nrt.free(builder, builder.load(place))
        return context.get_dummy_value()

    return types.void(_ROW), build


@intrinsic
def odd(typing: Any, rows: Any, place: Any, weights: Any) -> Any:
    """Σ_s w_s (u(place + s) − u(place − s)), s = 1, …; `rows` as for `even`."""
    return _stencil(rows, weights, 1)


@intrinsic
def even(typing: Any, rows: Any, place: Any, weights: Any) -> Any:
    """w_0 u(place) + Σ_s w_s (u(place + s) + u(place − s)).

    `rows` is one row, along which the points lie, or the 2r + 1 rows in which they have the same place.
    """
    return _stencil(rows, weights, 0)


def _stencil(rows: Any, weights: Any, parity: int) -> Any:
    across = isinstance(rows, types.BaseTuple)
    reach = len(weights) - 1 + parity

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        factors = [Value(builder, w) for w in cgutils.unpack_tuple(builder, args[2])]
        held_rows = cgutils.unpack_tuple(builder, args[0]) if across else []

        def at_shift(s: int) -> Value:
            row = held_rows[reach + s] if across else builder.gep(args[0], [ir.Constant(_LONG, s)])
            return Value(builder, builder.load(builder.gep(row, [args[1]])))

        total = None if parity else factors[0] * at_shift(0)
        for s in range(1, reach + 1):
            pair = at_shift(s) - at_shift(-s) if parity else at_shift(s) + at_shift(-s)
            w = factors[s - parity]
            total = w * pair if total is None else multiply_add(w, pair, total)
        assert total is not None
        return total.ir

    return types.float64(rows, types.int64, weights), build
