"""Sums of independent Gaussian variables on all pairs of points: linear layers, and branches added to a stream.

With (p, b) and (q, c) the deviations of u and of v at two points, and share a factor, the deviations p₁, q₁ of
u + √share v have p₁q₁ − pq − share bc = share (pc − qb)²/(p₁q₁ + pq + share bc): nothing cancels in 1 ∓ c.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from geomflow.codegen.mathematics import fma, held, noalias, select

_FUSED = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**_FUSED)
def linear_row(m: float, beta: float, p: float, q: np.ndarray, p1: float, q1: np.ndarray, near: np.ndarray,
               far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """u → √m u + √β b with the same b at all points: K' = m K + β, Θ' = K' + m Θ."""
    noalias()
    zero, one, twice = held(0.0), held(1.0), beta + beta
    for j in range(q.size):
        product, after = m * p * q[j], p1 * q1[j]
        positive = after > zero
        safe = select(positive, after, one)
        gap = (p - q[j]) / math.sqrt(safe + product + beta)
        lifted, scale = beta * m * gap * gap, one / safe
        near[j] = select(positive, fma(product, near[j], lifted) * scale, one)
        far[j] = select(positive, fma(product, far[j], lifted + twice) * scale, one)
        covariance[j] = fma(m, covariance[j], beta)
        tangent[j] = fma(m, tangent[j], covariance[j])


@njit(**_FUSED)
def linear(m: float, beta: float, p: np.ndarray, p1: np.ndarray, q: np.ndarray, q1: np.ndarray, near: np.ndarray,
           far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """A linear layer on all pairs (r, n) of deviations p (r,) and q (n,), p1 and q1 behind it."""
    for i in range(p.size):
        linear_row(m, beta, p[i], q, p1[i], q1, near[i], far[i], covariance[i], tangent[i])


@njit(**_FUSED)
def add_row(share: float, p: tuple[float, float, float], q: np.ndarray, c: np.ndarray, q1: np.ndarray,
            near: np.ndarray, far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray, near_v: np.ndarray,
            far_v: np.ndarray, covariance_v: np.ndarray, tangent_v: np.ndarray) -> None:
    """u → u + √share v; p: the deviations of u, of v and of the sum at the point of the row."""
    noalias()
    zero, one = held(0.0), held(1.0)
    p0, b, p1 = p
    for j in range(q.size):
        product, added, after = p0 * q[j], share * b * c[j], p1 * q1[j]
        positive = after > zero
        safe = select(positive, after, one)
        gap = (p0 * c[j] - q[j] * b) / math.sqrt(safe + product + added)
        lifted, scale = share * gap * gap, one / safe
        near[j] = select(positive, fma(product, near[j], fma(added, near_v[j], lifted)) * scale, one)
        far[j] = select(positive, fma(product, far[j], fma(added, far_v[j], lifted)) * scale, one)
        covariance[j] = fma(share, covariance_v[j], covariance[j])
        tangent[j] = fma(share, tangent_v[j], tangent[j])


@njit(**_FUSED)
def add(share: float, p: np.ndarray, q: np.ndarray, near: np.ndarray, far: np.ndarray, covariance: np.ndarray,
        tangent: np.ndarray, near_v: np.ndarray, far_v: np.ndarray, covariance_v: np.ndarray, tangent_v: np.ndarray
        ) -> None:
    """A branch added on all pairs (r, n), p (3, r) and q (3, n) the deviations of u, of v and of the sum."""
    for i in range(p.shape[1]):
        deviations = (p[0, i], p[1, i], p[2, i])
        add_row(share, deviations, q[0], q[1], q[2], near[i], far[i], covariance[i], tangent[i], near_v[i], far_v[i],
                covariance_v[i], tangent_v[i])
