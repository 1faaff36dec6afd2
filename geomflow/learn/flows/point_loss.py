"""The loss on any points of a torus: densities from the network's exact derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.codegen import Program, Stage, compile_points
from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.field.matrices import upper_pairs
from geomflow.flow.equation import Equation, composed
from geomflow.flow.problem import Violation
from geomflow.learn.flows.loss import Loss, Setting

if TYPE_CHECKING:
    from geomflow.field.state import Field
    from geomflow.learn.models.model import Model

HIGHEST = 4
"""Networks differentiate up to this order."""


@final
@dataclass(frozen=True, eq=False)
class PointLoss(Loss):
    """The loss of a model as a mean over points (p, d) of its torus.

    The functional must be local, ∫ of a density in the metric's derivatives up to the fourth, with the measure dx and a
    constant reference form. `template` is a field of the model's kind on any grid, for the expressions alone.
    """

    setting: Setting
    model: Model
    points: np.ndarray
    template: Field

    @cached_property
    def _equation(self) -> Equation:
        equation = self.setting.descent().on(self.template)
        if equation.solved is not None or equation.average is not None or self.setting.measure is not None:
            raise InputError(f"the gradient of {self.setting.functional.name} is not local, or has a measure of its "
                             "own: flow on a grid, model.on(torus.grid(...)), instead of on points.")
        return equation

    @cached_property
    def _rate(self) -> Jetwise:
        return Jetwise.of(self._equation.program, composed(self._equation.program))

    @cached_property
    def _energy(self) -> Jetwise:
        whole = self._equation
        energy = next(m.node for m in whole.monitors if m.name == "energy")
        program = whole.program
        staged = Program(program.coordinates, program.fields, program.statics, (),
                         (*whole.stages, Stage((("energy_density", energy),))))
        return Jetwise.of(staged, composed(staged))

    @cached_property
    def _positive(self) -> Jetwise:
        assert self._equation.positive is not None
        return Jetwise.of(self._equation.program, list(self._equation.positive[1]))

    @property
    def _tensor(self) -> bool:
        return len(self._equation.program.fields) > 1

    def _jets(self, parameters: np.ndarray, points: np.ndarray, order: int) -> Mapping[tuple[int, ...], np.ndarray]:
        return self.model.jets(parameters, points, order)

    def _evaluate(self, what: Jetwise, parameters: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
        points = self.points if rows is None else self.points[rows]
        return what(self._jets(parameters, points, what.order), points)

    def derivative(self, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """D at the points, or at those of the given rows."""
        packed = -self._evaluate(self._rate, parameters, rows) * self._scale
        if not self._tensor:
            return packed[0]
        dim = self.points.shape[1]
        full = np.empty((packed.shape[1], dim, dim))
        for row, (i, j) in zip(packed, upper_pairs(dim), strict=True):
            full[:, i, j] = full[:, j, i] = row
        return full

    @cached_property
    def _scale(self) -> float:
        """The reference measure of the descent by dx."""
        if self._tensor:
            return 1.0
        from geomflow.flow.equations.kahler import log_flat_volume

        return 2.0 ** (self.points.shape[1] // 2) * float(np.exp(log_flat_volume(self.template)))

    def observe(self, parameters: np.ndarray) -> dict[str, float]:
        """The loss: the volume of the torus times the mean of its density over the points."""
        return {"energy": self.volume * float(self._evaluate(self._energy, parameters, None).mean())}

    def check(self, parameters: np.ndarray) -> Violation | None:
        """The point where the metric is not positive, if there is one."""
        values = self._evaluate(self._positive, parameters, None)
        if values.min() > 0 or np.isnan(values).any():
            return None
        worst = np.unravel_index(int(np.argmin(values)), values.shape)
        assert self._equation.positive is not None
        return Violation("positivity", self._equation.positive[0], float(values[worst]), (int(worst[1]),))


@final
@dataclass(frozen=True, eq=False)
class Jetwise:
    """Expressions in the jets of fields, compiled for points; the given arrays of their program are zero."""

    names: tuple[str, ...]
    axes: tuple[str, ...]
    leaves: tuple[gr.Node, ...]
    routine: Any

    @classmethod
    def of(cls, program: Program, nodes: list[gr.Node]) -> Jetwise:
        """Compile nodes over the jets of a program's fields.

        Raises InputError where they need higher derivatives than networks give.
        """
        given = [leaf for leaf in gr.leaves(nodes) if leaf.op == "jet" and leaf.data[0] not in program.fields]
        bare = gr.substitute(nodes, dict.fromkeys(given, gr.ZERO))
        leaves = tuple(gr.leaves(bare))
        found = cls(program.fields, program.coordinates, leaves, compile_points(tuple(bare), leaves))
        if found.order > HIGHEST:
            raise InputError(f"the flow needs derivatives of order {found.order} at the points, and networks give "
                             f"{HIGHEST}: flow on a grid, model.on(torus.grid(...)), instead of on points.")
        return found

    @property
    def order(self) -> int:
        """The highest derivative."""
        return max((sum(leaf.data[1]) for leaf in self.leaves if leaf.op == "jet"), default=0)

    def __call__(self, jets: Mapping[tuple[int, ...], np.ndarray], points: np.ndarray) -> np.ndarray:
        """The values, (n, p), at points (p, d) where the model has these jets."""
        values = [self._value(leaf, jets, points) for leaf in self.leaves]
        found = self.routine(*values) if values else self.routine()
        return np.moveaxis(np.broadcast_to(found, (len(points), found.shape[-1])), -1, 0)

    def _value(self, leaf: gr.Node, jets: Mapping[tuple[int, ...], np.ndarray], points: np.ndarray) -> np.ndarray:
        if leaf.op != "jet":
            return points[:, self.axes.index(leaf.data)]
        name, index = leaf.data
        jet = jets[index]
        if len(self.names) == 1:
            return jet
        i, j = upper_pairs(points.shape[1])[self.names.index(name)]
        return jet[:, i, j]
