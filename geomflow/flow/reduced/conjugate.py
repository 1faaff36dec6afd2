"""The conjugate heat equation backward along a run of metrics with symmetry: linear, with its exact matrix."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.field.reduced.compiled import compiled_nodes
from geomflow.field.reduced.evaluate import Evaluated
from geomflow.field.reduced.function import ReducedFunction, make_function
from geomflow.flow.problem import Problem, Violation, lost_positivity
from geomflow.flow.reduced.path import ReducedPath
from geomflow.symbolic.ansatz import ReducedFunctional, Unknown
from geomflow.symbolic.ansatz.functions import functions_of
from geomflow.symbolic.ansatz.reduction import deturck_field
from geomflow.symbolic.ansatz.regular import DRIFT, SPEED

if TYPE_CHECKING:
    from geomflow.flow.flow import Flow

RTOL = 1e-10
"""What steps may err unless the user says otherwise."""

BEYOND = 5e-3
"""Steps look over their ends by a share of them, to know how the rate changes with the time."""

DENSITY = "w"


def bind_conjugate(flow: Flow, path: ReducedPath, tau: float | None, state: Any) -> Problem:
    """The initial value problem in τ = t₁ − t of ∂_τ w = Δw − Rw, and −V w_x where points moved along V ∂_x.

    Raises InputError for a function on another grid, and where w is not positive.

    Parameters
    ----------
    flow : Flow
        Whose problem it is.
    path : ReducedPath
        The metrics.
    tau : float, optional
        Perelman's scale at the end of the run.
    state : ReducedFunction
        w there.
    """
    if not isinstance(state, ReducedFunction):
        raise InputError(f"the conjugate heat equation along metrics with symmetry moves a function on their grid, "
                         f"sol.last.grid.scalar(...), and a {type(state).__name__} was given.")
    start = make_function(path.grid, state)
    if not start.min() > 0:
        raise InputError(f"the density w = e^(-f) must be positive; its least value is {start.min():.6g}.")
    backward = _Backward(path, tau)
    return Problem(
        y0=start.pack(),
        rate=backward.rate,
        unpack=start.unpack,
        jacobian=lambda t, y: backward.matrix(t),
        autonomous=False,
        rtol=RTOL,
        stiff_order=2 if path.grid.shape else 0,
        check=_check,
        positivity=lambda t, y: float(y.min()),
        observe=backward.observe,
        description=_described(flow, path),
    )


def _check(tau: float, y: np.ndarray) -> Violation | None:
    """Where w is not positive."""
    return lost_positivity("w", y)


def _described(flow: Flow, path: ReducedPath) -> dict[str, Any]:
    grid = path.grid
    axes = {name: basis.x[0].tolist() for name, basis in zip(grid.coordinates, grid.bases, strict=True)}
    return {"flow": flow.name, "equation": str(flow), "latex": sympy.latex(flow.equation), "ansatz": str(grid.ansatz),
            "grid": {"shape": list(grid.shape), "bases": [repr(basis) for basis in grid.bases]},
            "components": ["f"], "axes": axes, "state": ReducedFunction.__name__}


@final
class _Backward:
    """The equation on a grid, as functions of τ and w."""

    def __init__(self, path: ReducedPath, tau: float | None) -> None:
        self._path, self._grid, self._tau = path, path.grid, tau
        node, (w,) = self._written()
        self._jets = [leaf for leaf in gr.leaves([node]) if leaf.op == "jet" and leaf.data[0] == w.name]
        self._factors: Evaluated = compiled_nodes(self._grid, gr.gradient(node, self._jets), extra=self._extra)

    @property
    def _extra(self) -> Sequence[str]:
        return (DRIFT,) if self._path.gauge == "arclength" else ()

    def _written(self) -> tuple[gr.Node, tuple[Unknown, ...]]:
        """Δw − Rw − V w_x in regular fields."""
        ansatz = self._grid.ansatz
        functions = functions_of(ansatz, DENSITY)
        moved = ansatz.scalar(f"laplacian({DENSITY}) - R*{DENSITY}", fields=DENSITY)
        for s, speed in zip(ansatz.metric.chart.symbols, self._speeds(), strict=True):
            moved -= speed * functions[0].value.diff(s)
        return ansatz.regular.node(moved, functions), functions

    def _speeds(self) -> list[sympy.Expr]:
        """V along each coordinate."""
        ansatz = self._grid.ansatz
        chart = ansatz.metric.chart
        if self._path.gauge == "deturck":
            return deturck_field(ansatz)
        if self._path.gauge is None:
            return [sympy.Integer(0)] * chart.dim
        return [sympy.Function(SPEED)(s) if s.name in ansatz.coordinates else sympy.Integer(0) for s in chart.symbols]

    @cached_property
    def _derivatives(self) -> list[np.ndarray]:
        """What the jets are of values, projected on what the grid keeps behind."""
        return [self._grid.basis.derivative(leaf.data[1]) for leaf in self._jets]

    def matrix(self, tau: float) -> np.ndarray:
        """A with ∂_τ w = A w, (N, N).

        Parameters
        ----------
        tau : float
            t₁ − t.
        """
        t = self._path.end - tau
        rows = self._path.near(t, BEYOND).reshape(len(self._grid.ansatz.regular.fields), -1)
        if self._extra:
            rows = np.concatenate([rows, self._path.rates.drift(t, rows)[None]])
        whole = sum(factor[:, None] * matrix for factor, matrix in
                    zip(self._factors(rows, {}), self._derivatives, strict=True))
        basis = self._grid.basis
        return np.asarray(whole if basis.order is not None or not self._grid.shape else basis.project @ whole)

    def rate(self, tau: float, y: np.ndarray, out: np.ndarray) -> None:
        """∂_τ w into `out`.

        Parameters
        ----------
        tau : float
            t₁ − t.
        y, out : (1, *grid) arrays
            w, and where the rate goes.
        """
        out[:] = (self.matrix(tau) @ y.ravel()).reshape(y.shape)

    def observe(self, tau: float, y: np.ndarray) -> dict[str, float]:
        """The mass, and Perelman's functionals.

        Parameters
        ----------
        tau : float
            t₁ − t.
        y : (1, *grid) array
            w.
        """
        ansatz, f = self._grid.ansatz, -np.log(y.reshape(1, -1))
        found = {"mass": self._value(self._mass, tau, f, None),
                 "perelman_f": self._value(ansatz.perelman_f, tau, f, None)}
        if self._tau is not None:
            scale = self._tau + tau
            shift = ansatz.metric.dim / 2 * np.log(4 * np.pi * scale)
            found["perelman_w"] = self._value(ansatz.perelman_w, tau, f - shift, scale)
        return {**found, "w_min": float(y.min()), "w_max": float(y.max())}

    @cached_property
    def _mass(self) -> ReducedFunctional:
        return self._grid.ansatz.functional("exp(-f)", fields="f")

    def _value(self, functional: ReducedFunctional, tau: float, f: np.ndarray, scale: float | None) -> float:
        numbers = {} if scale is None else {"tau": scale}
        return self._path.field(self._path.end - tau).integrated(functional.density, functional.functions, f, numbers)
