"""Whether symmetries of a variety are symmetries of a metric too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import SymmetryError
from geomflow.variety.measures import log_ratio
from geomflow.variety.metric import HermitianMetric
from geomflow.variety.symmetry import Symmetry

if TYPE_CHECKING:
    from geomflow.variety.points import Points

_POINTS = 8
_SAME = 1e-6


def require_invariant(metric: HermitianMetric, points: Points, symmetry: Symmetry) -> None:
    """Raise `SymmetryError` where permutations, phases or conjugation change det g/|Ω|² at the first points."""
    probes = points[:_POINTS]
    z, here = probes.coordinates, log_ratio(metric, probes)
    draw = np.random.default_rng(0)
    turns = np.linalg.lstsq(symmetry.lattice.astype(float), draw.integers(0, 60, len(symmetry.lattice)), rcond=None)[0]
    images = {"a phase": z * np.exp(2j * np.pi * turns)}
    images |= {f"the permutation {g.tolist()}": z[:, g] for g in symmetry.generators[1:]}
    if symmetry.conjugation:
        images["conjugation"] = z.conj()
    for what, moved in images.items():
        change = float(np.abs(log_ratio(metric, metric.variety.points(moved)) - here).max())
        if not change < _SAME:
            raise SymmetryError(
                f"{what} keeps the variety but changes log v of the metric by {change:.3g}: give symmetry=, that of "
                "the metric, trivial_symmetry(N) if it has none"
            )
