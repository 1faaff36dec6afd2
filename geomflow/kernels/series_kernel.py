"""Series of functions with independent random coefficients: the covariance of what is linear in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.kernels.kernel import Kernel


@final
@dataclass(frozen=True, eq=False)
class SeriesKernel(Kernel):
    """K(u, v) = Σ_m h_m u_m v_m of linear forms u, v of φ = Σ_m a_m ψ_m, whose coefficients have the variances h_m.

    A linear form is the row u_m of its values on the ψ_m: φ at a point, a component of its complex Hessian there, and
    the like. So that everything that is known of networks at points is known of their derivatives.

    Parameters
    ----------
    heights : (m,) array
        h of the tangent kernel, not negative.
    prior : (m,) array
        That of the covariance before training.
    """

    heights: np.ndarray
    prior: np.ndarray

    def __post_init__(self) -> None:
        for name in ("heights", "prior"):
            found = np.array(getattr(self, name), dtype=float)
            if found.ndim != 1 or not (np.isfinite(found) & (found >= 0)).all():
                raise InputError(f"the {name} of a series are finite numbers >= 0, one for each function.")
            object.__setattr__(self, name, found)
        if self.heights.shape != self.prior.shape:
            raise ShapeError(f"a series has {len(self.heights)} heights and {len(self.prior)} variances.")

    @property
    def covariance(self) -> SeriesKernel:
        """That of the coefficients before training."""
        return SeriesKernel(self.prior, self.prior)

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """K of linear forms (p, m) and (q, m), (p, q)."""
        if not x.shape[1] == y.shape[1] == len(self.heights):
            raise ShapeError(f"linear forms of {x.shape[1]} and {y.shape[1]} numbers do not fit a series of "
                             f"{len(self.heights)} functions.")
        found: np.ndarray = (x * self.heights) @ y.T
        return found

    def diagonal(self, x: Any) -> np.ndarray:
        """Σ h u², (p,)."""
        return np.asarray(self.read(x) ** 2 @ self.heights)
