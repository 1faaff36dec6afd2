"""Flows, and the functionals whose gradient flows they are, by the names that run files and the command use."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from geomflow.core.errors import InputError, UnknownNameError, require_known
from geomflow.core.registry import Registry, loaded
from geomflow.field import ComplexTorus, Torus
from geomflow.field.lattice import FlatTorus
from geomflow.flow.equations import Descent, Flow, RicciFlow
from geomflow.symbolic.functionals import FUNCTIONALS, Functional, PotentialFunctional, from_density

OWN, FIELDS = "density", "fields"
"""The name of a functional of the user's own, with its density as an option, and with what it is a functional of."""


def gradient(geometry: FlatTorus, functional: str, metric: str | Mapping[str, str] | None = None,
             parameters: Mapping[str, float] | None = None, measure: Any = None, forced: bool = False,
             of: str | Sequence[str] | None = None, keep: str | Sequence[str] = (), gauge: str | None = None,
             **options: Any) -> Descent:
    """The gradient flow of a functional by name, in a metric by name; the functional's own fields are options.

    `parameters`, `measure`, `forced` and `gauge` are those of `Descent`. The functional "density" takes the options of
    `Functional.from_density`: `density`, and where `fields` names several of them `where` and the `parameters`. Then
    `metric`, `of` and `keep` are those of its `gradient_flow`.

    Raises UnknownNameError for an unknown functional, metric or option, InputError where one is missing.

    >>> print(gradient(ComplexTorus(dim=1), "ef", "dirichlet", function="v*log(v)"))
    ef-dirichlet: Derivative(phi(t), t) = -Sbar + log(v) + 1
    """
    if FIELDS not in options:
        _refuse_several(functional, {"of": of, "keep": keep, "where": options.get("where")})
        derived = named_functional(functional, geometry, options).gradient_flow(metric)  # type: ignore[arg-type]
        return Descent(derived, parameters or {}, measure, forced, gauge)
    options = {**options, "parameters": parameters or {}}
    several: Any = named_functional(functional, geometry, options)
    return Descent(several.gradient_flow(metric, of=of, keep=keep), {}, measure, forced, gauge)


def _refuse_several(functional: str, given: Mapping[str, Any]) -> None:
    """Raise for options that belong to functionals of several fields."""
    found = [key for key, value in given.items() if value]
    if found:
        raise InputError(f"the functional '{functional}' is of one field, and takes no {', '.join(found)}: these are "
                         "of a density of several fields, functional = \"density\" with fields = \"g f\".")


def expression(rate: Any, *, where: Mapping[str, Any] | None = None, covariant: bool = True,
               gauge: Any = None, forced: bool = False, parameters: Mapping[str, float] | None = None,
               **beside: float) -> Flow:
    """`Flow.from_expression`, whose parameters may stand in a mapping too.

    >>> print(expression("a*u", parameters={"a": 2}))
    expression: Derivative(u(t), t) = a*u(t)
    """
    twice = sorted({*(parameters or {})} & {*beside})
    if twice:
        raise InputError(f"the parameter '{twice[0]}' is given twice, in `parameters` and beside the rate.")
    return Flow.from_expression(rate, where=where, covariant=covariant, gauge=gauge, forced=forced,
                                **{**(parameters or {}), **beside})


def named_functional(name: str, geometry: Any, options: Mapping[str, Any]) -> Functional:
    """The functional called `name` over a geometry, with its own fields (the function of EF and EG) as options.

    Raises UnknownNameError for an unknown name or option, InputError where one is missing.
    """
    require_known("functional", name, (*FUNCTIONALS, OWN))
    known = functional_options(name)
    for key in options:
        if key not in known:
            raise UnknownNameError(f"the functional '{name}' has no option '{key}'; it takes "
                                   f"{', '.join(known) or 'none'}.")
    for key in ("function", OWN):
        if key in known and key not in options:
            raise InputError(f"the functional '{name}' needs a {key}, such as \"{EXAMPLES[name]}\".")
    return from_density(geometry, **options) if name == OWN else FUNCTIONALS[name](geometry, **options)


EXAMPLES = {"ef": "v*log(v)", "eg": "1/v", OWN: "R^2 + 1"}
"""An option without which a functional cannot be, for messages and lists."""


def functional_options(name: str) -> tuple[str, ...]:
    """The options of a functional beside its geometry."""
    if name == OWN:
        return (OWN, FIELDS, "where", "parameters")
    return tuple(f.name for f in fields(FUNCTIONALS[name]) if f.name != "geometry")


def torus_of(name: str, dim: int | None = None) -> FlatTorus:
    """A torus that the functional lives on: of the given dimension, else the least one offered.

    Raises UnknownNameError for an unknown functional.
    """
    kind = FUNCTIONALS[name]
    space = ComplexTorus if issubclass(kind, PotentialFunctional) else Torus
    return space(kind.dims[0] if dim is None else dim)


GEOMETRY = "geometry"


@dataclass(frozen=True)
class Entry:
    """A flow under a name: what makes it from its options, and the kind of torus it lives on.

    The maker stands itself, or as "module:Name" below `geomflow.flow`. One with an argument `geometry` is given the
    torus itself: its equation is derived there.
    """

    maker: Callable[..., Flow] | str
    torus: type[FlatTorus]

    @property
    def make(self) -> Callable[..., Flow]:
        """What makes the flow."""
        return loaded("geomflow.flow", self.maker)

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The options, by name."""
        found = inspect.signature(self.make).parameters
        return {name: parameter for name, parameter in found.items() if name != GEOMETRY}

    @property
    def derived(self) -> bool:
        """Whether the equation is derived on a torus that must be given."""
        return GEOMETRY in inspect.signature(self.make).parameters


FLOWS: Registry[Entry] = Registry("flow", "geomflow.flow", {
    "ricci": Entry("equations.ricci:RicciFlow", Torus),
    "ricci-deturck": Entry(partial(RicciFlow, gauge="deturck"), Torus),
    "conformal-ricci": Entry("equations.conformal:ConformalRicciFlow", Torus),
    "kahler-ricci": Entry("equations.kahler_ricci:KahlerRicciFlow", ComplexTorus),
    "calabi": Entry("equations.calabi:CalabiFlow", ComplexTorus),
    "expression": Entry(expression, Torus),
    "gradient": Entry(gradient, FlatTorus),  # type: ignore[type-abstract]
})


def named_flow(name: str, options: Mapping[str, Any], torus: FlatTorus | None = None) -> Flow:
    """The flow called `name` with these options, which are the arguments of its class.

    `torus` is where flows are derived that are gradients of functionals; others need none.

    Raises `UnknownNameError` for an unknown name or option and `InputError` where an option (or the torus) is missing
    or of the wrong type.
    """
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
