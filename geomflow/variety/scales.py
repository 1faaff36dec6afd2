"""Coordinates z = s·y in which a polynomial's coefficients are of one size, and the density of lines in both."""

from __future__ import annotations

from math import lgamma
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from geomflow.core.errors import InputError

if TYPE_CHECKING:
    from geomflow.variety.ambient import Ambient
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.polynomial import Polynomial

#: How many decimal digits the largest terms of a polynomial may be apart on a sphere.
_DIGITS = 12


def even_scales(polynomial: Polynomial, ambient: Ambient) -> np.ndarray:
    """The powers of two s_i, (N,), nearest to those of least |Q(s·y)|² / Π s_i²: all one where none is better.

    |Q|² = Σ_e |c_e|² Π e_i! is the norm that rotations keep, up to a factor the mean of |Q|² over spheres. Its
    logarithm is convex in log s, and has a minimum where the variety is smooth, since Q is stable then (Kempf–Ness).
    """
    exponents = polynomial.exponents
    if not np.all(np.isfinite(polynomial.coefficients)):
        return np.ones(exponents.shape[1])
    with np.errstate(divide="ignore"):
        size = 2 * np.log(np.abs(polynomial.coefficients))
    size += np.sum([[lgamma(e + 1) for e in row] for row in exponents.tolist()], axis=1)

    def norm(logs: np.ndarray) -> tuple[float, np.ndarray]:
        terms = size + 2 * exponents @ logs
        top = terms.max()
        share = np.exp(terms - top)
        return top + np.log(share.sum()) - 2 * logs.sum(), 2 * (exponents.T @ share / share.sum() - 1)

    found = minimize(norm, np.zeros(exponents.shape[1]), jac=True, method="BFGS")
    if not found.success:
        return np.ones(exponents.shape[1])
    centred = np.concatenate([found.x[block] - found.x[block].mean() for block in ambient.blocks])
    result: np.ndarray = np.exp2(np.round(centred / np.log(2)))
    return result


def require_resolved(variety: Hypersurface) -> None:
    """Raise `InputError` where terms of Q differ by more than the points of a line in z can be told apart with.

    d roots that ε^{1/d} separates are known to 1e-16/ε^{1 − 1/d} in a double: less than their distance for ε > 1e-12.
    """
    spread = np.log10(variety.scales.max() / variety.scales.min()) * max(variety.degree)
    if not (spread < _DIGITS and np.all(np.isfinite(variety.polynomial.coefficients))):
        raise InputError(
            f"the coefficients of the {variety} are {spread:.0f} decimal digits apart, or beyond double precision, and "
            f"points can be told apart up to {_DIGITS}: substitute multiples of the coordinates that bring them closer"
        )


def line_density(variety: Hypersurface, z: np.ndarray, slope_norm: np.ndarray) -> np.ndarray:
    """Points of a sample per |Ω|², times the Fubini–Study volume, at z (P, N) with |∂Q|² at unit norm (P,).

    Lines in z give |∂Q|²; lines in y = z/s give the same of Q'(y) = Q(s·y) over Π s_i², since Ω = Π s_i · Ω'. Where
    the scales are not all one half of the lines are of either kind, and the density is the mean of both.
    """
    scale, ambient = variety.scales, variety.ambient
    if np.all(scale == 1):
        return slope_norm
    y, slope = z / scale, variety.polynomial.gradient(z)[1] * scale
    norms, slopes = ambient.norms(y), ambient.norms(slope)
    other = np.sum(norms * slopes, axis=1) / np.prod(norms ** np.array(variety.degree), axis=1)
    result: np.ndarray = (slope_norm + other / np.prod(scale) ** 2) / 2
    return result
