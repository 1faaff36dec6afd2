"""The command `geomflow`: run, show, derive, quintic, variety, study, warm-up and version.

Exit codes: 0 for a run that ended well (finished, steady, or at a singularity of the geometry), 1 for one that
diverged, 2 for an error of input or of the machine (a full disk, too little memory), 70 for a defect of geomflow
itself, 130 for an interruption, 141 where nobody reads what is printed any more. An error is one line on stderr; that
of a defect names the file with the details. `geomflow --debug ...` shows the traceback of any of them before the line.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence

from geomflow.cli import derive, examples, run, study, variety, warm_up
from geomflow.cli.terminal import Parser, exit_code, plainly_told, versions

COMMANDS = (run, examples, derive, variety, study, warm_up)


def parser() -> argparse.ArgumentParser:
    """The argument parser with its subcommands."""
    top = Parser(prog="geomflow", description="From an exact geometry to a running flow.")
    top.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.add_parser(commands)
    told = commands.add_parser("version", help="print the versions of geomflow and of what it stands on")
    told.set_defaults(execute=version)
    return top


def version(args: argparse.Namespace) -> int:
    """Print the versions of geomflow, of Python, and of the packages that geomflow stands on."""
    print("\n".join(versions()))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (the process's own unless given) and return its exit code.

    No exception leaves it but SystemExit, by which a request for help ends.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    args = argparse.Namespace(debug=False)
    with plainly_told():
        try:
            parser().parse_args(words, args)
            code: int = args.execute(args)
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
        except (Exception, KeyboardInterrupt) as error:
            if args.debug:
                traceback.print_exception(error)
            return exit_code(error, words)
