"""The continuum's functional derivative on any points of a torus, from the network's exact derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.field.matrices import upper_pairs
from geomflow.flow.equation import Equation, composed
from geomflow.flow.equations.kahler import log_flat_volume
from geomflow.flow.problem import Violation
from geomflow.tangent.jetwise import Jetwise
from geomflow.tangent.loss import ContinuumLoss
from geomflow.tangent.sampled_loss import SampledLoss

if TYPE_CHECKING:
    from geomflow.networks.models.model import Model


@final
@dataclass(frozen=True, eq=False)
class PointLoss(ContinuumLoss):
    """The loss of a model at points (p, d) of its torus, descended by averages of the continuum's derivative.

    The functional must be local and free of a measure of its own. `sampled` is the sum over the same points.
    """

    sampled: SampledLoss

    @property
    def model(self) -> Model:  # type: ignore[override]
        """The model."""
        return self.sampled.model

    @property
    def points(self) -> np.ndarray:  # type: ignore[override]
        """The points, (p, d)."""
        return self.sampled.points

    @cached_property
    def _equation(self) -> Equation:
        return self.sampled.setting.descent.on(self.sampled.template)

    @cached_property
    def _rate(self) -> Jetwise:
        program = self._equation.program
        return Jetwise.of(program, composed(program), self.points, self.sampled.given)

    @cached_property
    def _scale(self) -> float:
        """The reference measure of the descent by dx."""
        if self.model.shape:
            return 1.0
        return 2.0 ** (self.points.shape[1] // 2) * float(np.exp(log_flat_volume(self.sampled.template)))

    def derivative(self, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """D at the points, or at those of the given rows."""
        jets = self.model.jets(parameters, self.chosen(rows), self._rate.order)
        packed = -self._rate(jets, rows) * self._scale
        if not self.model.shape:
            return packed[0]
        dim = self.points.shape[1]
        full = np.empty((packed.shape[1], dim, dim))
        for row, (i, j) in zip(packed, upper_pairs(dim), strict=True):
            full[:, i, j] = full[:, j, i] = row
        return full

    def observe(self, parameters: np.ndarray) -> dict[str, float]:
        """The monitors of the sum over the points."""
        return self.sampled.observe(parameters)

    def check(self, parameters: np.ndarray) -> Violation | None:
        """The point where the metric is not positive, if there is one."""
        return self.sampled.check(parameters)
