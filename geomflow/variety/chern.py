"""Chern forms of a metric, Euler numbers and intersection numbers, integrated over points.

c(Θ) = det(1 + iΘ/2π) with Θ^c_d = R^c_{dab̄} dx^a∧dx̄^b. The top-degree part of det(iΘ/2π + τ ω/2π·1) has
coefficients τ^{n−k} c_k ∧ (ω/2π)^{n−k}, so n + 1 values of τ give every Chern form against powers of ω at once.
"""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.threads import each, slices
from geomflow.variety.estimate import Estimate, mean
from geomflow.variety.metric import FubiniStudy, PolarisedMetric

if TYPE_CHECKING:
    from geomflow.variety.points import Points


def chern_densities(metric: PolarisedMetric, points: Points) -> np.ndarray:
    """Column k: c_k ∧ H^{n−k} as a density in d^{2n}x, with H = (i/2π) Σ ∂∂̄ log|z_i|²; shape (P, n + 1).

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric in a class.
    points : Points
        Where; arrays are in their local coordinates, P of them.
    """
    return np.concatenate(each(lambda s: _densities(metric, points[s]), slices(len(points), 1024)))


def _densities(metric: PolarisedMetric, points: Points) -> np.ndarray:
    n = points.variety.dim
    theta = metric.curvature(points).endomorphism
    hyperplane = FubiniStudy(points.variety).at(points)
    unit = np.einsum("cd,pab->pcdab", np.eye(n), hyperplane)
    nodes = np.cos(np.pi * (np.arange(n + 1) + 0.5) / (n + 1))
    scale = np.max(np.abs(theta), axis=(1, 2, 3, 4), keepdims=True) / np.max(
        np.abs(unit), axis=(1, 2, 3, 4), keepdims=True
    )
    values = np.stack([_top_determinant(theta + t * scale * unit) for t in nodes], axis=1)
    coefficients = values @ np.linalg.inv(np.vander(nodes, increasing=True)).T
    result: np.ndarray = coefficients[:, ::-1] / scale.reshape(-1, 1) ** np.arange(n, -1, -1) / np.pi**n
    return result


def _top_determinant(theta: np.ndarray) -> np.ndarray:
    """The coefficient of Π dx^a∧dx̄^a in det Θ: Σ over three permutations of signs times Π_c Θ[c, π(c), α(c), β(c)]."""
    n = theta.shape[1]
    total = np.zeros(len(theta))
    for (pi, s), (alpha, t), (beta, u) in product(_signed(n), repeat=3):
        total += s * t * u * np.prod([theta[:, c, pi[c], alpha[c], beta[c]] for c in range(n)], axis=0).real
    return total


def _signed(n: int) -> list[tuple[tuple[int, ...], int]]:
    """Every permutation of n things, with its sign."""
    return [(p, round(np.linalg.det(np.eye(n)[list(p)]))) for p in permutations(range(n))]


def integral(density: np.ndarray, points: Points) -> Estimate:
    """∫ f d^{2n}x of a density in the points' local coordinates, with its Monte-Carlo error."""
    return mean(density / points.density, points.line)


def euler_number(metric: PolarisedMetric, points: Points) -> Estimate:
    """χ = ∫ c_n of any Kähler metric.

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric in a class.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    """
    return integral(chern_densities(metric, points)[:, -1], points)


def chern_number(metric: PolarisedMetric, points: Points, k: int) -> Estimate:
    """∫ c_k ∧ H^{n−k}, H the sum of the hyperplane classes: 50 for k = 2 on a quintic, 0 for k = 1.

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric in a class.
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    k : int
        From 0 to n.
    """
    if not 0 <= k <= points.variety.dim:
        raise InputError(f"c_{k} on a {points.variety.dim}-fold; take k from 0 to {points.variety.dim}")
    return integral(chern_densities(metric, points)[:, k], points)


def intersection_number(points: Points, *classes: int) -> Estimate:
    """∫ H_{c_1} ∧ … ∧ H_{c_n} from Fubini–Study forms, to compare with the exact `variety.intersection`.

    Parameters
    ----------
    points : Points
        Where it is measured, with the weights of dμ_Ω.
    *classes : int
        Numbers of factors, n of them; 0 unless given.
    """
    n = points.variety.dim
    classes = classes or (0,) * n
    if len(classes) != n:
        raise InputError(f"{len(classes)} classes on a {n}-fold; give {n}")
    forms = [_hyperplane(points, c) for c in classes]
    total = np.zeros(len(points))
    for (alpha, s), (beta, t) in product(_signed(n), repeat=2):
        total += s * t * np.prod([f[:, alpha[c], beta[c]] for c, f in enumerate(forms)], axis=0).real
    return integral(total / np.pi**n, points)


def _hyperplane(points: Points, factor: int) -> np.ndarray:
    count = len(points.variety.ambient.dims)
    if not 0 <= factor < count:
        raise InputError(f"the hyperplane class H_{factor} does not exist on {points.variety.ambient}")
    both = [FubiniStudy(points.variety, [1.0 + (i == factor) for i in range(count)]), FubiniStudy(points.variety)]
    result: np.ndarray = both[0].at(points) - both[1].at(points)
    return result
