"""The command `geomflow`: run, show, examples, derive, quintic, variety, study, warm-up, completion, man and version.

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

from geomflow import __version__
from geomflow.cli import derive, examples, run, shell, show, study, variety, warm_up
from geomflow.cli.terminal import (
    Parser,
    add_command,
    exit_code,
    paragraphs,
    plainly_told,
    seldom_collected,
    versions,
)

COMMANDS = (run, show, examples, derive, variety, study, warm_up, shell)
USE = """\
examples of use:
  geomflow examples                      list what comes with geomflow: files to run, and scripts
  geomflow run calabi_flow_torus         carry out one of them: a store, pictures, how it ended
  geomflow examples calabi_flow_torus    copy it here, to change it
  geomflow show runs/calabi_flow_torus   tell about a run later
  geomflow show runs/calabi_flow_torus --html report.html
                                         write a page about it, which needs no network
  geomflow derive kenergy                derive the flow that descends a functional
  geomflow quintic --degree 6            a nearly Ricci-flat metric on the quintic
  geomflow study --list                  claims that are put to the test"""


def parser() -> argparse.ArgumentParser:
    """The argument parser with its subcommands."""
    top = Parser(prog="geomflow", description="From an exact geometry to a running flow.", epilog=USE)
    top.add_argument("--version", action="version", version=f"geomflow {__version__}", help="print the version")
    top.add_argument("--debug", action="store_true", help="show the traceback of an error")
    top.set_defaults(execute=helped, top=top, codes=paragraphs(__doc__, 1))
    commands = top.add_subparsers(metavar="COMMAND")
    for module in COMMANDS:
        module.add_parser(commands)
    told = add_command(commands, "version", "print the versions of geomflow and of what it stands on")
    told.set_defaults(execute=version)
    return top


def helped(args: argparse.Namespace) -> int:
    """Print the help: no command was given."""
    args.top.print_help()
    return 0


def version(args: argparse.Namespace) -> int:
    """Print the versions of geomflow, of Python, and of the packages that geomflow stands on."""
    print("\n".join(versions()))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (the process's own unless given) and return its exit code.

    No exception leaves it but SystemExit, by which a request for help ends.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    args = argparse.Namespace(debug=False, words=words)
    with plainly_told(), seldom_collected():
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
