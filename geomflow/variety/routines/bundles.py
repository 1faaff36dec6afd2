"""Bundles: one complex number at each of a few points, as one value in compiled functions.

What is done to bundles becomes vector instructions as it stands: no loop over points has to be found and turned into
them. An array of bundles is a flat array of doubles that holds the real parts of one, then its imaginary parts.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

#: Points in a bundle.
LANES = 8

_NUMBERS = ir.VectorType(ir.DoubleType(), LANES)
_PAIR = ir.LiteralStructType([_NUMBERS, _NUMBERS])


class Bundle(types.Type):
    """The type of a bundle."""

    def __init__(self) -> None:
        super().__init__("Bundle")


BUNDLE = Bundle()


@register_model(Bundle)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _PAIR)


def _parts(builder: Any, bundle: Any) -> tuple[Any, Any]:
    return builder.extract_value(bundle, 0), builder.extract_value(bundle, 1)


def _pair(builder: Any, real: Any, imaginary: Any) -> Any:
    half = builder.insert_value(ir.Constant(_PAIR, ir.Undefined), real, 0)
    return builder.insert_value(half, imaginary, 1)


_FUSED = ("contract",)


def _sum(builder: Any, x: Any, y: Any) -> Any:
    (a, b), (c, d) = _parts(builder, x), _parts(builder, y)
    return _pair(builder, builder.fadd(a, c, flags=_FUSED), builder.fadd(b, d, flags=_FUSED))


def _product(builder: Any, x: Any, y: Any) -> Any:
    (a, b), (c, d) = _parts(builder, x), _parts(builder, y)
    return _pair(builder, _crossed(builder, "fsub", a, c, b, d), _crossed(builder, "fadd", a, d, b, c))


def _crossed(builder: Any, last: str, a: Any, b: Any, c: Any, d: Any) -> Any:
    products = builder.fmul(a, b, flags=_FUSED), builder.fmul(c, d, flags=_FUSED)
    return getattr(builder, last)(*products, flags=_FUSED)


def _offer(symbol: Callable[[Any, Any], Any], formula: Callable[..., Any]) -> None:
    """Let `symbol` of two bundles be a formula."""
    infer_global(symbol)(type("_Typed", (ConcreteTemplate,), {"cases": [signature(BUNDLE, BUNDLE, BUNDLE)]}))
    lower_builtin(symbol, BUNDLE, BUNDLE)(lambda context, builder, signature, args: formula(builder, *args))


_offer(operator.add, _sum)
_offer(operator.mul, _product)


@intrinsic
def conjugate(typing: Any, x: Any) -> Any:
    """x̄."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        real, imaginary = _parts(builder, args[0])
        return _pair(builder, real, builder.fneg(imaginary))

    return BUNDLE(BUNDLE), build


@intrinsic
def spread(typing: Any, real: Any, imaginary: Any) -> Any:
    """The bundle that is one number at every point."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _pair(builder, *(_spread(builder, x) for x in args))

    return BUNDLE(types.float64, types.float64), build


def _spread(builder: Any, number: Any) -> Any:
    whole = ir.IntType(32)
    one = builder.insert_element(ir.Constant(_NUMBERS, ir.Undefined), number, ir.Constant(whole, 0))
    return builder.shuffle_vector(one, ir.Constant(_NUMBERS, ir.Undefined),
                                  ir.Constant(ir.VectorType(whole, LANES), [0] * LANES))


@intrinsic
def load(typing: Any, numbers: Any, place: Any) -> Any:
    """The bundle `place` of a flat array."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        halves = [builder.load(half) for half in _halves(context, builder, signature.args[0], *args)]
        for half in halves:
            half.align = 8
        return _pair(builder, *halves)

    return BUNDLE(numbers, types.intp), build


@intrinsic
def store(typing: Any, numbers: Any, place: Any, value: Any) -> Any:
    """Write the bundle `place` of a flat array."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        halves = _halves(context, builder, signature.args[0], *args[:2])
        for half, part in zip(halves, _parts(builder, args[2])):
            builder.store(part, half).align = 8
        return context.get_dummy_value()

    return types.void(numbers, types.intp, BUNDLE), build


def _halves(context: Any, builder: Any, kind: Any, numbers: Any, place: Any) -> list[Any]:
    data = context.make_array(kind)(context, builder, numbers).data
    first = builder.mul(place, ir.Constant(place.type, 2 * LANES))
    last = builder.add(first, ir.Constant(place.type, LANES))
    return [builder.bitcast(builder.gep(data, [at]), _NUMBERS.as_pointer()) for at in (first, last)]
