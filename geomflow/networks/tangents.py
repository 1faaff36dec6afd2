"""Jacobians and tangent kernels of models: the memory they take, and a kernel of tensors as a matrix."""

from __future__ import annotations

from math import prod

import numpy as np

from geomflow.core import memory


def require_rows(points: int, each: int, what: str) -> None:
    """MemoryLimitError, naming the number of points that fits, where `points` rows of `each` bytes do not fit."""
    block = max(1, memory.available() // (2 * each))
    memory.require(points * each, f"{what} at {points} points ({memory.human(each)} a point)",
                   f"take at most {block} points at a time, or use jvp and vjp, which form no Jacobian")


def require_pairs(p: int, q: int, each: int, what: str) -> None:
    """MemoryLimitError, naming the block that fits, where p × q entries of `each` bytes do not fit."""
    block = max(1, int((memory.available() / (2 * each)) ** 0.5))
    memory.require(p * q * each, f"{what} at {p} × {q} points", f"take blocks of at most {block} × {block} points, or "
                   "use apply(...), which is matrix-free")


def flattened_kernel(theta: np.ndarray, axes: int) -> np.ndarray:
    """Θ (p, q, *shape, *shape) as a matrix over pairs (point, components), `axes` = len(shape)."""
    p, q = theta.shape[:2]
    first = tuple(range(2, 2 + axes))
    second = tuple(range(2 + axes, 2 + 2 * axes))
    moved = theta.transpose(0, *first, 1, *second)
    return moved.reshape(p * prod(theta.shape[2:2 + axes]), q * prod(theta.shape[2 + axes:]))
