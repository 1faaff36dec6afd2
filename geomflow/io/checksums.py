"""Checksums of numbers: of what is read back, not of files, so that a store is whole or said to be damaged."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

CHECKS = "checksums/state"
"""The array of the checksums of the kept states, one a state: states are read, and checked, one at a time."""


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
