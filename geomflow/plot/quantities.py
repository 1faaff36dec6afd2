"""What can be drawn of a state: an array on the grid with its label and neutral value, and a scale of colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError, PositivityError, require_known

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
    """Names of what can be drawn of a state, the most telling first; components such as "g_xy" follow.

    Parameters
    ----------
    state : Field
        A field on a grid, or the state of a network that is one.
    """
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
    require_known("quantity to draw", chosen, names)
    makers = _BY_KIND[type(state).__name__]
    if chosen in makers:
        return makers[chosen](state)
    component = state.pack()[list(state.component_names).index(chosen)]
    return Quantity(component, f"${tex(chosen)}$", centre=None)


#: How many times the largest value of the middle state the largest of all is where a run blows up.
BLOWN_UP = 30.0
#: The share of a state's values that have a colour of their own then.
KEPT = 0.98


@dataclass(frozen=True)
class Scale:
    """Colours over centre ± limit; `extreme` is the finite value farthest from the centre."""

    centre: float
    limit: float
    extreme: float

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest value that has a colour of its own."""
        return self.centre - self.limit, self.centre + self.limit

    @property
    def cut(self) -> bool:
        """Whether some finite value lies beyond."""
        return abs(self.extreme - self.centre) > self.limit

    @property
    def note(self) -> str:
        """A line for labels, where colours are cut: how far values go."""
        return f"\ncolours cut, values reach {self.extreme:.2g}" if self.cut else ""


def scale_of(quantities: Iterable[Quantity], limit: float | None = None) -> Scale:
    """The scale of a quantity at several states: around its neutral value, or where it has none around the median of
    the states' means, ± `limit`.

    Unless given, `limit` is the largest finite distance from there, or 1 where all are constant to rounding or not
    finite. At a blow-up, where that is more than 30 times the largest of the middle state, one value would leave all
    others without colour. Then `limit` is the largest 98 % quantile of a state, without states that lie 30 times as far
    off as the middle one.
    """
    rows, centre = [], None
    for item in quantities:
        finite = item.values[np.isfinite(item.values)]
        centre = item.centre
        if finite.size:
            middle = finite.mean() if centre is None else centre
            rows.append((finite.min(), finite.max(), middle, np.quantile(np.abs(finite - middle), KEPT)))
    if not rows:
        return Scale(centre or 0.0, limit or 1.0, centre or 0.0)
    low, high, middles, usual = np.array(rows, dtype=float).T
    centre = float(np.median(middles))
    far = np.maximum(high - centre, centre - low)
    place = int(np.argmax(far))
    extreme = float(high[place] if high[place] - centre >= centre - low[place] else low[place])
    room = _telling(far, usual) if far[place] > 1e-12 * max(1.0, abs(centre)) else 1.0
    return Scale(centre, limit or room, extreme)


def _telling(far: np.ndarray, usual: np.ndarray) -> float:
    """The largest distance of all states, or at a blow-up that of most values of those before."""
    typical = float(np.quantile(far, 0.5, method="lower"))
    if far.max() <= BLOWN_UP * typical or not typical > 1e-12 * far.max():
        return float(far.max())
    before = usual[usual <= BLOWN_UP * max(float(np.quantile(usual, 0.5, method="lower")), 0.0)]
    return float(before.max()) or typical
