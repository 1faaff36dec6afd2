"""What can be drawn of a state: an array on the grid with its label and neutral value, and a scale of colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError, PositivityError, UnknownNameError

if TYPE_CHECKING:
    from geomflow.field.state import Field


@dataclass(frozen=True)
class Quantity:
    """An array on a grid, its label, and the value drawn in the neutral colour, if one is neutral at all states."""

    values: np.ndarray
    label: str
    centre: float | None = 0.0


def _curvature(state: Any) -> Quantity:
    label = "scalar curvature $R$"
    try:
        return Quantity(state.scalar().values, label)
    except PositivityError:  # what is no metric has no curvature
        return Quantity(np.full(state.grid.shape, np.nan), label)


def _potential(state: Any) -> Quantity:
    return Quantity(state.values - state.values.mean(), r"potential $\varphi - \langle\varphi\rangle$")


def _density(state: Any) -> Quantity:
    return Quantity(state.density().values, "density $v$", centre=1.0)


def _values(state: Any) -> Quantity:
    return Quantity(state.values, "values", centre=None)


_BY_KIND: dict[str, dict[str, Callable[[Any], Quantity]]] = {
    "PotentialField": {"scalar curvature": _curvature, "potential": _potential, "density": _density},
    "HermitianField": {"scalar curvature": _curvature},
    "MetricField": {"scalar curvature": _curvature},
    "ScalarField": {"values": _values},
}


def tex(name: str) -> str:
    """A component or coordinate name in TeX.

    >>> tex("g_xy"), tex("x2"), tex("w")
    ('g_{xy}', 'x_{2}', 'w')
    """
    head, rest = name[0], name[1:].removeprefix("_")
    return f"{head}_{{{rest}}}" if rest else head


def drawable(state: Any) -> Field:
    """The state as a field on a grid: itself, or the field that the state of a network represents.

    Raises InputError for anything that is no field on a grid.
    """
    field: Any = state if type(state).__name__ in _BY_KIND else getattr(state, "field", lambda: None)()
    if type(field).__name__ not in _BY_KIND:
        raise InputError(f"a picture needs a field on a grid, such as grid.metric(...), and {state!r} was given.")
    found: Field = field
    return found


def quantity_names(state: Any) -> list[str]:
    """Names of what can be drawn of a state, the most telling first; components such as "g_xy" follow."""
    state = drawable(state)
    kind = type(state).__name__
    components = [] if kind in ("PotentialField", "ScalarField") else list(state.component_names)
    return [*_BY_KIND[kind], *components]


def quantity(state: Any, name: str | None = None) -> Quantity:
    """The quantity of a state with this name; the first of `quantity_names` unless given.

    Raises `UnknownNameError` for a name that the state does not have, InputError for what is no field on a grid.
    """
    state = drawable(state)
    names = quantity_names(state)
    chosen = names[0] if name is None else name
    if chosen not in names:
        raise UnknownNameError.among("quantity to draw", chosen, names)
    makers = _BY_KIND[type(state).__name__]
    if chosen in makers:
        return makers[chosen](state)
    component = state.pack()[list(state.component_names).index(chosen)]
    return Quantity(component, f"${tex(chosen)}$", centre=None)


@dataclass(frozen=True)
class Scale:
    """Colours over centre ± limit; `cut` where some finite value lies beyond."""

    centre: float
    limit: float
    cut: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest value that has a colour of its own."""
        return self.centre - self.limit, self.centre + self.limit


def scale_of(quantities: Iterable[Quantity], limit: float | None = None) -> Scale:
    """The scale of quantities of one kind: their neutral value, or the mean of all where they have none, ± `limit`.

    `limit` is the largest finite distance from it unless given; 1 where all are constant to rounding, or not finite.
    """
    low, high, total, count, centre = np.inf, -np.inf, 0.0, 0, None
    for item in quantities:
        finite = item.values[np.isfinite(item.values)]
        centre = item.centre
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
            total, count = total + float(finite.sum()), count + finite.size
    if centre is None:
        centre = total / count if count else 0.0
    distance = max(high - centre, centre - low)
    room = distance if count and distance > 1e-12 * max(1.0, abs(centre)) else 1.0
    return Scale(centre, room) if limit is None else Scale(centre, limit, bool(distance > limit))
