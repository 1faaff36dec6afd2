"""Models that read a network's outputs at each point: the pointwise map h, the chain rule through it, potentials."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.monomials import Index
from geomflow.core.symmetric import packed_places
from geomflow.field.lattice import FlatTorus
from geomflow.field.tori import ComplexTorus
from geomflow.networks.jets import Jet, exponential, leibniz, leibniz_adjoint
from geomflow.networks.model import Model
from geomflow.networks.network import Layout, Network
from geomflow.networks.tangents import require_pairs, require_rows
from geomflow.networks.target import KahlerPotential, RealMetric, checked_torus, closed_matrix


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
    """g = L Lᵀ with L lower triangular, L_ii = exp(u_ii), L_ji = u_ij for i < j; u in the order of `packed_places`."""

    dim: int

    @property
    def inputs(self) -> int:  # type: ignore[override]
        """d(d + 1)/2."""
        return self.dim * (self.dim + 1) // 2

    def _factor(self, outputs: Mapping[Index, np.ndarray]) -> Jet:
        """{α: ∂^α L (p, d, d)}."""
        result = {index: np.zeros((len(u), self.dim, self.dim)) for index, u in outputs.items()}
        for m, (i, j) in enumerate(packed_places(self.dim)):
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
        for m, (b, a) in enumerate(packed_places(self.dim)):
            column = {index: value[:, :, b] for index, value in factor.items()}
            if a == b:
                diagonal = {index: value[:, a, a, None] for index, value in factor.items()}
                column = leibniz(diagonal, column, np.multiply, outputs)
            for index, value in column.items():
                result[index][:, a, :, m] += value
                result[index][:, :, a, m] += value
        return result


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


@dataclass(frozen=True, eq=False, repr=False)
class MetricModel(NetworkModel):
    """A network model whose values are a real metric on `torus`; raises InputError for inputs that do not fit."""

    torus: FlatTorus
    _advice: ClassVar[str] = "outputs={}"

    def __post_init__(self) -> None:
        checked_torus(self.torus, complex_needed=False)
        require_inputs(self, self.joint)
        if self.joint.outputs != self.head.inputs:
            raise InputError(f"a metric on {self.torus!r} has {self.head.inputs} components, and the network has "
                             f"{self.joint.outputs} outputs: give {self._advice.format(self.head.inputs)}.")

    @cached_property
    def target(self) -> RealMetric:
        """The values are the metric."""
        return RealMetric(self.torus.real_dim)


def require_inputs(model: Model, network: Network) -> None:
    """InputError unless the network's inputs are the torus's real coordinates."""
    if network.inputs != model.torus.real_dim:
        raise InputError(f"the network takes {network.inputs} inputs, and {model.torus!r} has {model.torus.real_dim} "
                         "coordinates: make the two equal (an embedding of the torus goes inside the network).")


@final
@dataclass(frozen=True, eq=False, repr=False)
class PotentialModel(NetworkModel):
    """φ = the output of a network on a complex torus; the metric is g_{ab̄} = reference_{ab̄} + ∂_a∂_b̄ φ.

    ∂_a = ½(∂_{x^a} − i ∂_{y^a}), first index holomorphic, ds² = 2 g_{ab̄} dz^a dz̄^b; derivatives are the network's exact
    input jets. `values` are φ (p,), `metric` is complex (p, n, n). The form stays closed whatever the parameters are.
    Take a smooth activation: with ReLU the derivative at its kinks is left out, so that the metric is not that of φ.

     Raises InputError for a network with several outputs, for a real torus and for a reference known on a grid only.

    Parameters
    ----------
    torus : ComplexTorus
        Of complex dimension n.
    network : Network
        φ, with one output and 2n inputs.
    reference : (n, n) Hermitian array, (n, n) text or sympy, or callable of the coordinates, optional
        ½δ unless given.
    """

    torus: ComplexTorus
    network: Network
    reference: Any = None

    def __post_init__(self) -> None:
        checked_torus(self.torus, complex_needed=True)
        require_inputs(self, self.network)
        if self.network.outputs != 1:
            raise InputError(f"a potential is one function, and the network has {self.network.outputs} outputs: give "
                             "outputs=1.")
        self.target  # noqa: B018  reads the reference, which raises where it cannot be used

    @property
    def joint(self) -> Network:
        """The network."""
        return self.network

    @cached_property
    def head(self) -> LinearHead:
        """φ = u."""
        return LinearHead(np.ones(1))

    @cached_property
    def target(self) -> KahlerPotential:
        """The values are a potential."""
        given = 0.5 * np.eye(self.torus.dim) if self.reference is None else self.reference
        form = closed_matrix(self.torus, given, self.torus.dim, complex, "the reference form")
        return KahlerPotential(self.torus, form, given)

    def __repr__(self) -> str:
        return f"a Kähler potential by a network with {self.size} parameters"
