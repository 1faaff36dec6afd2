"""What is decided of staged expressions at random jets: whether they vanish, and whether they are covariant.

At a random point the fields are random power series modulo a prime of 61 bits, every stage is evaluated as a series of
just the degree that later stages differentiate, and the outputs are residues: two programs whose outputs agree at
random jets are equal but for a probability of about their degree over 2^61 (Schwartz and Zippel).

Covariance is decided at a random change of coordinates. Real geometries: x = F(y) with a random power series F,
F(0) = 0; metrics are pulled back, scalars composed with F. Kähler potentials over the flat reference: a random
(complexified) unitary change z → Az, z̄ → A^{-T}z̄, which keeps it. A scalar has the same value at the origin before and
after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, product

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError
from geomflow.core.graph.modular import PRIME, Undefined
from geomflow.core.monomials import Index
from geomflow.symbolic.variation.series import SeriesAlgebra, Value
from geomflow.symbolic.variation.staged import Staged

ATTEMPTS = 200
TRIALS = 2


@dataclass(frozen=True)
class Certificate:
    """What was decided exactly: a statement, and whether it holds.

    Parameters
    ----------
    statement : str
        What is said to vanish.
    holds : bool
        Whether it does.
    """

    statement: str
    holds: bool

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        verdict = "decided zero" if self.holds else "decided not zero"
        return f"{self.statement}: {verdict} at random jets modulo a 61-bit prime"


@dataclass(frozen=True)
class Series:
    """A power series with the algebra in which it is kept."""

    algebra: SeriesAlgebra
    value: Value


Fields = dict[str, Series]


class _Evaluation:
    """One evaluation of a staged expression at random jets."""

    def __init__(self, staged: Staged, seed: int, fields: dict[str, Series]) -> None:
        self._staged, self._seed, self._fields = staged, seed, fields
        self._degrees = degrees_needed(staged)

    def outputs(self) -> list[int]:
        """The residues of the outputs."""
        for stage in self._staged.stages:
            if stage.names[0] in self._degrees:
                algebra = self._algebra(self._degrees[stage.names[0]])
                values = self._values(stage.nodes, algebra)
                self._fields |= {n: Series(algebra, v) for n, v in zip(stage.names, values, strict=True)}
        nothing = tuple(0 for _ in self._staged.groups)
        return [v if isinstance(v, int) else v[0] for v in self._values(self._staged.outputs, self._algebra(nothing))]

    def _algebra(self, degrees: tuple[int, ...]) -> SeriesAlgebra:
        return SeriesAlgebra(self._staged.groups, degrees, self._seed)

    def _values(self, nodes: Sequence[gr.Node], algebra: SeriesAlgebra) -> list[Value]:
        known: dict[gr.Node, Value] = {}
        for node in gr.schedule(nodes):
            known[node] = self._value(node, known, algebra)
        return [known[n] for n in nodes]

    def _value(self, node: gr.Node, known: Mapping[gr.Node, Value], algebra: SeriesAlgebra) -> Value:
        if node.op == "add":
            return algebra.combine(node.data[0], [(c, known[a]) for c, a in zip(node.data[1], node.args, strict=True)])
        if node.op == "mul":
            total: Value = 1
            for a, e in zip(node.args, node.data, strict=True):
                total = algebra.multiply(total, known[a] if e == 1 else algebra.power(known[a], e))
            return total
        if node.op == "jet":
            return self._jet(node.data[0], node.data[1], algebra)
        if node.op == "call":
            return algebra.call(node.data, known[node.args[0]])
        return self._leaf(node, algebra)

    def _leaf(self, node: gr.Node, algebra: SeriesAlgebra) -> Value:
        if node.op == "constant":
            return algebra.scalar.number(node.data)
        value = algebra.scalar.unknown(node.key)
        if node.data in self._staged.coordinates:
            return algebra.coordinate(self._staged.coordinates.index(node.data), value)
        return value

    def _jet(self, name: str, index: Index, algebra: SeriesAlgebra) -> Value:
        if name not in self._fields:
            whole = self._algebra(self._degrees[name])
            key = gr.jet(name, (0,) * len(index)).key
            self._fields[name] = Series(whole, whole.random(key))
        field = self._fields[name]
        return algebra.derivative(field.value, field.algebra, index)


def residues(staged: Staged, seed: int, fields: Mapping[str, Series] | None = None) -> list[int]:
    """The outputs at the random jets given by `seed`, modulo the prime.

    `fields` replaces the random series of some fields. Raises `Undefined` at a pole or a non-residue.

    Parameters
    ----------
    staged : Staged
        What is evaluated.
    seed : int
        Of the random jets.
    fields : mapping of str to Series, optional
        In place of the random series of some fields.
    """
    return _Evaluation(staged, seed, dict(fields or {})).outputs()


def degrees_needed(staged: Staged) -> dict[str, tuple[int, ...]]:
    """The degrees, group by group, to which each field and each stage must be known for the outputs' values."""
    needed: dict[str, tuple[int, ...]] = {}
    _need(needed, staged.outputs, (0,) * len(staged.groups), staged.groups)
    for stage in reversed(staged.stages):
        asked = [needed[n] for n in stage.names if n in needed]
        if asked:
            most = tuple(map(max, *asked)) if len(asked) > 1 else asked[0]
            needed.update(dict.fromkeys(stage.names, most))
            _need(needed, stage.nodes, most, staged.groups)
    return needed


def _need(needed: dict[str, tuple[int, ...]], nodes: Sequence[gr.Node], base: tuple[int, ...],
          groups: tuple[int, ...]) -> None:
    for leaf in gr.leaves(nodes):
        if leaf.op == "jet":
            name, index = leaf.data
            asked = tuple(b + i for b, i in zip(base, group_degrees(index, groups), strict=True))
            needed[name] = tuple(map(max, needed.get(name, asked), asked))


def group_degrees(index: Index, groups: tuple[int, ...]) -> tuple[int, ...]:
    """How often an index differentiates in each group of coordinates."""
    ends = [sum(groups[: k + 1]) for k in range(len(groups))]
    return tuple(sum(index[end - size:end]) for size, end in zip(groups, ends, strict=True))


def all_vanish(staged: Staged) -> bool:
    """Whether all outputs vanish identically, decided at `TRIALS` random jets modulo a 61-bit prime.

    Raises ExpressionError when no random jets were found at which they are defined.

    Parameters
    ----------
    staged : Staged
        Whose outputs are looked at.
    """
    return not any(v % PRIME for values in islice(samples(staged), TRIALS) for v in values)


def samples(staged: Staged) -> Iterator[list[int]]:
    """The outputs at random jets at which they are defined, one after another.

    Raises ExpressionError when no more were found.

    Parameters
    ----------
    staged : Staged
        Whose outputs are taken.
    """
    for seed in range(ATTEMPTS):
        with suppress(Undefined):
            yield residues(staged, seed)
    raise ExpressionError(f"whether {len(staged.outputs)} expressions vanish could not be decided: none of {ATTEMPTS} "
                          "random points lies in the domain of all their functions")


def invariant(staged: Staged, metric: Mapping[tuple[int, int], str], scalars: Sequence[str]) -> bool:
    """Whether the outputs are scalars, where `metric` names the components g_ij (i <= j) and `scalars` the functions.

    Raises ExpressionError when no random point is found at which they are defined.

    Parameters
    ----------
    staged : Staged
        Over real coordinates.
    metric : mapping of (int, int) to str
        The names of the components g_ij, i <= j.
    scalars : sequence of str
        The names of functions beside the metric.
    """
    return _decided(staged, lambda seed: _pulled_back(staged, seed, metric, scalars))


def unitary_invariant(staged: Staged, potentials: Sequence[str]) -> bool:
    """Whether the outputs, over Wirtinger coordinates, are invariant under unitary changes of them.

    Parameters
    ----------
    staged : Staged
        Over Wirtinger coordinates.
    potentials : sequence of str
        The names of potentials.
    """
    return _decided(staged, lambda seed: _rotated(staged, seed, potentials))


def _decided(staged: Staged, changed: Callable[[int], tuple[Fields, Fields]]) -> bool:
    if any(leaf.op == "symbol" and leaf.data in staged.coordinates for leaf in _leaves(staged)):
        return False
    for seed in range(ATTEMPTS):
        try:
            before, after = changed(seed)
            return residues(staged, seed, before) == residues(staged, seed, after)
        except Undefined:
            continue
    raise ExpressionError("whether the density is covariant could not be decided: no random point lies in its domain")


def _leaves(staged: Staged) -> list[gr.Node]:
    return gr.leaves([*staged.outputs, *(n for stage in staged.stages for n in stage.nodes)])


def _random_field(algebra: SeriesAlgebra, name: str) -> Value:
    return algebra.random(gr.jet(name, (0,) * sum(algebra.groups)).key)


def _algebra(staged: Staged, names: Sequence[str], extra: int, seed: int) -> SeriesAlgebra:
    needed = degrees_needed(staged)
    degrees = [needed[n] for n in names if n in needed] or [(0,) * len(staged.groups)]
    most = tuple(max(d[g] for d in degrees) + extra for g in range(len(staged.groups)))
    return SeriesAlgebra(staged.groups, most, seed)


def _pulled_back(staged: Staged, seed: int, metric: Mapping[tuple[int, int], str],
                 scalars: Sequence[str]) -> tuple[Fields, Fields]:
    names = [*metric.values(), *scalars]
    base, wide = _algebra(staged, names, 0, seed), _algebra(staged, names, 1, seed)
    dim = len(staged.coordinates)
    moved = [_without_constant(wide, i) for i in range(dim)]
    frame = [[base.derivative(moved[i], wide, _unit(dim, a)) for a in range(dim)] for i in range(dim)]
    maps = [base.derivative(m, wide, (0,) * dim) for m in moved]
    before: Fields = {n: Series(base, _random_field(base, n)) for n in names}
    composed = {n: compose(base, s.value, maps) for n, s in before.items()}
    after: Fields = {n: Series(base, composed[n]) for n in scalars}
    for (a, b), name in metric.items():
        terms = []
        for i, j in product(range(dim), repeat=2):
            entry = composed[metric[min(i, j), max(i, j)]]
            terms.append((1, base.multiply(base.multiply(frame[i][a], frame[j][b]), entry)))
        after[name] = Series(base, base.combine(0, terms))
    return before, after


def _without_constant(algebra: SeriesAlgebra, axis: int) -> list[int]:
    values = algebra.random(271828, axis)
    assert isinstance(values, list)
    return [0, *values[1:]]


def _unit(dim: int, axis: int) -> tuple[int, ...]:
    return tuple(int(k == axis) for k in range(dim))


def compose(algebra: SeriesAlgebra, series: Value, maps: Sequence[Value]) -> Value:
    """series ∘ maps, for maps without constant terms."""
    if isinstance(series, int):
        return series
    powers: dict[tuple[int, ...], Value] = {(0,) * len(maps): 1}
    terms: list[tuple[int, Value]] = []
    for index, coefficient in zip(algebra.monomials, series, strict=True):
        if index not in powers:
            axis = next(k for k, e in enumerate(index) if e)
            below = tuple(e - (k == axis) for k, e in enumerate(index))
            powers[index] = algebra.multiply(powers[below], maps[axis])
        terms.append((coefficient, powers[index]))
    return algebra.combine(0, terms)


def _rotated(staged: Staged, seed: int, potentials: Sequence[str]) -> tuple[Fields, Fields]:
    base = _algebra(staged, potentials, 0, seed)
    n = len(staged.coordinates) // 2
    forward, dual = unitary(base, n)
    maps = []
    for matrix, start in ((forward, 0), (dual, n)):
        for a in range(n):
            terms = [(matrix[a][b], base.coordinate(start + b, 0)) for b in range(n)]
            maps.append(base.combine(0, terms))
    before: Fields = {p: Series(base, _random_field(base, p)) for p in potentials}
    after = {p: Series(base, compose(base, s.value, maps)) for p, s in before.items()}
    return before, after


def unitary(algebra: SeriesAlgebra, n: int) -> tuple[list[list[int]], list[list[int]]]:
    """Random n x n matrices A and A^{-T} modulo the prime: a diagonal one times shears."""
    random = algebra.scalar.unknown
    first = [[random(a, 5) if a == b else 0 for b in range(n)] for a in range(n)]
    dual = [[algebra.scalar.power(first[a][a], -1) if a == b else 0 for b in range(n)] for a in range(n)]
    for a, b in product(range(n), repeat=2):
        if a != b:
            t = random(a, b, 6)
            for row in first:
                row[b] = (row[b] + t * row[a]) % PRIME
            for row in dual:
                row[a] = (row[a] - t * row[b]) % PRIME
    return first, dual
