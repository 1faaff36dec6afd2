"""A fit: steps towards a metric, as what `solve` carries out.

A fit is an objective, a method and a rule to stop. Its state holds all that the method remembers, so that a fit that
was stopped and goes on gives the bits of one that never stopped; stores, Ctrl-C, progress and outcomes are `solve`'s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np

from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow import Problem, Solution, solve
from geomflow.flow.steppers.runge_kutta import Iteration

#: Floating-point operations that count as a core-second of work, whatever the machine takes for them.
OPERATIONS = 2e10
_UNKNOWN = np.finfo(float).max


@final
@dataclass(frozen=True, eq=False)
class FitState:
    """Where a fit is: arrays by name, real or complex; ``state["coefficients"]``, ``state.number("damping")``.

    The first of them is what is fitted. A number that is not finite counts as unknown, infinite.

    Parameters
    ----------
    parts : mapping of str to array
        The arrays, of any shapes; all numbers must be finite where `solve` goes on.
    """

    parts: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, **parts: Any) -> FitState:
        """From arrays and numbers.

        Parameters
        ----------
        **parts : array or number
            What the state holds, by name; the first is what is fitted.
        """
        return cls({name: _doubles(value) for name, value in parts.items()})

    def __getitem__(self, name: str) -> np.ndarray:
        return self.parts[name]

    def number(self, name: str) -> float:
        """One of the numbers, infinite if unknown.

        Parameters
        ----------
        name : str
            Of a single number.
        """
        value = float(self.parts[name].item())
        return value if value < _UNKNOWN else np.inf

    def count(self, name: str) -> int:
        """One of the numbers, a whole one.

        Parameters
        ----------
        name : str
            Of a single number.
        """
        return int(self.parts[name])

    def moved(self, **parts: Any) -> FitState:
        """The state with other arrays of the same shapes under these names.

        Parameters
        ----------
        **parts : array or number
            New values by name.
        """
        return FitState({**self.parts, **{name: _doubles(value) for name, value in parts.items()}})

    def pack(self) -> np.ndarray:
        """All numbers as one component, (1, size)."""
        flat = [np.ascontiguousarray(part).reshape(-1).view(float) for part in self.parts.values()]
        return np.concatenate(flat)[None]

    def unpack(self, packed: np.ndarray) -> FitState:
        """The state with other numbers.

        Parameters
        ----------
        packed : (1, size) array
            From `pack`, of a state with the same names and shapes.
        """
        numbers, parts, at = packed.reshape(-1), {}, 0
        for name, part in self.parts.items():
            size = part.nbytes // 8
            parts[name] = numbers[at : at + size].copy().view(part.dtype).reshape(part.shape)
            at += size
        return FitState(parts)


def _doubles(value: Any) -> np.ndarray:
    array = np.asarray(value, dtype=complex if np.iscomplexobj(value) else float)
    return np.asarray(_UNKNOWN) if array.ndim == 0 and not np.isfinite(array) else array


class Fit(ABC):
    """A way to a metric: ``solve(fit, fit.start(), t1=steps)`` takes so many steps, one in each unit of time.

    A step is a pure function of the state. Monitors are `numbers`, a row for each step. What a step ends with instead
    of a state is the outcome of the solution.
    """

    name: ClassVar[str]

    @abstractmethod
    def start(self) -> FitState:
        """The state before the first step."""

    @abstractmethod
    def step(self, state: FitState) -> FitState | Outcome:
        """The state after a step, or the outcome where there is none to take.

        Parameters
        ----------
        state : FitState
            Where the fit is.
        """

    @abstractmethod
    def numbers(self, state: FitState) -> Mapping[str, float]:
        """What is watched at a state, always under the same names.

        Parameters
        ----------
        state : FitState
            Where the fit is.
        """

    def __str__(self) -> str:
        return f"{self.name} fit"

    def bind(self, state: FitState) -> Problem:
        """The iteration that starts at a state.

        Parameters
        ----------
        state : FitState
            Where the fit starts or goes on.
        """

        def advance(t: float, y: np.ndarray, out: np.ndarray) -> Outcome | None:
            found = self.step(state.unpack(y))
            if isinstance(found, Outcome):
                return found
            out[...] = found.pack()
            return None

        fitted = next(iter(state.parts.values())).nbytes // 8

        return Problem(
            y0=state.pack(),
            rate=_no_rate,
            unpack=state.unpack,
            advance=advance,
            residual=lambda change: float(np.abs(change[0, :fitted]).max()),
            observe=lambda t, y: self.numbers(state.unpack(y)),
            description={"flow": self.name, "equation": str(self), "components": ["state"], "state": "FitState"},
        )

    def default_stepper(self, problem: Problem) -> Iteration:
        """The iteration itself.

        Parameters
        ----------
        problem : Problem
            From `bind`.
        """
        return Iteration()


def _no_rate(t: float, y: np.ndarray, out: np.ndarray) -> None:
    out[...] = np.nan


def carried_out(fit: Fit, steps: int, progress: bool | None, start: FitState | None = None) -> Solution[FitState]:
    """At most so many steps of a fit of which half is worth nothing: Ctrl-C is raised.

    Parameters
    ----------
    fit : Fit
        What is carried out.
    steps : int
        At most so many.
    progress : bool or None
        Whether a bar is shown; None for only on a terminal.
    start : FitState, optional
        Where to start instead of `fit.start()`.
    """
    solution = solve(fit, fit.start() if start is None else start, max(steps, 1), max_steps=max(steps, 1),
                     progress=progress)
    if solution.outcome.kind is OutcomeKind.interrupted:
        raise KeyboardInterrupt(solution.outcome.message)
    return solution


@dataclass(eq=False)
class Last:
    """A function of an array that keeps its last value: monitors and the next step ask for the same place."""

    function: Callable[[np.ndarray], Any]
    _at: np.ndarray | None = field(default=None, repr=False)
    _value: Any = field(default=None, repr=False)

    def __call__(self, at: np.ndarray) -> Any:
        """The value there."""
        if self._at is None or not np.array_equal(self._at, at):
            self._value = self.function(at)
            self._at = at
        return self._value

    def put(self, at: np.ndarray, value: Any) -> None:
        """Keep a value that was found elsewhere."""
        self._at, self._value = at, value
