"""What a model's values are and the metric that they make; references and scale factors in closed form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, SymmetryError
from geomflow.core.monomials import multi_indices
from geomflow.field.grid import Grid
from geomflow.field.lattice import FlatTorus
from geomflow.field.matrices import require_finite, require_positive, require_symmetric
from geomflow.field.mesh import coordinates_in_words
from geomflow.field.metric import MetricField
from geomflow.field.potential import PotentialField, make_reference, require_kahler
from geomflow.field.sampling import as_numbers, checked_rows, expression_node, require_periodic
from geomflow.field.state import Field
from geomflow.field.tori import ComplexTorus
from geomflow.networks.jets import Jet, hessian_adjoint, hessian_of_jets

_PROBES = 16


class ClosedForm(ABC):
    """A function on a torus with values of the trailing shape `shape`, known in closed form."""

    torus: FlatTorus
    shape: tuple[int, ...]

    @abstractmethod
    def jets(self, x: np.ndarray, order: int) -> Jet:
        """{multi-index: ∂^α f (p, *shape)} at the points x (p, d), up to `order`."""

    def values(self, x: np.ndarray) -> np.ndarray:
        """f at the points x (p, d): (p, *shape)."""
        return self.jets(x, 0)[(0,) * self.torus.real_dim]


@final
@dataclass(frozen=True, eq=False)
class Expressions(ClosedForm):
    """Nodes of the expression graph over the coordinates, differentiated exactly; `nodes` is an object array."""

    torus: FlatTorus
    nodes: np.ndarray
    dtype: type

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The shape of the array of nodes."""
        return self.nodes.shape

    def jets(self, x: np.ndarray, order: int) -> Jet:
        """Every derivative up to `order`, evaluated at x."""
        derive = gr.Derivation(self.torus.coordinates)
        known = {(0,) * self.torus.real_dim: list(self.nodes.ravel())}
        for index in multi_indices(self.torus.real_dim, order)[1:]:
            axis = next(k for k, n in enumerate(index) if n)
            lower = tuple(n - (k == axis) for k, n in enumerate(index))
            known[index] = [derive(node, axis) for node in known[lower]]
        return {index: self._evaluated(nodes, x) for index, nodes in known.items()}

    def _evaluated(self, nodes: list[gr.Node], x: np.ndarray) -> np.ndarray:
        leaves = {gr.symbol(name): x[:, k] for k, name in enumerate(self.torus.coordinates)}
        result: np.ndarray = np.empty((len(x), len(nodes)), self.dtype)
        for k, values in enumerate(gr.evaluate(nodes, leaves)):
            result[:, k] = as_numbers(values, (len(x),), "the closed form", self.dtype, broadcast=True)
        return result.reshape(len(x), *self.nodes.shape)


@final
@dataclass(frozen=True, eq=False)
class Callables(ClosedForm):
    """A user's function of the coordinate arrays; it has values but no derivatives."""

    torus: FlatTorus
    function: Any
    shape: tuple[int, ...]
    dtype: type

    def jets(self, x: np.ndarray, order: int) -> Jet:
        """The values; InputError for derivatives, which a callable does not tell."""
        if order:
            raise InputError(f"derivatives of order {order} are needed here, and a callable has values only: give the "
                             "closed form as text or as a sympy expression.")
        given = self.function(*x.T)
        if not isinstance(given, np.ndarray) and self.shape:
            rows = [[np.broadcast_to(np.asarray(entry), len(x)) for entry in row] for row in given]
            given = np.moveaxis(np.array(rows), (0, 1), (-2, -1))
        values = as_numbers(given, (len(x), *self.shape), "the closed form", self.dtype, broadcast=True)
        return {(0,) * self.torus.real_dim: values}


def closed_scalar(torus: FlatTorus, given: Any, what: str) -> ClosedForm:
    """A real function from text, a number, a sympy expression or a callable of the coordinate arrays; periodic."""
    if callable(given) and not hasattr(given, "free_symbols"):
        form: ClosedForm = Callables(torus, given, (), float)
    else:
        node = np.empty((), object)
        node[()] = expression_node(torus, given)
        form = Expressions(torus, node, float)
    require_periodic(torus, lambda *coordinates: form.values(np.stack(coordinates, axis=-1)), what)
    return form


def closed_matrix(torus: FlatTorus, given: Any, size: int, dtype: type, what: str) -> ClosedForm:
    """A symmetric (Hermitian) matrix of functions from size×size expressions, a constant matrix or a callable.

    Raises InputError for a field, which is known at the points of its grid only, and for entries that are not periodic.
    """
    given = getattr(given, "components", given)
    if isinstance(given, Field):
        raise InputError(f"{what} must be known off the grid too, and {given!r} is known at its points only: give the "
                         "closed form (text, sympy, a callable or a constant matrix) that it was made from.")
    form = _matrix(torus, given, size, dtype, what)
    for i, j in np.ndindex(size, size):
        require_periodic(torus, partial(_entry, form, i, j), f"component ({i}, {j}) of {what}")
    _require_symmetric(form, what)
    return form


def _entry(form: ClosedForm, i: int, j: int, *coordinates: np.ndarray) -> np.ndarray:
    return form.values(np.stack(coordinates, axis=-1))[:, i, j]


def _matrix(torus: FlatTorus, given: Any, size: int, dtype: type, what: str) -> ClosedForm:
    if callable(given):
        return Callables(torus, given, (size, size), dtype)
    entries = checked_rows(given, size, what)
    nodes = np.empty((size, size), object)
    for i, j in np.ndindex(size, size):
        nodes[i, j] = expression_node(torus, entries[i][j])
    return Expressions(torus, nodes, dtype)


def _require_symmetric(form: ClosedForm, what: str) -> None:
    torus = form.torus
    x = np.random.default_rng(20231019).random((_PROBES, torus.real_dim)) @ np.array(torus.lattice)
    values = form.values(x)
    gap = np.abs(values - np.conj(np.swapaxes(values, -1, -2)))
    p, i, j = (int(k) for k in np.unravel_index(int(np.argmax(gap)), gap.shape))
    if gap[p, i, j] > 1e-10 * np.max(np.abs(values)):
        kind = "Hermitian" if form.values(x).dtype.kind == "c" else "symmetric"
        raise SymmetryError(f"{what} is not {kind}: components ({i}, {j}) and ({j}, {i}) are {values[p, i, j]:.6g} and "
                            f"{values[p, j, i]:.6g} at {coordinates_in_words(torus.coordinates, x[p])}.")


LOST = "Use smaller parameters or a smaller learning rate, add a larger reference, or use CholeskyModel."


class Target(ABC):
    """How values of trailing shape `shape` make a metric of trailing shape `metric_shape`.

    The metric is reference + L(values), where L is linear and takes `order` input derivatives.
    """

    shape: tuple[int, ...]
    metric_shape: tuple[int, ...]
    order: int

    @abstractmethod
    def reference(self, x: np.ndarray) -> np.ndarray | float:
        """What is added to L(values) at the points x (p, d)."""

    @abstractmethod
    def part(self, jets: Jet) -> np.ndarray:
        """L(values): (p, *metric_shape) from the input jets of the values."""

    @abstractmethod
    def adjoint(self, cotangent: np.ndarray) -> Jet:
        """The cotangents of the jets from D^{kl} (p, *metric_shape), the full index sum Re Σ D^{kl} L(values)_{kl}."""

    @abstractmethod
    def field(self, grid: Grid, values: np.ndarray) -> Any:
        """The package's state with these values (*grid, *shape); PositivityError where its metric is not positive."""

    @abstractmethod
    def template(self, grid: Grid) -> Any:
        """A field of the kind of `field`, for the expressions of equations alone: flat, or φ = 0."""


@final
@dataclass(frozen=True)
class RealMetric(Target):
    """The values are the metric, g_ij (p, d, d)."""

    dim: int
    order = 0

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """(d, d)."""
        return (self.dim, self.dim)

    metric_shape = shape

    def reference(self, x: np.ndarray) -> float:
        """Nothing is added."""
        return 0.0

    def part(self, jets: Jet) -> np.ndarray:
        """The values themselves."""
        return next(value for index, value in jets.items() if not any(index))

    def adjoint(self, cotangent: np.ndarray) -> Jet:
        """The cotangent of the values."""
        return {(0,) * self.dim: np.real(cotangent)}

    def field(self, grid: Grid, values: np.ndarray) -> MetricField:
        """The metric field, checked to be finite, symmetric and positive."""
        what = "the model's metric"
        values = require_symmetric(grid, require_finite(grid, values, what), what)
        require_positive(grid, values, what, LOST)
        return MetricField(grid, values)

    def template(self, grid: Grid) -> MetricField:
        """The flat metric."""
        return grid.metric()


@final
@dataclass(frozen=True, eq=False)
class KahlerPotential(Target):
    """The values are a potential φ (p,) on a complex torus; the metric is g_{ab̄} = form_{ab̄} + ∂_a∂_b̄ φ.

    With real coordinates x^a, y^a: ∂_a∂_b̄ φ = ¼(φ_{x^a x^b} + φ_{y^a y^b} + i(φ_{x^a y^b} − φ_{y^a x^b})).
    `given` is what the reference form was made from.
    """

    torus: ComplexTorus
    form: ClosedForm
    given: Any
    shape = ()
    order = 2

    @property
    def metric_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """(n, n)."""
        return (self.torus.dim, self.torus.dim)

    def reference(self, x: np.ndarray) -> np.ndarray:
        """The reference form at the points, (p, n, n)."""
        return self.form.values(x)

    def part(self, jets: Jet) -> np.ndarray:
        """∂_a∂_b̄ φ, complex (p, n, n)."""
        return hessian_of_jets(jets, self.torus.dim)

    def adjoint(self, cotangent: np.ndarray) -> Jet:
        """The cotangents of the second derivatives of φ."""
        return hessian_adjoint(cotangent)

    def field(self, grid: Grid, values: np.ndarray) -> PotentialField:
        """The potential field with the reference form on the grid, checked to lie in the Kähler cone."""
        values = require_finite(grid, values, "the model's potential")
        field = PotentialField(grid, values, make_reference(grid, self.given, self.torus.dim))
        require_kahler(field)
        return field

    def template(self, grid: Grid) -> PotentialField:
        """φ = 0 on the reference form."""
        return PotentialField(grid, np.zeros(grid.shape), make_reference(grid, self.given, self.torus.dim))


def checked_torus(torus: Any, complex_needed: bool) -> FlatTorus:
    """The torus itself; InputError if it is no torus, or not of the kind that is needed."""
    if not isinstance(torus, FlatTorus):
        raise InputError(f"a model lives on a torus, and {torus!r} was given: use Torus(dim=...).")
    if complex_needed and not isinstance(torus, ComplexTorus):
        raise InputError(f"a Kähler potential needs a complex torus, and this is {torus!r}: use ComplexTorus(dim=...).")
    return torus
