"""Laws of runs of warped spheres at random: volume, scale, gauges, and one flow in two spellings."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
from geomflow.field.reduced.state import ReducedState

RICCI, DETURCK = gf.RicciFlow(), gf.RicciFlow(gauge="deturck")
END = 0.02


@dataclass(frozen=True)
class Profile:
    """χ = e^L, ψ = sin x e^{L + w sin²x}, smooth at both poles."""

    n: int
    along: tuple[float, float]
    across: tuple[float, float]

    def state(self, points: int, scale: str = "1") -> ReducedState:
        """The metric, lengths times `scale`."""
        length = f"{self.along[0]!r}*cos(x) + {self.along[1]!r}*cos(x)^2"
        bulge = f"sin(x)^2*({self.across[0]!r} + {self.across[1]!r}*cos(x))"
        grid = gf.catalogue.ansatz("sphere", n=self.n).grid(points)
        return grid.state(chi=f"{scale}*exp({length})", psi=f"{scale}*sin(x)*exp({length} + {bulge})")


sizes = st.integers(-20, 20).map(lambda k: k / 100)
profiles = st.builds(Profile, st.sampled_from([1, 2, 3]), st.tuples(sizes, sizes), st.tuples(sizes, sizes))


@settings(max_examples=4)
@given(profiles, st.sampled_from([RICCI, DETURCK]))
def test_volume_falls_by_the_total_curvature_along_runs(profile: Profile, flow: gf.Flow) -> None:
    """dV/dt = −∫R dV, in any gauge, by central differences of two steps along the rate, extrapolated."""
    sol = gf.solve(flow, profile.state(40), END, save_at=2)
    for state in sol.states:
        problem = flow.bind(state)
        rate = np.empty_like(problem.y0)
        problem.rate(0.0, problem.y0, rate)
        step = 1e-3 / np.abs(rate).max()

        def slope(h: float, problem=problem, rate=rate) -> float:
            high, low = (problem.unpack(problem.y0 + s * h * rate).volume() for s in (1, -1))
            return (high - low) / (2 * h)

        assert (4 * slope(step / 2) - slope(step)) / 3 == pytest.approx(-state.integral("R"), rel=1e-8)


@settings(max_examples=4)
@given(profiles, st.sampled_from([2, 5]))
def test_lengths_scale_times_by_their_square(profile: Profile, scale: int) -> None:
    one = gf.solve(RICCI, profile.state(32), END)
    two = gf.solve(RICCI, profile.state(32, str(scale)), END * scale**2)
    assert two["volume"][-1] == pytest.approx(scale ** (profile.n + 1) * one["volume"][-1], rel=1e-9)
    for name in ("curvature_min", "curvature_max", "riemann_max"):
        assert two[name][-1] * scale**2 == pytest.approx(one[name][-1], rel=1e-8)


@settings(max_examples=4)
@given(profiles)
def test_gauges_have_the_same_geometry(profile: Profile) -> None:
    one, two = (gf.solve(flow, profile.state(40), END) for flow in (RICCI, DETURCK))
    for name in ("volume", "total_curvature", "curvature_min", "curvature_max", "riemann_max"):
        assert two[name][-1] == pytest.approx(one[name][-1], rel=1e-6)


@settings(max_examples=3)
@given(profiles)
def test_a_typed_flow_is_the_named_one_to_the_bit(profile: Profile) -> None:
    start = profile.state(24)
    one, two = (gf.solve(flow, start, END) for flow in (RICCI, gf.Flow.from_expression("-2*Ric")))
    assert np.array_equal(one.last.packed, two.last.packed)
    assert np.array_equal(one["volume"], two["volume"])
