"""What a search tries and what comes of it: ranges of hyperparameters, scores, and trials on record."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import InputError, NotFiniteError, PositivityError, StoreError, require_known
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.variety.errors import KahlerConeError


@dataclass(frozen=True)
class Range(ABC):
    """The values low ≤ value ≤ high of a hyperparameter, laid out on the unit interval.

    Parameters
    ----------
    low, high : float
        The ends, finite, low < high; else `InputError`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise InputError(f"a range goes from a finite number to a larger one, and {self} does not.")

    @abstractmethod
    def at(self, place: float) -> float:
        """The value at a place of the unit interval.

        Parameters
        ----------
        place : float
            Low at 0, high at 1.
        """

    @abstractmethod
    def place(self, value: float) -> float:
        """The place of a value, the inverse of `at`.

        Parameters
        ----------
        value : float
            In the range.
        """


@final
@dataclass(frozen=True)
class LinearRange(Range):
    """Values at even distances: low + place (high − low).

    Parameters
    ----------
    low, high : float
        The ends.

    Examples
    --------
    >>> LinearRange(2.0, 4.0).at(0.5)
    3.0
    """

    def at(self, place: float) -> float:
        return float(np.clip(self.low + place * (self.high - self.low), self.low, self.high))

    def place(self, value: float) -> float:
        return float((value - self.low) / (self.high - self.low))


@final
@dataclass(frozen=True)
class LogRange(Range):
    """Values at even ratios, for what is known to a factor, rates and widths: low (high/low)^place.

    Parameters
    ----------
    low, high : float
        The ends, low > 0; else `InputError`.

    Examples
    --------
    >>> LogRange(1.0, 100.0).at(0.5)
    10.0
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low <= 0:
            raise InputError(f"a logarithmic range starts at a positive number, and {self} does not: "
                             "take a larger low, or a LinearRange.")

    def at(self, place: float) -> float:
        return float(np.clip(self.low * (self.high / self.low) ** place, self.low, self.high))

    def place(self, value: float) -> float:
        return float(np.log(value / self.low) / np.log(self.high / self.low))


KINDS: Mapping[str, type[Range]] = MappingProxyType({"linear": LinearRange, "log": LogRange})


@final
@dataclass(frozen=True)
class Space:
    """Names and ranges of the hyperparameters.

    Parameters
    ----------
    ranges : mapping of str to Range
        At least one; else `InputError`.

    Examples
    --------
    >>> Space({"rate": LogRange(0.01, 1.0), "bias": LinearRange(0.0, 2.0)}).at([0.5, 0.25])
    {'rate': 0.1, 'bias': 0.5}
    """

    ranges: Mapping[str, Range]

    def __post_init__(self) -> None:
        if not self.ranges or not all(isinstance(each, Range) for each in self.ranges.values()):
            raise InputError("a space has a range for each name, such as Space({'rate': LogRange(0.01, 1)}), "
                             f"and {self.ranges!r} was given.")
        object.__setattr__(self, "ranges", dict(self.ranges))

    def __len__(self) -> int:
        return len(self.ranges)

    def at(self, places: Any) -> dict[str, float]:
        """The settings at places of the unit cube.

        Parameters
        ----------
        places : (dim,) array
            Numbers in [0, 1], in the order of the names.
        """
        return {name: each.at(float(place)) for (name, each), place in zip(self.ranges.items(), places, strict=True)}

    def places(self, settings: Mapping[str, float]) -> np.ndarray:
        """The places of settings, (dim,).

        Parameters
        ----------
        settings : mapping of str to float
            A value for each name.
        """
        return np.array([each.place(settings[name]) for name, each in self.ranges.items()])

    def described(self) -> dict[str, list[Any]]:
        """Plain data from which `read` makes the space again."""
        words = {kind: word for word, kind in KINDS.items()}
        return {name: [words[type(each)], each.low, each.high] for name, each in self.ranges.items()}

    @staticmethod
    def read(described: Mapping[str, Any]) -> Space:
        """The space of plain data; `UnknownNameError` for a kind of range that is none.

        Parameters
        ----------
        described : mapping
            What `described` gave.
        """
        for word, *_ in described.values():
            require_known("range", word, KINDS)
        return Space({name: KINDS[word](low, high) for name, (word, low, high) in described.items()})


Objective = Callable[[dict[str, float], int], Any]
#: Outcomes whose number counts.
WELL = frozenset({OutcomeKind.finished, OutcomeKind.steady})
_FINISHED = Outcome(OutcomeKind.finished, "measured.", 0.0)


@final
@dataclass(frozen=True)
class Score:
    """What an objective may return: the number to be made large, and how the run behind it ended.

    Parameters
    ----------
    value : float
        It counts only where it is finite and the outcome is finished or steady.
    outcome : Outcome
        Finished unless given.
    """

    value: float
    outcome: Outcome = field(default=_FINISHED)

    @property
    def failed(self) -> bool:
        """Whether there is no number to count."""
        return self.outcome.kind not in WELL or not np.isfinite(self.value)


@final
@dataclass(frozen=True)
class Evaluation:
    """One trial as a task: the score of an objective, blow-ups turned into outcomes. Never raises for these."""

    objective: Objective

    def __call__(self, settings: dict[str, float], seed: int) -> Score:
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                return as_score(self.objective(dict(settings), seed))
        except (PositivityError, KahlerConeError) as error:
            return Score(-np.inf, Outcome(OutcomeKind.singular, str(error), 0.0))
        except (NotFiniteError, ArithmeticError, np.linalg.LinAlgError) as error:
            return Score(-np.inf, Outcome(OutcomeKind.diverged, str(error), 0.0))


def as_score(returned: Any) -> Score:
    """A number or a Score as a Score; a number that is not finite has diverged. InputError for anything else."""
    score = returned if isinstance(returned, Score) else None
    if score is None:
        try:
            score = Score(float(returned))
        except (TypeError, ValueError):
            raise InputError(f"an objective returns a number or a Score, and it returned {returned!r}.") from None
    if score.outcome.kind in WELL and not np.isfinite(score.value):
        return Score(-np.inf, Outcome(OutcomeKind.diverged, f"the objective is {score.value}.", score.outcome.time))
    return score


@final
@dataclass(frozen=True)
class Trial:
    """One trial.

    Parameters
    ----------
    settings : dict of str to float
        The hyperparameters.
    seed : int
        That of its data.
    score : float
        The penalty where it failed.
    outcome : Outcome
        How it ended.
    raised : bool
        Whether the score lay below the penalty and was raised to it.
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

    Parameters
    ----------
    space : Space
        What is searched.
    seed : int
        That of the search.
    penalty : float or None
        The score of a trial that failed.
    batch : int
        How many trials are chosen at once.
    trials : tuple of Trial
        Those that were made.
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
        """The trials that ended well with the largest scores, best first; `InputError` where every trial failed.

        Parameters
        ----------
        count : int
            How many, at most.
        """
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
        """Write a JSON file, whole or not at all; `StoreError` where that fails.

        Parameters
        ----------
        path : str or path
            Where; folders are made.
        """
        target = Path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            archive.write_table(target, self._plain())
        except OSError as error:
            raise StoreError(f"the trials cannot be written to '{target}': {error}.") from None

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Tuning:
        """Read what `save` wrote; `StoreError` for another file.

        Parameters
        ----------
        path : str or path
            Where.
        """
        try:
            data = archive.read_table(path)
            trials = tuple(_trial(each) for each in data["trials"])
            return Tuning(Space.read(data["space"]), data["seed"], data["penalty"], data["batch"], trials)
        except (OSError, LookupError, AttributeError, TypeError, ValueError, RecursionError) as error:
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
