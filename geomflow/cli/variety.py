"""geomflow variety FILE.toml [--out DIR] [--resume] [--workers N | --scheduler ADDRESS]: a metric as a file describes.

Samples points of a Calabi–Yau hypersurface or reads kept ones, fits a metric, measures it on unseen points, and writes
to DIR (varieties/NAME unless given) metric.npz (`geomflow.load_metric` reads it), points.npz and unseen.npz
(`Points.load`), numbers.json and the pictures. Nothing is overwritten: without --out a new directory is taken. With
--resume a kept metric is gone on from: one of the same degree is measured and drawn again, one of a lower degree starts
the fit of the next, and a network that was interrupted is trained on.
--workers N spreads the points and the fit of a balanced metric over N processes of this machine, --scheduler ADDRESS
over a Dask cluster; the numbers are the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import geomflow
from geomflow.cli.arguments import file_path
from geomflow.cli.run import EXIT_CODES, line
from geomflow.cli.variety_file import Task
from geomflow.cli.variety_folder import METRIC, Folder, settings
from geomflow.cli.workers import add_options, asked
from geomflow.core.errors import InputError
from geomflow.distribute import Workers, as_workers

if TYPE_CHECKING:
    from geomflow.cli.variety_work import Measured, Rung
    from geomflow.variety import Hypersurface, Points, VarietyMetric


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    sub = commands.add_parser("variety", help="fit and measure a metric on the variety that a TOML file describes")
    sub.add_argument("file", type=file_path, help="a file with [variety], [points], [metric], [measure] and [output]")
    sub.add_argument("--out", type=file_path, metavar="DIR",
                     help="the directory to write to (varieties/NAME unless given)")
    sub.add_argument("--resume", action="store_true", help="go on from the metric that the directory holds")
    add_options(sub, "the points and the fit of a balanced metric")
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Read, check, sample, fit, measure, draw and store."""
    return work(Task.read(args.file), args.file.stem, args.out, args.resume, asked(args))


def work(task: Task, name: str, out: Path | None, resume: bool, workers: int | str | None = None) -> int:
    """Do a task and tell about it; returns the exit code. `workers` are as for `as_workers`."""
    from geomflow.cli.variety_pictures import Shown, check_pictures, draw_pictures
    from geomflow.cli.variety_work import measured

    begun = monotonic()
    variety = task.variety()
    ladder = task.degrees(variety)
    pictures = check_pictures(task, len(ladder))
    job = Job(task, variety, Folder.claim(name, out, resume))
    with job.folder.released(), as_workers(workers) as team:
        tell("variety", f"{variety}, Euler number {variety.euler_number}")
        points, unseen = job.sampled(team)
        metric, rungs = job.fitted(ladder, points, unseen, team)
    found = measured(task, metric, unseen)
    job.keep_points(points, unseen)
    for row in found.lines():
        tell(*row)
    for path in draw_pictures(Shown(task.kind, metric, rungs, found), pictures, job.folder):
        tell("picture", path)
    job.save(metric, rungs, found, monotonic() - begun)
    tell("kept", f"{job.folder.path / METRIC}, points.npz, unseen.npz, numbers.json")
    tell("time", f"{monotonic() - begun:.1f} s")
    return EXIT_CODES.get(metric.report.outcome.kind, 0) if task.kind == "network" else 0


def tell(name: str, what: object) -> None:
    """Print one line, at once."""
    print(line(name, what), flush=True)


@dataclass(frozen=True, eq=False)
class Job:
    """A task on its variety, with the directory that keeps what is found."""

    task: Task
    variety: Hypersurface
    folder: Folder
    settings: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", settings(self.task, self.variety))

    def sampled(self, workers: Workers) -> tuple[Points, Points]:
        """The points to fit on and the unseen ones."""
        task = self.task
        points = task.points(self.variety)
        origin = f"seeds {task.seed} and" if points is None else f"'{task.get('points', 'file')}' and seed"
        tell("points", f"{task.count:,} to fit on, {task.unseen:,} unseen, {origin} {task.seed + 1}")
        if points is None:
            points = self.variety.sample(task.count, task.seed, workers=workers)
        return points, self.variety.sample(task.unseen, task.seed + 1, workers=workers)

    def keep_points(self, points: Points, unseen: Points) -> None:
        """Write both samples."""
        self.folder.write("points.npz", points.save)
        self.folder.write("unseen.npz", unseen.save)

    def fitted(
        self, ladder: Sequence[tuple[int, ...]], points: Points, unseen: Points, workers: Workers
    ) -> tuple[VarietyMetric, list[Rung]]:
        """The last metric of the ladder with all rungs, each kept as it is done."""
        from geomflow import variety as gv
        from geomflow.cli.variety_network import trained
        from geomflow.cli.variety_work import Rung, climb, reachable

        if self.task.kind == "network":
            metric = trained(self.task, self.folder, self.settings, points)
            tell("fit", metric.report)
            self.save(metric, [])
            return metric, []
        if self.task.kind == "fubini-study":
            with self.task.at("metric", "class"):
                return gv.FubiniStudy(self.variety, self.task.kahler_class), []
        metric = self.folder.metric(self.variety, self.settings)
        rungs = [Rung.read(data) for data in self.folder.before.get("rungs", [])]
        if metric is not None:
            tell("resumed", rungs[-1])
        asked = self._left(ladder, rungs)
        left = reachable(self.task, asked, points)
        done = len(rungs)
        for metric, seconds in climb(self.task, left, points, metric, workers):  # noqa: B020
            rungs.append(Rung.of(metric, seconds, gv.sigma(metric, unseen)))
            tell("fit", rungs[-1])
            self.save(metric, rungs)
        done = len(rungs) - done
        if done < len(left):
            tell("stopped", f"degree {_short(left[done])} is not expected to be done in the time that is left")
        elif done < len(asked):
            tell("stopped", f"degree {_short(asked[done])} has more parameters than there are points")
        return metric, rungs

    def _left(self, ladder: Sequence[tuple[int, ...]], rungs: Sequence[Rung]) -> list[tuple[int, ...]]:
        """The degrees above those that are done. Raises `InputError` where more is done than is asked for."""
        if not rungs:
            return list(ladder)
        last = rungs[-1].degree
        if max(last) > max(ladder[-1]):
            raise InputError(
                f"'{self.folder.path}' holds a metric of degree {_short(last)}, and degree {_short(ladder[-1])} is "
                "asked for; choose another --out"
            )
        return [degrees for degrees in ladder if max(degrees) > max(last)]

    def save(
        self, metric: VarietyMetric, rungs: Sequence[Rung], found: Measured | None = None, seconds: float | None = None
    ) -> None:
        """Keep the metric and the numbers so far."""
        from geomflow.cli.variety_work import as_json

        variety = self.variety
        numbers: dict[str, Any] = {
            "geomflow": geomflow.__version__,
            "variety": str(variety),
            "dimension": variety.dim,
            "settings": self.settings,
            "rungs": as_json(rungs),
        }
        if found is not None:
            numbers |= {"measures": found.numbers(), "seconds": seconds}
        self.folder.write(METRIC, metric.save)
        self.folder.save_numbers(numbers)


def _short(degrees: Sequence[int]) -> str:
    return str(degrees[0]) if len(set(degrees)) == 1 else str(tuple(degrees))
