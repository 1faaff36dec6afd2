"""Which derivatives a grid routine stores, where, how far its stages run ahead of each other, and how it reads them.

A derivative u_(a,b,..) is the product of one-dimensional stencils, the outer axis first. Removing the last factor
gives its *parent*; a parent other than u itself is a *prefix*, kept in a buffer over the axes behind its last one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from geomflow.codegen.stencils import radius
from geomflow.core import graph as gr
from geomflow.core.graph import Node
from geomflow.core.program import Program, Stage

Index = tuple[int, ...]
LINE = 8
"""Doubles in a cache line."""
LONGEST = {2: 1024, 3: 128, 4: 48}
"""Points of the inner axis that are worked on at a time, by dimension, so that rows stay in the nearest cache."""
FEW, MOST_LINES = 3, 15
"""Derivatives across lines are computed in loops of their own from so many on, and these read so many lines at most."""
AXES = "ijkl"
"""The names of the loop variables, outer axis first."""


def last_axis(index: Index) -> int:
    """The last axis that is differentiated; -1 for none."""
    return max((a for a, k in enumerate(index) if k), default=-1)


def parent(index: Index) -> Index:
    """The derivative that remains when the last axis is not differentiated."""
    last = last_axis(index)
    return tuple(0 if a == last else k for a, k in enumerate(index))


@dataclass(frozen=True)
class Source:
    """A differentiable grid function: component `position` of `array` ("fields", "statics", "stage0", ...)."""

    name: str
    array: str
    position: int
    stage: int = -1


class StagePlan:
    """The derivatives of one stage: `jets` are used by its expressions, `prefixes` are stored on the way."""

    def __init__(self, jets: Iterable[tuple[Source, Index]], order: int) -> None:
        self.order = order
        self.jets = sorted(set(jets), key=lambda pair: (pair[0].array, pair[0].position, pair[1]))
        self.prefixes: dict[Index, list[Source]] = {}
        for source, index in self.jets:
            above = parent(index)
            while any(above):
                members = self.prefixes.setdefault(above, [])
                if source not in members:
                    members.append(source)
                above = parent(above)
        self.prefixes = {k: sorted(v, key=lambda s: (s.array, s.position)) for k, v in sorted(self.prefixes.items())}

    @cached_property
    def differentiated(self) -> list[tuple[Source, Index]]:
        """Every stencil that is applied: the jets and the prefixes, without the functions themselves."""
        stored = [(s, index) for index, members in self.prefixes.items() for s in members]
        return [(s, index) for s, index in dict.fromkeys([*stored, *self.jets]) if any(index)]

    def reach(self, axis: int, of: Index | None = None) -> int:
        """How far stencils along `axis` reach; only those applied to the derivative `of` if it is given."""
        return max((radius(index[axis], self.order) for _, index in self.differentiated
                    if last_axis(index) == axis and (of is None or parent(index) == of)), default=0)

    def reaches(self, axis: int) -> list[int]:
        """The different reaches of stencils along `axis`."""
        return sorted({radius(index[axis], self.order) for _, index in self.differentiated if last_axis(index) == axis})

    def reach_into(self, stage: int) -> int:
        """How far stencils reach in the outputs of an earlier stage."""
        return max((radius(k, self.order) for s, index in self.differentiated if s.stage == stage
                    for k in index), default=0)

    @cached_property
    def ring_reach(self) -> int:
        """How far stencils along the second axis reach in prefixes along the first."""
        return max((self.reach(1, of=index) for index in self.prefixes if last_axis(index) == 0), default=0)

    def lines(self, inner: int) -> list[Source]:
        """The given arrays of which padded lines are needed, because the inner axis is differentiated first."""
        return list(dict.fromkeys(s for s, index in self.differentiated
                                  if last_axis(index) == inner and not any(parent(index)) and s.stage < 0))


    @cached_property
    def across(self) -> list[tuple[Source, Index]]:
        """The derivatives that are computed line by line before the expressions, if there are many.

        Their stencils read points of several lines. A loop that reads very many lines waits for the nearest cache.
        """
        inner = max(len(index) for _, index in self.jets) - 1 if self.jets else 0
        found = [(s, index) for s, index in self.jets
                 if any(index) and last_axis(index) < inner and s not in self.prefixes.get(index, ())]
        return found if len(found) >= FEW else []

    def groups(self, needed: Collection[tuple[Source, Index]]) -> Iterator[list[tuple[Source, Index]]]:
        """Those of them that are needed, so many at a time as one loop computes."""
        left = [pair for pair in self.across if pair in needed]
        while left:
            lines = accumulate(2 * radius(max(index), self.order) + 1 for _, index in left)
            count = max(1, sum(total <= MOST_LINES for total in lines))
            yield left[:count]
            left = left[count:]


class GridPlan:
    """The stages of a program with at least two axes, in the order of execution along the outer axis."""

    def __init__(self, given: Program, order: int) -> None:
        program = with_shared(given)
        self.program, self.order = program, order
        self.dimension = program.dimension
        self.inner = self.dimension - 1
        self.sources = _sources(program)
        self.stages = [StagePlan(_jets(program, number, self.sources), order) for number in range(len(program.stages))]
        self.leads = self._leads()

    def _leads(self) -> list[int]:
        """How far beyond its tile each stage is computed for the later ones, along every axis that is cut in tiles."""
        leads = [0] * len(self.stages)
        for number in reversed(range(len(leads) - 1)):
            later = range(number + 1, len(leads))
            leads[number] = max(leads[t] + self.stages[t].reach_into(number) for t in later)
        return leads

    def depth(self, number: int) -> int:
        """How many planes of a stage's outputs are kept: those that later stages still read."""
        later = range(number + 1, len(self.stages))
        return max(self.leads[number] - self.leads[t] + self.stages[t].reach_into(number) for t in later) + 1

    def beyond(self, number: int) -> int:
        """How far beyond the tile a stage's buffers go along the inner axis."""
        return self.leads[number] + self.stages[number].reach(self.inner)

    @cached_property
    def origin(self) -> int:
        """Where a tile begins in the rows of buffers: after its halo, on a cache line."""
        return -(-max(self.beyond(number) for number in range(len(self.stages))) // LINE) * LINE

    @cached_property
    def width(self) -> int:
        """The longest piece of the inner axis that is worked on at a time."""
        return LONGEST[self.dimension]

    @cached_property
    def pitch(self) -> int:
        """From one row of a buffer to the next: an odd number of cache lines, so that rows do not share places."""
        lines = -(-(self.width + 2 * self.origin) // LINE)
        return LINE * (lines + (lines % 2 == 0))

    @cached_property
    def outer_reach(self) -> int:
        """How far stencils reach along the first two axes."""
        return max(stage.reach(axis) for stage in self.stages for axis in (0, 1))

    @cached_property
    def minimum_points(self) -> int:
        """The fewest points along an axis for which no stencil meets itself."""
        reach = max((stage.reach(axis) for stage in self.stages for axis in range(self.dimension)), default=0)
        return max(2 * reach + 1, self.order + 1)


def _sources(program: Program) -> dict[str, Source]:
    found = {name: Source(name, "fields", k) for k, name in enumerate(program.fields)}
    found |= {name: Source(name, "statics", k) for k, name in enumerate(program.statics)}
    for number, stage in enumerate(program.stages[:-1]):
        found |= {name: Source(name, f"stage{number}", k, number) for k, name in enumerate(stage.names)}
    return found


def _jets(program: Program, number: int, sources: dict[str, Source]) -> list[tuple[Source, Index]]:
    leaves = gr.leaves(program.stages[number].nodes)
    return [(sources[n.data[0]], n.data[1]) for n in leaves if n.op == "jet"]


# What need not be computed at every point: parts of expressions that only depend on some of the loops

_OUTER, _INNER, _FIELD, _CALL = 1, 2, 4, 8


@dataclass(frozen=True)
class Hoisted:
    """Largest subexpressions that are known early.

    `once` depend on parameters only, `by_line` on outer coordinates, and `tables` on the inner coordinate and call
    a function, so that they are worth a table along it.
    """

    once: tuple[Node, ...]
    by_line: tuple[Node, ...]
    tables: tuple[Node, ...]


def hoist(roots: Sequence[Node], coordinates: Sequence[str]) -> Hoisted:
    """Find the subexpressions of `roots` that can be computed outside the loop over the last coordinate."""
    order = gr.schedule(roots)
    kinds: dict[Node, int] = {}
    for node in order:
        kinds[node] = _kind(node, kinds, coordinates)
    places = {node: _place(kinds[node]) if node.args else "" for node in order}
    exposed = set(roots)
    for node in order:
        if not places[node]:
            exposed.update(node.args)
        else:
            exposed.update(a for a in node.args if places[a] != places[node])
    return Hoisted(*(tuple(n for n in order if n in exposed and places[n] == place)
                     for place in ("once", "by_line", "table")))


def _kind(node: Node, kinds: Mapping[Node, int], coordinates: Sequence[str]) -> int:
    if node.op == "jet":
        return _FIELD
    if node.op == "symbol" and node.data in coordinates:
        return _INNER if node.data == coordinates[-1] else _OUTER
    kind = _CALL if node.op == "call" else 0
    for argument in node.args:
        kind |= kinds[argument]
    return kind


def _place(kind: int) -> str:
    depends = kind & (_OUTER | _INNER | _FIELD)
    if not depends:
        return "once"
    if depends == _OUTER:
        return "by_line"
    return "table" if depends == _INNER and kind & _CALL else ""


def with_shared(program: Program) -> Program:
    """The program with what later stages would compute again stored by the first stage that computes it."""
    stages = list(program.stages)
    for number in range(len(stages) - 1):
        own = {n for n in gr.schedule(stages[number].nodes) if n.args} - set(stages[number].nodes)
        later = [n for stage in stages[number + 1:] for n in _largest(stage.nodes, own)]
        kept = {n: gr.jet(f"shared {number} {q}", (0,) * program.dimension)
                for q, n in enumerate(dict.fromkeys(later)) if _cost(n) > WORTH_STORING}
        if kept:
            stages[number] = Stage((*stages[number].outputs, *((jet.data[0], n) for n, jet in kept.items())))
            stages[number + 1:] = [stage.substituted(kept) for stage in stages[number + 1:]]
    return replace(program, stages=tuple(stages))


WORTH_STORING = 8
"""Operations from which on a value is stored for a later stage instead of computed again."""


def _largest(roots: Sequence[Node], among: set[Node]) -> list[Node]:
    """The members that the roots stand on, without those that stand below others."""
    used = [a for node in gr.schedule(roots, known=among) for a in node.args] + list(roots)
    return [n for n in used if n in among]


def _cost(node: Node) -> int:
    return sum(len(n.args) + 4 * sum(n.data[1]) if n.op == "jet" else len(n.args) for n in gr.schedule([node]))


def letters(index: Index) -> str:
    """The differentiated axes of an index, each as often as it is: ij, iij."""
    return "".join(AXES[a] * k for a, k in enumerate(index))


def operations(index: Index, order: int) -> int:
    """How many operations the last stencil of a derivative takes."""
    derivative = index[last_axis(index)]
    return 2 * radius(derivative, order) + (derivative % 2 == 0)


def runs(members: Sequence[Source], slots: Callable[[Source], tuple[int, ...]]) -> list[list[Source]]:
    """The members in groups that one loop can treat: same array, all places counting up together."""
    groups: list[list[Source]] = []
    for source in members:
        last = groups[-1][-1] if groups else None
        follows = last is not None and last.array == source.array and all(
            b == a + 1 for a, b in zip(slots(last), slots(source)))
        if follows:
            groups[-1].append(source)
        else:
            groups.append([source])
    return groups
