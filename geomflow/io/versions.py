"""The versions that numbers depend on."""

from __future__ import annotations

import platform
from importlib import metadata

import geomflow

_PACKAGES = ("numpy", "scipy", "numba", "sympy", "python-flint", "zarr")


def versions() -> dict[str, str]:
    """Versions of geomflow, Python, the packages that compute, and the machine."""
    found = {name: _version(name) for name in _PACKAGES}
    machine = f"{platform.system()} {platform.machine()}"
    return {"geomflow": geomflow.__version__, "python": platform.python_version(), **found, "machine": machine}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
