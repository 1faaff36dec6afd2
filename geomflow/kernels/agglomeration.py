"""Average linkage from mean features: all reciprocal nearest neighbours merge at once, chains take the rest.

The mean dissimilarity of two clusters is o_A + o_B − v_A·v_B, with v (channels, n) and o (n,) linear in their members;
channels are a multiple of four. Sums run over the channels in one order, so that d(A, B) = d(B, A) to the last bit.
"""

from __future__ import annotations

from typing import final

import numpy as np
from numba import njit

from geomflow.codegen.mathematics import noalias
from geomflow.core.threads import each, slices
from geomflow.kernels.tile_rows import larger

_FUSED = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
_TILE = 128
_GROUP = 4


@njit(**_FUSED)
def overlaps(rows: np.ndarray, columns: np.ndarray, o: np.ndarray, out: np.ndarray) -> None:
    """out[r, j] = o_j − v_r·v_j for four rows (4, channels) and a tile of columns (channels, T)."""
    noalias()
    first, second, third, fourth = out[0], out[1], out[2], out[3]
    for j in range(o.size):
        first[j] = second[j] = third[j] = fourth[j] = o[j]
    for c in range(0, columns.shape[0], 4):
        y0, y1, y2, y3 = columns[c], columns[c + 1], columns[c + 2], columns[c + 3]
        a0, a1, a2, a3 = rows[0, c], rows[0, c + 1], rows[0, c + 2], rows[0, c + 3]
        b0, b1, b2, b3 = rows[1, c], rows[1, c + 1], rows[1, c + 2], rows[1, c + 3]
        c0, c1, c2, c3 = rows[2, c], rows[2, c + 1], rows[2, c + 2], rows[2, c + 3]
        d0, d1, d2, d3 = rows[3, c], rows[3, c + 1], rows[3, c + 2], rows[3, c + 3]
        for j in range(o.size):
            u0, u1, u2, u3 = y0[j], y1[j], y2[j], y3[j]
            first[j] = first[j] - a0 * u0 - a1 * u1 - a2 * u2 - a3 * u3
            second[j] = second[j] - b0 * u0 - b1 * u1 - b2 * u2 - b3 * u3
            third[j] = third[j] - c0 * u0 - c1 * u1 - c2 * u2 - c3 * u3
            fourth[j] = fourth[j] - d0 * u0 - d1 * u1 - d2 * u2 - d3 * u3


@njit(**_FUSED)
def least(values: np.ndarray) -> float:
    """The smallest of values, none of them NaN."""
    result = -values[0]
    for j in range(values.size):
        result = larger(result, -values[j])
    return -result


@njit(**_FUSED)
def nearest(v: np.ndarray, o: np.ndarray, chosen: np.ndarray, found: np.ndarray) -> None:
    """found[r] = the cluster nearest to cluster chosen[r] other than itself; the first of equally near ones."""
    channels, n = v.shape
    count = chosen.size
    padded = (count + _GROUP - 1) // _GROUP * _GROUP
    rows = np.zeros((padded, channels))
    for r in range(count):
        rows[r] = v[:, chosen[r]]
    best = np.full(padded, np.inf)
    work = np.empty((_GROUP, _TILE))
    columns = np.empty((channels, _TILE))
    for start in range(0, n, _TILE):
        width = min(_TILE, n - start)
        part = columns.reshape(-1)[: channels * width].reshape(channels, width)
        part[:] = v[:, start : start + width]
        out = work.reshape(-1)[: _GROUP * width].reshape(_GROUP, width)
        for g in range(0, padded, _GROUP):
            overlaps(rows[g : g + _GROUP], part, o[start : start + width], out)
            for r in range(g, min(g + _GROUP, count)):
                values = out[r - g]
                if start <= chosen[r] < start + width:
                    values[chosen[r] - start] = np.inf
                if least(values) < best[r]:
                    for j in range(width):
                        if values[j] < best[r]:
                            best[r] = values[j]
                            found[r] = start + j


@njit(**_FUSED)
def nearest_one(v: np.ndarray, o: np.ndarray, cluster: int, preferred: int, work: np.ndarray) -> int:
    """The cluster nearest to one; `preferred` (or −1) wins among equals. Merged clusters have o = ∞."""
    work[:] = o
    for c in range(0, v.shape[0], 4):
        x0, x1, x2, x3 = v[c, cluster], v[c + 1, cluster], v[c + 2, cluster], v[c + 3, cluster]
        y0, y1, y2, y3 = v[c], v[c + 1], v[c + 2], v[c + 3]
        for j in range(o.size):
            work[j] = work[j] - x0 * y0[j] - x1 * y1[j] - x2 * y2[j] - x3 * y3[j]
    work[cluster] = np.inf
    smallest = least(work)
    if preferred >= 0 and work[preferred] == smallest:
        return preferred
    best = 0
    while work[best] != smallest:
        best += 1
    return best


@njit(**_FUSED)
def chain(v: np.ndarray, o: np.ndarray, size: np.ndarray, left: np.ndarray, right: np.ndarray,
          height: np.ndarray) -> int:
    """Merge all clusters along nearest-neighbour chains; merge m joins columns left[m] and right[m] into left[m].

    The order of the merges is that of the chain, not of their heights. Returns the number of merges.
    """
    n = o.size
    stack = np.empty(n, np.int64)
    work = np.empty(n)
    depth, merges, seed = 0, 0, 0
    while merges < n - 1:
        if depth == 0:
            while o[seed] == np.inf:
                seed += 1
            stack[0], depth = seed, 1
        top = stack[depth - 1]
        before = stack[depth - 2] if depth > 1 else -1
        near = nearest_one(v, o, top, before, work)
        if near != before:
            stack[depth] = near
            depth += 1
            continue
        a, b = min(top, near), max(top, near)
        left[merges], right[merges], height[merges] = a, b, o[top] + work[near]
        join(v, o, size, a, b)
        merges += 1
        depth -= 2
    return merges


@njit(**_FUSED)
def join(v: np.ndarray, o: np.ndarray, size: np.ndarray, a: int, b: int) -> None:
    """Cluster a becomes the union of a and b, and b is gone."""
    total = size[a] + size[b]
    for c in range(v.shape[0]):
        v[c, a] = (size[a] * v[c, a] + size[b] * v[c, b]) / total
    o[a] = (size[a] * o[a] + size[b] * o[b]) / total
    size[a] = total
    o[b] = np.inf


@njit(**_FUSED)
def cut(left: np.ndarray, right: np.ndarray, kept: int, labels: np.ndarray) -> None:
    """Roots of all nodes once the first `kept` merges are made: labels[node] = its root; node n + m is merge m."""
    n = left.size + 1
    for node in range(labels.size):
        labels[node] = node
    for m in range(kept - 1, -1, -1):
        labels[left[m]] = labels[n + m]
        labels[right[m]] = labels[n + m]


@njit(**_FUSED)
def lift(left: np.ndarray, right: np.ndarray, height: np.ndarray) -> None:
    """Raise heights that rounding left below those of their parts."""
    n = left.size + 1
    for m in range(left.size):
        for part in (left[m], right[m]):
            if part >= n:
                height[m] = max(height[m], height[part - n])


@njit(**_FUSED)
def count_members(pairs: np.ndarray, size: np.ndarray) -> None:
    """size[node] = the number of points of each node."""
    n = pairs.shape[0] + 1
    for m in range(n - 1):
        size[n + m] = size[pairs[m, 0]] + size[pairs[m, 1]]


_ROWS = 64
#: Below one merge for so many searches the clusters are chained one by one, which is never worse than quadratic.
_YIELD = 32


@final
class Agglomeration:
    """Clusters that are still apart, with their mean features v (channels, n), offsets o (n,) and sizes (n,).

    The mean dissimilarity of two clusters is o_A + o_B − v_A·v_B. Average linkage is reducible: no cluster comes
    nearer to others by a merge than its parts were, so that reciprocal nearest neighbours merge in any order with one
    result, and a nearest neighbour remains it until it is merged.
    """

    def __init__(self, v: np.ndarray, o: np.ndarray) -> None:
        self.v, self.o, self.points = v, o, o.size
        self.merges: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.made = 0
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
            nearest(self.v, self.o, stale[part], found)
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
        chain(self.v, self.o, self.size, left, right, height)
        for m in range(count):
            a, b = left[m], right[m]
            left[m], right[m] = self.number[a], self.number[b]
            self.number[a] = self.points + self.made + m
        self._record(left, right, height)
        self.v, self.o = self.v[:, :1], self.o[:1]

    def _record(self, left: np.ndarray, right: np.ndarray, height: np.ndarray) -> None:
        self.merges.append((left, right, height))
        self.made += left.size
