"""Points on a hypersurface by intersection with random lines (Shiffman–Zelditch)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.memory import require
from geomflow.core.numbers import whole
from geomflow.core.threads import slices
from geomflow.distribute import as_workers
from geomflow.variety.estimate import line_sums
from geomflow.variety.points import Points
from geomflow.variety.routines.lines import meet
from geomflow.variety.scales import line_density, require_resolved
from geomflow.variety.tails import warn_if_few

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface

_LINES = 1024
#: Tasks, at most, that the blocks of lines are dealt to.
_TASKS = 64


def sample(variety: Hypersurface, n: int, seed: int = 0, workers: Any = None) -> Points:
    """`n` points distributed by the Fubini–Study volume of the embedding, with weights for Ω∧Ω̄.

    A line through two random points of P^{n+1} meets the hypersurface in its degree many points, which are
    distributed by ω_FS^n. In a product, a line in factor j and a random point of every other factor give
    ω_j^{n_j−1} Π_{i≠j} ω_i^{n_i}; drawing factor j in proportion to n_j makes the sum exactly (Σ ω_i)^n. Hence
    weights w = |Ω|² / density are Vol_FS / |∂Q|² at unit norm, and their mean estimates ∫|Ω|² d^{2n}x. The points of a
    line are correlated: each knows its `line`, by which all errors are estimated.

    Where coefficients are of many sizes, few such points carry most of Ω. Then one line of every two is drawn in
    coordinates y = z/s in which they are of one size (`variety.scales`), and the density is the mean of both kinds:
    neither weights nor Fubini–Study volumes vary by more than twice what they do in the better coordinates. The two
    lines count as one in `line`.

    Blocks of lines have their own random stream: the first points do not depend on `n`, nor anything on the threads
    or the `workers` (see `geomflow.distribute.as_workers`).
    Warns (`UnreliableSampleWarning`) where a few points carry most of Ω even so, or points of some lines are missing.
    Raises `InputError` for n < 1, a bad seed or coefficients too far apart for doubles, and
    `MemoryLimitError` before memory is taken.
    """
    n, seed = whole(n, "the number of points", 1), whole(seed, "the seed", 0)
    require_resolved(variety)
    require(n * (16 * variety.ambient.size * 2 + 64), f"a sample of {n} points", "take fewer points")
    dims, degree = np.array(variety.ambient.dims), np.array(variety.degree)
    expected = float(degree @ dims / dims.sum()) * _LINES
    pieces: list[tuple[np.ndarray, ...]] = []
    done = 0
    block = 0
    with as_workers(workers) as team:
        while done < n:
            wave = max(1, int(np.ceil((n - done) / expected)))
            parts = slices(wave, -(-wave // _TASKS))
            new = team.map(_blocks, [range(block + s.start, block + s.stop) for s in parts], common=(variety, seed))
            pieces += new
            done += sum(len(piece[0]) for piece in new)
            block += wave
    *arrays, lost = (np.concatenate(part) for part in zip(*pieces))
    points, patch, elim, omega2, density, line = (array[:n] for array in arrays)
    weights = variety.fubini_study_volume / line_density(variety, points, density)
    warn_if_few(line_sums(weights, line), len(weights), lost.sum())
    return Points(variety, points, weights, omega2, patch, elim, line)


def _blocks(variety: Hypersurface, seed: int, blocks: range) -> tuple[np.ndarray, ...]:
    """All points on some blocks of lines."""
    return tuple(np.concatenate(part) for part in zip(*(_block(variety, seed, block) for block in blocks)))


def _block(variety: Hypersurface, seed: int, block: int) -> tuple[np.ndarray, ...]:
    """All points on one block of lines, and on how many of them none were found."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,)))
    size, dims = variety.ambient.size, np.array(variety.ambient.dims)
    ends = rng.standard_normal((2, _LINES, size, 2)).view(np.complex128)[..., 0]
    factor = rng.choice(len(dims), size=_LINES, p=dims / dims.sum())
    labels = _labels(seed, block)
    if np.any(variety.scales != 1):  # lines go in pairs, one of them, in random order, in rescaled coordinates
        ends[:, np.arange(0, _LINES, 2) + rng.integers(2, size=_LINES // 2)] *= variety.scales
        labels[1::2] = labels[::2]
    degrees = np.array(variety.degree, dtype=np.int64)
    room = _LINES * int(degrees.max())
    out = (
        np.empty((room, size), np.complex128),
        np.empty((room, len(dims)), np.int64),
        np.empty(room, np.int64),
        np.empty(room),
        np.empty(room),
        np.empty(room, np.int64),
    )
    count = meet(ends[0], ends[1], factor, variety.polynomial.table, variety.bounds, degrees, out)
    *arrays, number = (array[:count] for array in out)
    return *arrays, labels[number], np.array([_LINES - len(np.unique(number))])


def _labels(seed: int, block: int) -> np.ndarray:
    """A number of 63 random bits for each line of a block: the same in equal samples, and in no others."""
    stream = np.random.SeedSequence(seed, spawn_key=(block, 0))
    return (stream.generate_state(_LINES, np.uint64) >> np.uint64(1)).astype(np.int64)
