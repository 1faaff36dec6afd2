"""Metrics of every kind from their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geomflow.fits.component_metric import ComponentMetric
from geomflow.fits.components import ComponentNetwork
from geomflow.fits.flowed_metric import FlowedMetric
from geomflow.fits.invariant_kernel import FeatureSpan
from geomflow.fits.overlap_kernel import OverlapSpan
from geomflow.fits.phi_network import PhiNetwork
from geomflow.fits.potential_span import KernelMetric
from geomflow.fits.tangent_features import FrozenComponents, PotentialTangent
from geomflow.variety import FlatCurve, FubiniStudy, HermitianForm, HermitianMetric
from geomflow.variety.store import stored_metric

#: The metrics and spans of this package that files hold: loaded, they are found by the names of their kinds.
HELD = (
    FubiniStudy, HermitianForm, FlatCurve, PhiNetwork, KernelMetric, FeatureSpan, OverlapSpan, PotentialTangent,
    ComponentNetwork, FrozenComponents, ComponentMetric, FlowedMetric,
)  # fmt: skip


def load_metric(path: str | Path, **given: Any) -> HermitianMetric:
    """The metric that `metric.save` wrote: a form, a network, a kernel's, frozen features, components of one chart.

    Raises `StoreError` for a file that cannot be read, is damaged, holds no metric or lacks a part, and `InputError`
    for parts that are not asked for.

    Parameters
    ----------
    path : str or Path
        A file.
    **given : object
        Parts that the file cannot hold, as the `kernel` of a flow on points where it is one of your own.
    """
    return stored_metric(path, **given)
