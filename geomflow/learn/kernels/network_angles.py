"""Angles between Gaussian variables by differences: what the dual activations are made of, all digits at either end.

The correlation c of a pair is never used near ±1, only `near` = 1 − c and `far` = 1 + c.
"""

from __future__ import annotations

import math

from numba import njit

from geomflow.codegen.mathematics import fma

_FUSED = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**_FUSED)
def horner(s, a, b, c, d, e, f, g, h, k, l):
    """a s⁹ + b s⁸ + … + l."""
    high = fma(s, fma(s, fma(s, fma(s, a, b), c), d), e)
    return fma(s, fma(s, fma(s, fma(s, fma(s, high, f), g), h), k), l)


@njit(**_FUSED)
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


@njit(**_FUSED)
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


@njit(**_FUSED)
def arc(k, det):
    """arcsin(k/√((1 + a)(1 + b))) for det = (1 + a)(1 + b) − k² > 0, without a loss near ±1."""
    return math.atan(k / math.sqrt(det))


@njit(**_FUSED)
def arc_gap(a, k, gap, gram, det):
    """A − Z for sin A = a/(1 + a), sin Z = k/√((1 + a)(1 + b)), k >= 0, by differences.

    `gap` = a − k, `gram` = ab − k² and det = 1 + a + b + gram are given with all their digits.
    """
    alpha, root = math.sqrt(1.0 + 2.0 * a), math.sqrt(det)
    below = (a * root + k * alpha) * (alpha * root + a * k)
    above = (1.0 + a) * (gap * (a + k) + a * gram)
    return math.atan(above / below) if below > 0.0 else 0.0


@njit(**_FUSED)
def correlations(p, q, near_square, far_square):
    """(1 − c, 1 + c) of two variables of deviations p, q from E[(u − v)²] and E[(u + v)²]."""
    product = 2.0 * p * q
    if not product > 0.0:
        return 1.0, 1.0
    excess = (p - q) ** 2
    return max(near_square - excess, 0.0) / product, max(far_square - excess, 0.0) / product
