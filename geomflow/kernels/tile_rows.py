"""Rows of kernel tiles: squared chordal, geodesic and Euclidean distances, and the exponential, as vector code.

Tiles hold TILE points, one feature after the other in a flat array, whose constant strides let loops vectorise; a
projective point has the features re z_0, im z_0, re z_1, ... of a unit vector. ROWS rows are done at once. `dims` is
a tuple whose length is the number of complex (or real) coordinates, so that loops over them unroll.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

TILE = 256
#: Rows of a tile that are computed and summed together.
ROWS = 8
CHORDAL, GEODESIC, EUCLIDEAN = 0, 1, 2

_OPTIONS = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
_INLINE = {"jit_options": {"error_model": "numpy", "fastmath": {"contract"}}}

# 2^r on [-1/2, 1/2], interpolated at Chebyshev nodes: relative errors 4e-18 and 3e-9
_EXP_DOUBLE = (
    1.0, 0.6931471805599453, 0.24022650695910158, 0.055504108664821625, 0.009618129107587256, 0.001333355814640647,
    0.00015403530463724353, 1.5252733841556773e-05, 1.3215432535912375e-06, 1.0178057087733941e-07,
    7.074194297288521e-09, 4.4558179083360645e-10,
)
_EXP_SINGLE = (1.0, 0.6931472067028326, 0.24022650922288757, 0.05550327226670302, 0.009618056678524637,
               0.0013400428177615838, 0.0001546144469856913)
# arccos(1 - w)²/w on [0, 1], the same way: relative errors 5e-17 and 7e-9
_ARC_DOUBLE = (
    2.0, 0.333333333333282, 0.08888888889502397, 0.028571428281146307, 0.010158737392892294, 0.003847894241024964,
    0.0015233862260891284, 0.0006139002339487316, 0.00029911862942596476, -3.660638043319457e-05,
    0.0004673594277794059, -0.0008858891738586373, 0.0015026173389976688, -0.0018565469501516333,
    0.0017296726274879507, -0.0011604728347193714, 0.0005362465522457653, -0.00015266200803959538,
    2.069444019768993e-05,
)
_ARC_SINGLE = (2.0000000095976365, 0.33333178279985365, 0.08892965866085309, 0.028163947945333775,
               0.012166113623262427, -0.0015810254438687874, 0.009834476839315784, -0.0062906336663436585,
               0.0028467524940127453)


def _of(dtype: Any, double: tuple[float, ...], single: tuple[float, ...]) -> Any:
    """The constants in the precision of a numba type."""
    return double if dtype == types.float64 else tuple(np.float32(value) for value in single)


@intrinsic
def _power_of_two(typingctx: Any, shifted: Any) -> Any:
    """2^n from the float n + 1.5·2^52 (double) or n + 1.5·2^23 (single), whose last bits hold n."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        double = signature.args[0] == types.float64
        integer = ir.IntType(64 if double else 32)
        bits = builder.bitcast(arguments[0], integer)
        bits = builder.add(bits, integer(1023 if double else 127))
        bits = builder.shl(bits, integer(52 if double else 23))
        return builder.bitcast(bits, arguments[0].type)

    return shifted(shifted), generate


def exp2(z: float) -> float:
    """2^z; values below the smallest normal number become that number."""
    return float(2.0**z)


@overload(exp2, **_INLINE)
def _exp2(z: Any) -> Any:
    c = _of(z, _EXP_DOUBLE, _EXP_SINGLE)
    shift, low = _of(z, (1.5 * 2.0**52, -1020.0), (1.5 * 2.0**23, -125.0))
    top, rest = c[-1], c[-2::-1]

    def power(z: Any) -> Any:
        z = max(z, low)
        shifted = z + shift
        r = z - (shifted - shift)
        value = top
        for coefficient in rest:
            value = value * r + coefficient
        return value * _power_of_two(shifted)

    return power


def arc_square(w: float) -> float:
    """arccos(1 − w)² for 0 ≤ w ≤ 1, with all digits near zero."""
    return math.acos(1 - w) ** 2


@overload(arc_square, **_INLINE)
def _arc_square(w: Any) -> Any:
    c = _of(w, _ARC_DOUBLE, _ARC_SINGLE)
    middle = len(c) // 2
    low_top, low = c[middle - 1], c[: middle - 1][::-1]
    high_top, high = c[-1], c[middle:-1][::-1]
    squarings = 3 if middle == 9 else 2

    def polynomial(w: Any) -> Any:
        upper = high_top
        for coefficient in high:
            upper = upper * w + coefficient
        lower = low_top
        for coefficient in low:
            lower = lower * w + coefficient
        power = w
        for _ in range(squarings):
            power = power * power
        if squarings == 3:
            power = power * w
        return w * (lower + power * upper)

    return polynomial


def complement(c: float) -> float:
    """max(1 − c, 0)."""
    return max(1 - c, 0.0)


@overload(complement, **_INLINE)
def _complement(c: Any) -> Any:
    zero, one = _of(c, (0.0, 1.0), (0.0, 1.0))

    def positive(c: Any) -> Any:
        return max(one - c, zero)

    return positive


@njit(**_OPTIONS)
def sine_square(dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, j: int) -> float:
    """|q − ⟨p, q⟩ p|² of unit vectors: sin²d from a difference, with all digits near zero."""
    zero = p.dtype.type(0)
    re, im, total = zero, zero, zero
    for a in range(0, 2 * len(dims), 2):
        re += p[a * TILE + i] * q[a * TILE + j] + p[(a + 1) * TILE + i] * q[(a + 1) * TILE + j]
        im += p[a * TILE + i] * q[(a + 1) * TILE + j] - p[(a + 1) * TILE + i] * q[a * TILE + j]
    for a in range(0, 2 * len(dims), 2):
        x = q[a * TILE + j] - (re * p[a * TILE + i] - im * p[(a + 1) * TILE + i])
        y = q[(a + 1) * TILE + j] - (re * p[(a + 1) * TILE + i] + im * p[a * TILE + i])
        total += x * x + y * y
    return total


@njit(**{**_OPTIONS, "fastmath": {"reassoc", "contract"}})
def _count_below(k: np.ndarray, near: float) -> float:
    """How many numbers are below `near`; counted in floats, which vectorises."""
    zero, one = k.dtype.type(0), k.dtype.type(1)
    count = zero
    for j in range(ROWS * TILE):
        count += one if k[j] < near else zero
    return count


@njit(**_OPTIONS)
def overlaps(dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, k: np.ndarray) -> None:
    """k = |⟨p, q⟩|²."""
    for r in range(ROWS):
        at = i + r
        for j in range(TILE):
            re = p[at] * q[j] + p[TILE + at] * q[TILE + j]
            im = p[at] * q[TILE + j] - p[TILE + at] * q[j]
            for a in range(2, 2 * len(dims), 2):
                x, y = p[a * TILE + at], p[(a + 1) * TILE + at]
                re += x * q[a * TILE + j] + y * q[(a + 1) * TILE + j]
                im += x * q[(a + 1) * TILE + j] - y * q[a * TILE + j]
            k[r * TILE + j] = re * re + im * im


@njit(**_OPTIONS)
def _chordal(dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, near: float, k: np.ndarray) -> None:
    """k = sin²d = 1 − |⟨p, q⟩|²; below `near` from differences."""
    overlaps(dims, p, i, q, k)
    for j in range(ROWS * TILE):
        k[j] = complement(k[j])
    if _count_below(k, near) > 0:
        for j in range(ROWS * TILE):
            if k[j] < near:
                k[j] = sine_square(dims, p, i + j // TILE, q, j % TILE)


@njit(**_OPTIONS)
def _geodesic(dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, near: float, k: np.ndarray) -> None:
    """k = d², from w = 1 − |⟨p, q⟩|; where w is below near/2, w = sin²d/(1 + cos d) from differences."""
    overlaps(dims, p, i, q, k)
    for j in range(ROWS * TILE):
        k[j] = complement(math.sqrt(k[j]))
    close = k.dtype.type(0.5) * near
    if _count_below(k, close) > 0:
        for j in range(ROWS * TILE):
            if k[j] < close:
                square = sine_square(dims, p, i + j // TILE, q, j % TILE)
                k[j] = square / complement(-math.sqrt(complement(square)))
    for j in range(ROWS * TILE):
        k[j] = arc_square(k[j])


@njit(**_OPTIONS)
def _euclidean(dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, k: np.ndarray) -> None:
    """k = |p − q|², from differences."""
    for r in range(ROWS):
        at = i + r
        for j in range(TILE):
            x = q[j] - p[at]
            total = x * x
            for a in range(1, len(dims)):
                x = q[a * TILE + j] - p[a * TILE + at]
                total += x * x
            k[r * TILE + j] = total


@njit(**_OPTIONS)
def squares(kind: int, dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, near: float, k: np.ndarray) -> None:
    """k[r·TILE + j] = the square of the distance of `kind` from point i + r of the tile p to point j of the tile q."""
    if kind == CHORDAL:
        _chordal(dims, p, i, q, near, k)
    elif kind == GEODESIC:
        _geodesic(dims, p, i, q, near, k)
    else:
        _euclidean(dims, p, i, q, k)


@njit(**_OPTIONS)
def gaussians(factor: float, k: np.ndarray) -> None:
    """k → 2^(factor k)."""
    for j in range(ROWS * TILE):
        k[j] = exp2(factor * k[j])
