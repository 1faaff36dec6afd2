"""Flows of toric Kähler metrics, and the metrics that they tend to."""

from geomflow.flow.toric.found import ToricMetric

__all__ = ["ToricMetric"]
