"""Networks for the Kähler potential on Calabi–Yau hypersurfaces: g = g_FS + ∂∂̄φ."""

from geomflow.learn.phi.inputs import ProjectiveInputs
from geomflow.learn.phi.metric import PhiNetwork
from geomflow.learn.phi.report import PhiReport
from geomflow.learn.phi.steps import AdamStep, GaussNewton
from geomflow.learn.phi.training import PhiTraining, Recipe, phi_metric

__all__ = [
    "AdamStep",
    "GaussNewton",
    "PhiNetwork",
    "PhiReport",
    "PhiTraining",
    "ProjectiveInputs",
    "Recipe",
    "phi_metric",
]
