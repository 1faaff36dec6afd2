"""Data sets of the package cymetric: `dataset.npz` with real and imaginary parts side by side."""

from __future__ import annotations

from dataclasses import replace
from math import factorial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import StoreError
from geomflow.variety.points import Points

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface

_FILE = "dataset.npz"


def export_cymetric(points: Points, folder: str | Path, *, validation: float = 0.1, seed: int = 0) -> Path:
    """Write `folder`/dataset.npz: X_train, y_train, X_val, y_val, val_pullbacks.

    X is (P, 2N), real parts then imaginary parts; y is (P, 2), weight and |Ω|². Their weights are n! times these,
    since their volume form is J^n rather than J^n/n!. Returns the path.
    """
    train, held = points.split(1 - validation, seed)
    arrays = {"val_pullbacks": held.pullbacks}
    scale = factorial(points.variety.dim)
    for name, part in (("train", train), ("val", held)):
        arrays[f"X_{name}"] = np.concatenate([part.coordinates.real, part.coordinates.imag], axis=1)
        arrays[f"y_{name}"] = np.column_stack([scale * part.weights, part.omega2])
    path = Path(folder) / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
    return path


def import_cymetric(variety: Hypersurface, folder: str | Path) -> tuple[Points, Points]:
    """The train and validation points of a data set, with its weights (divided by n!).

    Raises `StoreError` for a missing or damaged file and `OffVarietyError` where the points are on another variety.
    """
    path = Path(folder) / _FILE if Path(folder).is_dir() else Path(folder)
    try:
        with np.load(path, allow_pickle=False) as file:
            parts = [_points(variety, file[f"X_{name}"], file[f"y_{name}"]) for name in ("train", "val")]
    except (OSError, KeyError, EOFError) as error:
        raise StoreError(f"cannot read {path}: {error}; it must hold X_train, y_train, X_val and y_val") from None
    return parts[0], parts[1]


def _points(variety: Hypersurface, x: np.ndarray, y: np.ndarray) -> Points:
    size = x.shape[1] // 2
    points = variety.points(x[:, :size] + 1j * x[:, size:])
    return replace(points, weights=y[:, -2] / factorial(variety.dim))
