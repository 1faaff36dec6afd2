"""Blocks of a kernel matrix, and their sums against columns in an order that no number of threads changes."""

from __future__ import annotations

import numpy as np
from numba import njit

from geomflow.core.threads import slices

#: Entries of one block unless told otherwise: 4 MB of doubles.
ENTRIES = 1 << 19
#: Tasks that the blocks are dealt to: enough for many workers, not so many that handing them out takes the time.
BATCHES = 64


def row_blocks(rows: int, columns: int, block: int | None = None) -> list[slice]:
    """Slices of rows whose blocks have about `ENTRIES` entries, or `block` rows each."""
    return slices(rows, max(1, ENTRIES // max(columns, 1)) if block is None else max(1, int(block)))


def row_batches(rows: int, columns: int, block: int | None = None) -> tuple[list[slice], int]:
    """Slices of rows, `BATCHES` at most, each of whole blocks as those of `row_blocks`, and the size of a block."""
    blocks = row_blocks(rows, columns, block)
    size = blocks[0].stop if blocks else 1
    return slices(rows, size * max(1, -(-len(blocks) // BATCHES))), size


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def contract(block: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    """out[c, p] += Σ_q block[p, q] columns[c, q]."""
    for p in range(block.shape[0]):
        for c in range(columns.shape[0]):
            total = 0.0
            for q in range(block.shape[1]):
                total += block[p, q] * columns[c, q]
            out[c, p] += total
