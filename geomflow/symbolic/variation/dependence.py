"""Linear dependence over the numbers of staged expressions, decided at random jets modulo a 61-bit prime."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from geomflow.core.graph.modular import PRIME
from geomflow.symbolic.variation.residues import samples
from geomflow.symbolic.variation.staged import Staged


def vectors(staged: Staged, count: int) -> list[list[int]]:
    """What each of `count` blocks of outputs, all of one length, is at `count` + 1 random jets.

    Blocks that are linearly dependent have dependent vectors, and but for a probability of about their degree over 2^61
    no others have.

    Parameters
    ----------
    staged : Staged
        Whose outputs are the blocks, one after another.
    count : int
        How many.
    """
    length = len(staged.outputs) // count
    rows = list(islice(samples(staged), count + 1))
    return [[v % PRIME for row in rows for v in row[n * length : (n + 1) * length]] for n in range(count)]


def first_dependent(given: Sequence[Sequence[int]]) -> int | None:
    """The place of the first vector modulo the prime that is a combination of those before it, if there is one.

    >>> first_dependent([[1, 2], [0, 1], [3, 4]]), first_dependent([[1, 2], [0, 1]])
    (2, None)
    """
    rows: list[tuple[int, list[int]]] = []
    for place, vector in enumerate(given):
        left = list(vector)
        for pivot, row in rows:
            left = [(a - left[pivot] * b) % PRIME for a, b in zip(left, row, strict=True)]
        found = next((k for k, a in enumerate(left) if a), None)
        if found is None:
            return place
        inverse = pow(left[found], -1, PRIME)
        rows.append((found, [a * inverse % PRIME for a in left]))
    return None
