"""Points on the domain of an ansatz: a basis for each coordinate of the unknowns, and states on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
import sympy

import geomflow.field.reduced.energies  # noqa: F401  (how functionals are evaluated at reduced states)
from geomflow.core.errors import InputError, ShapeError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import whole
from geomflow.field.bases.axes import Constant, InCosine, OneAxis
from geomflow.field.bases.basis import Basis, Point, Product
from geomflow.field.bases.open_ends import EvenToInfinity, OpenEnded
from geomflow.field.bases.polar import Polynomials
from geomflow.field.reduced.compiled import compiled_nodes, integral_weights
from geomflow.field.reduced.domains import basis_on, resized
from geomflow.field.reduced.evaluate import Evaluated
from geomflow.field.reduced.function import ReducedFunction, make_function
from geomflow.field.reduced.positivity import leading_minors
from geomflow.field.reduced.scales import Scales, scales_at, scales_of, unknowns_from
from geomflow.field.reduced.state import ReducedState, make_state
from geomflow.symbolic.ansatz import Ansatz, Unknown
from geomflow.symbolic.ansatz.axis import HIGH, HIGH_ROOT, LOW, LOW_ROOT, SINE, XI, Ended
from geomflow.symbolic.ansatz.regular_fields import RegularField
from geomflow.symbolic.ansatz.span import span_of

FINER = 8
"""Places between points at which extreme values are looked for."""

STEEP = 32
"""Modes for each two that a field which closes an orbit has less."""


@final
@dataclass(frozen=True)
class ReducedGrid(InNotebook):
    """Points on the domain of an ansatz. Made by `ansatz.grid(n)`.

    Parameters
    ----------
    ansatz : Ansatz
        What lives on it.
    bases : tuple of Basis
        One for each coordinate of the unknowns.
    """

    ansatz: Ansatz
    bases: tuple[Basis, ...] = ()

    @cached_property
    def basis(self) -> Basis:
        """That of all coordinates."""
        if not self.bases:
            return Point()
        return self.bases[0] if len(self.bases) == 1 else Product(*self.bases)

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each coordinate."""
        return self.basis.shape

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The coordinates of the unknowns."""
        return self.ansatz.coordinates

    @property
    def points(self) -> dict[str, np.ndarray]:
        """The coordinates at the points, arrays of the grid's shape."""
        return {name: values.reshape(self.shape) for name, values in zip(self.coordinates, self.basis.x, strict=True)}

    @cached_property
    def statics(self) -> dict[str, np.ndarray]:
        """Given arrays (N,) of reduced equations by name: ξ, 1 ∓ ξ and roots of intervals, x of circles."""
        found: dict[str, np.ndarray] = {}
        for place, (name, basis) in enumerate(zip(self.coordinates, self.bases, strict=True)):
            if isinstance(basis, InCosine | OpenEnded):
                low, high = basis.from_start, basis.from_end
                own = {f"{XI}_{name}": basis.points[0], f"{LOW}_{name}": low, f"{HIGH}_{name}": high,
                       f"{SINE}_{name}": np.sqrt(low * high), f"{LOW_ROOT}_{name}": np.sqrt(low / 2),
                       f"{HIGH_ROOT}_{name}": np.sqrt(high / 2)}
            else:
                own = {name: basis.x[0]}
            found |= {key: self._spread(values, place) for key, values in own.items()}
        return found

    @property
    def is_infinite(self) -> bool:
        """Whether it goes to infinity."""
        return any(isinstance(basis, EvenToInfinity) for basis in self.bases)

    @cached_property
    def minors(self) -> Evaluated | None:
        """What is positive where a metric is; None where every one is."""
        return leading_minors(self)

    @cached_property
    def weights(self) -> np.ndarray:
        """w with w · f = ∫ f dx for the density of volumes, (N,)."""
        return integral_weights(self)

    def compiled(self, expression: sympy.Expr, functions: tuple[Unknown, ...] = ()) -> Evaluated:
        """An expression in the unknowns, their derivatives and coordinates for values at the points, compiled once.

        Parameters
        ----------
        expression : sympy expression
            In the unknowns as the ansatz holds them.
        functions : tuple of Unknown
            Functions beside the metric that it holds, whose values are given behind the fields.
        """
        key = expression, functions
        if key not in self._compiled:
            node = self.ansatz.regular.node(expression, functions)
            self._compiled[key] = compiled_nodes(self, [node], extra=[u.name for u in functions])
        return self._compiled[key]

    @cached_property
    def _compiled(self) -> dict[tuple[sympy.Expr, tuple[Unknown, ...]], Evaluated]:
        return {}

    @property
    def reference(self) -> np.ndarray:
        """The simplest metric, (fields, *grid): all regular fields vanish, and ends are at 1 (or 0) and 3."""
        fields = self.ansatz.regular.fields
        found = np.zeros((len(fields), *self.shape))
        for field, row in zip(fields, found, strict=True):
            if self.shape and not field.unknown.coordinates:
                row[:] = 3.0 if field is fields[-1] else 1.0
        return found

    @cached_property
    def places(self) -> np.ndarray:
        """Many places along the coordinate, as dense as the points are, the ends of an interval too, (M,)."""
        (basis,) = self.bases
        assert isinstance(basis, OneAxis)
        return basis.spread(FINER * basis.size + 1)

    @cached_property
    def fine(self) -> np.ndarray:
        """The matrix from values at the points to those at `places`; of two coordinates, or none, the points."""
        return self.basis.at(self.places) if len(self.bases) == 1 else np.eye(self.basis.size)

    def range_of(self, values: np.ndarray) -> tuple[float, float]:
        """The least and the largest value of a smooth function between its points too, by parabolas.

        Parameters
        ----------
        values : (N,) array
            At the points.
        """
        fine = self.fine @ values
        return -_peak(-fine), _peak(fine)

    @property
    def axis(self) -> Ended | None:
        """What is exact about the one coordinate, an interval or a span; None where there is no such."""
        axes = self.ansatz.regular.axes
        return axes[0] if len(axes) == 1 and isinstance(axes[0], Ended) else None

    @cached_property
    def scales(self) -> dict[str, Scales]:
        """What vanishes or grows of each field at the points; none where nothing does."""
        if self.axis is None:
            return {}
        low, high = (self.statics[f"{end}_{self.coordinates[0]}"] / 2 for end in (LOW, HIGH))
        return {field.name: scales_of(self.axis, field, low, high) for field in self.ansatz.regular.fields}

    def scales_at(self, points: Any) -> dict[str, Scales]:
        """The same at any places; on a span these are told by shares.

        Parameters
        ----------
        points : (M,) array
            The places.
        """
        if self.axis is None:
            return {}
        if span_of(self.ansatz) is not None:
            share = np.atleast_1d(np.asarray(points, dtype=float))
            return {field.name: scales_of(self.axis, field, share, 1 - share) for field in self.ansatz.regular.fields}
        return scales_at(self.axis, self.ansatz.regular.fields, points)

    def unknowns(self, rows: Mapping[str, np.ndarray], scales: Mapping[str, Scales]) -> dict[str, np.ndarray]:
        """The unknowns from the regular fields, and from what vanishes or grows at the same places.

        Parameters
        ----------
        rows : mapping
            Values of the regular fields by name.
        scales : mapping
            Of the fields there.
        """
        return unknowns_from(self.ansatz.regular.fields, rows, scales)

    def square(self, field: RegularField) -> np.ndarray:
        """ρ² of a field that closes an orbit, (N,)."""
        return np.asarray(self.scales[field.name].square)

    def basis_of(self, field: RegularField) -> Basis:
        """The basis of a field: that of the grid, with fewer modes where it closes an orbit; numbers are constant.

        Where a sphere of dimension n closes the field has 2n + 2 degrees less than the one beside it: with as many, or
        with two less where n > 2, a mode at each pole grows that the equation does not have. So it does with 2n + 2
        where points are drawn steeply to a tip: two more are left out for each `STEEP` modes of the grid.
        """
        if not field.unknown.coordinates and self.shape:
            return Constant(self.basis.size)
        single = len(self.bases) == 1 and span_of(self.ansatz) is None
        if field.factor is None or not single or not isinstance(self.bases[0], Polynomials):
            return self.basis
        kept = self.bases[0].kept
        drop = 2 * (field.dim + 1 + kept // STEEP)
        if drop >= kept:
            raise InputError(f"'{field.unknown.name}' has {drop} modes less than the {kept} that the grid of "
                             f"{self.basis.size} points keeps, and so none: take at least {2 * drop} points.")
        return self.bases[0].limited(drop)

    def state(self, **values: Any) -> ReducedState:
        """A metric of the ansatz.

        Raises InputError for unknowns without a value and names that are no unknowns, PositivityError where one
        vanishes inside, and InputError for ends that are not smooth: a cone, or a function that is not even there.

        Parameters
        ----------
        **values : number, text, expression, function of the coordinates, or array
            One for each unknown.
        """
        return make_state(self, values)

    def resized(self, counts: Sequence[int]) -> ReducedGrid:
        """A grid of the same kind with other numbers of points, and the same share of modes.

        Parameters
        ----------
        counts : sequence of int
            Points along each coordinate.
        """
        return replace(self, bases=tuple(resized(b, n) for b, n in zip(self.bases, counts, strict=True)))

    def scalar(self, given: Any) -> ReducedFunction:
        """A function beside metrics of the ansatz, such as Perelman's f or e^{−f}.

        Raises InputError for one that is not even about an end of an interval, or that the grid does not resolve.

        Parameters
        ----------
        given : number, text, expression, function of the coordinates, array, or ReducedFunction
            Its values.
        """
        return make_function(self, given)

    def _spread(self, values: np.ndarray, place: int) -> np.ndarray:
        shape = [1] * len(self.bases)
        shape[place] = len(values)
        return np.ascontiguousarray(np.broadcast_to(values.reshape(shape), self.shape)).ravel()

    def __facts__(self) -> Facts:
        return [("of", self.ansatz), ("points", self.shape or "none"), ("bases", self.bases)]

    def __repr__(self) -> str:
        size = " × ".join(map(str, self.shape)) or "one"
        kinds = ", ".join(type(basis).__name__ for basis in self.bases)
        return f"a grid of {size} point{'s' if self.shape else ''}{f' ({kinds})' if kinds else ''} for {self.ansatz}"


def _peak(values: np.ndarray) -> float:
    """The largest value, of a parabola through it and its neighbours."""
    top = int(np.argmax(values))
    if top in (0, len(values) - 1):
        return float(values[top])
    before, here, after = values[top - 1 : top + 2]
    bend = 2 * here - before - after
    return float(here + (after - before) ** 2 / (8 * bend)) if bend > 0 else float(here)


def make_grid(ansatz: Ansatz, n: int | Sequence[int] | None, order: int | None, modes: int | None = None,
              places: Sequence[tuple[float, float]] = ()) -> ReducedGrid:
    """The grid of `ansatz.grid(n, order)`, checked."""
    names = ansatz.coordinates
    if not names:
        if n is not None:
            raise InputError(f"the unknowns of {ansatz} are numbers: there is no coordinate to put {n} points on; "
                             "write ansatz.state(...).")
        return ReducedGrid(ansatz)
    if n is None:
        raise InputError(f"the unknowns depend on {', '.join(names)}: say how many points, as in ansatz.grid(64).")
    counts = list(n) if isinstance(n, Sequence | np.ndarray) and not isinstance(n, str) else [n] * len(names)
    if len(counts) != len(names):
        raise ShapeError(f"{len(counts)} numbers of points were given for the coordinates {', '.join(names)}.")
    drawn = tuple(places) if isinstance(places, Sequence) else (places,)
    _ = ansatz.regular
    sizes = [whole(count, f"the number of points along {name}", 1) for name, count in zip(names, counts, strict=True)]
    made = tuple(basis_on(ansatz.domain[name], n, order, modes, drawn) for name, n in zip(names, sizes, strict=True))
    return ReducedGrid(ansatz, made)
