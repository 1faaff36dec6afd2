"""An equation on a torus as expressions: what a flow says of itself before any number is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.program import Average, InnerProduct, Program, Stage
from geomflow.field.spectra import GroundState
from geomflow.field.state import Field

if TYPE_CHECKING:
    import sympy

    from geomflow.flow.flow import Flow

Kind = TypeVar("Kind", bound=Field)
"""The kind of field that a flow acts on."""


@dataclass(frozen=True)
class Monitor:
    """The number `name`: the integral over the torus (dx), the mean, the maximum or the minimum of `node`."""

    name: str
    reduction: Literal["integral", "mean", "max", "min"]
    node: gr.Node

    def reduced(self, values: np.ndarray, volume: float) -> float:
        """The number, of the node's values at points that are spread evenly over a torus of this volume."""
        if self.reduction == "integral":
            return float(values.mean()) * volume
        return float(getattr(values, self.reduction)())


def curvature_monitors(density: gr.Node, scalar: gr.Node, size: tuple[str, gr.Node], name: str,
                       value: gr.Node) -> tuple[Monitor, ...]:
    """Volume, total and extreme curvature, its `size` by name, and the range of a further `value`, called by `name`."""
    return (
        Monitor("volume", "integral", density),
        Monitor("total_curvature", "integral", scalar * density),
        Monitor("curvature_min", "min", scalar),
        Monitor("curvature_max", "max", scalar),
        Monitor(size[0], "max", size[1]),
        Monitor(f"{name}_min", "min", value),
        Monitor(f"{name}_max", "max", value),
    )


@dataclass(frozen=True)
class Equation:
    """What a flow says of itself on a torus, as expressions.

    program     the rate of every component of the state, in packed order
    statics     the given arrays of the program, (n_statics, *grid)
    positive    what must stay positive: a name for messages, and nodes whose least value is watched
    stages      inner stages that `monitors` may use beyond those of `program`
    monitors    numbers recorded along the run
    curvature   the monitor that measures the size of the curvature
    averages    nonlocal parameters of the program; one may depend on those before it
    numbers     further parameters of the program and the monitors, and their values, such as those of a Kähler class:
                one compiled routine serves them all
    modulo      "constants" if the state matters up to an additive constant only
    solved      a further field of the program, last, that is not evolved but solved for at each state
    inner       the inner product, where the equation is a gradient flow in a pointwise one
    lower       derivatives below the highest may be stiff too, and eigenvalues imaginary: coefficients are the user's
    start       when runs begin, where rates depend on the time
    judged      whether a run ends where the equation turns ill-posed
    """

    program: Program
    statics: np.ndarray | None = None
    positive: tuple[str, tuple[gr.Node, ...]] | None = None
    stages: tuple[Stage, ...] = ()
    monitors: tuple[Monitor, ...] = ()
    curvature: str | None = None
    averages: tuple[Average, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    modulo: str | None = None
    solved: GroundState | None = None
    inner: InnerProduct | None = None
    lower: bool = False
    start: float = 0.0
    judged: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def checked_state(flow: Flow, state: Any, kind: type[Kind], how: str) -> Kind:
    """`state` if it is of the kind that the flow acts on.

    Raises InputError that says what was given and how to make the right one.
    """
    if not isinstance(state, kind):
        hint = " Its field() is one, if it lives on a grid." if hasattr(state, "field") else ""
        raise InputError(f"the flow '{flow.name}' acts on a {kind.__name__}, made by {how}; a {type(state).__name__} "
                         f"was given.{hint}")
    return state


def equations_of(program: Program, torus: Any) -> list[sympy.Eq]:
    """∂_t of each field = its rate, with inner stages substituted, in sympy."""
    import sympy

    from geomflow.core.graph.sympy_bridge import all_to_sympy
    from geomflow.symbolic.given import fresh

    t = sympy.Symbol(fresh("t", torus.coordinates))
    fields = [sympy.Function(name)(t, *torus.symbols) for name in program.fields]
    still = [sympy.Function(name)(*torus.symbols) for name in program.fields]
    written = all_to_sympy(program.unstaged(), coordinates=torus.symbols)
    rates = [rate.xreplace(dict(zip(still, fields, strict=True))) for rate in written]
    return [sympy.Eq(sympy.Derivative(f, t), rate, evaluate=False) for f, rate in zip(fields, rates, strict=True)]

