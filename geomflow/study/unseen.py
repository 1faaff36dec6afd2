"""Test gains of metrics of any kind, on points that no fit has seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from geomflow.core.outcome import OutcomeKind
from geomflow.variety import FubiniStudy, Points
from geomflow.variety.density import sigma_of


def unseen_gain(metric: Any, points: Points) -> tuple[float, int]:
    """σ of Fubini–Study over that of `metric` on the same points, and at how many of them g is not positive.

    Where it is not, det g still enters σ, so that a metric that fails has a low gain and not none.
    """
    g, study = metric.at(points), FubiniStudy(points.variety).at(points)
    lost = int(np.count_nonzero(np.linalg.eigvalsh(g)[:, 0] <= 0))
    before, after = (sigma_of(np.linalg.det(h).real / points.omega2, points) for h in (study, g))
    return float(before) / float(after), lost


def uninterrupted(metric: Any) -> Any:
    """The metric, or Ctrl-C passed on where its fit took one as its outcome: half a fit is no row of a study."""
    if metric.report.outcome.kind == OutcomeKind.interrupted:
        raise KeyboardInterrupt
    return metric


def geometric(values: Any) -> tuple[float, float]:
    """The geometric mean, and the factor of one standard error of it (one for a single value)."""
    logs = np.log(np.asarray(values, dtype=float))
    error = logs.std(ddof=1) / np.sqrt(len(logs)) if len(logs) > 1 else 0.0
    return float(np.exp(logs.mean())), float(np.exp(error))
