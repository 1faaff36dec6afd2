"""Runs, stored or in memory, as xarray Datasets."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from geomflow.core.errors import MissingExtraError
from geomflow.field.reduced.state import ReducedState
from geomflow.io import layout
from geomflow.io.reader import StoredRun
from geomflow.io.written import rebuild_field
from geomflow.symbolic.given import fresh

if TYPE_CHECKING:
    import xarray


class Run(Protocol):
    """A solution, as far as a Dataset is made from it."""

    @property
    def times(self) -> np.ndarray:
        """Of the kept states."""

    @property
    def monitor_times(self) -> np.ndarray:
        """Of the monitors."""

    @property
    def monitors(self) -> Mapping[str, np.ndarray]:
        """Numbers by name."""

    @property
    def description(self) -> Mapping[str, Any]:
        """The facts of the problem."""

    @property
    def recipe(self) -> Mapping[str, Any]:
        """How it was integrated."""

    @property
    def states(self) -> Any:
        """Kept states, with `packed(i)`."""

    @property
    def outcome(self) -> Any:
        """How it ended."""


def to_xarray(run: str | os.PathLike[str] | Run) -> xarray.Dataset:
    """A run: one variable a component over (time, *axes), monitors over monitor_time.

    Of metrics with symmetry there are the unknowns too, by their names, beside the regular fields that are packed.
    What is stored is read once, to be checked; states then stay on disk until they are used where dask is installed.
    The equation, the outcome and the versions are attributes.

    Parameters
    ----------
    run : Solution, str or path
        A run, or the directory of a store.

    Notes
    -----
    Raises `MissingExtraError` without xarray, and `StoreError` for a store that cannot be read.
    """
    try:
        import xarray
    except ImportError as error:
        raise MissingExtraError.of("xarray", "xarray") from error
    if not isinstance(run, str | os.PathLike):
        return _in_memory(run)
    stored = StoredRun(run)
    stored.check()
    raw = xarray.open_zarr(stored.path, consolidated=True)
    header = stored.header
    names = header["description"].get("components") or [f"u{i}" for i in range(raw.sizes["component"])]
    variables: dict[str, Any] = {name: raw["state"].isel(component=i) for i, name in enumerate(names)}
    notes = stored.notes
    coordinates = {**{name: raw[name] for name in raw.coords}, "monitor_time": notes.pop("time")}
    if header["state"]:
        template = rebuild_field(header["state"], stored.given)
        variables |= _unknowns([template.unpack(row) for row in stored.states], raw["state"].dims[2:])
    variables |= {f"monitor_{name}": ("monitor_time", values) for name, values in notes.items()}
    return xarray.Dataset(variables, coordinates, _attributes(header, stored.facts))


def _in_memory(run: Run) -> xarray.Dataset:
    """The Dataset of a solution."""
    import xarray

    packed = np.stack([np.asarray(run.states.packed(i)) for i in range(len(run.states))])
    axes = layout.axis_names(packed.shape[1:], run.description)
    given = run.description.get("axes") or {}
    names = run.description.get("components") or [f"u{i}" for i in range(packed.shape[1])]
    variables: dict[str, Any] = {name: (("time", *axes), packed[:, i]) for i, name in enumerate(names)}
    variables |= _unknowns(run.states, axes)
    variables |= {f"monitor_{name}": ("monitor_time", values) for name, values in run.monitors.items()}
    places = {name: given[name] for name in axes if name in given}
    header = {"description": run.description, "recipe": run.recipe, "versions": layout.versions(), "configuration": {},
              "seed": None}
    outcome = {"outcome": {"kind": run.outcome.kind, "message": run.outcome.message}}
    coordinates = {"time": run.times, **places, "monitor_time": run.monitor_times}
    return xarray.Dataset(variables, coordinates, _attributes(header, outcome))


def _unknowns(states: Sequence[Any], axes: Sequence[Any]) -> dict[str, Any]:
    """The unknowns of metrics with symmetry over (time, *axes); none of other states."""
    if not isinstance(states[0], ReducedState):
        return {}
    shape = states[0].grid.shape
    values = {name: np.array([np.broadcast_to(state[name], shape) for state in states]) for name in states[0].unknowns}
    return {fresh(name, layout.TAKEN): (("time", *axes), array) for name, array in values.items()}


def _attributes(header: dict[str, Any], facts: dict[str, Any]) -> dict[str, str]:
    outcome = facts.get("outcome") or {"kind": "interrupted", "message": "the run has not ended."}
    return {
        "equation": str(header["description"].get("equation", "")),
        "outcome": f"{outcome['kind']}: {outcome['message']}",
        "recipe": json.dumps(header["recipe"], default=layout.plain),
        "versions": json.dumps(header["versions"]),
        "configuration": json.dumps(header["configuration"]),
        "seed": str(header["seed"]),
    }
