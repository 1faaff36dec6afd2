"""Hypothesis strategies for kernels, points for them, and networks: short sums and narrow networks first."""

from __future__ import annotations

import numpy as np

from geomflow.core.errors import MissingExtraError
from geomflow.field import ComplexTorus, FlatTorus, Torus
from geomflow.kernels import (
    CosineNetKernel,
    DeltaKernel,
    GaussianKernel,
    GaussNetKernel,
    Kernel,
    LeakyRelu,
    NetworkKernel,
    NormalisedKernel,
    Polynomial,
    ResidualKernel,
)
from geomflow.networks import CosineNetwork, FourierEmbedding, Network, Perceptron

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import DrawFn, SearchStrategy
except ImportError as error:
    raise MissingExtraError.of("hypothesis", "test") from error

ACTIVATIONS = ("tanh", "relu", "gelu", "erf", "cos", "softplus")
"""Activations of networks."""

TORI = (Torus(1), Torus(2, lattice=[[1, 0.2], [-0.3, 0.8]]), ComplexTorus(1, modulus=0.3 + 1.1j), Torus(3), Torus(4))
"""Tori that networks are periodic on."""


@st.composite
def clouds(draw: DrawFn, dim: int = 2, least: int = 1, most: int = 12) -> np.ndarray:
    """Points of R^dim for kernels, (p, dim): simple coordinates first, some points equal or nearly so.

    Parameters
    ----------
    dim : int
        d.
    least, most : int
        Their number.
    """
    halves = st.integers(-4, 4).map(lambda k: k / 2)
    numbers = st.one_of(halves, st.floats(-2, 2, allow_subnormal=False))
    rows = draw(st.lists(st.tuples(*[numbers] * dim), min_size=least, max_size=most))
    if len(rows) > 2 and draw(st.booleans()):
        rows[1:3] = [rows[0], tuple(value + 1e-9 for value in rows[0])]
    return np.array(rows[:most], dtype=float).reshape(-1, dim)


@st.composite
def kernels(draw: DrawFn, networks: bool = True) -> Kernel:
    """Kernels of points of R^d: a Gaussian first, then the identity, those of wide networks, sums and products.

    Parameters
    ----------
    networks : bool
        Whether those of networks are among them, which are compiled one by one.
    """
    scales = st.sampled_from((0.5, 0.25, 1.0, 2.0))
    simple = [st.builds(GaussianKernel, scales), st.just(DeltaKernel()), st.builds(CosineNetKernel, scales),
              st.builds(GaussNetKernel, scales, st.sampled_from((0.0, 0.5)))]
    if networks:
        activations = st.sampled_from(("relu", "erf", "cos", "sin+cos", LeakyRelu(0.2), Polynomial((1, 1))))
        simple.append(st.builds(NetworkKernel, activations, st.integers(1, 3), st.sampled_from((1.0, 0.5, 1.5)),
                                st.sampled_from((0.0, 0.5))))
        simple.append(st.builds(ResidualKernel, activations, st.integers(1, 2), branch=st.sampled_from((0.5, 1.0))))
        simple.append(st.builds(NormalisedKernel, activations, st.integers(1, 2), bias_std=st.just(0.5)))
    kernel: Kernel = draw(st.one_of(simple))
    for _ in range(draw(st.integers(0, 2))):
        other = draw(st.one_of(simple))
        kernel = kernel + draw(scales) * other if draw(st.booleans()) else kernel * other
    return kernel


@st.composite
def perceptrons(draw: DrawFn, torus: FlatTorus | None = None, periodic: bool | None = None) -> Network:
    """Perceptrons of few layers, on a torus or not.

    Parameters
    ----------
    torus : FlatTorus, optional
        On which they are periodic; drawn unless given.
    periodic : bool, optional
        Whether they are periodic; drawn unless given.
    """
    on = torus if torus is not None else draw(_maybe(periodic))
    embedding = None if on is None else FourierEmbedding(on, draw(st.integers(1, 2)))
    return Perceptron(
        draw(st.integers(1, 4)) if on is None else on.real_dim,
        hidden=draw(st.lists(st.integers(1, 9), max_size=3)),
        outputs=draw(st.integers(1, 3)),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        parametrisation=draw(st.sampled_from(("ntk", "standard"))),
        weight_std=draw(st.floats(0.5, 2)),
        bias_std=draw(st.sampled_from((0.0, 0.4))),
        embedding=embedding,
    )


def _maybe(periodic: bool | None) -> SearchStrategy[FlatTorus | None]:
    if periodic is None:
        return st.one_of(st.none(), st.sampled_from(TORI))
    return st.sampled_from(TORI) if periodic else st.none()


@st.composite
def cosines(draw: DrawFn) -> Network:
    """Cosine networks, on a torus or not."""
    torus = draw(_maybe(None))
    inputs = draw(st.integers(1, 4)) if torus is None else torus.real_dim
    scale, outputs = draw(st.floats(0.2, 1.5)), draw(st.integers(1, 3))
    seed = draw(st.integers(0, 10_000))
    return CosineNetwork(inputs, draw(st.integers(1, 30)), scale, outputs=outputs, torus=torus, seed=seed)


def networks() -> SearchStrategy[Network]:
    """Perceptrons and cosine networks."""
    return st.one_of(perceptrons(), cosines())
