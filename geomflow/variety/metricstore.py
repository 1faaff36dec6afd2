"""Metrics in .npz files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.sparse import coo_array

from geomflow.core import archive
from geomflow.core.archive import Archive
from geomflow.core.errors import StoreError
from geomflow.variety.flat import FlatCurve
from geomflow.variety.fubini_study import FubiniStudy
from geomflow.variety.hermitian_form import HermitianForm
from geomflow.variety.hypersurface import Hypersurface
from geomflow.variety.metric import VarietyMetric
from geomflow.variety.pointstore import class_of, describe, variety_of

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
    archive.write(path, _KIND, type=type(metric).__name__, variety=describe(metric.variety), **data)


def load_metric(path: str | Path) -> VarietyMetric:
    """Read what `metric.save` wrote, but for networks and kernels, see `geomflow.load_metric`; raises `StoreError`."""
    if (kind := archive.kind_of(path)) != _KIND:
        raise StoreError(f"{path} is a file of {kind!r}, not '{_KIND}': geomflow.load_metric reads all kinds")
    with archive.opened(path, _KIND) as file:
        variety = variety_of(file)
        match file.text("type"):
            case "HermitianForm":
                return _hermitian_form(file, variety)
            case "FubiniStudy":
                return FubiniStudy(variety, class_of(file, variety, "class"))
            case "FlatCurve":
                return FlatCurve(variety)
        raise StoreError(f"{path} holds a metric of unknown type {file.text('type')!r}")


def _hermitian_form(file: Archive, variety: Hypersurface) -> HermitianForm:
    """A form on monomials of one degree."""
    exponents = file.array("exponents", "i", None, variety.ambient.size)
    size, entry, level = len(exponents), file.numbers("entry", "c", None), int(file.array("level", "i"))
    row, column = (file.array(name, "i", len(entry)) for name in ("row", "column"))
    form = coo_array((entry, (row, column)), shape=(size, size)).tocsr()
    degrees = np.stack([exponents[:, block].sum(axis=1) for block in variety.ambient.blocks])
    if level < 1 or exponents.min(initial=0) < 0 or np.any(degrees != degrees[:, :1]):
        raise file.damaged("'exponents' and 'level' must be those of monomials of one degree")
    return HermitianForm(variety, exponents, form, level)
