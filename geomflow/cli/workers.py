"""The options --workers N and --scheduler ADDRESS of commands that spread their work."""

from __future__ import annotations

import argparse

from geomflow.cli.arguments import whole
from geomflow.core.errors import InputError


def add_options(sub: argparse.ArgumentParser, what: str) -> None:
    """Add both options; `what` is spread."""
    sub.add_argument("--workers", type=whole, metavar="N", help=f"spread {what} over N processes, started for this")
    sub.add_argument("--scheduler", metavar="ADDRESS",
                     help=f"spread {what} over the Dask cluster of the scheduler at an address such as "
                          "tcp://192.168.0.1:8786")


def asked(args: argparse.Namespace) -> int | str | None:
    """What `geomflow.distribute.as_workers` takes. Raises `InputError` where both are given."""
    if args.workers is not None and args.scheduler is not None:
        raise InputError("--workers starts processes of this machine and --scheduler uses a cluster that runs: "
                         "give one of them")
    return args.workers if args.scheduler is None else args.scheduler
