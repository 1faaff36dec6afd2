"""Gradient flows derived from functionals, ready to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import IllPosedError, InputError, require_known
from geomflow.core.numbers import named_numbers
from geomflow.core.program import Stage
from geomflow.field import Fields, MetricField, PotentialField
from geomflow.field.fields_of import fields_of
from geomflow.field.potential import ReferenceForm
from geomflow.field.setting import Setting, setting_of
from geomflow.field.state import Field
from geomflow.flow.blocks import fastest_growth
from geomflow.flow.compiled import character_at
from geomflow.flow.equation import Equation, Monitor, checked_state, equations_of
from geomflow.flow.equations.beside import monitors_of, positivity, size_of_curvature
from geomflow.flow.equations.gauge import GAUGES, Gauge
from geomflow.flow.equations.kahler import kahler_monitors, log_det_stage
from geomflow.flow.equations.ricci import minors, ricci_monitors
from geomflow.flow.flow import Flow
from geomflow.symbolic.ansatz.typed import Typed, typed_flow
from geomflow.symbolic.functionals.derived import DerivedFlow
from geomflow.symbolic.functionals.fields import FieldsDensity
from geomflow.symbolic.functionals.system import GradientSystem, is_distribution
from geomflow.symbolic.jets import MetricNodes, metric_names, metric_nodes
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor
from geomflow.symbolic.variation.kahler_frame import PHI
from geomflow.symbolic.variation.metric_frame import LOG_MEASURE

if TYPE_CHECKING:
    import sympy

SEVERAL = ("Let those fields move that it is well-posed in, gradient_flow(of=...), or descend the functional of the "
           "other sign.")


@final
@dataclass(frozen=True)
class Descent(Flow):
    """∂_t u = −c grad E of a functional, as `functional.gradient_flow(metric)` derives it.

    `solve` makes it from a derived flow by itself. An ill-posed flow is refused at binding, with its
    growth rate, unless it is `forced`. Raises InputError for anything but a derived flow.

    Monitors: "energy" is c E, c the functional's `factor`, which falls; "dissipation" is ‖c grad E‖², with
    d(energy)/dt = −dissipation.

    Parameters
    ----------
    derived : DerivedFlow
        As `functional.gradient_flow(metric)` gives it.
    parameters : mapping
        Numbers for the parameters that the functional leaves open (the τ of Perelman's W).
    measure : text, number, function, array or ScalarField
        The reference measure dm/dx > 0 of functionals that have one; dx itself unless given. Refused at binding where
        nothing depends on it.
    forced : bool
        Run an ill-posed flow all the same.
    gauge : {None, "deturck", "deturck+conformal"}
        Of a functional of several fields: what damps changes along diffeomorphisms, as in `Flow.from_expression`. The
        energy falls as without, at the same rate, where it does not change along them.
    """

    derived: DerivedFlow
    parameters: Mapping[str, float] = field(default_factory=dict)
    measure: Any = None
    forced: bool = False
    gauge: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.derived, DerivedFlow):
            raise InputError("Descent runs what functional.gradient_flow(metric) gives, and a "
                             f"{type(self.derived).__name__} was given.")
        if self.gauge is not None:
            require_known("gauge", self.gauge, GAUGES)
            self._require_all_moved(self.derived.functional)

    def _require_all_moved(self, functional: Any) -> None:
        if not isinstance(functional, FieldsDensity):
            raise InputError(f"{functional.name} is offered without a gauge: give its density as that of a functional "
                             "of fields by name, from_density(T, ..., fields='g'), or write the flow as text.")
        still = [name for name in functional.fields if name not in self._moving(functional)]
        if still or functional.metric is None:
            raise InputError("in DeTurck's gauge all fields are moved along with a metric, and "
                             + (f"'{still[0]}' stays as it is." if still else "there is none."))

    @property
    def name(self) -> str:
        """The functional's name and the metric's, as "kenergy-mabuchi"."""
        return self.derived.name

    @property
    def equation(self) -> sympy.Eq:
        """The derived equation in the usual notation."""
        return self.derived.equation

    def typed(self, dim: int) -> Typed:
        """The derived flow's, in the language of tensors."""
        return typed_flow(self.derived, dim)

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equations written out over the flat reference; long beyond dimension one."""
        return equations_of(self.derived.flat.program, torus)

    def on(self, state: Any) -> Equation:
        """The equation for the state's kind of field.

        Raises InputError for a state of another kind or on another torus, a parameter without a value, or a rate that
        is a distribution;
        IllPosedError, which is an InputError too, for a flow that grows without bound at the state.
        """
        equation = self.written(state)
        self._refuse_distribution(equation)
        if not self.forced:
            self._refuse_ill_posed(self.moving(state), equation)
        return equation

    def written(self, state: Any) -> Equation:
        """The equation for the state's kind of field, also where it cannot be run: its monitors hold all the same.

        Raises InputError for a state of another kind or on another torus, and for a parameter without a value.

        Parameters
        ----------
        state : PotentialField or MetricField
            On the torus that the flow was derived over.
        """
        if isinstance(self.derived.functional, FieldsDensity):
            return self._on_fields(self.derived.functional, state)
        unknowns = self.derived.flat.unknowns
        if isinstance(state, Fields) and set(unknowns) == set(state.component_names):
            return self._on_parts(state)
        potential = unknowns == (PHI,)
        kind, how = (PotentialField, "grid.potential(...) on a ComplexTorus") if potential else (
            MetricField, "grid.metric(...) on a Torus")
        checked: Any = checked_state(self, state, kind, how)
        wanted = self.derived.flat.program.coordinates
        if checked.grid.torus.coordinates != wanted:
            raise InputError(f"{self.name} was derived over coordinates {', '.join(wanted)}, and the state lives on "
                             f"{checked.grid.torus!r}; derive it over the state's own torus.")
        return self._on_potential(checked) if potential else self._on_metric(checked)

    @property
    def takes_gauge(self) -> bool:
        """Whether all fields of a functional by name move, a metric among them."""
        functional = self.derived.functional
        return isinstance(functional, FieldsDensity) and functional.metric is not None and len(
            self._moving(functional)) == len(functional.fields)

    def moving(self, state: Any) -> Any:
        """The state with those of its fields still that the flow leaves as they are."""
        if not isinstance(self.derived.functional, FieldsDensity) or not isinstance(state, Fields):
            return state
        return state.holding([name for name in state.parts if name not in self._moving(self.derived.functional)])

    def _moving(self, functional: FieldsDensity) -> list[str]:
        """The fields of a functional that have a rate."""
        unknowns = set(self.derived.flat.unknowns)
        return [name for name, kind in functional.fields.items()
                if unknowns.issuperset(kind.names(name, functional.coordinates))]

    def _on_fields(self, functional: FieldsDensity, state: Any) -> Equation:
        if self.measure is not None:
            raise InputError("a functional of several fields is integrated against dV, and a measure was given: write "
                             "the weight in the density, as in exp(-f)*(R + dot(d(f), d(f))).")
        parts, names = fields_of(functional, state), self._moving(functional)
        order = [name for name in (state.parts if isinstance(state, Fields) else parts) if name in parts]
        moving = {name: parts[name] for name in order if name in names}
        still = {name: parts[name] for name in order if name not in names}
        system = self.derived.flat if self.gauge is None else self.derived.system(dressed=self._gauged)
        rows = np.concatenate([part.pack() for part in still.values()]) if still else None
        names = [own for name, part in still.items() for own in part.names(name)]
        return replace(self._of_parts(system, self.moving(state), moving, names), statics=rows)

    def _on_parts(self, state: Fields) -> Equation:
        """The equation of a metric and an f by name."""
        system = self.derived.flat
        if system.elliptic or system.program.statics:
            raise InputError(f"{self.name} moves a metric alone: give the metric itself, as state['g'].")
        self._setting(state).refuse_measure(())
        return self._of_parts(system, state, state.moving)

    def _of_parts(self, system: GradientSystem, state: Field, moving: Mapping[str, Field],
                  statics: Sequence[str] = ()) -> Equation:
        """The equation of fields by name, in the order of the state."""
        program = system.program.arranged([own for name, part in moving.items() for own in part.names(name)], statics)
        monitors = monitors_of(moving, program.coordinates)
        return replace(
            self._equation(replace(system, program=program), monitors, ()),
            positive=positivity(state, moving),
            curvature=size_of_curvature(monitors),
            lower=True,
        )

    def _gauged(self, space: Space, rates: dict[str, Tensor]) -> dict[str, Tensor]:
        """The rates in the gauge."""
        functional: Any = self.derived.functional
        gauge = Gauge.of(space, rates[functional.metric], str(self.gauge))
        return {name: gauge.added(rate, functional.fields[name].tensor(name, functional.coordinates),
                                  name == functional.metric) for name, rate in rates.items()}

    def _on_potential(self, state: PotentialField) -> Equation:
        form, setting = ReferenceForm.of(state), self._setting(state)
        setting.refuse_measure(())
        own = kahler_monitors(form.metric, gr.log(setting.options["kahler_class"].kappa))
        return replace(
            self._equation(setting.system(self.derived), tuple(m for m in own if m.name != "energy"),
                           (log_det_stage(form.metric),)),
            statics=setting.statics(),
            positive=("the smallest leading principal minor of g", form.metric.minors),
            curvature="curvature_size",
            modulo="constants",
        )

    def _on_metric(self, state: MetricField) -> Equation:
        setting, system, coordinates = self._setting(state), self.derived.flat, state.grid.torus.coordinates
        metric = MetricNodes(coordinates, metric_nodes(coordinates)[1])
        extra = {*system.unknowns, *system.program.statics} - {*metric_names(coordinates), LOG_MEASURE}
        if extra:
            raise InputError(f"{self.name} needs {', '.join(sorted(extra))} beside the metric: give both, as "
                             "grid.fields(g=..., f=...). For Perelman's coupled flow run RicciFlow first, then "
                             "ConjugateHeatFlow along its solution; for a fixed measure dm give f = log(dV/dm), as "
                             "PerelmanF does.")
        setting.refuse_measure(system.program.statics)
        own = ricci_monitors(metric, gr.sqrt(metric.determinant))
        return replace(
            self._equation(system, own, ()),
            statics=setting.statics(system.program.statics),
            positive=("the smallest leading principal minor of g", minors(metric.matrix)),
            curvature="ricci_norm_max",
            solved=setting.solved,
        )

    def _setting(self, state: Field) -> Setting:
        return setting_of(self.derived.functional, state, self.measure)

    def _equation(self, system: GradientSystem, own: tuple[Monitor, ...], stages: tuple[Stage, ...]) -> Equation:
        found = system.substituted(self._values(system))
        energies = (("energy", found.energy), ("dissipation", found.dissipation))
        inner = found.density_stages
        names = {name for stage in inner for name in stage.names}
        return Equation(
            program=found.program,
            stages=(*inner, *(s for s in stages if not set(s.names) & names)),
            monitors=(*(Monitor(name, "integral", node) for name, node in energies), *own),
            averages=found.averages,
            inner=found.inner,
        )

    def _values(self, system: GradientSystem) -> dict[gr.Node, gr.Node]:
        numbers = named_numbers(self.name, system.open_parameters, self.parameters,
                                "gf.Descent(flow, parameters={{'{0}': 1.0}})")
        return {gr.symbol(name): gr.constant(number) for name, number in numbers.items()}

    def _refuse_distribution(self, equation: Equation) -> None:
        if is_distribution(equation.program):
            raise InputError(f"{self.name} differentiates a sign, so that its rate is a distribution and not a "
                             f"function on a grid. {' '.join(self.derived.functional.remarks)}")

    def _refuse_ill_posed(self, state: Field, equation: Equation) -> None:
        if equation.solved is not None:
            growth, order = (0.0, Fraction(2)) if self.derived.linearisation.well_posed else (np.inf, Fraction(2))
        else:
            growth, order = fastest_growth(character_at(equation, state))
        if not growth:
            return
        functional = self.derived.functional
        several = (SEVERAL,) if isinstance(functional, FieldsDensity) else ()
        raise IllPosedError(" ".join([
            f"{self.name} is ill-posed at this state: plane waves of wave number |k| grow like exp({growth:.4g} "
            f"|k|^{order} t), without bound as the grid is refined.", *functional.remarks, *several,
            "To run it all the same, as a demonstration, give gf.Descent(flow, forced=True) to solve."]))
