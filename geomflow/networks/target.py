"""What a model's values are, and the metric that they make: a real metric, or a Kähler potential."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.monomials import Index
from geomflow.field.checks import require_finite, require_positive, require_symmetric
from geomflow.field.grid import Grid
from geomflow.field.lattice import FlatTorus
from geomflow.field.metric import MetricField
from geomflow.field.potential import PotentialField, make_reference, require_kahler
from geomflow.field.torus import ComplexTorus
from geomflow.networks.closed_form import ClosedForm
from geomflow.networks.jets import Jet

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


def hessian_terms(size: int) -> tuple[tuple[int, int, Index, complex], ...]:
    """(a, b, multi-index, factor): ∂_a∂_b̄ = Σ factor ∂^{multi-index}, coordinates x1, y1, x2, y2, ..."""
    terms = []
    for a, b in np.ndindex(size, size):
        pairs = ((0, 0, 0.25), (1, 1, 0.25), (0, 1, 0.25j), (1, 0, -0.25j))
        for first, second, factor in pairs:
            if a == b and first != second:
                continue
            index = [0] * (2 * size)
            index[2 * a + first] += 1
            index[2 * b + second] += 1
            terms.append((int(a), int(b), tuple(index), complex(factor)))
    return tuple(terms)


def hessian_of_jets(jets: Jet, size: int) -> np.ndarray:
    """∂_a∂_b̄ f (p, n, n) from the second derivatives of f (p,)."""
    result = np.zeros((len(next(iter(jets.values()))), size, size), complex)
    for a, b, index, factor in hessian_terms(size):
        result[:, a, b] += factor * jets[index]
    return result


def hessian_adjoint(cotangent: np.ndarray) -> Jet:
    """{multi-index: (p,)}: the cotangents of real second derivatives from Re Σ D^{ab̄} ∂_a∂_b̄ f."""
    result: Jet = {}
    for a, b, index, factor in hessian_terms(cotangent.shape[-1]):
        term = np.real(factor * cotangent[:, a, b])
        result[index] = result[index] + term if index in result else term
    return result


def checked_torus(torus: Any, complex_needed: bool) -> FlatTorus:
    """The torus itself; InputError if it is no torus, or not of the kind that is needed."""
    from geomflow.core.errors import InputError

    if not isinstance(torus, FlatTorus):
        raise InputError(f"a model lives on a torus, and {torus!r} was given: use Torus(dim=...).")
    if complex_needed and not isinstance(torus, ComplexTorus):
        raise InputError(f"a Kähler potential needs a complex torus, and this is {torus!r}: use ComplexTorus(dim=...).")
    return torus
