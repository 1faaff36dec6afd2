"""The Laplacian on a space of functions, sector by sector: Rayleigh–Ritz values, and their quotients point by point.

All sums run over the images of the points under the symmetries, which permute the numbers of a sector only: what is
summed is invariant, and controls that are invariant too serve all sectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core.memory import require
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.variety.function_space import Character, FunctionSpace, Sector
from geomflow.variety.lifts import Lifts

#: Of a Gram matrix of functions of norm one, what is dependent.
CUT = 1e-12
_BLOCK = 128
_PARTS = 8
_ROOM = 5e8
_SAME = 1e-9


@final
@dataclass(frozen=True, eq=False)
class RitzValue:
    """A stationary value of ∫|∇f|²/∫|f|² on a sector, and where.

    Parameters
    ----------
    value : float
        λ.
    sector : Sector
        Which.
    number : int
        Its place in the sector.
    vector : (K,) array
        f in terms of the functions of the character.
    gram : (K, K) array
        ∫f̄f' of these.
    """

    value: float
    sector: Sector
    number: int
    vector: np.ndarray
    gram: np.ndarray

    @property
    def key(self) -> tuple[object, ...]:
        """What it has in common with the value of another degree."""
        return (*self.sector.charge.tolist(), self.sector.row, self.number)

    def same(self, other: RitzValue) -> bool:
        """Whether the values differ by rounding only.

        Parameters
        ----------
        other : RitzValue
            Another one.
        """
        return abs(self.value - other.value) <= _SAME * abs(other.value)


def ritz_values(space: FunctionSpace, lifts: Lifts, weights: np.ndarray) -> Iterator[RitzValue]:
    """All Ritz values of −Δ, in no order; `lifts` are orthonormal for the metric, `weights` (P,) of sum one."""
    matrices = dict(zip(map(id, space.characters), _matrices(space, lifts, weights)))
    for sector in space.sectors:
        gram, energy = matrices[id(sector.character)]
        values, vectors = pencil(*(sector.basis.T @ m @ sector.basis for m in (energy, gram)))
        for number, (value, vector) in enumerate(zip(values, vectors.T)):
            yield RitzValue(float(value), sector, number, sector.basis @ vector, gram)


def pencil(energy: np.ndarray, gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, ascending, and vectors U (U† gram U = 1) of a pencil whose dependent directions are cut at `CUT`."""
    scale = 1 / np.sqrt(np.maximum(np.diag(gram).real, np.finfo(float).tiny))
    size, basis = np.linalg.eigh(scale[:, None] * gram * scale)
    kept = size > CUT * size[-1]
    basis = scale[:, None] * basis[:, kept] / np.sqrt(size[kept])
    values, vectors = np.linalg.eigh(basis.conj().T @ energy @ basis)
    return values, basis @ vectors


def _matrices(space: FunctionSpace, lifts: Lifts, weights: np.ndarray) -> list[np.ndarray]:
    """For each character ∫f̄f' and ∫⟨∇f, ∇f'⟩, averaged over the symmetries: (2, K, K)."""
    real = space.symmetry.conjugation
    size = (8 if real else 16) * 2 * sum(c.count**2 for c in space.characters)
    parts = int(np.clip(_ROOM // size, 1, _PARTS))
    require(size * (parts + 2), f"the matrices of {space.count:,} functions in {len(space.sectors)} sectors",
            "take a lower degree")
    exponents = space.sections.exponents

    def work(part: slice) -> list[np.ndarray]:
        total = [np.zeros((2, c.count, c.count), float if real else complex) for c in space.characters]
        for block in slices(part.stop - part.start, _BLOCK):
            here = slice(part.start + block.start, part.start + block.stop)
            jets = lifts[here].sections(exponents)
            for character, out in zip(space.characters, total):
                for moved in images(space, character, jets):
                    _add(out, character.functions(moved), weights[here] / len(character.images), real)
        return total

    with one_thread_products():
        found = each(work, slices(len(lifts), -(-len(lifts) // parts)))
        return [_averaged(space, c, sum(m)) for c, m in zip(space.characters, zip(*found))]


def images(space: FunctionSpace, character: Character, jets: np.ndarray) -> Iterator[np.ndarray]:
    """The jets of the sections at the images of the points, (1 + n, M, P) each."""
    for g in character.images:
        action = space.moved[g].T
        yield np.stack([action @ row for row in jets])


def _add(out: np.ndarray, functions: np.ndarray, weights: np.ndarray, real: bool) -> None:
    """Add Σ w f̄ f' and Σ w ⟨∇f, ∇f'⟩, or their real parts."""
    for place, f in enumerate(functions):
        if real:
            rows = f.view(float)
            out[min(place, 1)] += (rows * np.repeat(weights, 2)) @ rows.T
        else:
            out[min(place, 1)] += (f.conj() * weights) @ f.T


def _averaged(space: FunctionSpace, character: Character, matrices: np.ndarray) -> np.ndarray:
    """T† m T averaged over the stabiliser."""
    if len(character.stabiliser) == 1:
        return matrices
    total = np.zeros_like(matrices)
    for g in character.stabiliser:
        action = character.action(space.moved[g])
        for out, m in zip(total, matrices):
            out += (action.T @ (action.T.conj() @ m).T).T
    return total / len(character.stabiliser)


def partners(space: FunctionSpace, found: RitzValue) -> np.ndarray:
    """An orthonormal basis of what the stabiliser makes of an eigenfunction, (K, m)."""
    character = found.sector.character
    every = np.stack([character.action(space.moved[g]) @ found.vector for g in character.stabiliser], axis=1)
    size, basis = np.linalg.eigh(every.conj().T @ found.gram @ every)
    kept = size > 1e-6 * size[-1]
    result: np.ndarray = every @ basis[:, kept] / np.sqrt(size[kept])
    return result


def quotients(
    space: FunctionSpace, character: Character, vectors: list[np.ndarray], lifts: Lifts
) -> np.ndarray:
    """|f|², |∇f|² and −Re f̄Δf at the points, averaged over symmetries, for multiplets of one character: (3, j, P).

    Parameters
    ----------
    space : FunctionSpace
        The space.
    character : Character
        The character.
    vectors : list of (K, m) array
        Orthonormal partners, a multiplet each.
    lifts : Lifts
        Orthonormal for the metric.
    """
    out = np.empty((3, len(vectors), len(lifts)))
    ends = np.cumsum([0] + [v.shape[1] for v in vectors])[:-1]
    scale = len(character.images) * np.array([v.shape[1] for v in vectors])[:, None]
    every = np.concatenate(vectors, axis=1)

    def work(block: slice) -> None:
        part = lifts[block]
        jets = part.sections(space.sections.exponents)
        trace = np.trace(part.polarisation(space.degrees), axis1=1, axis2=2).real
        total = np.zeros((3, every.shape[1], len(part)))
        for moved in images(space, character, jets):
            f = every.T @ character.functions(moved)
            left, right = moved[1:, character.left], moved[1:, character.right]
            bent = every.T @ np.sum(left * right.conj(), axis=0) - trace * f[0]
            total += np.abs(f[0]) ** 2, np.sum(np.abs(f[1:]) ** 2, axis=0), -2 * (f[0].conj() * bent).real
        out[:, :, block] = np.add.reduceat(total, ends, axis=1) / scale

    with one_thread_products():
        each(work, slices(len(lifts), _BLOCK))
    return out
