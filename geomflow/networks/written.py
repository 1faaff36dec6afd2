"""Networks that are functions which a user wrote, whatever differentiates them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.core.numbers import generator
from geomflow.networks.network import Layout, Network


class WrittenNetwork(Network):
    """f(views, x): a dictionary of named arrays and points (p, inputs) to (p, outputs), each point by itself."""

    by: ClassVar[str]
    """What differentiates the function."""

    def __init__(
        self,
        function: Callable[[Mapping[str, np.ndarray], np.ndarray], np.ndarray],
        layout: Layout | Mapping[str, tuple[int, ...]],
        inputs: int,
        outputs: int,
        start: Callable[[np.random.Generator], np.ndarray] | None = None,
    ) -> None:
        if not callable(function):
            raise InputError(f"the function of a network is called as f(views, x), and {function!r} is not callable.")
        self.function, self.layout = function, _as_layout(layout)
        self.inputs, self.outputs, self.start = inputs, outputs, start
        self._rows_alone = False

    def initial(self, seed: int | np.random.Generator) -> np.ndarray:
        """`start` of the seed's Generator, or standard normal numbers."""
        rng = generator(seed)
        return rng.standard_normal(self.size) if self.start is None else self.layout.checked(self.start(rng))

    def _parameters(self, parameters: np.ndarray) -> np.ndarray:
        theta = super()._parameters(parameters)
        if not self._rows_alone:
            self._require_rows_alone(theta)
            self._rows_alone = True
        return theta

    def _require_rows_alone(self, parameters: np.ndarray) -> None:
        """Raise InputError unless a row of some probes gives the same alone and among the others."""
        probes = np.random.default_rng(20231019).random((3, self.inputs))
        together = self._values(parameters, probes)
        alone = np.concatenate([self._values(parameters, row[None]) for row in probes])
        gap = np.abs(together - alone).max()
        if gap > 1e-8 * max(np.abs(together).max(), np.abs(alone).max()):
            raise InputError(f"the function mixes points: a row alone and among three differs by {gap:.3g}. A network "
                             "is a function of one point; normalise with fixed numbers, not with means over a batch.")

    def _call(self, parameters: np.ndarray, x: np.ndarray) -> Any:
        out = self.function(self.layout.views(parameters), x)
        shape = getattr(out, "shape", np.shape(out))
        if shape != (len(x), self.outputs):
            raise ShapeError(f"the function returned shape {shape} instead of ({len(x)}, {self.outputs}).")
        return out

    def _tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        right = self.jacobian(parameters, y)
        left = right if y is x else self.jacobian(parameters, x)
        flat = left.reshape(-1, self.size) @ right.reshape(-1, self.size).T
        return flat.reshape(len(x), self.outputs, len(y), self.outputs).transpose(0, 2, 1, 3).copy()

    def __repr__(self) -> str:
        return f"a network of {self.inputs} inputs and {self.outputs} outputs by {self.by}, {self.layout!r}"


def _as_layout(given: Any) -> Layout:
    if isinstance(given, Mapping):
        return Layout(tuple((name, tuple(shape)) for name, shape in given.items()))
    if not isinstance(given, Layout):
        raise InputError(f"the parameters are names with shapes, such as {{'w': (3, 2)}}, not {given!r}.")
    return given
