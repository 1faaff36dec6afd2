"""One module a way to run a flow, of the same shape as `benchmarks.peers`: NAME, IMPORTS, ORDER, prepare.

`steps(run)` is the number of steps known beforehand, or None: a run of more than MOST_STEPS is not attempted.
"""

from __future__ import annotations

MODULES = ("geomflow_solve", "geomflow_tight", "jax_rk4", "pypde_rk4")
MOST_STEPS = 1_000_000


def dotted(name: str) -> str:
    """The dotted name of the module of one way to run."""
    return f"benchmarks.runners.{name}"
