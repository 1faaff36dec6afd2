"""The arrays a stepper works in: taken once, named, and never again in the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geomflow.core.memory import require
from geomflow.flow.vector import combine


class Workspace:
    """Named arrays of one shape in one block of memory.

    `work["y"]` is a view; `work.combine("new", {"y": 1.0, "k1": dt})` is new = y + dt k1 in one pass;
    `work.swap("y", "new")` exchanges two names without moving numbers.
    """

    def __init__(self, shape: tuple[int, ...], names: Sequence[str]) -> None:
        size = int(np.prod(shape, dtype=np.int64))
        require(8.0 * size * len(names), f"the {len(names)} work arrays of shape {shape}")
        self._data = np.zeros((len(names), size))
        self._shape = shape
        self._rows = {name: row for row, name in enumerate(names)}
        self._views = {name: self._data[row].reshape(shape) for name, row in self._rows.items()}

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of each array, (ncomp, *grid)."""
        return self._shape

    def __getitem__(self, name: str) -> np.ndarray:
        return self._views[name]

    def combine(self, target: str, terms: Mapping[str, float]) -> None:
        """target = Σ weight · array over the terms; the target may be the first term and no other."""
        rows = self._rows
        indices = np.array([rows[name] for name in terms], dtype=np.int64)
        weights = np.array(list(terms.values()), dtype=np.float64)
        combine(self._data, rows[target], indices, weights)

    def swap(self, one: str, other: str) -> None:
        """Exchange two arrays by name."""
        rows, views = dict(self._rows), dict(self._views)
        rows[one], rows[other] = rows[other], rows[one]
        views[one], views[other] = views[other], views[one]
        self._rows, self._views = rows, views

    @property
    def order(self) -> Any:
        """Which numbers stand under which names; set it to undo the swaps since then."""
        return self._rows, self._views

    @order.setter
    def order(self, order: Any) -> None:
        self._rows, self._views = order

    def peaks(self, name: str) -> np.ndarray:
        """max |value| of each component, shape (ncomp,); NaN where the component has a NaN."""
        flat = self._views[name].reshape(self._shape[0], -1)
        return np.maximum(flat.max(axis=1), -flat.min(axis=1))
