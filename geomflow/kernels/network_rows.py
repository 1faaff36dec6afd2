"""One hidden layer of infinite width, in closed form: rows of pairs (u, v) of centred Gaussian variables.

A pair is given by the deviations p, q of u, v and by near = 1 − c, far = 1 + c of their correlation c, never used near
±1 itself: all digits at either end. A layer maps it to that of the next: with φ the activation, m = σ_w² and β = σ_b²,

    K' = m E[φ(u) φ(v)] + β,        Θ' = K' + m E[φ'(u) φ'(v)] Θ,

and 1 ∓ c' from E[(φ(u) ∓ φ(v))²], each formed without cancellation. Every row routine takes (p, q, p1, q1, m, β) and
updates (near, far, covariance, tangent) in place, where p1, q1 are the deviations in the next layer.
ReLU: Cho and Saul (2009); erf: Williams (1997); GELU: Tsuchida, Pearce, van der Heide, Roosta and Gallagher (2021).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from geomflow.codegen.mathematics import exp, fma, held, noalias, select

#: Options of what rows of pairs are made of: inlined, so that loops over pairs become vector instructions.
INLINED = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}, "forceinline": True}


@njit(**INLINED)
def horner(s: float, a: float, b: float, c: float, d: float, e: float, f: float, g: float, h: float, k: float,
           l: float) -> float:
    """a s⁹ + b s⁸ + … + l, the numbers kept out of loops."""
    high = fma(s, fma(s, fma(s, fma(s, held(a), held(b)), held(c)), held(d)), held(e))
    return fma(s, fma(s, fma(s, fma(s, fma(s, high, held(f)), held(g)), held(h)), held(k)), held(l))


@njit(**INLINED)
def angle_series(v: float) -> float:
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
def segment_series(v: float) -> float:
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
def arctan(t: float) -> float:
    """arctan t, branch-free, by the chord of the angle: 1 − cos θ = t²/(h(h + 1)) with h = √(1 + t²)."""
    h = math.sqrt(1.0 + t * t)
    scale = 1.0 / (h * (h + 1.0))
    return t * math.sqrt(2.0 * scale) * angle_series(t * t * scale)


@njit(**INLINED)
def arc(k: float, root: float) -> float:
    """arcsin(k/√((1 + a)(1 + b))) for root² = (1 + a)(1 + b) − k² > 0, without a loss near ±1."""
    return arctan(k / root)


@njit(**INLINED)
def arc_gap(a: float, k: float, gap: float, gram: float, root: float) -> float:
    """A − Z for sin A = a/(1 + a), sin Z = k/√((1 + a)(1 + b)), k >= 0, by differences.

    `gap` = a − k, `gram` = ab − k² and root = √(1 + a + b + gram) are given with all their digits.
    """
    alpha = math.sqrt(1.0 + 2.0 * a)
    below = (a * root + k * alpha) * (alpha * root + a * k)
    above = (1.0 + a) * (gap * (a + k) + a * gram)
    return arctan(above / select(below > 0.0, below, 1.0))


@njit(**INLINED)
def exp_less_one(x: float) -> float:
    """e^x − 1 for x <= 0, branch-free: the Taylor polynomial of degree 13 near 0."""
    one = held(1.0)
    low = fma(x, fma(x, fma(x, held(1 / 5040), held(1 / 720)), held(1 / 120)), held(1 / 24))
    x4 = x * x * x * x
    high = fma(x, fma(x, fma(x, held(1 / 39916800), held(1 / 3628800)), held(1 / 362880)), held(1 / 40320))
    tail = fma(x4 * x4, fma(x, held(1 / 6227020800), held(1 / 479001600)), fma(x4, high, low))
    near = x + x * x * fma(x, fma(x, tail, held(1 / 6)), held(0.5))
    return select(x > held(-0.35), near, exp(x) - one)


@njit(**INLINED)
def correlations(p: float, q: float, near_square: float, far_square: float) -> tuple[float, float]:
    """(1 − c, 1 + c) of two variables of deviations p, q from E[(u − v)²] and E[(u + v)²]; (1, 1) if one is zero."""
    product, excess = 2.0 * p * q, (p - q) ** 2
    scale = 1.0 / select(product > 0.0, product, 1.0)
    near, far = near_square - excess, far_square - excess
    near, far = select(near > 0.0, near * scale, 0.0), select(far > 0.0, far * scale, 0.0)
    return select(product > 0.0, near, 1.0), select(product > 0.0, far, 1.0)


_FUSED = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
_TURN = 1.0 / math.pi


@njit(**INLINED)
def ramp_parts(near: float, far: float) -> tuple[float, float, float]:
    """(π − θ)/π, (sin θ + (π − θ) cos θ)/π and one less the latter, for cos θ = c."""
    zero, one, turns = held(0.0), held(1.0), held(_TURN)
    positive = near <= far
    v = select(positive, near, far)
    chord = turns * math.sqrt(v + v)
    turn = chord * angle_series(v)
    segment = chord * v * segment_series(v)
    step = select(positive, one - turn, turn)
    return step, select(positive, one - v, zero) + segment, select(positive, v, one) - segment


@njit(**_FUSED)
def relu_row(p: float, q: np.ndarray, p1: float, q1: np.ndarray, m: float, beta: float, near: np.ndarray,
             far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """φ = max(u, 0): E[φφ] = pq (sin θ + (π − θ) cos θ)/2π, E[φ'φ'] = (π − θ)/2π, cos θ = c."""
    noalias()
    half, zero, one = 0.5 * m, held(0.0), held(1.0)
    for j in range(q.size):
        step, value, rest = ramp_parts(near[j], far[j])
        product, after = half * p * q[j], p1 * q1[j]
        lifted = half * beta * (p - q[j]) ** 2 / select(after > zero, after + product + beta, one)
        near[j] = (product * rest + lifted) / select(after > zero, after, one)
        far[j] = one + one - near[j]
        covariance[j] = product * value + beta
        tangent[j] = covariance[j] + half * step * tangent[j]


@njit(**_FUSED)
def leaky_row(p: float, q: np.ndarray, p1: float, q1: np.ndarray, m: float, beta: float, slope: float,
              near: np.ndarray, far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """φ = max(u, 0) + a min(u, 0): (1 − a)² times what relu has, and a times what the identity has."""
    noalias()
    half, zero, one = 0.5 * m, held(0.0), held(1.0)
    bend, line, both = (1.0 - slope) ** 2, 2.0 * slope, 1.0 + slope * slope
    for j in range(q.size):
        step, value, rest = ramp_parts(near[j], far[j])
        product, after = half * p * q[j], p1 * q1[j]
        lifted = half * both * beta * (p - q[j]) ** 2 / select(after > zero, after + both * product + beta, one)
        scale = one / select(after > zero, after, one)
        covariance[j] = product * (bend * value + slope * (far[j] - near[j])) + beta
        tangent[j] = covariance[j] + half * (bend * step + line) * tangent[j]
        apart = product * (bend * rest + line * near[j]) + lifted
        together = product * (bend * (one + value) + line * far[j]) + lifted + beta + beta
        near[j], far[j] = select(after > zero, apart * scale, one), select(after > zero, together * scale, one)


@njit(**_FUSED)
def erf_row(p: float, q: np.ndarray, p1: float, q1: np.ndarray, m: float, beta: float, near: np.ndarray,
            far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """φ = erf: E[φφ] = (2/π) arcsin(2k/√((1 + 2p²)(1 + 2q²))), E[φ'φ'] = (4/π)/√((1 + 2p²)(1 + 2q²) − 4k²)."""
    noalias()
    for j in range(q.size):
        positive = near[j] <= far[j]
        v = select(positive, near[j], far[j])
        a, b, product = 2.0 * p * p, 2.0 * q[j] * q[j], 2.0 * p * q[j]
        k = product * (1.0 - v)
        gram = product * product * near[j] * far[j]
        root = math.sqrt(1.0 + a + b + gram)
        z = 2.0 * _TURN * m * arc(k, root)
        covariance[j] = select(positive, z, -z) + beta
        tangent[j] = covariance[j] + 4.0 * _TURN * m / root * tangent[j]
        gap, other = 2.0 * p * (p - q[j]) + product * v, 2.0 * q[j] * (q[j] - p) + product * v
        arcs = arc_gap(a, k, gap, gram, root) + arc_gap(b, k, other, gram, root)
        small = select(arcs > 0.0, 2.0 * _TURN * m * arcs, 0.0)
        large = small + 4.0 * z
        apart, together = select(positive, small, large), select(positive, large, small) + 4.0 * beta
        near[j], far[j] = correlations(p1, q1[j], apart, together)


@njit(**INLINED)
def wave_parts(p: float, q: float, near: float, far: float) -> tuple[float, float, float, float, float]:
    """exp and exp − 1 of −E[(u − v)²]/2 and of −E[(u + v)²]/2, and (e^{−p²} − e^{−q²})²/2."""
    excess, product = 0.5 * (p - q) ** 2, p * q
    less, more = -excess - product * near, -excess - product * far
    uneven = 0.5 * (exp(-p * p) - exp(-q * q)) ** 2
    return exp(less), exp(more), exp_less_one(less), exp_less_one(more), uneven


@njit(**INLINED)
def wave_difference(p: float, q: float, near: float, far: float) -> float:
    """(e^{−E[(u − v)²]/2} − e^{−E[(u + v)²]/2})/2 = e^{−(p² + q²)/2} sinh k, exact for small k."""
    positive, product = near <= far, p * q
    v, twice = select(positive, near, far), select(positive, near - far, far - near)
    size = -0.5 * exp(-0.5 * (p - q) ** 2 - product * v) * exp_less_one(product * twice)
    return select(positive, size, -size)


@njit(**_FUSED)
def cos_row(p: float, q: np.ndarray, p1: float, q1: np.ndarray, m: float, beta: float, near: np.ndarray,
            far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """φ = cos: E[φφ] = e^{−(p² + q²)/2} cosh k, E[φ'φ'] = e^{−(p² + q²)/2} sinh k."""
    noalias()
    for j in range(q.size):
        less, more, less1, more1, uneven = wave_parts(p, q[j], near[j], far[j])
        slope = wave_difference(p, q[j], near[j], far[j])
        covariance[j] = 0.5 * m * (less + more) + beta
        tangent[j] = covariance[j] + m * slope * tangent[j]
        apart = m * (less1 * more1 + uneven)
        both = p1 * p1 + q1[j] * q1[j] + 2.0 * covariance[j]
        near[j], far[j] = correlations(p1, q1[j], apart, both)


@njit(**_FUSED)
def sin_row(p: float, q: np.ndarray, p1: float, q1: np.ndarray, m: float, beta: float, near: np.ndarray,
            far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """φ = sin: E[φφ] = e^{−(p² + q²)/2} sinh k, E[φ'φ'] = e^{−(p² + q²)/2} cosh k."""
    noalias()
    for j in range(q.size):
        less, more, less1, more1, uneven = wave_parts(p, q[j], near[j], far[j])
        covariance[j] = m * wave_difference(p, q[j], near[j], far[j]) + beta
        tangent[j] = covariance[j] + 0.5 * m * (less + more) * tangent[j]
        apart = m * (-less1 * (1.0 + more) - uneven)
        together = m * (-more1 * (1.0 + less) - uneven) + 4.0 * beta
        near[j], far[j] = correlations(p1, q1[j], apart, together)


@njit(**_FUSED)
def gauss_row(p: float, q: np.ndarray, p1: float, q1: np.ndarray, m: float, beta: float, near: np.ndarray,
              far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """φ = sin u + cos u or e^{u − E[u²]}: E[φφ] = E[φ'φ'] = e^{−E[(u − v)²]/2}."""
    noalias()
    for j in range(q.size):
        half = -0.5 * (p - q[j]) ** 2 - p * q[j] * near[j]
        covariance[j] = m * exp(half) + beta
        tangent[j] = covariance[j] + m * exp(half) * tangent[j]
        apart = -2.0 * m * exp_less_one(half)
        near[j], far[j] = correlations(p1, q1[j], apart, 4.0 * (m + beta) - apart)


@njit(**_FUSED)
def exp_row(p: float, q: np.ndarray, p1: float, q1: np.ndarray, m: float, beta: float, near: np.ndarray,
            far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """φ = e^u: E[φφ] = E[φ'φ'] = e^{E[(u + v)²]/2} = e^{p² + q²} e^{−E[(u − v)²]/2}."""
    noalias()
    for j in range(q.size):
        value = m * exp(0.5 * (p - q[j]) ** 2 + p * q[j] * far[j])
        covariance[j] = value + beta
        tangent[j] = covariance[j] + value * tangent[j]
        both = exp(p * p + q[j] * q[j])
        larger = select(p >= q[j], p, q[j])
        uneven = exp(larger * larger) * exp_less_one(-math.fabs((p - q[j]) * (p + q[j])))
        apart = m * (uneven * uneven - 2.0 * both * exp_less_one(-0.5 * (p - q[j]) ** 2 - p * q[j] * near[j]))
        near[j], far[j] = correlations(p1, q1[j], apart, p1 * p1 + q1[j] * q1[j] + 2.0 * covariance[j])


@njit(**_FUSED)
def identity_row(p: float, q: np.ndarray, p1: float, q1: np.ndarray, m: float, beta: float, near: np.ndarray,
                 far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """φ(u) = u: E[φφ] = k, E[φ'φ'] = 1."""
    noalias()
    for j in range(q.size):
        product, excess = p * q[j], (p - q[j]) ** 2
        covariance[j] = m * 0.5 * product * (far[j] - near[j]) + beta
        tangent[j] = covariance[j] + m * tangent[j]
        apart, together = m * (excess + 2.0 * product * near[j]), m * (excess + 2.0 * product * far[j])
        near[j], far[j] = correlations(p1, q1[j], apart, together + 4.0 * beta)


@njit(**_FUSED)
def gelu_row(p: float, q: np.ndarray, p1: float, q1: np.ndarray, m: float, beta: float, near: np.ndarray,
             far: np.ndarray, covariance: np.ndarray, tangent: np.ndarray) -> None:
    """φ(u) = u Φ(u): E[φφ] = k/4 + (k Z + (G + k² h)/√D)/2π, E[φ'φ'] its derivative by k.

    D = (1 + a)(1 + b) − k², G = ab − k², sin Z = k/√((1 + a)(1 + b)), h = 1/(1 + a) + 1/(1 + b), a = p², b = q².
    """
    noalias()
    for j in range(q.size):
        a, b, product = p * p, q[j] * q[j], p * q[j]
        k = 0.5 * product * (far[j] - near[j])
        gram = product * product * near[j] * far[j]
        det = 1.0 + a + b + gram
        root, h = math.sqrt(det), 1.0 / (1.0 + a) + 1.0 / (1.0 + b)
        z = arc(k, root)
        value = 0.25 * k + 0.5 * _TURN * (k * z + (gram + k * k * h) / root)
        slope = 0.25 + 0.5 * _TURN * (z + k / root * (2.0 * h - 1.0 + (gram + k * k * h) / det))
        covariance[j] = m * value + beta
        tangent[j] = covariance[j] + m * slope * tangent[j]
        squares, twice = p1 * p1 + q1[j] * q1[j], 2.0 * covariance[j]
        apart = m * gelu_apart(p, q[j], near[j], select(k > 0.0, k, 0.0), gram, root, z)
        near[j], far[j] = correlations(p1, q1[j], select(k > 0.0, apart, squares - twice), squares + twice)


@njit(**INLINED)
def gelu_apart(p: float, q: float, near: float, k: float, gram: float, root: float, z: float) -> float:
    """E[(φ(u) − φ(v))²] of GELU by differences, for k > 0."""
    a, b = p * p, q * q
    gap, other = p * (p - q) + p * q * near, q * (q - p) + p * q * near
    arcs = a * arc_gap(a, k, gap, gram, root) + b * arc_gap(b, k, other, gram, root) + (gap + other) * z
    parts = gelu_part(a, k, gap, other - gap + gram, root) + gelu_part(b, k, other, gap - other + gram, root)
    return 0.25 * (gap + other) + 0.5 * _TURN * (arcs + parts - 2.0 * gram / root)


@njit(**INLINED)
def gelu_part(a: float, k: float, gap: float, rise: float, root: float) -> float:
    """a² of 2/((1 + a)√(1 + 2a)) less k² of 2/((1 + a) √D), for gap = a − k, rise = D − (1 + 2a), root = √D."""
    alpha = math.sqrt(1.0 + 2.0 * a)
    return 2.0 / (1.0 + a) * (a * a * rise / (alpha * root * (root + alpha)) + gap * (a + k) / root)
