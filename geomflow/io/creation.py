"""The empty arrays of a new store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.io.checksums import CHECKS, checksum
from geomflow.io.layout import FORMAT, ROWS, SLOTS, axis_names, state_chunks, write_commit
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
    arrays = {"time": growing(root, "time"), "state": _states(root, shape, axes), CHECKS: growing(root, CHECKS)}
    fixed = {name: np.asarray(coordinates[name], dtype=float) for name in axes if name in coordinates}
    for name, values in fixed.items():
        arrays[name] = _filled(root, name, values, (name,))
    for name in notes:
        arrays[f"monitors/{name}"] = growing(root, f"monitors/{name}")
    for slot in SLOTS:
        arrays[f"checkpoint/{slot}"] = _checkpoint(root, slot, shape, axes)
    for name, values in header["given"].items():
        fixed[f"given/{name}"] = values
        arrays[f"given/{name}"] = _filled(root, f"given/{name}", values, (f"{name}_component", *axes))
    attributes = {
        "format": FORMAT,
        "versions": versions(),
        "description": description,
        "facts": {},
        "digests": {name: checksum(fixed.get(name, np.zeros(0))) for name, array in arrays.items()
                    if name in fixed or array.shape == (0,)},
        **{key: header[key] for key in ("recipe", "identity", "seed", "configuration", "state")},
    }
    write_commit(path, attributes, arrays, {name: array.shape for name, array in arrays.items()})


def growing(root: Any, name: str) -> Any:
    """An empty array of numbers that grows along the run."""
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
