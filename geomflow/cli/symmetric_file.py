"""Run files about metrics with symmetry: their tables [ansatz], [grid] and [state], and what is made of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from msgspec import Meta, field

from geomflow.cli.document import Formulas, Matrix, Number, OpenTable, Table, Text, Texts, Whole, Wholes, placed, says
from geomflow.cli.schema import EventsTable, FlowTable, SolveTable
from geomflow.cli.typed import METRIC
from geomflow.core.errors import InputError, UnknownNameError, require_known

if TYPE_CHECKING:
    from geomflow.field.reduced.state import ReducedState
    from geomflow.flow import Continuation
    from geomflow.flow.flow import Flow
    from geomflow.symbolic.ansatz import Ansatz

Pairs = Annotated[dict[str, list[Number | Text]], Meta(title='a table of pairs by name, such as {x = [0, "pi"]}')]
Ends = Annotated[dict[str, Text | Texts], Meta(title="a table of these by coordinate")]

OF_METRIC = ("coordinates", "ranges", "periods", "metric", "unknowns", "ends", "span", "form")
"""The keys of a metric of the user's own."""


class AnsatzTable(OpenTable, frozen=True):
    """a metric with symmetry: one of the catalogue by its name, or one of your own"""

    name: Annotated[
        Text | None,
        says('one of the catalogue, such as "sphere"; its parameters stand beside it, such as n = 2'),
    ] = None
    coordinates: Annotated[Text | Texts | None, says('of your own: the coordinates, such as "x theta phi"')] = None
    ranges: Annotated[Pairs | None, says("of your own: from where to where coordinates go")] = None
    periods: Annotated[
        Formulas | None, says('of your own: after what coordinates begin anew, such as {phi = "2*pi"}')
    ] = None
    metric: Annotated[
        Matrix | None, says('of your own: the components, in which unknowns stand, such as "psi(x)^2"')
    ] = None
    unknowns: Annotated[Text | Texts | None, says('of your own: functions or numbers, such as "chi psi"')] = None
    ends: Annotated[
        Text | Texts | Ends | None,
        says('of your own: what happens at the ends of the range of the unknowns\' coordinate: "pole", "pole:psi" '
             "where it must be said which unknown vanishes, or \"mirror\"; two texts where the ends differ"),
    ] = None
    span: Annotated[
        Texts | None,
        says('of your own, in place of ends: names for the ends of the coordinate, which move, ["a", "b"]; the first '
             'may be "0"'),
    ] = None
    form: Annotated[Matrix | None, says("of your own: the components of the Kähler form, if it is to be one")] = None


class ReducedGridTable(Table, frozen=True):
    """how it is discretised; left out where the unknowns are numbers"""

    n: Annotated[Whole | Wholes, says("points along the coordinate of the unknowns, or one number for each of two")]
    order: Annotated[Whole | None, says("order of stencils, 2, 4, 6 or 8; spectral unless given")] = None


class UnknownsTable(Table, frozen=True):
    """where the flow starts: a value for each unknown by its name, psi = "sin(x)" and the like"""

    others: ClassVar[Any] = Number | Text
    further: dict[str, Any] = field(default_factory=dict)


class SurgeryTable(Table, frozen=True):
    """how the run goes on at necks, which are cut and closed by round caps; it ends there unless this is given"""

    radius: Annotated[Number, says("of the neck where it is cut, a length")]
    length: Annotated[
        Number | None, says("how far from the neck the metric is changed, in radii of it; 4 unless given")
    ] = None
    ratio: Annotated[
        Number | None,
        says("how large |K0/K1| may be up to there, of the curvatures of planes along and across the neck; 0.25 unless "
             "given, and 0 is a cylinder"),
    ] = None
    points: Annotated[Whole | None, says("of the grids of the pieces; as many as before unless given")] = None


class ContractionTable(Table, frozen=True):
    """how the run goes on where a divisor has contracted, on CP^n; it ends there unless this is given"""

    factor: Annotated[
        Number | None, says("by how much the momentum a of the divisor has fallen when it contracts; 300 unless given")
    ] = None
    points: Annotated[
        Whole | None, says("of the grid of CP^n; as many as before, and as its scales need, unless given")
    ] = None


class SymmetricPicturesTable(Table, frozen=True):
    """what is drawn afterwards"""

    pictures: Annotated[
        Texts | None,
        says("monitors, profile, embedding (.png, .svg or .pdf), film (.gif, .mp4, .webm); the last two of surfaces"),
    ] = None


class SymmetricFile(Table, frozen=True, kw_only=True):
    """A run of a metric with symmetry."""

    ansatz: AnsatzTable
    grid: ReducedGridTable | None = None
    state: UnknownsTable
    flow: FlowTable
    solve: SolveTable
    events: EventsTable = EventsTable()
    surgery: SurgeryTable | None = None
    contraction: ContractionTable | None = None
    output: SymmetricPicturesTable = SymmetricPicturesTable()


def make_symmetric(file: SymmetricFile) -> tuple[ReducedState, Flow]:
    """The state and the flow of a file. Raises `InputError` and `UnknownNameError` with the table that is at fault."""
    ansatz = make_ansatz(file.ansatz)
    grid = make_reduced_grid(file.grid, ansatz)
    with placed("[state]"):
        state: ReducedState = grid.state(**file.state.further)
    return state, make_symmetric_flow(file.flow, ansatz)


def make_ansatz(table: AnsatzTable) -> Ansatz:
    """The ansatz of [ansatz], of the catalogue or the user's own."""
    given = table.given()
    if (table.name is None) == (table.metric is None):
        what = "neither was" if table.name is None else "both were"
        raise InputError(f"[ansatz] takes one of name and metric, and {what} given: a name of the catalogue with its "
                         'parameters, or a metric of your own with coordinates and unknowns')
    if table.name is None:
        return _own_ansatz(table)
    if own := [key for key in OF_METRIC if key in given]:
        raise InputError(f"ansatz.{own[0]} is of a metric of your own, and name = \"{table.name}\" is one of the "
                         "catalogue: keep one of them")
    from geomflow.symbolic import catalogue

    with placed("[ansatz]"):
        return catalogue.ansatz(table.name, **{key: _frozen(value) for key, value in table.further.items()})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _own_ansatz(table: AnsatzTable) -> Ansatz:
    """Of the user's own metric."""
    from geomflow.symbolic.ansatz import Ansatz
    from geomflow.symbolic.chart import Chart
    from geomflow.symbolic.metric import Metric

    for key in table.further:
        raise UnknownNameError.among("key in [ansatz]", key, OF_METRIC)
    for key in ("coordinates", "unknowns"):
        if getattr(table, key) is None:
            raise InputError(f"[ansatz] needs the key '{key}' beside its metric")
    names = _words(table.unknowns)
    functions = [name for name in names if _is_called(name, table.metric or ())]
    with placed("[ansatz]"):
        ranges: dict[str, Any] | None = table.ranges
        chart = Chart(_words(table.coordinates), ranges=ranges, periods=table.periods)
        numbers = [name for name in names if name not in functions]
        metric = Metric(chart, table.metric, numbers, functions)
        return Ansatz(metric, names, _domain(table, metric, names), form=table.form)


def _words(given: str | Sequence[str] | None) -> list[str]:
    return given.replace(",", " ").split() if isinstance(given, str) else list(given or ())


def _is_called(name: str, rows: Sequence[Sequence[Any]]) -> bool:
    """Whether a name is written as a function in components."""
    return any(re.search(rf"(?<!\w){re.escape(name)}\s*\(", str(entry)) for row in rows for entry in row)


def _domain(table: AnsatzTable, metric: Any, names: Sequence[str]) -> Any:
    """A span, or intervals by coordinate; circles are those of the chart."""
    from geomflow.symbolic.ansatz import Interval, Span
    from geomflow.symbolic.ansatz.unknowns import unknowns_of

    if table.span is not None:
        if table.ends is not None:
            raise InputError("[ansatz] takes one of ends and span, and both were given: ends of a span are where the "
                             "unknown vanishes, and move.")
        return Span(*_span_ends(table.span))
    used = {name for unknown in unknowns_of(metric, names)[1] for name in unknown.coordinates}
    open_ = [name for name in metric.chart.coordinates if name in used and name not in metric.chart.periods]
    ends = table.ends if isinstance(table.ends, dict) else dict.fromkeys(open_, table.ends)
    for name in ends:
        require_known("coordinate in ansatz.ends", name, metric.chart.coordinates)
    for name in open_:
        if name not in metric.chart.ranges or ends.get(name) is None:
            raise InputError(f"the unknowns depend on {name}, and nothing says where it lies: give ranges = {{{name} = "
                             f'[0, "pi"]}} with ends = "pole", or periods = {{{name} = 1}}')
    if others := [name for name in ends if name not in open_]:
        raise InputError(f"ends are those of a coordinate of unknowns that has a range and no period, and {others[0]} "
                         "is none: leave them out")
    bounds = metric.chart.ranges
    return {name: Interval(bounds[name][0], bounds[name][1], end) for name, end in ends.items()}


def _span_ends(given: Sequence[str]) -> tuple[Any, str]:
    if len(given) != 2:
        raise InputError(f"ansatz.span are two ends, such as [\"a\", \"b\"], and {len(given)} were given.")
    return (0 if given[0] == "0" else given[0]), given[1]


def make_reduced_grid(table: ReducedGridTable | None, ansatz: Ansatz) -> Any:
    """The grid of [grid], none of which stands where unknowns are numbers."""
    names = ", ".join(ansatz.coordinates)
    if table is None:
        if names:
            raise InputError(f"the table [grid] is missing: the unknowns depend on {names}; say how many points, "
                             "n = 64")
        return ansatz.grid()
    if not names:
        raise InputError("[grid] gives points along coordinates, and the unknowns are numbers: leave the table out")
    with placed("[grid]"):
        return ansatz.grid(table.n, order=table.order)


def make_rule(file: SymmetricFile, state: ReducedState) -> Continuation | None:
    """The rule of [surgery] or [contraction], checked on the state where the run starts."""
    from geomflow.flow import Contraction, Surgery

    given = [(name, rule, table) for name, rule, table in (("surgery", Surgery, file.surgery),
                                                           ("contraction", Contraction, file.contraction)) if table]
    if not given:
        return None
    if len(given) > 1:
        raise InputError("[surgery] is for necks of rotational symmetry, [contraction] for divisors of Kähler metrics, "
                         "and no metric has both: keep one of the tables")
    ((name, rule, table),) = given
    with placed(f"[{name}]"):
        made = rule(**table.given())
        made.check(state)
    return made


def make_symmetric_flow(table: FlowTable, ansatz: Ansatz) -> Flow:
    """The flow of [flow], of a metric of the ansatz: by name, with its rate, or as the descent of a functional."""
    from geomflow.flow.registry import FLOWS, named_flow

    options = {key: value for key, value in table.given().items() if key != "name"}
    require_known("flow of metrics with symmetry", table.name, FLOWS)
    if FLOWS[table.name].derived:
        with placed("[flow]"):
            return _descent(options, ansatz)
    if isinstance(rate := options.get("rate"), dict):
        for name in rate:
            require_known("field in flow.rate", name, (METRIC,))
    elif rate is not None:
        options["rate"] = {METRIC: rate}
    with placed("[flow]"):
        return named_flow(table.name, options)


DESCENT = {True: ("functional", "density", "parameters"), False: ("functional", "metric")}
"""The keys of gradient flows on an ansatz: of a functional of one's own, and of one by name."""


def _descent(options: dict[str, Any], ansatz: Ansatz) -> Flow:
    """The gradient flow of ∫ density dV, or of a functional by name, on an ansatz."""
    from geomflow.field import Torus
    from geomflow.flow.reduced.equations import ReducedFlow
    from geomflow.flow.registry import OWN, named_flow

    own = options.get("functional", OWN) == OWN
    for key in options:
        require_known("key of gradient flows of metrics with symmetry", key, DESCENT[own])
    if not own:
        return named_flow("gradient", options, Torus(ansatz.metric.dim))
    if "density" not in options:
        raise InputError('the gradient flow of a functional needs its density, such as density = "R^2", or a '
                         'functional by its name, such as functional = "scalar-squared"')
    return ReducedFlow(ansatz.functional(options["density"], parameters=options.get("parameters")).gradient_flow())
