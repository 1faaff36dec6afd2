"""Rows of kernel tiles: squared chordal, geodesic and Euclidean distances, and the exponential, as vector code.

Tiles hold TILE points, one feature after the other in a flat array, whose constant strides let loops vectorise; a
projective point has the features re z_0, im z_0, re z_1, ... of a unit vector. ROWS rows are done at once: six, so
that sums over them and their numbers fit into sixteen registers. `dims` is a tuple whose length is the number of
complex (or real) coordinates, so that loops over them unroll.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

from geomflow.codegen.mathematics import held, noalias

TILE = 192
#: Rows of a tile that are computed and summed together.
ROWS = 6
CHORDAL, GEODESIC, EUCLIDEAN = 0, 1, 2

_OPTIONS = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
_INLINE = {"jit_options": {"error_model": "numpy", "fastmath": {"contract"}}}

# 2^r on [-1/2, 1/2], interpolated at Chebyshev nodes: relative errors 3e-16 and 3e-9
_EXP_DOUBLE = (
    1.0, 0.69314718055995, 0.24022650695910097, 0.05550410866444772, 0.009618129107606888, 0.0013333558230164974,
    0.0001540353044173605, 1.5252657260200837e-05, 1.321544258792169e-06, 1.0208690299958306e-07,
    7.072585949269223e-09,
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
def _times_power(typingctx: Any, value: Any, shifted: Any) -> Any:
    """2^n times a value near one; n is in the last bits of n + 1.5·2^52 (double) or n + 1.5·2^23 (single)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        double = signature.return_type == types.float64
        integer = ir.IntType(64 if double else 32)
        bits, power = (builder.bitcast(argument, integer) for argument in arguments)
        bits = builder.add(bits, builder.shl(power, integer(52 if double else 23)))
        return builder.bitcast(bits, arguments[0].type)

    return value(value, shifted), generate


@intrinsic
def larger(typingctx: Any, x: Any, y: Any) -> Any:
    """The larger of two numbers, neither of them NaN; unlike by `max`, loops that reduce by it vectorise."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        function = builder.module.declare_intrinsic("llvm.maxnum", [kind], ir.FunctionType(kind, [kind, kind]))
        return builder.call(function, arguments, fastmath=("nnan", "nsz"))

    return x(x, x), generate


def exp2(z: float) -> float:
    """2^z; values below the smallest normal number become that number."""
    return float(2.0**z)


@overload(exp2, **_INLINE)
def _exp2(z: Any) -> Any:
    c = _of(z, _EXP_DOUBLE, _EXP_SINGLE)
    shift, low = _of(z, (1.5 * 2.0**52, -1020.0), (1.5 * 2.0**23, -125.0))

    def power(z: Any) -> Any:
        z = larger(z, held(low))
        shifted = z + held(shift)
        r = z - (shifted - held(shift))
        return _times_power(polynomial(c, r), shifted)

    return power


def polynomial(c: tuple[float, ...], x: float) -> float:
    """c_0 + c_1 x + c_2 x² + …: even and odd powers apart, so that few steps wait for others."""
    return float(np.polyval(c[::-1], x))


@overload(polynomial, **_INLINE)
def _polynomial(c: Any, x: Any) -> Any:
    count = len(c)
    even, odd = count - 1 - (count - 1) % 2, count - 1 - count % 2

    def value(c: Any, x: Any) -> Any:
        square = x * x
        upper = held(c[odd])
        for k in range(odd - 2, 0, -2):
            upper = upper * square + held(c[k])
        lower = held(c[even])
        for k in range(even - 2, -1, -2):
            lower = lower * square + held(c[k])
        return upper * x + lower

    return value


def arc_square(w: float) -> float:
    """arccos(1 − w)² for 0 ≤ w ≤ 1, with all digits near zero."""
    return math.acos(1 - w) ** 2


@overload(arc_square, **_INLINE)
def _arc_square(w: Any) -> Any:
    c = _of(w, _ARC_DOUBLE, _ARC_SINGLE)

    def square(w: Any) -> Any:
        return w * polynomial(c, w)

    return square


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


@njit(**_OPTIONS)
def overlap(dims: tuple[int, ...], root: float, shift: float, p: np.ndarray, i: int, q: np.ndarray, j: int) -> float:
    """root²|⟨p, q⟩|² + shift."""
    x, y = root * p[i], root * p[TILE + i]
    re, im = x * q[j] + y * q[TILE + j], x * q[TILE + j] - y * q[j]
    for a in range(2, 2 * len(dims), 2):
        x, y = root * p[a * TILE + i], root * p[(a + 1) * TILE + i]
        re += x * q[a * TILE + j]
        re += y * q[(a + 1) * TILE + j]
        im += x * q[(a + 1) * TILE + j]
        im -= y * q[a * TILE + j]
    return re * re + (im * im + shift)


@njit(**_OPTIONS)
def _chordal(dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, factor: float, near: float,
             k: np.ndarray) -> None:
    """k = factor sin²d = factor (1 − |⟨p, q⟩|²), factor < 0; where sin²d is below `near`, from differences."""
    noalias()
    root, least = math.sqrt(-factor), factor * near
    largest = factor
    for r in range(k.size // TILE):
        for j in range(TILE):
            square = overlap(dims, root, factor, p, i + r, q, j)
            k[r * TILE + j] = square
            largest = larger(largest, square)
    if largest > least:
        for j in range(ROWS * TILE):
            if k[j] > least:
                k[j] = factor * sine_square(dims, p, i + j // TILE, q, j % TILE)


@njit(**_OPTIONS)
def _geodesic(dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, factor: float, near: float,
              k: np.ndarray) -> None:
    """k = factor d², from w = 1 − |⟨p, q⟩|; where w is below near/2, w = sin²d/(1 + cos d) from differences."""
    noalias()
    zero, one, close = k.dtype.type(0), k.dtype.type(1), k.dtype.type(0.5) * near
    largest = zero
    for r in range(k.size // TILE):
        for j in range(TILE):
            cosine = math.sqrt(overlap(dims, one, zero, p, i + r, q, j))
            k[r * TILE + j] = one - cosine
            largest = larger(largest, cosine)
    if one - largest < close:
        for j in range(ROWS * TILE):
            if k[j] < close:
                square = sine_square(dims, p, i + j // TILE, q, j % TILE)
                k[j] = square / (one + math.sqrt(one - square))
    for j in range(ROWS * TILE):
        k[j] = factor * arc_square(k[j])


@njit(**_OPTIONS)
def _euclidean(dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, factor: float, k: np.ndarray) -> None:
    """k = factor |p − q|², from differences."""
    noalias()
    for r in range(k.size // TILE):
        at = i + r
        for j in range(TILE):
            x = q[j] - p[at]
            total = x * x
            for a in range(1, len(dims)):
                x = q[a * TILE + j] - p[a * TILE + at]
                total += x * x
            k[r * TILE + j] = factor * total


@njit(**_OPTIONS)
def exponents(kind: int, dims: tuple[int, ...], p: np.ndarray, i: int, q: np.ndarray, factor: float, near: float,
              k: np.ndarray) -> None:
    """k[r·TILE + j] = factor d² of the distance of `kind` from point i + r of the tile p to point j of the tile q."""
    if kind == CHORDAL:
        _chordal(dims, p, i, q, factor, near, k)
    elif kind == GEODESIC:
        _geodesic(dims, p, i, q, factor, near, k)
    else:
        _euclidean(dims, p, i, q, factor, k)


@njit(**_OPTIONS)
def powers(k: np.ndarray) -> None:
    """k → 2^k."""
    for j in range(ROWS * TILE):
        k[j] = exp2(k[j])
