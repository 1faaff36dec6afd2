"""Angles between Gaussian variables by differences: what the dual activations are made of, all digits at either end.

The correlation c of a pair is never used near ±1, only `near` = 1 − c and `far` = 1 + c.
"""

from __future__ import annotations

import math

from numba import njit

from geomflow.codegen import mathematics
from geomflow.codegen.mathematics import fma, select

#: Options of what rows of pairs are made of: inlined, so that loops over pairs become vector instructions.
INLINED = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}, "forceinline": True}

exp = njit(**INLINED)(mathematics.exp.py_func)


@njit(**INLINED)
def horner(s, a, b, c, d, e, f, g, h, k, l):
    """a s⁹ + b s⁸ + … + l."""
    high = fma(s, fma(s, fma(s, fma(s, a, b), c), d), e)
    return fma(s, fma(s, fma(s, fma(s, fma(s, high, f), g), h), k), l)


@njit(**INLINED)
def angle_series(v):
    """θ/√(2v) for cos θ = 1 − v, 0 <= v <= 1: a Chebyshev fit, error 4e-18."""
    s = v * v
    odd = horner(
        s, 2.14847428871298e-06, 6.351458381230858e-05, 0.00023706559370590235, 0.0002443364393224066,
        8.83581357866731e-05, 2.9476162165201884e-05, 0.00010952478156304421, 0.0006991347866401814,
        0.005580357153149729, 0.08333333333333481,
    )
    even = horner(
        s, -1.693274189783836e-05, -0.00014754729306870457, -0.00027684276140276827, -0.00016213955816771024,
        -2.5699535695643385e-05, 4.2692769784813946e-05, 0.0002710829738618468, 0.0018988712426045871,
        0.018749999999804007, 1.0,
    )
    return fma(v, odd, even)


@njit(**INLINED)
def segment_series(v):
    """(sin θ − θ cos θ)/(√(2v) v) for cos θ = 1 − v, 0 <= v <= 1: a Chebyshev fit, error 2e-19."""
    s = v * v
    odd = horner(
        s, 7.773676116018752e-08, 2.262196326167068e-06, 8.383261981215654e-06, 8.62062581322455e-06,
        3.259547300558705e-06, 2.1801175504232823e-06, 1.2850165618520679e-05, 0.0001075586252436938,
        0.0012400793654384088, 0.03333333333333338,
    )
    even = horner(
        s, -6.062214565181217e-07, -5.230704847387485e-06, -9.751654422150753e-06, -5.633815234045904e-06,
        -4.74878507995732e-07, 4.664895356956825e-06, 3.614970775301484e-05, 0.00034524935873620497,
        0.0053571428571360215, 0.6666666666666666,
    )
    return fma(v, odd, even)


@njit(**INLINED)
def arctan(t):
    """arctan t, branch-free, by the chord of the angle: 1 − cos θ = t²/(h(h + 1)) with h = √(1 + t²)."""
    h = math.sqrt(1.0 + t * t)
    scale = 1.0 / (h * (h + 1.0))
    return t * math.sqrt(2.0 * scale) * angle_series(t * t * scale)


@njit(**INLINED)
def arc(k, root):
    """arcsin(k/√((1 + a)(1 + b))) for root² = (1 + a)(1 + b) − k² > 0, without a loss near ±1."""
    return arctan(k / root)


@njit(**INLINED)
def arc_gap(a, k, gap, gram, root):
    """A − Z for sin A = a/(1 + a), sin Z = k/√((1 + a)(1 + b)), k >= 0, by differences.

    `gap` = a − k, `gram` = ab − k² and root = √(1 + a + b + gram) are given with all their digits.
    """
    alpha = math.sqrt(1.0 + 2.0 * a)
    below = (a * root + k * alpha) * (alpha * root + a * k)
    above = (1.0 + a) * (gap * (a + k) + a * gram)
    return arctan(above / select(below > 0.0, below, 1.0))


@njit(**INLINED)
def exp_less_one(x):
    """e^x − 1 for x <= 0, branch-free: the Taylor polynomial of degree 13 near 0."""
    low = fma(x, fma(x, fma(x, 1 / 5040, 1 / 720), 1 / 120), 1 / 24)
    x4 = x * x * x * x
    high = fma(x, fma(x, fma(x, 1 / 39916800, 1 / 3628800), 1 / 362880), 1 / 40320)
    tail = fma(x4 * x4, fma(x, 1 / 6227020800, 1 / 479001600), fma(x4, high, low))
    near = x + x * x * fma(x, fma(x, tail, 1 / 6), 0.5)
    return select(x > -0.35, near, exp(x) - 1.0)


@njit(**INLINED)
def correlations(p, q, near_square, far_square):
    """(1 − c, 1 + c) of two variables of deviations p, q from E[(u − v)²] and E[(u + v)²]; (1, 1) if one is zero."""
    product, excess = 2.0 * p * q, (p - q) ** 2
    scale = 1.0 / select(product > 0.0, product, 1.0)
    near, far = near_square - excess, far_square - excess
    near, far = select(near > 0.0, near * scale, 0.0), select(far > 0.0, far * scale, 0.0)
    return select(product > 0.0, near, 1.0), select(product > 0.0, far, 1.0)
