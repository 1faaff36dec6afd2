"""Which derivatives a grid routine stores, where, how far its stages run ahead of each other, and how it reads them.

A derivative u_(a,b,..) is the product of one-dimensional stencils, the outer axis first. Removing the last factor
gives its *parent*; a parent other than u itself is a *prefix*, kept in a buffer over the axes behind its last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from geomflow.codegen.stencils import radius, weights
from geomflow.core import graph as gr
from geomflow.core.graph import Node
from geomflow.core.program import Program

Index = tuple[int, ...]
Label = Callable[[int], str]
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

    def reach_into(self, stage: int) -> int:
        """How far stencils along the two outer axes reach in the outputs of an earlier stage."""
        return max((radius(k, self.order) for s, index in self.differentiated if s.stage == stage
                    for k in index[:2]), default=0)

    def lines(self, inner: int) -> list[Source]:
        """The given arrays of which padded lines are needed, because the inner axis is differentiated first."""
        return list(dict.fromkeys(s for s, index in self.differentiated
                                  if last_axis(index) == inner and not any(parent(index)) and s.stage < 0))


class GridPlan:
    """The stages of a program with at least two axes, in the order of execution along the outer axis."""

    def __init__(self, program: Program, order: int) -> None:
        self.program, self.order = program, order
        self.dimension = program.dimension
        self.inner = self.dimension - 1
        self.sources = _sources(program)
        self.stages = [StagePlan(_jets(program, number, self.sources), order) for number in range(len(program.stages))]
        self.leads = self._leads()

    def _leads(self) -> list[int]:
        """By how many planes each stage runs ahead of the last one."""
        leads = [0] * len(self.stages)
        for number in reversed(range(len(leads) - 1)):
            later = range(number + 1, len(leads))
            leads[number] = max(leads[t] + self.stages[t].reach_into(number) for t in later)
        return leads

    def depth(self, number: int) -> int:
        """How many planes of a stage's outputs are kept: those that later stages still read."""
        later = range(number + 1, len(self.stages))
        return max(self.leads[number] - self.leads[t] + self.stages[t].reach_into(number) for t in later) + 1

    @cached_property
    def pad(self) -> int:
        """By how many points lines are continued periodically at both ends."""
        return max(stage.reach(self.inner) for stage in self.stages)

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


def shifted(name: str, shift: int) -> str:
    """The variable that holds a periodic index moved by `shift`: i, i_p1, i_m2."""
    return f"{name}_{'p' if shift > 0 else 'm'}{abs(shift)}" if shift else name


def plus(name: str, offset: int) -> str:
    """name + offset, without adding zero."""
    return f"{name} + {offset}" if offset > 0 else f"{name} - {-offset}" if offset < 0 else name


def letters(index: Index) -> str:
    """The differentiated axes of an index, each as often as it is: ij, iij."""
    return "".join(AXES[a] * k for a, k in enumerate(index))


def weight(axis: int, derivative: int, point: int) -> str:
    """The variable of a stencil weight, divided by the power of the spacing."""
    return f"w_{AXES[axis] * derivative}_{point}"


@dataclass(frozen=True)
class Reader:
    """Texts that read the values of one stage at the current point.

    `line` is the number of the current line of the first buffer that is open along the second axis (three and
    more dimensions); `halo` by how many lines the current loop runs beyond the stage's own.
    """

    plan: GridPlan
    number: int
    halo: int = 0

    @property
    def stage(self) -> StagePlan:
        """The plan of the stage."""
        return self.plan.stages[self.number]

    def buffer(self, index: Index) -> str:
        """The name of the buffer of a prefix."""
        return f"d{self.number}_{letters(index)}"

    def value(self, source: Source, index: Index, label: Label, axis: int = -1, shift: int = 0) -> str:
        """A stored derivative, or the function itself, `shift` points along `axis`."""
        if any(index):
            return self._prefix(source, index, label, axis, shift)
        if source.stage >= 0:
            return self._ring(source, label, axis, shift)
        if axis == self.plan.inner:
            slot = self.stage.lines(self.plan.inner).index(source)
            return f"line{self.number}[{label(slot)}, {plus(AXES[axis], self.plan.pad + shift)}]"
        where = [shifted(AXES[a], shift if a == axis else 0) for a in range(self.plan.dimension)]
        return f"{source.array}[{label(source.position)}, {', '.join(where)}]"

    def _prefix(self, source: Source, index: Index, label: Label, axis: int, shift: int) -> str:
        slot = self.stage.prefixes[index].index(source)
        halo = self.stage.reach(1, of=index)
        behind = range(last_axis(index) + 1, self.plan.dimension)
        where = [self._behind(a, shift if a == axis else 0, halo - self.halo) for a in behind]
        return f"{self.buffer(index)}[{', '.join([label(slot), *where])}]"

    def _ring(self, source: Source, label: Label, axis: int, shift: int) -> str:
        lead = self.plan.leads[source.stage] - self.plan.leads[self.number] - self.halo
        where = [shifted(f"r{source.stage}", shift if axis == 0 else 0)]
        where += [self._behind(a, shift if a == axis else 0, lead) for a in range(1, self.plan.dimension)]
        return f"{source.array}[{', '.join([label(source.position), *where])}]"

    def _behind(self, axis: int, shift: int, lead: int) -> str:
        if axis == self.plan.inner:
            return plus(AXES[axis], self.plan.pad + shift)
        return plus("line", lead + shift) if axis == 1 else shifted(AXES[axis], shift)

    def stencil(self, source: Source, index: Index, label: Label) -> str:
        """The derivative, by its stencil over its parent."""
        axis = last_axis(index)
        above, derivative = parent(index), index[axis]
        known = weights(derivative, self.plan.order)
        reach = radius(derivative, self.plan.order)
        text = ""
        if derivative % 2 == 0:
            text = f"{weight(axis, derivative, 0)} * {self.value(source, above, label, axis, 0)}"
        for s in range(1, reach + 1):
            if known[reach + s]:
                ahead, behind = (self.value(source, above, label, axis, t) for t in (s, -s))
                pair = f"{ahead} {'-' if derivative % 2 else '+'} {behind}"
                name = weight(axis, derivative, s)
                text = f"fma({name}, {pair}, {text})" if text else f"{name} * ({pair})"
        return text

    def jet(self, source: Source, index: Index, label: Label) -> str:
        """Any derivative: from its buffer where it has one, else by its stencil."""
        if not any(index) or source in self.stage.prefixes.get(index, ()):
            return self.value(source, index, label)
        return self.stencil(source, index, label)


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
