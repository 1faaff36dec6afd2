"""What densities of several fields may name, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError
from geomflow.core.numbers import exact_number
from geomflow.symbolic.language.kinds import Kind
from geomflow.symbolic.language.recorded import recorded
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tape import Tape
from geomflow.symbolic.language.tensor import Tensor, ordered
from geomflow.symbolic.language.words import Words
from geomflow.symbolic.meaning import Refusal
from geomflow.symbolic.parse import read


class NoAverages:
    """What `mean`, `integral` and `volume` are in a density: refused."""

    def mean(self, space: Any, node: gr.Node) -> Tensor:
        """Refused."""
        raise Refusal("a density is a function at each point, and means and integrals belong to the whole state: keep "
                      "one by gradient_flow(keep=...), or take the quotient of two functionals")

    integral = mean


@final
@dataclass(frozen=True)
class DensityWords:
    """The names that densities of the same fields may use.

    Parameters
    ----------
    coordinates : tuple of str
        Names of the axes, which a covariant density does not use.
    fields : mapping of str to Kind
        Kinds of the fields.
    numbers : mapping of str to number
        Parameters.
    where : mapping of str to str
        Definitions.
    """

    coordinates: tuple[str, ...]
    fields: Mapping[str, Kind]
    numbers: Mapping[str, Any]
    where: Mapping[str, str]

    def scalar(self, tape: Tape, text: str, constants: Mapping[str, Tensor] | None = None) -> gr.Node:
        """A density, over the symbols of a tape.

        Raises ExpressionError for text that cannot be read or is no scalar, InputError where it is not covariant.

        Parameters
        ----------
        tape : Tape
            Where its quantities are noted.
        text : str
            In the language of tensors.
        constants : mapping of str to Tensor, optional
            What the parameters are; their numbers unless given.
        """
        if not isinstance(text, str) or not text.strip():
            raise ExpressionError(f"{text!r} is no density: a density of several fields is written as text, as in "
                                  "'R - dot(d(f), d(f))/2'.")
        words = self._words(recorded(tape), constants or self._constants)
        found = read(text, words)
        if found.rank:
            raise ExpressionError(f"the density '{text}' is {found.kind}, and a density is a scalar: contract its "
                                  "indices, as dot(a, b), trace(T) and T[i, i] do.")
        if words.fixed:
            raise InputError(f"the density '{text}' is not covariant: it names {', '.join(sorted(words.fixed))}, which "
                             "belongs to the coordinates, so its integral depends on the chart. Write it in tensors, "
                             "such as R, dot(d(f), d(f)) and laplacian(f).")
        node: gr.Node = found.node
        return node

    def tensor(self, space: Space, text: str) -> Tensor:
        """A tensor in the same words, in a space where the fields live."""
        return replace(ordered(read(text, self._words(space, self._constants))), labels=None)

    @property
    def symbols(self) -> dict[str, Tensor]:
        """The parameters as symbols of their names."""
        return {name: Tensor.scalar(gr.symbol(name)) for name in self.numbers}

    @property
    def _constants(self) -> dict[str, Tensor]:
        return {name: Tensor.scalar(exact_number(value, f"the parameter '{name}'"))
                for name, value in self.numbers.items()}

    def _words(self, space: Space, constants: Mapping[str, Tensor]) -> Words:
        known = {name: kind.tensor(name, self.coordinates) for name, kind in self.fields.items()} | dict(constants)
        fixed = set[str]()
        for name, text in self.where.items():
            words = Words(space, NoAverages(), dict(known))  # type: ignore[arg-type]
            known[name] = replace(ordered(read(text, words)), labels=None)
            fixed |= words.fixed
        return Words(space, NoAverages(), known, fixed=fixed)  # type: ignore[arg-type]
