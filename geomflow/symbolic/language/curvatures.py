"""What a metric brings to densities, its inverse, volume, squares and curvatures, with the rules of their variation.

With δg_ij = h_ij, h = g^{ij} h_ij:

    δg^{ij} = −h^{ij},     δ√g = ½ √g h,     δR = −R^{ij} h_ij + ∇^i∇^j h_ij − Δh,
    δR_ij = ½(∇^k∇_i h_jk + ∇^k∇_j h_ik − Δh_ij − ∇_i∇_j h),     δR^m_kij = ∇_i δΓ^m_jk − ∇_j δΓ^m_ik,

each integrated by parts against its weight P. Source: Besse, Einstein Manifolds, 1.174 and 1.184.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.symbolic.language.kinds import Place, riemannian
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.sweep import Realised, Sweep
from geomflow.symbolic.language.tape import Quantity
from geomflow.symbolic.language.tensor import Tensor
from geomflow.symbolic.ring import HALF
from geomflow.symbolic.tensors import MetricTensors

LOWER = (False, False)


@final
@dataclass(frozen=True, eq=False)
class Inverse(Quantity):
    """g^{ij}."""

    rule = "δg^{ij} = −h^{ij}"
    up = (True, True)

    def value(self, realised: Realised) -> Tensor:
        return Tensor(realised.space.upper, self.up)

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        sweep.add(weight, -1)


@final
@dataclass(frozen=True, eq=False)
class Volume(Quantity):
    """√g."""

    rule = "δ√g = ½ √g h"
    up = ()

    def value(self, realised: Realised) -> Tensor:
        return Tensor.scalar(realised.space.density)

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        sweep.add_metric(HALF * sweep.space.density * weight.node)


@final
@dataclass(frozen=True, eq=False)
class ScalarCurvature(Quantity):
    """R."""

    rule = "δR = −R^{ij} h_ij + ∇^i∇^j h_ij − Δh"
    up = ()

    def value(self, realised: Realised) -> Tensor:
        return Tensor.scalar(_metric(realised.space).scalar)

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        space = sweep.space
        sweep.add(Tensor(_metric(space).ricci, LOWER), -weight.node)
        sweep.add(space.hessian(weight))
        sweep.add_metric(-space.laplacian(weight).node)


@final
@dataclass(frozen=True, eq=False)
class RicciCurvature(Quantity):
    """R_ij."""

    rule = "δR_ij = ½ (∇^k∇_i h_jk + ∇^k∇_j h_ik − Δh_ij − ∇_i∇_j h)"
    up = LOWER

    def value(self, realised: Realised) -> Tensor:
        return Tensor(_metric(realised.space).ricci, LOWER)

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        space = sweep.space
        second = sweep.covariant(sweep.covariant(space.placed(weight, False)))
        sweep.add(space.contracted(second, 0, 3))
        sweep.add(space.contracted(second, 2, 3), -HALF)
        sweep.add_metric(-HALF * space.contracted(space.contracted(second, 0, 3), 0, 1).node)


@final
@dataclass(frozen=True, eq=False)
class RiemannCurvature(Quantity):
    """R_lkij."""

    rule = "δR^m_kij = ∇_i δΓ^m_jk − ∇_j δΓ^m_ik"
    up = (False,) * 4

    def canonical(self, place: Place) -> tuple[int, Place]:
        return riemannian(place)

    def value(self, realised: Realised) -> Tensor:
        return Tensor(_metric(realised.space).riemann_lower, self.up)

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        space = sweep.space
        riemann = Tensor(_metric(space).riemann, (True, False, False, False))
        raised = space.placed(weight, True)
        folded = space.product(_labelled(raised, "lkij"), _labelled(riemann, "mkij"))
        sweep.add(Tensor(folded.entries, folded.up))
        nabla = space.contracted(sweep.covariant(space.turned(raised, 0, False)), 2, 4)
        sweep.add_connection(nabla.scaled(-2).entries.swapaxes(1, 2))


@final
@dataclass(frozen=True, eq=False)
class Square(Quantity):
    """|T|² = T_I T^I of a tensor with lower indices."""

    tensor: Tensor

    rule = "δ|T|² = 2 ⟨T, δT⟩ − Σ T_{i…} T_j^{…} h^{ij}"
    up = ()

    def value(self, realised: Realised) -> Tensor:
        tensor = realised.valued(self.tensor)
        return realised.space.dot(tensor, tensor)

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        vary_square(sweep, weight.node, self.tensor)


@final
@dataclass(frozen=True, eq=False)
class RiemannSquared(Quantity):
    """|Rm|². In dimension 4 its integral is that of 4 |Ric|² − R², but for a constant (Gauss, Bonnet and Chern).

    Parameters
    ----------
    riemann : Tensor
        R_lkij.
    reduced : Tensor
        4 |Ric|² − R².
    """

    riemann: Tensor
    reduced: Tensor

    rule = "δ|Rm|² = 2 ⟨Rm, δRm⟩ − 4 R_{iklm} R_j^{klm} h^{ij}"
    up = ()

    def value(self, realised: Realised) -> Tensor:
        return Tensor.scalar(_metric(realised.space).riemann_squared)

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        if sweep.space.dim != 4 or gr.leaves([weight.node]):
            vary_square(sweep, weight.node, self.riemann)
            return
        sweep.spread_over(weight, self.reduced)
        reduced, own = sweep.realised.valued(self.reduced), self.value(sweep.realised)
        sweep.add_metric(HALF * weight.node * (reduced.node - own.node))


def vary_square(sweep: Sweep, weight: gr.Node, tensor: Tensor) -> None:
    """∫ w δ(T_I T^I) dV = ∫ w (2 T^I δT_I − Σ T_{i…} T_j^{…} h^{ij}) dV, the sum over all indices of T."""
    space, value = sweep.space, sweep.realised.valued(tensor)
    raised = space.placed(value, True)
    sweep.spread_over(raised.scaled(2 * weight), tensor)
    for slot in range(tensor.rank if space.metric is not None else 0):
        mixed = space.turned(raised, slot, False)
        rows = [np.moveaxis(part.entries, slot, 0).reshape(space.dim, -1) for part in (value, mixed)]
        sweep.add(Tensor(space.ring.multiply(rows[0], rows[1].T), LOWER), -weight)


def _labelled(tensor: Tensor, labels: str) -> Tensor:
    return Tensor(tensor.entries, tensor.up, tuple(labels))


def _metric(space: Space) -> MetricTensors[gr.Node]:
    assert space.metric is not None
    return space.metric
