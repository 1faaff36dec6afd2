"""The verb `kernel_metric`: go down a loss in a fixed kernel of the Kähler potential."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.progress import counter
from geomflow.fits.fit import carried_out, table
from geomflow.fits.loss import Loss, loss_of
from geomflow.fits.potentials.descent import Descent, KernelFit, RidgeFit
from geomflow.fits.potentials.metric import KernelMetric
from geomflow.fits.potentials.objective import PotentialObjective
from geomflow.fits.potentials.report import KernelReport
from geomflow.fits.potentials.span import KahlerKernel, PotentialSpan
from geomflow.variety.bundles import checked_class
from geomflow.variety.errors import KahlerConeError
from geomflow.variety.measures import checked_volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geomflow.variety.points import Points

_MOST_CENTRES = 2500


def kernel_metric(
    points: Points,
    kernel: KahlerKernel | PotentialSpan,
    method: Descent | None = None,
    *,
    loss: str | Loss = "(v - 1)^2",
    watched: Points | None = None,
    progress: bool | None = None,
    kahler_class: Sequence[float] | None = None,
) -> KernelMetric:
    """The metric g_FS + ∂∂̄φ that `method` reaches from φ = 0 on `points`; `metric.report` says how it went.

    A kernel gets its functions at the points, at most the first 2,500; a span has its own. `method` is a `RidgeFit`
    unless given, a `KernelDescent` or a `NaturalDescent`; `loss` "sigma" or F of E_F = ∫F(v) dμ_Ω as text, eq. (B.12).
    With `watched` points, on which nothing is fitted, the result is the place on the way with the least σ on them.
    g_FS is that of the class `kahler_class`, any positive numbers t_i, one for each factor; 1 unless given, and the
    class of a span is its own. Raises `InputError` for what is no kernel, loss or class, and `MemoryLimitError`; warns
    (`VolumeWarning`) as `geomflow.variety.checked_volume` does.
    """
    if not isinstance(kernel, (KahlerKernel, PotentialSpan)):
        raise InputError(f"kernel_metric takes a kernel such as OverlapKernel(Power(2)), or a span, not {kernel!r}")
    method, loss = method or RidgeFit(), loss_of(loss)
    span = _span(kernel, points, kahler_class)
    seen = None if watched is None else PotentialObjective.of(span, watched, loss)
    fit = KernelFit(PotentialObjective.of(span, points, loss), seen, method, np.zeros(span.size))
    solution = carried_out(fit, method.steps + 1, progress)
    history = table(solution, *fit.numbers(solution.last))
    report = KernelReport(solution.outcome, str(method), fit.objective.loss.text, span.size, len(points), history)
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
    """The regularised fit of that kernel and ridge whose σ is least on a `share` of the points held out of it.

    The points are the whole budget, `kahler_class` the t_i as for `kernel_metric`. The first `most` of the points are
    split by the seed, every kernel and ridge (falling, each from where the one before ended) is fitted on the rest, and
    the best of them once more on all points. `metric.report.trials` are all σ on the points held out. Raises
    `InputError` where there is nothing to choose from, and `KahlerConeError` where no choice gives a metric on the
    points held out.
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
    return KernelMetric(best.span, best.coefficients, replace(best.report, trials=tuple(trials)))


def _ridge_path(span: PotentialSpan, ridges: Sequence[float], rest: Points, held: Points, loss: Loss):
    """(ridge, σ on the held points) for every ridge, falling; infinite where g is not positive there."""
    fitted, seen = (PotentialObjective.of(span, part, loss) for part in (rest, held))
    coefficients = np.zeros(span.size)
    for ridge in sorted(ridges, reverse=True):
        method = RidgeFit(ridge, tolerance=1e-3)
        coefficients = carried_out(KernelFit(fitted, None, method, coefficients), method.steps + 1, False).last["best"]
        view = seen.look(coefficients)
        yield ridge, view.sigma if view.least > 0 else np.inf
