"""Calling a compiled routine by its address, from compiled code."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


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
        return builder.zext(status.is_error, ir.IntType(64))

    return types.int64(types.int64, arguments), build


def address(dispatcher: Any) -> int:
    """Where the machine code of a function with one compiled signature lies."""
    compiled = dispatcher.overloads[dispatcher.signatures[0]]
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))
