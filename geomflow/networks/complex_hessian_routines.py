"""Compiled layers for the complex Hessian of a perceptron: activations, tangents, and their reverse.

Arrays of one block of points, channels first: `pre` (2 + d, P, W) holds the pre-activation h, its d real tangents s_k
and the second-order channel z; `post` (2 + d, P, W) what the activation makes of them; `slopes` (4, P, W) are σ, σ',
σ'' and σ''' at h. Every loop over neurons is branch-free, and sums run in a fixed order.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_OPTIONS = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy",
            "fastmath": {"contract", "reassoc", "nsz"}}


@njit(**_OPTIONS)
def forward(pre: np.ndarray, post: np.ndarray, slopes: np.ndarray) -> None:
    """post = (σ(h), σ'(h) s_k)."""
    channels, count, width = pre.shape
    for p in range(count):
        slope = slopes[1, p]
        for i in range(width):
            post[0, p, i] = slopes[0, p, i]
        for k in range(1, channels - 1):
            for i in range(width):
                post[k, p, i] = slope[i] * pre[k, p, i]


@njit(**_OPTIONS)
def hessian(sensitivity: np.ndarray, slopes: np.ndarray, pre: np.ndarray, n: int, out: np.ndarray) -> None:
    """sensitivity ← σ'·sensitivity; out[p] += Σ_i λ_i σ''(h_i) s_{a,i} s̄_{b,i}, packed."""
    _, count, width = pre.shape
    weight = np.empty(width, pre.dtype)
    for p in range(count):
        for i in range(width):
            weight[i] = sensitivity[p, i] * slopes[2, p, i]
            sensitivity[p, i] *= slopes[1, p, i]
        for a in range(n):
            x, y = pre[1 + a, p], pre[1 + n + a, p]
            total = weight[0] * 0
            for i in range(width):
                total += weight[i] * (x[i] * x[i] + y[i] * y[i])
            out[p, a] += total
        place = n
        for a in range(n):
            x, y = pre[1 + a, p], pre[1 + n + a, p]
            for b in range(a + 1, n):
                u, v = pre[1 + b, p], pre[1 + n + b, p]
                real, imaginary = weight[0] * 0, weight[0] * 0
                for i in range(width):
                    real += weight[i] * (x[i] * u[i] + y[i] * v[i])
                    imaginary += weight[i] * (y[i] * u[i] - x[i] * v[i])
                out[p, place] += real
                out[p, place + 1] += imaginary
                place += 2


@njit(**_OPTIONS)
def contract(second: np.ndarray, value: np.ndarray, packed: np.ndarray) -> None:
    """packed[p, c] += Σ_i value[p, i] second[c, p, i], packed Hessians of the inputs; c are the components."""
    components, count, width = second.shape
    for p in range(count):
        for c in range(components):
            total = value[p, 0] * 0
            for i in range(width):
                total += value[p, i] * second[c, p, i]
            packed[p, c] += total


@njit(**_OPTIONS)
def quadratic(dual: np.ndarray, n: int, out: np.ndarray) -> None:
    """The symmetric form C on (Re s, Im s) with Σ_c dual_c (packed s s̄)_c = sᵀ C s; (P, 2n, 2n)."""
    for p in range(dual.shape[0]):
        out[p] = 0
        for a in range(n):
            out[p, a, a] = dual[p, a]
            out[p, n + a, n + a] = dual[p, a]
        place = n
        for a in range(n):
            for b in range(a + 1, n):
                real, imaginary = dual[p, place] / 2, dual[p, place + 1] / 2
                out[p, a, b] = out[p, b, a] = real
                out[p, n + a, n + b] = out[p, n + b, n + a] = real
                out[p, b, n + a] = out[p, n + a, b] = imaginary
                out[p, a, n + b] = out[p, n + b, a] = -imaginary
                place += 2


@njit(**_OPTIONS)
def trace(dual: np.ndarray, second: np.ndarray, out: np.ndarray) -> None:
    """out[p, i] = Σ_c dual[p, c] second[c, p, i]."""
    components, count, width = second.shape
    for p in range(count):
        for i in range(width):
            out[p, i] = dual[p, 0] * second[0, p, i]
        for c in range(1, components):
            for i in range(width):
                out[p, i] += dual[p, c] * second[c, p, i]


@njit(**_OPTIONS)
def bend(form: np.ndarray, slopes: np.ndarray, pre: np.ndarray, post: np.ndarray, bent: np.ndarray) -> None:
    """bent[k] = (C s)_k and bent[d] = sᵀ C s; post's last channel = σ' z + σ'' sᵀ C s."""
    channels, count, width = pre.shape
    d = channels - 2
    for p in range(count):
        total = bent[d, p]
        total[:] = 0
        for k in range(d):
            row = bent[k, p]
            row[:] = 0
            for j in range(d):
                factor = form[p, k, j]
                s = pre[1 + j, p]
                for i in range(width):
                    row[i] += factor * s[i]
            s = pre[1 + k, p]
            for i in range(width):
                total[i] += row[i] * s[i]
        z, out = pre[d + 1, p], post[d + 1, p]
        for i in range(width):
            out[i] = slopes[1, p, i] * z[i] + slopes[2, p, i] * total[i]


@njit(**_OPTIONS)
def reverse(sensitivity: np.ndarray, slopes: np.ndarray, pre: np.ndarray, bent: np.ndarray,
            cotangent: np.ndarray) -> None:
    """cotangent of (σ(h), σ's_k, Λ) → cotangent of (h, s_k, z), in place; `sensitivity` is σ'λ.

    Channels 0..d come as the cotangents of the activations. The last is λ, known from the Hessian's own sweep.
    """
    channels, count, width = pre.shape
    d = channels - 2
    mixed = np.empty(width, pre.dtype)
    for p in range(count):
        slope, curve, twist, tip = slopes[1, p], slopes[2, p], slopes[3, p], cotangent[d + 1, p]
        z = pre[d + 1, p]
        for i in range(width):
            mixed[i] = tip[i] * z[i]
        for k in range(d):
            s, b, out = pre[1 + k, p], bent[k, p], cotangent[1 + k, p]
            for i in range(width):
                mixed[i] += out[i] * s[i]
                steep = tip[i] * curve[i]
                out[i] = (steep + steep) * b[i] + slope[i] * out[i]
        q, out = bent[d, p], cotangent[0, p]
        for i in range(width):
            out[i] = curve[i] * mixed[i] + tip[i] * twist[i] * q[i] + slope[i] * out[i]
            tip[i] = sensitivity[p, i]


@njit(**_OPTIONS)
def outer(cotangent: np.ndarray, post: np.ndarray, start: int, out: np.ndarray) -> None:
    """out[p, start + o·inputs + i] = Σ_channels cotangent[c, p, o] post[c, p, i]: every point's own derivative by W."""
    channels, count, width = cotangent.shape
    inputs = post.shape[2]
    for p in range(count):
        for o in range(width):
            row = out[p, start + o * inputs : start + (o + 1) * inputs]
            row[:] = 0
            for c in range(channels):
                factor = cotangent[c, p, o]
                source = post[c, p]
                for i in range(inputs):
                    row[i] += factor * source[i]
