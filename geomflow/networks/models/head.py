"""From the outputs of a network to a metric: a pointwise map h, with its slopes ∂h/∂u and its jets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.field.matrices import upper_pairs
from geomflow.networks.models.series import Index, Jet, exponential, leibniz
from geomflow.networks.network import Network


class Head(ABC):
    """g_ij = h_ij(u) at each point, for outputs u (p, m)."""

    inputs: int

    @abstractmethod
    def jets(self, outputs: Mapping[Index, np.ndarray]) -> Jet:
        """{α: ∂^α g (p, d, d)} from {α: ∂^α u (p, m)}, for the same multi-indices."""

    @abstractmethod
    def slopes(self, network: Network, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """{α: ∂^α (∂h_ij/∂u_m) (p, d, d, m)} at the network's outputs at x; vanishing ones may be absent."""


@final
@dataclass(frozen=True, eq=False)
class LinearHead(Head):
    """g_ij = Σ_m basis[i, j, m] u_m, with basis (d, d, m), or the scalar φ = u_0 with basis (1,)."""

    basis: np.ndarray

    @property
    def inputs(self) -> int:  # type: ignore[override]
        """m."""
        return self.basis.shape[-1]

    def jets(self, outputs: Mapping[Index, np.ndarray]) -> Jet:
        """The map, applied to each derivative."""
        return {index: np.tensordot(u, self.basis, axes=(1, self.basis.ndim - 1)) for index, u in outputs.items()}

    def slopes(self, network: Network, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """The basis, at every point."""
        return {(0,) * x.shape[1]: np.broadcast_to(self.basis, (len(x), *self.basis.shape))}


@final
@dataclass(frozen=True)
class CholeskyHead(Head):
    """g = L Lᵀ with L lower triangular, L_ii = exp(u_ii), L_ji = u_ij for i < j; u in the order of `upper_pairs`."""

    dim: int

    @property
    def inputs(self) -> int:  # type: ignore[override]
        """d(d + 1)/2."""
        return self.dim * (self.dim + 1) // 2

    def _factor(self, outputs: Mapping[Index, np.ndarray]) -> Jet:
        """{α: ∂^α L (p, d, d)}."""
        result = {index: np.zeros((len(u), self.dim, self.dim)) for index, u in outputs.items()}
        for m, (i, j) in enumerate(upper_pairs(self.dim)):
            entry = {index: u[:, m] for index, u in outputs.items()}
            for index, value in (exponential(entry) if i == j else entry).items():
                result[index][:, j, i] = value
        return result

    def jets(self, outputs: Mapping[Index, np.ndarray]) -> Jet:
        """Leibniz' rule for L Lᵀ."""
        factor = self._factor(outputs)
        with np.errstate(over="ignore", invalid="ignore"):
            return leibniz(factor, factor, lambda a, b: a @ np.swapaxes(b, -1, -2), outputs)

    def slopes(self, network: Network, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """∂g_ij/∂L_ab = δ_ia L_jb + δ_ja L_ib, times L_aa on the diagonal."""
        outputs = network.jets(parameters, x, order)
        factor = self._factor(outputs)
        result = {index: np.zeros((len(u), self.dim, self.dim, self.inputs)) for index, u in outputs.items()}
        for m, (b, a) in enumerate(upper_pairs(self.dim)):
            column = {index: value[:, :, b] for index, value in factor.items()}
            if a == b:
                diagonal = {index: value[:, a, a, None] for index, value in factor.items()}
                column = leibniz(diagonal, column, np.multiply, outputs)
            for index, value in column.items():
                result[index][:, a, :, m] += value
                result[index][:, :, a, m] += value
        return result
