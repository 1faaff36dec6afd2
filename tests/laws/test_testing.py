"""`geomflow.testing` finds planted faults, names them with a small counterexample, and passes what is right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

import geomflow as gf
import geomflow.variety as gv
from geomflow import testing
from geomflow.flow import Problem
from geomflow.kernels import Kernel
from geomflow.symbolic import functionals as fn
from geomflow.testing import LawError
from geomflow.testing.simpler import Modes

CURVE, PLANE, CIRCLE = gf.ComplexTorus(dim=1), gf.Torus(dim=2), gf.Torus(dim=1)
QUARTIC = gv.Fermat(4)
FUBINI = gf.FubiniStudy(QUARTIC)


def fault(check, *given, **options):
    """The error that a check must raise, in words; its counterexample must be small."""
    with pytest.raises(LawError) as caught:
        check(*given, **options)
    for thing in caught.value.counterexample.values():
        assert_small(thing)
    return caught.value


def assert_small(thing):
    """At most two waves on a small grid, three points, one point of a variety."""
    if hasattr(thing, "pack"):
        assert max(thing.grid.shape) <= 8
        assert len(Modes.of(thing.pack()).m) <= 3
    elif isinstance(thing, gv.Points):
        assert len(thing) == 1
    elif isinstance(thing, np.ndarray):
        assert len(thing) <= 3
        np.testing.assert_array_equal(thing, np.round(thing, 3))


# gradients


def dirichlet(u):
    """½∫|∇u|² dx."""
    return sum(u.derivative(index).norm() ** 2 for index in np.eye(2, dtype=int)) / 2


def test_a_right_gradient_passes_at_everything_drawn():
    testing.check_gradient(dirichlet, testing.scalar_states(), lambda u: -u.laplacian())
    testing.check_gradient(fn.Volume(PLANE), testing.metric_states(), lambda g: g.values / 2, inner="ebin", examples=5)
    testing.check_gradient(fn.Volume(PLANE), testing.metric_states(oblique()), examples=5)


def oblique():
    return gf.Torus(dim=2, lattice=[[1, 0], [0.25, 1]])


def test_a_wrong_factor():
    error = fault(testing.check_gradient, dirichlet, testing.scalar_states(), lambda u: -2 * u.laplacian())
    assert "the gradient is 2 times what it must be" in error.fault
    assert "ε^1.00, and must like ε^2" in error.evidence[0]


def test_a_wrong_factor_at_one_given_state():
    """The state is made simpler."""
    state = PLANE.grid(16, scheme="spectral").random_scalar(1, 0.3)
    error = fault(testing.check_gradient, dirichlet, state, lambda u: -u.laplacian() / 2)
    assert "0.5 times" in error.fault
    assert eval(error.example["state"], {"gf": gf}).grid.shape == (8, 8)


def test_a_wrong_sign_of_the_whole():
    error = fault(testing.check_gradient, dirichlet, testing.scalar_states(), lambda u: u.laplacian())
    assert error.fault == "the gradient has the wrong sign: it points where E falls"


def test_a_wrong_sign_of_a_term():
    def energy(u):
        return dirichlet(u) + (u**4).mean() / 4

    terms = {"laplacian": lambda u: -u.laplacian(), "cube": lambda u: -(u**3)}
    error = fault(testing.check_gradient, energy, testing.scalar_states(), terms)
    assert error.fault == "a term of the gradient is wrong: 'cube' has the wrong sign"
    testing.check_gradient(energy, testing.scalar_states(), {**terms, "cube": lambda u: u**3})


def weighted_volume(g):
    """∫ e dV with e = 2 + cos 2πx."""
    return float((weight(g) * g.volume_density().values).mean())


def weight(g):
    return 2 + np.cos(2 * np.pi * g.grid.points()[..., 0]) + g.values[..., 0, 0]


def test_a_gradient_that_misses_the_variation_of_the_measure():
    def gradient(g, measure=1.0):
        raised = np.einsum("...i,...j->...ij", g.values[..., :, 0], g.values[..., 0, :])
        return raised + measure * weight(g)[..., None, None] * g.values / 2

    testing.check_gradient(weighted_volume, testing.metric_states(), gradient, inner="ebin", examples=5)
    error = fault(testing.check_gradient, weighted_volume, testing.metric_states(),
                  lambda g: gradient(g, measure=0.0), inner="ebin")
    assert "misses a variation of the volume" in error.fault


def test_a_measure_of_potentials():
    def energy(phi):
        return (phi.grid.scalar(phi.values) ** 2).integral(phi)

    def gradient(phi):
        return 2 * phi.values + phi.laplacian(phi.values**2).values / 2

    testing.check_gradient(energy, testing.potential_states(), gradient, inner="mabuchi", examples=5)
    error = fault(testing.check_gradient, energy, testing.potential_states(), lambda phi: 2 * phi.values,
                  inner="mabuchi")
    assert "right for constants alone" in error.fault


def test_off_diagonal_components_counted_once():
    def energy(g):
        return float((g.values**2).sum(axis=(-2, -1)).mean())

    error = fault(testing.check_gradient, energy, testing.metric_states(),
                  lambda g: 2 * g.values * [[1, 0.5], [0.5, 1]])
    assert error.fault == "components of the gradient have factors of their own: g_xy by 0.5"


def test_gradients_of_arrays():
    testing.check_gradient(lambda x: float((x**2).sum()), np.arange(3.0), lambda x: 2 * x)
    assert "1.5 times" in fault(testing.check_gradient, lambda x: float((x**2).sum()), np.arange(3.0),
                                lambda x: 3 * x).fault


def test_what_a_grid_does_not_resolve_is_no_fault():
    """On stencils, and with waves that eight points hardly resolve."""
    grid = PLANE.grid(8, order=2)
    energy = lambda g: g.scalar().map(np.square).integral()  # noqa: E731
    with pytest.raises(LawError):
        testing.check_gradient(energy, grid.random_metric(1, 0.3, modes=1), lambda g: g.values)
    testing.check_gradient(fn.Volume(PLANE), PLANE.grid(8, order=2).random_metric(1, 0.9))


# covariance


def ricci_raised(g):
    """R_i^j, an index at the wrong height."""
    return np.einsum("...ij,...jk->...ik", g.ricci().values, np.linalg.inv(g.values))


def second_derivatives(f):
    """∂_i∂_j f."""
    indices = [[(2, 0), (1, 1)], [(1, 1), (0, 2)]]
    return np.stack([np.stack([f.derivative(i).values for i in row], axis=-1) for row in indices], axis=-2)


def hessian(g):
    """∇_i∇_j R."""
    f = g.scalar()
    slope = np.stack([f.derivative(index).values for index in np.eye(2, dtype=int)], axis=-1)
    return second_derivatives(f) - np.einsum("...kij,...k->...ij", g.christoffel().values, slope)


def test_covariant_rates_pass_at_everything_drawn():
    testing.check_covariance(lambda g: g.ricci(), examples=4)
    testing.check_covariance(hessian, examples=4)
    testing.check_covariance(lambda g: g.scalar(), testing.metric_states(gf.Torus(dim=2, periods=(1, 2))), examples=4)
    testing.check_covariance(ricci_raised, indices="_i^j", examples=4)


def test_a_missing_index():
    error = fault(testing.check_covariance, ricci_raised, testing.metric_states())
    assert "an index is missing or at the wrong height: it transforms like T^i_j" in error.fault


def test_a_partial_derivative_in_place_of_a_covariant_one():
    error = fault(testing.check_covariance, lambda g: second_derivatives(g.scalar()), testing.metric_states())
    assert "under a curved map" in error.fault
    assert "a Christoffel symbol is missing" in error.fault


def test_a_density():
    error = fault(testing.check_covariance, lambda g: g.scalar() * g.volume_density(), testing.metric_states())
    assert "density of weight 1" in error.fault


def test_a_rate_that_depends_on_the_place():
    error = fault(testing.check_covariance, lambda g: g.scalar().values + g.grid.points()[..., 0])
    assert "under a translation" in error.fault


def test_a_rate_that_depends_on_the_potential():
    error = fault(testing.check_covariance, lambda phi: phi.values**2, testing.potential_states())
    assert "a constant that is added" in error.fault


def test_exact_rates():
    testing.check_covariance(lambda g: g.ricci, testing.metrics(2), examples=3)
    g = gf.Metric(gf.Chart("x y"), [["1 + x^2*y", 0], [0, 1]])
    with pytest.raises(LawError, match="under a linear map"):
        testing.check_covariance(lambda m: m.matrix.diff(m.chart.symbols[0]), g)


# energies


def test_energies_that_fall_as_they_say():
    testing.check_energy(gf.CalabiFlow(), testing.potential_states(), examples=4)
    heat = gf.Flow.from_expression("laplacian(u)")
    testing.check_energy(heat, testing.scalar_states(), dirichlet, dissipation=lambda u: u.laplacian().norm() ** 2)


def test_an_energy_that_grows():
    backward = gf.Flow.from_expression("-laplacian(u)", forced=True)
    assert "the energy grows" in fault(testing.check_energy, backward, testing.scalar_states(), dirichlet).fault


def test_an_energy_that_falls_too_fast():
    twice = gf.Flow.from_expression("2*laplacian(u)")
    error = fault(testing.check_energy, twice, testing.scalar_states(), dirichlet,
                  dissipation=lambda u: u.laplacian().norm() ** 2)
    assert error.fault == "the energy falls 2 times as fast as it says"


def test_a_flow_without_an_energy():
    with pytest.raises(gf.GeomflowError, match="give energy="):
        testing.check_energy(gf.Flow.from_expression("laplacian(u)"), CIRCLE.grid(8).scalar("cos(2*pi*x)"))


# orders


class Insulated:
    """The heat equation on [0, 1] with insulated ends, on n + 1 points, the ends by a difference of some order."""

    def __init__(self, n, ends):
        self.n, self.ends = n, ends

    def bind(self, state):
        def rate(t, y, out):
            (u,), h = y, 1 / self.n
            out[0, 1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
            out[0, 0], out[0, -1] = self.ends * (u[1] - u[0]), self.ends * (u[-2] - u[-1])
            out /= h**2

        return Problem(y0=np.array(state), rate=rate, unpack=np.array, spectral_radius=lambda t, y: 4 * self.n**2)


def insulated(n, t):
    """e^{−π²t} cos πx."""
    return np.exp(-(np.pi**2) * t) * np.cos(np.pi * np.arange(n + 1) / n)[None]


def test_an_order_that_is_kept():
    testing.check_order(lambda n: Insulated(n, ends=2), insulated, (8, 16, 32), t1=0.05, order=2)


def test_an_order_lost_at_a_boundary():
    error = fault(testing.check_order, lambda n: Insulated(n, ends=1), insulated, (8, 16, 32), t1=0.05, order=2)
    assert error.fault.startswith("the order is lost at the boundary")
    assert any("largest at point 0" in line for line in error.evidence)
    assert error.counterexample == {"grid": 8}


def test_an_order_that_was_never_there():
    heat = gf.Flow.from_expression("laplacian(u)")
    grids = [CIRCLE.grid(n, order=2) for n in (8, 16)]
    exact = lambda grid, t: grid.scalar(f"exp(-4*pi^2*{t})*cos(2*pi*x)")  # noqa: E731
    testing.check_order(heat, exact, grids, t1=0.01)
    with pytest.raises(LawError, match=r"the error falls like h\^(1.9|2.0)., and must like h\^4"):
        testing.check_order(heat, exact, grids, t1=0.01, order=4)


# kernels


class Own(Kernel):
    """A function of two points."""

    def __init__(self, function, factor=None):
        self.function, self.factor = function, factor

    def values(self, x, y):
        return self.function(x[:, None], y[None])

    def diagonal(self, x):
        return self.function(x, x)


def square(x, y):
    return ((x - y) ** 2).sum(axis=-1)


def test_right_kernels_pass_at_everything_drawn():
    testing.check_kernel(testing.kernels(networks=False), examples=5)
    testing.check_kernel(Own(lambda x, y: np.exp(-square(x, y))), examples=60)


def test_a_kernel_that_is_not_symmetric():
    error = fault(testing.check_kernel, Own(lambda x, y: np.exp(-square(x, y)) * (1 + x[..., 0])))
    assert error.fault == "the kernel is not symmetric"
    assert len(error.counterexample["points"]) == 2


def test_a_kernel_that_is_not_positive():
    error = fault(testing.check_kernel, Own(lambda x, y: 1 - square(x, y)))
    assert "the kernel is not positive: its matrix has the eigenvalue -" in error.fault


def test_a_kernel_whose_sums_are_others():
    class Twice(Own):
        def apply(self, x, y, values, block=None, workers=None):
            return super().apply(x, y, values) * (2 if y is None else 1)

    error = fault(testing.check_kernel, Twice(lambda x, y: np.exp(-square(x, y))))
    assert "apply(x, None, v) is not the product with its matrix" in error.fault


def test_a_kernel_with_another_diagonal():
    class Ones(Own):
        def diagonal(self, x):
            return np.ones(len(x))

    assert "diagonal" in fault(testing.check_kernel, Ones(lambda x, y: (x * y).sum(axis=-1))).fault


@pytest.mark.parametrize("examples", [3, 25])
def test_the_simplest_of_the_kernels_that_are_drawn(examples):
    """1 − c|x − y|² for c = 1, 2, ..., and c = 0, the constant, which is right."""
    factors = st.integers(0, 9)
    error = fault(testing.check_kernel, factors.map(lambda c: Own(lambda x, y: 1 - c * square(x, y), c)),
                  examples=examples)
    assert error.counterexample["kernel"].factor == 1
    testing.check_kernel(st.just(Own(lambda x, y: 1 + 0 * square(x, y))), examples=examples)


# metrics on varieties


class Given(gv.HermitianMetric):
    """The metric of a function of the points."""

    def __init__(self, function):
        self.variety, self.function = QUARTIC, function

    def at(self, points):
        return self.function(points)


def share(points):
    """|z_0|²/|z|², a function on the variety."""
    square = np.abs(points.coordinates) ** 2
    return (square[:, 0] / square.sum(axis=1))[:, None, None]


def test_right_metrics_pass_at_everything_drawn():
    testing.check_metric(testing.forms(QUARTIC), examples=2)
    testing.check_metric(FUBINI, examples=4)


def test_a_metric_that_is_not_hermitian():
    error = fault(testing.check_metric, Given(lambda p: FUBINI.at(p) * [[1, 1], [0.5, 1]]))
    assert "not Hermitian" in error.fault


def test_a_metric_that_is_not_positive():
    assert "not positive" in fault(testing.check_metric, Given(lambda p: FUBINI.at(p) * (0.1 - share(p)))).fault


def test_a_metric_that_is_not_closed():
    """A conformal factor leaves it Hermitian, positive and the same in all patches."""
    error = fault(testing.check_metric, Given(lambda p: FUBINI.at(p) * (1 + share(p))))
    assert "not closed: ∂_c g_ab̄ and ∂_a g_cb̄ differ" in error.fault


def test_a_metric_that_depends_on_the_patch():
    error = fault(testing.check_metric, Given(lambda p: FUBINI.at(p) * (1 + p.patch[:, :1, None])))
    assert "depends on the patch" in error.fault


def test_a_metric_of_another_potential():
    class Half(gv.PolarisedMetric):
        variety, kahler_class = QUARTIC, (1.0,)
        potential, jets = FUBINI.potential, FUBINI.jets

        def at(self, points):
            return FUBINI.at(points) / 2

    assert "not ∂∂̄ of its potential: it is 0.5 times" in fault(testing.check_metric, Half()).fault


def test_jets_that_are_not_derivatives():
    class Jets(gv.PolarisedMetric):
        variety, kahler_class = QUARTIC, (1.0,)
        potential, at = FUBINI.potential, FUBINI.at

        def jets(self, points):
            second, third, fourth = FUBINI.jets(points)
            return second, 2 * third, fourth

    assert "jets ∂_a∂_c∂_b̄K" in fault(testing.check_metric, Jets()).fault


def test_forms_on_grids():
    grid = gf.ComplexTorus(dim=2).grid(6, scheme="spectral")
    testing.check_metric(grid.random_potential(1, 0.2, modes=1).metric())
    with pytest.raises(LawError, match="not closed"):
        testing.check_metric(grid.hermitian([["1/2 + cos(2*pi*x2)/10", 0], [0, "1/2"]]))


# what is drawn, and what is said of it


@pytest.mark.parametrize("states", [testing.metric_states(), testing.potential_states(), testing.scalar_states(),
                                    testing.metric_states(oblique())])
def test_states_are_spelled_as_what_makes_them(states):
    from hypothesis import Phase, given, settings

    @settings(max_examples=10, phases=[Phase.generate])
    @given(states)
    def law(state):
        again = eval(testing.spelled(state), {"gf": gf})
        assert again.max_distance(state) < 1e-11

    law()


def test_checks_need_no_hypothesis_and_strategies_say_what_to_install():
    """In a fresh interpreter where hypothesis cannot be imported."""
    import subprocess
    import sys

    code = """
import sys
sys.modules["hypothesis"] = None
import numpy as np
from geomflow import testing
testing.check_gradient(lambda x: float((x**2).sum()), np.arange(3.0), lambda x: 2 * x)
try:
    testing.metric_states
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'geomflow[test]'" in done.stdout
