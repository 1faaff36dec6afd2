"""The text of a grid routine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from geomflow.codegen.lowering import Leaf, Lowering
from geomflow.codegen.plan import (
    AXES,
    GridPlan,
    Hoisted,
    Index,
    Reader,
    Source,
    hoist,
    last_axis,
    letters,
    operations,
    parent,
    plus,
    runs,
    shifted,
    weight,
)
from geomflow.codegen.stencils import radius, weights
from geomflow.codegen.text import Names, Writer
from geomflow.core import graph as gr
from geomflow.core.graph import Node


class GridEmitter:
    """Writes the function `block` for a plan; `operations` counts those at each point."""

    def __init__(self, plan: GridPlan) -> None:
        self.plan = plan
        self.operations = 0
        self._names = Names()
        self._program = plan.program
        self._counter = count(1)
        self._inner = AXES[plan.inner]
        for reserved in AXES:
            self._names.take(reserved)
        numbers = (*self._program.coordinates, *self._program.parameters)
        self._symbols = {name: self._names.take(name) for name in numbers}
        self._hoisted = [hoist(stage.nodes, self._program.coordinates) for stage in self._program.stages]
        self._early: dict[Node, str] = {}
        self._jet_names: dict[str, str] = {}

    def body(self) -> list[str]:
        """The lines of `block`, from its first to its last."""
        out = Writer(1)
        self._sizes(out)
        self._weights(out)
        self._buffers(out)
        self._once(out)
        self._tables(out)
        first = self.plan.leads[0]
        with out.block(f"for step in range({plus('start', -first)}, {plus('stop', first)}):"):
            for number in range(len(self.plan.stages)):
                self._stage(out, number)
        return out.lines

    def _temporary(self) -> str:
        return f"t{next(self._counter)}"

    # Before the loops

    def _sizes(self, out: Writer) -> None:
        out.line("noalias()")
        for axis in range(self.plan.dimension):
            out.line(f"n_{AXES[axis]} = out.shape[{axis + 1}]")
        for axis, name in enumerate(self._program.coordinates):
            out.line(f"h_{AXES[axis]} = spacing[{axis}]  # of {name}")
        for position, name in enumerate(self._program.parameters):
            out.line(f"{self._symbols[name]} = parameters[{position}]")

    def _weights(self, out: Writer) -> None:
        used = {(last_axis(index), index[last_axis(index)])
                for stage in self.plan.stages for _, index in stage.differentiated}
        for axis, derivative in sorted(used):
            known = weights(derivative, self.plan.order)
            reach = radius(derivative, self.plan.order)
            scale = " * ".join([f"h_{AXES[axis]}"] * derivative)
            for point in range(derivative % 2, reach + 1):
                w = known[reach + point]
                if w:
                    out.line(f"{weight(axis, derivative, point)} = {w.numerator}.0 / ({w.denominator}.0 * {scale})")

    def _buffers(self, out: Writer) -> None:
        for number, stage in enumerate(self.plan.stages):
            for index, members in stage.prefixes.items():
                extents = [str(len(members))]
                extents += self._extents(last_axis(index) + 1, self.plan.leads[number] + stage.reach(1, of=index))
                out.line(f"d{number}_{letters(index)} = np.empty(({', '.join(extents)}))")
            if lines := stage.lines(self.plan.inner):
                out.line(f"line{number} = np.empty(({len(lines)}, {self._padded()}))")
            if number < len(self.plan.stages) - 1:
                planes = [str(len(self._program.stages[number].outputs)), str(self.plan.depth(number))]
                extents = self._extents(1, self.plan.leads[number])
                out.line(f"stage{number} = np.empty(({', '.join([*planes, *extents])}))")

    def _extents(self, axis: int, lead: int) -> list[str]:
        """The extents of a buffer over the axes from `axis` on."""
        return [self._padded() if a == self.plan.inner else plus("last - first", 2 * lead) if a == 1 else f"n_{AXES[a]}"
                for a in range(axis, self.plan.dimension)]

    def _padded(self) -> str:
        return plus(f"n_{self._inner}", 2 * self.plan.pad)

    def _once(self, out: Writer) -> None:
        nodes = [n for hoisted in self._hoisted for n in hoisted.once]
        leaves = {gr.symbol(p): Leaf(self._symbols[p], self._symbols[p]) for p in self._program.parameters}
        lowering = Lowering(nodes, leaves, temporary=self._temporary)
        self._early = dict(zip(nodes, lowering.lower(nodes)))
        out.extend(lowering.lines)

    def _tables(self, out: Writer) -> None:
        nodes = list(dict.fromkeys(n for hoisted in self._hoisted for n in hoisted.tables))
        if not nodes:
            return
        lowering = self._lowering(nodes, {})
        held = lowering.lower(nodes)
        out.line(f"table = np.empty(({len(nodes)}, n_{self._inner}))")
        with out.block(f"for {self._inner} in range(n_{self._inner}):"):
            out.extend(lowering.lines)
            out.extend(f"table[{q}, {self._inner}] = {text}" for q, text in enumerate(held))
        for q, node in enumerate(nodes):
            self._early[node] = f"table[{q}, {self._inner}]"

    def _lowering(self, nodes: list[Node], jets: dict[Node, Leaf]) -> Lowering:
        leaves = dict(jets)
        for axis, coordinate in enumerate(self._program.coordinates):
            name = self._symbols[coordinate]
            fetch = f"{AXES[axis]} * h_{AXES[axis]}"
            leaves[gr.symbol(coordinate)] = Leaf(name, fetch, 1)
        for parameter in self._program.parameters:
            name = self._symbols[parameter]
            leaves[gr.symbol(parameter)] = Leaf(name, name)
        lowering = Lowering(nodes, leaves, temporary=self._temporary)
        for node, text in self._early.items():
            lowering.bind(node, text)
        return lowering

    # The loops of one stage

    def _stage(self, out: Writer, number: int) -> None:
        lead, lag = self.plan.leads[number], self.plan.leads[0] - self.plan.leads[number]
        names = ", ".join(self._program.stages[number].names)
        out.line(f"# {names}" if len(names) < 100 else f"# {names[:100]} ...")
        out.line(f"p = {plus('step', -lag)}")
        if lag:
            with out.block(f"if p >= {plus('start', -lead)}:"):
                self._plane(out, number)
        else:
            self._plane(out, number)

    def _plane(self, out: Writer, number: int) -> None:
        stage = self.plan.stages[number]
        self._moved(out, "i", "p", "n_i", stage.reach(0))
        earlier = {s.stage for s, _ in stage.jets if s.stage >= 0}
        for t in sorted(earlier):
            self._moved(out, f"r{t}", "p", str(self.plan.depth(t)), stage.reach(0))
        if number < len(self.plan.stages) - 1:
            out.line(f"r{number} = p % {self.plan.depth(number)}")
        for index in self._prefixes(number, 0):
            self._fill(out, number, index)
        with self._lines(out, number):
            self._line(out, number)

    def _moved(self, out: Writer, name: str, value: str, size: str, reach: int) -> None:
        """Periodic indices around `value`."""
        for shift in range(-reach, reach + 1):
            moved = plus(value, shift)
            out.line(f"{shifted(name, shift)} = {moved if moved.isidentifier() else f'({moved})'} % {size}")

    def _prefixes(self, number: int, axis: int) -> list[Index]:
        return [index for index in self.plan.stages[number].prefixes if last_axis(index) == axis]

    @contextmanager
    def _lines(self, out: Writer, number: int) -> Iterator[None]:
        """Loops over the middle axes, filling the buffers that belong to them."""
        stage, lead = self.plan.stages[number], self.plan.leads[number]
        if self.plan.dimension == 2:
            yield
            return
        with out.block(f"for line in range({plus('last - first', 2 * lead)}):"):
            self._moved(out, "j", plus("first + line", -lead), "n_j", stage.reach(1))
            for index in self._prefixes(number, 1):
                self._fill(out, number, index)
            if self.plan.dimension == 3:
                yield
                return
            with out.block("for k in range(n_k):"):
                self._moved_k(out, stage.reach(2))
                for index in self._prefixes(number, 2):
                    self._fill(out, number, index)
                yield

    def _moved_k(self, out: Writer, reach: int) -> None:
        for shift in (s for s in range(-reach, reach + 1) if s):
            out.line(f"{shifted('k', shift)} = ({plus('k', shift)}) % n_k")

    def _fill(self, out: Writer, number: int, index: Index) -> None:
        """Compute a prefix over all axes behind its last one."""
        stage, axis = self.plan.stages[number], last_axis(index)
        halo = stage.reach(1, of=index) if axis == 0 else 0
        reader = Reader(self.plan, number, halo)
        with self._behind(out, number, axis, halo):
            for members in runs(stage.prefixes[index], lambda s: self._slots(number, s, index)):
                self._fill_run(out, reader, index, members)

    def _slots(self, number: int, source: Source, index: Index) -> tuple[int, ...]:
        stage = self.plan.stages[number]
        above = parent(index)
        slots = (source.position, stage.prefixes[index].index(source))
        return (*slots, stage.prefixes[above].index(source)) if any(above) else slots

    def _fill_run(self, out: Writer, reader: Reader, index: Index, members: list[Source]) -> None:
        with self._components(out, len(members)) as label:
            target = self._target(reader, index, members[0], label)
            with out.block(f"for {self._inner} in range(n_{self._inner}):"):
                out.line(f"{target(plus(self._inner, self.plan.pad))} = {reader.stencil(members[0], index, label)}")
            self._wrap(out, target)
        self.operations += len(members) * operations(index, self.plan.order)

    def _target(self, reader: Reader, index: Index, source: Source,
                label: Callable[[int], str]) -> Callable[[str], str]:
        whole = reader.value(source, index, label)
        inner = plus(self._inner, self.plan.pad)
        return lambda place: whole[: -len(inner) - 1] + place + "]"

    @contextmanager
    def _components(self, out: Writer, number: int) -> Iterator[Callable[[int], str]]:
        if number == 1:
            yield str
            return
        with out.block(f"for c in range({number}):"):
            yield lambda base: plus("c", base)

    @contextmanager
    def _behind(self, out: Writer, number: int, axis: int, halo: int) -> Iterator[None]:
        """Loops over the axes between `axis` and the inner one."""
        dimension = self.plan.dimension
        beyond = self.plan.leads[number] + halo
        if axis == 0 and dimension >= 3:
            with out.block(f"for line in range({plus('last - first', 2 * beyond)}):"):
                out.line(f"j = (first + line - {beyond}) % n_j" if beyond else "j = first + line")
                with self._behind(out, number, 1, halo):
                    yield
        elif axis <= 1 and dimension == 4:
            with out.block("for k in range(n_k):"):
                yield
        else:
            yield

    def _wrap(self, out: Writer, target: Callable[[str], str]) -> None:
        """Continue a line periodically at both ends."""
        pad, size = self.plan.pad, f"n_{self._inner}"
        if pad:
            with out.block(f"for s in range({pad}):"):
                out.line(f"{target('s')} = {target(f'{size} + s')}")
                out.line(f"{target(f'{size} + s + {pad}')} = {target(f's + {pad}')}")

    # The innermost loop

    def _line(self, out: Writer, number: int) -> None:
        stage = self.plan.stages[number]
        reader = Reader(self.plan, number)
        self._padded_lines(out, number, stage.lines(self.plan.inner))
        lowering = self._stage_lowering(out, number, reader)
        roots = list(self._program.stages[number].nodes)
        held = lowering.lower(roots)
        with out.block(f"for {self._inner} in range(n_{self._inner}):"):
            out.extend(lowering.lines)
            out.extend(f"{self._output(number, str(c), self._inner)} = {text}" for c, text in enumerate(held))
        self.operations += lowering.operations
        if number < len(self.plan.stages) - 1 and self.plan.pad:
            with out.block(f"for c in range({len(held)}):"):
                self._wrap(out, lambda place: self._ring(number, "c", place))

    def _output(self, number: int, component: str, place: str) -> str:
        if number < len(self.plan.stages) - 1:
            return self._ring(number, component, plus(place, self.plan.pad))
        return f"out[{component}, {', '.join(AXES[a] for a in range(self.plan.inner))}, {place}]"

    def _ring(self, number: int, component: str, place: str) -> str:
        middle = ["line", "k"][: self.plan.dimension - 2]
        return f"stage{number}[{', '.join([component, f'r{number}', *middle, place])}]"

    def _padded_lines(self, out: Writer, number: int, sources: list[Source]) -> None:
        reader = Reader(self.plan, number)
        zero = (0,) * self.plan.dimension
        for members in runs(sources, lambda s: (s.position, sources.index(s))):
            with self._components(out, len(members)) as label:
                slot = label(sources.index(members[0]))
                with out.block(f"for {self._inner} in range(n_{self._inner}):"):
                    value = reader.value(members[0], zero, label)
                    out.line(f"line{number}[{slot}, {plus(self._inner, self.plan.pad)}] = {value}")
                self._wrap(out, lambda place, slot=slot: f"line{number}[{slot}, {place}]")  # type: ignore[misc]

    def _stage_lowering(self, out: Writer, number: int, reader: Reader) -> Lowering:
        """The lowering of a stage's expressions, with what is known before the innermost loop written already."""
        roots = list(self._program.stages[number].nodes)
        hoisted = self._hoisted[number]
        early = self._by_line(out, hoisted)
        jets = {}
        for source, index in reader.stage.jets:
            text = reader.jet(source, index, str)
            stored = not any(index) or source in reader.stage.prefixes.get(index, ())
            cost = 0 if stored else operations(index, self.plan.order)
            jets[gr.jet(source.name, index)] = Leaf(self._jet_name(source, index), text, cost)
        lowering = self._lowering(roots, jets)
        for node, text in early.items():
            lowering.bind(node, text)
        return lowering

    def _by_line(self, out: Writer, hoisted: Hoisted) -> dict[Node, str]:
        lowering = self._lowering(list(hoisted.by_line), {})
        held = lowering.lower(hoisted.by_line)
        out.extend(lowering.lines)
        return dict(zip(hoisted.by_line, held))

    def _jet_name(self, source: Source, index: Index) -> str:
        along = "".join(name * k for name, k in zip(self._program.coordinates, index))
        wanted = f"{source.name}_{along}" if along else source.name
        if wanted not in self._jet_names:
            self._jet_names[wanted] = self._names.take(wanted)
        return self._jet_names[wanted]
