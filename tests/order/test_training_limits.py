"""Networks near their infinite-width limit: steps against kernels, linearised against frozen, finite against infinite.

Problem: descend the K-energy (T² as a complex curve) or ∫R² dV (T²) with a perceptron as potential or correction.
"""

import numpy as np
import pytest

import geomflow as gf
from geomflow.kernels.empirical import EmpiricalKernel, EmpiricalPotentialKernel
from geomflow.kernels.tangent import Kronecker
from geomflow.networks.components import IndependentComponents
from geomflow.networks.network_model import PotentialModel
from geomflow.networks.perceptron import Perceptron
from geomflow.networks.periodic import FourierEmbedding
from geomflow.networks.wrapped import Correction, Rescaled
from geomflow.tangent.gradient_flow import GradientFlow, LinearisedFlow
from geomflow.tangent.kernel_flow import KernelFlow
from geomflow.tangent.loss import Continuum

CURVE, PLANE = gf.ComplexTorus(dim=1), gf.Torus(dim=2)
KENERGY = gf.functionals.KEnergy(CURVE)
SQUARE = gf.functionals.ScalarSquared(PLANE)


def network(torus, width, activation="tanh"):
    return Perceptron(2, (width,), activation=activation, embedding=FourierEmbedding(torus))


def potential(width):
    return Rescaled(PotentialModel(CURVE, network(CURVE, width)), 0.01)


def correction(width):
    return Correction(None, Rescaled(IndependentComponents(PLANE, network(PLANE, width)), 0.02))


def frozen_potential(model, theta):
    return Kronecker(EmpiricalPotentialKernel(model, theta))


CASES = {
    "potential": (KENERGY, potential, CURVE, 1e-1, frozen_potential),
    "components": (SQUARE, correction, PLANE, 1e-4, EmpiricalKernel),
}


@pytest.mark.parametrize("case", CASES)
def test_a_parameter_step_is_the_kernel_prediction_to_second_order(case):
    functional, make, torus, longest, _ = CASES[case]
    model = make(24)
    state = model.on(torus.grid(8, scheme="spectral"), seed=3)
    loss = GradientFlow(Continuum(functional), model).on(state)
    theta, points = np.array(state.parameters), loss.points
    descent = loss.descent(theta)
    kernel = (EmpiricalKernel if model.shape else EmpiricalPotentialKernel)(model, theta)
    rate = -kernel.apply(points, points, loss.derivative(theta)) * loss.volume / len(points)
    steps = longest / 2.0 ** np.arange(4)
    errors = [np.abs(model.values(theta + step * descent, points) - state.values.reshape(rate.shape)
                     - step * rate).max() for step in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert abs(slope - 2) < 0.1


@pytest.mark.parametrize("case", CASES)
def test_the_linearised_model_follows_the_frozen_kernel(case):
    functional, make, torus, longest, kernel_of = CASES[case]
    model = make(24)
    state = model.on(torus.grid(8, scheme="spectral"), seed=3)
    frozen = KernelFlow(functional, kernel_of(model, state.parameters))
    t1 = 20 * longest
    settings = {"t1": t1, "stepper": "rk45", "rtol": 1e-12, "atol": 1e-14}
    network_run = gf.solve(LinearisedFlow(Continuum(functional), model), state, **settings)
    kernel_run = gf.solve(frozen, state.field(), **settings)
    moved = np.abs(network_run.last.values - state.values).max()
    assert moved > 1e-6
    assert np.abs(network_run.last.values - kernel_run.last.values).max() < 1e-10


@pytest.mark.slow
def test_wide_networks_approach_their_linearisation():
    widths, seeds = (32, 64, 128, 256), range(4)
    grid = CURVE.grid(8, scheme="spectral")
    gaps = []
    for width in widths:
        model = potential(width)
        squares = []
        for seed in seeds:
            start = model.on(grid, seed=seed)
            free = gf.solve(GradientFlow(KENERGY, model), start, t1=10, rtol=1e-8)
            straight = gf.solve(LinearisedFlow(KENERGY, model), start, t1=10, rtol=1e-8)
            squares.append((free.last.distance(straight.last) / straight.last.distance(start)) ** 2)
        gaps.append(np.sqrt(np.mean(squares)))
    slope = np.polyfit(np.log(widths), np.log(gaps), 1)[0]
    assert slope < -0.5
