"""Necks and bumps of metrics with symmetry against closed forms, and what is said of wrong ones."""

from math import asin, pi, sqrt

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError, UnknownNameError


@pytest.mark.parametrize(("a", "n"), [(0.6, 48), (0.8, 80), (0.9, 128)])
def test_the_neck_and_the_bumps_of_a_dumbbell(a: float, n: int) -> None:
    """ψ = sin x √(1 − a sin²x) has a neck √(1 − a) at π/2 and bumps 1/(2√a) where sin²x = 1/(2a)."""
    state = gf.catalogue.ansatz("sphere", n=2).grid(n).state(chi="1", psi=f"sin(x)*sqrt(1 - {a}*sin(x)^2)")
    places, radii = state.necks("psi")
    assert places == pytest.approx([pi / 2], abs=1e-11)
    assert radii == pytest.approx([sqrt(1 - a)], rel=1e-9)
    places, radii = state.bumps("psi")
    top = asin(1 / sqrt(2 * a))
    assert places == pytest.approx([top, pi - top], abs=1e-8)
    assert radii == pytest.approx([1 / (2 * sqrt(a))] * 2, rel=1e-9)


def test_extrema_on_a_circle_and_at_even_ends() -> None:
    """On a circle one at 0 is found too; a join's circles are largest where the other ones close."""
    tube = gf.catalogue.ansatz("sphere-circle", n=2).grid(64).state(chi="1", psi="2 + cos(x)")
    assert tube.necks("psi").places == pytest.approx([pi], abs=1e-12)
    assert tube.bumps("psi").places % (2 * pi) == pytest.approx([0], abs=1e-12)
    assert tube.bumps("psi").values == pytest.approx([3], rel=1e-14)
    join = gf.catalogue.ansatz("join", p=1, q=1).grid(16).state(chi="1", psi1="sin(x)", psi2="cos(x)")
    assert join.bumps("psi1").places == pytest.approx([pi / 2], abs=1e-12)
    assert join.bumps("psi2").places == pytest.approx([0], abs=1e-12)
    assert not len(join.necks("psi1").places)
    assert not len(join.necks("psi2").values)


def test_nothing_is_seen_in_the_rounding_of_a_cylinder() -> None:
    tube = gf.catalogue.ansatz("sphere-circle", n=2).grid(24).state(chi="1 + sin(x)/3", psi="sqrt(2)")
    assert not len(tube.necks("psi").places)
    assert not len(tube.bumps("psi").places)


def test_what_has_no_necks_is_said() -> None:
    with pytest.raises(InputError, match="functions of one coordinate, and 'A'"):
        gf.catalogue.ansatz("su2").state(A=1, B=2, C=3).necks("A")
    state = gf.catalogue.ansatz("sphere", n=2).grid(16).state(chi="1", psi="sin(x)")
    with pytest.raises(UnknownNameError, match="unknown 'phi'"):
        state.necks("phi")
    assert np.isfinite(state.bumps("psi").values).all()
