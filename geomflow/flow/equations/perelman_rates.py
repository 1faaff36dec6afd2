"""The gradient of Perelman's F at a fixed measure, and the rates it gives with two index structures of the kernel.

With dm fixed and f = log(dV/dm), δF/δg_kl = −(R^kl + ∇^k∇^lf) with respect to dm: upper indices. The kernel that is
local and covariant, ½(g_ik g_jl + g_il g_jk), evolves with the metric and lowers them; the frozen kernel δ_ik δ_jl of
Halverson and Ruehle, section 2.4, does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, final

import numpy as np

from geomflow.core import symmetric
from geomflow.core.errors import InputError, PositivityError
from geomflow.core.program import Program, Stage
from geomflow.field import MetricField, ScalarField, TensorField
from geomflow.field.grid import Grid
from geomflow.field.matrices import determinant
from geomflow.field.operators import pointwise
from geomflow.symbolic.jets import MetricNodes, field_node, metric_nodes


def dilaton(metric: MetricField, measure: Any = 1) -> ScalarField:
    """f = log(dV/dm) of a metric and a measure dm = measure dx, anything positive that `grid.scalar` takes.

    Raises PositivityError for a measure that is not positive.
    """
    density = positive_measure(metric.grid, measure)
    return ScalarField(metric.grid, 0.5 * np.log(determinant(metric.values)) - np.log(density.values))


def positive_measure(grid: Grid, measure: Any) -> ScalarField:
    """The density dm/dx, checked."""
    density = grid.scalar(measure)
    if not density.min() > 0:
        raise PositivityError(f"the measure must be positive; its least density dm/dx is {density.min():.6g}.")
    return density


def bakry_emery(metric: MetricField, f: ScalarField) -> TensorField:
    """Ric_ij + ∇_i∇_jf, the Ricci tensor of the weighted volume e^{−f}dV (Bakry and Émery 1985)."""
    return TensorField(metric.grid, _evaluated(metric, f)[0], "_ij")


def perelman_energy(metric: MetricField, f: ScalarField) -> float:
    """F = ∫(R + |∇f|²) e^{−f}dV, eq. (2.41) of Halverson and Ruehle."""
    weight = ScalarField(metric.grid, np.exp(-f.values)) * metric.volume_density()
    return (ScalarField(metric.grid, _evaluated(metric, f)[1]) * weight).integral()


def perelman_growth(metric: MetricField, f: ScalarField) -> float:
    """2∫|Ric + ∇²f|² e^{−f}dV: the rate dF/dt of Perelman's flow (2002, §1)."""
    weight = ScalarField(metric.grid, np.exp(-f.values)) * metric.volume_density()
    tensor = bakry_emery(metric, f).values
    mixed = np.linalg.solve(metric.values, tensor)
    return 2 * (ScalarField(metric.grid, np.einsum("...ij,...ji->...", mixed, mixed)) * weight).integral()


@final
@dataclass(frozen=True)
class IndexStructures:
    """The fixed-measure flow of F under the covariant and under the frozen Kronecker kernel, at one metric.

    covariant          −2(R_ij + ∇_i∇_jf), the rate of eq. (2.40)
    kronecker          −2 δ_ik δ_jl (R^kl + ∇^k∇^lf), not a tensor: it depends on the coordinates
    covariant_growth   dF/dt under the first
    kronecker_growth   dF/dt under the second, ≥ 0 too
    """

    covariant: TensorField
    kronecker: TensorField
    covariant_growth: float
    kronecker_growth: float

    @property
    def difference(self) -> float:
        """‖kronecker − covariant‖ / ‖covariant‖, root mean squares over the grid."""
        return self.kronecker.distance(self.covariant) / self.covariant.norm()

    def __str__(self) -> str:
        return (f"the rates differ by {100 * self.difference:.3g} %; dF/dt = {self.covariant_growth:.6g} with the "
                f"covariant kernel and {self.kronecker_growth:.6g} with the Kronecker kernel")


def index_structures(metric: MetricField, measure: Any = 1) -> IndexStructures:
    """Both rates and both growths of F at a metric, dm = measure dx fixed.

    Under ∂_t g = h, dF/dt = −∫(R^kl + ∇^k∇^lf) h_kl dm. The two agree where g = δ. Raises InputError for what is no
    MetricField and PositivityError for a measure that is not positive.

    Parameters
    ----------
    metric : MetricField
        On a real torus.
    measure : text, number, function, array or ScalarField
        dm/dx > 0.
    """
    if not isinstance(metric, MetricField):
        raise InputError(f"Perelman's F is a functional of a MetricField, and a {type(metric).__name__} was given.")
    grid, density = metric.grid, positive_measure(metric.grid, measure)
    lower = bakry_emery(metric, dilaton(metric, density)).values
    inverse = np.linalg.inv(metric.values)
    upper = inverse @ lower @ inverse
    covariant, kronecker = (TensorField(grid, -2 * tensor, "_ij") for tensor in (lower, upper))

    def growth(rate: TensorField) -> float:
        return -(ScalarField(grid, np.einsum("...ij,...ij->...", upper, rate.values)) * density).integral()

    return IndexStructures(covariant, kronecker, growth(covariant), growth(kronecker))


@cache
def _program(coordinates: tuple[str, ...]) -> Program:
    """R_ij + ∇_i∇_jf in packed order, then R + |∇f|²."""
    names, matrix = metric_nodes(coordinates)
    metric, f = MetricNodes(coordinates, matrix), field_node("f", coordinates)
    hessian = metric.hessian(f)
    places = symmetric.packed_places(len(coordinates))
    tensor = [(f"tensor_{i}{j}", metric.ricci[i, j] + hessian[i, j]) for i, j in places]
    slopes = [metric.ring.d(f, k) for k in range(len(coordinates))]
    square = sum(u * v for u, v in zip(metric.gradient(f), slopes, strict=True))
    return Program(coordinates, (*names, "f"), (), (), (Stage((*tensor, ("energy", metric.scalar + square))),))


def _evaluated(metric: MetricField, f: ScalarField) -> tuple[np.ndarray, np.ndarray]:
    """Ric + ∇²f, (*grid, d, d), and R + |∇f|², (*grid)."""
    operator = pointwise(_program(metric.grid.torus.coordinates), metric.grid)
    rows = operator(np.concatenate([metric.pack(), f.pack()]))
    return symmetric.unpack(rows[:-1], metric.grid.dim), rows[-1]
