"""Numbers of a whole state: means, integrals and the volume, parameters of a program that are found at each state."""

from __future__ import annotations

from collections.abc import Collection

from geomflow.core import graph as gr
from geomflow.core.program import Average, needed
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor


class Averages:
    """The averages that rates depend on, each under the name of a parameter.

    Parameters
    ----------
    cell : Rational
        The volume of the torus with respect to dx.
    taken : collection of str
        Names that the parameters must not have.
    """

    def __init__(self, cell: gr.Rational, taken: Collection[str] = ()) -> None:
        self._cell = cell
        self._stem = "average"
        while any(name.startswith(self._stem) for name in taken):
            self._stem += "_"
        self._found: dict[tuple[gr.Node, gr.Node], Average] = {}

    @property
    def found(self) -> tuple[Average, ...]:
        """All of them, in the order in which they depend on each other."""
        return tuple(self._found.values())

    def mean(self, space: Space, node: gr.Node) -> Tensor:
        """∫ s dV / ∫ dV."""
        return self._named(space, node * space.density, space.density)

    def integral(self, space: Space, node: gr.Node) -> Tensor:
        """∫ s dV."""
        return self._named(space, node * space.density, gr.divide(1, self._cell))

    def _named(self, space: Space, top: gr.Node, bottom: gr.Node) -> Tensor:
        if (top, bottom) not in self._found:
            stages = needed(space.derive.stages, [top, bottom])
            name = f"{self._stem}_{len(self._found)}"
            self._found[top, bottom] = Average(name, top, bottom, stages)
        return Tensor.scalar(gr.symbol(self._found[top, bottom].parameter))
