"""The elementary operations of generated routines, for functions of Numba that are written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from geomflow.codegen import instructions
from geomflow.codegen.building import LONG, Value, hidden, written
from geomflow.codegen.compiling import tell_of_compiling

tell_of_compiling()


def _of_doubles(formula: Callable[..., Value], count: int) -> Any:
    """How Numba is told of a formula in so many doubles."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        with written(context, builder):
            return formula(*map(Value, args)).ir

    return types.float64(*[types.float64] * count), build


@intrinsic
def fma(typing: Any, x: Any, y: Any, z: Any) -> Any:
    """x*y + z, rounded once where the processor can."""
    return _of_doubles(instructions.fma, 3)


@intrinsic
def log(typing: Any, x: Any) -> Any:
    """The natural logarithm to 0.9 units in the last place, as in generated code."""
    return _of_doubles(instructions.log, 1)


@intrinsic
def exp(typing: Any, x: Any) -> Any:
    """The exponential to 1 unit in the last place, as in generated code."""
    return _of_doubles(instructions.exp, 1)


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
        with written(context, builder):
            instructions.noalias()
        return context.get_dummy_value()

    return types.void(), build


@intrinsic
def held(typing: Any, x: Any) -> Any:
    """x itself, kept ready outside of loops: a number of which the compiler does not know what it is.

    Numbers that it knows it loads anew in every round, in two instructions each.
    """
    kind = types.float32 if x == types.float32 else types.float64

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole = LONG if kind == types.float64 else ir.IntType(32)
        return builder.bitcast(hidden(builder, builder.bitcast(args[0], whole)), args[0].type)

    return kind(kind), build
