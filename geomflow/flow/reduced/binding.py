"""A flow of metrics bound to a state of an ansatz: the initial value problem of its regular fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, require_known
from geomflow.field.bases.circles import Drawn
from geomflow.field.bases.clustering import Clustered
from geomflow.field.bases.polar import Legendre
from geomflow.field.bases.spectral import Modal
from geomflow.field.reduced.arclength import by_length, with_necks
from geomflow.field.reduced.compiled import compiled_nodes
from geomflow.field.reduced.following import Follower
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.field.reduced.necks import smallest_neck, spheres
from geomflow.field.reduced.state import ReducedState
from geomflow.field.reduced.turned import Turner
from geomflow.flow.events import TerminalEvent
from geomflow.flow.problem import Problem, Violation, lost_positivity
from geomflow.flow.reduced.energy import Observe, energies
from geomflow.flow.reduced.growth import require_same_growth
from geomflow.flow.reduced.kahler_class import class_lengths, class_lost, end_monitors
from geomflow.flow.reduced.kahler_energies import KahlerEnergies
from geomflow.flow.reduced.rates import Comoving, FromStart, Lengthwise, Rates
from geomflow.flow.thresholds import ClassBoundary, CurvatureGrowth, ResolutionLoss
from geomflow.symbolic.ansatz import Ansatz, Reduction
from geomflow.symbolic.ansatz.closing import radial
from geomflow.symbolic.ansatz.curvature import curvatures
from geomflow.symbolic.ansatz.domain import End, Interval
from geomflow.symbolic.ansatz.span import span_of
from geomflow.symbolic.ansatz.typed import typed_flow

if TYPE_CHECKING:
    from geomflow.flow.flow import Flow

RTOL = 1e-11
"""What steps of reduced flows may err unless the user says otherwise: they are few numbers, and singular times want
many digits."""

GROWTH, GROWTH_ALONG = 1e10, 1e6
"""Factors by which curvature grows until a run has met a singularity: of homogeneous metrics, and of others."""

LARGEST = 300.0
"""Logarithms beyond this have exponentials that are no numbers."""

DRAWN = 1.5
"""Logarithms of √g_xx that differ by more tell of points that a run has drawn to places."""

LENGTHS = ("arclength", "start")
GAUGES = ("comoving", "deturck", *LENGTHS)


def bind_reduced(flow: Flow, state: ReducedState) -> Problem:
    """The problem of a flow from a metric with symmetry on.

    Where coordinates along which unknowns vary would be dragged into singular places, the flow is run up to
    diffeomorphisms, x ∝ arclength, unless it names a gauge. Raises InputError where the flow leaves the ansatz, and
    where the grid would let modes grow that the equation does not have.

    Parameters
    ----------
    flow : Flow
        Of metrics.
    state : ReducedState
        Where the run starts.
    """
    ansatz = state.grid.ansatz
    typed = typed_flow(flow, ansatz.metric.dim)
    return bind_reduction(flow, state, ansatz.reduce(typed), typed.gauge)


def bind_reduction(flow: Flow, state: ReducedState, reduction: Reduction, wanted: str | None) -> Problem:
    """The problem of reduced equations from a state on.

    Parameters
    ----------
    flow : Flow
        What they are of.
    state : ReducedState
        Where the run starts.
    reduction : Reduction
        The equations.
    wanted : str, optional
        A gauge by name; what the equations need unless given.
    """
    gauge = gauge_of(wanted, state.grid, reduction)
    start = spread(state) if gauge == "arclength" else state
    require_same_growth(start.grid, lambda grid: rates_in(gauge, grid, reduction))
    rates = rates_in(gauge, start.grid, reduction, start.pack())
    observe, tail = observer(start.grid, energies(start.grid, reduction)), tail_of(start.grid)
    return Problem(
        y0=start.pack(),
        rate=rates.rate,
        unpack=start.unpack,
        jacobian=rates.jacobian,
        rtol=RTOL,
        unit=1.0,
        autonomous=not rates.timed,
        stiff_order=rates.order,
        check=allowed(start.grid),
        curvature=lambda t, y: observe(t, y)["riemann_max"],
        observe=observe,
        tail=tail,
        place=follower(start.grid) if gauge == "arclength" else None,
        cone=None if span_of(start.grid.ansatz) is None else lambda y: class_lengths(start.grid, y),
        events=watched(start.grid, tail is not None),
        directions=rates.directions,
        template=None if start is state else start,
        description=described(flow, start, reduction, gauge),
    )


def without_values(given: Ansatz | ReducedGrid) -> InputError:
    """What to say where a run was asked for from an ansatz or a grid, which are no metric yet."""
    ansatz = given if isinstance(given, Ansatz) else given.ansatz
    values = ", ".join(f"{unknown.name}=..." for unknown in ansatz.unknowns)
    on = "grid" if isinstance(given, ReducedGrid) else "ansatz.grid(64)" if ansatz.coordinates else "ansatz"
    return InputError(f"{given} has no values yet: run from a state of it, {on}.state({values}).")


def watched(grid: ReducedGrid, spectral: bool) -> tuple[TerminalEvent, ...]:
    """What ends runs: curvature that has grown by a factor, and spectral grids that do not resolve the metric."""
    growth = CurvatureGrowth(GROWTH_ALONG if grid.shape else GROWTH)
    found = (growth, ResolutionLoss()) if spectral else (growth,)
    return found if span_of(grid.ansatz) is None else (*found, ClassBoundary())


def gauge_of(wanted: str | None, grid: ReducedGrid, reduction: Reduction) -> str:
    """The gauge by name: the flow's own, or the one that the equation needs."""
    if wanted is not None:
        require_known("gauge of metrics with symmetry", wanted, GAUGES)
        if wanted != "start" and any(end.kind == "given" for end in ends_of(grid)):
            raise InputError(f"where something is given at an end, points move in the gauge 'start', and '{wanted}' "
                             "was named: leave it out.")
        if wanted == "arclength" and is_open(grid):
            raise InputError("points are kept apart by shares of a finite length, and this one is infinite: take the "
                             "gauge 'start'.")
        return wanted
    lengths = [radial(grid.ansatz, name) for name in grid.coordinates]
    still = any(rate is gr.ZERO for rate in grid.ansatz.regular.of_rates(reduction.rates).rates)
    if any(end.kind == "given" for end in ends_of(grid)) or (is_open(grid) and not still):
        return "start"
    if len(lengths) == 1 and lengths[0] is not None and not still and grid.basis.order is None:
        return "arclength"
    return "comoving"


def ends_of(grid: ReducedGrid) -> list[End]:
    """The ends of all intervals."""
    return [end for domain in grid.ansatz.domain.values() if isinstance(domain, Interval) for end in domain.ends]


def is_open(grid: ReducedGrid) -> bool:
    """Whether an end is given, or infinitely far."""
    return any(not end.even for end in ends_of(grid))


def rates_in(gauge: str, grid: ReducedGrid, reduction: Reduction, start: np.ndarray | None = None) -> Rates:
    """The rates in a gauge; DeTurck's is in the reduction already.

    Parameters
    ----------
    gauge : str
        Which.
    grid : ReducedGrid
        Where.
    reduction : Reduction
        The rates of the unknowns.
    start : (fields, *grid) array, optional
        The fields at the start, which are 0 unless given.
    """
    if gauge not in LENGTHS:
        return Comoving(grid, reduction)
    if len(grid.coordinates) != 1 or (along := radial(grid.ansatz, grid.coordinates[0])) is None:
        raise InputError(f"the gauge '{gauge}' moves points along one coordinate x whose g_xx has an unknown of its "
                         "own, and this ansatz has none: take another gauge.")
    name = f"log_{along[0].name}"
    if gauge == "arclength":
        return Lengthwise(grid, reduction, name)
    place = [f.name for f in grid.ansatz.regular.fields].index(name)
    return FromStart(grid, reduction, name, np.zeros(grid.shape) if start is None else start[place])


def spread(state: ReducedState) -> ReducedState:
    """The state with x ∝ arclength, drawn to necks; as it is where a run has drawn its points to places."""
    (basis,), along = state.grid.bases, radial(state.grid.ansatz, state.grid.coordinates[0])
    if along is not None and isinstance(basis, Legendre):
        own = state.packed[state.component_names.index(f"log_{along[0].name}")]
        if np.ptp(own) > DRAWN:
            return state
    return with_necks(by_length(state))


def follower(grid: ReducedGrid) -> Follower | Turner | None:
    """What keeps points at necks and tips along a run; None on circles without a place to which points are drawn."""
    along, basis = radial(grid.ansatz, grid.coordinates[0]), grid.bases[0]
    if along is not None and isinstance(basis, Drawn) and basis.places and spheres(grid):
        return Turner(grid, f"log_{along[0].name}")
    if along is None or not isinstance(grid.bases[0], Legendre | Clustered):
        return None
    square = compiled_nodes(grid, [curvature_nodes(grid)[1]])
    return Follower(grid, f"log_{along[0].name}", lambda rows: square(rows, {})[0])


def allowed(grid: ReducedGrid) -> Callable[[float, np.ndarray], Violation | None]:
    """What is wrong with fields: exponentials that are out of range, metrics that are not positive."""
    logs = np.array([f.exponent != 0 or bool(f.unknown.coordinates) or not grid.shape
                     for f in grid.ansatz.regular.fields])
    shares = np.stack([np.ones(grid.shape) if f.factor is None else grid.square(f).reshape(grid.shape)
                       for f in grid.ansatz.regular.fields])
    span = span_of(grid.ansatz)

    def check(t: float, y: np.ndarray) -> Violation | None:
        worst = float(np.abs((shares * y)[logs]).max())
        if not worst < LARGEST:
            return Violation("domain", "the logarithm of an unknown", worst)
        if span is not None and (lost := class_lost(grid, y)) is not None:
            return lost
        if grid.minors is None:
            return None
        minors = grid.minors(y.reshape(len(y), -1), {})
        return lost_positivity("a leading minor of the metric", minors)

    return check


def observer(grid: ReducedGrid, more: Observe | None = None) -> Observe:
    """Volume, total and extreme scalar curvature, the largest |Rm|, the smallest neck, what is not resolved; `more`.

    On spans the ends, and energies of Kähler metrics. The first two are not told of metrics that go to infinity.
    """
    scalar, square = curvature_nodes(grid)
    evaluated, integrals = compiled_nodes(grid, [scalar, square]), total_of(grid, scalar)
    tail, neck, span = tail_of(grid), smallest_neck(grid), span_of(grid.ansatz)
    kahler = KahlerEnergies(grid, scalar) if span and grid.ansatz.form is not None else None

    def observe(t: float, y: np.ndarray) -> dict[str, float]:
        curvature, norm = evaluated(y.reshape(len(y), -1), {})
        lowest, highest = grid.range_of(curvature)
        return {
            **(integrals(y) if integrals else {}),
            "curvature_min": lowest,
            "curvature_max": highest,
            "riemann_max": float(np.sqrt(max(grid.range_of(norm)[1], 0.0))),
            **({"tail": tail(t, y)} if tail else {}),
            **({"neck_radius": neck(y)} if neck else {}),
            **(end_monitors(grid, y) if span else {}),
            **(kahler(t, y) if kahler else {}),
            **(more(t, y) if more else {}),
        }

    return observe


def total_of(grid: ReducedGrid, scalar: gr.Node) -> Callable[[np.ndarray], dict[str, float]] | None:
    """Volume and total scalar curvature; None where the manifold is infinite."""
    if grid.is_infinite:
        return None
    measure = grid.ansatz.relative_measure
    density = grid.ansatz.regular.node(measure.density)
    evaluated, whole = compiled_nodes(grid, [density, scalar * density]), float(measure.volume)

    def integrals(y: np.ndarray) -> dict[str, float]:
        volume, total = (whole * float(grid.weights @ row) for row in evaluated(y.reshape(len(y), -1), {}))
        return {"volume": volume, "total_curvature": total}

    return integrals


def tail_of(grid: ReducedGrid) -> Callable[[float, np.ndarray], float] | None:
    """How much of the fields is in the shortest waves of a spectral grid of one coordinate."""
    bases = [grid.basis_of(f) for f in grid.ansatz.regular.fields if f.unknown.coordinates or not grid.shape]
    spectral = [basis for basis in bases if isinstance(basis, Modal)]
    if len(spectral) < len(bases):
        return None
    return lambda t, y: max(basis.tail(row.ravel()) for basis, row in zip(spectral, y, strict=False))


def curvature_nodes(grid: ReducedGrid) -> tuple[gr.Node, gr.Node]:
    """R and |Rm|², from the curvatures of planes where these are known."""
    ansatz, regular = grid.ansatz, grid.ansatz.regular
    found = curvatures(ansatz)
    if found is None:
        return regular.node(ansatz.scalar("R")), regular.node(ansatz.scalar("Rm2"))
    planes, mixed = ([(regular.node(value), count) for value, count in table.items()] for table in found)
    return (gr.add(*(2 * count * value for value, count in planes)),
            gr.add(*(4 * count * value**2 for value, count in planes),
                   *(8 * count * value**2 for value, count in mixed)))


def described(flow: Flow, state: ReducedState, reduction: Reduction, gauge: str) -> dict[str, Any]:
    """JSON-able facts of a run."""
    grid = state.grid
    axes = {name: basis.x[0].tolist() for name, basis in zip(grid.coordinates, grid.bases, strict=True)}
    return {
        "flow": flow.name,
        "equation": str(flow),
        "latex": sympy.latex(flow.equation),
        "reduced": str(reduction),
        "gauge": gauge,
        "ansatz": str(grid.ansatz),
        "grid": {"shape": list(grid.shape), "bases": [repr(basis) for basis in grid.bases]},
        "components": list(state.component_names),
        "axes": axes,
        "state": type(state).__name__,
    }
