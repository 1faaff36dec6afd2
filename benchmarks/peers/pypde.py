"""py-pde: the equation as text, compiled with Numba by py-pde; stencils of order 2 only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.cases import Case, pairs
from benchmarks.peers.ricci_formula import ricci

NAME = "py-pde"
IMPORTS = ("pde",)
KINDS = ("krf", "calabi", "ricci")
DIMENSIONS = (2,)
ORDER = 2
TOLERANCE = 1e-9


def prepare(case: Case, fields: np.ndarray) -> tuple[Callable[[], object], Callable[[], np.ndarray]]:
    """A call without arguments that computes the right-hand side, and one that returns what it computed."""
    import pde

    grid = pde.CartesianGrid([[0, 1]] * case.dim, case.shape, periodic=True)
    scalars = [pde.ScalarField(grid, values) for values in fields]
    state = scalars[0] if len(scalars) == 1 else pde.FieldCollection(scalars)
    function = pde.PDE(equations(case)).make_pde_rhs(state, backend="numba")
    held: list[np.ndarray] = []

    def call() -> None:
        held[:] = [function(state.data, 0.0)]

    return call, lambda: held[0].reshape(fields.shape)


def equations(case: Case) -> dict[str, str]:
    """Right-hand sides by field name, in py-pde's grammar."""
    if case.kind == "krf":
        return {"phi": "log(1 + laplace(phi)/2)"}
    if case.kind == "calabi":
        return {"phi": "-laplace(log(1 + laplace(phi)/2))/(1 + laplace(phi)/2)"}
    return _ricci()


def _ricci() -> dict[str, str]:
    """−2 R_ij in two dimensions: py-pde's derivatives applied to the three components."""
    import sympy

    axes = ("x", "y")
    first = [sympy.Function(f"d_d{a}") for a in axes]
    second = [sympy.Function(f"d2_d{a}2") for a in axes]

    def g(i: int, j: int) -> sympy.Symbol:
        return sympy.Symbol(f"g_{min(i, j)}{max(i, j)}")

    def ddg(i: int, j: int, k: int, l: int) -> sympy.Expr:
        return second[k](g(i, j)) if k == l else first[1](first[0](g(i, j)))

    entries = ricci(2, g, lambda i, j, k: first[k](g(i, j)), ddg)
    return {str(g(i, j)): str(-2 * entries[i, j]) for i, j in pairs(2)}
