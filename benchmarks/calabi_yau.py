"""Calabi–Yau hypersurfaces: points a second, and σ on unseen points for the seconds that a fit takes.

    python -m benchmarks.calabi_yau                   # everything but the tables, a few minutes
    python -m benchmarks.calabi_yau sampling          # or: fermat, others, balanced
    python -m benchmarks.calabi_yau sampling --mlgeometry-python PYTHON_WITH_MLGEOMETRY_JAX
    python -m benchmarks.calabi_yau --save [sampling --mlgeometry-python PYTHON ...]    # stored in results/
    python -m benchmarks.calabi_yau --table general   # Dwork and generic quintics, half an hour; stored in results/
    python -m benchmarks.calabi_yau --table flowed    # the generic quintic with steps of Kähler–Ricci flow; stored
    python -m benchmarks.calabi_yau --table peer PYTHON_WITH_MLGEOMETRY_JAX [CORE_SECONDS]

Published figures on two shared cores stand beside the measured ones; absolute times drift by machine. The first fit
with a fresh cache of compiled code takes some ten seconds more.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from math import comb
from pathlib import Path

import numpy as np
import sympy

import geomflow as gf
import geomflow.variety as gv
from geomflow.variety.errors import KahlerConeError
from geomflow.variety.sections import monomials

#: Points, weights, Ω and pull-backs a second on the quintic, double precision: measured elsewhere on two such cores.
PEERS = {"cymyc": 141_000, "cyjax": 126_000, "cymetric": 29_000, "MLGeometry": 1_500}
MLGEOMETRY = "--mlgeometry-python"
UNSEEN = 20_000
RESULTS = Path(__file__).parent / "results"
ELSEWHERE = Path(__file__).parent / "elsewhere"
TABLE = RESULTS / "calabi_yau_general.json"


def sampling() -> None:
    """Points, weights, |Ω|² and pull-backs of the Fermat quintic a second."""
    variety = gv.Fermat(5)
    _ = variety.sample(2000, seed=0).pullbacks
    rates = []
    for seed in range(7):
        start = time.perf_counter()
        _ = variety.sample(200_000, seed=seed).pullbacks
        rates.append(200_000 / (time.perf_counter() - start))
    best = max(rates)
    print(f"sampling: best {best:,.0f}, median {np.median(rates):,.0f} points/s with weights, Ω and pull-backs")
    print(f"    {best / max(_numpy_rate(seed) for seed in range(5)):6.1f} × the same in NumPy, in this run")
    if MLGEOMETRY in sys.argv:
        peer = _mlgeometry_rate(sys.argv[sys.argv.index(MLGEOMETRY) + 1])
        print(f"    {best / peer:6.0f} × MLGeometry ({peer:,.0f} points/s, in this run)")
    for name, rate in PEERS.items():
        print(f"    {best / rate:6.1f} × {name} ({rate:,} points/s, published)")


def _mlgeometry_rate(python: str, lines: int = 2_000) -> float:
    """Points a second of MLGeometry-JAX, by an interpreter that has it."""
    return _elsewhere(python, "mlgeometry_points.py", lines)[0]


def _elsewhere(python: str, runner: str, *arguments: float) -> list[float]:
    """The numbers that a runner prints, by an interpreter that has the peer."""
    command = [python, "-W", "ignore", str(ELSEWHERE / runner), *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def _numpy_rate(seed: int, lines: int = 10_000) -> float:
    """Points a second of whole-array NumPy: companion matrices, one Newton step, weights, |Ω|² and pull-backs."""
    start = time.perf_counter()
    rng = np.random.default_rng(seed)
    base, along = rng.standard_normal((2, lines, 5, 2)).view(complex)[..., 0]
    powers = [comb(5, m) * np.sum(base ** (5 - m) * along**m, axis=1) for m in range(6)]
    companion = np.zeros((lines, 5, 5), complex)
    companion[:, 1:, :-1] = np.eye(4)
    companion[:, :, -1] = -np.stack(powers[:5], axis=1) / powers[5][:, None]
    z = (base[:, None] + np.linalg.eigvals(companion)[:, :, None] * along[:, None]).reshape(-1, 5)
    every = np.arange(len(z))
    patch = np.argmax(np.abs(z), axis=1)
    z = z / z[every, patch][:, None]
    slope = 5 * z**4
    free = np.abs(slope)
    free[every, patch] = -1
    chosen = np.argmax(free, axis=1)
    z[every, chosen] -= np.sum(z**5, axis=1) / slope[every, chosen]
    slope = 5 * z**4
    omega2 = 1 / np.abs(slope[every, chosen]) ** 2
    weights = np.sum(np.abs(z) ** 2, axis=1) ** 4 / np.sum(np.abs(slope) ** 2, axis=1)
    used = (np.arange(5) == patch[:, None]) | (np.arange(5) == chosen[:, None])
    local = np.argsort(used, axis=1, kind="stable")[:, :3]
    pullbacks = np.zeros((len(z), 3, 5), complex)
    for a in range(3):
        pullbacks[every, a, local[:, a]] = 1
        pullbacks[every, a, chosen] = -slope[every, local[:, a]] / slope[every, chosen]
    assert np.isfinite(weights @ omega2)
    return len(z) / (time.perf_counter() - start)


def _fit(variety: gv.Hypersurface, degree: int, count: int, work: float = 120.0) -> None:
    start = time.perf_counter()
    metric = gf.fits.algebraic_metric(variety, degree, variety.sample(count, seed=1), work=work)
    fitted = time.perf_counter()
    sigma = gv.sigma(metric, variety.sample(UNSEEN, seed=2))
    total = time.perf_counter() - start
    print(
        f"    k = {degree:2d}  {metric.report.parameters:6d} parameters  {metric.report.points:7d} points  σ = {sigma}"
        f"  fit {fitted - start:6.1f} s, with {UNSEEN:,} unseen points {total:6.1f} s",
        flush=True,
    )


def fermat() -> None:
    """σ on the Fermat quintic; targets 4e-4 in 5 s, 1e-4 in 15 s, 2e-5 in 60 s, 2e-6 in 300 s."""
    print("optimal algebraic metrics, Fermat quintic")
    for degree in (2, 4, 6, 8, 10, 12, 14, 16):
        _fit(gv.Fermat(5), degree, 6000)


def others() -> None:
    """The quartic (target 1e-8) and the cubic (target 1e-12)."""
    for degree, levels in ((4, (4, 8, 12, 16)), (3, (2, 4, 6, 8))):
        print(f"optimal algebraic metrics, {gv.Fermat(degree)}")
        for level in levels:
            _fit(gv.Fermat(degree), level, 6000)


def balanced() -> None:
    """Donaldson's balanced metrics against 3.0/k² − 3.8/k³ (recorded elsewhere, from fewer points: 3.5 and 5.4)."""
    print("balanced metrics, Fermat quintic")
    variety = gv.Fermat(5)
    unseen = variety.sample(UNSEEN, seed=2)
    for level in range(1, 7):
        start = time.perf_counter()
        metric = gf.fits.balanced_metric(variety, level, variety.sample(80_000, seed=1))
        law = 3.0 / level**2 - 3.8 / level**3
        print(
            f"    k = {level}  σ = {gv.sigma(metric, unseen)}  law {law:.4f}  {time.perf_counter() - start:.1f} s",
            flush=True,
        )


def generic_quintic(seed: int = 7) -> gv.Hypersurface:
    """A quintic with no symmetry: all 126 coefficients random and complex."""
    rng = np.random.default_rng(seed)
    exponents = np.array(monomials(5, 5))
    numbers = rng.integers(1, 11, (len(exponents), 2)) * rng.choice([-1, 1], (len(exponents), 2))
    exact = tuple(sympy.Rational(int(a), 10) + sympy.I * sympy.Rational(int(b), 10) for a, b in numbers)
    return gv.Hypersurface(gv.Polynomial(tuple(f"z{i}" for i in range(5)), exponents, exact))


#: What fits each budget: (polynomial, seconds on two cores, degree, points).
BUDGETS = (
    ("dwork", 60, 16, 14_000),
    ("dwork", 300, 18, 28_000),
    ("generic", 60, 5, 94_000),
    ("generic", 300, 6, 127_000),
)


def _row(name: str, budget: int, degree: int, count: int) -> dict[str, float | str]:
    """One fit, measured on unseen points; the work is counted in core-seconds, because machines are shared."""
    variety = gv.Dwork("1/2") if name == "dwork" else generic_quintic()
    wall, work = time.perf_counter(), time.process_time()
    metric = gf.fits.algebraic_metric(variety, degree, variety.sample(count, seed=1), work=40.0 * budget)
    sigma = gv.sigma(metric, variety.sample(UNSEEN, seed=2))
    return {
        "variety": {"dwork": "Dwork quintic, ψ = 1/2", "generic": "quintic without symmetry"}[name],
        "budget": budget,
        "degree": degree,
        "parameters": metric.report.parameters,
        "points": metric.report.points,
        "sigma": float(sigma),
        "error": sigma.error,
        "core_seconds": round(time.process_time() - work, 1),
        "seconds": round(time.perf_counter() - wall, 1),
    }


def general(*chosen: str) -> None:
    """What one minute and five minutes on two cores buy on the Dwork family and on a generic quintic; stored."""
    for number, case in enumerate(BUDGETS):
        if chosen and str(number) not in chosen:
            continue
        new = _row(*case)
        print(new, flush=True)
        same = ("variety", "degree")
        rows = json.loads(TABLE.read_text()) if TABLE.exists() else []
        rows = [row for row in rows if any(row[key] != new[key] for key in same)] + [new]
        rows.sort(key=lambda row: (row["variety"], row["degree"]))
        TABLE.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
        TABLE.with_suffix(".md").write_text(_markdown(rows))


def _markdown(rows: list[dict]) -> str:
    lines = [
        "# σ on 20,000 unseen points without the Fermat symmetries",
        "",
        "`python -m benchmarks.calabi_yau --table general`. Budgets are seconds on two cores; the work is counted in",
        "core-seconds (processor time of all threads: sampling, fit and measuring), for the machine was shared.",
        "",
        "| variety | budget (s) | k | parameters | points | σ unseen | core-seconds | wall (s) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        sigma = str(gv.Estimate(r["sigma"], r["error"]))
        cells = (r["variety"], r["budget"], r["degree"], r["parameters"], r["points"], sigma, r["core_seconds"])
        lines.append("| " + " | ".join(map(str, (*cells, r["seconds"]))) + " |")
    return "\n".join([*lines, ""])


#: Degree and points of the form that steps start from.
FLOWED = ((3, 10_000), (4, 30_000), (5, 94_000))


def _sigma_if_any(metric: gv.HermitianMetric, points: gv.Points) -> gv.Estimate | str:
    """σ, or that the metric has left the Kähler cone."""
    try:
        return gv.sigma(metric, points)
    except KahlerConeError:
        return f"not positive at {np.count_nonzero(~np.isfinite(metric.log_determinant(points)))} of {len(points)}"


def flowed() -> None:
    """A quintic without symmetry: forms, and a few steps of Kähler–Ricci flow from each; stored."""
    variety, rows = generic_quintic(), []
    unseen = variety.sample(UNSEEN, seed=2)
    for degree, count in FLOWED:
        began = time.process_time()
        points = variety.sample(count, seed=1)
        form = gf.algebraic_metric(variety, degree, points, work=400.0)
        spent = time.process_time() - began
        rows.append((degree, 0, spent, gv.sigma(form, unseen)))
        for steps in (1, 2, 3):
            began = time.process_time()
            metric = gf.flowed_metric(form, variety.sample(2000, seed=3), steps)
            rows.append((degree, steps, spent + time.process_time() - began, _sigma_if_any(metric, unseen)))
            print(rows[-1], flush=True)
    lines = ["# σ on 20,000 unseen points of a quintic without symmetry, after steps of Kähler–Ricci flow", "",
             "`python -m benchmarks.calabi_yau --table flowed`: `gf.flowed_metric(form, points, steps)` of forms of",
             "degree k; core-seconds are processor time of all threads for sampling, the form and the steps.", "",
             "| k | steps | core-seconds | σ unseen |", "|---|---|---|---|"]
    lines += [f"| {degree} | {steps} | {spent:.1f} | {value} |" for degree, steps, spent, value in rows]
    (RESULTS / "calabi_yau_flowed.md").write_text("\n".join(lines) + "\n")


def peer(python: str, budget: str = "600") -> None:
    """σ for the same core-seconds: MLGeometry-JAX, a φ-network and the optimal algebraic metric; stored."""
    asked, variety = float(budget), gv.Fermat(5)
    spent, found = _elsewhere(python, "mlgeometry_training.py", asked)
    rows = [("MLGeometry-JAX, bihomogeneous 70-100-1, 20,000 points", spent, found)]
    ours = {"φ-network 25-64-64-64-1, 100,000 points": _phi_network, "optimal algebraic metric, k = 16": _best}
    for name, fit in ours.items():
        began = time.process_time()
        metric = fit(variety, asked)
        rows.append((name, time.process_time() - began, float(gv.sigma(metric, variety.sample(UNSEEN, seed=2)))))
        print(rows[-1], flush=True)
    lines = ["# σ on unseen points of the Fermat quintic, in one run", "",
             f"`python -m benchmarks.calabi_yau --table peer PYTHON {asked:g}`: core-seconds are processor time of all",
             "threads, points included for geomflow and left out for MLGeometry.", "",
             "| metric | core-seconds | σ unseen | σ over the last row's |", "|---|---|---|---|"]
    lines += [f"| {name} | {work:.0f} | {value:.3g} | {value / rows[-1][2]:,.0f} |" for name, work, value in rows]
    (RESULTS / "calabi_yau_peer.md").write_text("\n".join(lines) + "\n")


def _phi_network(variety: gv.Hypersurface, core_seconds: float) -> gv.PolarisedMetric:
    from geomflow.fits import phi_metric

    return phi_metric(variety, variety.sample(100_000, seed=1), work=core_seconds, progress=False)


def _best(variety: gv.Hypersurface, core_seconds: float) -> gv.PolarisedMetric:
    return gf.fits.algebraic_metric(variety, 16, variety.sample(6000, seed=1), work=core_seconds)


PARTS = {part.__name__: part for part in (sampling, fermat, others, balanced)}
TABLES = {part.__name__: part for part in (general, flowed, peer)}

def save(*arguments: str) -> None:
    """What all parts print, into results/calabi_yau.md."""
    command = " ".join(["python -m benchmarks.calabi_yau", *arguments])
    printed = subprocess.run([sys.executable, *command.split()[1:]], check=True, capture_output=True, text=True).stdout
    load = f"load average {os.getloadavg()[0]:.1f} at the end"
    text = f"`{command}`, {platform.machine()}, {os.cpu_count()} cores, {load}:\n\n```text\n{printed}```\n"
    (RESULTS / "calabi_yau.md").write_text(text)
    print(printed)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["--table"]:
        TABLES[arguments[1]](*arguments[2:])
    elif arguments[:1] == ["--save"]:
        save(*arguments[1:])
    else:
        for name in [name for name in arguments if name in PARTS] or PARTS:
            PARTS[name]()
