"""Gaussian kernels on point clouds, matrix-free: seconds and peak memory against NumPy in blocks and KeOps.

    python -m benchmarks.kernels_points            # 100,000 points, nine columns; some minutes
    python -m benchmarks.kernels_points --quick    # 10,000 points
    python -m benchmarks.kernels_points --keops-python /path/to/python   # where pykeops is installed, if elsewhere
    python -m benchmarks.kernels_points --peers geomflow --save NAME     # without the others; keep what was found

Every entry runs in a process of its own, with the same points and columns, and reports the median of its calls after
one that compiles (one call of KeOps, which takes minutes); peak memory is that of the whole process. KeOps runs on the
processor, and is left out where it does not import. geomflow's operations are counted, and compared with the fused
multiply-adds that the same process reaches in registers, in bursts between the calls; both by processor time, of which
other work on the machine takes none. Targets for 100,000 points in double precision: 0.6 of that, less than 1 GiB.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SCALE, COLUMNS, COORDINATES = 0.3, 9, 5
BLOCK = 1000
CHECKED = 50

Apply = Callable[[np.ndarray, np.ndarray], np.ndarray]


def cloud(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Projective points (p, 5) and columns (p, 9), the same in every process."""
    rng = np.random.default_rng(1)
    z = rng.standard_normal((count, COORDINATES)) + 1j * rng.standard_normal((count, COORDINATES))
    return z / np.linalg.norm(z, axis=1)[:, None], rng.standard_normal((count, COLUMNS))


def ours(kind: str, precision: str) -> Apply:
    """geomflow's kernels."""
    from geomflow import kernels as gk

    kernel = (gk.FubiniStudyGaussian if kind == "chordal" else gk.FubiniStudyGeodesicGaussian)(SCALE, precision)
    return lambda z, v: kernel.apply(z, None, v)


def operations(kind: str, precision: str) -> int:
    """What one pair of points takes: a fused multiply-add counts as two, every other floating-point operation as one.

    ⟨p, q⟩ takes 4 multiplications and 4 additions a coordinate, two of these less for the first; the columns take
    two sums of two operations each.
    """
    from geomflow.kernels import tile_rows

    arc, power = ((tile_rows._ARC_DOUBLE, tile_rows._EXP_DOUBLE) if precision == "double" else
                  (tile_rows._ARC_SINGLE, tile_rows._EXP_SINGLE))
    overlap, polynomial = 8 * COORDINATES - 2, {c: 2 * (len(c) - 1) + 1 for c in (arc, power)}
    # the square, one minus it, the largest; or the square, its root, one minus it, the largest, w P(w) and the factor
    distance = 4 + 1 if kind == "chordal" else 3 + 1 + 1 + 1 + polynomial[arc] + 2
    return overlap + distance + 4 + polynomial[power] + 4 * COLUMNS  # the exponential's bound and rounding: four


def blocks(kind: str, precision: str) -> Apply:
    """NumPy, a thousand rows of the matrix at a time."""
    is_complex, is_real = (np.complex128, np.float64) if precision == "double" else (np.complex64, np.float32)

    def apply(z: np.ndarray, v: np.ndarray) -> np.ndarray:
        z, v = z.astype(is_complex), v.astype(is_real)
        out = np.empty_like(v)
        for start in range(0, len(z), BLOCK):
            cosine = np.abs(z[start : start + BLOCK].conj() @ z.T)
            square = 1 - cosine**2 if kind == "chordal" else np.arccos(np.minimum(cosine, 1)) ** 2
            out[start : start + BLOCK] = np.exp(square * is_real(-0.5 / SCALE**2)) @ v
        return out

    return apply


def keops(kind: str, precision: str) -> Apply:
    """KeOps's lazy tensors on the processor."""
    import pykeops

    pykeops.set_verbose(False)
    from pykeops.numpy import LazyTensor

    real = np.float64 if precision == "double" else np.float32

    def apply(z: np.ndarray, v: np.ndarray) -> np.ndarray:
        parts = np.hstack([z.real, z.imag]).astype(real)
        turned = np.hstack([-z.imag, z.real]).astype(real)
        x, y = LazyTensor(parts[:, None, :].copy()), LazyTensor(parts[None, :, :].copy())
        cosine2 = (x | y) ** 2 + (LazyTensor(turned[:, None, :].copy()) | y) ** 2
        square = 1 - cosine2 if kind == "chordal" else cosine2.sqrt().clamp(0, 1).acos() ** 2
        return (square * (-0.5 / SCALE**2)).exp() @ v.astype(real)

    return apply


PEERS = {"geomflow": ours, "NumPy in blocks": blocks, "KeOps": keops}


def work(peer: str, kind: str, precision: str, count: int, calls: int) -> None:
    """One entry, in its own process: a line of JSON."""
    apply = PEERS[peer](kind, precision)
    z, v = cloud(count)
    apply(z[:600], v[:600])
    times, used, flops = [], [], []
    for _ in range(calls):
        flops.append(reached_in_registers(precision) if peer == "geomflow" else 0.0)
        start, busy = time.perf_counter(), time.process_time()
        result = apply(z, v)
        times.append(time.perf_counter() - start)
        used.append(time.process_time() - busy)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found = {"seconds": float(np.median(times)), "least": min(times), "peak": peak,
             "sample": result[:CHECKED].tolist()}
    if peer == "geomflow":
        count_all, most = operations(kind, precision) * count * (count + 1) // 2, max(flops)
        found |= {"operations": operations(kind, precision), "flops": most, "processor": float(np.median(used)),
                  "share": count_all / float(np.median(used)) / most, "best": count_all / min(used) / most}
    print(json.dumps(found))


def reached_in_registers(precision: str) -> float:
    """Flops a second of one processor's fused multiply-adds; single precision has twice the numbers in a register."""
    from benchmarks.machine import peak_by_processor_time

    return peak_by_processor_time() * (1 if precision == "double" else 2)


def measure(python: str, peer: str, kind: str, precision: str, count: int, calls: int) -> dict | None:
    """The entry's numbers, or None where it does not run."""
    root = Path(__file__).resolve().parent.parent
    command = [python, __file__, "--worker", peer, kind, precision, str(count), str(calls)]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(root)})
    if done.returncode != 0:
        print(f"    {peer} does not run: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def entries(count: int, calls: int, keops_python: str, peers: list[str]) -> list[dict]:
    """What was found for each kernel, precision and peer that runs."""
    found = []
    for kind in ("chordal", "geodesic"):
        for precision in ("double", "single"):
            for peer in peers:
                python = keops_python if peer == "KeOps" else sys.executable
                entry = measure(python, peer, kind, precision, count, 1 if peer == "KeOps" else calls)
                if entry:
                    found.append({"distance": kind, "precision": precision, "peer": peer, **entry})
                    print(f"    {kind}, {precision}, {peer}: {entry['seconds']:.2f} s", file=sys.stderr)
    return found


def report(result: dict) -> str:
    """The tables of one run of this command."""
    from benchmarks.report import busy, table

    first = {(e["distance"], e["precision"]): e for e in reversed(result["entries"])}
    rows = [[e["distance"], e["precision"], e["peer"], *_cells(e, first[e["distance"], e["precision"]])]
            for e in result["entries"]]
    shares = [[e["distance"], e["precision"], str(e["operations"]), f"{e['processor']:.2f}", f"{e['flops'] / 1e9:.0f}",
               f"{e['share']:.2f}", f"{e['best']:.2f}"] for e in result["entries"] if "share" in e]
    head = ["distance", "precision", "peer", "median, seconds", "fastest", "times the first", "peak memory, MiB",
            "apart"]
    m = result["machine"]
    where = f"{m['processor']}, {result['threads']} threads, {result['date']}, load average {m['load']} at the start"
    return (f"{result['points']:,} projective points of {COORDINATES} coordinates, {COLUMNS} columns, width {SCALE}. "
            f"{where}{busy(m['load'])}.\n\n{table(head, rows)}\n\n"
            "Operations a pair, and the share of the fused multiply-adds that the same process reaches in registers, "
            "both in a second of processor time: of the median call, and of the fastest.\n\n"
            + table(["distance", "precision", "operations", "processor, seconds", "limit, Gflop/s", "share", "fastest"],
                    shares) + "\n")


def _cells(found: dict, first: dict) -> list[str]:
    sample, first_sample = np.array(found["sample"]), np.array(first["sample"])
    apart = np.abs(sample - first_sample).max() / np.abs(first_sample).max()
    return [f"{found['seconds']:.2f}", f"{found['least']:.2f}", f"{found['seconds'] / first['seconds']:.1f}",
            f"{found['peak'] / 2**20:.0f}", f"{apart:.0e}"]


def main() -> None:
    """Measure, print the tables, and write them with the numbers under benchmarks/results/."""
    given = _options()
    if given.worker:
        peer, kind, precision, count, calls = given.worker
        work(peer, kind, precision, int(count), int(calls))
        return
    from benchmarks.keep import keep
    from benchmarks.machine import describe

    count = given.points or (10_000 if given.quick else 100_000)
    result = {
        "date": datetime.date.today().isoformat(),
        "threads": len(os.sched_getaffinity(0)),
        "points": count,
        "machine": describe(("numpy", "numba", "pykeops")),
        "entries": entries(count, given.calls, given.keops_python, given.peers),
    }
    text = report(result)
    print(text)
    for entry in result["entries"]:
        del entry["sample"]
    keep(given.save, result, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10,000 points")
    parser.add_argument("--points", type=int, help="number of points")
    parser.add_argument("--calls", type=int, default=3, help="calls of each entry")
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=list(PEERS), help="who is measured")
    parser.add_argument("--keops-python", default=sys.executable, help="the interpreter that has pykeops")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json and NAME.md")
    parser.add_argument("--worker", nargs=5, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
