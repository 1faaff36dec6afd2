"""The bound that the machine sets on a case: the slower of its memory traffic and its arithmetic.

Traffic is what must move: inputs read once and outputs written once, at the bandwidth of the triad on arrays of the
same total size (so a case that fits in a cache is held against that cache). Arithmetic is the operations that the
generated routine says it does, at the rate of fused multiply-adds, two flops each; no real code fuses everything.
"""

from __future__ import annotations

from typing import Any

from benchmarks.cases import Case
from benchmarks.machine import bandwidth


def bound(case: Case, flops_a_point: float | None, peak: float, threads: int) -> dict[str, Any]:
    """Milliseconds of traffic and of arithmetic, and the larger; arithmetic is None if no count is known."""
    rate = bandwidth(case.traffic, threads)
    traffic = 1e3 * case.traffic / rate
    arithmetic = None if flops_a_point is None else 1e3 * flops_a_point * case.points / peak
    return {
        "bytes": case.traffic,
        "bandwidth": rate,
        "flops a point": flops_a_point,
        "traffic": traffic,
        "arithmetic": arithmetic,
        "bound": max(traffic, arithmetic or 0.0),
    }


def flops_a_point(case: Case) -> float | None:
    """Operations a point of our generated routine, as it counts them itself; None where it does not."""
    from benchmarks.peers import OURS, peer

    try:
        operations = getattr(peer(OURS).routine(case), "operations", None)
    except ImportError:
        return None
    return None if operations is None else float(operations)
