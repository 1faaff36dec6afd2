"""Where tensors live: indices raised and lowered, contracted and differentiated, with a metric or in a flat space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from geomflow.core import graph as gr
from geomflow.symbolic.jets import MetricNodes
from geomflow.symbolic.language.differences import Differences
from geomflow.symbolic.language.hermitian import ComplexMetric, PotentialMetric
from geomflow.symbolic.language.tensor import Tensor, mapped, outer, whole
from geomflow.symbolic.meaning import Refusal
from geomflow.symbolic.ring import GraphRing
from geomflow.symbolic.variation.residues import all_vanish
from geomflow.symbolic.variation.staged import Staged


@dataclass(frozen=True, eq=False)
class Space:
    """Coordinates with a metric, or with the flat one of the torus.

    Parameters
    ----------
    derive : Differences
        Derivatives along the coordinates.
    metric : MetricNodes or ComplexMetric, optional
        g; flat unless given.
    """

    derive: Differences
    metric: MetricNodes | ComplexMetric | None = None

    @property
    def dim(self) -> int:
        """The number of coordinates."""
        return len(self.derive.coordinates)

    @cached_property
    def ring(self) -> GraphRing:
        """The ring of components."""
        return GraphRing(self.derive.coordinates, ignorable=self.derive.ignorable)

    @cached_property
    def lower(self) -> np.ndarray:
        """g_ij."""
        return self._unit if self.metric is None else self.metric.matrix

    @cached_property
    def upper(self) -> np.ndarray:
        """g^ij."""
        return self._unit if self.metric is None else self.metric.inverse

    @cached_property
    def density(self) -> gr.Node:
        """√det g."""
        return gr.ONE if self.metric is None else self.metric.density

    @property
    def _unit(self) -> np.ndarray:
        return self.ring.symmetric(self.dim, lambda i, j: gr.ONE if i == j else gr.ZERO)

    def vanishes(self, entries: np.ndarray) -> bool:
        """Whether all entries are zero, decided at random jets of the fields, through all stages."""
        left = tuple(entry for entry in entries.flat if entry is not gr.ZERO)
        coordinates = self.derive.coordinates
        return not left or all_vanish(Staged(coordinates, (self.dim,), self.derive.stages, left))

    def is_symmetric(self, tensor: Tensor) -> bool:
        """Whether any two indices may change places."""
        pairs = ((tensor.entries, tensor.entries.swapaxes(n, n + 1)) for n in range(tensor.rank - 1))
        return all(self.vanishes(mapped(lambda a, b: a - b, *pair)) for pair in pairs)

    def is_form(self, tensor: Tensor) -> bool:
        """Whether the indices are down, and neighbours change the sign when they change places."""
        pairs = ((tensor.entries, tensor.entries.swapaxes(n, n + 1)) for n in range(tensor.rank - 1))
        return not any(tensor.up) and all(self.vanishes(mapped(gr.add, *pair)) for pair in pairs)

    def total(self, terms: Sequence[Tensor]) -> Tensor:
        """The sum of tensors of one kind; indices that are named may come in another order. Refuses all others."""
        named = next((term for term in terms if term.labels is not None), terms[0])
        aligned = [self._like(term, named, n) for n, term in enumerate(terms)]
        return Tensor(mapped(gr.add, *(term.entries for term in aligned)), named.up, named.labels)

    def _like(self, term: Tensor, named: Tensor, which: int) -> Tensor:
        """A term with its indices in the order of those that are named, and with their names if it is symmetric."""
        if named.rank == term.rank == 0:
            return term
        if term.labels is None and named.labels is not None and named.up == term.up:
            if not self.is_symmetric(term):
                raise Refusal("the indices of one term are named and those of another, which is not symmetric, are "
                              "not: name them in both", which)
            return replace(term, labels=named.labels)
        if term.labels is not None and named.labels is not None:
            if set(term.labels) != set(named.labels):
                raise Refusal(f"the free indices of this term are {_told(term)}, and those of another {_told(named)}",
                              which)
            term = term.moved(named.labels)
        if term.up != named.up:
            advice = ": lower an index by g, as g[i,j]*X[j] does" if term.rank == named.rank and self.metric else ""
            raise Refusal(f"this is {term.kind}, and another term is {named.kind}: they have no sum{advice}", which)
        return term

    # indices

    def turned(self, tensor: Tensor, slot: int, up: bool) -> Tensor:
        """One index raised or lowered, if it isn't yet."""
        if tensor.up[slot] == up:
            return tensor
        moved = np.moveaxis(tensor.entries, slot, 0)
        flat = self.ring.multiply(self.upper if up else self.lower, moved.reshape(self.dim, -1))
        turned = tuple(up if n == slot else old for n, old in enumerate(tensor.up))
        return Tensor(np.moveaxis(flat.reshape(moved.shape), 0, slot), turned, tensor.labels)

    def placed(self, tensor: Tensor, up: bool) -> Tensor:
        """All indices up, or all down."""
        return self.matched(tensor, (up,) * tensor.rank)

    def matched(self, tensor: Tensor, up: Sequence[bool]) -> Tensor:
        """Each index up or down as these say."""
        for slot, place in enumerate(up):
            tensor = self.turned(tensor, slot, place)
        return tensor

    def contracted(self, tensor: Tensor, first: int, second: int) -> Tensor:
        """The sum over two indices, one of them raised or lowered where both are alike."""
        if tensor.up[first] == tensor.up[second]:
            tensor = self.turned(tensor, first, not tensor.up[first])
        left = [n for n in range(tensor.rank) if n not in (first, second)]
        entries = np.moveaxis(tensor.entries, (first, second), (-2, -1))
        nodes = [gr.add(*(entries[place][k, k] for k in range(self.dim))) for place in np.ndindex(entries.shape[:-2])]
        labels = None if tensor.labels is None else tuple(tensor.labels[n] for n in left)
        return Tensor(whole(entries.shape[:-2], nodes), tuple(tensor.up[n] for n in left), labels)

    def product(self, first: Tensor, second: Tensor) -> Tensor:
        """The product, in which indices of one name are contracted; without names the tensor product."""
        if not (first.rank and second.rank):
            scalar, other = (first, second) if first.rank == 0 else (second, first)
            return other.scaled(scalar.node)
        if (first.labels is None) != (second.labels is None):
            raise Refusal("the indices of one factor are named and those of another are not: name them in both")
        shared = [label for label in first.labels or () if label in (second.labels or ())]
        if not shared:
            return outer(first, second)
        for label in shared:
            first = self.turned(first, first.place(label), not second.up[second.place(label)])
        return self._joined(first, second, shared)

    def _joined(self, first: Tensor, second: Tensor, shared: Sequence[str]) -> Tensor:
        """The sum over all shared indices, each up in one of the two."""
        left = tuple(label for label in first.labels or () if label not in shared)
        right = tuple(label for label in second.labels or () if label not in shared)
        a, b = first.moved((*left, *shared)), second.moved((*shared, *right))
        size, free = self.dim ** len(shared), (self.dim,) * (len(left) + len(right))
        entries = self.ring.multiply(a.entries.reshape(-1, size), b.entries.reshape(size, -1)).reshape(free)
        return Tensor(entries, (*a.up[: len(left)], *b.up[len(shared) :]), (*left, *right))

    def named(self, tensor: Tensor, labels: tuple[str, ...]) -> Tensor:
        """The tensor with its indices named; a name that comes twice is summed over."""
        found = replace(tensor, labels=labels, further={})
        for label in dict.fromkeys(labels):
            places = [n for n, own in enumerate(found.labels or ()) if own == label]
            if len(places) == 2:
                found = self.contracted(found, *places)
        return found

    def dot(self, first: Tensor, second: Tensor) -> Tensor:
        """⟨a, b⟩: all indices contracted, in their order."""
        if first.rank != second.rank or not first.rank:
            raise Refusal(f"dot(a, b) contracts two tensors with equally many indices, and these are {first.kind} and "
                          f"{second.kind}")
        raised = self.placed(first, True)
        pairs = zip(raised.entries.flat, self.placed(second, False).entries.flat, strict=True)
        return Tensor.scalar(self.ring.dot(pairs))

    # derivatives

    def differential(self, tensor: Tensor) -> Tensor:
        """∂_k T, in a new last index: a tensor for scalars only."""
        nodes = [self.derive(entry, k) for entry in tensor.entries.flat for k in range(self.dim)]
        return Tensor(whole((*tensor.entries.shape, self.dim), nodes), (*tensor.up, False))

    def covariant(self, tensor: Tensor) -> Tensor:
        """∇_k T, in a new last index."""
        partial = self.differential(tensor)
        if self.metric is None:
            return partial
        gamma, result = self.metric.christoffel, partial.entries.copy()
        for place in np.ndindex(result.shape):
            *indices, k = place
            for slot, i in enumerate(indices):
                moved = tensor.entries[(*indices[:slot], slice(None), *indices[slot + 1 :])]
                row, sign = (gamma[i, k], 1) if tensor.up[slot] else (gamma[:, k, i], -1)
                result[place] = result[place] + sign * self.ring.dot(zip(row, moved, strict=True))
        return Tensor(result, partial.up)

    def hessian(self, scalar: Tensor) -> Tensor:
        """∇_i∇_j s = ∂_i∂_j s − Γ^k_ij ∂_k s."""
        slopes = [self.derive(scalar.node, k) for k in range(self.dim)]

        def entry(i: int, j: int) -> gr.Node:
            second = self.derive(scalar.node, j, i)
            if self.metric is None:
                return second
            return second - self.ring.dot(zip(self.metric.christoffel[:, i, j], slopes, strict=True))

        return Tensor(self.ring.symmetric(self.dim, entry), (False, False))

    def divergence(self, tensor: Tensor) -> Tensor:
        """∇_k T^k…: where it is (∂_k √g T^k…)/√g, of vectors and forms, a divergence on the grid too."""
        if tensor.rank > 1 and not _alternates(tensor):
            nabla = self.covariant(self.turned(tensor, 0, True))
            return self.contracted(nabla, 0, nabla.rank - 1)
        raised, rest = self.placed(tensor, True), tensor.up[1:]
        fluxes = np.moveaxis(mapped(lambda entry: self.density * entry, raised.entries), 0, -1)
        nodes = [self._flow_out(list(fluxes[place]), bool(rest)) / self.density
                 for place in np.ndindex(fluxes.shape[:-1])]
        found = Tensor(whole(fluxes.shape[:-1], nodes), (True,) * len(rest))
        for slot, up in enumerate(rest):
            found = self.turned(found, slot, up)
        return found

    def _flow_out(self, fluxes: list[gr.Node], of_form: bool) -> gr.Node:
        """Σ_k ∂_k F^k; of forms by first differences alone, as those of d.

        div(d(A)) is then minus the square of d on the grid too, and no wave of it grows.
        """
        if of_form:
            return gr.add(*(self.derive(flux, axis) for axis, flux in enumerate(fluxes)))
        return self.derive.divergence(fluxes)

    def laplacian(self, tensor: Tensor) -> Tensor:
        """Δ = ∇^k∇_k: of a scalar the divergence of its gradient, else the rough Laplacian.

        Of a potential's metric it is 2 g^{ab̄}∂_a∂_b̄, as those of its curvature.
        """
        if not tensor.rank and self.metric is None:
            return Tensor.scalar(gr.add(*(self.derive(tensor.node, k, k) for k in range(self.dim))))
        if not tensor.rank and isinstance(self.metric, PotentialMetric):
            return Tensor.scalar(self.metric.laplacian(tensor.node))
        if not tensor.rank:
            return self.diffused(gr.ONE, tensor)
        twice = self.covariant(self.covariant(tensor))
        return self.contracted(twice, twice.rank - 2, twice.rank - 1)

    def diffused(self, weight: gr.Node, scalar: Tensor) -> Tensor:
        """∇^k(w ∇_k s)."""
        if not gr.leaves([weight]) and (weight is not gr.ONE or self.metric is None):
            return self.laplacian(scalar).scaled(weight)
        fluxes = mapped(lambda entry: entry * (weight * self.density), self.upper)
        return Tensor.scalar(self.derive.of_flux(fluxes, scalar.node) / self.density)

    def lie(self, field: Tensor, tensor: Tensor) -> Tensor:
        """L_X T = X^k ∂_k T + T_k… ∂_i X^k + … − T^k… ∂_k X^i − …."""
        if field.rank != 1:
            raise Refusal(f"Lie(X, T) moves along a vector, and X is {field.kind}")
        along = self.turned(field, 0, True)
        return self.dragged(along, self.differential(along).entries, tensor)

    def dragged(self, along: Tensor, dx: np.ndarray, tensor: Tensor) -> Tensor:
        """L_X T along a vector X whose ∂_i X^k, `dx[k, i]`, are known."""
        dt = self.differential(tensor).entries
        result = np.empty(tensor.entries.shape, dtype=object)
        for place in np.ndindex(result.shape):
            terms = [self.ring.dot(zip(along.entries, dt[place], strict=True))]
            for slot, i in enumerate(place):
                moved = tensor.entries[(*place[:slot], slice(None), *place[slot + 1 :])]
                row = -dx[i] if tensor.up[slot] else dx[:, i]
                terms.append(self.ring.dot(zip(moved, row, strict=True)))
            result[place] = gr.add(*terms)
        return replace(tensor, entries=result, further={})


def _told(tensor: Tensor) -> str:
    return ", ".join(tensor.labels or ()) or "none"


def _alternates(tensor: Tensor) -> bool:
    """Whether it is seen without work that any two indices that change places change the sign."""
    pairs = ((tensor.entries, tensor.entries.swapaxes(n, n + 1)) for n in range(tensor.rank - 1))
    alike = len(set(tensor.up)) == 1
    return alike and all(node is gr.ZERO for pair in pairs for node in mapped(gr.add, *pair).flat)
