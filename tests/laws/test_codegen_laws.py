"""Laws of generated code over random expressions."""

import mpmath
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from precision import mpmath_arithmetic

from geomflow.codegen import compile_points
from geomflow.core import graph as gr

LEAVES = [gr.symbol("x"), gr.symbol("y"), gr.jet("u", (1, 0))]


def _grow(parts):
    """Larger expressions whose values stay in the domain of every function for leaves in (1/2, 2)."""
    pairs = st.tuples(parts, parts)
    return st.one_of(
        pairs.map(lambda p: p[0] + 2 * p[1]),
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: p[0] / (1 + p[1] ** 2)),
        parts.map(lambda e: gr.log(1 + e**2)),
        parts.map(lambda e: gr.sqrt(1 + e**2)),
        parts.map(lambda e: gr.sin(e)),
        parts.map(lambda e: gr.exp(-gr.sqrt(1 + e**2))),
        parts.map(lambda e: 3 - e),
    )


expressions = st.recursive(st.sampled_from(LEAVES), _grow, max_leaves=12)


@settings(max_examples=10)
@given(st.lists(expressions, min_size=4, max_size=8), st.integers(0, 2**32 - 1))
def test_compiled_equals_exact_evaluation(outputs, seed):
    values = np.random.default_rng(seed).uniform(0.5, 2, (3, 4))
    compiled = compile_points(outputs, LEAVES)(*values)
    arithmetic = mpmath_arithmetic(40)
    for p in range(4):
        exact = gr.evaluate(outputs, {leaf: mpmath.mpf(v) for leaf, v in zip(LEAVES, values[:, p])}, arithmetic)
        scale = [max(1.0, abs(float(e))) for e in exact]
        assert all(abs(float(e - c)) <= 1e-12 * s for e, c, s in zip(exact, compiled[p], scale))
