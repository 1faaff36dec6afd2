"""What flows of a Kähler potential share: the reference form, the metric's nodes, what is watched."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from geomflow.codegen import Stage
from geomflow.core import graph as gr
from geomflow.field import HermitianField, PotentialField
from geomflow.flow.observe import Monitor
from geomflow.symbolic.jets import HermitianNodes, hermitian_nodes

PHI = "phi"
LOG_DET = "log_det"


@dataclass(frozen=True)
class KahlerSetting:
    """A potential's torus and reference form as expressions: constants where they are constant, else given arrays."""

    coordinates: tuple[str, ...]
    reference: Any
    static_names: tuple[str, ...]

    @staticmethod
    def of(state: PotentialField) -> KahlerSetting:
        """The setting of a potential field."""
        coordinates = state.grid.torus.coordinates
        if isinstance(state.reference, HermitianField):
            names = tuple(f"reference_{name}" for name in state.reference.component_names)
            return KahlerSetting(coordinates, None, names)
        entries = tuple(tuple(map(_exact_complex, row)) for row in state.reference)
        return KahlerSetting(coordinates, entries, ())

    @staticmethod
    def flat(torus: Any) -> KahlerSetting:
        """The flat unit reference form ½δ."""
        n = torus.dim
        entries = tuple(tuple((Fraction(int(a == b), 2), 0) for b in range(n)) for a in range(n))
        return KahlerSetting(tuple(torus.coordinates), entries, ())

    @property
    def dim(self) -> int:
        """The complex dimension n."""
        return len(self.coordinates) // 2

    @cached_property
    def metric(self) -> HermitianNodes:
        """g_{ab̄} = reference + ∂_a∂_b̄ φ."""
        return hermitian_nodes(self.coordinates, self.reference_nodes(), PHI)

    def reference_nodes(self) -> np.ndarray:
        """The reference form as complex numbers of nodes, (n, n)."""
        result = np.empty((self.dim, self.dim), dtype=object)
        rows = iter(self.field(name) for name in self.static_names)
        for a in range(self.dim):
            for b in range(a, self.dim):
                if self.static_names:
                    entry = gr.Complex(next(rows), next(rows) if a != b else gr.ZERO)
                else:
                    entry = gr.Complex(*map(gr.constant, self.reference[a][b]))
                result[a, b], result[b, a] = entry, entry.conjugate()
        return result

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
        matrix = self.metric.matrix
        return tuple(HermitianNodes(self.coordinates[: 2 * k], matrix[:k, :k]).determinant
                     for k in range(1, self.dim + 1))

    def monitors(self, log_target: gr.Node) -> tuple[Monitor, ...]:
        """Energy, volume, curvature and v = det g / target along a run.

        energy           ∫ v log v dμ_Ω, dμ_Ω the target measure: Mabuchi's K-energy where the target is flat
        volume           ∫ dμ_J, constant along every flow of potentials
        total_curvature  ∫ R dμ_J, zero
        """
        density = self.metric.determinant * 2**self.dim
        log_ratio = self.field(LOG_DET) - log_target
        return (
            Monitor("energy", "integral", density * log_ratio),
            Monitor("volume", "integral", density),
            Monitor("total_curvature", "integral", self.scalar * density),
            Monitor("curvature_min", "min", self.scalar),
            Monitor("curvature_max", "max", self.scalar),
            Monitor("curvature_size", "max", gr.call("abs", self.scalar)),
            Monitor("v_min", "min", gr.exp(log_ratio)),
            Monitor("v_max", "max", gr.exp(log_ratio)),
        )


def _exact_complex(value: complex) -> tuple[Fraction | int, Fraction | int]:
    from geomflow.core.graph.build import exact

    return exact(Fraction(value.real)), exact(Fraction(value.imag))


def reference_rows(state: PotentialField) -> np.ndarray | None:
    """The reference form as given arrays, (n², *grid); None if it is constant."""
    return state.reference.pack() if isinstance(state.reference, HermitianField) else None


def log_flat_volume(state: PotentialField) -> float:
    """log κ: κ = ⟨det g⟩, the constant density of the flat metric with the volume of the reference form.

    ⟨det(reference + ∂∂̄φ)⟩ is the same for every φ, so it is computed at φ = 0.
    """
    determinants = np.linalg.det(state.reference_values).real
    return float(np.log(np.mean(np.broadcast_to(determinants, state.grid.shape))))
