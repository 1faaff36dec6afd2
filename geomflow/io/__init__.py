"""Stores of runs: zarr directories that are written as a run goes, survive its death, and open in xarray."""

from __future__ import annotations

from geomflow.io.store import Store
from geomflow.io.xarray import to_xarray

__all__ = ["Store", "to_xarray"]
