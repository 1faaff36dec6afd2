"""Random Kähler potentials on a hypersurface: Gaussian coefficients of the functions of a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core import hermitian
from geomflow.core.errors import InputError, ShapeError
from geomflow.core.memory import require
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import finite_number
from geomflow.core.threads import slices
from geomflow.fits.potential_span import KahlerKernel, PotentialSpan
from geomflow.fits.projective import ProjectiveInputs
from geomflow.kernels.ensemble import InfiniteEnsemble
from geomflow.kernels.series_kernel import SeriesKernel
from geomflow.variety import FubiniStudy, Points
from geomflow.variety.curvature_slopes import CurvatureSlopes

_BATCH = 8
"""Points at a time at which all functions have all derivatives."""


@final
@dataclass(frozen=True, eq=False)
class SpanPotentials(InNotebook):
    """φ = α Σ_m a_m ψ_m with a ~ N(0, 1), whose covariance is α²K of a kernel K = Σ_m ψ_m ψ_m; g = g_FS + ∂∂̄φ.

    These are wide networks on their features with the last layer trained, for the kernels that networks have. ∂∂̄φ is in
    a frame that is orthonormal for Fubini–Study. `of` takes as many ψ_m as the kernel has to rounding.

    Parameters
    ----------
    span : PotentialSpan
        The ψ_m, orthonormal in the kernel's space.
    amplitude : float
        α > 0; `PotentialEnsemble.cross_calibrated` finds the right one.
    """

    span: PotentialSpan
    amplitude: float = 1.0

    def __post_init__(self) -> None:
        if not finite_number(self.amplitude, "the amplitude") > 0:
            raise InputError(f"the amplitude of potentials is positive, and {self.amplitude:g} was given.")

    @classmethod
    def of(cls, kernel: KahlerKernel, centres: Points, kahler_class: Sequence[float] | None = None,
           tolerance: float = 1e-8) -> SpanPotentials:
        """Those of a kernel.

        Parameters
        ----------
        kernel : KahlerKernel
            K.
        centres : Points
            Where functions K(·, c) are taken, in no relation to what is learned later.
        kahler_class : sequence of float, optional
            The t_i of g_FS, 1 unless given.
        tolerance : float
            The variance that may be missing, relative to the largest.

        Notes
        -----
        Raises InputError where the centres do not exhaust the kernel: deviations elsewhere would be too small.
        """
        span = kernel.span(centres, kahler_class, tolerance)
        if span.size == len(centres):
            raise InputError(f"the kernel has more than the {len(centres)} functions of these centres to the tolerance "
                             f"{tolerance:g}: give more centres, a larger tolerance or a smoother kernel.")
        return cls(span)

    @cached_property
    def ensemble(self) -> InfiniteEnsemble:
        """Of the coefficients."""
        heights = np.full(self.size, self.amplitude**2)
        return InfiniteEnsemble(SeriesKernel(heights, heights))

    @property
    def size(self) -> int:
        """How many functions."""
        return self.span.size

    @property
    def dim(self) -> int:
        """n, of the hypersurface."""
        return self.span.variety.dim

    def values(self, x: Points) -> np.ndarray:
        """φ at points as linear forms, (p, m).

        Parameters
        ----------
        x : Points
            Of the hypersurface.
        """
        prepared = self.span.prepared(self._inputs(x))
        return np.stack([self.span.combine(prepared, unit)[0] for unit in np.eye(self.size)], axis=1)

    def hessians(self, x: Points) -> np.ndarray:
        """The packed ∂∂̄φ at points as linear forms, (p, n², m).

        Parameters
        ----------
        x : Points
            Of the hypersurface.
        """
        count = self.dim**2
        require(16.0 * len(x) * count * self.size, f"{count} linear forms of {self.size} functions at {len(x):,} "
                "points", "take fewer points")
        prepared = self.span.prepared(self._inputs(x))
        parts = [self.span.rows(prepared, np.tile(unit, (len(x), 1))) for unit in np.eye(count)]
        return np.stack(parts, axis=1)

    def metric(self, x: Points, hessian: np.ndarray) -> np.ndarray:
        """g_FS + ∂∂̄φ in local coordinates, (…, p, n, n), from the packed ∂∂̄φ in the frame.

        Parameters
        ----------
        x : Points
            Of the hypersurface.
        hessian : (..., p, n²) array
            ∂∂̄φ.
        """
        return self._inputs(x).metric(hessian)

    def lacking(self, x: Points, metrics: Any) -> np.ndarray:
        """The packed ∂∂̄φ, in the frame, of metrics in local coordinates, (p, n²).

        Parameters
        ----------
        x : Points
            Of the hypersurface.
        metrics : (p, n, n) array
            Hermitian.
        """
        given = np.asarray(metrics, dtype=complex)
        inverse, shape = np.linalg.inv(self._inputs(x).lower), (len(x), self.dim, self.dim)
        if given.shape != shape or not np.allclose(given, np.swapaxes(given, 1, 2).conj(), rtol=1e-10, atol=1e-12):
            raise ShapeError(f"the metrics are Hermitian matrices {shape}, and an array of shape {given.shape} was "
                             "given, or one that is not Hermitian.")
        return hermitian.pack(inverse @ given @ np.swapaxes(inverse.conj(), 1, 2) - np.eye(self.dim))

    def jets(self, x: Points, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(g_ab̄, ∂_c g_ab̄, ∂_c∂_d̄ g_ab̄) of one potential in local coordinates, as `PolarisedMetric.jets`.

        Parameters
        ----------
        x : Points
            Of the hypersurface.
        coefficients : (m,) array
            a.
        """
        known = FubiniStudy(self.span.variety, self.span.kahler_class).jets(x)
        own = self.span.jets(x, coefficients)
        return known[0] + own[0], known[1] + own[1], known[2] + own[2]

    def linearised(self, x: Points, slopes: CurvatureSlopes) -> np.ndarray:
        """Re(Σ C² ∂∂̄ψ + 2 C³ ∂∂∂̄ψ + C⁴ ∂∂∂̄∂̄ψ) at points as linear forms, (p, m).

        Parameters
        ----------
        x : Points
            Of the hypersurface.
        slopes : CurvatureSlopes
            C², C³ and C⁴.
        """
        parts = [slopes.at(rows).along(*self.span.every_jets(x[rows])) for rows in slices(len(x), _BATCH)]
        return np.concatenate([np.zeros((0, self.size)), *parts])

    def _inputs(self, x: Points) -> ProjectiveInputs:
        if not isinstance(x, Points) or not self.span.variety.same_as(x.variety):
            raise InputError(f"the potentials live on the {self.span.variety}: give points of it, X.sample(...).")
        return ProjectiveInputs.of(x, self.span.kahler_class)

    def __facts__(self) -> Facts:
        yield "functions", self.span
        yield "amplitude", self.amplitude
