"""Integration against the volume of a Kähler metric with control variates: functions Δh, whose integral is zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import qr

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.threads import each, slices
from geomflow.variety.errors import UnderdeterminedError
from geomflow.variety.estimate import Estimate
from geomflow.variety.jets import partial_index
from geomflow.variety.lifts import Lifts
from geomflow.variety.measures import density_ratio
from geomflow.variety.metric import HermitianMetric
from geomflow.variety.orbits import InvariantForms, invariant_forms
from geomflow.variety.routines.forms import features
from geomflow.variety.sections import whole_degrees
from geomflow.variety.symmetry import Symmetry

if TYPE_CHECKING:
    from geomflow.variety.points import Points

_CUT = 1e-10
_BLOCK = 256
_FEWEST = 10


@final
@dataclass(frozen=True, eq=False)
class Quadrature(InNotebook):
    """Weights q on points with Σ q = 1 and Σ q Δh_j = 0 for functions h_j. Made by `quadrature`.

    Parameters
    ----------
    mass : (P,) array
        The plain weights m of dμ_J, of sum one.
    line : (P,) array of int
        `Points.line`: points of one line are correlated.
    controls : (P, J) array
        Orthonormal columns that span the √m Δh_j.
    """

    mass: np.ndarray
    line: np.ndarray
    controls: np.ndarray

    @classmethod
    def of(cls, mass: np.ndarray, line: np.ndarray, changes: np.ndarray) -> Quadrature:
        """With functions Δh_j; raises `UnderdeterminedError` with fewer than ten points a function.

        Parameters
        ----------
        mass : (P,) array
            m.
        line : (P,) array of int
            Of the points.
        changes : (P, count) array
            Δh_j, dependent ones among them.
        """
        columns = np.sqrt(mass)[:, None] * changes
        size = np.linalg.norm(columns, axis=0)
        columns = columns[:, size > 0] / size[size > 0]
        basis, triangle, _ = qr(columns, mode="economic", pivoting=True)
        kept = np.abs(np.diag(triangle))
        rank = np.count_nonzero(kept > _CUT * kept.max(initial=1))
        if len(mass) < _FEWEST * rank:
            raise UnderdeterminedError(
                f"{rank} control variates at {len(mass)} points leave too few to integrate with; take at least "
                f"{_FEWEST * changes.shape[1]} points or a lower degree"
            )
        return cls(mass, line, basis[:, :rank])

    @cached_property
    def weights(self) -> np.ndarray:
        """q, (P,); some may be negative."""
        root = np.sqrt(self.mass)
        result: np.ndarray = root * self._free / (root @ self._free)
        return result

    def mean(self, values: ArrayLike) -> Estimate:
        """Σ q f, which estimates ∫f dμ_J/∫dμ_J, with its standard error.

        That is the constant b of the weighted least-squares fit f ≈ b + Σ_j c_j Δh_j; its error is that of the
        residuals, each divided by the root of 1 − leverage, summed by lines.

        Parameters
        ----------
        values : (P,) array
            A real function f at the points.
        """
        values = np.asarray(values, dtype=float)
        if values.shape != self.mass.shape:
            raise InputError(f"{len(self.mass)} points, and values of shape {values.shape}")
        found = float(self.weights @ values)
        rest = np.sqrt(self.mass) * (values - found)
        rest = rest - self.controls @ (self.controls.T @ rest)
        free = self._free
        leverage = np.sum(self.controls**2, axis=1) + free**2 / (free @ free)
        terms = free * rest / np.sqrt(np.maximum(1 - leverage, 1e-3)) / (np.sqrt(self.mass) @ free)
        return Estimate.of(found, terms, self.line)

    @cached_property
    def _free(self) -> np.ndarray:
        """√m without its part along the controls."""
        root = np.sqrt(self.mass)
        result: np.ndarray = root - self.controls @ (self.controls.T @ root)
        return result

    def __facts__(self) -> Facts:
        return [("points", f"{len(self.mass):,}"), ("control variates", self.controls.shape[1])]

    def __repr__(self) -> str:
        return f"quadrature on {len(self.mass)} points with {self.controls.shape[1]} control variates"


def quadrature(
    metric: HermitianMetric, points: Points, degree: int | Sequence[int], *, symmetry: Symmetry | None = None
) -> Quadrature:
    """Weights that integrate Δh to zero exactly for all invariant functions h = P/Π|z_i|^{2k_i} of one degree.

    On a closed Kähler manifold ∫Δh dμ_J = 0. With the plain weights m (dμ_J on the points, of sum one, which is dμ_Ω
    where the metric is Ricci-flat) and the matrix C of rows (1, Δh_1, …, Δh_J)(p),

        q_p = √m_p · (first row of the pseudo-inverse of √m C)_p,  so that Σ q = 1 and Σ q Δh_j = 0,

    the weights nearest to m for which that holds. An average Σ q f then errs by what of f is no b + Σ c_j Δh_j: by
    powers of ten less than Σ m f where f is smooth and of low degree. Averages of functions that a symmetry of the
    metric moves are averages over their orbit.

    Raises `UnderdeterminedError` with fewer than ten points a function, `MemoryLimitError`, and `KahlerConeError` where
    the metric is not positive.

    Parameters
    ----------
    metric : HermitianMetric
        A Kähler metric; for the Ricci-flat volume one that is nearly Ricci-flat.
    points : Points
        With the weights of dμ_Ω.
    degree : int or sequence of int
        k, or one k_i for each factor.
    symmetry : Symmetry, optional
        That leaves the h_j alone; the variety's unless given.
    """
    variety = metric.variety
    metric.check(points)
    forms = invariant_forms(variety, whole_degrees(variety, degree), symmetry or variety.symmetry)
    return with_controls(metric, points, forms, Lifts.orthonormal(points, metric))


def with_controls(metric: HermitianMetric, points: Points, forms: InvariantForms, lifts: Lifts) -> Quadrature:
    """The quadrature of the forms, with lifts of a frame that is orthonormal for the metric."""
    mass = points.mass * density_ratio(metric, points)
    return Quadrature.of(mass, points.line, laplacians(forms, lifts))


def laplacians(forms: InvariantForms, lifts: Lifts) -> np.ndarray:
    """Δh_j = 2 Σ_a (P_aā − Σ_i k_i |e_a|²_i P) of h_j = P_j/Π|z_i|^{2k_i} in an orthonormal frame, (P, J)."""
    rows = 1 + lifts.n
    require(8 * len(lifts) * forms.count * 2, f"{forms.count} control variates at {len(lifts)} points",
            "take fewer points or a lower degree")
    degrees = [int(forms.exponents[0, block].sum()) for block in lifts.ambient.blocks]
    index = partial_index(lifts.z.shape[1], 1)
    out = np.empty((len(lifts), forms.count))

    def work(s: slice) -> None:
        part = lifts[s]
        raw = np.empty((len(part), rows**2, forms.count))
        features(part.z, part.rows, index, forms.exponents, forms.group, forms.left, forms.right, forms.entry, raw)
        trace = np.trace(part.polarisation(degrees), axis1=1, axis2=2).real
        out[s] = 2 * (raw[:, 1:rows].sum(axis=1) - trace[:, None] * raw[:, 0])

    each(work, slices(len(lifts), _BLOCK))
    return out
