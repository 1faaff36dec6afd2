"""The machine and its limits with two threads: bandwidth by the STREAM triad, fused multiply-adds a second."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

from geomflow.codegen.mathematics import held
from geomflow.core.threads import each, threads

#: Independent chains of fused multiply-adds, more than the eight that two units of four cycles keep busy, and steps of
#: each: few, since the processor looks ahead over a hundred instructions or two, and they come chain by chain.
FMA_CHAINS, FMA_STEPS = 12, 8
#: A point takes one more of each chain at its start and at its end.
FMA_POINT = FMA_CHAINS * (FMA_STEPS + 2)
TRIAD_BYTES = 5e7


@numba.njit(fastmath={"contract"})
def _triad(a, b, c):  # type: ignore[no-untyped-def]
    for i in range(a.size):
        a[i] = b[i] + 3.0 * c[i]


@numba.njit(parallel=True)
def _triad_in_blocks(a, b, c, blocks, repeats):  # type: ignore[no-untyped-def]
    n = a.size // blocks
    for t in numba.prange(blocks):
        for _ in range(repeats):
            _triad(a[t * n:(t + 1) * n], b[t * n:(t + 1) * n], c[t * n:(t + 1) * n])


@numba.njit(fastmath={"contract"})
def _polynomials(x, out):  # type: ignore[no-untyped-def]
    """Twelve Horner chains a point: FMA_POINT fused multiply-adds and nothing else, all in registers."""
    q = held(0.25)
    for i in range(x.size):
        p = x[i]
        a, b, c, d = q * p + q, held(0.5) * p + q, held(0.75) * p + q, held(1.25) * p + q
        e, f, g, h = held(1.5) * p + q, held(1.75) * p + q, held(2.25) * p + q, held(2.5) * p + q
        k, l, m, n = held(2.75) * p + q, held(3.25) * p + q, held(3.5) * p + q, held(3.75) * p + q
        for _ in range(FMA_STEPS):
            a, b, c, d = a * p + q, b * p + q, c * p + q, d * p + q
            e, f, g, h = e * p + q, f * p + q, g * p + q, h * p + q
            k, l, m, n = k * p + q, l * p + q, m * p + q, n * p + q
        total = a * q + q
        for end in (b, c, d, e, f, g, h, k, l, m, n):
            total = end * q + total
        out[i] = total


@numba.njit(error_model="numpy")
def _quotients(x, out):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        out[i] = 1.5 / x[i]


@numba.njit(parallel=True)
def _in_blocks(loop, x, out, blocks, repeats):  # type: ignore[no-untyped-def]
    n = x.size // blocks
    for t in numba.prange(blocks):
        for _ in range(repeats):
            loop(x[t * n:(t + 1) * n], out[t * n:(t + 1) * n])


@numba.njit(nogil=True)
def _polynomials_again(x, out, repeats):  # type: ignore[no-untyped-def]
    for _ in range(repeats):
        _polynomials(x, out)


class Limits:
    """The best that was seen of the machine: flops and divisions a second, and bytes a second by working set.

    Measured again and again between other measurements, since the machine may be busy at any one time.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self.flops = self.quotients = 0.0
        self.bandwidth: dict[int, float] = {}

    def measure(self, *working_sets: int) -> None:
        """Measure the arithmetic, the working sets named and those named before, and keep what is better."""
        self.flops = max(self.flops, peak_flops(self._threads))
        self.quotients = max(self.quotients, peak_quotients(self._threads))
        for size in dict.fromkeys((*self.bandwidth, *working_sets)):
            self.bandwidth[size] = max(self.bandwidth.get(size, 0.0), bandwidth(size, self._threads))


def bandwidth(working_set: int, threads: int, rounds: int = 30) -> float:
    """Bytes a second of a = b + 3c on three arrays of `working_set` bytes together: the best of `rounds` bursts.

    Counted as STREAM counts: two arrays read, one written.
    """
    n = max(working_set // 24 // threads, 1024) * threads
    a, b, c = (np.full(n, 1.0) for _ in range(3))
    repeats = max(1, int(TRIAD_BYTES // (24 * n)))
    return 24 * n * repeats / _fastest(lambda: _triad_in_blocks(a, b, c, threads, repeats), rounds)


def peak_flops(threads: int, rounds: int = 200) -> float:
    """Flops a second of fused multiply-adds in registers, a fused one counted as two."""
    n, repeats = 1024, 50
    x, out = np.linspace(0, 1, n * threads), np.empty(n * threads)
    fastest = _fastest(lambda: _in_blocks(_polynomials, x, out, threads, repeats), rounds)
    return 2 * FMA_POINT * x.size * repeats / fastest


def peak_quotients(threads: int, rounds: int = 50) -> float:
    """Divisions a second, of numbers in the nearest cache."""
    n, repeats = 1024, 100
    x, out = np.linspace(1, 2, n * threads), np.empty(n * threads)
    return x.size * repeats / _fastest(lambda: _in_blocks(_quotients, x, out, threads, repeats), rounds)


def peak_by_processor_time(rounds: int = 50) -> float:
    """`peak_flops` of one thread in a second of processor time, all threads at work: others' work takes none of it."""
    repeats = 400

    def burst(_: int) -> float:
        x, out, best = np.linspace(0, 1, 1024), np.empty(1024), np.inf
        for _ in range(rounds):
            start = time.thread_time()
            _polynomials_again(x, out, repeats)
            best = min(best, time.thread_time() - start)
        return 2 * FMA_POINT * x.size * repeats / best

    burst(0)
    return max(each(burst, range(threads())))


def _fastest(call: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of `rounds` calls after one that warms up."""
    call()
    best = np.inf
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def describe(packages: tuple[str, ...]) -> dict[str, object]:
    """Processor, caches, versions and how busy the machine is."""
    versions: dict[str, str | None] = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "processor": _processor(),
        "kind": kind(),
        "processors": os.cpu_count(),
        "caches": _caches(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
        "load": round(os.getloadavg()[0], 2),
    }


def kind() -> str:
    """LLVM's name of the kind of processor: results are kept for each."""
    from llvmlite import binding

    return str(binding.get_host_cpu_name())


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _caches() -> dict[str, str]:
    root = Path("/sys/devices/system/cpu/cpu0/cache")
    found = {}
    for index in sorted(root.glob("index*")):
        kind, level = ((index / part).read_text().strip() for part in ("type", "level"))
        if kind != "Instruction":
            found[f"L{level}"] = (index / "size").read_text().strip()
    return found
