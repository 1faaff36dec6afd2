"""The loss of a batch of points with its exact gradient, and the continuum's derivative on the same points.

Both are expressions in the jets of a model at the points: compiled routines, beside the jets of what is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.codegen import compile_points
from geomflow.core import graph as gr
from geomflow.core import hermitian, symmetric
from geomflow.core.errors import InputError, PositivityError
from geomflow.core.monomials import Index
from geomflow.core.program import Program, Stage
from geomflow.field import Field, Grid, HermitianField, PotentialField
from geomflow.field.hermitian import hermitian_names
from geomflow.flow.equation import Equation, Monitor
from geomflow.flow.equations.kahler import log_flat_volume
from geomflow.flow.problem import Violation, lost_positivity
from geomflow.networks.jets import Jet
from geomflow.networks.model import Model
from geomflow.networks.state import ModelState
from geomflow.networks.target import Expressions, KahlerPotential, closed_scalar
from geomflow.symbolic.variation.metric_frame import LOG_MEASURE
from geomflow.tangent.loss import ContinuumLoss, Loss, PosedFunctional

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
        i, j = symmetric.packed_places(len(index))[self.fields.index(name)]
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


@final
@dataclass(frozen=True, eq=False)
class SampledLoss(Loss):
    """L(θ) = (Vol/|B|) Σ_{x∈B} l(x), l the density of factor·E by dx in the metric's derivatives up to the fourth at x.

    Halverson and Ruehle, eqs. (2.3) and (2.5) (the factor makes it an estimate of the integral, (2.4)): with u_α the
    input jets of the network,

        ∂L/∂θ_I = (Vol/|B|) Σ_{x∈B} Σ_α ∂l/∂u_α(x) ∂u_α(x)/∂θ_I

    is exact to rounding for every batch. `template` is a field of the model's kind, for the expressions alone.
    """

    posed: PosedFunctional
    model: Model
    place: Grid | np.ndarray
    points: np.ndarray
    template: Field

    @cached_property
    def _equation(self) -> Equation:
        return replace(self.posed, measure=None).descent.written(self.template)

    @property
    def local(self) -> bool:
        """Whether the energy is a sum over points: nothing is solved for or averaged on the way to it."""
        equation = self._equation
        return equation.solved is None and not equation.averages and any(m.name == "energy" for m in self._monitors)

    @property
    def _monitors(self) -> list[Monitor]:
        return [m for m in self._equation.monitors if m.name != "dissipation"]

    @cached_property
    def given(self) -> Given:
        """The jets of what is given beside the model: a variable reference form, a measure."""
        return given_functions(self.model, self.posed.measure, self.place, self.points)

    def _compiled(self, nodes: list[gr.Node]) -> Jetwise:
        return Jetwise.of(self._equation.program, nodes, self.points, self.given)

    @cached_property
    def _slopes(self) -> tuple[list[gr.Node], Jetwise]:
        """The jets that the density depends on, and its partial derivatives by them."""
        energy = next(m.node for m in self._monitors if m.name == "energy")
        density = over_jets(self._equation, [energy])[0]
        jets = field_jets(self._equation.program, gr.leaves([density]))
        slopes = self._compiled(gr.gradient(density, jets))
        self._require_smooth(max((sum(jet.data[1]) for jet in jets), default=0))
        return jets, slopes

    def ready(self) -> SampledLoss:
        """The loss itself, compiled, so that what the model cannot give is told before a run begins."""
        self._slopes  # noqa: B018
        return self

    def _require_smooth(self, order: int) -> None:
        if order > 1 and self.model.kinked:
            raise InputError(f"{self.posed.functional.name} takes {order} derivatives of {self.model!r}, whose "
                             "activation has kinks: beyond the first they sit in the kinks, where no point sees them. "
                             "Take a smooth activation, such as gelu, tanh or softplus.")

    @cached_property
    def _watched(self) -> Jetwise:
        return self._compiled(over_jets(self._equation, [m.node for m in self._monitors]))

    @cached_property
    def _positive(self) -> Jetwise:
        assert self._equation.positive is not None
        return self._compiled(list(self._equation.positive[1]))

    def _evaluate(self, what: Jetwise, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        return what(self.model.jets(parameters, self.chosen(rows), what.order), rows)

    def _descent(self, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        jets, slopes = self._slopes
        points = self.chosen(rows)
        values = self._evaluate(slopes, parameters, rows)
        return -self.volume / len(points) * self.model.jets_vjp(parameters, points, self._cotangents(jets, values))

    def _cotangents(self, jets: list[gr.Node], slopes: np.ndarray) -> Jet:
        """∂l/∂(∂^α values) by α: a component i < j stands in the full index sum twice."""
        fields, shape = self._equation.program.fields, (slopes.shape[1], *self.model.shape)
        found: Jet = {}
        for jet, slope in zip(jets, slopes, strict=True):
            name, index = jet.data
            cotangent = found.setdefault(index, np.zeros(shape))
            if len(fields) == 1:
                cotangent += slope
                continue
            i, j = symmetric.packed_places(len(index))[fields.index(name)]
            cotangent[:, i, j] += slope / 2
            cotangent[:, j, i] += slope / 2
        return found

    def observe(self, parameters: np.ndarray) -> dict[str, float]:
        """The loss as "energy", and the other monitors of the functional's own descent, over the points."""
        rows = self._evaluate(self._watched, parameters)
        return {m.name: m.reduced(row, self.volume) for m, row in zip(self._monitors, rows, strict=True)}

    def check(self, parameters: np.ndarray) -> Violation | None:
        """The point where the metric is not positive, if there is one."""
        values = self._evaluate(self._positive, parameters)
        axes = self.place.shape if isinstance(self.place, Grid) else (len(self.points),)
        assert self._equation.positive is not None
        return lost_positivity(self._equation.positive[0], values.reshape(-1, *axes))


TEMPLATE_POINTS = 8
REFERENCE_POINTS = {2: 64, 4: 20}
"""Points an axis of the grid that expressions are taken from, and, by dimension, of the one on which the mean density
of a variable reference form is taken, which defines v."""


def sampled_loss(posed: PosedFunctional, state: ModelState) -> SampledLoss:
    """The loss of the state's model at its points."""
    return SampledLoss(posed, state.model, state.place, state.points, _template(state.model, state.place))


def _template(model: Model, place: Grid | np.ndarray) -> Field:
    if isinstance(place, Grid):
        return model.template(place)
    found: Field = model.template(model.torus.grid(TEMPLATE_POINTS))
    if isinstance(getattr(found, "reference", None), HermitianField):
        found = model.template(model.torus.grid(REFERENCE_POINTS.get(model.torus.real_dim, TEMPLATE_POINTS)))
    return found


@final
@dataclass(frozen=True, eq=False)
class PointLoss(ContinuumLoss):
    """The loss of a model at points (p, d) of its torus, descended by averages of the continuum's derivative.

    The functional must be local and free of a measure of its own. `sampled` is the sum over the same points.
    """

    sampled: SampledLoss

    @property
    def model(self) -> Model:  # type: ignore[override]
        """The model."""
        return self.sampled.model

    @property
    def points(self) -> np.ndarray:  # type: ignore[override]
        """The points, (p, d)."""
        return self.sampled.points

    @cached_property
    def _equation(self) -> Equation:
        return self.sampled.posed.descent.on(self.sampled.template)

    @cached_property
    def _rate(self) -> Jetwise:
        program = self._equation.program
        return Jetwise.of(program, program.unstaged(), self.points, self.sampled.given)

    @cached_property
    def _scale(self) -> float:
        """The reference measure of the descent by dx."""
        template = self.sampled.template
        if not isinstance(template, PotentialField):
            return 1.0
        return 2.0 ** (self.points.shape[1] // 2) * float(np.exp(log_flat_volume(template)))

    def derivative(self, parameters: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """D at the points, or at those of the given rows."""
        jets = self.model.jets(parameters, self.chosen(rows), self._rate.order)
        packed = -self._rate(jets, rows) * self._scale
        if not self.model.shape:
            return packed[0]
        return symmetric.unpack(packed, self.points.shape[1])

    def observe(self, parameters: np.ndarray) -> dict[str, float]:
        """The monitors of the sum over the points."""
        return self.sampled.observe(parameters)

    def check(self, parameters: np.ndarray) -> Violation | None:
        """The point where the metric is not positive, if there is one."""
        return self.sampled.check(parameters)
