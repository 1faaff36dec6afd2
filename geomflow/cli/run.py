"""geomflow run FILE.toml [--out DIR] [--resume]: make the run that a file describes.

FILE.toml may be the name of an example that comes with geomflow, such as calabi_flow_torus.

The directory DIR (runs/NAME unless given) receives the store run.zarr, written as the run goes, and the pictures.
An existing run is never overwritten: without --out a new directory is taken; with it, --resume must be given.
With --html FILE a report is written too, as `geomflow show` does at any time after.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from geomflow.cli.document import line_of, parse_document, placed, read_text
from geomflow.cli.examples import chosen
from geomflow.cli.pictures import check_pictures, draw_pictures, pictures_of
from geomflow.cli.report import STORE
from geomflow.cli.schema import (
    FIELDS,
    EventsTable,
    FieldTable,
    FlowTable,
    GeometryTable,
    GridTable,
    KernelTable,
    RunFile,
    StateTable,
)
from geomflow.cli.show import add_html, write_report
from geomflow.cli.symmetric_file import SymmetricFile, make_rule, make_symmetric
from geomflow.cli.terminal import add_command, file_path, latest, line, unused
from geomflow.cli.toric_file import ToricFile, make_toric
from geomflow.core.content import content
from geomflow.core.errors import InputError, require_known
from geomflow.core.outcome import OutcomeKind

if TYPE_CHECKING:
    from geomflow.field.grid import Grid
    from geomflow.field.lattice import FlatTorus
    from geomflow.field.reduced.state import ReducedState
    from geomflow.field.state import Field
    from geomflow.field.toric import ToricState
    from geomflow.flow import Continuation, Problem, Solution
    from geomflow.flow.events import TerminalEvent
    from geomflow.flow.flow import Flow


EXIT_CODES = {OutcomeKind.diverged: 1, OutcomeKind.interrupted: 130}
MOST_STEPS = 100_000
"""What `solve` takes at most unless it is told."""
SOLVE_OPTIONS = ("t0", "rtol", "atol", "max_steps", "stepper")


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the subcommand."""
    sub = add_command(commands, "run", "make the run that a TOML file describes", __doc__, 1)
    sub.add_argument("file", type=file_path, help="a run file, or the name of an example")
    sub.add_argument("--out", type=file_path, help="directory for the store and the pictures (runs/NAME unless given)")
    sub.add_argument("--resume", action="store_true",
                     help="continue the run in that directory: one that was interrupted, or to a later t1")
    sub.add_argument("--change-monitors", action="store_true",
                     help="with --resume: go on although the run was watched by other monitors")
    add_html(sub)
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Read, check, announce, run, draw, and say how it ended."""
    path = chosen(args.file, "run")
    file = read_run_file(path)
    out = output_directory(path.stem, args.out, args.resume)
    pictures = check_pictures(file.output.pictures, pictures_of(file))
    run = Prepared.of(file)
    if path != args.file:
        print(line("example", path))
    print("\n".join(run.announcement()))
    sol = run.solve(out / STORE, resume=args.resume, change_monitors=args.change_monitors)
    print("\n".join(told(sol)))
    print(line("store", out / STORE))
    for path in draw_pictures(sol, pictures, out):
        print(line("picture", path))
    write_report(out, args.html)
    return max(EXIT_CODES.get(each.outcome.kind, 0) for each in sol.runs.values())


def told(sol: Solution[Any]) -> list[str]:
    """How a run ended and what it cost; the cuts and the ends of its pieces too."""
    rows = [line("outcome", sol.outcome), *(line(name, text) for name, text in sol.sequel())]
    steps, rejected, rates = (sum(getattr(run, name) for run in sol.runs.values())
                              for name in ("steps", "rejected", "rate_evaluations"))
    return [*rows, line("cost", f"{steps} steps ({rejected} rejected), {rates} rates")]


def read_run_file(path: Path) -> RunFile | SymmetricFile | ToricFile:
    """What a run file says: of a torus, or by its table [ansatz] of a metric with symmetry, [toric] of a toric surface.

    Raises `InputError` and `UnknownNameError` as `read_document` does.
    """
    text = read_text(path)
    if line_of(text, "ansatz"):
        return parse_document(text, str(path), SymmetricFile)
    if line_of(text, "toric"):
        return parse_document(text, str(path), ToricFile)
    return parse_document(text, str(path), RunFile)


@final
@dataclass(frozen=True)
class Prepared:
    """A run file with its flow bound to its state: all that can fail early has been done."""

    file: RunFile | SymmetricFile | ToricFile
    flow: Flow
    state: Field | ReducedState | ToricState
    problem: Problem
    after: Continuation | None = None

    @classmethod
    def of(cls, file: RunFile | SymmetricFile | ToricFile) -> Prepared:
        """Make the torus, the ansatz or the toric surface, the grid, the state and the flow of a run file."""
        if isinstance(file, SymmetricFile):
            start, reduced = make_symmetric(file)
            return cls(file, reduced, start, reduced.bind(start), make_rule(file, start))
        if isinstance(file, ToricFile):
            metric, toric_flow = make_toric(file)
            return cls(file, toric_flow, metric, toric_flow.bind(metric))
        grid = make_grid(file.grid, make_torus(file.geometry))
        state = make_state(file.state, grid)
        flow = make_flow(file.flow, grid.torus)
        if file.kernel is not None:
            flow = under_kernel(file.kernel, flow, grid.torus)
        return cls(file, flow, state, flow.bind(state))

    def __content__(self) -> Any:
        """The flow: the rest of the file is the state, the way it is solved, or pictures."""
        return content(self.flow)

    def bind(self, state: Field | ReducedState | ToricState) -> Problem:
        """The problem that was bound already, of the first state; of a piece its own."""
        return self.problem if state is self.state else self.flow.bind(state)

    def default_stepper(self, problem: Problem) -> Any:
        """The flow's own choice, where it has one."""
        from geomflow.flow.steppers.choose import fitting_stepper

        return getattr(self.flow, "default_stepper", fitting_stepper)(problem)

    def announcement(self) -> list[str]:
        """What is about to be computed, one line each."""
        from geomflow.core.memory import human

        table = self.file.solve
        size = human(self.problem.y0.nbytes)
        saved = "the first and the last state" if table.save is None else table.save
        most = MOST_STEPS if table.max_steps is None else table.max_steps
        return [
            line("flow", self.flow),
            *(line("reduced", text) for text in self.problem.description.get("reduced", "").splitlines()),
            line("state", repr(self.state)),
            line("stepper", table.stepper or self.default_stepper(self.problem).name),
            line("until", f"t = {table.t1:g}, saving {saved}, in at most {most:,} steps"),
            line("memory", f"{size} for each saved state and each array of the stepper"),
        ]

    def solve(self, store: Path | None = None, resume: bool = False, change_monitors: bool = False) -> Solution[Any]:
        """The solution, kept in a store as it goes if one is given."""
        from geomflow.flow import Store, solve

        table = self.file.solve.given()
        return solve(
            self,
            self.state,
            table["t1"],
            save_at=table.get("save"),
            events=make_events(self.file.events),
            store=None if store is None else Store(store, configuration=self.file.given()),
            resume=resume,
            change_monitors=change_monitors,
            after=self.after,
            **{key: table[key] for key in SOLVE_OPTIONS if key in table},
        )


def output_directory(name: str, out: Path | None, resume: bool) -> Path:
    """The directory of a run: an existing one to resume, or one that holds no run yet.

    Raises `InputError` where there is nothing to resume, or where a run would be overwritten.
    """
    if out is None:
        if not resume:
            return unused(Path("runs"), name)
        out = latest(Path("runs"), name, STORE)
        if not (out / STORE).exists():
            raise InputError(f"there is no run to resume: {out / STORE} does not exist")
        return out
    if resume and not (out / STORE).exists():
        raise InputError(f"there is no run to resume in '{out}': {out / STORE} does not exist; a run that was stopped "
                         "before its first state was stored is begun without --resume")
    if not resume and (out / STORE).exists():
        raise InputError(f"'{out}' holds a run already; continue it with --resume, or choose another --out")
    return out


def make_torus(table: GeometryTable) -> FlatTorus:
    """The torus of [geometry]. Raises `UnknownNameError` for another type of geometry."""
    from geomflow.field import ComplexTorus, Torus

    types: dict[str, Callable[..., FlatTorus]] = {"torus": Torus, "complex torus": ComplexTorus}
    require_known("geometry.type", table.type, types)
    return types[table.type](table.dim, periods=table.periods, lattice=table.lattice)


def make_grid(table: GridTable, torus: FlatTorus) -> Grid:
    """The grid of [grid] on a torus."""
    order: Any = table.order  # of a word it is said what to write instead
    scheme: Any = table.scheme or "stencil"
    return torus.grid(table.n, order, scheme)


def make_state(table: StateTable, grid: Grid) -> Field:
    """The state of [state] on a grid, checked there: one field, or several by name.

    Raises `InputError` unless exactly one kind of field is given for each.
    """
    if not table.further:
        return make_field(table, grid, "state")
    if beside := table.kinds():
        raise InputError(f"state.{next(iter(beside))} is a field without a name beside those called "
                         f"{', '.join(table.further)}: give it a table of its own, such as [state.u]")
    return grid.fields(**{name: make_field(field, grid, f"state.{name}") for name, field in table.further.items()})


def make_field(table: FieldTable, grid: Grid, place: str) -> Field:
    """One field on a grid; `place` is the table that it stands in, for messages."""
    given = table.kinds()
    if len(given) != 1:
        what = " and ".join(given) if given else "none of them"
        raise InputError(f"[{place}] takes one of {', '.join(FIELDS)}, and {what} was given")
    (kind, value), = given.items()
    if table.reference is not None and kind != "potential":
        raise InputError(f"{place}.reference goes with a potential, and the state is a {kind}")
    options = {} if table.reference is None else {"reference": table.reference}
    with placed(f"{place}.{kind}"):
        field: Field = getattr(grid, kind)(value, **options)
    return field


def make_flow(table: FlowTable, torus: FlatTorus) -> Flow:
    """The equation of [flow] with its options, derived on the torus where it is the gradient flow of a functional.

    Raises `UnknownNameError` for an unknown name or option.
    """
    from geomflow.flow.registry import named_flow

    return named_flow(table.name, {key: value for key, value in table.given().items() if key != "name"}, torus)


def under_kernel(table: KernelTable, flow: Flow, torus: FlatTorus) -> Flow:
    """The flow under the kernel of [kernel].

    Raises `UnknownNameError` for an unknown name or option, `InputError` where an option is missing.
    """
    from geomflow.tangent.kernel_flow import named_kernel_flow

    return named_kernel_flow(flow, torus, **table.given())


def make_events(table: EventsTable) -> list[TerminalEvent]:
    """The events of [events], each with its threshold."""
    from geomflow.flow import ClassBoundary, CurvatureBlowUp, PositivityLoss, SteadyState

    kinds = {"steady": SteadyState, "curvature": CurvatureBlowUp, "positivity": PositivityLoss,
             "boundary": ClassBoundary}
    return [kinds[name](threshold) for name, threshold in table.given().items()]
