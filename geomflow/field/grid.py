"""The tori and the grids that users have, from which all that lives on them is made.

Here both ends are known: the numbers of the grid (`geomflow.field.mesh`) and the fields on it.

>>> from geomflow.field import ComplexTorus, Torus
>>> Torus(dim=2)
the torus R^2/Λ with coordinates x, y and periods 1, 1
>>> ComplexTorus(dim=1, modulus=0.5 + 1j).cell_volume
1.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.codegen.stencils import ORDERS
from geomflow.core import memory
from geomflow.core.errors import GridTooSmallError, InputError, ShapeError, UnknownNameError, require_known
from geomflow.field.fields import Fields, make_fields
from geomflow.field.forms import FormField, make_form
from geomflow.field.hermitian import HermitianField, make_hermitian
from geomflow.field.lattice import FlatTorus, Order, Rows, Scheme, resolve_rows
from geomflow.field.mesh import SPECTRAL, STENCIL, Mesh
from geomflow.field.metric import MetricField, make_metric
from geomflow.field.potential import PotentialField, make_potential
from geomflow.field.random import random_fields, random_hermitian, random_metric, random_potential, random_scalar
from geomflow.field.state import ScalarField, TensorField, make_scalar, make_vector
from geomflow.field.symmetric import SymmetricField, make_symmetric
from geomflow.symbolic.chart import Chart, ComplexChart

SMALLEST_SPECTRAL = 3

LETTERS = ("x", "y", "z", "w")

LARGEST_TORUS = 11


@final
class Grid(Mesh):
    """A periodic grid on a torus: its numbers, and the fields that are made on it.

    Make one with `torus.grid(n, order=...)` or `torus.grid(n, scheme="spectral")`, which check everything.

    Parameters
    ----------
    torus : FlatTorus
        What it discretises.
    shape : tuple of int
        Points along each axis.
    order : {2, 4, 6, 8, None}
        Of the stencils; None where derivatives are spectral.
    """

    def scalar(self, expression: Any) -> ScalarField:
        """A real function.

        Parameters
        ----------
        expression : text, sympy expression, function of the coordinates, number or array
            Periodic on the torus.
        """
        return make_scalar(self, expression)

    def metric(self, components: Any = None) -> MetricField:
        """A Riemannian metric.

        Checked to be finite, symmetric and positive at every point.

        Parameters
        ----------
        components : d×d expressions, function, array (*grid, d, d) or None
            Flat unless given.
        """
        return make_metric(self, components)

    def hermitian(self, components: Any = None) -> HermitianField:
        """A Hermitian metric g_{ab̄}.

        Parameters
        ----------
        components : n×n expressions, function, array (*grid, n, n) or None
            Flat, ½δ, unless given.
        """
        return make_hermitian(self, components)

    def vector(self, components: Any) -> TensorField:
        """A vector field X^i in Cartesian coordinates.

        Parameters
        ----------
        components : d expressions, or array (*grid, d)
            Periodic on the torus.
        """
        return make_vector(self, components)

    def symmetric(self, components: Any) -> SymmetricField:
        """A symmetric tensor T_ij with two lower indices, which need not be positive.

        Raises SymmetryError where it is not symmetric, ShapeError for components of another number.

        Parameters
        ----------
        components : d×d expressions, function, array (*grid, d, d) or field of such values
            Periodic on the torus.
        """
        return make_symmetric(self, components)

    def form(self, components: Any, degree: int | None = None) -> FormField:
        """A differential form.

        Parameters
        ----------
        components : mapping, d expressions, or array (*grid, d, ..., d)
            Components by name, {"xy": "sin(2*pi*x)"}, the others zero; a one-form may be a sequence. All components of
            an array, which must change the sign when two indices change places.
        degree : int, optional
            Of a form without components.

        Notes
        -----
        Raises UnknownNameError and InputError for names that are no components, ShapeError for an array of another
        shape, SymmetryError where it is no form.
        """
        return make_form(self, components, degree)

    def fields(self, /, **parts: Any) -> Fields:
        """Several fields by name, the state of a system: `grid.fields(g=grid.metric(), f="cos(2*pi*x)")`.

        Parameters
        ----------
        **parts : Field, or what `scalar` takes
            Fields on this grid.
        """
        return make_fields(self, parts)

    def potential(self, expression: Any = 0, reference: Any = None) -> PotentialField:
        """A Kähler potential φ of the metric reference + ∂∂̄φ, which is checked to be positive.

        Parameters
        ----------
        expression : text, sympy expression, function of the coordinates, number or array
            φ, real and periodic.
        reference : (n, n) Hermitian array, n×n expressions or HermitianField
            ½δ unless given.
        """
        return make_potential(self, expression, reference)

    def random_fields(self, fields: str | Mapping[str, str], seed: Any, amplitude: float = 0.1,
                      modes: int = 2) -> Fields:
        """Random fields by name and kind: `grid.random_fields("g f A:form", seed=1)`.

        Kinds are scalar, metric, hermitian, potential, vector, symmetric and form ("2-form"); one called g is a metric
        unless it is said otherwise, every other a scalar. Raises InputError for what names no field, UnknownNameError
        for another kind.

        Parameters
        ----------
        fields : str or mapping
            Names, with kinds behind colons, or names to kinds.
        seed : int or Generator
            The same seed gives a field of the same name and kind the same values, on every grid and beside any others.
        amplitude : float
            The largest possible length of each field, below 1; of a metric that of its difference from δ, and of a
            Hermitian one, or that of a potential, twice that from ½δ.
        modes : int
            The largest wave number along an axis, at least 1.

        Examples
        --------
        >>> from geomflow.field import Torus
        >>> Torus(dim=2).grid(8).random_fields("g f A:form", seed=1)["A"].degree
        1
        """
        return random_fields(self, fields, seed, amplitude, modes)

    def random_scalar(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> ScalarField:
        """A random trigonometric polynomial with values in [−amplitude, amplitude].

        Parameters
        ----------
        seed : int or Generator
            The same seed gives the same function on every grid.
        amplitude : float
            The largest possible value.
        modes : int
            The largest wave number along an axis, at least 1.
        """
        return random_scalar(self, seed, amplitude, modes)

    def random_metric(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> MetricField:
        """δ plus random trigonometric polynomials: a metric with eigenvalues in [1 − amplitude, 1 + amplitude].

        Parameters
        ----------
        seed : int or Generator
            The same seed gives the same function on every grid.
        amplitude : float
            At least 0 and below 1.
        modes : int
            The largest wave number along an axis, at least 1.
        """
        return random_metric(self, seed, amplitude, modes)

    def random_hermitian(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> HermitianField:
        """A random Hermitian metric with eigenvalues in ½[1 − amplitude, 1 + amplitude], which is not a Kähler one.

        Parameters
        ----------
        seed : int or Generator
            The same seed gives the same function on every grid.
        amplitude : float
            At least 0 and below 1.
        modes : int
            The largest wave number along an axis, at least 1.
        """
        return random_hermitian(self, seed, amplitude, modes)

    def random_potential(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> PotentialField:
        """A random potential whose metric has eigenvalues in ½[1 − amplitude, 1 + amplitude].

        Parameters
        ----------
        seed : int or Generator
            The same seed gives the same function on every grid.
        amplitude : float
            At least 0 and below 1.
        modes : int
            The largest wave number along an axis, at least 1.
        """
        return random_potential(self, seed, amplitude, modes)


def make_grid(torus: FlatTorus, n: int | Sequence[int], order: int | None, scheme: str) -> Grid:
    """The grid of `torus.grid`, checked: scheme and order, shape, the stencil's reach, the memory of one field."""
    shape = checked_shape(torus.real_dim, n)
    grid = Grid(torus, shape, checked_order(order, scheme))
    least = SMALLEST_SPECTRAL if grid.order is None else grid.order + 1
    for axis, points in enumerate(shape):
        if points < least and (points > 1 or not grid.resolved):
            needs = "Fourier derivatives need" if grid.is_spectral else f"stencils of order {grid.order} reach over"
            raise GridTooSmallError(
                f"axis {axis} ({torus.coordinates[axis]}) has {points} points, and {needs} {least}: "
                f"use at least {least} points an axis{'' if grid.is_spectral else ' or a lower order'}, or one along "
                "axes that nothing depends on."
            )
    memory.require(grid.nbytes, f"one scalar field on {grid!r}", "use a smaller grid")
    return grid


def checked_shape(dim: int, n: int | Sequence[int]) -> tuple[int, ...]:
    """`n` as a tuple of `dim` positive integers."""
    given = tuple(n) if isinstance(n, Sequence | np.ndarray) else (n,) * dim
    if len(given) != dim:
        raise ShapeError(f"{len(given)} numbers of points were given for {dim} axes; give {dim}, or one for all.")
    for points in given:
        if isinstance(points, bool) or not isinstance(points, int | np.integer) or points < 1:
            raise InputError(f"numbers of grid points are positive integers, and {points!r} was given.")
    return tuple(int(points) for points in given)


def checked_order(order: int | None, scheme: str) -> Order | None:
    """The order of the stencils, 4 unless given; None for the spectral scheme, which has none."""
    if isinstance(order, str):
        raise InputError(f"the order of a grid is that of its stencils, 2, 4, 6 or 8, and '{order}' was given: write "
                         f'scheme = "{SPECTRAL}" for Fourier derivatives.')
    require_known("scheme", scheme, (STENCIL, SPECTRAL))
    if scheme == SPECTRAL:
        if order is not None:
            raise InputError(f"a spectral grid has no order, and order = {order} was given: leave it out.")
        return None
    if order is None:
        return 4
    if order not in ORDERS:
        raise UnknownNameError.among("order of accuracy", str(order), [str(known) for known in ORDERS])
    found: Order = int(order)  # type: ignore[assignment]
    return found


@final
@dataclass(frozen=True, init=False, repr=False)
class Torus(FlatTorus):
    """The real torus R^d/Λ, d = 1..11, with Cartesian coordinates x, y, z, w, or x1, x2, ... above dimension four.

    Raises InputError for a dimension or period out of range.

    Parameters
    ----------
    dim : int
        d, from 1 to 11.
    periods : float or d floats
        Positive; 1 unless given.
    lattice : (d, d) array
        Cartesian row vectors, instead of periods.
    """

    dim: int
    lattice: Rows

    def __init__(self, dim: int, periods: Any = None, lattice: Any = None):
        object.__setattr__(self, "dim", checked_dimension(dim, LARGEST_TORUS, "Torus"))
        object.__setattr__(self, "lattice", resolve_rows(dim, periods, lattice))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names x, y, z, w, as many as the dimension; x1, x2, ... above four."""
        if self.dim > len(LETTERS):
            return tuple(f"x{axis}" for axis in range(1, self.dim + 1))
        return LETTERS[: self.dim]

    @property
    def complex_dim(self) -> int:
        """0: no complex structure was given."""
        return 0

    @cached_property
    def chart(self) -> Chart:
        """The exact chart with the torus's coordinates and periods."""
        from geomflow.symbolic.chart import Chart

        numbers = [int(period) if period.is_integer() else period for period in self.periods]
        periods = dict(zip(self.coordinates, numbers)) if self.is_rectangular else None
        return Chart(self.symbols, periods=periods)

    def grid(self, n: int | Sequence[int], order: Order | None = None, scheme: Scheme = "stencil") -> Grid:
        """The periodic grid with `n` points an axis; see `FlatTorus.grid`."""
        return make_grid(self, n, order, scheme)

    def __repr__(self) -> str:
        names = ", ".join(self.coordinates)
        plural = "s" if self.dim > 1 else ""
        return f"the torus R^{self.dim}/Λ with coordinate{plural} {names} and {self._period_sentence()}"


@final
@dataclass(frozen=True, init=False, repr=False)
class ComplexTorus(FlatTorus):
    """The complex torus C^n/Λ, n = 1..3, z^a = x^a + i y^a.

    Real coordinates are x, y for n = 1 and x1, y1, x2, y2, ... above; z ~ z + 1 ~ z + i in every factor unless given.
    Raises InputError for values out of range.

    Parameters
    ----------
    dim : int
        n, from 1 to 3.
    periods : float or 2n floats
        Of the real coordinates, positive; 1 unless given.
    lattice : (2n, 2n) array
        Cartesian row vectors, instead of periods.
    modulus : complex
        For n = 1: τ with Im τ > 0 of C/(Z + τZ).
    """

    dim: int
    lattice: Rows

    def __init__(self, dim: int, periods: Any = None, lattice: Any = None, modulus: complex | None = None):
        object.__setattr__(self, "dim", checked_dimension(dim, 3, "ComplexTorus"))
        if modulus is not None:
            if periods is not None or lattice is not None:
                raise InputError("give one of periods, lattice and modulus: each of them fixes the lattice.")
            lattice = modulus_rows(dim, modulus)
        object.__setattr__(self, "lattice", resolve_rows(2 * dim, periods, lattice))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names x, y, or x1, y1, x2, y2, ..."""
        if self.dim == 1:
            return ("x", "y")
        return tuple(f"{letter}{a}" for a in range(1, self.dim + 1) for letter in "xy")

    @property
    def complex_dim(self) -> int:
        """n."""
        return self.dim

    def names(self) -> dict[str, Any]:
        """x, y, ... and those of the chart: z = x + iy and zb = x − iy, or z1, zb1, z2, zb2, ..."""
        import sympy

        names: dict[str, Any] = super().names()
        for a, (z, conjugate) in enumerate(zip(self.chart.symbols, self.chart.conjugates, strict=True)):
            x, y = self.symbols[2 * a : 2 * a + 2]
            names |= {z.name: x + sympy.I * y, conjugate.name: x - sympy.I * y}
        return names

    @cached_property
    def chart(self) -> ComplexChart:
        """The exact complex chart with coordinates z, or z1, z2, ..."""
        from geomflow.symbolic.chart import ComplexChart

        return ComplexChart(("z",) if self.dim == 1 else tuple(f"z{a}" for a in range(1, self.dim + 1)))

    def grid(self, n: int | Sequence[int], order: Order | None = None, scheme: Scheme = "stencil") -> Grid:
        """The periodic grid with `n` points an axis; see `FlatTorus.grid`."""
        return make_grid(self, n, order, scheme)

    def __repr__(self) -> str:
        names = ", ".join(self.coordinates)
        return f"the complex torus C^{self.dim}/Λ with real coordinates {names} and {self._period_sentence()}"


def checked_dimension(dim: int, largest: int, name: str) -> int:
    """`dim` if it is an integer between 1 and `largest`."""
    if isinstance(dim, bool) or not isinstance(dim, int | np.integer) or not 1 <= dim <= largest:
        raise InputError(f"{name}(dim=...) takes an integer from 1 to {largest}, and dim is {dim!r}.")
    return int(dim)


def modulus_rows(dim: int, modulus: complex) -> Rows:
    """Rows 1 and τ of the lattice Z + τZ of a complex curve."""
    if dim != 1:
        raise InputError(f"a modulus describes complex dimension 1; for dim={dim} give lattice=, {2 * dim} rows.")
    tau = complex(modulus)
    if not tau.imag > 0:
        raise InputError(f"the modulus is {tau:g}; its imaginary part must be positive (use -τ or its conjugate).")
    return ((1.0, 0.0), (tau.real, tau.imag))
