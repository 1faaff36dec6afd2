"""Learned kernels and feature learning: tangent features of trained networks, frozen, and what training makes of them.

The finite network of the paper's section 3 is here as `component_network`.
"""

from geomflow.learn.features.component_metric import ComponentNetwork, ComponentReport
from geomflow.learn.features.component_training import ComponentTraining, component_network
from geomflow.learn.features.evolution import KernelNumbers, KernelWatch
from geomflow.learn.features.fit import FrozenReport, frozen_fit
from geomflow.learn.features.frozen import FrozenComponents
from geomflow.learn.features.learned import feature_network, feature_training, learned_kernel
from geomflow.learn.features.span import ComponentTangent, PotentialTangent, TangentSpan, tangent_span
from geomflow.learn.features.store import load_frozen, save_frozen

__all__ = [
    "ComponentNetwork",
    "ComponentReport",
    "ComponentTangent",
    "ComponentTraining",
    "FrozenComponents",
    "FrozenReport",
    "KernelNumbers",
    "KernelWatch",
    "PotentialTangent",
    "TangentSpan",
    "component_network",
    "feature_network",
    "feature_training",
    "frozen_fit",
    "learned_kernel",
    "load_frozen",
    "save_frozen",
    "tangent_span",
]
