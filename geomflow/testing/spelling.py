"""Things as Python text that makes them again, where they are made of few waves or few numbers."""

from __future__ import annotations

from fractions import Fraction
from functools import singledispatch
from typing import Any

import numpy as np

from geomflow.field import ComplexTorus, FlatTorus, Grid, HermitianField, MetricField, PotentialField, ScalarField
from geomflow.testing.simpler import Modes
from geomflow.variety import Points

MOST_WAVES = 4
"""What has more waves is described, not spelled."""

MOST_NUMBERS = 64


@singledispatch
def spelled(thing: Any) -> str:
    """Python text that makes the thing, or else a description of it.

    Parameters
    ----------
    thing : object
        A state, a torus, a grid, an array, points; of others their `repr`.

    Examples
    --------
    >>> import geomflow as gf
    >>> spelled(gf.Torus(dim=1).grid(8).scalar("sin(2*pi*x)/10 + 1"))
    'gf.Torus(dim=1).grid(8, order=4).scalar("1 + 1/10*sin(2*pi*x)")'
    """
    return repr(thing)


@spelled.register(FlatTorus)
def _torus(torus: FlatTorus) -> str:
    name = "ComplexTorus" if isinstance(torus, ComplexTorus) else "Torus"
    dim = torus.complex_dim or torus.real_dim
    rows = np.array(torus.lattice)
    if np.array_equal(rows, np.eye(len(rows))):
        return f"gf.{name}(dim={dim})"
    if torus.is_rectangular:
        return f"gf.{name}(dim={dim}, periods=({', '.join(map(repr, torus.periods))},))"
    return f"gf.{name}(dim={dim}, lattice={rows.tolist()})"


@spelled.register(Grid)
def _grid(grid: Grid) -> str:
    shape = grid.shape[0] if len(set(grid.shape)) == 1 else grid.shape
    how = 'scheme="spectral"' if grid.is_spectral else f"order={grid.order}"
    return f"{spelled(grid.torus)}.grid({shape}, {how})"


@spelled.register(ScalarField)
def _scalar(state: ScalarField) -> str:
    (text,) = _texts(state.grid, state.values[None])
    return repr(state) if text is None else f'{spelled(state.grid)}.scalar("{text}")'


@spelled.register(MetricField)
def _metric(state: MetricField) -> str:
    d = state.grid.dim
    texts = _texts(state.grid, np.moveaxis(state.values.reshape(*state.grid.shape, -1), -1, 0))
    if None in texts:
        return repr(state)
    rows = ", ".join("[" + ", ".join(f'"{text}"' for text in texts[d * i : d * i + d]) + "]" for i in range(d))
    return f"{spelled(state.grid)}.metric([{rows}])"


@spelled.register(HermitianField)
def _hermitian(state: HermitianField) -> str:
    n = state.values.shape[-1]
    flat = np.moveaxis(state.values.reshape(*state.grid.shape, -1), -1, 0)
    pairs = zip(_texts(state.grid, flat.real), _texts(state.grid, flat.imag))
    texts = [None if None in pair else pair[0] if pair[1] == "0" else f"{pair[0]} + i*({pair[1]})" for pair in pairs]
    if None in texts:
        return repr(state)
    rows = ", ".join("[" + ", ".join(f'"{text}"' for text in texts[n * a : n * a + n]) + "]" for a in range(n))
    return f"{spelled(state.grid)}.hermitian([{rows}])"


@spelled.register(PotentialField)
def _potential(state: PotentialField) -> str:
    (text,) = _texts(state.grid, state.values[None])
    if text is None or not isinstance(state.reference, np.ndarray):
        return repr(state)
    usual = np.array_equal(state.reference, 0.5 * np.eye(len(state.reference)))
    reference = "" if usual else f", reference={state.reference.tolist()}"
    return f'{spelled(state.grid)}.potential("{text}"{reference})'


@spelled.register(np.ndarray)
def _array(values: np.ndarray) -> str:
    if values.size > MOST_NUMBERS:
        return f"an array of shape {values.shape} with values in [{values.min():.6g}, {values.max():.6g}]"
    return f"np.array({np.array2string(values, separator=', ', precision=17, floatmode='unique')})".replace("\n", "")


@spelled.register(Points)
def _points(points: Points) -> str:
    if points.coordinates.size > MOST_NUMBERS:
        return repr(points)
    rows = ", ".join("[" + ", ".join(f"{z:.6g}" for z in row) + "]" for row in points.coordinates)
    return f"X.points([{rows}]) on X, the {points.variety}"


def _texts(grid: Grid, rows: np.ndarray) -> list[str | None]:
    """Each row, (*grid), as an expression in the coordinates; None where it has too many waves."""
    return [_sum_of_waves(grid, row) for row in rows]


def _sum_of_waves(grid: Grid, row: np.ndarray) -> str | None:
    modes = Modes.of(row[None])
    if len(modes.m) > MOST_WAVES:
        return None
    terms = [number(modes.coefficients[0, 0].real)]
    for m, (c,) in zip(modes.m[1:], modes.coefficients[1:]):
        own = all(2 * abs(k) in (0, n) for k, n in zip(m, grid.shape))
        for name, amplitude in (("cos", c.real if own else 2 * c.real), ("sin", 0.0 if own else -2 * c.imag)):
            if abs(amplitude) > 1e-12:
                factor = {1.0: "", -1.0: "-"}.get(amplitude, f"{number(amplitude)}*")
                terms.append(f"{factor}{name}({angle(grid, m)})")
    return " + ".join(term for term in terms if term != "0").replace("+ -", "- ") or "0"


def angle(grid: Grid, m: np.ndarray) -> str:
    """2π m·u as text in the Cartesian coordinates.

    Parameters
    ----------
    grid : Grid
        Of the torus.
    m : (d,) array of int
        A wave vector over the lattice.
    """
    factors = 2 * np.linalg.inv(np.array(grid.torus.lattice)) @ m
    parts = [f"{number(factor)}*pi*{name}".removeprefix("1*") for factor, name in zip(factors, grid.torus.coordinates)
             if abs(factor) > 1e-12]
    return " + ".join(parts).replace("+ -", "- ") or "0"


def number(value: float) -> str:
    """A number as the simplest fraction or decimal that is the same to twelve digits."""
    simple = Fraction(value).limit_denominator(20)
    texts = (str(simple), f"{value:.6g}")
    values = (float(simple), float(texts[1]))
    return next((text for text, v in zip(texts, values) if abs(v - value) <= 1e-12 * max(1.0, abs(value))),
                f"{value:.12g}")
