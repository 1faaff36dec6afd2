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
from geomflow.variety.pointstore import describe, opened, variety_of

_KIND = "geomflow metric 1"
#: Files of metrics that other floors make, by their kind: what reads them.
_ELSEWHERE = {
    "geomflow phi-network 1": "geomflow.learn.PhiNetwork.load",
    "geomflow component-network 1": "geomflow.learn.ComponentNetwork.load",
    "geomflow kernel metric 1": "geomflow.learn.KernelMetric.load",
    "geomflow frozen features 1": "geomflow.learn.load_frozen",
}


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
    """Read what `metric.save` wrote; raises `StoreError`, which says what reads files of networks and kernels."""
    try:
        file = opened(path, _KIND)
    except StoreError as error:
        reader = next((reader for kind, reader in _ELSEWHERE.items() if repr(kind) in str(error)), None)
        if reader is None:
            raise
        raise StoreError(f"{path} holds a metric that {reader}(path) reads, and not load_metric") from None
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
