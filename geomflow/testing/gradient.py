"""Whether a gradient is the gradient of its energy: the Taylor remainder is of second order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field import MetricField, PotentialField
from geomflow.symbolic.functionals import Functional
from geomflow.testing.directions import Direction, mixed, moved, packed, simple
from geomflow.testing.law import Gap, LawError, lasting, smallest_failing
from geomflow.testing.pairing import Claim, Derived, Pairing
from geomflow.testing.simpler import finer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

STEP = 0.1
"""Differences are taken at this multiple of a direction and at half of it."""

ROUNDING = 1e3 * float(np.finfo(float).eps)

MOST_DIRECTIONS = 40
"""In so many simple directions a fault is looked at."""


def check_gradient(
    energy: Functional | Callable[[Any], float],
    state: Any | SearchStrategy[Any],
    gradient: Callable[[Any], Any] | Mapping[str, Callable[[Any], Any]] | None = None,
    *,
    metric: str | None = None,
    inner: str | Pairing = "L2",
    tolerance: float = 1e-6,
    directions: int = 2,
    examples: int = 10,
    seed: int = 0,
    **options: Any,
) -> None:
    """Check that E(u + εh) − E(u) − ε⟨grad E, h⟩ is of second order in ε.

    Raises LawError, which says by which factor, in which components or by which term the gradient is off, where it
    falls and for which small state. A gap that falls as the grid of the state is refined is one of the grid, and none
    of the gradient.

    Parameters
    ----------
    energy : Functional or callable
        E, a number at a state.
    state : Field, array or strategy of these
        Where, such as ``testing.metric_states()``.
    gradient : callable or mapping of these by name, optional
        From a state to grad E, a field or an array of the shape of its values; several are terms of a sum, and an error
        says which of them has the wrong factor. A functional's own unless given.
    metric : str, optional
        The metric of a functional's own gradient; the first of its `metrics` unless given.
    inner : {"L2", "ebin", "mabuchi", "dirichlet"} or callable
        Of a gradient that is given: ∫ΣGH dx, ∫⟨G, H⟩_g dV of metrics, ∫GH dμ and ∫⟨∂G, ∂H⟩ dμ of potentials, or a
        function of (state, gradient, direction).
    tolerance : float
        The largest relative gap.
    directions : int
        Random directions at each state.
    examples : int
        States that a strategy draws.
    seed : int
        Of the directions.
    **options
        ``parameters`` and ``measure`` of a functional.

    Examples
    --------
    >>> import geomflow as gf
    >>> phi = gf.ComplexTorus(dim=1).grid(8, scheme="spectral").potential("cos(2*pi*x)/200")
    >>> check_gradient(lambda u: (u.values**2).mean() / 2, phi, lambda u: u.values)
    >>> check_gradient(lambda u: (u.values**2).mean(), phi, lambda u: u.values)
    Traceback (most recent call last):
        ...
    geomflow.testing.law.LawError: the gradient is 0.5 times what it must be
      ...
    """
    law = GradientLaw.of(energy, gradient, metric, inner, options, tolerance)

    def gap(at: Any) -> Gap:
        random = np.random.default_rng(seed)
        gaps = law.gaps(at, [mixed(at, random) for _ in range(directions)])
        return max(gaps, key=lambda g: g.size - g.allowed)

    found = smallest_failing(lambda at: lasting(gap, at) is not None, state, examples)
    if found is not None:
        raise law.error(found, seed)


@dataclass(frozen=True, eq=False)
class GradientLaw:
    """dE(h) = ⟨grad E, h⟩ for an energy and what is said to be its gradient."""

    energy: Callable[[Any], float]
    claim: Claim
    tolerance: float

    @staticmethod
    def of(energy: Any, gradient: Any, metric: str | None, inner: str | Pairing, options: Mapping[str, Any],
           tolerance: float) -> GradientLaw:
        """The law of a functional or of a function."""
        known = isinstance(energy, Functional)
        if gradient is None and not known:
            raise InputError(f"{energy!r} is a function, and has no gradient of its own: give gradient=, a function of "
                             "the state, or a Functional.")
        if options and not known:
            raise InputError(f"a function of the state takes no {', '.join(options)}; only functionals do.")
        claim = Claim.of(gradient, inner) if gradient is not None else Derived(
            energy, energy.checked_metric(metric), options).claim()
        return GradientLaw(lambda at: float(energy(at, **options)), claim, tolerance)

    def gaps(self, state: Any, directions: Iterable[Direction]) -> list[Gap]:
        """Between the slopes of E and what the gradient says, in each direction."""
        slopes, size = self.claim.at(state), abs(self.energy(state))
        return [self._gap(slopes(d.rows), *self.slope(state, d), d, size) for d in directions]

    def _gap(self, parts: np.ndarray, slope: float, error: float, direction: Direction, size: float) -> Gap:
        rounding = 1e-3 * self.tolerance * float(np.abs(direction.rows).max()) * max(1.0, size)
        allowed = self.tolerance * max(abs(slope), float(np.abs(parts).sum())) + 10 * error + rounding
        return Gap(abs(slope - float(parts.sum())), allowed + ROUNDING * size / STEP, (slope, parts))

    def slope(self, state: Any, direction: Direction) -> tuple[float, float]:
        """dE(h) by differences of fourth order, and their error."""
        rows = packed(state)
        wide, near = (self._difference(state, rows, step * direction.rows) / step for step in (STEP, STEP / 2))
        return near, abs(wide - near)

    def _difference(self, state: Any, rows: np.ndarray, change: np.ndarray) -> float:
        values = [self.energy(moved(state, rows + k * change)) for k in (-2, -1, 1, 2)]
        return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / 12

    def remainder_order(self, state: Any, direction: Direction) -> float:
        """The power of ε by which E(u + εh) − E(u) − ε⟨grad E, h⟩ falls, fitted."""
        rows, start = packed(state), self.energy(state)
        slope = float(self.claim.at(state)(direction.rows).sum())
        steps = STEP * 0.5 ** np.arange(2, 12)
        rest = [abs(self.energy(moved(state, rows + e * direction.rows)) - start - e * slope) for e in steps]
        seen = np.log([(e, r) for e, r in zip(steps, rest) if r > ROUNDING * max(abs(start), 1e-300)][-4:])
        return float(np.polyfit(seen[:, 0], seen[:, 1], 1)[0]) if len(seen) > 1 else np.inf

    def error(self, state: Any, seed: int) -> LawError:
        """What is wrong at a state, for the simplest direction that shows it."""
        at = state
        while (fine := finer(at, again=True)) is not None and fine.grid.size <= 1024:
            at = fine
        directions = [*islice(simple(at), MOST_DIRECTIONS), mixed(at, np.random.default_rng(seed))]
        table = list(zip(directions, self.gaps(at, directions)))
        wrong = [(d, g) for d, g in table if not g.closed] or table[-1:]
        direction, gap = wrong[0]
        slope, parts = gap.found
        said = float(parts.sum())
        ratio = f" (ratio {said / slope:.4g})" if slope else ""
        lines = [f"E changes by {slope:.6g} along h, and the gradient says {said:.6g}{ratio}; the Taylor remainder "
                 f"falls like ε^{self.remainder_order(at, direction):.2f}, and must like ε^2",
                 f"h = {direction.words}"]
        faults = chain(_by_terms(self.claim, table), _by_factor(table), _by_volume(self, at),
                       _by_component(at, table), _by_constants(at, table))
        return LawError(next(faults, "the gradient is not that of its energy"), lines, {"state": state})


Table = list[tuple[Direction, Gap]]


def _by_terms(claim: Claim, table: Table) -> Iterator[str]:
    """Where the slopes are those of the terms with another factor of one of them, or with others of several."""
    if len(claim.gradients) < 2:
        return
    slopes, parts = np.array([g.found[0] for _, g in table]), np.array([g.found[1] for _, g in table])
    allowed = 1e-3 * np.abs(slopes - parts.sum(axis=1)).max()
    alone = []
    for n, name in enumerate(claim.gradients):
        rest, own = slopes - np.delete(parts, n, axis=1).sum(axis=1), parts[:, n]
        factor = float(rest @ own / max(own @ own, 1e-300))
        if abs(factor - 1) > 1e-3 and np.abs(rest - factor * own).max() <= allowed:
            alone.append(_term(name, factor))
    if alone:
        yield "a term of the gradient is wrong: " + ", or ".join(alone)
    factors, _, rank, _ = np.linalg.lstsq(parts, slopes, rcond=1e-9)
    if rank == len(factors) and np.abs(parts @ factors - slopes).max() <= allowed:
        wrong = [_term(name, f) for name, f in zip(claim.gradients, factors) if abs(f - 1) > 1e-3]
        yield "terms of the gradient are wrong: " + ", and ".join(wrong)


def _term(name: str, factor: float) -> str:
    """What is wrong with a term that needs this factor."""
    if abs(factor + 1) < 1e-3:
        return f"'{name}' has the wrong sign"
    return f"'{name}' does not belong there" if abs(factor) < 1e-3 else f"'{name}' needs the factor {factor:.4g}"


def _factor(rows: Table) -> float | None:
    """The one number that the gradient's slopes are multiples by; None where there is none."""
    seen = [g.found for _, g in rows if max(abs(g.found[0]), abs(g.found[1].sum())) > g.allowed]
    slopes, said = np.array([s for s, _ in seen]), np.array([parts.sum() for _, parts in seen])
    if not slopes.any():
        return None
    factor = float(said @ slopes / (slopes @ slopes))
    within = np.abs(said - factor * slopes).max() < 1e-4 * max(np.abs(said).max(), np.abs(slopes).max())
    return factor if within else None


def _by_factor(table: Table) -> Iterator[str]:
    factor = _factor(table)
    if factor is None or abs(factor - 1) < 1e-6:
        return
    if abs(factor + 1) < 1e-3:
        yield "the gradient has the wrong sign: it points where E falls"
    elif abs(factor) < 1e-6:
        yield "the gradient is zero, and E is not constant"
    else:
        yield f"the gradient is {factor:.6g} times what it must be"


def _by_component(state: Any, table: Table) -> Iterator[str]:
    """Where each component has a factor of its own: the off-diagonal ones counted once, or twice."""
    names = getattr(state, "component_names", ())
    rows = {name: [entry for entry in table if entry[0].row == i] for i, name in enumerate(names)}
    found = {name: _factor(own) for name, own in rows.items() if any(not g.closed for _, g in own)}
    if None in found.values() or len(names) < 2:
        return
    wrong = ", ".join(f"{name} by {f:.4g}" for name, f in found.items())
    if wrong:
        yield f"components of the gradient have factors of their own: {wrong}"


def _by_volume(law: GradientLaw, state: Any) -> Iterator[str]:
    """Where the gradient of a metric is right along directions that keep the volume, and wrong along multiples of g."""
    if not isinstance(state, MetricField):
        return
    inverse, dim = np.linalg.inv(state.values), state.grid.dim
    keeping: list[Direction] = []
    changing: list[Direction] = []
    for d in islice(simple(state), MOST_DIRECTIONS):
        h = state.unpack(d.rows)
        trace = np.einsum("...ij,...ij->...", inverse, h.values)[..., None, None] * state.values / dim
        for kept, rows in ((keeping, h.values - trace), (changing, trace)):
            if np.abs(rows).max() > 1e-9:
                kept.append(Direction(MetricField(state.grid, rows).pack(), ""))
    if all(g.closed for g in law.gaps(state, keeping)) and not all(g.closed for g in law.gaps(state, changing)):
        yield ("the gradient misses a variation of the volume: it is right for all h of trace zero, and wrong for "
               "multiples h = w g; of an integral ∫ e dV the measure gives ½ e g_ij")


def _by_constants(state: Any, table: Table) -> Iterator[str]:
    """Where the gradient of a potential is right for constants alone: ∫ e δdμ = ½∫ e Δψ dμ is missing."""
    if not isinstance(state, PotentialField):
        return
    constants = [g for d, g in table if d.rows.std() < 1e-12 * np.abs(d.rows).max()]
    if constants and all(g.closed for g in constants):
        yield ("the gradient is right for constants alone: it misses something of integral zero, as the variation of "
               "the measure, which gives ½Δe of an integral ∫ e dμ")


