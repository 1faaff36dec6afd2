"""From scalars by structure to staged nodes in coordinates: what is differentiated becomes a stage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from geomflow.core import graph as gr
from geomflow.core.program import Stage
from geomflow.symbolic.variation.algebra import Algebra, Laplacian, Pairing, Partial, Term
from geomflow.symbolic.variation.staged import Staged


class Frame(ABC):
    """Coordinates with a metric in them, whose inverse and volume may be outputs of stages."""

    coordinates: tuple[str, ...]
    """The real coordinates."""

    @property
    def axes(self) -> tuple[str, ...]:
        """The coordinates that jets differentiate along."""
        return self.coordinates

    @property
    def groups(self) -> tuple[int, ...]:
        """The sizes of the groups of coordinates."""
        return (len(self.axes),)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that the frame's own tensors are outputs of; none where these are written out."""
        return ()

    @property
    @abstractmethod
    def volume(self) -> gr.Node:
        """The density of the volume by d^dx."""

    @abstractmethod
    def laplacian(self, s: gr.Node) -> gr.Node:
        """The Laplacian of a scalar."""

    @abstractmethod
    def pairing(self, s: gr.Node, t: gr.Node) -> gr.Node:
        """The inner product of the gradients of two scalars."""

    @abstractmethod
    def partial(self, s: gr.Node, axis: int) -> gr.Node:
        """The derivative along a real coordinate."""

    def leaf(self, name: str) -> gr.Node:
        """The jet of order zero of a field or of a stage's output."""
        return gr.jet(name, (0,) * len(self.axes))

    def waves(self, k: Sequence[gr.Node]) -> tuple[gr.Node, ...]:
        """The symbols of the derivations along the axes on e^{ik·x}, k over the real coordinates."""
        return tuple(gr.I * part for part in k)


F = TypeVar("F", bound=Frame)
A = TypeVar("A", bound=Algebra)


class Realisation(ABC, Generic[F, A]):
    """Realises scalars of one algebra in one frame, sharing stages.

    `tag` begins the names of stages; `values` replaces parameters.
    """

    def __init__(self, algebra: A, frame: F, tag: str = "", values: Mapping[gr.Node, gr.Node] | None = None) -> None:
        self.algebra, self.frame, self._tag, self._values = algebra, frame, tag, dict(values or {})
        self._stages: list[Stage] = list(frame.stages)
        self._known: dict[gr.Node, gr.Node] = {}
        self._fields: dict[gr.Node, gr.Node] = {}
        self._count = 0

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages made so far."""
        return tuple(self._stages)

    @property
    def own_stages(self) -> tuple[Stage, ...]:
        """The stages made so far beyond those of the frame."""
        return tuple(self._stages[len(self.frame.stages):])

    def staged(self, outputs: Sequence[gr.Node]) -> Staged:
        """The realised outputs on the stages made so far."""
        return Staged(self.frame.axes, self.frame.groups, self.stages, tuple(outputs))

    def value(self, scalar: gr.Node) -> gr.Node:
        """The scalar over jets of fields and of stages."""
        replacements = {leaf: self._leaf(leaf) for leaf in self.algebra.leaves(scalar)} | self._values
        return gr.substitute([scalar], replacements)[0] if replacements else scalar

    def field(self, scalar: gr.Node) -> gr.Node:
        """The scalar as a leaf that may be differentiated: a field itself, or the output of a stage."""
        if scalar not in self._fields:
            node = self.value(scalar)
            self._fields[scalar] = node if node.op == "jet" else self.stage({self._name(scalar): node})[0]
        return self._fields[scalar]

    def stage(self, outputs: Mapping[str, gr.Node]) -> list[gr.Node]:
        """The outputs of a new stage, as leaves."""
        self._stages.append(Stage(tuple(outputs.items())))
        return [self.frame.leaf(name) for name in outputs]

    def _name(self, scalar: gr.Node) -> str:
        """The name of the stage of a scalar."""
        return self._next("scalar")

    def _next(self, kind: str) -> str:
        """tag kind_1, tag kind_2, ...: names for stages that have no better one."""
        self._count += 1
        return f"{self._tag}{kind}_{self._count}"

    def _leaf(self, leaf: gr.Node) -> gr.Node:
        if leaf not in self._known:
            self._known[leaf] = self._term(self.algebra.terms[leaf.data])
        return self._known[leaf]

    def _term(self, term: Term) -> gr.Node:
        match term:
            case Laplacian(s):
                return self.frame.laplacian(self.field(s))
            case Pairing(s, t):
                return self.frame.pairing(self.field(s), self.field(t))
            case Partial(s, axis):
                return self.frame.partial(self.field(s), axis)
        return self._own_term(term)

    @abstractmethod
    def _own_term(self, term: Term) -> gr.Node:
        """The node of a term that this algebra has beyond those of all; InputError for one of another algebra."""
