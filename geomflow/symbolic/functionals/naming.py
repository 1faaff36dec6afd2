"""What is given to functionals of several fields by name, checked: fields, parameters, definitions, what is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unicodedata import normalize

from geomflow.core.errors import InputError
from geomflow.symbolic.given import names_written
from geomflow.symbolic.language.words import NUMBERS, RESERVED


def require_names(density: str, fields: Iterable[str], numbers: Mapping[str, Any], where: Mapping[str, Any],
                  coordinates: Iterable[str]) -> None:
    """Raise InputError for a name with two meanings, one that is none, and a parameter that does not occur.

    Parameters
    ----------
    density : str
        In the language of tensors.
    fields, numbers, where, coordinates : names
        What it may name.
    """
    meanings = {**RESERVED, **NUMBERS, **dict.fromkeys(coordinates, "a coordinate")}
    kinds = {"field": fields, "parameter": numbers, "definition": where}
    for kind, names in kinds.items():
        for name in names:
            if not isinstance(name, str) or not name.isidentifier():
                raise InputError(f"{name!r} cannot be the name of a {kind}: take letters.")
            if name in meanings:
                raise InputError(f"'{name}' is {meanings[name]} and cannot be a {kind} of the functional too: give the "
                                 f"{kind} another name.")
            meanings[name] = f"a {kind}"
    written = _written(density, where)
    for name in numbers:
        if normalize("NFKC", name) not in written:
            raise InputError(f"the parameter '{name}' does not occur in the density '{density}': write it there, or "
                             "leave it out.")


def _written(density: str, where: Mapping[str, Any]) -> set[str]:
    """What the density names, and the definitions that it stands on."""
    written, pending = set[str](), [density]
    left = {normalize("NFKC", name): text for name, text in where.items()}
    while pending:
        written |= names_written(pending.pop())
        pending += [left.pop(name) for name in written.intersection(left)]
    return written


def names_of(given: Any, key: str) -> tuple[str, ...]:
    """Names of fields, from "g f" or a sequence.

    Raises InputError for all else, and for none or one twice.
    """
    names = _texts(given.replace(",", " ").split() if isinstance(given, str) else given, key, "'f', or ['g', 'f']")
    if not names or len(set(names)) < len(names):
        fault = "a field twice" if names else "no field"
        raise InputError(f"{key}={given!r} names {fault}: name each that moves once, as in {key}='f'.")
    return names


def densities_of(given: Any, key: str) -> tuple[str, ...]:
    """Densities, from one or a sequence. Raises InputError for all else."""
    return (given,) if isinstance(given, str) else _texts(given, key, "'volume', or ['volume', 'f']")


def _texts(given: Any, key: str, example: str) -> tuple[str, ...]:
    if not isinstance(given, Sequence) or not all(isinstance(text, str) for text in given):
        raise InputError(f"{key} is text or a list of texts, {key}={example}; {given!r} was given.")
    return tuple(given)
