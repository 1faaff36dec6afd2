"""Grid routines against the same stencils written with np.roll, in every dimension and shape of program."""

import numba
import numpy as np
import pytest

import geomflow.codegen.grid as grid_module
from geomflow.codegen import compile_grid
from geomflow.codegen.stencils import weights
from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, GridTooSmallError, InputError, ShapeError
from geomflow.core.program import Program, Stage


def rolled(values, index, spacing, order):
    """The derivative by one-dimensional stencils over periodic copies."""
    for axis, derivative in enumerate(index):
        if derivative:
            w = weights(derivative, order)
            reach = len(w) // 2
            values = sum(float(c) * np.roll(values, reach - s, axis) for s, c in enumerate(w))
            values = values / spacing[axis] ** derivative
    return values


def reference(program, order, fields, spacing, parameters=(), statics=()):
    """The program evaluated stage by stage with NumPy."""
    arrays = dict(zip(program.fields, fields)) | dict(zip(program.statics, statics))
    known = {gr.symbol(p): v for p, v in zip(program.parameters, parameters)}
    points = np.meshgrid(*[h * np.arange(n) for h, n in zip(spacing, fields.shape[1:])], indexing="ij")
    known |= {gr.symbol(c): x for c, x in zip(program.coordinates, points)}
    for stage in program.stages:
        jets = {leaf: rolled(arrays[leaf.data[0]], leaf.data[1], spacing, order)
                for leaf in gr.leaves(stage.nodes) if leaf.op == "jet"}
        values = gr.evaluate(stage.nodes, known | jets)
        arrays |= dict(zip(stage.names, values))
    return np.array([np.broadcast_to(arrays[name], fields.shape[1:]) for name in program.outputs])


def random_fields(count, shape, seed=0):
    """Smooth and rough parts together, away from zero."""
    return 2.0 + np.random.default_rng(seed).uniform(-0.5, 0.5, (count, *shape))


def check(program, order, shape, parameters=(), statics=None, seed=0):
    fields = random_fields(len(program.fields), shape, seed)
    spacing = tuple(0.3 + 0.1 * a for a in range(len(shape)))
    value = compile_grid(program, order)(fields, spacing, parameters, statics)
    expected = reference(program, order, fields, spacing, parameters, () if statics is None else statics)
    assert value.shape == (len(program.outputs), *shape)
    assert np.abs(value - expected).max() <= 1e-11 * np.abs(expected).max()


def jets_up_to(total, dimension):
    return [i for i in np.ndindex(*[total + 1] * dimension) if sum(i) <= total]


@pytest.mark.parametrize("dimension, total, order", [(1, 4, 2), (1, 4, 8), (2, 4, 4), (3, 3, 2), (4, 2, 4)])
def test_every_derivative_equals_its_rolled_stencil(dimension, total, order):
    coordinates = tuple("xyzw"[:dimension])
    outputs = tuple((f"o{k}", gr.jet("u", i) * gr.jet("v", i)) for k, i in enumerate(jets_up_to(total, dimension)))
    program = Program(coordinates, ("u", "v"), (), (), (Stage(outputs),))
    check(program, order, (13, 14, 11, 12)[-dimension:])


@pytest.mark.parametrize("dimension", [1, 2, 3, 4])
def test_stages_may_differentiate_earlier_ones(dimension):
    def unit(*axes):
        return tuple(axes.count(a) for a in range(dimension))

    last = dimension - 1
    first = Stage((("a", gr.log(gr.jet("u", unit()))), ("b", gr.jet("u", unit(0, last)) ** 2)))
    second = Stage((("c", gr.jet("a", unit(0, 0)) + gr.jet("b", unit(0)) * gr.jet("u", unit(last))),))
    mixed = gr.jet("c", unit(0, last)) * gr.jet("a", unit()) + gr.jet("c", unit(last))
    mixed = mixed - gr.jet("b", unit(1 % dimension))
    third = Stage((("r", mixed), ("s", 2 * mixed)))
    program = Program(tuple("xyzw"[:dimension]), ("u",), (), (), (first, second, third))
    check(program, 4, (9, 10, 8, 7)[:dimension])


def test_statics_parameters_and_coordinates():
    x, y, a, b = (gr.symbol(s) for s in "xyab")
    e = (gr.sin(a * y) * gr.jet("f", (1, 1)) + gr.exp(b) * x**2 * gr.jet("u", (0, 1)) + gr.cos(x) * y
         + gr.sqrt(a) * gr.sin(x + y) + gr.PI)
    program = Program(("x", "y"), ("u",), ("f",), ("a", "b"), (Stage((("r", e),)),))
    check(program, 6, (20, 17), (1.3, 0.4), random_fields(1, (20, 17), seed=5))


def test_a_stage_of_three_dimensions_in_tiles_equals_the_whole():
    u = [gr.jet("u", i) for i in ((0, 0, 0), (1, 1, 0), (0, 1, 1), (0, 0, 2))]
    second = gr.jet("a", (1, 1, 0)) + gr.jet("a", (0, 2, 0)) * u[3]
    stages = (Stage((("a", u[0] * u[1] + u[2]),)), Stage((("r", second),)))
    program = Program(("x", "y", "z"), ("u",), (), (), stages)
    check(program, 4, (9, 11, 10))
    routine = compile_grid(program, 4)
    fields = random_fields(1, (20, 24, 16))
    whole = routine(fields, (0.1, 0.1, 0.1))
    tiled, empty = np.empty_like(whole), np.empty((0, 20, 24, 16))
    block = routine._compiled.function
    for start in range(0, 20, 7):
        for first in range(0, 24, 5):
            block(fields, empty, np.empty(0), np.full(3, 0.1), tiled,
                  start, min(20, start + 7), first, min(24, first + 5))
    assert np.array_equal(whole, tiled)


@pytest.mark.parametrize("shape", [(67, 45), (19, 21, 18), (11, 10, 9, 13)])
def test_results_do_not_depend_on_threads_or_tiles(monkeypatch, shape):
    """A program of two stages with a logarithm and a division, on grids that no vector length divides."""
    def unit(*axes):
        return tuple(axes.count(a) for a in range(len(shape)))

    last = len(shape) - 1
    first = Stage((("a", gr.log(gr.jet("u", unit()) + gr.jet("u", unit(0, last)) ** 2)),))
    second = Stage((("r", (gr.jet("a", unit(0, 0)) + gr.jet("a", unit(0, last))) / gr.jet("u", unit())),))
    routine = compile_grid(Program(tuple("xyzw"[: len(shape)]), ("u",), (), (), (first, second)), 4)
    fields, spacing = random_fields(1, shape), (0.7,) * len(shape)
    serial = routine(fields, spacing)
    monkeypatch.setattr(grid_module, "use_threads", lambda seconds: True)
    before = numba.get_num_threads()
    try:
        for threads, planes in (1, 7), (before, 7), (before, 3):
            numba.set_num_threads(threads)
            tile = planes, (shape[1] if len(shape) == 2 else 5)
            monkeypatch.setattr(routine, "_tile", lambda grid, tile=tile: tile)
            assert np.array_equal(routine(fields, spacing), serial)
    finally:
        numba.set_num_threads(before)


def test_a_value_that_two_stages_need_is_computed_once():
    v = 1 + (gr.jet("u", (2, 0)) + gr.jet("u", (0, 2))) ** 2
    calabi = (Stage((("a", gr.log(v)),)), Stage((("r", (gr.jet("a", (2, 0)) + gr.jet("a", (0, 2))) / v),)))
    alone = (calabi[0], Stage((("r", (gr.jet("a", (2, 0)) + gr.jet("a", (0, 2)))),)))
    routines = [compile_grid(Program(("x", "y"), ("u",), (), (), stages), 4) for stages in (calabi, alone)]
    assert routines[0].operations - routines[1].operations == 1
    check(Program(("x", "y"), ("u",), (), (), calabi), 4, (12, 13))


@pytest.mark.parametrize("names", [("n_i", "h_j", "w_ii", "origin"), ("i_2", "q", "line0", "turn"),
                                   ("r0", "m0", "d0_i", "left"), ("at", "row", "stage0", "c")])
def test_no_name_of_a_user_is_taken_for_one_of_the_generated_code(names):
    def program(x, y, u, a):
        jets = [gr.jet(u, i) for i in ((0, 0), (1, 1), (2, 0), (0, 1))]
        first = Stage((("b", jets[0] * jets[1] + gr.symbol(a) * jets[2]),))
        rate = gr.jet("b", (1, 1)) + gr.jet("b", (0, 2)) * gr.sin(gr.symbol(y)) + gr.symbol(x) * jets[3] + 2
        return Program((x, y), (u,), (), (a,), (first, Stage((("e", rate),))))

    fields = random_fields(1, (14, 15))
    plain = compile_grid(program("x", "y", "u", "b0"), 4)(fields, (0.2, 0.3), (1.5,))
    value = compile_grid(program(*names), 4)(fields, (0.2, 0.3), (1.5,))  # sums may be in the order of the names
    assert np.abs(value - plain).max() <= 1e-13 * np.abs(plain).max()


@pytest.mark.parametrize("shape", [(5, 2050), (5, 9, 150), (5, 6, 5, 60)])
def test_long_lines_are_worked_on_in_pieces(shape):
    def unit(*axes):
        return tuple(axes.count(a) for a in range(len(shape)))

    last = len(shape) - 1
    first = Stage((("a", gr.jet("u", unit(0, last)) * gr.jet("u", unit()) + gr.cos(gr.symbol("xyzw"[last]))),))
    second = Stage((("r", gr.jet("a", unit(0, last)) + gr.jet("a", unit(last, last)) * gr.jet("u", unit(last))),))
    check(Program(tuple("xyzw"[: len(shape)]), ("u",), (), (), (first, second)), 2, shape)


def test_result_goes_into_out():
    program = Program(("x",), ("u",), (), (), (Stage((("r", gr.jet("u", (1,))),)),))
    fields, out = random_fields(1, (16,)), np.empty((1, 16))
    assert compile_grid(program, 2)(fields, (0.1,), out=out) is out
    assert np.array_equal(out, compile_grid(program, 2)(fields, (0.1,)))


HEAT = Program(("x", "y"), ("u",), (), (), (Stage((("r", gr.jet("u", (2, 0)) + gr.jet("u", (0, 2))),)),))


def test_grid_smaller_than_the_stencil_is_refused_with_its_numbers():
    routine = compile_grid(HEAT, 8)
    assert routine.minimum_points == 9
    routine(random_fields(1, (9, 9)), (0.1, 0.1))
    with pytest.raises(GridTooSmallError, match=r"at least 9 points.*9 x 8"):
        routine(random_fields(1, (9, 8)), (0.1, 0.1))


def test_arrays_that_do_not_fit_are_refused():
    routine = compile_grid(HEAT, 2)
    fields = random_fields(1, (8, 8))
    with pytest.raises(ShapeError, match=r"fields must have shape \(1, 8, 8\)"):
        routine(random_fields(2, (8, 8)), (0.1, 0.1))
    with pytest.raises(ShapeError, match="3 axes"):
        routine(fields[0], (0.1, 0.1))
    with pytest.raises(InputError, match="2 spacing are needed, but 1"):
        routine(fields, (0.1,))
    with pytest.raises(InputError, match="overlaps"):
        routine(fields, (0.1, 0.1), out=fields)
    with pytest.raises(ShapeError, match="out must be"):
        routine(fields, (0.1, 0.1), out=np.empty((1, 8, 9)))
    fixed = np.empty((1, 8, 8))
    fixed.flags.writeable = False
    with pytest.raises(InputError, match="cannot be written"):
        routine(fields, (0.1, 0.1), out=fixed)
    with pytest.raises(InputError, match="fields must be real"):
        routine(1j * fields, (0.1, 0.1))
    moved = Program(("x",), ("u",), ("f",), (), (Stage((("r", gr.jet("u", (1,)) + gr.jet("f", (1,))),)),))
    with pytest.raises(InputError, match="out overlaps statics"):
        compile_grid(moved, 2)(fields[0, :1], (0.1,), (), fields[0, 1:2], out=fields[0, 1:2])


def test_arrays_that_may_not_be_written_are_read_by_the_same_machine_code():
    routine, fields = compile_grid(HEAT, 2), random_fields(1, (8, 8))
    expected = routine(fields, (0.1, 0.1))
    fields.flags.writeable = False
    assert np.array_equal(routine(fields, (0.1, 0.1)), expected)
    assert np.array_equal(routine(fields.tolist(), (0.1, 0.1)), expected)
    assert len(routine._compiled.function.signatures) == 1


@pytest.mark.parametrize("name", ["\\xi", 'a"""b', "a\nb", "__debug__"])
def test_names_of_users_do_not_break_the_code(name):
    for x, u, a, r in ((name, "u", "a", "r"), ("x", name, "a", "r"), ("x", "u", name, "r"), ("x", "u", "a", name)):
        stage = Stage(((r, gr.jet(u, (1,)) * gr.symbol(a) + gr.symbol(x)),))
        value = compile_grid(Program((x,), (u,), (), (a,), (stage,)), 2)(np.ones((1, 8)), (0.1,), (1.0,))
        assert value == pytest.approx(0.1 * np.arange(8.0)[None])
    several = tuple((f"component({k}, {k})", k + gr.jet("u", (0,))) for k in range(9))
    value = compile_grid(Program(("x",), ("u",), (), (), (Stage(several),)), 2)(np.ones((1, 8)), (0.1,))
    assert np.array_equal(value[:, 0], np.arange(1.0, 10.0))


def test_programs_are_checked():
    u = gr.jet("u", (0,))
    with pytest.raises(InputError, match="used more than once"):
        Program(("x",), ("u", "u"), (), (), (Stage((("r", u),)),))
    with pytest.raises(ExpressionError, match="'v' is not a field"):
        Program(("x",), ("u",), (), (), (Stage((("r", gr.jet("v", (0,))),)),))
    with pytest.raises(ExpressionError, match="'r' holds the imaginary unit"):
        Program(("x",), ("u",), (), (), (Stage((("r", gr.I * u),)),))
    with pytest.raises(ExpressionError, match="2 indices"):
        Program(("x",), ("u",), (), (), (Stage((("r", gr.jet("u", (0, 1))),)),))
    with pytest.raises(InputError, match="1 to 4 axes"):
        compile_grid(Program(tuple("abcde"), ("u",), (), (), (Stage((("r", gr.jet("u", (0,) * 5)),)),)))
    with pytest.raises(InputError, match="2, 4, 6, 8"):
        compile_grid(HEAT, 3)


def test_not_a_number_stays_where_it_is():
    fields = random_fields(1, (16, 16))
    fields[0, 8, 8] = np.nan
    value = compile_grid(HEAT, 2)(fields, (0.1, 0.1))
    assert np.isnan(value).sum() == 5


def test_functions_of_parameters_alone_are_computed_once():
    program = Program(("x", "y"), ("u",), (), ("a",), (Stage((("r", gr.log(gr.symbol("a"))),)),))
    routine = compile_grid(program, 2)
    assert np.array_equal(routine(random_fields(1, (5, 6)), (1.0, 1.0), (np.e,)), np.ones((1, 5, 6)))
    assert routine.operations == 0
