"""What flows of a Kähler potential share: a stage, and what is watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.conventions import K_ENERGY_OVER_ENTROPY
from geomflow.core.program import Average, Stage
from geomflow.field import HermitianField, PotentialField
from geomflow.field.potential import flat_density
from geomflow.flow.equation import Monitor, curvature_monitors
from geomflow.symbolic.jets import HermitianNodes, field_node

LOG_DET = "log_det"
LOG_KAPPA = "log_kappa"
"""The parameter that holds log κ, a number of the Kähler class."""

MASS = "mass_ratio"
"""The parameter that holds the ratio of the total masses of det g and of its target on the grid."""


@final
@dataclass(frozen=True)
class Target:
    """The volume that v = det g / target compares with: its logarithm, and what that stands on.

    Where the target or the reference form varies, the total masses of det g and of the target differ by the error of
    the discretisation; their ratio is divided out of v at each state, so that v = 1 can be reached and φ does not
    drift.

    Parameters
    ----------
    node : Node
        The logarithm of the target, up to the ratio of the masses.
    row : (1, *grid) array, optional
        Its values, where it is a given array.
    numbers : mapping
        Its parameters.
    mass : Average, optional
        The ratio of the masses, of det g over the target.
    """

    node: gr.Node
    row: np.ndarray | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    mass: Average | None = None

    @classmethod
    def flat(cls, state: PotentialField, metric: HermitianNodes) -> Target:
        """κ, the density of the flat measure of equal mass."""
        node, numbers = gr.symbol(LOG_KAPPA), {LOG_KAPPA: log_flat_volume(state)}
        varies = isinstance(state.reference, HermitianField)
        return cls(node, None, numbers, masses(metric, node) if varies else None)

    @property
    def averages(self) -> tuple[Average, ...]:
        """What is found at each state."""
        return () if self.mass is None else (self.mass,)

    def excess(self, metric: HermitianNodes) -> gr.Node:
        """log v."""
        return metric.log_det - self.node - (0 if self.mass is None else gr.log(gr.symbol(MASS)))

    def ratio(self, metric: HermitianNodes) -> gr.Node:
        """v."""
        ratio = metric.determinant * gr.exp(-self.node)
        return ratio if self.mass is None else ratio / gr.symbol(MASS)


def masses(metric: HermitianNodes, target: gr.Node) -> Average:
    """The total mass of det g over that of exp(target)."""
    return Average(MASS, metric.determinant, gr.exp(target))


def log_det_stage(metric: HermitianNodes) -> Stage:
    """The inner stage that computes log det g."""
    return Stage(((LOG_DET, metric.log_det),))


def kahler_monitors(metric: HermitianNodes, log_target: gr.Node) -> tuple[Monitor, ...]:
    """Energy, volume, curvature and v = det g / target along a run, on top of `log_det_stage`.

    energy           2 ∫ v log v dμ_Ω, dμ_Ω the target measure: Mabuchi's K-energy where the target is flat
    volume           ∫ dμ_J, constant along every flow of potentials
    total_curvature  ∫ R dμ_J, zero
    """
    density, log_det = metric.determinant * 2 ** len(metric.matrix), field_node(LOG_DET, metric.coordinates)
    log_ratio, scalar = log_det - log_target, -2 * metric.complex_laplacian(log_det)
    energy = Monitor("energy", "integral", K_ENERGY_OVER_ENTROPY * density * log_ratio)
    size = "curvature_size", gr.call("abs", scalar)
    return energy, *curvature_monitors(density, scalar, size, "v", gr.exp(log_ratio))


def chern_monitors(metric: HermitianNodes) -> tuple[Monitor, ...]:
    """Volume, Chern's scalar curvature −2 h^{ab̄}∂_a∂_b̄ log det h and the density, on top of `log_det_stage`."""
    density, log_det = metric.determinant * 2 ** len(metric.matrix), field_node(LOG_DET, metric.coordinates)
    scalar = -2 * metric.complex_laplacian(log_det)
    return curvature_monitors(density, scalar, ("curvature_size", gr.call("abs", scalar)), "density", density)


def log_flat_volume(state: PotentialField) -> float:
    """log κ, κ = ⟨det g⟩ the constant density of the flat metric with the volume of the reference form."""
    return log(flat_density(state))
