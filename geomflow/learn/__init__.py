"""Networks that represent metrics, their tangent kernels, and the flows these drive."""

from __future__ import annotations

from geomflow.learn.clustering import Dendrogram, dropped_mass, euclidean_linkage, projective_linkage
from geomflow.learn.flows import (
    SGD,
    Adam,
    Batch,
    CappedGrowthWarning,
    GradientFlow,
    KernelFlow,
    LinearisedFlow,
    Momentum,
    Optimiser,
    Training,
    tangent_monitors,
)
from geomflow.learn.kernels import *  # noqa: F403
from geomflow.learn.kernels import __all__ as _kernels
from geomflow.learn.models import *  # noqa: F403
from geomflow.learn.models import __all__ as _models
from geomflow.learn.networks import *  # noqa: F403
from geomflow.learn.networks import __all__ as _networks
from geomflow.learn.phi import PhiNetwork, PhiReport, PhiTraining, phi_metric

__all__ = [
    "SGD", "Adam", "Batch", "CappedGrowthWarning", "Dendrogram", "GradientFlow", "KernelFlow", "LinearisedFlow",
    "Momentum", "Optimiser", "PhiNetwork", "PhiReport", "PhiTraining", "Training", "dropped_mass", "euclidean_linkage", "phi_metric", "projective_linkage", "tangent_monitors",
    *_kernels, *_models, *_networks,
]  # fmt: skip
