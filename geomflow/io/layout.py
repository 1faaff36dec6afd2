"""How a run lies on disk, and the one file that makes what was written count.

A store is a zarr (version 3) group:

    zarr.json          the commit: attributes, and the metadata of every array with its committed shape
    state              (time, component, *axes)   kept states
    time, x, y, ...    coordinates
    monitors/time, monitors/energy, ...           (time)
    checkpoint/0, checkpoint/1                    (component, *axes), in turns: the state where the run is
    given/...          arrays that the state object needs besides its values

Everything is written before `zarr.json`, which is replaced by a rename: a process that dies at any moment leaves the
last commit whole. What lies beyond the committed shapes does not count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.core.errors import StoreError

FORMAT = 1
ROOT = "zarr.json"
KEY = "geomflow"
GROUPS = ("monitors", "checkpoint", "given")
ROWS = 1024  # rows a chunk of what grows step by step
_CHUNK_BYTES = 128 * 2**20


def state_chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """One component of one state a chunk, cut along the first axis above 128 MB; `shape` is (ncomp, *grid)."""
    grid = list(shape[1:])
    while grid and 8 * int(np.prod(grid)) > _CHUNK_BYTES and grid[0] > 1:
        grid[0] = (grid[0] + 1) // 2
    return (1, *grid)


def axis_names(shape: tuple[int, ...], description: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the grid axes: the description's own where they fit, else axis_0, axis_1, ..."""
    axes = description.get("axes") or {}
    if tuple(len(values) for values in axes.values()) == shape[1:]:
        return tuple(axes)
    return tuple(f"axis_{i}" for i in range(len(shape) - 1))


def plain(value: Any) -> Any:
    """What `json` cannot write by itself."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return repr(value)


def write_commit(path: Path, attributes: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Replace the root metadata in one rename: attributes, and the arrays' metadata in consolidated form."""
    metadata = {group: {"attributes": {}, "zarr_format": 3, "node_type": "group"} for group in GROUPS}
    metadata |= {name: array.metadata.to_dict() for name, array in arrays.items()}
    document = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {KEY: dict(attributes)},
        "consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": metadata},
    }
    new = path / f"{ROOT}.partial"
    new.write_text(json.dumps(document, default=plain))
    os.replace(new, path / ROOT)


def read_commit(path: Path) -> dict[str, Any]:
    """The attributes of the last commit, with the committed shapes under "shapes".

    Raises `StoreError` if there is no store, or one that is damaged or of another version of the format.
    """
    try:
        document = json.loads((path / ROOT).read_text())
        attributes = document["attributes"][KEY]
        nodes = document["consolidated_metadata"]["metadata"]
    except FileNotFoundError as error:
        raise StoreError(f"there is no stored run at '{path}' ({ROOT} is missing): check the path.") from error
    except OSError as error:
        raise StoreError(f"the stored run at '{path}' cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"{ROOT} is not that of a geomflow run") from error
    if attributes.get("format") != FORMAT:
        raise StoreError(
            f"the store '{path}' has format {attributes.get('format')}, written by geomflow "
            f"{attributes.get('versions', {}).get('geomflow', 'of unknown version')}; this version reads format "
            f"{FORMAT}. Open it with that version; nothing was changed."
        )
    shapes = {name: tuple(node["shape"]) for name, node in nodes.items() if node["node_type"] == "array"}
    return {**attributes, "shapes": shapes}


def _damaged(path: Path, what: str) -> StoreError:
    return StoreError(f"the store '{path}' is damaged: {what}. Restore it from a copy, or start the run again.")


def read_array(path: Path, name: str, shape: tuple[int, ...], index: Any = ...) -> np.ndarray:
    """Part of a committed array. Raises `StoreError` if a chunk is missing or does not decode."""
    import zarr

    try:
        array = zarr.open_array(path / name, mode="r")
        rows = tuple(slice(n) for n in shape)
        values = np.asarray(array[rows] if index is ... else array[index])
    except Exception as error:  # zarr and its codecs raise many kinds
        raise _damaged(path, f"the array '{name}' cannot be read ({error})") from error
    if array.shape[1:] != shape[1:] or (shape and array.shape[0] < shape[0]):
        raise _damaged(path, f"the array '{name}' has shape {array.shape}, not {shape}")
    return values


def require_whole(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    """States are finite, so a NaN is a chunk that is not there. Raises `StoreError`."""
    if np.isnan(values).any():
        raise _damaged(path, f"part of the array '{name}' is missing")
    return values
