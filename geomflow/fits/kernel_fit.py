"""Fits over linear spans: down a loss in a fixed kernel of the Kähler potential, or over frozen tangent features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.progress import counter
from geomflow.core.report import FitReport, table
from geomflow.core.threads import one_thread_products
from geomflow.fits.fit import FitState, carried_out
from geomflow.fits.kernel_descent import WATCHED, DescentMethod, KernelFit, RidgeFit, RidgePath
from geomflow.fits.objective import Loss, loss_of
from geomflow.fits.potential_span import KahlerKernel, KernelMetric, PotentialSpan
from geomflow.fits.span import LinearSpan, Spanned, SpanObjective
from geomflow.flow.solution import Solution
from geomflow.variety import Points, PolarisedMetric, checked_volume
from geomflow.variety.errors import KahlerConeError
from geomflow.variety.sections import checked_class

_MOST_CENTRES = 2500
#: Ridges that are tried for frozen features, in units of the trace of A Aᵀ at Fubini–Study.
RIDGES = tuple(10.0**-k for k in range(2, 13))
_COLUMNS = ("sigma", "sigma held out", "pivot")
#: The share of points held out to choose among them, by how much σ there may grow, the steps with the chosen one.
_HELD_OUT, _PATIENCE, _POLISH = 0.2, 1.5, 2


def kernel_metric(
    points: Points,
    kernel: KahlerKernel | PotentialSpan,
    method: DescentMethod | None = None,
    *,
    loss: str | Loss = "(v - 1)^2",
    held_out: Points | None = None,
    progress: bool | None = None,
    kahler_class: Sequence[float] | None = None,
) -> KernelMetric:
    """The metric g_FS + ∂∂̄φ that a descent reaches from φ = 0; `metric.report` says how it went.

    Raises `InputError` for what is no kernel, loss or class, and `MemoryLimitError`; warns (`VolumeWarning`) as
    `geomflow.variety.checked_volume` does.

    Parameters
    ----------
    points : Points
        On which the loss is lowered.
    kernel : KahlerKernel or PotentialSpan
        A kernel gets its functions at the points, at most the first 2,500; a span has its own.
    method : DescentMethod, optional
        A `KernelDescent`, a `NaturalDescent` or a `RidgeFit`, which it is unless given.
    loss : str or Loss
        "sigma" or F of E_F = ∫F(v) dμ_Ω as text, eq. (B.12).
    held_out : Points, optional
        On which nothing is fitted; of all steps the one with the least σ on them is the result.
    progress : bool or None
        Show a bar: True, False, or None for only on a terminal.
    kahler_class : sequence of float, optional
        Any positive numbers t_i, one for each factor, 1 unless given; the class of a span is its own.
    """
    if not isinstance(kernel, (KahlerKernel, PotentialSpan)):
        raise InputError(f"kernel_metric takes a kernel such as OverlapKernel(Power(2)), or a span, not {kernel!r}")
    method, loss = method or RidgeFit(), loss_of(loss)
    span = _span(kernel, points, kahler_class)
    seen = None if held_out is None else SpanObjective.of(span, held_out, loss)
    fit = KernelFit(SpanObjective.of(span, points, loss), seen, method, np.zeros(span.size))
    solution = carried_out(fit, method.steps + 1, progress)
    report = FitReport.of(
        solution, WATCHED, method=str(method), loss=fit.objective.loss.text, parameters=span.size, points=len(points),
        held_out=0 if held_out is None else len(held_out),
    )
    metric = KernelMetric(span, solution.last["best"], report)
    checked_volume(metric, points)
    return metric


def _span(
    kernel: KahlerKernel | PotentialSpan, points: Points, kahler_class: Sequence[float] | None
) -> PotentialSpan:
    """The functions of a kernel at the first points for a class, or a span that has its own."""
    if isinstance(kernel, KahlerKernel):
        return kernel.span(points[:_MOST_CENTRES], kahler_class)
    if kahler_class is not None and checked_class(points.variety, kahler_class) != kernel.kahler_class:
        raise InputError(f"the span is one for the Kähler class {kernel.kahler_class}, and {tuple(kahler_class)} is "
                         "asked for: make it for that class")
    return kernel


def tuned_metric(
    points: Points,
    kernels: Sequence[KahlerKernel],
    ridges: Sequence[float],
    *,
    loss: str | Loss = "(v - 1)^2",
    share: float = 0.2,
    most: int = 10_000,
    seed: int = 0,
    progress: bool | None = None,
    kahler_class: Sequence[float] | None = None,
) -> KernelMetric:
    """The regularised fit of that kernel and ridge whose σ is least on points held out of it.

    Every kernel and ridge (falling, each from where the one before ended) is fitted on the rest, and the best of them
    once more on all points. `metric.report.settings["trials"]` are all σ on the points held out. Raises `InputError`
    where there is nothing to choose from, and `KahlerConeError` where no choice gives a metric on the points held out.

    Parameters
    ----------
    points : Points
        The whole budget.
    kernels : sequence of KahlerKernel
        Among which is chosen.
    ridges : sequence of float
        Those of `RidgeFit`.
    loss : str or Loss
        As for `kernel_metric`.
    share : float
        The part that is held out, in (0, 1).
    most : int
        Of the first so many points.
    seed : int
        By which these are split.
    progress : bool or None
        Show a bar: True, False, or None for only on a terminal.
    kahler_class : sequence of float, optional
        The t_i, as for `kernel_metric`.
    """
    if not kernels or not ridges or not 0 < share < 1:
        raise InputError(f"{len(kernels)} kernels, {len(ridges)} ridges and a share of {share}: give at least one each")
    loss, trials, found = loss_of(loss), [], []
    rest, held = points[:most].split(1 - share, seed)
    with counter("kernels", progress, len(kernels) * len(ridges)) as tick:
        for kernel in kernels:
            for ridge, sigma in _ridge_path(_span(kernel, rest, kahler_class), ridges, rest, held, loss):
                tick(sigma)
                trials.append((f"{kernel}, ridge {ridge:.3g}", sigma))
                found.append((sigma, kernel, ridge))
    least, kernel, ridge = min(found, key=lambda one: one[0])
    if not least < np.inf:
        raise KahlerConeError(f"none of {len(found)} fits is positive at all {len(held)} points held out: take more")
    best = kernel_metric(points, kernel, RidgeFit(ridge), loss=loss, progress=False, kahler_class=kahler_class)
    assert best.report is not None
    return KernelMetric(best.span, best.coefficients, replace(best.report, settings={"trials": tuple(trials)}))


def _ridge_path(
    span: PotentialSpan, ridges: Sequence[float], rest: Points, held: Points, loss: Loss
) -> Iterator[tuple[float, float]]:
    """(ridge, σ on the held points) for every ridge, falling; infinite where g is not positive there."""
    fitted, seen = (SpanObjective.of(span, part, loss) for part in (rest, held))
    coefficients = np.zeros(span.size)
    for ridge in sorted(ridges, reverse=True):
        method = RidgeFit(ridge, tolerance=1e-3)
        coefficients = carried_out(KernelFit(fitted, None, method, coefficients), method.steps + 1, False).last["best"]
        evaluation = seen.evaluate(coefficients)
        yield ridge, evaluation.sigma if evaluation.least > 0 else np.inf


def frozen_fit(
    span: LinearSpan[Spanned],
    points: Points,
    *,
    ridge: float | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Spanned:
    """The metric g_FS + M of a span that minimises ∫(v − 1)² dμ_Ω + λ|a|², started at g_FS: a `RidgePath`.

    Returns a `KernelMetric` (of a φ-network) or `FrozenComponents`; `metric.report` tells the outcome: singular where
    no step stays in the cone of metrics, steady at g_FS where none lowers σ on the points held out. Raises
    `InputError` and `MemoryLimitError`.

    Parameters
    ----------
    span : LinearSpan
        Such as `tangent_span(network)` and `learned_kernel(points)`.
    points : Points
        At least 10.
    ridge : float, optional
        λ > 0, relative to the trace of A Aᵀ at g_FS, A = √w ∂v/∂a. Unless given one of `RIDGES` is chosen by σ on a
        fifth of the points; the last steps then see all of them.
    seed : int
        By which that fifth is drawn.
    progress : bool or None
        Show a bar: True, False, or None for only on a terminal.
    """
    if ridge is not None and not 0 < ridge < np.inf:
        raise InputError(f"the ridge is {ridge}; give a positive number, or None to have it chosen")
    if len(points) < 10:
        raise InputError(f"{len(points)} points are too few for a fit; give at least 10")
    square, start, steps = loss_of("(v - 1)^2"), np.zeros(span.size), len(RIDGES)
    path, stuck = np.zeros((0, 4)), False
    with one_thread_products():
        if ridge is None:
            train, held_out = (SpanObjective.of(span, part, square) for part in points.split(1 - _HELD_OUT, seed))
            fit = KernelFit(train, held_out, RidgePath(RIDGES), start, _PATIENCE)
            solution = carried_out(fit, len(RIDGES) + 1, progress)
            start, ridge = solution.last["best"], RIDGES[max(solution.last.count("best_taken") - 1, 0)]
            path, steps = _rows(solution, RIDGES), _POLISH if start.any() else 0
            stuck = not start.any() and _stuck(fit, solution)
        ridges = (ridge,) * steps
        fit = KernelFit(SpanObjective.of(span, points, square), None, RidgePath(ridges), start)
        solution = carried_out(fit, steps + 1, progress)
        stuck = stuck or _stuck(fit, solution)
    history = np.concatenate([path, _rows(solution, ridges)])
    outcome = _frozen_outcome(fit, solution, stuck)
    report = FitReport(outcome, f"frozen features, λ = {ridge:.0e}", square.text, span.size, len(points), 0,
                       float(history[-1, 1]), ("ridge", *_COLUMNS), history, {"ridge": ridge})
    metric = span.result(solution.last["best"], report)
    if isinstance(metric, PolarisedMetric):
        checked_volume(metric, points)
    return metric


def _rows(solution: Solution[FitState], ridges: Sequence[float]) -> np.ndarray:
    """The steps of a path with their ridges."""
    rows = table(solution, _COLUMNS)[1:]
    return np.column_stack([ridges[: len(rows)], rows])


def _stuck(fit: KernelFit, solution: Solution[FitState]) -> bool:
    """Whether a path ended where its next step leaves the cone of metrics."""
    last, method = solution.last, fit.method
    return (
        solution.outcome.kind is OutcomeKind.steady
        and isinstance(method, RidgePath)
        and method.leaves(fit.objective, last["coefficients"], last.number("memory"))
    )


def _frozen_outcome(fit: KernelFit, solution: Solution[FitState], stuck: bool) -> Outcome:
    """How a fit of frozen features ended."""
    here, steps = solution.last["coefficients"], solution.last.number("taken")
    evaluation = fit.objective.evaluate(here)
    if stuck:
        message = (
            f"no step from σ = {evaluation.sigma:.3g} stays in the cone of metrics at all {len(evaluation.v)} points; "
            "take a larger ridge or more points"
        )
        return Outcome(OutcomeKind.singular, message, steps)
    if not here.any():
        message = (
            f"no step from Fubini–Study lowers σ = {evaluation.sigma:.3g} on the points held out: these features say "
            "nothing about other points; take more points or other features"
        )
        return Outcome(OutcomeKind.steady, message, steps)
    return Outcome(OutcomeKind.finished, f"least pivot of g {evaluation.least:.3g}.", steps)
