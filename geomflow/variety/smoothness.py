"""Is Q = 0 smooth? Linear algebra modulo a prime proves it where it can; else a search for singular points decides.

The proof, in one projective space: ∂_0Q, …, ∂_{N−1}Q of degree e = d − 1 have no common zero exactly where they
generate every monomial of degree N(e − 1) + 1 (Macaulay). A matrix with small integer entries that has full rank modulo
a prime has it over Q.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import sympy
from flint import nmod_mat
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geomflow.core.progress import waiting
from geomflow.variety.ambient import Ambient
from geomflow.variety.errors import SingularError
from geomflow.variety.polynomial import Polynomial
from geomflow.variety.sections import Places, monomials

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface


_STARTS = 400
_SWEEPS = 80


@waiting("proving smoothness")
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
    z = ambient.unit(z)
    for _ in range(_SWEEPS):
        slope, hessian = polynomial.gradient(z)[1], polynomial.hessian(z)
        z = ambient.unit(z + _damped_step(ambient, z, slope, hessian))
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


#: A prime with a square root of −1 (the image of i): p = 1 mod 4.
PRIME = 2_147_483_629
_ROOT = next(r for base in range(2, 100) if (r := pow(base, (PRIME - 1) // 4, PRIME)) ** 2 % PRIME == PRIME - 1)
_LARGEST_BLOCK = 700


def certified_smooth(polynomial: Polynomial, ambient: Ambient) -> bool:
    """True is a proof. False says nothing: singular, or in a product, or too large, or not over Q(i)."""
    found = [residue(c) for c in polynomial.exact]
    residues = [r for r in found if r is not None]
    if len(ambient.dims) > 1 or len(residues) < len(found):
        return False
    degree = int(polynomial.exponents[0].sum())
    if ambient.size * (degree - 2) + 1 > 30:
        return False
    rows, columns, values, count = _matrix(polynomial.exponents, residues, ambient.size, degree)
    return _full_rank(rows, columns, values, count)


def residue(number: sympy.Expr) -> int | None:
    """The image of a number of Q(i) modulo `PRIME`, or None."""
    real, imaginary = number.as_real_imag()
    if not (real.is_Rational and imaginary.is_Rational):
        return None
    if real.q % PRIME == 0 or imaginary.q % PRIME == 0:
        return None
    parts = [int(x.p) * pow(int(x.q), -1, PRIME) for x in (real, imaginary)]
    return (parts[0] + parts[1] * _ROOT) % PRIME


def _matrix(
    exponents: np.ndarray, residues: list[int], size: int, degree: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Rows: monomial times ∂_iQ; columns: monomials of degree N(d − 2) + 1."""
    top = size * (degree - 2) + 1
    targets = Places(monomials(size, top))
    multipliers = monomials(size, top - degree + 1)
    rows, columns, values = [], [], []
    for i in range(size):
        for m, c in zip(exponents, residues):
            if m[i]:
                shifted = multipliers + m - np.eye(size, dtype=np.int64)[i]
                rows.append(np.arange(len(multipliers)) + i * len(multipliers))
                columns.append(targets(shifted))
                values.append(np.full(len(multipliers), c * int(m[i]) % PRIME))
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(values), len(targets.keys)


def _full_rank(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, count: int) -> bool:
    """Whether the columns are independent, block after block of the connected components."""
    height = int(rows.max()) + 1
    graph = coo_matrix((np.ones(len(rows)), (rows, columns + height)), shape=(height + count,) * 2)
    parts, label = connected_components(graph, directed=False)
    heights, widths = (np.bincount(x, minlength=parts) for x in (label[:height], label[height:]))
    if widths.max() > _LARGEST_BLOCK or not heights.all():  # too large, or a column of zeros
        return False
    place = _places(label)
    down, across = place[rows], place[columns + height] - heights[label[rows]]
    order = np.argsort(label[rows], kind="stable")
    bounds = np.searchsorted(label[rows][order], np.arange(parts + 1))
    seen: set[tuple[int, bytes]] = set()
    for part in np.flatnonzero(widths):
        block = order[bounds[part] : bounds[part + 1]]
        dense = np.zeros((heights[part], widths[part]), dtype=np.int64)
        dense[down[block], across[block]] = values[block]
        key = dense.shape[1], dense.tobytes()
        if key not in seen and nmod_mat(*dense.shape, dense.reshape(-1).tolist(), PRIME).rank() < dense.shape[1]:
            return False
        seen.add(key)
    return True


def _places(label: np.ndarray) -> np.ndarray:
    """The number of each node among those with its label."""
    order = np.argsort(label, kind="stable")
    first = np.searchsorted(label[order], label)
    place = np.empty_like(first)
    place[order] = np.arange(len(label))
    return np.asarray(place - first)
