"""Whole runs: geomflow's `solve` beside JAX and py-pde, time and error against the exact decay rate.

    python -m benchmarks.runs [--runs krf-256 calabi-64] [--rounds 3] [--save NAME]

The peers step explicitly, as stiff as the grid makes it; a run of theirs that would take more than a million steps is
not attempted. Compilation is left out of the times: everything runs once before it is timed.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
from typing import Any

import numpy as np

from benchmarks.keep import keep
from benchmarks.run_cases import RUNS, RunCase
from benchmarks.runners import MODULES, MOST_STEPS, dotted
from benchmarks.worker import THREADS, Worker, limit_threads


def main() -> None:
    """Measure, print the table, and write it with the numbers under benchmarks/results/."""
    options = _options()
    limit_threads()
    from benchmarks.machine import describe

    chosen = [run for run in RUNS if run.name in options.runs]
    result = {
        "date": datetime.date.today().isoformat(),
        "threads": THREADS,
        "machine": describe(("numpy", "numba", "jax", "py-pde")),
        "runs": {run.name: {"title": run.title, "ways": measure(run, options.rounds)} for run in chosen},
    }
    text = report(result)
    print(text)
    keep(options.save, result, text)


def measure(run: RunCase, rounds: int) -> dict[str, dict[str, Any]]:
    """Seconds and relative error of every way to do the run, alternating."""
    found: dict[str, dict[str, Any]] = {}
    workers: dict[str, Worker] = {}
    try:
        for name in MODULES:
            module = importlib.import_module(dotted(name))
            count = module.steps(run)
            found[name] = {"name": module.NAME, "order": module.ORDER, "steps": count}
            if count is None or count <= MOST_STEPS:
                _prepare(found[name], workers, name, run)
        times: dict[str, list[float]] = {name: [] for name in workers}
        for _ in range(rounds):
            for name, worker in workers.items():
                times[name].append(worker.timed())
        for name, seconds in times.items():
            found[name] |= {"median": float(np.median(seconds)), "least": min(seconds)}
    finally:
        for worker in workers.values():
            worker.close()
    return found


def _prepare(entry: dict[str, Any], workers: dict[str, Worker], name: str, run: RunCase) -> None:
    print(f"{run.name}: {name} ...", flush=True)
    worker = Worker(dotted(name), run)
    try:
        entry |= worker.prepare()
        entry["error"] = run.error(worker.result())
    except RuntimeError as failure:
        entry["failure"] = str(failure).strip().splitlines()[-1]
        worker.close()
        print(f"  {entry['failure']}")
    else:
        workers[name] = worker


def report(result: dict[str, Any]) -> str:
    """The table of one run of this command."""
    from benchmarks.report import MISSING, busy, number, table

    rows = []
    for entry in result["runs"].values():
        ours = entry["ways"][MODULES[0]].get("median")
        for way in entry["ways"].values():
            seconds, error, steps = way.get("median"), way.get("error"), way["steps"]
            ratio = f"{seconds / ours:.1f}" if seconds and ours else MISSING
            rows.append([entry["title"], way["name"], str(way["order"]), f"{steps:,}" if steps else "controlled",
                         number(seconds), f"{error:.1e}" if error is not None else MISSING, ratio])
    head = ["run", "by", "order in space", "steps", "seconds", "relative error", "times geomflow"]
    m = result["machine"]
    where = f"{m['processor']}, {result['threads']} threads, {result['date']}, load average {m['load']} at the start"
    return f"{where}{busy(m['load'])}.\n\n{table(head, rows)}\n"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runs", description=__doc__.splitlines()[0])
    names = [run.name for run in RUNS]
    parser.add_argument("--runs", nargs="+", choices=names, default=names, help="which runs")
    parser.add_argument("--rounds", type=int, default=3, help="timed repetitions, alternating")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json and NAME.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
