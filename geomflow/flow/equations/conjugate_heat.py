"""The conjugate heat equation backward along a run of Ricci flow: the second half of Perelman's coupled flow."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.program import Program, Stage
from geomflow.field import MetricField, ScalarField
from geomflow.field.grid import Grid
from geomflow.field.operators import Operator, discretise
from geomflow.field.reduced.state import ReducedState
from geomflow.flow.equation import Equation, Monitor, checked_state
from geomflow.flow.equations.ricci import GAUGES, RicciFlow, ricci_program
from geomflow.flow.flow import Flow, describe
from geomflow.flow.problem import Problem, Violation, lost_positivity
from geomflow.flow.reduced.conjugate import bind_conjugate
from geomflow.flow.reduced.path import ReducedPath
from geomflow.symbolic.functionals import Functional
from geomflow.symbolic.jets import MetricNodes, field_node, metric_nodes

if TYPE_CHECKING:
    import sympy

    from geomflow.flow.solution import Solution

SLACK = 1e-9
"""Times may lie outside of the run by this share of its length."""


@final
@dataclass(frozen=True, eq=False)
class MetricPath:
    """g(t) between the kept states of a solution, by cubic Hermite interpolation in time.

    The rates ∂_t g at the kept states are those of the flow itself, so that the error is of fourth order in the
    distance of the kept times. `path(t)` is the packed metric, (ncomp, *grid).
    """

    solution: Solution[MetricField]
    gauge: Literal["deturck"] | None
    rate: Operator
    known: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)

    @staticmethod
    def of(solution: Solution[MetricField], gauge: Any) -> MetricPath:
        """The path of a solution of RicciFlow, bare or in DeTurck's gauge, that keeps several states."""
        grid = solution.last.grid
        return MetricPath(solution, gauge, discretise(ricci_program(grid.torus.coordinates, gauge, False), grid))

    @property
    def grid(self) -> Grid:
        """The grid of the run."""
        grid: Grid = self.solution.last.grid
        return grid

    @property
    def end(self) -> float:
        """The last time."""
        return float(self.solution.times[-1])

    def field(self, t: float) -> MetricField:
        """g(t) as a state."""
        metric: MetricField = self.solution.last.unpack(self(t))
        return metric

    def __call__(self, t: float) -> np.ndarray:
        """g(t), packed. Raises InputError for a time outside of the run."""
        times = self.solution.times
        slack = SLACK * (times[-1] - times[0])
        if not times[0] - slack <= t <= times[-1] + slack:
            raise InputError(f"the solution runs from t = {times[0]:.6g} to {times[-1]:.6g}, and the metric at "
                             f"{t:.6g} was asked for: run backward no longer than {times[-1] - times[0]:.6g}.")
        left = int(np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2))
        width = times[left + 1] - times[left]
        s = (t - times[left]) / width
        ends = [self.solution.states.packed(left), self.solution.states.packed(left + 1)]
        slopes = [width * self._rate(left), width * self._rate(left + 1)]
        rise = s * s * (3 - 2 * s)
        value: np.ndarray = ((1 - rise) * ends[0] + rise * ends[1]
                             + s * (1 - s) * ((1 - s) * slopes[0] - s * slopes[1]))
        return value

    def _rate(self, index: int) -> np.ndarray:
        """∂_t g at a kept time."""
        if index not in self.known:
            self.known[index] = self.rate(np.ascontiguousarray(self.solution.states.packed(index)))
        return self.known[index]


def path_of(solution: Any) -> MetricPath | ReducedPath:
    """The path of a solution of RicciFlow, unnormalised.

    Raises InputError for anything else, and for a solution that keeps one state only.
    """
    equation = getattr(solution, "description", {}).get("equation")
    flows = [flow for flow in map(RicciFlow, (None, *GAUGES)) if equation == str(flow)]
    if not flows:
        given = equation or type(solution).__name__
        raise InputError("the conjugate heat equation runs along a solution of RicciFlow() or "
                         f"RicciFlow(gauge='deturck'); {given} was given.")
    if len(solution.times) < 2:
        raise InputError("the solution keeps one state only; keep more with solve(..., save_at=32).")
    if isinstance(solution.last, ReducedState):
        return ReducedPath(solution, flows[0])
    return MetricPath.of(solution, flows[0].gauge)


DENSITY = "f"
"""The component of a scalar field."""


@final
@dataclass(frozen=True, eq=False)
class ConjugateHeatFlow(Flow):
    """∂_τ w = Δw − Rw at g(t₁ − τ), backward along a solution g of Ricci flow, w = e^{−f} (Perelman 2002, §1).

    Between the kept states the metric is a cubic Hermite interpolant. Along Ricci–DeTurck flow, −W^k∂_k w is
    added, W the gauge's vector field. The state is a ScalarField w > 0, and the time of the run is τ = t₁ − t, from 0
    to at most t₁ − t₀.

    Along metrics with symmetry the state is `sol.last.grid.scalar(...)`, a function that has it too, W is also what
    keeps points apart by equal shares of the length, and the interpolant is quintic.

    Monitors: "mass" ∫w dV, constant; "perelman_f" F(g, f), nonincreasing in τ (F rises in t); with `tau` = τ₁ > 0 also
    "perelman_w" W(g, f, τ₁ + τ), nonincreasing in τ, for w = (4πτ)^{−d/2}e^{−f}.

    Raises InputError for what is no solution of unnormalised Ricci flow, and for `tau` that is not positive.

    Parameters
    ----------
    along : Solution of MetricFields, or of metrics with symmetry
        Of RicciFlow, with kept states (give `solve` save_at).
    tau : float or None
        Perelman's scale τ₁ > 0 at the final time.
    """

    name: ClassVar[str] = "conjugate-heat"
    along: Solution[Any]
    tau: float | None = None

    def __post_init__(self) -> None:
        _ = self._path
        if self.tau is not None and not 0 < self.tau < np.inf:
            raise InputError(f"tau = {self.tau!r} is Perelman's scale at the final time; it must be a positive number.")

    @cached_property
    def _path(self) -> MetricPath | ReducedPath:
        return path_of(self.along)

    def metric(self, tau: float) -> Any:
        """g(t₁ − τ) as a state.

        Parameters
        ----------
        tau : float
            The time of the run backward.
        """
        return self._path.field(self._path.end - tau)

    @property
    def _on_torus(self) -> MetricPath:
        if isinstance(self._path, ReducedPath):
            raise InputError("the run is one of metrics with symmetry, and its equation is reduced: solve it.")
        return self._path

    @property
    def equation(self) -> sympy.Eq:
        """∂_τ w = Δw − Rw."""
        import sympy

        tau, scalar = sympy.Symbol("tau"), sympy.Symbol("R")
        w = sympy.Function("w")(tau)
        rate = sympy.Function("Laplacian")(w) - scalar * w
        if self._path.gauge:
            rate -= sympy.Symbol("W^k") * sympy.Function("d_k")(w)
        return sympy.Eq(sympy.Derivative(w, tau), rate, evaluate=False)

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equation of w written out in the components of the metric."""
        import sympy

        from geomflow.core.graph.sympy_bridge import all_to_sympy

        rate = all_to_sympy(self._program(torus.coordinates).unstaged(), coordinates=torus.symbols)[0]
        tau = sympy.Symbol("tau")
        w = sympy.Function(DENSITY)(tau, *torus.symbols)
        return [sympy.Eq(sympy.Derivative(w, tau), rate, evaluate=False)]

    def on(self, state: Any) -> Equation:
        """The equation for a ScalarField at τ = 0, where the run starts.

        Raises InputError for a state of another kind or on another grid, and where w is not positive.
        """
        field = checked_state(self, state, ScalarField, "grid.scalar(...)")
        path = self._on_torus
        if field.grid != path.grid:
            raise InputError(f"the solution lives on {path.grid!r} and the density on {field.grid!r}; make it "
                             "with solution.last.grid.scalar(...).")
        if not field.min() > 0:
            raise InputError(f"the density w = e^(-f) must be positive; its least value is {field.min():.6g}.")
        whole = self._program(field.grid.torus.coordinates)
        program = Program(whole.coordinates, (DENSITY,), whole.fields[:-1], (), whole.stages)
        w = field_node(DENSITY, whole.coordinates)
        return Equation(program=program, statics=path(path.end), positive=("w", (w,)),
                        monitors=(Monitor("w_min", "min", w), Monitor("w_max", "max", w)))

    def bind(self, state: Any) -> Problem:
        """The initial value problem in τ."""
        if isinstance(self._path, ReducedPath):
            return bind_conjugate(self, self._path, self.tau, state)
        equation = self.on(state)
        backward = _Backward(self, state)
        return Problem(
            y0=state.pack(),
            rate=backward.rate,
            unpack=state.unpack,
            stiff_order=2,
            spectral_radius=backward.spectral_radius,
            check=backward.check,
            positivity=lambda t, y: float(y.min()),
            observe=backward.observe,
            description=describe(self, state, equation),
        )

    def _program(self, coordinates: tuple[str, ...]) -> Program:
        """∂_τ w, with the components of the metric as further fields."""
        names, matrix = metric_nodes(coordinates)
        metric, w = MetricNodes(coordinates, matrix), field_node(DENSITY, coordinates)
        rate = metric.laplacian(w) - metric.scalar * w
        if self._path.gauge:
            drift = metric.deturck_field(None)
            rate = rate - gr.add(*(v * metric.ring.d(w, k) for k, v in enumerate(drift)))
        return Program(coordinates, (*names, DENSITY), (), (), (Stage((("rate_f", rate),)),))


class _Backward:
    """The conjugate heat equation on a grid, as functions of τ and w."""

    def __init__(self, flow: ConjugateHeatFlow, state: ScalarField) -> None:
        self._path, self._grid, self._tau = flow._on_torus, state.grid, flow.tau
        self._operator = discretise(flow._program(state.grid.torus.coordinates), state.grid)
        self._reach = self._second_derivatives()

    def _second_derivatives(self) -> np.ndarray:
        """The largest modulus of the symbol of ∂_i∂_j, (d, d)."""
        unit = np.eye(self._grid.dim, dtype=int)
        return np.array([[np.abs(self._grid.derivative_symbol(tuple(a + b))).max() for b in unit] for a in unit])

    def _metric(self, tau: float) -> np.ndarray:
        return self._path(self._path.end - tau)

    def rate(self, tau: float, y: np.ndarray, out: np.ndarray) -> None:
        """∂_τ w into `out`."""
        self._operator(np.concatenate([self._metric(tau), y]), out=out)

    def spectral_radius(self, tau: float, y: np.ndarray) -> float:
        """Σ_ij max|g^ij| max|∂_i∂_j|."""
        metric: MetricField = self._path.field(self._path.end - tau)
        inverse = np.abs(np.linalg.inv(metric.values)).reshape(-1, *self._reach.shape).max(axis=0)
        return float((inverse * self._reach).sum())

    def check(self, tau: float, y: np.ndarray) -> Violation | None:
        """Where w is not positive."""
        return lost_positivity("w", y)

    @cached_property
    def _energies(self) -> dict[str, Operator]:
        """The densities of Perelman's functionals and of the mass, over the metric, f and τ."""
        from geomflow.symbolic.functionals import PerelmanFCoupled, PerelmanWCoupled, from_density

        torus = self._grid.torus
        found = {"mass": self._compiled(from_density(torus, "exp(-f)")),
                 "perelman_f": self._compiled(PerelmanFCoupled(torus))}
        if self._tau is not None:
            found["perelman_w"] = self._compiled(PerelmanWCoupled(torus))
        return found

    def _compiled(self, functional: Functional) -> Operator:
        names = metric_nodes(self._grid.torus.coordinates)[0]
        return discretise(functional.density.program((*names, DENSITY), parameters=("tau",)), self._grid)

    def observe(self, tau: float, y: np.ndarray) -> dict[str, float]:
        """The monitors at τ."""
        packed = np.concatenate([self._metric(tau), -np.log(y)])
        scale = (self._tau or 0.0) + tau
        cell = self._grid.torus.cell_volume
        return {name: float(density(packed, (scale,)).mean()) * cell for name, density in self._energies.items()}
