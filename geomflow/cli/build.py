"""From the checked tables of a run file to a state, a flow and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from geomflow.core.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from geomflow.field.grid import Grid
    from geomflow.field.lattice import FlatTorus
    from geomflow.field.state import Field
    from geomflow.flow.events.watch import Watch
    from geomflow.flow.flow import Flow

KINDS_OF_STATE = ("potential", "metric", "scalar")


def make_torus(table: Mapping[str, Any]) -> FlatTorus:
    """The torus of [geometry]. Raises `UnknownNameError` for another type of geometry."""
    from geomflow.field import ComplexTorus, Torus

    types = {"torus": Torus, "complex torus": ComplexTorus}
    if table["type"] not in types:
        raise UnknownNameError.among("geometry.type", table["type"], types)
    return types[table["type"]](table["dim"], periods=table.get("periods"), lattice=table.get("lattice"))


def make_grid(table: Mapping[str, Any], torus: FlatTorus) -> Grid:
    """The grid of [grid] on a torus."""
    return torus.grid(table["n"], order=table.get("order", 4))


def make_state(table: Mapping[str, Any], grid: Grid) -> Field:
    """The state of [state] on a grid, checked there.

    Raises `InputError` unless exactly one of potential, metric and scalar is given.
    """
    given = [kind for kind in KINDS_OF_STATE if kind in table]
    if len(given) != 1:
        what = " and ".join(given) if given else "none of them"
        raise InputError(f"[state] takes one of {', '.join(KINDS_OF_STATE)}, and {what} was given")
    if "reference" in table and given != ["potential"]:
        raise InputError(f"state.reference goes with a potential, and the state is a {given[0]}")
    if given == ["potential"]:
        return grid.potential(table["potential"], reference=table.get("reference"))
    return getattr(grid, given[0])(table[given[0]])


def make_flow(table: Mapping[str, Any], torus: FlatTorus) -> Flow:
    """The equation of [flow] with its options, derived on the torus where it is the gradient flow of a functional.

    Raises `UnknownNameError` for an unknown name or option.
    """
    from geomflow.flow.registry import named_flow

    return named_flow(table["name"], {key: value for key, value in table.items() if key != "name"}, torus)


def under_kernel(table: Mapping[str, Any], flow: Flow, torus: FlatTorus) -> Flow:
    """The flow under the kernel of [kernel].

    Raises `UnknownNameError` for an unknown name or option, `InputError` where an option is missing.
    """
    from geomflow.tangent.kernel_flow import named_kernel_flow

    return named_kernel_flow(flow, torus, **table)


def make_events(table: Mapping[str, float]) -> list[Watch]:
    """The events of [events], each with its threshold."""
    from geomflow.flow import CurvatureBlowUp, PositivityLoss, SteadyState

    kinds = {"steady": SteadyState, "curvature": CurvatureBlowUp, "positivity": PositivityLoss}
    return [kinds[name](threshold) for name, threshold in table.items()]
