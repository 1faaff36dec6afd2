"""The words of the language: what rates and densities may name and call, and what a text says with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, ClassVar, final

import sympy

from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic.language.averages import Averages
from geomflow.symbolic.language.operators import CURVATURE, OPERATORS, Operators
from geomflow.symbolic.language.scalars import is_double, pointwise, real_scalar, require_scalar
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor
from geomflow.symbolic.meaning import FUNCTIONS, Meaning, Refusal, require_writable

TIME = "t"
RESERVED = {**dict.fromkeys(OPERATORS, "an operator"), **dict.fromkeys(CURVATURE, "a curvature"),
            "dV": "the volume density", "volume": "the volume", TIME: "the time"}
"""What no parameter can be called."""
NUMBERS = dict.fromkeys(("pi", "π", "e", "i"), "a number")
"""Constants that no field, parameter or definition may hide; E and I may be called anew."""


@final
@dataclass(frozen=True)
class Words(Meaning):
    """What a text means as tensors.

    Parameters
    ----------
    space : Space
        Where its derivatives, indices and curvature belong.
    averages : Averages
        What `mean`, `integral` and `volume` are kept in.
    fields : mapping
        The fields, coordinates, parameters and definitions by name.
    bound : mapping
        Which words that belong to the coordinates each of the `fields` stands on, itself where it is one.
    later : collection of str
        Definitions that may not be used yet.
    fixed : set of str
        Words used so far that belong to the coordinates.
    """

    space: Space
    averages: Averages
    fields: Mapping[str, Tensor]
    bound: Mapping[str, Collection[str]] = field(default_factory=dict)
    later: Collection[str] = ()
    fixed: set[str] = field(default_factory=set)

    indexed: ClassVar[bool] = True

    @cached_property
    def names(self) -> Mapping[str, Any]:  # type: ignore[override]
        """Values by name."""
        operators = self._operators
        return Lazily({**operators.of_potential, **{name: partial(self.known, name) for name in self.fields},
                       **operators.curvatures, **{name: partial(_too_early, name) for name in self.later}})

    @cached_property
    def functions(self) -> Mapping[str, Callable[..., Any]]:  # type: ignore[override]
        """The operators, and functions of scalars point by point."""
        return {**{name: pointwise(self.space, name) for name in FUNCTIONS}, **self._operators.functions}

    @property
    def _operators(self) -> Operators:
        return Operators(self.space, self.averages, self.fixed)

    @property
    def callable_names(self) -> Sequence[str]:
        return ()

    def known(self, name: str) -> Tensor:
        """One of the fields, coordinates, parameters and definitions."""
        self.fixed.update(self.bound.get(name, ()))
        return self.fields[name]

    # signs

    def number(self, value: sympy.Expr) -> Tensor:
        return real_scalar(from_sympy(value))

    def is_value(self, found: Any) -> bool:
        return isinstance(found, Tensor)

    def total(self, terms: Sequence[Tensor]) -> Tensor:
        return self.space.total(terms)

    def product(self, factors: Sequence[Tensor]) -> Tensor:
        counts: dict[str, int] = {}
        for label in (label for factor in factors for label in factor.labels or ()):
            counts[label] = counts.get(label, 0) + 1
            if counts[label] > 2:
                raise Refusal(f"the index '{label}' comes more than twice in this product: give the others "
                              "another name")
        found = factors[0]
        for factor in factors[1:]:
            found = self.space.product(found, factor)
        if not all(map(is_double, found.entries.flat)):
            raise Refusal("a number in this product is beyond double precision")
        return found

    def negative(self, value: Tensor) -> Tensor:
        return value.scaled(-1)

    def inverse(self, value: Tensor) -> Tensor:
        require_scalar(value, "one divides by")
        if value.node is gr.ZERO:
            raise Refusal("division by zero")
        return Tensor.scalar(gr.divide(1, value.node))

    def power(self, base: Tensor, exponent: Tensor) -> Tensor:
        require_scalar(base, "a power is of")
        require_scalar(exponent, "an exponent is")
        number = exponent.node
        if number.op == "constant" and not isinstance(number.data, str):
            if base.node is gr.ZERO and number.data < 0:
                raise Refusal("division by zero")
            times, data = Fraction(number.data), base.node.data
            written = base.node.op == "constant" and not isinstance(data, str)
            require_writable(data if written else None, abs(times))
            return real_scalar(gr.power(base.node, times))
        return Tensor.scalar(gr.exp(number * gr.log(base.node)))

    def at_indices(self, value: Tensor, indices: tuple[str, ...]) -> Tensor:
        found = value.further[len(indices)]() if len(indices) in value.further else value
        if found.labels is not None:
            raise Refusal(f"the indices of this are named already ({', '.join(found.labels) or 'all summed over'})")
        if found.rank != len(indices):
            known = " or ".join(str(count) for count in sorted({value.rank, *value.further} - {0})) or "none"
            given = "1 index is given" if len(indices) == 1 else f"{len(indices)} indices are given"
            raise Refusal(f"{given}, and what stands before has {known}")
        for label in indices:
            if label in self.fields or label in self.later:
                raise Refusal(f"'{label}' is the name of something else here, and components cannot be picked: an "
                              "index is a letter that is no other name, such as i")
            if indices.count(label) > 2:
                raise Refusal(f"the index '{label}' comes more than twice: give the others another name")
        return self.space.named(found, indices)


def _too_early(name: str) -> Any:
    raise Refusal(f"the definition '{name}' stands on itself or comes later: a definition uses those before it")


class Lazily(Mapping[str, Any]):
    """A mapping whose values are made when they are asked for, and kept."""

    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers, self._made = makers, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)
