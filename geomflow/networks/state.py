"""The state of a model: its parameters, and its metric looked at on a grid or at points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError, NotFiniteError, PositivityError, ShapeError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.field.grid import Grid
from geomflow.field.matrices import smallest_eigenvalue
from geomflow.field.mesh import coordinates_in_words, place
from geomflow.field.state import Field
from geomflow.networks.target import LOST

if TYPE_CHECKING:
    from geomflow.networks.model import Model

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
        if len(where.resolved) < where.dim:
            raise InputError(f"{model!r} depends on all coordinates, and there is one point along some axes of "
                             f"{where!r}: give all axes points.")
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
