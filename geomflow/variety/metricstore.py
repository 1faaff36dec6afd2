"""Metrics in .npz files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.sparse import coo_array

from geomflow.core.errors import StoreError
from geomflow.variety.flat import FlatCurve
from geomflow.variety.fubini_study import FubiniStudy
from geomflow.variety.hermitian_form import HermitianForm
from geomflow.variety.metric import VarietyMetric
from geomflow.variety.pointstore import describe, kind_of, opened, variety_of

_KIND = "geomflow metric 1"


def save(metric: VarietyMetric, path: str | Path) -> None:
    """Write a metric; raises `StoreError` for a kind that has its own store."""
    if isinstance(metric, HermitianForm):
        form = metric.form.tocoo()
        data = {
            "exponents": metric.exponents,
            "row": form.row,
            "column": form.col,
            "entry": form.data,
            "level": metric.level,
        }
    elif isinstance(metric, FubiniStudy):
        data = {"class": np.array(metric.kahler_class)}
    elif isinstance(metric, FlatCurve):
        data = {}
    else:
        raise StoreError(f"{type(metric).__name__} cannot be stored here; it has its own store")
    with Path(path).open("wb") as file:
        np.savez_compressed(file, kind=_KIND, type=type(metric).__name__, variety=describe(metric.variety), **data)


def load_metric(path: str | Path) -> VarietyMetric:
    """Read what `metric.save` wrote, but for networks and kernels, see `geomflow.load_metric`; raises `StoreError`."""
    if (kind := kind_of(path)) != _KIND:
        raise StoreError(f"{path} is a file of {kind!r}, not '{_KIND}': geomflow.load_metric reads all kinds")
    file = opened(path, _KIND)
    variety = variety_of(str(file["variety"]))
    match str(file["type"]):
        case "HermitianForm":
            size = len(file["exponents"])
            form = coo_array((file["entry"], (file["row"], file["column"])), shape=(size, size)).tocsr()
            return HermitianForm(variety, file["exponents"], form, int(file["level"]))
        case "FubiniStudy":
            return FubiniStudy(variety, tuple(file["class"]))
        case "FlatCurve":
            return FlatCurve(variety)
    raise StoreError(f"{path} holds a metric of unknown type {file['type']}")
