"""States as plain facts and arrays, and back: what stores keep of the kind of their states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from geomflow import field
from geomflow.core.errors import GeomflowError, StoreError
from geomflow.field.reduced.state import ReducedState
from geomflow.field.reduced.written import grid_facts, read_grid
from geomflow.field.state import Field
from geomflow.field.toric.moving import MovingClass
from geomflow.field.toric.state import ToricState
from geomflow.field.toric.written import read_toric, toric_facts

REDUCED, TORIC, MOVING = ReducedState.__name__, ToricState.__name__, MovingClass.__name__


def describe_field(state: Any) -> tuple[dict[str, Any] | None, dict[str, np.ndarray]]:
    """JSON-able facts and packed arrays from which `rebuild_field` makes a field of the same kind; None for others."""
    if isinstance(state, ReducedState):
        return _reduced_facts(state), {}
    if isinstance(state, ToricState | MovingClass):
        return {"kind": type(state).__name__, "components": list(state.component_names), **toric_facts(state.grid)}, {}
    if not isinstance(state, Field):
        return None, {}
    grid = state.grid
    facts: dict[str, Any] = {
        "torus": type(grid.torus).__name__,
        "dim": grid.torus.complex_dim or grid.torus.real_dim,
        "lattice": [list(row) for row in grid.torus.lattice],
        "shape": list(grid.shape),
        "order": grid.order or grid.scheme,
    }
    if not isinstance(state, field.Fields):
        own, given = _kind_of(state)
        return facts | own, given
    kinds = {name: _kind_of(part) for name, part in state.parts.items()}
    facts |= {"kind": "Fields", "parts": {name: own for name, (own, _) in kinds.items()}, "still": list(state.still),
              "components": list(state.component_names)}
    held = {f"{name}_{key}": array for name, (_, given) in kinds.items() for key, array in given.items()}
    return facts, held | {name: state.parts[name].pack() for name in state.still}


def _kind_of(state: Field) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What kind of field this is, beside its grid, and arrays that it needs."""
    reference = getattr(state, "reference", None)
    form = reference if isinstance(reference, Field) else state
    facts: dict[str, Any] = {"kind": type(state).__name__, "components": list(form.component_names)}
    facts |= {key: getattr(state, key) for key in ("indices", "degree") if hasattr(state, key)}
    if isinstance(reference, Field):
        return facts, {"reference": reference.pack()}
    if reference is not None:
        facts["reference"] = [np.real(reference).tolist(), np.imag(reference).tolist()]
    return facts, {}


def rebuild_field(facts: Mapping[str, Any], given: Mapping[str, np.ndarray]) -> Any:
    """A field of zeros of the described kind; its `unpack` makes the stored states."""
    if facts["kind"] == REDUCED:
        return _reduced(facts)
    if facts["kind"] in (TORIC, MOVING):
        grid = read_toric(facts)
        state = ToricState(grid, np.zeros((1, grid.size)))
        return state if facts["kind"] == TORIC else MovingClass.of(state)
    tori = {"Torus": field.Torus, "ComplexTorus": field.ComplexTorus}
    how = {"scheme" if facts["order"] == "spectral" else "order": facts["order"]}
    grid = tori[facts["torus"]](facts["dim"], lattice=facts["lattice"]).grid(facts["shape"], **how)
    if facts["kind"] != "Fields":
        return _rebuilt(grid, facts, given)
    parts = {name: _rebuilt(grid, own, {"reference": given[key]} if (key := f"{name}_reference") in given else {})
             for name, own in facts["parts"].items()}
    parts |= {name: parts[name].unpack(given[name]) for name in facts["still"]}
    return field.Fields(grid, parts, tuple(facts["still"]))


def _reduced_facts(state: ReducedState) -> dict[str, Any] | None:
    """What a metric with symmetry is; None where names of its ansatz cannot be written as text."""
    try:
        return {"kind": REDUCED, "components": list(state.component_names), **grid_facts(state.grid)}
    except GeomflowError:
        return None


def _reduced(facts: Mapping[str, Any]) -> ReducedState:
    """A metric with symmetry. Raises `StoreError` where its ansatz would be packed in another way."""
    grid = read_grid(facts)
    names = [field.name for field in grid.ansatz.regular.fields]
    if names != facts["components"]:
        raise StoreError(f"the stored states hold {', '.join(facts['components'])}, and this version packs "
                         f"{', '.join(names)} for {grid.ansatz}: run it again.")
    return ReducedState(grid, np.zeros((len(names), *grid.shape)))


def _rebuilt(grid: Any, facts: Mapping[str, Any], given: Mapping[str, np.ndarray]) -> Any:
    """One field of the described kind."""
    match facts["kind"]:
        case "ScalarField":
            return grid.scalar(np.zeros(grid.shape))
        case "MetricField":
            return grid.metric()
        case "SymmetricField":
            return grid.symmetric(np.zeros((grid.dim, grid.dim)))
        case "HermitianField":
            return _form(grid, facts)
        case "PotentialField":
            return grid.potential(np.zeros(grid.shape), reference=_reference(grid, facts, given))
        case "FormField":
            return grid.form({}, degree=facts["degree"])
        case "TensorField":
            rank = sum(letter.isalpha() for letter in facts["indices"])
            return field.TensorField(grid, np.zeros((*grid.shape, *(grid.dim,) * rank)), facts["indices"])
    raise StoreError(f"the stored states are of the kind '{facts['kind']}', which this version does not know.")


def _reference(grid: Any, facts: Mapping[str, Any], given: Mapping[str, np.ndarray]) -> Any:
    if "reference" in given:
        return _form(grid, facts).unpack(given["reference"])
    real, imaginary = facts["reference"]
    return np.array(real) + 1j * np.array(imaginary)


def _form(grid: Any, facts: Mapping[str, Any]) -> Any:
    """A Hermitian form whose components are in the stored order."""
    form = grid.hermitian()
    if grid.torus.dim > 1 and facts.get("components") != list(form.component_names):
        raise StoreError("the components of the stored Hermitian forms are in an order that this version does not "
                         f"know; it takes {', '.join(form.component_names)}: run it again.")
    return form
