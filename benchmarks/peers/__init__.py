"""One module a peer, all of the same shape.

NAME, IMPORTS (modules whose loading is timed apart), KINDS and optionally DIMENSIONS that it can do, ORDER if it has
only one, TOLERANCE against the NumPy oracle of the same order, and `prepare(case, fields) -> (call, result)`.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from benchmarks.cases import Case

MODULES = ("geomflow_numba", "numpy_roll", "jax_cpu", "pypde", "pystencils_c", "devito_c")
OURS, ORACLE = MODULES[0], MODULES[1]


def peer(name: str) -> ModuleType:
    """The module of one peer."""
    return importlib.import_module(dotted(name))


def dotted(name: str) -> str:
    """The dotted name of the module of one peer."""
    return f"benchmarks.peers.{name}"


def can(module: ModuleType, case: Case) -> bool:
    """Whether the peer can compute the case at all."""
    return case.kind in module.KINDS and case.dim in getattr(module, "DIMENSIONS", (case.dim,))


def order(module: ModuleType, case: Case) -> int:
    """The order at which the peer computes the case."""
    return getattr(module, "ORDER", case.order)
