"""Each stepper converges in time with its order, in the maximum norm."""

from __future__ import annotations

import numpy as np
import pytest
from problems import Heat, LogDiffusion, pendulum, prothero_robinson

from geomflow.flow import RK4, RK23, RK45, RKC, ROS2, FixedStep, Rosenbrock, SemiImplicit, solve


def slope(steps, errors) -> float:
    """Least-squares slope of −log error against log steps."""
    return float(-np.polyfit(np.log(steps), np.log(errors), 1)[0])


@pytest.mark.parametrize(
    ("stepper", "steps"),
    [(RK4(), (80, 160, 320)), (RK23(), (160, 320, 640)), (RK45(), (80, 160, 320)), (RKC(), (320, 640, 1280)),
     (Rosenbrock(), (40, 80, 160))],
)
def test_steppers_on_a_nonlinear_system_with_the_time_in_it(stepper, steps):
    """(exp(sin t), cos 2t) to t = 5."""
    flow, exact = pendulum()
    errors = [np.abs(solve(flow, None, 5.0, stepper=stepper, control=FixedStep(5 / n)).last - exact(5.0)).max()
              for n in steps]  # fmt: skip
    assert slope(steps, errors) == pytest.approx(stepper.order, abs=0.15)


@pytest.mark.parametrize("stepper", [RKC(), SemiImplicit(), SemiImplicit(ROS2)])
@pytest.mark.parametrize(("half_order", "points", "end"), [(1, 256, 0.02), (2, 32, 0.001)])
def test_stiff_steppers_where_explicit_ones_fail(stepper, half_order, points, end):
    """Second- and fourth-order heat equations; even the finest step is three times the limit of RK4."""
    heat, steps = Heat(points, half_order), (160, 320, 640, 1280)
    assert end / steps[-1] * -heat.symbol[-1] > 3 * RK4().real_stability
    errors = [np.abs(solve(heat.flow(), None, end, stepper=stepper, control=FixedStep(end / n)).last
                     - heat.exact(end)).max() for n in steps]  # fmt: skip
    assert slope(steps, errors) == pytest.approx(stepper.order, abs=0.15)


def test_rosenbrock_on_a_stiff_nonlinear_system():
    """Ricci flow of a cylinder; even the finest step is three times the limit of RK45."""
    surface, counts = LogDiffusion(), (20, 40, 80)
    flow, exact = surface.flow(), surface.exact(2.0)
    fastest = np.abs(np.linalg.eigvals(flow.problem.jacobian(2.0, exact))).max()
    assert fastest / counts[-1] > 3 * RK45().real_stability
    errors = [np.abs(solve(flow, None, 2.0, t0=1.0, stepper=Rosenbrock(), control=FixedStep(1 / n)).last - exact).max()
              for n in counts]  # fmt: skip
    assert slope(counts, errors) == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize(("stiffness", "order"), [(1.0, 5), (1e6, 3)])
def test_rosenbrock_on_the_problem_of_prothero_and_robinson(stiffness, order):
    """Errors fall as dt⁵, and as dt⁴/(λ dt) where λ dt is large: that is the method's fourth order there."""
    counts = (10, 20, 40)
    flow = prothero_robinson(stiffness)
    errors = [abs(solve(flow, None, 2.0, stepper=Rosenbrock(), control=FixedStep(2 / n)).last[0] - np.sin(2.0))
              for n in counts]  # fmt: skip
    assert slope(counts, errors) == pytest.approx(order, abs=0.15)
    assert errors[0] < 1e-3 / stiffness


@pytest.mark.parametrize("strength", [0.8, 2.0])
def test_the_operator_of_the_semi_implicit_stepper_need_not_be_the_linearisation(strength):
    """Too weak by a fifth, or twice too strong: the order stays."""
    heat, steps = Heat(32, 2, strength), (160, 320, 640, 1280)
    errors = [np.abs(solve(heat.flow(), None, 0.001, stepper=SemiImplicit(), control=FixedStep(0.001 / n)).last
                     - heat.exact(0.001)).max() for n in steps]  # fmt: skip
    assert slope(steps, errors) == pytest.approx(3, abs=0.15)


@pytest.mark.parametrize("stepper", ["rk23", "rk45", "rkc", "semi-implicit", "rosenbrock"])
def test_a_smaller_tolerance_gives_a_smaller_error(stepper):
    """Error per step control: a thousandth of the tolerance gains at least a factor of thirty."""
    heat = Heat(32)
    loose, tight = (np.abs(solve(heat.flow(), None, 0.02, stepper=stepper, rtol=rtol).last - heat.exact(0.02)).max()
                    for rtol in (1e-4, 1e-7))  # fmt: skip
    assert tight < loose / 30
