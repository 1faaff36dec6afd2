"""Field objects as plain facts and arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from geomflow.core.errors import StoreError


def describe_field(state: Any) -> tuple[dict[str, Any] | None, dict[str, np.ndarray]]:
    """JSON-able facts and packed arrays from which `rebuild_field` makes a field of the same kind; None for others."""
    from geomflow.field.state import Field

    if not isinstance(state, Field):
        return None, {}
    grid, given = state.grid, {}
    facts: dict[str, Any] = {
        "kind": type(state).__name__,
        "torus": type(grid.torus).__name__,
        "dim": grid.torus.complex_dim or grid.torus.real_dim,
        "lattice": [list(row) for row in grid.torus.lattice],
        "shape": list(grid.shape),
        "order": grid.order or grid.scheme,
    }
    reference = getattr(state, "reference", None)
    form = reference if isinstance(reference, Field) else state
    facts["components"] = list(form.component_names)
    if isinstance(reference, Field):
        given["reference"] = reference.pack()
    elif reference is not None:
        facts["reference"] = [np.real(reference).tolist(), np.imag(reference).tolist()]
    return facts, given


def rebuild_field(facts: Mapping[str, Any], given: Mapping[str, np.ndarray]) -> Any:
    """A field of zeros of the described kind; its `unpack` makes the stored states."""
    from geomflow import field

    if facts["kind"] not in ("ScalarField", "MetricField", "HermitianField", "PotentialField"):
        raise StoreError(f"the stored states are of the kind '{facts['kind']}', which this version does not know.")
    tori = {"Torus": field.Torus, "ComplexTorus": field.ComplexTorus}
    how = {"scheme" if facts["order"] == "spectral" else "order": facts["order"]}
    grid = tori[facts["torus"]](facts["dim"], lattice=facts["lattice"]).grid(facts["shape"], **how)
    if facts["kind"] == "ScalarField":
        return grid.scalar(np.zeros(grid.shape))
    if facts["kind"] == "MetricField":
        return grid.metric()
    if facts["kind"] == "HermitianField":
        return _form(grid, facts)
    return grid.potential(np.zeros(grid.shape), reference=_reference(grid, facts, given))


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
