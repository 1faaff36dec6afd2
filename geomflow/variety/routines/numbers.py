"""Complex numbers and variables in code that is written (`geomflow.codegen.building`)."""

from __future__ import annotations

from dataclasses import dataclass

from numba.core import cgutils

from geomflow.codegen.building import DOUBLE, LONG, Array, Number, Row, Value, code, converted


@dataclass(frozen=True)
class Complex:
    """A complex number of two doubles, whose operations are rounded as they stand."""

    real: Value
    imag: Value

    def __add__(self, other: Complex) -> Complex:
        return Complex(self.real + other.real, self.imag + other.imag)

    def __sub__(self, other: Complex) -> Complex:
        return Complex(self.real - other.real, self.imag - other.imag)

    def __mul__(self, other: Complex) -> Complex:
        return Complex(self.real * other.real - self.imag * other.imag, self.real * other.imag + self.imag * other.real)

    def times(self, factor: Number) -> Complex:
        """The product with a double."""
        return Complex(self.real * factor, self.imag * factor)

    def conjugate(self) -> Complex:
        """z̄."""
        return Complex(self.real, -self.imag)

    def squared(self) -> Value:
        """|z|²."""
        return self.real * self.real + self.imag * self.imag

    def reciprocal(self) -> Complex:
        """1/z."""
        return self.conjugate().times(1.0 / self.squared())


def real(number: Number) -> Complex:
    """A double as a complex number."""
    return Complex(converted(number, DOUBLE), converted(0.0, DOUBLE))


class Line:
    """Complex numbers that follow each other: line[n] is the n-th."""

    def __init__(self, row: Row) -> None:
        self._row = Row(code().builder.bitcast(row.ir, DOUBLE.as_pointer()))

    @classmethod
    def of(cls, array: Array, *index: Number) -> Line:
        """Those of an array with these first indices."""
        return cls(array.row(*index))

    def __getitem__(self, place: Number) -> Complex:
        begin = self._row.at(2 * place)
        return Complex(begin[0], begin[1])

    def __setitem__(self, place: Number, number: Complex) -> None:
        begin = self._row.at(2 * place)
        begin[0], begin[1] = number.real, number.imag

    def at(self, count: Number) -> Line:
        """Those from so many further on."""
        return Line(self._row.at(2 * count))


class Variable:
    """A double or a whole number that changes: `x.now`."""

    def __init__(self, start: Number, kind: object = DOUBLE) -> None:
        self._place = Row(cgutils.alloca_once(code().builder, kind))
        self.now = start

    @property
    def now(self) -> Value:
        """The number."""
        return self._place[0]

    @now.setter
    def now(self, number: Number) -> None:
        self._place[0] = number


def counter(start: Number) -> Variable:
    """A whole number that changes."""
    return Variable(start, LONG)


class Changing:
    """A complex number that changes: `z.now`."""

    def __init__(self, start: Complex) -> None:
        self._parts = Variable(start.real), Variable(start.imag)

    @property
    def now(self) -> Complex:
        """The number."""
        return Complex(*(part.now for part in self._parts))

    @now.setter
    def now(self, number: Complex) -> None:
        for part, of_number in zip(self._parts, (number.real, number.imag)):
            part.now = of_number
