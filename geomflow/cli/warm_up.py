"""geomflow warm-up [WHAT ...] [--workers N]: compile ahead what first calls would wait for.

Compiles the routines of common flows, of kernels and of metrics on the quintic by small runs, in N processes side by
side (as many as there are cores unless given), and says what was built, where it lies and how large it is. What is
there already is not built again. `geomflow warm-up --list` names what there is; without names all of it is built.

Machine code is of use to the same versions of geomflow, Python, Numba and llvmlite, on a processor of the same name and
features, for a package at the same place: it is looked up by all of these, and compiled anew where one differs. Build
it where it will run, such as in the image of a container, for the processor that will run it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

import geomflow
from geomflow.cli.terminal import add_command, line, whole
from geomflow.core.errors import InputError, require_known
from geomflow.core.progress import Bar
from geomflow.core.threads import threads


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the subcommand."""
    sub = add_command(commands, "warm-up", "compile ahead what first calls would wait for", __doc__)
    sub.add_argument("what", nargs="*", metavar="WHAT", help=f"any of {', '.join(RECIPES)}; all unless given")
    sub.add_argument("--workers", type=whole, metavar="N", help="compile in N processes (one a core unless given)")
    sub.add_argument("--list", action="store_true", help="list what there is")
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Build, and tell what was built."""
    if args.list:
        width = max(map(len, RECIPES))
        print("\n".join(f"{name:<{width}} {recipe.__doc__}" for name, recipe in RECIPES.items()))
        return 0
    for name in args.what:
        require_known("name of what to compile", name, RECIPES)
    if args.workers is not None and args.workers < 1:
        raise InputError(f"--workers is {args.workers}; give a whole number >= 1")
    names = list(dict.fromkeys(args.what or RECIPES))
    begun, before = monotonic(), machine_code()
    width = max(map(len, names))
    with closing(Bar("recipes", len(names))) as bar:
        for number, (name, seconds) in enumerate(built(names, min(args.workers or threads(), len(names))), start=1):
            bar.say(f"{name:<{width}} {seconds:6.1f} s")
            bar.show(number)
    after = machine_code()
    new = after.keys() - before.keys()
    print(line("built", f"{len(new)} compiled functions, {_size(after[path] for path in new)}, "
                        f"in {monotonic() - begun:.1f} s"))
    for folder in folders():
        inside = [size for path, size in after.items() if folder in path.parents]
        print(line("kept", f"{len(inside)} compiled functions, {_size(inside)}, in {folder}"))
    return 0


def built(names: Sequence[str], workers: int) -> Iterator[tuple[str, float]]:
    """Carry out recipes, in processes of their own where there are several workers; each, and what it took, as done."""
    if workers == 1:
        yield from map(carried_out, names)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(carried_out, name) for name in names]):
            yield done.result()


def carried_out(name: str) -> tuple[str, float]:
    """A recipe's name, and the seconds it took."""
    begun = monotonic()
    RECIPES[name]()
    return name, monotonic() - begun


def folders() -> list[Path]:
    """Where machine code is kept: that of generated routines, and that of the package's own functions."""
    from numba import config

    from geomflow.codegen.cache import default_directory

    own = Path(config.CACHE_DIR) if config.CACHE_DIR else Path(geomflow.__file__).parent
    return [default_directory(), own]


def machine_code() -> dict[Path, int]:
    """The files of compiled functions, with their sizes."""
    found = (path for folder in folders() for path in folder.rglob("*.nbc"))
    return {path: path.stat().st_size for path in found}


def _size(sizes: Any) -> str:
    return f"{sum(sizes) / 2**20:.1f} MiB"


# Recipes: each runs a little of everything that is to be compiled, on grids large enough for several threads


def kahler_ricci() -> None:
    """Kähler–Ricci flow on a torus of complex dimension one"""
    _run(geomflow.KahlerRicciFlow(), _potential(1, 1024))


def kahler_ricci_2() -> None:
    """Kähler–Ricci flow on a torus of complex dimension two"""
    _run(geomflow.KahlerRicciFlow(), _potential(2, 16))


def calabi() -> None:
    """Calabi flow on a torus of complex dimension one"""
    _run(geomflow.CalabiFlow(), _potential(1, 512))


def ricci() -> None:
    """Ricci flow, with and without DeTurck's gauge, of metrics on a torus of dimension two"""
    for gauge in (None, "deturck"):
        _run(geomflow.RicciFlow(gauge=gauge), _metric(2, 256))


def ricci_3() -> None:
    """Ricci–DeTurck flow of metrics on a torus of dimension three"""
    _run(geomflow.RicciFlow(gauge="deturck"), _metric(3, 48))


def kernels() -> None:
    """Gaussian and network kernels on points"""
    x = np.random.default_rng(0).standard_normal((300, 4))
    geomflow.GaussianKernel(0.3).apply(x, x, np.ones((300, 1)))
    geomflow.GaussianKernel(0.3).matrix(x, x)
    for activation in ("relu", "softplus"):  # closed forms, and series
        geomflow.NetworkKernel(activation, depth=1).matrix(x, x)


def quintic() -> None:
    """points, metrics of all degrees and curvature on the quintic, and on any hypersurface"""
    X = geomflow.Fermat(5)
    points = X.sample(300, seed=0)
    metric = geomflow.algebraic_metric(X, 1, points)
    geomflow.sigma(metric, points)
    geomflow.variety.scalar_curvature(metric, points[:10])


def _potential(dim: int, n: int) -> Any:
    x = "x" if dim == 1 else "x1"
    return geomflow.ComplexTorus(dim).grid(n).potential(f"cos(2*pi*{x})/200")


def _metric(dim: int, n: int) -> Any:
    rows = [["1 + cos(2*pi*y)/5" if i == j == 0 else str(int(i == j)) for j in range(dim)] for i in range(dim)]
    return geomflow.Torus(dim).grid(n).metric(rows)


def _run(flow: Any, state: Any) -> None:
    geomflow.solve(flow, state, t1=1e-9, max_steps=2, progress=False)


RECIPES: dict[str, Callable[[], None]] = {
    "kahler-ricci": kahler_ricci,
    "calabi": calabi,
    "ricci": ricci,
    "quintic": quintic,
    "kernels": kernels,
    "ricci-3": ricci_3,
    "kahler-ricci-2": kahler_ricci_2,
}
