"""Networks of every output scale: the flow itself, its lazy limit with the expected exponents, and its rich end."""

import numpy as np
import pytest

from geomflow.networks import Perceptron
from geomflow.study import LazyToRich
from geomflow.study import lazy_to_rich as study
from geomflow.study.seeds import exponent
from geomflow.study.together import descended, passed

FEATURES = study.EMBEDDING.values(study.SEEN)
VALUES = study.target(study.SEEN)


def networks(width, count=2):
    network = Perceptron(4, (width,), 1, "erf", "ntk", study.WEIGHT_STD, study.BIAS_STD, study.EMBEDDING)
    return network, np.random.default_rng(7).standard_normal((count, network.size))


@pytest.mark.parametrize("alpha", [0.25, 4.0])
def test_the_flow_is_that_of_descent_in_small_steps(alpha):
    """½ Σ (α (h − h_0) − y)²/α² = ½ Σ (h − (h_0 + y/α))²: plain descent to other values, extrapolated to no step."""
    network, theta = networks(6)
    shifted = passed(network, theta, FEATURES).values + VALUES / alpha
    coarse, fine = (descended(network, theta, FEATURES, shifted, steps, study.TIME / steps) for steps in (4000, 8000))
    found = study.flowed(network, theta, FEATURES, VALUES, alpha)
    values = [alpha * passed(network, each, FEATURES).values for each in (found, coarse, fine)]
    assert np.abs(values[0] - (2 * values[2] - values[1])).max() < 5e-3


def test_networks_of_large_output_are_linear():
    network, theta = networks(64)
    end = study.flowed(network, theta, FEATURES, VALUES, 1e5)
    unseen = study.EMBEDDING.values(study.UNSEEN)
    values = 1e5 * (passed(network, end, unseen).values - passed(network, theta, unseen).values)
    np.testing.assert_allclose(values, study.linear(network, theta), atol=2 * study.RTOL)


def rows(activation, width, alphas):
    cells = [{"activation": activation, "width": width, "alpha": alpha, "networks": 2, "seed": 5} for alpha in alphas]
    return [LazyToRich().measure(cell) for cell in cells]


@pytest.mark.parametrize("activation, expected", [("erf", -1.0), ("relu", -0.5)])
def test_lazy_networks_leave_their_linearisation_as_powers_of_the_scale(activation, expected):
    """1/α where the activation is smooth; with ReLU a share 1/α of the neurons crosses kinks, to both sides."""
    alphas = [4.0, 8.0, 16.0, 32.0]
    found = rows(activation, 128, alphas)
    for name in ("drift", "frozen"):
        assert abs(exponent(alphas, [row[name] for row in found]) - expected) < 0.15


def test_rich_networks_know_the_scale_times_the_root_of_the_width_alone():
    """Kernels move by their own size at α √N = 2 and widths a factor of 8 apart, alike to 3/2; α = 2 is lazy."""
    narrow, wide = (rows("erf", width, [2 / np.sqrt(width), 2.0]) for width in (32, 256))
    for row in (narrow[0], wide[0]):
        assert 0.5 < row["drift"] < 2
    assert 2 / 3 < narrow[0]["drift"] / wide[0]["drift"] < 3 / 2
    assert max(narrow[1]["drift"], wide[1]["drift"]) < 0.1


def test_rich_networks_find_the_direction():
    """ReLU: lazy networks err as infinite width does, rich ones far less, though both have learned their values."""
    rich, lazy = rows("relu", 256, [1 / 16, 16.0])
    infinite = np.linalg.norm(study.predicted("relu") - study.target(study.UNSEEN))
    infinite /= np.linalg.norm(study.target(study.UNSEEN))
    assert rich["error"] < 0.8 * infinite
    assert abs(lazy["error"] / infinite - 1) < 0.1
    assert max(rich["left"], lazy["left"]) < 0.15
