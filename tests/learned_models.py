"""Small models of every kind, for tests of models and of their tangent kernels."""

from __future__ import annotations

import autograd.numpy as anp

from geomflow.field import ComplexTorus, Torus
from geomflow.networks import (
    CholeskyModel,
    Correction,
    CosineNetwork,
    FourierEmbedding,
    IndependentComponents,
    Linearised,
    Perceptron,
    PotentialModel,
    Rescaled,
    SharedComponents,
    UncorrectedComponents,
    UserModel,
)

SURFACE = Torus(2, periods=(1.0, 1.5))
CURVE = ComplexTorus(1, modulus=0.3 + 1.1j)
KAHLER_SURFACE = ComplexTorus(2)

METRIC = [["1 + cos(2*pi*x)/5", "sin(4*pi*y/3)/10"], ["sin(4*pi*y/3)/10", "1"]]
ALPHA = "1 + sin(2*pi*x)*cos(4*pi*y/3)/2"
PERIODIC_ON_CURVE = "1 + cos(2*pi*y/1.1)/3"


def perceptron(torus, activation="tanh", outputs=1, hidden=(6, 5)):
    """A periodic perceptron with biases."""
    embedding = FourierEmbedding(torus)
    return Perceptron(torus.real_dim, hidden, outputs, activation, bias_std=0.3, embedding=embedding)


def user_function(views, x):
    """A metric that is not symmetric before it is symmetrised."""
    wave = anp.cos(2 * anp.pi * x[:, :1])
    first = anp.concatenate([anp.exp(views["a"] * wave), views["b"] * wave], axis=1)
    second = anp.concatenate([views["b"] * views["a"] * wave**2, anp.exp(views["b"] + 0 * wave)], axis=1)
    return anp.stack([first, second], axis=1)


METRIC_MODELS = {
    "independent": lambda a: IndependentComponents(SURFACE, perceptron(SURFACE, a)),
    "uncorrected": lambda a: UncorrectedComponents(SURFACE, perceptron(SURFACE, a)),
    "shared": lambda a: SharedComponents(SURFACE, perceptron(SURFACE, a, outputs=3)),
    "correction": lambda a: Correction(METRIC, IndependentComponents(SURFACE, perceptron(SURFACE, a))),
    "cholesky": lambda a: CholeskyModel(SURFACE, perceptron(SURFACE, a)),
    "cholesky of one": lambda a: CholeskyModel(SURFACE, perceptron(SURFACE, a, outputs=3)),
    "rescaled": lambda a: Rescaled(CholeskyModel(SURFACE, perceptron(SURFACE, a)), ALPHA),
}

POTENTIAL_MODELS = {
    "potential": lambda a: PotentialModel(CURVE, perceptron(CURVE, a)),
    "potential in two dimensions": lambda a: PotentialModel(
        KAHLER_SURFACE, perceptron(KAHLER_SURFACE, a, hidden=(5,)), [["1", "i/4"], ["-i/4", "1"]]),
    "rescaled potential": lambda a: Rescaled(PotentialModel(CURVE, perceptron(CURVE, a)), PERIODIC_ON_CURVE),
}

OTHERS = {
    "cosine": lambda a: IndependentComponents(SURFACE, CosineNetwork(2, 12, 0.2, torus=SURFACE)),
    "user": lambda a: UserModel(SURFACE, user_function, {"a": (), "b": ()}),
    "linearised": lambda a: linearised(CholeskyModel(SURFACE, perceptron(SURFACE, a))),
}

MODELS = {**METRIC_MODELS, **POTENTIAL_MODELS, **OTHERS}


def linearised(model):
    """The model linearised at the parameters of seed 3."""
    return Linearised(model, model.initial(3))


def points(model, count, stream):
    """Random points on the model's torus, (count, d)."""
    return stream.random((count, model.torus.real_dim)) * 1.5
