"""A proof that a hypersurface of one projective space is smooth, by linear algebra modulo a prime.

∂_0Q, …, ∂_{N−1}Q of degree e = d − 1 have no common zero exactly where they generate every monomial of degree
N(e − 1) + 1 (Macaulay). A matrix with small integer entries that has full rank modulo a prime has it over Q: a proof.
"""

from __future__ import annotations

import numpy as np
import sympy
from flint import nmod_mat
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geomflow.variety.ambient import Ambient
from geomflow.variety.monomials import Places, monomials
from geomflow.variety.polynomial import Polynomial

#: A prime with a square root of −1 (the image of i): p = 1 mod 4.
PRIME = 2_147_483_629
_LARGEST_BLOCK = 700


def certified_smooth(polynomial: Polynomial, ambient: Ambient) -> bool:
    """True is a proof. False says nothing: singular, or in a product, or too large, or not over Q(i)."""
    residues = [residue(c) for c in polynomial.exact]
    if len(ambient.dims) > 1 or any(r is None for r in residues):
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


def _square_root_of_minus_one() -> int:
    for base in range(2, 100):
        root = pow(base, (PRIME - 1) // 4, PRIME)
        if root * root % PRIME == PRIME - 1:
            return root
    raise AssertionError("the prime is not 1 modulo 4")


_ROOT = _square_root_of_minus_one()


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
    if np.bincount(label[height:], minlength=parts).max() > _LARGEST_BLOCK:
        return False
    order = np.argsort(label[rows], kind="stable")
    bounds = np.searchsorted(label[rows][order], np.arange(parts + 1))
    seen: set[bytes] = set()
    for part in range(parts):
        block = order[bounds[part] : bounds[part + 1]]
        width = int(np.count_nonzero(label[height:] == part))
        if width == 0:
            continue
        local_rows, local_columns = (np.unique(x[block], return_inverse=True) for x in (rows, columns))
        dense = np.zeros((len(local_rows[0]), width), dtype=np.int64)
        if len(local_columns[0]) < width:
            return False
        dense[local_rows[1], local_columns[1]] = values[block]
        key = dense.tobytes()
        if key not in seen and nmod_mat(*dense.shape, dense.reshape(-1).tolist(), PRIME).rank() < width:
            return False
        seen.add(key)
    return True
