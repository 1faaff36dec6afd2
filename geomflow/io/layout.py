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
    pieces/0, 1, ...   the stores of the runs that went on after this one

Everything is written before `zarr.json`, which is replaced by a rename: a process that dies at any moment leaves the
last commit whole. What lies beyond the committed shapes does not count.

Nothing is believed: `zarr.json` holds the checksum of itself, of every array up to its committed shape, and, through
`checksums/state`, of every state. What is read back is compared, and is the number that was written or a `StoreError`.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import geomflow
from geomflow.core.errors import StoreError

FORMAT = 2
ROOT = "zarr.json"
KEY = "geomflow"
GROUPS = ("monitors", "checkpoint", "given", "checksums")
PIECES = "pieces"
TAKEN = ("time", "state", "component", "monitor_time", ROOT, PIECES, *GROUPS)
"""Names that no axis has."""
SLOTS = (0, 1, 2)
CHECKS = "checksums/state"  # one a state: states are read, and checked, one at a time
ROWS = 1024  # rows a chunk of what grows step by step
_CHUNK_BYTES = 128 * 2**20
_BLANK = "0" * 64
_PACKAGES = ("numpy", "scipy", "numba", "sympy", "python-flint", "zarr")


def piece_path(path: Path, number: int) -> Path:
    """Where the store of a piece lies in that of the run before it."""
    return path / PIECES / str(number)


def state_chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """One component of one state a chunk, cut along the first axis above 128 MB; `shape` is (ncomp, *grid)."""
    grid = list(shape[1:])
    while grid and 8 * int(np.prod(grid)) > _CHUNK_BYTES and grid[0] > 1:
        grid[0] = (grid[0] + 1) // 2
    return (1, *grid)


def axis_names(shape: tuple[int, ...], description: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the grid axes: the description's own where they fit and are free, else axis_0, axis_1, ..."""
    axes = description.get("axes") or {}
    if tuple(len(values) for values in axes.values()) == shape[1:] and not {*axes} & {*TAKEN}:
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
    nodes = {group: {"attributes": {}, "zarr_format": 3, "node_type": "group"} for group in GROUPS}
    nodes |= {name: {**array.metadata.to_dict(), "shape": shapes[name]} for name, array in arrays.items()}
    document = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {KEY: {"checksum": _BLANK, **attributes}},
        "consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": nodes},
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


def _other_format(path: Path, found: Any, written_by: Any) -> str:
    version = written_by.get("geomflow") if isinstance(written_by, dict) else None
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


def packed_bytes(values: np.ndarray) -> memoryview:
    """The bytes of numbers as float64; every NaN has the same, for zarr does not tell them apart."""
    numbers = np.ascontiguousarray(values, dtype="<f8")
    if np.isnan(numbers).any():
        numbers = np.where(np.isnan(numbers), np.nan, numbers)
    return numbers.reshape(-1).view("u1").data


def running(values: np.ndarray) -> Any:
    """A sum that goes on with `update`; its `hexdigest()` is the checksum of all that it was given."""
    return hashlib.sha256(packed_bytes(values))


def checksum(values: np.ndarray) -> str:
    """The checksum of an array."""
    return str(running(values).hexdigest())


def row_checksum(values: np.ndarray) -> int:
    """The checksum of one row, a number below 2⁵³ that float64 holds exactly."""
    return int.from_bytes(hashlib.sha256(packed_bytes(values)).digest()[:8], "big") >> 11


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
    chunks = state_chunks(shape)
    states = _array(root, "state", (0, *shape), ("time", "component", *axes), chunks=(1, *chunks),
                    compressors=_compressor())
    arrays = {"time": growing(root, "time"), "state": states, CHECKS: growing(root, CHECKS)}
    fixed = {name: np.asarray(coordinates[name], dtype=float) for name in axes if name in coordinates}
    for name, values in fixed.items():
        arrays[name] = _filled(root, name, values, (name,))
    for name in notes:
        arrays[f"monitors/{name}"] = growing(root, f"monitors/{name}")
    for slot in SLOTS:
        name = f"checkpoint/{slot}"
        arrays[name] = _array(root, name, shape, ("component", *axes), chunks=chunks, compressors=_compressor())
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
    return _array(root, name, (0,), ("time",), chunks=(ROWS,))


def _array(root: Any, name: str, shape: tuple[int, ...], dimensions: tuple[str, ...], **how: Any) -> Any:
    return root.create_array(
        name, shape=shape, dtype="float64", fill_value=np.nan, dimension_names=dimensions, **how
    )


def _filled(root: Any, name: str, values: np.ndarray, dimensions: tuple[str, ...]) -> Any:
    array = _array(root, name, values.shape, dimensions)
    array[...] = values
    return array


def _compressor() -> Any:
    import zarr

    return zarr.codecs.ZstdCodec(level=1, checksum=True)


def versions() -> dict[str, str]:
    """Versions of geomflow, Python, the packages that compute, and the machine."""
    found = {name: _version(name) for name in _PACKAGES}
    machine = f"{platform.system()} {platform.machine()}"
    return {"geomflow": geomflow.__version__, "python": platform.python_version(), **found, "machine": machine}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
