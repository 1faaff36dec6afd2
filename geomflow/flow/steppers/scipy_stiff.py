"""scipy's stiff solvers for small problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.flow.bounded_steps import CappedSteps
from geomflow.flow.control import ControllerState, StepController, Stepper
from geomflow.flow.cursor import Cursor

_MATRICES = {"BDF": 6, "Radau": 8, "LSODA": 2}  # dense n × n matrices held at once, differences included


@dataclass(frozen=True)
class Legs(CappedSteps):
    """`count` legs over the run; one that fails is tried again at a quarter, and legs grow back by two."""

    count: int = 50

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InputError(f"the number of legs, {self.count}, must be at least 1.")

    def start(self, cursor: Cursor, stepper: Stepper, span: float) -> ControllerState:
        """Legs of one `count`-th of the run."""
        return self.capped(span / self.count)


@dataclass(frozen=True)
class ScipyStiff(Stepper):
    """BDF, Radau or LSODA of `scipy.integrate` with a dense Jacobian: for some thousand unknowns.

    The Jacobian is the problem's own, or found by differences where it has none.
    A step of the run is a leg: scipy starts anew on each of them and chooses its own steps inside, to its own
    tolerances. Monitors and events see the ends of the legs.

    Parameters
    ----------
    method : {"BDF", "Radau", "LSODA"}
        The solver of `scipy.integrate`.
    legs : int
        Into how many a run is divided.
    rtol, atol : float
        Errors that scipy allows its own steps.
    """

    method: Literal["BDF", "Radau", "LSODA"] = "BDF"
    legs: int = 50
    rtol: float = 1e-6
    atol: float = 1e-9

    name: ClassVar[str] = "scipy"
    order: ClassVar[int] = 1

    def check(self, cursor: Cursor) -> None:
        """The method must exist, and its dense matrices must fit in memory."""
        if self.method not in _MATRICES:
            raise InputError(f"scipy's method '{self.method}' is not one of {', '.join(_MATRICES)}.")
        unknowns = cursor.y.size
        what = f"scipy's {self.method} with a dense Jacobian of {unknowns} × {unknowns}"
        require(8.0 * _MATRICES[self.method] * unknowns**2, what, "use the stepper 'rkc' or 'semi-implicit'")

    def control(self, rtol: float, atol: float) -> StepController:
        """Legs of equal length."""
        return Legs(self.legs)

    def attempt(self, cursor: Cursor, t_new: float) -> None:
        """One leg; a failure of scipy leaves NaN, which the control answers with a shorter leg."""
        from scipy import integrate

        def rate(t: float, y: np.ndarray) -> np.ndarray:
            out = np.empty(shape)
            cursor.problem.rate(t, np.ascontiguousarray(y).reshape(shape), out)
            cursor.evaluations += 1
            return out.ravel()

        shape, jacobian = cursor.y.shape, cursor.problem.jacobian
        exact = {} if jacobian is None else {"jac": lambda t, y: jacobian(t, np.ascontiguousarray(y).reshape(shape))}
        new = cursor.work["new"]
        try:
            make = getattr(integrate, self.method)
            solver = make(rate, cursor.t, cursor.y.ravel().copy(), t_new, rtol=self.rtol, atol=self.atol, **exact)
            while solver.status == "running":
                solver.step()
            finished = solver.status == "finished"
        except ValueError:  # scipy's word for a rate that is not finite
            finished = False
        new[...] = solver.y.reshape(shape) if finished else np.nan
