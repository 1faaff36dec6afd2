"""The continuum's functional derivative on a grid: any functional, differentiated as the grid differentiates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.field import PotentialField
from geomflow.field.matrices import unpack_symmetric
from geomflow.flow.equations.kahler import log_flat_volume
from geomflow.flow.problem import Problem, Violation
from geomflow.tangent.loss import ContinuumLoss, Setting

if TYPE_CHECKING:
    from geomflow.field.grid import Grid
    from geomflow.field.state import Field
    from geomflow.networks.models.model import Model


@final
@dataclass(frozen=True, eq=False)
class GridLoss(ContinuumLoss):
    """The loss of a model whose metric is sampled on a grid, descended by the grid's functional derivative.

    `start` is the model's field at the parameters where the flow starts.
    """

    setting: Setting
    model: Model
    start: Field

    @property
    def grid(self) -> Grid:
        """The grid."""
        return self.start.grid

    @cached_property
    def points(self) -> np.ndarray:
        """The points of the grid, (P, d), the last coordinate running fastest."""
        return self.grid.points().reshape(-1, self.grid.dim)

    @cached_property
    def _problem(self) -> Problem:
        return self.setting.descent.bind(self.start)

    @cached_property
    def _density(self) -> np.ndarray | float:
        """The reference measure of the descent by dx."""
        if isinstance(self.start, PotentialField):
            return 2.0 ** (self.grid.dim // 2) * float(np.exp(log_flat_volume(self.start)))
        measure = self.setting.measure
        return 1.0 if measure is None else self.grid.scalar(measure).values

    def packed(self, parameters: np.ndarray) -> np.ndarray:
        """The model's field at the parameters, (ncomp, *grid)."""
        values = self.model.values(parameters, self.points)
        return type(self.start).pack(_with_values(self.start, values))

    def derivative(self, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """D at the points of the grid, or at those of the given rows."""
        packed = self.packed(parameters)
        rate = np.empty_like(packed)
        self._problem.rate(0.0, packed, rate)
        full = -self._density * rate
        if isinstance(self.start, PotentialField):
            flat = full.reshape(-1)
        else:
            dim = self.grid.dim
            flat = unpack_symmetric(full, dim).reshape(-1, dim, dim)
        return flat if rows is None else flat[rows]

    def observe(self, parameters: np.ndarray) -> dict[str, float]:
        """The monitors of the functional's own descent, but for its dissipation."""
        assert self._problem.observe is not None
        found = dict(self._problem.observe(0.0, self.packed(parameters)))
        found.pop("dissipation", None)
        return found

    def check(self, parameters: np.ndarray) -> Violation | None:
        """The grid point where the metric is not positive, if there is one."""
        assert self._problem.check is not None
        return self._problem.check(0.0, self.packed(parameters))


def _with_values(field: Field, values: np.ndarray) -> Field:
    """The field of the same kind with other values, (P, ...) in the order of the grid's points."""
    from dataclasses import replace

    return replace(field, values=values.reshape(field.values.shape))
