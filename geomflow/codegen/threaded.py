"""Compiled functions, called by address on several threads."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from llvmlite import ir
from numba import get_num_threads, types
from numba.core import cgutils
from numba.extending import intrinsic

_LONG = ir.IntType(64)
_BYTES = ir.IntType(8).as_pointer()


def threads() -> int:
    """How many threads there are for this process: one in the child of a process that had several.

    They do not survive a fork, after which the library behind them would end the process.
    """
    return int(get_num_threads()) if _first_process() == os.getpid() else 1


@cache
def _first_process() -> int:
    return os.getpid()


def address(dispatcher: Any) -> int:
    """Where the machine code of a function with one compiled signature lies."""
    compiled = dispatcher.overloads[dispatcher.signatures[0]]
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


@intrinsic
def call_each(typing: Any, address: Any, arguments: Any, count: Any, ranges: Any, failed: Any, threads: Any) -> Any:
    """Call the compiled function at `address` for each row of `ranges`, on so many of Numba's threads.

    The function takes `arguments` and the `count` numbers of the row (`count` is a literal), and returns nothing;
    where it raises an exception the row's entry of `failed` becomes 1, else 0. Numba's threads have to be there
    already, as they are after `numba.get_num_threads()`.
    """
    if not isinstance(count, types.IntegerLiteral):
        return None
    numbers = count.literal_value

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        given = builder.insert_value(ir.Constant(ir.LiteralStructType([_LONG, args[1].type]), ir.Undefined), args[0], 0)
        given = cgutils.alloca_once_value(builder, builder.insert_value(given, args[1], 1))
        starts = [context.make_array(kind)(context, builder, value).data
                  for kind, value in ((ranges, args[3]), (failed, args[4]))]
        rows = context.make_array(failed)(context, builder, args[4]).nitems
        kernel = _kernel(context, builder, arguments.types, given.type, numbers)
        words = [cgutils.pack_array(builder, [builder.bitcast(s, _BYTES) for s in starts]),
                 cgutils.pack_array(builder, [rows]),
                 cgutils.pack_array(builder, [_LONG(8 * numbers), _LONG(8)])]
        pointers = [kernel, *(cgutils.alloca_once_value(builder, word) for word in words), given]
        run = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [_BYTES] * 5 + [_LONG] * 3), "numba_parallel_for")
        builder.call(run, [builder.bitcast(p, _BYTES) for p in pointers] + [_LONG(0), _LONG(2), args[5]])
        return context.get_dummy_value()

    return types.void(address, arguments, count, ranges, failed, threads), build


def _kernel(context: Any, builder: Any, kinds: Any, given: Any, numbers: int) -> Any:
    """What each thread runs, as Numba's threads call it: arrays from the first row on, their lengths and steps."""
    pointer = _LONG.as_pointer()
    kernel = ir.Function(builder.module, ir.FunctionType(
        ir.VoidType(), [_BYTES.as_pointer(), pointer, pointer, _BYTES]), f"{builder.function.name}.each")
    kernel.linkage = "internal"
    inner = ir.IRBuilder(kernel.append_basic_block())
    arrays, lengths, _, data = kernel.args
    ranges, failed = (inner.bitcast(inner.load(cgutils.gep_inbounds(inner, arrays, q)), pointer) for q in range(2))
    where, arguments = cgutils.unpack_tuple(inner, inner.load(inner.bitcast(data, given)), 2)
    values = cgutils.unpack_tuple(inner, arguments)
    convention, types_ = context.call_conv, (*kinds, *[types.int64] * numbers)
    function = inner.inttoptr(where, convention.get_function_type(types.none, types_).as_pointer())
    with cgutils.for_range(inner, inner.load(lengths)) as row:
        first = inner.mul(row.index, _LONG(numbers))
        bounds = [inner.load(inner.gep(ranges, [inner.add(first, _LONG(q))])) for q in range(numbers)]
        status, _ = convention.call_function(inner, function, types.none, types_, [*values, *bounds])
        inner.store(inner.zext(status.is_error, _LONG), inner.gep(failed, [row.index]))
    inner.ret_void()
    return kernel
