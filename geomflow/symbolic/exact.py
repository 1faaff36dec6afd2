"""Where exact work is done: in a field of fractions if the expressions allow it, on the graph otherwise.

Zero is decided, and signs are proved, on a domain: the ranges of a chart, and what sympy's assumptions say of symbols.
Answers of the graph are made short: fractions cancel, and cosh² − sinh² is 1, in whatever they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
import sympy
from sympy.core.function import AppliedUndef

from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import Contents, contents, from_sympy
from geomflow.symbolic.fractions import MOST_TERMS, OutsideField, field_of
from geomflow.symbolic.fractions.survey import CIRCULAR, HYPERBOLIC
from geomflow.symbolic.given import fresh, given_freely, given_range, identified, names_in
from geomflow.symbolic.ring import ExactRing, GraphRing
from geomflow.symbolic.signs import WHOLE, Range, Ranges, ends, without_moduli

FEW_UNKNOWN_FUNCTIONS = 3
LARGEST_FRACTION = 100
"""With more than a few unknown functions, fractions of more terms than this are larger than graphs."""
LARGEST_ANSWER = 5_000
"""Answers of more symbols and operations, or with larger fractions, are left as they are: they stay long."""
_READ = (*CIRCULAR, *HYPERBOLIC, sympy.exp)

OF_INTEGERS = ("even", "odd", "prime", "composite", "zero", "positive", "negative", "nonpositive", "nonnegative")
"""What may be declared of whole numbers."""

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """What expressions are written in: `directions` of derivatives, real ranges, and conjugates (z̄: z), by name."""

    directions: tuple[sympy.Symbol, ...]
    ranges: Ranges = field(default_factory=dict)
    conjugates: Mapping[str, str] = field(default_factory=dict)

    def domain(self, found: Contents) -> gr.Domain:
        """The domain that the ranges and the assumptions of all symbols and unknown functions describe.

        A symbol that is not declared complex is real; what has no range and no sign takes all real values.
        """
        bounds = contents(bound for bounds in self.ranges.values() for bound in bounds)
        symbols = {*self.directions, *found.symbols, *bounds.symbols}
        values = {f.value for f in (*found.unknown, *bounds.unknown)}
        facts = {s.name: s.assumptions0 for s in symbols}
        imaginary = {name for name, known in facts.items() if known.get("imaginary")}
        complex_ = {name for name, known in facts.items() if declared_complex(known)} | set(self.conjugates.values())
        return gr.Domain(
            {s.name: _interval(s, self.ranges) for s in symbols if s.name in self.ranges or _is_signed(facts[s.name])},
            functions={f.func.__name__: _interval(f, {}) for f in values if _is_signed(f.func._kwargs)},
            planes=frozenset(complex_ - set(self.conjugates) - imaginary),
            complex_functions=frozenset(f.func.__name__ for f in values if declared_complex(f.func._kwargs)),
            conjugates=self.conjugates,
            imaginary=frozenset(imaginary),
            integers={name: partial(_agrees, known) for name, known in facts.items() if known.get("integer")},
        )

    def doubled(self, twins: Mapping[sympy.Symbol, sympy.Symbol]) -> Place:
        """The place of two points: every direction has a twin with the same range and conjugate."""
        names = {s.name: twin.name for s, twin in twins.items()}
        moved = {names[n]: tuple(b.xreplace(twins) for b in bounds) for n, bounds in self.ranges.items() if n in names}
        pairs = {names[bar]: names[z] for bar, z in self.conjugates.items()}
        return Place((*self.directions, *twins.values()), {**self.ranges, **moved}, {**self.conjugates, **pairs})


@runtime_checkable
class Located(Protocol):
    """What has a place: a chart."""

    @property
    def place(self) -> Place:
        """Directions, ranges and conjugates."""

    def read(self, values: Sequence[Any]) -> tuple[Located, list[sympy.Expr]]:
        """Expressions as this chart reads them, and the chart with the complex parameters that occur in them."""


Where: TypeAlias = Located | Place | Sequence[sympy.Symbol]
"""A chart, or the symbols along which derivatives are taken."""


def place_of(where: Where, ranges: Mapping[Any, Range] | None = None) -> Place:
    """The place that a chart or symbols describe, with more ranges if they are given, by symbol or by name."""
    if isinstance(where, Place):
        return where
    place = where.place if isinstance(where, Located) else Place(tuple(where))
    extra = {str(name): given_range(str(name), bounds) for name, bounds in (ranges or {}).items()}
    return replace(place, ranges={**place.ranges, **extra}) if extra else place


def declared_complex(facts: Mapping[str, Any]) -> bool:
    """Whether a symbol or an unknown function is declared complex, by the facts that its declaration implies."""
    return bool(facts.get("complex")) and facts.get("real") is not True


def _agrees(facts: Mapping[str, Any], number: int) -> bool:
    """Whether the whole number is as it was declared: even, prime, not zero, ...."""
    value = sympy.Integer(number)
    return all(getattr(value, f"is_{fact}") is known for fact, known in facts.items() if fact in OF_INTEGERS)


def _is_signed(facts: Mapping[str, Any]) -> bool:
    return bool(facts.get("nonnegative") or facts.get("nonpositive"))


def _interval(symbol: sympy.Expr, ranges: Ranges) -> tuple[gr.Node | None, gr.Node | None]:
    low, high = ends(symbol, ranges)
    if symbol.is_integer:  # a sign, unlike a range, does not exclude zero: what does is asked of each number
        given = ranges.get(getattr(symbol, "name", ""), WHOLE)
        low, high = (end + step if end == 0 != bound else end
                     for end, bound, step in zip((low, high), given, (-1, 1), strict=True))
    return _node(low), _node(high)


def _node(bound: Any) -> gr.Node | None:
    return None if bound in (sympy.oo, -sympy.oo) else from_sympy(bound)


def rings(expressions: Sequence[sympy.Expr], where: Where) -> Iterator[ExactRing[Any]]:
    """The rings that hold the expressions, the preferred one first; the last one is the graph."""
    place = place_of(where)
    found, names = contents(expressions), [s.name for s in place.directions]
    domain, unknown = place.domain(found), {f.value: f.function for f in found.unknown}
    largest = MOST_TERMS if len(unknown) <= FEW_UNKNOWN_FUNCTIONS else LARGEST_FRACTION
    with suppress(OutsideField):
        yield field_of(expressions, place.directions, domain, largest)
    symbols = [*found.symbols, *place.directions]
    yield GraphRing(names, symbols=symbols, functions=unknown.values(), domain=domain, finish=collapsed)


def readings(values: Any, where: Where) -> Iterator[tuple[ExactRing[Any], np.ndarray]]:
    """The rings that hold a matrix, the preferred one first, each with the matrix read into it."""
    for ring in rings(list(values), where):
        try:
            yield ring, read_array(ring, values)
        except OutsideField:
            continue


def compute(expressions: Sequence[sympy.Expr], where: Where, task: Callable[[ExactRing[Any]], T]) -> T:
    """`task(ring)` in the first ring that is large enough for it."""
    *fields, graph = rings(expressions, where)
    for ring in fields:
        try:
            return task(ring)
        except OutsideField:
            continue
    return task(graph)


def all_zero(expressions: Iterable[Any], where: Where = ()) -> gr.Verdict:
    """Whether all the sympy expressions vanish wherever they are defined; see `is_zero`."""
    items = [given_freely(e, place_of(where).directions) for e in expressions]
    pending = [e for e in items if e != 0]
    return compute(pending, where, lambda ring: gr.every(ring.verdict(ring.read(e)) for e in pending))


def is_zero(expression: Any, where: Where = (), ranges: Mapping[Any, Range] | None = None) -> gr.Verdict:
    """Whether the sympy expression, or every entry of the matrix or array, vanishes wherever it is defined.

    The verdict is true only if zero is proved or probable; its `status` is "proved", "probable" or "undecided", and
    its `bound`, `evidence` and `point` say more. A rational normal form proves, where there is one; elsewhere random
    points decide, at several scales and signs and on both sides of every branch point that is found. A symbol without
    a range is any real number of the sign that it was declared to have. Unknown functions of any arguments are
    independent of each other, with all their derivatives. Symbols are told apart by name.

    Parameters
    ----------
    expression : str, sympy expression, matrix or array
        What may be zero.
    where : Chart, ComplexChart or symbols, optional
        The chart whose ranges are the domain, or the symbols along which derivatives are taken.
    ranges : mapping, optional
        Open intervals (from, to) by symbol or name, beside those of the chart.

    Examples
    --------
    >>> import sympy
    >>> from geomflow.symbolic import Chart, is_zero
    >>> x = sympy.Symbol("x", real=True)
    >>> bool(is_zero(abs(x + 1) - (x + 1))), bool(is_zero(abs(x + 1) - (x + 1), ranges={x: (-1, 5)}))
    (False, True)
    """
    rows = expression.tolist() if hasattr(expression, "tolist") else expression
    place = place_of(where, ranges)
    entries = [given_freely(e, place.directions) for e in np.array(rows, dtype=object).ravel()]
    read = entries
    if isinstance(where, Located):
        where, read = where.read(entries)
        place = place_of(where, ranges)
    alike = identified(read, {s.name: s for s in place.directions})
    return _in_sympy(all_zero([without_moduli(e, place.ranges) for e in alike], place), entries)


def is_constant(expression: sympy.Expr, where: Where) -> gr.Verdict:
    """Whether the expression has one value all over the ranges: a jump has no derivative either."""
    place = place_of(where)
    if expression.free_symbols.isdisjoint(place.directions):
        return gr.ZERO_BY_FORM
    used = names_in([expression, *place.directions])
    twins = {s: sympy.Symbol(fresh(f"{s.name}_", used), **s.assumptions0) for s in place.directions}
    return all_zero([expression - expression.xreplace(twins)], place.doubled(twins))


def _in_sympy(verdict: gr.Verdict, entries: Sequence[sympy.Expr]) -> gr.Verdict:
    """The verdict with a point that can be substituted in the expressions; unknown functions stay names."""
    if verdict.point is None:
        return verdict
    symbols = {s.name: s for s in set().union(*(e.free_symbols for e in entries))}
    point = {symbols.get(name, name): _number(value) for name, value in verdict.point.items()}
    return replace(verdict, point=point)


def _number(value: Any) -> sympy.Expr:
    re, im = value if isinstance(value, tuple) else (value, 0)
    return sympy.Rational(re) + sympy.I * sympy.Rational(im)


def written(ring: ExactRing[Any], values: np.ndarray) -> sympy.ImmutableMatrix | sympy.ImmutableDenseNDimArray:
    """An array of elements as a sympy matrix (rank 2) or array (other ranks)."""
    flat = values.ravel()
    unique = {id(e): e for e in flat}
    table = dict(zip(unique, ring.write(list(unique.values())), strict=True))
    entries = [table[id(e)] for e in flat]
    if values.ndim == 2:
        return sympy.ImmutableMatrix(*values.shape, entries)
    return sympy.ImmutableDenseNDimArray(entries, values.shape)


def read_array(ring: ExactRing[Any], values: Any) -> np.ndarray:
    """A nested sequence, matrix or array of sympy expressions as an object array of elements."""
    shape = np.shape(values) if not isinstance(values, sympy.MatrixBase) else values.shape
    result = ring.array(shape)
    for place in np.ndindex(*shape):
        entry = values[place] if hasattr(values, "shape") else _at(values, place)
        result[place] = ring.read(entry)
    return result


def _at(values: Any, place: tuple[int, ...]) -> Any:
    for i in place:
        values = values[i]
    return values


def collapsed(expressions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """Each expression in factored normal form, or as it is where that is shorter or not to be had.

    Unknown functions, their derivatives, and functions that a field of fractions does not know stand as symbols of
    their own, so that the field is small; nothing is differentiated in it.
    """
    sizes: dict[int, int] = {}  # by identity: entries of one array share most of their parts
    return [_collapsed(e, sizes) for e in expressions]


def _collapsed(expression: sympy.Expr, sizes: dict[int, int]) -> sympy.Expr:
    size = _size(expression, sizes)
    if size > LARGEST_ANSWER:
        return expression
    standing = {atom: sympy.Dummy() for atom in _opaque(expression)}
    plain = expression.xreplace(standing)
    try:
        field = field_of([plain], (), largest=LARGEST_FRACTION)
        form = field.form(field.read(plain))
    except OutsideField:
        return expression
    written = form.xreplace({symbol: atom for atom, symbol in standing.items()})
    return written if _size(written, {}) < size else expression


def _opaque(expression: sympy.Expr) -> list[sympy.Basic]:
    """The outermost parts that only functions of a field's kind stand around, in an order that no hash changes."""
    found, seen, pending = [], set(), [expression]
    while pending:
        e = pending.pop()
        if e in seen:
            continue
        seen.add(e)
        if isinstance(e, (AppliedUndef, sympy.Derivative, sympy.Subs)) or (e.is_Function and not isinstance(e, _READ)):
            found.append(e)
        else:
            pending.extend(e.args)
    return found


def _size(e: sympy.Basic, known: dict[int, int]) -> int:
    """The number of symbols, numbers and operations in the expression when it is written out."""
    if id(e) not in known:
        known[id(e)] = 1 + sum(_size(a, known) for a in e.args)
    return known[id(e)]
