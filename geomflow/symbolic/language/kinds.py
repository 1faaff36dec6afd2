"""Kinds of fields by name: the components of an unknown tensor, which of them are independent, and their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product
from math import factorial
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, require_known
from geomflow.core.symmetric import packed_places, parity
from geomflow.symbolic.jets import field_node, metric_names
from geomflow.symbolic.language.tensor import Tensor, whole

Place = tuple[int, ...]
Canonical = Callable[[Place], tuple[int, Place]]
"""The sign and the independent component that a component is equal to; the sign is 0 where it vanishes."""


def free(place: Place) -> tuple[int, Place]:
    """Every component is independent."""
    return 1, place


def symmetric(place: Place) -> tuple[int, Place]:
    """All indices may change places."""
    return 1, tuple(sorted(place))


def alternating(place: Place) -> tuple[int, Place]:
    """Two indices that change places change the sign."""
    return (parity(place) if len(set(place)) == len(place) else 0), tuple(sorted(place))


def riemannian(place: Place) -> tuple[int, Place]:
    """R_lkij = −R_klij = −R_lkji = R_ijlk."""
    (first, one), (second, two) = alternating(place[:2]), alternating(place[2:])
    return first * second, (*min(one, two), *max(one, two))


def spread(shape: Place, canonical: Canonical, leaf: Callable[[Place], gr.Node]) -> np.ndarray:
    """All components of a tensor, from a node for each independent one."""
    signs = [canonical(place) for place in np.ndindex(shape)]
    return whole(shape, [sign * leaf(place) if sign else gr.ZERO for sign, place in signs])


def dual(up: Sequence[bool], shape: Place, canonical: Canonical, weights: Mapping[Place, gr.Node]) -> Tensor:
    """P with Σ P δT over all components = Σ w δT over the independent ones, and its symmetries those of T."""
    signs = {place: canonical(place) for place in np.ndindex(shape)}
    alike = [place for sign, place in signs.values() if sign]
    nodes = [sign * weights.get(place, gr.ZERO) / alike.count(place) if sign else gr.ZERO
             for sign, place in signs.values()]
    return Tensor(whole(shape, nodes), tuple(not index for index in up))


@final
@dataclass(frozen=True)
class Kind:
    """What kind of tensor a field is.

    Parameters
    ----------
    label : str
        As users write it.
    up : tuple of bool
        Whether each index is.
    canonical : callable
        Which components are independent.
    scale : int
        ⟨a, b⟩ = a_I b^I / scale in the inner product of such fields.
    """

    label: str
    up: tuple[bool, ...]
    canonical: Canonical
    scale: int = 1

    @classmethod
    def read(cls, label: str, dim: int) -> Kind:
        """A kind from its name: "scalar", "metric", "vector", "symmetric", "1-form" ("form"), "2-form", ….

        Raises UnknownNameError for another name.
        """
        forms = {f"{k}-form": k for k in range(1, dim + 1)}
        require_known("kind of field", label, ("scalar", "metric", "vector", "symmetric", "form", *forms))
        if label in ("form", *forms):
            degree = forms.get(label, 1)
            return cls(f"{degree}-form", (False,) * degree, alternating, factorial(degree))
        up = {"scalar": (), "vector": (True,)}.get(label, (False, False))
        return cls(label, up, symmetric)

    @property
    def rank(self) -> int:
        """How many indices."""
        return len(self.up)

    def places(self, dim: int) -> list[Place]:
        """The independent components, in packed order."""
        if self.canonical is alternating:
            return list(combinations(range(dim), self.rank))
        return list(packed_places(dim)) if self.rank == 2 else list(product(range(dim), repeat=self.rank))

    def names(self, name: str, coordinates: Sequence[str]) -> tuple[str, ...]:
        """Of the independent components: "f", "g_xx", "g_xy", …, as fields on grids call them."""
        if self.rank == 2 and self.canonical is symmetric:
            return metric_names(coordinates, name)
        places = self.places(len(coordinates))
        return tuple("_".join([name, "".join(coordinates[n] for n in place)]) if place else name for place in places)

    def tensor(self, name: str, coordinates: Sequence[str]) -> Tensor:
        """The unknown tensor, of jets of order zero."""
        dim = len(coordinates)
        own = dict(zip(self.places(dim), self.names(name, coordinates), strict=True))
        entries = spread((dim,) * self.rank, self.canonical, lambda place: field_node(own[place], coordinates))
        return Tensor(entries, self.up)

    def packed(self, tensor: Tensor) -> list[gr.Node]:
        """The independent components of a tensor of this kind."""
        return [tensor.entries[place] for place in self.places(len(tensor.entries) if self.rank else 0)]

    def summed(self, covector: Tensor) -> list[gr.Node]:
        """The weights of the independent components, of a tensor P for which Σ P δT over all is given."""
        alike = factorial(self.rank) if self.canonical is alternating else None
        return [covector.entries[place] * (alike or len(set(permutations(place))))
                for place in self.places(len(covector.entries) if self.rank else 0)]


def read_kinds(given: str | Mapping[str, str], dim: int) -> dict[str, Kind]:
    """Fields by name, from "g f A:form" or a mapping to the names of kinds; one called g is a metric, else a scalar.

    Raises InputError for what names no field, UnknownNameError for another kind.
    """
    found = {name: Kind.read(label, dim) for name, label in pairs_of_kinds(given).items()}
    metrics = [name for name, kind in found.items() if kind.label == "metric"]
    if len(metrics) > 1:
        raise InputError(f"fields={given!r} names {len(metrics)} metrics: a functional is of one metric at most.")
    return found


def pairs_of_kinds(given: str | Mapping[str, str]) -> dict[str, str]:
    """Names of fields to names of their kinds, from "g f A:form" or such a mapping; g is a metric, all else a scalar.

    Raises InputError for what names no field, or one twice.
    """
    pairs: Iterable[tuple[str, str]] = given.items() if isinstance(given, Mapping) else _pairs(given)
    found: dict[str, str] = {}
    for name, label in pairs:
        if not name.isidentifier() or "_" in name or name in found:
            raise InputError(f"fields={given!r} names no field, or one twice: write the names with spaces between "
                             "them, without underscores, and kinds behind colons, as in fields='g f A:form'.")
        found[name] = label
    if not found:
        raise InputError(f"fields={given!r} names no field: write the names with spaces between them, as in 'g f'.")
    return found


def _pairs(given: str) -> list[tuple[str, str]]:
    if not isinstance(given, str):
        raise InputError(f"fields={given!r} is neither text, as 'g f A:form', nor a mapping from names to kinds.")
    split = [word.partition(":") for word in given.replace(",", " ").split()]
    return [(name, label or ("metric" if name == "g" else "scalar")) for name, _, label in split]
