"""Kähler potentials on complex tori: g_{ab̄} = reference_{ab̄} + ∂_a∂_b̄ φ, and the curvature of that metric.

Formulas (conventions of `core.conventions`): R_{ab̄} = −∂_a∂_b̄ log det g, R = 2 g^{ab̄} R_{ab̄}, dμ_J = 2ⁿ det g dx, and
the density ratio v = dμ_J/dμ_Ω, where dμ_Ω is the flat measure of equal total mass.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core import hermitian, memory
from geomflow.core.errors import NotFiniteError, PositivityError, ShapeError
from geomflow.core.graph.node import exact
from geomflow.core.numbers import require_unmasked
from geomflow.field.hermitian import HermitianField, log_determinant
from geomflow.field.matrices import require_symmetric, smallest_eigenvalue
from geomflow.field.mesh import place
from geomflow.field.sampling import sample, sample_matrix
from geomflow.field.state import Field, ScalarField, freeze, unpacked_rows
from geomflow.field.wirtinger import complex_dimension, complex_hessian, hessian_arrays
from geomflow.symbolic.jets import HermitianNodes, field_node, hermitian_matrix, hermitian_nodes
from geomflow.symbolic.variation.kahler_frame import PHI, KahlerClass

if TYPE_CHECKING:
    from geomflow.field.grid import Grid
    from geomflow.field.metric import MetricField


@final
@dataclass(frozen=True, eq=False, repr=False)
class PotentialField(Field):
    """A real Kähler potential φ.

    Parameters
    ----------
    grid : Grid
        On a complex torus.
    values : (*grid) array
        φ.
    reference : (n, n) array or HermitianField
        The Hermitian form that the potential is added to.
    """

    grid: Grid
    values: np.ndarray
    reference: np.ndarray | HermitianField

    def __post_init__(self) -> None:
        freeze(self, (), float)
        size = complex_dimension(self.grid, "a Kähler potential")
        if isinstance(self.reference, HermitianField):
            if self.reference.grid.shape != self.grid.shape or self.reference.grid.torus != self.grid.torus:
                raise ShapeError(f"the reference lives on {self.reference.grid!r}, the potential on {self.grid!r}.")
            return
        require_unmasked(self.reference, "the reference form")
        constant = np.array(self.reference, dtype=complex)
        if constant.shape != (size, size):
            raise ShapeError(f"a constant reference form is {size}×{size} here; shape {constant.shape} was given.")
        constant.flags.writeable = False
        object.__setattr__(self, "reference", constant)

    called: ClassVar[str] = "phi"

    def names(self, name: str) -> tuple[str, ...]:
        """("phi",)."""
        return (name,)

    @property
    def reference_values(self) -> np.ndarray:
        """The reference form as an array that broadcasts to (*grid, n, n)."""
        return self.reference.values if isinstance(self.reference, HermitianField) else self.reference

    def pack(self) -> np.ndarray:
        """(1, *grid)."""
        return self.values[None].copy()

    def unpack(self, packed: np.ndarray) -> PotentialField:
        """The potential with these values, (1, *grid), and the same reference form."""
        return PotentialField(self.grid, unpacked_rows(self, packed)[0].copy(), self.reference)

    def change(self, packed: np.ndarray) -> ScalarField:
        """The function with these values, (1, *grid)."""
        return ScalarField(self.grid, unpacked_rows(self, packed)[0].copy())

    def mean(self) -> float:
        """The mean of φ over the flat probability measure."""
        return float(np.mean(self.values))

    def metric(self) -> HermitianField:
        """g_{ab̄} = reference_{ab̄} + ∂_a∂_b̄ φ."""
        return HermitianField(self.grid, self.reference_values + complex_hessian(self.grid, self.values))

    def realify(self) -> MetricField:
        """The real metric ds² = 2 g_{ab̄} dz^a dz̄^b."""
        return self.metric().realify()

    def density(self) -> ScalarField:
        """v = det g/⟨det g⟩: the volume of the metric over the flat volume of equal total mass, with mean one."""
        determinant = self.metric().determinant()
        return determinant / determinant.mean()

    def log_density(self) -> ScalarField:
        """log v. Raises PositivityError where det g ≤ 0."""
        metric = self.metric()
        return log_determinant(metric) - float(np.log(metric.determinant().mean()))

    def volume_density(self) -> ScalarField:
        """dμ_J/dx = 2ⁿ det g_{ab̄}."""
        return self.metric().volume_density()

    def volume(self) -> float:
        """∫ dμ_J, the same for every potential of one reference form."""
        return self.metric().volume()

    def ricci(self) -> HermitianField:
        """R_{ab̄} = −∂_a∂_b̄ log det g."""
        logarithm = log_determinant(self.metric())
        return HermitianField(self.grid, -complex_hessian(self.grid, logarithm.values))

    def scalar(self) -> ScalarField:
        """The scalar curvature of the real metric, R = 2 g^{ab̄} R_{ab̄}."""
        return self.metric().trace(self.ricci()) * 2.0

    def total_curvature(self) -> float:
        """∫ R dμ_J, which is 0 on every Kähler torus."""
        return self.scalar().integral(self)

    def laplacian(self, f: Any) -> ScalarField:
        """The Laplacian of the real metric, Δf = 2 g^{ab̄} ∂_a∂_b̄ f.

        Parameters
        ----------
        f : scalar
            Anything that `grid.scalar` takes.
        """
        hessian = HermitianField(self.grid, complex_hessian(self.grid, self.grid.scalar(f).values))
        return self.metric().trace(hessian) * 2.0

    def smallest_eigenvalue(self) -> tuple[float, tuple[int, ...]]:
        """The smallest eigenvalue of (g_{ab̄}) over the grid, and the index of its point."""
        return self.metric().smallest_eigenvalue()

    def eigenvalue_range(self) -> tuple[float, float]:
        """The smallest and the largest eigenvalue of (g_{ab̄}) over the grid."""
        return self.metric().eigenvalue_range()

    def __repr__(self) -> str:
        low, high = float(self.values.min()), float(self.values.max())
        return f"a Kähler potential with values in [{low:.6g}, {high:.6g}] on {self.grid!r}"


def make_potential(grid: Grid, expression: Any, reference: Any) -> PotentialField:
    """The potential of `grid.potential(expression, reference)`, checked to lie in the Kähler cone."""
    size = complex_dimension(grid, "a Kähler potential")
    memory.require((1 + hessian_arrays(grid)) * grid.nbytes, f"a Kähler potential and its metric on {grid!r}",
                   "use a smaller grid")
    if isinstance(expression, ScalarField | PotentialField):
        expression = expression.values
    values = sample(grid, expression, "the potential")
    field = PotentialField(grid, values, make_reference(grid, reference, size))
    require_kahler(field)
    return field


def make_reference(grid: Grid, reference: Any, size: int) -> np.ndarray | HermitianField:
    """½δ, a constant matrix, or a field of Hermitian forms; each checked to be Hermitian."""
    if reference is None:
        return 0.5 * np.eye(size)
    if isinstance(reference, HermitianField):
        return reference
    constant = _constant_matrix(reference, size)
    what = "the reference form"
    if constant is not None:
        everywhere = np.broadcast_to(constant, (*grid.shape, size, size))
        return np.asarray(require_symmetric(grid, everywhere, what)[(0,) * grid.dim])
    return HermitianField(grid, require_symmetric(grid, sample_matrix(grid, reference, size, what, complex), what))


def _constant_matrix(reference: Any, size: int) -> np.ndarray | None:
    require_unmasked(reference, "the reference form")
    try:
        constant = np.array(reference, dtype=complex)
    except (TypeError, ValueError):
        return None
    return constant if constant.shape == (size, size) else None


def require_kahler(field: PotentialField) -> None:
    """PositivityError unless reference + ∂∂̄φ is positive everywhere, saying how much smaller φ would have to be."""
    metric = field.metric()
    lowest, index = smallest_eigenvalue(metric.values)
    if lowest > 0:
        return
    if not np.isfinite(metric.values).all():
        raise NotFiniteError(f"the second derivatives of the potential are beyond double precision on {field.grid!r}: "
                             "choose other units, or a smaller potential.")
    raise PositivityError(
        f"the potential leaves the Kähler cone: the smallest eigenvalue of reference + ∂∂̄φ is {lowest:.6g}, at "
        f"{place(field.grid, index)}. {_cone_advice(field, metric)}"
    )


def _cone_advice(field: PotentialField, metric: HermitianField) -> str:
    """How far φ may be scaled: reference + s ∂∂̄φ > 0 for s below −1/(smallest eigenvalue of reference⁻¹ ∂∂̄φ)."""
    reference = np.broadcast_to(field.reference_values, metric.values.shape)
    at_reference, index = smallest_eigenvalue(reference)
    if not at_reference > 0:
        where = place(field.grid, index)
        return f"The reference form is not positive either ({at_reference:.6g} at {where}): change it."
    inverse = np.linalg.inv(np.linalg.cholesky(reference))
    relative = inverse @ (metric.values - reference) @ np.conj(np.swapaxes(inverse, -1, -2))
    limit = -1.0 / smallest_eigenvalue(relative)[0]
    return f"Multiply the potential by less than {limit:.4g}, or enlarge the reference form."


Pair = tuple[Fraction | int, Fraction | int]


@final
@dataclass(frozen=True)
class ReferenceForm:
    """g_{0,ab̄} as expressions: constants where it is constant, else the given arrays `static_names`."""

    coordinates: tuple[str, ...]
    entries: Any
    static_names: tuple[str, ...]

    @staticmethod
    def of(state: PotentialField) -> ReferenceForm:
        """The form of a potential field."""
        coordinates = state.grid.torus.coordinates
        if isinstance(state.reference, HermitianField):
            names = tuple(f"reference_{name}" for name in state.reference.component_names)
            return ReferenceForm(coordinates, None, names)
        return ReferenceForm(coordinates, exact_matrix(state.reference), ())

    @staticmethod
    def flat(torus: Any) -> ReferenceForm:
        """The flat unit form ½δ."""
        return ReferenceForm(tuple(torus.coordinates), exact_matrix(0.5 * np.eye(torus.dim)), ())

    @property
    def dim(self) -> int:
        """The complex dimension n."""
        return len(self.coordinates) // 2

    @cached_property
    def metric(self) -> HermitianNodes:
        """g_{ab̄} = g_{0,ab̄} + ∂_a∂_b̄ φ for an unknown potential."""
        return hermitian_nodes(self.coordinates, self.nodes(), PHI)

    def nodes(self) -> np.ndarray:
        """Complex numbers of nodes, (n, n)."""
        if self.static_names:
            return hermitian_matrix([field_node(name, self.coordinates) for name in self.static_names], self.dim)
        numbers = [number for a, b in hermitian.packed_places(self.dim)
                   for number in self.entries[a][b][: 1 if a == b else 2]]
        return hermitian_matrix(map(gr.constant, numbers), self.dim)


def exact_matrix(values: np.ndarray) -> tuple[tuple[Pair, ...], ...]:
    """A matrix of floats as pairs (re, im) of exact numbers."""
    return tuple(tuple((_exact(z.real), _exact(z.imag)) for z in row) for row in np.asarray(values, complex))


def _exact(value: float) -> Fraction | int:
    return exact(Fraction(float(value)))


def reference_rows(state: PotentialField) -> np.ndarray | None:
    """The reference form as given arrays, (n², *grid); None if it is constant."""
    return state.reference.pack() if isinstance(state.reference, HermitianField) else None


def flat_density(state: PotentialField) -> float:
    """κ = ⟨det g_0⟩, the constant density of the flat metric with the volume of the reference form.

    ⟨det(reference + ∂∂̄φ)⟩ is the same for every φ, so it is computed at φ = 0.
    """
    return float(np.mean(np.linalg.det(state.reference_values).real))


def kahler_class(state: PotentialField) -> KahlerClass:
    """The numbers of the class of a potential's metric, on its torus."""
    values = state.reference_values
    adjugates = np.linalg.det(values)[..., None, None] * np.linalg.inv(values)
    cofactors = adjugates.reshape(-1, *values.shape[-2:]).mean(axis=0).T
    cell = gr.constant(Fraction(state.grid.torus.cell_volume))
    return KahlerClass(gr.constant(Fraction(flat_density(state))), exact_matrix(cofactors), cell)
