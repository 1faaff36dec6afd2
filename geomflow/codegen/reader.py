"""How generated loops read: the addresses of rows, written before a loop, and the texts of stencils inside it.

Values of given arrays and of buffers are read as row[j + constant]. A row of a buffer begins at its tile's first point
on a cache line; what lies beyond the tile stands before and after it.
"""

from __future__ import annotations

from collections.abc import Callable

from geomflow.codegen.plan import AXES, GridPlan, Index, Source, StagePlan, last_axis, letters, parent
from geomflow.codegen.stencils import radius

Label = Callable[[int], str]


def plus(name: str, offset: int) -> str:
    """name + offset, without adding zero."""
    return f"{name} + {offset}" if offset > 0 else f"{name} - {-offset}" if offset < 0 else name


def times(text: str, factor: str | int) -> str:
    """text * factor, in parentheses where it needs them."""
    return f"{text} * {factor}" if text.isidentifier() or text.isdigit() else f"({text}) * {factor}"


class Reader:
    """Texts that read the values of one stage in one loop along the inner axis; every loop names its own addresses.

    `beyond` is by how many points the loop exceeds the tile at both ends; `take` hands out names.
    """

    def __init__(self, plan: GridPlan, number: int, take: Callable[[str], str], beyond: int = 0) -> None:
        self.plan, self.number, self.beyond = plan, number, beyond
        self._named: dict[str, str] = {}
        self._take = take
        self._size = f"n_{AXES[plan.inner]}"

    @property
    def rows(self) -> dict[str, str]:
        """The names of addresses that must stand before the loop, and the addresses."""
        return {name: address for address, name in self._named.items()}

    @property
    def stage(self) -> StagePlan:
        """The plan of the stage."""
        return self.plan.stages[self.number]

    @property
    def inner(self) -> str:
        """The loop variable."""
        return AXES[self.plan.inner]

    def row(self, wanted: str, address: str) -> str:
        """The name of an address that is written before the loop."""
        if address not in self._named:
            self._named[address] = self._take(f"at_{wanted}")
        return self._named[address]

    def value(self, source: Source, index: Index, label: Label, axis: int = -1) -> str:
        """A stored derivative, or the function itself; from its line buffer if `axis` is the inner one."""
        row, place, _ = self._found(source, index, label, axis)
        return f"{row}[{place}]"

    def stencil(self, source: Source, index: Index, label: Label) -> str:
        """The derivative, by its stencil over its parent."""
        axis = last_axis(index)
        derivative = index[axis]
        row, place, step = self._found(source, parent(index), label, axis)
        if axis != self.plan.inner:
            numbers, stride = step
            numbers = f"{numbers}_{radius(derivative, self.plan.order)}"
            row = self.row(f"{source.name}_{AXES[axis]}", f"around({row}, {numbers}, {stride})")
        return f"{'odd' if derivative % 2 else 'even'}({row}, {place}, w_{AXES[axis] * derivative})"

    def table(self, slot: int) -> str:
        """An entry of the tables along the inner axis."""
        begin = times(f"{slot} - turn" if self.beyond else str(slot), self._size)
        return f"{self.row(f'table_{slot}', f'at(table, {begin})')}[{self.inner}]"

    def output(self, component: int) -> str:
        """Where a result of the last stage is written."""
        return f"{self.row(f'out_{component}', self._row('out', str(component), -1))}[{self.inner}]"

    def _found(self, source: Source, index: Index, label: Label, axis: int) -> tuple[str, str, tuple[str, str]]:
        """A row, the place in it, and how to get to its neighbours along `axis`: their numbers, and a stride.

        Along any axis but the inner one the row is the one of number zero.
        """
        if any(index):
            members = self.stage.prefixes[index]
            slot, buffer = label(members.index(source)), f"d{self.number}_{letters(index)}"
            return self._buffered(buffer, self._behind(index), slot, len(members), axis)
        if source.stage >= 0:
            components = len(self.plan.program.stages[source.stage].outputs)
            return self._buffered(source.array, self._planes(source.stage), label(source.position), components, axis)
        if axis == self.plan.inner:
            lines = self.stage.lines(self.plan.inner)
            return self._buffered(f"line{self.number}", [], label(lines.index(source)), len(lines), axis)
        position = label(source.position)
        row = self.row(source.name if position.isdigit() else source.array, self._row(source.array, position, axis))
        stride = " * ".join(f"n_{AXES[a]}" for a in range(axis + 1, self.plan.dimension))
        return row, self.inner, (AXES[axis], stride)

    def _row(self, array: str, position: str, axis: int) -> str:
        places = [position, *("0" if a == axis else AXES[a] for a in range(self.plan.inner))]
        text = f"row({array}, ({', '.join(places)}))"
        return f"at({text}, -turn * {self._size})" if self.beyond else text

    def _buffered(self, buffer: str, places: list[tuple[int, str, str]], slot: str, members: int,
                  axis: int) -> tuple[str, str, tuple[str, str]]:
        """`places` are (axis, number, extent), outer first; behind them come the members and the row itself."""
        constant, pitch, step = slot.isdigit(), self.plan.pitch, ("", "")
        row = "0"
        for a, number, extent in places:
            row = "0" if row == "0" else times(row, extent)
            if a == axis:
                behind = [e for _, _, e in places[[p[0] for p in places].index(a) + 1:]]
                step = number, " * ".join([*behind, str(members * pitch)])
            else:
                row = number if row == "0" else f"{row} + {number}"
        row = "0" if row == "0" else times(row, members)
        row = row if constant else slot if row == "0" else f"{row} + {slot}"
        address = f"at({buffer}, origin)" if row == "0" else f"at({buffer}, {times(row, pitch)} + origin)"
        name = self.row(buffer if constant else f"{buffer}_c", address)
        return name, plus(self.inner, int(slot) * pitch if constant else 0), step

    def _behind(self, index: Index) -> list[tuple[int, str, str]]:
        """The place in a prefix of the line (a ring along the second axis) and of the third axis."""
        ring = [(1, "q", "")] if last_axis(index) == 0 and self.plan.dimension >= 3 else []
        return ring + ([(2, "k", "n_k")] if last_axis(index) <= 1 and self.plan.dimension == 4 else [])

    def _planes(self, stage: int) -> list[tuple[int, str, str]]:
        """The place in the last planes of an earlier stage."""
        places = [(0, f"r{stage}", "")]
        if self.plan.dimension >= 3:
            places.append((1, f"m{stage}", f"lines{stage}"))
        return places + ([(2, "k", "n_k")] if self.plan.dimension == 4 else [])

    def across(self, source: Source, index: Index) -> tuple[str, str]:
        """The row, and the place in it, of a derivative that is computed before the loop that uses it."""
        slot = self.stage.across.index((source, index))
        return self._buffered(f"across{self.number}", [], str(slot), 1, -1)[:2]

    def jet(self, source: Source, index: Index, label: Label) -> str:
        """Any derivative: from its buffer where it has one, else by its stencil."""
        if (source, index) in self.stage.across:
            row, place = self.across(source, index)
            return f"{row}[{place}]"
        if not any(index) or source in self.stage.prefixes.get(index, ()):
            return self.value(source, index, label)
        return self.stencil(source, index, label)
