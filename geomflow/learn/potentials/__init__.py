"""Fixed kernels of the Kähler potential on hypersurfaces: metrics g_FS + ∂∂̄φ from few points."""

from geomflow.learn.potentials.descent import Descent, KernelDescent, NaturalDescent, RidgeFit
from geomflow.learn.potentials.fit import kernel_metric, tuned_metric
from geomflow.learn.potentials.invariant import InvariantKernel
from geomflow.learn.potentials.invariants import InvariantFeatures
from geomflow.learn.potentials.isometries import Isometries
from geomflow.learn.potentials.kernel import KahlerKernel
from geomflow.learn.potentials.metric import KernelMetric
from geomflow.learn.potentials.orbit import OrbitKernel
from geomflow.learn.potentials.overlap import OverlapKernel
from geomflow.learn.potentials.profiles import ArcCosine, Exponential, Power, Profile
from geomflow.learn.potentials.report import KernelReport
from geomflow.learn.potentials.span import PotentialSpan

__all__ = [
    "ArcCosine",
    "Descent",
    "Exponential",
    "InvariantFeatures",
    "InvariantKernel",
    "Isometries",
    "KahlerKernel",
    "KernelDescent",
    "KernelMetric",
    "KernelReport",
    "NaturalDescent",
    "OrbitKernel",
    "OverlapKernel",
    "PotentialSpan",
    "Power",
    "Profile",
    "RidgeFit",
    "kernel_metric",
    "tuned_metric",
]
