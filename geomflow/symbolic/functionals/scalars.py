"""Functions of one variable given by the user as text, sympy or a graph node, and checks of their sign."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, PositivityError
from geomflow.core.graph.sympy_bridge import from_sympy

SAMPLES = np.geomspace(1e-3, 1e3, 1201)
"""Where the sign of a function of v > 0 is looked at: 200 points a decade."""


@dataclass(frozen=True)
class OneVariable:
    """A function of v > 0: text ("v*log(v)"), a sympy expression in v, or a node over the symbol v.

    Raises ExpressionError if it depends on anything else.
    """

    given: Any

    @cached_property
    def node(self) -> gr.Node:
        """The function as a node over gr.symbol("v")."""
        from geomflow.symbolic.parse import parse

        if isinstance(self.given, gr.Node):
            result = self.given
        else:
            result = from_sympy(parse(self.given, ["v"]) if isinstance(self.given, str) else self.given)
        strangers = [leaf for leaf in gr.leaves([result]) if leaf is not gr.symbol("v")]
        if strangers:
            raise ExpressionError(f"a function of v may contain v alone; '{self.given}' contains '{strangers[0]}'.")
        return result

    def derivative(self, times: int = 1) -> gr.Node:
        """The derivative, so many times."""
        result = self.node
        for _ in range(times):
            result = gr.partial(result, gr.symbol("v"))
        return result

    def of(self, v: gr.Node) -> gr.Node:
        """The function at another node."""
        return gr.substitute([self.node], {gr.symbol("v"): v})[0]

    def not_convex(self) -> str | None:
        """Where F'' < 0 on (1e-3, 1e3), in words with the worst value; None where F is convex."""
        values = sampled(self.derivative(2))
        low = np.flatnonzero(values < 0)
        if not len(low):
            return None
        worst = low[np.argmin(values[low])]
        place = (f"F''(v) < 0 for v from about {SAMPLES[low[0]]:.3g} to {SAMPLES[low[-1]]:.3g}, "
                 f"worst F''({SAMPLES[worst]:.3g}) = {values[worst]:.3g}")
        at_one = float(np.interp(1.0, SAMPLES, values))
        return place + f"; at v = 1 it is {at_one:.3g}"

    def check_positive(self, name: str) -> None:
        """Check that the function is positive on (1e-3, 1e3).

        Raises PositivityError with the worst place.
        """
        values = sampled(self.node)
        worst = int(np.argmin(values))
        if not values[worst] > 0:
            raise PositivityError(f"{name}(v) must be positive; {name}({SAMPLES[worst]:.3g}) = {values[worst]:.3g} for "
                                  f"{name} = {self.given}.")

    def __str__(self) -> str:
        return str(self.given)


def sampled(node: gr.Node) -> np.ndarray:
    """The values of a function of v at the samples; nan where it is undefined."""
    with np.errstate(all="ignore"):
        values = gr.evaluate([node], {gr.symbol("v"): SAMPLES})[0]
    return np.broadcast_to(np.real(values), SAMPLES.shape)
