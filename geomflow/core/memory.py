"""How much memory there is, and an honest word before it is taken."""

from __future__ import annotations

import os
import sys
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.core.errors import MemoryLimitError

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def human(size: float) -> str:
    """A number of bytes for people: `human(2_500_000)` is '2.5 MB'.

    Parameters
    ----------
    size : float
        In bytes.
    """
    value = float(min(size, sys.float_info.max))
    for unit in _UNITS:
        if abs(value) < 1000 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{value:.0f} B" if unit == "B" else f"{value:.3g} {unit}"


LINE, PAGE = 64, 4096
"""Bytes of a cache line and of a page of memory."""


def aligned(shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """Zeros that begin on a cache line, from which wide loads cross no line; many of them on a page.

    Large arrays that begin at different places of a page make processors wait: those that compare places in pages only
    take a number read from one for a number just written to another where the places are a line apart.

    Parameters
    ----------
    shape : tuple of int
        Its shape; it is C-contiguous.
    dtype : type, optional
        The type of its numbers.
    """
    size = prod(shape) * np.dtype(dtype).itemsize
    step = step_of(size)
    whole = np.zeros(size + step, np.uint8)
    begin = -whole.ctypes.data % step
    array: np.ndarray = whole[begin:begin + size].view(dtype).reshape(shape)
    return array


def step_of(size: int) -> int:
    """The bytes of which the address of an array of this size is a multiple: a line, and from eight pages on a page."""
    return PAGE if size >= 8 * PAGE else LINE


def available() -> int:
    """Bytes that can be taken now: the machine's free memory, or the control group's if that is less."""
    return min(_machine(), _control_group())


def total() -> int:
    """Bytes of the machine, or of the control group if that may take less."""
    return min(_physical(), _control_group_limit())


def require(size: float, what: str, advice: str = "take a smaller grid") -> None:
    """Check, before it is taken, that memory is there.

    Parameters
    ----------
    size : float
        In bytes.
    what : str
        What it is for: "the matrix of 40,000 points".
    advice : str
        What to change.

    Notes
    -----
    Raises `MemoryLimitError` with both numbers and the advice if they are not.
    """
    free = available()
    if size > free:
        raise MemoryLimitError(f"{what} would take {human(size)}, and {human(free)} are available: {advice}.")


def _machine() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return _physical()


def _physical() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2**62


def _control_group() -> int:
    try:
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return 2**62
    return max(_control_group_limit() - used, 0)


def _control_group_limit() -> int:
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        return 2**62 if limit == "max" else int(limit)
    except (OSError, ValueError):
        return 2**62
