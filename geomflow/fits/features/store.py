"""Metrics of frozen tangent features in .npz files: the network with its parameters, and the coefficients δ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import StoreError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.fits.features.fit import FrozenReport
from geomflow.fits.features.span import PotentialTangent
from geomflow.fits.phi.metric import PhiNetwork
from geomflow.fits.phi.store import describe_network, network_of
from geomflow.fits.potentials.metric import KernelMetric
from geomflow.variety.pointstore import class_of, describe, variety_of

_KIND = "geomflow frozen features 1"


def save_frozen(metric: KernelMetric, path: str | Path) -> None:
    """Write the metric of a learned kernel, as `frozen_fit` returns it; `load_frozen` reads it.

    Raises `StoreError` for a metric of another span.
    """
    span = metric.span
    if not isinstance(span, PotentialTangent):
        raise StoreError(f"{metric!r} is no metric of tangent features: metric.save(path) is the way to keep it")
    report, text, history = metric.report, "", np.zeros((0, 4))
    if isinstance(report, FrozenReport):
        outcome = [report.outcome.kind.value, report.outcome.message, report.outcome.time]
        text, history = json.dumps([outcome, report.features, report.points, report.ridge]), report.history
    archive.write(
        path,
        _KIND,
        variety=describe(span.variety),
        network=describe_network(span.metric.network),
        kahler_class=np.array(span.kahler_class),
        parameters=span.metric.parameters,
        coefficients=metric.coefficients,
        report=text,
        history=history,
    )


def load_frozen(path: str | Path) -> KernelMetric:
    """Read what `save_frozen` wrote; raises `StoreError`."""
    with archive.opened(path, _KIND) as file:
        variety, parameters = variety_of(file), file.numbers("parameters", "f", None)
        network = PhiNetwork(variety, network_of(file), parameters, class_of(file, variety))
        report = None
        if file.text("report"):
            outcome, *fields = file.json("report", list)
            history = file.array("history", "f", None, 4)
            report = FrozenReport(Outcome(OutcomeKind(outcome[0]), *outcome[1:]), *fields, history)
        coefficients = file.numbers("coefficients", "f", None)
        return KernelMetric(PotentialTangent(network), coefficients, report)  # type: ignore[arg-type]
