"""What flows of a Kähler potential share: the reference form, the metric's nodes, what is watched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Any

from geomflow.core import graph as gr
from geomflow.core.conventions import K_ENERGY_OVER_ENTROPY
from geomflow.core.program import Stage
from geomflow.field import PotentialField
from geomflow.field.potential import ReferenceForm, flat_density
from geomflow.flow.equation import Monitor
from geomflow.symbolic.jets import HermitianNodes, hermitian_nodes

PHI = "phi"
LOG_DET = "log_det"
LOG_KAPPA = "log_kappa"
"""The parameter that holds log κ, a number of the Kähler class."""


@dataclass(frozen=True)
class KahlerSetting:
    """A potential's torus and reference form as expressions."""

    form: ReferenceForm

    @staticmethod
    def of(state: PotentialField) -> KahlerSetting:
        """The setting of a potential field."""
        return KahlerSetting(ReferenceForm.of(state))

    @staticmethod
    def flat(torus: Any) -> KahlerSetting:
        """The flat unit reference form ½δ."""
        return KahlerSetting(ReferenceForm.flat(torus))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names of the real coordinates."""
        return self.form.coordinates

    @property
    def static_names(self) -> tuple[str, ...]:
        """The names of the given arrays of a reference form that varies."""
        return self.form.static_names

    @property
    def dim(self) -> int:
        """The complex dimension n."""
        return self.form.dim

    @cached_property
    def metric(self) -> HermitianNodes:
        """g_{ab̄} = reference + ∂_a∂_b̄ φ."""
        return hermitian_nodes(self.coordinates, self.form.nodes(), PHI)

    def field(self, name: str) -> gr.Node:
        """The jet of order zero of a field or a given array."""
        return gr.jet(name, (0,) * len(self.coordinates))

    @property
    def log_det_stage(self) -> Stage:
        """The inner stage that computes log det g."""
        return Stage(((LOG_DET, self.metric.log_det),))

    @property
    def scalar(self) -> gr.Node:
        """R = −2 Δ_∂ log det g, on top of `log_det_stage`."""
        return -2 * self.metric.complex_laplacian(self.field(LOG_DET))

    def minors(self) -> tuple[gr.Node, ...]:
        """The leading principal minors of g_{ab̄}: all positive exactly where it is a metric."""
        return self.metric.minors

    def monitors(self, log_target: gr.Node) -> tuple[Monitor, ...]:
        """Energy, volume, curvature and v = det g / target along a run.

        energy           2 ∫ v log v dμ_Ω, dμ_Ω the target measure: Mabuchi's K-energy where the target is flat
        volume           ∫ dμ_J, constant along every flow of potentials
        total_curvature  ∫ R dμ_J, zero
        """
        density = self.metric.determinant * 2**self.dim
        log_ratio = self.field(LOG_DET) - log_target
        return (
            Monitor("energy", "integral", K_ENERGY_OVER_ENTROPY * density * log_ratio),
            Monitor("volume", "integral", density),
            Monitor("total_curvature", "integral", self.scalar * density),
            Monitor("curvature_min", "min", self.scalar),
            Monitor("curvature_max", "max", self.scalar),
            Monitor("curvature_size", "max", gr.call("abs", self.scalar)),
            Monitor("v_min", "min", gr.exp(log_ratio)),
            Monitor("v_max", "max", gr.exp(log_ratio)),
        )


def log_flat_volume(state: PotentialField) -> float:
    """log κ, κ = ⟨det g⟩ the constant density of the flat metric with the volume of the reference form."""
    return log(flat_density(state))
