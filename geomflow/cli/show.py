"""geomflow show RUN: what a stored run was, and how it ended.

RUN is a store or the directory that holds one.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from geomflow.cli.arguments import file_path
from geomflow.cli.run import STORE

if TYPE_CHECKING:
    from geomflow.flow import Solution


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    sub = commands.add_parser("show", help="tell about a stored run")
    sub.add_argument("run", type=file_path, help="a store, or the directory of a run")
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Print what is known of a run."""
    from geomflow.flow import load

    path = args.run / STORE if (args.run / STORE).exists() else args.run
    print("\n".join(lines(load(path))))
    return 0


def lines(sol: Solution) -> list[str]:
    """A run in words: equation, state, times, outcome, monitors at the start and the end."""
    facts = [
        ("flow", sol.description["equation"]),
        ("first", repr(sol.states[0])),
        ("last", repr(sol.last)),
        ("stepper", str(sol.recipe["stepper"]).partition("(")[0]),
        ("times", f"{len(sol.times)} saved, from {sol.times[0]:g} to {sol.times[-1]:g}"),
        ("steps", f"{sol.steps}, and {sol.rejected} rejected"),
        ("outcome", str(sol.outcome)),
    ]
    width = max(len(name) for name in (*sol.monitors, "outcome"))
    monitors = [f"{name:<{width}}  {values[0]:.10g} → {values[-1]:.10g}" for name, values in sol.monitors.items()]
    return [f"{name:<{width}}  {text}" for name, text in facts] + monitors
