"""The text of a grid routine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import count

from geomflow.codegen.lowering import Leaf, Lowering, implementation
from geomflow.codegen.plan import AXES, LINE, GridPlan, Index, Source, hoist, last_axis, operations, parent, runs
from geomflow.codegen.preamble import buffers, sizes, stencil_weights
from geomflow.codegen.reader import Reader, plus, times
from geomflow.codegen.text import Names, Writer, listed
from geomflow.codegen.width import wide_registers
from geomflow.core import graph as gr
from geomflow.core.graph import Node


class GridEmitter:
    """Writes the function `block` for a plan; `operations` and `divisions` count those at each point."""

    def __init__(self, plan: GridPlan) -> None:
        self.plan = plan
        self.operations = self.divisions = 0
        self._names = Names()
        self._program = plan.program
        self._counter = count(1)
        self._inner = AXES[plan.inner]
        for reserved in AXES:
            self._names.take(reserved)
        numbers = (*self._program.coordinates, *self._program.parameters)
        self._symbols = {name: self._names.take(name) for name in numbers}
        self._hoisted = [hoist(stage.nodes, self._program.coordinates) for stage in self._program.stages]
        self._tabled = list(dict.fromkeys(n for hoisted in self._hoisted for n in hoisted.tables))
        self._once_held: dict[Node, str] = {}

    def body(self) -> list[str]:
        """The lines of `block`, from its first to its last."""
        out, needed = Writer(1), buffers(self.plan, len(self._tabled))
        out.extend(sizes(self.plan, self._symbols))
        out.extend(stencil_weights(self.plan))
        self._once(out)
        out.extend(f"{name} = buffer({count})" for name, count in needed.items())
        self._tables(out)
        size, width = f"n_{self._inner}", self.plan.width
        out.line(f"width = ({size} - 1) // (({size} + {width - 1}) // {width}) // {LINE} * {LINE} + {LINE}")
        out.line(f"turns = where(width >= {size}, 0, 1)")
        with out.block(f"for left in outer(0, {size}, width):"):
            out.line(f"right = minimum(left + width, {size})")
            out.line(f"origin = {self.plan.origin} - left")
            first = self.plan.leads[0]
            with out.block(f"for step in outer({plus('start', -first)}, {plus('stop', first)}):"):
                for number in range(len(self.plan.stages)):
                    self._stage(out, number)
        out.extend(f"release({name})" for name in needed)
        return out.lines

    def _temporary(self) -> str:
        return f"t{next(self._counter)}"

    # Before the loops

    def _once(self, out: Writer) -> None:
        nodes = [n for hoisted in self._hoisted for n in hoisted.once]
        leaves = {gr.symbol(p): Leaf(self._symbols[p], self._symbols[p]) for p in self._program.parameters}
        lowering = Lowering(nodes, leaves, temporary=self._temporary)
        self._once_held = dict(zip(nodes, lowering.lower(nodes)))
        out.extend(lowering.lines)

    def _tables(self, out: Writer) -> None:
        if not self._tabled:
            return
        lowering = self._lowering(self._tabled, {}, self._inner)
        held = lowering.lower(self._tabled)
        with out.block(f"for {self._inner} in loop(n_{self._inner}):"):
            out.extend(lowering.lines)
            out.extend(f"table[{q} * n_{self._inner} + {self._inner}] = {text}"
                       for q, text in enumerate(held))

    def _lowering(self, nodes: Sequence[Node], jets: dict[Node, Leaf], inner: str) -> Lowering:
        leaves = dict(jets)
        for axis, coordinate in enumerate(self._program.coordinates):
            counted = inner if axis == self.plan.inner else AXES[axis]
            leaves[gr.symbol(coordinate)] = Leaf(self._symbols[coordinate], times(counted, f"h_{AXES[axis]}"), 1)
        for parameter in self._program.parameters:
            name = self._symbols[parameter]
            leaves[gr.symbol(parameter)] = Leaf(name, name)
        lowering = Lowering(nodes, leaves, temporary=self._temporary)
        for node, text in self._once_held.items():
            lowering.bind(node, text)
        return lowering

    # The loops of one stage

    def _stage(self, out: Writer, number: int) -> None:
        lead, lag = self.plan.leads[number], self.plan.leads[0] - self.plan.leads[number]
        names = listed(self._program.stages[number].names)
        out.line(f"# {names}" if len(names) < 100 else f"# {names[:100]} ...")
        out.line(f"p = {plus('step', -lag)}")
        with out.block(f"with when(p >= {plus('start', -lead)}):") if lag else nullcontext():
            self._plane(out, number)

    def _plane(self, out: Writer, number: int) -> None:
        stage = self.plan.stages[number]
        self._periodic(out, "i", "p % n_i", "n_i", stage.reaches(0))
        for t in self._read(number):
            self._periodic(out, f"r{t}", f"p % {self.plan.depth(t)}", str(self.plan.depth(t)), stage.reaches(0))
        if number < len(self.plan.stages) - 1:
            out.line(f"r{number} = p % {self.plan.depth(number)}")
        if self.plan.dimension == 2:
            for index in self._prefixes(number, 0):
                self._fill(out, number, index)
            self._line(out, number)
        else:
            self._lines(out, number)

    def _read(self, number: int) -> list[int]:
        """The earlier stages that a stage reads."""
        return sorted({s.stage for s, _ in self.plan.stages[number].jets if s.stage >= 0})

    def _periodic(self, out: Writer, name: str, value: str, size: str, reaches: Sequence[int]) -> None:
        """A periodic index, and as tuples those around it."""
        if name != value:
            out.line(f"{name} = {value}")
        for reach in reaches:
            numbers = [f"periodic({plus(name, s)}, {size})" if s else name for s in range(-reach, reach + 1)]
            out.line(f"{name}_{reach} = ({', '.join(numbers)})")

    def _line_numbers(self, out: Writer, number: int, ahead: int) -> None:
        """The present line in the planes that are kept of this stage and of earlier ones."""
        if number < len(self.plan.stages) - 1:
            out.line(f"m{number} = line")
        for t in self._read(number):
            out.line(f"m{t} = {plus('line', self.plan.leads[t] - self.plan.leads[number] + ahead)}")
            for reach in self.plan.stages[number].reaches(1):
                numbers = ", ".join(plus(f"m{t}", s) for s in range(-reach, reach + 1))
                out.line(f"m{t}_{reach} = ({numbers})")

    def _prefixes(self, number: int, axis: int) -> list[Index]:
        return [index for index in self.plan.stages[number].prefixes if last_axis(index) == axis]

    def _lines(self, out: Writer, number: int) -> None:
        """Loops over the middle axes, filling the buffers that belong to them."""
        stage, lead = self.plan.stages[number], self.plan.leads[number]
        ahead, along = stage.ring_reach, self._prefixes(number, 0)
        depth = str(2 * ahead + 1)
        with out.block(f"for line in outer({-2 * ahead}, lines{number}):"):
            if along:
                out.line(f"j = ({plus('first + line', ahead - lead)}) % n_j")
                out.line(f"q = (line + {2 * ahead}) % {depth}")
                self._line_numbers(out, number, ahead)
                for index in along:
                    self._fill(out, number, index)
            with out.block("with when(line >= 0):") if ahead else nullcontext():
                if along:
                    reaches = [r for r in stage.reaches(1) if r <= ahead]
                    self._periodic(out, "q", f"(line + {ahead}) % {depth}", depth, reaches)
                self._middle(out, number)

    def _middle(self, out: Writer, number: int) -> None:
        """One line of the second axis."""
        stage, lead = self.plan.stages[number], self.plan.leads[number]
        self._periodic(out, "j", f"({plus('first + line', -lead)}) % n_j", "n_j", stage.reaches(1))
        self._line_numbers(out, number, 0)
        for index in self._prefixes(number, 1):
            self._fill(out, number, index)
        if self.plan.dimension == 3:
            self._line(out, number)
            return
        with out.block("for k in outer(n_k):"):
            self._periodic(out, "k", "k", "n_k", stage.reaches(2))
            for index in self._prefixes(number, 2):
                self._fill(out, number, index)
            self._line(out, number)

    def _fill(self, out: Writer, number: int, index: Index) -> None:
        """Compute a prefix over all axes behind its last one."""
        stage = self.plan.stages[number]
        if self.plan.dimension == 4 and last_axis(index) < 2:
            with out.block("for k in outer(n_k):"):
                self._fill_rows(out, number, index)
        else:
            self._fill_rows(out, number, index)
        self.operations += len(stage.prefixes[index]) * operations(index, self.plan.order)

    def _fill_rows(self, out: Writer, number: int, index: Index) -> None:
        for members in runs(self.plan.stages[number].prefixes[index], lambda s: self._slots(number, s, index)):
            reader = Reader(self.plan, number, self._names.take, self.plan.beyond(number))
            with self._components(out, len(members)) as label:
                value, target = reader.stencil(members[0], index, label), reader.value(members[0], index, label)
                self._loop(out, reader, [f"{target} = {value}"], [target])

    def _slots(self, number: int, source: Source, index: Index) -> tuple[int, ...]:
        stage = self.plan.stages[number]
        above = parent(index)
        slots = (source.position, stage.prefixes[index].index(source))
        return (*slots, stage.prefixes[above].index(source)) if any(above) else slots

    @contextmanager
    def _components(self, out: Writer, number: int) -> Iterator[Callable[[int], str]]:
        if number == 1:
            yield str
            return
        with out.block(f"for c in outer({number}):"):
            yield lambda base: plus("c", base)

    def _loop(self, out: Writer, reader: Reader, lines: list[str], written: Sequence[str] = ()) -> None:
        """A loop along the inner axis; rows `written` beyond the tile are continued periodically."""
        v, size, reach = self._inner, f"n_{self._inner}", reader.beyond
        if not reach:
            self._rows(out, reader)
            with out.block(f"for {v} in loop(left, right):"):
                out.extend(lines)
            return
        with out.block("for turn in outer(-turns, turns + 1):"):
            self._rows(out, reader)
            with out.block(f"for {v} in loop(maximum(left - {reach}, turn * {size}), "
                           f"minimum(right + {reach}, (turn + 1) * {size})):"):
                out.extend(lines)
        if not written:
            return
        rows = dict.fromkeys(text.partition("[")[0] for text in written)
        with out.block("with when(turns == 0):"):
            out.extend(f"{name} = {reader.rows[name]}" for name in rows)
            with out.block(f"for s in outer({reach}):"):
                for text in written:
                    for end, begin in ("-1 - s", f"{size} - 1 - s"), (f"{size} + s", "s"):
                        out.line(f"{text.replace(f'[{v}', f'[{end}')} = {text.replace(f'[{v}', f'[{begin}')}")

    def _rows(self, out: Writer, reader: Reader) -> None:
        out.extend(f"{name} = {address}" for name, address in reader.rows.items())

    # The innermost loop

    def _line(self, out: Writer, number: int) -> None:
        self._padded_lines(out, number)
        hoisted = self._hoisted[number]
        lowering = self._lowering(hoisted.by_line, {}, self._inner)
        early = dict(zip(hoisted.by_line, lowering.lower(hoisted.by_line)))
        out.extend(lowering.lines)
        reader = Reader(self.plan, number, self._names.take, self.plan.leads[number])
        final = number == len(self.plan.stages) - 1
        target = reader.output if final else partial(self._stored, reader, number)
        self._pointwise(out, reader, early, self._program.stages[number].nodes, target)

    def _stored(self, reader: Reader, number: int, component: int) -> str:
        """Where an output of an inner stage is written."""
        names = self._program.stages[number].names
        source = Source(names[component], f"stage{number}", component, number)
        return reader.value(source, (0,) * self.plan.dimension, str)

    def _pointwise(self, out: Writer, reader: Reader, early: dict[Node, str], roots: Sequence[Node],
                   target: Callable[[int], str]) -> None:
        """The loop that computes `roots`; `early` are known before it, and what is `late` takes a loop of its own."""
        one = reader.beyond or wide_registers()
        late = {} if one else _late(roots, {*early, *self._tabled, *self._once_held})
        roots = [root.args[0] if q in late else root for q, root in enumerate(roots)]
        needed = set(gr.schedule(roots, known={*early, *self._tabled}.difference(roots)))
        jets = {}
        wanted = [(source, index) for source, index in reader.stage.jets if gr.jet(source.name, index) in needed]
        for group in reader.stage.groups(wanted):
            self._across(out, reader, group)
        for source, index in wanted:
            stored = not any(index) or source in reader.stage.prefixes.get(index, ())
            cost = 0 if stored else operations(index, self.plan.order)
            name = self._names.take(self._jet_name(source, index))
            jets[gr.jet(source.name, index)] = Leaf(name, reader.jet(source, index, str), cost)
        counted = f"{self._inner} - turn * n_{self._inner}" if reader.beyond else self._inner
        lowering = self._lowering(roots, jets, counted)
        used = {a for node in needed for a in node.args} | set(roots)
        for q, node in enumerate(self._tabled):
            if node in used:
                lowering.bind(node, reader.table(q))
        for node, text in early.items():
            lowering.bind(node, text)
        held = lowering.lower(roots)
        targets = [target(q) for q in range(len(held))]
        lines = lowering.lines + [f"{where} = {text}" for where, text in zip(targets, held)]
        self._loop(out, reader, lines, targets)
        for q, function in late.items():
            with out.block(f"for {self._inner} in loop(left, right):"):
                out.line(f"{targets[q]} = {function}({targets[q]})")
        self.operations += lowering.operations + sum(implementation(name).cost for name in late.values())
        self.divisions += lowering.divisions + list(late.values()).count("log")

    def _across(self, out: Writer, reader: Reader, group: Sequence[tuple[Source, Index]]) -> None:
        """Compute derivatives over the line before the loop that uses them."""
        own = Reader(self.plan, reader.number, self._names.take, reader.beyond)
        lines = []
        for source, index in group:
            row, place = own.across(source, index)
            lines.append(f"{row}[{place}] = {own.stencil(source, index, str)}")
        self._loop(out, own, lines)

    def _padded_lines(self, out: Writer, number: int) -> None:
        sources = self.plan.stages[number].lines(self.plan.inner)
        zero = (0,) * self.plan.dimension
        for members in runs(sources, lambda s: (s.position, sources.index(s))):
            reader = Reader(self.plan, number, self._names.take, self.plan.beyond(number))
            with self._components(out, len(members)) as label:
                value = reader.value(members[0], zero, label)
                target = reader.value(members[0], zero, label, self.plan.inner)
                self._loop(out, reader, [f"{target} = {value}"], [target])

    def _jet_name(self, source: Source, index: Index) -> str:
        along = "".join(name * k for name, k in zip(self._program.coordinates, index))
        return f"{source.name}_{along}" if along else source.name


def _late(roots: Sequence[Node], known: Collection[Node]) -> dict[int, str]:
    """The logarithms and exponentials that are outputs and nothing else, by their numbers.

    One operation waits for the other in them, and they take many numbers. In a loop of their own many points are
    under way at once; where there are 32 registers for vectors they are in any loop.
    """
    used = Counter(roots) + Counter(a for node in gr.schedule(roots) for a in node.args)
    return {q: root.data for q, root in enumerate(roots)
            if root.op == "call" and root.data in ("log", "exp") and used[root] == 1 and root not in known}
