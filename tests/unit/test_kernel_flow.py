"""Kernel flows against sums over points, exact solutions, stores, batches, and what they refuse."""

import warnings

import numpy as np
import pytest

import geomflow as gf
from geomflow import functionals as fn
from geomflow.cli import main
from geomflow.core.errors import IllPosedError, InputError, PositivityError, StoreError, SymmetryError
from geomflow.kernels import (
    CosineNetKernel,
    DeltaKernel,
    DistanceKernel,
    GaussianKernel,
    GaussNetKernel,
    Kernel,
    NetworkKernel,
    NormalisedKernel,
    ResidualKernel,
    UnderResolvedWarning,
    reference_rescaled,
)
from geomflow.kernels.empirical import EmpiricalKernel, EmpiricalPotentialKernel
from geomflow.kernels.tangent import Covariant, Kronecker, Symmetrised
from geomflow.networks import IndependentComponents, PotentialModel
from geomflow.networks.perceptron import Perceptron
from geomflow.tangent.kernel_action import Batch
from geomflow.tangent.kernel_checks import CappedGrowthWarning
from geomflow.tangent.kernel_flow import KernelFlow, named_kernel

PLANE, CURVE = gf.Torus(dim=2), gf.ComplexTorus(dim=1)
WAVY = [["1.2 + 0.2*cos(2*pi*x)*sin(2*pi*y)", "0.1*sin(2*pi*x)"], ["0.1*sin(2*pi*x)", "1 + 0.1*cos(2*pi*(x + y))"]]
CUBIC = [["1 + 0.1*cos(2*pi*y)", "0.1*sin(2*pi*x)", "0.1*sin(2*pi*y)"], ["0.1*sin(2*pi*x)", "1 + 0.1*sin(2*pi*z)", "0"],
         ["0.1*sin(2*pi*y)", "0", "1.3 + 0.1*cos(2*pi*(x + y))"]]
METRIC = PLANE.grid(8, scheme="spectral").metric(WAVY)
POTENTIAL = CURVE.grid(8, scheme="spectral").potential("cos(2*pi*x)*cos(2*pi*y)/300")
DETURCK = gf.RicciFlow(gauge="deturck")


class Bumps(Kernel):
    """e^{2(cos 2π(x−y) − 1)} in each coordinate, by sums over points; times `factor`, plus `skew` sin 2π(x−y)."""

    def __init__(self, factor=1.0, skew=0.0):
        self.factor, self.skew = factor, skew

    def values(self, x, y):
        apart = [2 * np.pi * np.subtract.outer(a, b) for a, b in zip(x.T, y.T, strict=True)]
        return self.factor * np.exp(2 * sum(np.cos(r) - 1 for r in apart)) + self.skew * np.sin(apart[0])

    def diagonal(self, x):
        return np.full(len(self.read(x)), self.factor)


def rate_of(flow, state):
    problem = flow.bind(state)
    out = np.empty_like(problem.y0)
    problem.rate(0.0, problem.y0, out)
    return out


def points_and_cell(grid):
    return grid.points().reshape(grid.size, -1), grid.torus.cell_volume / grid.size


def raised(state, rate, weight):
    """w g⁻¹ r g⁻¹ at the points, (p, d, d)."""
    d = state.grid.dim
    inverse = np.linalg.inv(state.values).reshape(-1, d, d)
    return weight.reshape(-1, 1, 1) * (inverse @ state.unpack(rate).values.reshape(-1, d, d) @ inverse)


@pytest.mark.parametrize("state", [METRIC, gf.Torus(dim=3).grid(4, scheme="spectral").metric(CUBIC)])
def test_smoothed_flows_are_sums_over_points(state):
    """The programs on the grid against the tensor kernels on points."""
    points, cell = points_and_cell(state.grid)
    volume = np.sqrt(np.linalg.det(state.values))
    covector = raised(state, rate_of(DETURCK, state), volume)
    metrics, kernel = state.values.reshape(covector.shape), Bumps()
    expected = {
        Covariant(kernel): Covariant(kernel).apply(points, None, covector, g_x=metrics),
        Kronecker(kernel): Kronecker(kernel).apply(points, None, covector),
        Symmetrised(kernel): Symmetrised(kernel).apply(points, None, covector),
    }
    for tensor, sums in expected.items():
        found = state.unpack(rate_of(KernelFlow(DETURCK, tensor), state)).values.reshape(sums.shape)
        np.testing.assert_allclose(found, cell * sums, rtol=1e-10, atol=1e-10 * np.abs(cell * sums).max())
    np.testing.assert_array_equal(rate_of(KernelFlow(DETURCK, kernel), state),
                                  rate_of(KernelFlow(DETURCK, Covariant(kernel)), state))


def test_a_gradient_by_hand_at_a_fixed_measure():
    """Perelman's F in the metric of dm = ρ dx: the kernel of (2.40) with frames by numpy."""
    density = "1 + 0.3*cos(2*pi*y)"
    flow = gf.Descent(fn.PerelmanF(PLANE).gradient_flow(), measure=density, forced=True)
    found = rate_of(KernelFlow(flow, GaussianKernel(0.2)), METRIC)
    root = np.sqrt(METRIC.grid.scalar(density).values)[..., None, None]
    frame = np.linalg.cholesky(METRIC.values)
    inverse = np.linalg.inv(frame)
    inner = root * (inverse @ METRIC.unpack(rate_of(flow, METRIC)).values @ np.swapaxes(inverse, -1, -2))
    smooth = GaussianKernel(0.2).on(METRIC.grid)(np.ascontiguousarray(np.moveaxis(inner.reshape(8, 8, 4), -1, 0)))
    outer = np.moveaxis(smooth, 0, -1).reshape(8, 8, 2, 2)
    expected = frame @ outer @ np.swapaxes(frame, -1, -2) / root
    np.testing.assert_allclose(METRIC.unpack(found).values, expected, rtol=1e-10, atol=1e-9)


def test_potentials_by_hand():
    flow, grid = fn.KEnergy(CURVE).gradient_flow(), POTENTIAL.grid
    classical = rate_of(gf.Descent(flow), POTENTIAL)
    density = 2 * POTENTIAL.metric().values[..., 0, 0].real
    smooth, half = GaussianKernel(0.2).on(grid), GaussianKernel(0.2 / np.sqrt(2)).on(grid)
    np.testing.assert_allclose(rate_of(KernelFlow(flow, GaussianKernel(0.2)), POTENTIAL),
                               half(half(density * classical) / density), rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(rate_of(KernelFlow(flow, Kronecker(GaussianKernel(0.2))), POTENTIAL),
                               smooth(density * classical), rtol=1e-10, atol=1e-9)


def test_evolving_kernels_on_potentials_need_a_half():
    with pytest.raises(InputError, match="translation-invariant"):
        rate_of(KernelFlow(fn.KEnergy(CURVE), GaussianKernel(0.2).rescaled(lambda x: 1 + x[:, 0])), POTENTIAL)


def test_short_waves_on_potentials_do_not_grow():
    """The linearised rate far from equilibrium has no eigenvalue that grows with the grid."""
    state = CURVE.grid(16, scheme="spectral").potential("cos(2*pi*x)/80 + cos(2*pi*y + 1)/120")
    flow, step = KernelFlow(fn.KEnergy(CURVE), GaussianKernel(0.125)), 1e-6
    problem, start = flow.bind(state), state.pack()
    fastest = np.abs(np.fft.fftfreq(16, 1 / 16)).max()
    wave = np.cos(2 * np.pi * fastest * (np.arange(16) / 16)[:, None]) * np.cos(
        2 * np.pi * fastest * (np.arange(16) / 16)[None, :])
    ahead, behind = np.empty_like(start), np.empty_like(start)
    problem.rate(0.0, start + step * wave, ahead)
    problem.rate(0.0, start - step * wave, behind)
    growth = np.vdot(wave, (ahead - behind)[0]) / (2 * step * np.vdot(wave, wave))
    problem.rate(0.0, start, ahead)
    assert growth < 0.01 * np.abs(ahead).max() * (2 * np.pi * fastest) ** 2


def test_a_fixed_reference_measure():
    """Eqs. (2.28)–(2.30): the rescaled frozen kernel is the local one of the measure √|g_ref| dx."""
    reference = PLANE.grid(8, scheme="spectral").metric([["1 + 0.3*cos(2*pi*x)", "0"], ["0", "2"]])
    energy, kernel = fn.ScalarSquared(PLANE), GaussianKernel(0.2)
    frozen = KernelFlow(energy, Kronecker(reference_rescaled(kernel, reference)))
    measured = gf.Descent(energy.gradient_flow("L2"), measure=reference.volume_density().values)
    np.testing.assert_allclose(rate_of(frozen, METRIC), rate_of(KernelFlow(measured, kernel), METRIC), rtol=1e-9,
                               atol=1e-9 * np.abs(rate_of(frozen, METRIC)).max())


def test_an_exact_solution_loses_positivity_as_an_outcome():
    """Volume under δ_ik δ_jl: ∂_t g = −½ √det g g⁻¹, so that g = (1 − t/2) δ in the plane."""
    flow, state = KernelFlow(fn.Volume(PLANE), Kronecker(GaussianKernel(0.2))), PLANE.grid(8).metric()
    sol = gf.solve(flow, state, 1.0)
    np.testing.assert_allclose(sol.last.values, 0.5 * state.values, atol=1e-6)
    assert sol["energy"][-1] == pytest.approx(0.5, abs=1e-6)
    ended = gf.solve(flow, state, 4.0)
    assert ended.outcome.kind == "singular"
    assert ended.outcome.time == pytest.approx(2.0, abs=0.05)
    assert "minor of g" in str(ended.outcome)
    assert "point (" in str(ended.outcome)


@pytest.mark.parametrize("kernel", [GaussianKernel(0.2), Kronecker(Bumps(factor=10.0))])
def test_runs_resume_to_the_same_bits(tmp_path, kernel):
    flow = KernelFlow(DETURCK, kernel)
    how = {"t1": 2e-2, "stepper": "rk45", "rtol": 1e-8}
    whole = gf.solve(flow, METRIC, store=tmp_path / "whole", **how)
    cut = gf.solve(flow, METRIC, store=tmp_path / "cut", max_steps=2, **how)
    assert cut.outcome.kind == "interrupted"
    rest = gf.solve(flow, METRIC, store=tmp_path / "cut", resume=True, **how)
    np.testing.assert_array_equal(rest.last.values, whole.last.values)
    np.testing.assert_array_equal(rest["alignment"], whole["alignment"])
    assert type(kernel).__name__ in gf.load(tmp_path / "cut").description["kernel"]
    assert "0x" not in gf.load(tmp_path / "cut").description["kernel"]


def test_a_run_is_not_resumed_with_another_kernel_or_batch(tmp_path):
    started, how = KernelFlow(DETURCK, GaussianKernel(0.2), Batch(40, seed=1)), {"t1": 2e-2, "stepper": "rk45"}
    gf.solve(started, METRIC, store=tmp_path / "run", max_steps=2, **how)
    for other in (KernelFlow(DETURCK, GaussianKernel(0.3), started.batch), KernelFlow(DETURCK, started.kernel),
                  KernelFlow(DETURCK, started.kernel, Batch(40, seed=2))):
        with pytest.raises(StoreError, match="holds another run"):
            gf.solve(other, METRIC, store=tmp_path / "run", resume=True, **how)


def test_kernels_of_functions_are_named_without_addresses():
    distance = DistanceKernel(lambda d: np.exp(-d / 0.1), PLANE)
    facts = KernelFlow(DETURCK, distance).on(METRIC).facts
    assert "lambda" in facts["equation"]
    assert "0x" not in facts["equation"]


def test_the_default_stepper_and_stencils():
    torus = CURVE
    state = torus.grid(16).potential("cos(2*pi*x)*cos(2*pi*y)/300")
    sol = gf.solve(KernelFlow(fn.KEnergy(torus), GaussianKernel(0.1)), state, 2e-4)
    assert sol.outcome.kind == "finished"
    assert sol["energy"][-1] < 0.9 * sol["energy"][0]
    assert sol.description["flow"] == "kernel-kenergy-mabuchi"
    exact = gf.solve(KernelFlow(fn.KEnergy(torus), GaussianKernel(0.1)),
                     torus.grid(16, scheme="spectral").potential("cos(2*pi*x)*cos(2*pi*y)/300"), 2e-4)
    assert sol.last.distance(state.grid.potential(exact.last.values)) < 0.02 * exact.last.norm()


@pytest.mark.parametrize("kernel", [GaussianKernel(0.15), Kronecker(GaussianKernel(0.3))])
@pytest.mark.parametrize(("source", "state"), [(DETURCK, METRIC), (fn.KEnergy(CURVE), POTENTIAL)])
def test_the_bound_of_the_spectrum_is_safe_and_sharp(source, state, kernel):
    flow = KernelFlow(source, kernel)
    problem = flow.bind(state)
    y, out, columns = problem.y0, np.empty_like(problem.y0), []
    for n in range(y.size):
        step = np.zeros(y.size)
        step[n] = 1e-6
        ends = []
        for sign in (1, -1):
            problem.rate(0.0, y + sign * step.reshape(y.shape), out)
            ends.append(out.copy())
        columns.append((ends[0] - ends[1]).ravel() / 2e-6)
    true = float(np.abs(np.linalg.eigvals(np.array(columns).T)).max())
    bound = problem.spectral_radius(0.0, y)
    assert true <= bound <= 2.5 * true
    assert bound < 0.5 * flow.classical.bind(state).spectral_radius(0.0, y)


def test_a_batch_of_all_points_is_the_integral_and_a_part_is_its_sum():
    for kernel in (GaussianKernel(0.2), Kronecker(GaussianKernel(0.2))):
        whole = rate_of(KernelFlow(fn.PerelmanLambda(PLANE), kernel), METRIC)
        everything = rate_of(KernelFlow(fn.PerelmanLambda(PLANE), kernel, Batch(64)), METRIC)
        np.testing.assert_allclose(everything, whole, rtol=1e-12, atol=1e-12)
    halves = [rate_of(KernelFlow(fn.PerelmanLambda(PLANE), kernel, Batch(part)), METRIC)
              for part in (range(0, 64, 2), range(1, 64, 2))]
    np.testing.assert_allclose(sum(halves) / 2, whole, rtol=1e-10, atol=1e-10)


def test_a_batch_by_hand():
    """Eq. (2.8): dg(x) = −(vol/|B|) Σ_{x' ∈ B} K(x, x') D(x')."""
    batch, (points, _) = Batch(10, seed=3), points_and_cell(METRIC.grid)
    chosen = batch.indices(METRIC.grid)
    assert len(np.unique(chosen)) == 10
    covector = raised(METRIC, rate_of(DETURCK, METRIC), np.sqrt(np.linalg.det(METRIC.values)))
    expected = Bumps().matrix(points, points[chosen]) @ covector[chosen].reshape(10, 4) / 10
    found = METRIC.unpack(rate_of(KernelFlow(DETURCK, Kronecker(Bumps()), batch), METRIC)).values
    np.testing.assert_allclose(found.reshape(64, 4), expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(batch.indices(METRIC.grid), Batch(10, seed=3).indices(METRIC.grid))
    sol = gf.solve(KernelFlow(fn.PerelmanLambda(PLANE), Kronecker(GaussianKernel(0.2)), Batch(48)), METRIC, 1e-3)
    assert sol.outcome.kind == "finished"
    assert sol.description["batch"] == 48


@pytest.mark.parametrize(("points", "words"), [(0, "1 to 64"), (65, "65 were"), ([], "number of points"),
                                               ([1, 1], "repeated"), ([64], "from 0 to 63"), ("all", "indices")])
def test_batches_that_do_not_fit(points, words):
    with pytest.raises(gf.GeomflowError, match=words):
        Batch(points).weights(METRIC.grid)


def test_the_empirical_kernel_of_a_network():
    """−∫Θ D dx = −J ∫Jᵀ D dx, also through `solve`."""
    model = IndependentComponents(PLANE, Perceptron(2, hidden=(8,)))
    theta = model.initial(1)
    points, cell = points_and_cell(METRIC.grid)
    covector = raised(METRIC, rate_of(gf.Descent(fn.PerelmanLambda(PLANE).gradient_flow("ebin")), METRIC),
                      np.sqrt(np.linalg.det(METRIC.values)))
    jacobian = model.jacobian(theta, points).reshape(-1, model.size)
    expected = jacobian @ (jacobian.T @ covector.ravel()) * cell
    flow = KernelFlow(fn.PerelmanLambda(PLANE), EmpiricalKernel(model, theta))
    found = METRIC.unpack(rate_of(flow, METRIC)).values
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())
    sol = gf.solve(flow, METRIC, 1e-5)
    assert sol.outcome.kind == "finished"
    assert (np.diff(sol["energy"]) < 0).all()
    assert ((sol["alignment"] > 0) & (sol["alignment"] < 1)).all()
    batch = KernelFlow(fn.PerelmanLambda(PLANE), EmpiricalKernel(model, theta), Batch(30)).bind(METRIC)
    assert np.isfinite(batch.observe(0.0, batch.y0)["alignment"])


def test_the_empirical_kernel_of_a_potential():
    model = PotentialModel(CURVE, Perceptron(2, hidden=(8,)))
    theta = model.initial(1)
    points, cell = points_and_cell(POTENTIAL.grid)
    jacobian = model.jacobian(theta, points)
    density = 2 * POTENTIAL.metric().values[..., 0, 0].real
    covector = density * rate_of(gf.Descent(fn.KEnergy(CURVE).gradient_flow()), POTENTIAL)
    expected = jacobian @ (jacobian.T @ covector.ravel()) * cell
    found = rate_of(KernelFlow(fn.KEnergy(CURVE), EmpiricalPotentialKernel(model, theta)), POTENTIAL)
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())
    with pytest.raises(gf.GeomflowError, match="EmpiricalPotentialKernel"):
        KernelFlow(fn.KEnergy(CURVE), EmpiricalKernel(model, theta)).bind(POTENTIAL)


def test_the_flow_says_what_it_is():
    flow = KernelFlow(fn.KEnergy(CURVE), GaussianKernel(0.2))
    assert flow.name == "kernel-kenergy-mabuchi"
    assert "Theta" in str(flow)
    assert "Theta" in str(flow.components(CURVE)[0].rhs)
    found = flow.bind(POTENTIAL).observe(0.0, POTENTIAL.pack())
    damped = np.exp(-0.04 * 8 * np.pi**2 / 2)
    assert found["retained"] == pytest.approx(damped, rel=0.2)
    assert found["alignment"] == pytest.approx(found["retained"], rel=1e-12)


def test_ill_posed_flows_under_kernels():
    with pytest.warns(CappedGrowthWarning, match=r"\|k\|\^2 t\).*caps the growth at 21\.11 = 1\.148 2/\(e s\^2\)"):
        KernelFlow(fn.PerelmanF(PLANE), GaussianKernel(0.2)).bind(METRIC)
    with pytest.warns(CappedGrowthWarning, match="no Fourier symbol"):
        KernelFlow(fn.PerelmanF(PLANE), Bumps()).bind(METRIC)
    with pytest.warns(CappedGrowthWarning, match=r"\(4/\(e s\^2\)\)\^2"):
        KernelFlow(-fn.KEnergy(CURVE), GaussianKernel(0.3)).bind(POTENTIAL)
    for kernel in (DeltaKernel(), Kronecker(DeltaKernel())):
        with pytest.raises(IllPosedError, match=r"shortest waves.*forced=True"):
            KernelFlow(fn.PerelmanF(PLANE), kernel).bind(METRIC)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        KernelFlow(gf.Descent(fn.PerelmanF(PLANE).gradient_flow(), forced=True), DeltaKernel()).bind(METRIC)


@pytest.mark.parametrize(("source", "kernel", "words"), [
    (fn.KEnergy(CURVE), GaussianKernel, "write GaussianKernel"),
    (fn.KEnergy(CURVE), 0.1, "GaussianKernel"),
    (3, GaussianKernel(0.2), "needs a flow"),
    (KernelFlow(fn.KEnergy(CURVE), DeltaKernel()), DeltaKernel(), "already"),
    (fn.KEnergy, DeltaKernel(), "KEnergy"),
])
def test_what_is_no_flow_or_no_kernel(source, kernel, words):
    with pytest.raises(gf.GeomflowError, match=words) as caught:
        KernelFlow(source, kernel)
    assert isinstance(caught.value, ValueError)


def test_a_heat_equation_of_ones_own():
    """∂_t u = κΔu under a Gaussian: e^{−κ|k|² e^{−s²|k|²/2} t}."""
    heat = gf.Flow.from_expression("kappa * laplacian(u)", kappa=0.1)
    state = gf.Torus(dim=1).grid(16, scheme="spectral").scalar("cos(4*pi*x)")
    sol = gf.solve(KernelFlow(heat, GaussianKernel(0.1)), state, 0.1, rtol=1e-9)
    k2 = 16 * np.pi**2
    np.testing.assert_allclose(sol.last.values, np.exp(-0.01 * k2 * np.exp(-0.005 * k2)) * state.values, atol=1e-7)


def test_a_flow_along_another_solution_takes_no_kernel():
    past = gf.solve(gf.RicciFlow(), METRIC, 1e-4, save_at=2)
    with pytest.raises(gf.GeomflowError, match="more than the state"):
        KernelFlow(gf.ConjugateHeatFlow(past), GaussianKernel(0.2))


def test_a_lattice_that_is_not_rectangular():
    state = gf.Torus(dim=2, lattice=[[1, 0], [0.5, 0.8]]).grid(8, scheme="spectral").random_metric(1)
    sol = gf.solve(KernelFlow(fn.ScalarSquared(state.grid.torus), GaussianKernel(0.2)), state, 1e-7)
    assert sol.outcome.kind == "finished"
    assert sol["energy"][-1] < sol["energy"][0]


def test_a_state_of_another_kind():
    with pytest.raises(gf.GeomflowError, match="PotentialField"):
        gf.solve(KernelFlow(fn.KEnergy(CURVE), GaussianKernel(0.2)), METRIC, 0.1)
    with pytest.raises(gf.GeomflowError, match="Batch"):
        KernelFlow(fn.KEnergy(CURVE), GaussianKernel(0.2), batch=10)


@pytest.mark.parametrize("structure", [Covariant, Kronecker])
def test_kernels_that_are_not_positive_or_not_symmetric(structure):
    with pytest.raises(PositivityError, match="eigenvalue of at most -"):
        KernelFlow(DETURCK, structure(Bumps(factor=-1.0))).bind(METRIC)
    with pytest.raises(SymmetryError, match="not symmetric"):
        KernelFlow(DETURCK, structure(Bumps(skew=0.3))).bind(METRIC)
    with pytest.raises(gf.GeomflowError, match="not finite"):
        KernelFlow(DETURCK, structure(Bumps(factor=np.nan))).bind(METRIC)


def test_a_width_below_the_spacing_is_warned_of():
    with pytest.warns(UnderResolvedWarning, match="under-resolved"):
        KernelFlow(DETURCK, GaussianKernel(0.05)).bind(METRIC)


FILE = """\
[geometry]
type = "torus"
dim = 2

[grid]
n = 8
scheme = "spectral"

[state]
metric = [["1 + cos(2*pi*y)/5", "0"], ["0", "1 + sin(2*pi*x)/5"]]

[flow]
name = "ricci"
gauge = "deturck"

[kernel]
name = "gaussian"
scale = 0.2

[solve]
t1 = 0.001
"""


def test_a_run_file_names_a_kernel(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, old, new in (("a", "", ""), ("b", "scale = 0.2", 'scale = 0.2\nstructure = "kronecker"\nbatch = 40'),
                           ("c", 'name = "gaussian"\nscale = 0.2', 'name = "network"\nactivation = "erf"')):
        (tmp_path / f"{name}.toml").write_text(FILE.replace(old, new) if old else FILE)
        assert main(["run", f"{name}.toml"]) == 0
        assert "Theta" in capsys.readouterr().out
    first = gf.load(tmp_path / "runs" / "a" / "run.zarr")
    state = PLANE.grid(8, scheme="spectral").metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1 + sin(2*pi*x)/5"]])
    again = gf.solve(KernelFlow(gf.RicciFlow(gauge="deturck"), GaussianKernel(0.2)), state, 0.001)
    np.testing.assert_array_equal(first.last.values, again.last.values)
    assert gf.load(tmp_path / "runs" / "b" / "run.zarr").description["batch"] == 40


@pytest.mark.parametrize(("name", "options", "kernel"), [
    ("network", {"activation": "erf"}, NetworkKernel("erf")),
    ("residual", {"activation": "erf", "branch": 0.5}, ResidualKernel("erf", branch=0.5)),
    ("normalised", {"depth": 2}, NormalisedKernel(depth=2)),
    ("gauss-net", {"weight_std": 1.2}, GaussNetKernel(1.2)),
    ("cosine-net", {"weight_std": 1.2}, CosineNetKernel(1.2)),
])
def test_named_networks_are_periodic_on_the_torus_of_the_run(name, options, kernel):
    x = np.random.default_rng(0).uniform(size=(4, 2))
    np.testing.assert_array_equal(named_kernel(name, options, PLANE).matrix(x), kernel.periodic(PLANE).matrix(x))
    state = PLANE.grid(8, scheme="spectral").metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1 + sin(2*pi*x)/5"]])
    assert rate_of(KernelFlow(DETURCK, named_kernel(name, options, PLANE)), state).any()


@pytest.mark.parametrize(("old", "new", "words"), [
    ("gaussian", "gausian", "gaussian"), ("scale", "scales", "scale"), ("scale = 0.2", "", "needs the option 'scale'"),
    ("scale = 0.2", "scale = -1", "positive"), ("scale = 0.2", 'scale = 1\nstructure = "round"', "kronecker"),
    ("scale = 0.2", "scale = 0.2\ndepth = 2", "takes scale"), ("scale = 0.2", "scale = 0.2\nbatch = 100", "1 to 64"),
])
def test_bad_kernels_in_a_run_file(tmp_path, monkeypatch, capsys, old, new, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text(FILE.replace(old, new))
    assert main(["run", "bad.toml"]) == 2
    assert words in capsys.readouterr().err
