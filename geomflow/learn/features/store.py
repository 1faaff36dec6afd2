"""Metrics of frozen tangent features in .npz files: the network with its parameters, and the coefficients δ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from geomflow.core.errors import StoreError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.learn.features.fit import FrozenReport
from geomflow.learn.features.span import PotentialTangent
from geomflow.learn.phi.metric import PhiNetwork
from geomflow.learn.phi.store import describe_network, network_of
from geomflow.learn.potentials.metric import KernelMetric
from geomflow.variety.pointstore import describe, opened, variety_of

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
    with Path(path).open("wb") as file:
        np.savez_compressed(
            file,
            kind=_KIND,
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
    file = opened(path, _KIND)
    network = PhiNetwork(
        variety_of(str(file["variety"])),
        network_of(str(file["network"])),
        file["parameters"],
        tuple(file["kahler_class"]),
    )
    report = None
    if str(file["report"]):
        outcome, *fields = json.loads(str(file["report"]))
        report = FrozenReport(Outcome(OutcomeKind(outcome[0]), *outcome[1:]), *fields, file["history"])
    return KernelMetric(PotentialTangent(network), file["coefficients"], report)  # type: ignore[arg-type]
