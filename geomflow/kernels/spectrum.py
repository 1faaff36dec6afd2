"""Spectra of kernels on points and on grids, and the numbers that are read off them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

from geomflow.core.errors import InputError, PositivityError, ShapeError
from geomflow.core.numbers import require_unmasked
from geomflow.core.progress import waiting
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.operators import KernelOperator

#: Up to this many points all eigenvalues are found from the matrix.
DENSE = 2000
#: Negative eigenvalues above −ROUNDING × the largest are rounding.
ROUNDING = 1e-8


def eigenvalues(kernel: Kernel, points: Any, count: int | None = None) -> np.ndarray:
    """Eigenvalues of the matrix K(x_p, x_q), largest first: all of them, or the largest by Lanczos.

    All of them need the dense matrix (MemoryLimitError if it does not fit); Lanczos only applies the kernel.

    Parameters
    ----------
    kernel : Kernel
        K.
    points : (p, d) array or points
        Points.
    count : int, optional
        How many; all unless given.
    """
    total = len(kernel.read(points))
    if count is not None and count < 1:
        raise InputError(f"{count} eigenvalues were asked for; ask for at least one.")
    if count is None or count >= total or total <= DENSE:
        return np.linalg.eigvalsh(kernel.matrix(points))[::-1][:count]
    return lanczos(lambda v: kernel.apply(points, None, v), total, count, "LA", 1e-10)[::-1]


def smallest_eigenvalue(kernel: Kernel, points: Any) -> float:
    """The smallest eigenvalue of the matrix K(x_p, x_q); negative if the kernel is not positive on these points.

    Parameters
    ----------
    kernel : Kernel
        K.
    points : (p, d) array or points
        Points.
    """
    total = len(kernel.read(points))
    if total <= DENSE:
        return float(np.linalg.eigvalsh(kernel.matrix(points))[0])
    return float(lanczos(lambda v: kernel.apply(points, None, v), total, 1, "SA", 1e-10)[0])


@waiting("eigenvalues")
def lanczos(act: Callable[[np.ndarray], np.ndarray], size: int, count: int, which: str, tolerance: float) -> np.ndarray:
    """Extreme eigenvalues of a symmetric map of vectors (size,), ascending, from a fixed start vector."""
    operator = LinearOperator((size, size), matvec=lambda v: act(v.reshape(-1)), dtype=float)
    start = np.random.default_rng(0).standard_normal(size)
    return np.sort(eigsh(operator, k=count, which=which, v0=start, return_eigenvectors=False, tol=tolerance))


def operator_eigenvalues(operator: KernelOperator) -> np.ndarray:
    """All eigenvalues of an operator on a grid with their multiplicities, largest first, (size,).

    From its symbol where there is one, else from the dense matrix.

    Parameters
    ----------
    operator : KernelOperator
        On a grid.
    """
    symbol = operator.symbol
    if symbol is None:
        return np.linalg.eigvalsh(operator.dense())[::-1]
    last = operator.grid.shape[-1]
    mirrored = symbol[..., 1 : (last + 1) // 2]
    return np.sort(np.concatenate([symbol.ravel(), mirrored.ravel()]))[::-1]


def effective_dimension(spectrum: np.ndarray, ridge: float) -> float:
    """Σ λ/(λ + μ): how many directions a kernel sees above μ. Rounding below zero counts as zero.

    Parameters
    ----------
    spectrum : (n,) array
        λ.
    ridge : float
        μ > 0.
    """
    if not ridge > 0:
        raise InputError(f"the effective dimension needs μ > 0, and it is {ridge:g}.")
    values = _nonnegative(spectrum)
    return float(np.sum(values / (values + ridge)))


def participation_ratio(spectrum: np.ndarray) -> float:
    """(Σ λ)²/Σ λ²: how many eigenvalues carry the trace; n for n equal ones.

    Parameters
    ----------
    spectrum : (n,) array
        λ.
    """
    values = _nonnegative(spectrum)
    return float(np.sum(values) ** 2 / np.sum(values**2))


def alignment(gradient: np.ndarray, smoothed: np.ndarray, norm: float) -> float:
    """⟨D, ΘD⟩/(‖Θ‖ ‖D‖²) of a gradient D, its image ΘD and a norm of Θ.

    With the largest eigenvalue for the norm it is 1 where D is a top eigenvector; with Frobenius' it is the alignment
    of the matrices Θ and D Dᵀ, 1 where Θ is a multiple of D Dᵀ.

    Parameters
    ----------
    gradient, smoothed : array
        D and ΘD, of one shape.
    norm : float
        ‖Θ‖.
    """
    if np.shape(gradient) != np.shape(smoothed):
        raise ShapeError(f"the gradient has shape {np.shape(gradient)} and its image {np.shape(smoothed)}.")
    square = float(np.vdot(gradient, gradient).real)
    return 0.0 if square == 0 else float(np.vdot(gradient, smoothed).real) / (norm * square)


def operator_alignment(operator: KernelOperator, gradient: np.ndarray) -> float:
    """`alignment` of an operator on a grid and a packed gradient, with its bound `largest` as the norm.

    Parameters
    ----------
    operator : KernelOperator
        Θ on a grid.
    gradient : (ncomp, *grid) array
        D.
    """
    return alignment(gradient, operator(gradient), operator.largest)


def kernel_alignment(kernel: Kernel, points: Any, target: np.ndarray) -> float:
    """A(K, y yᵀ) = ⟨K, y yᵀ⟩_F/(‖K‖_F ‖y yᵀ‖_F) of a kernel's matrix on points and a target y.

    Source: Cristianini, Shawe-Taylor, Elisseeff and Kandola, On kernel-target alignment (2001), uncentred.

    Parameters
    ----------
    kernel : Kernel
        K.
    points : (p, d) array or points
        Points.
    target : (p,) or (p, c) array
        y.
    """
    require_unmasked(target, "the target")
    columns = np.asarray(target, dtype=float).reshape(len(target), -1)
    matrix, gram = kernel.matrix(points), columns @ columns.T
    norm = float(np.linalg.norm(matrix) * np.linalg.norm(gram))
    return 0.0 if norm == 0 else float(np.vdot(matrix, gram)) / norm


def _nonnegative(spectrum: np.ndarray) -> np.ndarray:
    require_unmasked(spectrum, "the spectrum")
    values = np.asarray(spectrum, dtype=float)
    largest = float(np.max(values, initial=0.0))
    least = float(np.min(values, initial=0.0))
    if not largest > 0:
        raise InputError("a spectrum without positive eigenvalues has no dimension.")
    if least < -ROUNDING * largest:
        raise PositivityError(f"the spectrum has the eigenvalue {least:.3g} (largest {largest:.3g}): the kernel is not "
                              "positive, and its effective dimension means nothing.")
    return np.maximum(values, 0.0)
