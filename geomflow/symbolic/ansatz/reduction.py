"""A flow restricted to an ansatz: the rates of its unknowns, exactly, or the component that cannot be matched.

Σ_k ∂g/∂u_k u̇_k = rate is solved for the u̇_k by elimination in a ring in which zero is decided. What is left over must
vanish, and so must the derivatives of u̇_k along coordinates on which u_k does not depend. Coordinates that are told by
the size of orbits are kept so, modulo a vector field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError, require_known
from geomflow.core.graph.sympy_bridge import all_to_sympy, with_functions
from geomflow.core.symmetric import packed_places
from geomflow.symbolic.ansatz.derivatives import Derivatives
from geomflow.symbolic.ansatz.form import STRUCTURE, structure_of
from geomflow.symbolic.ansatz.keeping import dragged, keeping_speed, kept_component
from geomflow.symbolic.ansatz.measure import normal, on_orbit
from geomflow.symbolic.ansatz.shown import in_latex, integrals, integrals_in_latex, mean_in_latex, plainly
from geomflow.symbolic.ansatz.span import end_rates
from geomflow.symbolic.ansatz.typed import METRIC, Typed
from geomflow.symbolic.ansatz.unknowns import Unknown
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.exact import compute
from geomflow.symbolic.given import names_in
from geomflow.symbolic.jets import MetricNodes
from geomflow.symbolic.language.averages import Averages
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor, ordered
from geomflow.symbolic.language.words import TIME, Words
from geomflow.symbolic.metric import Metric
from geomflow.symbolic.parse import read
from geomflow.symbolic.ring import ExactRing
from geomflow.symbolic.show import InLatex, latex

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz
    from geomflow.symbolic.ansatz.functional import ReducedFunctional
    from geomflow.symbolic.ansatz.potential import PotentialAnsatz


@final
@dataclass(frozen=True)
class Mean:
    """A number of the whole manifold that rates depend on, over the coordinates of unknowns.

    Parameters
    ----------
    name : str
        What stands for it in the rates.
    top : sympy expression
        What is integrated.
    bottom : sympy expression, optional
        By whose integral that is divided.
    """

    name: str
    top: sympy.Expr
    bottom: sympy.Expr | None = None


@final
@dataclass(frozen=True)
class Reduction(InLatex):
    """∂_t u = rate for the unknowns of an ansatz. Made by `ansatz.reduce(flow)`.

    Parameters
    ----------
    unknowns : tuple of Unknown
        What changes.
    rates : tuple of sympy expressions
        In the unknowns, their derivatives, parameters, the time and means.
    means : tuple of Mean
        Numbers of the whole manifold, by the names that stand for them in the rates.
    ansatz : Ansatz or PotentialAnsatz
        Whose unknowns they are.
    energy : ReducedFunctional, optional
        What the equations descend.
    """

    unknowns: tuple[Unknown, ...]
    rates: tuple[sympy.Expr, ...]
    means: tuple[Mean, ...]
    ansatz: Ansatz | PotentialAnsatz
    energy: ReducedFunctional | None = None

    @property
    def equations(self) -> tuple[sympy.Eq, ...]:
        """One for each unknown, all of them functions of the time too."""
        t = sympy.Symbol(TIME, real=True)
        moving = {u.value: sympy.Function(u.name)(t, *u.value.args) for u in self.unknowns}
        rates = [rate.xreplace({**{s: t for s in rate.free_symbols if s.name == TIME}, **moving})
                 for rate in self.rates]
        return tuple(sympy.Eq(sympy.Derivative(u, t), rate, evaluate=False)
                     for u, rate in zip(moving.values(), rates, strict=True))

    @property
    def components(self) -> sympy.ImmutableMatrix:
        """The rates as `gf.compile` takes them."""
        return sympy.ImmutableMatrix(self.rates)

    def __getitem__(self, name: str) -> sympy.Expr:
        names = [u.name for u in self.unknowns]
        require_known("function or number of the ansatz", name, names)
        return self.rates[names.index(name)]

    def __exact__(self) -> tuple[sympy.Eq, ...]:
        return self.equations

    def _latex(self, printer: Any = None) -> str:
        told = partial(integrals_in_latex, unknowns=self.unknowns)
        lines = [rf"\partial_t {latex(sympy.Symbol(u.name))} &= {in_latex(rate, self.unknowns)}"
                 for u, rate in zip(self.unknowns, self.rates, strict=True)]
        lines += [f"{mean_in_latex(mean.name)} &= {told(mean.top, mean.bottom)}" for mean in self.means]
        return r"\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}"

    def __str__(self) -> str:
        lines = [f"d{u.name}/dt = {plainly(rate, self.unknowns)}"
                 for u, rate in zip(self.unknowns, self.rates, strict=True)]
        lines += [f"{mean.name} = {integrals(mean.top, mean.bottom, self.unknowns)}" for mean in self.means]
        return "\n".join(lines)

    __repr__ = __str__


def reduced(ansatz: Ansatz, flow: Typed) -> Reduction:
    """The rates of the unknowns along a flow.

    Raises InputError where the flow leaves the ansatz, with the component that cannot be matched.
    """
    words = _Reader(ansatz, flow)
    moved = words.rate(flow.rate)
    if flow.gauge == "deturck":
        moved += ansatz.metric.lie_derivative(deturck_field(ansatz))
    means, place, speed = words.means(), kept_component(ansatz), sympy.Integer(0)
    if place is not None:
        speed = keeping_speed(ansatz, moved, place)
        moved += dragged(ansatz, speed)
    rates = solved(ansatz, moved)
    if ansatz.coordinates:
        return Reduction(ansatz.moving, (*rates, *end_rates(ansatz, speed)), means, ansatz)
    for mean in reversed(means):
        value = {sympy.Symbol(mean.name): mean.top / (mean.bottom or 1)}
        rates = tuple(normal(rate.xreplace(value), ansatz.metric.chart) for rate in rates)
    return Reduction(ansatz.unknowns, rates, (), ansatz)


def deturck_field(ansatz: Ansatz) -> list[sympy.Expr]:
    """W^a = h^{bc} Γ^a_bc along the coordinates of unknowns, of the metric h between orbits; 0 along orbits."""
    chart = ansatz.metric.chart
    own = [n for n, name in enumerate(chart.coordinates) if name in ansatz.coordinates]
    if not own:
        return [sympy.Integer(0)] * chart.dim
    between = Metric(Chart([chart.symbols[n] for n in own]), ansatz.metric.matrix.extract(own, own))
    gamma, inverse, pairs = between.christoffel, between.inverse, list(np.ndindex(len(own), len(own)))
    along = [sum(inverse[b, c] * gamma[a, b, c] for b, c in pairs) for a in range(len(own))]
    return [along[own.index(n)] if n in own else sympy.Integer(0) for n in range(chart.dim)]


def transported(ansatz: Ansatz, speed: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """The rates of the unknowns of one coordinate x where g is dragged along V ∂_x, ∂_t g = L_V g.

    Parameters
    ----------
    ansatz : Ansatz
        With unknowns of one coordinate.
    speed : sympy expression
        V, such as an unknown function of the coordinate.
    """
    return solved(ansatz, dragged(ansatz, speed))


def from_start(ansatz: Ansatz, slope: sympy.Expr) -> sympy.Expr:
    """V = g^xx (Γ^x_xx − Γ̄^x_xx) of the metric between orbits and of that at the start: DeTurck's field along x.

    Parameters
    ----------
    ansatz : Ansatz
        With unknowns of one coordinate x, and one of its own in g_xx.
    slope : sympy expression
        ∂_x ½ log g_xx at the start.
    """
    (name,) = ansatz.coordinates
    place = ansatz.metric.chart.coordinates.index(name)
    length = ansatz.metric.matrix[place, place]
    return (length.diff(ansatz.metric.chart.symbols[place]) / (2 * length) - slope) / length


def solved(ansatz: Ansatz, rates: sympy.Matrix) -> tuple[sympy.Expr, ...]:
    """The u̇ with Σ_k ∂g/∂u_k u̇_k = `rates`, a symmetric matrix. Raises InputError where there are none."""
    chart, unknowns, matrix = ansatz.metric.chart, ansatz.unknowns, ansatz.metric.matrix
    places = packed_places(chart.dim)
    slopes = [matrix.diff(u.value) for u in unknowns]
    table = [[*(slope[place] for slope in slopes), rates[place]] for place in places]

    def task(ring: ExactRing[Any]) -> list[sympy.Expr]:
        rows = [(place, [ring.read(entry) for entry in row]) for place, row in zip(places, table, strict=True)]
        found = _eliminated(ring, rows, ansatz)
        for unknown, rate in zip(unknowns, found, strict=True):
            _require_own(ring, unknown, rate, ansatz)
        return ring.write(found)

    own = ansatz.coordinates
    return tuple(on_orbit(rate, chart, own) for rate in compute([e for row in table for e in row], chart, task))


def _eliminated(ring: ExactRing[Any], rows: list[tuple[tuple[int, int], list[Any]]], ansatz: Ansatz) -> list[Any]:
    """The solution by Gauss–Jordan elimination; rows are (place, [∂g/∂u_1, …, rate])."""
    done: list[tuple[tuple[int, int], list[Any]]] = []
    for k, unknown in enumerate(ansatz.unknowns):
        pivot = next((row for row in rows if not ring.is_zero(row[1][k])), None)
        if pivot is None:
            raise InputError(f"the unknown {unknown} changes the metric only as others do: take it out of the ansatz.")
        rows = [row for row in rows if row is not pivot]
        scaled = (pivot[0], [entry / pivot[1][k] for entry in pivot[1]])
        rows, done = [_cleared(ring, row, scaled, k) for row in rows], [_cleared(ring, row, scaled, k) for row in done]
        done.append(scaled)
    for place, row in rows:
        if not ring.verdict(row[-1]).decided():
            _fail_to_match(ring, place, row[-1], ansatz)
    return [row[-1] for _, row in done]


def _cleared(ring: ExactRing[Any], row: tuple[tuple[int, int], list[Any]], pivot: tuple[tuple[int, int], list[Any]],
             k: int) -> tuple[tuple[int, int], list[Any]]:
    factor = row[1][k]
    if ring.vanishes(factor) or ring.is_zero(factor):
        return row
    return row[0], [entry - factor * above for entry, above in zip(row[1], pivot[1], strict=True)]


def _fail_to_match(ring: ExactRing[Any], place: tuple[int, int], left: Any, ansatz: Ansatz) -> None:
    i, j = (ansatz.metric.chart.coordinates[n] for n in place)
    told = str(ring.write([left])[0])
    raise InputError(f"the flow leaves the ansatz: no change of {', '.join(u.name for u in ansatz.unknowns)} gives the "
                     f"rate of the component g_{i}{j}; what is left of it is {told[:200]}. Put an unknown there.")


def _require_own(ring: ExactRing[Any], unknown: Unknown, rate: Any, ansatz: Ansatz) -> None:
    for axis, name in enumerate(ansatz.metric.chart.coordinates):
        if name not in unknown.coordinates and not ring.verdict(ring.d(rate, axis)).decided():
            raise InputError(f"the flow leaves the ansatz: the rate of {unknown} depends on {name} too. Let the "
                             "unknown depend on it, or take other components.")


class _Reader:
    """Text about the metric of an ansatz, and functions beside it, read in the language of tensors."""

    def __init__(self, ansatz: Ansatz, flow: Typed, functions: Sequence[Unknown] = ()) -> None:
        self._ansatz, chart = ansatz, ansatz.metric.chart
        self._functions = {u.name: u.value.func for u in (*ansatz.unknowns, *functions) if u.coordinates}
        matrix = ansatz.metric.matrix
        nodes = self._nodes(matrix)
        own = [*chart.coordinates, *names_in(matrix), *(u.name for u in functions)]
        for name in (*flow.numbers, *flow.where):
            if name in own:
                raise InputError(f"the flow has a parameter or a definition '{name}', and so is called something of "
                                 "the ansatz: call one of them otherwise.")
        taken = [*own, *flow.numbers, *flow.where]
        self._space = Space(Derivatives(chart.coordinates, taken, self._short), MetricNodes(chart.coordinates, nodes))
        self._averages = Averages(1, taken)
        numbers = [u.value for u in functions if not u.coordinates]
        self._symbols = {s.name: s for s in (*chart.symbols, *matrix.free_symbols, *numbers)}
        self._known = {**{name: Tensor.scalar(gr.symbol(name)) for name in (*self._symbols, TIME)},
                       **{name: Tensor.scalar(number) for name, number in flow.numbers.items()},
                       **{u.name: Tensor.scalar(with_functions(u.value)) for u in functions},
                       METRIC: Tensor(nodes, (False, False))}
        if ansatz.form is not None:
            structure = self._nodes(structure_of(ansatz.metric, ansatz.form))
            self._known.setdefault(STRUCTURE, Tensor(structure, (True, False)))
        for name, text in flow.where.items():
            self._known[name] = replace(ordered(self._read(text)), labels=None)

    @staticmethod
    def _nodes(matrix: sympy.Matrix) -> np.ndarray:
        return np.array([[with_functions(e) for e in matrix.row(i)] for i in range(matrix.rows)], dtype=object)

    def rate(self, text: str) -> sympy.Matrix:
        """A symmetric tensor with two lower indices, as sympy."""
        found = ordered(self._read(text))
        if found.up != (False, False):
            raise ExpressionError(f"the rate of a metric is a symmetric tensor with 2 lower indices, and '{text}' is "
                                  f"{found.kind}.")
        if not self._space.is_symmetric(found):
            raise ExpressionError(f"a metric is symmetric, and its rate '{text}' is not: write sym(...) around it.")
        dim = self._ansatz.metric.dim
        return sympy.Matrix(dim, dim, self._written(list(found.entries.flat)))

    def scalar(self, text: str) -> sympy.Expr:
        """A function, as sympy."""
        found = self._read(text)
        if found.rank:
            raise ExpressionError(f"a function was expected, and '{text}' is {found.kind}.")
        if self._averages.found:
            raise ExpressionError(f"'{text}' has an average over the manifold, and a function at each point was "
                                  "expected: leave mean, integral and volume out.")
        return self._written([found.node])[0]

    def means(self) -> tuple[Mean, ...]:
        """The averages that have come up, over orbits."""
        return tuple(self._mean(average.parameter, average.top, average.bottom) for average in self._averages.found)

    def _mean(self, name: str, top: gr.Node, bottom: gr.Node) -> Mean:
        density = self._space.density
        share = self._ansatz.constant_on_orbits(self._written([top / density])[0])
        if bottom is density and not self._ansatz.coordinates:
            return Mean(name, share)
        measure = self._ansatz.measure
        share *= measure.density
        return Mean(name, share, measure.density) if bottom is density else Mean(name, share * measure.volume)

    def _read(self, text: str) -> Tensor:
        found: Tensor = read(text, Words(self._space, self._averages, dict(self._known)))
        return found

    def _written(self, nodes: Sequence[gr.Node]) -> list[sympy.Expr]:
        return all_to_sympy(nodes, self._symbols, functions=self._functions)

    def _short(self, node: gr.Node) -> gr.Node:
        return with_functions(normal(self._written([node])[0], self._ansatz.metric.chart))


def scalar_on(ansatz: Ansatz, text: str, functions: Sequence[Unknown] = (), meaning: Typed | None = None) -> sympy.Expr:
    """A function of curvature and the like, and of functions beside the metric, on the orbits of an ansatz: "R", …."""
    reader = _Reader(ansatz, meaning or Typed(METRIC), functions)
    return ansatz.constant_on_orbits(reader.scalar(text))
