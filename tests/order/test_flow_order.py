"""Each stepper converges in time with its order, in the maximum norm."""

from __future__ import annotations

import numpy as np
import pytest
from problems import Heat, pendulum

from geomflow.flow import RK4, RK23, RK45, RKC, ROS2, FixedStep, SemiImplicit, solve


def slope(steps, errors) -> float:
    """Least-squares slope of −log error against log steps."""
    return float(-np.polyfit(np.log(steps), np.log(errors), 1)[0])


@pytest.mark.parametrize(
    ("stepper", "steps"),
    [(RK4(), (80, 160, 320)), (RK23(), (160, 320, 640)), (RK45(), (80, 160, 320)), (RKC(), (320, 640, 1280))],
)
def test_explicit_steppers_on_a_nonlinear_system(stepper, steps):
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


@pytest.mark.parametrize("strength", [0.8, 2.0])
def test_the_operator_of_the_semi_implicit_stepper_need_not_be_the_linearisation(strength):
    """Too weak by a fifth, or twice too strong: the order stays."""
    heat, steps = Heat(32, 2, strength), (160, 320, 640, 1280)
    errors = [np.abs(solve(heat.flow(), None, 0.001, stepper=SemiImplicit(), control=FixedStep(0.001 / n)).last
                     - heat.exact(0.001)).max() for n in steps]  # fmt: skip
    assert slope(steps, errors) == pytest.approx(3, abs=0.15)


@pytest.mark.parametrize("stepper", ["rk23", "rk45", "rkc", "semi-implicit"])
def test_a_smaller_tolerance_gives_a_smaller_error(stepper):
    """Error per step control: a thousandth of the tolerance gains at least a factor of thirty."""
    heat = Heat(32)
    loose, tight = (np.abs(solve(heat.flow(), None, 0.02, stepper=stepper, rtol=rtol).last - heat.exact(0.02)).max()
                    for rtol in (1e-4, 1e-7))  # fmt: skip
    assert tight < loose / 30
