"""Whether a rate is covariant: F*(rate(g)) = rate(F*g) under translations, lattice bases and curved coordinates."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.field import Field, Grid, HermitianField, MetricField, PotentialField, ScalarField, TensorField
from geomflow.field.interpolate import interpolate
from geomflow.field.mesh import permute
from geomflow.symbolic import Metric, is_zero
from geomflow.testing.directions import moved
from geomflow.testing.law import Gap, LawError, lasting, smallest_failing
from geomflow.testing.simpler import on_grid

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

LEAST = {1: 32, 2: 24, 3: 12, 4: 8}
"""Points an axis, from which on a curved map is looked at, by dimension."""

BEND = 0.1
"""How much a curved map changes lengths."""

NOISE = 30
"""How much larger a gap may be than the noise of one evaluation."""

Rate = Callable[[Any], Any]


def check_covariance(
    rate: Any,
    state: Any | SearchStrategy[Any] | None = None,
    *,
    indices: str | None = None,
    tolerance: float = 1e-6,
    examples: int = 10,
) -> None:
    """Check that a rate does not know the coordinates: rate(F*g) = F*(rate(g)) for diffeomorphisms F.

    F is a translation by a grid point, and on real tori a change of the lattice's basis and a curved map. Of
    potentials, whose coordinates are holomorphic, it is the first, and a constant that is added. An exact `Metric` is
    pulled back exactly, and zero decided.

    Raises LawError, which says under which maps it fails, and for which small state.

    Parameters
    ----------
    rate : callable or Flow
        From a state to a field, an array (*grid, indices) or, of an exact metric, an expression or a matrix; a flow's
        rate is that of its equation.
    state : Field, Metric or strategy of these, optional
        Where; ``testing.metric_states()`` unless given.
    indices : str, optional
        How it transforms, as "_ij", "^i_j" or ""; by the number of its indices, all of them lower, unless given.
    tolerance : float
        The largest gap, relative to the rate.
    examples : int
        States that a strategy draws.

    Examples
    --------
    >>> import geomflow as gf
    >>> g = gf.Torus(dim=2).grid(8, scheme="spectral").metric([["1 + sin(2*pi*y)/5", "0"], ["0", "1"]])
    >>> check_covariance(lambda g: g.ricci(), g)
    >>> check_covariance(lambda g: g.scalar().values * g.christoffel().values[..., 0, 0, 1], g)
    Traceback (most recent call last):
        ...
    geomflow.testing.law.LawError: the rate is not covariant under a change of the lattice's basis: ...
      ...
    """
    if state is None:
        from geomflow.testing.draw.states import metric_states

        state = metric_states()
    act = as_rate(rate)
    found = smallest_failing(lambda at: next(_failures(at, act, indices, tolerance), None) is not None, state, examples)
    if found is not None:
        raise _error(found, act, indices, tolerance)


def as_rate(rate: Any) -> Rate:
    """A function of the state: itself, or the rate of a flow."""
    if hasattr(rate, "bind") or hasattr(rate, "rates"):
        from geomflow.flow.solver import as_flow

        flow = as_flow(rate)

        def of_flow(state: Any) -> Any:
            problem = flow.bind(state)
            out = np.empty_like(problem.y0)
            problem.rate(0.0, problem.y0, out)
            return moved(state, out).values if isinstance(state, Field) else out

        return of_flow
    if not callable(rate):
        raise InputError(f"a rate is a flow or a function of the state; {rate!r} is neither.")
    found: Rate = rate
    return found


@dataclass(frozen=True, eq=False)
class Map:
    """A map F of a torus to itself: its images of grid points, its Jacobian ∂F^k/∂x^i, and what it is in words.

    Where it permutes the points, `matrix` acts on the lattice, or `shift` on its points, and nothing is interpolated.
    """

    kind: str
    words: str
    jacobian: np.ndarray
    images: np.ndarray | None = None
    matrix: np.ndarray | None = None
    shift: int = 0

    def values(self, grid: Grid, values: np.ndarray) -> np.ndarray:
        """The components at F(x)."""
        if self.images is not None:
            return interpolate(ScalarField(grid, values), self.images) if values.ndim == grid.dim else np.stack(
                [self.values(grid, values[..., k]) for k in range(values.shape[-1])], axis=-1)
        if self.matrix is not None:
            return permute(grid, values, self.matrix)
        return np.roll(values, -self.shift, axis=grid.resolved[0])

    def tensor(self, grid: Grid, values: np.ndarray, indices: str, weight: float = 0.0) -> np.ndarray:
        """F* of a tensor (*grid, ...) of these indices, times |det DF|^weight."""
        found = self.values(grid, values)
        inverse = np.linalg.inv(self.jacobian)
        for place, upper in enumerate(_heights(indices)):
            axis = grid.dim + place
            along = np.moveaxis(found, axis, -1)
            matrix = inverse if upper else np.swapaxes(self.jacobian, -1, -2)
            matrix = matrix.reshape(*matrix.shape[:-2], *(1,) * (along.ndim - 1 - grid.dim), *matrix.shape[-2:])
            found = np.moveaxis((matrix @ along[..., None])[..., 0], -1, axis)
        if weight:
            density = np.abs(np.linalg.det(self.jacobian)) ** weight
            found = found * density.reshape(*density.shape, *(1,) * (found.ndim - density.ndim))
        return found


def _heights(indices: str) -> list[bool]:
    """Whether each index is an upper one: "^k_ij" is [True, False, False]."""
    upper, found = False, []
    for letter in indices:
        if letter in "^_":
            upper = letter == "^"
        else:
            found.append(upper)
    return found


def maps(grid: Grid, curved: bool) -> Iterator[Map]:
    """The maps that a rate is put to, the simplest first; curved ones where there is one."""
    d = grid.dim
    columns = np.array(grid.torus.lattice).T
    unit = np.broadcast_to(np.eye(d), (*grid.shape, d, d))
    first = grid.resolved[0]
    yield Map("a translation", f"{grid.torus.coordinates[first]} moves by 1/{grid.shape[first]} of a period", unit,
              shift=1)
    if d > 1 and len(set(grid.shape)) == 1:
        shear = np.eye(d, dtype=int)
        shear[:2, :2] = [[1, 1], [1, 2]]
        jacobian = columns @ shear @ np.linalg.inv(columns)
        yield Map("a change of the lattice's basis", f"u ↦ {shear.tolist()} u of lattice coordinates u",
                  np.broadcast_to(jacobian, unit.shape), matrix=shear)
    if curved:
        yield _curved(grid, columns)


def _curved(grid: Grid, columns: np.ndarray) -> Map:
    """u_0 ↦ u_0 + a (sin 2πu_0 / 2 + sin 2πu_1)/2π, u_1 ↦ u_1 + a sin 2πu_0/2π: changes lengths, angles and volumes.

    The two are the first axes that have points.
    """
    u = np.stack(np.meshgrid(*[np.arange(n) / n for n in grid.shape], indexing="ij"), axis=-1)
    image, d = u.copy(), grid.dim
    jacobian = np.broadcast_to(np.eye(d), (*grid.shape, d, d)).copy()
    first, *others = grid.resolved[:2]
    terms = [(first, first, BEND / 2), *(term for n in others for term in ((first, n, BEND), (n, first, BEND)))]
    for to, along, size in terms:
        image[..., to] += size * np.sin(2 * np.pi * u[..., along]) / (2 * np.pi)
        jacobian[..., to, along] += size * np.cos(2 * np.pi * u[..., along])
    parts = [f"u_{to} += {size}*sin(2*pi*u_{along})/(2*pi)" for to, along, size in terms]
    words = f"{', '.join(parts)} of lattice coordinates u"
    return Map("a curved map", words, columns @ jacobian @ np.linalg.inv(columns), images=image @ columns.T)


@singledispatch
def pulled_back(state: Any, by: Map) -> Any:
    """F* of a state. What is no field on a grid has none."""
    raise InputError(f"rates are checked at fields on a grid and at exact metrics; a {type(state).__name__} was given.")


@pulled_back.register(ScalarField)
def _scalar(state: ScalarField, by: Map) -> ScalarField:
    return ScalarField(state.grid, by.values(state.grid, state.values))


@pulled_back.register(MetricField)
def _metric(state: MetricField, by: Map) -> MetricField:
    values = by.tensor(state.grid, state.values, "_ij")
    return MetricField(state.grid, (values + np.swapaxes(values, -1, -2)) / 2)


@pulled_back.register(TensorField)
def _tensor(state: TensorField, by: Map) -> TensorField:
    return TensorField(state.grid, by.tensor(state.grid, state.values, state.indices), state.indices)


@pulled_back.register(PotentialField)
def _potential(state: PotentialField, by: Map) -> PotentialField:
    """Translations alone: the reference is moved with them."""
    reference = state.reference
    if isinstance(reference, HermitianField):
        reference = HermitianField(state.grid, by.values(state.grid, reference.values))
    return PotentialField(state.grid, by.values(state.grid, state.values), reference)


def _maps_of(state: Field) -> Iterator[Map]:
    complex_one = isinstance(state, PotentialField | HermitianField)
    found = maps(state.grid, curved=not complex_one)
    return (m for m in found if not complex_one or m.kind == "a translation")


def _fine_enough(state: Field) -> Field:
    """On a grid that resolves products and a curved map."""
    least = LEAST.get(len(state.grid.resolved), 0)
    if min(state.grid.shape[axis] for axis in state.grid.resolved) >= least:
        return state
    n = [points * -(-least // points) if points > 1 else 1 for points in state.grid.shape]
    found: Field = on_grid(state, state.grid.torus.grid(n, order=state.grid.order, scheme=state.grid.scheme))
    return found


def _gap(state: Field, rate: Rate, kind: str, indices: str | None, tolerance: float, weight: float = 0.0) -> Gap:
    """Between rate(F*g) and F*(rate(g)), the largest, for the map of a kind."""
    by = next(m for m in _maps_of(state) if m.kind == kind)
    here, there = _numbers(state, rate), _numbers(pulled_back(state, by), rate)
    expected = by.tensor(state.grid, here, _indices(state, here, indices), weight)
    error = np.abs(there - expected)
    size = max(float(np.abs(here).max()), float(np.abs(there).max()))
    allowed = tolerance * size + NOISE * _noise(state, here, rate)
    worst = np.unravel_index(int(np.argmax(np.nan_to_num(error, nan=np.inf))), error.shape)
    return Gap(float(error[worst]), allowed, (worst, float(there[worst]), float(expected[worst]), by.words))


def _noise(state: Field, here: np.ndarray, rate: Rate) -> float:
    """How much of the rate is rounding: by how much a change of the last digits of the state changes it."""
    rows = state.pack()
    ulps = 4 * np.finfo(float).eps * np.random.default_rng(0).uniform(-1, 1, rows.shape)
    return float(np.abs(_numbers(state.unpack(rows + ulps * max(1.0, np.abs(rows).max())), rate) - here).max())


def _numbers(state: Field, rate: Rate) -> np.ndarray:
    given = rate(state)
    found = np.asarray(getattr(given, "values", given), dtype=float)
    if found.shape[: state.grid.dim] != state.grid.shape:
        raise ShapeError(f"the rate has shape {found.shape} on a grid of shape {state.grid.shape}; the grid's axes "
                         "come first.")
    return found


def _indices(state: Field, values: np.ndarray, indices: str | None) -> str:
    rank = values.ndim - state.grid.dim
    found = indices if indices is not None else "_" * bool(rank) + "ijklmn"[:rank]
    if len(_heights(found)) != rank:
        raise ShapeError(f"the rate has {rank} indices, and '{found}' has {len(_heights(found))}.")
    return found


@singledispatch
def _failures(state: Any, rate: Rate, indices: str | None, tolerance: float) -> Iterator[tuple[str, Gap]]:
    """The kinds of maps under which the rate is not covariant, each with its gap."""
    raise InputError(f"rates are checked at fields on a grid and at exact metrics; a {type(state).__name__} was given.")


@_failures.register(Field)
def _on_fields(state: Field, rate: Rate, indices: str | None, tolerance: float) -> Iterator[tuple[str, Gap]]:
    fine = _fine_enough(state)
    for kind in [m.kind for m in _maps_of(fine)]:
        measured = partial(_gap, rate=rate, kind=kind, indices=indices, tolerance=tolerance)
        gap = lasting(measured, fine)
        if gap is not None:
            yield kind, gap
    if isinstance(state, PotentialField):
        raised = PotentialField(state.grid, state.values + 1.0, state.reference)
        here, there = _numbers(state, rate), _numbers(raised, rate)
        size = float(np.abs(there - here).max())
        if size > tolerance * max(float(np.abs(here).max()), 1e-6):
            yield "a constant that is added", Gap(size, 0.0, ((), float(there.max()), float(here.max()), "φ ↦ φ + 1"))


@_failures.register(Metric)
def _on_exact(metric: Metric, rate: Rate, indices: str | None, tolerance: float) -> Iterator[tuple[str, Gap]]:
    """Linear and curved changes of coordinates; zero is decided."""
    import sympy

    symbols = metric.chart.symbols
    x, y = symbols[0], symbols[-1]
    curved = [x + (y**2 / 2 if len(symbols) > 1 else x**2 / 4), *symbols[1:]]
    linear = [x + y, *symbols[1:-1], x + 2 * y] if len(symbols) > 1 else [2 * x]
    for kind, images in (("a linear map", linear), ("a curved map", curved)):
        table = dict(zip(symbols, images, strict=True))
        jacobian = sympy.Matrix(images).jacobian(list(symbols))
        here, there = rate(metric), rate(metric.pullback(metric.chart, images))
        moved_there = here.xreplace(table)
        matrix = getattr(here, "is_Matrix", False)
        expected = jacobian.T * moved_there * jacobian if matrix else moved_there
        pairs = list(zip(there, expected)) if matrix else [(there, expected)]
        wrong = next(((a, b) for a, b in pairs if not is_zero(a - b)), None)
        if wrong:
            yield kind, Gap(np.inf, 0.0, ((), *wrong, f"{symbols} ↦ {tuple(images)}"))


def _error(state: Any, rate: Rate, indices: str | None, tolerance: float) -> LawError:
    failures = list(_failures(state, rate, indices, tolerance))
    kinds = [kind for kind, _ in failures]
    kind, gap = failures[0]
    worst, there, expected, words = gap.found
    lines = [f"rate(F*g) is {_short(there)} where F*(rate(g)) is {_short(expected)}"
             + (f", at {tuple(int(i) for i in worst)}" if worst else ""), f"F: {words}"]
    return LawError(f"the rate is not covariant under {kind}: {_meaning(state, rate, kinds)}", lines,
                    {"state": state})


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else textwrap.shorten(str(value), 100, placeholder=" ...")


def _meaning(state: Any, rate: Rate, kinds: list[str]) -> str:
    """What a rate that fails under these kinds of maps has most likely wrong."""
    if kinds[0] == "a translation":
        return "it depends on the place itself, and not only on the state there"
    if kinds[0] == "a constant that is added":
        return "it depends on the potential itself, and not only on its metric"
    if isinstance(state, Field):
        fits = _what_fits(_fine_enough(state), rate)
        if fits:
            return fits
    if kinds == ["a curved map"]:
        return ("linear maps are well, so that a partial derivative stands where a covariant one must: a Christoffel "
                "symbol is missing")
    return "an index is missing, or is summed with another one without the metric"


def _what_fits(state: Field, rate: Rate) -> str:
    """Other indices or a weight under which all maps are well."""
    rank = _numbers(state, rate).ndim - state.grid.dim
    own = _indices(state, _numbers(state, rate), None)
    for indices in {0: [""], 1: ["_i", "^i"], 2: ["_ij", "^i_j", "_i^j", "^ij"]}.get(rank, []):
        for weight in (0.0, 1.0, -1.0, 0.5, 2.0):
            if (indices, weight) == (own, 0.0):
                continue
            if all(_gap(state, rate, m.kind, indices, 1e-3, weight).closed for m in _maps_of(state)):
                if indices == own:
                    return f"it transforms like a density of weight {weight:g}: a factor √det g is missing or too much"
                density = f" and is a density of weight {weight:g}" if weight else ""
                return f"an index is missing or at the wrong height: it transforms like T{indices}{density}"
    return ""
