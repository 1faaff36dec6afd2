from .activation import Activation as Activation, activation as activation
from .by_jax import JaxNetwork as JaxNetwork
from .components import (
    CholeskyModel as CholeskyModel, IndependentComponents as IndependentComponents,
    SharedComponents as SharedComponents, UncorrectedComponents as UncorrectedComponents,
)
from .cosine import CosineNetwork as CosineNetwork
from .jets import Jets as Jets
from .model import Model as Model
from .network import Layout as Layout, Network as Network
from .network_model import PotentialModel as PotentialModel
from .perceptron import Perceptron as Perceptron
from .periodic import FourierEmbedding as FourierEmbedding
from .state import ModelState as ModelState
from .user import AutogradNetwork as AutogradNetwork, UserModel as UserModel
from .wrapped import Correction as Correction, Linearised as Linearised, Rescaled as Rescaled
