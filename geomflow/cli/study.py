"""geomflow study NAME [--quick] [--out DIR] [--workers N | --scheduler ADDRESS]: put a claim to the test by runs.

Writes the table, the numbers, the figure and a page to DIR (studies/NAME unless given) and prints the answer. Rows are
kept in DIR/rows as they are measured: a study that was stopped goes on where it was. --quick takes well under a minute.
--workers N measures them in N processes of this machine, --scheduler ADDRESS on a Dask cluster; the rows are the same.

`geomflow study --list` names the studies with their questions.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from geomflow.cli.show import add_html, write_report
from geomflow.cli.terminal import add_command, add_workers, file_path, workers_of
from geomflow.core.errors import InputError, require_known


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the subcommand."""
    sub = add_command(commands, "study", "put a claim about metric flows of networks to the test", __doc__)
    sub.add_argument("name", nargs="?", help="a study by name, such as local-limit")
    sub.add_argument("--quick", action="store_true", help="the small size, well under a minute")
    sub.add_argument("--out", type=file_path, metavar="DIR", help="the folder to write to (studies/NAME unless given)")
    add_workers(sub, "the measurements")
    add_html(sub)
    sub.add_argument("--list", action="store_true", help="list the studies with their questions")
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the study and write what it found."""
    from geomflow.study import STUDIES, run_study

    if args.list:
        width = max(map(len, STUDIES))
        print("\n".join(f"{name:<{width}} {kind.question}" for name, kind in STUDIES.items()))
        return 0
    if args.name is None:
        raise InputError("study needs a name; 'geomflow study --list' lists them")
    require_known("study", args.name, STUDIES)
    folder = args.out or Path("studies") / args.name
    findings = run_study(STUDIES[args.name](), args.quick, folder, workers=workers_of(args))
    findings.save(folder)
    print(findings.answer)
    print(f"table, numbers, figure and page are in {folder}")
    write_report(folder, args.html)
    return 0
