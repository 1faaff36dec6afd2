"""Metrics and points from their .npz files, whatever made them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geomflow.core import archive
from geomflow.core.errors import InputError, StoreError
from geomflow.variety.hypersurface import Hypersurface
from geomflow.variety.metric import KINDS, HermitianMetric
from geomflow.variety.points import KIND, Points

#: The kind of files that held forms, Fubini–Study metrics and flat curves alike, and said which by the class's name.
_NAMED = "geomflow metric 1"


def load_metric(path: str | Path, **given: Any) -> HermitianMetric:
    """The metric that `metric.save` wrote: a form, a network, a kernel's, frozen features, components of one chart.

    `given` are parts that the file cannot hold, as the `kernel` of a flow on points where it is one of the user's own.
    Raises `StoreError` for a file that cannot be read, is damaged, holds no metric or lacks a part, and `InputError`
    for parts that are not asked for.
    """
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
    """The points that `points.save` wrote. Raises `StoreError` for a file that is missing, damaged or of other kind."""
    with archive.opened(path, KIND) as file:
        return Points.from_record(file, Hypersurface.from_file(file))
