"""What a functional finds at a state: how it is realised there, what is given, and what is solved for.

Values, gradients, second variations and gradient flows at a state all stand on this.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, singledispatch
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.fields import Fields
from geomflow.field.fields_of import fields_of
from geomflow.field.matrices import require_positive
from geomflow.field.metric import POSITIVE_ADVICE, MetricField
from geomflow.field.potential import PotentialField, ReferenceForm, kahler_class, reference_rows, require_kahler
from geomflow.field.spectra import GroundState, ground_state_on
from geomflow.field.state import Field
from geomflow.symbolic.functionals.derived import DerivedFlow
from geomflow.symbolic.functionals.fields import FieldsDensity
from geomflow.symbolic.functionals.functional import Functional
from geomflow.symbolic.functionals.metric import MetricFunctional, ground_state
from geomflow.symbolic.functionals.potential import PotentialFunctional
from geomflow.symbolic.functionals.system import GradientSystem
from geomflow.symbolic.variation.metric_frame import LOG_MEASURE
from geomflow.symbolic.variation.metrics import DILATON
from geomflow.symbolic.variation.staged import Staged


@dataclass(frozen=True, eq=False)
class Setting(ABC):
    """A functional at a state.

    Parameters
    ----------
    functional : Functional
        E.
    state : Field
        On a grid.
    measure : optional
        The reference measure dm/dx, anything that ``grid.scalar`` takes.
    """

    functional: Any
    state: Any
    measure: Any = None

    @abstractmethod
    def require(self) -> None:
        """Raises InputError for a state that the functional is not of, PositivityError where it is not positive."""

    @property
    def options(self) -> dict[str, Any]:
        """The setting of `Functional.density_over`, `hessian_over` and `DerivedFlow.system`."""
        return {}

    @property
    def names(self) -> tuple[str, ...]:
        """The components of the packed state, as the functional calls them."""
        return tuple(self.state.component_names)

    @property
    def fields(self) -> dict[str, np.ndarray]:
        """All that the functional is of, by name: the components of the state, and what follows from it."""
        return dict(zip(self.names, self.state.pack(), strict=True))

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The components that the functional is varied by."""
        return tuple(self.functional.unknowns)

    @property
    def given(self) -> tuple[str, ...]:
        """The given functions of the density."""
        return ()

    def statics(self, names: Sequence[str] = ()) -> np.ndarray | None:
        """Given functions, (n, *grid); None for none.

        Parameters
        ----------
        names : sequence of str
            Those of a program.
        """
        return None

    @property
    def solved(self) -> GroundState | None:
        """What is solved for at each state, as a function of the packed state."""
        return None

    def require_unknowns(self) -> None:
        """Raises InputError for a state that lacks an unknown of the functional."""
        lacking = [name for name in self.unknowns if name not in self.fields or name not in self.names]
        if lacking:
            raise InputError(f"{self.functional.name} is varied by {', '.join(lacking)} too, which a "
                             f"{type(self.state).__name__} has not: give grid.fields(g=..., f=...).")

    def changed(self, rows: Mapping[str, np.ndarray]) -> Field:
        """A change of the state by its components."""
        found: Field = self.state.change(np.stack([rows[name] for name in self.names]))
        return found

    @property
    def density(self) -> Staged:
        """L with E = ∫ L d^dx."""
        density: Staged = self.functional.density_over(**self.options) if self.options else self.functional.density
        return density

    def system(self, flow: DerivedFlow) -> GradientSystem:
        """What a derived gradient flow of the functional computes here."""
        return flow.system(**self.options) if self.options else flow.flat

    def refuse_measure(self, names: Sequence[str]) -> None:
        """Raises InputError where a measure was given that nothing depends on: none of these given functions is it."""
        if self.measure is not None and LOG_MEASURE not in names and not self.measured:
            raise InputError(f"{self.functional.name} has no reference measure, and one was given: leave it out.")

    @property
    def measured(self) -> bool:
        """Whether f = log(dV/dm) is found beside the metric for an f that is an unknown."""
        return False

    def require_torus(self) -> None:
        """Raises InputError for a state over other coordinates."""
        wanted, found = self.functional.coordinates, self.state.grid.torus.coordinates
        if tuple(wanted) != tuple(found):
            raise InputError(f"{self.functional.name} was made over coordinates {', '.join(wanted)}, and the state "
                             f"lives on {self.state.grid.torus!r}: make it over the state's own torus.")


@final
@dataclass(frozen=True, eq=False)
class PotentialSetting(Setting):
    """A functional of a Kähler potential, over its reference form."""

    def require(self) -> None:
        """Raises InputError for what is no potential, PositivityError outside the Kähler cone."""
        if not isinstance(self.state, PotentialField):
            raise _other_kind(self, "a Kähler potential, grid.potential(...) on a ComplexTorus")
        self.require_torus()
        require_kahler(self.state)

    @cached_property
    def options(self) -> dict[str, Any]:
        """The reference metric and the numbers of its class."""
        return {"reference": ReferenceForm.of(self.state).nodes(), "kahler_class": kahler_class(self.state)}

    @property
    def given(self) -> tuple[str, ...]:
        """The components of a reference form that varies."""
        return ReferenceForm.of(self.state).static_names

    def statics(self, names: Sequence[str] = ()) -> np.ndarray | None:
        """The reference form, where it varies."""
        return reference_rows(self.state)


@final
@dataclass(frozen=True, eq=False)
class MetricSetting(Setting):
    """A functional of a metric, and of an f."""

    def require(self) -> None:
        """Raises InputError for another kind of state, PositivityError for a metric that is not positive."""
        functional, state = self.functional, self.state
        metric = state.moving.get("g") if isinstance(state, Fields) else state
        if not isinstance(metric, MetricField):
            raise _other_kind(self, "a metric, grid.metric(...) on a Torus")
        self.require_torus()
        if isinstance(state, Fields) and {*state.component_names} != {*self.unknowns}:
            raise InputError(f"{functional.name} is varied by {', '.join(self.unknowns)}, and the state's moving "
                             f"components are {', '.join(state.component_names)}.")
        require_positive(state.grid, metric.values, "the metric", POSITIVE_ADVICE)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The metric, and an f that is not solved for."""
        return tuple(n for n in self.functional.unknowns if n != DILATON or not self.functional.elliptic)

    @property
    def given(self) -> tuple[str, ...]:
        """log dm/dx, where f is log dV/dm."""
        return (LOG_MEASURE,) if self.functional.dilaton else ()

    def statics(self, names: Sequence[str] = ()) -> np.ndarray | None:
        """log dm/dx."""
        return log_measure(self.state, self.measure)[None] if LOG_MEASURE in names else None

    @cached_property
    def solved(self) -> GroundState | None:
        """The ground state's f."""
        if not self.functional.elliptic:
            return None
        elliptic = ground_state(self.functional.realisation(self.functional.new_algebra()).frame)
        return ground_state_on(elliptic, self.state.grid.torus.coordinates, self.state.grid)

    @property
    def measured(self) -> bool:
        """Whether f = log(dV/dm) is found beside the metric for an f that is an unknown."""
        return self.functional.dilaton is False and not self.functional.elliptic and isinstance(
            self.state, MetricField)

    @property
    def fields(self) -> dict[str, np.ndarray]:
        """The metric, and f: the state's, the ground state's, or log(dV/dm)."""
        found = super().fields
        if self.solved is not None:
            found[DILATON] = self.solved(self.state.pack())
        elif self.measured:
            found[DILATON] = np.log(self.state.volume_density().values) - log_measure(self.state, self.measure)
        return found


@final
@dataclass(frozen=True, eq=False)
class FieldsSetting(Setting):
    """A functional of fields by name, of which some may be still."""

    def require(self) -> None:
        """Raises InputError for fields that the state has not, PositivityError for a metric that is not positive."""
        self._parts  # noqa: B018

    @cached_property
    def _parts(self) -> dict[str, Field]:
        return fields_of(self.functional, self.state)

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the fields that move; a field alone is called as the functional calls it."""
        return tuple(own for name, part in self._moving.items() for own in part.names(name))

    @property
    def _moving(self) -> dict[str, Field]:
        return dict(self.state.moving) if isinstance(self.state, Fields) else self._parts

    @property
    def fields(self) -> dict[str, np.ndarray]:
        """The components of all fields of the functional."""
        rows = np.concatenate([part.pack() for part in self._parts.values()])
        return dict(zip(self.functional.unknowns, rows, strict=True))

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Those of its components that are not still."""
        return tuple(name for name in self.functional.unknowns if name in self.names)

    def statics(self, names: Sequence[str] = ()) -> np.ndarray | None:
        """The fields that a flow leaves as they are."""
        return np.stack([self.fields[name] for name in names]) if names else None

    def changed(self, rows: Mapping[str, np.ndarray]) -> Field:
        """The changes of those fields that move and have one."""
        found = {name: part.change(np.stack([rows[own] for own in part.names(name)]))
                 for name, part in self._parts.items() if name in self._moving and rows.keys() >= {*part.names(name)}}
        return Fields(self.state.grid, found) if isinstance(self.state, Fields) else next(iter(found.values()))


@singledispatch
def setting_of(functional: Functional, state: Field, measure: Any = None) -> Setting:
    """A functional at a state. What knows a kind of functional registers how."""
    raise InputError(f"{functional.name} is of no kind that is evaluated on grids.")


@setting_of.register(PotentialFunctional)
def _of_potential(functional: PotentialFunctional, state: Field, measure: Any = None) -> Setting:
    return PotentialSetting(functional, state, measure)


@setting_of.register(MetricFunctional)
def _of_metric(functional: MetricFunctional, state: Field, measure: Any = None) -> Setting:
    return MetricSetting(functional, state, measure)


@setting_of.register(FieldsDensity)
def _of_fields(functional: FieldsDensity, state: Field, measure: Any = None) -> Setting:
    return FieldsSetting(functional, state, measure)


def log_measure(state: Field, measure: Any) -> np.ndarray:
    """log dm/dx on the grid of a state, that of dx unless a measure is given; InputError where it is not positive."""
    density = state.grid.scalar(1 if measure is None else measure)
    if not density.min() > 0:
        raise InputError(f"the reference measure must be positive; its least density is {density.min():.6g}.")
    return np.asarray(np.log(density.values))


def _other_kind(setting: Setting, how: str) -> InputError:
    given = type(setting.state).__name__
    return InputError(f"{setting.functional.name} is a functional of {how}; a {given} was given.")
