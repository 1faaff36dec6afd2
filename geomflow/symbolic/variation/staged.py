"""Expressions in stages, and their exact values at random jets.

At a random point the fields are random power series modulo a prime of 61 bits, every stage is evaluated as a series of
just the degree that later stages differentiate, and the outputs are residues: two programs whose outputs agree at
random jets are equal but for a probability of about their degree over 2^61 (Schwartz and Zippel).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError
from geomflow.core.graph.modular import PRIME, Undefined
from geomflow.core.monomials import Index
from geomflow.core.program import Program, Stage, merged, unstaged
from geomflow.symbolic.variation.series import SeriesAlgebra, Value

ATTEMPTS = 200
TRIALS = 2

@dataclass(frozen=True)
class Staged:
    """Expressions `outputs` that stand on `stages`, over jets of fields in `coordinates`.

    `groups` are the sizes of the groups of coordinates: (d,) for a real chart, (n, n) for z and z̄.
    """

    coordinates: tuple[str, ...]
    groups: tuple[int, ...]
    stages: tuple[Stage, ...]
    outputs: tuple[gr.Node, ...]

    @staticmethod
    def of(program: Program) -> Staged:
        """The results of a program."""
        return Staged(program.coordinates, (len(program.coordinates),), program.inner, program.results)

    def program(self, fields: Sequence[str], statics: Sequence[str] = (), parameters: Sequence[str] = (),
                names: Sequence[str] = ("density",)) -> Program:
        """The outputs, called `names`, as a program over real coordinates, in as few stages as they need."""
        final = Stage(tuple(zip(names, self.outputs, strict=True)))
        stages = (*merged(self.stages), final)
        return Program(self.coordinates, tuple(fields), tuple(statics), tuple(parameters), stages)

    def residues(self, seed: int, fields: Mapping[str, Series] | None = None) -> list[int]:
        """The outputs at the random jets given by `seed`, modulo the prime.

        `fields` replaces the random series of some fields. Raises `Undefined` at a pole or a non-residue.
        """
        return Evaluation(self, seed, dict(fields or {})).outputs()

    def unstaged(self) -> list[gr.Node]:
        """The outputs over jets of fields alone: every stage substituted, every total derivative carried out."""
        return unstaged(self.stages, self.outputs, self.coordinates)


@dataclass(frozen=True)
class Series:
    """A power series with the algebra in which it is kept."""

    algebra: SeriesAlgebra
    value: Value


class Evaluation:
    """One evaluation of a staged expression at random jets."""

    def __init__(self, staged: Staged, seed: int, fields: dict[str, Series]) -> None:
        self._staged, self._seed, self._fields = staged, seed, fields
        self._degrees = degrees_needed(staged)

    def outputs(self) -> list[int]:
        """The residues of the outputs."""
        for stage in self._staged.stages:
            if stage.names[0] in self._degrees:
                algebra = self._algebra(self._degrees[stage.names[0]])
                values = self._values(stage.nodes, algebra)
                self._fields |= {n: Series(algebra, v) for n, v in zip(stage.names, values, strict=True)}
        nothing = tuple(0 for _ in self._staged.groups)
        return [v if isinstance(v, int) else v[0] for v in self._values(self._staged.outputs, self._algebra(nothing))]

    def _algebra(self, degrees: tuple[int, ...]) -> SeriesAlgebra:
        return SeriesAlgebra(self._staged.groups, degrees, self._seed)

    def _values(self, nodes: Sequence[gr.Node], algebra: SeriesAlgebra) -> list[Value]:
        known: dict[gr.Node, Value] = {}
        for node in gr.schedule(nodes):
            known[node] = self._value(node, known, algebra)
        return [known[n] for n in nodes]

    def _value(self, node: gr.Node, known: Mapping[gr.Node, Value], algebra: SeriesAlgebra) -> Value:
        if node.op == "add":
            return algebra.combine(node.data[0], [(c, known[a]) for c, a in zip(node.data[1], node.args, strict=True)])
        if node.op == "mul":
            total: Value = 1
            for a, e in zip(node.args, node.data, strict=True):
                total = algebra.multiply(total, known[a] if e == 1 else algebra.power(known[a], e))
            return total
        if node.op == "jet":
            return self._jet(node.data[0], node.data[1], algebra)
        if node.op == "call":
            return algebra.call(node.data, known[node.args[0]])
        return self._leaf(node, algebra)

    def _leaf(self, node: gr.Node, algebra: SeriesAlgebra) -> Value:
        if node.op == "constant":
            return algebra.scalar.number(node.data)
        value = algebra.scalar.unknown(node.key)
        if node.data in self._staged.coordinates:
            return algebra.coordinate(self._staged.coordinates.index(node.data), value)
        return value

    def _jet(self, name: str, index: Index, algebra: SeriesAlgebra) -> Value:
        if name not in self._fields:
            whole = self._algebra(self._degrees[name])
            key = gr.jet(name, (0,) * len(index)).key
            self._fields[name] = Series(whole, whole.random(key))
        field = self._fields[name]
        return algebra.derivative(field.value, field.algebra, index)


def degrees_needed(staged: Staged) -> dict[str, tuple[int, ...]]:
    """The degrees, group by group, to which each field and each stage must be known for the outputs' values."""
    needed: dict[str, tuple[int, ...]] = {}
    _need(needed, staged.outputs, (0,) * len(staged.groups), staged.groups)
    for stage in reversed(staged.stages):
        asked = [needed[n] for n in stage.names if n in needed]
        if asked:
            most = tuple(map(max, *asked)) if len(asked) > 1 else asked[0]
            needed.update(dict.fromkeys(stage.names, most))
            _need(needed, stage.nodes, most, staged.groups)
    return needed


def _need(needed: dict[str, tuple[int, ...]], nodes: Sequence[gr.Node], base: tuple[int, ...],
          groups: tuple[int, ...]) -> None:
    for leaf in gr.leaves(nodes):
        if leaf.op == "jet":
            name, index = leaf.data
            asked = tuple(b + i for b, i in zip(base, group_degrees(index, groups), strict=True))
            needed[name] = tuple(map(max, needed.get(name, asked), asked))


def group_degrees(index: Index, groups: tuple[int, ...]) -> tuple[int, ...]:
    """How often an index differentiates in each group of coordinates."""
    ends = [sum(groups[: k + 1]) for k in range(len(groups))]
    return tuple(sum(index[end - size:end]) for size, end in zip(groups, ends, strict=True))


def all_vanish(staged: Staged) -> bool:
    """Whether all outputs vanish identically, decided at `TRIALS` random jets modulo a 61-bit prime.

    Raises ExpressionError when no random jets were found at which they are defined.
    """
    good = 0
    for seed in range(ATTEMPTS):
        try:
            values = staged.residues(seed)
        except Undefined:
            continue
        if any(v % PRIME for v in values):
            return False
        good += 1
        if good == TRIALS:
            return True
    raise ExpressionError(f"whether {len(staged.outputs)} expressions vanish could not be decided: none of {ATTEMPTS} "
                          "random points lies in the domain of all their functions")
