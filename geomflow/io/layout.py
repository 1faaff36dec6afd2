"""How a run lies on disk, and the one file that makes what was written count.

A store is a zarr (version 3) group:

    zarr.json          the commit: attributes, and the metadata of every array with its committed shape
    state              (time, component, *axes)   kept states
    time, x, y, ...    coordinates
    monitors/time, monitors/energy, ...           (time)
    checkpoint/0, 1, 2                            (component, *axes), in turns: the state where the run is, and the one
                                                  from which a longer run would go another way
    given/...          arrays that the state object needs besides its values
    checksums/state    (time) one a kept state

Everything is written before `zarr.json`, which is replaced by a rename: a process that dies at any moment leaves the
last commit whole. What lies beyond the committed shapes does not count.

Nothing is believed: `zarr.json` holds the checksum of itself, of every array up to its committed shape, and, through
`checksums/state`, of every state. What is read back is compared, and is the number that was written or a `StoreError`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.core.errors import StoreError
from geomflow.io.checksums import checksum

FORMAT = 2
ROOT = "zarr.json"
KEY = "geomflow"
GROUPS = ("monitors", "checkpoint", "given", "checksums")
SLOTS = (0, 1, 2)
ROWS = 1024  # rows a chunk of what grows step by step
_CHUNK_BYTES = 128 * 2**20
_BLANK = "0" * 64


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


def write_commit(path: Path, attributes: Mapping[str, Any], arrays: Mapping[str, Any],
                 shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Replace the root metadata in one rename: attributes, and the arrays' metadata in consolidated form.

    `shapes` are the committed shapes; arrays may be longer.
    """
    metadata = {group: {"attributes": {}, "zarr_format": 3, "node_type": "group"} for group in GROUPS}
    metadata |= {name: {**array.metadata.to_dict(), "shape": shapes[name]} for name, array in arrays.items()}
    document = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {KEY: {"checksum": _BLANK, **attributes}},
        "consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": metadata},
    }
    text = json.dumps(document, default=plain)
    new = path / f"{ROOT}.partial"
    new.write_text(text.replace(_BLANK, _text_checksum(text), 1))
    os.replace(new, path / ROOT)


def read_commit(path: Path) -> dict[str, Any]:
    """The attributes of the last commit, with the arrays' metadata under "nodes" and their shapes under "shapes".

    Raises `StoreError` if there is no store, or one that is damaged or of another version of the format.
    """
    try:
        text = (path / ROOT).read_text()
        document = json.loads(text)
        attributes = document["attributes"][KEY]
        nodes = document["consolidated_metadata"]["metadata"]
        found = attributes.get("format")
    except FileNotFoundError as error:
        raise StoreError(f"there is no stored run at '{path}' ({ROOT} is missing): check the path.") from error
    except OSError as error:
        raise StoreError(f"the stored run at '{path}' cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(path, f"{ROOT} is not that of a geomflow run") from error
    if found != FORMAT:
        raise StoreError(_other_format(path, found, attributes.get("versions")))
    own = str(attributes.pop("checksum", _BLANK))
    if _text_checksum(text.replace(own, _BLANK, 1)) != own:
        raise damaged(path, f"{ROOT} is not what was written")
    nodes = {name: node for name, node in nodes.items() if node["node_type"] == "array"}
    return {**attributes, "nodes": nodes, "shapes": {name: tuple(node["shape"]) for name, node in nodes.items()}}


def _text_checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _other_format(path: Path, found: Any, versions: Any) -> str:
    version = versions.get("geomflow") if isinstance(versions, dict) else None
    lacks = " Stores of format 1 hold no checksums of their monitors, so that nothing would tell damage there."
    return (f"the store '{path}' has format {found}, written by geomflow {version or 'of unknown version'}; this "
            f"version reads format {FORMAT}.{lacks if found == 1 else ''} Open it with that version; nothing was "
            "changed.")


def damaged(path: Path, what: str) -> StoreError:
    """The error for a store that is not what was written."""
    return StoreError(f"the store '{path}' is damaged: {what}. Restore it from a copy, or start the run again.")


def read_array(path: Path, name: str, node: Mapping[str, Any], index: Any = ...) -> np.ndarray:
    """A committed array, or one row of it, as it is on disk; `node` is its committed metadata.

    Raises `StoreError` if its metadata are not those that were committed, or a chunk does not decode.
    """
    import zarr

    shape = tuple(node["shape"])
    try:
        array = zarr.open_array(path / name, mode="r")
    except Exception as error:  # zarr raises many kinds
        raise damaged(path, f"the array '{name}' cannot be read ({error})") from error
    if array.shape[1:] != shape[1:] or (shape and array.shape[0] < shape[0]):
        raise damaged(path, f"the array '{name}' has shape {array.shape}, not {shape}")
    if _layout(array.metadata.to_dict()) != _layout(node):
        raise damaged(path, f"the metadata of the array '{name}' are not what was written")
    try:
        return np.asarray(array[tuple(slice(n) for n in shape)] if index is ... else array[index])
    except Exception as error:  # zarr and its codecs raise many kinds
        raise damaged(path, f"the array '{name}' cannot be read ({error})") from error


def read_checked(path: Path, name: str, node: Mapping[str, Any], digests: Mapping[str, str]) -> np.ndarray:
    """A committed array. Raises `StoreError` if it is not what was written."""
    values = read_array(path, name, node)
    if checksum(values) != digests.get(name):
        raise damaged(path, f"the array '{name}' is not what was written")
    return values


def _layout(node: Mapping[str, Any]) -> str:
    """Metadata but for the shape, which grows."""
    return json.dumps({key: value for key, value in node.items() if key != "shape"}, default=plain, sort_keys=True)
