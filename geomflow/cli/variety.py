"""geomflow variety FILE.toml [--out DIR] [--resume] [--workers N | --scheduler ADDRESS]: a metric as a file describes.

FILE.toml may be the name of an example that comes with geomflow, such as dwork_quintic.

Samples points of a Calabi–Yau hypersurface or reads kept ones, fits a metric, measures it on unseen points, and writes
to DIR (varieties/NAME unless given) metric.npz (`geomflow.load_metric` reads it), points.npz and unseen.npz
(`geomflow.load_points`), numbers.json and the pictures. Nothing is overwritten: without --out a new directory is
taken. With --resume a kept metric is gone on from: one of the same degree is measured and drawn again, one of a lower
degree starts the fit of the next, and a network that was interrupted is trained on.
--workers N spreads the points and the fit of a balanced metric over N processes of this machine, --scheduler ADDRESS
over a Dask cluster; the numbers are the same.

geomflow quintic [--degree K] [--points N] [--psi PSI] [--work W] ...: a nearly Ricci-flat metric on the quintic.

Fits the optimal algebraic metric of degree K on the Fermat quintic, or on a member of the Dwork family
Σ z_i⁵ − 5ψ Π z_i = 0, and measures σ, κ and the volume on unseen points. With --work it climbs the even degrees, up to
the one given, for so many core-seconds. What it writes is what `geomflow variety` writes. --workers N and --scheduler
ADDRESS spread the points over processes; the fit of an algebraic metric stays in this one.
"""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, final

from geomflow.cli.examples import chosen
from geomflow.cli.run import EXIT_CODES
from geomflow.cli.schema import CURVED, POINTS, WORK
from geomflow.cli.show import add_html, write_report
from geomflow.cli.task import FORMS, Task
from geomflow.cli.terminal import add_command, add_workers, file_path, latest, line, number, unused, whole, workers_of
from geomflow.core.errors import InputError, StoreError
from geomflow.distribute import Workers, as_workers

if TYPE_CHECKING:
    from geomflow.fits import PhiNetwork
    from geomflow.fits.folder import MetricFolder
    from geomflow.fits.ladder import DegreeFit
    from geomflow.variety import Hypersurface, Points


PARENT = Path("varieties")
TRAINING = "training"


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add both subcommands."""
    add_quintic(commands)
    sub = add_command(commands, "variety", "fit and measure a metric on the variety that a TOML file describes",
                      __doc__, 1, 3)
    sub.add_argument("file", type=file_path,
                     help="a file with [variety], [points], [metric], [measure] and [output], or an example by name")
    sub.add_argument("--out", type=file_path, metavar="DIR",
                     help="the directory to write to (varieties/NAME unless given)")
    sub.add_argument("--resume", action="store_true", help="go on from the metric that the directory holds")
    add_workers(sub, "the points and the fit of a balanced metric")
    add_html(sub)
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Read, check, sample, fit, measure, draw and store."""
    path = chosen(args.file, "variety")
    if path != args.file:
        tell("example", path)
    return carry_out(Task.read(path), path.stem, args)


def carry_out(task: Task, name: str, args: argparse.Namespace) -> int:
    """Do a task and tell about it; returns the exit code."""
    from geomflow.cli.findings import Shown, check_variety_pictures, draw_variety_pictures, measured
    from geomflow.fits.folder import METRIC, NUMBERS, MetricFolder
    from geomflow.fits.ladder import as_json
    from geomflow.io.layout import versions

    begun = monotonic()
    variety = task.variety()
    degrees = task.degrees(variety)
    pictures = check_variety_pictures(task, len(degrees))
    path = args.out or (latest(PARENT, name, NUMBERS) if args.resume else unused(PARENT, name))
    job = Job(task, variety, degrees, MetricFolder.claim(path, task.settings(variety), args.resume))
    with job.folder.released(), as_workers(workers_of(args)) as team:
        tell("variety", f"{variety}, Euler number {variety.euler_number}")
        points, unseen = job.sampled(team)
        metric, fits = job.fitted(points, unseen, team)
    found = measured(task, metric, unseen)
    job.folder.write("points.npz", points.save)
    job.folder.write("unseen.npz", unseen.save)
    for row in found.lines():
        tell(*row)
    for drawn in draw_variety_pictures(Shown(task.kind, metric, fits, found), pictures, job.folder):
        tell("picture", drawn)
    job.folder.save(metric, rungs=as_json(fits), measures=found.numbers(), seconds=monotonic() - begun,
                    command=shlex.join(["geomflow", *args.words]), file=task.file.given(), versions=versions())
    tell("kept", f"{job.folder.path / METRIC}, points.npz, unseen.npz, numbers.json")
    tell("time", f"{monotonic() - begun:.1f} s")
    write_report(path, args.html)
    return EXIT_CODES.get(metric.report.outcome.kind, 0) if task.kind == "network" else 0


def tell(name: str, what: object) -> None:
    """Print one line, at once."""
    print(line(name, what), flush=True)


@final
@dataclass(frozen=True, eq=False)
class Job:
    """A task on its variety, with its degrees and the folder that keeps what is found."""

    task: Task
    variety: Hypersurface
    degrees: list[tuple[int, ...]]
    folder: MetricFolder

    def sampled(self, workers: Workers) -> tuple[Points, Points]:
        """The points to fit on and the unseen ones."""
        task = self.task
        points = task.points(self.variety)
        origin = f"seeds {task.seed} and" if points is None else f"'{task.file.points.file}' and seed"
        tell("points", f"{task.count:,} to fit on, {task.unseen:,} unseen, {origin} {task.seed + 1}")
        if points is None:
            points = self.variety.sample(task.count, task.seed, workers=workers)
        return points, self.variety.sample(task.unseen, task.seed + 1, workers=workers)

    def fitted(self, points: Points, unseen: Points, workers: Workers) -> tuple[Any, tuple[DegreeFit, ...]]:
        """The metric, with the fits of its ladder; all are kept as they end."""
        from geomflow import variety as gv

        if self.task.kind in FORMS:
            return self._climbed(points, unseen, workers)
        if self.task.kind == "network":
            metric = self._trained(points)
            tell("fit", metric.report)
            self.folder.save(metric, rungs=[])
            return metric, ()
        with self.task.at("metric", "class"):
            return gv.FubiniStudy(self.variety, self.task.kahler_class), ()

    def _climbed(self, points: Points, unseen: Points, workers: Workers) -> tuple[Any, tuple[DegreeFit, ...]]:
        """The last metric of a ladder of degrees."""
        from geomflow.fits.ladder import climb, kept_fits

        ladder = self.task.ladder(self.degrees, points)
        self.folder.require_same()
        done = kept_fits(self.folder)
        if done:
            tell("resumed", done[-1])
        left = ladder.above(done, self.folder.path)
        with self.task.at("points", "count" if self.task.kept is None else "file"):
            ladder.determined(left)
        with self.task.at("metric", "degree"):
            found = climb(ladder, unseen, folder=self.folder, workers=workers, watch=lambda fit: tell("fit", fit))
        if found.stopped:
            tell("stopped", found.stopped)
        return found.metric, found.fits

    def _trained(self, points: Points) -> PhiNetwork:
        """The metric g_FS + ∂∂̄φ of a network, trained from where the folder has it.

        Raises `InputError` where the folder holds one that was made with other settings, and `UnderdeterminedError`.
        """
        from geomflow.fits import PhiTraining
        from geomflow.flow import solve

        self.folder.require_same()
        task, place = self.task, self.folder.path
        if (place / "training.npz").exists():
            raise StoreError(f"'{place / 'training.npz'}' is an unfinished fit of an earlier version, which cannot be "
                             "gone on from: choose another --out")
        with task.at("metric", "kind"):
            fit = PhiTraining(self.variety, points, loss=task.functional, seed=task.seed,
                              kahler_class=task.kahler_class, work=task.file.metric.work or WORK, **task.network)
        solution = solve(fit, fit.start(), fit.length, max_steps=fit.length, store=place / TRAINING, resume=True)
        return fit.metric(solution)


QUINTIC_DEGREE = 10
HIGHEST = 20


def add_quintic(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the subcommand."""
    sub = add_command(commands, "quintic", "a nearly Ricci-flat metric on the quintic, in seconds", __doc__, 4)
    sub.add_argument("--degree", type=whole, help=f"the k of O(k) ({QUINTIC_DEGREE} unless given)")
    sub.add_argument("--points", type=whole, default=POINTS, help="points to fit on, and as many to measure on")
    sub.add_argument("--seed", type=whole, default=1, help="seed of the points (1 unless given)")
    sub.add_argument("--psi", help="the parameter of the Dwork family, such as 0.5 or --psi=-1/2+i/3")
    sub.add_argument("--work", type=number, metavar="W",
                     help="core-seconds for the fits: no degree is begun that is expected to take more")
    sub.add_argument("--curvature", type=whole, nargs="?", const=CURVED, default=0, metavar="N",
                     help=f"measure and draw the scalar curvature at N unseen points ({CURVED} unless given)")
    sub.add_argument("--euler", type=whole, nargs="?", const=POINTS, default=0, metavar="N",
                     help="measure the Euler number from N unseen points")
    sub.add_argument("--out", type=file_path, metavar="DIR",
                     help="the directory to write (varieties/quintic unless given)")
    sub.add_argument("--resume", action="store_true", help="go on from the metric that the directory holds")
    sub.add_argument("--no-pictures", action="store_true", help="draw nothing")
    add_workers(sub, "the points")
    add_html(sub)
    sub.set_defaults(execute=quintic)


def quintic(args: argparse.Namespace) -> int:
    """Sample, fit, measure, draw and store."""
    return carry_out(Task.of(quintic_tables(args)), "quintic", args)


def quintic_tables(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The arguments as the tables of a file."""
    if args.degree is not None and args.degree < 1:
        raise InputError(f"the degree is {args.degree}; give a whole number >= 1")
    tables: dict[str, dict[str, Any]] = {
        "variety": {"family": "fermat"} if args.psi is None else {"family": "dwork", "psi": args.psi},
        "points": {"count": args.points, "seed": args.seed},
        "metric": {"degree": args.degree or QUINTIC_DEGREE},
        "measure": {"curvature": args.curvature, "euler": args.euler},
    }
    if args.work is not None:
        last = args.degree or HIGHEST
        tables["metric"] |= {"degree": last, "ladder": list(range(2, last, 2)), "work": args.work}
    if args.no_pictures:
        tables["output"] = {"pictures": []}
    return tables
