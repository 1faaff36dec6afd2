"""The loss of a batch of points with its exact gradient, and the continuum's derivative on the same points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.field import PotentialField
from geomflow.field.grid import Grid
from geomflow.field.hermitian import HermitianField
from geomflow.field.matrices import upper_pairs
from geomflow.flow.equation import Equation
from geomflow.flow.equations.kahler import log_flat_volume
from geomflow.flow.problem import Violation
from geomflow.networks.jets import Jet
from geomflow.tangent.jetwise import Given, Jetwise, field_jets, given_functions, over_jets
from geomflow.tangent.loss import ContinuumLoss, Loss, Setting

if TYPE_CHECKING:
    from geomflow.field.state import Field
    from geomflow.flow.equation import Monitor
    from geomflow.networks.model import Model, ModelState


@final
@dataclass(frozen=True, eq=False)
class SampledLoss(Loss):
    """L(θ) = (Vol/|B|) Σ_{x∈B} l(x), l the density of factor·E by dx in the metric's derivatives up to the fourth at x.

    Halverson and Ruehle, eqs. (2.3) and (2.5) (the factor makes it an estimate of the integral, (2.4)): with u_α the
    input jets of the network,

        ∂L/∂θ_I = (Vol/|B|) Σ_{x∈B} Σ_α ∂l/∂u_α(x) ∂u_α(x)/∂θ_I

    is exact to rounding for every batch. `template` is a field of the model's kind, for the expressions alone.
    """

    setting: Setting
    model: Model
    place: Grid | np.ndarray
    points: np.ndarray
    template: Field

    @cached_property
    def _equation(self) -> Equation:
        return replace(self.setting, measure=None).descent.written(self.template)

    @property
    def local(self) -> bool:
        """Whether the energy is a sum over points: nothing is solved for or averaged on the way to it."""
        equation = self._equation
        return equation.solved is None and equation.average is None and any(m.name == "energy" for m in self._monitors)

    @property
    def _monitors(self) -> list[Monitor]:
        return [m for m in self._equation.monitors if m.name != "dissipation"]

    @cached_property
    def given(self) -> Given:
        """The jets of what is given beside the model: a variable reference form, a measure."""
        return given_functions(self.model, self.setting.measure, self.place, self.points)

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
            raise InputError(f"{self.setting.functional.name} takes {order} derivatives of {self.model!r}, whose "
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
            i, j = upper_pairs(len(index))[fields.index(name)]
            cotangent[:, i, j] += slope / 2
            cotangent[:, j, i] += slope / 2
        return found

    def observe(self, parameters: np.ndarray) -> dict[str, float]:
        """The loss as "energy", and the other monitors of the functional's own descent, over the points."""
        rows = self._evaluate(self._watched, parameters)
        return {m.name: self._reduced(m.reduction, row) for m, row in zip(self._monitors, rows, strict=True)}

    def _reduced(self, reduction: str, values: np.ndarray) -> float:
        return self.volume * float(values.mean()) if reduction == "integral" else float(getattr(values, reduction)())

    def check(self, parameters: np.ndarray) -> Violation | None:
        """The point where the metric is not positive, if there is one."""
        values = self._evaluate(self._positive, parameters)
        if values.min() > 0 or np.isnan(values).any():
            return None
        worst = np.unravel_index(int(np.argmin(values)), values.shape)
        axes = self.place.shape if isinstance(self.place, Grid) else (len(self.points),)
        place = tuple(int(k) for k in np.unravel_index(int(worst[1]), axes))
        assert self._equation.positive is not None
        return Violation("positivity", self._equation.positive[0], float(values[worst]), place)


TEMPLATE_POINTS = 8
REFERENCE_POINTS = {2: 64, 4: 20}
"""Points an axis of the grid that expressions are taken from, and, by dimension, of the one on which the mean density
of a variable reference form is taken, which defines v."""


def sampled_loss(setting: Setting, model: Model, state: ModelState) -> SampledLoss:
    """The loss of the model at the points of the state."""
    return SampledLoss(setting, model, state.place, state.points, _template(model, state.place))


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
        return self.sampled.setting.descent.on(self.sampled.template)

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
        dim = self.points.shape[1]
        full = np.empty((packed.shape[1], dim, dim))
        for row, (i, j) in zip(packed, upper_pairs(dim), strict=True):
            full[:, i, j] = full[:, j, i] = row
        return full

    def observe(self, parameters: np.ndarray) -> dict[str, float]:
        """The monitors of the sum over the points."""
        return self.sampled.observe(parameters)

    def check(self, parameters: np.ndarray) -> Violation | None:
        """The point where the metric is not positive, if there is one."""
        return self.sampled.check(parameters)
