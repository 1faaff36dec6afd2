"""A network for each metric component (Halverson and Ruehle, eqs. (2.19)–(2.23)), one for all, or L Lᵀ of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import sqrt
from typing import ClassVar, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import generator
from geomflow.core.symmetric import packed_places
from geomflow.networks.jets import Series
from geomflow.networks.network import Layout, Network
from geomflow.networks.network_model import CholeskyHead, LinearHead, MetricModel
from geomflow.symbolic.jets import metric_names


@final
class IndependentNetworks(Network):
    """u_m(x) = f^{(m)}(x; θ^{(m)}) with θ the union of all θ^{(m)}: Halverson and Ruehle, eq. (2.19).

    `networks` maps a prefix to each scalar network; the parameters of "g_xx" are "g_xx.W0", "g_xx.b0" and so on.
    Raises InputError for networks of unequal inputs or with more than one output.
    """

    def __init__(self, networks: dict[str, Network]) -> None:
        for prefix, network in networks.items():
            if not isinstance(network, Network):
                raise InputError(f"a network is needed for '{prefix}', and {network!r} was given: use Perceptron(...), "
                                 "CosineNetwork(...) or AutogradNetwork(...).")
            if network.outputs != 1:
                raise InputError(f"the network of '{prefix}' has {network.outputs} outputs, and independent components "
                                 "have one each: give outputs=1, or use SharedComponents.")
        if len({network.inputs for network in networks.values()}) != 1:
            raise InputError("networks side by side take the same inputs; these take "
                             f"{[network.inputs for network in networks.values()]}.")
        self.networks = tuple(networks.values())
        self.inputs, self.outputs = self.networks[0].inputs, len(self.networks)
        self.layout = Layout(tuple((f"{prefix}.{name}", shape) for prefix, network in networks.items()
                                   for name, shape in network.layout.entries))
        ends = np.cumsum([0, *(network.size for network in self.networks)])
        self.parts = tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    @property
    def kinked(self) -> bool:
        """Whether one of the networks is."""
        return any(network.kinked for network in self.networks)

    def initial(self, seed: int | np.random.Generator) -> np.ndarray:
        """One network after the other, from one stream."""
        stream = generator(seed)
        return np.concatenate([network.initial(stream) for network in self.networks])

    def _stacked(self, one: Callable[[Network, slice], np.ndarray]) -> np.ndarray:
        pieces = zip(self.networks, self.parts, strict=True)
        return np.concatenate([one(network, part) for network, part in pieces], axis=-1)

    def _gathered(self, one: Callable[[Network, slice, slice], np.ndarray]) -> np.ndarray:
        pieces = enumerate(zip(self.networks, self.parts, strict=True))
        return np.concatenate([one(network, part, slice(m, m + 1)) for m, (network, part) in pieces])

    def _jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        result = np.zeros((len(x), self.outputs, self.size))
        for m, (network, part) in enumerate(zip(self.networks, self.parts, strict=True)):
            result[:, m, part] = network._jacobian(parameters[part], x)[:, 0]
        return result

    def _tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        result = np.zeros((len(x), len(y), self.outputs, self.outputs))
        for m, (network, part) in enumerate(zip(self.networks, self.parts, strict=True)):
            result[:, :, m, m] = network._tangent_kernel(parameters[part], x, y)[:, :, 0, 0]
        return result

    def _jets(self, parameters: np.ndarray, x: np.ndarray, series: Series) -> np.ndarray:
        return self._stacked(lambda network, part: network._jets(parameters[part], x, series))

    def _jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, series: Series) -> np.ndarray:
        return self._stacked(lambda network, part: network._jets_jvp(parameters[part], x, direction[part], series))

    def _jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: np.ndarray, series: Series) -> np.ndarray:
        return self._gathered(lambda network, part, m: network._jets_vjp(
            parameters[part], x, np.ascontiguousarray(cotangents[:, :, m]), series))

    def __repr__(self) -> str:
        return f"{self.outputs} independent networks with {self.size} parameters"


def side_by_side(network: Network | Sequence[Network], names: Sequence[str]) -> IndependentNetworks:
    """One copy of `network` for each name, or one network a name where a sequence is given."""
    several = tuple(network) if isinstance(network, Sequence) else (network,) * len(names)
    if len(several) != len(names):
        raise InputError(f"{len(several)} networks were given for the {len(names)} components {', '.join(names)}: give "
                         "one network, which is copied, or one for each.")
    return IndependentNetworks(dict(zip(names, several, strict=True)))


def symmetric_basis(dim: int, offdiagonal: float) -> np.ndarray:
    """basis[i, j, m] of g_ij = Σ_m basis[i, j, m] u_m for the components i ≤ j, row by row; `offdiagonal` scales."""
    pairs = packed_places(dim)
    basis = np.zeros((dim, dim, len(pairs)))
    for m, (i, j) in enumerate(pairs):
        basis[i, j, m] = basis[j, i, m] = 1.0 if i == j else offdiagonal
    return basis


@dataclass(frozen=True, eq=False, repr=False)
class _Components(MetricModel):
    """A linear map from networks to a real metric; subclasses say how off-diagonals are scaled, if not by 1/√2."""

    network: Network | Sequence[Network]
    _offdiagonal: ClassVar[float] = 1 / sqrt(2)

    @cached_property
    def joint(self) -> Network:
        """One network a component; parameters are named "g_xx.W0" and so on."""
        return side_by_side(self.network, metric_names(self.torus.coordinates))

    @cached_property
    def head(self) -> LinearHead:
        """g_ij = c_ij u_ij for i ≤ j."""
        return LinearHead(symmetric_basis(self.torus.real_dim, self._offdiagonal))


@final
@dataclass(frozen=True, eq=False, repr=False)
class IndependentComponents(_Components):
    """g_ii = u_ii, g_ij = u_ij/√2 for i < j, each u an independent scalar network: eq. (2.19), corrected.

    In the limit of infinite width Θ_ijkl = ½(δ_ik δ_jl + δ_il δ_jk) Θ̄: with the full index sum over D^{kl}, every
    component moves at the same speed. Without the factor 1/√2 (`UncorrectedComponents`) the off-diagonal ones run twice
    too fast, because D^{kl} and D^{lk} both drive them.

    Copies of a network share what is not trained, such as the wave vectors of a `CosineNetwork`; give one for each
    where these are to differ. Raises InputError otherwise.

    Parameters
    ----------
    torus : FlatTorus
        Where the metric lives, of real dimension d.
    network : Network or sequence of Network
        One scalar network, copied, or one for each component i ≤ j, row by row.
    """

    def __repr__(self) -> str:
        return f"a metric of {self.joint!r}"


@final
@dataclass(frozen=True, eq=False, repr=False)
class UncorrectedComponents(_Components):
    """g_ij = u_ij for i ≤ j, each u an independent scalar network, as in eq. (2.19) of the paper.

    On i ≤ j, k ≤ l: Θ_ijkl = δ_ik δ_jl Θ_ij, eq. (2.21). With the full index sum off-diagonal components run twice as
    fast as diagonal ones; `IndependentComponents` corrects this.

    Parameters
    ----------
    torus : FlatTorus
        Where the metric lives, of real dimension d.
    network : Network or sequence of Network
        One scalar network, copied, or one for each component i ≤ j, row by row.
    """

    _offdiagonal: ClassVar[float] = 1.0

    def __repr__(self) -> str:
        return f"a metric of {self.joint!r}, off-diagonals unscaled"


@final
@dataclass(frozen=True, eq=False, repr=False)
class SharedComponents(_Components):
    """g_ii = u_ii, g_ij = u_ij/√2 for i < j, with all u_ij outputs of one network, whose weights mix components.

    Parameters
    ----------
    torus : FlatTorus
        Where the metric lives, of real dimension d.
    network : Network
        With d(d + 1)/2 outputs, the components i ≤ j row by row.
    """

    network: Network

    @cached_property
    def joint(self) -> Network:
        """The network."""
        return self.network

    def __repr__(self) -> str:
        return f"a metric of {self.network.outputs} outputs of one network with {self.size} parameters"


@final
@dataclass(frozen=True, eq=False, repr=False)
class CholeskyModel(MetricModel):
    """g = L Lᵀ, L lower triangular with L_ii = exp(u_ii) and L_ji = u_ij for i < j: positive for all parameters.

    log det g = 2 Σ_i u_ii, and u = 0 is the flat metric. In double precision positivity is lost to rounding only where
    the condition number passes 1e16. The map is not linear, so that the tangent kernel changes with the metric even
    where those of the networks are frozen.

    Parameters
    ----------
    torus : FlatTorus
        Where the metric lives, of real dimension d.
    network : Network or sequence of Network
        One scalar network, copied, or one for each u_xx, u_xy, ..., named "L_xx", ...; or one with d(d + 1)/2 outputs.
    """

    network: Network | Sequence[Network]
    _advice: ClassVar[str] = "outputs=1 or outputs={}"

    @cached_property
    def joint(self) -> Network:
        """The given network of all components, or one network for each."""
        if isinstance(self.network, Network) and self.network.outputs > 1:
            return self.network
        return side_by_side(self.network, metric_names(self.torus.coordinates, "L"))

    @cached_property
    def head(self) -> CholeskyHead:
        """u ↦ L Lᵀ."""
        return CholeskyHead(self.torus.real_dim)

    def __repr__(self) -> str:
        return f"a metric L Lᵀ of {self.joint!r}"
