"""Functions g(S) of a kernel's matrix on points, S = √w Θ √w, of columns: by its spectrum, Cholesky or Lanczos."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any, final

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh, eigh_tridiagonal

from geomflow.core.errors import GeomflowError
from geomflow.core.memory import available, require
from geomflow.core.progress import waiting
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.motions import Function, Learned
from geomflow.kernels.spectrum import lanczos

#: Up to this many points the whole spectrum is found.
DENSE = 3000
#: Relative change over `_EVERY` steps at which Lanczos ends, and the most steps that it takes.
TOLERANCE, MOST_STEPS, _EVERY = 1e-11, 600, 10


class LanczosError(GeomflowError, ArithmeticError):
    """A function of a matrix that Lanczos does not find."""


class Filter(ABC):
    """The matrix S on p points, and functions of it."""

    @abstractmethod
    def apply(self, function: Function, columns: np.ndarray) -> np.ndarray:
        """g(S) v for columns v (p, c)."""

    @abstractmethod
    def rates(self, count: int | None) -> np.ndarray:
        """The largest eigenvalues of S, largest first; all of them unless counted."""

    @abstractmethod
    def unlearned(self) -> int:
        """How many modes have the rate zero to rounding, of points that weigh something."""

    @abstractmethod
    def left(self, columns: np.ndarray, learned: np.ndarray) -> tuple[float, int | None]:
        """The share of the length of columns in those modes, where `learned` is what `FOR_EVER` makes of them.

        And how many those modes are, where the spectrum is known.
        """


def filter_of(kernel: Kernel, x: Any, roots: np.ndarray) -> Filter:
    """The whole spectrum for up to `DENSE` points, Lanczos for more; either for what is not the limit of all times."""
    kind = SpectralFilter if len(roots) <= DENSE else LanczosFilter
    return Inverse(kind(kernel, x, roots))


@final
@dataclass(frozen=True, eq=False)
class Inverse(Filter):
    """The limit t → ∞ by Cholesky of S + ρ, where that exists to rounding and fits into memory; all else by another."""

    other: SpectralFilter | LanczosFilter

    def apply(self, function: Function, columns: np.ndarray) -> np.ndarray:
        """(S + ρ)⁻¹ v, or g(S) v."""
        if not (isinstance(function, Learned) and function.time == inf) or "spectrum" in vars(self.other):
            return self.other.apply(function, columns)
        factor = self._factor(function.ridge)
        return self.other.apply(function, columns) if factor is None else np.asarray(cho_solve(factor, columns))

    def rates(self, count: int | None) -> np.ndarray:
        """Those of the other."""
        return self.other.rates(count)

    def unlearned(self) -> int:
        """None where there is a factor."""
        return self.other.unlearned() if self._singular else 0

    def left(self, columns: np.ndarray, learned: np.ndarray) -> tuple[float, int | None]:
        """None where there is a factor."""
        return self.other.left(columns, learned) if self._singular else (0.0, 0)

    @property
    def _singular(self) -> bool:
        return "spectrum" in vars(self.other) or self._factor(0.0) is None

    @cached_property
    def _kept(self) -> dict[float, tuple[np.ndarray, bool] | None]:
        return {}

    def _factor(self, ridge: float) -> tuple[np.ndarray, bool] | None:
        if ridge not in self._kept:
            self._kept[ridge] = self._factored(ridge)
        return self._kept[ridge]

    def _factored(self, ridge: float) -> tuple[np.ndarray, bool] | None:
        """The lower factor; none where rounding may have made one of a singular matrix."""
        size, roots = len(self.other.roots), self.other.roots
        if 8.0 * size**2 > available() / 4:
            return None
        with waiting(f"Cholesky of a kernel on {size:,} points"):
            matrix = self.other.kernel.matrix(self.other.x)
            matrix *= roots
            matrix *= roots[:, None]
            matrix[np.diag_indices(size)] += ridge
            largest = matrix.diagonal().max()
            try:
                factor = cho_factor(matrix.T, lower=True, overwrite_a=True, check_finite=False)  # in place
            except np.linalg.LinAlgError:
                return None
        least = np.abs(factor[0].diagonal()).min() ** 2
        return factor if least > 100 * size * np.finfo(float).eps * largest else None


@final
@dataclass(frozen=True, eq=False)
class SpectralFilter(Filter):
    """By all eigenvalues and eigenvectors."""

    kernel: Kernel
    x: Any
    roots: np.ndarray

    @cached_property
    def spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues, those below rounding set to zero, and eigenvectors as columns."""
        size = len(self.roots)
        require(24.0 * size**2, f"the spectrum of the kernel on {size:,} points")
        with waiting(f"the spectrum of a kernel on {size:,} points"):
            rates, vectors = eigh(self.kernel.matrix(self.x) * self.roots * self.roots[:, None], check_finite=False)
        return np.where(rates > rates[-1] * size * np.finfo(float).eps, rates, 0.0), vectors

    def apply(self, function: Function, columns: np.ndarray) -> np.ndarray:
        """Q g(Λ) Qᵀ v."""
        rates, vectors = self.spectrum
        result: np.ndarray = vectors @ (function.gains(rates)[:, None] * (vectors.T @ columns))
        return result

    def rates(self, count: int | None) -> np.ndarray:
        """The eigenvalues."""
        return self.spectrum[0][::-1][:count]

    def unlearned(self) -> int:
        """Zeros of the spectrum, but those of weights."""
        return int(np.sum(self.spectrum[0] == 0) - np.sum(self.roots == 0))

    def left(self, columns: np.ndarray, learned: np.ndarray) -> tuple[float, int | None]:
        """The share along their eigenvectors."""
        rates, vectors = self.spectrum
        return _ratio(vectors[:, rates == 0].T @ columns, columns), self.unlearned()


@final
@dataclass(frozen=True, eq=False)
class LanczosFilter(Filter):
    """By Lanczos with full orthogonalisation: |v| V g(T) e₁, every column at the same time.

    Raises LanczosError where `MOST_STEPS` steps do not bring two iterates within `TOLERANCE` of each other.
    """

    kernel: Kernel
    x: Any
    roots: np.ndarray

    @cached_property
    def _matrix(self) -> np.ndarray | None:
        return self.kernel.matrix(self.x) if 8.0 * len(self.roots) ** 2 < available() / 4 else None

    def _product(self, columns: np.ndarray) -> np.ndarray:
        scaled, matrix = columns * self.roots[:, None], self._matrix
        product = self.kernel.apply(self.x, None, scaled) if matrix is None else matrix @ scaled
        return np.asarray(product * self.roots[:, None])

    def rates(self, count: int | None) -> np.ndarray:
        """The largest eigenvalues by Lanczos; six unless counted."""
        wanted = min(count or 6, len(self.roots) - 1)
        return lanczos(lambda v: self._product(v[:, None])[:, 0], len(self.roots), wanted, "LA", 1e-10)[::-1]

    def unlearned(self) -> int:
        """By the whole spectrum."""
        return SpectralFilter(self.kernel, self.x, self.roots).unlearned()

    def left(self, columns: np.ndarray, learned: np.ndarray) -> tuple[float, int | None]:
        """What S times the learned lacks."""
        return _ratio(columns - self._product(learned), columns), None

    def apply(self, function: Function, columns: np.ndarray) -> np.ndarray:
        """The iterates of all columns, until none changes any more."""
        norms = np.linalg.norm(columns, axis=0)
        basis = [columns / np.where(norms > 0, norms, 1.0)]
        diagonal: list[np.ndarray] = []
        beside: list[np.ndarray] = []
        before = np.full_like(columns, np.inf)
        with waiting(f"a function of a kernel on {len(columns):,} points"):
            for step in range(1, min(MOST_STEPS, len(columns)) + 1):
                if step % 50 == 1:
                    require(8.0 * columns.size * 50, "fifty more vectors of Lanczos", "take fewer points or columns")
                self._extend(basis, diagonal, beside)
                if step % _EVERY == 0 or not (beside[-1] > 0).any():
                    now = norms * _combined(function, basis, diagonal, beside)
                    change, size = np.linalg.norm(now - before, axis=0), np.linalg.norm(now, axis=0)
                    if (change <= TOLERANCE * size).all() or not (beside[-1] > 0).any():
                        return now
                    before = now
        if len(columns) <= MOST_STEPS:
            return norms * _combined(function, basis, diagonal, beside)
        worst = float(np.max(change / np.where(size > 0, size, 1.0)))
        raise LanczosError(f"{MOST_STEPS} steps of Lanczos on {len(columns):,} points leave a relative change of "
                               f"{worst:.1e}: take a finite time, an earlier one, or a ridge.")

    def _extend(self, basis: list[np.ndarray], diagonal: list[np.ndarray], beside: list[np.ndarray]) -> None:
        """One more vector of each column's basis; zero where it is complete."""
        last = basis[-1]
        new = self._product(last)
        scale = np.linalg.norm(new, axis=0)
        diagonal.append(np.einsum("pc,pc->c", last, new))
        for _ in range(2):
            for vector in basis:
                new = new - vector * np.einsum("pc,pc->c", vector, new)
        length = np.linalg.norm(new, axis=0)
        length = np.where(length > 1e-14 * scale, length, 0.0)
        beside.append(length)
        basis.append(new / np.where(length > 0, length, np.inf))


def _combined(function: Function, basis: list[np.ndarray], diagonal: list[np.ndarray],
              beside: list[np.ndarray]) -> np.ndarray:
    """V g(T) e₁ for every column, (p, c)."""
    d, e = np.array(diagonal), np.array(beside[:-1]).reshape(-1, len(diagonal[0]))
    weights = np.empty_like(d)
    for c in range(d.shape[1]):
        rates, vectors = eigh_tridiagonal(d[:, c], e[:, c])
        rates = np.where(rates > max(rates[-1], 0.0) * len(basis[0]) * np.finfo(float).eps, rates, 0.0)
        weights[:, c] = vectors @ (function.gains(rates) * vectors[0])
    return sum((w * v for w, v in zip(weights, basis)), np.zeros_like(basis[0]))


def _ratio(part: np.ndarray, whole: np.ndarray) -> float:
    size = float(np.abs(whole).max(initial=0.0))
    return float(np.linalg.norm(part / size) / np.linalg.norm(whole / size)) if size > 0 else 0.0
