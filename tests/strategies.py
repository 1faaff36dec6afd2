"""Hypothesis strategies that several tests share."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

seeds = st.integers(min_value=0, max_value=2**32 - 1)

amplitudes = st.floats(min_value=0.05, max_value=0.4)


@st.composite
def automorphisms(draw, dim, length=2):
    """Matrices of SL(dim, Z): products of up to `length` elementary shears."""
    matrix = np.eye(dim, dtype=int)
    for _ in range(draw(st.integers(min_value=1, max_value=length))):
        i, j = draw(st.permutations(range(dim)))[:2]
        shear = np.eye(dim, dtype=int)
        shear[i, j] = draw(st.sampled_from((-1, 1)))
        matrix = matrix @ shear
    return matrix
