"""geomflow: `solve` with a tolerance a thousand times below its default."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.run_cases import RunCase
from benchmarks.runners import geomflow_solve
from benchmarks.runners.geomflow_solve import IMPORTS, ORDER, steps

__all__ = ["IMPORTS", "NAME", "ORDER", "prepare", "steps"]

RTOL = 1e-9
NAME = f"geomflow, rtol {RTOL:.0e}"


def prepare(run: RunCase, fields: np.ndarray) -> tuple[Callable[[], object], Callable[[], np.ndarray]]:
    """A call that runs to the end, and one that returns the final potential."""
    return geomflow_solve.prepare(run, fields, rtol=RTOL)
