"""A folder that keeps a metric as it is fitted: the metric, and the numbers of its fits with what they depend on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from geomflow import __version__
from geomflow.core import archive
from geomflow.core.errors import InputError, StoreError
from geomflow.variety.store import stored_metric

NUMBERS = "numbers.json"
METRIC = "metric.npz"


@final
@dataclass(frozen=True)
class MetricFolder:
    """metric.npz and numbers.json in a folder.

    Either file is replaced at once or not at all, and a metric made with other settings is not gone on from.

    Parameters
    ----------
    path : Path
        The folder.
    settings : mapping
        What the metric is made with, plain data by name.
    before : mapping
        The numbers that it held at first.
    """

    path: Path
    settings: Mapping[str, Any]
    before: Mapping[str, Any]

    @classmethod
    def claim(cls, path: str | os.PathLike[str], settings: Mapping[str, Any], resume: bool = False) -> MetricFolder:
        """A folder that holds no metric yet; with `resume` one that does.

        Raises `InputError` where something would be overwritten or there is nothing to resume, `StoreError` where the
        folder cannot be written to.

        Parameters
        ----------
        path : str or Path
            The folder, made if need be.
        settings : mapping
            What the metric is made with.
        resume : bool
            Whether it holds a metric to go on from.
        """
        target = Path(path)
        held = (target / NUMBERS).exists()
        if resume and not held:
            raise InputError(f"there is nothing to resume in '{target}': {target / NUMBERS} does not exist")
        if held and not resume:
            raise InputError(f"'{target}' holds a metric already; go on from it with --resume (resume=True), or choose "
                             "another --out (folder)")
        folder = cls(target, settings, _numbers(target / NUMBERS) if held else {})
        folder.write("", lambda place: place.mkdir(parents=True, exist_ok=True))
        folder.write(".writable", Path.touch).unlink()
        return folder

    @contextmanager
    def released(self) -> Iterator[None]:
        """Leave no empty folder behind where an error or an interruption comes before anything is kept."""
        try:
            yield
        except BaseException:
            with suppress(OSError):
                self.path.rmdir()
            raise

    def write(self, name: str, action: Callable[[Path], object]) -> Path:
        """Do something that writes to a file of the folder. Raises `StoreError`.

        Parameters
        ----------
        name : str
            Of a file in the folder.
        action : function
            Writes to a path.
        """
        target = self.path / name
        try:
            action(target)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StoreError(f"cannot write to '{target}': {reason}; choose another --out") from error
        return target

    def save(self, metric: Any, **numbers: Any) -> None:
        """Replace the metric and the numbers.

        Parameters
        ----------
        metric : HermitianMetric
            The metric so far.
        **numbers : object
            What else numbers.json is to hold, plain data.
        """
        variety = metric.variety
        facts = {"geomflow": __version__, "variety": str(variety), "dimension": variety.dim,
                 "settings": dict(self.settings), **numbers}
        self.write(METRIC, metric.save)
        self.write(NUMBERS, lambda target: archive.write_table(target, facts))

    def metric(self) -> Any:
        """The metric of before, None where no fit was kept. Raises what `require_same` does, and `StoreError`."""
        self.require_same()
        return stored_metric(self.path / METRIC) if self.before.get("rungs") else None

    def require_same(self) -> None:
        """Raise `InputError` where what is held was made with other settings."""
        made = self.before.get("settings", self.settings)
        for key, value in self.settings.items():
            if made.get(key) != value:
                raise InputError(f"'{self.path}' was made with {key} = {made.get(key)!r}, and now {value!r} is asked "
                                 "for; choose another --out")


def _numbers(path: Path) -> dict[str, Any]:
    try:
        numbers = archive.read_table(path)
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"cannot read {path}: {error}") from error
    parts = {"settings": dict, "rungs": list}
    if any(not isinstance(numbers.get(key, kind()), kind) for key, kind in parts.items()):
        raise StoreError(f"'{path}' is damaged: it is no table with 'settings' and 'rungs'; choose another --out")
    return numbers
