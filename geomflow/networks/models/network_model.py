"""What models that read a network's outputs at each point share: the chain rule through the head."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.networks.layout import Layout
from geomflow.networks.models.head import Head
from geomflow.networks.models.model import Model, require_pairs, require_rows
from geomflow.networks.models.series import Index, Jet, leibniz, leibniz_adjoint
from geomflow.networks.network import Network


class NetworkModel(Model):
    """values = h(u), u = `joint` network's outputs (p, m), with a pointwise map h, the `head`."""

    @property
    @abstractmethod
    def joint(self) -> Network:
        """The network of all outputs."""

    @property
    @abstractmethod
    def head(self) -> Head:
        """The pointwise map from outputs to values."""

    @property
    def kinked(self) -> bool:
        """Whether the network is."""
        return self.joint.kinked

    @property
    def layout(self) -> Layout:
        """The parameters of the network."""
        return self.joint.layout

    def initial(self, seed: Any) -> np.ndarray:
        """The network's random parameters."""
        return self.joint.initial(seed)

    def _slope(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """∂values/∂u, (p, components, m)."""
        slope = self.head.slopes(self.joint, parameters, x, 0)[(0,) * x.shape[1]]
        return slope.reshape(len(x), prod(self.shape), self.head.inputs)

    def values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """h(u(x))."""
        zero = (0,) * self.torus.real_dim
        return self.head.jets({zero: self.joint.values(parameters, x)})[zero]

    def jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """∂h/∂u · (∂u/∂θ direction)."""
        x = self.checked_points(x)
        rate = self.joint.jvp(parameters, x, direction)
        return np.einsum("pcm,pm->pc", self._slope(parameters, x), rate).reshape(len(x), *self.shape)

    def vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """(∂u/∂θ)ᵀ (∂h/∂u)ᵀ D."""
        x = self.checked_points(x)
        flat = np.reshape(cotangent, (len(x), prod(self.shape)))
        return self.joint.vjp(parameters, x, np.einsum("pcm,pc->pm", self._slope(parameters, x), flat))

    def jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """∂h/∂u · ∂u/∂θ, (p, *shape, size)."""
        x = self.checked_points(x)
        require_rows(len(x), 8 * self.size * (prod(self.shape) + self.head.inputs), f"the Jacobian of {self!r}")
        slope = self._slope(parameters, x)
        return np.matmul(slope, self.joint.jacobian(parameters, x)).reshape(len(x), *self.shape, self.size)

    def tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """∂h/∂u(x) · Θ_u(x, y) · ∂h/∂u(y)ᵀ."""
        x = self.checked_points(x)
        y = x if y is None else self.checked_points(y)
        components = prod(self.shape)
        require_pairs(len(x), len(y), 8 * (2 * components**2 + self.head.inputs**2), f"the tangent kernel of {self!r}")
        left, right = self._slope(parameters, x), self._slope(parameters, y)
        half = np.matmul(left[:, None], self.joint.tangent_kernel(parameters, x, y))
        return np.matmul(half, right.swapaxes(-1, -2)[None]).reshape(len(x), len(y), *self.shape, *self.shape)

    def jets(self, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """The jets of h(u(x))."""
        return self.head.jets(self.joint.jets(parameters, x, order))

    def jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, order: int) -> Jet:
        """∂^α(∂h/∂u · δu) by Leibniz' rule."""
        x = self.checked_points(x)
        slopes = self.head.slopes(self.joint, parameters, x, order)
        rates = self.joint.jets_jvp(parameters, x, direction, order)
        return leibniz(slopes, rates, _contracted, rates)

    def jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: Mapping[Index, np.ndarray]) -> np.ndarray:
        """The adjoint of `jets_jvp`."""
        x = self.checked_points(x)
        order = max((sum(index) for index in cotangents), default=0)
        slopes = self.head.slopes(self.joint, parameters, x, order)
        return self.joint.jets_vjp(parameters, x, leibniz_adjoint(slopes, cotangents, _spread))


def _contracted(slope: np.ndarray, rate: np.ndarray) -> np.ndarray:
    return np.einsum("p...m,pm->p...", slope, rate)


def _spread(slope: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
    points, inputs = len(slope), slope.shape[-1]
    return np.einsum("pcm,pc->pm", slope.reshape(points, -1, inputs), np.reshape(cotangent, (points, -1)))


def require_inputs(model: Model, network: Network) -> None:
    """InputError unless the network's inputs are the torus's real coordinates."""
    if network.inputs != model.torus.real_dim:
        raise InputError(f"the network takes {network.inputs} inputs, and {model.torus!r} has {model.torus.real_dim} "
                         "coordinates: make the two equal (an embedding of the torus goes inside the network).")
