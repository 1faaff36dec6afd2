"""SIGKILL while something is saved over an old file, or while a run is kept: nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from .isolated import isolated, kill, start
from .ledger import Tried

PART = "kills"
_LIMIT = 240.0


def kills(seed: int, count: int, folder: Path) -> Iterator[Tried]:
    """So many kills, of each kind in turn."""
    for n in range(count):
        random = Random(f"{seed} {PART} {n}")
        kind = KINDS[n % len(KINDS)]
        place = folder / kind.name.replace(" ", "-")
        if not place.exists():
            place.mkdir()
            _must(kind.begin, place)
        wait = random.uniform(0, kind.longest)
        (place / "ready").unlink(missing_ok=True)
        process = start(kind.work, place, place / "killed.log")
        while not (place / "ready").exists():
            time.sleep(0.002)
        time.sleep(wait)
        kill(process)
        ended = isolated(kind.check, place, _LIMIT)
        came = ended.out.strip().splitlines()[-1] if ended.code == 0 and ended.out.strip() else "lost"
        yield Tried(PART, kind.name, f"{n}: after {wait:.3f} s", came, "" if ended.code == 0 else ended.out[-1500:])


def _must(call: Callable[[], Any], place: Path) -> None:
    ended = isolated(call, place, _LIMIT)
    if ended.code:
        raise RuntimeError(f"{place.name}: {ended.out}")


@dataclass(frozen=True)
class Kind:
    """What is killed: how it is prepared, what it does until then, and what must hold afterwards; all in its folder."""

    name: str
    begin: Callable[[], None]
    work: Callable[[], None]
    check: Callable[[], None]
    longest: float


def saving(name: str, make: Callable[[int], Any], load: Callable[[Path], Any], longest: float) -> Kind:
    """Two things that are saved over each other until the kill; one of them must be there, whole."""

    def begin() -> None:
        for n in (0, 1):
            make(n).save(f"{n}.npz")
        make(1).save("over.npz")

    def work() -> None:
        both = [load(Path(f"{n}.npz")) for n in (0, 1)]
        Path("ready").touch()
        while True:
            for each in both:
                each.save("over.npz")

    def check() -> None:
        from .kept import said

        there, *both = (said(load(Path(f"{name}.npz"))) for name in ("over", "0", "1"))
        if there not in both:
            raise AssertionError(f"over.npz is neither of the two that were saved: {there[:300]}")
        print("the one" if there == both[0] else "the other")

    return Kind(name, begin, work, check, longest)


def points(n: int) -> Any:
    """Points enough for a save to take a while."""
    import geomflow as gf

    return gf.Fermat(3).sample(20_000, seed=n)


def load_points(path: Path) -> Any:
    """Points from a file."""
    import geomflow as gf

    return gf.load_points(path)


def metric(n: int) -> Any:
    """An algebraic metric."""
    import geomflow as gf

    return gf.algebraic_metric(gf.Fermat(3), 2 + n, gf.Fermat(3).sample(300, seed=1))


def network(n: int) -> Any:
    """A metric of a network."""
    import geomflow as gf
    from geomflow import fits

    X = gf.Fermat(3)
    return fits.phi_metric(X, X.sample(300, seed=1), hidden=(9, 9), steps=(2 + n, 0), seed=n, progress=False)


def load_metric(path: Path) -> Any:
    """A metric from a file."""
    import geomflow as gf

    return gf.load_metric(path)


def begun(t: float, state: Any) -> float:
    """A monitor that says when a run has begun."""
    if t > 0:
        Path("ready").touch()
    return t


def solved(path: str, **options: Any) -> Any:
    """A run of some seconds, kept at each of many times."""
    import geomflow as gf
    from geomflow.flow import Store

    from .kept import heat

    flow, state = heat()
    options |= {"stepper": "rk4", "save_at": 40, "monitors": {"begun": begun}}
    return gf.solve(flow, state, 0.1, store=Store(path, every=0, seed=3), **options)


def _keep_whole() -> None:
    solved("whole.zarr")


def _run() -> None:
    import shutil

    shutil.rmtree("killed.zarr", ignore_errors=True)
    solved("killed.zarr")


def _go_on() -> None:
    from geomflow.core.errors import StoreError

    from .kept import told_run

    try:
        kept = told_run(Path("killed.zarr"))
        came = "gone on"
    except StoreError:
        if Path("killed.zarr").exists():
            raise
        kept, came = "", "begun again"
    solved("killed.zarr", resume=bool(kept))
    if told_run(Path("killed.zarr")) != told_run(Path("whole.zarr")):
        raise AssertionError("the run that was gone on with is not that which was never killed")
    print(came)


KINDS = (
    saving("points", points, load_points, 1.0),
    saving("metric", metric, load_metric, 0.5),
    saving("network", network, load_metric, 0.5),
    Kind("running store", _keep_whole, _run, _go_on, 2.0),
)
