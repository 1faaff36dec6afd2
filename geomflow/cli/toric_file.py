"""Run files about toric Kähler surfaces: their tables [toric], [state] and [flow], and what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from geomflow.cli.document import Entries, Matrix, Number, Switch, Table, Text, Texts, Whole, placed, says
from geomflow.cli.schema import EventsTable, SolveTable
from geomflow.core.errors import InputError, require_known

if TYPE_CHECKING:
    from geomflow.field.toric import ToricState
    from geomflow.flow.flow import Flow

CANONICAL = "canonical"
"""The metric with h = 0, that of Guillemin."""
SHAPES = ("polygon", "corners", "sides")
FLOWS = ("kahler-ricci", "calabi")


class ToricTable(Table, frozen=True):
    """a toric surface with its Kähler class: a polygon by name, by its corners or by its sides"""

    degree: Annotated[Whole, says("of the polynomials h, at least 2")]
    polygon: Annotated[
        Text | None, says('by name: "CP2", "CP1xCP1", "dP1", "dP2", "dP3" in the class c₁, or "F0", "F1", "F2", …')
    ] = None
    corners: Annotated[
        Matrix | None, says('instead of a name: the corners in their order, such as [[0, 0], [2, 0], [0, "2"]]')
    ] = None
    sides: Annotated[
        Matrix | None, says("instead of a name: rows n1, n2, c with n1*x1 + n2*x2 + c >= 0, normals inward")
    ] = None
    constants: Annotated[
        Entries | None, says("another class of the same surface: a c for each side, in their order")
    ] = None
    symmetric: Annotated[
        Switch | None, says("only polynomials that the symmetries of the polygon keep; false unless given")
    ] = None


class ToricStateTable(Table, frozen=True):
    """where the flow starts: the metric of u = Σ l log l + h, with the l >= 0 of the sides"""

    h: Annotated[
        Number | Text | None,
        says('a polynomial in x1 and x2, such as "(x1^2 + x2^2)/10"; "canonical", which is 0, unless given'),
    ] = None


class ToricFlowTable(Table, frozen=True):
    """the equation and its options"""

    name: Annotated[Text, says('"kahler-ricci" or "calabi"')]
    normalised: Annotated[
        Switch | None,
        says('of "kahler-ricci": keep the class, c₁/λ, by ∂g = −Ric + λg; it moves unless this is true'),
    ] = None
    speed: Annotated[Number | None, says('of "kahler-ricci": a factor of the rate; 1 unless given')] = None


class ToricPicturesTable(Table, frozen=True):
    """what is drawn afterwards"""

    pictures: Annotated[
        Texts | None, says("monitors, polygon (the last scalar curvature over it), as .png, .svg or .pdf")
    ] = None


class ToricFile(Table, frozen=True, kw_only=True):
    """A run of a metric on a toric surface."""

    toric: ToricTable
    state: ToricStateTable = ToricStateTable()
    flow: ToricFlowTable
    solve: SolveTable
    events: EventsTable = EventsTable()
    output: ToricPicturesTable = ToricPicturesTable()


def make_toric(file: ToricFile) -> tuple[ToricState, Flow]:
    """The state and the flow of a file. Raises `InputError` and `UnknownNameError` with the table that is at fault."""
    from geomflow.flow.registry import named_flow

    grid = make_toric_grid(file.toric)
    with placed("[state]"):
        state: ToricState = grid.state(0 if file.state.h in (None, CANONICAL) else file.state.h)
    options = {key: value for key, value in file.flow.given().items() if key != "name"}
    require_known("flow of toric surfaces", file.flow.name, FLOWS)
    with placed("[flow]"):
        return state, named_flow(file.flow.name, options)


def make_toric_grid(table: ToricTable) -> Any:
    """The polynomials of [toric] on its polygon."""
    from geomflow.symbolic.toric import Toric

    given = [shape for shape in SHAPES if getattr(table, shape) is not None]
    if len(given) != 1:
        what = f"{' and '.join(given)} were" if given else "none of them was"
        raise InputError(f"[toric] takes one of {', '.join(SHAPES)}, and {what} given")
    with placed("[toric]"):
        toric = Toric(_of_width(table, given[0]), table.constants)
        return toric.grid(table.degree, symmetric=bool(table.symmetric))


def _of_width(table: ToricTable, shape: str) -> Any:
    """The polygon as it is given; corners have two numbers each, sides three."""
    rows = getattr(table, shape)
    width = {"corners": 2, "sides": 3}.get(shape)
    wrong = [row for row in rows if len(row) != width] if width else []
    if wrong:
        raise InputError(f"each of the {shape} has {width} numbers, and {wrong[0]} was given")
    return rows
