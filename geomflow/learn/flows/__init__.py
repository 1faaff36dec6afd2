"""Flows driven by kernels and by networks."""

from geomflow.learn.flows.batch import Batch
from geomflow.learn.flows.gradient_flow import GradientFlow
from geomflow.learn.flows.kernel_checks import CappedGrowthWarning
from geomflow.learn.flows.kernel_flow import KernelFlow
from geomflow.learn.flows.linearised_flow import LinearisedFlow
from geomflow.learn.flows.loss import Continuum
from geomflow.learn.flows.optimisers import SGD, Adam, Momentum, Optimiser
from geomflow.learn.flows.tangent_monitors import tangent_monitors
from geomflow.learn.flows.training import Training

__all__ = [
    "SGD", "Adam", "Batch", "CappedGrowthWarning", "Continuum", "GradientFlow", "KernelFlow", "LinearisedFlow",
    "Momentum", "Optimiser", "Training",
    "tangent_monitors",
]  # fmt: skip
