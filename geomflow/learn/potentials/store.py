"""Metrics of kernels in .npz files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.core.errors import StoreError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.learn.potentials.invariant import FeatureSpan
from geomflow.learn.potentials.invariants import InvariantFeatures
from geomflow.learn.potentials.metric import KernelMetric
from geomflow.learn.potentials.overlap import OverlapSpan
from geomflow.learn.potentials.profiles import ArcCosine, Exponential, Power, Profile
from geomflow.learn.potentials.report import KernelReport
from geomflow.learn.potentials.span import PotentialSpan
from geomflow.variety.hypersurface import Hypersurface
from geomflow.variety.pointstore import describe, opened, variety_of

_KIND = "geomflow kernel metric 1"
_PROFILES: dict[str, type[Profile]] = {kind.__name__: kind for kind in (ArcCosine, Exponential, Power)}


def save_metric(metric: KernelMetric, path: str | Path) -> None:
    """Write a metric; raises `StoreError` for a span that is of another kind, such as a network's."""
    span = metric.span
    if not isinstance(span, (OverlapSpan, FeatureSpan)) or type(span.profile).__name__ not in _PROFILES:
        raise StoreError(f"{span} cannot be stored here: store what it was made of")
    data: dict[str, Any] = {"report": "", "history": np.zeros((0, 5))}
    if metric.report is not None:
        data = {"report": _report_text(metric.report), "history": metric.report.history}
    if isinstance(span, FeatureSpan):
        data |= {"degrees": span.features.degrees, "scale": span.features.scale}
    with Path(path).open("wb") as file:
        np.savez_compressed(
            file,
            kind=_KIND,
            span=type(span).__name__,
            variety=describe(metric.variety),
            profile=json.dumps([type(span.profile).__name__, asdict(span.profile)]),
            kahler_class=np.array(span.kahler_class),
            centres=span.centres,
            lower=span.lower,
            coefficients=metric.coefficients,
            **data,
        )


def load_metric(path: str | Path) -> KernelMetric:
    """Read what `save_metric` wrote; raises `StoreError`."""
    file = opened(path, _KIND)
    report = None
    if str(file["report"]):
        outcome, *fields, trials = json.loads(str(file["report"]))
        ended = Outcome(OutcomeKind(outcome[0]), *outcome[1:])
        report = KernelReport(ended, *fields, file["history"], tuple((text, sigma) for text, sigma in trials))
    return KernelMetric(_span(file, variety_of(str(file["variety"]))), file["coefficients"], report)


def _span(file: dict[str, Any], variety: Hypersurface) -> PotentialSpan:
    name, settings = json.loads(str(file["profile"]))
    shared = tuple(file["kahler_class"].tolist()), _PROFILES[name](**settings), file["centres"], file["lower"]
    if str(file["span"]) == "OverlapSpan":
        return OverlapSpan(variety, *shared)
    features = InvariantFeatures.of(variety, tuple(file["degrees"].tolist()))
    return FeatureSpan(InvariantFeatures(variety, features.degrees, features.forms, float(file["scale"])), *shared)


def _report_text(report: KernelReport) -> str:
    outcome = [report.outcome.kind.value, report.outcome.message, report.outcome.time]
    fields = [report.method, report.loss, report.functions, report.points]
    return json.dumps([outcome, *fields, list(report.trials)])
