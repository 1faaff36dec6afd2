"""Tensors as the language of rates and densities has them: components on the graph, and which indices are up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.symbolic.meaning import Refusal

KINDS = {(): "a scalar", (True,): "a vector", (False,): "a covector"}


@final
@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor: its components, and whether each index is up.

    Parameters
    ----------
    entries : (d, ..., d) array of nodes
        One axis for each index.
    up : tuple of bool
        Whether an index is a vector's.
    labels : tuple of str, optional
        Names of the indices, where they are written.
    further : mapping
        What the name of a scalar means with so many indices: R[i, j] is Ric[i, j].
    """

    entries: np.ndarray
    up: tuple[bool, ...] = ()
    labels: tuple[str, ...] | None = None
    further: Mapping[int, Callable[[], Tensor]] = field(default_factory=dict)

    @staticmethod
    def scalar(node: gr.Node | gr.Rational) -> Tensor:
        """A function as a tensor."""
        return Tensor(whole((), [gr.node(node)]))

    @property
    def rank(self) -> int:
        """How many indices it has."""
        return len(self.up)

    @property
    def node(self) -> gr.Node:
        """A scalar's function."""
        found: gr.Node = self.entries.item()
        return found

    @property
    def kind(self) -> str:
        """In words: "a scalar", "a vector", "a tensor with 2 lower indices"."""
        if self.up in KINDS:
            return KINDS[self.up]
        upper, lower = sum(self.up), self.rank - sum(self.up)
        counts = [f"{count} {word}" for count, word in ((upper, "upper"), (lower, "lower")) if count]
        return f"a tensor with {' and '.join(counts)} indices"

    def place(self, label: str) -> int:
        """Where a named index stands."""
        return (self.labels or ()).index(label)

    def moved(self, labels: tuple[str, ...]) -> Tensor:
        """The same with its named indices in another order."""
        order = [self.place(label) for label in labels]
        return Tensor(self.entries.transpose(order), tuple(self.up[n] for n in order), labels)

    def scaled(self, factor: gr.Node | gr.Rational) -> Tensor:
        """Every component times a function."""
        return replace(self, entries=mapped(lambda entry: entry * factor, self.entries), further={})


def whole(shape: tuple[int, ...], nodes: Sequence[gr.Node]) -> np.ndarray:
    """An object array of nodes."""
    result: np.ndarray = np.empty(shape, dtype=object)
    for place, entry in zip(np.ndindex(shape), nodes, strict=True):
        result[place] = entry
    return result


def mapped(act: Callable[..., gr.Node], *arrays: np.ndarray) -> np.ndarray:
    """A function of nodes, entry by entry."""
    shape = arrays[0].shape
    return whole(shape, [act(*(array[place] for array in arrays)) for place in np.ndindex(shape)])


def total(terms: Sequence[Tensor]) -> Tensor:
    """The sum of tensors of one kind; named indices may come in another order. Refuses all others."""
    first = terms[0]
    named = next((term for term in terms if term.labels is not None), first)
    aligned = [_like(term, named, n) for n, term in enumerate(terms)]
    return Tensor(mapped(gr.add, *(term.entries for term in aligned)), named.up, named.labels)


def _like(term: Tensor, first: Tensor, which: int) -> Tensor:
    """A term with its indices in the order of those that are named, and with their names if it is symmetric."""
    if first.rank == term.rank == 0:
        return term
    if (term.labels is None) != (first.labels is None) and first.up == term.up:
        if not is_symmetric(term):
            raise Refusal("the indices of one term are named and those of another, which is not symmetric, are not: "
                          "name them in both", which)
        return replace(term, labels=first.labels)
    if term.labels is not None and first.labels is not None:
        if set(term.labels) != set(first.labels):
            raise Refusal(f"the free indices of this term are {_told(term)}, and those of another {_told(first)}",
                          which)
        term = term.moved(first.labels)
    if term.up != first.up:
        raise Refusal(f"this is {term.kind}, and another term is {first.kind}: they have no sum", which)
    return term


def _told(tensor: Tensor) -> str:
    return ", ".join(tensor.labels or ()) or "none"


def is_symmetric(tensor: Tensor) -> bool:
    """Whether any two indices may change places."""
    swapped = (tensor.entries.swapaxes(n, n + 1) for n in range(tensor.rank - 1))
    return all(vanishes(mapped(lambda a, b: a - b, tensor.entries, other)) for other in swapped)


def vanishes(entries: np.ndarray) -> bool:
    """Whether all entries are zero, wherever they are defined."""
    left = [entry for entry in entries.flat if entry is not gr.ZERO]
    return not left or bool(gr.all_zero(left))


def outer(first: Tensor, second: Tensor) -> Tensor:
    """The tensor product."""
    places = product(np.ndindex(first.entries.shape), np.ndindex(second.entries.shape))
    nodes = [first.entries[a] * second.entries[b] for a, b in places]
    labels = None if first.labels is None or second.labels is None else (*first.labels, *second.labels)
    return Tensor(whole((*first.entries.shape, *second.entries.shape), nodes), (*first.up, *second.up), labels)


def symmetric_part(tensor: Tensor) -> Tensor:
    """½(T_ij + T_ji) of two indices of one kind."""
    if tensor.rank != 2 or tensor.up[0] != tensor.up[1]:
        raise Refusal(f"sym(T) takes a tensor with two indices, both up or both down, and this is {tensor.kind}")
    return Tensor(mapped(lambda a, b: (a + b) / 2, tensor.entries, tensor.entries.T), tensor.up)
