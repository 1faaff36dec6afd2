"""One hidden layer of infinite width, in closed form: rows of pairs (u, v) of centred Gaussian variables.

A pair is given by the deviations p, q of u, v and by near = 1 − c, far = 1 + c of their correlation c. A layer maps it
to that of the next: with φ the activation, m = σ_w² and β = σ_b²,

    K' = m E[φ(u) φ(v)] + β,        Θ' = K' + m E[φ'(u) φ'(v)] Θ,

and 1 ∓ c' from E[(φ(u) ∓ φ(v))²], each formed without cancellation. Every row routine takes (p, q, p1, q1, m, β) and
updates (near, far, covariance, tangent) in place, where p1, q1 are the deviations in the next layer.
ReLU: Cho and Saul (2009); erf: Williams (1997); GELU: Tsuchida, Pearce, van der Heide, Roosta and Gallagher (2021).
"""

from __future__ import annotations

import math

from numba import njit

from geomflow.codegen.mathematics import noalias, select
from geomflow.kernels.network_angles import (
    INLINED,
    angle_series,
    arc,
    arc_gap,
    correlations,
    exp,
    exp_less_one,
    segment_series,
)

_FUSED = {"cache": True, "forceinline": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
_TURN = 1.0 / math.pi


@njit(**_FUSED)
def relu_row(p, q, p1, q1, m, beta, near, far, covariance, tangent):
    """φ = max(u, 0): E[φφ] = pq (sin θ + (π − θ) cos θ)/2π, E[φ'φ'] = (π − θ)/2π, cos θ = c."""
    noalias()
    half = 0.5 * m
    for j in range(q.size):
        positive = near[j] <= far[j]
        v = select(positive, near[j], far[j])
        chord = math.sqrt(2.0 * v)
        turn = _TURN * chord * angle_series(v)
        segment = _TURN * chord * v * segment_series(v)
        step = select(positive, 1.0 - turn, turn)
        value = select(positive, 1.0 - v, 0.0) + segment
        rest = select(positive, v, 1.0) - segment
        product, after = half * p * q[j], p1 * q1[j]
        lifted = half * beta * (p - q[j]) ** 2 / select(after > 0.0, after + product + beta, 1.0)
        near[j] = (product * rest + lifted) / select(after > 0.0, after, 1.0)
        far[j] = 2.0 - near[j]
        covariance[j] = product * value + beta
        tangent[j] = covariance[j] + half * step * tangent[j]


@njit(**_FUSED)
def erf_row(p, q, p1, q1, m, beta, near, far, covariance, tangent):
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
def wave_parts(p, q, near, far):
    """exp and exp − 1 of −E[(u − v)²]/2 and of −E[(u + v)²]/2, and (e^{−p²} − e^{−q²})²/2."""
    excess, product = 0.5 * (p - q) ** 2, p * q
    less, more = -excess - product * near, -excess - product * far
    uneven = 0.5 * (exp(-p * p) - exp(-q * q)) ** 2
    return exp(less), exp(more), exp_less_one(less), exp_less_one(more), uneven


@njit(**INLINED)
def wave_difference(p, q, near, far):
    """(e^{−E[(u − v)²]/2} − e^{−E[(u + v)²]/2})/2 = e^{−(p² + q²)/2} sinh k, exact for small k."""
    positive, product = near <= far, p * q
    v, twice = select(positive, near, far), select(positive, near - far, far - near)
    size = -0.5 * exp(-0.5 * (p - q) ** 2 - product * v) * exp_less_one(product * twice)
    return select(positive, size, -size)


@njit(**_FUSED)
def cos_row(p, q, p1, q1, m, beta, near, far, covariance, tangent):
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
def sin_row(p, q, p1, q1, m, beta, near, far, covariance, tangent):
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
def identity_row(p, q, p1, q1, m, beta, near, far, covariance, tangent):
    """φ(u) = u: E[φφ] = k, E[φ'φ'] = 1."""
    noalias()
    for j in range(q.size):
        product, excess = p * q[j], (p - q[j]) ** 2
        covariance[j] = m * 0.5 * product * (far[j] - near[j]) + beta
        tangent[j] = covariance[j] + m * tangent[j]
        apart, together = m * (excess + 2.0 * product * near[j]), m * (excess + 2.0 * product * far[j])
        near[j], far[j] = correlations(p1, q1[j], apart, together + 4.0 * beta)


@njit(**_FUSED)
def gelu_row(p, q, p1, q1, m, beta, near, far, covariance, tangent):
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
def gelu_apart(p, q, near, k, gram, root, z):
    """E[(φ(u) − φ(v))²] of GELU by differences, for k > 0."""
    a, b = p * p, q * q
    gap, other = p * (p - q) + p * q * near, q * (q - p) + p * q * near
    arcs = a * arc_gap(a, k, gap, gram, root) + b * arc_gap(b, k, other, gram, root) + (gap + other) * z
    parts = gelu_part(a, k, gap, other - gap + gram, root) + gelu_part(b, k, other, gap - other + gram, root)
    return 0.25 * (gap + other) + 0.5 * _TURN * (arcs + parts - 2.0 * gram / root)


@njit(**INLINED)
def gelu_part(a, k, gap, rise, root):
    """a² of 2/((1 + a)√(1 + 2a)) less k² of 2/((1 + a) √D), for gap = a − k, rise = D − (1 + 2a), root = √D."""
    alpha = math.sqrt(1.0 + 2.0 * a)
    return 2.0 / (1.0 + a) * (a * a * rise / (alpha * root * (root + alpha)) + gap * (a + k) / root)


ROWS = {"relu": relu_row, "erf": erf_row, "cos": cos_row, "sin": sin_row, "gelu": gelu_row, "identity": identity_row}
