"""The hash-consed graph of exact expressions that exact geometry and code generation share.

Every subexpression exists once: equal expressions are the same object. Users see sympy; the work
(derivatives, zero tests, generated routines) is done here. `geomflow.core.graph.sympy_bridge` converts.

>>> from geomflow.core import graph as gr
>>> x, y = gr.symbol("x"), gr.symbol("y")
>>> (x + y) * (x - y) - (x**2 - y**2) is gr.ZERO
False
>>> bool(gr.is_zero((x + y) * (x - y) - (x**2 - y**2)))
True
"""

from geomflow.core.graph.build import (
    ONE,
    PI,
    ZERO,
    I,
    add,
    apply,
    call,
    constant,
    divide,
    jet,
    linear,
    mul,
    node,
    power,
    product,
    symbol,
)
from geomflow.core.graph.complex import Complex, complex_parts
from geomflow.core.graph.derive import Derivation, gradient, partial
from geomflow.core.graph.domain import REALS, Domain
from geomflow.core.graph.evaluate import NUMPY, Arithmetic, evaluate, mpmath_arithmetic
from geomflow.core.graph.functions import FUNCTIONS, Function
from geomflow.core.graph.node import Node
from geomflow.core.graph.show import jet_name
from geomflow.core.graph.traverse import leaves, rebuild, schedule, substitute
from geomflow.core.graph.verdict import Verdict, every
from geomflow.core.graph.zero import all_zero, is_zero, unknown_as_jets


def _function(name):  # type: ignore[no-untyped-def]
    def function(argument: Node | int) -> Node:
        return call(name, argument)

    function.__name__ = name
    function.__doc__ = f"{name} of the argument, as a node."
    return function


log, exp, sqrt = _function("log"), _function("exp"), _function("sqrt")
sin, cos, tan = _function("sin"), _function("cos"), _function("tan")
sinh, cosh, tanh = _function("sinh"), _function("cosh"), _function("tanh")

__all__ = [
    "FUNCTIONS", "NUMPY", "ONE", "PI", "REALS", "ZERO", "Arithmetic", "Complex", "Derivation", "Domain", "Function",
    "I", "Node", "Verdict", "add", "all_zero", "apply", "call", "complex_parts", "constant", "cos", "cosh", "divide",
    "evaluate", "every", "exp", "gradient", "is_zero", "jet", "jet_name", "leaves", "linear", "log", "unknown_as_jets",
    "mpmath_arithmetic", "mul", "node", "partial", "power", "product", "rebuild", "schedule", "sin", "sinh", "sqrt",
    "substitute", "symbol", "tan", "tanh",
]
