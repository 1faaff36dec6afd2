"""The command `geomflow`: run, show, derive, quintic, variety, study and version, one file each.

Exit codes: 0 for a run that ended well (finished, steady, or at a singularity of the geometry), 1 for one that
diverged, 2 for an error of input, 130 for an interruption.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from geomflow.cli import derive, quintic, run, show, study, variety, version
from geomflow.core.errors import GeomflowError

COMMANDS = (run, show, derive, quintic, variety, study, version)


def parser() -> argparse.ArgumentParser:
    """The argument parser, one subcommand a module."""
    top = argparse.ArgumentParser(prog="geomflow", description="From an exact geometry to a running flow.")
    top.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (the process's own unless given) and return its exit code."""
    args = parser().parse_args(argv)
    try:
        return args.execute(args)
    except GeomflowError as error:
        if args.debug:
            raise
        print(f"geomflow: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("geomflow: interrupted", file=sys.stderr)
        return 130
