"""Networks as functions, and as metrics or potentials on tori, with their jets and derivatives by parameters."""

from geomflow.networks.activation import ACTIVATIONS, Activation, activation
from geomflow.networks.autograd_model import AutogradNetwork
from geomflow.networks.cosine import CosineNetwork
from geomflow.networks.embedding import FourierEmbedding
from geomflow.networks.frequencies import DiscreteGaussian
from geomflow.networks.jets import Jets
from geomflow.networks.layout import Layout
from geomflow.networks.models.cholesky import CholeskyModel
from geomflow.networks.models.components import IndependentComponents, SharedComponents, UncorrectedComponents
from geomflow.networks.models.correction import Correction
from geomflow.networks.models.linearised import Linearised
from geomflow.networks.models.model import Model
from geomflow.networks.models.potential import PotentialModel
from geomflow.networks.models.rescaled import Rescaled
from geomflow.networks.models.state import ModelState
from geomflow.networks.models.user import UserModel
from geomflow.networks.network import Network
from geomflow.networks.perceptron import Perceptron
from geomflow.networks.series import Series, multi_indices

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "AutogradNetwork",
    "CholeskyModel",
    "Correction",
    "CosineNetwork",
    "DiscreteGaussian",
    "FourierEmbedding",
    "IndependentComponents",
    "Jets",
    "Layout",
    "Linearised",
    "Model",
    "ModelState",
    "Network",
    "Perceptron",
    "PotentialModel",
    "Rescaled",
    "Series",
    "SharedComponents",
    "UncorrectedComponents",
    "UserModel",
    "activation",
    "multi_indices",
]
