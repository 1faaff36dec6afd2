"""Trials on record: what was tried on which data, how it ended, and how good it was."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import GeomflowError, InputError, StoreError
from geomflow.core.files import write_text
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.fits.tuning.score import WELL
from geomflow.fits.tuning.space import Space


@final
@dataclass(frozen=True)
class Trial:
    """One trial: its settings, the seed of its data, its score (the penalty where it failed), and its outcome.

    `raised` says that the score lay below the penalty and was raised to it.
    """

    settings: dict[str, float]
    seed: int
    score: float
    outcome: Outcome
    raised: bool = False

    @property
    def failed(self) -> bool:
        """Whether there was no score."""
        return self.outcome.kind not in WELL

    def __str__(self) -> str:
        settings = ", ".join(f"{name} = {value:.4g}" for name, value in self.settings.items())
        return f"{settings}: {self.outcome if self.failed else format(self.score, '.5g')}"


@final
@dataclass(frozen=True)
class Tuning:
    """A search and its trials, in order. The same space, seed, penalty and batch give the same trials.

    A trial that failed has the penalty for a score, and no score is below it; without a penalty it has −∞. Every trial
    has data of its own, so the largest score is in part luck: measure `best` again on data that no trial has seen
    before quoting it.
    """

    space: Space
    seed: int
    penalty: float | None
    batch: int
    trials: tuple[Trial, ...] = ()

    @property
    def scores(self) -> np.ndarray:
        """The scores in order, (trials,)."""
        return np.array([trial.score for trial in self.trials])

    @property
    def best(self) -> Trial:
        """The trial of the largest score; InputError where every trial failed."""
        return self.leaders(1)[0]

    def leaders(self, count: int) -> tuple[Trial, ...]:
        """The trials that ended well with the largest scores, best first; InputError where every trial failed."""
        well = [trial for trial in self.trials if not trial.failed]
        if not well:
            why = f"; the last one: {self.trials[-1]}" if self.trials else ""
            raise InputError(f"none of {len(self.trials)} trials ended well: search another range{why}")
        return tuple(sorted(well, key=lambda trial: -trial.score)[:count])

    @property
    def failures(self) -> int:
        """How many trials failed."""
        return sum(trial.failed for trial in self.trials)

    @property
    def raised(self) -> int:
        """How many scores were raised to the penalty."""
        return sum(trial.raised for trial in self.trials)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file, whole or not at all; StoreError where that fails."""
        target = Path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_text(target, archive.sealed(self._plain()))
        except OSError as error:
            raise StoreError(f"the trials cannot be written to '{target}': {error}.") from None

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Tuning:
        """Read what `save` wrote; StoreError for another file."""
        try:
            data = archive.unsealed(Path(path).read_text(encoding="utf-8"))
            trials = tuple(_trial(each) for each in data["trials"])
            return Tuning(Space.read(data["space"]), data["seed"], data["penalty"], data["batch"], trials)
        except (OSError, LookupError, AttributeError, TypeError, ValueError, RecursionError, GeomflowError) as error:
            raise StoreError(f"'{path}' cannot be read as trials of a search ({error}): give another file.") from None

    def _plain(self) -> dict[str, Any]:
        trials = [{"settings": t.settings, "seed": t.seed, "score": t.score if np.isfinite(t.score) else None,
                   "raised": t.raised, "kind": str(t.outcome.kind), "message": t.outcome.message,
                   "time": t.outcome.time} for t in self.trials]
        return {"space": self.space.described(), "seed": self.seed, "penalty": self.penalty, "batch": self.batch,
                "trials": trials}

    def __str__(self) -> str:
        failed = f", {self.failures} failed" if self.failures else ""
        failed += f", {self.raised} raised to the penalty {self.penalty:g}" if self.raised else ""
        best = f"; best {self.best}" if self.failures < len(self.trials) else ""
        return f"{len(self.trials)} trials{failed}{best}"


def _trial(data: dict[str, Any]) -> Trial:
    outcome = Outcome(OutcomeKind(data["kind"]), data["message"], float(data["time"]))
    return Trial({name: float(value) for name, value in data["settings"].items()}, int(data["seed"]),
                 -np.inf if data["score"] is None else float(data["score"]), outcome, bool(data["raised"]))
