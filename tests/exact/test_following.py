"""Points that follow necks and tips: maps between points, states placed anew, and runs that go on through it."""

import mpmath as mp
import numpy as np
import pytest
from problems import same

import geomflow as gf
from geomflow.core.outcome import OutcomeKind
from geomflow.field.bases.grading import SHARE, Grading
from geomflow.field.bases.polynomials import Angles
from geomflow.flow.reduced.binding import follower, rates_in

SPHERE = gf.catalogue.ansatz("sphere", n=2)
PEANUT = "sin(x)*sqrt(1 - 84/100*sin(x)^2)"


@pytest.mark.parametrize("places", [[], [(0.0, 1e-5), (np.pi, 1e-3)], [(0.0, 0.3), (1.1, 1e-4), (np.pi, 2.0)]])
def test_gradings_are_integrals_of_their_density_to_the_last_digits(places):
    """Y(S) by quadrature in 30 digits, near the ends too."""
    turns = np.array([1e-7, 1e-3, 0.4, 1.0, 2.0, 3.0, np.pi - 1e-4])
    shares = np.array([place for place, _ in places]), np.array([width for _, width in places])
    grading = Grading(*shares)
    found = grading.positions(Angles.of(turns))
    with mp.workdps(30):
        def density(s):
            return 1 + sum(mp.mpf(SHARE * (1 - w)) / mp.sqrt(mp.mpf(w)**2 + 4 * mp.sin((s + sign * mp.mpf(p)) / 2)**2)
                           for p, w in places if w < 1 for sign in (-1, 1))

        def integral(a, b):
            away = [p + w * np.sign(k) * 4.0**abs(k) for p, w in places for k in range(-8, 9)]
            return mp.quad(density, [a, *sorted(c for c in set(away) if a < c < b), b])

        whole = integral(0, float(mp.pi))
        for turn, near, far in zip(turns, found.near, found.far, strict=True):
            here = integral(0.0, float(near)) if not far else integral(np.pi - float(near), float(mp.pi))
            assert here / whole * mp.pi == pytest.approx(np.pi - turn if far else turn, rel=1e-11)


def test_a_state_placed_anew_is_the_same_metric():
    """A sphere with a sharp tip, R = 294 at it, on 200 points: what is measured does not change."""
    state = SPHERE.grid(200).state(chi="1", psi="sin(x)*exp(-8*sin(x)^2*(1 + cos(x))^2/4)")
    again = state.unpack(follower(state.grid).placed(state.pack()))
    assert np.ptp(np.log(again["chi"])) > 1
    for text in ("1", "R", "R^2"):
        assert again.integral(text) == pytest.approx(state.integral(text), rel=1e-10)
    assert again.scalar_at([0.0])[0] == pytest.approx(state.scalar_at([0.0])[0], rel=1e-8)
    assert again.bumps("psi").values == pytest.approx(state.bumps("psi").values, rel=1e-11)


def test_jacobians_hold_where_points_are_not_spread_evenly():
    """Against central differences, along a smooth direction."""
    grid = SPHERE.grid(24)
    rates = rates_in("arclength", grid, SPHERE.reduce(gf.RicciFlow()))
    xi = grid.basis.points[0]
    fields = np.array([0.3 * xi + 0.5 * xi**2 - 0.2 * xi**3, 0.1 - 0.2 * xi + 0.3 * xi**2])
    change = np.array([xi**2 - 0.7 * xi**3, 0.4 + xi - xi**3])

    def rate(y):
        rates.rate(0.0, y, out := np.empty_like(y))
        return out

    differences = [(rate(fields + step * change) - rate(fields - step * change)) / (2 * step) for step in (2e-3, 1e-3)]
    slope = (4 * differences[1] - differences[0]) / 3
    assert rates.jacobian(0.0, fields) @ change.ravel() == pytest.approx(slope.ravel(), abs=1e-9 * np.abs(slope).max())


@pytest.mark.parametrize("n", [2, 3])
def test_no_mode_grows_that_the_equation_does_not_have_where_points_are_drawn_to_poles(n):
    """About a round sphere, e^{2nt} from g' = −2n g, its points a thousand times denser at the poles than away."""
    ansatz = gf.catalogue.ansatz("sphere", n=n)
    grid, steep = ansatz.grid(96), Grading(np.array([0.0, np.pi]), np.array([1e-3, 1e-3]))
    shares = steep.positions(grid.basis.eta)
    state = grid.state(chi=steep.speed(shares.value), psi=np.sin(shares.near))
    assert np.ptp(np.log(state["chi"])) > 6
    rates = rates_in("arclength", grid, ansatz.reduce(gf.RicciFlow()))
    assert np.linalg.eigvals(rates.jacobian(0.0, state.pack())).real.max() == pytest.approx(2 * n, rel=1e-4)


def test_a_run_keeps_the_shares_of_the_length():
    """log χ differs from what it was by one number, and the metric is the one that runs with x ∝ arclength."""
    stretched = SPHERE.grid(48).state(chi="1 + cos(x)/4", psi="(1 + cos(x)/4)*sin(x)*exp(sin(x)^2/9)")
    rates = rates_in("arclength", stretched.grid, SPHERE.reduce(gf.RicciFlow()))
    rates.rate(0.0, stretched.pack(), rate := np.empty_like(stretched.packed))
    assert np.ptp(rate[0]) < 1e-12 * np.abs(rate[1]).max()


@pytest.mark.slow
def test_tips_are_followed_and_runs_resumed_where_points_were_placed_anew(tmp_path):
    """A peanut near the threshold, whose tips get sharp: points are placed anew several times."""
    state = SPHERE.grid(64).state(chi="1", psi=PEANUT)
    fat = gf.Event("fat", lambda t, state: state.scalar_at([0.0])[0] - 20000)
    single = gf.solve(gf.RicciFlow(), state, 1.0, rtol=1e-8, events=fat)
    assert single.outcome.kind is OutcomeKind.finished
    assert np.ptp(np.log(single.last["chi"])) > 1
    assert single["tail"].max() < 1e-6
    path = tmp_path / "run"
    for steps in (single.steps // 3, 2 * single.steps // 3):
        gf.solve(gf.RicciFlow(), state, 1.0, rtol=1e-8, events=fat, max_steps=steps, store=path, resume=path.exists())
    assert same(gf.solve(gf.RicciFlow(), state, 1.0, rtol=1e-8, events=fat, store=path, resume=True), single)
