"""Networks as metrics."""

from geomflow.learn.models.components import IndependentComponents, SharedComponents, UncorrectedComponents
from geomflow.learn.models.model import Model
from geomflow.learn.models.potential import PotentialModel
from geomflow.learn.models.state import ModelState

__all__ = [
    "IndependentComponents",
    "Model",
    "ModelState",
    "PotentialModel",
    "SharedComponents",
    "UncorrectedComponents",
]
