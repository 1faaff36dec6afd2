"""Fixed kernels of the Kähler potential on hypersurfaces: metrics g_FS + ∂∂̄φ from few points."""

from geomflow.learn.potentials.descent import Descent, KernelDescent, NaturalDescent, RidgeFit
from geomflow.learn.potentials.fit import kernel_metric, tuned_metric
from geomflow.learn.potentials.kernel import KahlerKernel
from geomflow.learn.potentials.metric import KernelMetric
from geomflow.learn.potentials.overlap import OverlapKernel
from geomflow.learn.potentials.profiles import ArcCosine, Exponential, Power, Profile
from geomflow.learn.potentials.report import KernelReport, Trial
from geomflow.learn.potentials.span import PotentialSpan

__all__ = [
    "ArcCosine",
    "Descent",
    "Exponential",
    "KahlerKernel",
    "KernelDescent",
    "KernelMetric",
    "KernelReport",
    "NaturalDescent",
    "OverlapKernel",
    "PotentialSpan",
    "Power",
    "Profile",
    "RidgeFit",
    "Trial",
    "kernel_metric",
    "tuned_metric",
]
