"""A stepper by name, or the one that fits a problem."""

from __future__ import annotations

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.registry import Registry
from geomflow.flow.control import Stepper
from geomflow.flow.problem import Problem, Spectrum
from geomflow.flow.steppers.rkc import RKC
from geomflow.flow.steppers.rodas import Rosenbrock
from geomflow.flow.steppers.rosenbrock import SemiImplicit
from geomflow.flow.steppers.runge_kutta import RK45
from geomflow.flow.steppers.scipy_stiff import ScipyStiff

STEPPERS: Registry[type[Stepper]] = Registry("stepper", "geomflow.flow.steppers", {
    "rk4": "runge_kutta:RK4",
    "rk23": "runge_kutta:RK23",
    "rk45": "runge_kutta:RK45",
    "rkc": "rkc:RKC",
    "semi-implicit": "rosenbrock:SemiImplicit",
    "rosenbrock": "rodas:Rosenbrock",
    "scipy": "scipy_stiff:ScipyStiff",
})

_REAL = 20
"""Eigenvalues are near the real axis if they reach so many times farther along it: a stabilised method then takes steps
of one in units of the fastest oscillation, as an explicit one would."""

_FAST = 50
"""In units of the fastest oscillation an explicit step is about 1; an implicit one of third order takes some 50 steps
to resolve each unit of the solution's own at default tolerances."""


def named_stepper(name: str, rtol: float, atol: float) -> Stepper:
    """The stepper called `name`, with default settings; scipy's solvers get the tolerances of the run.

    Raises `UnknownNameError`, which names the nearest, for an unknown name.
    """
    return ScipyStiff(rtol=rtol, atol=atol) if name == "scipy" else STEPPERS[name]()


def fitting_stepper(problem: Problem) -> Stepper:
    """The stepper for the order of the rate's derivatives and for where its eigenvalues lie, at the initial state.

    The Rosenbrock method if the Jacobian is known: also of a few numbers some may settle long before the others. If it
    is not: without space derivatives explicit; with them, near the negative real axis, stabilised explicit up to order
    three, semi-implicit from four on. Away from it, where stabilised methods are not stable, explicit; but from order
    three on semi-implicit if the implicit part stands in for all eigenvalues and the solution is slow beside the
    fastest of them.
    """
    if problem.jacobian is not None:
        return Rosenbrock()
    if problem.stiff_order == 0:
        return RK45()
    spectrum = problem.spectrum(problem.start, problem.y0) if problem.spectrum else None
    if spectrum is None or _REAL * spectrum.oscillation <= spectrum.damping:
        return SemiImplicit() if problem.stiff_order >= 4 and problem.implicit is not None else RKC()
    implicit = problem.stiff_order >= 3 and spectrum.covered and _is_slow(problem, spectrum)
    return SemiImplicit() if implicit else RK45()


def _is_slow(problem: Problem, spectrum: Spectrum) -> bool:
    rate = np.empty_like(problem.y0)
    problem.rate(problem.start, problem.y0, rate)
    return bool(_FAST * np.abs(rate).max() < spectrum.oscillation * np.abs(problem.y0).max())


def resolve_stepper(stepper: Stepper | str, rtol: float, atol: float) -> Stepper:
    """A stepper from what the user gave: a stepper or a name."""
    if isinstance(stepper, Stepper):
        return stepper
    if isinstance(stepper, str):
        return named_stepper(stepper, rtol, atol)
    raise InputError(f"stepper must be a name or a stepper such as RKC(), not {stepper!r}.")
