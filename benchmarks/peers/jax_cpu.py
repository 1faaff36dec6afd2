"""JAX on the CPU, in double precision: the same array code under `jit`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.cases import Case
from benchmarks.peers.array_code import rate

NAME = "JAX (CPU)"
IMPORTS = ("jax",)
KINDS = ("krf", "calabi", "ricci", "logdet")


def prepare(case: Case, fields: np.ndarray) -> tuple[Callable[[], object], Callable[[], np.ndarray]]:
    """A call without arguments that computes the right-hand side, and one that returns what it computed."""
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    function = jax.jit(rate(jax.numpy, case, case.order))
    given = jax.device_put(fields)
    held: list[jax.Array] = []

    def call() -> None:
        held[:] = [function(given).block_until_ready()]

    return call, lambda: np.asarray(held[0])
