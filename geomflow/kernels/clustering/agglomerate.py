"""Average linkage from mean features: all reciprocal nearest neighbours merge at once, chains take the rest."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from geomflow.core.threads import each, slices
from geomflow.kernels.clustering import routines

_ROWS = 64
#: Below one merge for so many searches the clusters are chained one by one, which is never worse than quadratic.
_YIELD = 32


@dataclass
class Agglomeration:
    """Clusters that are still apart, with their mean features v (channels, n), offsets o (n,) and sizes (n,).

    The mean dissimilarity of two clusters is o_A + o_B − v_A·v_B. Average linkage is reducible: no cluster comes
    nearer to others by a merge than its parts were, so that reciprocal nearest neighbours merge in any order with one
    result, and a nearest neighbour remains it until it is merged.
    """

    v: np.ndarray
    o: np.ndarray
    size: np.ndarray = field(init=False)
    number: np.ndarray = field(init=False)
    near: np.ndarray = field(init=False)
    merges: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(init=False, default_factory=list)
    made: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.points = self.o.size
        self.size = np.ones(self.points)
        self.number = np.arange(self.points)
        self.near = np.full(self.points, -1)

    def run(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All merges (left, right, height) in the order made; merge m makes node points + m."""
        while self.o.size > 1:
            searched = self._search()
            left = self._reciprocal()
            if left.size * _YIELD < searched:
                self._chain()
            else:
                self._merge(left)
        if not self.merges:
            return np.empty(0, int), np.empty(0, int), np.empty(0)
        left, right, height = (np.concatenate(parts) for parts in zip(*self.merges))
        return left, right, height

    def _search(self) -> int:
        """Find the nearest neighbours that are not known; returns how many."""
        stale = np.nonzero(self.near < 0)[0]

        def work(part: slice) -> np.ndarray:
            found = np.full(part.stop - part.start, -1)
            routines.nearest(self.v, self.o, stale[part], found)
            return found

        if stale.size:
            self.near[stale] = np.concatenate(each(work, slices(stale.size, _ROWS)))
        return stale.size

    def _reciprocal(self) -> np.ndarray:
        """Clusters a with a < b, a and b each other's nearest."""
        every = np.arange(self.o.size)
        return every[(self.near[self.near] == every) & (every < self.near)]

    def _merge(self, a: np.ndarray) -> None:
        """Merge every cluster of `a` with its nearest neighbour and drop the latter."""
        b, count = self.near[a], self.o.size
        overlap = np.einsum("ck,ck->k", self.v[:, a], self.v[:, b])
        self._record(self.number[a], self.number[b], self.o[a] + self.o[b] - overlap)
        total = self.size[a] + self.size[b]
        for array in (self.v, self.o):
            array[..., a] = (self.size[a] * array[..., a] + self.size[b] * array[..., b]) / total
        self.size[a] = total
        self.number[a] = self.points + self.made - a.size + np.arange(a.size)
        kept = np.ones(count, bool)
        kept[b] = False
        place = np.cumsum(kept) - 1
        place[a] = place[b] = -1
        self.near = place[self.near[kept]]
        self.near[np.searchsorted(np.nonzero(kept)[0], a)] = -1
        self.v, self.o = np.ascontiguousarray(self.v[:, kept]), self.o[kept]
        self.size, self.number = self.size[kept], self.number[kept]

    def _chain(self) -> None:
        """Merge all that is left along nearest-neighbour chains."""
        count = self.o.size - 1
        left, right, height = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count)
        routines.chain(self.v, self.o, self.size, left, right, height)
        for m in range(count):
            a, b = left[m], right[m]
            left[m], right[m] = self.number[a], self.number[b]
            self.number[a] = self.points + self.made + m
        self._record(left, right, height)
        self.v, self.o = self.v[:, :1], self.o[:1]

    def _record(self, left: np.ndarray, right: np.ndarray, height: np.ndarray) -> None:
        self.merges.append((left, right, height))
        self.made += left.size
