"""Scalars of the language: real, within double precision, and functions of them point by point."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import GeomflowError, UnknownFunctionError
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic.language.hermitian import PotentialMetric
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor
from geomflow.symbolic.meaning import FUNCTIONS, Refusal

LOGARITHMS = ("log", "ln")


def require_scalar(value: Any, what: str) -> None:
    """Refuse what is no scalar; `what` it stands for begins the sentence."""
    if not isinstance(value, Tensor):
        raise Refusal("a function without its argument cannot be used here")
    if value.rank:
        raise Refusal(f"{what} a scalar, and this is {value.kind}")


def real_scalar(node: gr.Node) -> Tensor:
    """A function, unless it is imaginary or, as a number, not finite."""
    parts = gr.schedule([node])
    if gr.I in parts:
        raise Refusal("this is imaginary, and functions on a grid are real: write two real functions where one is "
                      "complex")
    if not gr.leaves([node]):
        _require_finite(node)
    return Tensor.scalar(node)


def _require_finite(node: gr.Node) -> None:
    if not is_double(node):
        raise Refusal("this number is beyond double precision")
    with np.errstate(all="ignore"):
        if not np.isfinite(gr.evaluate([node], {})[0]):
            raise Refusal("this number is not finite: look at where it is defined")


def is_double(node: gr.Node) -> bool:
    """Whether the number before a function, or that it is, has a place among double floats."""
    number = node.data if node.op == "constant" and not isinstance(node.data, str) else gr.split(node)[0]
    return not number or math.ulp(0.0) <= abs(number) <= sys.float_info.max


def pointwise(space: Space, name: str) -> Callable[..., Tensor]:
    """A function of real numbers on the scalars of a space, by its name."""

    def act(*values: Tensor) -> Tensor:
        if len(values) != 1:
            raise Refusal(f"'{name}' cannot take {len(values)} arguments")
        require_scalar(values[0], f"{name}(s) is of")
        metric = space.metric
        if name in LOGARITHMS and isinstance(metric, PotentialMetric) and values[0].node is metric.ratio:
            return Tensor.scalar(metric.log_ratio)
        argument = sympy.Symbol("argument")
        try:
            node = from_sympy(FUNCTIONS[name](argument))
        except UnknownFunctionError:
            raise Refusal(f"'{name}' is no function of real numbers that a grid has: leave it out") from None
        try:
            return real_scalar(gr.substitute([node], {gr.symbol("argument"): values[0].node})[0])
        except GeomflowError as error:
            raise Refusal(str(error).rstrip(".")) from None

    return act
