"""Points drawn to an end of a span: places, derivatives and integrals by a Möbius map, exactly."""

import mpmath as mp
import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.field.bases.open_ends import GivenTwice
from geomflow.field.bases.pulled import Pulled

PLACES = [((0.0, 0.7),), ((np.pi, 0.7),), ((0.0, 1.5),)]


@pytest.mark.parametrize("places", PLACES)
def test_places_are_those_of_the_map_to_their_last_digits(places):
    basis, ((end, kappa),) = Pulled(40, 0.0, 1.0, None, places), places
    with mp.workdps(40):
        pull = mp.exp(-mp.mpf(kappa) if end == 0 else mp.mpf(kappa))
        wanted = [2 * mp.sin(mp.atan(pull * mp.tan(mp.mpf(y) / 2))) ** 2
                  for y in (GivenTwice(40, 0.0, 1.0).eta.value.tolist())]
    assert basis.from_start == pytest.approx([float(w) for w in wanted], rel=1e-13)
    assert basis.from_end == pytest.approx(2 - basis.from_start, abs=1e-15)
    assert basis.x[0] == pytest.approx(basis.from_start / 2, rel=1e-15)
    assert (np.diff(basis.x[0]) > 0).all()
    share = 1 / (1 + np.exp(2 * kappa))
    inside = basis.x[0] < share if end == 0 else basis.x[0] > 1 - share
    assert inside.sum() == 20


@pytest.mark.parametrize("places", PLACES)
def test_functions_of_the_map_are_differentiated_integrated_and_evaluated(places):
    """Of polynomials in η, which is ξ ↦ (ξ − m)/(1 − mξ): d/dξ by 40 digits."""
    basis, ((end, kappa),) = Pulled(32, 0.0, 1.0, None, places), places
    m = mp.tanh(mp.mpf(kappa if end == 0 else -kappa))

    def function(xi):
        return ((xi - m) / (1 - m * xi)) ** 3

    xi = basis.points[0]
    with mp.workdps(40):
        exact = np.array([[float(d) for d in mp.diffs(function, mp.mpf(float(s)), 2)] for s in xi]).T
        whole = float(mp.quad(lambda x: function(1 - 2 * x), [0, 0.01, 0.1, 0.9, 0.99, 1]))
        places_at = [0.0, 0.013, 0.5, 0.98, 1.0]
        values = [float(function(1 - 2 * mp.mpf(x))) for x in places_at]
    for times in (0, 1, 2):
        found = basis.derivative((times,)) @ exact[0]
        assert found == pytest.approx(exact[times], abs=1e-13 * 32 ** (2 * times) * np.exp(2 * times * kappa))
    assert basis.weights @ exact[0] == pytest.approx(whole, abs=1e-14)
    assert basis.at(places_at) @ exact[0] == pytest.approx(values, abs=1e-13)


def test_a_grid_on_a_span_is_drawn_to_an_end_and_says_what_it_cannot():
    ball = gf.catalogue.ansatz("momentum-ball", n=2)
    state = ball.grid(48, places=[(0, 1)]).state(F="y*(b-y)/b", b=2)
    assert state.volume() == pytest.approx(2 * np.pi**2 * 4, rel=1e-13)
    assert state.scalar_at([0.0, 1.0, 2.0]) == pytest.approx([6.0] * 3, rel=1e-8)
    assert state.grid.resized([64]).basis == Pulled(64, 0.0, 1.0, 48, ((0.0, 1.0),))
    for places in ([(1.0, 1)], [(0, 1), (np.pi, 1)]):
        with pytest.raises(InputError, match="one of them"):
            ball.grid(48, places=places)
    with pytest.raises(InputError, match="too strongly to X = 0 for 24"):
        ball.grid(24, places=[(0, 4)])
