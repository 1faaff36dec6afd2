"""Flows on points and their metrics in .npz files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow import kernels
from geomflow.core import archive
from geomflow.core.errors import StoreError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.fits.clouds.flow import CloudState, ComponentFlow
from geomflow.fits.clouds.metric import ComponentMetric
from geomflow.fits.clouds.report import CloudReport
from geomflow.fits.clouds.sums import CloudSums, checked_labels
from geomflow.variety.pointstore import arrays_of, describe, points_of, variety_of

if TYPE_CHECKING:
    from geomflow.kernels.kernel import Kernel

_METRIC, _FLOW = "geomflow component metric 1", "geomflow component flow 2"
_ANY = "a kernel of its own"


def save_metric(metric: ComponentMetric, path: str | Path) -> None:
    """Write points, kernel, coefficients and report."""
    report, sums = metric.report, metric.sums
    ended = [report.outcome.kind.value, report.outcome.message, report.outcome.time]
    data = arrays_of(metric.points, "points_")
    labels = np.zeros(0, np.int64) if sums.labels is None else sums.labels
    archive.write(path, _METRIC, variety=describe(metric.variety), kernel=_described(metric.kernel), labels=labels,
                  mean=sums.mean, coefficients=metric.coefficients, history=report.history,
                  report=json.dumps([ended, report.points, report.loss]), **data)


def load_metric(path: str | Path, kernel: Kernel | None = None) -> ComponentMetric:
    """Read what `save_metric` wrote; raises StoreError."""
    with archive.opened(path, _METRIC) as file:
        points = points_of(file, variety_of(file), "points_")
        ended, count, loss = file.json("report", list)
        history = file.array("history", "f", None, 5)
        report = CloudReport(Outcome(OutcomeKind(ended[0]), *ended[1:]), count, loss, history)
        labels = file.array("labels", "i", None)
        clusters = checked_labels(labels, len(points)) if labels.size else None
        used = kernel or _kernel(json.loads(file.text("kernel")), path)
        coefficients = file.numbers("coefficients", "c", len(points), points.variety.dim, points.variety.dim)
        return ComponentMetric(CloudSums(used, points, clusters, bool(file.array("mean", "b"))), coefficients, report)


def save_flow(flow: ComponentFlow, path: str | Path) -> None:
    """Write the state of a flow, without points and kernel."""
    state = flow.state
    ended = flow.ended
    text = json.dumps(None if ended is None else [ended.kind.value, ended.message, ended.time])
    best = flow.best
    archive.write(path, _FLOW, made=_made(flow), coefficients=state.coefficients, g=state.g,
                  history=np.array(state.history), best_coefficients=best.coefficients, best_g=best.g,
                  best_step=best.step, ended=text)


def restore_flow(flow: ComponentFlow, path: str | Path) -> None:
    """Put a stored state into a flow made with the same arguments; raises StoreError for another."""
    with archive.opened(path, _FLOW) as file:
        if (made := file.text("made")) != _made(flow):
            raise StoreError(f"{path} holds a flow that was made otherwise, {made}, and this one is {_made(flow)}: "
                             "give the same arguments.")
        history = tuple(tuple(row) for row in file.numbers("history", "f", None, 5).tolist())
        shape = flow.state.g.shape
        c, g, best_c, best_g = (file.numbers(name, "f", *shape)
                                for name in ("coefficients", "g", "best_coefficients", "best_g"))
        best = CloudState(best_c, best_g, history[: int(file.array("best_step", "i")) + 1])
        ended = json.loads(file.text("ended"))
        outcome = None if ended is None else Outcome(OutcomeKind(ended[0]), *ended[1:])
    flow.resume(CloudState(c, g, history), best, outcome)


def _made(flow: ComponentFlow) -> str:
    """All arguments of a flow as text, the points and clusters by a sum that tells them apart."""
    labels = flow.sums.labels
    places = [len(flow.points), float(np.abs(flow.points.coordinates).sum()), float(flow.points.weights.sum())]
    clusters = None if labels is None else [int(labels.max()) + 1, int(labels @ np.arange(len(labels)))]
    options = [repr(flow.sums.kernel), flow.loss.text, repr(flow.rate), flow.steps, flow.normalise, flow.clip]
    return json.dumps([str(flow.points.variety.polynomial.expression), places, clusters, options])


def _described(kernel: Any) -> str:
    """A kernel of numbers, texts and such kernels as text; of others only that there was one."""
    try:
        return json.dumps(_plain(kernel))
    except TypeError:
        return json.dumps(_ANY)


def _plain(kernel: Any) -> list[Any]:
    if not (dataclasses.is_dataclass(kernel) and getattr(kernels, type(kernel).__name__, None) is type(kernel)):
        raise TypeError
    values = {field.name: getattr(kernel, field.name) for field in dataclasses.fields(kernel) if field.init}
    return [type(kernel).__name__,
            {name: _plain(value) if isinstance(value, kernels.Kernel) else value for name, value in values.items()}]


def _kernel(described: Any, path: str | Path) -> Kernel:
    if described == _ANY:
        raise StoreError(f"{path} was made with a kernel that no file holds: give it, load(path, kernel).")
    name, values = described
    return getattr(kernels, name)(**{key: _kernel(value, path) if isinstance(value, list) else value
                                     for key, value in values.items()})
