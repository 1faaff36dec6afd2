"""From what a user gives (text, sympy expressions, callables, numbers, arrays) to numbers on a grid.

Text is read by the whitelist of `geomflow.symbolic.parse` and never evaluated as code. Closed forms are checked to be
periodic on the torus: a function that jumps from one side of the cell to the other has no derivatives there. So must
the coefficients be that stand beside the unknowns of an equation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.core import memory
from geomflow.core.errors import ExpressionError, InputError, ShapeError, require_known
from geomflow.core.numbers import require_unmasked
from geomflow.core.program import Program
from geomflow.field.lattice import FlatTorus
from geomflow.field.matrices import require_finite
from geomflow.field.mesh import Mesh, coordinates_in_words

# Points evaluated at once, so that intermediate arrays stay small beside the result.
_BLOCK = 1 << 18
PROBES = 48
"""In so many points closed forms are compared across the cell."""

_JUMP = 1e-8

_PART = 0.3819660112501051
"""Of a lattice vector: a step along an axis of one point."""

ClosedForm = Callable[..., Any]


def expression_node(torus: FlatTorus, expression: Any) -> gr.Node:
    """Text, a number or a sympy expression in the torus's coordinates as a node of the expression graph.

    Raises ExpressionError for what cannot be read and UnknownNameError for names other than the coordinates.
    """
    from geomflow.core.graph.sympy_bridge import from_sympy

    node = _in_coordinates(torus, from_sympy(_sympy(torus, expression), torus.coordinates))
    for leaf in gr.leaves((node,)):
        if leaf.op == "jet":
            raise ExpressionError(f"'{expression}' contains the unknown function '{leaf.data[0]}'; give a closed form.")
        require_known(f"name in '{expression}':", leaf.data, torus.coordinates)
    return node


def _sympy(torus: FlatTorus, expression: Any) -> Any:
    """Text by the whitelist, all else by sympy's strict conversion, which never reads text."""
    from geomflow.symbolic.given import given

    try:
        return given(expression, torus.names())
    except ExpressionError:
        if isinstance(expression, str):
            raise
        raise ExpressionError(
            f"{expression!r} (of type {type(expression).__name__}) is not a function on a torus; give text, a number, "
            "a sympy expression, a callable of the coordinates or an array."
        ) from None


def _in_coordinates(torus: FlatTorus, node: gr.Node) -> gr.Node:
    """The node with the complex coordinates of a complex torus written in real ones."""
    from geomflow.core.graph.sympy_bridge import from_sympy

    named = torus.names().items() - dict(zip(torus.coordinates, torus.symbols)).items()
    return gr.substitute([node], {gr.symbol(name): from_sympy(value) for name, value in named})[0]


def closed_form(torus: FlatTorus, expression: Any) -> ClosedForm:
    """A function of the coordinate arrays with the values of `expression` (text, number, sympy, or a callable)."""
    if callable(expression) and not hasattr(expression, "free_symbols"):
        function: ClosedForm = expression
        return function
    node = expression_node(torus, expression)
    leaves = [gr.symbol(name) for name in torus.coordinates]

    def values(*coordinates: np.ndarray) -> Any:
        return gr.evaluate([node], dict(zip(leaves, coordinates)))[0]

    return values


def sample(grid: Mesh, expression: Any, what: str = "the expression", dtype: type = float) -> np.ndarray:
    """The values of `expression` on the grid, (*grid), finite; arrays are copied, closed forms must be periodic."""
    require_unmasked(expression, what)
    if isinstance(expression, list | tuple):
        expression = _array(expression, what)
    if isinstance(expression, np.ndarray) and expression.ndim:
        return require_finite(grid, as_numbers(expression, grid.shape, what, dtype), what)
    function = closed_form(grid.torus, expression)
    described = f"{what} '{expression}'" if isinstance(expression, str) else what
    require_periodic(grid.torus, function, described, grid)
    result: np.ndarray = np.empty(grid.shape, dtype)
    for rows, coordinates in _blocks(grid):
        with np.errstate(all="ignore"):
            values = function(*coordinates)
        result[rows] = as_numbers(values, result[rows].shape, described, dtype, broadcast=True)
    return require_finite(grid, result, described)


def _array(nested: Any, what: str) -> np.ndarray:
    try:
        return np.array(nested)
    except ValueError as error:
        raise ShapeError(f"{what} is given by lists of unequal lengths; give an array of the grid's shape.") from error


def as_numbers(
    values: Any, shape: Sequence[int], what: str, dtype: type, broadcast: bool = False
) -> np.ndarray:
    """`values` copied to a C-contiguous array of `shape` and `dtype`; refuses other shapes and lost imaginary parts."""
    require_unmasked(values, what)
    array = np.asarray(values)
    if array.dtype.kind not in "biufc":
        raise InputError(f"{what} holds {array.dtype} values; give numbers.")
    if dtype is float and array.dtype.kind == "c":
        array = _real_part(array, what)
    if broadcast and array.shape != tuple(shape):
        try:
            array = np.broadcast_to(array, shape)
        except ValueError as error:
            raise ShapeError(f"{what} has shape {array.shape}, which does not broadcast to {tuple(shape)}.") from error
    if array.shape != tuple(shape):
        raise ShapeError(f"{what} has shape {array.shape}, and shape {tuple(shape)} is needed here.")
    return np.array(array, dtype=dtype, order="C")


def _real_part(array: np.ndarray, what: str) -> np.ndarray:
    scale = max(1.0, float(np.max(np.abs(array), initial=0.0, where=np.isfinite(array))))
    worst = float(np.max(np.abs(array.imag), initial=0.0, where=np.isfinite(array)))
    if worst > 1e-12 * scale:
        raise InputError(f"{what} must be real, and its imaginary part reaches {worst:.3g}; take re(...) of it.")
    return array.real


def _blocks(grid: Mesh) -> Iterator[tuple[slice, tuple[np.ndarray, ...]]]:
    """Slabs of the first axis with their coordinates, each of about `_BLOCK` points."""
    coordinates = grid.coordinates()
    rows = max(1, _BLOCK * grid.shape[0] // grid.size)
    for start in range(0, grid.shape[0], rows):
        piece = slice(start, min(start + rows, grid.shape[0]))
        yield piece, tuple(c[piece] if c.shape[0] > 1 else c for c in coordinates)


def require_periodic(torus: FlatTorus, function: ClosedForm, what: str, grid: Mesh | None = None) -> None:
    """Refuses a closed form that changes when a lattice vector is added to its argument, or along one that the grid has
    one point along.

    Compared at fixed generic points; the message names the direction, the place and the jump.
    """
    cell = np.random.default_rng(20231019).random((PROBES, torus.real_dim))
    lattice = np.array(torus.lattice)
    points = cell @ lattice
    here = _probe(function, points, what)
    for axis, vector in enumerate(lattice):
        seen = grid is None or axis in grid.resolved
        with np.errstate(all="ignore"):
            jump = np.abs(_probe(function, points + (vector if seen else _PART * vector), what) - here)
        jump = np.where(np.isfinite(here), np.where(np.isfinite(jump), jump, np.inf), 0.0)
        worst = int(np.argmax(jump))
        if jump[worst] > _JUMP * np.max(np.abs(here), initial=1e-5, where=np.isfinite(here)):
            tell = _jump_sentence if seen else _change_sentence
            raise InputError(tell(torus, what, axis, points[worst], float(jump[worst])))


def _probe(function: ClosedForm, points: np.ndarray, what: str) -> np.ndarray:
    with np.errstate(all="ignore"):
        values = function(*points.T)
    return as_numbers(values, points.shape[:1], what, complex, broadcast=True)


def _jump_sentence(torus: FlatTorus, what: str, axis: int, point: np.ndarray, jump: float) -> str:
    period = f"{torus.periods[axis]:g}"
    where = coordinates_in_words(torus.coordinates, point)
    if torus.is_rectangular:
        name = torus.coordinates[axis]
        argument = f"2*pi*{name}" if period == "1" else f"2*pi*{name}/{period}"
        return (
            f"{what} is not periodic in {name}: it jumps by {jump:.6g} over the period {period}, from {where}. "
            f"Write it with functions of {argument}, such as cos({argument}), or change the period of the torus."
        )
    vector = ", ".join(f"{value:g}" for value in torus.lattice[axis])
    return (
        f"{what} is not periodic: it jumps by {jump:.6g} over the lattice vector ({vector}), from {where}. "
        "Write it with functions that are periodic on the lattice, or change the lattice."
    )


def _change_sentence(torus: FlatTorus, what: str, axis: int, point: np.ndarray, change: float) -> str:
    along = (torus.coordinates[axis] if torus.is_rectangular else
             f"the lattice vector ({', '.join(f'{value:g}' for value in torus.lattice[axis])})")
    return (f"{what} changes along {along}, by {change:.6g} from {coordinates_in_words(torus.coordinates, point)}, and "
            f"the grid has one point along it. Give axis {axis} more points, or write it so that it is constant there.")


def sample_row(grid: Mesh, components: Any, what: str) -> np.ndarray:
    """Values (*grid, d) of d expressions, one for each coordinate, or of an array (*grid, d).

    Raises ShapeError for other numbers and shapes.
    """
    require_unmasked(components, what)
    dim, wanted = grid.dim, (*grid.shape, grid.dim)
    if isinstance(components, np.ndarray) and components.shape == wanted:
        return require_finite(grid, as_numbers(components, wanted, what, float), what)
    if not isinstance(components, Sequence | np.ndarray) or isinstance(components, str) or len(components) != dim:
        shown = f"an array of shape {components.shape}" if isinstance(components, np.ndarray) else repr(components)
        raise ShapeError(f"{what} on {grid!r} is given by {dim} components, one for each coordinate, or by an array of "
                         f"shape {wanted}, and {shown} was given.")
    rows = [sample(grid, part, f"component {n} of {what}") for n, part in enumerate(components)]
    return np.stack(rows, axis=-1)


# Matrices: the input of metric and Hermitian fields


def sample_matrix(grid: Mesh, components: Any, size: int, what: str, dtype: type) -> np.ndarray:
    """Values (*grid, size, size) of a matrix of expressions, a callable of the coordinates, or an array.

    An array is (*grid, size, size), or (size, size) for a constant matrix; a callable returns such an array or a nested
    list of arrays.
    """
    bytes_needed = size * size * grid.size * np.dtype(dtype).itemsize
    memory.require(bytes_needed, f"{what} on {grid!r}", "use a smaller grid")
    if callable(components):
        components = _called(grid, components, size, what)
    if isinstance(components, np.ndarray) and components.dtype.kind not in "OUS":
        shape = (*grid.shape, size, size)
        constant = components.shape == (size, size)
        return require_finite(grid, as_numbers(components, shape, what, dtype, broadcast=constant), what)
    rows = checked_rows(components, size, what)
    result: np.ndarray = np.empty((*grid.shape, size, size), dtype)
    for i, row in enumerate(rows):
        for j, entry in enumerate(row):
            result[..., i, j] = sample(grid, entry, f"component ({i}, {j}) of {what}", dtype)
    return result


def _called(grid: Mesh, function: Any, size: int, what: str) -> np.ndarray:
    """The matrix that a callable of the coordinate arrays gives, (*grid, size, size); its entries must be periodic."""

    def entry(i: int, j: int, *coordinates: np.ndarray) -> Any:
        given = function(*coordinates)
        return given[..., i, j] if isinstance(given, np.ndarray) else checked_rows(given, size, what)[i][j]

    for i, j in np.ndindex(size, size):
        require_periodic(grid.torus, partial(entry, i, j), f"component ({i}, {j}) of {what}", grid)
    given = function(*np.broadcast_arrays(*grid.coordinates()))
    require_unmasked(given, what)
    if isinstance(given, np.ndarray):
        return given
    rows = checked_rows(given, size, what)
    result = [[np.broadcast_to(np.asarray(value), grid.shape) for value in row] for row in rows]
    return np.moveaxis(np.array(result), (0, 1), (-2, -1))


def checked_rows(components: Any, size: int, what: str) -> list[list[Any]]:
    """A square matrix of anything as lists of its rows; ShapeError, with what was given, for other shapes."""
    if hasattr(components, "tolist"):
        components = components.tolist()
    try:
        rows = [list(row) for row in components]
    except TypeError as error:
        raise ShapeError(f"{what} is given by {size}×{size} expressions, and {components!r} was given.") from error
    if len(rows) != size or any(len(row) != size for row in rows):
        lengths = ", ".join(str(len(row)) for row in rows)
        raise ShapeError(
            f"{what} has {size}×{size} components here; {len(rows)} rows of lengths ({lengths}) were given."
        )
    return rows


# Coefficients of equations

_SMALL = 1e-12


def require_periodic_program(grid: Mesh, program: Program, what: str) -> None:
    """Refuses a program whose outputs, in any stage, change when a lattice vector is added to the coordinates alone, or
    along one that the grid has one point along.

    Fields and parameters are held at generic values. So that no term hides beside a larger one, the derivatives by
    each of them are put to the test too, and the outputs where all are small. Raises InputError that begins with
    `what`.
    """
    for node in (node for stage in program.stages for _, node in stage.outputs):
        places = [leaf for leaf in gr.leaves((node,)) if leaf.op == "symbol" and leaf.data in program.coordinates]
        held = [leaf for leaf in gr.leaves((node,)) if leaf not in places]
        if not places:
            continue
        values = np.random.default_rng(20231020).uniform(0.5, 1.5, (len(held), PROBES))
        values[:, ::2] *= np.where(np.arange(PROBES // 2) % 2, 1, -1)
        for tested, scale in ((node, 1.0), *((slope, 1.0) for slope in gr.gradient(node, held)), (node, _SMALL)):
            given = dict(zip(held, scale * values, strict=True))
            require_periodic(grid.torus, partial(_value, tested, program.coordinates, given), what, grid)


def _value(node: gr.Node, names: tuple[str, ...], given: dict[gr.Node, Any], *coordinates: np.ndarray) -> Any:
    return gr.evaluate([node], given | {gr.symbol(name): x for name, x in zip(names, coordinates, strict=True)})[0]
