"""The ambient space: a product of projective spaces, and integers of its hypersurfaces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from math import comb, factorial, prod

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import whole


@dataclass(frozen=True)
class Ambient:
    """P^{n_1} × … × P^{n_r} with its homogeneous coordinates in one row, factor after factor.

    Parameters
    ----------
    dims : sequence of int
        The n_i >= 1.

    Examples
    --------
    >>> Ambient((2, 2))
    P^2 × P^2
    >>> Ambient((4,)).size, Ambient((2, 2)).blocks
    (5, (slice(0, 3, None), slice(3, 6, None)))
    """

    dims: Sequence[int]

    def __post_init__(self) -> None:
        if isinstance(self.dims, str) or not isinstance(self.dims, Iterable) or not tuple(self.dims):
            raise InputError(f"the ambient dimensions are {self.dims!r}; give whole numbers >= 1, as in (4,) or (2, 2)")
        dims = tuple(whole(n, "an ambient dimension", 1, ", as in ambient=(4,) or (2, 2)") for n in self.dims)
        object.__setattr__(self, "dims", dims)

    @property
    def size(self) -> int:
        """The number of homogeneous coordinates, Σ (n_i + 1)."""
        return sum(self.dims) + len(self.dims)

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Where each factor's coordinates stand."""
        starts = np.concatenate([[0], np.cumsum([n + 1 for n in self.dims])])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(starts))

    @cached_property
    def factor_of(self) -> np.ndarray:
        """The factor of each homogeneous coordinate, shape (size,)."""
        return np.repeat(np.arange(len(self.dims)), [n + 1 for n in self.dims])

    def norms(self, z: np.ndarray) -> np.ndarray:
        """|z_i|² of each factor: (..., size) -> (..., factors).

        Parameters
        ----------
        z : (..., size) complex array
            Homogeneous coordinates.
        """
        squares = np.abs(z) ** 2
        return np.stack([squares[..., block].sum(axis=-1) for block in self.blocks], axis=-1)

    def scaled(self, z: np.ndarray) -> np.ndarray:
        """z (..., size) with every factor divided by a power of two: exact, and no square of it over- or underflows.

        Parameters
        ----------
        z : (..., size) complex array
            Homogeneous coordinates.
        """
        return np.concatenate([scaled(z[..., block]) for block in self.blocks], axis=-1)

    def unit(self, z: np.ndarray) -> np.ndarray:
        """z (P, size) with every factor divided by its norm.

        Parameters
        ----------
        z : (P, size) complex array
            Homogeneous coordinates.
        """
        return np.concatenate([z[:, b] / np.linalg.norm(z[:, b], axis=1, keepdims=True) for b in self.blocks], axis=1)

    def __repr__(self) -> str:
        return " × ".join(f"P^{n}" for n in self.dims)


def scaled(z: np.ndarray) -> np.ndarray:
    """Vectors z (..., N) over the powers of two that bring their largest part into [1/2, 1); zero stays zero."""
    parts = np.stack([z.real, z.imag])
    power = np.frexp(np.abs(parts).max(axis=(0, -1), keepdims=True))[1]
    real, imaginary = np.ldexp(parts, -power)
    result: np.ndarray = real + 1j * imaginary
    return result


def intersection(dims: Sequence[int], degree: Sequence[int], classes: Sequence[int]) -> int:
    """∫_X H_{c_1} ∧ … ∧ H_{c_n} on a hypersurface X of that multi-degree, as an exact integer.

    `classes` are the n factor numbers of the hyperplane classes.

    >>> intersection((4,), (5,), (0, 0, 0)), intersection((2, 2), (3, 3), (0, 0, 1))
    (5, 3)
    """
    left = [n - list(classes).count(i) for i, n in enumerate(dims)]
    return degree[left.index(1)] if sorted(left) == [0] * (len(dims) - 1) + [1] else 0


def fubini_study_volume(dims: Sequence[int], degree: Sequence[int]) -> float:
    """∫_X det(∂∂̄ Σ_i log|z_i|²) d^{2n}x = πⁿ Σ_j d_j n_j / Π_i n_i!, with n = dim X.

    >>> fubini_study_volume((4,), (5,)) / np.pi**3 * 6
    5.0
    """
    n = sum(dims) - 1
    return np.pi**n * sum(d * m for d, m in zip(degree, dims)) / prod(factorial(m) for m in dims)


def chern_numbers(dims: Sequence[int], degree: Sequence[int]) -> dict[tuple[int, ...], int]:
    """The total Chern class Π (1 + H_i)^{n_i+1} / (1 + Σ d_i H_i): exponents of (H_1, …, H_r) -> integer."""
    total: dict[tuple[int, ...], int] = {}
    for powers in product(*(range(n + 1) for n in dims)):
        total[powers] = prod(comb(n + 1, p) for n, p in zip(dims, powers))
    quotient: dict[tuple[int, ...], int] = {}
    for powers in sorted(total, key=sum):
        lower = (tuple(p - (i == j) for j, p in enumerate(powers)) for i in range(len(dims)))
        quotient[powers] = total[powers] - sum(d * quotient.get(q, 0) for d, q in zip(degree, lower))
    return quotient


def euler_number(dims: Sequence[int], degree: Sequence[int]) -> int:
    """χ(X) = ∫_X c_n of a smooth hypersurface of that multi-degree.

    >>> euler_number((4,), (5,)), euler_number((2, 2), (3, 3)), euler_number((1, 1, 1, 1), (2, 2, 2, 2))
    (-200, -162, -128)
    """
    n = sum(dims) - 1
    top = (item for item in chern_numbers(dims, degree).items() if sum(item[0]) == n)
    return sum(c * intersection(dims, degree, [i for i, p in enumerate(powers) for _ in range(p)]) for powers, c in top)
