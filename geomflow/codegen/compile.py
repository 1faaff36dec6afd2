"""From anything exact to a routine, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geomflow.codegen.points import PointRoutine, as_nodes
from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.graph import Node


def compile(expression: Any, arguments: Sequence[Any] | None = None) -> PointRoutine:
    """Compile an exact expression, or an array of them, to fast code for arrays of numbers.

    `expression` is a sympy expression, Matrix or Array, a node of the expression graph, a nested sequence of these, or
    an exact object that has `components`. `arguments` are the symbols, in the order of the call; by default those that
    the object names as its `arguments` (of a metric, its coordinates and parameters), else the free symbols sorted by
    name. The routine's `source` is readable and lies in the file `path`.

    Raises UnknownFunctionError for a function that there is no code for, ExpressionError for a symbol that is not
    among the arguments or an expression without meaning as a number, InputError for an argument that comes twice.

    >>> import numpy as np, sympy
    >>> x, y = sympy.symbols("x y")
    >>> f = compile(sympy.Matrix([[x + y, x * y], [sympy.sin(x), 1]]))
    >>> f.arguments
    (x, y)
    >>> f(np.zeros(3), 2.0).shape
    (3, 2, 2)
    """
    nodes, shape = as_nodes(getattr(expression, "components", expression))
    if arguments is None:
        arguments = getattr(expression, "arguments", None)
    leaves = gr.leaves(nodes) if arguments is None else [_leaf(a) for a in arguments]
    repeated = [leaf for k, leaf in enumerate(leaves) if leaf in leaves[:k]]
    if repeated:
        raise InputError(f"the argument {repeated[0]!r} comes twice: arguments are told apart by name")
    return PointRoutine(tuple(nodes), shape, tuple(leaves))


def _leaf(argument: Any) -> Node:
    return argument if isinstance(argument, Node) else gr.symbol(str(argument))
