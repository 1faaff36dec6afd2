"""Hostile commands and run files, damaged files, kills while saving, and code given as text, from one seed."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .codes import codes
from .commands import commands
from .damage import damage
from .isolated import isolated
from .kills import kills
from .ledger import Ledger

#: The parts, and how many inputs each tries.
SIZES = {"commands": 400, "damage": 200, "kills": 20, "code": 21}
#: What is imported before processes are forked, so that each finds it there.
_NEEDED = ("geomflow.cli", "geomflow.flow", "geomflow.variety", "geomflow.fits", "geomflow.study", "geomflow.plot",
           "geomflow.symbolic.functionals", "matplotlib.pyplot", "zarr")  # fmt: skip


def hostile(seed: int, share: float = 1.0, parts: Sequence[str] = tuple(SIZES), folder: Path | None = None) -> Ledger:
    """All that these parts try. This process must hold no threads: it forks one for each input."""
    for name in _NEEDED:
        importlib.import_module(name)
    ledger = Ledger()
    with _place(folder) as place:
        kept = place / "kept"
        kept.mkdir()
        ended = isolated(_keep, kept, 300)
        if ended.code:
            raise RuntimeError(ended.out)
        for part in parts:
            (place / part).mkdir()
            ledger.add(_part(part, seed, max(1, round(share * SIZES[part])), place / part, kept))
    return ledger


def _part(part: str, seed: int, count: int, folder: Path, kept: Path) -> Iterator:
    match part:
        case "commands":
            return commands(seed, count, folder, kept)
        case "damage":
            return damage(seed, count, folder)
        case "kills":
            return kills(seed, count, folder)
        case "code":
            return codes(count, folder)
    raise ValueError(f"there is no part {part!r}; choose of {', '.join(SIZES)}")


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="hostile") as made:
        yield Path(made)


def _keep() -> None:
    """Points and a run that are right."""
    import geomflow as gf

    gf.Fermat(3).sample(80, seed=1).save("kept.npz")
    torus = gf.Torus(1)
    flow = gf.Flow.from_expression("laplacian(u)/10")
    gf.solve(flow, torus.grid(16).scalar("sin(2*pi*x)"), 1e-3, store="run/run.zarr", max_steps=2)
