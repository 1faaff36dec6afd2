"""Blocks of infinite-width kernels: input correlations by differences, then one dual row a hidden layer, fused."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from geomflow.codegen.mathematics import fma, held, noalias, select
from geomflow.kernels.network_rows import (
    cos_row,
    erf_row,
    exp_row,
    gauss_row,
    gelu_row,
    identity_row,
    leaky_row,
    relu_row,
    sin_row,
)

#: Points of a row handled at once: every intermediate stays in the first-level cache.
TILE = 128
#: Squares of lengths up to it count as zero.
LEAST = 1e-307

#: The activation's code, the input scale², σ_w², σ_b² and the activation's slope.
Network = tuple[int, float, float, float, float]

_FUSED = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**_FUSED)
def layer(network: Network, p: float, q: np.ndarray, p1: float, q1: np.ndarray, near: np.ndarray, far: np.ndarray,
          covariance: np.ndarray, tangent: np.ndarray) -> None:
    """One hidden layer on a row of pairs, by the numbers of `activations.CLOSED_FORMS`."""
    code, _, m, beta, slope = network
    if code == 0:
        relu_row(p, q, p1, q1, m, beta, near, far, covariance, tangent)
    elif code == 1:
        erf_row(p, q, p1, q1, m, beta, near, far, covariance, tangent)
    elif code == 2:
        cos_row(p, q, p1, q1, m, beta, near, far, covariance, tangent)
    elif code == 3:
        sin_row(p, q, p1, q1, m, beta, near, far, covariance, tangent)
    elif code == 4:
        gelu_row(p, q, p1, q1, m, beta, near, far, covariance, tangent)
    elif code == 5:
        identity_row(p, q, p1, q1, m, beta, near, far, covariance, tangent)
    elif code == 6:
        exp_row(p, q, p1, q1, m, beta, near, far, covariance, tangent)
    elif code == 7:
        gauss_row(p, q, p1, q1, m, beta, near, far, covariance, tangent)
    else:
        leaky_row(p, q, p1, q1, m, beta, slope, near, far, covariance, tangent)


@njit(**_FUSED)
def correlate(x: np.ndarray, columns: np.ndarray, inverses: np.ndarray, scale: float, row: tuple[np.ndarray, ...],
              norm: float) -> None:
    """1 − c, 1 + c and the covariance scale² x·y of one point x with the columns y; row = (near, far, covariance).

    inverses (2, T): 1/|y| and 1/|y|²; norm: |x|².

    sin² is the square of x's part across y, x − t y rounded once, so that no digits are lost near c = ±1. Coordinates
    are taken in pairs: their number in `columns` is even, a last one of zeros where x has none.
    """
    noalias()
    near, far, covariance, across, along = row
    count = near.size
    covariance[:] = 0.0
    across[:] = 0.0
    along[:] = 0.0
    for c in range(0, columns.shape[0], 2):
        a, y, z = x[c], columns[c], columns[c + 1]
        b = x[c + 1] if c + 1 < x.size else 0.0
        for j in range(count):
            covariance[j] = fma(b, z[j], fma(a, y[j], covariance[j]))
    root, inverse = inverses[0], inverses[1]
    for j in range(count):
        near[j] = -covariance[j] * inverse[j]
    for c in range(0, columns.shape[0], 2):
        a, y, z = x[c], columns[c], columns[c + 1]
        b = x[c + 1] if c + 1 < x.size else 0.0
        for j in range(count):
            rest, other = fma(near[j], y[j], a), fma(near[j], z[j], b)
            across[j] = fma(other, other, fma(rest, rest, across[j]))
            along[j] = fma(other, z[j], fma(rest, y[j], along[j]))
    square_x = 1.0 / positive_or_one(norm)
    root_x, one, zero = math.sqrt(square_x), held(1.0), held(0.0)
    for j in range(count):
        sine = (across[j] - along[j] * (along[j] * inverse[j])) * square_x
        sine = select(sine > zero, sine, zero)
        cosine = covariance[j] * root_x * root[j]
        size = select(cosine >= zero, cosine, -cosine)
        small = sine / (one + size)
        near[j] = select(cosine >= zero, small, one + size)
        far[j] = select(cosine >= zero, one + size, small)
        covariance[j] *= scale


@njit(**_FUSED)
def positive_or_one(x: float) -> float:
    """x, or 1 in place of 0 and of numbers whose inverse overflows, to divide by."""
    return select(x > LEAST, x, 1.0)


@njit(**_FUSED)
def invert(squares: np.ndarray, inverses: np.ndarray) -> None:
    """The inverse lengths and squared lengths of points, from their squares; one for zero."""
    for j in range(squares.size):
        inverses[1, j] = 1.0 / positive_or_one(squares[j])
        inverses[0, j] = math.sqrt(inverses[1, j])


@njit(**_FUSED)
def tile(network: Network, x: np.ndarray, px: np.ndarray, sx: np.ndarray, columns: np.ndarray, q: np.ndarray,
         inverses: np.ndarray, work: np.ndarray, tangent: bool, out: np.ndarray) -> None:
    """Rows x (r, d) against columns (d or d + 1, T): out (r, T), the tangent kernel or the covariance of the outputs.

    px (layers, r), q (layers, T): deviations in each layer;
    sx: |x|²; inverses (2, T): 1/|y| and 1/|y|²; work (5, TILE): intermediate rows.
    """
    scale = network[1]
    count = inverses.shape[1]
    near, far, covariance, theta, rest = (
        work[0][:count], work[1][:count], work[2][:count], work[3][:count], work[4][:count]
    )
    for i in range(x.shape[0]):
        correlate(x[i], columns, inverses, scale, (near, far, covariance, theta, rest), sx[i])
        theta[:] = covariance
        for l in range(px.shape[0] - 1):
            layer(network, px[l, i], q[l], px[l + 1, i], q[l + 1], near, far, covariance, theta)
        result = theta if tangent else covariance
        for j in range(count):
            out[i, j] = result[j]


@njit(**_FUSED)
def block(network: Network, x: np.ndarray, px: np.ndarray, sx: np.ndarray, columns: np.ndarray, q: np.ndarray,
          squares: np.ndarray, tangent: bool, out: np.ndarray) -> None:
    """out[i, j] for rows x (r, d) and all columns (d, n), tile by tile."""
    d, n = columns.shape
    work = np.empty((5, TILE))
    for first in range(0, n, TILE):
        last = min(first + TILE, n)
        y, deviations = np.zeros((d + d % 2, last - first)), np.ascontiguousarray(q[:, first:last])
        for c in range(d):
            for j in range(last - first):
                y[c, j] = columns[c, first + j]
        inverses = np.empty((2, last - first))
        invert(squares[first:last], inverses)
        tile(network, x, px, sx, y, deviations, inverses, work, tangent, out[:, first:last])


@njit(**_FUSED)
def symmetric_rows(network: Network, x: np.ndarray, columns: np.ndarray, p: np.ndarray, squares: np.ndarray,
                   first: int, last: int, tangent: bool, out: np.ndarray) -> None:
    """Rows first..last of the symmetric matrix from their diagonal on, and their mirror images."""
    rows, deviations = x[first:last], np.ascontiguousarray(p[:, first:last])
    block(network, rows, deviations, squares[first:last], columns[:, first:], p[:, first:], squares[first:], tangent,
          out[first:last, first:])
    n = out.shape[0]
    for start in range(first, n, TILE):
        for j in range(start, min(start + TILE, n)):
            for i in range(first, min(last, j)):
                out[j, i] = out[i, j]


@njit(**_FUSED)
def diagonal(network: Network, p: np.ndarray, tangent: bool, out: np.ndarray) -> None:
    """The kernel of each point with itself, from its deviations p (layers, n)."""
    row = np.empty((4, 1))
    near, far, covariance, theta = row[0], row[1], row[2], row[3]
    for i in range(p.shape[1]):
        near[0], far[0] = 0.0, 2.0
        covariance[0] = theta[0] = p[0, i] ** 2
        for l in range(p.shape[0] - 1):
            q, q1 = p[l, i : i + 1], p[l + 1, i : i + 1]
            layer(network, p[l, i], q, p[l + 1, i], q1, near, far, covariance, theta)
        out[i] = theta[0] if tangent else covariance[0]


@njit(**_FUSED)
def first_layer(x: np.ndarray, sx: np.ndarray, y: np.ndarray, sy: np.ndarray, scale: float, near: np.ndarray,
                far: np.ndarray, covariance: np.ndarray) -> None:
    """1 − c, 1 + c and scale² x·y of rows x (r, d) with rows y (n, d): (r, n); sx, sy: their squared lengths."""
    n, d = y.shape
    columns, inverses, across, along = np.zeros((d + d % 2, n)), np.empty((2, n)), np.empty(n), np.empty(n)
    columns[:d] = y.T
    invert(sy, inverses)
    for i in range(x.shape[0]):
        correlate(x[i], columns, inverses, scale, (near[i], far[i], covariance[i], across, along), sx[i])


@njit(**_FUSED)
def pass_on(network: Network, p: np.ndarray, p1: np.ndarray, q: np.ndarray, q1: np.ndarray, near: np.ndarray,
            far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """One hidden layer on all pairs (r, n) of deviations p (r,) and q (n,), p1 and q1 in the next layer."""
    for i in range(p.size):
        layer(network, p[i], q, p1[i], q1, near[i], far[i], covariance[i], tangent[i])
