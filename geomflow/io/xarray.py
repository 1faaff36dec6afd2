"""A stored run as an xarray Dataset."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from geomflow.core.errors import MissingExtraError
from geomflow.io.reader import StoredRun

if TYPE_CHECKING:
    import xarray


def to_xarray(path: str | os.PathLike[str]) -> xarray.Dataset:
    """The stored run at `path`: one variable a component over (time, *axes), monitors over monitor_time.

    Everything is read once, to be checked; states then stay on disk until they are used where dask is installed. The
    equation, the outcome and the versions are attributes. Raises `MissingExtraError` without xarray, and
    `StoreError` for a store that cannot be read.
    """
    try:
        import xarray
    except ImportError as error:
        raise MissingExtraError.of("xarray", "xarray") from error
    stored = StoredRun(path)
    stored.check()
    raw = xarray.open_zarr(stored.path, consolidated=True)
    header = stored.header
    names = header["description"].get("components") or [f"u{i}" for i in range(raw.sizes["component"])]
    variables: dict[str, Any] = {name: raw["state"].isel(component=i) for i, name in enumerate(names)}
    notes = stored.notes
    coordinates = {**{name: raw[name] for name in raw.coords}, "monitor_time": notes.pop("time")}
    variables |= {f"monitor_{name}": ("monitor_time", values) for name, values in notes.items()}
    return xarray.Dataset(variables, coordinates, _attributes(header, stored.facts))


def _attributes(header: dict[str, Any], facts: dict[str, Any]) -> dict[str, str]:
    outcome = facts.get("outcome") or {"kind": "interrupted", "message": "the run has not ended."}
    return {
        "equation": str(header["description"].get("equation", "")),
        "outcome": f"{outcome['kind']}: {outcome['message']}",
        "recipe": json.dumps(header["recipe"]),
        "versions": json.dumps(header["versions"]),
        "configuration": json.dumps(header["configuration"]),
        "seed": str(header["seed"]),
    }
