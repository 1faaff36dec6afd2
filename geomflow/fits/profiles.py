"""Functions f of an inner product t that make kernels K = f(t), with the derivatives that ∂∂̄K and curvature need.

Curvature takes power series of t in local coordinates: the Taylor coefficients of x^α x̄^β with |α|, |β| <= 2 as
(P, rows, rows, functions), rows being (1, x_a, x_a x_c for a <= c), as in `geomflow.fits.phi_network`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import factorial, perm
from typing import final

import numpy as np
from numba import njit

from geomflow.core.archive import Archive
from geomflow.core.errors import InputError, NotFiniteError, PositivityError, ShapeError, StoreError
from geomflow.core.numbers import real_array
from geomflow.core.threads import one_thread_products
from geomflow.fits.phi_network import compose, jets_in_blocks, read_jets
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.zonal import zonal_series
from geomflow.variety.points import Points

#: Numbers that a block of series may hold.
_NUMBERS = 40_000
#: Points of the sample whose Gram matrix is checked, and what of its largest eigenvalue is rounding.
SAMPLE, ROUNDING = 64, 1e-9
#: Places where derivatives are compared with differences, the steps of these, and the relative error that passes.
PLACES = np.linspace(0.15, 0.85, 8)
STEPS = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4)
AGREEMENT = 1e-5


class Profile(ABC):
    """f with f(⟨u, u'⟩) positive semi-definite on unit vectors, and f(1) = 1.

    On features that are no unit vectors `radial` profiles take t = 1 − |u − u'|²/2, which is ⟨u, u'⟩ on unit ones,
    `unit` profiles divide features by their length first, and the others take t = ⟨u, u'⟩.
    """

    radial: bool = False
    unit: bool = False

    @abstractmethod
    def derivatives(self, t: np.ndarray, order: int) -> list[np.ndarray]:
        """f, f', …, the derivative of that order, each of t's shape.

        Parameters
        ----------
        t : array
            Inner products.
        order : int
            At most four.
        """


@final
@dataclass(frozen=True)
class Exponential(Profile):
    """f(t) = exp(β (t − 1)): the Gaussian exp(−β |u − u'|²/2) of the distance of features, positive for every β > 0.

    On the features z z†/|z|² of projective space 1 − t is sin² of the Fubini–Study distance d, and β = 1/(2s²) is the
    Gaussian exp(−sin²d/2s²) of eq. (3.5), in the chordal distance, for which it is positive semi-definite.

    Parameters
    ----------
    beta : float
        β > 0, else `InputError`; 1 is the width of projective space.
    """

    beta: float
    radial = True

    def __post_init__(self) -> None:
        if not 0 < self.beta < np.inf:
            raise InputError(f"β is {self.beta}: give a positive number; 1 is the width of projective space")

    def derivatives(self, t: np.ndarray, order: int) -> list[np.ndarray]:
        value = np.exp(self.beta * (t - 1))
        return [self.beta**k * value for k in range(order + 1)]


@final
@dataclass(frozen=True)
class Power(Profile):
    """f(t) = t^k; on projective space the Bergman kernel of O(k), whose functions are all P/|z|^{2k} of degree (k, k).

    k = 1 on other features is the linear kernel.

    Parameters
    ----------
    degree : int
        k >= 1, else `InputError`.
    """

    degree: int

    def __post_init__(self) -> None:
        if not isinstance(self.degree, (int, np.integer)) or self.degree < 1:
            raise InputError(f"the degree is {self.degree}: give a whole number >= 1")

    def derivatives(self, t: np.ndarray, order: int) -> list[np.ndarray]:
        return [perm(self.degree, j) * t ** max(self.degree - j, 0) for j in range(order + 1)]


@final
@dataclass(frozen=True)
class ArcCosine(Profile):
    """The arc-cosine kernel of order two, with bias b: f = J₂(θ)/3π, cos θ = (t + b)/(1 + b).

    J₂ = 3 sin θ cos θ + (π − θ)(1 + 2 cos²θ) is the covariance of an infinitely wide layer of squared ReLUs
    (Cho and Saul, 2009). The order is the least for which the Ricci-flat equation makes sense in the kernel's space:
    near t = 1 the kernels of order q have a term d^{2q+1} in the distance d. The tangent kernel of a ReLU network (d¹)
    has an infinite ∂∂̄K at its centre, order one (d³) gives functions whose ∂∂̄ at a point is no bounded functional,
    which takes four derivatives of K; order two (d⁵) has these.

    Parameters
    ----------
    bias : float
        b >= 0, else `InputError`.
    """

    bias: float = 0.0
    unit = True

    def __post_init__(self) -> None:
        if not 0 <= self.bias < np.inf:
            raise InputError(f"the bias is {self.bias}: give a number >= 0")

    def derivatives(self, t: np.ndarray, order: int) -> list[np.ndarray]:
        # J₂' = 4 J₁ and J₁' = J₀ = π − θ by cos θ; further ones are infinite at t = 1, where they are set to zero:
        # there they only ever stand beside powers of ∂t, which vanish faster
        slope = 1 / (1 + self.bias)
        u = np.clip((t + self.bias) * slope, -1.0, 1.0)
        theta, s = np.arccos(u), np.sqrt((1 - u) * (1 + u))
        rest = np.pi - theta
        table = [3 * s * u + rest * (1 + 2 * u * u), 4 * (s + rest * u), 4 * rest]
        if order > 2:
            inverse = np.divide(1.0, s, out=np.zeros_like(s), where=s > 1e-12)
            table += [4 * inverse, 4 * u * inverse**3]
        return [slope**k * value / (3 * np.pi) for k, value in enumerate(table[: order + 1])]


@final
@dataclass(frozen=True)
class PowerSeries(Profile):
    """f(t) = Σ_n c_n tⁿ/Σ_n c_n with c_n ≥ 0, which is positive on unit vectors of every dimension (Schoenberg, 1942).

    All kernels of infinitely wide networks on unit vectors are such series: `of_network`.

    Parameters
    ----------
    coefficients : sequence of float
        c_0, c_1, …, not all zero; `InputError` for numbers that are negative or not finite.
    """

    coefficients: tuple[float, ...]
    unit = True

    def __post_init__(self) -> None:
        numbers = real_array(self.coefficients, "the coefficients of a power series")
        if numbers.ndim != 1 or not numbers.any() or not (np.isfinite(numbers) & (numbers >= 0)).all():
            raise InputError("a power series has a list of coefficients, finite, none negative and not all zero, and "
                             f"{np.array2string(numbers, threshold=6)} was given.")
        object.__setattr__(self, "coefficients", tuple(map(float, numbers)))

    @classmethod
    def of_network(cls, kernel: Kernel, tolerance: float = 1e-12) -> PowerSeries:
        """The kernel of an infinitely wide φ-network whose inputs are √d û, û a unit vector of d features.

        `NetworkKernel("erf", 2)` makes the tangent kernel, that is the metric's if all layers are trained, and
        `NetworkKernel("erf", 2).covariance` that of the last layer. In an `InvariantKernel` û = u/|u| are its
        invariants, in an `OverlapKernel` the entries of z z†/|z|². `InputError` for kernels that are no series of 512
        terms, such as ReLU's: `kernels.zonal_series`.

        Parameters
        ----------
        kernel : Kernel
            Of `NetworkKernel`, `ResidualKernel`, `NormalisedKernel`, `GaussNetKernel`, `CosineNetKernel` or their
            covariances.
        tolerance : float
            The relative error of f.

        Examples
        --------
        >>> from geomflow.kernels import NetworkKernel
        >>> [round(c, 12) for c in PowerSeries.of_network(NetworkKernel("identity", bias_std=1.0)).coefficients]
        [3.0, 2.0]
        """
        return cls(tuple(zonal_series(kernel, tolerance)))

    def derivatives(self, t: np.ndarray, order: int) -> list[np.ndarray]:
        t, out = np.asarray(t, dtype=float), np.empty((order + 1, np.size(t)))
        numbers = np.array(self.coefficients)
        _horner(numbers / numbers.sum(), np.ascontiguousarray(t).ravel(), out)
        return [factorial(k) * row.reshape(t.shape) for k, row in enumerate(out)]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _horner(coefficients: np.ndarray, t: np.ndarray, out: np.ndarray) -> None:
    """f⁽ᵏ⁾(t)/k! in the rows of `out`."""
    out[:] = 0.0
    for first in range(0, t.size, 256):
        last = min(first + 256, t.size)
        part = t[first:last]
        for n in range(coefficients.size - 1, -1, -1):
            for k in range(len(out) - 1, 0, -1):
                row, below = out[k, first:last], out[k - 1, first:last]
                for i in range(part.size):
                    row[i] = row[i] * part[i] + below[i]
            row = out[0, first:last]
            for i in range(part.size):
                row[i] = row[i] * part[i] + coefficients[n]


def require_profile(profile: Profile, gram: np.ndarray) -> np.ndarray:
    """The Gram matrix f(t) of some centres, (M, M), once the profile is found to be what it says.

    Each derivative up to the fourth is compared with differences of the one below (five points, the best of several
    steps), and the smallest eigenvalue of up to 64 of the centres must not be negative. Raises InputError or ShapeError
    for derivatives that are not those of f, PositivityError with the eigenvalue, NotFiniteError.
    """
    if not np.isfinite(gram).all():
        raise NotFiniteError(f"f of {profile!r} is not finite at some of the products of the centres.")
    _require_derivatives(profile)
    rows = np.unique(np.linspace(0, len(gram) - 1, min(SAMPLE, len(gram))).astype(int))
    spectrum = np.linalg.eigvalsh(gram[np.ix_(rows, rows)])
    if spectrum[0] < -ROUNDING * spectrum[-1]:
        raise PositivityError(f"f(t) of {profile!r} is not positive: its Gram matrix of {len(rows)} points has the "
                              f"eigenvalue {spectrum[0]:.3g} (largest {spectrum[-1]:.3g}). A power series in t with "
                              "coefficients >= 0 is positive.")
    return gram


def _require_derivatives(profile: Profile) -> None:
    table = profile.derivatives(PLACES, 4)
    if len(table) != 5 or any(np.shape(row) != PLACES.shape for row in table):
        raise ShapeError(f"{profile!r}.derivatives(t, 4) must return five arrays of t's shape, f to its fourth "
                         f"derivative; it returned {[np.shape(row) for row in table]}.")
    for order in range(4):
        errors = [_difference_error(profile, order, step, table[order + 1]) for step in STEPS]
        if not (gap := np.min(errors, axis=0)).max() < AGREEMENT:
            worst = int(np.argmax(gap))
            raise InputError(f"derivative {order + 1} of {profile!r} is not that of derivative {order}: at t = "
                             f"{PLACES[worst]:.3g} it is {table[order + 1][worst]:.6g}, and differences of the one "
                             f"below are off by {gap[worst]:.2g} of it.")


def _difference_error(profile: Profile, order: int, step: float, slope: np.ndarray) -> np.ndarray:
    """|five-point difference of f⁽ᵏ⁾ − f⁽ᵏ⁺¹⁾| at the places, relative to their size or a millionth of that of f⁽ᵏ⁾."""
    below = np.abs(profile.derivatives(PLACES, 4)[order]).max()
    shifted = {k: profile.derivatives(PLACES + k * step, 4)[order] for k in (-2, -1, 1, 2)}
    found = (8 * (shifted[1] - shifted[-1]) - (shifted[2] - shifted[-2])) / (12 * step)
    return np.abs(found - slope) / max(np.abs(slope).max(), np.abs(found).max(), 1e-6 * below, 1e-300)


def profile_record(profile: Profile) -> str:
    """A profile of this module as text, for files. Raises `StoreError` for one of the user's own."""
    if not isinstance(profile, ArcCosine | Exponential | Power | PowerSeries):
        raise StoreError(f"the profile {profile!r} cannot be stored: no file holds one of your own")
    return json.dumps([type(profile).__name__, asdict(profile)])


def profile_of(file: Archive) -> Profile:
    """The profile that a file holds as 'profile'. Raises `StoreError`."""
    name, settings = file.json("profile", list)
    return {made.__name__: made for made in (ArcCosine, Exponential, Power, PowerSeries)}[name](**settings)


def composed_jets(
    points: Points,
    argument: Callable[[Points], np.ndarray],
    profile: Profile,
    heights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(φ_ab̄, φ_acb̄, φ_acb̄d̄) of φ = Σ_c heights_c f(t_c), `argument` giving the series of all t_c at some points.

    Of several functions at once where heights are (M, K), these on a last axis.
    """
    n = points.variety.dim

    def derivatives(t: np.ndarray) -> np.ndarray:
        return np.stack(profile.derivatives(t, 4))

    def jets(part: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return read_jets(compose(argument(part), derivatives, n) @ heights, n)

    with one_thread_products():
        return jets_in_blocks(jets, points, max(1, _NUMBERS // len(heights)))
