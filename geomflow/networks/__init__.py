"""Networks as functions, and as metrics or potentials on tori, with their jets and derivatives by parameters."""

from geomflow.networks.activation import Activation, activation
from geomflow.networks.components import CholeskyModel, IndependentComponents, SharedComponents, UncorrectedComponents
from geomflow.networks.cosine import CosineNetwork
from geomflow.networks.jets import Jets
from geomflow.networks.model import Model, ModelState
from geomflow.networks.network import Layout, Network
from geomflow.networks.network_model import PotentialModel
from geomflow.networks.perceptron import Perceptron
from geomflow.networks.periodic import FourierEmbedding
from geomflow.networks.user import AutogradNetwork, UserModel
from geomflow.networks.wrapped import Correction, Linearised, Rescaled

__all__ = [
    "Activation",
    "AutogradNetwork",
    "CholeskyModel",
    "Correction",
    "CosineNetwork",
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
    "SharedComponents",
    "UncorrectedComponents",
    "UserModel",
    "activation",
]
