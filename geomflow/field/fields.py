"""Several fields on one grid, by name: the state of a system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError, ShapeError, require_known
from geomflow.core.notebook import Facts
from geomflow.field.state import Field, unpacked_rows

if TYPE_CHECKING:
    from geomflow.field.grid import Grid


@final
@dataclass(frozen=True, eq=False, repr=False)
class Fields(Field):
    """Several fields on one grid: `state["f"]` is the one called f. Made by `grid.fields`.

    Packed, the components of those that move stand one after another.

    Parameters
    ----------
    grid : Grid
        Where they live.
    parts : mapping
        Fields by name.
    still : tuple of str
        Names of those that a flow leaves as they are, for which its equation has no rate.
    """

    grid: Grid
    parts: Mapping[str, Field]
    still: tuple[str, ...] = ()

    called: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if not self.parts:
            raise InputError("a state needs a field: grid.fields(g=grid.metric(...), f=grid.scalar(...)).")
        names: list[str] = []
        for name, part in self.parts.items():
            if not isinstance(part, Field) or isinstance(part, Fields):
                raise InputError(f"'{name}' is no field on a grid, but {part!r}: make it by grid.scalar(...), "
                                 "grid.metric(...) and the like.")
            if part.grid != self.grid:
                raise ShapeError(f"'{name}' lives on {part.grid!r}, and the state on {self.grid!r}.")
            names += part.names(name)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(f"two components of the state are called '{twice[0]}': rename one of the fields "
                             f"{', '.join(self.parts)}.")
        object.__setattr__(self, "parts", dict(self.parts))

    @property
    def values(self) -> np.ndarray:  # type: ignore[override]
        """All independent components that move, (*grid, ncomp)."""
        return np.moveaxis(self.pack(), 0, -1)

    @property
    def moving(self) -> dict[str, Field]:
        """The fields that are not still."""
        return {name: part for name, part in self.parts.items() if name not in self.still}

    def holding(self, still: Sequence[str]) -> Fields:
        """The same fields, of which these are still.

        Parameters
        ----------
        still : sequence of str
            Names.
        """
        return Fields(self.grid, self.parts, tuple(still))

    def names(self, name: str) -> tuple[str, ...]:
        """Those of all fields that move, in order; a name for the whole stands before them."""
        before = f"{name}_" if name else ""
        return tuple(before + own for key, part in self.moving.items() for own in part.names(key))

    def pack(self) -> np.ndarray:
        """(ncomp, *grid): the components of the fields that move, one after another."""
        return np.concatenate([part.pack() for part in self.moving.values()])

    def unpack(self, packed: np.ndarray) -> Fields:
        """The fields with these components, (ncomp, *grid); what is still stays."""
        moved = {name: part.unpack(rows) for name, part, rows in self._split(packed)}
        return Fields(self.grid, {**self.parts, **moved}, self.still)

    def change(self, packed: np.ndarray) -> Fields:
        """Changes of the fields that move, with these components."""
        return Fields(self.grid, {name: part.change(rows) for name, part, rows in self._split(packed)})

    def _split(self, packed: np.ndarray) -> Iterator[tuple[str, Field, np.ndarray]]:
        """The fields that move, each with its rows."""
        rows, start = unpacked_rows(self, packed), 0
        for name, part in self.moving.items():
            stop = start + len(part.names(name))
            yield name, part, rows[start:stop]
            start = stop

    def __getitem__(self, name: str) -> Field:
        require_known("field", name, tuple(self.parts))
        return self.parts[name]

    def _same_kind(self, other: Field) -> np.ndarray:
        values = super()._same_kind(other)
        if not isinstance(other, Fields) or {n: type(p) for n, p in self.parts.items()} != {
                n: type(p) for n, p in other.parts.items()}:
            raise ShapeError(f"{self!r} cannot be compared with {other!r}: give the same fields by the same names.")
        return values

    def __facts__(self) -> Facts:
        return [("on", self.grid), *((name, part) for name, part in self.parts.items())]

    def __repr__(self) -> str:
        told = ", ".join(f"{name}: {type(part).__name__}" for name, part in self.parts.items())
        return f"the fields {told} on {self.grid!r}"


def make_fields(grid: Grid, given: Mapping[str, Any]) -> Fields:
    """The state of `grid.fields(**given)`; what is no field is read as a scalar."""
    bad = [name for name in given if not name.isidentifier() or "_" in name]
    if bad:
        raise InputError(f"'{bad[0]}' cannot be the name of a field, whose components are called such as g_xy: take a "
                         "name without an underscore.")
    return Fields(grid, {name: part if isinstance(part, Field) else grid.scalar(part) for name, part in given.items()})
