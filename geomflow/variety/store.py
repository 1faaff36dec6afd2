"""Metrics and points from their files, whatever made them, and data sets of the package cymetric."""

from __future__ import annotations

from dataclasses import replace
from math import factorial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import InputError, StoreError
from geomflow.core.files import replacing
from geomflow.variety.estimate import line_sums, warn_if_few
from geomflow.variety.hypersurface import Hypersurface
from geomflow.variety.metric import KINDS, HermitianMetric
from geomflow.variety.points import KIND, Points

if TYPE_CHECKING:
    from geomflow.core.archive import Archive

#: The kind of files that held forms, Fubini–Study metrics and flat curves alike, and said which by the class's name.
_NAMED = "geomflow metric 1"


def stored_metric(path: str | Path, **given: Any) -> HermitianMetric:
    """The metric of a file, as `geomflow.load_metric`, of any kind whose class is loaded."""
    whole = archive.read(path)
    kind = archive.kind_of(path, whole)
    made = _named(whole.text("type")) if kind == _NAMED else KINDS.get(kind)
    if made is None:
        raise StoreError(f"'{path}' holds no metric on a variety; it says that it is {kind!r}")
    if wrong := set(given) - made.asked:
        raise InputError(f"a {made.__name__} takes no {', '.join(sorted(wrong))} besides what its file holds")
    with archive.opened(path, kind) as file:
        return made.from_record(file, Hypersurface.from_file(file), **given)


def _named(name: str) -> type[HermitianMetric] | None:
    return next((made for made in KINDS.values() if made.__name__ == name), None)


def load_points(path: str | Path) -> Points:
    """The points that `points.save` wrote. Raises `StoreError` for a file that is missing, damaged or of other kind.

    Parameters
    ----------
    path : path
        An .npz file.
    """
    with archive.opened(path, KIND) as file:
        return Points.from_record(file, Hypersurface.from_file(file))


_FILE = "dataset.npz"


def export_cymetric(points: Points, folder: str | Path, *, validation: float = 0.1, seed: int = 0) -> Path:
    """Write `folder`/dataset.npz: X_train, y_train, X_val, y_val, val_pullbacks, and line_train, line_val.

    The last two are the lines of `Points`, which cymetric does not read. X is (P, 2N), real parts then imaginary parts;
    y is (P, 2), weight and |Ω|². Their weights are n! times these, since their volume form is J^n rather than J^n/n!.
    Returns the path.

    Parameters
    ----------
    points : Points
        What is divided and written.
    folder : path
        It is made where it is missing.
    validation : float
        The share of the validation points.
    seed : int
        Of the division.
    """
    train, held = points.split(1 - validation, seed)
    arrays: dict[str, Any] = {"val_pullbacks": held.pullbacks}
    scale = factorial(points.variety.dim)
    for name, part in (("train", train), ("val", held)):
        arrays[f"X_{name}"] = np.concatenate([part.coordinates.real, part.coordinates.imag], axis=1)
        arrays[f"line_{name}"] = part.line
        arrays[f"y_{name}"] = np.column_stack([scale * part.weights, part.omega2])
    path = Path(folder) / _FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **arrays)
    except OSError as error:
        raise StoreError(f"cannot write '{path}': {error.strerror or error}; choose another folder.") from error
    return path


def import_cymetric(variety: Hypersurface, folder: str | Path) -> tuple[Points, Points]:
    """The train and validation points of a data set, with its weights (divided by n!).

    Lines are read where `export_cymetric` wrote them. cymetric itself writes none: its points count as independent,
    and errors of sums over them are then too small, up to 1.7 times where they came from lines.
    Raises `StoreError` for a missing or damaged file, for numbers that are not finite, weights that are negative and
    arrays of other lengths, and `OffVarietyError` where the points are on another variety.

    Parameters
    ----------
    variety : Hypersurface
        The variety Q = 0.
    folder : path
        Where dataset.npz is, or that file.
    """
    path = Path(folder) / _FILE if Path(folder).is_dir() else Path(folder)
    file = archive.read(path)
    return _points(variety, file, "train"), _points(variety, file, "val")


def _points(variety: Hypersurface, file: Archive, name: str) -> Points:
    size = variety.ambient.size
    x = file.numbers(f"X_{name}", "f", None, 2 * size)
    y = file.numbers(f"y_{name}", "f", len(x), None)
    if y.shape[1] < 2:
        raise file.damaged(f"'y_{name}' must have two columns, the weights and |Ω|²")
    weights = y[:, -2]
    if weights.min(initial=0.0) < 0:
        raise file.damaged(f"the weight of point {weights.argmin()} in 'y_{name}' is negative, {weights.min():.6g}")
    points = replace(variety.points(x[:, :size] + 1j * x[:, size:]), weights=weights / factorial(variety.dim))
    line = f"line_{name}"
    if line in file.arrays:
        points = replace(points, line=file.array(line, "i", len(x)))
    warn_if_few(line_sums(points.weights, points.line), len(points))
    return points
