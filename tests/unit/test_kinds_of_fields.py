"""Symmetric tensors, vectors and forms as fields: from arrays, at random, between grids, in stores and files."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.cli import main
from geomflow.core.errors import InputError, NotFiniteError, ShapeError, SymmetryError, UnknownNameError
from geomflow.field import SymmetricField
from geomflow.field.interpolate import interpolate, resample

GRID = gf.Torus(dim=2).grid((8, 9))
SPACE = gf.Torus(dim=3).grid((7, 8, 9))
KINDS = "g f T:symmetric X:vector A:form F:2-form"


def test_a_symmetric_tensor_is_packed_as_metrics_are_and_need_not_be_positive():
    T = GRID.symmetric([["cos(2*pi*x)", "y*0"], [0, -1]])
    assert T.component_names == ("T_xx", "T_xy", "T_yy")
    assert T.values[..., 1, 1].max() == -1
    assert T.unpack(T.pack()).max_distance(T) == 0
    state = GRID.fields(h=T, g=GRID.metric())
    assert state.component_names == ("h_xx", "h_xy", "h_yy", "g_xx", "g_xy", "g_yy")
    assert isinstance(state["h"], SymmetricField)
    assert GRID.symmetric(GRID.random_metric(1).ricci()).values.shape == (8, 9, 2, 2)


@pytest.mark.parametrize("grid", [GRID, SPACE], ids=["surface", "space"])
def test_arrays_of_all_components_are_taken_as_they_are(grid):
    d, random = grid.dim, np.random.default_rng(1)
    row = random.standard_normal((*grid.shape, d))
    assert np.array_equal(grid.form(row).values, row)
    assert np.array_equal(grid.vector(row).values, row)
    rows = list(np.moveaxis(row, -1, 0))
    assert np.array_equal(grid.form(rows).values, row)
    assert np.array_equal(grid.vector(rows).values, row)
    matrix = random.standard_normal((*grid.shape, d, d))
    even, two = matrix + np.swapaxes(matrix, -1, -2), matrix - np.swapaxes(matrix, -1, -2)
    assert np.array_equal(grid.symmetric(even).values, even)
    form = grid.form(two)
    assert form.degree == 2
    assert np.array_equal(form.values, two)
    assert np.array_equal(grid.form({"xy": two[..., 0, 1]}).values[..., 0, 1], two[..., 0, 1])


def test_names_of_many_coordinates_are_read_by_the_longest():
    grid = gf.Torus(11).grid((3,) + (1,) * 10, scheme="spectral")
    assert grid.form({"x1x11": 2}).values[..., 0, 10].max() == 2


ROW = np.zeros((8, 9, 2))


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: GRID.form(np.zeros((8, 9, 3))), ShapeError, r"\(8, 9, 2\) for a one-form .* one of shape \(8, 9, 3\)"),
    (lambda: GRID.form(np.zeros((9, 8, 2))), ShapeError, r"one of shape \(9, 8, 2\) was given"),
    (lambda: GRID.form(3), ShapeError, "by its components by name"),
    (lambda: GRID.form(ROW, degree=2), InputError, "a 1-form was given, and degree=2"),
    (lambda: GRID.form(ROW + np.nan), NotFiniteError, "the form is nan at grid point"),
    (lambda: GRID.form(np.ones((8, 9, 2, 2))), SymmetryError,
     r"when indices 0 and 1 change places: component \(0, 0\)"),
    (lambda: GRID.vector(np.zeros((8, 9, 3))), ShapeError, r"shape \(8, 9, 2\), and an array of shape \(8, 9, 3\)"),
    (lambda: GRID.vector("cos(2*pi*x)"), ShapeError, "2 components, one for each coordinate"),
    (lambda: GRID.vector(ROW * 1j + 1j), InputError, "must be real"),
    (lambda: GRID.symmetric([[1, 0], [1, 1]]), SymmetryError, "the symmetric tensor is not symmetric"),
    (lambda: GRID.symmetric(ROW), ShapeError, r"the symmetric tensor has shape \(8, 9, 2\)"),
    (lambda: GRID.symmetric([1, 2]), ShapeError, "2×2 expressions"),
    (lambda: GRID.symmetric(SPACE.metric()), InputError, "lives on another grid"),
    (lambda: GRID.random_fields("g T:spinor", 1), UnknownNameError, "kind of field"),
    (lambda: GRID.random_fields("g g", 1), InputError, "names no field, or one twice"),
    (lambda: GRID.random_fields("", 1), InputError, "names no field"),
    (lambda: GRID.random_fields("A:3-form", 1), UnknownNameError, "2-form"),
    (lambda: GRID.random_fields("g f", None), InputError, "seed"),
    (lambda: GRID.random_fields("g f", 1, amplitude=1), InputError, "below 1"),
])
def test_what_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_random_fields_are_one_state_on_all_grids():
    coarse, fine = (gf.Torus(dim=2).grid(n, scheme="spectral") for n in (9, 12))
    one, other = (grid.random_fields(KINDS, seed=4, amplitude=0.2) for grid in (coarse, fine))
    assert list(one.parts) == ["g", "f", "T", "X", "A", "F"]
    moved = resample(one, fine)
    assert moved.max_distance(other) < 1e-13
    low, high = other["g"].eigenvalue_range()
    assert 0.8 <= low < high <= 1.2
    for name, size in (("X", 2), ("A", 2), ("T", 4)):
        lengths = np.sqrt((other[name].values.reshape(12, 12, size) ** 2).sum(axis=-1))
        assert 0.01 < lengths.max() <= (0.2 if name != "T" else 0.2 * np.sqrt(2))


def test_random_fields_do_not_depend_on_the_fields_beside_them():
    one, other, alone = (GRID.random_fields(names, seed=3) for names in ("g f h", "h f g", "f"))
    for name in ("g", "f", "h"):
        assert np.array_equal(one[name].values, other[name].values)
    assert np.array_equal(one["f"].values, alone["f"].values)
    assert not np.allclose(one["f"].values, one["h"].values)
    assert not np.allclose(one["f"].values, GRID.random_fields("f", seed=4)["f"].values)


def test_a_field_may_be_called_self():
    assert list(GRID.fields(self=1, f=2).parts) == ["self", "f"]


def test_random_fields_of_complex_tori_on_all_grids():
    coarse, fine = (gf.ComplexTorus(dim=2).grid(n, scheme="spectral") for n in (5, 6))
    one, other = (grid.random_fields("h:hermitian phi:potential f", seed=1, amplitude=0.4) for grid in (coarse, fine))
    low, high = one["h"].eigenvalue_range()
    assert 0.3 <= low < 0.45
    assert 0.55 < high <= 0.7
    assert one["phi"].metric().smallest_eigenvalue()[0] >= 0.3
    moved = resample(one, fine)
    for name in one.parts:
        assert moved[name].max_distance(other[name]) < 1e-13


def test_values_of_several_fields_between_points():
    state = GRID.random_fields(KINDS, seed=1).holding(["f"])
    found = interpolate(state, GRID.points()[:2])
    assert list(found) == list(state.parts)
    assert all(np.abs(values - state[name].values[:2]).max() < 1e-12 for name, values in found.items())
    moved = resample(state, GRID.torus.grid(9))
    assert moved.still == ("f",)
    assert [type(part) for part in moved.parts.values()] == [type(part) for part in state.parts.values()]


def test_a_stored_run_of_all_kinds_goes_on(tmp_path):
    flow = gf.Flow.from_expression({"T": "laplacian(T)", "X": "laplacian(X)", "A": "laplacian(A)", "F": "laplacian(F)",
                                    "f": "laplacian(f)"}, covariant=False)
    start = GRID.random_fields("T:symmetric X:vector A:form F:2-form f", seed=2)
    whole = gf.solve(flow, start, t1=1e-3, save_at=2)
    gf.solve(flow, start, t1=5e-4, store=tmp_path / "run", save_at=1)
    gone_on = gf.solve(flow, start, t1=1e-3, store=tmp_path / "run", save_at=2, resume=True)
    loaded = gf.load(tmp_path / "run").last
    assert np.array_equal(gone_on.last.pack(), whole.last.pack())
    assert np.array_equal(loaded.pack(), whole.last.pack())
    assert isinstance(loaded["T"], SymmetricField)
    assert {"T_xy_max", "X_x_mean", "A_y_min", "F_xy_max", "f_mean"} <= set(whole.monitors)
    assert gf.plot.quantity_names(loaded)[:3] == ["T_xx", "X_x", "A_x"]


@pytest.mark.parametrize(("rate", "message"), [
    ("laplacian(f)", "a symmetric tensor with 2 lower indices was expected"),
    ("nabla(A)", r"a symmetric tensor is symmetric, and its rate is not: write sym\(...\)"),
])
def test_rates_of_a_symmetric_tensor_are_symmetric(rate, message):
    state = GRID.random_fields("g T:symmetric A:form f", seed=1)
    with pytest.raises(gf.GeomflowError, match=message):
        gf.Flow.from_expression({"T": rate}).on(state)


def test_a_run_file_and_the_command_know_symmetric_tensors(tmp_path, capsys):
    (tmp_path / "heat.toml").write_text('''[geometry]
type = "torus"
dim = 2
[grid]
n = 9
[state.g]
metric = [[1, 0], [0, 1]]
[state.T]
symmetric = [["cos(2*pi*x)", 0], [0, 1]]
[flow]
name = "expression"
[flow.rate]
T = "laplacian(T)"
[solve]
t1 = 1e-3
''')
    assert main(["run", str(tmp_path / "heat.toml"), "--out", str(tmp_path / "out")]) == 0
    assert main(["derive", "--rate", "T symmetric: laplacian(T)"]) == 0
    assert "T_xx: parabolic of order 2" in capsys.readouterr().out
