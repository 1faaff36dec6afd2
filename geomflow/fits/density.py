"""The functionals E_F = ∫F(v) dμ_Ω that a fit minimises, eq. (B.12)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic.given import given


@dataclass(frozen=True)
class Density:
    """F and its first two derivatives in v, from a text such as "(v - 1)^2" or "v*log(v)"; convex at v = 1."""

    text: str
    value: gr.Node
    first: gr.Node
    second: gr.Node

    @classmethod
    def of(cls, source: str | sympy.Expr) -> Density:
        """Read F; raises `InputError` where F is not convex at v = 1, so that Ricci-flat metrics are not minima."""
        v = sympy.Symbol("v", positive=True)
        expression = given(source, {"v": v})
        expression = expression.xreplace(dict.fromkeys(expression.free_symbols, v))
        node, leaf = from_sympy(expression), gr.symbol("v")
        first = gr.partial(node, leaf)
        second = gr.partial(first, leaf)
        density = cls(str(source), node, first, second)
        curvature = float(density.evaluate(np.ones(1))[2][0])
        if not curvature > 0:
            raise InputError(
                f"F(v) = {source} has F''(1) = {curvature:g}: it must be positive for v = 1 to be the minimum"
            )
        return density

    def evaluate(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """F, F', F'' at v."""
        values = gr.evaluate([self.value, self.first, self.second], {gr.symbol("v"): v})
        return tuple(np.broadcast_to(np.asarray(x, dtype=float), v.shape) for x in values)  # type: ignore[return-value]
