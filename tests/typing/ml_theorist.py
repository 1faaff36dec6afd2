"""What a machine-learning theorist writes: tangent kernels, frozen and free, and flows that they drive."""

from __future__ import annotations

import numpy as np

import geomflow as gf
from geomflow import kernels, networks, tangent


def infinite_width() -> float:
    """The tangent kernel of infinitely wide networks, as a matrix and as sums."""
    x = np.random.default_rng(0).standard_normal((20, 3))
    kernel = gf.NetworkKernel(activation="relu", depth=2, weight_std=1.5, bias_std=0.1)
    theta = kernel.matrix(x)
    sums = kernel.apply(x, None, np.ones((20, 2)))
    both = 0.5 * kernel + gf.GaussianKernel(0.3) * gf.GaussianKernel(1.0)
    return float(theta.trace() + sums.sum() + both.diagonal(x).sum())


def local_limit() -> list[float]:
    """A flow under kernels of falling width, beside the classical one."""
    torus = gf.Torus(dim=2)
    g0 = torus.grid(16, scheme="spectral").metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1"]])
    loss = gf.functionals.PerelmanLambda(torus)
    classical = gf.solve(loss.gradient_flow(), g0, t1=1e-4)
    distances: list[float] = []
    for scale in (0.2, 0.1):
        nonlocal_ = gf.solve(gf.KernelFlow(loss, gf.GaussianKernel(scale)), g0, t1=1e-4)
        distances.append(nonlocal_.last.distance(classical.last))
    return distances


def training() -> float:
    """A network that is a Kähler potential descends the K-energy: free, and frozen at its start."""
    torus = gf.ComplexTorus(dim=1)
    network = networks.Perceptron(2, (16,), activation="tanh", embedding=networks.FourierEmbedding(torus))
    model = networks.Rescaled(networks.PotentialModel(torus, network), 0.01)
    state = model.on(torus.grid(8, scheme="spectral"), seed=0)
    loss = gf.functionals.KEnergy(torus)
    free = gf.solve(gf.GradientFlow(loss, model), state, t1=0.01)
    frozen = gf.solve(gf.LinearisedFlow(loss, model), state, t1=0.01)
    trained = gf.solve(tangent.Training(loss, model, tangent.Adam(1e-3)), state, t1=10)
    kernel = kernels.EmpiricalPotentialKernel(model, state.parameters)
    print(kernel, trained["energy"])
    return float(np.abs(free.last.parameters - frozen.last.parameters).max())


if __name__ == "__main__":
    print(infinite_width(), local_limit(), training())
