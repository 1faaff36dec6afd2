"""Rates given as text or sympy, read into stages: what stands under a derivative is computed, then differentiated.

The derivative of an expression that is not linear in the unknowns is not expanded by the product rule. The expression
becomes an inner stage, a grid function of its own, and the constant stencil of the derivative is applied to that; its
sum over a periodic grid is zero, so that equations in divergence form keep their mean to rounding. A flux a ∂_x w is
differentiated in its symmetric form, which keeps the mean too and, unlike two first differences, sees the shortest
waves of the grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError
from geomflow.core.graph.sympy_bridge import all_from_sympy
from geomflow.core.program import Stage

OPERATORS = ("laplacian", "d", "div")
"""What a rate may call besides functions."""


class RateReader:
    """Reads rates: unknowns, coordinates, parameters, and the operators `laplacian`, `d` and `div`.

    `names` are those of the unknowns, `values` those of the parameters. `taken` are names that the inner stages must
    not have.
    """

    def __init__(self, torus: Any, names: tuple[str, ...], values: Mapping[str, Any],
                 taken: tuple[str, ...] = ()) -> None:
        self._coordinates = tuple(torus.symbols)
        unknowns = {name: sympy.Function(name)(*self._coordinates) for name in names}
        coordinates = {symbol.name: symbol for symbol in self._coordinates}
        operators = {"laplacian": self._laplacian, "d": self._derivative, "div": self._divergence}
        self.names: dict[str, Any] = {**coordinates, **values, **unknowns, **operators}
        self._stem = "inner"
        while any(name.startswith(self._stem) for name in (*self.names, *taken)):
            self._stem += "_"
        self._inner: dict[sympy.Expr, tuple[int, Any]] = {}

    def stages(self, rates: Mapping[str, Any]) -> tuple[Stage, ...]:
        """The inner stages, by depth, and last the rates, named as they are given."""
        from geomflow.symbolic.parse import parse

        read = [parse(rate, self.names) if isinstance(rate, str) else self._named(rate) for rate in rates.values()]
        held = sorted(self._inner.items(), key=lambda item: item[1][0])
        nodes = all_from_sympy([*(expression for expression, _ in held), *read], [x.name for x in self._coordinates])
        layers: dict[int, list[tuple[str, gr.Node]]] = {}
        for (_, (depth, function)), node in zip(held, nodes, strict=False):
            layers.setdefault(depth, []).append((function.func.__name__, node))
        final = tuple(zip(rates, nodes[len(held):], strict=True))
        return (*(Stage(tuple(layer)) for layer in layers.values()), Stage(final))

    def _laplacian(self, expression: Any) -> Any:
        return sympy.Add(*[self._along(expression, x, x) for x in self._coordinates])

    def _divergence(self, *fluxes: Any) -> Any:
        if len(fluxes) != len(self._coordinates):
            names = ", ".join(f"f_{x}" for x in self._coordinates)
            raise ExpressionError(f"div({names}) takes a flux along each of the {len(self._coordinates)} coordinates, "
                                  f"and {len(fluxes)} were given.")
        return sympy.Add(*[self._along(flux, x) for flux, x in zip(fluxes, self._coordinates, strict=True)])

    def _derivative(self, expression: Any, *along: Any) -> Any:
        strangers = [str(x) for x in along if x not in self._coordinates]
        if strangers or not along:
            names = ", ".join(map(str, self._coordinates))
            raise ExpressionError(f"d(...) differentiates along coordinates ({names}), not along "
                                  f"'{strangers[0] if strangers else 'nothing'}'; write d(u, {self._coordinates[0]}).")
        return self._along(expression, *along)

    def _along(self, expression: Any, *along: Any) -> Any:
        """The derivative, term by term: carried out where the term is linear, else of an inner stage."""
        plain: list[Any] = []
        held: list[Any] = []
        for term in sympy.Add.make_args(expression):
            (plain if is_linear(term) or not _unknowns(term) else held).append(term)
        if not held:
            return sympy.diff(expression, *along)
        if len(along) > 1:
            return sympy.diff(self._held(expression), *along)
        fluxes = [self._symmetric(term, along[0]) for term in held]
        rest = sympy.Add(*(term for term, flux in zip(held, fluxes, strict=True) if flux is None))
        whole = sympy.Add(*(flux for flux in fluxes if flux is not None), sympy.diff(sympy.Add(*plain), *along))
        return whole if rest == 0 else whole + sympy.diff(self._held(rest), *along)

    def _symmetric(self, term: Any, x: Any) -> Any:
        """½(∂²(a w) + a ∂²w − w ∂²a) for a flux a ∂_x w whose a has no derivatives; None for any other flux.

        Its sum over the grid vanishes because the stencil of ∂² is symmetric.
        """
        for factor in sympy.Mul.make_args(term):
            inner = _integrated(factor, x)
            if inner is not None and not (term / factor).has(sympy.Derivative):
                number, a = (term / factor).as_independent(AppliedUndef, *self._coordinates, as_Add=False)
                w, coefficient = self._held(inner), self._held(a)
                outer = sympy.diff(self._held(a * inner), x, 2)
                return number * (outer + coefficient * sympy.diff(w, x, 2) - w * sympy.diff(coefficient, x, 2)) / 2
        return None

    def _held(self, expression: Any) -> Any:
        """The inner stage that computes an expression, as a function of the coordinates; an unknown is itself."""
        if isinstance(expression, AppliedUndef):
            return expression
        if expression not in self._inner:
            depth = 1 + max((known for known, function in self._inner.values() if expression.has(function)), default=-1)
            function = sympy.Function(f"{self._stem}_{len(self._inner)}")(*self._coordinates)
            self._inner[expression] = depth, function
        return self._inner[expression][1]

    def _named(self, rate: Any) -> Any:
        """A sympy rate with its free symbols identified by name, and unevaluated derivatives taken."""
        from geomflow.symbolic.given import given

        try:
            expression = given(rate)
        except ExpressionError:
            raise ExpressionError(f"{rate!r} (of type {type(rate).__name__}) is not a rate; give text or a sympy "
                                  "expression, or a mapping from the components of the state to these.") from None
        unknown = sorted(s.name for s in expression.free_symbols if s.name not in self.names)
        if unknown:
            raise ExpressionError(f"the rate depends on '{unknown[0]}', which is no coordinate, parameter or unknown; "
                                  f"known are {', '.join(self.names)}.")
        named = expression.subs({s: self.names[s.name] for s in expression.free_symbols})
        return named.replace(lambda e: isinstance(e, sympy.Derivative) and not isinstance(e.expr, AppliedUndef),
                             lambda e: self._along(e.expr, *e.variables))


def is_linear(expression: Any) -> bool:
    """Whether an expression is a combination of unknowns and their derivatives with constant coefficients."""
    if isinstance(expression, sympy.Add):
        return all(map(is_linear, expression.args))
    if isinstance(expression, sympy.Mul):
        factors = [factor for factor in expression.args if not factor.is_number]
        return len(factors) == 1 and is_linear(factors[0])
    return isinstance(expression, AppliedUndef | sympy.Derivative)


def _unknowns(expression: Any) -> bool:
    return bool(expression.has(AppliedUndef))


def _integrated(factor: Any, x: Any) -> Any:
    """w, where the factor is ∂_x w of a linear w; None where it is not."""
    if isinstance(factor, sympy.Add):
        parts = [_integrated(term, x) for term in factor.args]
        return None if any(part is None for part in parts) else sympy.Add(*parts)
    if isinstance(factor, sympy.Mul) and is_linear(factor):
        number, rest = factor.as_independent(AppliedUndef, as_Add=False)
        inner = _integrated(rest, x)
        return None if inner is None else number * inner
    if isinstance(factor, sympy.Derivative) and x in factor.variables:
        along = list(factor.variables)
        along.remove(x)
        return sympy.Derivative(factor.expr, *along) if along else factor.expr
    return None
