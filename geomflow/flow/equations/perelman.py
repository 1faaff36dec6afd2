"""Ricci flow in Perelman's form, ∂_t g = −2(Ric + ∇²f) at a fixed measure e^{−f}dV, computed in its stable order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, require_known
from geomflow.core.memory import require
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.program import Program, Stage
from geomflow.field import MetricField, ScalarField, TensorField
from geomflow.field.operators import discretise
from geomflow.flow.diffeomorphism import TorusMap, integrated_maps
from geomflow.flow.equations import perelman_rates as rates
from geomflow.flow.equations.conjugate_heat import ConjugateHeatFlow, path_of
from geomflow.flow.equations.ricci import RicciFlow
from geomflow.flow.plan import stop_times
from geomflow.flow.solution import Solution
from geomflow.flow.solver import solve
from geomflow.symbolic.jets import MetricNodes, field_node, metric_nodes

if TYPE_CHECKING:
    from geomflow.flow.events import TerminalEvent

ENDS = ("start", "end")


@final
@dataclass(frozen=True, repr=False)
class PerelmanForm:
    """A solution of ∂_t ĝ = −2(Ric(ĝ) + ∇²f̂), e^{−f̂}dV̂ = dm fixed: eq. (2.40) of Halverson and Ruehle.

    Parameters
    ----------
    times : (n,) array
        Times t of what follows.
    metrics : tuple of MetricField
        ĝ(t) = ψ_t* g(t).
    dilatons : tuple of ScalarField
        f̂(t) = f(t)∘ψ_t.
    diffeomorphisms : tuple of TorusMap
        ψ_t.
    measure : ScalarField
        dm/dx.
    classical : Solution
        g(t): the solution of Ricci flow at the same times, and where it ended.
    conjugate : Solution or None
        w = e^{−f}: the solution of the conjugate heat equation, in τ = end − t; None without any run.
    outcome : Outcome
        How it ended, how far it got, and how well the measure is kept.
    """

    times: np.ndarray
    metrics: tuple[MetricField, ...]
    dilatons: tuple[ScalarField, ...]
    diffeomorphisms: tuple[TorusMap, ...]
    measure: ScalarField
    classical: Solution[MetricField]
    conjugate: Solution[ScalarField] | None
    outcome: Outcome

    def rate(self, index: int) -> TensorField:
        """−2(Ric(ĝ) + ∇²f̂) at one of the times.

        Parameters
        ----------
        index : int
            Of the time.
        """
        tensor = rates.bakry_emery(self.metrics[index], self.dilatons[index])
        return TensorField(tensor.grid, -2 * tensor.values, "_ij")

    def energy(self) -> np.ndarray:
        """Perelman's F(ĝ, dm) at the times, (n,): nondecreasing."""
        return np.array([rates.perelman_energy(*pair) for pair in zip(self.metrics, self.dilatons, strict=True)])

    def growth(self) -> np.ndarray:
        """2∫|Ric + ∇²f|² dm at the times, (n,): dF/dt."""
        return np.array([rates.perelman_growth(*pair) for pair in zip(self.metrics, self.dilatons, strict=True)])

    def measure_drift(self) -> float:
        """The largest |e^{−f̂}dV̂/dm − 1| over the grid and the times, zero but for errors."""
        worst = 0.0
        for metric, f in zip(self.metrics, self.dilatons, strict=True):
            density = np.exp(-f.values) * metric.volume_density().values
            worst = max(worst, float(np.abs(density / self.measure.values - 1).max()))
        return worst

    def __repr__(self) -> str:
        span = f"t = {self.times[0]:.6g} to {self.times[-1]:.6g}"
        return f"Perelman's form of Ricci flow over {span}, {len(self.times)} times; {self.outcome}"


def perelman_form(
    state: MetricField,
    t1: float,
    *,
    t0: float = 0.0,
    measure: Any = 1,
    identity_at: Literal["start", "end"] = "end",
    save_at: int | Sequence[float] | np.ndarray = 16,
    gauge: Literal["deturck"] | None = None,
    stepper: Any = "rk45",
    rtol: float = 1e-9,
    nodes: int = 64,
    events: Iterable[TerminalEvent] | TerminalEvent = (),
    max_steps: int = 100_000,
) -> PerelmanForm:
    """Ricci flow from a metric at t0 to t1 in Perelman's form, eqs. (2.40)–(2.42) of Halverson and Ruehle.

    At a fixed measure the flow ∂_t ĝ = −2(Ric + ∇²f̂) is the ascent of 2F, and ill-posed forward. It is Ricci flow
    moved by diffeomorphisms, and in this order every step is stable: ∂_t g = −2Ric forward; from the end backward the
    conjugate heat equation ∂_t f = −R − Δf + |∇f|²; then ∂_tψ_t = −(∇f)∘ψ_t, ĝ = ψ_t*g and f̂ = f∘ψ_t, since
    ∂_t(ψ*g) = ψ*(∂_t g − L_{∇f}g) and L_{∇f}g = 2∇²f (Perelman 2002, §1).

    A run of Ricci flow that ends before t1 gives the form up to the last kept time before, with `measure` there; a
    density or a map that fails on the grid, the times that it reached. The outcome says so. Raises InputError for a
    state of another kind and for times that make no sense, UnknownNameError for another `identity_at`, and
    PositivityError for a measure that is not positive.

    Parameters
    ----------
    state : MetricField
        The metric g(t0), on a Torus.
    t1, t0 : float
        The last time and the first.
    measure : text, number, function, array or ScalarField
        The density e^{−f}dV/dx at the end, anything positive that `grid.scalar` takes; where ψ is the
        identity at the end it is dm/dx itself.
    identity_at : {"end", "start"}
        Where ψ is the identity: at the "end", or at the "start", where then ĝ(t0) is `state` and dm what
        the backward equation gives.
    save_at : int or sequence of float
        Times that are kept, or into how many parts to divide the run.
    gauge : {None, "deturck"}
        "deturck" runs Ricci–DeTurck flow, and ψ takes the gauge's field out again: ∂_tψ = −(∇f + W)∘ψ.
    nodes : int
        The least number of time steps of ψ, times two: its error falls as nodes⁻⁴.
    stepper, rtol, events, max_steps
        Those of `solve`, for the two equations (events for the first).
    """
    _checked(state, identity_at, nodes)
    kept = np.array([float(t0), *stop_times(t0, t1, save_at)])
    parts = 2 * ceil(nodes / (2 * (len(kept) - 1)))
    fine = _refined(kept, parts)
    require(len(fine) * 4 * len(state.component_names) * state.grid.nbytes, f"{len(fine)} states of the run",
            "take fewer nodes or save times")
    density = rates.positive_measure(state.grid, measure)
    run = solve(RicciFlow(gauge=gauge), state, t1, t0=t0, stepper=stepper, rtol=rtol, save_at=fine[1:], events=events,
                max_steps=max_steps, progress=False)
    reached = _reached(run, fine, parts)
    classical = _thinned(run, parts, reached)
    if not reached:
        return _at_one_time(state, density, classical)
    along = _chosen(run, range(reached + 1))
    span = fine[reached] - fine[0]
    start = density / along.last.volume_density()
    conjugate = solve(ConjugateHeatFlow(along), start, span, stepper=stepper, rtol=rtol, max_steps=max_steps,
                      save_at=(fine[reached] - fine[:reached])[::-1], progress=False)
    return _Assembly(classical, along, conjugate, parts, identity_at == "start").form()


def _checked(state: Any, identity_at: str, nodes: int) -> None:
    if not isinstance(state, MetricField):
        raise InputError("Perelman's form is that of a MetricField, made by grid.metric(...) on a Torus; a "
                         f"{type(state).__name__} was given.")
    require_known("end of the run", identity_at, ENDS)
    if isinstance(nodes, bool) or not isinstance(nodes, int | np.integer) or nodes < 2:
        raise InputError(f"nodes = {nodes!r} must be a whole number of at least 2.")


def _refined(times: np.ndarray, parts: int) -> np.ndarray:
    """Each interval in equal parts; the given times are kept to the bit."""
    inner = [np.linspace(a, b, parts + 1)[:-1] for a, b in pairwise(times)]
    return np.concatenate([*inner, times[-1:]])


def _chosen(run: Solution[MetricField], places: Sequence[int]) -> Solution[MetricField]:
    """The run with some of its states."""
    return dataclasses.replace(run, times=run.times[list(places)], states=run.states.chosen(places))


def _reached(run: Solution[MetricField], fine: np.ndarray, parts: int) -> int:
    """The index in `fine` of the last save time that the run passed with a positive metric."""
    same = min(len(run.times), len(fine))
    passed = int((run.times[:same] == fine[:same]).sum()) - 1
    last = passed - passed % parts
    while last > 0 and not run.states[last].smallest_eigenvalue()[0] > 0:
        last -= parts
    return last


def _thinned(run: Solution[MetricField], parts: int, reached: int) -> Solution[MetricField]:
    """The run at its save times, and its end."""
    places = [*range(0, reached + 1, parts)]
    if reached < len(run.times) - 1:
        places.append(len(run.times) - 1)
    return _chosen(run, places)


def _at_one_time(state: MetricField, density: ScalarField, classical: Solution[MetricField]) -> PerelmanForm:
    """The form of a run that kept no time but its first."""
    f, psi = rates.dilaton(state, density), TorusMap.identity(state.grid)
    return PerelmanForm(classical.times[:1], (state,), (f,), (psi,), density, classical, None, classical.outcome)


@cache
def _drift_program(coordinates: tuple[str, ...], gauged: bool) -> Program:
    """−g^{kl}∂_l f, minus the gauge's field W^k, over the metric and w = e^{−f}."""
    names, matrix = metric_nodes(coordinates)
    metric, w = MetricNodes(coordinates, matrix), field_node("w", coordinates)
    drift = list(metric.gradient(gr.log(w)))
    if gauged:
        drift = [v - field for v, field in zip(drift, metric.deturck_field(None), strict=True)]
    outputs = tuple((f"drift_{name}", v) for name, v in zip(coordinates, drift, strict=True))
    return Program(coordinates, (*names, "w"), (), (), (Stage(outputs),))


@final
@dataclass(frozen=True)
class _Assembly:
    """The last step: maps along both solutions, and pull-back."""

    classical: Solution[MetricField]
    along: Solution[MetricField]
    conjugate: Solution[ScalarField]
    parts: int
    forward: bool

    def form(self) -> PerelmanForm:
        """The whole."""
        grid, failed = self.along.last.grid, ""
        first = len(self.along.times) - self._densities
        kept = [i for i in range(0, len(self.along.times), self.parts) if i >= first]
        found: dict[int, tuple[MetricField, ScalarField, TorusMap]] = {}
        for index, psi in self._maps(kept):
            where = psi.fold()
            if where:
                failed = f"at t = {self.along.times[index]:.6g} the map ψ folds: {where}"
                break
            w = ScalarField(grid, self._density(index)[0])
            f = ScalarField(grid, -np.log(w.values))
            found[index] = psi.pull_back(self.along.states[index]), psi.pull_back(f), psi
        order = sorted(found)
        metrics, dilatons, maps = zip(*(found[i] for i in order), strict=True)
        origin = kept[0] if self.forward else kept[-1]
        form = PerelmanForm(self.along.times[order], metrics, dilatons, maps, self._measure(origin), self.classical,
                            self.conjugate, self.conjugate.outcome)
        return dataclasses.replace(form, outcome=self._outcome(form, failed))

    @property
    def _densities(self) -> int:
        """The number of times at which w is known, counted from the end."""
        back = self.along.times[-1] - self.conjugate.times
        same = np.isclose(back, self.along.times[::-1][: len(back)], rtol=0, atol=1e-9 * self.conjugate.times[-1])
        return int(same.sum()) if self.conjugate.outcome.kind is OutcomeKind.finished else max(1, int(same.sum()) - 1)

    def _density(self, index: int) -> np.ndarray:
        return self.conjugate.states.packed(len(self.along.times) - 1 - index)

    def _maps(self, kept: list[int]) -> Iterator[tuple[int, TorusMap]]:
        """ψ at the kept indices, from the end where it is the identity."""
        steps = range(kept[0], kept[-1] + 1, 2) if self.forward else range(kept[-1], kept[0] - 1, -2)
        times = self.along.times
        maps = integrated_maps(self.along.last.grid, self._drift(), [float(times[i]) for i in steps])
        for index, (_, psi) in zip(steps, maps, strict=True):
            if (index - kept[0]) % self.parts == 0:
                yield index, psi

    def _drift(self) -> Callable[[float], np.ndarray]:
        """V(t) at the nodes, (*grid, d)."""
        grid, times = self.along.last.grid, self.along.times
        gauged = path_of(self.along).gauge is not None
        operator = discretise(_drift_program(grid.torus.coordinates, gauged), grid)

        def drift(t: float) -> np.ndarray:
            index = int(np.argmin(np.abs(times - t)))
            rows = operator(np.concatenate([self.along.states.packed(index), self._density(index)]))
            return np.ascontiguousarray(np.moveaxis(rows, 0, -1))

        return drift

    def _measure(self, index: int) -> ScalarField:
        """e^{−f}dV/dx where ψ is the identity."""
        w = self._density(index)[0]
        return ScalarField(self.along.last.grid, w * self.along.states[index].volume_density().values)

    def _outcome(self, form: PerelmanForm, failed: str) -> Outcome:
        """The first thing that went wrong, or the end; and how well the measure is kept, which tells resolution."""
        first, last = float(form.times[0]), float(form.times[-1])
        covered = (f"Perelman's form covers t = {first:.6g} to {last:.6g}, and keeps the measure to "
                   f"{form.measure_drift():.2g}")
        if failed:
            return Outcome(OutcomeKind.diverged, f"{failed}. {covered}; refine the grid.", last)
        ended = self.conjugate.outcome
        if ended.kind is not OutcomeKind.finished:
            kind = OutcomeKind.diverged if ended.kind is OutcomeKind.singular else ended.kind
            stopped = self.along.times[-1] - self.conjugate.times[-1]
            return Outcome(kind, f"the density e^(-f), backward from t = {self.along.times[-1]:.6g}, stopped at "
                           f"{stopped:.6g} ({ended.message.split(';')[0].rstrip('.')}). {covered}; take a measure that "
                           "the grid resolves, or refine the grid.", last)
        if len(self.classical.times) > len(form.times):
            ended = self.classical.outcome
            return Outcome(ended.kind, f"{ended.message} {covered}.", ended.time)
        return Outcome(OutcomeKind.finished, f"reached t = {last:.6g}. {covered}.", last)
