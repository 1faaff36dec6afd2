"""Functionals at states: what is told apart by the kind of state. Exact geometry knows none; fields register theirs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from types import NoneType
from typing import TYPE_CHECKING, Any

from geomflow.core.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator

    from geomflow.symbolic.functionals.functional import Functional


@singledispatch
def value_at(state: Any, functional: Functional, parameters: Mapping[str, Any], measure: Any) -> float:
    """E at a state. What knows a kind of state registers how; InputError for others."""
    raise _no_state(functional, state)


@singledispatch
def gradient_at(state: Any, functional: Functional, metric: Any, parameters: Mapping[str, Any], measure: Any,
                choice: Mapping[str, Any]) -> Any:
    """The gradient of E at a state; by name alone, exactly. What knows a kind of state registers how."""
    raise _no_state(functional, state)


@gradient_at.register(str | Mapping)
def _by_name(state: Any, functional: Functional, metric: Any, parameters: Mapping[str, Any], measure: Any,
             choice: Mapping[str, Any]) -> Any:
    if metric is not None:
        raise InputError(f"the metrics {state!r} and {metric!r} were given for one gradient: leave one out.")
    return functional.gradient_in(state, **choice)


@gradient_at.register(NoneType)
def _by_default(state: None, functional: Functional, metric: Any, parameters: Mapping[str, Any], measure: Any,
                choice: Mapping[str, Any]) -> Any:
    return functional.gradient_in(metric, **choice)


@singledispatch
def hessian_at(state: Any, functional: Functional, parameters: Mapping[str, Any], measure: Any) -> LinearOperator:
    """The second variation of E at a state. What knows a kind of state registers how; InputError for others."""
    raise _no_state(functional, state)


def _no_state(functional: Functional, state: Any) -> InputError:
    return InputError(f"{functional.name} is evaluated at a field on a grid, such as grid.potential(...) or "
                      f"grid.metric(...); a {type(state).__name__} was given.")
