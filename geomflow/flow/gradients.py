"""Gradient flows of functionals by the names that run files and the command use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.field import ComplexTorus, Torus
from geomflow.field.lattice import FlatTorus
from geomflow.flow.equations.derived import Descent
from geomflow.symbolic.functionals import FUNCTIONALS, Functional, PotentialFunctional, from_density

OWN = "density"
"""The name of a functional of the user's own, with its density as an option."""


def gradient(geometry: FlatTorus, functional: str, metric: str | None = None,
             parameters: Mapping[str, float] | None = None, measure: Any = None, forced: bool = False,
             **options: Any) -> Descent:
    """The gradient flow of a functional by name, in a metric by name; the functional's own fields are options.

    `parameters`, `measure` and `forced` are those of `Descent`. The functional "density" takes the option `density`,
    text as `Functional.from_density` reads it.

    Raises UnknownNameError for an unknown functional, metric or option, InputError where one is missing.

    >>> print(gradient(ComplexTorus(dim=1), "ef", "dirichlet", function="v*log(v)"))
    ef-dirichlet: Derivative(phi(t), t) = -Sbar + log(v) + 1
    """
    derived = named_functional(functional, geometry, options).gradient_flow(metric)
    return Descent(derived, parameters or {}, measure, forced)


def named_functional(name: str, geometry: Any, options: Mapping[str, Any]) -> Functional:
    """The functional called `name` over a geometry, with its own fields (the function of EF and EG) as options.

    Raises UnknownNameError for an unknown name or option, InputError where one is missing.
    """
    if name not in FUNCTIONALS and name != OWN:
        raise UnknownNameError.among("functional", name, (*FUNCTIONALS, OWN))
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
    return (OWN,) if name == OWN else tuple(f.name for f in fields(FUNCTIONALS[name]) if f.name != "geometry")


def torus_of(name: str, dim: int | None = None) -> FlatTorus:
    """A torus that the functional lives on: of the given dimension, else the least one offered.

    Raises UnknownNameError for an unknown functional.
    """
    if name not in FUNCTIONALS:
        raise UnknownNameError.among("functional", name, FUNCTIONALS)
    kind = FUNCTIONALS[name]
    space = ComplexTorus if issubclass(kind, PotentialFunctional) else Torus
    return space(kind.dims[0] if dim is None else dim)
