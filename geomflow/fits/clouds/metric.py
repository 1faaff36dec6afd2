"""The metric that a flow on points makes: corrections of the components of Fubini–Study."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.hermitian import pack, unpack
from geomflow.fits.clouds.report import CloudMeasure, CloudReport
from geomflow.fits.clouds.sums import CloudSums
from geomflow.variety.density import sigma_of
from geomflow.variety.estimate import Estimate
from geomflow.variety.frames import in_patch, transition
from geomflow.variety.fubini_study import FubiniStudy
from geomflow.variety.metric import log_determinant

if TYPE_CHECKING:
    from geomflow.kernels.kernel import Kernel
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points


@final
@dataclass(frozen=True, eq=False)
class ComponentMetric:
    """g(x) = g_FS(x) + Σ_p K(x, x_p) c_p, with K acting on components in the one chart of the train points x_p.

    It is Hermitian, and neither closed nor positive everywhere: a kernel on components does not keep dω = 0.
    `coefficients` c (P, n, n) are minus the sum over the steps of rate times gradient. Points in another chart are
    evaluated in that of the train points, and g is transformed. `gv.sigma(metric, points)` works where it is positive;
    `measure` and `gain` work everywhere. `report` says how the flow went.
    """

    sums: CloudSums
    coefficients: np.ndarray
    report: CloudReport

    @property
    def points(self) -> Points:
        """The train points."""
        return self.sums.points

    @property
    def kernel(self) -> Kernel:
        """The kernel."""
        return self.sums.kernel

    @property
    def variety(self) -> Hypersurface:
        """The variety of the train points."""
        return self.points.variety

    @cached_property
    def _packed(self) -> np.ndarray:
        return pack(self.coefficients)

    def at(self, points: Points) -> np.ndarray:
        """g_{ab̄} in the local coordinates of the given points, (Q, n, n); matrix-free."""
        there = self._in_chart(points)
        g = self._there(there)
        if there is points:
            return g
        change = transition(points, there)
        return change @ g @ np.swapaxes(change.conj(), 1, 2)

    def log_determinant(self, points: Points) -> np.ndarray:
        """log det g_{ab̄}, (Q,); NaN where g is not positive."""
        return log_determinant(self.at(points))

    def measure(self, points: Points) -> CloudMeasure:
        """σ before and after on any points, unseen or moved by noise, and where positivity is lost."""
        there = self._in_chart(points)
        g, reference = self._there(there), FubiniStudy(self.variety).at(there)
        lost = int(np.isnan(log_determinant(g)).sum())
        return CloudMeasure(_sigma(reference, there), _sigma(g, there), lost, len(points))

    def gain(self, points: Points) -> float:
        """σ of Fubini–Study over σ of this metric on the same points: `measure(points).gain`."""
        return self.measure(points).gain

    def save(self, path: str | Path) -> None:
        """Write to an .npz file, points and kernel with it; see `load`."""
        from geomflow.fits.clouds.store import save_metric

        save_metric(self, path)

    @staticmethod
    def load(path: str | Path, kernel: Kernel | None = None) -> ComponentMetric:
        """Read what `save` wrote; StoreError. A kernel that is not made of plain numbers is to be given."""
        from geomflow.fits.clouds.store import load_metric

        return load_metric(path, kernel)

    def _there(self, points: Points) -> np.ndarray:
        return FubiniStudy(self.variety).at(points) + unpack(self.sums.at(points, self._packed))

    def _in_chart(self, points: Points) -> Points:
        """The points in the chart of the train points."""
        if str(points.variety.polynomial) != str(self.variety.polynomial):
            raise InputError(f"the metric is on the {self.variety}, the points on the {points.variety}.")
        patch, elim = self.points.patch[0], self.points.elim[0]
        if np.all(points.patch == patch) and np.all(points.elim == elim):
            return points
        return in_patch(points, patch, int(elim))

    def __repr__(self) -> str:
        return f"component metric on the {self.variety} from {len(self.points)} points, by {self.kernel!r}"


def _sigma(g: np.ndarray, points: Points) -> Estimate:
    """σ of any Hermitian matrices; infinite where they have no volume."""
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = np.linalg.det(g).real / points.omega2
        volume = points.weights @ ratio / points.weights.sum()
        if not (np.isfinite(volume) and volume > 0):
            return Estimate(np.inf, np.inf)
        return sigma_of(ratio, points)
