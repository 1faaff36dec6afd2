"""Stores of runs: zarr directories that are written as a run goes, survive its death, and open in xarray."""

from __future__ import annotations

from geomflow.io.reader import to_xarray
from geomflow.io.store import Store

__all__ = ["Store", "to_xarray"]
