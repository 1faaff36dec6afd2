"""The grids that users have, from which all that lives on them is made.

Here both ends are known: the numbers of the grid (`geomflow.field.mesh`) and the fields on it.

>>> from geomflow.field import Torus
>>> Torus(dim=2).grid(8).scalar("cos(2*pi*x)").max()
1.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from geomflow.codegen.stencils import ORDERS
from geomflow.core import memory
from geomflow.core.errors import GridTooSmallError, InputError, ShapeError, UnknownNameError, require_known
from geomflow.field.fields import Fields, make_fields
from geomflow.field.forms import FormField, make_form
from geomflow.field.hermitian import HermitianField, make_hermitian
from geomflow.field.lattice import FlatTorus, Order
from geomflow.field.mesh import SPECTRAL, STENCIL, Mesh
from geomflow.field.metric import MetricField, make_metric
from geomflow.field.potential import PotentialField, make_potential
from geomflow.field.random import random_fields, random_hermitian, random_metric, random_potential, random_scalar
from geomflow.field.state import ScalarField, make_scalar
from geomflow.field.symmetric import SymmetricField, make_symmetric
from geomflow.field.tensor import TensorField, make_vector

SMALLEST_SPECTRAL = 3

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
            The same seed gives the same metric on every grid.
        amplitude : float
            The largest difference of an eigenvalue from 1, below 1.
        modes : int
            The largest wave number along an axis, at least 1.
        """
        return random_metric(self, seed, amplitude, modes)

    def random_hermitian(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> HermitianField:
        """A random Hermitian metric with eigenvalues in ½[1 − amplitude, 1 + amplitude], which is not a Kähler one.

        Parameters
        ----------
        seed : int or Generator
            The same seed gives the same metric on every grid.
        amplitude : float
            Twice the largest difference of an eigenvalue from ½, below 1.
        modes : int
            The largest wave number along an axis, at least 1.
        """
        return random_hermitian(self, seed, amplitude, modes)

    def random_potential(self, seed: Any, amplitude: float = 0.1, modes: int = 2) -> PotentialField:
        """A random potential whose metric has eigenvalues in ½[1 − amplitude, 1 + amplitude].

        Parameters
        ----------
        seed : int or Generator
            The same seed gives the same potential on every grid.
        amplitude : float
            Twice the largest difference of an eigenvalue from ½, below 1.
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
