"""A stepper by name, or the one that fits a problem."""

from __future__ import annotations

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.flow.problem import Problem
from geomflow.flow.steppers.rk4 import RK4
from geomflow.flow.steppers.rk23 import RK23
from geomflow.flow.steppers.rk45 import RK45
from geomflow.flow.steppers.rkc import RKC
from geomflow.flow.steppers.scipy_stiff import ScipyStiff
from geomflow.flow.steppers.semi_implicit import SemiImplicit
from geomflow.flow.steppers.stepper import Stepper

STEPPERS: dict[str, type[Stepper]] = {kind.name: kind for kind in (RK4, RK23, RK45, RKC, SemiImplicit, ScipyStiff)}


def named_stepper(name: str, rtol: float, atol: float) -> Stepper:
    """The stepper called `name`, with default settings; scipy's solvers get the tolerances of the run.

    Raises `UnknownNameError`, which names the nearest, for an unknown name.
    """
    if name not in STEPPERS:
        raise UnknownNameError.among("stepper", name, STEPPERS)
    return ScipyStiff(rtol=rtol, atol=atol) if name == "scipy" else STEPPERS[name]()


def fitting_stepper(problem: Problem) -> Stepper:
    """Explicit for rates without space derivatives, stabilised explicit for two, semi-implicit for four and more."""
    if problem.stiff_order == 0:
        return RK45()
    if problem.stiff_order >= 4 and problem.implicit is not None:
        return SemiImplicit()
    return RKC()


def resolve_stepper(stepper: Stepper | str, rtol: float, atol: float) -> Stepper:
    """A stepper from what the user gave: a stepper or a name."""
    if isinstance(stepper, Stepper):
        return stepper
    if isinstance(stepper, str):
        return named_stepper(stepper, rtol, atol)
    raise InputError(f"stepper must be a name or a stepper such as RKC(), not {stepper!r}.")
