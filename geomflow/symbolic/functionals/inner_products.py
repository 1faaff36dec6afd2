"""Inner products of fields by name: Ebin's of metrics, L2 of all else, H-1 of functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, require_known
from geomflow.symbolic.language.kinds import Kind
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor


def products_of(kind: Kind) -> tuple[str, ...]:
    """The names of the inner products of fields of a kind, the first by default."""
    return {"metric": ("ebin",), "scalar": ("L2", "H-1")}.get(kind.label, ("L2",))


def read_products(given: Any, fields: Mapping[str, Kind]) -> dict[str, str]:
    """The inner product of each field, from "f:H-1" or a mapping.

    Raises InputError for another kind of value and for a field that is given two, UnknownNameError for an unknown field
    or inner product.
    """
    if given is not None and not isinstance(given, str | Mapping):
        raise InputError(f"inner products are given by field, as 'f:H-1' or {{'f': 'H-1'}}, not as {given!r}.")
    words = [word.partition(":") for word in given.split()] if isinstance(given, str) else []
    if any(not colon for _, colon, _ in words):
        raise InputError(f"metric={given!r} says no inner product of a field: write the field, a colon and the inner "
                         "product, as in 'f:H-1'.")
    names = [name for name, _, _ in words]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"metric={given!r} gives two inner products for '{repeated}': give each field one.")
    pairs = given if isinstance(given, Mapping) else {name: product for name, _, product in words}
    found = {name: products_of(kind)[0] for name, kind in fields.items()}
    for name, product in pairs.items():
        require_known("field", name, tuple(fields))
        require_known(f"inner product of '{name}'", product, products_of(fields[name]))
        found[name] = product
    return found


def raised(space: Space, kind: Kind, covector: Tensor, product: str) -> Tensor:
    """The gradient of a covector E_u, with indices as the field has them."""
    if product == "H-1":
        return space.laplacian(covector).scaled(-1)
    return space.matched(covector, kind.up).scaled(kind.scale)


def paired(space: Space, kind: Kind, a: Tensor, b: Tensor, product: str) -> gr.Node:
    """⟨grad a, grad b⟩ of two covectors at a point."""
    if product == "H-1":
        a, b = space.differential(a), space.differential(b)
    return (space.dot(a, b).node if a.rank else a.node * b.node) * kind.scale
