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
from geomflow.field.reduced.slopes import compiled
from geomflow.flow.tip import Tip
from geomflow.symbolic.ansatz import Ansatz
from geomflow.symbolic.ansatz.outward import DRAG, SLOPE, VALUE, OutwardEquations, scalar_in_arclength

RTOL, COARSER = 3e-14, 30.0
"""What steps outward may err, and by which factor more in the run by which errors are told."""


@final
@dataclass(frozen=True, repr=False, eq=False)
class CompleteSoliton(InNotebook):
    """A complete gradient Ricci soliton, Ric + ∇∇f = λ g, from where its orbits close outward.

    Made by `ansatz.complete_soliton(kind, R=...)`. s is arclength from the place
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
        size = self.scalar([0.0])[0]
        return f"a {kind} soliton followed outward, R = {size:.6g} where orbits close, of {self.ansatz}"

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


def _distances(s: ArrayLike) -> np.ndarray:
    """Distances as floats. Raises InputError for one that is not finite, or negative."""
    places = np.atleast_1d(np.asarray(s, dtype=float))
    bad = ~(np.isfinite(places) & (places >= 0))
    if bad.any():
        raise InputError(f"{float(places[bad][0])} is no distance from the place where orbits close: give numbers ≥ 0.")
    return places
