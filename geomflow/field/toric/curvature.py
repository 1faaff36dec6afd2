"""Curvature of toric metrics at places, exact up to the boundary: derivatives of u^ij by jets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.field.toric.jets import Jet
from geomflow.field.toric.polynomials import indices_to
from geomflow.field.toric.regular import Regular
from geomflow.symbolic.toric import Polygon


@final
@dataclass(frozen=True)
class Curvature:
    """What the curvature is at places.

    Parameters
    ----------
    scalar : (M,) array
        R = −2 ∂_i∂_j u^ij.
    ricci : (M, 2, 2) array
        R_{ij̄} = −u^ik ∂_k∂_l u^jl in the coordinates log z.
    riemann : (M,) array
        |Rm|, of which the square is 4 ∂_k∂_l u^ij ∂_i∂_j u^kl.
    """

    scalar: np.ndarray
    ricci: np.ndarray
    riemann: np.ndarray


def curvature_at(polygon: Polygon, points: np.ndarray, h: np.ndarray) -> Curvature:
    """The curvature of u = Σ l_a log l_a + h.

    Parameters
    ----------
    polygon : Polygon
        With the l_a.
    points : (M, 2) array
        Places.
    h : (15, M) array
        h and its derivatives up to the fourth there, as `indices_to` lists them.
    """
    order = indices_to(4)
    second = [Jet(np.stack([h[order.index((i + k, j + m))] for k, m in indices_to(2)]))
              for i, j in ((2, 0), (1, 1), (0, 2))]
    _, (a, b, c) = Regular.jets_at(polygon, points).inverse((second[0], second[1], second[2]))
    inverse = np.array([[a.parts, b.parts], [b.parts, c.parts]])
    # hessian[i, j, k, l] = ∂_k∂_l u^ij
    hessian = np.array([[inverse[:, :, 3], inverse[:, :, 4]], [inverse[:, :, 4], inverse[:, :, 5]]])
    hessian = np.moveaxis(hessian, (0, 1), (2, 3))
    ricci = -np.einsum("ikm,jlklm->mij", inverse[:, :, 0], hessian)
    square = np.einsum("ijklm,klijm->m", hessian, hessian)
    return Curvature(-2 * np.einsum("ijijm->m", hessian), ricci, 2 * np.sqrt(np.maximum(square, 0.0)))
