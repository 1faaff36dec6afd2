"""Wrong input to bases and evaluated expressions: what is said."""

import numpy as np
import pytest

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, GridTooSmallError, InputError, ShapeError, UnknownNameError
from geomflow.core.program import Average, Stage
from geomflow.field.bases import Clustered, Drawn, Fourier, Legendre, Periodic, Point, Product, Staggered
from geomflow.field.reduced import Closing, Evaluated

U, U_X = gr.jet("u", (0,)), gr.jet("u", (1,))
CIRCLE = Fourier(8, 1.0)


@pytest.mark.parametrize("make, words", [
    (lambda: Legendre(1, 0.0, 1.0), "at least 2, not 1"),
    (lambda: Legendre(8.5, 0.0, 1.0), "not 8.5"),
    (lambda: Legendre(8, 1.0, 1.0), "a < b"),
    (lambda: Legendre(8, 0.0, float("inf")), "finite"),
    (lambda: Legendre(8, 0.0, 1.0, modes=9), "8 nodes carry 1 to 8 modes, not 9"),
    (lambda: Legendre(8, 0.0, 1.0).limited(6), "not 0"),
    (lambda: Clustered(8, 0.0, 1.0, ((4.0, 1.0),)), r"in \[0, π\].*not \(4.0, 1.0\)"),
    (lambda: Clustered(8, 0.0, 1.0, ((1.0, float("nan")),)), "strength"),
    (lambda: Drawn(8, 1.0, ((6.5, 1.0),)), r"in \[0, 2π\].*not \(6.5, 1.0\)"),
    (lambda: Drawn(8, 1.0, ((1.0, 1.0),), modes=9), "8 nodes carry 1 to 8 waves, not 9"),
    (lambda: Fourier(0, 1.0), "at least 1"),
    (lambda: Fourier(8, -1.0), "a < b"),
    (lambda: Periodic(4, 1.0, 4), "at least 5"),
    (lambda: Staggered(8, 0.0, 1.0, 3), "2, 4, 6, 8, not 3"),
    (lambda: CIRCLE.derivative((-1,)), "negative"),
    (lambda: Legendre(8, 0.0, 1.0).at([0.5, 1.1]), r"1.1.*outside.*\[0.0, 1.0\]"),
    (lambda: Staggered(8, 0.0, 1.0, 2).at(float("nan")), "outside"),
    (lambda: Closing("w", "rho", 2).symbol(6), "not for k = 6"),
])
def test_wrong_bases(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_wrong_shapes():
    with pytest.raises(ShapeError, match=r"2 indices.*1 axes"):
        CIRCLE.derivative((1, 0))
    with pytest.raises(ShapeError, match="0 indices"):
        CIRCLE.derivative(())
    with pytest.raises(ShapeError, match=r"\(M, 2\)"):
        Product(CIRCLE, CIRCLE).at([0.0, 1.0])
    with pytest.raises(GridTooSmallError, match="reaches 5"):
        Staggered(4, 0.0, 1.0, 6).derivative((6,))
    assert Point().at([0.0, 1.0]).shape == (2, 1)


def test_wrong_expressions():
    with pytest.raises(UnknownNameError, match=r"unknown function 'v'.*: u"):
        Evaluated([gr.jet("v", (0,))], ["u"], CIRCLE)
    with pytest.raises(ExpressionError, match="2 indices"):
        Evaluated([gr.jet("u", (0, 1))], ["u"], CIRCLE)
    with pytest.raises(InputError, match="'u' is used more than once"):
        Evaluated([U], ["u"], CIRCLE, {"u": np.ones(8)})
    with pytest.raises(InputError, match="2 unknowns need one basis"):
        Evaluated([U], ["u", "w"], [CIRCLE])
    with pytest.raises(ShapeError, match="'rho' has 7 nodes"):
        Evaluated([U], ["u"], CIRCLE, {"rho": np.ones(7)})
    with pytest.raises(ShapeError, match="basis of 'w' has 9"):
        Evaluated([U], ["u", "w"], [CIRCLE, Fourier(9, 1.0)])
    with pytest.raises(InputError, match="'m' stands on stages or on averages"):
        Evaluated([U * gr.symbol("m")], ["u"], CIRCLE, averages=[Average("m", gr.symbol("m") * U, U)])
    with pytest.raises(InputError, match="stands on stages"):
        Evaluated([U * gr.symbol("m")], ["u"], CIRCLE, averages=[Average("m", U, U, (Stage((("v", U),)),))])
    with pytest.raises(InputError, match=r"Closing.*needs"):
        Evaluated([U], ["u"], CIRCLE, closings=[Closing("u", "rho", 1)])


def test_wrong_calls():
    rates = Evaluated([gr.symbol("c") * U_X], ["u"], CIRCLE)
    assert rates.numbers == ("c",)
    with pytest.raises(ShapeError, match=r"u have shape \(1, 8\), not \(8,\)"):
        rates(np.ones(8), {"c": 1.0})
    with pytest.raises(InputError, match="'c' has no value"):
        rates.jacobian(np.ones((1, 8)), {})


def test_averages_are_quotients_of_integrals():
    x = CIRCLE.x[0]
    y = np.array([2 + np.cos(2 * np.pi * x)])
    mean = Average("mean", U**2, U)
    rates = Evaluated([U - gr.symbol("mean")], ["u"], CIRCLE, averages=[mean])
    assert rates.averaged(y, {})["mean"] == pytest.approx(4.5 / 2, rel=1e-15)
    assert rates(y, {})[0] == pytest.approx(y[0] - 4.5 / 2, rel=1e-14)
    odd = Legendre(12, 0.0, np.pi)
    r = np.sqrt(odd.sine_squared)
    sphere = Evaluated([gr.symbol("m")], ["u"], odd, {"r": r}, [Average("m", gr.symbol("r") * U, gr.symbol("r"))],
                       weights=odd.odd_weights)
    assert sphere.averaged(odd.points[0][None] ** 2, {})["m"] == pytest.approx(1 / 3, rel=1e-14)
