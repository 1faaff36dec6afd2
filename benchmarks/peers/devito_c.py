"""Devito: symbolic equations with derivatives, generated C with OpenMP, its own optimisations.

Devito knows no periodic boundary, so halos are refilled by slice copies. The compiled function is called directly, with
arguments that Devito prepared once: `Operator.apply` adds some tenths of a millisecond of bookkeeping a call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cases import Case, pairs
from benchmarks.peers.halo import refiller
from benchmarks.peers.ricci_formula import ricci

NAME = "Devito"
IMPORTS = ("devito",)
KINDS = ("krf", "calabi", "ricci", "logdet")
TOLERANCE = 1e-5
"""Devito rounds stencil weights to nine digits."""


def prepare(case: Case, fields: np.ndarray) -> tuple[Callable[[], object], Callable[[], np.ndarray]]:
    """A call without arguments that computes the right-hand side, and one that returns what it computed."""
    import devito

    devito.configuration["language"] = "openmp"
    devito.configuration["log-level"] = "ERROR"
    extent = tuple(1 - h for h in case.spacing)
    axes = [devito.SpaceDimension(name=f"q{k}", spacing=devito.Constant(name=f"h_q{k}", value=h, dtype=np.float64))
            for k, h in enumerate(case.spacing)]
    grid = devito.Grid(case.shape, extent=extent, dimensions=axes, dtype=np.float64)
    build = {"krf": _krf, "calabi": _calabi, "ricci": _ricci, "logdet": _logdet}[case.kind]
    stages, inputs, outputs = build(devito, grid, case)
    for function, values in zip(inputs, fields):
        function.data[...] = values
    steps = [_step(devito, equations, needed, case.order // 2) for needed, equations in stages]

    def call() -> None:
        for step in steps:
            step()

    return call, lambda: np.stack([np.asarray(u.data) for u in outputs])


def _step(devito: Any, equations: list[Any], needed: list[Any], reach: int) -> Callable[[], None]:
    """Refill the halos of the functions that the equations differentiate, then run the compiled loop nest."""
    operator = devito.Operator(equations)
    arguments = operator.arguments()
    compiled, given = operator.cfunction, [arguments[p.name] for p in operator.parameters]
    refills = [refiller(u._data_allocated, u._size_halo[0].left, reach, u.grid.dim) for u in needed]

    def step() -> None:
        for refill in refills:
            refill()
        compiled(*given)

    return step


def _functions(devito: Any, grid: Any, order: int, *names: str) -> list[Any]:
    return [devito.Function(name=name, grid=grid, space_order=order) for name in names]


def _krf(devito: Any, grid: Any, case: Case) -> tuple[Any, Any, Any]:
    phi, out = _functions(devito, grid, case.order, "phi", "out")
    return [([phi], [devito.Eq(out, devito.log(1 + phi.laplace / 2))])], [phi], [out]


def _calabi(devito: Any, grid: Any, case: Case) -> tuple[Any, Any, Any]:
    phi, logv, v, out = _functions(devito, grid, case.order, "phi", "logv", "v", "out")
    first = [devito.Eq(v, 1 + phi.laplace / 2), devito.Eq(logv, devito.log(v))]
    return [([phi], first), ([logv], [devito.Eq(out, -logv.laplace / v)])], [phi], [out]


def _second(function: Any, a: Any, b: Any) -> Any:
    """∂_a∂_b, a mixed one as a product of first derivatives."""
    return getattr(function, f"d{a.name}2") if a is b else getattr(getattr(function, f"d{a.name}"), f"d{b.name}")


def _logdet(devito: Any, grid: Any, case: Case) -> tuple[Any, Any, Any]:
    phi, out = _functions(devito, grid, case.order, "phi", "out")
    x1, y1, x2, y2 = grid.dimensions
    g11 = (_second(phi, x1, x1) + _second(phi, y1, y1)) / 4 + 1 / 2
    g22 = (_second(phi, x2, x2) + _second(phi, y2, y2)) / 4 + 1 / 2
    re = (_second(phi, x1, x2) + _second(phi, y1, y2)) / 4
    im = (_second(phi, x1, y2) - _second(phi, y1, x2)) / 4
    return [([phi], [devito.Eq(out, devito.log(4 * (g11 * g22 - re**2 - im**2)))])], [phi], [out]


def _ricci(devito: Any, grid: Any, case: Case) -> tuple[Any, Any, Any]:
    places = pairs(case.dim)
    g = dict(zip(places, _functions(devito, grid, case.order, *(f"g_{i}{j}" for i, j in places))))
    out = _functions(devito, grid, case.order, *(f"out_{i}{j}" for i, j in places))
    axes = grid.dimensions
    kept: list[Any] = []

    def entry(i: int, j: int) -> Any:
        return g[min(i, j), max(i, j)]

    def keep(name: str, value: Any) -> Any:
        symbol = devito.types.Symbol(name=name, dtype=np.float64)
        kept.append(devito.Eq(symbol, value, implicit_dims=axes))
        return symbol

    def first(i: int, j: int, k: int) -> Any:
        return getattr(entry(i, j), f"d{axes[k].name}")

    def second(i: int, j: int, k: int, l: int) -> Any:
        return _second(entry(i, j), axes[min(k, l)], axes[max(k, l)])

    entries = ricci(case.dim, entry, first, second, keep)
    results = [devito.Eq(u, -2 * entries[p]) for u, p in zip(out, places)]
    return [(list(g.values()), kept + results)], list(g.values()), out
