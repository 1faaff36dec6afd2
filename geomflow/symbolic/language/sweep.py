"""The first variation of a density by structure: back through the quantities that it is made of, one rule for each.

With δg_ij = h_ij the variation of ∫ s dV is ∫ (E^{ij} h_ij + Σ_u E_u δu) dV. Weights of quantities are found by the
chain rule, last ones first; each is integrated by parts against the rule of its quantity. What varies the connection is
collected as Q in ∫ Q_m^{jk} δΓ^m_jk dV and integrated by parts at the end, with
δΓ_njk = ½(∇_j h_nk + ∇_k h_nj − ∇_n h_jk).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Stage
from geomflow.symbolic.jets import MetricNodes
from geomflow.symbolic.language.differences import Differences
from geomflow.symbolic.language.kinds import Kind, dual
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tape import Tape
from geomflow.symbolic.language.tensor import Tensor, mapped
from geomflow.symbolic.ring import HALF
from geomflow.symbolic.variation.staged import reversed_slopes


@final
@dataclass
class Realised:
    """The quantities of a tape in coordinates, each computed once.

    Parameters
    ----------
    tape : Tape
        What densities are made of.
    """

    tape: Tape
    _values: dict[gr.Node, gr.Node] = field(default_factory=dict, repr=False)

    @cached_property
    def space(self) -> Space:
        """Where derivatives are carried out."""
        tape = self.tape
        own = [name for key, kind in tape.fields.items() for name in kind.names(key, tape.coordinates)]
        metric = None if tape.metric is None else MetricNodes(tape.coordinates, tape.tensor(tape.metric).entries)
        return Space(Differences(tape.coordinates, own), metric)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages made so far."""
        return self.space.derive.stages

    @cached_property
    def _places(self) -> dict[gr.Node, str]:
        return {leaf: name for name in self.tape.quantities for leaf in self.tape.leaves(name).values()}

    def value(self, node: gr.Node) -> gr.Node:
        """An expression over the symbols of the tape, in coordinates."""
        for leaf in gr.leaves([node]):
            if leaf in self._places and leaf not in self._values:
                name = self._places[leaf]
                found = self.tape.quantities[name].value(self)
                self._values |= {own: found.entries[place] for place, own in self.tape.leaves(name).items()}
        return gr.substitute([node], self._values)[0]

    def valued(self, tensor: Tensor) -> Tensor:
        """A tensor over the symbols of the tape, in coordinates."""
        return Tensor(mapped(self.value, tensor.entries), tensor.up)


@final
@dataclass
class Sweep:
    """A variation while it is found.

    Parameters
    ----------
    realised : Realised
        The quantities in coordinates.
    """

    realised: Realised
    metric: list[Tensor] = field(default_factory=list)
    _connection: list[np.ndarray] = field(default_factory=list)
    _weights: dict[gr.Node, gr.Node] = field(default_factory=dict)

    @property
    def space(self) -> Space:
        """Where derivatives are carried out."""
        return self.realised.space

    @classmethod
    def of(cls, realised: Realised, density: gr.Node) -> dict[str, Tensor]:
        """E_ij of the metric, and the E_u of all other fields u, with Σ E_u δu over all components.

        Parameters
        ----------
        realised : Realised
            The quantities in coordinates.
        density : Node
            s, over the symbols of the tape.
        """
        sweep, tape = cls(realised), realised.tape
        sweep.spread([(gr.ONE, density)])
        if sweep.space.metric is not None:
            sweep.add_metric(HALF * realised.value(density))
        for name in reversed(tape.quantities):
            quantity, leaves = tape.quantities[name], tape.leaves(name)
            weights = sweep._taken(leaves)
            if weights:
                quantity.vary(sweep, dual(quantity.up, sweep._shape(quantity.up), quantity.canonical, weights))
        return {name: sweep._field(name) for name in tape.fields}

    def spread(self, weighted: Iterable[tuple[gr.Node, gr.Node]]) -> None:
        """The chain rule: weights of expressions over the tape become weights of what these are made of."""
        for leaf, slope in reversed_slopes(weighted).items():
            self._weights[leaf] = self._weights.get(leaf, gr.ZERO) + self.realised.value(slope)

    def spread_over(self, weight: Tensor, tensor: Tensor) -> None:
        """The chain rule for a tensor, component by component."""
        self.spread(zip(weight.entries.flat, tensor.entries.flat, strict=True))

    def add(self, tensor: Tensor, factor: gr.Node | gr.Rational = 1) -> None:
        """Add factor * T_ij to E_ij."""
        self.metric.append(self.space.placed(tensor, False).scaled(factor))

    def add_metric(self, factor: gr.Node) -> None:
        """Add factor * g_ij to E_ij."""
        self.add(Tensor(self.space.lower, (False, False)), factor)

    def add_connection(self, weight: np.ndarray) -> None:
        """Add ∫ Q_m^{jk} δΓ^m_jk dV, `weight[m, j, k]`."""
        self._connection.append(weight)

    def covariant(self, tensor: Tensor) -> Tensor:
        """∇_k T, in a new last index, of components that are computed first."""
        return self.space.covariant(Tensor(mapped(self.space.derive.held, tensor.entries), tensor.up))

    def divergence(self, tensor: Tensor) -> Tensor:
        """∇_k T^{…k}, over the last index."""
        if tensor.rank == 1:
            return self.space.divergence(tensor)
        raised = self.space.turned(tensor, tensor.rank - 1, True)
        return self.space.contracted(self.covariant(raised), tensor.rank - 1, tensor.rank)

    def _shape(self, up: tuple[bool, ...]) -> tuple[int, ...]:
        return (self.space.dim,) * len(up)

    def _taken(self, leaves: dict[tuple[int, ...], gr.Node]) -> dict[tuple[int, ...], gr.Node]:
        """The weights that do not vanish, of the components of a quantity."""
        found = {place: self._weights.pop(leaf, gr.ZERO) for place, leaf in leaves.items()}
        return {place: weight for place, weight in found.items() if weight is not gr.ZERO}

    def _field(self, name: str) -> Tensor:
        """What is left for a field; for the metric all that varies it."""
        kind, coordinates = self.realised.tape.fields[name], self.realised.tape.coordinates
        own = kind.tensor(name, coordinates)
        weights = self._taken(dict(zip(kind.places(self.space.dim), kind.packed(own), strict=True)))
        found = dual(kind.up, own.entries.shape, kind.canonical, weights)
        if kind.label != "metric":
            return found
        self.add(found)
        self._vary_connection()
        total = mapped(gr.add, *(part.entries for part in self.metric))
        return Tensor(self.space.ring.symmetric(self.space.dim, lambda i, j: HALF * (total[i, j] + total[j, i])),
                      (False, False))

    def _vary_connection(self) -> None:
        """∫ S^{njk}(∇_j h_nk − ½ ∇_n h_jk) dV with S = Q, its last two indices symmetric."""
        if not self._connection:
            return
        total = mapped(gr.add, *self._connection)
        mixed = mapped(lambda a, b: HALF * (a + b), total, total.swapaxes(1, 2))
        s = self.space.turned(Tensor(mixed, (False, True, True)), 0, True)
        nabla = self.covariant(s)
        self.add(self.space.contracted(nabla, 1, 3), -1)
        self.add(self.space.contracted(nabla, 0, 3), HALF)


@final
@dataclass(frozen=True)
class FirstVariation:
    """The first variation of ∫ s dV by structure: E_ij of the metric and E_u of other fields, in coordinates.

    Parameters
    ----------
    realised : Realised
        The quantities in coordinates, and the stages they stand on.
    density : Node
        s.
    tensors : mapping of str to Tensor
        E_u by field, with Σ E_u δu over all components.
    """

    realised: Realised
    density: gr.Node
    tensors: Mapping[str, Tensor]

    def packed(self, kinds: Mapping[str, Kind]) -> list[gr.Node]:
        """√g E_u of all independent components."""
        space, found = self.realised.space, list[gr.Node]()
        for name, kind in kinds.items():
            covector = space.matched(self.tensors[name], [not up for up in kind.up])
            found += [space.density * node for node in kind.summed(covector)]
        return found
