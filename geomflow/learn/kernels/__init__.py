"""Kernels of two points, scalar and with tensor indices, and the operators they are."""

from geomflow.learn.kernels.delta import DeltaKernel
from geomflow.learn.kernels.gaussian import GaussianKernel
from geomflow.learn.kernels.kernel import Kernel, UnderResolvedWarning
from geomflow.learn.kernels.operators import BlockOperator, FourierOperator, IdentityOperator, KernelOperator
from geomflow.learn.kernels.rescaled import RescaledKernel, RescaledOperator, reference_rescaled

__all__ = [
    "BlockOperator",
    "DeltaKernel",
    "FourierOperator",
    "GaussianKernel",
    "IdentityOperator",
    "Kernel",
    "KernelOperator",
    "RescaledKernel",
    "RescaledOperator",
    "UnderResolvedWarning",
    "reference_rescaled",
]
