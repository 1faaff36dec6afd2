"""Routines on points: closed forms evaluated on arrays of arguments."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geomflow.codegen.lowering import Leaf, Lowering, never_real
from geomflow.codegen.routine import SECONDS_PER_OPERATION, CompiledSource, run_points, use_threads
from geomflow.codegen.text import Names, Writer, function
from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError, ShapeError
from geomflow.core.graph import Node
from geomflow.core.memory import aligned

CHUNK = 4096
"""Points that one thread takes at a time."""


def compile_points(outputs: Any, arguments: Sequence[Node]) -> PointRoutine:
    """A routine for expressions of given leaves.

    Parameters
    ----------
    outputs : node, or nested sequence or object array
        Nodes and sympy expressions, of the shape of the routine's values.
    arguments : sequence of nodes
        Symbols or jets, in the order of the call.

    Notes
    -----
    Raises ExpressionError for a leaf that is not an argument, UnknownFunctionError for a function without code.

    Examples
    --------
    >>> x, y = gr.symbol("x"), gr.symbol("y")
    >>> norm = compile_points([x**2 + y**2, x*y], (x, y))
    >>> norm([1.0, 2.0], 3.0)
    array([[10.,  3.],
           [13.,  6.]])
    """
    nodes, shape = as_nodes(outputs)
    return PointRoutine(tuple(nodes), shape, tuple(arguments))


def as_nodes(outputs: Any) -> tuple[list[Node], tuple[int, ...]]:
    """The nodes of a nested sequence, flat, and its shape."""
    if isinstance(outputs, Node):
        return [outputs], ()
    array = np.empty((), dtype=object)
    array[()] = outputs
    if isinstance(outputs, (Sequence, np.ndarray)):
        array = np.array(outputs, dtype=object)
    elif hasattr(outputs, "shape") and hasattr(outputs, "tolist"):
        array = np.array(outputs.tolist(), dtype=object).reshape(outputs.shape)
    return [_as_node(e) for e in array.ravel()], tuple(array.shape)


def _as_node(entry: Any) -> Node:
    if isinstance(entry, Node):
        return entry
    if isinstance(entry, str):
        raise ExpressionError(f"'{entry}' is text, which is not evaluated here; give a sympy expression or a node")
    from geomflow.core.graph.sympy_bridge import from_sympy

    return from_sympy(entry)


class PointRoutine:
    """Expressions compiled for arrays of arguments; call it with one array or number for each of `arguments`.

    Parameters
    ----------
    outputs : tuple of nodes
        The expressions, flat.
    shape : tuple of int
        The shape that they make.
    arguments : tuple of nodes
        Symbols or jets, in the order of the call.

    Notes
    -----
    Arguments are broadcast against each other to the shape `batch`; the result has the shape
    ``(*batch, *shape)``, is complex if an argument or a constant is, and is real otherwise.
    """

    def __init__(self, outputs: tuple[Node, ...], shape: tuple[int, ...], arguments: tuple[Node, ...]) -> None:
        self.shape = shape
        self.arguments = arguments
        self._outputs = outputs
        self._always_complex = never_real(outputs)
        self._text, self.operations = source(outputs, shape, arguments, self._always_complex)

    def __repr__(self) -> str:
        names = ", ".join(map(repr, self.arguments))
        return f"Routine of ({names}) with values of shape {self.shape}, {self.operations} operations a point"

    @property
    def source(self) -> str:
        """The text of the generated module."""
        return self._text

    @property
    def path(self) -> Path:
        """The file of the generated module."""
        return self._compiled.path

    @cached_property
    def _compiled(self) -> CompiledSource:
        return _compile(self._text, self._always_complex)

    @cached_property
    def _compiled_complex(self) -> CompiledSource:
        if self._always_complex:
            return self._compiled
        return _compile(source(self._outputs, self.shape, self.arguments, True)[0], True)

    def __call__(self, *values: ArrayLike, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """The values at the given arguments; into `out` if it is given.

        Raises InputError for the wrong number of arguments, ShapeError for shapes that do not fit.
        """
        packed, batch = self._packed(values)
        flat = aligned((len(self._outputs), prod(batch)), packed.dtype)
        self.packed(packed, flat)
        rank = len(self.shape)
        result = flat.reshape((*self.shape, *batch))
        result = result.transpose((*range(rank, rank + len(batch)), *range(rank)))
        if out is None:
            return result
        if out.shape != result.shape:
            raise ShapeError(f"out has shape {out.shape}, but the result has shape {result.shape}")
        out[...] = result
        return out

    def packed(self, arguments: NDArray[Any], outputs: NDArray[Any]) -> NDArray[Any]:
        """Compute without copies.

        Parameters
        ----------
        arguments : (n_arguments, points) float or complex array
            Values of the arguments, C-contiguous, of type float64 or complex128.
        outputs : (n_outputs, points) array of that type
            What the values are written to, C-contiguous; it is returned.

        Notes
        -----
        Raises ShapeError and InputError for arrays of other shapes, kinds or order, and for ones that overlap.
        """
        self._check_packed(arguments, outputs)
        compiled = self._compiled_complex if outputs.dtype.kind == "c" else self._compiled
        points = outputs.shape[1]
        if use_threads(points * (self.operations + len(self.arguments)) * SECONDS_PER_OPERATION):
            run_points(compiled, arguments, outputs, CHUNK)
        else:
            compiled.function(arguments, outputs, 0, points)
        return outputs

    def _check_packed(self, arguments: NDArray[Any], outputs: NDArray[Any]) -> None:
        wanted = (len(self.arguments), outputs.shape[-1]), (len(self._outputs), outputs.shape[-1])
        if (arguments.shape, outputs.shape) != wanted:
            raise ShapeError(f"packed arrays must have shapes {wanted[0]} and {wanted[1]}, "
                             f"not {arguments.shape} and {outputs.shape}")
        kind = np.complex128 if self._always_complex or outputs.dtype.kind == "c" else np.float64
        for name, array in (("arguments", arguments), ("outputs", outputs)):
            if array.dtype != kind or not (array.flags.c_contiguous and array.flags.aligned):
                raise InputError(f"packed {name} must be a C-contiguous array of {np.dtype(kind)}, not one of "
                                 f"{array.dtype} with strides {array.strides}; call the routine itself for any others")
        if not outputs.flags.writeable or np.may_share_memory(arguments, outputs):
            raise InputError("packed outputs cannot be written to, or overlap the arguments; give another array")

    def _packed(self, values: Sequence[ArrayLike]) -> tuple[NDArray[Any], tuple[int, ...]]:
        if len(values) != len(self.arguments):
            names = ", ".join(map(repr, self.arguments)) or "none"
            raise InputError(f"the routine takes {len(self.arguments)} arguments ({names}), "
                             f"but {len(values)} were given")
        arrays = [np.asarray(v) for v in values]
        for array in arrays:
            if array.dtype.kind not in "biufc":
                raise InputError(f"the routine takes numbers, and {array.dtype} values were given")
        is_complex = self._always_complex or any(a.dtype.kind == "c" for a in arrays)
        try:
            batch = np.broadcast_shapes(*[a.shape for a in arrays])
        except ValueError as error:
            raise ShapeError(f"the arguments have shapes {', '.join(str(a.shape) for a in arrays)}, "
                             "which do not broadcast") from error
        packed = aligned((len(arrays), *batch), np.complex128 if is_complex else np.float64)
        for position, array in enumerate(arrays):
            packed[position, ...] = array
        return packed.reshape(len(arrays), -1) if arrays else packed.reshape(0, prod(batch)), batch


def _compile(text: str, is_complex: bool) -> CompiledSource:
    from numba import types

    array = types.Array(types.complex128 if is_complex else types.float64, 2, "C")
    return CompiledSource("points", text, (array, array, types.int64, types.int64))


_TEMPLATE = '''\
"""{title}

Computes {results}
of the arguments {names}.
arguments[a, p] and outputs[c, p] are component-major; p counts points. {operations} operations a point.
"""

'''


def source(outputs: Sequence[Node], shape: tuple[int, ...], arguments: Sequence[Node],
           is_complex: bool) -> tuple[str, int]:
    """The text of a routine on points, and its number of operations a point."""
    names = Names()
    leaves = {}
    for position, leaf in enumerate(arguments):
        if leaf.op not in ("symbol", "jet"):
            raise InputError(f"the arguments of a routine are symbols or derivatives of fields, not {leaf!r}")
        leaves[leaf] = Leaf(names.take(leaf_name(leaf)), f"arguments[{position}, p]")
    lowering = Lowering(outputs, leaves, is_complex)
    held = lowering.lower(outputs)
    out = Writer(1)
    with out.block("for p in loop(start, stop):") if outputs else nullcontext():
        out.extend(lowering.lines + [f"outputs[{c}, p] = {text}" for c, text in enumerate(held)])
    text = _TEMPLATE.format(
        title=f"A geomflow routine on points, for {'complex' if is_complex else 'real'} arguments.",
        results=f"an array of shape {shape}" if shape else "one number", operations=lowering.operations,
        names=", ".join(leaves[a].name for a in arguments) or "none")
    return text + function("points", "arguments, outputs, start, stop", out.lines), lowering.operations


def leaf_name(leaf: Node) -> str:
    """The usual name of a symbol or a derivative."""
    return leaf.data if leaf.op == "symbol" else gr.jet_name(*leaf.data)


def compile(expression: Any, arguments: Sequence[Any] | None = None) -> PointRoutine:
    """Compile an exact expression, or an array of them, to fast code for arrays of numbers.

    The routine's `source` is readable and lies in the file `path`.

    Parameters
    ----------
    expression : sympy expression, Matrix or Array, node, nested sequence of these, or object with `components`
        What is compiled: a metric, too.
    arguments : sequence of symbols, names or nodes, optional
        The symbols, in the order of the call; by default those that the object names as its `arguments` (of a metric,
        its coordinates and parameters), else the free symbols sorted by name.

    Notes
    -----
    Raises UnknownFunctionError for a function that there is no code for, ExpressionError for a symbol that is not
    among the arguments or an expression without meaning as a number, InputError for an argument that comes twice.

    Examples
    --------
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
