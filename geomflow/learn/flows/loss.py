"""The loss of a network's metric, and its gradient by the parameters.

With D^{kl} = δL/δg_kl, the functional derivative by dx of the loss L = loss·E of a functional,

    −∂L/∂θ_I = −∫ (∂g_kl(x)/∂θ_I) D^{kl}(x) dx

(Halverson and Ruehle, eqs. (2.2) and (2.6)); for potentials φ takes the place of g_kl. The integral is a mean over
points: those of a grid, on which D is computed with the grid's own derivatives, or any other points of the torus, at
which D is computed from the network's exact derivatives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.flow.problem import Violation

if TYPE_CHECKING:
    from geomflow.learn.models.model import Model
    from geomflow.symbolic.functionals import Functional


@dataclass(frozen=True)
class Setting:
    """A functional with what it leaves open: numbers for its parameters, and the reference measure dm/dx."""

    functional: Functional
    parameters: Mapping[str, float] = field(default_factory=dict)
    measure: Any = None

    def descent(self) -> Any:
        """Its descent in the L² metric of components, whose rate is −D by the reference measure."""
        from geomflow.flow.equations.derived import Descent

        return Descent(self.functional.gradient_flow("L2"), self.parameters, self.measure, forced=True)


class Loss(ABC):
    """The loss of a model on given points of its torus: a number, and a gradient by the parameters."""

    model: Model
    points: np.ndarray

    @abstractmethod
    def derivative(self, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """D at the points (or at those of the given rows): (p, d, d), or (p,) for a potential."""

    @abstractmethod
    def observe(self, parameters: np.ndarray) -> dict[str, float]:
        """The loss as "energy", and what else is watched."""

    @abstractmethod
    def check(self, parameters: np.ndarray) -> Violation | None:
        """Where the metric is not positive, if it is not somewhere."""

    @cached_property
    def volume(self) -> float:
        """The volume ∫dx of the torus."""
        return float(self.model.torus.cell_volume)

    def descent(self, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """−∂L/∂θ, shape (n_parameters,), with the integral as a mean over all points or over the given rows."""
        points = self.points if rows is None else self.points[rows]
        weight = self.volume / len(points)
        return -weight * self.model.vjp(parameters, points, self.derivative(parameters, rows))
