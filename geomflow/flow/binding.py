"""From an equation on a torus and a state to the `Problem` that `solve` integrates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.codegen import Program, Stage
from geomflow.field.operators import discretise
from geomflow.field.state import Field
from geomflow.flow.equation import Equation
from geomflow.flow.observe import Observer
from geomflow.flow.principal import FrozenPrincipal, PrincipalPart, SpectralBound
from geomflow.flow.problem import Problem, Violation

if TYPE_CHECKING:
    from geomflow.flow.flow import Flow


def bind(flow: Flow, state: Field, equation: Equation) -> Problem:
    """The initial value problem of the equation, starting at the state."""
    program, grid, statics = equation.program, state.grid, equation.statics
    operator = discretise(program, grid, statics)
    part = PrincipalPart(program)
    parameters = _parameters(equation, grid)
    start = state.pack()
    bound = SpectralBound(part, grid, statics) if part.slopes else None
    observer = Observer(program, equation.stages, equation.monitors, grid, statics)
    return Problem(
        y0=start,
        rate=lambda t, y, out: operator(y, parameters(y), out=out),
        unpack=state.unpack,
        stiff_order=part.order,
        spectral_radius=None if bound is None else lambda t, y: bound(y, parameters(y)),
        implicit=FrozenPrincipal(part, grid, statics, start, parameters(start)),
        check=_positivity_check(equation, grid),
        positivity=_positivity(equation, grid),
        curvature=(lambda t, y: abs(observer(t, y)[equation.curvature])) if equation.curvature else None,
        residual=modulo_constants if equation.modulo else None,
        observe=observer,
        description=describe(flow, state, equation),
    )


def modulo_constants(rate: np.ndarray) -> float:
    """Half the range of a rate: its size up to an additive constant."""
    return float(rate.max() - rate.min()) / 2


def _parameters(equation: Equation, grid: Any) -> Callable[[np.ndarray], tuple[float, ...]]:
    average, program = equation.average, equation.program
    if average is None:
        return lambda y: ()
    stage = Stage((("top", average.top), ("bottom", average.bottom)))
    inner = Program(program.coordinates, program.fields, program.statics, (), (stage,))
    operator = discretise(inner, grid, equation.statics)

    def values(y: np.ndarray) -> tuple[float, ...]:
        top, bottom = operator(y)
        return (float(top.sum() / bottom.sum()),)

    return values


def _positive_operator(equation: Equation, grid: Any) -> Any:
    program = equation.program
    outputs = tuple((f"positive_{n}", node) for n, node in enumerate(equation.positive[1]))  # type: ignore[index]
    inner = Program(program.coordinates, program.fields, program.statics, (), (Stage(outputs),))
    return discretise(inner, grid, equation.statics)


def _positivity(equation: Equation, grid: Any) -> Callable[[float, np.ndarray], float] | None:
    if equation.positive is None:
        return None
    operator = _positive_operator(equation, grid)
    return lambda t, y: float(operator(y).min())


def _positivity_check(equation: Equation, grid: Any) -> Callable[[float, np.ndarray], Violation | None] | None:
    if equation.positive is None:
        return None
    operator, what = _positive_operator(equation, grid), equation.positive[0]

    def check(t: float, y: np.ndarray) -> Violation | None:
        values = operator(y)
        if values.min() > 0 or np.isnan(values).any():
            return None
        worst = np.unravel_index(int(np.argmin(values)), values.shape)
        return Violation("positivity", what, float(values[worst]), tuple(int(i) for i in worst[1:]))

    return check


def describe(flow: Flow, state: Field, equation: Equation) -> dict[str, Any]:
    """JSON-able facts of a run for its store."""
    import sympy

    grid = state.grid
    return {
        "flow": flow.name,
        "equation": str(flow),
        "latex": sympy.latex(flow.equation),
        "grid": {"shape": list(grid.shape), "order": grid.order, "lattice": [list(row) for row in grid.torus.lattice],
                 "torus": type(grid.torus).__name__, "dim": grid.torus.dim},
        "components": list(state.component_names),
        "axes": {name: [h * i for i in range(n)] for name, n, h in
                 zip(grid.torus.coordinates, grid.shape, grid.spacing, strict=True)},
        "state": type(state).__name__,
        **equation.facts,
    }
