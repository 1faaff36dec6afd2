"""The elementary functions that a graph may call, with their derivatives and parities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geomflow.core.graph.node import Node


@dataclass(frozen=True)
class Function:
    """An elementary function of one argument.

    `derivative` maps the argument u to f'(u), for |u| and sign(u) away from their kinks (no δ is kept there); `parity`
    is +1 for an even, -1 for an odd and 0 for any other function; `values` holds exact values at rational arguments.
    """

    name: str
    derivative: Callable[[Node], Node]
    parity: int = 0
    values: Mapping[int, int] = field(default_factory=dict)

    def at(self, argument: int | Fraction) -> int | None:
        """The exact value at a rational argument where it is rational and known."""
        return self.values.get(argument)  # type: ignore[arg-type]


def _call(name: str, u: Node) -> Node:
    from geomflow.core.graph.build import call

    return call(name, u)


def _two_over_root_pi() -> Node:
    from geomflow.core.graph.build import PI

    return 2 * PI ** Fraction(-1, 2)


_HALF = Fraction(1, 2)

FUNCTIONS: dict[str, Function] = {f.name: f for f in (
    Function("log", lambda u: u**-1, values={1: 0}),
    Function("exp", lambda u: _call("exp", u), values={0: 1}),
    Function("sin", lambda u: _call("cos", u), parity=-1, values={0: 0}),
    Function("cos", lambda u: -_call("sin", u), parity=1, values={0: 1}),
    Function("tan", lambda u: 1 + _call("tan", u) ** 2, parity=-1, values={0: 0}),
    Function("sinh", lambda u: _call("cosh", u), parity=-1, values={0: 0}),
    Function("cosh", lambda u: _call("sinh", u), parity=1, values={0: 1}),
    Function("tanh", lambda u: 1 - _call("tanh", u) ** 2, parity=-1, values={0: 0}),
    Function("asin", lambda u: (1 - u**2) ** -_HALF, parity=-1, values={0: 0}),
    Function("acos", lambda u: -((1 - u**2) ** -_HALF), values={1: 0}),
    Function("atan", lambda u: (1 + u**2) ** -1, parity=-1, values={0: 0}),
    Function("asinh", lambda u: (1 + u**2) ** -_HALF, parity=-1, values={0: 0}),
    Function("acosh", lambda u: (u - 1) ** -_HALF * (u + 1) ** -_HALF, values={1: 0}),
    Function("atanh", lambda u: (1 - u**2) ** -1, parity=-1, values={0: 0}),
    Function("erf", lambda u: _two_over_root_pi() * _call("exp", -(u**2)), parity=-1, values={0: 0}),
    Function("abs", lambda u: _call("sign", u), parity=1, values={0: 0}),
    Function("sign", lambda u: 0 * u, parity=-1, values={0: 0, 1: 1}),
)}
"""Every function that a graph knows, by name; square roots are powers."""
