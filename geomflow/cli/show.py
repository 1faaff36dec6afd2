"""geomflow show RUN [--html FILE]: tell about what a command has written.

RUN is a store or the directory that holds one, the directory of a metric on a variety, or that of a study. What was run
and how it ended is printed; with --html a report is written too: one file that holds the equation, conventions,
configuration, outcome, monitors, pictures of states (over a torus of dimension two a surface that turns), versions and
the file or command that does it again, and that opens without the network. `run`, `variety`, `quintic` and `study` take
--html as well.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from geomflow.cli.terminal import add_command, file_path, line
from geomflow.core.errors import StoreError


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the subcommand."""
    sub = add_command(commands, "show", "tell about a run, a metric or a study, and write its report", __doc__)
    sub.add_argument("run", type=file_path, help="a store, or the directory of a run, a metric or a study")
    add_html(sub)
    sub.set_defaults(execute=execute)


def add_html(sub: argparse.ArgumentParser) -> None:
    """Add the option --html of a command."""
    sub.add_argument("--html", type=file_path, metavar="FILE", help="write a report, one page that needs no network")


def execute(args: argparse.Namespace) -> int:
    """Print what is known, and write it."""
    from geomflow.cli.report import report_of

    print("\n".join(report_of(args.run).lines()))
    write_report(args.run, args.html)
    return 0


def write_report(path: Path, html: Path | None) -> None:
    """Write the report of what is at a path, if one is wanted, and say where it is. Raises `StoreError`."""
    if html is None:
        return
    import matplotlib as mpl

    from geomflow.cli.report import report_of

    mpl.use("Agg")
    page = report_of(path).page()
    try:
        page.write(html)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StoreError(f"the report cannot be written to '{html}': {reason}") from error
    print(line("report", html))
