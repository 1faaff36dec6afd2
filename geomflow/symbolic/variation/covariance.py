"""Whether scalars are covariant, decided at a random change of coordinates.

Real geometries: x = F(y) with a random power series F, F(0) = 0; metrics are pulled back, scalars composed with F.
Kähler potentials over the flat reference: a random (complexified) unitary change z → Az, z̄ → A^{-T}z̄, which keeps it.
A scalar has the same value at the origin before and after, up to an error of probability about its degree over 2^61.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError
from geomflow.core.graph.modular import PRIME, Undefined
from geomflow.symbolic.variation.series import SeriesAlgebra, Value
from geomflow.symbolic.variation.staged import ATTEMPTS, Series, Staged, degrees_needed


def invariant(staged: Staged, metric: Mapping[tuple[int, int], str], scalars: Sequence[str]) -> bool:
    """Whether the outputs are scalars, where `metric` names the components g_ij (i <= j) and `scalars` the functions.

    Raises ExpressionError when no random point is found at which they are defined.
    """
    return _decided(staged, lambda seed: _pulled_back(staged, seed, metric, scalars))


def unitary_invariant(staged: Staged, potentials: Sequence[str]) -> bool:
    """Whether the outputs, over Wirtinger coordinates, are invariant under unitary changes of them."""
    return _decided(staged, lambda seed: _rotated(staged, seed, potentials))


def _decided(staged: Staged, changed) -> bool:  # type: ignore[no-untyped-def]
    if any(leaf.op == "symbol" and leaf.data in staged.coordinates for leaf in _leaves(staged)):
        return False
    for seed in range(ATTEMPTS):
        try:
            before, after = changed(seed)
            return staged.residues(seed, before) == staged.residues(seed, after)
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


Fields = dict[str, Series]


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
