"""JAX on the CPU: classical Runge–Kutta at the stability limit, the whole run one compiled loop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.cases import Case
from benchmarks.peers.array_code import rate
from benchmarks.run_cases import RunCase

NAME = "JAX (CPU), RK4"
IMPORTS = ("jax",)
ORDER = 4


def steps(run: RunCase) -> int:
    """Steps to the end."""
    return run.explicit_steps(ORDER)


def prepare(run: RunCase, fields: np.ndarray) -> tuple[Callable[[], object], Callable[[], np.ndarray]]:
    """A call that runs to the end, and one that returns the final potential."""
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    f = rate(jax.numpy, Case(run.name, run.title, run.kind, run.shape), ORDER)
    count = steps(run)
    h = run.end / count

    def step(_: int, y: jax.Array) -> jax.Array:
        k1 = f(y)
        k2 = f(y + h / 2 * k1)
        k3 = f(y + h / 2 * k2)
        k4 = f(y + h * k3)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    march = jax.jit(lambda y: jax.lax.fori_loop(0, count, step, y))
    given = jax.device_put(fields)
    held: list[jax.Array] = []

    def call() -> None:
        held[:] = [march(given).block_until_ready()]

    return call, lambda: np.asarray(held[0])
