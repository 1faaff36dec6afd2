"""Which keys a run file may hold, and what each must be.

A document is checked whole before anything is computed. An unknown key is an error that names the nearest
known one; a value of the wrong kind is an error that says what the key takes. Both say in which line.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from geomflow.cli.arguments import LARGEST_WHOLE
from geomflow.cli.messages import shown
from geomflow.core.errors import InputError, UnknownNameError


@dataclass(frozen=True)
class Kind:
    """A kind of value: how it is named in a message, and how it is recognised."""

    phrase: str
    accepts: Callable[[Any], bool]

    def __or__(self, other: Kind) -> Kind:
        return Kind(f"{self.phrase} or {other.phrase}", lambda value: self.accepts(value) or other.accepts(value))


def list_of(kind: Kind, plural: str) -> Kind:
    """The kind of lists whose members are all of one kind."""
    return Kind(f"a list of {plural}", lambda value: isinstance(value, list) and all(map(kind.accepts, value)))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_WHOLE


def _is_number(value: Any) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return isinstance(value, float) and not math.isnan(value)


WHOLE = Kind("a whole number", _is_whole)
NUMBER = Kind("a number", _is_number)
TEXT = Kind("text in quotes", lambda value: isinstance(value, str))
SWITCH = Kind("true or false", lambda value: isinstance(value, bool))
NUMBERS = list_of(NUMBER, "numbers")
WHOLES = list_of(WHOLE, "whole numbers")
TEXTS = list_of(TEXT, "texts in quotes")
MATRIX = list_of(list_of(NUMBER | TEXT, "entries"), "rows, each a list of expressions in quotes")
NUMBER_MATRIX = list_of(NUMBERS, "rows, each a list of numbers")
VALUE = NUMBER | TEXT | SWITCH | list_of(NUMBER | TEXT, "these") | MATRIX
TABLE = Kind("a table of numbers and texts", lambda value: isinstance(value, dict) and all(map(VALUE.accepts,
                                                                                               value.values())))


@dataclass(frozen=True)
class Key:
    """A key of a table: the kind of its value, whether it must be there, and what it means."""

    kind: Kind
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class Table:
    """A table of a document: its keys, and whether it must be there."""

    keys: Mapping[str, Key]
    meaning: str
    required: bool = False
    open: bool = False  # further keys belong to whoever the table names, and are checked there


RUN = {
    "geometry": Table(
        {
            "type": Key(TEXT, '"torus" or "complex torus"', required=True),
            "dim": Key(WHOLE, "dimension: real 1 to 4 of a torus, complex 1 to 3 of a complex torus", required=True),
            "periods": Key(NUMBER | NUMBERS, "periods of the real coordinates; 1 unless given"),
            "lattice": Key(NUMBER_MATRIX, "lattice vectors in Cartesian coordinates, instead of periods"),
        },
        "where the flow lives",
        required=True,
    ),
    "grid": Table(
        {
            "n": Key(WHOLE | WHOLES, "points along an axis, or one number an axis", required=True),
            "order": Key(WHOLE | TEXT, 'order of the stencils, 2, 4, 6 or 8, or "spectral"; 4 unless given'),
        },
        "how it is discretised",
        required=True,
    ),
    "state": Table(
        {
            "potential": Key(TEXT, "a Kähler potential, an expression in the coordinates"),
            "reference": Key(MATRIX, "the reference form g_{ab̄} of a potential; ½ δ unless given"),
            "metric": Key(MATRIX, "a metric, rows of expressions"),
            "scalar": Key(NUMBER | TEXT, "a scalar field, an expression"),
        },
        "where the flow starts: one of potential, metric and scalar",
        required=True,
    ),
    "flow": Table(
        {
            "name": Key(TEXT, 'the equation, by name; "gradient" for the gradient flow of a functional', required=True),
            "functional": Key(TEXT, 'of "gradient": the functional, by name; "density" for one of your own'),
            "metric": Key(TEXT, 'of "gradient": the metric on the fields, by name; its first unless given'),
            "function": Key(TEXT, 'of "gradient": the F(v) or G(v) of the functionals ef and eg'),
            "density": Key(TEXT, 'of "gradient": the density of a functional of your own'),
            "parameters": Key(TABLE, 'of "gradient": numbers for the parameters that the functional leaves open'),
            "measure": Key(NUMBER | TEXT, 'of "gradient": the density of the reference measure dm; 1 unless given'),
            "forced": Key(SWITCH, 'of "gradient": run a flow that is ill-posed all the same; false unless given'),
        },
        "the equation and its options",
        required=True,
        open=True,
    ),
    "kernel": Table(
        {
            "name": Key(TEXT, 'the kernel: "gaussian", "delta" or "network" (infinitely wide)', required=True),
            "scale": Key(NUMBER, 'of "gaussian": its width s'),
            "activation": Key(TEXT, 'of "network": the activation, by name; "relu" unless given'),
            "depth": Key(WHOLE, 'of "network": the number of hidden layers; 1 unless given'),
            "weight_std": Key(NUMBER, 'of "network": the standard deviation of the weights; 1 unless given'),
            "bias_std": Key(NUMBER, 'of "network": the standard deviation of the biases; 0 unless given'),
            "structure": Key(TEXT, 'how it acts on indices: "covariant" (evolving, unless given), "kronecker" or '
                                   '"symmetrised" (frozen)'),
            "batch": Key(WHOLE, "the number of grid points on which the loss is summed; all unless given"),
            "seed": Key(WHOLE, "the seed that draws the batch; 0 unless given"),
        },
        "a kernel under which the flow runs, instead of the local one",
    ),
    "solve": Table(
        {
            "t1": Key(NUMBER, "the time at which to end", required=True),
            "t0": Key(NUMBER, "the time at which to start; 0 unless given"),
            "stepper": Key(TEXT, "the stepper, by name; chosen for the equation unless given"),
            "rtol": Key(NUMBER, "relative error allowed a step"),
            "atol": Key(NUMBER, "absolute error allowed a step"),
            "save": Key(WHOLE | NUMBERS, "into how many equal parts to divide the run, or the times at which to save"),
            "max_steps": Key(WHOLE, "the largest number of steps"),
        },
        "how the run is made",
        required=True,
    ),
    "events": Table(
        {
            "steady": Key(NUMBER, "end as steady when the residual max |dy/dt| falls to this"),
            "curvature": Key(NUMBER, "end as singular when the curvature reaches this"),
            "positivity": Key(NUMBER, "end as singular when the least eigenvalue falls to this"),
        },
        "what ends the run before t1",
    ),
    "output": Table(
        {"pictures": Key(TEXTS, "pictures to draw: monitors, snapshots, film, heatmap")},
        "what is drawn afterwards",
    ),
}


def check(document: Mapping[str, Any], text: str, source: str, tables: Mapping[str, Table] = RUN) -> None:
    """Raise the first fault of a document: an unknown or missing key, or a value of the wrong kind.

    `text` is what the document was read from, to find lines in; `source` its name for messages.
    Raises `UnknownNameError` for an unknown table or key and `InputError` for the others.
    """
    for name, content in document.items():
        place = f"{source}{line_of(text, name)}"
        if name not in tables:
            raise UnknownNameError(f"{place}: {UnknownNameError.among('table', name, tables)}")
        if not isinstance(content, dict):
            raise InputError(f"{place}: '{name}' is a table; write [{name}] on a line of its own and its keys below")
        _check_table(name, content, tables[name], lambda *path: f"{source}{line_of(text, *path)}")
    for name, table in tables.items():
        if table.required and name not in document:
            raise InputError(f"{source}: the table [{name}] is missing; it says {table.meaning}")


def _check_table(name: str, content: Mapping[str, Any], table: Table, place: Callable[..., str]) -> None:
    """The faults of one table."""
    for key, value in content.items():
        if key not in table.keys and not table.open:
            raise UnknownNameError(f"{place(name, key)}: {UnknownNameError.among(f'key in [{name}]', key, table.keys)}")
        kind = table.keys[key].kind if key in table.keys else VALUE
        if not kind.accepts(value):
            raise InputError(f"{place(name, key)}: {name}.{key} takes {kind.phrase}, and {shown(value)} was given")
    for key, spec in table.keys.items():
        if spec.required and key not in content:
            raise InputError(f"{place(name)}: [{name}] needs the key '{key}': {spec.meaning}")


def line_of(text: str, table: str, key: str | None = None) -> str:
    """Where a table, or a key in it, stands in TOML text: ", line 12", or nothing if it is not found.

    >>> line_of("[grid]\\nn = 64\\n[flow]\\nname = 'ricci'", "flow", "name")
    ', line 4'
    """
    current, fallback = "", ""
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if bare.startswith("["):
            current = bare.strip("[] ").split("]")[0].strip()
            if current == table:
                fallback = f", line {number}"
                if key is None:
                    return fallback
        elif "=" in bare and not bare.startswith("#"):
            name = bare.split("=")[0].strip().strip("\"'")
            if (key is None and not current and name == table) or (current == table and name == key):
                return f", line {number}"
            if not current and name == f"{table}.{key}":
                return f", line {number}"
    return fallback
