"""Translation-invariant ensembles on complex tori as series of waves, whose derivatives of every order are exact."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, final

import numpy as np

from geomflow.core import hermitian
from geomflow.core.errors import InputError, ShapeError
from geomflow.core.memory import require
from geomflow.core.notebook import Facts, InNotebook
from geomflow.field import ComplexTorus
from geomflow.field.grid import Grid
from geomflow.kernels.blocks import real_points
from geomflow.kernels.ensemble import InfiniteEnsemble
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.series_kernel import SeriesKernel
from geomflow.variety.curvature_slopes import CurvatureSlopes

#: Waves of less than so much of the largest height are rounding of the kernel's values.
FLOOR = 1e-14
_SIZES = {2: (16, 32, 64, 128, 256), 4: (8, 16, 32)}


@final
@dataclass(frozen=True, eq=False)
class Waves(InNotebook):
    """Random potentials φ = Σ_k (a_k cos k·x + b_k sin k·x) on a complex torus, and g = reference + ∂∂̄φ.

    The variances of coefficients are the eigenvalues of the networks' kernels, which must be translation-invariant and
    smooth: the periodic ones of erf, GELU, cos, sin and the like, and not of ReLU, whose kernel has no fourth
    derivatives. `of` finds them by FFT; those below 1e-14 of the largest are rounding and left out. So covariances of
    metrics are good to some 1e-8 where kernels are as rough as that of erf.

    Parameters
    ----------
    torus : ComplexTorus
        Of dimension n.
    vectors : (m, 2n) array
        k, one of each pair ±k.
    ensemble : InfiniteEnsemble
        Of a `SeriesKernel` of 2m coefficients: a, then b.
    reference : (n, n) array
        Constant and Hermitian.
    """

    torus: ComplexTorus
    vectors: np.ndarray
    ensemble: InfiniteEnsemble
    reference: np.ndarray

    @classmethod
    def of(cls, ensemble: InfiniteEnsemble, torus: ComplexTorus, reference: Any = None) -> Waves:
        """The ensemble's potentials, its mean before training zero: a potential is known up to a constant.

        Parameters
        ----------
        ensemble : InfiniteEnsemble
            Of networks f = φ.
        torus : ComplexTorus
            On which they live.
        reference : (n, n) array, optional
            Constant and Hermitian; ½δ, the flat unit metric, unless given.

        Notes
        -----
        Raises InputError for kernels that are not translation-invariant on the torus or not smooth enough to have their
        waves on grids of 256² or 32⁴ points, for another mean than zero, and MemoryLimitError.
        """
        if not isinstance(torus, ComplexTorus):
            raise InputError(f"Kähler potentials live on a complex torus, and {torus!r} was given.")
        if ensemble.mean != 0:
            raise InputError("a potential is known up to a constant: take an ensemble of mean zero, and subtract it.")
        size = torus.complex_dim
        constant = 0.5 * np.eye(size) if reference is None else np.array(reference, dtype=complex)
        if constant.shape != (size, size) or not np.allclose(constant, constant.conj().T, rtol=1e-12, atol=0):
            raise ShapeError(f"the reference is a Hermitian matrix ({size}, {size}), and {reference!r} was given.")
        vectors, tangent, prior = _spectra((ensemble.tangent, ensemble.covariance), torus)
        double = np.concatenate([tangent, tangent]), np.concatenate([prior, prior])
        return cls(torus, vectors, InfiniteEnsemble(SeriesKernel(*double)), constant)

    @property
    def size(self) -> int:
        """How many coefficients: two for each wave."""
        return 2 * len(self.vectors)

    @property
    def dim(self) -> int:
        """n."""
        return self.torus.complex_dim

    def read(self, x: Any) -> np.ndarray:
        """Points (p, 2n); ShapeError for others.

        Parameters
        ----------
        x : (p, 2n) array
            Coordinates x1, y1, x2, y2, ....
        """
        points = real_points(x)
        if points.shape[1] != self.torus.real_dim:
            raise ShapeError(f"points of {points.shape[1]} coordinates were given on {self.torus!r}.")
        return points

    def values(self, x: Any) -> np.ndarray:
        """φ at points as linear forms, (p, 2m).

        Parameters
        ----------
        x : (p, 2n) array
            Points.
        """
        return self._forms(x, np.ones((1, len(self.vectors))))[:, 0]

    def hessians(self, x: Any) -> np.ndarray:
        """The packed ∂_a∂_b̄ φ at points as linear forms, (p, n², 2m).

        Parameters
        ----------
        x : (p, 2n) array
            Points.
        """
        pairs = self._slopes.conj()[:, None] * self._slopes  # −4 times the symbol of ∂_a∂_b̄, by waves
        return self._forms(x, -0.25 * np.moveaxis(hermitian.pack(np.moveaxis(pairs, 2, 0)), 1, 0))

    def metric(self, x: Any, hessian: np.ndarray) -> np.ndarray:
        """reference + ∂∂̄φ, (…, p, n, n), from the packed ∂∂̄φ.

        Parameters
        ----------
        x : (p, 2n) array
            Points.
        hessian : (..., p, n²) array
            ∂∂̄φ.
        """
        return np.asarray(self.reference + hermitian.unpack(hessian))

    def lacking(self, x: Any, metrics: Any) -> np.ndarray:
        """The packed ∂∂̄φ of given metrics, (p, n²); ShapeError for what are none.

        Parameters
        ----------
        x : (p, 2n) array
            Points.
        metrics : (p, n, n) array
            Hermitian.
        """
        given, count = np.asarray(metrics, dtype=complex), len(self.read(x))
        if given.shape != (count, self.dim, self.dim) or not np.allclose(given, np.swapaxes(given, 1, 2).conj(),
                                                                       rtol=1e-10, atol=1e-12):
            raise ShapeError(f"the metrics are Hermitian matrices ({count}, {self.dim}, {self.dim}), and an array of "
                             f"shape {given.shape} was given, or one that is not Hermitian.")
        return hermitian.pack(given - self.reference)

    def jets(self, x: Any, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(g_ab̄, ∂_c g_ab̄ as [p, a, c, b], ∂_c∂_d̄ g_ab̄ as [p, a, c, b, d]) of one potential.

        Parameters
        ----------
        x : (p, 2n) array
            Points.
        coefficients : (2m,) array
            a, then b.
        """
        cosines, sines = np.split(coefficients, 2)
        waves = np.exp(1j * self.read(x) @ self.vectors.T)
        plus, minus = 0.5 * (cosines - 1j * sines) * waves, 0.5 * (cosines + 1j * sines) * waves.conj()
        found = []
        for letters in ("ab", "acb", "acbd"):
            symbols = self._symbols(letters)
            odd = (-1) ** len(letters)
            found.append(np.moveaxis(np.tensordot(symbols, plus + odd * minus, (-1, 1)), -1, 0))
        return found[0] + self.reference, found[1], found[2]

    def linearised(self, x: Any, slopes: CurvatureSlopes) -> np.ndarray:
        """Re(Σ C² ∂∂̄ψ + 2 C³ ∂∂∂̄ψ + C⁴ ∂∂∂̄∂̄ψ) at points as linear forms, (p, 2m).

        Parameters
        ----------
        x : (p, 2n) array
            Points.
        slopes : CurvatureSlopes
            C², C³ and C⁴.
        """
        second, third, fourth = (np.tensordot(c.reshape(len(c), -1), self._symbols(s).reshape(-1, len(self.vectors)), 1)
                                 for c, s in zip(slopes, ("ab", "acb", "acbd"), strict=True))
        symbol = second.real + fourth.real + third - third.conj()
        return self._split(symbol * np.exp(1j * self.read(x) @ self.vectors.T))

    @cached_property
    def _slopes(self) -> np.ndarray:
        """k_{x^a} + i k_{y^a}, (n, m): ∂_b̄ of a wave is i/2 times it, and ∂_a i/2 times its conjugate."""
        return np.asarray(self.vectors[:, ::2] + 1j * self.vectors[:, 1::2]).T

    def _symbols(self, letters: str) -> np.ndarray:
        """What derivatives ∂_a, ∂_c, ∂_b̄, ∂_d̄ make of waves, (n, …, m)."""
        factors = [0.5j * (self._slopes.conj() if letter in "ac" else self._slopes) for letter in letters]
        return np.asarray(np.einsum(",".join(f"{letter}m" for letter in letters) + f"->{letters}m", *factors))

    def _forms(self, x: Any, symbols: np.ndarray) -> np.ndarray:
        """Real differential operators of symbols (s, m), at points as linear forms (p, s, 2m)."""
        points = self.read(x)
        require(8.0 * len(points) * len(symbols) * self.size, f"{len(symbols)} linear forms of {self.size} waves at "
                f"{len(points):,} points", "take fewer points")
        waves = np.exp(1j * points @ self.vectors.T)
        return self._split(symbols * waves[:, None])

    @staticmethod
    def _split(waves: np.ndarray) -> np.ndarray:
        """What s e^{ik·x} says of cosines and of sines."""
        return np.concatenate([waves.real, waves.imag], axis=-1)

    def __facts__(self) -> Facts:
        yield "torus", self.torus
        yield "waves", len(self.vectors)
        yield "reference", self.reference


def _spectra(kernels: tuple[Kernel, ...], torus: ComplexTorus) -> tuple[np.ndarray, ...]:
    """(vectors, heights of each kernel): all waves above rounding, on the first grid that has them all."""
    for size in _SIZES.get(torus.real_dim, (8, 16)):
        require(8.0 * (3 * torus.real_dim + 4) * size**torus.real_dim, f"waves of a kernel on {size}^{torus.real_dim} "
                "points", "take a smoother kernel")
        grid = torus.grid(size)
        shape = (*grid.shape[:-1], size // 2 + 1)
        symbols = [_symbol(kernel, grid) for kernel in kernels]
        kept = reduce(np.logical_or, (symbol > FLOOR * symbol.max() for symbol in symbols))
        axes = [np.fft.fftfreq(size, 1 / size)] * (torus.real_dim - 1) + [np.arange(size // 2 + 1)]
        numbers = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        assert kept.shape == shape
        if np.abs(numbers[kept]).max() < size // 2 - 1:
            numbers, kept = numbers.reshape(-1, torus.real_dim), (kept & _half(numbers)).ravel()
            twice = np.where(numbers[kept].any(axis=1), 2.0, 1.0) / torus.cell_volume
            vectors = numbers[kept] @ (2 * np.pi * np.linalg.inv(np.array(torus.lattice))).T
            return vectors, *(np.maximum(symbol.ravel()[kept], 0) * twice for symbol in symbols)
    raise InputError(f"the waves of {kernels[0]!r} are not negligible at {size // 2} turns: it is too rough for "
                     "metrics and curvature. Take erf, GELU, cos or sin in place of ReLU, or a smaller weight_std.")


def _symbol(kernel: Kernel, grid: Grid) -> np.ndarray:
    """The eigenvalues of a kernel's operator, in the layout of `rfftn`."""
    symbol = kernel.on(grid).symbol
    if symbol is None:
        raise InputError(f"{kernel!r} is not translation-invariant on this torus: take the kernel's `periodic(torus)`.")
    return symbol


def _half(numbers: np.ndarray) -> np.ndarray:
    """One of each pair ±k of whole numbers (…, d), and zero: the last that is not zero is positive."""
    found = np.zeros(numbers.shape[:-1], dtype=bool)
    rest = np.ones(numbers.shape[:-1], dtype=bool)
    for column in np.moveaxis(numbers, -1, 0)[::-1]:
        found |= rest & (column > 0)
        rest &= column == 0
    return found | rest
