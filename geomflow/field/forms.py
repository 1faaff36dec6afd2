"""Differential forms on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import InputError, ShapeError, UnknownNameError
from geomflow.core.numbers import whole
from geomflow.core.symmetric import parity
from geomflow.field.matrices import require_alternating, require_finite
from geomflow.field.sampling import as_numbers, sample, sample_row
from geomflow.field.state import Field, freeze, unpacked_rows

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True, eq=False, repr=False)
class FormField(Field):
    """A differential form ω = Σ_{i<j<…} ω_{ij…} dx^i ∧ dx^j ∧ ….

    Parameters
    ----------
    grid : Grid
        Where it lives.
    values : (*grid, d, ..., d) array
        Cartesian components, which change the sign when two indices change places.
    """

    grid: Grid
    values: np.ndarray

    called: ClassVar[str] = "omega"

    def __post_init__(self) -> None:
        freeze(self, (self.grid.dim,) * self.degree, float)

    @property
    def degree(self) -> int:
        """The number of indices."""
        return int(np.ndim(self.values)) - self.grid.dim

    def names(self, name: str) -> tuple[str, ...]:
        """("A_x", "A_y") of a one-form A, ("F_xy", "F_xz", "F_yz") of a two-form F."""
        return tuple(f"{name}_{''.join(places)}" for places in combinations(self.grid.torus.coordinates, self.degree))

    def pack(self) -> np.ndarray:
        """(binomial(d, k), *grid): components with rising indices."""
        components = np.moveaxis(self.values, range(self.grid.dim, self.values.ndim), range(self.degree))
        return np.stack([components[place] for place in combinations(range(self.grid.dim), self.degree)])

    def unpack(self, packed: np.ndarray) -> FormField:
        """The form with these components, (binomial(d, k), *grid)."""
        return FormField(self.grid, spread(unpacked_rows(self, packed), self.grid.dim, self.degree))

    def __repr__(self) -> str:
        return f"a {self.degree}-form with components up to {np.abs(self.values).max():.6g} on {self.grid!r}"


def spread(rows: np.ndarray, dim: int, degree: int) -> np.ndarray:
    """All components (*grid, d, ..., d) of those with rising indices, (binomial(d, k), *grid)."""
    values = np.zeros((*(dim,) * degree, *rows.shape[1:]))
    for row, places in zip(rows, combinations(range(dim), degree), strict=True):
        for order in permutations(range(degree)):
            values[tuple(places[n] for n in order)] = parity(order) * row
    return np.moveaxis(values, range(degree), range(-degree, 0))


def make_form(grid: Grid, components: Any, degree: int | None) -> FormField:
    """The form of `grid.form(components, degree)`."""
    if isinstance(components, FormField):
        components = components.values
    if not isinstance(components, Mapping):
        return _of_degree(_whole_form(grid, components), degree)
    places = {name: _places(grid, name) for name in components}
    degrees = {len(place) for place in places.values()}
    degrees |= set() if degree is None else {whole(degree, "the degree", 0)}
    if len(degrees) != 1:
        raise InputError("a form of no component needs its degree, as in grid.form({}, degree=2)." if not degrees else
                         f"components of one form have equally many indices, and these have {sorted(degrees)}.")
    found, dim = degrees.pop(), grid.dim
    if found > dim:
        raise InputError(f"a form on a torus of dimension {dim} has at most {dim} indices, and {found} were given.")
    rising = list(combinations(range(dim), found))
    memory.require(len(rising) * grid.nbytes, f"a {found}-form on {grid!r}", "use a smaller grid")
    rows = np.zeros((len(rising), *grid.shape))
    for name, place in places.items():
        row = sample(grid, components[name], f"the component '{name}'")
        rows[rising.index(tuple(sorted(place)))] = parity(place) * row
    return FormField(grid, spread(rows, dim, found))


def _whole_form(grid: Grid, components: Any) -> FormField:
    """A form by an array of all its components, (*grid, d, ..., d), or a one-form by d expressions."""
    dim, shape = grid.dim, np.shape(components) if isinstance(components, np.ndarray) else ()
    if shape[:dim] == grid.shape and len(shape) > dim and set(shape[dim:]) == {dim}:
        values = require_finite(grid, as_numbers(components, shape, "the form", float), "the form")
        return FormField(grid, require_alternating(grid, values, "the form"))
    if len(shape) > 1 and shape != (dim, *grid.shape):
        raise ShapeError(f"a form is given by an array of all its components, of shape {(*grid.shape, dim)} for a "
                         f"one-form and {(*grid.shape, dim, dim)} for a two-form, and one of shape {shape} was given.")
    if not isinstance(components, list | tuple | np.ndarray) or len(components) != dim:
        raise ShapeError(f"a form is given by its components by name, {{{_example(grid)}: \"sin(2*pi*x)\"}}, or a "
                         f"one-form by {dim} components in their order, or by an array of all its components.")
    return FormField(grid, sample_row(grid, components, "the form"))


def _of_degree(form: FormField, degree: int | None) -> FormField:
    if degree is not None and form.degree != whole(degree, "the degree", 0):
        raise InputError(f"a {form.degree}-form was given, and degree={degree}: leave the degree out.")
    return form


def _example(grid: Grid) -> str:
    return "'" + "".join(grid.torus.coordinates[:2]) + "'"


def _places(grid: Grid, name: str) -> tuple[int, ...]:
    """The indices that a name such as "xy" or "x1 y2" says."""
    coordinates, places, rest = grid.torus.coordinates, list[int](), name.replace(" ", "")
    while rest:
        found = max((c for c in coordinates if rest.startswith(c)), key=len, default=None)
        if found is None:
            raise UnknownNameError(f"'{name}' is no component of a form over {', '.join(coordinates)}: write their "
                                   f"names one after another, as in {_example(grid)}.")
        places.append(coordinates.index(found))
        rest = rest[len(found) :]
    if len(set(places)) < len(places):
        raise InputError(f"the component '{name}' of a form vanishes: an index comes twice.")
    return tuple(places)
