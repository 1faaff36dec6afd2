"""Components in a chart: read from what was given, what follows from them in exact rings, and their real form."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeAlias, TypeVar, final

import numpy as np
import sympy

from geomflow.core.errors import InputError, ShapeError, SymmetryError, require_known
from geomflow.core.graph import Verdict, every
from geomflow.core.graph.sympy_bridge import UNKNOWN, Applied, applied, composed
from geomflow.symbolic.chart import Chart, ComplexChart, functions_of
from geomflow.symbolic.exact import all_zero, compute, is_constant, read_array, readings, written
from geomflow.symbolic.fractions import OutsideField
from geomflow.symbolic.given import Functions, fresh, identified, names_in, with_parameters
from geomflow.symbolic.kahler_tensors import KahlerTensors
from geomflow.symbolic.ring import HALF, ExactRing
from geomflow.symbolic.show import ComponentArray, ComponentMatrix, InLatex
from geomflow.symbolic.tensors import RingTensors

Matrix: TypeAlias = sympy.ImmutableMatrix
Array: TypeAlias = sympy.ImmutableDenseNDimArray


Tensors = TypeVar("Tensors", bound=RingTensors | KahlerTensors[ExactRing[Any]])


class Components(InLatex, Generic[Tensors]):
    """A metric: a matrix of expressions in a chart. All else is computed in the first ring that is large enough."""

    chart: Chart | ComplexChart
    matrix: Matrix

    @property
    def dim(self) -> int:
        """The dimension, complex where the chart is: the size of the matrix."""
        return self.chart.dim

    @property
    def components(self) -> Matrix:
        """The components, which is what is compiled for numbers."""
        return self.matrix

    @property
    def arguments(self) -> tuple[sympy.Symbol, ...]:
        """The arguments of the compiled metric: the coordinates, then the parameters by name.

        On a complex chart these are z^1, ..., z^n, z̄^1, ..., z̄^n, and the conjugates of complex parameters too.
        """
        return with_parameters(self.chart.place.directions, self.matrix)

    @cached_property
    def determinant(self) -> sympy.Expr:
        """The determinant of the components."""
        return self._scalar(lambda t: t.determinant)

    def _require_regular(self, what: str, source: str) -> None:
        """Raises InputError where the determinant, which is not written for that, is zero."""
        if self._run(lambda t: t.ring.is_zero(t.determinant)):
            raise InputError(f"the {what} is degenerate: det g = 0 for g = {self.matrix.tolist()}; check the {source}")

    @cached_property
    def ricci_flatness(self) -> Verdict:
        """Whether Ric = 0 on the ranges of the chart, and how surely that is known; no δ at a kink is counted."""
        return self._vanishing(lambda t: t.ricci)

    @property
    def is_ricci_flat(self) -> bool:
        """Whether Ric = 0, proved or probable (`ricci_flatness` says which).

        Raises ExpressionError if that is undecided.
        """
        return self.ricci_flatness.decided()

    @cached_property
    def einstein_constant(self) -> sympy.Expr | None:
        """The constant λ of Ric = λ g, or None if the metric is not Einstein.

        Raises ExpressionError if that is undecided.
        """
        return self._run(self._einstein_constant)

    def is_einstein(self) -> bool:
        """Whether Ric = λ g with a constant λ, proved or probable; ExpressionError if that is undecided."""
        return self.einstein_constant is not None

    def _einstein_constant(self, t: Tensors) -> sympy.Expr | None:
        ring, factor = t.ring, t.scalar / t.ring.dim
        slopes = [ring.d(t.scalar, k) for k in range(ring.dim)]
        verdict = every(ring.verdict(e) for e in [*(t.ricci - t.matrix * factor).flat, *slopes])
        if not verdict.decided():
            return None
        constant = ring.write([factor])[0]
        return constant if is_constant(constant, self.chart).decided() else None

    def _vanishing(self, task: Callable[[Tensors], np.ndarray]) -> Verdict:
        """Whether all components of a tensor vanish."""
        verdict: Verdict = self._run(lambda t: every(t.ring.verdict(e) for e in task(t).flat))
        return verdict

    def __exact__(self) -> Matrix:
        return self.matrix

    @abstractmethod
    def _over(self, ring: ExactRing[Any], matrix: np.ndarray) -> Tensors:
        """The tensors of the matrix, which was read into a ring."""

    @cached_property
    def _tensors(self) -> list[Tensors]:
        return [self._over(ring, array) for ring, array in readings(self.matrix, self.chart)]

    def _run(self, task: Callable[[Tensors], Any], *extra: sympy.Expr) -> Any:
        """`task(tensors)` in the first ring that is large enough, which must also hold the `extra` expressions."""
        if extra:
            everything = [*self.matrix, *extra]
            return compute(everything, self.chart, lambda r: task(self._over(r, read_array(r, self.matrix))))
        *fields, graph = self._tensors
        for tensors in fields:
            try:
                return task(tensors)
            except OutsideField:
                continue
        return task(graph)

    def _array(
        self, task: Callable[[Tensors], np.ndarray], *extra: sympy.Expr, named: tuple[str, str] = ("", "")
    ) -> Any:
        """A matrix or an array of components; `named` are the letter of an array and where its indices stand."""
        found = self._run(lambda t: written(t.ring, task(t)), *extra)
        if isinstance(found, sympy.MatrixBase):
            return ComponentMatrix.on(self.chart, found)
        return ComponentArray.on(self.chart, found, *named)

    def _scalar(self, task: Callable[[Tensors], Any], *extra: sympy.Expr) -> sympy.Expr:
        return self._run(lambda t: t.ring.write([task(t)])[0], *extra)

    @property
    def _parameters(self) -> dict[str, sympy.Symbol]:
        return {s.name: s for s in self.matrix.free_symbols if s.name not in self.chart.names}

    def _expression(self, value: Any) -> sympy.Expr:
        return self.chart.expression(value, self._parameters, functions_of(self.chart, self.matrix))


def entries_in(chart: Chart | ComplexChart, components: Any) -> list[Any]:
    """The entries of a square matrix that fits the chart, given as rows; raises ShapeError for other shapes."""
    rows = components.tolist() if hasattr(components, "tolist") else components
    try:
        if isinstance(rows, str):
            raise TypeError
        lists = [list(row) for row in rows]
    except TypeError:
        raise ShapeError(
            f"the components of a metric are a {chart.dim} x {chart.dim} matrix, given as rows, not {components!r}"
        ) from None
    if len(lists) != chart.dim or any(len(row) != chart.dim for row in lists):
        shape = f"{len(lists)} rows of lengths {[len(row) for row in lists]}"
        raise ShapeError(
            f"a metric in the {chart.dim} coordinates {', '.join(map(str, chart.symbols))} has "
            f"{chart.dim} x {chart.dim} components, not {shape}"
        )
    return [e for row in lists for e in row]


def matrix_in(
    chart: Chart, components: Any, parameters: Mapping[str, Any], functions: Functions
) -> sympy.Matrix:
    """A d × d matrix of text, numbers or expressions in a real chart; raises ShapeError for other shapes."""
    entries = chart.expressions(entries_in(chart, components), parameters, functions)
    return sympy.Matrix(chart.dim, chart.dim, identified(entries, {**parameters, **chart.names}))


def symmetric_in(
    chart: Chart, components: Any, parameters: Mapping[str, Any], functions: Functions
) -> sympy.Matrix:
    """`matrix_in` for a metric; if there are parameters, no other symbol may occur.

    Raises UnknownNameError for another symbol, and SymmetryError where g_ij − g_ji is not zero.
    """
    matrix = matrix_in(chart, components, parameters, functions)
    if parameters:
        _require_known(chart, matrix, parameters)
    _require_symmetric(chart, matrix)
    return matrix


def images_in(
    chart: Chart, target: Chart, mapping: Sequence[Any] | Mapping[Any, Any], parameters: Mapping[str, Any],
    functions: Functions,
) -> list[sympy.Expr]:
    """Each coordinate of the target as a function on the chart, as a map gives them: in order, or by name."""
    images = chart.expressions(list(_ordered(target, mapping)), parameters, functions)
    return identified(images, {**parameters, **chart.names})


def _require_known(chart: Chart, matrix: sympy.Matrix, parameters: Mapping[str, Any]) -> None:
    """Raises UnknownNameError for a symbol that is neither a coordinate nor a parameter."""
    known = {*chart.coordinates, *parameters}
    for symbol in sorted(matrix.free_symbols, key=str):
        require_known("symbol in the metric", symbol.name, known)


def _require_symmetric(chart: Chart, matrix: sympy.Matrix) -> None:
    """Raises SymmetryError where g_ij − g_ji is not zero."""
    for i in range(chart.dim):
        for j in range(i + 1, chart.dim):
            if matrix[i, j] != matrix[j, i] and not all_zero([matrix[i, j] - matrix[j, i]], chart).decided():
                raise SymmetryError(
                    f"a metric must be symmetric, but g[{i}, {j}] = {matrix[i, j]} and g[{j}, {i}] = {matrix[j, i]}"
                )


def _ordered(chart: Chart, mapping: Sequence[Any] | Mapping[Any, Any]) -> Iterable[Any]:
    """What a map gives for each coordinate of its target, in order; raises InputError for one that is missing."""
    if isinstance(mapping, Mapping):
        table = {str(key): value for key, value in mapping.items()}
        missing = [name for name in chart.coordinates if name not in table]
        if missing:
            raise InputError(f"the map must say what {missing[0]} is; it gives only {', '.join(table) or 'nothing'}")
        return [table[name] for name in chart.coordinates]
    images = list(mapping)
    if len(images) != chart.dim:
        raise ShapeError(
            f"the map must give the {chart.dim} coordinates {', '.join(chart.coordinates)}, not {len(images)}"
        )
    return images


@final
@dataclass(frozen=True)
class RealForm:
    """A real chart under a complex one, and what the symbols of that are there: z = x + i y, t = t_re + i t_im."""

    chart: Chart
    table: Mapping[sympy.Symbol, sympy.Expr]

    @staticmethod
    def under(chart: ComplexChart, expressions: Iterable[Any]) -> RealForm:
        """The real form of a chart; names of the expressions' other parameters are left to them (see `fresh`)."""
        used = names_in(expressions)
        real = chart.real_chart_beside(used)
        parts = list(real.symbols)
        used |= {*chart.names, *real.coordinates}
        for t, _ in chart.moduli:
            names = [fresh(f"{t.name}_{part}", used) for part in ("re", "im")]
            used |= {*names}
            parts += [sympy.Symbol(name, real=True) for name in names]
        pairs = zip(chart.pairs, parts[0::2], parts[1::2], strict=True)
        table = {s: a + sign * sympy.I * b for pair, a, b in pairs for s, sign in zip(pair, (1, -1), strict=True)}
        return RealForm(real, table)

    def moved(self, expression: sympy.Expr) -> sympy.Expr:
        """The expression in real coordinates; radicands are expanded, so that they are seen to be real."""
        return _expanded(composed(expression, self.table))

    def values(self, expressions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
        """Real-valued expressions in real coordinates, without i."""
        moved = [self.moved(e) for e in expressions]
        return compute(moved, self.chart, lambda ring: ring.write([ring.read(e) for e in moved]))

    def matrix(self, matrix: sympy.ImmutableMatrix) -> sympy.ImmutableMatrix:
        """The matrix of 2 T_{ab̄} dz^a dz̄^b in the coordinates x^1, y^1, ...: with T = A + iB, 2[[A, B], [−B, A]].

        A = (T + Tᵗ)/2 and iB = (T − Tᵗ)/2 because T is Hermitian.
        """
        moved = matrix.applyfunc(self.moved)
        return compute([*moved, sympy.I], self.chart, lambda ring: written(ring, _blocks(ring, moved)))


def _expanded(e: sympy.Expr) -> sympy.Expr:
    if not e.args:
        return e
    if isinstance(e, UNKNOWN) and (found := applied(e)) is not None:
        return Applied(found.function, found.index, tuple(sympy.expand(_expanded(a)) for a in found.args)).written()
    if (e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer) or (e.is_Function and len(e.args) == 1):
        return e.func(sympy.expand(_expanded(e.args[0])), *e.args[1:])
    return e.func(*[_expanded(a) for a in e.args])


def _blocks(ring: ExactRing[Any], matrix: sympy.ImmutableMatrix) -> np.ndarray:
    t, n = read_array(ring, matrix), len(matrix.tolist())
    minus_i = -ring.read(sympy.I)
    result = ring.array((2 * n, 2 * n))
    for a in range(n):
        for b in range(n):
            even, odd = t[a, b] + t[b, a], (t[a, b] - t[b, a]) * minus_i
            result[2 * a, 2 * b] = result[2 * a + 1, 2 * b + 1] = even * (2 * HALF)
            result[2 * a, 2 * b + 1] = odd
            result[2 * a + 1, 2 * b] = -odd
    return result
