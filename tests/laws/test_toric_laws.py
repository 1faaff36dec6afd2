"""Laws of toric surfaces: what changes of the lattice and blow-ups do, and derivatives against differences."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
from geomflow.field.toric.quadrature import boundary_rule, inner_rule
from geomflow.flow.toric.equations import Abreu, Logarithmic
from geomflow.symbolic.toric.integrals import extremal_affine, over_boundary, over_polygon

EPS = np.finfo(float).eps
MOVES = [((1, 0), (0, 1)), ((1, 1), (0, 1)), ((0, -1), (1, 0)), ((2, 1), (1, 1)), ((0, 1), (1, 0))]


def chopped(toric: gf.Toric, corner: int, share: Fraction) -> gf.Toric:
    """The blow-up at a corner, by a share of the shorter side there."""
    k = corner % len(toric.vertices)
    before, after = toric.edges[k - 1], toric.edges[k]
    size = share * min(before.length, after.length)
    n = (before.normal[0] + after.normal[0], before.normal[1] + after.normal[1])
    sides = list(zip(toric.normals, toric.constants, strict=True))
    return gf.Toric([(*m, c) for m, c in [*sides, (n, before.constant + after.constant - size)]])


def moved(toric: gf.Toric, move: tuple, shift: tuple) -> gf.Toric:
    (a, b), (c, d) = move
    return gf.Toric([(a * x + b * y + shift[0], c * x + d * y + shift[1]) for x, y in toric.vertices])


small = st.integers(1, 4).map(lambda k: Fraction(k, 6))
simple = st.builds(gf.Toric, st.sampled_from(["CP2", "CP1xCP1", "dP1", "dP2", "dP3", "F2"]))
surfaces = st.one_of(simple, st.builds(chopped, simple, st.integers(0, 5), small))
moves = st.sampled_from(MOVES)
shifts = st.tuples(st.integers(-3, 3), st.integers(-3, 3))
powers = st.tuples(st.integers(0, 3), st.integers(0, 3))


@given(surfaces, moves, shifts)
@settings(max_examples=30)
def test_changes_of_the_lattice_keep_what_is_invariant(toric, move, shift):
    other = moved(toric, move, shift)
    assert (other.area, other.boundary) == (toric.area, toric.boundary)
    assert sorted(other.self_intersections) == sorted(toric.self_intersections)
    assert len(other.symmetries) == len(toric.symmetries)
    assert other.stability.stable == toric.stability.stable
    assert other.class_end == toric.class_end
    (a, b), (c, d) = move
    first, second = toric.futaki
    assert other.futaki == (a * first + b * second, c * first + d * second)


@given(simple, st.integers(0, 5), small)
@settings(max_examples=30)
def test_blow_ups_take_a_triangle_off(toric, corner, share):
    k = corner % len(toric.vertices)
    size = share * min(toric.edges[k - 1].length, toric.edges[k].length)
    blown = chopped(toric, corner, share)
    assert blown.area == toric.area - size**2 / 2
    assert blown.boundary == toric.boundary - size
    assert sum(blown.self_intersections) == sum(toric.self_intersections) - 3
    assert sum(toric.self_intersections) == 12 - 3 * len(toric.vertices)  # Noether


@given(surfaces)
@settings(max_examples=30)
def test_affine_functions_are_worth_nothing(toric):
    s = extremal_affine(toric.polygon)
    for i, j in [(0, 0), (1, 0), (0, 1)]:
        weighted = {(i + 1, j): s.a, (i, j + 1): s.b, (i, j): s.c}
        assert over_boundary(toric.polygon, {(i, j): Fraction(1)}) == over_polygon(toric.polygon, weighted)


@given(surfaces, powers)
@settings(max_examples=30)
def test_rules_are_exact_for_polynomials(toric, exponents):
    """Against exact integrals, over the whole and over one triangle of each orbit for functions that are kept."""
    for exact, rule in [(over_polygon, inner_rule(toric.polygon, toric.symmetries[:1], 4)),
                        (over_boundary, boundary_rule(toric.polygon, 4))]:
        values = rule.points[:, 0] ** exponents[0] * rule.points[:, 1] ** exponents[1]
        wanted = float(exact(toric.polygon, {exponents: Fraction(1)}))
        assert abs(rule.weights @ values - wanted) < 100 * EPS * (rule.weights @ np.abs(values))
    kept = inner_rule(toric.polygon, toric.symmetries, 4)
    assert abs(kept.weights.sum() - float(toric.area)) < 100 * EPS * float(toric.area)


@given(surfaces)
@settings(max_examples=8, deadline=None)
def test_polynomials_are_orthonormal(toric):
    found = toric.grid(12).polynomials
    rule = found.polygon_rule
    values = found.jets(rule.points)[0]
    assert np.abs(values.T @ (rule.weights[:, None] * values) - np.eye(found.size)).max() < 1e-11


@given(surfaces, st.integers(0, 2**31))
@settings(max_examples=8, deadline=None)
def test_derivatives_are_those_of_the_equations(toric, seed):
    """Exact slopes against symmetric differences, whose error is of the second order in their step."""
    grid = toric.grid(4)
    h, change = np.random.default_rng(seed).normal(size=(2, grid.size)) * 1e-3
    log, weak, step = Logarithmic(grid, 0.7, (0.1, 0.2), (0.3, -0.1)), Abreu(grid), 1e-3
    for values, slopes in [(lambda h: log.values(h, log.own), log.slopes(h, log.own)), (weak.values, weak.slopes(h))]:
        by_differences = (values(h + step * change) - values(h - step * change)) / (2 * step)
        exact = slopes @ change
        assert np.abs(by_differences - exact).max() < 1e-5 * np.abs(exact).max() + 1e-9
    by_differences = (weak.energy(h + step * change) - weak.energy(h - step * change)) / (2 * step)
    assert abs(by_differences + weak.values(h) @ change) < 1e-6 * np.abs(change).max() * (1 + abs(weak.energy(h)))


@given(st.sampled_from(["dP1", "dP2"]), moves, shifts)
@settings(max_examples=4, deadline=None)
def test_solitons_are_the_same_in_other_coordinates(name, move, shift):
    toric = gf.Toric(name)
    other = moved(toric, move, shift)
    own, there = toric.soliton(6), other.soliton(6)
    assert abs(own.perelman_density - there.perelman_density) < 1e-12
    assert np.abs(own.spectrum(3) - there.spectrum(3)).max() < 1e-9  # places and polynomials move along


