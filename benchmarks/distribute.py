"""What it costs to spread work over processes: the same work by none, one and two workers, alternating, in one run.

    python -m benchmarks.distribute [--points 100000] [--rounds 3] [--save NAME]

None works in this process, on one thread and on two. Workers are processes of this machine with one thread each, so
that one and two of them stand beside one thread and two; what they take longer is the price of sending inputs and
results. All four must return the same bits, or the run stops. The first round, in which the workers import what they
need, is told apart.
"""

from __future__ import annotations

import argparse
import datetime
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks.keep import keep

THREADS = 2
WAYS = ("one thread", "one worker", "two threads", "two workers")
EMPTY = 1000


def main() -> None:
    """Measure, print the table, and write it with the numbers under benchmarks/results/."""
    options = _options()
    os.environ["GEOMFLOW_THREADS"] = str(THREADS)
    from benchmarks.machine import describe

    result = {
        "date": datetime.date.today().isoformat(),
        "machine": describe(("numpy", "numba", "distributed")),
        "points": options.points,
        **measure(options.points, options.rounds),
    }
    text = report(result)
    print(text)
    keep(options.save, result, text)


def measure(points: int, rounds: int) -> dict[str, Any]:
    """Seconds of every work in every way, first and later ones, and what it takes to start workers."""
    from geomflow.distribute import IN_SEQUENCE, ON_THREADS, local_workers

    with ExitStack() as stack:
        starting = []
        ways: dict[str, Any] = {"one thread": IN_SEQUENCE, "two threads": ON_THREADS}
        for name, number in (("one worker", 1), ("two workers", 2)):
            begun = time.perf_counter()
            ways[name] = stack.enter_context(local_workers(number))
            starting.append(time.perf_counter() - begun)
        works = prepared(points)
        found: dict[str, dict[str, list[float]]] = {title: {way: [] for way in WAYS} for title in works}
        for _ in range(rounds + 1):
            for title, work in works.items():
                results = [_timed(lambda way=way, work=work: work(ways[way]), found[title][way]) for way in WAYS]
                if not all(np.array_equal(result, results[0]) for result in results):
                    raise SystemExit(f"{title}: the workers return other bits")
    return {"starting": starting, "works": found}


def prepared(count: int) -> dict[str, Callable[[Any], np.ndarray]]:
    """Works as functions of workers that return arrays to compare."""
    import geomflow as gf
    from geomflow.kernels import FubiniStudyGaussian

    variety = gf.Fermat(5)
    points = variety.sample(count, seed=1)
    columns = np.random.default_rng(1).standard_normal((count, 9))
    return {
        f"Gaussian kernel on nine columns, {count:,} points":
            lambda workers: FubiniStudyGaussian(0.3).apply(points, None, columns, workers=workers),
        f"ten steps of the T-operator, O(4), {count:,} points":
            lambda workers: gf.balanced_metric(variety, 4, points, symmetric=False, steps=10, tolerance=1e-300,
                                               workers=workers).form.toarray(),
        f"{count:,} points of the quintic":
            lambda workers: variety.sample(count, seed=2, workers=workers).coordinates,
        f"{EMPTY:,} tasks that do nothing": lambda workers: np.array(workers.map(abs, range(EMPTY))),
    }


def _timed(work: Callable[[], np.ndarray], seconds: list[float]) -> np.ndarray:
    begun = time.perf_counter()
    found = work()
    seconds.append(time.perf_counter() - begun)
    return found


def report(result: dict[str, Any]) -> str:
    """The table of one run of this command."""
    from benchmarks.report import busy, number, table

    rows = []
    for title, ways in result["works"].items():
        medians = {way: float(np.median(seconds[1:])) for way, seconds in ways.items()}
        least = {way: min(seconds[1:]) for way, seconds in ways.items()}
        ratio = [number(medians[f"{n} worker{s}"] / medians[f"{n} thread{s}"]) for n, s in (("one", ""), ("two", "s"))]
        rows.append([title, *(f"{number(medians[way])} ({number(least[way])})" for way in WAYS), *ratio])
    head = ["work", *WAYS, "one worker : one thread", "two workers : two threads"]
    m = result["machine"]
    where = f"{m['processor']}, {result['date']}, load average {m['load']} at the start{busy(m['load'])}"
    starting = ", ".join(f"{who} {number(took)} s" for who, took in zip(("one worker", "two"), result["starting"]))
    return (f"Seconds, median (fastest). {where}. Starting takes {starting}; the first work of a worker waits for its "
            f"imports, some seconds more. The same bits everywhere.\n\n{table(head, rows)}\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distribute", description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3, help="timed repetitions, alternating")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json and NAME.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
