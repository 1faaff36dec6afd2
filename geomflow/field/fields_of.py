"""The fields of a state that a functional is of: found by name, and checked to be of its kinds."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from geomflow.core.errors import InputError
from geomflow.field.fields import Fields
from geomflow.field.forms import FormField
from geomflow.field.matrices import require_positive
from geomflow.field.metric import POSITIVE_ADVICE, MetricField
from geomflow.field.potential import PotentialField
from geomflow.field.state import Field, ScalarField
from geomflow.field.symmetric import SymmetricField
from geomflow.field.tensor import TensorField
from geomflow.symbolic.functionals.fields import FieldsDensity


@singledispatch
def kind_of(part: Any) -> str:
    """What a functional of several fields calls this kind of field."""
    return type(part).__name__


@kind_of.register(ScalarField | PotentialField)
def _scalar(part: Field) -> str:
    return "scalar"


@kind_of.register(MetricField)
def _metric(part: MetricField) -> str:
    return "metric"


@kind_of.register(FormField)
def _form(part: FormField) -> str:
    return f"{part.degree}-form"


@kind_of.register(SymmetricField)
def _symmetric(part: SymmetricField) -> str:
    return "symmetric"


@kind_of.register(TensorField)
def _tensor(part: TensorField) -> str:
    return "vector" if part.indices.startswith("^") and part.rank == 1 else f"tensor {part.indices}"


def fields_of(functional: FieldsDensity, state: Any) -> dict[str, Field]:
    """The fields of a functional in a state, in its order; a functional of one field takes it alone.

    Raises InputError for a state on another torus, for fields that it has not, and for fields of another kind;
    PositivityError for a metric that is not positive.

    Parameters
    ----------
    functional : FieldsDensity
        Whose fields are looked for.
    state : Field
        Of one field, or of several.
    """
    if not isinstance(state, Field):
        raise InputError(f"{functional.name} is a functional of fields on a grid, as grid.fields(...) makes them; a "
                         f"{type(state).__name__} was given.")
    wanted, found = functional.coordinates, state.grid.torus.coordinates
    if tuple(wanted) != tuple(found):
        raise InputError(f"{functional.name} was made over coordinates {', '.join(wanted)}, and the state lives on "
                         f"{state.grid.torus!r}: make it over the state's own torus.")
    names = tuple(functional.fields)
    parts = dict(state.parts) if isinstance(state, Fields) else {names[0] if len(names) == 1 else state.called: state}
    for name, kind in functional.fields.items():
        if name not in parts:
            raise InputError(f"{functional.name} is a functional of {', '.join(names)}, and the state has no '{name}' "
                             f"but {', '.join(parts)}: give it by grid.fields({name}=…).")
        part, own = parts[name], kind_of(parts[name])
        if own != kind.label:
            raise InputError(f"'{name}' is a {own} in the state and a {kind.label} in {functional.name}: say its kind "
                             f"in fields=…, as in fields='{name}:{own}'.")
        if isinstance(part, MetricField):
            require_positive(state.grid, part.values, f"the metric '{name}'", POSITIVE_ADVICE)
    return {name: parts[name] for name in names}
