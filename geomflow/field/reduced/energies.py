"""Functionals at metrics with symmetry: integrals of exact densities over the coordinates of unknowns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geomflow.core.errors import InputError, require_known
from geomflow.core.numbers import named_numbers
from geomflow.field.reduced.function import functions_on
from geomflow.field.reduced.state import ReducedState
from geomflow.symbolic.ansatz import ReducedFunctional
from geomflow.symbolic.ansatz.functional import functional_on, value_on
from geomflow.symbolic.ansatz.typed import METRIC, Typed
from geomflow.symbolic.functionals.at_states import value_at
from geomflow.symbolic.functionals.functional import Functional
from geomflow.symbolic.functionals.on_ansatz import density_text


@value_on.register(ReducedState)
def reduced_value(state: ReducedState, functional: ReducedFunctional, parameters: Mapping[str, Any],
                  functions: Mapping[str, Any]) -> float:
    """E at a state; see `ReducedFunctional.__call__`."""
    grid, names = state.grid, tuple(u.name for u in functional.functions)
    if grid.ansatz != functional.ansatz:
        raise InputError(f"the functional is of {functional.ansatz}, and the state of {grid.ansatz}: take the "
                         "functional of its own ansatz.")
    for name in functions:
        require_known("function of the functional", name, names)
    missing = [name for name in names if name not in functions]
    if missing:
        raise InputError(f"the functional is of the function '{missing[0]}' too: give it, as in E(state, "
                         f"{missing[0]}=\"cos(x)\").")
    compiled = grid.compiled(functional.density, functional.functions)
    numbers = named_numbers("the functional", compiled.numbers, parameters, "E(state, parameters={{'{0}': 1.0}})")
    added = functions_on(grid, functional.functions, functions)
    for name in functional.positive:
        if not numbers[name] > 0:
            raise InputError(f"{name} = {float(numbers[name]):g} is a scale of the functional; it must be positive.")
    return state.integrated(functional.density, functional.functions, added,
                            {name: float(value) for name, value in numbers.items()})


@value_at.register(ReducedState)
def value_of_functional(state: ReducedState, functional: Functional, parameters: Mapping[str, Any],
                        measure: Any) -> float:
    """A functional of metrics at one of an ansatz; see `Functional.__call__`."""
    if measure is not None:
        raise InputError(f"{functional.name} is integrated against dV on an ansatz, and a measure was given: leave it "
                         "out.")
    meaning = Typed(METRIC, dict(getattr(functional, "numbers", {})), dict(getattr(functional, "where", {})))
    return reduced_value(state, functional_on(state.grid.ansatz, density_text(functional), "", meaning), parameters, {})
