"""Functionals at states: the integral of their density over the grid, their gradients and their second variation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from geomflow.core import graph as gr
from geomflow.core.differences import derivative_along
from geomflow.core.errors import InputError
from geomflow.core.numbers import named_numbers
from geomflow.core.symmetric import multiplicity
from geomflow.field.operators import Operator, pointwise
from geomflow.field.setting import Setting, setting_of
from geomflow.field.state import Field
from geomflow.symbolic.functionals.at_states import gradient_at, hessian_at, value_at
from geomflow.symbolic.functionals.functional import Functional
from geomflow.symbolic.functionals.system import is_distribution
from geomflow.symbolic.variation.staged import Staged, second_variation

Rows = Mapping[str, np.ndarray]
"""Functions on the grid by name."""


@value_at.register(Field)
def functional_value(state: Field, functional: Functional, parameters: Mapping[str, Any], measure: Any) -> float:
    """E at a state, the sum of its density over the grid; see `Functional.__call__`."""
    setting = _checked(functional, state, measure)
    fields = setting.fields
    operator = _operator(setting, setting.density, tuple(fields), ("density",), parameters)
    return float(operator(np.stack(list(fields.values())))[0].mean()) * state.grid.torus.cell_volume


@gradient_at.register(Field)
def functional_gradient(state: Field, functional: Functional, metric: Any, parameters: Mapping[str, Any],
                        measure: Any, choice: Mapping[str, Any]) -> Field:
    """The values of a gradient at a state; see `Functional.gradient`."""
    setting = _checked(functional, state, measure)
    setting.require_unknowns()
    gradient = _Gradient(setting, metric, parameters, choice)
    setting.refuse_measure(gradient.program.statics)
    return setting.changed(gradient(setting.fields))


@hessian_at.register(Field)
def functional_hessian(state: Field, functional: Functional, parameters: Mapping[str, Any],
                       measure: Any) -> LinearOperator:
    """The second variation at a state, on flat packed fields; see `Functional.hessian`."""
    setting = _checked(functional, state, measure)
    setting.require_unknowns()
    shape = state.pack().shape
    act = (_exact_hessian if setting.solved is None else _moved_hessian)(setting, parameters)

    def flat(change: np.ndarray) -> np.ndarray:
        if np.iscomplexobj(change):
            return np.asarray(flat(change.real) + 1j * flat(change.imag))
        rows = dict(zip(setting.names, np.asarray(change, dtype=float).reshape(shape), strict=True))
        image = act(rows)
        return np.stack([image.get(name, np.zeros(shape[1:])) for name in setting.names]).ravel()

    size = state.pack().size
    return LinearOperator((size, size), matvec=flat, rmatvec=flat, dtype=float)


def _checked(functional: Functional, state: Field, measure: Any) -> Setting:
    setting = setting_of(functional, state, measure)
    setting.require()
    return setting


class _Gradient:
    """What `functional.gradient_flow(metric)` descends, compiled on a grid: that flow's rates over −factor."""

    def __init__(self, setting: Setting, metric: Any, parameters: Mapping[str, Any],
                 choice: Mapping[str, Any]) -> None:
        functional: Functional = setting.functional
        derived = setting.system(functional.gradient_flow(metric, **choice))
        system = derived.substituted(_numbers(functional, derived.open_parameters, parameters))
        if is_distribution(system.program):
            raise InputError(f"the gradient of {functional.name} differentiates a sign here, and is no function on a "
                             f"grid but a distribution. {' '.join(functional.remarks)}")
        self.program, grid = system.program, setting.state.grid
        statics = setting.statics(self.program.statics)
        self._factor, self._unknowns = -float(functional.factor), system.unknowns
        self._rates = pointwise(self.program, grid, statics)
        self._averages = {average.parameter: pointwise(self.program.averaged(average), grid, statics)
                          for average in system.averages}

    def __call__(self, fields: Rows) -> Rows:
        """The gradient by component."""
        rows, means = np.stack([fields[name] for name in self.program.fields]), dict.fromkeys(self._averages, 0.0)

        def at(operator: Operator) -> np.ndarray:
            return operator(rows, [means[name] for name in self.program.parameters])

        for name, average in self._averages.items():
            top, bottom = at(average)
            means[name] = float(top.sum() / bottom.sum())
        return dict(zip(self._unknowns, at(self._rates) / self._factor, strict=True))


def _exact_hessian(setting: Setting, parameters: Mapping[str, Any]) -> _Act:
    """The covector linearised by the chain rule."""
    functional, density, fields = setting.functional, setting.density, setting.fields
    if any(node.op == "call" and node.data in ("abs", "sign") for node in _nodes(density)):
        raise InputError(f"{functional.name} has a corner, where its second variation is no function on a grid but a "
                         "distribution.")
    unknowns, rows = setting.unknowns, np.stack(list(fields.values()))
    changes = tuple(f"change_{name}" for name in unknowns)
    outputs = tuple(f"hessian_{name}" for name in unknowns)
    operator = _operator(setting, second_variation(density, unknowns), (*fields, *changes), outputs, parameters)

    def act(change: Rows) -> Rows:
        return dict(zip(unknowns, operator(np.stack([*rows, *(change[name] for name in unknowns)])), strict=True))

    return act


def _moved_hessian(setting: Setting, parameters: Mapping[str, Any]) -> _Act:
    """The covector at moved states, where what is solved for is found again: by dx it is the gradient in "L2"."""
    setting.refuse_measure(())
    gradient, start, names = _Gradient(setting, "L2", parameters, {}), setting.state.pack(), setting.names
    twice = multiplicity(setting.state.grid.dim)

    def covector(y: np.ndarray) -> np.ndarray:
        found = gradient(replace(setting, state=setting.state.unpack(y)).fields)
        return np.stack([times * found[name] for times, name in zip(twice, names, strict=True)])

    def act(change: Rows) -> Rows:
        moved = derivative_along(covector, start, np.stack([change[name] for name in names]))
        return dict(zip(names, moved, strict=True))

    return act


def _operator(setting: Setting, staged: Staged, fields: tuple[str, ...], outputs: tuple[str, ...],
              parameters: Mapping[str, Any]) -> Operator:
    """Expressions at a setting as an operator on the fields named."""
    setting.refuse_measure(setting.given)
    numbers = _numbers(setting.functional, _open_parameters(staged), parameters)
    program = staged.program(fields, setting.given, tuple(name.data for name in numbers), outputs)
    return pointwise(program.substituted(numbers), setting.state.grid, setting.statics(setting.given))


def _numbers(functional: Functional, names: Sequence[str], given: Mapping[str, Any]) -> dict[gr.Node, gr.Node]:
    found = named_numbers(functional.name, names, given, "E(state, parameters={{'{0}': 1.0}})")
    return {gr.symbol(name): gr.constant(number) for name, number in found.items()}


def _open_parameters(staged: Staged) -> tuple[str, ...]:
    """The names of the numbers that are left open, such as the τ of Perelman's W."""
    found = (leaf.data for leaf in gr.leaves(_nodes(staged)) if leaf.op == "symbol")
    return tuple(name for name in found if name not in staged.coordinates)


def _nodes(staged: Staged) -> list[gr.Node]:
    return gr.schedule([*staged.outputs, *(node for stage in staged.stages for node in stage.nodes)])


_Act = Callable[[Rows], Rows]
"""What a linear operator does to a change."""
