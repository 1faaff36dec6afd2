"""Flows of metric components on clouds of points, driven by kernels: section 3 of Halverson and Ruehle."""

from geomflow.learn.clouds.flow import ComponentFlow
from geomflow.learn.clouds.metric import ComponentMetric
from geomflow.learn.clouds.rates import ConstantRate, FallingRate, PointwiseRate, Rate
from geomflow.learn.clouds.report import CloudMeasure, CloudReport

__all__ = [
    "CloudMeasure", "CloudReport", "ComponentFlow", "ComponentMetric", "ConstantRate", "FallingRate", "PointwiseRate",
    "Rate",
]  # fmt: skip
