"""Fields of more dimensions than the grid has axes of points, against closed forms."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.flow.equations.ricci import ricci_program

K = 2 * np.pi * np.array([1, 2])
T2 = gf.Torus(dim=2)
CURVED = [["1 + cos(2*pi*x1)*sin(2*pi*x2)/5", "cos(2*pi*(x1 - x2))/8"], ["cos(2*pi*(x1 - x2))/8", "1 + sin(2*pi*x1)/4"]]


def thin(dim, n, **how):
    """A grid on T^d of which two axes are resolved."""
    return gf.Torus(dim=dim).grid((n, n) + (1,) * (dim - 2), **how)


def over_a_surface(grid, surface, scale=1):
    """The metric of a surface in x1, x2, times a function times a flat metric along all other coordinates."""
    dim, values = grid.dim, grid.scalar(scale).values
    metric = np.zeros((*grid.shape, dim, dim))
    metric[..., :2, :2] = surface.values.reshape(*grid.shape, 2, 2)
    metric[..., range(2, dim), range(2, dim)] = values[..., None]
    return grid.metric(metric)


def on_t2(components, n, **how):
    named = [[part.replace("x1", "x").replace("x2", "y") for part in row] for row in components]
    return T2.grid(n, **how).metric(named)


@pytest.mark.parametrize("dim", [5, 7])
@pytest.mark.parametrize(("how", "exact"), [({"scheme": "spectral"}, 1e-4), ({"order": 8}, 1e-4)], ids=str)
@pytest.mark.parametrize("flow", [gf.RicciFlow(gauge="deturck"), gf.Flow.from_expression("-2*Ric", gauge="deturck")],
                         ids=["built in", "typed"])
def test_all_polarisations_of_a_plane_wave_decay_at_its_squared_wave_number(dim, how, exact, flow):
    """∂_t h = Δh to first order: h ~ exp(−|k|² t), of each of the components of a general h."""
    grid, size, t1 = thin(dim, 9 if "scheme" in how else 24, **how), 1e-3, 2e-3
    random = np.random.default_rng(dim).uniform(0.3, 1, (dim, dim))
    polarisation = random + random.T
    wave = grid.scalar(f"cos({K[0]}*x1 + {K[1]}*x2)").values[..., None, None]
    start = grid.metric(np.eye(dim) + size * wave * polarisation)
    sol = gf.solve(flow, start, t1=t1, rtol=1e-9, stepper="rk45")
    left = 2 * (wave * (sol.last.values - np.eye(dim))).reshape(-1, dim, dim).mean(axis=0)
    rates = -np.log(left / (size * polarisation)) / t1
    assert rates == pytest.approx(K @ K, rel=exact)


def test_typed_and_built_in_flows_are_one_program():
    grid = thin(7, 8)
    for gauge in (None, "deturck"):
        typed = gf.Flow.from_expression("-2*Ric", gauge=gauge).written(grid.metric()).program
        assert typed == gf.RicciFlow(gauge=gauge).on(grid.metric()).program


@pytest.mark.parametrize("how", [{"scheme": "spectral"}, {"order": 4}], ids=str)
def test_a_flat_factor_stays_flat_and_the_other_flows_alone(how):
    surface = on_t2(CURVED, 16, **how)
    start, flow = over_a_surface(thin(7, 16, **how), surface), gf.RicciFlow(gauge="deturck")
    thick, alone = (gf.solve(flow, state, t1=1e-3, rtol=1e-10, stepper="rk45").last for state in (start, surface))
    found = thick.values.reshape(16, 16, 7, 7)
    assert np.abs(found[..., 2:, 2:] - np.eye(5)).max() < 1e-13
    assert np.abs(found[..., :2, 2:]).max() == 0
    assert np.abs(found[..., :2, :2] - alone.values).max() < 1e-9  # of steps of another length each
    assert np.abs(found[..., :2, :2] - surface.values).max() > 1e-3


@pytest.mark.parametrize("how", [{"scheme": "spectral"}, {"order": 4}], ids=str)
def test_the_rate_on_a_product_is_that_on_the_surface_to_rounding(how):
    surface = on_t2(CURVED, 16, **how)
    thick, alone = (rate_of(gf.RicciFlow(gauge="deturck"), state)
                    for state in (over_a_surface(thin(7, 16, **how), surface), surface))
    assert np.abs(thick[..., :2, :2] - alone).max() < 1e-12 * np.abs(alone).max()
    assert np.abs(thick[..., 2:, :]).max() < 1e-12 * np.abs(alone).max()


def rate_of(flow, state):
    """The rate as a matrix on a grid of two axes."""
    problem = flow.bind(state)
    out = np.empty_like(problem.y0)
    problem.rate(0.0, problem.y0, out)
    values = state.unpack(out).values
    return values.reshape(*(n for n in state.grid.shape if n > 1), *values.shape[-2:])


@pytest.mark.parametrize("dim", [5, 7])
def test_curvature_of_a_warped_product(dim):
    """g₂ + e^{2u} δ: R_ab = K g_ab − m(∇_a∇_b u + ∂_a u ∂_b u), R_ii = −e^{2u}(Δu + m|du|²), m = d − 2 (O'Neill 1983,
    corollary 7.43)."""
    grid, u = thin(dim, 32, scheme="spectral"), "sin(2*pi*x1)*cos(2*pi*x2)/9"
    surface, m = on_t2(CURVED, 32, scheme="spectral"), dim - 2
    found = over_a_surface(grid, surface, f"exp(2*({u}))").ricci().values.reshape(32, 32, dim, dim)
    flat = surface.grid.scalar(u.replace("x1", "x").replace("x2", "y"))
    slopes = np.stack([flat.derivative(index).values for index in ((1, 0), (0, 1))], axis=-1)
    second = np.stack([flat.derivative(index).values for index in ((2, 0), (1, 1), (1, 1), (0, 2))], axis=-1)
    hessian = second.reshape(32, 32, 2, 2) - np.einsum("...kij,...k", surface.christoffel().values, slopes)
    squared = np.einsum("...i,...ij,...j", slopes, np.linalg.inv(surface.values), slopes)
    base = surface.ricci().values - m * (hessian + slopes[..., None] * slopes[..., None, :])
    laplacian = np.trace(np.linalg.solve(surface.values, hessian), axis1=-2, axis2=-1)
    fibre = -np.exp(2 * flat.values) * (laplacian + m * squared)
    assert np.abs(found[..., :2, :2] - base).max() < 1e-9 * np.abs(base).max()
    assert np.abs(found[..., range(2, dim), range(2, dim)] - fibre[..., None]).max() < 1e-9 * np.abs(fibre).max()
    assert np.abs(found[..., :2, 2:]).max() == 0


def test_the_program_in_seven_dimensions_holds_derivatives_along_two_axes_alone():
    grid = thin(7, 8)
    program = ricci_program(grid.torus.coordinates, "deturck", False, grid.ignorable)
    jets = {(name, index) for _, name, index in program.jets()}
    assert not any(any(index[2:]) for _, index in jets)
    assert len(jets) == 28 * 6


@pytest.mark.parametrize("rate", ["laplacian(C)", "d(div(C)) + div(d(C))"])
def test_the_heat_flow_of_a_three_form_on_a_flat_torus(rate):
    """Each of the 35 components of a wave decays at |k|², in Hodge's form of the Laplacian too."""
    grid, t1 = thin(7, 8, scheme="spectral"), 1e-3
    random = np.random.default_rng(1).standard_normal((7, 7, 7))
    form = grid.form({f"x{i}x{j}x{k}": f"{random[i - 1, j - 1, k - 1]}*cos({K[0]}*x1 + {K[1]}*x2)"
                      for i in range(1, 8) for j in range(i + 1, 8) for k in range(j + 1, 8)})
    last = gf.solve(gf.Flow.from_expression({"C": rate}), grid.fields(C=form), t1=t1, rtol=1e-10, stepper="rk45").last
    assert np.abs(last["C"].values - np.exp(-(K @ K) * t1) * form.values).max() < 1e-9
