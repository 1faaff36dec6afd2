"""What `solve` integrates: an equation bound to a state, as plain arrays and functions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol

import numpy as np

from geomflow.core.outcome import Outcome

Array = np.ndarray
Measure = Callable[[float, Array], float]


@dataclass(frozen=True)
class Violation:
    """Why a state is not allowed.

    Parameters
    ----------
    kind : {"positivity", "domain"}
        What must be positive is not: the geometry ended; or any other reason: the numbers are wrong.
    what : str
        What is not allowed.
    value : float
        Its worst value.
    place : tuple of int
        The grid index of that.
    where : str
        The place in words, where the problem knows more than the index.
    """

    kind: Literal["positivity", "domain"]
    what: str
    value: float
    place: tuple[int, ...] = ()
    where: str = ""

    def __str__(self) -> str:
        where = self.where or (f"the point {self.place}" if self.place else "")
        return f"{self.what} = {self.value:.6g}" + (f" at {where}" if where else "")


def lost_positivity(what: str, values: np.ndarray) -> Violation | None:
    """The least of `values` (n, *grid), which must be positive, if it is not; NaN says nothing of it."""
    if values.min() > 0 or np.isnan(values).any():
        return None
    worst = np.unravel_index(int(np.argmin(values)), values.shape)
    return Violation("positivity", what, float(values[worst]), tuple(int(i) for i in worst[1:]))


@dataclass(frozen=True)
class Spectrum:
    """Where the stiff eigenvalues λ of the linearised rate lie, in units of 1/time.

    `damping` is the largest −Re λ, `oscillation` the largest |Im λ|; `covered` says that the problem's implicit part
    stands in for all of them, |λ − L| ≤ |L| mode by mode.
    """

    damping: float
    oscillation: float
    covered: bool


class Implicit(ABC):
    """A linear operator L with constant coefficients that stands in for the stiff part of a rate.

    It need not be the linearisation θL of the rate: `SemiImplicit` keeps its order for any L, and stays stable as long
    as every eigenvalue has 0 ≤ θ ≤ 1.5, that is, as long as L is not weaker than two thirds of the truth. This holds on
    the negative real axis as on the imaginary one.
    """

    @abstractmethod
    def prepare(self, t: float, y: Array) -> None:
        """Called at the start of each step; an L that follows time and state is chosen here, from them alone.

        Parameters
        ----------
        t : float
            The time.
        y : (ncomp, *grid) array
            The packed state at the start of a step.
        """

    @abstractmethod
    def solve(self, b: Array, c: float, out: Array) -> None:
        """Solve (1 − c L) u = b and write u to `out`.

        Parameters
        ----------
        b, out : (ncomp, *grid) arrays
            The right-hand side and the solution; they may be one array.
        c : float
            Of the size of a step.
        """

    @abstractmethod
    def apply(self, y: Array, out: Array) -> None:
        """Write L y to `out`.

        Parameters
        ----------
        y, out : (ncomp, *grid) arrays
            A packed state, and where L y goes.
        """


@dataclass(frozen=True)
class Problem:
    """The initial value problem dy/dt = rate(t, y), y(t0) = y0, with what solving it well needs to know.

    Parameters
    ----------
    y0 : (ncomp, *grid) array of float64
        The packed state, components first.
    rate : function
        rate(t, y, out) writes dy/dt to `out`; it must be a pure function of t and y.
    unpack : function
        Turns a packed array into the user's state object.
    advance : function or None
        (t, y, out) -> None: an iteration, which has no rate, writes the state after y to `out`, as a pure
        function of t and y; or gives the outcome that it ends with where there is no step to take.
    stiff_order : int
        Highest space derivative in the rate; 0 for a rate without.
    spectral_radius : function or None
        (t, y) -> upper bound of |eigenvalues| of the linearised rate, units 1/time; estimated if None.
    oscillation : function or None
        (t, y) -> upper bound of |Im| of these eigenvalues; None if they are real and negative.
    jacobian : function or None
        (t, y) -> d rate/dy of flattened packed states as a dense matrix (n, n), n = y.size, a new array; None if
        it is not known.
    autonomous : bool
        The rate does not depend on t. Of one that may, `Rosenbrock` takes the derivative in t too, by differences that
        reach over a step's ends by 0.002 of its length.
    spectrum : function or None
        (t, y) -> `Spectrum`, from which a stepper is chosen; None if they are real and negative.
    implicit : Implicit or None
        Stands in for the linearised rate in `SemiImplicit`; None if there is none.
    check : function or None
        (t, y) -> `Violation` if the state is not allowed, else None (NaN is found without it).
    growth : function or None
        (t, y) -> how short waves grow without bound, in words, or None; looked at along the run. None if they cannot.
    start : float
        t0.
    curvature : function or None
        (t, y) -> size of the curvature, say max |Rm|; used to tell a singularity from a numerical failure.
    positivity : function or None
        (t, y) -> what must stay positive at its worst point, say the least eigenvalue of the metric.
    cone : function or None
        y -> the lengths of a Kähler class that are positive inside of its cone.
    tail : function or None
        (t, y) -> share of the state in the shortest waves of its grid; None where it has no spectral grid.
    place : function or None
        (t, y) -> the same state with its points elsewhere, a new packed array, where they must be placed anew before
        the next step; else None. None for grids whose points stay.
    residual : function or None
        Rate array -> its size; max |rate| if None (a flow modulo constants measures modulo constants).
    monitors : mapping
        name -> (t, y) -> number, recorded along the run.
    observe : function or None
        (t, y) -> name -> number: monitors that are cheaper together than one by one.
    events : tuple of TerminalEvent
        Events that watch this problem besides the user's, unless the user gives one of the same kind.
    directions : (n, m) array or None
        Orthonormal columns: the changes of flattened packed states that the rate makes, the modes that a grid keeps.
        None for all.
    template : state or None
        What the packed states are of, where it is not the state that the user gave: a state with fields that are still.
    rtol : float
        The relative error that its runs allow a step, unless the user gives another.
    unit : float
        Of numbers y whose absolute changes matter, 1 of logarithms: steps may err by rtol · `unit` too. 0 of others,
        which may err by a thousandth of rtol times the largest of them at the start.
    description : mapping
        JSON-able facts for the store: "equation", "grid", "components", "axes" (name -> coordinates), ...
    """

    y0: Array
    rate: Callable[[float, Array, Array], None]
    unpack: Callable[[Array], Any]
    advance: Callable[[float, Array, Array], Outcome | None] | None = None
    stiff_order: int = 0
    spectral_radius: Measure | None = None
    oscillation: Measure | None = None
    jacobian: Callable[[float, Array], Array] | None = None
    autonomous: bool = False
    spectrum: Callable[[float, Array], Spectrum] | None = None
    implicit: Implicit | None = None
    check: Callable[[float, Array], Violation | None] | None = None
    growth: Callable[[float, Array], str | None] | None = None
    start: float = 0.0
    curvature: Measure | None = None
    positivity: Measure | None = None
    cone: Callable[[np.ndarray], Sequence[float]] | None = None
    tail: Measure | None = None
    place: Callable[[float, Array], Array | None] | None = None
    residual: Callable[[Array], float] | None = None
    monitors: Mapping[str, Measure] = field(default_factory=dict)
    observe: Callable[[float, Array], Mapping[str, float]] | None = None
    events: tuple[Any, ...] = ()
    directions: Array | None = None
    template: Any = None
    rtol: float = 1e-6
    unit: float = 0.0
    description: Mapping[str, Any] = field(default_factory=dict)

    def __content__(self) -> dict[str, Any]:
        """All that determines the numbers of a run: not what is noted along it, nor what is said of it."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _TOLD}


_TOLD = ("monitors", "observe", "description")


class Bindable(Protocol):
    """What `solve` takes for a flow: anything that makes the initial value problem of a state."""

    def bind(self, state: Any, /) -> Problem:
        """The problem from `state` on."""
