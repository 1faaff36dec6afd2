"""Symbols of linearised gradient flows, with exact growth and decay rates of plane waves e^{ik·x}.

A perturbation e^{ik·x} of field u changes an output by Σ_α ∂output/∂u_α (ik)^α, stage by stage. Symbols are kept order
by order in k, so that the principal one is the highest that does not vanish.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.symbolic.given import given_freely
from geomflow.symbolic.variation.staged import Staged

Symbol = dict[int, gr.Node]
"""From the order in k to the part of that order."""


Background = Mapping[str, gr.Node]
"""A constant background: the value of each unknown and given function, 0 unless given; derivatives vanish."""


def linearised(staged: Staged, fields: Sequence[str], waves: Sequence[gr.Node],
               background: Background | None = None) -> list[list[Symbol]]:
    """`result[o][u]`: the symbol of output o by field u; `waves[i]` stands for ∂_i, as i k_i.

    Without a background the coefficients are nodes over the jets that they depend on.

    Parameters
    ----------
    staged : Staged
        Whose outputs are linearised.
    fields : sequence of str
        What is perturbed.
    waves : sequence of Node
        The symbols of the derivations.
    background : mapping of str to Node, optional
        Values at a constant state.
    """
    walk = _Walk(fields, waves, background)
    for stage in staged.stages:
        values, rows = walk.rows(stage.nodes)
        walk.known.update(zip(stage.names, rows, strict=True))
        walk.constants.update(zip(stage.names, values, strict=True))
    return [[row[u] for u in fields] for row in walk.rows(staged.outputs)[1]]


class _Walk:
    def __init__(self, fields: Sequence[str], waves: Sequence[gr.Node], background: Background | None) -> None:
        self._fields, self._waves, self._background = tuple(fields), waves, background
        self.constants: dict[str, gr.Node] = {}
        self.known: dict[str, dict[str, Symbol]] = {
            u: {w: {0: gr.ONE} if u == w else {} for w in fields} for u in fields
        }

    def rows(self, nodes: Sequence[gr.Node]) -> tuple[list[gr.Node], list[dict[str, Symbol]]]:
        leaves = [leaf for leaf in gr.leaves(nodes) if leaf.op == "jet"]
        moving = [leaf for leaf in leaves if leaf.data[0] in self.known]
        slopes = [gr.gradient(node, moving) for node in nodes]
        values = list(nodes)
        if self._background is not None:
            constant = {**self.constants, **self._background}
            point = {leaf: gr.ZERO if any(leaf.data[1]) else constant.get(leaf.data[0], gr.ZERO) for leaf in leaves}
            values = gr.substitute(nodes, point)
            slopes = [gr.substitute(row, point) for row in slopes]
        return values, [self._row(moving, row) for row in slopes]

    def _row(self, leaves: Sequence[gr.Node], slopes: Sequence[gr.Node]) -> dict[str, Symbol]:
        total: dict[str, Symbol] = {u: {} for u in self._fields}
        for leaf, slope in zip(leaves, slopes, strict=True):
            if slope is gr.ZERO:
                continue
            name, index = leaf.data
            wave = gr.product((w, e) for w, e in zip(self._waves, index, strict=True) if e)
            for u, symbol in self.known[name].items():
                for order, part in symbol.items():
                    reached = order + sum(index)
                    total[u][reached] = total[u].get(reached, gr.ZERO) + slope * wave * part
        return total


def whole(symbol: Symbol) -> gr.Node:
    """The sum over all orders."""
    return gr.add(*symbol.values()) if symbol else gr.ZERO


def principal(rows: Sequence[Sequence[Symbol]]) -> tuple[int, list[list[gr.Node]]]:
    """The highest order at which some entry does not vanish identically, and the matrix of that order."""
    orders = sorted({order for row in rows for symbol in row for order in symbol}, reverse=True)
    for order in orders:
        matrix = [[symbol.get(order, gr.ZERO) for symbol in row] for row in rows]
        if not gr.all_zero([entry for row in matrix for entry in row]):
            return order, matrix
    return 0, [[gr.ZERO for _ in row] for row in rows]


def wave_names(coordinates: Sequence[str]) -> tuple[str, ...]:
    """k_x, k_y, ..."""
    return tuple(f"k_{c}" for c in coordinates)


def wave_vector(coordinates: Sequence[str]) -> tuple[gr.Node, ...]:
    """(k_x, k_y, ...) as symbols."""
    return tuple(map(gr.symbol, wave_names(coordinates)))


@final
@dataclass(frozen=True)
class Linearisation:
    """The linear part of ∂_t u = rate of each unknown u at a constant background.

    `matrix[o][u]` is the symbol of output o by unknown u, a polynomial in the wave numbers; perturbations ∝ e^{ik·x}
    change at the rates of its eigenvalues.

    Parameters
    ----------
    coordinates : tuple of str
        Real; the wave vector is k = (k_x, k_y, ...) over them.
    unknowns : tuple of str
        What is perturbed.
    staged : Staged
        Whose outputs are the rates.
    background : mapping of str to Node
        The constant value of each unknown and given function, 0 where there is none.
    waves : tuple of Node
        The symbols of the derivations of `staged` on e^{ik·x}.
    """

    coordinates: tuple[str, ...]
    unknowns: tuple[str, ...]
    staged: Staged
    background: Background
    waves: tuple[gr.Node, ...]

    @cached_property
    def _symbols(self) -> list[list[Symbol]]:
        return linearised(self.staged, self.unknowns, self.waves, self.background)

    @cached_property
    def matrix(self) -> sympy.Matrix:
        """The whole symbol, (outputs, fields), as polynomials in the wave numbers."""
        return self._sympy([[whole(s) for s in row] for row in self._symbols])

    @cached_property
    def order(self) -> int:
        """The order of the linear operator in derivatives."""
        return principal(self._symbols)[0]

    @cached_property
    def principal(self) -> sympy.Matrix:
        """The symbol's part of the highest order."""
        return self._sympy(principal(self._symbols)[1])

    def _sympy(self, rows: Sequence[Sequence[gr.Node]]) -> sympy.Matrix:
        from geomflow.core.graph.sympy_bridge import all_to_sympy

        entries = [entry for row in rows for entry in row]
        symbols = {leaf.data: sympy.Symbol(leaf.data, positive=True) for leaf in gr.leaves(entries)}
        symbols |= {k.name: k for k in self.wave_numbers}
        flat = all_to_sympy(entries, symbols)
        return sympy.Matrix(len(rows), len(rows[0]), [sympy.expand(e) for e in flat])

    @cached_property
    def wave_numbers(self) -> tuple[sympy.Symbol, ...]:
        """The symbols k_x, k_y, ... of the wave vector."""
        return tuple(sympy.Symbol(name, real=True) for name in wave_names(self.coordinates))

    def rates(self, wave: Sequence[Any]) -> dict[Any, int]:
        """The eigenvalues of the symbol at a wave vector, with multiplicities; positive ones grow.

        Parameters
        ----------
        wave : (d,) sequence of numbers
            The wave vector k.
        """

        values = dict(zip(self.wave_numbers, map(given_freely, wave), strict=True))
        return dict(self.matrix.subs(values).eigenvals())

    def decay_rate(self, wave: Sequence[Any]) -> Any:
        """Minus the largest real part of the eigenvalues at a wave vector.

        Parameters
        ----------
        wave : (d,) sequence of numbers
            The wave vector k.
        """
        return -max((sympy.re(rate) for rate in self.rates(wave)), key=_size)

    @cached_property
    def polynomial(self) -> sympy.Expr:
        """For one field: the decay rate as a polynomial in |k|, if it is one, else in the k_i."""
        length = sympy.Symbol("|k|", nonnegative=True)
        along = sympy.Symbol("along", real=True)
        start = dict.fromkeys(self.wave_numbers, sympy.Integer(0)) | {self.wave_numbers[0]: along}
        guess = sympy.Poly(-self.matrix[0, 0].subs(start), along)
        terms = {power: c for (power,), c in guess.terms()}
        whole_square = sympy.Add(*[k**2 for k in self.wave_numbers])
        rebuilt = sympy.Add(*[c * whole_square ** (sympy.Integer(p) / 2) for p, c in terms.items()])
        if sympy.expand(rebuilt + self.matrix[0, 0]) != 0:
            return sympy.expand(-self.matrix[0, 0])
        return sympy.Add(*[c * length**p for p, c in terms.items()])

    @cached_property
    def growing(self) -> dict[Any, int]:
        """Positive eigenvalues of the principal symbol at |k| = 1 (along the first axis), with multiplicities."""
        if not self.order:
            return {}
        unit = dict.fromkeys(self.wave_numbers, sympy.Integer(0)) | {self.wave_numbers[0]: sympy.Integer(1)}
        found = self.principal.subs(unit).eigenvals()
        return {rate: times for rate, times in found.items() if sympy.re(rate) > 0}

    @property
    def well_posed(self) -> bool:
        """Whether no direction of the principal symbol grows: the flow is (weakly) parabolic."""
        return not self.growing

    @property
    def verdict(self) -> str:
        """Whether the flow is well-posed, in a sentence with the rate."""
        if not self.order:
            return "The linearised flow at the flat metric vanishes or is of order zero: it smooths nothing."
        if self.well_posed:
            return (f"Parabolic of order {self.order} at the flat metric, at least weakly: no plane wave grows at that "
                    "order.")
        rate = max(self.growing, key=_size)
        power = "|k|" if self.order == 1 else f"|k|^{self.order}"
        return (f"Ill-posed: at the flat metric {sum(self.growing.values())} direction(s) of each plane wave grow at "
                f"up to {rate} {power}, without bound as the wave length goes to zero.")


def _size(rate: Any) -> float:
    """A rate with its parameters at 1, for comparing."""
    return float(rate.subs(dict.fromkeys(rate.free_symbols, 1)))


@final
@dataclass(frozen=True)
class PrincipalSymbol:
    """The highest part of the symbol at any state, over jets.

    Parameters
    ----------
    order : int
        That of the flow.
    matrix : (outputs, unknowns) tuples of Node
        With ξ_i standing for k_i.
    waves : tuple of Node
        The symbols ξ_i.
    leaves : tuple of Node
        What the coefficients depend on.
    """

    order: int
    matrix: tuple[tuple[gr.Node, ...], ...]
    waves: tuple[gr.Node, ...]
    leaves: tuple[gr.Node, ...]

    @staticmethod
    def of(staged: Staged, fields: Sequence[str]) -> PrincipalSymbol:
        """The principal symbol of ∂_t fields = outputs.

        Parameters
        ----------
        staged : Staged
            Whose outputs are the rates.
        fields : sequence of str
            The unknowns, one an output.
        """
        waves = wave_vector(staged.coordinates)
        order, rows = principal(linearised(staged, fields, waves))
        sign = gr.I**order
        matrix = tuple(tuple(sign * entry for entry in row) for row in rows)
        found = gr.leaves([entry for row in matrix for entry in row])
        return PrincipalSymbol(order, matrix, waves, tuple(leaf for leaf in found if leaf not in waves))

    def growth(self, values: Mapping[gr.Node, Any], directions: int = 16) -> float:
        """The largest real part of the eigenvalues over unit wave vectors, at states given by values of `leaves`.

        Positive where the flow is ill-posed: plane waves grow like exp(growth |k|^order t). Wave vectors are the axes,
        the diagonals of pairs of axes, and `directions` random ones.

        Parameters
        ----------
        values : mapping of Node to array
            At some states, for each of `leaves`.
        directions : int
            How many random wave vectors are looked at beside the axes and their diagonals.
        """
        worst = -np.inf
        for direction in unit_vectors(len(self.waves), directions):
            point = {**values, **dict(zip(self.waves, direction, strict=True))}
            entries = gr.evaluate([e for row in self.matrix for e in row], point)
            stacked = np.stack(np.broadcast_arrays(*entries), axis=-1)
            matrices = stacked.reshape(*stacked.shape[:-1], len(self.matrix), len(self.matrix[0]))
            worst = max(worst, float(np.linalg.eigvals(matrices).real.max()))
        return worst


def unit_vectors(dim: int, random: int) -> np.ndarray:
    """Axes, diagonals of pairs of axes and random directions, (count, dim)."""
    axes = list(np.eye(dim))
    diagonals = [(axes[i] + s * axes[j]) / np.sqrt(2) for i in range(dim) for j in range(i) for s in (1, -1)]
    drawn = np.random.default_rng(0).normal(size=(random, dim))
    return np.array([*axes, *diagonals, *(drawn / np.linalg.norm(drawn, axis=1)[:, None])])
