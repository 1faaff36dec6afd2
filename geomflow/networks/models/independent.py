"""Several networks side by side, each with parameters of its own, as one network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.seeds import generator
from geomflow.networks.layout import Layout
from geomflow.networks.network import Network
from geomflow.networks.series import Series


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

    def _values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        return self._stacked(lambda network, part: network._values(parameters[part], x))

    def _jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return self._stacked(lambda network, part: network._jvp(parameters[part], x, direction[part]))

    def _vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        return self._gathered(lambda network, part, m: network._vjp(
            parameters[part], x, np.ascontiguousarray(cotangent[:, m])))

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
