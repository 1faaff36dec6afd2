"""Reading a stored run, finished or not: as arrays, as the fields that they are of, or as an xarray Dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np

from geomflow import field
from geomflow.core.errors import GeomflowError, MissingExtraError, StoreError
from geomflow.field.reduced.state import ReducedState
from geomflow.field.reduced.written import grid_facts, read_grid
from geomflow.field.state import Field
from geomflow.field.toric.moving import MovingClass
from geomflow.field.toric.state import ToricState
from geomflow.field.toric.written import read_toric, toric_facts
from geomflow.io import layout
from geomflow.symbolic.given import fresh

if TYPE_CHECKING:
    import xarray


class StoredRun:
    """The last commit of a store. States are read when they are asked for.

    Raises `StoreError`, when made or when read, for a store that is missing, damaged, or of another format.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._attributes = layout.read_commit(self.path)
        self._nodes: dict[str, dict[str, Any]] = self._attributes.pop("nodes")
        self._shapes: dict[str, tuple[int, ...]] = self._attributes.pop("shapes")

    @property
    def header(self) -> dict[str, Any]:
        """Description, recipe, versions, seed, configuration, state: what was known before the run."""
        description = dict(self._attributes["description"])
        names = [name for name in self._shapes if "/" not in name and name not in ("time", "state")]
        if names:
            description["axes"] = {name: self._read(name).tolist() for name in names}
        return {**self._attributes, "description": description}

    @property
    def facts(self) -> dict[str, Any]:
        """What goes with the last commit: time, outcome, counts, ..."""
        facts: dict[str, Any] = self._attributes["facts"]
        return facts

    @property
    def memory(self) -> dict[str, Any] | None:
        """The run's memory, to continue it; None for a saved solution."""
        memory: dict[str, Any] | None = json.loads(self.facts["memory"])
        return memory

    @property
    def pieces(self) -> list[Path]:
        """The stores of the runs that went on after this one, as far as they were begun."""
        found: list[Path] = []
        while (path := layout.piece_path(self.path, len(found))).exists():
            found.append(path)
        return found

    @property
    def times(self) -> np.ndarray:
        """Times of the kept states."""
        return self._read("time")

    @property
    def states(self) -> StoredStates:
        """Kept states, packed."""
        return self._states(None)

    @property
    def notes(self) -> dict[str, np.ndarray]:
        """Monitors by name, "time" among them."""
        prefix = "monitors/"
        return {name[len(prefix) :]: self._read(name) for name in self._shapes if name.startswith(prefix)}

    @property
    def given(self) -> dict[str, np.ndarray]:
        """Arrays that the state object needs."""
        prefix = "given/"
        return {name[len(prefix) :]: self._read(name) for name in self._shapes if name.startswith(prefix)}

    @property
    def history(self) -> StoredStates:
        """Kept states, and the state where the run is if it is another."""
        return self._states(None if self.facts["slot"] is None else self.checkpoint)

    @property
    def checkpoint(self) -> np.ndarray:
        """The packed state where the run is."""
        return self.at(self.facts["slot"])

    def at(self, slot: int | None) -> np.ndarray:
        """The packed state in a slot of the store, or the last kept one."""
        return self.states[-1] if slot is None else self._read(f"checkpoint/{slot}")

    def check(self) -> None:
        """Read everything once, one state at a time."""
        for name in self._shapes:
            if name != "state" and not name.startswith("checkpoint/"):
                self._read(name)
        for _ in self.history:
            pass

    def _states(self, tail: np.ndarray | None) -> StoredStates:
        return StoredStates(self.path, self._nodes["state"], self._read(layout.CHECKS), tail)

    def _read(self, name: str) -> np.ndarray:
        return layout.read_checked(self.path, name, self._nodes[name], self._attributes["digests"])


class StoredStates(Sequence[np.ndarray]):
    """Packed states (ncomp, *grid) on disk, read one at a time; `tail`, if any, is the last."""

    def __init__(self, path: Path, node: dict[str, Any], checksums: np.ndarray, tail: np.ndarray | None) -> None:
        self._path = path
        self._node = node
        self._checksums = checksums
        self._tail = tail

    def __len__(self) -> int:
        return len(self._checksums) + (self._tail is not None)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[np.ndarray]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        if place == len(self._checksums) and self._tail is not None:
            return self._tail
        values = layout.read_array(self._path, "state", self._node, place)
        if layout.row_checksum(values) != self._checksums[place]:
            raise layout.damaged(self._path, f"the state {place} of the array 'state' is not what was written")
        return values


REDUCED, TORIC, MOVING = ReducedState.__name__, ToricState.__name__, MovingClass.__name__


def describe_field(state: Any) -> tuple[dict[str, Any] | None, dict[str, np.ndarray]]:
    """JSON-able facts and packed arrays from which `rebuild_field` makes a field of the same kind; None for others."""
    if isinstance(state, ReducedState):
        return _reduced_facts(state), {}
    if isinstance(state, ToricState | MovingClass):
        return {"kind": type(state).__name__, "components": list(state.component_names), **toric_facts(state.grid)}, {}
    if not isinstance(state, Field):
        return None, {}
    grid = state.grid
    facts: dict[str, Any] = {
        "torus": type(grid.torus).__name__,
        "dim": grid.torus.complex_dim or grid.torus.real_dim,
        "lattice": [list(row) for row in grid.torus.lattice],
        "shape": list(grid.shape),
        "order": grid.order or grid.scheme,
    }
    if not isinstance(state, field.Fields):
        own, given = _kind_of(state)
        return facts | own, given
    kinds = {name: _kind_of(part) for name, part in state.parts.items()}
    facts |= {"kind": "Fields", "parts": {name: own for name, (own, _) in kinds.items()}, "still": list(state.still),
              "components": list(state.component_names)}
    held = {f"{name}_{key}": array for name, (_, given) in kinds.items() for key, array in given.items()}
    return facts, held | {name: state.parts[name].pack() for name in state.still}


def _kind_of(state: Field) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What kind of field this is, beside its grid, and arrays that it needs."""
    reference = getattr(state, "reference", None)
    form = reference if isinstance(reference, Field) else state
    facts: dict[str, Any] = {"kind": type(state).__name__, "components": list(form.component_names)}
    facts |= {key: getattr(state, key) for key in ("indices", "degree") if hasattr(state, key)}
    if isinstance(reference, Field):
        return facts, {"reference": reference.pack()}
    if reference is not None:
        facts["reference"] = [np.real(reference).tolist(), np.imag(reference).tolist()]
    return facts, {}


def rebuild_field(facts: Mapping[str, Any], given: Mapping[str, np.ndarray]) -> Any:
    """A field of zeros of the described kind; its `unpack` makes the stored states."""
    if facts["kind"] == REDUCED:
        return _reduced(facts)
    if facts["kind"] in (TORIC, MOVING):
        grid = read_toric(facts)
        state = ToricState(grid, np.zeros((1, grid.size)))
        return state if facts["kind"] == TORIC else MovingClass.of(state)
    tori = {"Torus": field.Torus, "ComplexTorus": field.ComplexTorus}
    how = {"scheme" if facts["order"] == "spectral" else "order": facts["order"]}
    grid = tori[facts["torus"]](facts["dim"], lattice=facts["lattice"]).grid(facts["shape"], **how)
    if facts["kind"] != "Fields":
        return _rebuilt(grid, facts, given)
    parts = {name: _rebuilt(grid, own, {"reference": given[key]} if (key := f"{name}_reference") in given else {})
             for name, own in facts["parts"].items()}
    parts |= {name: parts[name].unpack(given[name]) for name in facts["still"]}
    return field.Fields(grid, parts, tuple(facts["still"]))


def _reduced_facts(state: ReducedState) -> dict[str, Any] | None:
    """What a metric with symmetry is; None where names of its ansatz cannot be written as text."""
    try:
        return {"kind": REDUCED, "components": list(state.component_names), **grid_facts(state.grid)}
    except GeomflowError:
        return None


def _reduced(facts: Mapping[str, Any]) -> ReducedState:
    """A metric with symmetry. Raises `StoreError` where its ansatz would be packed in another way."""
    grid = read_grid(facts)
    names = [field.name for field in grid.ansatz.regular.fields]
    if names != facts["components"]:
        raise StoreError(f"the stored states hold {', '.join(facts['components'])}, and this version packs "
                         f"{', '.join(names)} for {grid.ansatz}: run it again.")
    return ReducedState(grid, np.zeros((len(names), *grid.shape)))


def _rebuilt(grid: Any, facts: Mapping[str, Any], given: Mapping[str, np.ndarray]) -> Any:
    """One field of the described kind."""
    match facts["kind"]:
        case "ScalarField":
            return grid.scalar(np.zeros(grid.shape))
        case "MetricField":
            return grid.metric()
        case "SymmetricField":
            return grid.symmetric(np.zeros((grid.dim, grid.dim)))
        case "HermitianField":
            return _form(grid, facts)
        case "PotentialField":
            return grid.potential(np.zeros(grid.shape), reference=_reference(grid, facts, given))
        case "FormField":
            return grid.form({}, degree=facts["degree"])
        case "TensorField":
            rank = sum(letter.isalpha() for letter in facts["indices"])
            return field.TensorField(grid, np.zeros((*grid.shape, *(grid.dim,) * rank)), facts["indices"])
    raise StoreError(f"the stored states are of the kind '{facts['kind']}', which this version does not know.")


def _reference(grid: Any, facts: Mapping[str, Any], given: Mapping[str, np.ndarray]) -> Any:
    if "reference" in given:
        return _form(grid, facts).unpack(given["reference"])
    real, imaginary = facts["reference"]
    return np.array(real) + 1j * np.array(imaginary)


def _form(grid: Any, facts: Mapping[str, Any]) -> Any:
    """A Hermitian form whose components are in the stored order."""
    form = grid.hermitian()
    if grid.torus.dim > 1 and facts.get("components") != list(form.component_names):
        raise StoreError("the components of the stored Hermitian forms are in an order that this version does not "
                         f"know; it takes {', '.join(form.component_names)}: run it again.")
    return form


class Run(Protocol):
    """A solution, as far as a Dataset is made from it."""

    @property
    def times(self) -> np.ndarray:
        """Of the kept states."""

    @property
    def monitor_times(self) -> np.ndarray:
        """Of the monitors."""

    @property
    def monitors(self) -> Mapping[str, np.ndarray]:
        """Numbers by name."""

    @property
    def description(self) -> Mapping[str, Any]:
        """The facts of the problem."""

    @property
    def recipe(self) -> Mapping[str, Any]:
        """How it was integrated."""

    @property
    def states(self) -> Any:
        """Kept states, with `packed(i)`."""

    @property
    def outcome(self) -> Any:
        """How it ended."""


def to_xarray(run: str | os.PathLike[str] | Run) -> xarray.Dataset:
    """A run: one variable a component over (time, *axes), monitors over monitor_time.

    Of metrics with symmetry there are the unknowns too, by their names, beside the regular fields that are packed.
    What is stored is read once, to be checked; states then stay on disk until they are used where dask is installed.
    The equation, the outcome and the versions are attributes.

    Parameters
    ----------
    run : Solution, str or path
        A run, or the directory of a store.

    Notes
    -----
    Raises `MissingExtraError` without xarray, and `StoreError` for a store that cannot be read.
    """
    try:
        import xarray
    except ImportError as error:
        raise MissingExtraError.of("xarray", "xarray") from error
    if not isinstance(run, str | os.PathLike):
        return _in_memory(run)
    stored = StoredRun(run)
    stored.check()
    raw = xarray.open_zarr(stored.path, consolidated=True)
    header = stored.header
    names = header["description"].get("components") or [f"u{i}" for i in range(raw.sizes["component"])]
    variables: dict[str, Any] = {name: raw["state"].isel(component=i) for i, name in enumerate(names)}
    notes = stored.notes
    coordinates = {**{name: raw[name] for name in raw.coords}, "monitor_time": notes.pop("time")}
    if header["state"]:
        template = rebuild_field(header["state"], stored.given)
        variables |= _unknowns([template.unpack(row) for row in stored.states], raw["state"].dims[2:])
    variables |= {f"monitor_{name}": ("monitor_time", values) for name, values in notes.items()}
    return xarray.Dataset(variables, coordinates, _attributes(header, stored.facts))


def _in_memory(run: Run) -> xarray.Dataset:
    """The Dataset of a solution."""
    import xarray

    packed = np.stack([np.asarray(run.states.packed(i)) for i in range(len(run.states))])
    axes = layout.axis_names(packed.shape[1:], run.description)
    given = run.description.get("axes") or {}
    names = run.description.get("components") or [f"u{i}" for i in range(packed.shape[1])]
    variables: dict[str, Any] = {name: (("time", *axes), packed[:, i]) for i, name in enumerate(names)}
    variables |= _unknowns(run.states, axes)
    variables |= {f"monitor_{name}": ("monitor_time", values) for name, values in run.monitors.items()}
    places = {name: given[name] for name in axes if name in given}
    header = {"description": run.description, "recipe": run.recipe, "versions": layout.versions(), "configuration": {},
              "seed": None}
    outcome = {"outcome": {"kind": run.outcome.kind, "message": run.outcome.message}}
    coordinates = {"time": run.times, **places, "monitor_time": run.monitor_times}
    return xarray.Dataset(variables, coordinates, _attributes(header, outcome))


def _unknowns(states: Sequence[Any], axes: Sequence[Any]) -> dict[str, Any]:
    """The unknowns of metrics with symmetry over (time, *axes); none of other states."""
    if not isinstance(states[0], ReducedState):
        return {}
    shape = states[0].grid.shape
    values = {name: np.array([np.broadcast_to(state[name], shape) for state in states]) for name in states[0].unknowns}
    return {fresh(name, layout.TAKEN): (("time", *axes), array) for name, array in values.items()}


def _attributes(header: dict[str, Any], facts: dict[str, Any]) -> dict[str, str]:
    outcome = facts.get("outcome") or {"kind": "interrupted", "message": "the run has not ended."}
    return {
        "equation": str(header["description"].get("equation", "")),
        "outcome": f"{outcome['kind']}: {outcome['message']}",
        "recipe": json.dumps(header["recipe"], default=layout.plain),
        "versions": json.dumps(header["versions"]),
        "configuration": json.dumps(header["configuration"]),
        "seed": str(header["seed"]),
    }
