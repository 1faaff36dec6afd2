"""What can be drawn of a state: an array on the grid with its label and neutral value, and a scale of colours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError, PositivityError, require_known

if TYPE_CHECKING:
    from geomflow.field.state import Field


EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Quantity:
    """An array on a grid, its label, and the value drawn in the neutral colour, if one is known beforehand."""

    values: np.ndarray
    label: str
    centre: float | None = 0.0
    floor: float = 0.0
    """Rounding in what the values were computed from."""

    @cached_property
    def finite(self) -> np.ndarray:
        """The values that are numbers, in a row."""
        found: np.ndarray = self.values[np.isfinite(self.values)]
        return found

    @cached_property
    def middle(self) -> float:
        """The neutral value: the centre, or zero where the values reach or nearly reach it, or the mean."""
        if self.centre is not None:
            return self.centre
        return 0.0 if _about_zero(self.finite.min(), self.finite.max()) else float(self.finite.mean())

    @cached_property
    def reach(self) -> float:
        """The largest distance from the neutral value; 0 where there are no finite values."""
        return float(np.abs(self.finite - self.middle).max()) if self.finite.size else 0.0

    @cached_property
    def rounding(self) -> float:
        """What differs by no more is a constant to rounding."""
        return max(self.floor, _rounding(self.finite)) if self.finite.size else self.floor

    @property
    def constant(self) -> bool:
        """Whether there is nothing to see but a constant."""
        return self.finite.size > 0 and float(np.ptp(self.finite)) <= self.rounding


def _about_zero(low: float, high: float) -> bool:
    """Whether zero lies among values, or beside them by no more than an eighth of their range."""
    return bool(max(low, -high) <= (high - low) / 8)


def _rounding(values: np.ndarray) -> float:
    return 8 * EPSILON * float(np.abs(values).max())


def _curvature(state: Any) -> Quantity:
    return _curved(state, "scalar curvature $R$", "scalar")


def _chern_curvature(state: Any) -> Quantity:
    return _curved(state, "Chern's scalar curvature", "chern_scalar")


def _curved(state: Any, label: str, method: str) -> Quantity:
    finest = min(state.grid.spacing)  # second derivatives magnify rounding by 1/h²
    try:
        return Quantity(getattr(state, method)().values, label, floor=EPSILON * (np.pi / finest) ** 2)
    except PositivityError:  # what is no metric has no curvature
        return Quantity(np.full(state.grid.shape, np.nan), label)


def _potential(state: Any) -> Quantity:
    label = r"potential $\varphi - \langle\varphi\rangle$"
    return Quantity(state.values - state.values.mean(), label, floor=_rounding(state.values))


def _density(state: Any) -> Quantity:
    return Quantity(state.density().values, "density $v$", centre=1.0)


def _values(state: Any) -> Quantity:
    return Quantity(state.values, "values", centre=None)


_BY_KIND: dict[str, dict[str, Callable[[Any], Quantity]]] = {
    "PotentialField": {"scalar curvature": _curvature, "potential": _potential, "density": _density},
    "HermitianField": {"scalar curvature": _chern_curvature},
    "MetricField": {"scalar curvature": _curvature},
    "ScalarField": {"values": _values},
    "FormField": {},
    "SymmetricField": {},
    "TensorField": {},
}
_ALONE = ("PotentialField", "ScalarField")
"""What has no components."""


def tex(name: str) -> str:
    """A component or coordinate name in TeX.

    >>> print(tex("g_xy"), tex("g_x1x2"), tex("x2"), tex("w"), tex("phi"))
    g_{xy} g_{x_1x_2} x_{2} w \\phi
    """
    import sympy

    return re.sub(r"(?<=[a-z])(\d)", r"_\1", str(sympy.latex(sympy.Symbol(name))))


def drawable(state: Any) -> Field:
    """The state as a field on a grid: itself, or the field that the state of a network represents.

    Raises InputError for anything that is no field on a grid.
    """
    known = (*_BY_KIND, "Fields")
    field: Any = state if type(state).__name__ in known else getattr(state, "field", lambda: None)()
    if type(field).__name__ not in known:
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
    return list(_makers(drawable(state)))


def quantity(state: Any, name: str | None = None) -> Quantity:
    """The quantity of a state with this name; the first of `quantity_names` unless given.

    Raises `UnknownNameError` for a name that the state does not have, InputError for what is no field on a grid.
    """
    makers = _makers(drawable(state))
    chosen = next(iter(makers)) if name is None else name
    require_known("quantity to draw", chosen, makers)
    return makers[chosen]()


Makers = dict[str, Callable[[], Quantity]]


def _makers(field: Any) -> Makers:
    """What can be drawn of a field, by name."""
    if type(field).__name__ == "Fields":
        return _makers_of_parts(field)
    return _telling(field) | _components(field, field.called)


def _makers_of_parts(fields: Any) -> Makers:
    """Of several fields: one quantity of each, those that move first, then all others."""
    each = []
    for name, part in {**fields.moving, **fields.parts}.items():
        alone = {name: partial(_named, part, name)} if type(part).__name__ == "ScalarField" else {}
        own = {f"{word} of {name}": make for word, make in _telling(part).items()}
        each.append(list((alone or own | _components(part, name)).items()))
    return dict([makers[0] for makers in each] + [maker for makers in each for maker in makers[1:]])


def _telling(field: Any) -> Makers:
    """What a field of its kind is looked at by."""
    return {name: partial(make, field) for name, make in _BY_KIND[type(field).__name__].items()}


def _components(field: Any, name: str) -> Makers:
    """The components of a field of this name."""
    if type(field).__name__ in _ALONE:
        return {}
    return {own: partial(_component, field, place, own) for place, own in enumerate(field.names(name))}


def _component(field: Any, place: int, name: str) -> Quantity:
    return Quantity(field.pack()[place], f"${tex(name)}$", centre=None)


def _named(field: Any, name: str) -> Quantity:
    return replace(_values(field), label=f"${tex(name)}$")


#: How many times the largest value of the middle state the largest of all is where a run blows up.
BLOWN_UP = 30.0
#: The share of a state's values that have a colour of their own then.
KEPT = 0.98
#: A panel whose values reach over less than this share of the colours looks blank.
FAINT = 1 / 12


@dataclass(frozen=True)
class Scale:
    """Colours over centre ± limit, of finite values from `low` to `high`."""

    centre: float
    limit: float
    low: float
    high: float
    own: bool = False
    """Whether it is that of one panel alone, because in one for all some panel would be blank."""

    @property
    def range(self) -> str:
        """From where to where it goes, in TeX: ±0.02, 1 ± 3 × 10⁻⁷; the centre to the last digit of the limit."""
        digits = 3 + _exponent(self.centre) - _exponent(self.limit) if self.centre else 0
        around = scientific(self.centre, min(digits, 9)) + " " if digits > 0 else ""
        return rf"${around}\pm {scientific(self.limit)}$"

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest value that has a colour of its own."""
        return self.centre - self.limit, self.centre + self.limit

    @property
    def extreme(self) -> float:
        """The finite value farthest from the centre."""
        return self.high if self.high - self.centre >= self.centre - self.low else self.low

    @property
    def cut(self) -> bool:
        """Whether some finite value lies beyond."""
        return abs(self.extreme - self.centre) > self.limit

    @property
    def reached(self) -> tuple[float, float]:
        """What a bar or an axis shows: the centre and all values, or all colours where these are cut or one value."""
        low, high = min(self.low, self.centre), max(self.high, self.centre)
        return self.ends if self.cut or high - low < self.limit / 2 else (low, high)

    @property
    def note(self) -> str:
        """A line for labels, where colours are cut: how far values go."""
        return f"\ncolours cut, values reach {self.extreme:.2g}" if self.cut else ""


def _exponent(number: float) -> int:
    return int(np.floor(np.log10(abs(number))))


def scientific(number: float, digits: int = 3) -> str:
    """A number in TeX, to so many digits: 0, 0.25, 2.5 × 10⁻⁴, 10⁻⁸.

    >>> print(scientific(0.25), scientific(4000), scientific(2.5e-4), scientific(1e-8))
    0.25 4000 2.5 \\times 10^{-4} 10^{-8}
    """
    rounded, _, exponent = f"{number:.{digits - 1}e}".partition("e")
    if number == 0 or -4 < int(exponent) < 4:
        return f"{float(f'{number:.{digits - 1}e}'):.{max(digits, 4)}g}"
    mantissa = f"{float(rounded):.{digits}g}"
    return (rf"{mantissa} \times " if mantissa != "1" else "") + rf"10^{{{int(exponent)}}}"


def scales_of(quantities: Sequence[Quantity]) -> list[Scale]:
    """A scale for each of the states: one for all, as of `scale_of`, unless in it some panel would be blank.

    Then each has its own, over all of its finite values. So it is where the values shrink to less than a twelfth, or
    differ from each other by less than a twelfth of what all have.
    """
    shared = scale_of(quantities)
    telling = [item for item in quantities if item.finite.size and not item.constant]
    reaches = [item.reach for item in telling]
    shrinking = any(later < FAINT * most for most, later in zip(np.maximum.accumulate(reaches or [0.0]), reaches))
    if shrinking or any(np.ptp(item.finite) / 2 < FAINT * shared.limit for item in telling):
        about_zero = all(_about_zero(item.finite.min(), item.finite.max()) for item in telling)
        return [_own_scale(item, about_zero) for item in quantities]
    return [shared] * len(quantities)


def _own_scale(item: Quantity, about_zero: bool) -> Scale:
    """Over all values of one state, around its neutral value: zero if those of all states are about zero."""
    if not item.finite.size:
        nothing = item.centre or 0.0
        return Scale(nothing, 1.0, nothing, nothing, own=True)
    mean = 0.0 if about_zero else float(item.finite.mean())
    around = replace(item, centre=mean if item.centre is None else item.centre)
    low, high = float(item.finite.min()), float(item.finite.max())
    return Scale(around.middle, 1.0 if item.constant else around.reach, low, high, own=True)


def scale_of(quantities: Iterable[Quantity], limit: float | None = None) -> Scale:
    """The scale of a quantity at several states: around its neutral value ± `limit`. Where none is known beforehand it
    is zero if all values together reach or nearly reach it, or else the median of the states' means.

    Unless given, `limit` is the largest finite distance from there, or 1 where all are constant to rounding or not
    finite. At a blow-up, where that is more than 30 times the largest of the middle state, one value would leave all
    others without colour. Then `limit` is the largest 98 % quantile of a state, without states that lie 30 times as far
    off as the middle one.
    """
    rows, known, rounding = [], None, 0.0
    for item in quantities:
        known = item.centre
        if item.finite.size:
            usual = np.quantile(np.abs(item.finite - item.middle), KEPT)
            rows.append((item.finite.min(), item.finite.max(), item.middle, usual))
            rounding = max(rounding, item.rounding)
    if not rows:
        return Scale(known or 0.0, limit or 1.0, known or 0.0, known or 0.0)
    low, high, middles, usual = np.array(rows, dtype=float).T
    about_zero = known is None and _about_zero(low.min(), high.max())
    centre = 0.0 if about_zero else float(np.median(middles))
    far = np.maximum(high - centre, centre - low)
    room = _room(far, usual) if far.max() > rounding else 1.0
    return Scale(centre, limit or room, float(low.min()), float(high.max()))


def _room(far: np.ndarray, usual: np.ndarray) -> float:
    """The largest distance of all states, or at a blow-up that of most values of those before."""
    typical = float(np.quantile(far, 0.5, method="lower"))
    if far.max() <= BLOWN_UP * typical or not typical > 1e-12 * far.max():
        return float(far.max())
    before = usual[usual <= BLOWN_UP * max(float(np.quantile(usual, 0.5, method="lower")), 0.0)]
    return float(before.max()) or typical
