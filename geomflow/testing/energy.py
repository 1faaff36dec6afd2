"""Whether the energy of a flow falls along it, and at the rate that is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError, require_known
from geomflow.flow.problem import Problem
from geomflow.flow.solver import as_flow
from geomflow.symbolic.functionals import Functional
from geomflow.testing.directions import reach
from geomflow.testing.law import Gap, LawError, lasting, smallest_failing
from geomflow.testing.pairing import Derived

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from geomflow.flow.problem import Bindable
    from geomflow.symbolic.functionals import DerivedFlow

SHARE = 0.1
"""Differences are taken along a step that changes the state by about so much."""


def check_energy(
    flow: Bindable | DerivedFlow,
    state: Any | SearchStrategy[Any],
    energy: Functional | Callable[[Any], float] | str | None = None,
    *,
    metric: str | None = None,
    dissipation: Callable[[Any], float] | str | None = None,
    tolerance: float = 1e-6,
    examples: int = 10,
) -> None:
    """Check that the energy falls along a flow, at the rate of its dissipation: d(energy)/dt = −dissipation ≤ 0.

    Raises LawError with both numbers, and the small state; InputError for a flow that has no energy of its own where
    none is given.

    Parameters
    ----------
    flow : Flow, DerivedFlow or Bindable
        Anything that `solve` takes.
    state : Field or other state, or strategy of these
        Where.
    energy : Functional, callable or str, optional
        A functional, of which the multiple is taken that gradient flow descends, a function of the state, or the name
        of a monitor; the flow's own "energy" unless given.
    metric : str, optional
        Of a functional: the flow must fall as fast as its gradient flow in this metric.
    dissipation : callable or str, optional
        A function of the state, or the name of a monitor; of the flow's own energy the monitor "dissipation", if there
        is one.
    tolerance : float
        The largest relative gap.
    examples : int
        States that a strategy draws.

    Examples
    --------
    >>> import geomflow as gf
    >>> phi = gf.ComplexTorus(dim=1).grid(8, scheme="spectral").potential("cos(2*pi*x)/200")
    >>> check_energy(gf.CalabiFlow(), phi)
    >>> up = gf.Flow.from_expression("-laplacian(u)", forced=True)
    >>> check_energy(up, gf.Torus(dim=1).grid(8, scheme="spectral").scalar("cos(2*pi*x)"), lambda u: u.norm() ** 2)
    Traceback (most recent call last):
        ...
    geomflow.testing.law.LawError: the energy grows along the flow: ...
      ...
    """
    bound = as_flow(flow)

    def gap(at: Any) -> Gap:
        return _Along(bound, at, energy, metric, dissipation).gap(tolerance)

    found = smallest_failing(lambda at: lasting(gap, at) is not None, state, examples)
    if found is not None:
        worst = lasting(gap, found)
        slope, said = (worst or gap(found)).found
        raise LawError(_fault(slope, said, metric), [f"d(energy)/dt = {slope:.6g}" + (
            "" if said is None else f", and minus the dissipation is {-said:.6g}")], {"state": found})


def _fault(slope: float, said: float | None, metric: str | None) -> str:
    if slope > 0:
        return f"the energy grows along the flow: d(energy)/dt = {slope:.6g}"
    assert said is not None
    if said < 0:
        return f"the dissipation is negative: {said:.6g}"
    rate = f"{-slope / said:.6g} times as fast as" if said else "though there is no dissipation, not as"
    return f"the energy falls {rate} {'the gradient flow in ' + metric if metric else 'it says'}"


@dataclass(frozen=True, eq=False)
class _Along:
    """The energy of a flow along its rate at a state."""

    flow: Any
    state: Any
    energy: Any
    metric: str | None
    given: Any

    @cached_property
    def problem(self) -> Problem:
        problem: Problem = self.flow.bind(self.state)
        return problem

    @cached_property
    def rate(self) -> np.ndarray:
        out = np.empty_like(self.problem.y0)
        self.problem.rate(0.0, self.problem.y0, out)
        return out

    def _watched(self, name: str, y: np.ndarray) -> float:
        observed = {} if self.problem.observe is None else self.problem.observe(0.0, y)
        known = {**{key: float(f(0.0, y)) for key, f in self.problem.monitors.items()}, **observed}
        if name not in known and self.energy is None:
            raise InputError(f"the flow has no monitor '{name}', and none of its own ({', '.join(known)}) was "
                             "named: give energy=, a functional, a function of the state, or the name of a monitor.")
        require_known("monitor", name, known)
        return float(known[name])

    def value(self, y: np.ndarray) -> float:
        """The energy at packed numbers."""
        if self.energy is None or isinstance(self.energy, str):
            return self._watched(self.energy or "energy", y)
        factor = float(self.energy.factor) if isinstance(self.energy, Functional) else 1.0
        return factor * float(self.energy(self.problem.unpack(y)))

    def said(self) -> float | None:
        """The dissipation at the state; None where nothing is said of it."""
        if callable(self.given):
            return float(self.given(self.state))
        if isinstance(self.given, str):
            return self._watched(self.given, self.problem.y0)
        if self.metric is not None:
            if not isinstance(self.energy, Functional):
                raise InputError(f"metric={self.metric!r} needs energy= to be a Functional.")
            descent = Derived(self.energy, self.energy.gradient(self.metric).metric).flow().bind(self.state)
            assert descent.observe is not None
            return float(descent.observe(0.0, descent.y0)["dissipation"])
        own = self.energy is None and self.problem.observe is not None
        known = self.problem.observe(0.0, self.problem.y0) if own and self.problem.observe is not None else {}
        return float(known["dissipation"]) if "dissipation" in known else None

    def gap(self, tolerance: float) -> Gap:
        """Between the slope of the energy and minus the dissipation, or zero where it rises."""
        y0, size = self.problem.y0, float(np.abs(self.rate).max())
        value, said = self.value(y0), self.said()
        if not size:
            return Gap(0.0, 0.0, (0.0, said))
        step = SHARE * reach(self.state, self.rate) / size
        wide, near = (self._difference(y0, s * step) / (s * step) for s in (1.0, 0.5))
        error = 10 * abs(wide - near) + 1e4 * np.finfo(float).eps * max(abs(value), 1e-12) / step
        allowed = tolerance * abs(near) + error
        miss = 0.0 if said is None else abs(near + said)
        if said is not None and said < -allowed:
            miss = max(miss, -said)
        return Gap(max(miss, near), allowed, (near, said))

    def _difference(self, y: np.ndarray, step: float) -> float:
        values = [self.value(y + k * step * self.rate) for k in (-2, -1, 1, 2)]
        return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / 12
