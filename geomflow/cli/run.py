"""geomflow run FILE.toml [--out DIR] [--resume]: make the run that a file describes.

The directory DIR (runs/NAME unless given) receives the store run.zarr, written as the run goes, and the pictures.
An existing run is never overwritten: without --out a new directory is taken; with it, --resume must be given.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomflow.cli import build
from geomflow.cli.arguments import file_path
from geomflow.cli.document import read_document
from geomflow.cli.pictures import check_pictures, draw_pictures
from geomflow.core.content import content
from geomflow.core.errors import InputError
from geomflow.core.outcome import OutcomeKind

if TYPE_CHECKING:
    from geomflow.field.state import Field
    from geomflow.flow import Problem, Solution
    from geomflow.flow.flow import Flow

STORE = "run.zarr"
EXIT_CODES = {OutcomeKind.diverged: 1, OutcomeKind.interrupted: 130}
MOST_STEPS = 100_000
"""What `solve` takes at most unless it is told."""
SOLVE_OPTIONS = ("t0", "rtol", "atol", "max_steps", "stepper")


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    sub = commands.add_parser("run", help="make the run that a TOML file describes")
    sub.add_argument("file", type=file_path, help="a run file")
    sub.add_argument("--out", type=file_path, help="directory for the store and the pictures (runs/NAME unless given)")
    sub.add_argument("--resume", action="store_true",
                     help="continue the run in that directory: one that was interrupted, or to a later t1")
    sub.add_argument("--change-monitors", action="store_true",
                     help="with --resume: go on although the run was watched by other monitors")
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Read, check, announce, run, draw, and say how it ended."""
    document = read_document(args.file)
    out = output_directory(args.file.stem, args.out, args.resume)
    pictures = check_pictures(document.get("output", {}))
    run = Prepared.of(document)
    print("\n".join(run.announcement()))
    sol = run.solve(out / STORE, resume=args.resume, change_monitors=args.change_monitors)
    print(line("outcome", sol.outcome))
    print(line("cost", f"{sol.steps} steps ({sol.rejected} rejected), {sol.rate_evaluations} rates"))
    print(line("store", out / STORE))
    for path in draw_pictures(sol, pictures, out):
        print(line("picture", path))
    return EXIT_CODES.get(sol.outcome.kind, 0)


def line(name: str, what: object) -> str:
    """One line of what the command tells."""
    return f"{name:<9} {what}"


@dataclass(frozen=True)
class Prepared:
    """A checked document with its flow bound to its state: all that can fail early has been done."""

    document: Mapping[str, Any]
    flow: Flow
    state: Field
    problem: Problem

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Prepared:
        """Make the torus, the grid, the state and the flow of a checked document."""
        grid = build.make_grid(document["grid"], build.make_torus(document["geometry"]))
        state = build.make_state(document["state"], grid)
        flow = build.make_flow(document["flow"], grid.torus)
        if "kernel" in document:
            flow = build.under_kernel(document["kernel"], flow, grid.torus)
        return cls(document, flow, state, flow.bind(state))

    def __content__(self) -> Any:
        """The flow: the rest of the document is the state, the way it is solved, or pictures."""
        return content(self.flow)

    def bind(self, state: Field) -> Problem:
        """The problem that was bound already."""
        return self.problem

    def default_stepper(self, problem: Problem) -> Any:
        """The flow's own choice, where it has one."""
        from geomflow.flow.steppers.choose import fitting_stepper

        return getattr(self.flow, "default_stepper", fitting_stepper)(problem)

    def announcement(self) -> list[str]:
        """What is about to be computed, one line each."""
        from geomflow.core.memory import human

        table = self.document["solve"]
        size = human(self.problem.y0.nbytes)
        return [
            line("flow", self.flow),
            line("state", repr(self.state)),
            line("stepper", table.get("stepper") or self.default_stepper(self.problem).name),
            line("until", f"t = {table['t1']:g}, saving {table.get('save', 'the first and the last state')}, "
                          f"in at most {table.get('max_steps', MOST_STEPS):,} steps"),
            line("memory", f"{size} for each saved state and each array of the stepper"),
        ]

    def solve(self, store: Path | None = None, resume: bool = False, change_monitors: bool = False) -> Solution:
        """The solution, kept in a store as it goes if one is given."""
        from geomflow.flow import Store, solve

        table = self.document["solve"]
        return solve(
            self,
            self.state,
            table["t1"],
            save_at=table.get("save"),
            events=build.make_events(self.document.get("events", {})),
            store=None if store is None else Store(store, configuration=self.document),
            resume=resume,
            change_monitors=change_monitors,
            **{key: table[key] for key in SOLVE_OPTIONS if key in table},
        )


def output_directory(name: str, out: Path | None, resume: bool) -> Path:
    """The directory of a run: an existing one to resume, or one that holds no run yet.

    Raises `InputError` where there is nothing to resume, or where a run would be overwritten.
    """
    if out is None:
        return _latest(name) if resume else _unused(name)
    if resume and not (out / STORE).exists():
        raise InputError(f"there is no run to resume in '{out}': {out / STORE} does not exist; a run that was stopped "
                         "before its first state was stored is begun without --resume")
    if not resume and (out / STORE).exists():
        raise InputError(f"'{out}' holds a run already; continue it with --resume, or choose another --out")
    return out


def _numbered(name: str, number: int) -> Path:
    return Path("runs") / (name if number == 1 else f"{name}-{number}")


def _unused(name: str) -> Path:
    """The first of runs/NAME, runs/NAME-2, ... that does not exist."""
    number = 1
    while _numbered(name, number).exists():
        number += 1
    return _numbered(name, number)


def _latest(name: str) -> Path:
    """The last of runs/NAME, runs/NAME-2, ... that holds a run."""
    number = 1
    while (_numbered(name, number + 1) / STORE).exists():
        number += 1
    if not (_numbered(name, number) / STORE).exists():
        raise InputError(f"there is no run to resume: {_numbered(name, number) / STORE} does not exist")
    return _numbered(name, number)
