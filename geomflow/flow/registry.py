"""Flows by the names that run files and the command use."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.field import ComplexTorus, Torus
from geomflow.field.torus import FlatTorus
from geomflow.flow.equations.calabi import CalabiFlow
from geomflow.flow.equations.conformal import ConformalRicciFlow
from geomflow.flow.equations.kahler_ricci import KahlerRicciFlow
from geomflow.flow.equations.ricci import RicciFlow
from geomflow.flow.flow import Flow


@dataclass(frozen=True)
class Entry:
    """A flow under a name: what makes it from its options, and whether it lives on real or complex tori."""

    make: Callable[..., Flow]
    torus: type[FlatTorus]


FLOWS: dict[str, Entry] = {
    "ricci": Entry(RicciFlow, Torus),
    "ricci-deturck": Entry(partial(RicciFlow, gauge="deturck"), Torus),
    "conformal-ricci": Entry(ConformalRicciFlow, Torus),
    "kahler-ricci": Entry(KahlerRicciFlow, ComplexTorus),
    "calabi": Entry(CalabiFlow, ComplexTorus),
    "expression": Entry(Flow.from_expression, Torus),
}


def named_flow(name: str, options: Mapping[str, Any]) -> Flow:
    """The flow called `name` with these options, which are the arguments of its class.

    Raises `UnknownNameError` for an unknown name or option and `InputError` where an option is missing or of the
    wrong type.
    """
    if name not in FLOWS:
        raise UnknownNameError.among("flow", name, FLOWS)
    parameters = inspect.signature(FLOWS[name].make).parameters
    is_open = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    for key, value in options.items():
        if key not in parameters and not is_open:
            raise UnknownNameError.among(f"option of the flow '{name}'", key, parameters)
        if key in parameters and isinstance(parameters[key].default, bool) and not isinstance(value, bool):
            raise InputError(f"the option '{key}' of the flow '{name}' takes true or false, and {value!r} was given")
    missing = [key for key, parameter in parameters.items() if _is_missing(parameter, options)]
    if missing:
        raise InputError(f"the flow '{name}' needs the option '{missing[0]}'")
    return FLOWS[name].make(**options)


def _is_missing(parameter: inspect.Parameter, options: Mapping[str, Any]) -> bool:
    """Whether a parameter without a default was not given."""
    named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    return named and parameter.default is parameter.empty and parameter.name not in options
