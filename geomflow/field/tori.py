"""The tori that users begin with, real and complex, and their grids.

>>> from geomflow.field import ComplexTorus, Torus
>>> Torus(dim=2)
the torus R^2/Λ with coordinates x, y and periods 1, 1
>>> ComplexTorus(dim=1, modulus=0.5 + 1j).cell_volume
1.0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.grid import Grid, make_grid
from geomflow.field.lattice import FlatTorus, Order, Rows, Scheme, resolve_rows
from geomflow.symbolic.chart import Chart, ComplexChart

LETTERS = ("x", "y", "z", "w")

LARGEST_TORUS = 11


@final
@dataclass(frozen=True, init=False, repr=False)
class Torus(FlatTorus):
    """The real torus R^d/Λ, d = 1..11, with Cartesian coordinates x, y, z, w, or x1, x2, ... above dimension four.

    Raises InputError for a dimension or period out of range.

    Parameters
    ----------
    dim : int
        d, from 1 to 11.
    periods : float or d floats
        Positive; 1 unless given.
    lattice : (d, d) array
        Cartesian row vectors, instead of periods.
    """

    dim: int
    lattice: Rows

    def __init__(self, dim: int, periods: Any = None, lattice: Any = None):
        object.__setattr__(self, "dim", checked_dimension(dim, LARGEST_TORUS, "Torus"))
        object.__setattr__(self, "lattice", resolve_rows(dim, periods, lattice))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names x, y, z, w, as many as the dimension; x1, x2, ... above four."""
        if self.dim > len(LETTERS):
            return tuple(f"x{axis}" for axis in range(1, self.dim + 1))
        return LETTERS[: self.dim]

    @property
    def complex_dim(self) -> int:
        """0: no complex structure was given."""
        return 0

    @cached_property
    def chart(self) -> Chart:
        """The exact chart with the torus's coordinates and periods."""
        from geomflow.symbolic.chart import Chart

        numbers = [int(period) if period.is_integer() else period for period in self.periods]
        periods = dict(zip(self.coordinates, numbers)) if self.is_rectangular else None
        return Chart(self.symbols, periods=periods)

    def grid(self, n: int | Sequence[int], order: Order | None = None, scheme: Scheme = "stencil") -> Grid:
        """The periodic grid with `n` points an axis; see `FlatTorus.grid`."""
        return make_grid(self, n, order, scheme)

    def __repr__(self) -> str:
        names = ", ".join(self.coordinates)
        plural = "s" if self.dim > 1 else ""
        return f"the torus R^{self.dim}/Λ with coordinate{plural} {names} and {self._period_sentence()}"


@final
@dataclass(frozen=True, init=False, repr=False)
class ComplexTorus(FlatTorus):
    """The complex torus C^n/Λ, n = 1..3, z^a = x^a + i y^a.

    Real coordinates are x, y for n = 1 and x1, y1, x2, y2, ... above; z ~ z + 1 ~ z + i in every factor unless given.
    Raises InputError for values out of range.

    Parameters
    ----------
    dim : int
        n, from 1 to 3.
    periods : float or 2n floats
        Of the real coordinates, positive; 1 unless given.
    lattice : (2n, 2n) array
        Cartesian row vectors, instead of periods.
    modulus : complex
        For n = 1: τ with Im τ > 0 of C/(Z + τZ).
    """

    dim: int
    lattice: Rows

    def __init__(self, dim: int, periods: Any = None, lattice: Any = None, modulus: complex | None = None):
        object.__setattr__(self, "dim", checked_dimension(dim, 3, "ComplexTorus"))
        if modulus is not None:
            if periods is not None or lattice is not None:
                raise InputError("give one of periods, lattice and modulus: each of them fixes the lattice.")
            lattice = modulus_rows(dim, modulus)
        object.__setattr__(self, "lattice", resolve_rows(2 * dim, periods, lattice))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names x, y, or x1, y1, x2, y2, ..."""
        if self.dim == 1:
            return ("x", "y")
        return tuple(f"{letter}{a}" for a in range(1, self.dim + 1) for letter in "xy")

    @property
    def complex_dim(self) -> int:
        """n."""
        return self.dim

    def names(self) -> dict[str, Any]:
        """x, y, ... and those of the chart: z = x + iy and zb = x − iy, or z1, zb1, z2, zb2, ..."""
        import sympy

        names: dict[str, Any] = super().names()
        for a, (z, conjugate) in enumerate(zip(self.chart.symbols, self.chart.conjugates, strict=True)):
            x, y = self.symbols[2 * a : 2 * a + 2]
            names |= {z.name: x + sympy.I * y, conjugate.name: x - sympy.I * y}
        return names

    @cached_property
    def chart(self) -> ComplexChart:
        """The exact complex chart with coordinates z, or z1, z2, ..."""
        from geomflow.symbolic.chart import ComplexChart

        return ComplexChart(("z",) if self.dim == 1 else tuple(f"z{a}" for a in range(1, self.dim + 1)))

    def grid(self, n: int | Sequence[int], order: Order | None = None, scheme: Scheme = "stencil") -> Grid:
        """The periodic grid with `n` points an axis; see `FlatTorus.grid`."""
        return make_grid(self, n, order, scheme)

    def __repr__(self) -> str:
        names = ", ".join(self.coordinates)
        return f"the complex torus C^{self.dim}/Λ with real coordinates {names} and {self._period_sentence()}"


def checked_dimension(dim: int, largest: int, name: str) -> int:
    """`dim` if it is an integer between 1 and `largest`."""
    if isinstance(dim, bool) or not isinstance(dim, int | np.integer) or not 1 <= dim <= largest:
        raise InputError(f"{name}(dim=...) takes an integer from 1 to {largest}, and dim is {dim!r}.")
    return int(dim)


def modulus_rows(dim: int, modulus: complex) -> Rows:
    """Rows 1 and τ of the lattice Z + τZ of a complex curve."""
    if dim != 1:
        raise InputError(f"a modulus describes complex dimension 1; for dim={dim} give lattice=, {2 * dim} rows.")
    tau = complex(modulus)
    if not tau.imag > 0:
        raise InputError(f"the modulus is {tau:g}; its imaginary part must be positive (use -τ or its conjugate).")
    return ((1.0, 0.0), (tau.real, tau.imag))
