"""NumPy: rolls, one temporary an operation. The oracle that every other peer is checked against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.cases import Case
from benchmarks.peers.array_code import rate

NAME = "NumPy roll"
IMPORTS = ("numpy",)
KINDS = ("krf", "calabi", "ricci", "logdet")


def prepare(case: Case, fields: np.ndarray) -> tuple[Callable[[], object], Callable[[], np.ndarray]]:
    """A call without arguments that computes the right-hand side, and one that returns what it computed."""
    function = rate(np, case, case.order)
    held: list[np.ndarray] = []

    def call() -> None:
        held[:] = [function(fields)]

    return call, lambda: held[0]
