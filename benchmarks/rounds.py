"""One case: every peer prepared, checked against the oracle, then timed in alternating bursts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.cases import Case
from benchmarks.peers import ORACLE, OURS, can, dotted, order, peer
from benchmarks.worker import Worker

BURST_SECONDS = 0.15


def compare(case: Case, names: tuple[str, ...], rounds: int, between: Callable[[], None]) -> dict[str, dict[str, Any]]:
    """For every peer that can do the case: seconds of import and first call, difference from the oracle, timings.

    `between` is called before every round. A peer that is not installed or fails is reported with its error and left
    out of the rounds.
    """
    results: dict[str, dict[str, Any]] = {}
    workers: dict[str, Worker] = {}
    try:
        for name in names:
            if can(peer(name), case):
                worker = Worker(dotted(name), case)
                results[name] = _prepared(peer(name), worker, case)
                workers[name] = worker
        for name in [n for n in workers if "error" in results[n]]:
            workers.pop(name).close()
        _time(workers, results, rounds, between)
    finally:
        for worker in workers.values():
            worker.close()
    if OURS in workers:
        results[OURS]["second process"] = second_process(case)
    return results


def second_process(case: Case) -> dict[str, float]:
    """Import and first call of ours in one more process, which finds the routine in the cache."""
    worker = Worker(dotted(OURS), case)
    try:
        return worker.prepare()
    finally:
        worker.close()


def _prepared(module: Any, worker: Worker, case: Case) -> dict[str, Any]:
    try:
        seconds = worker.prepare()
        found = worker.result()
    except RuntimeError as error:
        return {"error": str(error).strip().splitlines()[-1]}
    return {**seconds, "order": order(module, case), "difference": _checked(module, case, found), "seconds": []}


def _checked(module: Any, case: Case, found: np.ndarray) -> float:
    """Largest difference from the oracle at the peer's order, relative to the largest value. Raises if too large."""
    at_order = replace(case, order=order(module, case))
    call, result = peer(ORACLE).prepare(at_order, case.fields())
    call()
    expected = result()
    difference = float(np.abs(found - expected).max() / np.abs(expected).max())
    tolerance = getattr(module, "TOLERANCE", 1e-9)
    if not difference <= tolerance:
        raise SystemExit(f"{module.NAME} computes another function on case {case.name}: it differs from the oracle by "
                         f"{difference:.1e} of the largest value, and {tolerance:.0e} is allowed")
    return difference


def _time(workers: dict[str, Worker], results: dict[str, dict[str, Any]], rounds: int,
          between: Callable[[], None]) -> None:
    for _ in range(rounds):
        between()
        for name, worker in workers.items():
            results[name]["seconds"].append(worker.burst(BURST_SECONDS))


def summary(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry with its timings reduced: milliseconds of the median over all calls and of the fastest call."""
    if "error" in entry:
        return entry
    calls = np.concatenate([np.asarray(burst) for burst in entry["seconds"]])
    kept = {key: value for key, value in entry.items() if key != "seconds"}
    return {**kept, "median": 1e3 * float(np.median(calls)), "least": 1e3 * float(calls.min()), "calls": len(calls)}
