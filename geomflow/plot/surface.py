"""Surfaces in space, coloured by their Gaussian curvature, with geodesics on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.codegen.points import PointRoutine, compile
from geomflow.core.errors import InputError, ShapeError
from geomflow.plot.style import INK, colour_bar, diverging, styled
from geomflow.symbolic import Chart, Metric
from geomflow.symbolic.given import given

if TYPE_CHECKING:
    from mpl_toolkits.mplot3d import Axes3D

_SPACE = (("1", "0", "0"), ("0", "1", "0"), ("0", "0", "1"))
_PER_SIDE = 60
_PER_GEODESIC = 400


@final
@dataclass(frozen=True, eq=False)
class Surface:
    """A surface F: (u, v) → (x, y, z) in Euclidean space, with what its induced metric says.

    Parameters
    ----------
    mapping : three expressions
        x, y and z as functions of the two coordinates: text, numbers or sympy expressions.
    ranges : mapping of two names to pairs
        From where to where each coordinate goes, (low, high) in numbers or text such as "2*pi".

    Examples
    --------
    >>> Surface(("cos(u)*cos(v)", "cos(u)*sin(v)", "sin(u)"), {"u": ("-pi/2", "pi/2"), "v": (0, "2*pi")}).curvature
    1

    Raises `ShapeError` unless there are three expressions and two coordinates.
    """

    mapping: Sequence[Any]
    ranges: Mapping[str, tuple[Any, Any]]

    def __post_init__(self) -> None:
        if len(self.mapping) != 3 or len(self.ranges) != 2:
            raise ShapeError(f"a surface is three functions of two coordinates, and {len(self.mapping)} of "
                             f"{len(self.ranges)} were given")

    @cached_property
    def metric(self) -> Metric:
        """The induced metric, exactly."""
        space = Metric(Chart("X Y Z"), _SPACE)
        return space.pullback(Chart(" ".join(self.ranges)), list(self.mapping))

    @cached_property
    def curvature(self) -> sympy.Expr:
        """K = R/2, the Gaussian curvature, exactly."""
        return self.metric.scalar / 2

    def places(self, u: Any, v: Any) -> np.ndarray:
        """F at coordinates of one shape, (3, *shape).

        Parameters
        ----------
        u, v : array
            Coordinates.
        """
        return np.moveaxis(self._embedding(u, v), -1, 0)

    def gauss(self, u: Any, v: Any) -> np.ndarray:
        """K there, of the same shape.

        Parameters
        ----------
        u, v : array
            Coordinates.
        """
        return self._curvature(u, v)

    def geodesic(self, start: Sequence[float], direction: Sequence[float], length: float) -> np.ndarray:
        """Coordinates along the geodesic from a place in a direction, at equal distances, (n, 2).

        Parameters
        ----------
        start : two numbers
            Coordinates of the first place.
        direction : two numbers
            Components of the velocity there; its length does not matter.
        length : float
            How far to go, measured by the induced metric.
        """
        from scipy.integrate import solve_ivp

        velocity = np.asarray(direction, dtype=float)
        metric = self._metric(*start)
        speed = float(np.sqrt(velocity @ metric @ velocity))
        if not speed > 0:
            raise InputError(f"a geodesic needs a direction, and {list(direction)} at {list(start)} has length {speed}")

        def rate(_: float, y: np.ndarray) -> np.ndarray:
            gamma = self._christoffel(*y[:2])
            return np.concatenate([y[2:], -np.einsum("kij,i,j->k", gamma, y[2:], y[2:])])

        y0 = np.concatenate([np.asarray(start, dtype=float), velocity / speed])
        at = np.linspace(0, length, _PER_GEODESIC)
        found = solve_ivp(rate, (0, length), y0, t_eval=at, rtol=1e-9, atol=1e-11)
        along: np.ndarray = found.y[:2].T
        return along

    @cached_property
    def square(self) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates over the ranges, each (n, n)."""
        ends = [[float(given(end)) for end in pair] for pair in self.ranges.values()]
        u, v = np.meshgrid(*(np.linspace(low, high, _PER_SIDE + 1) for low, high in ends), indexing="ij")
        return u, v

    @cached_property
    def _embedding(self) -> PointRoutine:
        chart = self.metric.chart
        return self._numbers([given(each, dict(zip(chart.names, chart.symbols))) for each in self.mapping])

    @cached_property
    def _curvature(self) -> PointRoutine:
        return self._numbers(self.curvature)

    @cached_property
    def _metric(self) -> PointRoutine:
        return self._numbers(self.metric.matrix.tolist())

    @cached_property
    def _christoffel(self) -> PointRoutine:
        return self._numbers(self.metric.christoffel.tolist())

    def _numbers(self, expression: Any) -> PointRoutine:
        return compile(expression, self.metric.chart.symbols)


@styled
def surface(
    shape: Surface,
    *,
    geodesics: Sequence[np.ndarray] = (),
    colour: np.ndarray | None = None,
    label: str = "Gaussian curvature $K$",
    ax: Axes3D | None = None,
) -> Axes3D:
    """Draw a surface in space, coloured by its Gaussian curvature, and geodesics on it. Returns the Axes.

    Geodesics are seen through the surface where it hides them.

    Parameters
    ----------
    shape : Surface
        The surface.
    geodesics : sequence of (n, 2) arrays
        Coordinates along curves, such as `shape.geodesic(...)` gives.
    colour : array, optional
        Other values at `shape.square`, for the colours.
    label : str
        What the colours are.
    ax : Axes3D, optional
        Where to draw, made with projection="3d"; a new figure's unless given.
    """
    import matplotlib.pyplot as plt
    from matplotlib.cm import ScalarMappable

    if ax is None:
        ax = plt.figure(figsize=(5.6, 4.4)).add_subplot(projection="3d")
    x, y, z = shape.places(*shape.square)
    values = shape.gauss(*shape.square) if colour is None else np.asarray(colour, dtype=float)
    norm = _norm(values)
    middle = (values[1:, 1:] + values[1:, :-1] + values[:-1, 1:] + values[:-1, :-1]) / 4
    ax.plot_surface(x, y, z, facecolors=diverging()(norm(middle)), rcount=len(x), ccount=len(x), linewidth=0,
                    antialiased=False, shade=False)
    for curve in geodesics:
        _draw_curve(ax, shape, curve)
    ax.set(xlabel="$x$", ylabel="$y$", zlabel="$z$")
    ax.set_aspect("equal")
    ax.locator_params(nbins=4)
    bar = colour_bar(ax.figure, ScalarMappable(norm, diverging()), ax, shrink=0.7, pad=0.12)
    bar.set_label(label)
    return ax


def _norm(values: np.ndarray) -> Any:
    """Colours centred on zero."""
    from matplotlib.colors import Normalize

    finite = np.abs(values[np.isfinite(values)])
    limit = float(finite.max(initial=0.0)) or 1.0
    return Normalize(-limit, limit)


def _draw_curve(ax: Axes3D, shape: Surface, curve: np.ndarray) -> None:
    """A curve on the surface, drawn over it: matplotlib cannot tell which part of it is hidden."""
    x, y, z = shape.places(curve[:, 0], curve[:, 1])
    ax.plot(x, y, z, color=INK, lw=1.6, zorder=10)
