"""Flows of symmetric tensors: Lichnerowicz' heat flow, Δ_L T_ij = ΔT_ij + 2R_kilj T^kl − R_ik T^k_j − R_jk T^k_i."""

import numpy as np
import pytest

import geomflow as gf

LICHNEROWICZ = "laplacian(T)[i,j] + 2*R[k,i,l,j]*T[k,l] - Ric[i,k]*T[k,j] - Ric[j,k]*T[k,i]"
HEAT = gf.Flow.from_expression({"T": LICHNEROWICZ})


def rate_of(flow, state):
    """The rate of the fields that move."""
    problem = flow.bind(state)
    out = np.empty_like(problem.y0)
    problem.rate(0.0, problem.y0, out)
    return flow.moving(state).unpack(out)


@pytest.mark.parametrize("dim", [2, 3])
def test_on_a_flat_torus_all_components_of_a_wave_decay_at_its_squared_wave_number(dim):
    grid, t1 = gf.Torus(dim, periods=2 * np.pi).grid(8, scheme="spectral"), 0.1
    k = np.array([1, 2, 2][:dim])
    wave = np.cos(sum(n * x for n, x in zip(k, grid.coordinates(), strict=True)))[..., None, None]
    random = np.random.default_rng(dim).standard_normal((dim, dim))
    start = grid.fields(g=grid.metric(), T=grid.symmetric(wave * (random + random.T)))
    last = gf.solve(HEAT, start, t1=t1, rtol=1e-10, stepper="rk45").last["T"]
    assert np.abs(last.values - np.exp(-(k @ k) * t1) * start["T"].values).max() < 1e-9


@pytest.mark.parametrize(("dim", "n"), [(2, 24), (3, 20)])
def test_multiples_of_a_curved_metric_flow_by_the_heat_equation(dim, n):
    """Δ_L(f g) = (Δf) g for every metric."""
    grid = gf.Torus(dim).grid(n, scheme="spectral")
    g, f = grid.random_metric(dim, 0.1, modes=1), grid.random_scalar(dim + 1, 0.5, modes=1)
    found = rate_of(HEAT, grid.fields(g=g, T=grid.symmetric(f.values[..., None, None] * g.values)))["T"]
    exact = g.laplacian(f).values[..., None, None] * g.values
    assert np.abs(found.values - exact).max() < 1e-7 * np.abs(exact).max()


@pytest.mark.parametrize(("dim", "n"), [(2, 24), (3, 20)])
def test_ricci_flow_linearised_is_a_flow_of_a_symmetric_tensor(dim, n):
    """−2 DRic(T) = Δ_L T − L_{div T} g + Hess(tr T) (Topping 2006, proposition 2.3.7), beside differences of Ric."""
    grid, step = gf.Torus(dim).grid(n, scheme="spectral"), 1e-4
    state = grid.random_fields("g T:symmetric", seed=dim, amplitude=0.1, modes=1)
    linear = gf.Flow.from_expression({"T": f"{LICHNEROWICZ} - 2*sym(nabla(div(T)))[i,j] + Hess(trace(T))[i,j]"},
                                     forced=True)
    found = rate_of(linear, state)["T"].values
    ahead, behind = (grid.metric(state["g"].values + change * state["T"].values).ricci().values
                     for change in (step, -step))
    exact = -2 * (ahead - behind) / (2 * step)
    assert np.abs(found - exact).max() < 1e-6 * np.abs(exact).max()


def test_the_heat_flow_of_a_symmetric_tensor_descends_its_dirichlet_energy():
    """E = ½∫|∇T|² dV: ∂T = ΔT, and dE/dt = −∫|ΔT|² dV."""
    torus = gf.Torus(2)
    energy = gf.functionals.Functional.from_density(torus, "nabla(T)[i,j,k]*nabla(T)[i,j,k]/2", fields="g T:symmetric")
    state = torus.grid(24, scheme="spectral").random_fields("g T:symmetric", seed=3, amplitude=0.1, modes=1)
    derived, typed = energy.gradient_flow(of="T"), gf.Flow.from_expression({"T": "laplacian(T)"})
    found, exact = (gf.solve(flow, state, t1=1e-4, rtol=1e-9).last for flow in (derived, typed))
    assert found["T"].max_distance(exact["T"]) < 1e-6 * state["T"].max_distance(exact["T"])
    rate, step = rate_of(typed, state)["T"].values, 1e-5
    raised = np.einsum("...ik,...jl,...kl", *[np.linalg.inv(state["g"].values)] * 2, rate)
    lost = -float((np.einsum("...ij,...ij", raised, rate) * state["g"].volume_density().values).mean())
    moved = [state.grid.fields(g=state["g"], T=state.grid.symmetric(state["T"].values + change * rate))
             for change in (step, -step)]
    assert (energy(moved[0]) - energy(moved[1])) / (2 * step) == pytest.approx(lost, rel=1e-6)
