"""The local limit: with a Gaussian kernel of width s, kernel flows tend to the classical flow, with errors like s².

On spectral grids the kernel is exact on every mode, so that the limit is also seen at widths below the spacing, of
which the package warns; flows of low dimension are run on grids that resolve every width.
"""

import warnings

import numpy as np
import pytest

import geomflow as gf
from geomflow import functionals as fn
from geomflow.kernels import GaussianKernel, UnderResolvedWarning
from geomflow.kernels.tangent import Kronecker
from geomflow.tangent.kernel_flow import KernelFlow

DECADE = np.geomspace(0.01, 0.1, 3)
PLANE = [["1 + 0.1*cos(2*pi*y)", "0.1*sin(2*pi*x)"], ["0.1*sin(2*pi*x)", "1 + 0.1*sin(2*pi*x)"]]
SPACE = [[f"1 + 0.1*sin(2*pi*{'xyzw'[i - 3]}) + 0.05*cos(2*pi*{'xyzw'[i]})" if i == j else
          f"0.05*cos(2*pi*{'xyzw'[(i + j + 1) % 4]} + {abs(i - j)})" for j in range(4)] for i in range(4)]
CURVE = "(cos(2*pi*x) + sin(2*pi*y))/200"
SURFACE = "(cos(2*pi*x1) + sin(2*pi*y2) + cos(2*pi*x2))/200"


def end(flow, state, t1, steps):
    """The state at t1: by RK4 with equal steps, or by semi-implicit ones where `steps` is None."""
    how = {"stepper": "semi-implicit", "rtol": 1e-8} if steps is None else {
        "stepper": "rk4", "control": gf.flow.FixedStep(t1 / steps)}
    sol = gf.solve(flow, state, t1, **how)
    assert sol.outcome.kind == "finished"
    return sol.last


def errors(source, state, t1, steps):
    """The distances of the kernel flows from the classical flow at t1, over how far that has moved."""
    classical = end(KernelFlow(source, GaussianKernel(0.1)).classical, state, t1, steps)
    moved = classical.distance(state)
    ends = [end(KernelFlow(source, GaussianKernel(s)), state, t1, steps) for s in DECADE]
    return np.array([found.distance(classical) / moved for found in ends])


def assert_second_order(found):
    slope = np.polyfit(np.log(DECADE), np.log(found), 1)[0]
    assert slope == pytest.approx(2, abs=0.1), found
    assert np.log(found[1] / found[0]) / np.log(DECADE[1] / DECADE[0]) == pytest.approx(2, abs=0.06)
    assert found[0] < 0.01


def test_ricci_deturck_on_a_resolved_plane():
    state = gf.Torus(dim=2).grid(100, scheme="spectral").metric(PLANE)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnderResolvedWarning)
        assert_second_order(errors(gf.RicciFlow(gauge="deturck"), state, 1e-4, 12))


@pytest.mark.parametrize("functional", [fn.KEnergy, lambda t: fn.EF(t, "v*log(v)"), lambda t: fn.EF(t, "(v-1)^2")])
def test_potentials_on_a_resolved_curve(functional):
    torus = gf.ComplexTorus(dim=1)
    state = torus.grid(100, scheme="spectral").potential(CURVE)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnderResolvedWarning)
        assert_second_order(errors(functional(torus), state, 2e-5, None))


@pytest.mark.filterwarnings("ignore::geomflow.kernels.UnderResolvedWarning")
def test_perelman_lambda_on_the_plane():
    torus = gf.Torus(dim=2)
    state = torus.grid(16, scheme="spectral").metric(PLANE)
    assert_second_order(errors(fn.PerelmanLambda(torus).gradient_flow(), state, 2e-4, 2))


@pytest.mark.filterwarnings("ignore::geomflow.kernels.UnderResolvedWarning")
@pytest.mark.parametrize("functional", [fn.KEnergy, lambda t: fn.EF(t, "v*log(v)")])
def test_potentials_in_real_dimension_four(functional):
    torus = gf.ComplexTorus(dim=2)
    state = torus.grid(8, scheme="spectral").potential(SURFACE)
    assert_second_order(errors(functional(torus), state, 2e-5, 20))


@pytest.mark.filterwarnings("ignore::geomflow.kernels.UnderResolvedWarning")
def test_ricci_deturck_in_dimension_four():
    state = gf.Torus(dim=4).grid(8, scheme="spectral").metric(SPACE)
    assert_second_order(errors(gf.RicciFlow(gauge="deturck"), state, 5e-4, 2))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::geomflow.kernels.UnderResolvedWarning")
def test_perelman_lambda_in_dimension_four():
    torus = gf.Torus(dim=4)
    state = torus.grid(6, scheme="spectral").metric(SPACE)
    assert_second_order(errors(fn.PerelmanLambda(torus).gradient_flow(), state, 3e-4, 1))


def test_the_frozen_kronecker_kernel_does_not_tend_to_the_covariant_flow():
    """Its limit, −(raised) δ_ik δ_jl, is another flow unless g = δ: the distance stays as s falls."""
    state = gf.Torus(dim=2).grid(32, scheme="spectral").metric(PLANE)
    flow = gf.RicciFlow(gauge="deturck")
    classical = end(flow, state, 1e-4, 4)
    apart = [end(KernelFlow(flow, Kronecker(GaussianKernel(s))), state, 1e-4, 4).distance(classical)
             / classical.distance(state) for s in (0.1, 0.05)]
    assert min(apart) > 0.05
