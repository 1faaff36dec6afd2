"""The bound that the machine sets on a case: the slower of its memory traffic and its arithmetic.

Traffic is what must move: inputs read once and outputs written once, at the bandwidth of the triad on arrays of the
same total size (so a case that fits in a cache is held against that cache). Arithmetic is the operations that the
generated routine says it does, a fused multiply-add or a division counted as one and a logarithm as some thirty, at the
rate at which the machine does fused multiply-adds. A division takes longer than that, and additions may run beside
multiplications, so the bound is a yardstick, not a law.
"""

from __future__ import annotations

from typing import Any

from benchmarks.cases import Case
from benchmarks.machine import Limits


def bound(case: Case, operations: float | None, limits: Limits) -> dict[str, Any]:
    """Milliseconds of traffic and of arithmetic, and the larger; arithmetic is None if no count is known."""
    rate = limits.bandwidth[case.traffic]
    traffic = 1e3 * case.traffic / rate
    arithmetic = None if operations is None else 1e3 * operations * case.points / (limits.flops / 2)
    return {
        "bytes": case.traffic,
        "bandwidth": rate,
        "operations": operations,
        "traffic": traffic,
        "arithmetic": arithmetic,
        "bound": max(traffic, arithmetic or 0.0),
    }


def operations_a_point(case: Case) -> float | None:
    """Operations a point of our generated routine, as it counts them itself; None where it does not."""
    from benchmarks.peers import OURS, peer

    try:
        operations = getattr(peer(OURS).routine(case), "operations", None)
    except ImportError:
        return None
    return None if operations is None else float(operations)
