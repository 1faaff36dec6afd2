"""Derivatives as quantities that densities are made of, with the rules of their variation. With δg_ij = h_ij:

    δ(∇_k T) = ∇_k δT + δΓ T,     δ(∇_i∇_j s) = ∇_i∇_j δs − δΓ^k_ij ∂_k s,     δ(dω) = dδω,
    δ(Δs) = Δδs − h^{ij} ∇_i∇_j s − ∇_i h^{ij} ∂_j s + ½ ⟨∇h, ∇s⟩,

each integrated by parts against its weight P. Source: Besse, Einstein Manifolds, 1.174 and 1.184.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.symbolic.language.forms import exterior
from geomflow.symbolic.language.kinds import Place, alternating, free
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.sweep import Realised, Sweep
from geomflow.symbolic.language.tape import Quantity
from geomflow.symbolic.language.tensor import Tensor, outer, symmetric_part
from geomflow.symbolic.ring import HALF


@final
@dataclass(frozen=True, eq=False)
class Differential(Quantity):
    """dω; of a function its differential."""

    form: Tensor

    rule = "δ(dω) = dδω"

    @property
    def up(self) -> tuple[bool, ...]:
        return (False,) * (self.form.rank + 1)

    def canonical(self, place: Place) -> tuple[int, Place]:
        return alternating(place)

    def value(self, realised: Realised) -> Tensor:
        return exterior(realised.space, realised.valued(self.form))

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        sweep.spread_over(sweep.space.divergence(weight).scaled(-weight.rank), self.form)


@final
@dataclass(frozen=True, eq=False)
class Pairing(Quantity):
    """⟨ds, dt⟩ of functions."""

    first: Tensor
    second: Tensor

    rule = "δ⟨ds, dt⟩ = ⟨dδs, dt⟩ + ⟨ds, dδt⟩ − h^{ij} ∂_i s ∂_j t"
    up = ()

    def value(self, realised: Realised) -> Tensor:
        space = realised.space
        return space.dot(*(space.differential(realised.valued(part)) for part in self.parts))

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        space, functions = sweep.space, [sweep.realised.valued(part) for part in self.parts]
        for part, other in zip(self.parts, reversed(functions), strict=True):
            sweep.spread_over(space.diffused(weight.node, other).scaled(-1), part)
        if space.metric is not None:
            slopes = [space.differential(function) for function in functions]
            sweep.add(symmetric_part(outer(*slopes)), -weight.node)


@final
@dataclass(frozen=True, eq=False)
class Covariant(Quantity):
    """∇_k T, k the last index."""

    tensor: Tensor

    rule = "δ(∇_k T) = ∇_k δT + δΓ T"

    @property
    def up(self) -> tuple[bool, ...]:
        return (*self.tensor.up, False)

    def canonical(self, place: Place) -> tuple[int, Place]:
        return free(place)

    def value(self, realised: Realised) -> Tensor:
        return realised.space.covariant(realised.valued(self.tensor))

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        sweep.spread_over(sweep.divergence(weight).scaled(-1), self.tensor)
        if sweep.space.metric is None:
            return
        value = sweep.realised.valued(self.tensor)
        for slot, up in enumerate(value.up):
            sweep.add_connection(_turning(sweep.space, weight, value, slot, up))


@final
@dataclass(frozen=True, eq=False)
class Hessian(Quantity):
    """∇_i∇_j s."""

    function: Tensor

    rule = "δ(∇_i∇_j s) = ∇_i∇_j δs − δΓ^k_ij ∂_k s"
    up = (False, False)

    def value(self, realised: Realised) -> Tensor:
        return realised.space.hessian(realised.valued(self.function))

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        space = sweep.space
        sweep.spread_over(space.divergence(sweep.divergence(weight)), self.function)
        if space.metric is not None:
            slopes = space.differential(sweep.realised.valued(self.function))
            sweep.add_connection(outer(slopes, weight).scaled(-1).entries)


@final
@dataclass(frozen=True, eq=False)
class Laplacian(Quantity):
    """Δs."""

    function: Tensor

    rule = "δ(Δs) = Δδs − h^{ij} ∇_i∇_j s − ∇_i h^{ij} ∂_j s + ½ ⟨∇h, ∇s⟩"
    up = ()

    def value(self, realised: Realised) -> Tensor:
        return realised.space.laplacian(realised.valued(self.function))

    def vary(self, sweep: Sweep, weight: Tensor) -> None:
        space, function = sweep.space, sweep.realised.valued(self.function)
        sweep.spread_over(space.laplacian(weight), self.function)
        if space.metric is None:
            return
        ds, dw = space.differential(function), space.differential(weight)
        sweep.add(symmetric_part(outer(ds, dw)))
        sweep.add_metric(-HALF * (space.dot(ds, dw).node + weight.node * space.laplacian(function).node))


def _turning(space: Space, weight: Tensor, tensor: Tensor, slot: int, up: bool) -> np.ndarray:
    """Q_m^{jk} of P δΓ T for one index of T: δ(∇_k T^i) = δΓ^i_kl T^l, δ(∇_k T_i) = −δΓ^l_ki T_l."""
    dim = space.dim
    p = np.moveaxis(weight.entries, (slot, -1), (0, 1)).reshape(dim, dim, -1)
    t = np.moveaxis(tensor.entries, slot, 0).reshape(dim, -1)
    found = space.ring.array((dim,) * 3)
    for i, k, l in np.ndindex(found.shape):
        node = space.ring.dot(zip(p[i, k], t[l], strict=True))
        found[(i, k, l) if up else (l, k, i)] = node if up else -node
    return found
