"""Reduced equations without poles: closing conditions are built into the unknowns, and powers of r divided exactly.

On an interval with X = π(x − a)/(b − a) and ξ = cos X, a function that is even about both ends is a smooth function of
ξ. With χ = e^L along x, an unknown that closes an orbit is ψ = R e^{L + ρ²w}/q: R vanishes at its poles with slope one,
as ρ does, and q is the share of a full circle. ψ vanishes there, with the slope that a smooth metric has, for every
smooth L and w. The rate of w is a polynomial over powers of 1 ∓ ξ once e^{cρ²w} is written as its Taylor polynomial and
a remainder ρ^{2k}Φ_k, and the quotient is exact: it is found by division of polynomials, or the flow does not keep the
metric smooth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.graph.sympy_bridge import contents, from_sympy
from geomflow.symbolic.ansatz.axis import Axis, vanishes_at_end, with_ends
from geomflow.symbolic.ansatz.regular_fields import RegularField, Remainder, regular_fields

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz

MOST_DIVISIONS = 6

SPEED, DRIFT = "V", "nu"
"""A vector field V ∂_x along which a metric is dragged, and the regular function ν that stands for V."""


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
        self.fields = regular_fields(ansatz)
        self._names = ansatz.coordinates
        self._axes = [Axis(name, ansatz.domain[name]) for name in self._names]
        self._by_name = {f.unknown.name: f for f in self.fields}
        self._remainders: dict[str, Remainder] = {}

    def of_rates(self, rates: Sequence[sympy.Expr]) -> Regular:
        """The rates of the fields from those of the unknowns."""
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
        return next(axis.xi for axis in self._axes if axis.name in f.unknown.coordinates)

    def node(self, expression: sympy.Expr) -> gr.Node:
        """An expression in the unknowns, their derivatives and coordinates, as a node in regular fields.

        Raises InputError where it has a pole at an end.
        """
        flat = self._flat(expression)
        if not any(axis.is_interval for axis in self._axes):
            return self._placed(from_sympy(flat))
        top, bottom = sympy.fraction(sympy.together(self._divided(flat)))
        return self._placed(from_sympy(self._collected(top)) / from_sympy(bottom))

    # from unknowns to symbols

    def _flat(self, expression: sympy.Expr) -> sympy.Expr:
        """With symbols for jets of the fields, for sin X, ρ, e^L and e^{ρ²w}."""
        table: dict[sympy.Basic, sympy.Expr] = {}
        for found in contents([expression]).unknown:
            field_ = self._by_name.get(found.name)
            if field_ is not None:
                table[found.written()] = self._jet(field_, found.index)
            elif found.name == SPEED:
                table[found.written()] = self._speed(*found.index)
        for f in self.fields:
            table.setdefault(f.unknown.value, self._value(f))
        moved = expression.xreplace(table)
        for axis in self._axes:
            moved = axis.without_coordinate(moved)
        return moved

    def _value(self, f: RegularField) -> sympy.Expr:
        """u in symbols."""
        if f.exponent == 0:
            return self._symbol(f.name, (0,) * len(self._axes))
        base = self._exponential(f.beside or f.name)
        if f.factor is not None:
            (axis,) = (axis for axis in self._axes if axis.name in f.unknown.coordinates)
            base *= axis.root(f.factor) * f.factor.scale / axis.m * self._exponential(f.name) / f.cone
        return base**f.exponent

    def _jet(self, f: RegularField, index: Sequence[int]) -> sympy.Expr:
        """A derivative of u with respect to the coordinates that it depends on."""
        value, result = self._value(f), self._value(f) if f.exponent == 0 else sympy.Integer(1)
        for name, times in zip(f.unknown.coordinates, index, strict=True):
            axis = self._axes[self._names.index(name)]
            for k in range(times):
                moved = axis.step(result, k, lambda e, axis=axis: self._along(e, axis))
                result = moved if f.exponent == 0 else moved + result * self._log_slope(f, axis)
            result = result * axis.unit**times
        return result if f.exponent == 0 else value * result

    def _speed(self, times: int) -> sympy.Expr:
        """A derivative of V = (sin X/m) ν, which is odd about both ends, or of V = ν on a circle."""
        (axis,) = self._axes
        result: sympy.Expr = self._symbol(DRIFT, (0,))
        for k in range(times):
            result = axis.step(result, k - axis.is_interval, lambda e: self._along(e, axis))
        return result * axis.unit ** (times - axis.is_interval)

    def _log_slope(self, f: RegularField, axis: Axis) -> sympy.Expr:
        """The derivative of log u in units of m/sin X."""
        zero = (0,) * len(self._axes)
        inner = self._symbol(f.beside or f.name, zero)
        slope = sympy.Integer(0)
        if f.factor is not None:
            inner += f.factor.square(axis.xi) * self._symbol(f.name, zero)
            slope = f.factor.slope(axis.xi)
        return f.exponent * (slope + axis.step(inner, 0, lambda e: self._along(e, axis)))

    def _along(self, expression: sympy.Expr, axis: Axis) -> sympy.Expr:
        """∂/∂ξ (or ∂/∂x on a circle) of an expression in jets."""
        place, result = self._axes.index(axis), expression.diff(axis.xi)
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

    # exact division

    def _divided(self, expression: sympy.Expr) -> sympy.Expr:
        """The expression without powers of 1 ∓ ξ in its denominator."""
        top, bottom = sympy.fraction(sympy.cancel(expression))
        for root, square in {root: square for axis in self._axes for root, square in axis.roots.items()}.items():
            top, bottom = _squared(top, root, square), _squared(bottom, root, square)
        top, bottom = sympy.fraction(sympy.cancel(top / bottom))
        poles = sympy.Integer(1)
        constant, factors = sympy.factor_list(bottom)
        rest = constant
        for base, power in factors:
            if any(vanishes_at_end(base, axis.xi) for axis in self._axes):
                poles *= base**power
            else:
                rest *= base**power
        return self._without_poles(top, poles) / rest

    def _without_poles(self, top: sympy.Expr, poles: sympy.Expr) -> sympy.Expr:
        if poles == 1:
            return top
        for order in range(MOST_DIVISIONS):
            outside, inside = self._expanded(top, order)
            jets = sorted((inside.free_symbols | poles.free_symbols), key=str)
            quotient, left = sympy.Poly(inside, *jets).div(sympy.Poly(poles, *jets))
            if left.is_zero:
                return outside * quotient.as_expr()
        raise InputError(f"the equation has a pole at an end of {', '.join(self._names)}: the flow does not keep the "
                         "metric smooth there, or a coefficient is singular.")

    def _expanded(self, top: sympy.Expr, order: int) -> tuple[sympy.Expr, sympy.Expr]:
        """`top` as a common power of all e^{ρ²w} times a polynomial in them, their Taylor polynomials put in."""
        outside, inside = sympy.Integer(1), sympy.expand(top)
        for f in self.fields:
            base = self._exponential(f.name)
            if f.factor is None or not inside.has(base):
                continue
            poly = sympy.Poly(inside, base)
            highest = poly.degree()
            outside *= base**highest
            inside = sympy.Add(*[entry * self._exponential_power(f, power - highest, order)
                                 for (power,), entry in poly.terms()])
        return outside, sympy.expand(inside)

    def _exponential_power(self, f: RegularField, rate: int, order: int) -> sympy.Expr:
        """exp(rate ρ²w): its Taylor polynomial and a remainder."""
        if rate == 0:
            return sympy.Integer(1)
        assert f.factor is not None
        square = f.factor.square(self._xi(f))
        argument = rate * square * self._symbol(f.name, (0,) * len(self._axes))
        taylor = sympy.Add(*[argument**j / sympy.factorial(j) for j in range(order)])
        found = Remainder(f"closing{-rate}_{order}_{f.name}", f.name, rate, order, f.factor)
        self._remainders[found.symbol] = found
        return taylor + square**order * sympy.Symbol(found.symbol)

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
        own = gr.jet(name, (0,) * len(self._axes))
        if f.factor is None:
            return gr.exp(own)
        return gr.exp(own * from_sympy(self._ends(f.factor.square(self._xi(f)))))

    def _collected(self, top: sympy.Expr) -> sympy.Expr:
        """Sums over monomials of jets, whose coefficients are products of 1 ∓ ξ as far as they go."""
        gens = sorted(top.free_symbols - {axis.xi for axis in self._axes if axis.is_interval}, key=str)
        if not gens:
            return self._ends(top)
        poly = sympy.Poly(top, *gens)
        return sympy.Add(*[sympy.Mul(*[g**p for g, p in zip(gens, powers, strict=True)]) * self._ends(coefficient)
                           for powers, coefficient in poly.terms()])

    def _ends(self, coefficient: sympy.Expr) -> sympy.Expr:
        """A polynomial in ξ with its factors 1 ∓ ξ as symbols of their own."""
        return with_ends(coefficient, [axis.xi for axis in self._axes if axis.is_interval])


_JET, _EXP = "jet|", "exp|"


def _read_jet(name: str) -> tuple[str, tuple[int, ...]]:
    field_, _, index = name.removeprefix(_JET).partition("|")
    return field_, tuple(map(int, index.split(","))) if index else ()


def _squared(expression: sympy.Expr, root: sympy.Symbol, square: sympy.Expr) -> sympy.Expr:
    """The expression with even powers of a root written by its square; odd ones keep one."""
    if not expression.has(root):
        return expression
    terms = sympy.Poly(expression, root).terms()
    return sympy.Add(*[c * square ** (p // 2) * root ** (p % 2) for (p,), c in terms])
