"""Metrics that are positive whatever the parameters are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

from geomflow.core.errors import InputError
from geomflow.field.lattice import FlatTorus
from geomflow.networks.models.components import component_names
from geomflow.networks.models.head import CholeskyHead
from geomflow.networks.models.independent import side_by_side
from geomflow.networks.models.network_model import NetworkModel, require_inputs
from geomflow.networks.models.target import RealMetric, checked_torus
from geomflow.networks.network import Network


@final
@dataclass(frozen=True, eq=False, repr=False)
class CholeskyModel(NetworkModel):
    """g = L Lᵀ, L lower triangular with L_ii = exp(u_ii) and L_ji = u_ij for i < j: positive for all parameters.

    log det g = 2 Σ_i u_ii, and u = 0 is the flat metric. In double precision positivity is lost to rounding only where
    the condition number passes 1e16. The map is not linear, so that the tangent kernel changes with the metric even
    where those of the networks are frozen.

    `network` is one scalar network, copied, or one for each of u_xx, u_xy, ..., named "L_xx", "L_xy", ...; or one
    network with d(d + 1)/2 outputs.
    """

    torus: FlatTorus
    network: Network | Sequence[Network]

    def __post_init__(self) -> None:
        checked_torus(self.torus, complex_needed=False)
        require_inputs(self, self.joint)
        if self.joint.outputs != self.head.inputs:
            raise InputError(f"the factor of a metric on {self.torus!r} has {self.head.inputs} components, and the "
                             f"network has {self.joint.outputs} outputs: give outputs=1 or outputs={self.head.inputs}.")

    @cached_property
    def joint(self) -> Network:
        """The given network of all components, or one network for each."""
        if isinstance(self.network, Network) and self.network.outputs > 1:
            return self.network
        return side_by_side(self.network, component_names(self.torus, "L"))

    @cached_property
    def head(self) -> CholeskyHead:
        """u ↦ L Lᵀ."""
        return CholeskyHead(self.torus.real_dim)

    @cached_property
    def target(self) -> RealMetric:
        """The values are the metric."""
        return RealMetric(self.torus.real_dim)

    def __repr__(self) -> str:
        return f"a metric L Lᵀ of {self.joint!r}"
