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

from geomflow.core.graph.domain import REALS, Domain
from geomflow.core.graph.evaluate import NUMPY, Arithmetic, Complex, evaluate
from geomflow.core.graph.calculus import (FUNCTIONS, Derivation, Function, call, cos, cosh, differentiate, exp,
                                          gradient, leaves, log, partial, schedule, sin, sinh, sqrt, substitute, tan,
                                          tanh)
from geomflow.core.graph.node import (ONE, PI, ZERO, I, Node, Rational, add, apply, constant, divide, exact, jet,
                                      linear, mul, node, power, product, split, symbol)
from geomflow.core.graph.show import jet_name
from geomflow.core.graph.tangents import ROUNDING, jacobian, tangents
from geomflow.core.graph.zero import NONZERO, ZERO_BY_FORM, Verdict, all_zero, every, is_zero, verdicts

__all__ = [
    "FUNCTIONS", "NONZERO", "NUMPY", "ONE", "PI", "REALS", "ROUNDING", "ZERO", "ZERO_BY_FORM", "Arithmetic", "Complex",
    "Derivation", "Domain", "Function", "I", "Node", "Rational", "Verdict", "add", "all_zero", "apply", "call",
    "constant", "cos", "cosh", "differentiate", "divide", "evaluate", "every", "exact", "exp", "gradient", "is_zero",
    "jacobian", "jet", "jet_name", "leaves", "linear", "log", "mul", "node", "partial", "power", "product",
    "schedule", "sin", "sinh", "split", "sqrt", "substitute", "symbol", "tan", "tangents", "tanh", "verdicts",
]
