"""Grids of ansätze as plain facts, and back: what stores keep of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from geomflow.core.errors import StoreError
from geomflow.field.bases.basis import Basis
from geomflow.field.bases.circles import Drawn, Fourier
from geomflow.field.bases.clustering import Clustered
from geomflow.field.bases.open_ends import EvenThenGiven, EvenToInfinity, GivenThenEven, GivenTwice
from geomflow.field.bases.parity import Cosines
from geomflow.field.bases.polar import Legendre
from geomflow.field.bases.pulled import Pulled
from geomflow.field.bases.stencils import Periodic, Staggered
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.symbolic.ansatz.written import read_ansatz, written

_BASES: Mapping[str, type[Basis]] = {kind.__name__: kind for kind in (
    Clustered, Cosines, Drawn, EvenThenGiven, EvenToInfinity, Fourier, GivenThenEven, GivenTwice, Legendre,
    Periodic, Pulled, Staggered,
)}


def grid_facts(grid: ReducedGrid) -> dict[str, Any]:
    """JSON-able facts from which `read_grid` makes an equal grid. Raises InputError for an ansatz that is no text."""
    return {"ansatz": written(grid.ansatz), "bases": [_basis_facts(basis) for basis in grid.bases]}


def read_grid(facts: Mapping[str, Any]) -> ReducedGrid:
    """The grid that `grid_facts` has told of. Raises StoreError for a kind of basis that is not known.

    Parameters
    ----------
    facts : mapping
        As `grid_facts` gives them.
    """
    return ReducedGrid(read_ansatz(facts["ansatz"]), tuple(_basis(own) for own in facts["bases"]))


def _basis_facts(basis: Basis) -> dict[str, Any]:
    given = {f.name: getattr(basis, f.name) for f in fields(basis) if f.init}  # type: ignore[arg-type]
    return {"kind": type(basis).__name__, **given}


def _basis(facts: Mapping[str, Any]) -> Basis:
    kind = _BASES.get(facts["kind"])
    if kind is None:
        raise StoreError(f"the stored states are on points of the kind '{facts['kind']}', which this version does not "
                         "know.")
    return kind(**{name: _frozen(value) for name, value in facts.items() if name != "kind"})


def _frozen(value: Any) -> Any:
    """A value with tuples where JSON has lists."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
