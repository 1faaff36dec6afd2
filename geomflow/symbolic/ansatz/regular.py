"""Reduced equations without poles: closing conditions are built into the unknowns, and powers of r divided exactly.

On an interval with X = π(x − a)/(b − a) and ξ = cos X, a function that is even about both ends is a smooth function of
ξ. With χ = e^L along x, an unknown that closes an orbit is ψ = R e^{L + ρ²w}/q: R vanishes at its poles with slope one,
as ρ does, and q is the share of a full circle. ψ vanishes there, with the slope that a smooth metric has, for every
smooth L and w. Other ends have other ξ (`axes`), and at infinity a power of x is divided out. The rate of w is a
polynomial over powers of 1 ∓ ξ once e^{cρ²w} is written as its Taylor polynomial and a remainder ρ^{2k}Φ_k, and the
quotient is exact: it is found by division of polynomials, or the flow does not keep the metric smooth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, final

import sympy

from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import contents, from_sympy
from geomflow.symbolic.ansatz.axes import axis_of
from geomflow.symbolic.ansatz.axis import Axis, Ended, closing_axis, with_ends
from geomflow.symbolic.ansatz.closing import radial
from geomflow.symbolic.ansatz.division import Division, Exponential
from geomflow.symbolic.ansatz.domain import Circle, Domain, Interval
from geomflow.symbolic.ansatz.regular_fields import RegularField, Remainder, regular_fields

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz
    from geomflow.symbolic.ansatz.unknowns import Unknown

SPEED, DRIFT = "V", "nu"
"""A vector field V ∂_x along which a metric is dragged, and the regular function ν that stands for V."""

START, FIRST = "start", "log_start"
"""The slope along x of ½ log g_xx of the metric at the start, and the regular field of it."""


@final
@dataclass(frozen=True)
class Regular:
    """Reduced equations in regular fields: nodes in their jets, in ξ, 1 ∓ ξ, remainders and means.

    Parameters
    ----------
    fields : tuple of RegularField
        One for each unknown, in order.
    rates : tuple of Node
        ∂_t of each.
    remainders : tuple of Remainder
        Which Φ the rates hold.
    """

    fields: tuple[RegularField, ...]
    rates: tuple[gr.Node, ...]
    remainders: tuple[Remainder, ...] = ()


class Regularised:
    """Rates of the unknowns of an ansatz in regular fields.

    Parameters
    ----------
    ansatz : Ansatz
        With unknowns of one or two coordinates, or of none.
    """

    def __init__(self, ansatz: Ansatz) -> None:
        self.fields = self._fields_of(ansatz)
        self._names = ansatz.coordinates
        self.axes = [self._axis(name, ansatz.domain[name]) for name in self._names]
        self._radial = _along(ansatz, self.fields)
        self._remainders: dict[str, Remainder] = {}
        self._known: dict[tuple[sympy.Expr, ...], Regular] = {}
        self._nodes: dict[sympy.Expr, gr.Node] = {}

    def _fields_of(self, ansatz: Ansatz) -> tuple[RegularField, ...]:
        return regular_fields(ansatz)

    def _axis(self, name: str, domain: Domain) -> Axis:
        assert isinstance(domain, Circle | Interval)
        return axis_of(name, domain)

    def of_rates(self, rates: Sequence[sympy.Expr]) -> Regular:
        """The rates of the fields from those of the unknowns, found once."""
        known = tuple(rates)
        if known not in self._known:
            self._known[known] = self._of_rates(known)
        return self._known[known]

    def _of_rates(self, rates: Sequence[sympy.Expr]) -> Regular:
        logs = {f.unknown.name: self._log_rate(f, rate) for f, rate in zip(self.fields, rates, strict=True)}
        owners = {f.name: f.unknown.name for f in self.fields}
        found = []
        for f in self.fields:
            whole = logs[f.unknown.name]
            if f.factor is not None:
                whole = (whole - logs[owners[f.beside]]) / f.factor.square(self._xi(f))
            found.append(self.node(whole))
        return Regular(self.fields, tuple(found), self.remainders(found))

    def remainders(self, nodes: Sequence[gr.Node]) -> tuple[Remainder, ...]:
        """Those that the nodes hold."""
        held = {leaf.data for leaf in gr.leaves(nodes) if leaf.op == "symbol"}
        return tuple(found for name, found in self._remainders.items() if name in held)

    def _log_rate(self, f: RegularField, rate: sympy.Expr) -> sympy.Expr:
        """∂_t log u / e, or ∂_t u of an unknown that has any sign."""
        return rate if f.exponent == 0 else rate / (f.exponent * f.unknown.value)

    def _xi(self, f: RegularField) -> sympy.Symbol:
        return next(axis.xi for axis in self.axes if axis.name in f.unknown.coordinates)

    def node(self, expression: sympy.Expr, functions: Sequence[Unknown] = ()) -> gr.Node:
        """An expression in the unknowns, their derivatives and coordinates, as a node in regular fields.

        Raises InputError where it has a pole at an end.

        Parameters
        ----------
        expression : sympy expression
            In the unknowns as the ansatz holds them.
        functions : sequence of Unknown
            Further functions that it holds, smooth to the ends, which are fields themselves.
        """
        flat = self._flat(expression, functions)
        if flat not in self._nodes:
            self._nodes[flat] = self._divided(flat)
        return self._nodes[flat]

    def _divided(self, flat: sympy.Expr) -> gr.Node:
        """The node of an expression in symbols, without poles."""
        if not any(isinstance(axis, Ended) for axis in self.axes):
            return self._placed(from_sympy(flat))
        found = self._division.quotient(flat)
        for name, rate, order in found.remainders:
            self._remember(name, rate, order)
        return self._placed(from_sympy(found.expression))

    @cached_property
    def _division(self) -> Division:
        intervals = [axis for axis in self.axes if isinstance(axis, Ended)]
        closing = [Exponential(self._exponential(f.name), self._square(f) * self._plain(f.name), self._square(f),
                               f.name) for f in self.fields if f.factor is not None]
        return Division([axis.xi for axis in intervals],
                        {root: square for axis in intervals for root, square in axis.roots.items()}, closing)

    def _remember(self, name: str, rate: int, order: int) -> None:
        (f,) = (f for f in self.fields if f.name == name)
        assert f.factor is not None
        found = Remainder(f"closing{-rate}_{order}_{name}", name, rate, order, f.factor)
        self._remainders[found.symbol] = found

    def _square(self, f: RegularField) -> sympy.Expr:
        """ρ²."""
        assert f.factor is not None
        found: sympy.Expr = f.factor.square(self._xi(f))
        return found

    def _plain(self, name: str) -> sympy.Symbol:
        """A field itself."""
        return self._symbol(name, (0,) * len(self.axes))

    # from unknowns to symbols

    def _flat(self, expression: sympy.Expr, functions: Sequence[Unknown]) -> sympy.Expr:
        """With symbols for jets of the fields, for sin X, ρ, e^L and e^{ρ²w}."""
        table: dict[sympy.Basic, sympy.Expr] = {}
        fields = [*self.fields, *(RegularField(u.name, u, 0) for u in functions)]
        by_name = {f.unknown.name: f for f in fields}
        for found in contents([expression]).unknown:
            field_ = by_name.get(found.name)
            if field_ is not None:
                table[found.written()] = self._jet(field_, found.index)
            elif found.name == SPEED:
                table[found.written()] = self._speed(*found.index)
            elif found.name == START:
                table[found.written()] = self._start(*found.index)
        for f in fields:
            table.setdefault(f.unknown.value, self._value(f))
        moved = expression.xreplace(table)
        for axis in self.axes:
            moved = axis.without_coordinate(moved)
        return moved

    def _value(self, f: RegularField) -> sympy.Expr:
        """u in symbols."""
        if f.exponent == 0:
            return self._symbol(f.name, (0,) * len(self.axes))
        base = self._exponential(f.beside or f.name)
        if f.factor is not None:
            (axis,) = (axis for axis in self.axes if axis.name in f.unknown.coordinates)
            base *= axis.root(f.factor) * closing_axis(axis).scale(f.factor) * self._exponential(f.name) / f.cone
        grown = sympy.Mul(*[axis.growth**f.power for axis in self.axes]) if f.power else sympy.Integer(1)
        return base**f.exponent * grown

    def _jet(self, f: RegularField, index: Sequence[int]) -> sympy.Expr:
        """A derivative of u with respect to the coordinates that it depends on."""
        value, result = self._value(f), self._value(f) if f.exponent == 0 else sympy.Integer(1)
        for name, times in zip(f.unknown.coordinates, index, strict=True):
            axis = self.axes[self._names.index(name)]
            for k in range(times):
                moved = axis.step(result, k, partial(self._along, axis=axis))
                result = moved if f.exponent == 0 else moved + result * self._log_slope(f, axis)
            result = result * axis.unit**times
        return result if f.exponent == 0 else value * result

    def _speed(self, times: int) -> sympy.Expr:
        """A derivative of V = ν/U, which is odd about even ends, or of V = ν on a circle."""
        (axis,) = self.axes
        odd, result = isinstance(axis, Ended), self._symbol(DRIFT, (0,))
        for k in range(times):
            result = axis.step(result, k - odd, lambda e: self._along(e, axis))
        return result * axis.unit ** (times - odd)

    def _start(self, times: int) -> sympy.Expr:
        """A derivative of the slope of ½ log g_xx, of the metric at the start."""
        (axis,) = self.axes
        assert self._radial is not None
        result = self._log_slope(replace(self._radial, name=FIRST), axis) / self._radial.exponent
        for k in range(times):
            result = axis.step(result, k + 1, partial(self._along, axis=axis))
        return result * axis.unit ** (times + 1)

    def _log_slope(self, f: RegularField, axis: Axis) -> sympy.Expr:
        """The derivative of log u in units of U."""
        zero = (0,) * len(self.axes)
        inner = self._symbol(f.beside or f.name, zero)
        slope = sympy.Integer(0)
        if f.factor is not None:
            inner += f.factor.square(axis.xi) * self._symbol(f.name, zero)
            slope = closing_axis(axis).slope(f.factor)
        return f.exponent * (slope + axis.step(inner, 0, lambda e: self._along(e, axis))) + f.power * axis.growth_slope

    def _along(self, expression: sympy.Expr, axis: Axis) -> sympy.Expr:
        """∂/∂ξ (or ∂/∂x on a circle) of an expression in jets."""
        place, result = self.axes.index(axis), expression.diff(axis.xi)
        for symbol in expression.free_symbols:
            if symbol.name.startswith(_JET):
                name, index = _read_jet(symbol.name)
                raised = tuple(times + (n == place) for n, times in enumerate(index))
                result += expression.diff(symbol) * self._symbol(name, raised)
        return result

    def _symbol(self, name: str, index: Sequence[int]) -> sympy.Symbol:
        return sympy.Symbol(f"{_JET}{name}|{','.join(map(str, index))}", real=True)

    def _exponential(self, name: str) -> sympy.Symbol:
        """e^L or e^{ρ²w}."""
        return sympy.Symbol(f"{_EXP}{name}", positive=True)

    # to the graph

    def _placed(self, node: gr.Node) -> gr.Node:
        """The node with jets and exponentials in the places of their symbols."""
        table: dict[gr.Node, gr.Node] = {}
        for leaf in gr.leaves([node]):
            if leaf.op == "symbol" and leaf.data.startswith(_JET):
                table[leaf] = gr.jet(*_read_jet(leaf.data))
            elif leaf.op == "symbol" and leaf.data.startswith(_EXP):
                table[leaf] = self._exponential_node(leaf.data.removeprefix(_EXP))
        return gr.substitute([node], table)[0]

    def _exponential_node(self, name: str) -> gr.Node:
        (f,) = (f for f in self.fields if f.name == name)
        own = gr.jet(name, (0,) * len(self.axes))
        if f.factor is None:
            return gr.exp(own)
        ends = with_ends(self._square(f), [axis.xi for axis in self.axes if isinstance(axis, Ended)])
        return gr.exp(own * from_sympy(ends))


def _along(ansatz: Ansatz, fields: Sequence[RegularField]) -> RegularField | None:
    """The field of √g_xx along the one coordinate."""
    along = radial(ansatz, ansatz.coordinates[0]) if len(ansatz.coordinates) == 1 else None
    return None if along is None else next(f for f in fields if f.unknown == along[0])


_JET, _EXP = "jet|", "exp|"


def _read_jet(name: str) -> tuple[str, tuple[int, ...]]:
    field_, _, index = name.removeprefix(_JET).partition("|")
    return field_, tuple(map(int, index.split(","))) if index else ()
