"""py-pde: its Runge–Kutta solver at the stability limit; stencils of order 2."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.cases import Case
from benchmarks.peers.pypde import equations
from benchmarks.run_cases import RunCase

NAME = "py-pde, RK4"
IMPORTS = ("pde",)
ORDER = 2


def steps(run: RunCase) -> int:
    """Steps to the end."""
    return run.explicit_steps(ORDER)


def prepare(run: RunCase, fields: np.ndarray) -> tuple[Callable[[], object], Callable[[], np.ndarray]]:
    """A call that runs to the end, and one that returns the final potential."""
    import pde

    grid = pde.CartesianGrid([[0, 1]] * 2, run.shape, periodic=True)
    state = pde.ScalarField(grid, fields)
    equation = pde.PDE(equations(Case(run.name, run.title, run.kind, run.shape)))
    held: list[np.ndarray] = []

    def call() -> None:
        end = equation.solve(state, t_range=run.end, dt=run.end / steps(run), solver="runge-kutta", tracker=None)
        held[:] = [end.data]

    return call, lambda: held[0]
