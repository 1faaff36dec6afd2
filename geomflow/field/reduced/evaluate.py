"""Reduced expressions at the nodes of a basis, and their exact Jacobians.

Jets are derivative matrices times nodal values; what stands on them pointwise is a generated routine, also for the
derivatives by jets. An average adds what its integrals change, a matrix of rank one for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError, ShapeError, UnknownNameError
from geomflow.core.graph import Node
from geomflow.core.program import Average
from geomflow.field.bases.basis import Basis
from geomflow.field.reduced.closing import Closing
from geomflow.field.reduced.slopes import compiled, slopes

Numbers = Mapping[str, float]
Known = dict[Node, np.ndarray | float]
Row = dict[Node, np.ndarray]


@final
@dataclass(frozen=True, eq=False)
class Evaluated:
    """Expressions in jets of unknowns, for their (K, N) values at the nodes.

    Parameters
    ----------
    nodes : sequence of Node
        The expressions. Leaves are jets of the unknowns (`gr.jet(name, index)`, one index an axis), and symbols: names
        of `statics`, of `averages`, symbols of `closings`, and numbers, which any other symbol is.
    names : sequence of str
        The K unknowns, in the order of values.
    bases : Basis or sequence of Basis
        One for all unknowns, or one for each, with the same nodes.
    statics : mapping of str to (N,) array
        Given functions.
    averages : sequence of Average
        Quotients of integrals that expressions depend on; `top` and `bottom` have the same leaves but for averages.
    closings : sequence of Closing
        Exponentials without cancellation.
    weights : (N,) array, optional
        Those of the integrals in averages; by default the basis's, for functions smooth in its regular variable. For
        integrands odd about poles give its `odd_weights`.

    Raises
    ------
    ExpressionError
        For a leaf without meaning here.
    ShapeError
        For arrays or bases of other numbers of nodes.

    Examples
    --------
    >>> from geomflow.field.bases import Fourier
    >>> basis = Fourier(8, 1.0)
    >>> burgers = Evaluated([-gr.jet("u", (0,)) * gr.jet("u", (1,))], ["u"], basis)
    >>> burgers(np.ones((1, 8)), {}).shape, burgers.jacobian(np.ones((1, 8)), {}).shape
    ((1, 8), (8, 8))
    """

    nodes: Sequence[Node]
    names: Sequence[str]
    bases: Basis | Sequence[Basis]
    statics: Mapping[str, np.ndarray] = field(default_factory=dict)
    averages: Sequence[Average] = ()
    closings: Sequence[Closing] = ()
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        _check_names(self)
        for leaf in gr.leaves(self._everything):
            self._check_leaf(leaf)
        if len(self.each) != len(self.names):
            raise InputError(f"{len(self.names)} unknowns need one basis, or one each, not {len(self.each)}")
        for what, size in self._sizes():
            if size != self.size:
                raise ShapeError(f"{what} has {size} nodes, but the first basis has {self.size}; use the same nodes")

    @cached_property
    def each(self) -> tuple[Basis, ...]:
        """The basis of each unknown."""
        return (self.bases,) * len(self.names) if isinstance(self.bases, Basis) else tuple(self.bases)

    @property
    def size(self) -> int:
        """The number N of nodes."""
        return self.each[0].size

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The names of the numbers that are given at each call, sorted."""
        known = {*self.statics, *(a.parameter for a in self.averages),
                 *(s.data for closing in self.closings for s in closing.symbols)}
        symbols = (leaf.data for leaf in gr.leaves(self._everything) if leaf.op == "symbol")
        return tuple(name for name in symbols if name not in known)

    def __call__(self, values: np.ndarray, numbers: Numbers) -> np.ndarray:
        """The expressions at the nodes, (outputs, N).

        Parameters
        ----------
        values : (K, N) array
            Of the unknowns.
        numbers : mapping of str to float
            A value for each of `numbers`.
        """
        known = self._known(values, numbers)
        self._add_averages(known)
        return self._run(tuple(self.nodes), known)

    def jacobian(self, values: np.ndarray, numbers: Numbers) -> np.ndarray:
        """The derivatives of the expressions by the values, (outputs·N, K·N), exact.

        Parameters
        ----------
        values : (K, N) array
            Of the unknowns.
        numbers : mapping of str to float
            A value for each of `numbers`.
        """
        known = self._known(values, numbers)
        parts = self._add_averages(known)
        rows = self._slopes(tuple(self.nodes), known)
        found = self._assembled(rows)
        for average, (top, bottom) in zip(self.averages, parts, strict=True):
            by = [row.get(gr.symbol(average.parameter), np.zeros(self.size)) for row in rows]
            found += np.outer(np.concatenate(by), self._of_average(average, known, top, bottom))
        return found

    def averaged(self, values: np.ndarray, numbers: Numbers) -> dict[str, float]:
        """The averages by name.

        Parameters
        ----------
        values : (K, N) array
            Of the unknowns.
        numbers : mapping of str to float
            A value for each of `numbers`.
        """
        known = self._known(values, numbers)
        self._add_averages(known)
        return {a.parameter: float(known[gr.symbol(a.parameter)]) for a in self.averages}

    # What leaves are worth

    @cached_property
    def _everything(self) -> tuple[Node, ...]:
        return (*self.nodes, *(node for a in self.averages for node in (a.top, a.bottom)))

    @cached_property
    def _jets(self) -> tuple[Node, ...]:
        """The jets that are needed: those in expressions, and the unknowns themselves."""
        rest = [leaf for leaf in gr.leaves(self._everything) if leaf.op == "jet"]
        plain = [self._plain(name) for name in self.names]
        return tuple(dict.fromkeys([*plain, *rest]))

    def _plain(self, name: str) -> Node:
        return gr.jet(name, (0,) * len(self.each[0].shape))

    @cached_property
    def _matrices(self) -> dict[Node, np.ndarray]:
        """The derivative matrix of each jet that is not an unknown itself."""
        basis = dict(zip(self.names, self.each, strict=True))
        return {leaf: basis[leaf.data[0]].derivative(leaf.data[1]) for leaf in self._jets if any(leaf.data[1])}

    @cached_property
    def _given(self) -> dict[Node, np.ndarray]:
        return {gr.symbol(name): np.asarray(array, dtype=float) for name, array in self.statics.items()}

    def _known(self, values: np.ndarray, numbers: Numbers) -> Known:
        y = np.asarray(values, dtype=float)
        if y.shape != (len(self.names), self.size):
            raise ShapeError(f"values of the unknowns {', '.join(self.names)} have shape {(len(self.names), self.size)}"
                             f", not {y.shape}")
        missing = [name for name in self.numbers if name not in numbers]
        if missing:
            raise InputError(f"the number '{missing[0]}' has no value; the expressions need {', '.join(self.numbers)}")
        known: Known = {**self._given}
        known.update((gr.symbol(name), float(numbers[name])) for name in self.numbers)
        rows = dict(zip(self.names, y, strict=True))
        for leaf in self._jets:
            row = rows[leaf.data[0]]
            known[leaf] = self._matrices[leaf] @ row if leaf in self._matrices else row
        for closing in self.closings:
            found = closing.values(rows[closing.unknown], self._given[gr.symbol(closing.static)])
            known.update(zip(closing.symbols, found, strict=True))
        return known

    def _run(self, nodes: tuple[Node, ...], known: Known) -> np.ndarray:
        routine, leaves = compiled(nodes)
        arguments = np.empty((len(leaves), self.size))
        for row, leaf in zip(arguments, leaves):
            row[:] = known[leaf]
        return routine.packed(arguments, np.empty((len(nodes), self.size)))

    # Averages

    @cached_property
    def _weights(self) -> np.ndarray:
        return self.each[0].weights if self.weights is None else np.asarray(self.weights, dtype=float)

    def _add_averages(self, known: Known) -> list[tuple[float, float]]:
        if not self.averages:
            return []
        nodes = tuple(node for a in self.averages for node in (a.top, a.bottom))
        integrals = self._run(nodes, known) @ self._weights
        pairs = [(float(top), float(bottom)) for top, bottom in integrals.reshape(-1, 2)]
        known.update((gr.symbol(a.parameter), top / bottom) for a, (top, bottom) in zip(self.averages, pairs))
        return pairs

    def _of_average(self, average: Average, known: Known, top: float,
                    bottom: float) -> np.ndarray:
        """d(T/B) = (dT − (T/B) dB)/B by all values, (K·N,)."""
        rows = self._slopes((average.top, average.bottom), known)
        moved = [_weighted(row, self._weights / bottom) for row in rows]
        by_top, by_bottom = (np.concatenate([self._pulled(row, name) for name in self.names]) for row in moved)
        return by_top - top / bottom * by_bottom

    def _pulled(self, row: Row, name: str) -> np.ndarray:
        found = np.zeros(self.size)
        for leaf, slope in row.items():
            if leaf.data[0] == name:
                found += slope @ self._matrices[leaf] if leaf in self._matrices else slope
        return found

    # Derivatives by jets

    def _slopes(self, nodes: tuple[Node, ...], known: Known) -> list[Row]:
        """For each node its derivatives by jets and averages, where they are not identically zero."""
        leaves = (*self._jets, *(gr.symbol(a.parameter) for a in self.averages))
        places, expressions = slopes(nodes, leaves, tuple(self.closings), len(self.each[0].shape))
        values = self._run(expressions, known)
        found: list[Row] = [{} for _ in nodes]
        for (number, leaf), row in zip(places, values, strict=True):
            found[number][leaf] = row
        return found

    def _assembled(self, rows: Sequence[Row]) -> np.ndarray:
        """Σ_j diag(slope_j) D_j in blocks (output, unknown)."""
        size, place = self.size, {name: k for k, name in enumerate(self.names)}
        found = np.zeros((len(rows), size, len(self.names), size))
        diagonal = np.arange(size)
        for number, row in enumerate(rows):
            for leaf, slope in row.items():
                if leaf.op != "jet":
                    continue
                block = found[number, :, place[leaf.data[0]]]
                if leaf in self._matrices:
                    block += slope[:, None] * self._matrices[leaf]
                else:
                    block[diagonal, diagonal] += slope
        return found.reshape(len(rows) * size, -1)

    # Checks

    def _check_leaf(self, leaf: Node) -> None:
        if leaf.op != "jet":
            return
        name, index = leaf.data
        if name not in self.names:
            raise UnknownNameError.among("function", name, self.names)
        if len(index) != len(self.each[0].shape):
            raise ExpressionError(f"the derivative {leaf!r} has {len(index)} indices, but the basis {self.each[0]!r} "
                                  f"has {len(self.each[0].shape)} axes")

    def _sizes(self) -> list[tuple[str, int]]:
        bases = [(f"the basis of '{name}'", basis.size) for name, basis in zip(self.names, self.each)]
        statics = [(f"the array '{name}'", np.size(array)) for name, array in self.statics.items()]
        return [*bases, *statics, *([] if self.weights is None else [("the array of weights", np.size(self.weights))])]


def _check_names(of: Evaluated) -> None:
    names = [*of.names, *of.statics, *(a.parameter for a in of.averages),
             *(s.data for closing in of.closings for s in closing.symbols)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"the name '{twice[0]}' is used more than once; rename one of them")
    for closing in of.closings:
        if closing.unknown not in of.names or closing.static not in of.statics:
            raise InputError(f"{closing!r} needs an unknown among {', '.join(of.names)} and a given function among "
                             f"{', '.join(of.statics) or 'none'}")
    parameters = {a.parameter for a in of.averages}
    for average in of.averages:
        inner = {leaf.data for leaf in gr.leaves((average.top, average.bottom)) if leaf.op == "symbol"}
        if average.stages or parameters & inner:
            raise InputError(f"the average '{average.parameter}' stands on stages or on averages; write its integrands "
                             "in jets of the unknowns (core.program.unstaged)")


def _weighted(row: Row, weights: np.ndarray) -> Row:
    return {leaf: weights * slope for leaf, slope in row.items()}
