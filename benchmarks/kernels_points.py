"""Gaussian kernels on point clouds, matrix-free: seconds and peak memory against NumPy in blocks and KeOps.

    python -m benchmarks.kernels_points            # 100,000 points, nine columns; some minutes
    python -m benchmarks.kernels_points --quick    # 10,000 points
    python -m benchmarks.kernels_points --keops-python /path/to/python   # where pykeops is installed, if elsewhere

Every entry runs in a process of its own, with the same points and columns, and reports the median of its calls after
one that compiles (one call of KeOps, which takes minutes); peak memory is that of the whole process. KeOps runs on the
processor, and is left out where it does not import. Targets for 100,000 points: 5 s in double precision, 2 s in
single, less than 1 GiB.
"""

from __future__ import annotations

import argparse
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
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        result = apply(z, v)
        times.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": float(np.median(times)), "peak": peak, "sample": result[:CHECKED].tolist()}))


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


def rows(count: int, calls: int, keops_python: str) -> list[list[str]]:
    """One row of the table for each kernel, precision and peer."""
    table_rows = []
    for kind in ("chordal", "geodesic"):
        for precision in ("double", "single"):
            first = None
            for peer in PEERS:
                python = keops_python if peer == "KeOps" else sys.executable
                found = measure(python, peer, kind, precision, count, 1 if peer == "KeOps" else calls)
                first = first or found
                if found:
                    table_rows.append([kind, precision, peer, *_cells(found, first)])
                    print(" | ".join(table_rows[-1]), flush=True)
    return table_rows


def _cells(found: dict, first: dict) -> list[str]:
    sample, ours_sample = np.array(found["sample"]), np.array(first["sample"])
    apart = np.abs(sample - ours_sample).max() / np.abs(ours_sample).max()
    return [f"{found['seconds']:.2f}", f"{found['seconds'] / first['seconds']:.1f}", f"{found['peak'] / 2**20:.0f}",
            f"{apart:.0e}"]


def main() -> None:
    """The table of one run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10,000 points")
    parser.add_argument("--points", type=int, help="number of points")
    parser.add_argument("--calls", type=int, default=3, help="calls of each entry")
    parser.add_argument("--keops-python", default=sys.executable, help="the interpreter that has pykeops")
    parser.add_argument("--worker", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        peer, kind, precision, count, calls = given.worker
        work(peer, kind, precision, int(count), int(calls))
        return
    from benchmarks.report import table

    count = given.points or (10_000 if given.quick else 100_000)
    print(f"{count:,} projective points of {COORDINATES} coordinates, {COLUMNS} columns, width {SCALE}; "
          f"{len(os.sched_getaffinity(0))} cores, load average {os.getloadavg()[0]:.1f}")
    head = ["distance", "precision", "peer", "seconds", "times geomflow", "peak memory, MiB", "apart"]
    print(table(head, rows(count, given.calls, given.keops_python)))


if __name__ == "__main__":
    main()
