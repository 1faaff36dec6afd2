"""A network for each metric component (Halverson and Ruehle, eqs. (2.19)–(2.23)), or one network for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.lattice import FlatTorus
from geomflow.field.matrices import upper_pairs
from geomflow.networks.models.head import LinearHead
from geomflow.networks.models.independent import IndependentNetworks, side_by_side
from geomflow.networks.models.network_model import NetworkModel, require_inputs
from geomflow.networks.models.target import RealMetric, checked_torus
from geomflow.networks.network import Network


def symmetric_basis(dim: int, offdiagonal: float) -> np.ndarray:
    """basis[i, j, m] of g_ij = Σ_m basis[i, j, m] u_m for the components i ≤ j, row by row; `offdiagonal` scales."""
    pairs = upper_pairs(dim)
    basis = np.zeros((dim, dim, len(pairs)))
    for m, (i, j) in enumerate(pairs):
        basis[i, j, m] = basis[j, i, m] = 1.0 if i == j else offdiagonal
    return basis


def component_names(torus: FlatTorus, letter: str = "g") -> tuple[str, ...]:
    """g_xx, g_xy, g_yy and so on."""
    names = torus.coordinates
    return tuple(f"{letter}_{names[i]}{names[j]}" for i, j in upper_pairs(len(names)))


class _Components(NetworkModel):
    """A linear map from independent networks to a real metric; subclasses say how off-diagonals are scaled."""

    torus: FlatTorus
    network: Network | Sequence[Network]
    _offdiagonal: float

    def __post_init__(self) -> None:
        checked_torus(self.torus, complex_needed=False)
        require_inputs(self, self.joint)

    @cached_property
    def joint(self) -> IndependentNetworks:
        """One network a component; parameters are named "g_xx.W0" and so on."""
        return side_by_side(self.network, component_names(self.torus))

    @cached_property
    def head(self) -> LinearHead:
        """g_ij = c_ij u_ij for i ≤ j."""
        return LinearHead(symmetric_basis(self.torus.real_dim, self._offdiagonal))

    @cached_property
    def target(self) -> RealMetric:
        """The values are the metric."""
        return RealMetric(self.torus.real_dim)


@final
@dataclass(frozen=True, eq=False, repr=False)
class IndependentComponents(_Components):
    """g_ii = u_ii, g_ij = u_ij/√2 for i < j, each u an independent scalar network: eq. (2.19), corrected.

    In the limit of infinite width Θ_ijkl = ½(δ_ik δ_jl + δ_il δ_jk) Θ̄: with the full index sum over D^{kl}, every
    component moves at the same speed. Without the factor 1/√2 (`UncorrectedComponents`) the off-diagonal ones run twice
    too fast, because D^{kl} and D^{lk} both drive them.

    `network` is one scalar network, copied, or one for each component with i ≤ j. Copies share what is not trained,
    such as the wave vectors of a `CosineNetwork`; give one for each where these are to differ. Raises InputError
    otherwise.
    """

    torus: FlatTorus
    network: Network | Sequence[Network]
    _offdiagonal = 1 / sqrt(2)

    def __repr__(self) -> str:
        return f"a metric of {self.joint!r}"


@final
@dataclass(frozen=True, eq=False, repr=False)
class UncorrectedComponents(_Components):
    """g_ij = u_ij for i ≤ j, each u an independent scalar network, as in eq. (2.19) of the paper.

    On i ≤ j, k ≤ l: Θ_ijkl = δ_ik δ_jl Θ_ij, eq. (2.21). With the full index sum off-diagonal components run twice as
    fast as diagonal ones; `IndependentComponents` corrects this.
    """

    torus: FlatTorus
    network: Network | Sequence[Network]
    _offdiagonal = 1.0

    def __repr__(self) -> str:
        return f"a metric of {self.joint!r}, off-diagonals unscaled"


@final
@dataclass(frozen=True, eq=False, repr=False)
class SharedComponents(NetworkModel):
    """g_ii = u_ii, g_ij = u_ij/√2 for i < j, with all u_ij outputs of one network, whose weights mix components.

    `network` has d(d + 1)/2 outputs, the components i ≤ j row by row.
    """

    torus: FlatTorus
    network: Network

    def __post_init__(self) -> None:
        checked_torus(self.torus, complex_needed=False)
        require_inputs(self, self.network)
        if self.network.outputs != self.head.inputs:
            raise InputError(f"a metric on {self.torus!r} has {self.head.inputs} components, and the network has "
                             f"{self.network.outputs} outputs: give outputs={self.head.inputs}.")

    @property
    def joint(self) -> Network:
        """The network."""
        return self.network

    @cached_property
    def head(self) -> LinearHead:
        """g_ij = c_ij u_ij for i ≤ j."""
        return LinearHead(symmetric_basis(self.torus.real_dim, 1 / sqrt(2)))

    @cached_property
    def target(self) -> RealMetric:
        """The values are the metric."""
        return RealMetric(self.torus.real_dim)

    def __repr__(self) -> str:
        return f"a metric of {self.network.outputs} outputs of one network with {self.size} parameters"
