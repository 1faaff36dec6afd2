"""The orders at which unknowns enter the rates of a system, and weights by which they are those of one order.

With o_ij the order at which unknown j enters the rate of i, the largest mean μ of o along a circle of unknowns is how
fast eigenvalues grow, as |k|^μ, and weights w with o_ij + w_j − w_i ≤ μ single out the principal part (Douglis and
Nirenberg 1955; Volevich 1963).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components

Orders = list[list[int | None]]


def circles(matrix: Sequence[Mapping[int, Any]]) -> Iterator[list[int]]:
    """The unknowns in groups that depend on each other in a circle.

    Parameters
    ----------
    matrix : sequence of mappings
        For each rate the unknowns that it depends on.
    """
    links = np.array([[bool(row.get(column)) for column in range(len(matrix))] for row in matrix])
    count, labels = connected_components(links, directed=True, connection="strong")
    for label in range(count):
        yield [n for n in range(len(matrix)) if labels[n] == label]


def largest_mean(orders: Orders) -> Fraction | None:
    """The largest mean order along a circle (Karp 1978); None without a circle.

    Parameters
    ----------
    orders : lists of int or None
        At which order each unknown enters each rate.
    """
    count = len(orders)
    walks: list[list[int | None]] = [[0] * count]
    for _ in range(count):
        last = walks[-1]
        walks.append([max((known + step for a, known in enumerate(last) if known is not None
                           and (step := orders[a][b]) is not None), default=None) for b in range(count)])
    means = []
    for b in range(count):
        end = walks[count][b]
        if end is not None:
            means.append(min(Fraction(end - start, count - n) for n in range(count)
                             if (start := walks[n][b]) is not None))
    return max(means, default=None)


def weights_of(orders: Orders, mean: Fraction) -> list[Fraction]:
    """w with o_ij + w_j − w_i ≤ μ: the heaviest walks from each unknown, of steps o − μ.

    Parameters
    ----------
    orders : lists of int or None
        At which order each unknown enters each rate.
    mean : Fraction
        μ.
    """
    weights = [Fraction(0)] * len(orders)
    for _ in orders:
        weights = [max([own, *(order - mean + weights[b] for b, order in enumerate(orders[a]) if order is not None)])
                   for a, own in enumerate(weights)]
    return weights
