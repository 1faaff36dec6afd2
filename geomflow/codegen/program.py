"""What a grid routine computes: stages of pointwise expressions in fields and their derivatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError
from geomflow.core.graph import Node

LARGEST_DIMENSION = 4
"""Grids have one to this many axes."""


@dataclass(frozen=True)
class Stage:
    """Grid functions computed together: pairs (name, expression); later stages may differentiate them."""

    outputs: tuple[tuple[str, Node], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the outputs, in order."""
        return tuple(name for name, _ in self.outputs)

    @property
    def expressions(self) -> tuple[Node, ...]:
        """The expressions of the outputs, in order."""
        return tuple(node for _, node in self.outputs)


@dataclass(frozen=True)
class Program:
    """A map from periodic grid functions to grid functions.

    `fields` are the names of the evolving components in packed order, `statics` those of given arrays;
    both may be differentiated. `parameters` are numbers. A coordinate symbol in an expression has the value
    index * spacing. The outputs of the last stage are the result.

    Raises InputError for names that are used twice or axes beyond four, ExpressionError for an expression that is
    complex or has a leaf that the program does not provide.
    """

    coordinates: tuple[str, ...]
    fields: tuple[str, ...]
    statics: tuple[str, ...]
    parameters: tuple[str, ...]
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.dimension <= LARGEST_DIMENSION:
            raise InputError(f"a grid has 1 to {LARGEST_DIMENSION} axes, but {self.dimension} coordinates were given")
        if not self.stages or not all(stage.outputs for stage in self.stages):
            raise InputError("a program needs at least one stage, and every stage at least one output")
        self._check_names()
        self._check_leaves()

    @property
    def dimension(self) -> int:
        """The number of axes."""
        return len(self.coordinates)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the results."""
        return self.stages[-1].names

    def _check_names(self) -> None:
        names = [*self.coordinates, *self.fields, *self.statics, *self.parameters]
        names += [name for stage in self.stages[:-1] for name in stage.names]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(f"the name '{twice[0]}' is used more than once in the program; rename one of them")

    def _check_leaves(self) -> None:
        numbers = {*self.coordinates, *self.parameters}
        functions = {*self.fields, *self.statics}
        for stage in self.stages:
            for name, node in stage.outputs:
                if gr.I in gr.schedule([node]):
                    raise ExpressionError(f"'{name}' holds the imaginary unit, and functions on a grid are real; write "
                                          "it without, as two real functions where it is complex")
            for leaf in gr.leaves(stage.expressions):
                self._check_leaf(leaf, numbers, functions)
            functions.update(stage.names)

    def _check_leaf(self, leaf: Node, numbers: set[str], functions: set[str]) -> None:
        name = leaf.data if leaf.op == "symbol" else leaf.data[0]
        if name not in (numbers if leaf.op == "symbol" else functions):
            kind = "coordinate or parameter" if leaf.op == "symbol" else "field, static or earlier output"
            known = ", ".join(sorted(numbers if leaf.op == "symbol" else functions)) or "none"
            raise ExpressionError(f"'{name}' is not a {kind} of the program; known are: {known}")
        if leaf.op == "jet" and len(leaf.data[1]) != self.dimension:
            raise ExpressionError(f"the derivative {leaf!r} has {len(leaf.data[1])} indices, "
                                  f"but the program has {self.dimension} coordinates")

    def jets(self) -> Iterator[tuple[int, str, tuple[int, ...]]]:
        """Every derivative that is used, as (stage number, name, index)."""
        for number, stage in enumerate(self.stages):
            for leaf in gr.leaves(stage.expressions):
                if leaf.op == "jet":
                    yield number, *leaf.data
