"""Networks as functions, and as metrics or potentials on tori, with their jets and derivatives by parameters."""

from geomflow.networks.activation import ACTIVATIONS, Activation, activation
from geomflow.networks.user import AutogradNetwork
from geomflow.networks.cosine import CosineNetwork
from geomflow.networks.periodic import FourierEmbedding
from geomflow.networks.periodic import DiscreteGaussian
from geomflow.networks.jets import Jets
from geomflow.networks.network import Layout
from geomflow.networks.components import CholeskyModel
from geomflow.networks.components import IndependentComponents, SharedComponents, UncorrectedComponents
from geomflow.networks.wrapped import Correction
from geomflow.networks.wrapped import Linearised
from geomflow.networks.model import Model
from geomflow.networks.network_model import PotentialModel
from geomflow.networks.wrapped import Rescaled
from geomflow.networks.model import ModelState
from geomflow.networks.user import UserModel
from geomflow.networks.network import Network
from geomflow.networks.perceptron import Perceptron
from geomflow.networks.series import Series

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
]
