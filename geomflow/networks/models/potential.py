"""Kähler potentials that are networks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.torus import ComplexTorus
from geomflow.networks.models.closed import closed_matrix
from geomflow.networks.models.head import LinearHead
from geomflow.networks.models.network_model import NetworkModel, require_inputs
from geomflow.networks.models.target import KahlerPotential, checked_torus
from geomflow.networks.network import Network


@final
@dataclass(frozen=True, eq=False, repr=False)
class PotentialModel(NetworkModel):
    """φ = the output of a network on a complex torus; the metric is g_{ab̄} = reference_{ab̄} + ∂_a∂_b̄ φ.

    ∂_a = ½(∂_{x^a} − i ∂_{y^a}), first index holomorphic, ds² = 2 g_{ab̄} dz^a dz̄^b; derivatives are the network's exact
    input jets. `values` are φ (p,), `metric` is complex (p, n, n). The form stays closed whatever the parameters are.
    Take a smooth activation: with ReLU the derivative at its kinks is left out, so that the metric is not that of φ.

    `reference` is a constant n×n Hermitian matrix, n×n closed forms or a callable of the coordinates; ½δ unless given.
    Raises InputError for a network with several outputs, for a real torus and for a reference known on a grid only.
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
