"""Metrics on varieties from their files, whatever made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from geomflow.core.archive import kind_of
from geomflow.core.errors import StoreError
from geomflow.fits.clouds.metric import ComponentMetric
from geomflow.fits.features.component_metric import ComponentNetwork
from geomflow.fits.features.store import load_frozen
from geomflow.fits.phi.metric import PhiNetwork
from geomflow.fits.potentials.metric import KernelMetric
from geomflow.variety import metricstore

#: What reads each kind of file.
READERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType({
    "geomflow metric 1": metricstore.load_metric,
    "geomflow phi-network 1": PhiNetwork.load,
    "geomflow component-network 1": ComponentNetwork.load,
    "geomflow component metric 1": ComponentMetric.load,
    "geomflow kernel metric 1": KernelMetric.load,
    "geomflow frozen features 1": load_frozen,
})


def load_metric(path: str | Path) -> Any:
    """The metric that `metric.save` or `save_frozen` wrote: a form, a network, a kernel's, or components of one chart.

    Raises `StoreError` for a file that cannot be read or holds no metric.
    """
    kind = kind_of(path)
    if kind not in READERS:
        raise StoreError(f"{path} holds no metric on a variety; it says that it is {kind!r}")
    return READERS[kind](path)
