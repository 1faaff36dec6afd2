"""Expressions in the jets of a model at points: compiled routines, and the jets of what is given beside the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.codegen import compile_points
from geomflow.core import graph as gr
from geomflow.core import hermitian
from geomflow.core.errors import InputError, PositivityError
from geomflow.core.monomials import Index
from geomflow.core.program import Program, Stage
from geomflow.field.grid import Grid
from geomflow.field.hermitian import hermitian_names
from geomflow.field.matrices import upper_pairs
from geomflow.field.state import Field
from geomflow.flow.equation import Equation
from geomflow.networks.target import Expressions, KahlerPotential, closed_scalar
from geomflow.symbolic.variation.metric_frame import LOG_MEASURE

if TYPE_CHECKING:
    from geomflow.networks.model import Model


HIGHEST = 4
"""Networks differentiate up to this order."""

Given = Callable[[str, Index], np.ndarray]
"""The derivative of a given function by name and multi-index, (p,)."""


def over_jets(equation: Equation, nodes: Sequence[gr.Node]) -> list[gr.Node]:
    """Nodes that stand on the equation's stages, over jets of its fields and of what is given alone."""
    program = equation.program
    outputs = Stage(tuple((f"value_{n}", node) for n, node in enumerate(nodes)))
    whole = Program(program.coordinates, program.fields, program.statics, (), (*equation.stages, outputs))
    return whole.unstaged()


@final
@dataclass(frozen=True, eq=False)
class Jetwise:
    """Expressions over the jets of a model at its points, compiled.

    `leaves` are what they depend on, `known` the values (p,) of those that do not depend on the model.
    """

    fields: tuple[str, ...]
    leaves: tuple[gr.Node, ...]
    known: Mapping[gr.Node, np.ndarray]
    routine: Any

    @classmethod
    def of(cls, program: Program, nodes: Sequence[gr.Node], points: np.ndarray, given: Given) -> Jetwise:
        """Compile nodes over jets of a program's fields and of given functions, for points (p, d).

        Raises InputError where they need higher derivatives than networks give.
        """
        leaves = tuple(gr.leaves(nodes))
        own = field_jets(program, leaves)
        if (order := highest(own)) > HIGHEST:
            raise InputError(f"the loss needs derivatives of order {order} at the points, and networks give {HIGHEST}: "
                             "flow on a grid, gf.tangent.Continuum(functional) with model.on(torus.grid(...)).")
        rest = [leaf for leaf in leaves if leaf not in own]
        known = {leaf: _known(leaf, program, points, given) for leaf in rest}
        return cls(program.fields, leaves, known, compile_points(tuple(nodes), leaves))

    @property
    def order(self) -> int:
        """The highest derivative of the model."""
        return highest([leaf for leaf in self.leaves if leaf not in self.known])

    def __call__(self, jets: Mapping[Index, np.ndarray], rows: np.ndarray | None = None) -> np.ndarray:
        """The values, (n, p), where the model has these jets (p, ...): at all points, or at those of the rows."""
        count = len(next(iter(jets.values())))
        values = [self._value(leaf, jets, rows) for leaf in self.leaves]
        found = self.routine(*values) if values else self.routine()
        return np.moveaxis(np.broadcast_to(found, (count, found.shape[-1])), -1, 0)

    def _value(self, leaf: gr.Node, jets: Mapping[Index, np.ndarray], rows: np.ndarray | None) -> np.ndarray:
        if leaf in self.known:
            return self.known[leaf] if rows is None else self.known[leaf][rows]
        name, index = leaf.data
        if len(self.fields) == 1:
            return jets[index]
        i, j = upper_pairs(len(index))[self.fields.index(name)]
        return jets[index][:, i, j]


def field_jets(program: Program, leaves: Sequence[gr.Node]) -> list[gr.Node]:
    """Those leaves that are jets of the program's fields."""
    return [leaf for leaf in leaves if leaf.op == "jet" and leaf.data[0] in program.fields]


def highest(jets: Sequence[gr.Node]) -> int:
    """The highest order among the jets."""
    return max((sum(jet.data[1]) for jet in jets), default=0)


def _known(leaf: gr.Node, program: Program, points: np.ndarray, given: Given) -> np.ndarray:
    if leaf.op == "jet":
        return given(*leaf.data)
    return np.ascontiguousarray(points[:, program.coordinates.index(leaf.data)])


def given_functions(model: Model, measure: Any, place: Grid | np.ndarray, points: np.ndarray) -> Given:
    """The jets of a variable reference form and of log dm/dx at the points of a place."""
    def jet(name: str, index: Index) -> np.ndarray:
        if name == LOG_MEASURE:
            return _log_measure(model, 1 if measure is None else measure, place, points, index)
        assert isinstance(model.target, KahlerPotential)
        rows = hermitian.pack(model.target.form.jets(points, sum(index))[index])
        names = hermitian_names(model.target.torus.dim, "h")
        return np.ascontiguousarray(rows[..., names.index(name.removeprefix("reference_"))])

    return jet


def _log_measure(model: Model, measure: Any, place: Grid | np.ndarray, points: np.ndarray, index: Index) -> np.ndarray:
    """Exact derivatives of a closed form; those of the grid where the measure is known on its points only."""
    if isinstance(measure, np.ndarray | Field):
        if not isinstance(place, Grid):
            raise InputError("the reference measure is known on a grid only: give its closed form, or start on a grid, "
                             "model.on(grid).")
        density = place.scalar(measure).values
        _require_positive(density)
        return place.derivative(np.log(density), index).ravel()
    form = closed_scalar(model.torus, measure, "the reference measure")
    _require_positive(form.values(points))
    if isinstance(form, Expressions):
        node = np.empty((), object)
        node[()] = gr.log(form.nodes.item())
        return Expressions(model.torus, node, float).jets(points, sum(index))[index]
    return np.log(form.jets(points, sum(index))[index])


def _require_positive(density: np.ndarray) -> None:
    if not density.min() > 0:
        raise PositivityError(f"the reference measure must be positive; its least density is {density.min():.6g}.")
