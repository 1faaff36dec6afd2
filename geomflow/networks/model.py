"""Models: numbers θ that make a metric on a torus, with all derivatives by θ and by position, and their states.

Formulas. Metric-NTK (Halverson and Ruehle, eq. (2.7)): Θ_ijkl(x, x') = Σ_I ∂g_ij(x)/∂θ_I ∂g_kl(x')/∂θ_I. Cotangents of
metrics are D^{kl} with the full index sum: the gradient by θ is Σ_p Σ_{kl} D^{kl}(x_p) ∂g_kl(x_p)/∂θ.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import InputError, NotFiniteError, PositivityError, ShapeError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import real_array
from geomflow.field.grid import Grid
from geomflow.field.lattice import FlatTorus
from geomflow.field.matrices import smallest_eigenvalue
from geomflow.field.mesh import coordinates_in_words, place
from geomflow.field.state import Field
from geomflow.networks.jets import Jet
from geomflow.networks.target import LOST, Target

if TYPE_CHECKING:
    from geomflow.networks.network import Layout


class Model(ABC):
    """A metric, or a Kähler potential, that depends on a flat array of parameters θ (size,).

    Points are x (p, d), Cartesian coordinates on the torus. `values` are what the model represents: g_ij (p, d, d), or
    φ (p,) for potentials; `target` says which, and what metric the values make.
    """

    torus: FlatTorus

    @property
    @abstractmethod
    def target(self) -> Target:
        """What the values are."""

    @property
    @abstractmethod
    def kinked(self) -> bool:
        """Whether the first input derivative of the values jumps, as that of ReLU networks does."""

    @property
    @abstractmethod
    def layout(self) -> Layout:
        """Names, shapes and places of the parameters in θ; `layout.views(θ)` are named views."""

    @abstractmethod
    def initial(self, seed: Any) -> np.ndarray:
        """Random parameters θ (size,) .

        Parameters
        ----------
        seed : int or numpy.random.Generator
            The stream they are drawn from.
        """

    @abstractmethod
    def jets(self, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """{multi-index: ∂^α values (p, *shape)}: all input derivatives up to `order` ≤ 4.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        order : int
            The highest derivative, 0 to 4.
        """

    @abstractmethod
    def jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, order: int) -> Jet:
        """The derivative of `jets` along a direction of the parameters, the same mapping.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        direction : (size,) array
            The direction.
        order : int
            The highest derivative, 0 to 4.
        """

    @abstractmethod
    def jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: Mapping[Any, np.ndarray]) -> np.ndarray:
        """Σ_α Σ_p ⟨cotangents[α], ∂(∂^α values)/∂θ⟩ (size,), full index sums.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        cotangents : mapping
            {α: (p, *shape)}; those left out are zero.
        """

    @abstractmethod
    def values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """g_ij (p, d, d), or φ (p,).

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        """

    @abstractmethod
    def jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Σ_I ∂values/∂θ_I direction_I, of the shape of `values`.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        direction : (size,) array
            The direction in the parameters.
        """

    @abstractmethod
    def vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """Σ_p Σ_{kl} D^{kl}(x_p) ∂g_kl(x_p)/∂θ (size,).

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        cotangent : (p, *shape) array
            D, of the shape of the values.
        """

    @abstractmethod
    def jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """∂values/∂θ, (p, *shape, size). MemoryLimitError, before any is taken, names the block that fits.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        """

    @abstractmethod
    def tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """Θ of the values: (p, q, d, d, d, d) for metrics, eq. (2.7); (p, q) for potentials.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        y : (q, d) array, optional
            Others; x unless given.
        """

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.layout.size

    @property
    def shape(self) -> tuple[int, ...]:
        """The trailing shape of the values: (d, d), or () for potentials."""
        return self.target.shape

    def metric(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """g_ij (p, d, d), or g_{ab̄} (p, n, n) complex, with the input derivatives exact.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        """
        return self.target.reference(x) + self.target.part(self.jets(parameters, x, self.target.order))

    def metric_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Σ_I ∂metric/∂θ_I direction_I.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        direction : (size,) array
            The direction in the parameters.
        """
        return self.target.part(self.jets_jvp(parameters, x, direction, self.target.order))

    def metric_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """Re Σ_p Σ_{kl} D^{kl}(x_p) ∂metric_kl(x_p)/∂θ (size,).

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        cotangent : (p, *metric_shape) array
            D.
        """
        return self.jets_vjp(parameters, x, self.target.adjoint(cotangent))

    def on(self, place: Any, seed: Any = 0, parameters: np.ndarray | None = None) -> ModelState:
        """The state of the model at some parameters, on a grid or at points.

        Parameters
        ----------
        place : Grid or (p, d) array
            Where its metric is looked at.
        seed : int or numpy.random.Generator
            What draws the parameters, unless they are given.
        parameters : (size,) array, optional
            θ.
        """
        return make_state(self, place, self.initial(seed) if parameters is None else parameters)

    def template(self, grid: Grid) -> Any:
        """A field of the model's kind on any grid, for the expressions of equations alone: flat, or φ = 0.

        Parameters
        ----------
        grid : Grid
            Any grid of the torus.
        """
        return self.target.template(grid)

    def checked_parameters(self, parameters: Any) -> np.ndarray:
        """θ as float64 (size,). NotFiniteError names the parameter that is not finite, ShapeError the right size.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        """
        return self.layout.checked(parameters)

    def checked_points(self, x: Any) -> np.ndarray:
        """Points as float64 (p, d); ShapeError for another shape.

        Parameters
        ----------
        x : (p, d) array
            Points.
        """
        points = real_array(x, "the points", "give a grid, or real coordinates x1, y1, x2, y2, ...")
        if points.ndim != 2 or points.shape[1] != self.torus.real_dim:
            raise ShapeError(f"points of shape {points.shape} were given; (p, {self.torus.real_dim}) is needed on "
                             f"{self.torus!r}.")
        return points


def require_rows(points: int, each: int, what: str) -> None:
    """MemoryLimitError, naming the number of points that fits, where `points` rows of `each` bytes do not fit."""
    block = max(1, memory.available() // (2 * each))
    memory.require(points * each, f"{what} at {points} points ({memory.human(each)} a point)",
                   f"take at most {block} points at a time, or use jvp and vjp, which form no Jacobian")


def require_pairs(p: int, q: int, each: int, what: str) -> None:
    """MemoryLimitError, naming the block that fits, where p × q entries of `each` bytes do not fit."""
    block = max(1, int((memory.available() / (2 * each)) ** 0.5))
    memory.require(p * q * each, f"{what} at {p} × {q} points", f"take blocks of at most {block} × {block} points, or "
                   "use apply(...), which is matrix-free")


def flattened_kernel(theta: np.ndarray, axes: int) -> np.ndarray:
    """Θ (p, q, *shape, *shape) as a matrix over pairs (point, components), `axes` = len(shape)."""
    p, q = theta.shape[:2]
    first = tuple(range(2, 2 + axes))
    second = tuple(range(2 + axes, 2 + 2 * axes))
    moved = theta.transpose(0, *first, 1, *second)
    return moved.reshape(p * prod(theta.shape[2:2 + axes]), q * prod(theta.shape[2 + axes:]))


_PROBES, _TOLERANCE = 5, 1e-8


@final
@dataclass(frozen=True, eq=False)
class Memory:
    """What an optimiser remembers at a state of a training run: rows (slots, size), and the steps taken so far.

    `optimiser` is the name of its class; None where the state was loaded and the name is not known.
    """

    rows: np.ndarray
    steps: int
    optimiser: str | None = None


@final
@dataclass(frozen=True, eq=False, repr=False)
class ModelState(InNotebook):
    """The metric of a model at some parameters, looked at on a grid or at points.

    The parameters are the state. `values` follow from them: (*axes, *shape), with `axes` the grid's shape or (p,).

    Parameters
    ----------
    model : Model
        What makes the metric.
    parameters : (size,) array
        θ.
    place : Grid or (p, d) array
        Where the metric is looked at.
    memory : Memory, optional
        What an optimiser remembers after a training run, which goes on with it.
    """

    model: Model
    parameters: np.ndarray
    place: Grid | np.ndarray
    memory: Memory | None = None

    def __post_init__(self) -> None:
        theta = self.model.checked_parameters(self.parameters).view()
        theta.flags.writeable = False
        object.__setattr__(self, "parameters", theta)

    @property
    def grid(self) -> Grid:
        """The grid; InputError where the state lives on points."""
        if not isinstance(self.place, Grid):
            raise InputError(f"{self!r} lives on scattered points; model.on(grid, parameters=...) puts it on a grid.")
        return self.place

    @cached_property
    def points(self) -> np.ndarray:
        """The points, (p, d); on a grid in its row-major order."""
        if isinstance(self.place, Grid):
            return np.ascontiguousarray(self.place.points().reshape(-1, self.place.dim))
        return self.place

    @property
    def axes(self) -> tuple[int, ...]:
        """The shape of the place: the grid's, or (p,)."""
        return self.place.shape if isinstance(self.place, Grid) else self.place.shape[:1]

    @cached_property
    def values(self) -> np.ndarray:
        """g_ij, or φ: (*axes, *shape)."""
        return self._placed(self.model.values(self.parameters, self.points))

    @cached_property
    def metric(self) -> np.ndarray:
        """g_ij or g_{ab̄}, with the model's exact input derivatives: (*axes, *metric_shape)."""
        return self._placed(self.model.metric(self.parameters, self.points))

    def _placed(self, values: np.ndarray) -> np.ndarray:
        result = values.reshape(*self.axes, *values.shape[1:]).view()
        result.flags.writeable = False
        return result

    @property
    def views(self) -> dict[str, np.ndarray]:
        """The parameters by name, as views."""
        return dict(self.model.layout.views(self.parameters))

    @property
    def component_names(self) -> tuple[str, ...]:
        """("theta",)."""
        return ("theta",)

    def pack(self) -> np.ndarray:
        """The parameters, a new array (1, size)."""
        return np.array(self.parameters)[None]

    def unpack(self, packed: np.ndarray) -> ModelState:
        """The same model at the same place with these parameters, the first row of (rows, size).

        Further rows are an optimiser's memory, the last of them the number of steps in every entry.

        Parameters
        ----------
        packed : (rows, size) array
            θ, then an optimiser's memory.
        """
        rows = np.array(packed, dtype=float)
        memory = Memory(rows[1:-1], int(rows[-1, 0])) if len(rows) > 1 else None
        return ModelState(self.model, rows[0], self.place, memory)

    def field(self) -> Any:
        """The package's ordinary state, MetricField or PotentialField, checked to be positive.

        Raises PositivityError with the worst value and its place, NotFiniteError, and InputError off a grid.
        """
        return self.model.target.field(self.grid, self.values)

    def smallest_eigenvalue(self) -> tuple[float, tuple[int, ...]]:
        """The smallest eigenvalue of the metric, and the index of its point."""
        return smallest_eigenvalue(self.metric)

    def require_positive(self) -> None:
        """PositivityError, naming value and place, unless the metric is positive at every point of the place."""
        finite = np.isfinite(self.metric).all(axis=(-2, -1))
        if not finite.all():
            index = tuple(int(k) for k in np.argwhere(~finite)[0])
            raise NotFiniteError(f"not finite at {self.where(index)}: {self.model!r}. Use smaller parameters, or "
                                 "a smaller learning rate.")
        lowest, index = self.smallest_eigenvalue()
        if not lowest > 0:
            raise PositivityError(f"not positive: {self.model!r}. The smallest eigenvalue is {lowest:.6g}, at "
                                  f"{self.where(index)}. {LOST}")

    def where(self, index: tuple[int, ...]) -> str:
        """A point of the place in words: its index and its coordinates.

        Parameters
        ----------
        index : tuple of int
            On the axes of the place.
        """
        if isinstance(self.place, Grid):
            return place(self.place, index)
        return f"point {index[0]}, {coordinates_in_words(self.model.torus.coordinates, self.place[index[0]])}"

    def distance(self, other: Any) -> float:
        """Root mean square over the place of the Frobenius distance to another state, or to a field on the grid.

        Parameters
        ----------
        other : ModelState or field
            With values of the same shape.
        """
        if not isinstance(other, ModelState | Field):
            raise InputError(f"a model's state is compared with another one or with a field; {other!r} was given.")
        values = other.values
        if values.shape != self.values.shape:
            raise ShapeError(f"{self!r} cannot be compared with {other!r}: their values have the shapes "
                             f"{self.values.shape} and {values.shape}.")
        square = np.abs(self.values - values) ** 2
        return float(np.sqrt(np.sum(square) / len(self.points)))

    def __facts__(self) -> Facts:
        low, high = self.values.min(), self.values.max()
        where = self.place if isinstance(self.place, Grid) else f"{len(self.place):,} points"
        return [("model", repr(self.model)), ("on", where), ("parameters", f"{self.parameters.size:,}"),
                ("values", f"from {low:.6g} to {high:.6g}")]

    def __repr__(self) -> str:
        where = repr(self.place) if isinstance(self.place, Grid) else f"{len(self.place)} points"
        return f"{self.model!r} on {where}"


def make_state(model: Model, where: Any, parameters: Any) -> ModelState:
    """The state of `model.on(where, ...)`, its place checked."""
    if isinstance(where, Grid):
        if where.torus != model.torus:
            raise InputError(f"{model!r} lives on {model.torus!r}, and the grid on {where.torus!r}: take one torus.")
        state = ModelState(model, parameters, where)
        _require_periodic(state)
        return state
    points = model.checked_points(where).copy()
    points.flags.writeable = False
    return ModelState(model, parameters, points)


def _require_periodic(state: ModelState) -> None:
    """Raise InputError unless the values at some points are those one period further on."""
    model = state.model
    lattice = np.array(model.torus.lattice)
    points = np.random.default_rng(20231019).random((_PROBES, len(lattice))) @ lattice
    here = model.values(state.parameters, points)
    allowed = _TOLERANCE * max(1.0, float(np.abs(here).max()))
    for period in lattice if np.isfinite(here).all() else ():
        gap = float(np.abs(model.values(state.parameters, points + period) - here).max())
        if gap > allowed:
            raise InputError(f"{model!r} is not periodic: its values change by {gap:.3g} along the period {period}. "
                             "Give its networks embedding=FourierEmbedding(torus), or CosineNetwork the torus.")
