from .gradient_flow import (
    GradientFlow as GradientFlow, LinearisedFlow as LinearisedFlow, tangent_monitors as tangent_monitors,
)
from .kernel_action import Batch as Batch
from .kernel_checks import CappedGrowthWarning as CappedGrowthWarning
from .kernel_flow import KernelFlow as KernelFlow
from .loss import Continuum as Continuum
from .training import Adam as Adam, Momentum as Momentum, Optimiser as Optimiser, SGD as SGD, Training as Training
