"""The fields of a state as unknowns of an equation: their components as tensors, and the rates that fit them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from itertools import combinations
from typing import Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.core import symmetric
from geomflow.core.errors import InputError
from geomflow.core.symmetric import parity
from geomflow.field import (
    Field,
    Fields,
    FormField,
    HermitianField,
    MetricField,
    PotentialField,
    ScalarField,
    SymmetricField,
    TensorField,
)
from geomflow.field.potential import ReferenceForm
from geomflow.flow.equations.kahler import Target
from geomflow.symbolic.jets import (
    HermitianNodes,
    MetricNodes,
    field_node,
    hermitian_matrix,
    hermitian_nodes,
    metric_nodes,
)
from geomflow.symbolic.language.differences import Differences
from geomflow.symbolic.language.hermitian import (
    ChernMetric,
    ComplexMetric,
    PotentialMetric,
    by_complex_structure,
    packed_form,
    realified,
)
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor, mapped, whole
from geomflow.symbolic.meaning import Refusal

UNKNOWN = "u"
"""The name of the unknown where a single rate is given for a field of one component."""


@singledispatch
def tensor_of(kind: Any, name: str, coordinates: tuple[str, ...]) -> Tensor:
    """The unknown tensor of a field of this kind and name. Raises InputError for kinds that rates are not written for.
    """
    raise InputError(f"rates cannot be written for '{name}', {kind!r}: they are for scalars, potentials, metrics, "
                     "Hermitian metrics, symmetric and other tensors, vectors and forms on a grid.")


@tensor_of.register(ScalarField | PotentialField)
def _scalar(kind: Field, name: str, coordinates: tuple[str, ...]) -> Tensor:
    return Tensor.scalar(field_node(name, coordinates))


@tensor_of.register(MetricField | SymmetricField)
def _metric(kind: Field, name: str, coordinates: tuple[str, ...]) -> Tensor:
    return Tensor(metric_nodes(coordinates, name)[1], (False, False))


@tensor_of.register(HermitianField)
def _hermitian(kind: HermitianField, name: str, coordinates: tuple[str, ...]) -> Tensor:
    return Tensor(realified(unknown_form(kind, name).matrix), (False, False))


def unknown_form(kind: HermitianField, name: str) -> HermitianNodes:
    """h_{ab̄} of an unknown Hermitian metric of this name."""
    coordinates = kind.grid.torus.coordinates
    nodes = [field_node(own, coordinates) for own in kind.names(name)]
    return HermitianNodes(coordinates, hermitian_matrix(nodes, kind.values.shape[-1]))


@tensor_of.register(FormField)
def _form(kind: FormField, name: str, coordinates: tuple[str, ...]) -> Tensor:
    nodes = {places: field_node(own, coordinates) for own, places in
             zip(kind.names(name), combinations(range(len(coordinates)), kind.degree), strict=True)}
    shape = (len(coordinates),) * kind.degree
    entries = [parity(place) * nodes[tuple(sorted(place))] if len(set(place)) == len(place) else gr.ZERO
               for place in np.ndindex(shape)]
    return Tensor(whole(shape, entries), (False,) * kind.degree)


@tensor_of.register(TensorField)
def _tensor(kind: TensorField, name: str, coordinates: tuple[str, ...]) -> Tensor:
    nodes = [field_node(own, coordinates) for own in kind.names(name)]
    return Tensor(whole((len(coordinates),) * kind.rank, nodes), _places(kind.indices))


def _places(indices: str) -> tuple[bool, ...]:
    """Whether each of the indices, as in "^l_kij", is up."""
    up, found = False, []
    for letter in indices:
        if letter in "^_":
            up = letter == "^"
        else:
            found.append(up)
    return tuple(found)


@singledispatch
def metric_of(kind: Any, name: str, derive: Differences) -> MetricNodes | ComplexMetric | None:
    """The metric that an unknown field of this kind is, or has; None if it has none."""
    return None


@metric_of.register(MetricField)
def _of_components(kind: MetricField, name: str, derive: Differences) -> MetricNodes:
    return MetricNodes(derive.coordinates, metric_nodes(derive.coordinates, name)[1], derive.ignorable)


@metric_of.register(PotentialField)
def _of_potential(kind: PotentialField, name: str, derive: Differences) -> PotentialMetric:
    metric = hermitian_of(kind, name)
    target = Target.flat(kind, metric)
    return PotentialMetric.of(derive, metric, target.ratio(metric), target.excess(metric))


@metric_of.register(HermitianField)
def _of_form_components(kind: HermitianField, name: str, derive: Differences) -> ChernMetric:
    return ChernMetric.of(derive, unknown_form(kind, name))


def hermitian_of(kind: PotentialField, name: str) -> HermitianNodes:
    """g_{ab̄} = reference + ∂_a∂_b̄ of an unknown potential of this name."""
    form = ReferenceForm.of(kind)
    return hermitian_nodes(form.coordinates, form.nodes(), name)


@singledispatch
def packed_rate(kind: Any, rate: Tensor, space: Space) -> list[gr.Node]:
    """The independent components of a rate of a field of this kind, in packed order. Refuses a rate of another type."""
    raise InputError(f"{kind!r} has no rate.")


@packed_rate.register(ScalarField)
def _of_scalar(kind: Field, rate: Tensor, space: Space) -> list[gr.Node]:
    _require(rate, (), "a function")
    return [rate.node]


@packed_rate.register(PotentialField)
def _of_function(kind: PotentialField, rate: Tensor, space: Space) -> list[gr.Node]:
    if rate.up == (False, False):
        raise Refusal("a potential has a function for its rate s, which changes g_{ab̄} by ∂_a∂_b̄ s, and this is "
                      f"{rate.kind}: log(v) stands for -Ric")
    _require(rate, (), "a potential, a function,")
    return [rate.node]


@packed_rate.register(MetricField)
def _of_metric(kind: MetricField, rate: Tensor, space: Space) -> list[gr.Node]:
    return _symmetric_rate(rate, space, "a metric", "a metric, a symmetric tensor with 2 lower indices,")


@packed_rate.register(SymmetricField)
def _of_symmetric(kind: SymmetricField, rate: Tensor, space: Space) -> list[gr.Node]:
    return _symmetric_rate(rate, space, "a symmetric tensor", "a symmetric tensor with 2 lower indices")


def _symmetric_rate(rate: Tensor, space: Space, short: str, long: str) -> list[gr.Node]:
    _require(rate, (False, False), long)
    if not space.is_symmetric(rate):
        raise Refusal(f"{short} is symmetric, and its rate is not: write sym(...) around it")
    return symmetric.entries(rate.entries)


@packed_rate.register(HermitianField)
def _of_hermitian(kind: HermitianField, rate: Tensor, space: Space) -> list[gr.Node]:
    _require(rate, (False, False), "a Hermitian metric, a symmetric tensor with 2 lower indices,")
    turned = by_complex_structure(rate.entries)
    if not (space.is_symmetric(rate) and space.vanishes(mapped(lambda a, b: a - b, rate.entries, turned))):
        raise Refusal("the rate of a Hermitian metric is a symmetric tensor that J leaves as it is, T(JX, JY) = "
                      "T(X, Y), and this is not: ChernRic and ddbar(f) are, and Ric is where the metric is Kähler")
    return packed_form(rate.entries)


@packed_rate.register(FormField)
def _of_form(kind: FormField, rate: Tensor, space: Space) -> list[gr.Node]:
    _require(rate, (False,) * kind.degree, f"a {kind.degree}-form")
    if not space.is_form(rate):
        raise Refusal(f"a {kind.degree}-form changes the sign when two indices change places, and its rate does not")
    return [rate.entries[places] for places in combinations(range(kind.grid.dim), kind.degree)]


@packed_rate.register(TensorField)
def _of_tensor(kind: TensorField, rate: Tensor, space: Space) -> list[gr.Node]:
    _require(rate, _places(kind.indices), f"a tensor with indices {kind.indices}")
    return list(rate.entries.flat)


_ADVICE = {1: "an index that is written twice is summed over",
           -1: "products with tensors have their indices, as f*g has",
           0: "d(f) has its index down and grad(f) up, and g[i,j]*X[j] lowers one"}
"""What to do about too many indices, too few, and those in wrong places."""


def _require(rate: Tensor, up: tuple[bool, ...], what: str) -> None:
    if rate.up != up:
        free = ""
        if rate.labels:
            free = f" with the free {'indices' if rate.rank > 1 else 'index'} {', '.join(rate.labels)}"
        raise Refusal(f"the rate of {what} was expected, and this is {rate.kind}{free}: "
                      f"{_ADVICE[np.sign(rate.rank - len(up))]}")


def held(state: Field, rates: Mapping[str, Any], alone: bool = False) -> Field:
    """The state with those of its fields still for which there is no rate; `alone` is a rate without a name."""
    if not isinstance(state, Fields):
        return state
    if alone and len(state.parts) > 1:
        _require_known(rates, state.parts, alone)
    if alone:
        return state
    still = [name for name in state.parts if name not in rates]
    if not rates:
        raise InputError(f"no rate was given: the fields of the state are {', '.join(state.parts)}.")
    if len(still) == len(state.parts):
        raise InputError(f"none of the rates ({', '.join(rates)}) is that of a field of the state, which are "
                         f"{', '.join(state.parts)}.")
    return state.holding(still)


def matched(state: Field, rates: Mapping[str, Any], alone: bool) -> tuple[dict[str, Any], dict[str, Field]]:
    """Rates, and the fields of a state by the names that the rates give them; `alone` is a rate without a name.

    A scalar or a potential has any name; another field has its own, or each component is a scalar with a rate.
    Raises InputError where rates and fields do not fit.
    """
    components = state.component_names
    parts = dict(state.parts) if isinstance(state, Fields) else {state.called: state}
    if len(rates) == 1 and isinstance(state, ScalarField | PotentialField):
        return dict(rates), dict.fromkeys(rates, state)
    if alone and len(parts) == 1:
        return dict(zip(parts, rates.values(), strict=True)), parts
    if isinstance(state, Fields) or set(rates) == set(parts):
        _require_known(rates, parts, alone)
        return dict(rates), parts
    if len(rates) != len(components):
        raise InputError(f"{len(rates)} rates were given ({', '.join(rates)}) for a state with components "
                         f"{', '.join(components)}; give one for each, or one for '{state.called}'.")
    missing = [name for name in components if name not in rates]
    if missing:
        raise InputError(f"no rate was given for the component '{missing[0]}'; the state has components "
                         f"{', '.join(components)}.")
    return dict(rates), dict.fromkeys(components, state.grid.scalar(0))


def _require_known(rates: Mapping[str, Any], parts: Mapping[str, Field], alone: bool) -> None:
    if alone:
        raise InputError(f"one rate was given for a state with the fields {', '.join(parts)}: give a mapping from "
                         f"their names, as in {{{', '.join(f'{name!r}: ...' for name in parts)}}}.")
    strangers = [name for name in rates if name not in parts]
    if strangers:
        raise InputError(f"there is a rate for '{strangers[0]}', and the fields of the state are {', '.join(parts)}.")
