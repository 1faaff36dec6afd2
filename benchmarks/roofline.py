"""The bound that the machine sets on a case: the slowest of its memory traffic, its arithmetic and its divisions.

Traffic is what must move: inputs read once and outputs written once, at the bandwidth of the triad on arrays of the
same total size (so a case that fits in a cache is held against that cache). Arithmetic is the operations that the
generated routine says it does, a fused multiply-add or a division counted as one and a logarithm as some thirty, at the
rate at which the machine does fused multiply-adds. Divisions take a unit of their own, at whose rate they are held too.
All limits are measured between the bursts of the case itself. Additions may run beside multiplications, and nothing is
said of latencies, so the bound is a yardstick, not a law.
"""

from __future__ import annotations

from typing import Any

from benchmarks.cases import Case
from benchmarks.machine import Limits


def bound(case: Case, counts: tuple[float, float] | None, limits: Limits) -> dict[str, Any]:
    """Milliseconds of traffic, arithmetic and divisions, and the largest; None where no count is known."""
    rate = limits.bandwidth[case.traffic]
    traffic = 1e3 * case.traffic / rate
    operations, divisions = counts or (None, None)
    arithmetic = None if operations is None else 1e3 * operations * case.points / (limits.flops / 2)
    quotients = None if divisions is None else 1e3 * divisions * case.points / limits.quotients
    return {
        "bytes": case.traffic,
        "bandwidth": rate,
        "operations": operations,
        "divisions": divisions,
        "traffic": traffic,
        "arithmetic": arithmetic,
        "quotients": quotients,
        "bound": max(traffic, arithmetic or 0.0, quotients or 0.0),
    }


def counts_a_point(case: Case) -> tuple[float, float] | None:
    """Operations and divisions a point of our generated routine, as it counts them itself."""
    from benchmarks.peers import OURS, peer

    try:
        routine = peer(OURS).routine(case)
    except ImportError:
        return None
    return float(routine.operations), float(routine.divisions)
