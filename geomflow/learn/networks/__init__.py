"""Networks on a flat parameter vector: values, input jets, and derivatives by the parameters.

>>> import numpy as np
>>> network = Perceptron(2, hidden=(16, 16), outputs=3, activation="tanh")
>>> theta = network.initial(seed=0)
>>> points = np.random.default_rng(1).uniform(size=(5, 2))
>>> network.values(theta, points).shape, network.jacobian(theta, points).shape
((5, 3), (5, 3, 336))
>>> network.jets(theta, points, order=2)[(1, 1)].shape
(5, 3)
"""

from geomflow.learn.networks.activation import ACTIVATIONS, Activation, activation
from geomflow.learn.networks.autograd_model import AutogradNetwork
from geomflow.learn.networks.cosine import CosineNetwork
from geomflow.learn.networks.embedding import FourierEmbedding
from geomflow.learn.networks.frequencies import DiscreteGaussian
from geomflow.learn.networks.jets import Jets
from geomflow.learn.networks.layout import Layout
from geomflow.learn.networks.network import Network
from geomflow.learn.networks.perceptron import Perceptron
from geomflow.learn.networks.series import Series, multi_indices

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "AutogradNetwork",
    "CosineNetwork",
    "DiscreteGaussian",
    "FourierEmbedding",
    "Jets",
    "Layout",
    "Network",
    "Perceptron",
    "Series",
    "activation",
    "multi_indices",
]
