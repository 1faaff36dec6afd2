"""What is computed on grids: stages of pointwise expressions in fields and their derivatives.

Exact geometry derives programs, code generation compiles them. A later stage uses jets of the outputs of earlier ones
as if they were fields; nothing is expanded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError
from geomflow.core.graph import Node

Adjoints = Mapping[str, Node]
Pullback = Callable[[Adjoints], Mapping[Node, Node]]
"""From the adjoints λ of a stage's outputs to Σ_o λ_o ∂o/∂leaf, for the leaves that the stage depends on."""


@dataclass(frozen=True)
class Stage:
    """Functions computed together: pairs (name, expression); later stages may differentiate them.

    `pullback` replaces differentiation in reverse mode where the derivative is known in closed form, as that of a
    matrix inverse is.
    """

    outputs: tuple[tuple[str, Node], ...]
    pullback: Pullback | None = field(default=None, compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the outputs, in order."""
        return tuple(name for name, _ in self.outputs)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The expressions of the outputs, in order."""
        return tuple(node for _, node in self.outputs)

    def substituted(self, values: Mapping[Node, Node]) -> Stage:
        """The stage with leaves replaced."""
        return Stage(tuple(zip(self.names, gr.substitute(self.nodes, values), strict=True)))


def merged(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """As few stages as the dependences allow: one for each depth."""
    depth: dict[str, int] = {}
    levels: dict[int, list[tuple[str, Node]]] = {}
    for stage in stages:
        below = [depth[name] for name in _differentiated(stage.nodes) if name in depth]
        level = 1 + max(below, default=0)
        depth.update(dict.fromkeys(stage.names, level))
        levels.setdefault(level, []).extend(stage.outputs)
    return tuple(Stage(tuple(levels[level])) for level in sorted(levels))


def needed(stages: Sequence[Stage], nodes: Sequence[Node]) -> tuple[Stage, ...]:
    """Those outputs of the stages that the nodes stand on, directly or not, in as few stages as can be."""
    wanted = _differentiated(nodes)
    kept: list[Stage] = []
    for stage in reversed(stages):
        if found := tuple((name, node) for name, node in stage.outputs if name in wanted):
            kept.insert(0, Stage(found))
            wanted |= _differentiated([node for _, node in found])
    return merged(kept)


def _differentiated(nodes: Sequence[Node]) -> set[str]:
    """The names of the functions whose jets the nodes contain."""
    return {leaf.data[0] for leaf in gr.leaves(nodes) if leaf.op == "jet"}


def unstaged(stages: Sequence[Stage], nodes: Sequence[Node], coordinates: Sequence[str]) -> list[Node]:
    """The nodes over jets of fields alone: every stage substituted, every total derivative carried out."""
    derive = gr.Derivation(tuple(coordinates))
    known: dict[str, Node] = {}
    for stage in (*stages, Stage(tuple((f"result {k}", node) for k, node in enumerate(nodes)))):
        inner = {leaf: total_derivative(derive, known[leaf.data[0]], leaf.data[1])
                 for leaf in gr.leaves(stage.nodes) if leaf.op == "jet" and leaf.data[0] in known}
        found = gr.substitute(stage.nodes, inner) if inner else list(stage.nodes)
        known.update(zip(stage.names, found, strict=True))
    return found


def total_derivative(derive: gr.Derivation, node: Node, index: Sequence[int]) -> Node:
    """D^index of a node."""
    for axis, times in enumerate(index):
        for _ in range(times):
            node = derive(node, axis)
    return node


@dataclass(frozen=True)
class Program:
    """A map from periodic grid functions to grid functions.

    `fields` are the names of the evolving components in packed order, `statics` those of given arrays;
    both may be differentiated. `parameters` are numbers. A coordinate symbol in an expression has the value
    index * spacing. The outputs of the last stage are the result.

    Raises InputError for names that are used twice, ExpressionError for an expression that is complex or has a leaf
    that the program does not provide.
    """

    coordinates: tuple[str, ...]
    fields: tuple[str, ...]
    statics: tuple[str, ...]
    parameters: tuple[str, ...]
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
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

    @property
    def results(self) -> tuple[Node, ...]:
        """The expressions of the results, on the inner stages."""
        return self.stages[-1].nodes

    @property
    def inner(self) -> tuple[Stage, ...]:
        """The stages that the results stand on."""
        return self.stages[:-1]

    def unstaged(self) -> list[Node]:
        """The results over jets of fields and given arrays alone: derivatives of inner stages carried out."""
        return unstaged(self.inner, self.results, self.coordinates)

    def substituted(self, values: Mapping[Node, Node]) -> Program:
        """The program with numbers for some of its parameters."""
        left = tuple(name for name in self.parameters if gr.symbol(name) not in values)
        stages = tuple(stage.substituted(values) for stage in self.stages)
        return Program(self.coordinates, self.fields, self.statics, left, stages)

    def arranged(self, fields: Sequence[str], statics: Sequence[str]) -> Program:
        """The program with its fields, their results and the given arrays in another order.

        Parameters
        ----------
        fields, statics : sequence of str
            All of their names.
        """
        results = dict(zip(self.fields, self.stages[-1].outputs, strict=True))
        final = Stage(tuple(results[name] for name in fields))
        return Program(self.coordinates, tuple(fields), tuple(statics), self.parameters, (*self.inner, final))

    def averaged(self, average: Average) -> Program:
        """The program of the two functions whose means an average divides."""
        final = Stage((("top", average.top), ("bottom", average.bottom)))
        return Program(self.coordinates, self.fields, self.statics, self.parameters, (*average.stages, final))

    def jets(self) -> Iterator[tuple[int, str, tuple[int, ...]]]:
        """Every derivative that is used, as (stage number, name, index)."""
        for number, stage in enumerate(self.stages):
            for leaf in gr.leaves(stage.nodes):
                if leaf.op == "jet":
                    yield number, *leaf.data

    def _check_names(self) -> None:
        names = [*self.coordinates, *self.fields, *self.statics, *self.parameters]
        names += [name for stage in self.inner for name in stage.names]
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
            for leaf in gr.leaves(stage.nodes):
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


@dataclass(frozen=True)
class Average:
    """A number that rates depend on through `parameter`: mean of `top` over mean of `bottom`, at each state."""

    parameter: str
    top: Node
    bottom: Node
    stages: tuple[Stage, ...] = ()

    def substituted(self, values: Mapping[Node, Node]) -> Average:
        """The average with leaves replaced."""
        top, bottom = gr.substitute([self.top, self.bottom], values)
        return Average(self.parameter, top, bottom, tuple(stage.substituted(values) for stage in self.stages))


@dataclass(frozen=True)
class InnerProduct:
    """The pointwise inner product ∫⟨·,·⟩ w dx that a gradient flow descends in.

    measure     w, which may stand on `stages`
    covariant   whether components of a metric are contracted with the metric itself, else summed as they are
    """

    measure: Node
    covariant: bool = True
    stages: tuple[Stage, ...] = ()

    def substituted(self, values: Mapping[Node, Node]) -> InnerProduct:
        """The inner product with leaves replaced."""
        (measure,) = gr.substitute([self.measure], values)
        return InnerProduct(measure, self.covariant, tuple(stage.substituted(values) for stage in self.stages))


@dataclass(frozen=True)
class Elliptic:
    """A field that is not evolved but solved for at each state: the ground state u of `operator` u = λu.

    `operator` is linear in the jets of `unknown`; `recover` gives the field from u (up to a constant).
    """

    field: str
    unknown: str
    operator: Node
    recover: Node
