"""Hermitian forms on monomials and their derivatives along a variety, a few points ("lanes") at a time.

Every point carries a frame F (rows, partials): row r of the jet of a monomial s is Σ_q F[r, q] ∂_q s; the partials q
are s, ∂_i s and, at order two, ∂_i∂_j s for i <= j. Loops over lanes are innermost, so that they become vector code.
"""

from __future__ import annotations

import numpy as np
from numba import njit

#: Points in one bundle.
LANES = 16

_OPTIONS = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**_OPTIONS)
def _room(rows, exponents):
    """Room for the powers of the coordinates of one bundle, and for the jets of all monomials there."""
    powers = (3, exponents.shape[1], exponents.max() + 1, LANES)
    monomials = (exponents.shape[0], rows, LANES)
    return np.empty(powers), np.empty(powers), np.empty(monomials), np.empty(monomials)


@njit(**_OPTIONS)
def power_table(z, first, top, re, im):
    """re + i im [order, i, e, lane] = d^order/dz^order z_i^e for orders 0, 1, 2; missing lanes repeat the last."""
    for i in range(z.shape[1]):
        for lane in range(LANES):
            x = z[min(first + lane, z.shape[0] - 1), i]
            power = 1.0 + 0.0j
            for e in range(top + 1):
                re[0, i, e, lane], im[0, i, e, lane] = power.real, power.imag
                power *= x
        for e in range(top + 1):
            for order in range(1, 3):
                factor = float(e) if order == 1 else float(e * (e - 1))
                for lane in range(LANES):
                    re[order, i, e, lane] = factor * re[0, i, max(e - order, 0), lane]
                    im[order, i, e, lane] = factor * im[0, i, max(e - order, 0), lane]


@njit(**_OPTIONS)
def partial(m, i, j, re, im, out_re, out_im):
    """∂_i∂_j z^m for one bundle (i or j = −1: not differentiated)."""
    for lane in range(LANES):
        out_re[lane] = 1.0
        out_im[lane] = 0.0
    for v in range(m.size):
        order = (v == i) + (v == j)
        e = m[v]
        if e == 0 and order == 0:
            continue
        for lane in range(LANES):
            a, b = out_re[lane], out_im[lane]
            c, d = re[order, v, e, lane], im[order, v, e, lane]
            out_re[lane] = a * c - b * d
            out_im[lane] = a * d + b * c


@njit(**_OPTIONS)
def jets(z, frame, index, first, exponents, re, im, u_re, u_im):
    """u[monomial, row, lane]: the jets of all monomials at one bundle of points; index[q] = (i, j) of the partials."""
    rows, partials = frame.shape[1], frame.shape[2]
    top = re.shape[2] - 1
    power_table(z, first, top, re, im)
    f_re = np.empty((rows, partials, LANES))
    f_im = np.empty((rows, partials, LANES))
    for r in range(rows):
        for q in range(partials):
            for lane in range(LANES):
                f = frame[min(first + lane, z.shape[0] - 1), r, q]
                f_re[r, q, lane], f_im[r, q, lane] = f.real, f.imag
    d_re = np.empty(LANES)
    d_im = np.empty(LANES)
    u_re[:] = 0.0
    u_im[:] = 0.0
    for t in range(exponents.shape[0]):
        m = exponents[t]
        for q in range(partials):
            i, j = index[q]
            if _survives(m, i, j):
                partial(m, i, j, re, im, d_re, d_im)
                for r in range(min(q, 1), rows):
                    _add(f_re[r, q], f_im[r, q], d_re, d_im, u_re[t, r], u_im[t, r])
                    if q == 0:
                        break


@njit(**_OPTIONS)
def _survives(m, i, j):
    if i < 0:
        return True
    if j < 0:
        return m[i] > 0
    return m[i] > 1 if i == j else (m[i] > 0 and m[j] > 0)


@njit(**_OPTIONS)
def _add(a_re, a_im, b_re, b_im, out_re, out_im):
    for lane in range(LANES):
        out_re[lane] += a_re[lane] * b_re[lane] - a_im[lane] * b_im[lane]
        out_im[lane] += a_re[lane] * b_im[lane] + a_im[lane] * b_re[lane]


@njit(**_OPTIONS)
def grams(z, frame, index, exponents, start, column, entry, out):
    """out[p, r, s] = Σ_mn h_mn u_m[r] ū_n[s] for the sparse Hermitian form h = (start, column, entry)."""
    rows, count = frame.shape[1], exponents.shape[0]
    re, im, u_re, u_im = _room(rows, exponents)
    y_re = np.empty((rows, LANES))
    y_im = np.empty((rows, LANES))
    g_re = np.empty((rows, rows, LANES))
    g_im = np.empty((rows, rows, LANES))
    for first in range(0, z.shape[0], LANES):
        jets(z, frame, index, first, exponents, re, im, u_re, u_im)
        g_re[:] = 0.0
        g_im[:] = 0.0
        for m in range(count):
            if start[m] < start[m + 1]:
                _row(m, start, column, entry, u_re, u_im, y_re, y_im)
                _outer(u_re[m], u_im[m], y_re, y_im, g_re, g_im)
        for lane in range(min(LANES, z.shape[0] - first)):
            for r in range(rows):
                for s in range(r + 1):
                    out[first + lane, s, r] = complex(g_re[s, r, lane], g_im[s, r, lane])
                    out[first + lane, r, s] = complex(g_re[s, r, lane], -g_im[s, r, lane])
                out[first + lane, r, r] = g_re[r, r, lane]


@njit(**_OPTIONS)
def _row(m, start, column, entry, u_re, u_im, y_re, y_im):
    """y = Σ_n h̄_mn u_n."""
    y_re[:] = 0.0
    y_im[:] = 0.0
    for c in range(start[m], start[m + 1]):
        h_re, h_im = entry[c].real, -entry[c].imag
        n = column[c]
        for r in range(u_re.shape[1]):
            for lane in range(LANES):
                y_re[r, lane] += h_re * u_re[n, r, lane] - h_im * u_im[n, r, lane]
                y_im[r, lane] += h_re * u_im[n, r, lane] + h_im * u_re[n, r, lane]


@njit(**_OPTIONS)
def _outer(a_re, a_im, b_re, b_im, out_re, out_im):
    """out[r, s] += a[r] b̄[s] for s >= r."""
    for r in range(a_re.shape[0]):
        for s in range(r, a_re.shape[0]):
            for lane in range(LANES):
                out_re[r, s, lane] += a_re[r, lane] * b_re[s, lane] + a_im[r, lane] * b_im[s, lane]
                out_im[r, s, lane] += a_im[r, lane] * b_re[s, lane] - a_re[r, lane] * b_im[s, lane]


@njit(**_OPTIONS)
def features(z, frame, index, exponents, group, left, right, entry, out):
    """out[p, f, α] = component f of Σ over the pairs of group α of c u_m ū_n† + its adjoint (m < n), or c u_m u_m†.

    Components: the diagonal, then for each r < s the real and the imaginary part. Pairs are sorted by group.
    """
    rows = frame.shape[1]
    re, im, u_re, u_im = _room(rows, exponents)
    packed = np.empty((rows * rows, LANES))
    for first in range(0, z.shape[0], LANES):
        jets(z, frame, index, first, exponents, re, im, u_re, u_im)
        packed[:] = 0.0
        for c in range(group.size):
            m, n = left[c], right[c]
            _pack(entry[c].real, entry[c].imag, u_re[m], u_im[m], u_re[n], u_im[n], packed)
            if c + 1 == group.size or group[c + 1] != group[c]:
                for lane in range(min(LANES, z.shape[0] - first)):
                    for f in range(rows * rows):
                        out[first + lane, f, group[c]] = packed[f, lane]
                packed[:] = 0.0


@njit(**_OPTIONS)
def _pack(c_re, c_im, a_re, a_im, b_re, b_im, packed):
    """Add the Hermitian matrix c a b† + c̄ b a† (an entry of a diagonal pair is halved by the caller)."""
    rows = a_re.shape[0]
    f = rows
    for r in range(rows):
        for lane in range(LANES):
            x_re = c_re * a_re[r, lane] - c_im * a_im[r, lane]
            x_im = c_re * a_im[r, lane] + c_im * a_re[r, lane]
            packed[r, lane] += 2.0 * (x_re * b_re[r, lane] + x_im * b_im[r, lane])
        for s in range(r + 1, rows):
            for lane in range(LANES):
                x_re = c_re * a_re[r, lane] - c_im * a_im[r, lane]
                x_im = c_re * a_im[r, lane] + c_im * a_re[r, lane]
                y_re = c_re * b_re[r, lane] + c_im * b_im[r, lane]
                y_im = c_re * b_im[r, lane] - c_im * b_re[r, lane]
                packed[f, lane] += x_re * b_re[s, lane] + x_im * b_im[s, lane]
                packed[f, lane] += y_re * a_re[s, lane] + y_im * a_im[s, lane]
                packed[f + 1, lane] += x_im * b_re[s, lane] - x_re * b_im[s, lane]
                packed[f + 1, lane] += y_im * a_re[s, lane] - y_re * a_im[s, lane]
            f += 2


@njit(**_OPTIONS)
def section_jets(z, frame, index, exponents, out):
    """out[p, row, m]: the jets of all monomials at all points."""
    rows, count = frame.shape[1], exponents.shape[0]
    re, im, u_re, u_im = _room(rows, exponents)
    for first in range(0, z.shape[0], LANES):
        jets(z, frame, index, first, exponents, re, im, u_re, u_im)
        for lane in range(min(LANES, z.shape[0] - first)):
            for r in range(rows):
                for m in range(count):
                    out[first + lane, r, m] = complex(u_re[m, r, lane], u_im[m, r, lane])
