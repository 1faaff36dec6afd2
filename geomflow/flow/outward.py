"""Complete gradient Ricci solitons, followed outward from where their orbits close, as far as they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import numpy as np
import sympy
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from geomflow.core import graph as gr
from geomflow.core.errors import ConvergenceError, InputError, require_known
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import real_number
from geomflow.field.reduced.slopes import compiled
from geomflow.flow.tip import Shape, Tip, tip
from geomflow.symbolic.ansatz import Ansatz
from geomflow.symbolic.ansatz.closing import closing_at, end_pair
from geomflow.symbolic.ansatz.domain import Interval
from geomflow.symbolic.ansatz.fibres import Fibre, power_of
from geomflow.symbolic.ansatz.outward import (
    DRAG,
    SLOPE,
    VALUE,
    OutwardEquations,
    scalar_in_arclength,
    soliton_equations,
)

RTOL, COARSER = 3e-14, 30.0
"""What steps outward may err, and by which factor more in the run by which errors are told."""

RESOLVED, HALVINGS = 1e-12, 12
"""How small the last coefficients about the tip must be, and how often its reach is halved until they are."""


@final
@dataclass(frozen=True, repr=False, eq=False)
class CompleteSoliton(InNotebook):
    """A complete gradient Ricci soliton, Ric + ∇∇f = λ g, from where its orbits close outward.

    Made by `ansatz.soliton(kind, ...)` of an ansatz on an interval that ends at infinity. s is arclength from the place
    where orbits close. Near it the unknowns are analytic in s² (`flow.tip`); farther out their equations are integrated
    by a Runge–Kutta method of order 8, as far as something is asked for.

    Parameters
    ----------
    ansatz : Ansatz
        What the metric is of.
    constant : int
        λ.
    equations : OutwardEquations
        Of the unknowns, in arclength.
    start : Tip
        The beginning.
    """

    ansatz: Ansatz
    constant: int
    equations: OutwardEquations
    start: Tip
    _runs: dict[float, Any] = field(default_factory=dict, init=False)

    def at(self, name: str, s: ArrayLike) -> np.ndarray:
        """An unknown at distances s ≥ 0, (M,).

        Parameters
        ----------
        name : str
            Of the unknown.
        s : (M,) array
            Arclength.
        """
        names = [u.name for u in self.equations.unknowns]
        require_known("unknown beside that of arclength", name, names)
        places = _distances(s)
        found = self._jets(places)[0][names.index(name)]
        return np.where(places > 0, found, self._first(name))

    def scalar(self, s: ArrayLike, text: str = "R") -> np.ndarray:
        """A function of the metric at distances s ≥ 0, such as "R" or "Rm2", from the exact geometry.

        Parameters
        ----------
        s : (M,) array
            Arclength.
        text : str
            In the language of `Flow.from_expression`.
        """
        places, own = _distances(s), (self._scalar(text),)
        near = places <= self.start.reach
        found = np.empty(len(places))
        found[near] = self.start.smooth(self._evaluated(own, *self.start.at(self.start.nodes))[0], places[near])
        found[~near] = self._evaluated(own, *self._jets(places[~near]))[0] if not near.all() else []
        return found

    def slope(self, s: ArrayLike) -> np.ndarray:
        """df/ds at distances s ≥ 0.

        Parameters
        ----------
        s : (M,) array
            Arclength.
        """
        places = _distances(s)
        return np.where(places > 0, -self._jets(places)[2], 0.0)

    def potential(self, s: ArrayLike) -> np.ndarray:
        """f at distances s ≥ 0, zero where the orbits close.

        Parameters
        ----------
        s : (M,) array
            Arclength.
        """
        places = _distances(s)
        return np.where(places > 0, self._jets(places)[3], 0.0)

    def identity(self, s: ArrayLike) -> np.ndarray:
        """R + |∇f|² − 2 λ f, which is constant (R. Hamilton, Surveys Diff. Geom. 2, 1995, §20); not used to find it.

        Parameters
        ----------
        s : (M,) array
            Arclength.
        """
        return np.asarray(self.scalar(s) + self.slope(s) ** 2 - 2 * self.constant * self.potential(s))

    def error(self, s: ArrayLike) -> np.ndarray:
        """What unknowns at s would change, relatively, at the most, were steps outward thirty times less exact, (M,).

        Parameters
        ----------
        s : (M,) array
            Arclength.
        """
        places = _distances(s)
        fine, coarse = (self._jets(places, rtol)[0] for rtol in (RTOL, COARSER * RTOL))
        return np.where(places > 0, np.abs(fine / coarse - 1).max(axis=0), 0.0)

    # Along s

    def _jets(self, s: np.ndarray, rtol: float = RTOL) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """u, u', V and f at distances; NaN at 0."""
        count = len(self.equations.unknowns)
        found = np.full((2 * count + 2, len(s)), np.nan)
        near = (s > 0) & (s <= self.start.reach)
        if near.any():
            values, first, drag = self.start.at(s[near])
            found[:, near] = [*values, *first, drag, self._near_potential(s[near])]
        far = s > self.start.reach
        if far.any():
            found[:, far] = self._run(float(s.max()), rtol)(s[far])
        return found[:count], found[count:-2], found[-2], found[-1]

    def _near_potential(self, s: np.ndarray) -> np.ndarray:
        """f = −∫V, by Gauss's rule."""
        nodes, weights = np.polynomial.legendre.leggauss(24)
        shares = (nodes + 1) / 2
        return np.array([-end / 2 * weights @ self.start.at(end * shares)[2] for end in s])

    def _run(self, end: float, rtol: float) -> Any:
        known = self._runs.get(rtol)
        if known is None or known.t_max < end:
            count, reach = len(self.equations.unknowns), self.start.reach
            first = self._jets(np.array([reach]))
            y0 = np.concatenate([first[0][:, 0], first[1][:, 0], first[2], first[3]])

            def rate(_: float, y: np.ndarray) -> np.ndarray:
                bends, stretch = self.second(y[:count, None], y[count:-2, None], y[-2:-1])
                return np.concatenate([y[count:-2], bends[:, 0], stretch, -y[-2:-1]])

            with np.errstate(all="ignore"):
                run = solve_ivp(rate, (reach, end), y0, "DOP853", dense_output=True, rtol=rtol, atol=rtol * 1e-3)
            if not run.success:
                raise ConvergenceError(f"this soliton is not complete: it cannot be followed beyond s = {run.t[-1]:.6g}"
                                       f", where the unknowns are {run.y[:count, -1]}. Give other values where its "
                                       "orbits close.")
            self._runs[rtol] = known = run.sol
        return known

    def second(self, values: np.ndarray, first: np.ndarray, drag: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """u'' and V'.

        Parameters
        ----------
        values, first : (unknowns, M) array
            u and u'.
        drag : (M,) array
            V.
        """
        found = self._evaluated((*self.equations.bends, self.equations.stretch), values, first, drag)
        return found[:-1], found[-1]

    def _evaluated(self, expressions: tuple[sympy.Expr, ...], values: np.ndarray, first: np.ndarray,
                   drag: np.ndarray, *_: np.ndarray) -> np.ndarray:
        known = {DRAG: drag}
        for unknown, u, slope in zip(self.equations.unknowns, values, first, strict=True):
            known |= {VALUE.format(unknown.name): u, SLOPE.format(unknown.name): slope}
        return evaluated(self._nodes(expressions), known)

    def _nodes(self, expressions: tuple[sympy.Expr, ...]) -> tuple[gr.Node, ...]:
        if expressions not in self._translated:
            self._translated[expressions] = tuple(map(from_sympy, expressions))
        return self._translated[expressions]

    @cached_property
    def _translated(self) -> dict[tuple[sympy.Expr, ...], tuple[gr.Node, ...]]:
        return {}

    def _scalar(self, text: str) -> sympy.Expr:
        if text not in self._scalars:
            self._scalars[text] = scalar_in_arclength(self.ansatz, text, self.equations)
        return self._scalars[text]

    @cached_property
    def _scalars(self) -> dict[str, sympy.Expr]:
        return {}

    def _first(self, name: str) -> float:
        """An unknown at s = 0."""
        place = [u.name for u in self.equations.unknowns].index(name)
        return 0.0 if self.start.shape.closing[place] else float(self.start.at(np.array([1e-9]))[0][place, 0])

    def __repr__(self) -> str:
        kind = {1: "shrinking", 0: "steady", -1: "expanding"}[self.constant]
        return f"a complete {kind} soliton of {self.ansatz}, R = {self.scalar([0.0])[0]:.6g} where orbits close"

    def __facts__(self) -> Facts:
        return [("λ", self.constant), ("of", self.ansatz)]


def evaluated(nodes: tuple[gr.Node, ...], known: Mapping[str, np.ndarray]) -> np.ndarray:
    """Nodes in symbols at places, (nodes, M).

    Parameters
    ----------
    nodes : tuple of Node
        With symbols for leaves.
    known : mapping of str to (M,) array
        A value for each.
    """
    routine, leaves = compiled(nodes)
    size = len(next(iter(known.values())))
    arguments = np.empty((len(leaves), size))
    for row, leaf in zip(arguments, leaves, strict=True):
        row[:] = known[leaf.data]
    return routine.packed(arguments, np.empty((len(nodes), size)))


def complete_soliton(ansatz: Ansatz, constant: int, given: Mapping[str, Any]) -> CompleteSoliton:
    """The soliton with given values where its orbits close: R there, and the unknowns that do not vanish.

    Raises InputError where one is missing, or is not a number, ConvergenceError where there is none.
    """
    (name,) = ansatz.coordinates
    equations = soliton_equations(ansatz, constant)
    domain = ansatz.domain[name]
    found = closing_at(ansatz, end_pair(domain)[0], name, domain.a) if isinstance(domain, Interval) else ()
    if len(found) != 1:
        raise InputError(f"a complete soliton is followed from a place where one unknown vanishes: let {name} begin at "
                         "a pole or a bolt.")
    (fibre,) = found
    shape = _shape(ansatz, equations, fibre)
    wanted = ["R", *(u.name for u, closes in zip(equations.unknowns, shape.closing, strict=True) if not closes)]
    for key in given:
        require_known("value where orbits close,", key, wanted)
    missing = [key for key in wanted if key not in given]
    if missing:
        raise InputError(f"which soliton is wanted is told by values where its orbits close: give {', '.join(wanted)}; "
                         f"{missing[0]} is missing. (R of a steady one only sets its scale.)")
    numbers = {key: real_number(value, key) for key, value in given.items()}
    known = CompleteSoliton(ansatz, constant, equations, Tip(shape, 1.0, np.zeros((len(wanted) + 1, 2))))
    at_start = _at_start(ansatz, equations, shape, constant, fibre, numbers)
    reach = 0.5 / np.sqrt(abs(numbers["R"]) + abs(constant) + sum(numbers[k] ** -2 for k in wanted[1:]))
    for _ in range(HALVINGS):
        start = tip(known.second, shape, reach, at_start)
        if start.tail < RESOLVED:
            return CompleteSoliton(ansatz, constant, equations, start)
        reach /= 2
    raise ConvergenceError("the soliton is not resolved about the place where its orbits close: give other values.")


def _shape(ansatz: Ansatz, equations: OutwardEquations, fibre: Fibre) -> Shape:
    closing = tuple(u == fibre.unknown for u in equations.unknowns)
    powers = [power_of(ansatz.metric, u) for u in equations.unknowns]
    exponents = tuple(1 if found is None else found[1] for found in powers)
    return Shape(exponents, closing, tuple(float(fibre.cone) if own else 1.0 for own in closing))


def _at_start(ansatz: Ansatz, equations: OutwardEquations, shape: Shape, constant: int, fibre: Fibre,
              numbers: Mapping[str, float]) -> list[float]:
    """w(0) of those that do not vanish, and φ(0) = −f''(0): R = dim λ − Δf, and Δf = (p + 1) f'' where S^p closes."""
    bend = (ansatz.metric.dim * constant - numbers["R"]) / (fibre.dim + 1)
    rows = [float("nan") if closes else float(np.log(numbers[u.name])) / e
            for u, closes, e in zip(equations.unknowns, shape.closing, shape.exponents, strict=True)]
    return [*rows, -bend]


def _distances(s: ArrayLike) -> np.ndarray:
    """Distances as floats. Raises InputError for one that is not finite, or negative."""
    places = np.atleast_1d(np.asarray(s, dtype=float))
    bad = ~(np.isfinite(places) & (places >= 0))
    if bad.any():
        raise InputError(f"{float(places[bad][0])} is no distance from the place where orbits close: give numbers ≥ 0.")
    return places
