"""What is wrong with polygons, classes, degrees and places of toric surfaces is said with its numbers."""

from __future__ import annotations

from fractions import Fraction

import pytest

import geomflow as gf
from geomflow.core.errors import InputError, NotFiniteError, PositivityError, ShapeError, UnknownNameError

QUADRANTS = [(1, 0, 0), (0, 1, 0)]


@pytest.mark.parametrize(("polygon", "message"), [
    ([(0, 0), (2, 0), (0, 1)], r"corner \(0, 1\).*not Delzant.*determinant 2"),
    ([(0, 0), (1, 0), (1, 1), (0.5, 0.2)], r"does not turn at the corner"),
    ([(0, 0), (1, 0), (1, 0), (0, 1)], r"does not turn at the corner"),
    ([*QUADRANTS, (1, 1, -1)], r"leave the polygon open"),
    ([*QUADRANTS, (-1, -1, 1), (0, -1, 2)], r"side -x2 \+ 2 = 0 has the length -1.*outside of the Kähler cone"),
    ([*QUADRANTS, (1, 0, 1), (-1, -1, 1)], r"parallel and on one side"),
    (QUADRANTS, r"three or more"),
    (5, r"three or more"),
    ([1, 2, 3], r"three or more"),
    ([(1, 2, 3, 4)] * 4, r"three or more"),
    ([(0, 0), (1, 0), (0, "one")], r"rational number"),
    ([(0, 0), (1, 0), (0, float("nan"))], r"finite"),
])  # fmt: skip
def test_polygons(polygon, message):
    with pytest.raises(InputError, match=message):
        gf.Toric(polygon)


def test_floats_that_are_no_simple_fractions_are_told():
    """√2 is read as 131836323/93222358."""
    with pytest.warns(UserWarning, match=r"1\.4142135623730951.*131836323/93222358"):
        gf.Toric([(0, 0), (2**0.5, 0), (0, 2**0.5)])
    with pytest.warns(UserWarning, match="a constant of the polygon.*no simple fraction"):
        gf.Toric("CP2", constants=[1, 1, 3**0.5])


def test_simple_floats_are_read_in_silence(recwarn):
    surface = gf.Toric([(0, 0), (0.1 + 0.2, 0), (0, 0.1 + 0.2)])
    assert not recwarn.list
    assert surface.constants[1] == Fraction(3, 10)


def test_classes():
    with pytest.raises(InputError, match=r"side x2 \+ 1 = 0 has the length 0, .*outside of the Kähler cone"):
        gf.Toric("F1", constants=[1, 1, 0, 1])
    with pytest.raises(InputError, match="sequence of numbers"):
        gf.Toric("F1", constants=5)
    with pytest.raises(InputError, match="4 sides, and 2 constants"):
        gf.Toric("F1", constants=[1, 1])
    with pytest.raises(UnknownNameError, match="did you mean 'dP3'"):
        gf.Toric("dP4")


def test_equations_without_solutions():
    with pytest.raises(InputError, match=r"Futaki's invariant is \(1/3, 1/3\).*soliton"):
        gf.Toric("dP1").einstein(6)
    with pytest.raises(InputError, match=r"no multiple of c₁.*self-intersection -2.*extremal"):
        gf.Toric("F2").soliton(6)
    with pytest.raises(InputError, match=r"no multiple of c₁.*constants"):
        gf.Toric("CP1xCP1", constants=[1, 2, 1, 2]).einstein(6)


def test_degrees():
    with pytest.raises(InputError, match=r"degree.*>= 2"):
        gf.Toric("CP2").einstein(1)
    with pytest.raises(InputError, match="polynomials: take one up to"):
        gf.Toric("CP2").grid(400)


def test_states():
    grid = gf.Toric("CP1xCP1").grid(4, symmetric=True)
    with pytest.raises(PositivityError, match="not convex near"):
        grid.state("-2*x1^2 - 2*x2^2")
    with pytest.raises(InputError, match="not kept by the 8 symmetries"):
        grid.state("x1^3/10")
    with pytest.raises(InputError, match="degree 6"):
        grid.state("x1^6/100")
    with pytest.raises(InputError, match="polynomial in x1 and x2"):
        grid.state("sin(x1)")
    with pytest.raises(InputError, match="outside of the polygon"):
        grid.state().scalar([(2, 0)])
    with pytest.raises(InputError, match="not finite"):
        grid.state().scalar([(float("nan"), 0)])
    with pytest.raises(NotFiniteError, match="beyond double precision"):
        grid.state("1e400*x1^2")
    with pytest.raises(ShapeError):
        grid.state().scalar([1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="eigenvalues were asked for"):
        grid.state().spectrum(1000)
    for other in (gf.Toric("CP2").grid(4).state(), 3):
        with pytest.raises(ShapeError, match="on one polygon"):
            grid.state().distance(other)
    with pytest.raises(ShapeError, match="polygons differ"):
        grid.state().on(gf.Toric("CP2").grid(4))
    with pytest.raises(ShapeError, match="pair of numbers"):
        grid.state().spectrum(2, drift=(1,))
    with pytest.raises(NotFiniteError):
        grid.state([float("nan")] * grid.size)
    with pytest.raises(InputError, match="text, a number or an expression"):
        grid.state(object())
