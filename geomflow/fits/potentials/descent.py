"""Three ways down a landscape in a fixed kernel: gradient flow, natural-gradient flow, regularised fit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse.linalg import eigsh

from geomflow.core.errors import InputError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.fits.potentials.landscape import Landscape, View
from geomflow.variety.errors import KahlerConeError

_HALVINGS = 20
_LEAST, _SMALL = 1e-3, 50

Tick = Callable[[float], None]


@dataclass
class Path:
    """The way down: coefficients, and rows (time, E, σ, σ on the watched points, least pivot of g over Fubini–Study).

    `best` are the coefficients of least σ on the watched points, or the last ones where none are watched.
    """

    landscape: Landscape
    watched: Landscape | None
    tick: Tick
    coefficients: np.ndarray
    best: np.ndarray = field(init=False)
    rows: list[tuple[float, ...]] = field(default_factory=list)
    view: View = field(init=False)
    _least: float = np.inf

    def __post_init__(self) -> None:
        self.best = self.coefficients
        self.arrive(self.coefficients, self.landscape.look(self.coefficients), 0.0)
        if not self.view.least > 0:
            raise KahlerConeError(
                f"the descent starts outside the Kähler cone: the least pivot of g over Fubini–Study is "
                f"{self.view.least:.3g} on {self.landscape.count} points; start from zero"
            )

    def arrive(self, coefficients: np.ndarray, view: View, time: float) -> None:
        """Take a step that was found good."""
        self.coefficients, self.view = coefficients, view
        sigma, least = np.nan, view.least
        if self.watched is not None:
            seen = self.watched.look(coefficients)
            sigma, least = seen.sigma, min(least, seen.least)
        self.rows.append((time, view.energy, view.sigma, sigma, least))
        if self.watched is None or (sigma < self._least and least > 0):
            self.best, self._least = coefficients, sigma
        self.tick(view.sigma if self.watched is None else sigma)

    @property
    def time(self) -> float:
        """How far the flow has gone."""
        return self.rows[-1][0]


class Descent(ABC):
    """A way down a landscape; starts at the coefficients of a path and leaves them at their end."""

    @abstractmethod
    def run(self, path: Path) -> Outcome:
        """Go down, row by row of the path, and say how it ended."""


@final
@dataclass(frozen=True)
class KernelDescent(Descent):
    """Gradient flow in the kernel, da/dt = −∂E/∂a (that is ∂φ/∂t = −K δE/δφ), by explicit steps.

    An explicit step of the linearised flow is stable up to 2/λ, λ the largest eigenvalue of the Gauss–Newton Hessian;
    steps are `rate` of that, with λ found at the start and again after a step that did not descend. The flow
    follows mode i at the rate λ_i, so that stopping early is a regularisation. Raises `InputError` for rates outside
    (0, 1) and fewer steps than one.
    """

    steps: int = 200
    rate: float = 0.9

    def __post_init__(self) -> None:
        if not (0 < self.rate < 1 and self.steps >= 1):
            raise InputError(
                f"{self.steps} steps of {self.rate} of the stability bound: give at least one, and a rate in (0, 1)"
            )

    def run(self, path: Path) -> Outcome:
        """Until all steps are taken, or none descends."""
        length = self.rate * bound(path)
        for number in range(self.steps):
            move = -path.landscape.gradient(path.view)
            found = shortened(path, move, length, _energy)
            if found is None:
                return _steady(path, number)
            taken, view = found
            path.arrive(path.coefficients + taken * move, view, path.time + taken)
            if taken < length:
                length = self.rate * bound(path)
        return _finished(path, self.steps)


@final
@dataclass(frozen=True)
class NaturalDescent(Descent):
    """Natural-gradient (Gauss–Newton) flow, da/dt = −(H + λ)⁻¹ ∂E/∂a, by explicit steps of length `step` <= 1.

    H is the Gauss–Newton Hessian and λ = `damping` times its largest eigenvalue: modes above λ fall as e^{−t} alike,
    those below stay, which is Levenberg–Marquardt's regularisation. Raises `InputError` for a step outside (0, 1], a
    damping that is not positive, and fewer steps than one.
    """

    steps: int = 20
    step: float = 0.5
    damping: float = 1e-6

    def __post_init__(self) -> None:
        if not (0 < self.step <= 1 and self.damping > 0 and self.steps >= 1):
            raise InputError(
                f"{self.steps} steps of length {self.step} with damping {self.damping}: give at least one, a length in "
                "(0, 1] and a positive damping"
            )

    def run(self, path: Path) -> Outcome:
        """Until all steps are taken, or none descends."""
        for number in range(self.steps):
            hessian, gradient = path.landscape.linearise(path.view)
            move = solved(hessian, self.damping * largest(hessian), -gradient)
            found = shortened(path, move, self.step, _energy)
            if found is None:
                return _steady(path, number)
            path.arrive(path.coefficients + found[0] * move, found[1], path.time + found[0])
        return _finished(path, self.steps)


@final
@dataclass(frozen=True)
class RidgeFit(Descent):
    """The least E + ½ ridge |a|², |a| the norm of φ in the kernel's space, by Gauss–Newton steps.

    At the optimum φ = −K δE/δφ / ridge. Ends when a step gains less than `tolerance` of the whole, relatively.
    Raises `InputError` for a ridge that is not positive.
    """

    ridge: float = 1e-6
    steps: int = 30
    tolerance: float = 1e-4

    def __post_init__(self) -> None:
        if not (self.ridge > 0 and self.steps >= 1):
            raise InputError(f"{self.steps} steps with the ridge {self.ridge}: give at least one, and a positive ridge")

    def run(self, path: Path) -> Outcome:
        """Until the fit stands still."""
        for number in range(self.steps):
            here = path.coefficients
            hessian, gradient = path.landscape.linearise(path.view)
            move = -solved(hessian, self.ridge, gradient + self.ridge * here)
            whole = self._whole(path.view, here)
            found = shortened(path, move, 1.0, self._whole)
            if found is None:
                return _steady(path, number)
            path.arrive(here + found[0] * move, found[1], path.time + 1)
            if self._whole(found[1], path.coefficients) > (1 - self.tolerance) * whole:
                return _steady(path, number + 1)
        return _finished(path, self.steps)

    def _whole(self, view: View, coefficients: np.ndarray) -> float:
        return view.energy + 0.5 * self.ridge * float(coefficients @ coefficients)


Goal = Callable[[View, np.ndarray], float]


def shortened(path: Path, move: np.ndarray, length: float, goal: Goal) -> tuple[float, View] | None:
    """The first of length, length/2, … that lowers the goal and stays inside the Kähler cone, and the view there."""
    start = goal(path.view, path.coefficients)
    for _ in range(_HALVINGS if np.isfinite(move).all() else 0):
        tried = path.coefficients + length * move
        view = path.landscape.look(tried)
        if view.least > _LEAST and goal(view, tried) < start:
            return length, view
        length /= 2
    return None


def bound(path: Path) -> float:
    """2/λ: explicit steps of the linearised gradient flow are stable below it."""
    return 2 / largest(path.landscape.linearise(path.view)[0])


def largest(matrix: np.ndarray) -> float:
    """The largest eigenvalue of a positive semi-definite matrix, by Lanczos from a fixed vector."""
    if len(matrix) < _SMALL:
        return float(np.linalg.eigvalsh(matrix)[-1])
    return float(eigsh(matrix, 1, v0=np.ones(len(matrix)), return_eigenvectors=False)[0])


def solved(hessian: np.ndarray, shift: float, target: np.ndarray) -> np.ndarray:
    """(H + shift)⁻¹ target, with ten times the shift as often as rounding leaves the matrix not positive."""
    diagonal = np.diagonal(hessian).copy()
    while np.isfinite(diagonal).all() and shift < 1e6:
        np.fill_diagonal(hessian, diagonal + shift)
        try:
            return cho_solve(cho_factor(hessian, lower=True, check_finite=False), target, check_finite=False)
        except LinAlgError:
            shift *= 10
    return np.full(len(target), np.nan)


def _energy(view: View, coefficients: np.ndarray) -> float:
    return view.energy


def _steady(path: Path, steps: int) -> Outcome:
    message = f"no step gains any more after {steps} of them, at E = {path.view.energy:.3g}."
    return Outcome(OutcomeKind.steady, message, path.time)


def _finished(path: Path, steps: int) -> Outcome:
    message = f"took {steps} steps to E = {path.view.energy:.3g}; more steps or longer ones go on."
    return Outcome(OutcomeKind.finished, message, path.time)
