"""Gradients and the inner products by which they give slopes: ⟨grad E, h⟩ = dE(h)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geomflow.core.errors import InputError, ShapeError, require_known
from geomflow.field import Field, MetricField, PotentialField
from geomflow.field.setting import setting_of
from geomflow.flow.equations import Descent
from geomflow.symbolic.functionals import Functional
from geomflow.symbolic.variation.metrics import DILATON
from geomflow.testing.directions import moved, packed

Pairing = Callable[[Any, np.ndarray, np.ndarray], float]
"""From a state, a gradient and a direction, both of the shape of its values, to a number."""


def flat_pairing(state: Any, gradient: np.ndarray, direction: np.ndarray, density: Any = 1.0) -> float:
    """∫Σ G H w dx over components, for potentials against dμ_Ω; Σ G H for arrays."""
    if not isinstance(state, Field):
        return float(np.sum(gradient * direction))
    terms = (gradient * np.conj(direction)).real.reshape(*state.grid.shape, -1).sum(axis=-1)
    whole = state.volume() if isinstance(state, PotentialField) else state.grid.torus.cell_volume
    return float(np.mean(terms * density) * whole)


def metric_pairing(state: Any, gradient: np.ndarray, direction: np.ndarray, density: Any = None) -> float:
    """∫⟨G, H⟩_g dV of two symmetric tensors, or against another density by dx."""
    inverse = np.linalg.inv(state.values)
    square = np.einsum("...ij,...jk,...kl,...li->...", inverse, gradient, inverse, direction)
    weight = state.volume_density().values if density is None else density
    return float(np.mean(square * weight) * state.grid.torus.cell_volume)


def mabuchi_pairing(state: Any, gradient: np.ndarray, direction: np.ndarray) -> float:
    """∫ηψ dμ of the metric of a potential."""
    return float(np.mean(gradient * direction * state.volume_density().values) * state.grid.torus.cell_volume)


def dirichlet_pairing(state: Any, gradient: np.ndarray, direction: np.ndarray) -> float:
    """∫⟨∂η, ∂ψ⟩ dμ = −½∫ηΔψ dμ."""
    return -mabuchi_pairing(state, gradient, state.laplacian(direction).values) / 2


PAIRINGS: dict[str, tuple[Pairing, type | None]] = {
    "L2": (flat_pairing, None),
    "ebin": (metric_pairing, MetricField),
    "mabuchi": (mabuchi_pairing, PotentialField),
    "dirichlet": (dirichlet_pairing, PotentialField),
}
"""Inner products by name, and the states that have them, None for all."""


@dataclass(frozen=True)
class Claim:
    """What is said to be the slope of an energy: gradients that add up, by name, and the inner product."""

    gradients: Mapping[str, Callable[[Any], Any]]
    inner: Pairing

    @staticmethod
    def of(gradient: Any, inner: str | Pairing) -> Claim:
        """A user's own: a function of the state, or several by name whose sum it is."""
        if isinstance(inner, str):
            require_known("inner product", inner, PAIRINGS)
            pairing, kind = PAIRINGS[inner]
            inner = _for_states(inner, pairing, kind) if kind else pairing
        return Claim(gradient if isinstance(gradient, Mapping) else {"gradient": gradient}, inner)

    def at(self, state: Any) -> Callable[[np.ndarray], np.ndarray]:
        """From a direction, packed, to the slope that each of the gradients gives; and `.size` bounds them."""
        values = [shaped(state, gradient(state), name) for name, gradient in self.gradients.items()]

        def slopes(direction: np.ndarray) -> np.ndarray:
            along = _values(state, direction)
            return np.array([self.inner(state, g, along) for g in values])

        return slopes


def _for_states(name: str, pairing: Pairing, kind: type) -> Pairing:
    def checked(state: Any, gradient: np.ndarray, direction: np.ndarray) -> float:
        if not isinstance(state, kind):
            raise InputError(f'the inner product "{name}" is one of a {kind.__name__}, and the state is a '
                             f"{type(state).__name__}: give \"L2\", or a function of (state, gradient, direction).")
        return pairing(state, gradient, direction)

    return checked


def _values(state: Any, rows: np.ndarray) -> np.ndarray:
    """Packed rows in the shape of the state's values."""
    return moved(state, rows).values if isinstance(state, Field) else rows


def shaped(state: Any, given: Any, name: str = "gradient") -> np.ndarray:
    """What a user's function returned, in the shape of the state's values.

    Raises ShapeError for another shape.
    """
    found = np.asarray(getattr(given, "values", given))
    whole = np.asarray(state.values if isinstance(state, Field) else state)
    if isinstance(state, Field) and found.shape == packed(state).shape != whole.shape:
        return _values(state, found)
    if found.shape != whole.shape:
        raise ShapeError(f"the {name} at a state has shape {found.shape}, and the state's values {whole.shape}.")
    return found


@dataclass(frozen=True)
class Derived:
    """The gradient of a functional in a metric, as it is derived, and that metric's inner product."""

    functional: Functional
    metric: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def claim(self) -> Claim:
        """Its gradient and inner product as functions of the state."""
        return Claim({"gradient": self.gradient}, self.pairing)

    def flow(self) -> Descent:
        """The descent, also where it is ill-posed."""
        return Descent(self.functional.gradient_flow(self.metric), forced=True, **self.options)

    def gradient(self, state: Any) -> np.ndarray:
        """grad E, in the shape of the state's values."""
        return np.asarray(self.functional.gradient(state, self.metric, **self.options).values)

    def pairing(self, state: Any, gradient: np.ndarray, direction: np.ndarray) -> float:
        """The inner product that is descended in."""
        if isinstance(state, PotentialField):
            return PAIRINGS[self.metric][0](state, gradient, direction)
        if self.metric == "ebin":
            return metric_pairing(state, gradient, direction)
        density = self._measure(state)
        act = flat_pairing if self.metric == "L2" else metric_pairing
        return act(state, gradient, direction, density)

    def _measure(self, state: MetricField) -> Any:
        """dm/dx: e^{−f}√det g with the ground state's f, or the reference measure."""
        dilaton = getattr(self.functional, "dilaton", None)
        if dilaton is not False:
            given = self.options.get("measure")
            return 1.0 if given is None or not dilaton else state.grid.scalar(given).values
        if self.metric == "L2":
            return 1.0
        return np.exp(-setting_of(self.functional, state).fields[DILATON]) * state.volume_density().values
