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
        counts = [f"{count} {word} {'index' if count == 1 else 'indices'}"
                  for count, word in ((upper, "upper"), (lower, "lower")) if count]
        return f"a tensor with {' and '.join(counts)}"

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


def outer(first: Tensor, second: Tensor) -> Tensor:
    """The tensor product."""
    places = product(np.ndindex(first.entries.shape), np.ndindex(second.entries.shape))
    nodes = [first.entries[a] * second.entries[b] for a, b in places]
    labels = None if first.labels is None or second.labels is None else (*first.labels, *second.labels)
    return Tensor(whole((*first.entries.shape, *second.entries.shape), nodes), (*first.up, *second.up), labels)


def ordered(tensor: Tensor) -> Tensor:
    """A tensor whose indices are named, by the alphabet, A beside a."""
    return tensor if tensor.labels is None else tensor.moved(tuple(sorted(tensor.labels, key=alphabetical)))


def alphabetical(label: str) -> tuple[str, str]:
    """Where an index comes in the alphabet."""
    return label.casefold(), label


def symmetric_part(tensor: Tensor) -> Tensor:
    """½(T_ij + T_ji) of two indices of one kind."""
    if tensor.rank != 2 or tensor.up[0] != tensor.up[1]:
        raise Refusal(f"sym(T) takes a tensor with two indices, both up or both down, and this is {tensor.kind}")
    return Tensor(mapped(lambda a, b: (a + b) / 2, tensor.entries, tensor.entries.T), tensor.up)
