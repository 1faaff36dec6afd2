"""What a density is made of: curvatures and derivatives, each noted as a symbol of its own, so that the variation of
the density can go back through them one by one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from geomflow.core import graph as gr
from geomflow.symbolic.jets import field_node
from geomflow.symbolic.language.kinds import Kind, Place, spread, symmetric
from geomflow.symbolic.language.tensor import Tensor

if TYPE_CHECKING:
    from geomflow.symbolic.language.sweep import Realised, Sweep


class Quantity(ABC):
    """A tensor that a density is made of beside the fields: it brings its value and the rule of its variation."""

    rule: ClassVar[str]
    """The variation, in words of textbooks."""

    @property
    @abstractmethod
    def up(self) -> tuple[bool, ...]:
        """Whether each of its indices is."""

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """The tensors that it is made of."""
        return tuple(part for part in vars(self).values() if isinstance(part, Tensor))

    def canonical(self, place: Place) -> tuple[int, Place]:
        """The sign and the independent component that a component is equal to; by default all indices may change
        places.
        """
        return symmetric(place)

    @abstractmethod
    def value(self, realised: Realised) -> Tensor:
        """The tensor in coordinates."""

    @abstractmethod
    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        """Add ∫ P δT dV, integrated by parts, to a variation; P is the weight."""


@dataclass
class Tape:
    """The quantities that densities are made of, in order: what they are made of comes before them.

    Parameters
    ----------
    coordinates : tuple of str
        Names of the axes.
    fields : mapping
        Kinds of the fields by name.
    """

    coordinates: tuple[str, ...]
    fields: Mapping[str, Kind]
    quantities: dict[str, Quantity] = field(default_factory=dict)
    _known: dict[tuple[object, ...], Tensor] = field(default_factory=dict, repr=False)

    @property
    def metric(self) -> str | None:
        """The name of the field that is a metric."""
        return next((name for name, kind in self.fields.items() if kind.label == "metric"), None)

    def tensor(self, name: str) -> Tensor:
        """The unknown tensor of a field."""
        return self.fields[name].tensor(name, self.coordinates)

    def note(self, quantity: Quantity) -> Tensor:
        """The symbols of a quantity; the same ones where it is noted already."""
        key = (type(quantity), *(entry for part in quantity.parts for entry in (part.up, *part.entries.flat)))
        if key not in self._known:
            name = f"{type(quantity).__name__} {len(self.quantities)}"
            self.quantities[name] = quantity
            shape = (len(self.coordinates),) * len(quantity.up)
            entries = spread(shape, quantity.canonical, lambda place: self._leaf(name, place))
            self._known[key] = Tensor(entries, quantity.up)
        return self._known[key]

    def origin(self, tensor: Tensor) -> Quantity | None:
        """The quantity that a tensor is the symbols of."""
        own = (name for name, noted in zip(self.quantities, self._known.values(), strict=True)
               if noted.entries is tensor.entries)
        return next((self.quantities[name] for name in own), None)

    def leaves(self, name: str) -> dict[Place, gr.Node]:
        """The symbols of all independent components of a quantity, by place."""
        quantity, dim = self.quantities[name], len(self.coordinates)
        signs = map(quantity.canonical, np.ndindex((dim,) * len(quantity.up)))
        return {place: self._leaf(name, place) for sign, place in signs if sign}

    def _leaf(self, name: str, place: Place) -> gr.Node:
        return field_node(" ".join([name, *map(str, place)]), self.coordinates)
