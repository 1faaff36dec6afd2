"""Flows that kernels and networks drive: KernelFlow, GradientFlow, LinearisedFlow, Training."""

from geomflow.tangent.gradient_flow import GradientFlow, LinearisedFlow
from geomflow.tangent.kernel_action import Batch
from geomflow.tangent.kernel_checks import CappedGrowthWarning
from geomflow.tangent.kernel_flow import KernelFlow
from geomflow.tangent.loss import Continuum
from geomflow.tangent.optimisers import SGD, Adam, Momentum, Optimiser
from geomflow.tangent.tangent_monitors import tangent_monitors
from geomflow.tangent.training import Training

__all__ = [
    "Adam",
    "Batch",
    "CappedGrowthWarning",
    "Continuum",
    "GradientFlow",
    "KernelFlow",
    "LinearisedFlow",
    "Momentum",
    "Optimiser",
    "SGD",
    "Training",
    "tangent_monitors",
]
