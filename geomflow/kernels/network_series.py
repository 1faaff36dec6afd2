"""Blocks of infinite-width kernels of activations that are Hermite series: one row of pairs a hidden layer.

With a_n, b_n the coefficients of φ(p z) and φ(q z) and c = σs the correlation, s = |c| = 1 − v,

    E[φφ] = Σ a_n b_n cⁿ,    E[(φ(u) ∓ φ(v))²] = Σ (a_n ∓ σⁿ b_n)² ± 2 v Σ_k s^k Σ_{n>k} σⁿ a_n b_n,

without cancellation near c = ±1.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from geomflow.codegen.mathematics import fma, noalias
from geomflow.kernels.network_rows import correlations

_FUSED = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**_FUSED)
def sums(a: np.ndarray, b: np.ndarray, near: np.ndarray, far: np.ndarray, out: np.ndarray) -> None:
    """Σ a_n b_n cⁿ, Σ (a_n − σⁿ b_n)², Σ (a_n + σⁿ b_n)² and Σ_k s^k Σ_{n>k} σⁿ a_n b_n to the rows of `out`."""
    noalias()
    value, minus, plus, rest, tail, size, sign = out[0], out[1], out[2], out[3], out[4], out[5], out[6]
    out[:5] = 0.0
    for j in range(near.size):
        v = near[j] if near[j] <= far[j] else far[j]
        size[j], sign[j] = 1.0 - v, 1.0 if near[j] <= far[j] else -1.0
    for n in range(a.size - 1, -1, -1):
        first, odd, positive = a[n], n % 2 == 1, n > 0
        for j in range(near.size):
            second = b[n, j] * sign[j] if odd else b[n, j]
            minus[j] += (first - second) ** 2
            plus[j] += (first + second) ** 2
            value[j] = fma(value[j], size[j], first * second)
            tail[j] += first * second
            rest[j] = fma(rest[j], size[j], tail[j]) if positive else rest[j]


@njit(**_FUSED)
def slopes(d: np.ndarray, e: np.ndarray, near: np.ndarray, far: np.ndarray, out: np.ndarray) -> None:
    """E[φ'φ'] = Σ d_n e_n cⁿ."""
    noalias()
    out[0] = 0.0
    total = out[0]
    for n in range(d.size - 1, -1, -1):
        for j in range(near.size):
            total[j] = fma(total[j], 0.5 * (far[j] - near[j]), d[n] * e[n, j])


@njit(**_FUSED)
def layer(a: np.ndarray, b: np.ndarray, d: np.ndarray, e: np.ndarray, p1: float, q1: np.ndarray, m: float, beta: float,
          row: tuple[np.ndarray, ...], work: np.ndarray) -> None:
    """One hidden layer on a row of pairs (near, far, covariance, tangent)."""
    near, far, covariance, tangent = row
    slopes(d, e, near, far, work)
    for j in range(near.size):
        tangent[j] *= m * work[0, j]
    sums(a, b, near, far, work)
    for j in range(near.size):
        covariance[j] = m * work[0, j] + beta
        tangent[j] += covariance[j]
        twice = 2.0 * min(near[j], far[j]) * work[3, j]
        apart, together = m * (work[1, j] + twice), m * (work[2, j] - twice) + 4.0 * beta
        near[j], far[j] = correlations(p1, q1[j], apart, together)


@njit(**_FUSED)
def pass_on(m: float, beta: float, ax: np.ndarray, dx: np.ndarray, p1: np.ndarray, ay: np.ndarray, dy: np.ndarray,
            q1: np.ndarray, near: np.ndarray, far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """One hidden layer on all pairs (r, n), by the coefficients ax, dx (order, r) and ay, dy (order, n)."""
    work = np.empty((7, q1.size))
    for i in range(p1.size):
        row = (near[i], far[i], covariance[i], tangent[i])
        layer(ax[:, i].copy(), ay, dx[:, i].copy(), dy, p1[i], q1, m, beta, row, work)
