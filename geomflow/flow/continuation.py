"""Runs that go on after a singularity: a rule makes of the last state those that the flow goes on from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

from geomflow.core.errors import InputError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.events import TerminalEvent

if TYPE_CHECKING:
    from geomflow.flow.solution import Solution


@final
@dataclass(frozen=True, repr=False)
class Cut(InNotebook):
    """What was done at a singularity.

    Parameters
    ----------
    kind : str
        Such as "surgery".
    time : float
        When.
    location : mapping
        Where, by coordinate.
    radius : float
        Of what was cut: a neck's spheres.
    curvature : float
        The scalar curvature there, before.
    volume : float
        By how much the volume is less after it, in all pieces together.
    piece : tuple of int
        Of which run: () of the first, (0,) of its first piece, (0, 1) of the second piece of that.
    """

    kind: str
    time: float
    location: Mapping[str, float]
    radius: float
    curvature: float
    volume: float
    piece: tuple[int, ...] = ()

    def __facts__(self) -> Facts:
        yield "kind", self.kind
        yield "time", f"{self.time:.12g}"
        yield "location", self._place or "everywhere"
        yield "radius", self.radius
        yield "scalar curvature", self.curvature
        yield "volume lost", self.volume
        yield "piece", ".".join(map(str, self.piece)) or "the first run"

    @property
    def _place(self) -> str:
        return ", ".join(f"{name} = {x:.6g}" for name, x in self.location.items())

    def __str__(self) -> str:
        return (f"{self.kind} at t = {self.time:.9g}{', ' if self.location else ''}{self._place}, radius "
                f"{self.radius:.6g}, volume lost {self.volume:.6g}")

    __repr__ = __str__


@final
@dataclass(frozen=True)
class Parts:
    """What goes on after a run.

    Parameters
    ----------
    states : tuple of states
        From which the flow goes on, each by itself; of whatever ansatz.
    cuts : tuple of Cut
        How they were made.
    """

    states: tuple[Any, ...]
    cuts: tuple[Cut, ...] = field(default=())


class Continuation(ABC):
    """How a flow goes on after a run: `solve(..., after=rule)`. Subclasses are frozen dataclasses.

    A rule is a pure function of the run, so that a run that was killed goes on to the same pieces.
    """

    def check(self, state: Any) -> None:  # noqa: B027
        """Raise `InputError` if there is nothing that this rule could ever do with runs from a state.

        Parameters
        ----------
        state : state
            Where the whole run starts.
        """

    @property
    def events(self) -> tuple[TerminalEvent, ...]:
        """What ends runs so that the rule can go on with them, besides the events of the flow and the user."""
        return ()

    @abstractmethod
    def parts(self, solution: Solution[Any]) -> Parts | Outcome:
        """What goes on after a run; the outcome of the run where nothing does, with the reason if that is new.

        Parameters
        ----------
        solution : Solution
            A run that has ended, but for such that were interrupted and can be continued themselves.
        """


Make = Callable[[int, Any, float], "Solution[Any]"]
"""The run of a piece: its number, its first state and the time."""


def gone_on(solution: Solution[Any], rule: Continuation, t1: float, make: Make,
            keep: Callable[[Parts], None]) -> Solution[Any]:
    """A run with its pieces, as far as they were not interrupted.

    Parameters
    ----------
    solution : Solution
        A run that has ended.
    rule : Continuation
        What it goes on by.
    t1 : float
        The last time of all.
    make : function
        Runs a piece.
    keep : function
        Keeps the cuts and how many pieces there are, before any of these.
    """
    if solution.outcome.kind is OutcomeKind.interrupted or not solution.outcome.time < t1:
        return solution
    found = rule.parts(solution)
    if isinstance(found, Outcome):
        return replace(solution, outcome=found)
    if not isinstance(found, Parts):
        raise InputError(f"{rule!r} must give Parts or an Outcome, not {found!r}.")
    keep(found)
    pieces: list[Solution[Any]] = []
    for number, state in enumerate(found.states):
        pieces.append(make(number, state, solution.outcome.time))
        if pieces[-1].was_interrupted:
            break
    unbegun = len(found.states) - len(pieces)
    return replace(solution, pieces=tuple(pieces), own_cuts=found.cuts, unbegun=unbegun)


def parts_facts(cuts: Sequence[Cut], parts: int) -> dict[str, Any]:
    """JSON-able facts of a run that was cut; `read_cut` makes equal cuts of theirs."""
    return {"cuts": [{**asdict(cut), "location": dict(cut.location)} for cut in cuts], "parts": parts}


def read_cut(facts: Mapping[str, Any]) -> Cut:
    """A cut that `parts_facts` has told of.

    Parameters
    ----------
    facts : mapping
        As `parts_facts` gives them of one.
    """
    return Cut(**{**facts, "piece": tuple(facts["piece"])})
