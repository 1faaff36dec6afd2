"""Metrics of kernels in .npz files."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.core import archive
from geomflow.core.archive import Archive
from geomflow.core.errors import StoreError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.fits.potentials.invariant import FeatureSpan
from geomflow.fits.potentials.invariants import InvariantFeatures
from geomflow.fits.potentials.metric import KernelMetric
from geomflow.fits.potentials.overlap import OverlapSpan
from geomflow.fits.potentials.profiles import ArcCosine, Exponential, Power, Profile
from geomflow.fits.potentials.report import KernelReport
from geomflow.fits.potentials.span import PotentialSpan
from geomflow.variety.fubini_study import FubiniStudy
from geomflow.variety.hypersurface import Hypersurface
from geomflow.variety.pointstore import class_of, describe, variety_of

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
    archive.write(
        path,
        _KIND,
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
    with archive.opened(path, _KIND) as file:
        report = None
        if file.text("report"):
            outcome, *fields, trials = file.json("report", list)
            ended, history = Outcome(OutcomeKind(outcome[0]), *outcome[1:]), file.array("history", "f", None, 5)
            report = KernelReport(ended, *fields, history, tuple((text, sigma) for text, sigma in trials))
        return KernelMetric(_span(file, variety_of(file)), file.numbers("coefficients", "f", None), report)


def _span(file: Archive, variety: Hypersurface) -> PotentialSpan:
    name, settings = file.json("profile", list)
    kahler_class = FubiniStudy(variety, class_of(file, variety)).kahler_class
    profile = _PROFILES[name](**settings)
    size = len(file.numbers("coefficients", "f", None))
    lower = file.numbers("lower", "f", size, size)
    if not np.all(np.diagonal(lower) > 0):
        raise file.damaged("'lower' is no Cholesky factor")
    if file.text("span") == "OverlapSpan":
        sections = prod(n + 1 for n in variety.ambient.dims)
        return OverlapSpan(variety, kahler_class, profile, file.numbers("centres", "c", size, None, sections), lower)
    degrees = tuple(file.array("degrees", "i", None).tolist())
    features = InvariantFeatures.keeping(variety, degrees, kahler_class)
    features = replace(features, scale=float(file.numbers("scale", "f")))
    return FeatureSpan(features, kahler_class, profile, file.numbers("centres", "f", size, features.count), lower)


def _report_text(report: KernelReport) -> str:
    outcome = [report.outcome.kind.value, report.outcome.message, report.outcome.time]
    fields = [report.method, report.loss, report.functions, report.points]
    return json.dumps([outcome, *fields, list(report.trials)])
