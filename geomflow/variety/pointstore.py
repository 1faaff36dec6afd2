"""Points in .npz files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.core.errors import StoreError
from geomflow.variety.hypersurface import Hypersurface
from geomflow.variety.points import Points

_ARRAYS = ("coordinates", "weights", "omega2", "patch", "elim")
_KIND = "geomflow points 1"


def save(points: Points, path: str | Path) -> None:
    """Write `points` with their polynomial."""
    arrays = {name: getattr(points, name) for name in _ARRAYS}
    with Path(path).open("wb") as file:
        np.savez_compressed(file, kind=_KIND, variety=describe(points.variety), **arrays)


def load(path: str | Path) -> Points:
    """Read points; raises `StoreError` for a file that is missing, damaged or of another kind."""
    file = opened(path, _KIND)
    return Points(variety_of(str(file["variety"])), *(file[name] for name in _ARRAYS))


def describe(variety: Hypersurface) -> str:
    """A variety as text."""
    return json.dumps(
        {
            "polynomial": str(variety.polynomial.expression),
            "coordinates": variety.names,
            "ambient": variety.ambient.dims,
        }
    )


def variety_of(text: str) -> Hypersurface:
    """The variety that `describe` wrote."""
    data = json.loads(text)
    return Hypersurface(data["polynomial"], coordinates=data["coordinates"], ambient=data["ambient"])


def kind_of(path: str | Path) -> str:
    """What an .npz file says that it holds, or a `StoreError`."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return str(file["kind"])
    except Exception as error:
        raise StoreError(f"cannot read {path}: {error}") from None


def opened(path: str | Path, kind: str) -> dict[str, Any]:
    """The arrays of an .npz file of that kind, or a `StoreError`."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:
        raise StoreError(f"cannot read {path}: {error}") from None
    if str(arrays.get("kind")) != kind:
        raise StoreError(f"{path} is not a file of '{kind}' but of {str(arrays.get('kind'))!r}")
    return arrays
