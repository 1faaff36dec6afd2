"""Gradients of functionals of several fields: multipliers, and the system of the flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, ShapeError, require_known
from geomflow.core.program import Average
from geomflow.symbolic.functionals.inner_products import paired, raised
from geomflow.symbolic.functionals.linear import Linearisation, wave_vector
from geomflow.symbolic.functionals.system import GradientSystem, gradient_system
from geomflow.symbolic.language.shown import shown
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor
from geomflow.symbolic.variation.dependence import first_dependent, vectors
from geomflow.symbolic.variation.staged import Staged

Covectors = Mapping[str, Tensor]
"""E_u by field."""


@final
@dataclass(frozen=True)
class FieldsGradient:
    """The gradient of a functional of several fields, and its descent.

    Parameters
    ----------
    functional : FieldsDensity
        E.
    products : mapping of str to str
        The inner product of each field.
    moving : tuple of str
        The fields that move.
    keep : tuple of str
        Densities whose integrals are kept.
    """

    functional: Any
    products: Mapping[str, str]
    moving: tuple[str, ...]
    keep: tuple[str, ...] = ()

    kept_volume: ClassVar[str] = "volume"

    @property
    def metric(self) -> str:
        """The inner products of the fields that move, and what is kept, as text."""
        kept = [f"keep={text}" for text in self.keep]
        return " ".join([*(f"{name}:{self.products[name]}" for name in self.moving), *kept])

    @property
    def expression(self) -> sympy.Expr:
        """The gradient along each field that moves, as a tuple; less multiples of what is kept."""
        return sympy.Tuple(*(self._shown(name) for name in self.moving))

    @property
    def equation(self) -> sympy.Eq:
        """∂_t u = −grad_u E; of tuples where several fields move."""
        t = sympy.Symbol("t")
        left = [sympy.Derivative(sympy.Function(name)(t), t) for name in self.moving]
        right = [sympy.expand(-self._shown(name)) for name in self.moving]
        if len(left) == 1:
            return sympy.Eq(left[0], right[0], evaluate=False)
        return sympy.Eq(sympy.Tuple(*left), sympy.Tuple(*right), evaluate=False)

    @cached_property
    def _texts(self) -> list[dict[str, str] | None]:
        return [self.functional.gradient_texts(text) for text in (None, *self.multiplied)]

    def _shown(self, name: str) -> sympy.Expr:
        """The gradient along a field as a geometer writes it; grad_u E where the density is made of too much."""
        if any(texts is None for texts in self._texts):
            return sympy.Function(f"grad_{name}")(sympy.Symbol("E"))
        own, *kept = [(texts or {})[name] for texts in self._texts]
        multiples = zip(self._held, kept, strict=True)
        text = " ".join([own, *(f"- lambda_{place}*({part})" for place, part in multiples if part != "0")])
        return shown(f"-laplacian({text})" if self.products[name] == "H-1" else text, {})

    @property
    def kept(self) -> list[str]:
        """The densities that are kept, in the language of tensors."""
        return ["1" if text == self.kept_volume else text for text in self.keep]

    @property
    def multiplied(self) -> list[str]:
        """Those of them that change along the fields that move, each with a multiplier.

        Raises InputError for one whose gradient is a linear combination of those before it.
        """
        return [self.kept[place] for place in self._held]

    @cached_property
    def _varied(self) -> list[Any]:
        return list(self.functional.varied(*self.kept))

    @cached_property
    def _held(self) -> dict[int, Covectors]:
        """The variations of what has a multiplier, by place: its gradient does not vanish, decided at random jets."""
        kept = self._varied[1:]
        if not kept:
            return {}
        outputs = [node for one in kept for node in self.components(self._raised(one.tensors)).values()]
        found = vectors(self.functional.staged(self.variation.realised, outputs), len(kept))
        moved = [place for place, vector in enumerate(found) if any(vector)]
        fault = first_dependent([found[place] for place in moved])
        if fault is not None:
            name, before = self.keep[moved[fault]], ", ".join(f"'{self.keep[place]}'" for place in moved[:fault])
            raise InputError(f"keep names '{name}', whose integral stays where those of {before} stay: leave it out, "
                             "as each has a multiplier and these would not be determined.")
        return {place: kept[place].tensors for place in moved}

    @property
    def variation(self) -> Any:
        """δE by structure."""
        return self._varied[0]

    @property
    def _space(self) -> Space:
        space: Space = self.variation.realised.space
        return space

    def _pair(self, a: Covectors, b: Covectors) -> gr.Node:
        fields = self.functional.fields
        return gr.add(*(paired(self._space, fields[name], a[name], b[name], self.products[name])
                        for name in self.moving)) * self._space.density

    @cached_property
    def projected(self) -> tuple[Covectors, tuple[Average, ...]]:
        """E_u with its multiples of what is kept subtracted, and the multipliers, averages over the state."""
        averages: list[Average] = []
        basis: list[Covectors] = []
        for covectors in self._held.values():
            basis.append(self._orthogonal(covectors, basis, averages))
        found = self._orthogonal(self.variation.tensors, basis, averages)
        return found, tuple(averages)

    def _orthogonal(self, covectors: Covectors, basis: Sequence[Covectors], averages: list[Average]) -> Covectors:
        """Less its parts along a basis, each a multiplier."""
        found = {name: covectors[name] for name in self.moving}
        for direction in basis:
            name = f"multiplier_{len(averages)}"
            averages.append(Average(name, self._pair(covectors, direction), self._pair(direction, direction)))
            times = gr.symbol(name)
            found = {key: self._space.total([part, self._space.matched(direction[key], part.up).scaled(-times)])
                     for key, part in found.items()}
        return found

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """−grad_u E of each field that moves."""
        return {name: found.scaled(-1) for name, found in self._raised(self.projected[0]).items()}

    def _raised(self, covectors: Covectors) -> dict[str, Tensor]:
        fields = self.functional.fields
        return {name: raised(self._space, fields[name], covectors[name], self.products[name]) for name in self.moving}

    def components(self, tensors: Mapping[str, Tensor]) -> dict[str, gr.Node]:
        """The components of tensors of the kinds of the fields that move, by the names of theirs.

        Parameters
        ----------
        tensors : mapping of str to Tensor
            By field.
        """
        found: dict[str, gr.Node] = {}
        for name in self.moving:
            kind = self.functional.fields[name]
            names = kind.names(name, self.functional.coordinates)
            found |= zip(names, kind.packed(tensors[name]), strict=True)
        return found

    @property
    def rates(self) -> dict[str, gr.Node]:
        """∂_t of each component that moves."""
        return self.components(self.tensors)

    def system(self, dressed: Callable[[Space, dict[str, Tensor]], dict[str, Tensor]] | None = None) -> GradientSystem:
        """Rates, energy and dissipation.

        Parameters
        ----------
        dressed : callable, optional
            From the space and the rates by field to other rates, as those in a gauge.
        """
        functional, tensors = self.functional, self.tensors
        rates = self.components(tensors if dressed is None else dressed(self._space, tensors))
        energy = self.variation.density * self._space.density
        dissipation = self._pair(self.projected[0], self.projected[0])
        stages = self.variation.realised.stages
        statics = [own for own in functional.unknowns if own not in rates]
        return gradient_system(functional.coordinates, rates, stages, energy, dissipation, statics=statics,
                               averages=self.projected[1])

    def linearised_at(self, background: Any = "flat") -> Linearisation:
        """The linearised flow at a constant state.

        Raises ShapeError where a metric is no (d, d) matrix, InputError for a field that the functional has not.

        Parameters
        ----------
        background : "flat", matrix or mapping
            g_ij = δ_ij and all else 0; a constant metric; or values of fields by name, numbers of scalars, matrices of
            metrics and arrays of components of all others.
        """
        functional, rates = self.functional, self.rates
        values = self._values(background)
        rows = gr.substitute(list(rates.values()), self._multipliers(values))
        staged = Staged(functional.coordinates, (len(functional.coordinates),), self.variation.realised.stages,
                        tuple(rows))
        waves = tuple(gr.I * k for k in wave_vector(functional.coordinates))
        return Linearisation(functional.coordinates, tuple(rates), staged, values, waves)

    def _values(self, background: Any) -> dict[str, gr.Node]:
        """The components of a constant state."""
        functional, dim = self.functional, len(self.functional.coordinates)
        metric = self.variation.realised.tape.metric
        if isinstance(background, str) and background == "flat":
            given: dict[str, Any] = {}
        else:
            given = dict(background) if isinstance(background, Mapping) else {metric: background}
        for name in given:
            require_known("field", name, tuple(functional.fields))
        found: dict[str, gr.Node] = {}
        for name, kind in functional.fields.items():
            value = given.get(name, np.eye(dim, dtype=int) if name == metric else np.zeros((dim,) * kind.rank, int))
            array = np.array(value, dtype=object)
            if array.shape != (dim,) * kind.rank:
                raise ShapeError(f"the background of '{name}', {kind.label}, has the shape {(dim,) * kind.rank}, not "
                                 f"{array.shape}.")
            names = kind.names(name, functional.coordinates)
            found |= {own: gr.node(array[place]) for own, place in zip(names, kind.places(dim), strict=True)}
        return found

    def _multipliers(self, values: Mapping[str, gr.Node]) -> dict[gr.Node, gr.Node]:
        """What the multipliers are at a constant state, where no field has a derivative."""
        known: dict[gr.Node, gr.Node] = {}
        stages = self.variation.realised.stages
        constants = dict(values)
        for stage in stages:
            nodes = self._constant(stage.nodes, constants, known)
            constants |= zip(stage.names, nodes, strict=True)
        for average in self.projected[1]:
            top, bottom = self._constant([average.top, average.bottom], constants, known)
            known[gr.symbol(average.parameter)] = gr.ZERO if gr.is_zero(bottom) else top / bottom
        return known

    @staticmethod
    def _constant(nodes: Sequence[gr.Node], values: Mapping[str, gr.Node],
                  known: Mapping[gr.Node, gr.Node]) -> list[gr.Node]:
        leaves = [leaf for leaf in gr.leaves(nodes) if leaf.op == "jet"]
        point = {leaf: gr.ZERO if any(leaf.data[1]) else values.get(leaf.data[0], gr.ZERO) for leaf in leaves}
        return gr.substitute(nodes, {**point, **known})
