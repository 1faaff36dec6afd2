"""What flows of a Kähler potential share: a stage, and what is watched."""

from __future__ import annotations

from math import log

from geomflow.core import graph as gr
from geomflow.core.conventions import K_ENERGY_OVER_ENTROPY
from geomflow.core.program import Stage
from geomflow.field import PotentialField
from geomflow.field.potential import ReferenceForm, flat_density
from geomflow.flow.equation import Monitor, curvature_monitors
from geomflow.symbolic.jets import field_node

LOG_DET = "log_det"
LOG_KAPPA = "log_kappa"
"""The parameter that holds log κ, a number of the Kähler class."""


def log_det_stage(form: ReferenceForm) -> Stage:
    """The inner stage that computes log det g of a potential over a reference form."""
    return Stage(((LOG_DET, form.metric.log_det),))


def kahler_monitors(form: ReferenceForm, log_target: gr.Node) -> tuple[Monitor, ...]:
    """Energy, volume, curvature and v = det g / target along a run, on top of `log_det_stage`.

    energy           2 ∫ v log v dμ_Ω, dμ_Ω the target measure: Mabuchi's K-energy where the target is flat
    volume           ∫ dμ_J, constant along every flow of potentials
    total_curvature  ∫ R dμ_J, zero
    """
    density, log_det = form.metric.determinant * 2**form.dim, field_node(LOG_DET, form.coordinates)
    log_ratio, scalar = log_det - log_target, -2 * form.metric.complex_laplacian(log_det)
    energy = Monitor("energy", "integral", K_ENERGY_OVER_ENTROPY * density * log_ratio)
    size = "curvature_size", gr.call("abs", scalar)
    return energy, *curvature_monitors(density, scalar, size, "v", gr.exp(log_ratio))


def log_flat_volume(state: PotentialField) -> float:
    """log κ, κ = ⟨det g⟩ the constant density of the flat metric with the volume of the reference form."""
    return log(flat_density(state))
