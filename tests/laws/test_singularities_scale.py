"""The singularity of a metric made larger by c comes c times later, and is the same in all else."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf

SU2 = gf.catalogue.ansatz("su2")
sizes = st.integers(50, 200).map(lambda k: Fraction(k, 100))
scales = st.integers(1, 10_000).map(lambda k: Fraction(k, 100))


def met(a: Fraction, b: Fraction, c: Fraction):
    state = SU2.state(A=str(a), B=str(b), C=str(c))
    return gf.solve(gf.RicciFlow(), state, 1e4, rtol=1e-8).singularity


@settings(max_examples=6, deadline=None)
@given(sizes, sizes, sizes, scales)
def test_times_scale_as_the_metric(a, b, c, scale):
    one, other = met(a, b, c), met(scale * a, scale * b, scale * c)
    assert abs(other.time - float(scale) * one.time) <= other.error + float(scale) * one.error
    assert other.error == pytest.approx(float(scale) * one.error, rel=0.5)
    assert other.scale == pytest.approx(one.scale, rel=1e-5)
    assert (one.kind, one.rate) == (other.kind, other.rate) == ("extinction", "type I")


@settings(max_examples=6, deadline=None)
@given(sizes, sizes, sizes)
def test_names_of_axes_do_not_matter(a, b, c):
    one, other = met(a, b, c), met(c, a, b)
    assert abs(one.time - other.time) <= one.error + other.error
