"""Input derivatives of a network at a batch of points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.networks.series import Index, Series

#: The highest input derivative that networks offer.
HIGHEST_JET = 4


@final
@dataclass(frozen=True, repr=False)
class Jets(Mapping[Index, np.ndarray]):
    """∂^α f(x) for every multi-index α of degree <= order: a mapping {α: (p, outputs)}.

    α counts derivatives per input coordinate, (2, 0) is ∂_x². `array` (C, p, outputs) holds all of them in the order
    of `indices`: by degree, the value first.
    """

    series: Series
    array: np.ndarray

    @property
    def order(self) -> int:
        """The highest degree."""
        return self.series.order

    @property
    def indices(self) -> tuple[Index, ...]:
        """The multi-indices in the order of `array`."""
        return self.series.indices

    def __getitem__(self, index: Index) -> np.ndarray:
        try:
            return self.array[self.series.indices.index(tuple(index))]
        except ValueError:
            message = f"no derivative {index}: these jets have {self.series.dim} inputs and order {self.order}."
            raise KeyError(message) from None

    def __iter__(self) -> Iterator[Index]:
        return iter(self.series.indices)

    def __len__(self) -> int:
        return self.series.channels

    def __repr__(self) -> str:
        _, points, outputs = self.array.shape
        return (
            f"the derivatives up to order {self.order} by {self.series.dim} inputs of {outputs} outputs at "
            f"{points} points"
        )


def checked_order(order: int) -> int:
    """`order` if it is a whole number from 0 to 4; raises `InputError` otherwise."""
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or not 0 <= order <= HIGHEST_JET:
        raise InputError(f"jets have order 0 to {HIGHEST_JET}, and the order is {order!r}.")
    return int(order)
