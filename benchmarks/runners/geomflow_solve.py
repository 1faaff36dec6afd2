"""geomflow: `solve` with the stepper that the flow chooses itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.run_cases import RunCase

NAME = "geomflow"
IMPORTS = ("geomflow.flow",)
ORDER = 4


def steps(run: RunCase) -> None:
    """Not known beforehand: the step is controlled."""


def prepare(run: RunCase, fields: np.ndarray, **options: Any) -> tuple[Callable[[], object], Callable[[], np.ndarray]]:
    """A call that runs to the end with `options` of solve, and one that returns the final potential."""
    import geomflow as gf

    flow = {"krf": gf.KahlerRicciFlow, "calabi": gf.CalabiFlow}[run.kind]()
    state = gf.ComplexTorus(dim=1).grid(run.n, order=ORDER).potential(fields)
    held: list[np.ndarray] = []

    def call() -> None:
        held[:] = [gf.solve(flow, state, t1=run.end, progress=False, **options).last.values]

    return call, lambda: held[0]
