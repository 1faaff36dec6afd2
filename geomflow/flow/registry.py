"""Flows by the names that run files and the command use."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.field import ComplexTorus, Torus
from geomflow.field.lattice import FlatTorus
from geomflow.flow.equations.calabi import CalabiFlow
from geomflow.flow.equations.conformal import ConformalRicciFlow
from geomflow.flow.equations.kahler_ricci import KahlerRicciFlow
from geomflow.flow.equations.ricci import RicciFlow
from geomflow.flow.flow import Flow
from geomflow.flow.gradients import gradient

GEOMETRY = "geometry"


@dataclass(frozen=True)
class Entry:
    """A flow under a name: what makes it from its options, and the kind of torus it lives on.

    A `make` with an argument `geometry` is given the torus itself: its equation is derived there.
    """

    make: Callable[..., Flow]
    torus: type[FlatTorus]

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The options, by name."""
        found = inspect.signature(self.make).parameters
        return {name: parameter for name, parameter in found.items() if name != GEOMETRY}

    @property
    def derived(self) -> bool:
        """Whether the equation is derived on a torus that must be given."""
        return GEOMETRY in inspect.signature(self.make).parameters


FLOWS: dict[str, Entry] = {
    "ricci": Entry(RicciFlow, Torus),
    "ricci-deturck": Entry(partial(RicciFlow, gauge="deturck"), Torus),
    "conformal-ricci": Entry(ConformalRicciFlow, Torus),
    "kahler-ricci": Entry(KahlerRicciFlow, ComplexTorus),
    "calabi": Entry(CalabiFlow, ComplexTorus),
    "expression": Entry(Flow.from_expression, Torus),
    "gradient": Entry(gradient, FlatTorus),
}


def named_flow(name: str, options: Mapping[str, Any], torus: FlatTorus | None = None) -> Flow:
    """The flow called `name` with these options, which are the arguments of its class.

    `torus` is where flows are derived that are gradients of functionals; others need none.

    Raises `UnknownNameError` for an unknown name or option and `InputError` where an option (or the torus) is missing
    or of the wrong type.
    """
    if name not in FLOWS:
        raise UnknownNameError.among("flow", name, FLOWS)
    entry = FLOWS[name]
    for key, value in options.items():
        _check_option(name, entry, key, value)
    missing = [key for key, parameter in entry.parameters.items() if _is_missing(parameter, options)]
    if missing:
        raise InputError(f"the flow '{name}' needs the option '{missing[0]}'")
    if not entry.derived:
        return entry.make(**options)
    if torus is None:
        raise InputError(f"the flow '{name}' is derived over a torus, and none was given")
    return entry.make(torus, **options)


def _check_option(name: str, entry: Entry, key: str, value: Any) -> None:
    """Raise if a flow has no such option, or a switch is given something else than true or false."""
    parameters = entry.parameters
    is_open = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    if key == GEOMETRY or (key not in parameters and not is_open):
        raise UnknownNameError.among(f"option of the flow '{name}'", key, parameters)
    if key in parameters and isinstance(parameters[key].default, bool) and not isinstance(value, bool):
        raise InputError(f"the option '{key}' of the flow '{name}' takes true or false, and {value!r} was given")


def _is_missing(parameter: inspect.Parameter, options: Mapping[str, Any]) -> bool:
    """Whether a parameter without a default was not given."""
    named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    return named and parameter.default is parameter.empty and parameter.name not in options
