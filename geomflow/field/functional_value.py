"""Functionals at states: the integral of their density over the grid."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.numbers import named_numbers
from geomflow.field.fields_of import fields_of
from geomflow.field.matrices import require_positive
from geomflow.field.metric import POSITIVE_ADVICE, MetricField
from geomflow.field.operators import pointwise
from geomflow.field.potential import PotentialField, ReferenceForm, kahler_class, reference_rows, require_kahler
from geomflow.field.spectra import ground_state_on
from geomflow.field.state import Field
from geomflow.symbolic.functionals.fields import FieldsDensity
from geomflow.symbolic.functionals.functional import Functional, value_at
from geomflow.symbolic.functionals.metric import MetricFunctional, ground_state
from geomflow.symbolic.functionals.potential import PotentialFunctional
from geomflow.symbolic.variation.kahler_frame import PHI
from geomflow.symbolic.variation.metric_frame import LOG_MEASURE
from geomflow.symbolic.variation.metrics import DILATON
from geomflow.symbolic.variation.staged import Staged


@value_at.register(Field)
def functional_value(state: Field, functional: Functional, parameters: Mapping[str, Any], measure: Any) -> float:
    """E at a state: the sum of c E over the terms of a functional; see `Functional.__call__`."""
    terms = functional.terms()
    density = isinstance(state, MetricField) and any(getattr(e, "dilaton", None) is not None for _, e in terms)
    if measure is not None and not density:
        raise InputError(f"{functional.name} has no reference measure, and one was given: leave it out.")
    open_names = tuple(dict.fromkeys(name for _, e in terms for name in open_parameters(e)))
    numbers = named_numbers(functional.name, open_names, parameters, "E(state, parameters={{'{0}': 1.0}})")
    return sum(float(c) * _value(e, state, numbers, measure) for c, e in terms)


def _value(functional: Functional, state: Any, numbers: Mapping[str, Fraction], measure: Any) -> float:
    if isinstance(functional, FieldsDensity):
        rows = np.concatenate([part.pack() for part in fields_of(functional, state).values()])
        fields = dict(zip(functional.unknowns, rows, strict=True))
        return _integral(functional.density, state, fields, (), None, numbers)
    _require_kind(functional, state)
    if isinstance(functional, PotentialFunctional):
        require_kahler(state)
        form = ReferenceForm.of(state)
        density = functional.density_over(reference=form.nodes(), kahler_class=kahler_class(state))
        return _integral(density, state, {PHI: state.values}, form.static_names, reference_rows(state), numbers)
    assert isinstance(functional, MetricFunctional)
    require_positive(state.grid, state.values, "the metric", POSITIVE_ADVICE)
    fields = dict(zip(state.component_names, state.pack(), strict=True))
    if functional.dilaton is None:
        return _integral(functional.density, state, fields, (), None, numbers)
    given = log_measure(state, measure)
    if functional.dilaton:
        return _integral(functional.density, state, fields, (LOG_MEASURE,), given[None], numbers)
    fields[DILATON] = _dilaton(functional, state, given)
    return _integral(functional.density, state, fields, (), None, numbers)


def _dilaton(functional: MetricFunctional, state: MetricField, measure: np.ndarray) -> np.ndarray:
    """The ground state's f, or log(dV/dm)."""
    if not functional.elliptic:
        return np.asarray(np.log(state.volume_density().values) - measure)
    elliptic = ground_state(functional.realisation(functional.new_algebra()).frame)
    return ground_state_on(elliptic, state.grid.torus.coordinates, state.grid)(state.pack())


def _integral(density: Staged, state: Field, fields: Mapping[str, np.ndarray], statics: tuple[str, ...],
              rows: np.ndarray | None, numbers: Mapping[str, Fraction]) -> float:
    """∫ density d^dx."""
    values = {gr.symbol(name): gr.constant(number) for name, number in numbers.items()}
    program = density.program(tuple(fields), statics, tuple(numbers)).substituted(values)
    operator = pointwise(program, state.grid, rows)
    return float(operator(np.stack(list(fields.values())))[0].mean()) * state.grid.torus.cell_volume


def log_measure(state: Field, measure: Any) -> np.ndarray:
    """log dm/dx on the grid of a state, that of dx unless a measure is given; InputError where it is not positive."""
    density = state.grid.scalar(1 if measure is None else measure)
    if not density.min() > 0:
        raise InputError(f"the reference measure must be positive; its least density is {density.min():.6g}.")
    return np.asarray(np.log(density.values))


def _require_kind(functional: Functional, state: Any) -> None:
    kind, how = (PotentialField, "a Kähler potential, grid.potential(...) on a ComplexTorus") if isinstance(
        functional, PotentialFunctional) else (MetricField, "a metric, grid.metric(...) on a Torus")
    if not isinstance(state, kind):
        raise InputError(f"{functional.name} is a functional of {how}; a {type(state).__name__} was given.")
    wanted, found = functional.density.coordinates, state.grid.torus.coordinates
    if tuple(wanted) != tuple(found):
        raise InputError(f"{functional.name} was made over coordinates {', '.join(wanted)}, and the state lives on "
                         f"{state.grid.torus!r}: make it over the state's own torus.")


def open_parameters(functional: Functional) -> tuple[str, ...]:
    """The names of the numbers that a functional leaves open, such as the τ of Perelman's W."""
    density = functional.density
    nodes = [*density.outputs, *(node for stage in density.stages for node in stage.nodes)]
    return tuple(leaf.data for leaf in gr.leaves(nodes) if leaf.op == "symbol" and leaf.data not in density.coordinates)


