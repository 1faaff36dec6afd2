"""Pictures of runs by name, as run files ask for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomflow import plot
from geomflow.cli.symmetric_file import SymmetricFile, make_ansatz
from geomflow.cli.toric_file import ToricFile
from geomflow.core.errors import require_known
from geomflow.plot.files import ENDINGS, FILMS, require_ending

if TYPE_CHECKING:
    from geomflow.flow import Solution

DEFAULT = ("monitors", "snapshots")
PICTURES: dict[str, Callable[[Solution[Any], Path], Any]] = {
    "monitors": lambda sol, path: plot.save(plot.monitors(sol), path),
    "snapshots": lambda sol, path: plot.save(plot.snapshots(sol), path),
    "heatmap": lambda sol, path: plot.save(plot.heatmap(sol.last), path),
    "film": plot.film,
}
FURTHER: dict[str, Callable[[Solution[Any], Path], Any]] = {
    "profile": lambda sol, path: plot.save(plot.profile(sol), path),
    "embedding": lambda sol, path: plot.save(plot.embedding(sol), path),
    "polygon": lambda sol, path: plot.save(plot.polygon(sol), path),
}
TORIC = ("monitors", "polygon")


def pictures_of(file: Any) -> Sequence[str]:
    """What can be drawn of the run of a file."""
    if isinstance(file, SymmetricFile):
        return symmetric_pictures(file)
    return TORIC if isinstance(file, ToricFile) else tuple(PICTURES)


def symmetric_pictures(file: SymmetricFile) -> list[str]:
    """What can be drawn of runs of an ansatz: surfaces of one coordinate, unknowns of none and of one."""
    from geomflow.plot.revolution import has_outline

    ansatz = make_ansatz(file.ansatz)
    surfaces = ["embedding", "film"] if has_outline(ansatz) else []
    return ["monitors", *(["profile"] if len(ansatz.coordinates) < 2 else []), *surfaces]


def check_pictures(asked: Sequence[str] | None, known: Sequence[str] = tuple(PICTURES)) -> list[str]:
    """The files of output.pictures, each a name with or without its ending; those of all runs unless given.

    Raises `UnknownNameError` for an unknown name and `InputError` for an ending, before anything is computed.
    """
    names = [name for name in DEFAULT if name in known] if asked is None else asked
    return [picture_file(name, known) for name in names]


def picture_file(asked: str, known: Collection[str]) -> str:
    """The name of a file, "snapshots.png" of "snapshots". Raises `UnknownNameError` and `InputError`."""
    path = Path(asked)
    require_known("picture", path.stem, known)
    film = path.stem == "film"
    if path.suffix:
        require_ending(path, FILMS if film else ENDINGS, "a film" if film else "a picture")
        return asked
    return f"{asked}{'.gif' if film else '.png'}"


def draw_pictures(sol: Solution[Any], names: list[str], out: Path) -> Iterator[Path]:
    """Draw pictures of a solution to files in `out`, without a display, and give their paths."""
    if not names:
        return
    import matplotlib as mpl

    mpl.use("Agg")
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = out / name
        (PICTURES | FURTHER)[path.stem](sol, path)
        yield path
