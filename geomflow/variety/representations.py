"""Real irreducible representations of a finite group of permutations, each by a projection on one row of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geomflow.core.memory import require

_EQUAL = 1e-8


@dataclass(frozen=True, eq=False)
class Row:
    """A primitive idempotent p = Σ_g p_g g of the real group algebra, which projects on one row of a representation.

    Operators that commute with the group keep the image of p, and each of their eigenvalues there is `weight` times as
    frequent in the whole space: D/e with D the dimension of p R[G], the real irreducible representation, and e that of
    p R[G] p, which is 1, 2 or 4 for one of real, complex or quaternionic type.

    Parameters
    ----------
    coefficients : (order,) array
        The p_g.
    weight : int
        D/e.
    """

    coefficients: np.ndarray
    weight: int


def rows(permutations: np.ndarray) -> list[Row]:
    """One `Row` of every real irreducible representation of a group of permutations, the trivial one first.

    A random symmetric element of the group algebra tells all rows of all representations apart: its spectral
    projections are primitive idempotents. Two of one representation have the same class function.

    Parameters
    ----------
    permutations : (order, N) array of int
        All of them, each once; the product of g and h is z ↦ z[g][h] = z[g[h]].
    """
    order = len(permutations)
    if order == 1:
        return [Row(np.ones(1), 1)]
    require(6 * 8 * order**2, f"the group algebra of {order} permutations", "give a smaller symmetry=")
    table = _products(permutations)
    one = int(np.flatnonzero(np.all(permutations == np.arange(permutations.shape[1]), axis=1))[0])
    inverse = np.argmax(table == one, axis=1)
    draw = np.random.default_rng(0).standard_normal(order)
    values, vectors = np.linalg.eigh(_left(table, draw + draw[inverse]))
    ends = np.flatnonzero(np.diff(values) > _EQUAL * (values[-1] - values[0])) + 1
    found: dict[tuple[float, ...], Row] = {}
    for part in np.split(vectors, ends, axis=1):
        p = part @ part[one]
        character = p[table[table, inverse[:, None]]].sum(axis=0)  # Σ_x p(x h x⁻¹) as a function of h
        key = (part.shape[1], *np.round(-character, 6).tolist())
        found.setdefault(key, Row(p, round(part.shape[1] / _type(table, p))))
    return [found[key] for key in sorted(found)]


def _products(permutations: np.ndarray) -> np.ndarray:
    """The number of g h for all g and h, (order, order)."""
    place = {tuple(g): i for i, g in enumerate(permutations.tolist())}
    return np.array([[place[tuple(g[h])] for h in permutations] for g in permutations])


def _left(table: np.ndarray, element: np.ndarray) -> np.ndarray:
    """The matrix of h ↦ Σ_g b_g g h."""
    order = len(table)
    out = np.zeros((order, order))
    out[table, np.arange(order)] = element[:, None]
    return out


def _type(table: np.ndarray, p: np.ndarray) -> float:
    """The trace of y ↦ p y p, the dimension of p R[G] p."""
    right = _left(table.T, p)
    return float(np.sum(_left(table, p) * right.T))
