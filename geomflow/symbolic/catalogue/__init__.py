"""A catalogue of geometries and of exact solutions, each with what is known of it and a way to decide the claims, and
of ansätze.

>>> from geomflow.symbolic import catalogue
>>> catalogue.get("fubini-study", dim=2).metric.scalar
12
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from geomflow.core.errors import InputError, UnknownNameError, require_known
from geomflow.symbolic.ansatz import Ansatz
from geomflow.symbolic.catalogue import entries as en
from geomflow.symbolic.catalogue.ansaetze import ANSAETZE
from geomflow.symbolic.catalogue.entries import bryant_equations, bryant_series
from geomflow.symbolic.catalogue.geometry import TIME, Geometry, Known

T = TypeVar("T")

_ENTRIES: Mapping[str, Callable[..., Geometry]] = {entry.__name__.replace("_", "-"): entry for entry in (
    en.flat_torus, en.round_sphere, en.hyperbolic_space, en.cylinder, en.fubini_study, en.eguchi_hanson, en.calabi,
    en.cigar, en.king_rosenau, en.bryant, en.nil, en.su2, en.schwarzschild, en.kerr,
)}


def ansatz(name: str, **parameters: Any) -> Ansatz:
    """An ansatz of the catalogue: a metric with unknowns, which flows reduce to.

    Parameters
    ----------
    name : str
        One of `ansatz_names()`.
    **parameters : int, str or number
        What its maker takes, such as the dimension `n` of the sphere that is warped.

    Notes
    -----
    Raises UnknownNameError for a name that is not in the catalogue, or a parameter that the ansatz does not take, and
    InputError for one that is missing or no number of its kind.

    Examples
    --------
    >>> print(ansatz("nil").reduce("-2*Ric"))
    dA/dt = -4*A**2/(B*C)
    dB/dt = 4*A/C
    dC/dt = 4*A/B
    """
    maker = _of("ansatz", name, ANSAETZE)
    taken = inspect.signature(maker).parameters
    for given in parameters:
        if not taken:
            raise InputError(f"the ansatz '{name}' takes no parameters, and '{given}' was given.")
        require_known(f"parameter of the ansatz '{name}'", given, taken)
    for wanted, parameter in taken.items():
        if wanted not in parameters and parameter.default is parameter.empty:
            raise InputError(f"the ansatz '{name}' needs its parameter '{wanted}': ansatz(\"{name}\", {wanted}=...).")
    return maker(**parameters)


def ansatz_names() -> tuple[str, ...]:
    """The names of all ansätze."""
    return tuple(ANSAETZE)


def names() -> tuple[str, ...]:
    """The names of all entries."""
    return tuple(_ENTRIES)


def get(name: str, **parameters: Any) -> Geometry:
    """An entry of the catalogue.

    Parameters
    ----------
    name : str
        One of `names()`.
    **parameters : int or sympy expression
        What its constructor takes, such as `dim` or `radius`.

    Notes
    -----
    Raises UnknownNameError for a name that is not in the catalogue.
    """
    return _of("geometry", name, _ENTRIES)(**parameters)


def _of(what: str, name: str, table: Mapping[str, T]) -> T:
    """What the catalogue has under a name, in any of its spellings."""
    key = str(name).strip().lower().replace("_", "-").replace(" ", "-")
    if key not in table:
        raise UnknownNameError.among(what, str(name), table)
    return table[key]


__all__ = ["TIME", "Geometry", "Known", "ansatz", "ansatz_names", "bryant_equations", "bryant_series", "get", "names"]
