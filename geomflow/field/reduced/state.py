"""Metrics of an ansatz as numbers: values of regular fields at the points of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.core.errors import InputError, PositivityError, ShapeError, require_known
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import require_unmasked
from geomflow.field.reduced.entropy import perelman_mu
from geomflow.field.reduced.extrema import Extrema, extrema
from geomflow.field.reduced.ground_state import perelman_lambda
from geomflow.field.reduced.reading import Profile, profile_of
from geomflow.field.reduced.span import ends_in, place_at, shares_of, span_rows, span_unknowns
from geomflow.symbolic.ansatz import Unknown
from geomflow.symbolic.ansatz.regular_fields import RegularField
from geomflow.symbolic.ansatz.span import span_of

if TYPE_CHECKING:
    from geomflow.field.reduced.grid import ReducedGrid


@final
@dataclass(frozen=True, eq=False, repr=False)
class ReducedState(InNotebook):
    """A metric of an ansatz: `state["psi"]` are the values of an unknown at the points, a number if it has none.

    Parameters
    ----------
    grid : ReducedGrid
        Where it lives.
    packed : (fields, *grid) array
        The regular fields that stand for the unknowns.
    """

    grid: ReducedGrid
    packed: np.ndarray

    def __post_init__(self) -> None:
        require_unmasked(self.packed, "the packed values")
        rows = np.array(self.packed, dtype=float)
        wanted = (len(self.fields), *self.grid.shape)
        if rows.shape != wanted:
            raise ShapeError(f"packed values of shape {rows.shape} were given where {wanted} is needed: (fields, "
                             "*grid).")
        rows.flags.writeable = False
        object.__setattr__(self, "packed", rows)

    @property
    def fields(self) -> tuple[RegularField, ...]:
        """The regular fields, one for each unknown."""
        return self.grid.ansatz.regular.fields

    @property
    def component_names(self) -> tuple[str, ...]:
        """The names of the regular fields, in packed order."""
        return tuple(field.name for field in self.fields)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The names of the unknowns."""
        return tuple(field.unknown.name for field in self.fields)

    def __getitem__(self, name: str) -> Any:
        require_known("unknown", name, self.unknowns)
        field = next(field for field in self.fields if field.unknown.name == name)
        values = self._values[name]
        return values.reshape(self.grid.shape) if field.unknown.coordinates else float(values[0])

    @property
    def values(self) -> np.ndarray:
        """The unknowns at the points, (*grid, unknowns)."""
        return np.stack([np.reshape(self._values[name], self.grid.shape) for name in self.unknowns], axis=-1)

    @cached_property
    def _rows(self) -> dict[str, np.ndarray]:
        return {field.name: row.ravel() for field, row in zip(self.fields, self.packed, strict=True)}

    @cached_property
    def _values(self) -> dict[str, np.ndarray]:
        """The unknowns at the points, (N,) each."""
        if span_of(self.grid.ansatz) is not None:
            return span_unknowns(self.grid, self._rows, *self.grid.basis.x)
        return self.grid.unknowns(self._rows, self.grid.scales)

    def at(self, name: str, points: Any) -> np.ndarray:
        """An unknown at any places of its coordinates, ends included.

        Parameters
        ----------
        name : str
            Of the unknown.
        points : (M,) array, or (M, 2) where there are two coordinates
            The places.
        """
        require_known("unknown", name, self.unknowns)
        points = self._placed(points)
        matrix = self.grid.basis.at(points)
        rows = {key: matrix @ row for key, row in self._rows.items()}
        if span_of(self.grid.ansatz) is not None:
            return span_unknowns(self.grid, rows, points)[name]
        return self.grid.unknowns(rows, self.grid.scales_at(points))[name]

    def scalar(self, text: str = "R") -> np.ndarray:
        """A function of the metric at the points, such as "R", "Rm2" or "Ric2", from the exact geometry.

        Parameters
        ----------
        text : str
            In the language of `Flow.from_expression`.
        """
        return self.evaluated(self.grid.ansatz.scalar(text)).reshape(self.grid.shape)

    def scalar_at(self, points: Any, text: str = "R") -> np.ndarray:
        """Such a function at any places, ends included, by the grid's own interpolation.

        Parameters
        ----------
        points : (M,) array, or (M, 2) where there are two coordinates
            The places.
        text : str
            In the language of `Flow.from_expression`.
        """
        return np.asarray(self.grid.basis.at(self._placed(points)) @ self.evaluated(self.grid.ansatz.scalar(text)))

    def places_of(self, shares: Any) -> np.ndarray:
        """The coordinate at places of the grid's axis: y at shares of a span, else these themselves.

        Parameters
        ----------
        shares : (M,) array
            Of a span, from 0 to 1.
        """
        found = np.asarray(shares, dtype=float)
        if span_of(self.grid.ansatz) is None:
            return found
        return np.asarray(place_at(*ends_in(self.grid, self._rows), found))

    def _placed(self, points: Any) -> Any:
        """Places in the coordinates of the grid: shares of a span whose ends move."""
        return points if span_of(self.grid.ansatz) is None else shares_of(self.grid, self._rows, points)

    def integral(self, text: str = "1") -> float:
        """∫ s dV of a function of the metric.

        Parameters
        ----------
        text : str
            s, in the language of `Flow.from_expression`.
        """
        if self.grid.is_infinite:
            raise InputError(f"integrals over {self.grid.ansatz} are not computed: it goes to infinity.")
        measure = self.grid.ansatz.measure
        scalar = sympy.Integer(1) if text == "1" else self.grid.ansatz.scalar(text)
        return float(measure.volume) * float(self.grid.weights @ self.evaluated(scalar * measure.density))

    def volume(self) -> float:
        """∫ dV; of unit length along coordinates that have no ends and no period."""
        return self.integral()

    def evaluated(self, expression: sympy.Expr) -> np.ndarray:
        """An expression in the unknowns, their derivatives and coordinates at the points, (N,).

        Parameters
        ----------
        expression : sympy expression
            In the unknowns as the ansatz holds them.
        """
        found: np.ndarray = self.grid.compiled(expression)(self._flat, {})[0]
        return found

    def integrated(self, density: sympy.Expr, functions: tuple[Unknown, ...] = (), added: np.ndarray | None = None,
                   numbers: Mapping[str, float] | None = None) -> float:
        """∫ density over the coordinates of unknowns.

        Parameters
        ----------
        density : sympy expression
            A function by the volume density, as functionals on an ansatz have it.
        functions : tuple of Unknown
            Functions beside the metric that it holds.
        added : (functions, N) array, optional
            Their values.
        numbers : mapping of str to float, optional
            Its parameters.
        """
        rows = self._flat if added is None else np.concatenate([self._flat, added])
        return float(self.grid.weights @ self.grid.compiled(density, functions)(rows, numbers or {})[0])

    def necks(self, name: str) -> Extrema:
        """The local minima of an unknown of one coordinate, as (places, values), roots of its derivative.

        An end about which the unknown is even counts, one where it vanishes does not.

        Parameters
        ----------
        name : str
            Of the unknown.
        """
        return extrema(self, name, 1)

    def bumps(self, name: str) -> Extrema:
        """The local maxima, as `necks`.

        Parameters
        ----------
        name : str
            Of the unknown.
        """
        return extrema(self, name, -1)

    @property
    def _flat(self) -> np.ndarray:
        return self.packed.reshape(len(self.fields), -1)

    def perelman_lambda(self) -> float:
        """Perelman's λ, the lowest eigenvalue of −4Δ + R, which does not fall along Ricci flow (Perelman 2002, §2).

        Raises InputError on grids of stencils or of two coordinates.
        """
        return perelman_lambda(self)

    def perelman_mu(self, tau: float) -> float:
        """Perelman's μ(g, τ), the least W of the f of the same symmetry with ∫ (4πτ)^{−N/2} e^{−f} dV = 1 (2002, §3).

        μ(g(t), T − t) does not fall along Ricci flow, and stays the same on solitons that shrink to nothing at T. Where
        a function of less symmetry has a smaller W, as on large manifolds where τ is small, the least of all is less.

        Raises InputError on grids of stencils or of two coordinates, for a τ that is not positive, and where the grid
        does not resolve the function; ConvergenceError where Newton's method does not come to one.

        Parameters
        ----------
        tau : float
            τ.
        """
        return perelman_mu(self, tau)

    def pack(self) -> np.ndarray:
        """The regular fields, a new array (fields, *grid)."""
        return self.packed.copy()

    def unpack(self, packed: np.ndarray) -> ReducedState:
        """The state on the same grid with other regular fields.

        Parameters
        ----------
        packed : (fields, *grid) array
            In the order of `component_names`.
        """
        return ReducedState(self.grid, packed)

    def on(self, grid: ReducedGrid) -> ReducedState:
        """The same metric on another grid of the ansatz, by this grid's own interpolation.

        Parameters
        ----------
        grid : ReducedGrid
            With the same coordinates.
        """
        if not grid.shape:
            return self
        places = np.stack(grid.basis.x, axis=-1) if len(grid.bases) > 1 else grid.basis.x[0]
        rows = self._flat @ self.grid.basis.at(places).T
        return ReducedState(grid, rows.reshape(len(rows), *grid.shape))

    def finer(self) -> ReducedState:
        """The same metric on a grid of half as many points again along each coordinate."""
        return self.on(self.grid.resized([n + (n + 1) // 2 for n in self.grid.shape]))

    def distance(self, other: ReducedState) -> float:
        """The largest difference of an unknown at a point.

        Parameters
        ----------
        other : ReducedState
            On the same grid.
        """
        if other.grid != self.grid:
            raise ShapeError(f"{self!r} cannot be compared with {other!r}: they are on different grids.")
        return float(np.max(np.abs(self.values - other.values)))

    def __facts__(self) -> Facts:
        for name in self.unknowns:
            row = self._values[name]
            one = np.ptp(row) == 0
            yield name, f"{row[0]:.6g}" if one else f"from {row.min():.6g} to {row.max():.6g}"
        yield "on", self.grid

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in list(self.__facts__())[:-1])
        return f"a metric with {told} on {self.grid!r}"


def make_state(grid: ReducedGrid, given: Mapping[str, Any]) -> ReducedState:
    """The state of `grid.state(**given)`, checked."""
    if span_of(grid.ansatz) is not None:
        return ReducedState(grid, span_rows(grid, given))
    fields = grid.ansatz.regular.fields
    names = tuple(field.unknown.name for field in fields)
    for name in given:
        require_known("unknown", name, names)
    missing = [name for name in names if name not in given]
    if missing:
        raise InputError(f"the unknown '{missing[0]}' has no value: give one for each of {', '.join(names)}.")
    profiles = {name: profile_of(grid, name, given[name]) for name in names}
    owners = {field.name: field.unknown.name for field in fields}
    rows = [_row(grid, field, profiles, owners) for field in fields]
    _require_positive(grid, np.stack(rows))
    return ReducedState(grid, np.stack([np.reshape(row, grid.shape) for row in rows]))


def _require_positive(grid: ReducedGrid, rows: np.ndarray) -> None:
    least = grid.minors(rows, {}).min() if grid.minors else 1.0
    if not least > 0:
        raise PositivityError(f"the metric is not positive: a leading minor of it is {least:.6g} at a point. Take "
                              "smaller values off the diagonal, and positive ones on it.")


def _row(grid: ReducedGrid, field: RegularField, profiles: Mapping[str, Profile],
         owners: Mapping[str, str]) -> np.ndarray:
    """The values of a regular field, projected."""
    own = profiles[field.unknown.name]
    own.require_positive(field)
    beside = profiles[owners[field.beside]] if field.beside else None
    values = own.regular(field, beside)
    return own.smooth(field, values)

