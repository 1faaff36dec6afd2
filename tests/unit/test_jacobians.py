"""Problems that bring their Jacobian: what uses it, and what it must be."""

from __future__ import annotations

import numpy as np
import pytest
from problems import ode

from geomflow.flow.linear import Linearised

MATRIX = np.array([[-1.0, 3.0], [0.0, -4.0]])


def test_a_linearised_problem_takes_its_jacobian():
    """To the bit, at its time; differences would err by some 1e-11."""
    problem = ode(lambda t, y: np.exp(t) * MATRIX @ y, [0.3, 0.1], jacobian=lambda t, y: np.exp(t) * MATRIX).problem
    linear, change = Linearised(problem, 0.7), np.array([0.2, 0.5])
    assert np.array_equal(linear.matrix, np.exp(0.7) * MATRIX)
    assert np.array_equal(linear.apply(change), linear.matrix @ change)
    assert linear.apply(change[:, None]).shape == (2, 1)
    assert linear.spectrum(2) == pytest.approx(np.exp(0.7) * np.array([-1.0, -4.0]), rel=1e-14)
