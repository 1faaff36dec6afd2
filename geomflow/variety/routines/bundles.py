"""Bundles: one complex number at each of a few points, as one value in code that is written.

What is done to bundles becomes vector instructions as it stands: no loop over points has to be found and turned into
them. A row of bundles is one of doubles that holds the real parts of one, then its imaginary parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from geomflow.codegen.building import DOUBLE, Number, Row, code, converted

#: Points in a bundle.
LANES = 8

_NUMBERS = ir.VectorType(DOUBLE, LANES)
_FUSED = ("contract",)


@dataclass(frozen=True)
class Bundle:
    """A complex number at each point, as a vector of real and one of imaginary parts; products and sums are fused."""

    real: Any
    imag: Any

    def __add__(self, other: Bundle) -> Bundle:
        return Bundle(_fused("fadd", self.real, other.real), _fused("fadd", self.imag, other.imag))

    def __mul__(self, other: Bundle) -> Bundle:
        return Bundle(_crossed("fsub", self.real, other.real, self.imag, other.imag),
                      _crossed("fadd", self.real, other.imag, self.imag, other.real))

    def conjugate(self) -> Bundle:
        """z̄."""
        return Bundle(self.real, code().builder.fneg(self.imag))


def _fused(instruction: str, x: Any, y: Any) -> Any:
    return getattr(code().builder, instruction)(x, y, flags=_FUSED)


def _crossed(last: str, a: Any, b: Any, c: Any, d: Any) -> Any:
    return _fused(last, _fused("fmul", a, b), _fused("fmul", c, d))


def spread(real: Number, imag: Number = 0.0) -> Bundle:
    """The bundle that is one number at every point."""
    return Bundle(_spread(real), _spread(imag))


def _spread(number: Number) -> Any:
    builder, whole = code().builder, ir.IntType(32)
    none = ir.Constant(_NUMBERS, ir.Undefined)
    one = builder.insert_element(none, converted(number, DOUBLE).ir, ir.Constant(whole, 0))
    return builder.shuffle_vector(one, none, ir.Constant(ir.VectorType(whole, LANES), [0] * LANES))


class Bundles:
    """Bundles that follow each other in a row of doubles: b[n] is the n-th."""

    def __init__(self, row: Row) -> None:
        self._row = row

    def __getitem__(self, place: Number) -> Bundle:
        halves = [code().builder.load(half) for half in self._halves(place)]
        for half in halves:
            half.align = 8
        return Bundle(*halves)

    def __setitem__(self, place: Number, bundle: Bundle) -> None:
        for half, part in zip(self._halves(place), (bundle.real, bundle.imag)):
            code().builder.store(part, half).align = 8

    def _halves(self, place: Number) -> list[Any]:
        begin = self._row.at(2 * LANES * place)
        return [code().builder.bitcast(begin.at(shift).ir, _NUMBERS.as_pointer()) for shift in (0, LANES)]

    def at(self, count: Number) -> Bundles:
        """Those from so many further on."""
        return Bundles(self._row.at(2 * LANES * count))

    def lane(self, place: Number, lane: Number) -> tuple[Row, Row]:
        """Where the parts of the number of one point lie."""
        begin = self._row.at(2 * LANES * place + lane)
        return begin, begin.at(LANES)
