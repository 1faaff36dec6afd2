"""The directory of `geomflow variety`: the metric, the points and the numbers, kept as the fits go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomflow.cli.variety_file import HIDDEN
from geomflow.core import archive
from geomflow.core.errors import InputError, StoreError
from geomflow.core.files import write_text

if TYPE_CHECKING:
    from geomflow.cli.variety_file import Task
    from geomflow.variety import Hypersurface, VarietyMetric

NUMBERS = "numbers.json"
METRIC = "metric.npz"
PARENT = "varieties"


@dataclass(frozen=True)
class Folder:
    """A directory that is ours to write to, and the numbers that it held before."""

    path: Path
    before: Mapping[str, Any]

    @classmethod
    def claim(cls, name: str, out: Path | None, resume: bool) -> Folder:
        """DIR, or the first unused of varieties/NAME, varieties/NAME-2, ...; with `resume` one that holds a metric.

        Raises `InputError` where something would be overwritten or there is nothing to resume, `StoreError` where the
        directory cannot be written to.
        """
        path = (_latest(name) if resume else _unused(name)) if out is None else out
        held = (path / NUMBERS).exists()
        if resume and not held:
            raise InputError(f"there is nothing to resume in '{path}': {path / NUMBERS} does not exist")
        if held and not resume:
            raise InputError(f"'{path}' holds a metric already; go on from it with --resume, or choose another --out")
        folder = cls(path, _numbers(path / NUMBERS) if held else {})
        folder.write("", lambda target: target.mkdir(parents=True, exist_ok=True))
        folder.write(".writable", lambda target: (target.touch(), target.unlink()))
        return folder

    @contextmanager
    def released(self) -> Iterator[None]:
        """Leave no empty directory behind where an error or an interruption comes before anything is kept."""
        try:
            yield
        except BaseException:
            with suppress(OSError):
                self.path.rmdir()
            raise

    def write(self, name: str, action: Callable[[Path], Any]) -> Path:
        """Do something that writes to a file of the directory. Raises `StoreError`."""
        target = self.path / name
        try:
            action(target)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StoreError(f"cannot write to '{target}': {reason}; choose another --out") from error
        return target

    def save_numbers(self, numbers: Mapping[str, Any]) -> Path:
        """Replace the numbers, at once or not at all."""
        return self.write(NUMBERS, lambda target: write_text(target, archive.sealed(numbers)))

    def metric(self, variety: Hypersurface, settings: Mapping[str, Any]) -> VarietyMetric | None:
        """The metric of before, None where there is none.

        Raises `InputError` where it was made with other settings or on another variety.
        """
        from geomflow.variety import load_metric

        self.require(settings)
        return load_metric(self.path / METRIC) if self.before.get("rungs") else None

    def require(self, settings: Mapping[str, Any]) -> None:
        """Raise `InputError` where what is held was made with other settings."""
        made = self.before.get("settings", settings)
        for key, value in settings.items():
            if made.get(key) != value:
                raise InputError(
                    f"'{self.path}' was made with {key} = {made.get(key)!r}, and now {value!r} is asked for; "
                    "choose another --out"
                )


def settings(task: Task, variety: Hypersurface) -> dict[str, Any]:
    """What must be the same for a metric to be gone on from."""
    return {
        "variety.polynomial": str(variety.polynomial),
        "variety.ambient": list(variety.ambient.dims),
        "metric.kind": task.kind,
        "metric.class": None if task.kahler_class is None else list(task.kahler_class),
        "metric.functional": task.get("metric", "functional", "(v - 1)^2"),
        "metric.symmetry": task.get("metric", "symmetry", True),
        "metric.hidden": list(task.get("metric", "hidden", HIDDEN)) if task.kind == "network" else None,
        "metric.activation": task.get("metric", "activation", "gelu") if task.kind == "network" else None,
        "points.file": task.digest,
        "points.count": task.count,
        "points.seed": task.seed,
    }


def _numbers(path: Path) -> dict[str, Any]:
    try:
        numbers = archive.unsealed(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"cannot read {path}: {error}") from error
    parts = {"settings": dict, "rungs": list}
    if any(not isinstance(numbers.get(k, kind()), kind) for k, kind in parts.items()):
        raise StoreError(f"'{path}' is damaged: it is no table with 'settings' and 'rungs'; choose another --out")
    return numbers


def _numbered(name: str, number: int) -> Path:
    return Path(PARENT) / (name if number == 1 else f"{name}-{number}")


def _unused(name: str) -> Path:
    """The first of varieties/NAME, varieties/NAME-2, ... that does not exist."""
    number = 1
    while _numbered(name, number).exists():
        number += 1
    return _numbered(name, number)


def _latest(name: str) -> Path:
    """The last of varieties/NAME, varieties/NAME-2, ... that holds numbers."""
    number = 1
    while (_numbered(name, number + 1) / NUMBERS).exists():
        number += 1
    return _numbered(name, number)
