"""Networks as metrics."""

from geomflow.learn.models.cholesky import CholeskyModel
from geomflow.learn.models.components import IndependentComponents, SharedComponents, UncorrectedComponents
from geomflow.learn.models.correction import Correction
from geomflow.learn.models.linearised import Linearised
from geomflow.learn.models.model import Model
from geomflow.learn.models.potential import PotentialModel
from geomflow.learn.models.rescaled import Rescaled
from geomflow.learn.models.state import ModelState
from geomflow.learn.models.user import UserModel

__all__ = [
    "CholeskyModel",
    "Correction",
    "IndependentComponents",
    "Linearised",
    "Model",
    "ModelState",
    "PotentialModel",
    "Rescaled",
    "SharedComponents",
    "UncorrectedComponents",
    "UserModel",
]
