"""The loss of a network's metric, and its gradient by the parameters.

A loss is a number made of the network at points, eqs. (2.3)-(2.5) of Halverson and Ruehle. What is descended is the
gradient of that number: the network's input derivatives at the points are exact, and so is their derivative by the
parameters. Where this cannot be had, or where the flow of the continuum is what one wants to see, `Continuum` takes
averages of the continuum's functional derivative instead, eq. (2.6); on a grid, of any functional, as the grid
differentiates.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core import symmetric
from geomflow.core.errors import InputError
from geomflow.field import Field, Grid, PotentialField
from geomflow.flow.equations.derived import Descent
from geomflow.flow.equations.kahler import log_flat_volume
from geomflow.flow.problem import Problem, Violation
from geomflow.networks.model import Model
from geomflow.symbolic.functionals import Functional


@final
@dataclass(frozen=True)
class Continuum:
    """A functional to be descended by averages of the continuum's functional derivative, not as a sum over points.

    With D^{kl} = δL/δg_kl, the functional derivative by dx of L = factor·E (by parts, before anything is sampled),

        −∂L/∂θ_I ≈ −(Vol/|B|) Σ_{x∈B} (∂g_kl(x)/∂θ_I) D^{kl}(x)

    (Halverson and Ruehle, eq. (2.6)); for potentials φ takes the place of g_kl. It is what a `KernelFlow` of the
    network's tangent kernel follows. On a grid D is computed with the grid's own derivatives, elsewhere from the
    network's exact ones. It is not the gradient of the energy that the points give but differs from it by the error of
    the quadrature, so that on few points the energy may rise: ``GradientFlow(Continuum(functional), model)``.

    Raises InputError for what is no functional.

    Parameters
    ----------
    functional : Functional
        E.
    """

    functional: Functional

    def __post_init__(self) -> None:
        if isinstance(checked_functional(self.functional), Continuum):
            raise InputError("Continuum takes a functional, and was given a Continuum.")

    @property
    def name(self) -> str:
        """The functional's name, with how it is descended."""
        return f"{self.functional.name}-continuum"


def checked_functional(given: Any, what: str = "Continuum") -> Functional | Continuum:
    """The functional itself, or InputError that says what needs one."""
    from geomflow.symbolic.functionals import Functional

    if not isinstance(given, Functional | Continuum):
        raise InputError(f"{what} needs a functional such as gf.functionals.KEnergy(torus), not {given!r}.")
    return given


@dataclass(frozen=True)
class PosedFunctional:
    """A functional with what it leaves open: numbers for its parameters, and the reference measure dm/dx."""

    functional: Functional
    parameters: Mapping[str, float] = field(default_factory=dict)
    measure: Any = None

    @property
    def descent(self) -> Descent:
        """Its descent in the L² metric of components, whose rate is −D by the reference measure."""
        from geomflow.flow.equations.derived import Descent

        return Descent(self.functional.gradient_flow("L2"), self.parameters, self.measure, forced=True)


class Loss(ABC):
    """The loss of a model on given points of its torus: a number, and a gradient by the parameters."""

    model: Model
    points: np.ndarray

    def descent(self, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """−∂L/∂θ, shape (n_parameters,), of the loss on all points or on the given rows.

        That on all points is kept until other parameters come: a step and those who watch it ask for the same one.
        """
        if rows is not None:
            return self._descent(parameters, rows)
        key = parameters.tobytes()
        if key not in self._kept:
            self._kept.clear()
            self._kept[key] = self._descent(parameters)
        return self._kept[key]

    @cached_property
    def _kept(self) -> dict[bytes, np.ndarray]:
        return {}

    @abstractmethod
    def _descent(self, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """−∂L/∂θ, worked out."""

    @abstractmethod
    def observe(self, parameters: np.ndarray) -> dict[str, float]:
        """The loss on all points as "energy", and what else is watched."""

    @abstractmethod
    def check(self, parameters: np.ndarray) -> Violation | None:
        """Where the metric is not positive, if it is not somewhere."""

    @cached_property
    def volume(self) -> float:
        """The volume ∫dx of the torus."""
        return float(self.model.torus.cell_volume)

    def chosen(self, rows: np.ndarray | None) -> np.ndarray:
        """All points, or those of the given rows."""
        return self.points if rows is None else self.points[rows]


class ContinuumLoss(Loss):
    """A loss that is descended by averages of the continuum's functional derivative; see `Continuum`."""

    @abstractmethod
    def derivative(self, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """D at the points (or at those of the given rows): (p, d, d), or (p,) for a potential."""

    def _descent(self, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """−∫ (∂g_kl/∂θ) D^{kl} dx, the integral as a mean over all points or over the given rows."""
        points = self.chosen(rows)
        weight = self.volume / len(points)
        return -weight * self.model.vjp(parameters, points, self.derivative(parameters, rows))


@final
@dataclass(frozen=True, eq=False)
class GridLoss(ContinuumLoss):
    """The loss of a model whose metric is sampled on a grid, descended by the grid's functional derivative.

    `start` is the model's field at the parameters where the flow starts.
    """

    posed: PosedFunctional
    model: Model
    start: Field

    @property
    def grid(self) -> Grid:
        """The grid."""
        return self.start.grid

    @cached_property
    def points(self) -> np.ndarray:  # type: ignore[override]
        """The points of the grid, (P, d), the last coordinate running fastest."""
        return self.grid.points().reshape(-1, self.grid.dim)

    @cached_property
    def _problem(self) -> Problem:
        return self.posed.descent.bind(self.start)

    @cached_property
    def _density(self) -> np.ndarray | float:
        """The reference measure of the descent by dx."""
        if isinstance(self.start, PotentialField):
            return 2.0 ** (self.grid.dim // 2) * float(np.exp(log_flat_volume(self.start)))
        measure = self.posed.measure
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
            flat = symmetric.unpack(full, dim).reshape(-1, dim, dim)
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
    other: Any = field  # every field is a dataclass
    return replace(other, values=values.reshape(field.values.shape))
