"""How generated grid code reads values: arrays, buffers, and stencils over them, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from geomflow.codegen.plan import AXES, GridPlan, Index, Source, StagePlan, last_axis, parent
from geomflow.codegen.stencils import radius, weights

Label = Callable[[int], str]


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
