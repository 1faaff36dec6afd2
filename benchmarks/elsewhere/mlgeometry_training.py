"""σ on unseen points of the Fermat quintic by MLGeometry-JAX, for so many core-seconds of training.

    python benchmarks/elsewhere/mlgeometry_training.py CORE_SECONDS [LINES]

Its bihomogeneous network 70-100-1 (log of the output as potential), Adam for a third of the time and then its
L-BFGS, on five points a line; run by an interpreter that has it. Prints the core-seconds spent and σ.
"""

from __future__ import annotations

import sys
import time

import jax
import jax.numpy as jnp
import MLGeometry as mlg
import optax
import sympy
from flax import linen as nn
from MLGeometry import bihomoNN


class Potential(nn.Module):
    """log of a network of squares in the products z_i z̄_j."""

    @nn.compact
    def __call__(self, inputs: jnp.ndarray) -> jnp.ndarray:
        x = bihomoNN.Bihomogeneous(d=5)(inputs)
        x = bihomoNN.SquareDense(features=70)(x)
        x = bihomoNN.SquareDense(features=100)(x)
        return jnp.log(nn.Dense(features=1, use_bias=False, kernel_init=nn.initializers.ones)(x))


def dataset(lines: int) -> dict:
    """Points with all that the losses need."""
    coordinates = sympy.symbols("z0:5")
    variety = mlg.hypersurface.Hypersurface(coordinates, sum(z**5 for z in coordinates), lines)
    return mlg.dataset.generate_dataset(variety)


def train(seconds: float, lines: int) -> tuple[float, float]:
    """Core-seconds of training and σ on as many unseen points."""
    model, known, unseen = Potential(), dataset(lines), dataset(lines)
    params = mlg.trainer.init_params(model, (5,), seed=0)
    metric = mlg.loss.weighted_MAPE
    began = time.process_time()
    adam, rate = optax.adam(1e-3), 0
    while time.process_time() - began < seconds / 3:
        params, _ = mlg.trainer.train_optax(model, known, adam, 5, 1000, metric, params, seed=rate, verbose=False)
        rate += 1
    loss = mlg.loss.make_full_dataset_loss_fn(model, known, metric, batch_size=5000)
    solver = mlg.trainer.jaxopt.LBFGS(fun=loss, maxiter=10**6, tol=1e-9)
    state, step = solver.init_state(params), jax.jit(solver.update)
    while time.process_time() - began < seconds:
        params, state = step(params, state)
        jax.block_until_ready(params)
    spent = time.process_time() - began
    return spent, float(mlg.loss.evaluate_dataset(model, params, unseen, metric, 5000))


if __name__ == "__main__":
    print(*train(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4000))
