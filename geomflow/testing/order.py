"""Whether a discretisation has its order: the slope of the maximum norm of the error over the spacing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field import Grid
from geomflow.flow.control import Stepper
from geomflow.flow.solver import as_flow, solve
from geomflow.testing.directions import packed
from geomflow.testing.law import LawError

if TYPE_CHECKING:
    from geomflow.flow.problem import Bindable
    from geomflow.symbolic.functionals import DerivedFlow

EDGE = 2
"""Points next to an end that count as the boundary."""

CLOCK = 1e-3
"""Time derivatives of the exact solution are taken by differences of fourth order, of this share of the run."""


def check_order(
    flow: Bindable | DerivedFlow | Callable[[Any], Bindable],
    exact: Callable[[Any, float], Any],
    grids: Sequence[Grid] | Sequence[int],
    t1: float,
    order: float | None = None,
    *,
    slack: float = 0.3,
    rtol: float = 1e-9,
    stepper: Stepper | str | None = None,
) -> None:
    """Check that the largest error at t1 falls like h^order: a line is fitted to its logarithm.

    Raises LawError with errors and slopes, where the error is largest, and whether the order is lost at an end of the
    grid: by the defect, the rate at the exact solution less its time derivative, fitted there and inside.

    Parameters
    ----------
    flow : Flow, Bindable or callable
        What `solve` takes; or a function of the grid that makes it, where the discretisation is part of the flow.
    exact : callable
        exact(grid, t), the solution as a state on the grid.
    grids : sequence of Grid or int
        At least two, from coarse to fine; numbers n stand for spacings 1/n, and are given to `flow` and `exact`.
    t1 : float
        When errors are taken.
    order : float, optional
        What is expected; that of the grids' stencils unless given.
    slack : float
        By how much the slope may stay below it.
    rtol : float
        Of the run, so that errors are those of the grid.
    stepper : Stepper or str, optional
        Of the run; the flow's own unless given.

    Examples
    --------
    >>> import numpy as np, geomflow as gf
    >>> heat = gf.Flow.from_expression("laplacian(u)")
    >>> def exact(grid, t):
    ...     return grid.scalar(f"exp(-4*pi^2*{t})*cos(2*pi*x)")
    >>> circle = gf.Torus(dim=1)
    >>> check_order(heat, exact, [circle.grid(n, order=2) for n in (8, 16, 32)], t1=0.01)
    """
    if len(grids) < 2:
        raise InputError(f"an order is fitted to two grids or more; {len(grids)} was given.")
    wanted = _wanted(grids, order)
    cases = [_Case.run(flow, exact, grid, t1, rtol, stepper) for grid in grids]
    found = fitted([case.spacing for case in cases], [case.error for case in cases])
    if found < wanted - slack or not all(np.isfinite(case.error) for case in cases):
        raise _error(cases, found, wanted, t1)


def _wanted(grids: Sequence[Any], order: float | None) -> float:
    if order is not None:
        return float(order)
    orders = {getattr(grid, "order", None) for grid in grids}
    known = orders.pop()
    if orders or known is None:
        raise InputError("these grids have no common order of stencils: give order=, what is expected.")
    return float(known)


def fitted(spacings: Sequence[float], errors: Sequence[float]) -> float:
    """The slope of log error over log spacing; infinite where all errors are zero.

    Parameters
    ----------
    spacings : sequence of float
        Positive.
    errors : sequence of float
        Not negative.
    """
    tiny = np.finfo(float).tiny
    if max(errors) <= tiny:
        return np.inf
    return float(np.polyfit(np.log(spacings), np.log(np.maximum(errors, tiny)), 1)[0])


@dataclass(frozen=True, eq=False)
class _Case:
    """A run on one grid beside the exact solution."""

    grid: Any
    flow: Any
    exact: Callable[[Any, float], Any]
    t1: float
    errors: np.ndarray

    @staticmethod
    def run(flow: Any, exact: Callable[[Any, float], Any], grid: Any, t1: float, rtol: float, stepper: Any) -> _Case:
        """The flow from the exact solution at 0 to t1."""
        own = flow if hasattr(flow, "bind") or hasattr(flow, "rates") else flow(grid)
        sol = solve(own, exact(grid, 0.0), t1, rtol=rtol, stepper=stepper, progress=False)
        if sol.times[-1] != t1:
            raise LawError("the run ends before t1", [str(sol.outcome)], {"grid": grid})
        errors = np.abs(packed(sol.last) - packed(exact(grid, t1)))
        return _Case(grid, own, exact, t1, np.atleast_2d(errors))

    @property
    def spacing(self) -> float:
        """h, the largest of a grid."""
        return float(max(self.grid.spacing)) if isinstance(self.grid, Grid) else 1 / float(self.grid)

    @property
    def error(self) -> float:
        """The maximum norm."""
        return float(self.errors.max())

    def defect(self) -> np.ndarray:
        """|rate(exact) − ∂_t exact| in the middle of the run, the largest component at each point."""
        t, step = self.t1 / 2, CLOCK * self.t1
        y = packed(self.exact(self.grid, t))
        problem = as_flow(self.flow).bind(self.exact(self.grid, t))
        out = np.empty_like(problem.y0)
        problem.rate(t, np.ascontiguousarray(y.reshape(problem.y0.shape), dtype=float), out)
        at = [packed(self.exact(self.grid, t + k * step)) for k in (-2, -1, 1, 2)]
        slope = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * step)
        return np.asarray(np.atleast_2d(np.abs(out.reshape(slope.shape) - slope)).max(axis=0))


def _edge(shape: tuple[int, ...]) -> np.ndarray:
    """Which points lie next to an end of an axis."""
    inside = np.zeros(shape, bool)
    inside[tuple(slice(EDGE, -EDGE) for _ in shape)] = True
    return ~inside


def _error(cases: list[_Case], found: float, wanted: float, t1: float) -> LawError:
    spacings = [case.spacing for case in cases]
    fault = f"the error falls like h^{found:.2f}, and must like h^{wanted:g}"
    finest = cases[-1]
    worst = np.unravel_index(int(np.argmax(finest.errors)), finest.errors.shape)[1:]
    lines = [f"the largest error at t = {t1:g} is " + ", ".join(
        f"{case.error:.3g} for h = {case.spacing:.4g}" for case in cases) + f"; the last at point {_place(worst)}"]
    defects = [case.defect() for case in cases]
    edges = [_edge(defect.shape) for defect in defects]
    periodic = isinstance(finest.grid, Grid)
    if not periodic and all(not edge.all() for edge in edges):
        at_ends = fitted(spacings, [float(d[e].max()) for d, e in zip(defects, edges)])
        inside = fitted(spacings, [float(d[~e].max()) for d, e in zip(defects, edges)])
        lines.append(f"the defect falls like h^{inside:.2f} inside and like h^{at_ends:.2f} at the ends")
        if at_ends < inside - 0.5:
            fault = f"the order is lost at the boundary: {fault}"
    place = np.unravel_index(int(np.argmax(defects[0])), defects[0].shape)
    lines.append(f"the defect of the coarsest grid is largest at point {_place(place)}: {defects[0].max():.3g}")
    return LawError(fault, lines, {"grid": cases[0].grid})


def _place(index: Sequence[Any]) -> str:
    numbers = tuple(int(i) for i in index)
    return str(numbers[0]) if len(numbers) == 1 else str(numbers)
