"""The empty arrays of a new store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.io.layout import FORMAT, ROWS, axis_names, state_chunks, write_commit
from geomflow.io.versions import versions


def lay_out(path: Path, shape: tuple[int, ...], header: Mapping[str, Any], notes: Sequence[str]) -> None:
    """Make the empty arrays of a new store, and a commit without a state.

    `shape` is (ncomp, *grid); `notes` are the names of the monitors, "time" among them.
    """
    import zarr

    path.parent.mkdir(parents=True, exist_ok=True)
    description = dict(header["description"])
    axes = axis_names(shape, description)
    coordinates = description.pop("axes", None) or {}
    root = zarr.create_group(path)
    arrays = {"time": _growing(root, "time"), "state": _states(root, shape, axes)}
    for name in axes:
        if name in coordinates:
            arrays[name] = _filled(root, name, np.asarray(coordinates[name], dtype=float), (name,))
    for name in notes:
        arrays[f"monitors/{name}"] = _growing(root, f"monitors/{name}")
    for slot in (0, 1):
        arrays[f"checkpoint/{slot}"] = _checkpoint(root, slot, shape, axes)
    for name, values in header["given"].items():
        arrays[f"given/{name}"] = _filled(root, f"given/{name}", values, (f"{name}_component", *axes))
    attributes = {
        "format": FORMAT,
        "versions": versions(),
        "description": description,
        "facts": {},
        **{key: header[key] for key in ("recipe", "seed", "configuration", "state")},
    }
    write_commit(path, attributes, arrays)


def _growing(root: Any, name: str) -> Any:
    return root.create_array(
        name, shape=(0,), chunks=(ROWS,), dtype="float64", fill_value=np.nan, dimension_names=("time",)
    )


def _states(root: Any, shape: tuple[int, ...], axes: tuple[str, ...]) -> Any:
    return root.create_array(
        "state", shape=(0, *shape), chunks=(1, *state_chunks(shape)), dtype="float64", fill_value=np.nan,
        compressors=_compressor(), dimension_names=("time", "component", *axes),
    )  # fmt: skip


def _checkpoint(root: Any, slot: int, shape: tuple[int, ...], axes: tuple[str, ...]) -> Any:
    return root.create_array(
        f"checkpoint/{slot}", shape=shape, chunks=state_chunks(shape), dtype="float64", fill_value=np.nan,
        compressors=_compressor(), dimension_names=("component", *axes),
    )  # fmt: skip


def _filled(root: Any, name: str, values: np.ndarray, dimensions: tuple[str, ...]) -> Any:
    array = root.create_array(
        name, shape=values.shape, dtype="float64", fill_value=np.nan, dimension_names=dimensions
    )
    array[...] = values
    return array


def _compressor() -> Any:
    import zarr

    return zarr.codecs.ZstdCodec(level=1, checksum=True)
