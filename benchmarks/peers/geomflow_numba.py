"""geomflow: the right-hand side derived on the graph and compiled by `geomflow.codegen`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cases import Case

NAME = "geomflow"
IMPORTS = ("geomflow.codegen", "geomflow.symbolic.jets")
KINDS = ("krf", "calabi", "ricci", "logdet")

REAL, COMPLEX = ("x", "y", "z", "w"), {2: ("x", "y"), 4: ("x1", "y1", "x2", "y2")}


def routine(case: Case) -> Any:
    """The compiled grid routine of the case."""
    from geomflow.codegen import compile_grid

    return compile_grid(program(case), case.order)


def prepare(case: Case, fields: np.ndarray) -> tuple[Callable[[], object], Callable[[], np.ndarray]]:
    """A call without arguments that computes the right-hand side, and one that returns what it computed."""
    from geomflow.core.memory import aligned

    compiled, state, out = routine(case), aligned(fields.shape), aligned(fields.shape)
    state[...] = fields  # where flows keep their states
    return lambda: compiled(state, case.spacing, out=out), lambda: out


def program(case: Case) -> Any:
    """The stages of the case over graph nodes."""
    return {"krf": _krf, "calabi": _calabi, "ricci": _ricci, "logdet": _krf}[case.kind](case)


def _program(coordinates: tuple[str, ...], fields: tuple[str, ...], *stages: tuple[tuple[str, Any], ...]) -> Any:
    from geomflow.core.program import Program, Stage

    return Program(coordinates=coordinates, fields=fields, statics=(), parameters=(),
                   stages=tuple(Stage(outputs) for outputs in stages))


def _log_density(coordinates: tuple[str, ...]) -> tuple[Any, Any]:
    """The Kähler metric ½δ + ∂∂̄φ and log v with v = det g/det(½δ)."""
    from geomflow.core import graph as gr
    from geomflow.symbolic.jets import hermitian_nodes

    metric = hermitian_nodes(coordinates)
    return metric, gr.log(2 ** (len(coordinates) // 2) * metric.determinant)


def _krf(case: Case) -> Any:
    coordinates = COMPLEX[case.dim]
    _, log_v = _log_density(coordinates)
    return _program(coordinates, ("phi",), (("rate", log_v),))


def _calabi(case: Case) -> Any:
    """R = −2 Δ_∂ log v, with log v the first stage's grid field."""
    from geomflow.symbolic.jets import field_node

    coordinates = COMPLEX[case.dim]
    metric, log_v = _log_density(coordinates)
    curvature = -2 * metric.complex_laplacian(field_node("log_v", coordinates))
    return _program(coordinates, ("phi",), (("log_v", log_v),), (("rate", curvature),))


def _ricci(case: Case) -> Any:
    from geomflow.symbolic.jets import MetricNodes, metric_nodes

    coordinates = REAL[:case.dim]
    names, matrix = metric_nodes(coordinates)
    ricci = MetricNodes(coordinates, matrix).ricci
    rates = tuple((f"rate_{name}", -2 * ricci[i, j]) for name, (i, j) in zip(names, _places(case.dim)))
    return _program(coordinates, names, rates)


def _places(dim: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(dim) for j in range(i, dim)]
