"""The parts of solve one by one: tableaus, stops, controls, work arrays, memory."""

from __future__ import annotations

import math
from functools import cache

import numba
import numpy as np
import pytest
from problems import Heat, decay

from geomflow.core import memory
from geomflow.core.errors import InputError, MemoryLimitError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.flow import (
    RK4,
    RK23,
    RK45,
    RKC,
    ROS2,
    ROS34PW2,
    ErrorControl,
    FixedStep,
    Rosenbrock,
    StabilityBound,
    solve,
)
from geomflow.flow.control import ControllerState
from geomflow.flow.cursor import Cursor, Workspace, combine
from geomflow.flow.plan import next_time, stop_times
from geomflow.flow.steppers.rodas import RODAS5P
from geomflow.flow.steppers.scipy_stiff import Legs


def matrix(rows, size):
    """Rows below the diagonal as a square matrix."""
    full = np.zeros((size, size))
    for i, row in enumerate(rows):
        full[i, : len(row)] = row
    return full


@pytest.mark.parametrize("method", [RK4(), RK23(), RK45()])
def test_runge_kutta_tableaus_satisfy_the_order_conditions(method):
    """Σb c^(q−1) = 1/q to the order, for the embedded weights to theirs; Σ_j a_ij = c_i; b·a·c = 1/6."""
    tableau = method.tableau
    b, c, a = np.array(tableau.b), np.array(tableau.c), matrix(tableau.a, len(tableau.b))
    assert np.allclose(a.sum(axis=1), c, atol=1e-14)
    assert b @ a @ c == pytest.approx(1 / 6, abs=1e-14)
    for q in range(1, method.order + 1):
        assert b @ c ** (q - 1) == pytest.approx(1 / q, abs=1e-14)
    if method.estimate_order:
        for q in range(1, method.estimate_order + 1):
            assert np.array(tableau.embedded) @ c ** (q - 1) == pytest.approx(1 / q, abs=1e-14)
    assert tableau.first_same_as_last is method.rate_known


@pytest.mark.parametrize("method", [RK4(), RK23(), RK45()])
def test_the_stability_interval_of_an_explicit_method(method):
    tableau = method.tableau
    b, a = np.array(tableau.b), matrix(tableau.a, len(tableau.b))

    def growth(z):
        return abs(1 + z * b @ np.linalg.solve(np.eye(len(b)) - z * a, np.ones(len(b))))

    assert all(growth(-s) <= 1 + 1e-9 for s in np.linspace(0.01, method.real_stability, 200))
    assert growth(-1.01 * method.real_stability) > 1
    assert all(growth(1j * s) <= 1 + 1e-9 for s in np.linspace(0.01, method.imaginary_stability, 200))
    assert growth(1.01j * method.imaginary_stability) > 1
    angles, safety = np.linspace(np.pi / 2, np.pi, 50), StabilityBound().safety
    for z in np.exp(1j * angles):
        assert growth(safety * method.stable_step(1.0, z.imag) * z) <= 1


@pytest.mark.parametrize("tableau", [ROS34PW2, ROS2])
@pytest.mark.parametrize("ratio", [0.3, 0.7, 1.0, 1.5])
def test_semi_implicit_methods_do_not_let_oscillations_grow(tableau, ratio):
    """True eigenvalues iθω where L has iω: as on the negative real axis, to a thousandth a step."""
    assert all(abs(rosenbrock_growth(tableau, 1j * ratio * w, 1j * w)) <= 1.001 for w in np.logspace(-2, 5, 200))


def rosenbrock_growth(tableau, z, w):
    """The factor by which a step multiplies a mode with true eigenvalue z/dt where L has w/dt."""
    method, stages = tableau.transformed(), []
    for i in range(len(tableau.b)):
        inner = 1 + sum(a * u for a, u in zip(method.a[i], stages, strict=False))
        coupled = sum(c * u for c, u in zip(method.couplings[i], stages, strict=False))
        stages.append(tableau.gamma * (z * inner + coupled) / (1 - tableau.gamma * w))
    return 1 + sum(b * u for b, u in zip(method.b, stages, strict=True))


@pytest.mark.parametrize(("tableau", "strongest"), [(ROS34PW2, 1.5), (ROS2, 6.8)])
def test_semi_implicit_methods_damp_what_their_operator_misses(tableau, strongest):
    """No growth for any step and any ratio of true to implicit eigenvalue up to the documented one; L-stable at 1."""
    for ratio in np.linspace(0, strongest, 60):
        for w in -np.logspace(-3, 9, 100):
            assert abs(rosenbrock_growth(tableau, ratio * w, w)) <= 1 + 1e-12
    assert abs(rosenbrock_growth(tableau, -1e9, -1e9)) < 1e-6
    damping = [abs(rosenbrock_growth(tableau, -ratio * 1e9, -1e9)) for ratio in np.linspace(0.2, 1.5, 50)]
    assert max(damping) < 0.8
    assert rosenbrock_growth(tableau, -1e-3, -1e-3) == pytest.approx(np.exp(-1e-3), abs=2 * 1e-3 ** (tableau.order + 1))


@cache
def trees(size):
    """The rooted trees of so many vertices, each the sorted tuple of its branches."""
    if size == 1:
        return {()}
    return {tuple(sorted((*tree, branch))) for n in range(1, size) for tree in trees(size - n) for branch in trees(n)}


def vertices(tree):
    return 1 + sum(map(vertices, tree))


def density(tree):
    return vertices(tree) * math.prod(map(density, tree))


def elementary_weights(tree, alpha, beta):
    """Φ_i: at a vertex with one branch the sums are over β_ij, with more over α_ij (Hairer and Wanner II, (7.13))."""
    coupled = beta if len(tree) == 1 else alpha
    return math.prod((coupled @ elementary_weights(branch, alpha, beta) for branch in tree), start=np.ones(len(alpha)))


@pytest.mark.parametrize(("method", "order", "estimate_order"), [
    (RODAS5P, Rosenbrock.order, Rosenbrock.estimate_order),
    *((tableau.transformed(), tableau.order, tableau.estimate_order) for tableau in (ROS34PW2, ROS2))])
def test_rosenbrock_methods_satisfy_the_order_conditions(method, order, estimate_order):
    """Σ b_i Φ_i(τ) = 1/γ(τ) for all trees τ to the order, but not beyond it; to rounding of coefficients up to 150."""
    stages, rounding = len(method.b), 1e-13
    gamma = np.linalg.inv(np.eye(stages) / method.gamma - matrix(method.couplings, stages))
    alpha = matrix(method.a, stages) @ gamma
    assert np.abs(alpha.sum(axis=1) - method.c).max() < rounding
    if method.d:
        assert np.abs(gamma.sum(axis=1) - method.d).max() < rounding
    for weights, exact in ((np.array(method.b), order), (np.array(method.b) - method.error, estimate_order)):
        missed = [max(abs(weights @ gamma @ elementary_weights(tree, alpha, alpha + gamma) - 1 / density(tree))
                      for tree in trees(size)) for size in range(1, exact + 2)]  # fmt: skip
        assert max(missed[:-1]) < rounding < 1e-3 < missed[-1]
    assert [len(trees(size)) for size in range(1, 6)] == [1, 1, 2, 4, 9]


def test_rosenbrock_is_l_stable():
    """|R| ≤ 1 on the imaginary axis, and R is analytic to its left; R(∞) = 0, of the embedded method too."""
    def growth(z):
        stages = []
        for a, couplings in zip(RODAS5P.a, RODAS5P.couplings, strict=True):
            inner = 1 + sum(w * u for w, u in zip(a, stages, strict=True))
            coupled = sum(w * u for w, u in zip(couplings, stages, strict=True))
            stages.append(RODAS5P.gamma * (z * inner + coupled) / (1 - RODAS5P.gamma * z))
        return 1 + np.dot(RODAS5P.b, stages), np.dot(RODAS5P.error, stages)

    assert max(abs(growth(1j * w)[0]) for w in np.logspace(-2, 6, 400)) <= 1 + 1e-12
    assert growth(0.01)[0] == pytest.approx(np.exp(0.01), abs=1e-13)
    for z in (-1e8, 1e8j, -1e8 + 1e8j):
        assert np.abs(growth(z)).max() < 1e-6


@pytest.mark.parametrize("radius", [1.0, 30.0, 1e4])
def test_rkc_takes_stages_enough_to_be_stable(radius):
    """One step of length 1 on y' = −λy for all λ up to the radius."""
    rates = np.linspace(0, radius, 60)
    flow = decay(1.0).problem
    for rate in rates:
        cursor = Cursor(decay(rate).problem, 0.0, flow.y0, RKC().rows)
        cursor._radius = radius
        RKC().attempt(cursor, 1.0)
        assert abs(cursor.work["new"][0]) <= 1 + 1e-10


def test_rkc_never_takes_longer_steps_than_its_stages_allow():
    heat = Heat(64)
    sol = solve(heat.flow(), None, 0.05, stepper=RKC(max_stages=4), rtol=1e-2)
    assert sol.steps >= 0.05 * 1.2 * -heat.symbol[-1] / RKC(max_stages=4).real_stability
    assert sol.outcome.kind is OutcomeKind.finished


def test_stop_times():
    assert stop_times(0.0, 1.0, None) == (1.0,)
    assert stop_times(0.0, 1.0, 2) == (0.5, 1.0)
    assert stop_times(0.0, 1.0, [0.0, 0.3]) == (0.3, 1.0)
    assert stop_times(0.0, 1.0, [0.3, 1.0]) == (0.3, 1.0)


def test_steps_hit_stops_and_leave_no_sliver():
    assert next_time(0.0, 0.1, 1.0) == 0.1
    assert next_time(0.95, 0.1, 1.0) == 1.0
    assert next_time(0.9, 0.1 * (1 - 1e-12), 1.0) == 1.0
    assert next_time(0.0, 0.9, 1.0) == 0.5


def test_error_control_shortens_lengthens_and_holds():
    control, stepper = ErrorControl(), RK45()
    assert control.accept(ControllerState(1.0), 1.0, 1e-5, stepper).dt > 1
    assert control.accept(ControllerState(1.0), 1.0, 0.0, stepper).dt == 5
    assert control.accept(ControllerState(1.0, held=True), 1.0, 0.0, stepper).dt == 1
    assert control.accept(ControllerState(1.0), 0.01, 0.5, stepper).dt == 1
    assert control.reject(ControllerState(1.0), 1.0, 2.0, stepper) == ControllerState(0.9 * 2 ** (-1 / 5), held=True)
    assert control.reject(ControllerState(1.0), 1.0, np.nan, stepper) == ControllerState(0.25, held=True)


def test_capped_controls_recover_after_a_rejection():
    for control in (StabilityBound(), Legs(4)):
        low = control.reject(ControllerState(1.0, ceiling=1.0), 1.0, np.nan, RK4())
        assert low.dt == 0.25
        assert control.accept(control.accept(low, 0.25, 0, RK4()), 0.5, 0, RK4()).dt == 1
    assert FixedStep(1.0).reject(ControllerState(1.0), 1.0, np.nan, RK4()) is None


@pytest.mark.parametrize(
    "make",
    [lambda: ErrorControl(-1), lambda: ErrorControl(0, 0), lambda: FixedStep(0), lambda: FixedStep(np.inf),
     lambda: StabilityBound(0), lambda: StabilityBound(2), lambda: Legs(0)],
)  # fmt: skip
def test_controls_refuse_nonsense(make):
    with pytest.raises(InputError):
        make()


def test_the_largest_step_is_kept():
    sol = solve(decay(), None, 10.0, control=ErrorControl(1e-2, 1e-2, largest=0.25))
    assert np.diff(sol.monitor_times).max() <= 0.25 + 1e-15


@pytest.mark.parametrize("size", [1, 4095, 4097, 1 << 19])
def test_combinations_do_not_depend_on_the_number_of_threads(size):
    work = np.random.default_rng(1).standard_normal((4, size))
    expected = 0.3 * work[1] + -2.0 * work[2] + 1e-3 * work[3]
    rows, weights, threads = np.array([1, 2, 3]), np.array([0.3, -2.0, 1e-3]), numba.get_num_threads()
    results = []
    for number in {1, threads}:
        numba.set_num_threads(number)
        combine(work, 0, rows, weights)
        results.append(work[0].copy())
    numba.set_num_threads(threads)
    assert all(np.array_equal(result, results[0]) for result in results)
    assert np.abs(results[0] - expected).max() < 1e-14


def test_work_arrays():
    work = Workspace((2, 3), ("a", "b"))
    work["a"][...] = [[1, -5, 2], [0, 0, np.nan]]
    assert work.peaks("a")[0] == 5
    assert np.isnan(work.peaks("a")[1])
    work.combine("b", {"a": 2.0})
    work.combine("b", {"b": 1.0, "a": 1.0})
    assert work["b"][0].tolist() == [3, -15, 6]
    a, b = work["a"], work["b"]
    work.swap("a", "b")
    assert work["a"] is b
    assert work["b"] is a


def test_memory_is_stated():
    assert memory.human(0) == "0 B"
    assert memory.human(2_500_000) == "2.5 MB"
    assert memory.human(1.5e18) == "1.5 EB"
    assert memory.available() > 0
    memory.require(1, "nothing")
    with pytest.raises(MemoryLimitError, match=r"a dream would take 1 EB, and .* are available: wake up\."):
        memory.require(1e18, "a dream", "wake up")


def test_an_outcome_is_a_sentence():
    outcome = Outcome(OutcomeKind.steady, "it rests.", 2.0)
    assert str(outcome) == "steady: it rests."
    assert outcome.kind == "steady"
