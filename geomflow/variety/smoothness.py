"""Is Q = 0 smooth? Linear algebra modulo a prime proves it where it can; else a search for singular points decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geomflow.variety.errors import SingularError
from geomflow.variety.macaulay import certified_smooth

if TYPE_CHECKING:
    from geomflow.variety.ambient import Ambient
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.polynomial import Polynomial

_STARTS = 400
_SWEEPS = 80


def require_smooth(variety: Hypersurface) -> None:
    """Raise `SingularError`, naming a singular point, where Q and ∂Q vanish together.

    A proof of smoothness (`certified_smooth`) is tried first; where it is out of reach, 400 damped Newton searches for
    a zero of ∂Q are started from random points, and none converging is taken as smoothness.
    """
    if certified_smooth(variety.polynomial, variety.ambient):
        return
    found = singular_points(variety)
    if len(found):
        names = ":".join(variety.names)
        shown = "; ".join(describe(point) for point in found[:3])
        raise SingularError(
            f"{variety} is singular: Q and all its derivatives vanish at ({names}) = {shown}"
            f"{f' and at least {len(found) - 3} more points' if len(found) > 3 else ''}; change the coefficients"
        )


def singular_points(variety: Hypersurface, starts: int = _STARTS) -> np.ndarray:
    """Distinct points (m, N) with Q = ∂Q = 0 that a multi-start search finds; deterministic.

    The search is for y = z/s, in which the coefficients are of one size: else ∂Q is small far from its zeros.
    """
    ambient, polynomial = variety.ambient, variety.polynomial.scaled(variety.scales)
    rng = np.random.default_rng(20)
    z = rng.standard_normal((starts, ambient.size)) + 1j * rng.standard_normal((starts, ambient.size))
    z = _unit(ambient, z)
    for _ in range(_SWEEPS):
        slope, hessian = polynomial.gradient(z)[1], polynomial.hessian(z)
        z = _unit(ambient, z + _damped_step(ambient, z, slope, hessian))
    slope = np.linalg.norm(polynomial.gradient(z)[1], axis=1) / np.linalg.norm(polynomial.coefficients)
    return _patched(ambient, variety.scales * _distinct(polynomial, ambient, z[slope < 1e-9]))


def _damped_step(ambient: Ambient, z: np.ndarray, slope: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """The Levenberg–Marquardt step for ∂Q = 0, orthogonal to the scalings."""
    size = z.shape[1]
    gauge = np.zeros((len(z), len(ambient.dims), size), complex)
    for f, block in enumerate(ambient.blocks):
        gauge[:, f, block] = z[:, block].conj()
    system = np.concatenate([hessian, gauge], axis=1)
    adjoint = np.swapaxes(system.conj(), 1, 2)
    damping = 1e-3 * np.sum(np.abs(slope) ** 2, axis=1)[:, None, None] + 1e-14
    right = adjoint[:, :, :size] @ slope[:, :, None]
    return -np.linalg.solve(adjoint @ system + damping * np.eye(size), right)[:, :, 0]


def _unit(ambient: Ambient, z: np.ndarray) -> np.ndarray:
    z = z.copy()
    for block in ambient.blocks:
        z[:, block] /= np.linalg.norm(z[:, block], axis=1, keepdims=True)
    return z


def _distinct(polynomial: Polynomial, ambient: Ambient, z: np.ndarray) -> np.ndarray:
    """One representative of each point, the largest coordinate of each factor scaled to one."""
    z = z.copy()
    slope = np.linalg.norm(polynomial.gradient(z)[1], axis=1)
    snapped = np.where(np.abs(z) < 0.02, 0, z)  # degenerate singularities are only reached slowly
    better = np.linalg.norm(polynomial.gradient(snapped)[1], axis=1) <= slope
    z[better] = snapped[better]
    z = _patched(ambient, z)
    keys = np.round(np.concatenate([z.real, z.imag], axis=1), 5) + 0.0
    _, index = np.unique(keys, axis=0, return_index=True)
    return z[np.sort(index)]


def _patched(ambient: Ambient, z: np.ndarray) -> np.ndarray:
    """The largest coordinate of each factor, or the first of several that are as large, scaled to one."""
    z = z.copy()
    for block in ambient.blocks:
        size = np.abs(z[:, block])
        first = np.argmax(size > 0.99 * size.max(axis=1, keepdims=True), axis=1)
        z[:, block] /= z[:, block][np.arange(len(z)), first][:, None]
    return z


def describe(point: np.ndarray) -> str:
    """A point for people, roots of unity by name: (1 : e^(2πi·1/5) : 0)."""
    return "(" + " : ".join(_number(complex(x)) for x in point) + ")"


def _number(x: complex) -> str:
    if abs(x) < 1e-7:
        return "0"
    turn = np.angle(x) / (2 * np.pi)
    for order in range(1, 13):
        if abs(abs(x) - 1) < 1e-7 and abs(turn * order - round(turn * order)) < 1e-6:
            step = round(turn * order) % order
            return {0: "1"}.get(step, "-1" if 2 * step == order else f"e^(2πi·{step}/{order})")
    return f"{x.real:.4g}" if abs(x.imag) < 1e-7 else f"{x.real:.4g}{x.imag:+.4g}i"
