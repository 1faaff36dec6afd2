"""What a run gives back, and how that is saved and loaded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np

from geomflow.core.errors import require_known
from geomflow.core.notebook import VERBS, Facts, InNotebook
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow.continuation import Cut, parts_facts, read_cut
from geomflow.io import store
from geomflow.io.datasets import to_xarray
from geomflow.io.layout import piece_path
from geomflow.io.reader import StoredRun
from geomflow.io.written import describe_field, rebuild_field

if TYPE_CHECKING:
    import xarray

    from geomflow.flow.reduced.singularity import Singularity

UNBEGUN = "it has not begun: the run was stopped before, and goes on with resume=True (--resume) from a store."
"""What is told of pieces that wait for one before them."""

S = TypeVar("S")
"""The kind of the states of a run."""


class States(Sequence[S]):
    """The kept states, made into state objects when they are asked for; `.packed(i)` is the bare array."""

    def __init__(self, packed: Sequence[np.ndarray], unpack: Callable[[np.ndarray], S]) -> None:
        self._packed = packed
        self._unpack = unpack

    def packed(self, index: int) -> np.ndarray:
        """The packed array (ncomp, *grid) of one state."""
        return self._packed[index]

    def chosen(self, places: Sequence[int]) -> States[S]:
        """The states at these places."""
        return States([self._packed[i] for i in places], self._unpack)

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, index: int) -> S: ...
    @overload
    def __getitem__(self, index: slice) -> States[S]: ...
    def __getitem__(self, index: int | slice) -> S | States[S]:
        if isinstance(index, slice):
            return States(self._packed[index], self._unpack)
        return self._unpack(self._packed[index])

    def __iter__(self) -> Iterator[S]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"{len(self)} states"


@dataclass(frozen=True, repr=False)
class Solution(InNotebook, Generic[S]):
    """Times, states, monitors and the outcome of a run.

    Parameters
    ----------
    times : (n,) array
        Times of the kept states, shape (n,): t0, the save times, and the end.
    states : States
        The kept states, unpacked when asked for.
    monitor_times : (m,) array
        Times of the monitors, shape (m,).
    monitors : mapping
        Arrays of shape (m,) by name; `solution["energy"]` is short for `solution.monitors["energy"]`.
    outcome : Outcome
        How the run ended.
    steps, rejected, rate_evaluations : int
        What it cost.
    description : mapping
        The problem's facts: equation, grid, ...
    recipe : mapping
        How it was integrated: stepper, control, events, ...
    template : state or None
        A state of the kind of `states`.
    pieces : tuple of Solution
        The runs that go on after this one, if it was solved with `after=`; each may have pieces again.
    own_cuts : tuple of Cut
        How the first states of the pieces were made of the last one.
    unbegun : int
        How many pieces have not begun, for the run was stopped before; they follow `pieces`.
    """

    times: np.ndarray
    states: States[S]
    monitor_times: np.ndarray
    monitors: Mapping[str, np.ndarray]
    outcome: Outcome
    steps: int
    rejected: int
    rate_evaluations: int
    description: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    template: S | None = None
    pieces: tuple[Solution[Any], ...] = ()
    own_cuts: tuple[Cut, ...] = ()
    unbegun: int = 0

    @property
    def last(self) -> S:
        """The last state, before any piece."""
        return self.states[-1]

    @property
    def runs(self) -> dict[tuple[int, ...], Solution[Any]]:
        """This run, by (), its pieces by (0,), (1,), …, theirs by (0, 0), …, and so on."""
        found: dict[tuple[int, ...], Solution[Any]] = {(): self}
        for number, piece in enumerate(self.pieces):
            found |= {(number, *path): run for path, run in piece.runs.items()}
        return found

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """All cuts, of pieces too, in the order of time."""
        found = [replace(cut, piece=path) for path, run in self.runs.items() for cut in run.own_cuts]
        return tuple(sorted(found, key=lambda cut: cut.time))

    @property
    def singularities(self) -> tuple[Singularity, ...]:
        """All singularities, of pieces too, in the order of time."""
        found = [run.singularity for run in self.runs.values() if run.singularity is not None]
        return tuple(sorted(found, key=lambda singularity: singularity.time))

    def sequel(self) -> list[tuple[str, str]]:
        """The singularity, the cuts, and how the pieces ended or that they have not begun; in words."""
        own = [("singular", str(self.singularity))] if self.singularity else []
        ends = {path: str(run.singularity or run.outcome) for path, run in self.runs.items() if path}
        for path, run in self.runs.items():
            begun = len(run.pieces)
            ends |= {(*path, number): UNBEGUN for number in range(begun, begun + run.unbegun)}
        told = [(f"piece {'.'.join(map(str, path))}", ends[path]) for path in sorted(ends)]
        return [*own, *(("cut", str(cut)) for cut in self.cuts), *told]

    @property
    def was_interrupted(self) -> bool:
        """Whether it can be continued as it is, or a piece can."""
        return any(run.unbegun or run.outcome.kind is OutcomeKind.interrupted for run in self.runs.values())

    @cached_property
    def singularity(self) -> Singularity | None:
        """When, where and how the metric became singular; None unless a run of metrics with symmetry ended so."""
        from geomflow.flow.reduced.singularity import singularity_of
        from geomflow.flow.toric.singularity import toric_singularity

        return singularity_of(self) or toric_singularity(self)

    def __getitem__(self, name: str) -> np.ndarray:
        require_known("monitor", name, self.monitors)
        return self.monitors[name]

    def __content__(self) -> dict[str, Any]:
        """The numbers, wherever they lie."""
        return {"times": self.times, "states": [self.states.packed(i) for i in range(len(self.states))]}

    def __facts__(self) -> Facts:
        yield "outcome", self.outcome
        if self.singularity is not None:
            yield "singularity", self.singularity
        yield from self.sequel()
        if "equation" in self.description:
            yield "flow", self.description["equation"]
        yield "times", f"{len(self.times)} kept, from {self.times[0]:.6g} to {self.times[-1]:.6g}"
        yield "steps", f"{self.steps}, and {self.rejected} rejected; {self.rate_evaluations} rates"
        for name, values in self.monitors.items():
            yield name, f"{values[0]:.6g} → {values[-1]:.6g}" if len(values) else None

    def __repr__(self) -> str:
        span = f"t = {self.times[0]:.6g} to {self.times[-1]:.6g}"
        cost = f"{self.steps} steps ({self.rejected} rejected), {self.rate_evaluations} rates"
        told = f"Solution over {span}, {len(self.states)} states, {cost}; {self.outcome}"
        return "\n".join([told, *(f"{name}: {text}" for name, text in self.sequel())])

    def plot(self, *names: str) -> np.ndarray:
        """Draw monitors against time, as `geomflow.plot.monitors` does; returns the array of Axes.

        Parameters
        ----------
        *names : str
            Monitors in their order; all unless given.
        """
        axes: np.ndarray = VERBS["plot"](self, *names)
        return axes

    def to_xarray(self) -> xarray.Dataset:
        """One variable a component of the states over (time, *axes), and monitors over monitor_time.

        Raises `MissingExtraError` without xarray.
        """
        return to_xarray(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to a new store, which `load` and xarray open.

        Raises `StoreError` if there is something at `path` already or it cannot be written.

        Parameters
        ----------
        path : str or path
            Where nothing is yet.
        """
        facts = {
            "time": float(self.times[-1]),
            "memory": "null",
            "outcome": asdict(self.outcome),
            "costs": [self.steps, self.rejected, self.rate_evaluations],
        }
        packed = [self.states.packed(i) for i in range(len(self.states))]
        values = {"time": self.monitor_times, **self.monitors}
        whole = store.Checkpoint(self.times.tolist(), packed, values, None, facts)
        header = header_of(self.template, self.description, self.recipe, store.Store(path))
        writer = store.RunWriter.create(Path(path), header, whole)
        if self.pieces or self.unbegun:
            writer.note(**parts_facts(self.own_cuts, len(self.pieces) + self.unbegun))
        writer.close()
        for number, piece in enumerate(self.pieces):
            piece.save(piece_path(Path(path), number))


def load(path: str | os.PathLike[str], like: Any = None) -> Solution[Any]:
    """The solution in the store at `path`, of a run that has ended or not; states are read when asked for.

    Fields are rebuilt as they were. Of other states, such as those of networks, the store keeps the packed numbers:
    give any state of the same kind, ``load(path, like=model.on(grid))``, to have them unpacked.

    Raises `StoreError` if there is no store, or one that is damaged or of another format.

    Parameters
    ----------
    path : str or path
        Of a store.
    like : state or None
        Any state of the kind that the store keeps, where that is no field.
    """
    return stored_solution(StoredRun(path), like)


def stored_solution(stored: StoredRun, like: Any = None) -> Solution[Any]:
    """The solution from the last commit of a store, which ends where the run was."""
    header, notes = stored.header, stored.notes
    template = rebuild_field(header["state"], stored.given) if header["state"] else like
    packed, pieces = stored.history, stored.pieces
    times = np.array([*stored.times, stored.facts["time"]][: len(packed)])
    return Solution(
        times=times,
        states=States(packed, template.unpack if template else _as_it_is),
        monitor_times=notes.pop("time"),
        monitors=notes,
        outcome=_outcome(stored),
        steps=stored.facts["costs"][0],
        rejected=stored.facts["costs"][1],
        rate_evaluations=stored.facts["costs"][2],
        description=header["description"],
        recipe=header["recipe"],
        template=template,
        pieces=tuple(stored_solution(StoredRun(path), like) for path in pieces),
        own_cuts=tuple(map(read_cut, header.get("cuts", ()))),
        unbegun=max(header.get("parts", 0) - len(pieces), 0),
    )


def _outcome(stored: StoredRun) -> Outcome:
    outcome = stored.facts["outcome"]
    if outcome is not None:
        return Outcome(OutcomeKind(outcome["kind"]), outcome["message"], outcome["time"])
    t = stored.facts["time"]
    message = f"the run was cut off after t = {t:.9g}; continue it with resume=True (--resume)."
    return Outcome(OutcomeKind.interrupted, message, t)


def header_of(state: Any, description: Mapping[str, Any], recipe: Mapping[str, Any],
              told: store.Store) -> dict[str, Any]:
    """What a store tells of a run before its first state."""
    facts, given = describe_field(state)
    return {
        "description": description,
        "recipe": recipe,
        "identity": None,
        "seed": told.seed,
        "configuration": dict(told.configuration),
        "state": facts,
        "given": given,
    }


def _as_it_is(packed: np.ndarray) -> np.ndarray:
    return packed

