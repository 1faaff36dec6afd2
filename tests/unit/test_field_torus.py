"""Tori: coordinates, lattices, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from geomflow.core.errors import InputError, ShapeError
from geomflow.field import ComplexTorus, Torus


def test_unit_periods_unless_given():
    assert Torus(dim=3).periods == (1.0, 1.0, 1.0)
    assert ComplexTorus(dim=2).periods == (1.0,) * 4


@pytest.mark.parametrize(
    "torus, names",
    [
        (Torus(1), ("x",)),
        (Torus(4), ("x", "y", "z", "w")),
        (ComplexTorus(1), ("x", "y")),
        (ComplexTorus(2), ("x1", "y1", "x2", "y2")),
        (ComplexTorus(3), ("x1", "y1", "x2", "y2", "x3", "y3")),
    ],
)
def test_coordinates(torus, names):
    assert torus.coordinates == names
    assert torus.real_dim == len(names)
    assert tuple(symbol.name for symbol in torus.symbols) == names
    assert all(symbol.is_real for symbol in torus.symbols)


def test_charts_carry_the_names():
    assert Torus(2, periods=(1, 2)).chart.coordinates == ("x", "y")
    assert ComplexTorus(2).chart.coordinates[:2] == ("z1", "z2")
    assert ComplexTorus(1).chart.coordinates[0] == "z"


def test_periods_may_be_exact_numbers():
    torus = Torus(2, periods=(2 * sympy.pi, 3))
    assert torus.cell_volume == pytest.approx(6 * np.pi)
    assert Torus(2, periods=5).periods == (5.0, 5.0)


def test_lattice_and_modulus():
    hexagonal = ComplexTorus(1, modulus=0.5 + 1j * np.sqrt(3) / 2)
    assert hexagonal.cell_volume == pytest.approx(np.sqrt(3) / 2)
    assert hexagonal.periods == pytest.approx((1, 1))
    assert not hexagonal.is_rectangular
    assert hexagonal == ComplexTorus(1, lattice=[[1, 0], [0.5, np.sqrt(3) / 2]])
    assert Torus(2, lattice=[[2, 0], [0, 3]]) == Torus(2, periods=(2, 3))


def test_directions_and_dual_are_inverse():
    torus = Torus(3, lattice=[[1, 0.2, 0], [0, 2, 0.3], [0.1, 0, 1]])
    assert torus.directions @ torus.dual == pytest.approx(np.eye(3))


def test_tori_are_values():
    assert hash(Torus(2)) == hash(Torus(2, periods=(1, 1)))
    assert Torus(2) != Torus(2, periods=(1, 2))
    with pytest.raises(AttributeError):
        Torus(2).dim = 3


def test_tori_print_as_sentences():
    assert repr(Torus(1)) == "the torus R^1/Λ with coordinate x and period 1"
    assert "lattice vectors (1, 0), (0.5, 1)" in repr(ComplexTorus(1, modulus=0.5 + 1j))


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: Torus(12), InputError, "from 1 to 11, and dim is 12"),
        (lambda: ComplexTorus(4), InputError, "from 1 to 3, and dim is 4"),
        (lambda: Torus(True), InputError, "dim is True"),
        (lambda: Torus(2.0), InputError, "dim is 2.0"),
        (lambda: Torus(2, periods=(1, 0)), InputError, "period 1 is 0"),
        (lambda: Torus(2, periods=(1, np.inf)), InputError, "period 1 must be finite"),
        (lambda: Torus(2, periods=("one", 1)), InputError, "period 0 must be a real number"),
        (lambda: Torus(2, periods=(1, 1, 1)), ShapeError, "3 periods were given for 2"),
        (lambda: Torus(2, periods=1, lattice=np.eye(2)), InputError, "not both"),
        (lambda: Torus(2, lattice=[[1, 0], [2, 0]]), InputError, "linearly independent"),
        (lambda: Torus(2, lattice=[[1, 0]]), ShapeError, "1 rows of lengths"),
        (lambda: ComplexTorus(1, modulus=1 - 1j), InputError, "imaginary part must be positive"),
        (lambda: ComplexTorus(2, modulus=1j), InputError, "complex dimension 1"),
        (lambda: ComplexTorus(1, modulus=1j, periods=1), InputError, "one of periods, lattice and modulus"),
    ],
)
def test_what_tori_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make()
