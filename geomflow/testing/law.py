"""What a law is: a check of one thing that ends in a `LawError` with numbers and a small counterexample."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, final

from geomflow.core.errors import GeomflowError, MissingExtraError
from geomflow.testing.simpler import finer, simpler
from geomflow.testing.spelling import spelled

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

REFINEMENTS = 2
"""How often a grid is refined before a gap counts as one of the mathematics."""


@final
class LawError(GeomflowError, AssertionError):
    """A law does not hold. The message says which, by what numbers, where, and for what small thing.

    Parameters
    ----------
    fault : str
        What is wrong, in one line.
    evidence : iterable of str
        Numbers and places, a line each.
    counterexample : mapping of str to object
        For what it fails, by name.
    """

    def __init__(self, fault: str, evidence: Iterable[str] = (), counterexample: Mapping[str, Any] | None = None):
        self.fault = fault
        self.evidence = tuple(evidence)
        self.counterexample = dict(counterexample or {})
        lines = [fault, *(f"  {line}" for line in self.evidence)]
        lines += [f"  {name} = {text}" for name, text in self.example.items()]
        super().__init__("\n".join(lines))

    @property
    def example(self) -> dict[str, str]:
        """The counterexample as text that makes it again, where it is made of few waves or numbers."""
        return {name: spelled(thing) for name, thing in self.counterexample.items()}


@dataclass(frozen=True)
class Gap:
    """How far two numbers that must be equal are apart, and how far they may be."""

    size: float
    allowed: float
    found: Any = None

    @property
    def closed(self) -> bool:
        """Whether they are equal to tolerance; not where one of them is no number."""
        return self.size <= self.allowed


def lasting(measured: Callable[[Any], Gap], state: Any) -> Gap | None:
    """The gap of a state, unless it is closed, or falls by half and more as the grid is refined.

    What a grid does not resolve falls as it is refined; what is wrong in the mathematics stays.
    """
    gap = before = measured(state)
    for times in range(REFINEMENTS):
        if gap.closed or (fine := finer(state, again=times > 0)) is None:
            break
        state, before = fine, gap
        gap = measured(state)
    falls = before is not gap and gap.size <= before.size / 2
    return None if gap.closed or falls else gap


def is_strategy(given: Any) -> bool:
    """Whether it is a strategy of hypothesis; nothing is, where hypothesis was not imported."""
    module = sys.modules.get("hypothesis.strategies")
    return module is not None and isinstance(given, module.SearchStrategy)


def smallest_failing(fails: Callable[[T], bool], given: T | SearchStrategy[T], examples: int) -> T | None:
    """The smallest thing that fails, of those that a strategy draws, or the one given, made simpler; None if none does.

    Parameters
    ----------
    fails : callable
        Whether the law fails for a thing.
    given : object or strategy
        What is put to the test.
    examples : int
        How many things a strategy draws.
    """
    if is_strategy(given):
        return _smallest_drawn(fails, given, examples)  # type: ignore[arg-type]
    thing: T = given  # type: ignore[assignment]
    if not fails(thing):
        return None
    return next((candidate for candidate in simpler(thing) if _also(fails, candidate)), thing)


def require(error: Callable[[T, int], LawError | None], given: T | SearchStrategy[T], examples: int, few: int) -> None:
    """Raise the error of the thing given, or of the smallest that a strategy draws of those that have one.

    Parameters
    ----------
    error : callable
        From a thing, and how many points, grids or sets of them are drawn for it, to the first law that fails.
    given : object or strategy
        What is put to the test.
    examples : int
        How many things a strategy draws; for a thing that is given, how much is drawn for it.
    few : int
        How much is drawn for each thing of a strategy.
    """
    if not is_strategy(given):
        found = error(given, examples)  # type: ignore[arg-type]
    else:
        thing = smallest_failing(lambda at: error(at, few) is not None, given, examples)
        found = None if thing is None else error(thing, few)
    if found is not None:
        raise found


def _also(fails: Callable[[T], bool], candidate: T) -> bool:
    """Whether it fails too; where it raises an error, it is no simpler case of the same fault."""
    try:
        return fails(candidate)
    except (GeomflowError, ArithmeticError):
        return False


def _smallest_drawn(fails: Callable[[T], bool], strategy: SearchStrategy[T], examples: int) -> T | None:
    try:
        from hypothesis import HealthCheck, Phase, given, settings
    except ImportError as error:
        raise MissingExtraError.of("hypothesis", "test") from error
    kept: list[T] = []

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True,
              phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
              report_multiple_bugs=False)
    @given(strategy)
    def holds(thing: T) -> None:
        if fails(thing):
            kept[:] = [thing]
            raise _Failed

    try:
        holds()
    except _Failed:
        return kept[0]
    return None


class _Failed(Exception):
    """The law fails for what was drawn."""
