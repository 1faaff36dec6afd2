"""The space in which densities are read: every curvature and every derivative is noted on a tape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.symbolic.language.curvatures import (
    Inverse,
    RicciCurvature,
    RiemannCurvature,
    RiemannSquared,
    ScalarCurvature,
    Square,
    Volume,
)
from geomflow.symbolic.language.derivatives import Covariant, Differential, Hessian, Laplacian, Pairing
from geomflow.symbolic.language.differences import Differences
from geomflow.symbolic.language.forms import exterior, require_form
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tape import Tape
from geomflow.symbolic.language.tensor import Tensor
from geomflow.symbolic.meaning import Refusal
from geomflow.symbolic.ring import HALF, GraphRing
from geomflow.symbolic.tensors import MetricTensors


@final
@dataclass(frozen=True, eq=False)
class NotedMetric(MetricTensors[gr.Node]):
    """A metric whose inverse and curvatures are symbols; in dimension 2 all curvature is R, in dimension 3 Ric."""

    tape: Tape
    matrix: np.ndarray

    @cached_property
    def ring(self) -> GraphRing:
        """The ring of the components."""
        return GraphRing(self.tape.coordinates)

    @cached_property
    def inverse(self) -> np.ndarray:
        """g^{ij}."""
        return self.tape.note(Inverse()).entries

    @cached_property
    def scalar(self) -> gr.Node:
        """R; zero in dimension 1."""
        return self.tape.note(ScalarCurvature()).node if self.dim > 1 else gr.ZERO

    @cached_property
    def ricci(self) -> np.ndarray:
        """R_ij, which is ½ R g_ij in dimension 2."""
        if self.dim < 3:
            return self.ring.symmetric(self.dim, lambda i, j: HALF * self.scalar * self.matrix[i, j])
        return self.tape.note(RicciCurvature()).entries

    @cached_property
    def riemann_lower(self) -> np.ndarray:
        """R_lkij, which below dimension 4 is made of Ric and R."""
        if self.dim > 3:
            return self.tape.note(RiemannCurvature()).entries
        share = HALF * HALF * self.scalar if self.dim == 3 else gr.ZERO
        p = self.ring.symmetric(self.dim, lambda i, j: self.ricci[i, j] - share * self.matrix[i, j])
        times, g, result = gr.ONE if self.dim == 3 else gr.constant(HALF), self.matrix, self.ring.array((self.dim,) * 4)
        for l, k, i, j in np.ndindex(result.shape):
            result[l, k, i, j] = times * (p[l, i] * g[k, j] + p[k, j] * g[l, i] - p[l, j] * g[k, i] - p[k, i] * g[l, j])
        return result

    @property
    def ricci_squared(self) -> gr.Node:
        """|Ric|²."""
        if self.dim < 3:
            return HALF * self.scalar**2
        return self.tape.note(Square(Tensor(self.ricci, (False, False)))).node

    @property
    def riemann_squared(self) -> gr.Node:
        """|Rm|², which is 4 |Ric|² − R² below dimension 4."""
        reduced = Tensor.scalar(4 * self.ricci_squared - self.scalar**2)
        if self.dim < 4:
            return reduced.node
        return self.tape.note(RiemannSquared(Tensor(self.riemann_lower, (False,) * 4), reduced)).node

    @property
    def weyl_squared(self) -> gr.Node:
        """|W|² = |Rm|² − 4 |Ric|²/(d − 2) + 2 R²/((d − 1)(d − 2)); zero below dimension 4."""
        dim = self.dim
        if dim < 4:
            return gr.ZERO
        return (self.riemann_squared - self.ricci_squared * 4 / (dim - 2)
                + self.scalar**2 * 2 / ((dim - 1) * (dim - 2)))

    def squared(self, entries: np.ndarray) -> gr.Node | None:
        """|T|² where T is Rm, Ric or the Weyl tensor, None otherwise."""
        known = vars(self)
        for name in ("weyl", "riemann", "ricci"):
            stored = known.get(name if name == "ricci" else f"{name}_lower")
            if entries is stored:
                found: gr.Node = getattr(self, f"{name}_squared")
                return found
        return None


@final
@dataclass(frozen=True, eq=False)
class Recorded(Space):
    """Indices as in any space; curvatures and derivatives are noted.

    Parameters
    ----------
    tape : Tape
        Where.
    """

    tape: Tape = None  # type: ignore[assignment]

    @cached_property
    def density(self) -> gr.Node:
        """√det g."""
        return gr.ONE if self.metric is None else self.tape.note(Volume()).node

    def dot(self, first: Tensor, second: Tensor) -> Tensor:
        """⟨a, b⟩; that of two differentials, and the square of a curvature or a form, is noted as one."""
        pair = [self.tape.origin(part) for part in (first, second)]
        functions = [part.form for part in pair if isinstance(part, Differential) and not part.form.rank]
        if len(functions) == 2:
            return self.tape.note(Pairing(*functions))
        same = first.entries is second.entries and first.rank > 0 and not any(first.up)
        if same and isinstance(self.metric, NotedMetric):
            known = self.metric.squared(first.entries)
            bare = Tensor(first.entries, first.up)
            return Tensor.scalar(known) if known is not None else self.tape.note(Square(bare))
        return super().dot(first, second)

    def product(self, first: Tensor, second: Tensor) -> Tensor:
        """The product, in which indices of one name are contracted."""
        if first.rank and first.labels is not None and first.labels == second.labels:
            return self.dot(first, second)
        return super().product(first, second)

    def differential(self, tensor: Tensor) -> Tensor:
        """The differential of a scalar. Refuses tensors, whose partial derivatives are none."""
        if tensor.rank:
            raise Refusal("partial derivatives of tensors are no tensors: write nabla(T) or d(ω)")
        return self._noted(tensor, Differential)

    def covariant(self, tensor: Tensor) -> Tensor:
        """∇_k T, in a new last index."""
        return self._noted(tensor, Covariant) if tensor.rank else self.differential(tensor)

    def hessian(self, scalar: Tensor) -> Tensor:
        """∇_i∇_j s."""
        return self._noted(scalar, Hessian)

    def laplacian(self, tensor: Tensor) -> Tensor:
        """Δ."""
        return self._noted(tensor, Laplacian) if not tensor.rank else super().laplacian(tensor)

    def divergence(self, tensor: Tensor) -> Tensor:
        """∇_k T^k…."""
        nabla = self.covariant(self.turned(tensor, 0, True))
        return self.contracted(nabla, 0, nabla.rank - 1)

    def lie(self, field: Tensor, tensor: Tensor) -> Tensor:
        """L_X T = X^k ∇_k T + T_k… ∇_i X^k + … − T^k… ∇_k X^i − …."""
        if field.rank != 1:
            raise Refusal(f"Lie(X, T) moves along a vector, and X is {field.kind}")
        along = self.turned(field, 0, True)
        dx, dt, result = self.covariant(along).entries, self.covariant(tensor).entries, tensor.entries.copy()
        for place in np.ndindex(result.shape):
            terms = [self.ring.dot(zip(along.entries, dt[place], strict=True))]
            for slot, i in enumerate(place):
                moved = tensor.entries[(*place[:slot], slice(None), *place[slot + 1 :])]
                terms.append(self.ring.dot(zip(moved, -dx[i] if tensor.up[slot] else dx[:, i], strict=True)))
            result[place] = gr.add(*terms)
        return replace(tensor, entries=result, further={})

    def _noted(self, tensor: Tensor, quantity: type) -> Tensor:
        """A derivative; of constants zero."""
        bare = Tensor(tensor.entries, tensor.up)
        if not gr.leaves(list(bare.entries.flat)):
            up = quantity(bare).up
            return Tensor(self.ring.array((self.dim,) * len(up)), up)
        return self.tape.note(quantity(bare))


def recorded(tape: Tape) -> Recorded:
    """The space of a tape."""
    metric = None if tape.metric is None else NotedMetric(tape, tape.tensor(tape.metric).entries)
    return Recorded(Differences(tape.coordinates), metric, tape)  # type: ignore[arg-type]


@exterior.register
def _noted_exterior(space: Recorded, form: Tensor) -> Tensor:
    require_form(space, form, "d(ω)")
    return space._noted(form, Differential)
