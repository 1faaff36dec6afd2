"""geomflow version: which geomflow this is, and what it stands on."""

from __future__ import annotations

import argparse
import platform
from importlib import metadata

import geomflow

FOUNDATIONS = ("numpy", "scipy", "sympy", "python-flint", "numba", "zarr")


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    sub = commands.add_parser("version", help="print the versions of geomflow and of what it stands on")
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Print the versions."""
    print("\n".join(versions()))
    return 0


def versions() -> list[str]:
    """Of geomflow, of Python, and of the packages that geomflow stands on."""
    packages = [f"{package} {metadata.version(package)}" for package in FOUNDATIONS]
    return [f"geomflow {geomflow.__version__}", f"python {platform.python_version()}", *packages]
