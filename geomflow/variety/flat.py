"""The flat metric of a cubic curve, and on the Fermat cubic its geodesic distance by Weierstrass' ℘."""

from __future__ import annotations

from math import gamma, pi, sqrt
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import elliprf

from geomflow.core.errors import InputError
from geomflow.variety.metric import PolarisedMetric

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

#: ∫|Ω|² d²x on the Fermat cubic: (3/π²)(π/3)³ (Γ(1/3)/Γ(2/3))³.
FERMAT_CUBIC_VOLUME = 3 / pi**2 * (pi / 3) ** 3 * (gamma(1 / 3) / gamma(2 / 3)) ** 3
#: The period ϖ of ℘(w; 0, 1728), whose lattice is ϖ Z[e^{2πi/3}].
PERIOD = gamma(1 / 3) ** 3 / (2 * pi * sqrt(12))


@final
class FlatCurve(PolarisedMetric, kind="geomflow flat curve 1"):
    """g_{xx̄} = κ|Ω|² on z0³ + z1³ + z2³ = 0: Ricci-flat, in the class of Fubini–Study.

    With x = −z0/z2, y = −z1/z2 (x³ + y³ = 1): x = (72 + ℘')/(12℘), y = (72 − ℘')/(12℘), Ω = 2dw in ℘(w; 0, 1728).
    Raises `InputError` for another variety.

    Parameters
    ----------
    variety : Hypersurface
        The Fermat cubic.
    """

    def __init__(self, variety: Hypersurface) -> None:
        text = str(variety.polynomial)
        if (
            variety.dim != 1
            or len(variety.polynomial.exact) != 3
            or not np.allclose(variety.polynomial.coefficients, 1)
        ):
            raise InputError(f"the flat metric in closed form is that of the Fermat cubic, not of {text} = 0")
        self.variety = variety
        self.kappa = variety.fubini_study_volume / FERMAT_CUBIC_VOLUME

    @property
    def kahler_class(self) -> tuple[float, ...]:
        """The class of Fubini–Study."""
        return (1.0,)

    def at(self, points: Points) -> NDArray[np.complex128]:
        """κ|Ω|², shape (P, 1, 1)."""
        self.check(points)
        return (self.kappa * points.omega2)[:, None, None].astype(complex)

    def potential(self, points: Points) -> np.ndarray:
        """4κ|w|² with w = `coordinate(points)`: a potential on every parallelogram that holds no lattice jump."""
        result: np.ndarray = 4 * self.kappa * np.abs(self.coordinate(points)) ** 2
        return result

    def jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of K: g = κ h h̄ with h = Ω's component, so K_{xxx̄} = κ h' h̄ and K_{xxx̄x̄} = κ h' h̄'."""
        h = points.omega
        hessian = points.variety.polynomial.hessian(points.coordinates)
        every = np.arange(len(points))
        slope = points.pullbacks[every, 0, points.elim]
        along = hessian[every, points.elim, points.good[:, 0]] + hessian[every, points.elim, points.elim] * slope
        dh = -(h**2) * along
        shape = (-1, 1, 1, 1, 1)
        third, fourth = self.kappa * dh * h.conj(), self.kappa * dh * dh.conj()
        return self.at(points), third.reshape(shape[:-1]), fourth.reshape(shape)

    def coordinate(self, points: Points) -> np.ndarray:
        """w with (x, y) = ((72 ± ℘'(w)) / 12℘(w)), in the lattice's fundamental cell about 0, (P,).

        Parameters
        ----------
        points : Points
            Where; arrays are in their local coordinates, P of them.
        """
        z = np.array(points.coordinates)
        infinite = np.abs(z[:, 0] + z[:, 1]) < 1e-14
        safe = np.where(infinite, 1, z[:, 0] + z[:, 1])
        p = -12 * z[:, 2] / safe
        dp = -6 * p * (z[:, 0] - z[:, 1]) / np.where(z[:, 2] == 0, 1, z[:, 2])
        dp = np.where(z[:, 2] == 0, 72 * (z[:, 0] - z[:, 1]) / safe, dp)
        roots = 432 ** (1 / 3) * np.exp(2j * pi * np.arange(3) / 3)
        w = elliprf(p - roots[0], p - roots[1], p - roots[2])
        back = weierstrass(np.where(infinite, 0.3, w))[1]
        w = np.where(np.abs(back - dp) <= np.abs(back + dp), w, -w)
        return np.where(infinite, 0, reduce(w))

    def distance(self, first: Points, second: Points) -> np.ndarray:
        """The geodesic distance √(8κ) |w − w'| modulo the lattice (ds² = 2κ|Ω|²), (P,).

        A length in ds² = 2g_{ab̄}dz^a dz̄^b, where `variety.distance` is an angle, 1/√2 of a length.

        Parameters
        ----------
        first, second : Points
            P points each.
        """
        result: np.ndarray = np.sqrt(8 * self.kappa) * np.abs(reduce(self.coordinate(first) - self.coordinate(second)))
        return result

    def record(self) -> dict[str, np.ndarray]:
        """Nothing: the variety says it all."""
        return {}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> FlatCurve:
        """The metric of the variety."""
        return cls(variety)

    def __repr__(self) -> str:
        return f"flat metric of the {self.variety}"


def weierstrass(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """℘ and ℘' with invariants 0 and 1728, from the q-series in u = e^{2πiw/ϖ}, q = e^{2πiτ}, τ = e^{2πi/3}."""
    x = reduce(np.asarray(w, dtype=complex)) / PERIOD
    tau = np.exp(2j * pi / 3)
    u, q = np.exp(2j * pi * x), np.exp(2j * pi * tau)
    scale = 2j * pi / PERIOD
    p = 1 / 12 - 2 * sum(q**n / (1 - q**n) ** 2 for n in range(1, 12)) + 0 * u
    dp = 0 * u
    for n in range(-10, 11):
        term = u * q ** abs(n) if n >= 0 else q ** abs(n) / u
        sign = 1 if n >= 0 else -1
        p = p + term / (1 - term) ** 2
        dp = dp + sign * term * (1 + term) / (1 - term) ** 3
    return scale**2 * p, scale**3 * dp


def reduce(w: np.ndarray) -> np.ndarray:
    """The representative of w modulo ϖ Z[e^{2πi/3}] nearest to zero."""
    tau = np.exp(2j * pi / 3)
    w = np.asarray(w, dtype=complex)
    second = np.round(w.imag / (PERIOD * tau.imag))
    first = np.round((w - second * PERIOD * tau).real / PERIOD)
    base = w - PERIOD * (first + second * tau)
    shifts = np.array([PERIOD * (a + b * tau) for a in (-1, 0, 1) for b in (-1, 0, 1)])
    near = base[..., None] - shifts
    return np.take_along_axis(near, np.argmin(np.abs(near), axis=-1)[..., None], axis=-1)[..., 0]
