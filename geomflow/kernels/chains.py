"""Networks that are a chain of hidden layers: by compiled layers one by one, and fused where they are closed forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.kernels import network_routines as routines
from geomflow.kernels.activations import ClosedForm
from geomflow.kernels.expansions import Expanded
from geomflow.kernels.layers import Alone, ClosedLayer, Layer, LayeredRecursion, Pairs, SeriesLayer, Trace, traced


@dataclass(frozen=True)
class Chain(LayeredRecursion):
    """The recursion of `NetworkKernel`: the same hidden layer at every depth; m = σ_w²."""

    hidden: Layer
    depth: int
    m: float

    def layers(self, points: np.ndarray, more: int = 1) -> Trace:
        """One behind the other."""
        return traced(points, self.m, lambda first: self._steps(first, more))

    def _steps(self, deviations: np.ndarray, more: int) -> tuple[Alone, ...]:
        steps: list[Alone] = []
        for _ in range(self.depth):
            steps.append(self.hidden.alone(deviations, more))
            deviations = steps[-1].after
        return tuple(steps)

    def pairs(self, x: Trace, y: Trace) -> Pairs:
        """Layer by layer."""
        found = Pairs.of(x, y, self.m)
        for first, second in zip(x.steps, y.steps, strict=True):
            self.hidden.pass_on(first, second, found)
        return found

    def diagonal(self, x: Trace, tangent: bool) -> np.ndarray:
        """K, or Θ by the gains of the layers."""
        if not tangent:
            return x.steps[-1].after ** 2
        theta = x.first**2
        for step in x.steps:
            theta = step.after**2 + step.gain * theta
        return theta


@final
@dataclass(frozen=True)
class FusedChain(Chain):
    """By closed forms: one compiled row of all layers, which stays in the first-level cache."""

    hidden: ClosedLayer

    def _network(self, x: Trace) -> routines.Network:
        form, beta = self.hidden.form, self.hidden.beta
        return form.code, self.m / (x.points.shape[1] - 1), self.m, beta, form.slope

    def block(self, x: Trace, y: Trace, tangent: bool, out: np.ndarray) -> None:
        """All layers of a row at once."""
        columns = np.ascontiguousarray(y.points.T)
        routines.block(self._network(x), x.points, x.deviations, x.squares, columns, y.deviations, y.squares, tangent,
                       out)

    def symmetric(self, x: Trace, rows: slice, tangent: bool, out: np.ndarray) -> None:
        """The same for pairs above the diagonal."""
        routines.symmetric_rows(self._network(x), x.points, np.ascontiguousarray(x.points.T), x.deviations, x.squares,
                                rows.start, rows.stop, tangent, out)


def chain(function: ClosedForm | Expanded, depth: int, m: float, beta: float) -> Chain:
    """Hidden layers of one activation."""
    if isinstance(function, Expanded):
        return Chain(SeriesLayer(function, m, beta), depth, m)
    return FusedChain(ClosedLayer(function, m, beta), depth, m)
