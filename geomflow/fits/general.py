"""Optimal algebraic metrics without symmetry: all Hermitian forms on sections, matrix-free.

N sections have N² parameters, so no matrix is formed. In a basis where the present form is the identity, the derivative
of log det g at a point is X ↦ Σ_{r≥1} v_r X v_r† − n v_0 X v_0† with v = L⁻¹F, F the jets of the sections there and
F F† = L L†. It and its adjoint are one matrix product each; the Gauss–Newton equations are solved by conjugate
gradients (LSQR form), in single precision inside and double outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd
from typing import ClassVar, final

import numpy as np

from geomflow.core.memory import require
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.threads import each, slices
from geomflow.fits.fit import OPERATIONS, Fit, FitState, Last
from geomflow.fits.objective import Evaluation, Loss, Objective, shortened
from geomflow.variety import Points, PolarisedMetric, Sections
from geomflow.variety.errors import KahlerConeError, UnderdeterminedError
from geomflow.variety.jets import first_order, log_volume, partial_index
from geomflow.variety.routines.forms import section_jets

_INNER = 40
_FORCING = 0.1
_BALANCING = 8
_FIRST = 60
_POINTS_PER_PARAMETER = 8
_POINTS_AT_FIRST = 2
#: Of the steps on some and on all points: how many, and the share of E_F above which a step is the last.
_PHASES = ((3, 0.5), (12, 0.8))
#: Steps that are enough, with that from some points to all.
STEPS = 16
_BLOCK = 512
_DOUBLE = 150


@final
@dataclass(frozen=True, eq=False)
class SectionObjective(Objective):
    """E_F of P = s h s† as a function of the Hermitian form h: section jets (P, rows, N) scaled by the reference."""

    jets: np.ndarray
    log_omega2: np.ndarray
    weights: np.ndarray
    level: int
    loss: Loss

    @classmethod
    def of(cls, sections: Sections, points: Points, loss: Loss) -> SectionObjective:
        """Evaluate the sections, above 150 in single precision, which is far below their σ."""
        rows, count = 1 + points.variety.dim, sections.count
        jets = np.empty((len(points), rows, count), complex if count <= _DOUBLE else np.complex64)
        index = partial_index(points.variety.ambient.size, 1)
        norms = points.variety.ambient.norms(points.coordinates)
        scale = np.exp(-0.5 * np.log(norms) @ np.array(sections.degrees))

        def work(s: slice) -> None:
            frame = first_order(points[s]) * scale[s, None, None]
            out = np.empty((len(frame), rows, count), complex)
            section_jets(points.coordinates[s], frame, index, sections.exponents, out)
            jets[s] = out

        each(work, slices(len(points), 512))
        return cls(jets, np.log(points.omega2), points.mass, gcd(*sections.degrees), loss)

    def head(self, count: int) -> SectionObjective:
        """The objective on the first points only."""
        weights = self.weights[:count] / self.weights[:count].sum()
        return replace(self, jets=self.jets[:count], log_omega2=self.log_omega2[:count], weights=weights)

    def gram(self, form: np.ndarray) -> np.ndarray:
        """(P, rows, rows) of P = s h s†."""
        parts, form = [], form.astype(self.jets.dtype)
        for s in slices(len(self.jets), _BLOCK):
            block = self.jets[s]
            parts.append((block @ form) @ np.swapaxes(block.conj(), 1, 2))
        return np.concatenate(parts).astype(complex)

    def evaluate(self, coefficients: np.ndarray) -> Evaluation:
        """v, E_F and σ of the Hermitian part of a matrix."""
        gram = self.gram(hermitian(coefficients))
        return self.seen_in_logarithms(log_volume(gram, self.level) - self.log_omega2, gram)


def hermitian(matrix: np.ndarray) -> np.ndarray:
    """(M + M†)/2."""
    return (matrix + matrix.conj().T) / 2


@dataclass(frozen=True, eq=False)
class _Linear:
    """X ↦ √(μF'') δv and its adjoint, on Hermitian matrices in the present form's basis."""

    vectors: np.ndarray
    scale: np.ndarray
    tilt: np.ndarray

    @classmethod
    def of(cls, objective: SectionObjective, evaluation: Evaluation, basis: np.ndarray) -> tuple[_Linear, np.ndarray]:
        """The map at a form, and the residual √(w/F'') F'."""
        gram, jets = evaluation.at, objective.jets
        lower = np.linalg.inv(np.linalg.cholesky(gram))
        lower[:, 0] *= np.sqrt(gram.shape[-1] - 1)
        vectors = np.empty(jets.shape, np.complex64)
        single = basis.astype(np.complex64)
        for s in slices(len(vectors), _BLOCK):
            vectors[s] = (lower[s] @ jets[s]).astype(np.complex64) @ single
        scale, residual = objective.residual(evaluation)
        return cls(vectors, scale * evaluation.v, objective.weights * evaluation.v), residual

    @property
    def work(self) -> float:
        """That of the map and its adjoint once each, in core-seconds: four operations a real product, twice."""
        return 16.0 * self.vectors.size * self.vectors.shape[2] / OPERATIONS

    def apply(self, matrix: np.ndarray) -> np.ndarray:
        """Points from a Hermitian matrix."""
        count, rows, size = self.vectors.shape
        slope = np.empty((count, rows), np.float32)
        for s in slices(count, _BLOCK):
            block = self.vectors[s].reshape(-1, size)
            image = block @ matrix
            slope[s] = np.einsum("pm,pm->p", image.view(np.float32), block.view(np.float32)).reshape(-1, rows)
        change = slope[:, 1:].sum(axis=1, dtype=float) - slope[:, 0]
        return self.scale * (change - self.tilt @ change)

    def adjoint(self, values: np.ndarray) -> np.ndarray:
        """A Hermitian matrix from points."""
        count, rows, size = self.vectors.shape
        y = self.scale * values
        y = y - self.tilt * y.sum()
        factor = np.repeat(y[:, None], rows, axis=1).astype(np.float32)
        factor[:, 0] *= -1
        total = np.zeros((size, size), np.complex64)
        for s in slices(count, _BLOCK):
            block = self.vectors[s].reshape(-1, size)
            total += (factor[s].reshape(-1, 1) * block).T @ block.conj()
        return total.conj()


@final
@dataclass(frozen=True, eq=False)
class GeneralFit(Fit):
    """Inexact Gauss–Newton steps from a form `first`, on `some` of the points where that is worth while, then on all.

    `work` is the most that conjugate gradients may take, in core-seconds (`OPERATIONS` of them to a second). Raises
    `KahlerConeError` where the start is not positive.
    """

    objective: SectionObjective
    first: np.ndarray
    some: int
    work: float

    name: ClassVar[str] = "gauss-newton"

    @classmethod
    def of(
        cls, sections: Sections, points: Points, loss: Loss, start: PolarisedMetric | None, work: float
    ) -> GeneralFit:
        """A fit of sections on as many of the points as are needed, from the form that is like `start`.

        Raises `UnderdeterminedError` for fewer points than N² parameters, and `MemoryLimitError`.
        """
        require_general(sections, points)
        parameters = sections.count**2
        used = points[: max(4000, _POINTS_PER_PARAMETER * parameters)]
        objective = SectionObjective.of(sections, used, loss)
        head = _FIRST * sections.count
        first = _first_form(objective.head(head), likeness(start, used[:head], sections.degrees))
        return cls(objective, first, _POINTS_AT_FIRST * parameters, work)

    @cached_property
    def _evaluations(self) -> tuple[Last, Last]:
        return Last(self._objectives[0].evaluate), Last(self.objective.evaluate)

    @cached_property
    def _objectives(self) -> tuple[SectionObjective, SectionObjective]:
        return self.objective.head(self.some), self.objective

    def start(self) -> FitState:
        """The first form, on some points if these are fewer than half."""
        if not self.objective.evaluate(self.first).least > 0:
            raise KahlerConeError(
                "the fit starts outside the Kähler cone: the starting metric is not positive at some point"
            )
        phase = 0 if self.some < len(self.objective.weights) / 2 else 1
        return FitState.of(form=self.first, phase=phase, taken=0, before=np.inf, spent=0.0)

    def step(self, state: FitState) -> FitState | Outcome:
        """A step on the points of the phase, or the change to all points."""
        phase, taken, form = state.count("phase"), state.count("taken"), state["form"]
        (most, gain), evaluation = _PHASES[phase], self._evaluations[phase](form)
        over = taken >= most or evaluation.energy > gain * state.number("before")
        if not over and not (taken and state.number("spent") > self.work):
            move, spent = self._move(phase, form, evaluation, state.number("spent"))
            found = shortened(self._objectives[phase], form, evaluation.energy, move, halvings=8)
            if found is not None:
                form = hermitian(found[1])
                self._evaluations[phase].put(form, found[2])
                return state.moved(form=form, taken=taken + 1, before=evaluation.energy, spent=spent)
            state = state.moved(spent=spent)
        if phase == 0 and self._evaluations[1](form).least > 0:
            return state.moved(phase=1, taken=0, before=np.inf)
        return Outcome(OutcomeKind.steady, f"no step gains much any more, at E_F = {evaluation.energy:.3g}.", 0.0)

    def numbers(self, state: FitState) -> Mapping[str, float]:
        """E_F and σ on the points of the phase, and the work so far in core-seconds."""
        evaluation = self._evaluations[state.count("phase")](state["form"])
        return {"energy": evaluation.energy, "sigma": evaluation.sigma, "work": state.number("spent")}

    def _move(self, phase: int, form: np.ndarray, evaluation: Evaluation, spent: float) -> tuple[np.ndarray, float]:
        """The Gauss–Newton step by CGLS in the basis of the present form, and the work so far."""
        values, vectors = np.linalg.eigh(form)
        basis = vectors * np.sqrt(np.maximum(values, 1e-8 * values.max()))
        linear, right = _Linear.of(self._objectives[phase], evaluation, basis)
        most = max(int((self.work - spent) / linear.work), 0)
        x, iterations = _cgls(linear, -right, min(most, _INNER))
        return basis @ x @ basis.conj().T, spent + iterations * linear.work


def require_general(sections: Sections, points: Points) -> None:
    """Raise `UnderdeterminedError` and `MemoryLimitError` before anything is computed."""
    parameters = sections.count**2
    if len(points) <= parameters:
        raise UnderdeterminedError(
            f"{sections.count} sections have {parameters} Hermitian forms, and there are {len(points)} points: the "
            f"fit is under-determined; take at least {_POINTS_PER_PARAMETER * parameters} points or a lower degree"
        )
    used = min(len(points), max(4000, _POINTS_PER_PARAMETER * parameters))
    size = 24 if sections.count <= _DOUBLE else 16
    require(
        size * used * (1 + points.variety.dim) * sections.count,
        f"jets of {sections.count} sections at {used} points",
        "take a lower degree or fewer points",
    )


def _cgls(linear: _Linear, right: np.ndarray, most: int) -> tuple[np.ndarray, int]:
    """Least squares |L x − right| by conjugate gradients on the normal equations, to a tenth of the gradient.

    In the basis of the present form the normal equations have condition numbers of 50 to 100: no preconditioner pays.
    """
    residual = right.copy()
    gradient = linear.adjoint(residual)
    direction, x = gradient, np.zeros_like(gradient)
    size = first = float(np.vdot(gradient, gradient).real)
    taken = 0
    while taken < most and not size < _FORCING**2 * first:
        taken += 1
        image = linear.apply(direction)
        alpha = size / float(image @ image)
        x = x + np.float32(alpha) * direction
        residual -= alpha * image
        gradient = linear.adjoint(residual)
        new = float(np.vdot(gradient, gradient).real)
        direction = gradient + np.float32(new / size) * direction
        size = new
    return x.astype(complex), taken


def likeness(start: PolarisedMetric | None, points: Points, degrees: tuple[int, ...]) -> np.ndarray:
    """P/Π|z_i|^{2d_i} of the form of O(d) that is like a metric: e^{cφ}, φ its correction and c = Σd_i/Σt_i, (P,).

    On one ray c t = d, and P = e^{cK} is the metric's own; 1, Fubini–Study's, without one.
    """
    if start is None:
        return np.ones(len(points))
    return np.exp(sum(degrees) / sum(start.kahler_class) * start.correction(points))


def _first_form(objective: SectionObjective, target: np.ndarray) -> np.ndarray:
    """A positive form with density near a target, (P,): a few balancing steps towards it."""
    values = objective.jets[:, 0].astype(complex)
    mass = objective.weights * values.shape[1]
    moments = (values.conj() * mass[:, None]).T @ values
    form = np.linalg.inv(moments)
    for _ in range(_BALANCING):
        density = np.einsum("pm,pm->p", values @ form, values.conj()).real
        ratio = target / density
        root = np.linalg.cholesky(form)
        white = values @ root
        update = (white.conj() * (mass * ratio / density)[:, None]).T @ white
        old = (white.conj() * (mass / density)[:, None]).T @ white
        form = hermitian(root @ (np.linalg.inv(old) @ update) @ root.conj().T)
    return form
