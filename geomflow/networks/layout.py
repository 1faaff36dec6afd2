"""Parameters as one flat vector with named views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import final

import numpy as np

from geomflow.core.arrays import real_array
from geomflow.core.errors import InputError, NotFiniteError, ShapeError, UnknownNameError


@final
@dataclass(frozen=True, repr=False)
class Layout:
    """Names and shapes of the arrays that lie one after the other in a flat vector θ of `size` numbers.

    >>> layout = Layout((("weights", (2, 3)), ("bias", (2,))))
    >>> layout
    8 parameters: weights (2, 3), bias (2,)
    >>> layout.views(np.arange(8.0))["bias"].tolist()
    [6.0, 7.0]
    """

    entries: tuple[tuple[str, tuple[int, ...]], ...]

    def __post_init__(self) -> None:
        names = [name for name, _ in self.entries]
        if len(set(names)) < len(names):
            raise InputError(f"the names of a layout must differ, and they are {', '.join(names)}.")

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each array, in order."""
        return {name: tuple(shape) for name, shape in self.entries}

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each array lies in the flat vector."""
        ends = np.cumsum([0] + [prod(shape) for _, shape in self.entries])
        return {name: slice(int(a), int(b)) for (name, _), a, b in zip(self.entries, ends, ends[1:])}

    @cached_property
    def size(self) -> int:
        """The number of parameters."""
        return sum(prod(shape) for _, shape in self.entries)

    def views(self, parameters: np.ndarray) -> dict[str, np.ndarray]:
        """Named views, not copies, of a flat vector (..., size): writing to one writes to the vector."""
        batch = parameters.shape[:-1]
        return {name: parameters[..., part].reshape(batch + self.shapes[name]) for name, part in self.slices.items()}

    def flat(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """The flat vector (size,) of named arrays.

        Raises `UnknownNameError` for a name that is not here, `InputError` where one is missing and `ShapeError`.
        """
        for name in arrays:
            if name not in self.shapes:
                raise UnknownNameError.among("parameter", name, self.shapes)
        out = np.empty(self.size)
        for name, view in self.views(out).items():
            if name not in arrays:
                raise InputError(f"the parameter '{name}', shape {view.shape}, is missing.")
            if np.shape(arrays[name]) != view.shape:
                raise ShapeError(f"the parameter '{name}' has shape {np.shape(arrays[name])} instead of {view.shape}.")
            view[...] = arrays[name]
        return out

    def checked(self, parameters: np.ndarray, what: str = "parameters") -> np.ndarray:
        """`parameters` as floats (size,): `ShapeError` for another length, `NotFiniteError` with name and place."""
        parameters = real_array(parameters, f"the {what}")
        if parameters.shape != (self.size,):
            raise ShapeError(f"the {what} have shape {parameters.shape}; this layout takes ({self.size},): {self!r}.")
        if not np.isfinite(parameters).all():
            self._complain(parameters, what)
        return parameters

    def _complain(self, parameters: np.ndarray, what: str) -> None:
        bad = np.flatnonzero(~np.isfinite(parameters))
        name = next(name for name, part in self.slices.items() if part.start <= bad[0] < part.stop)
        raise NotFiniteError(
            f"{bad.size} of {self.size} {what} are not finite, the first in '{name}' "
            f"(number {bad[0]} is {parameters[bad[0]]}); take a smaller step or an earlier state."
        )

    def __repr__(self) -> str:
        return f"{self.size} parameters: " + ", ".join(f"{name} {shape}" for name, shape in self.shapes.items())
