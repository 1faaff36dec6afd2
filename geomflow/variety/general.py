"""Optimal algebraic metrics without symmetry: all Hermitian forms on sections, matrix-free.

N sections have N² parameters, so no matrix is formed. In a basis where the present form is the identity, the derivative
of log det g at a point is X ↦ tr(W F X F†) = Σ_r λ_r v_r X v_r† with F the jets of the sections there and (λ_r, v_r)
from W = Σ λ_r w_r w_r†, v_r = w_r† F. It and its adjoint are one matrix product each; the Gauss–Newton equations are
solved by conjugate gradients (LSQR form), in single precision inside and double outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.memory import require
from geomflow.variety import jetframes
from geomflow.variety.descent import History
from geomflow.variety.errors import KahlerConeError, UnderdeterminedError
from geomflow.variety.functional import Density
from geomflow.variety.hermitian_form import HermitianForm
from geomflow.variety.levels import level_of
from geomflow.variety.ratiojets import log_volume, sensitivity
from geomflow.variety.routines.forms import section_jets
from geomflow.variety.sections import Sections
from geomflow.variety.threads import each, slices

if TYPE_CHECKING:
    from geomflow.variety.points import Points

_OUTER = 12
_BALANCING = 8
_POINTS_PER_PARAMETER = 8


@dataclass(frozen=True, eq=False)
class GeneralFit:
    """The data of a fit: section jets (P, rows, N) scaled by the reference, log|Ω|² and the masses of the points."""

    jets: np.ndarray
    log_omega2: np.ndarray
    mass: np.ndarray
    level: int
    functional: Density

    @classmethod
    def of(cls, sections: Sections, points: Points, functional: Density) -> GeneralFit:
        """Evaluate the sections; memory is stated first."""
        rows, count = 1 + points.variety.dim, sections.count
        require(
            24 * len(points) * rows * count, f"jets of {count} sections at {len(points)} points", "take a lower degree"
        )
        jets = np.empty((len(points), rows, count), complex)
        index = jetframes.partial_index(points.variety.ambient.size, 1)
        norms = points.variety.ambient.norms(points.coordinates)
        scale = np.exp(-0.5 * np.log(norms) @ np.array(sections.degrees))

        def work(s: slice) -> None:
            frame = jetframes.first_order(points[s]) * scale[s, None, None]
            section_jets(points.coordinates[s], frame, index, sections.exponents, jets[s])

        each(work, slices(len(points), 512))
        mass = points.weights / points.weights.sum()
        return cls(jets, np.log(points.omega2), mass, level_of(sections.degrees), functional)

    def gram(self, form: np.ndarray) -> np.ndarray:
        """(P, rows, rows) of P = s h s†."""
        parts = []
        for s in slices(len(self.jets), 2048):
            block = self.jets[s]
            parts.append((block @ form) @ np.swapaxes(block.conj(), 1, 2))
        return np.concatenate(parts)

    def ratio(self, gram: np.ndarray) -> np.ndarray | None:
        """v with mean one, or None where the metric is not positive."""
        log_v = log_volume(gram, self.level) - self.log_omega2
        if not np.all(np.isfinite(log_v)):
            return None
        v = np.exp(log_v - log_v.max())
        return v / (self.mass @ v)

    def energy(self, v: np.ndarray) -> float:
        """E_F − F(1)."""
        return float(self.mass @ (self.functional.evaluate(v)[0] - self.functional.evaluate(np.ones(1))[0]))


@dataclass(frozen=True, eq=False)
class _Linear:
    """X ↦ √(μF'') δv and its adjoint, on Hermitian matrices in the present form's basis."""

    vectors: np.ndarray
    signs: np.ndarray
    scale: np.ndarray
    tilt: np.ndarray

    @classmethod
    def of(cls, fit: GeneralFit, gram: np.ndarray, v: np.ndarray, basis: np.ndarray) -> tuple[_Linear, np.ndarray]:
        values, frame = np.linalg.eigh(sensitivity(gram))
        count, rows, size = fit.jets.shape
        vectors = np.empty((count, rows, size), np.complex64)
        for s in slices(count, 2048):
            scaled = np.swapaxes(frame[s].conj(), 1, 2) * np.sqrt(np.abs(values[s]))[:, :, None]
            vectors[s] = (scaled @ fit.jets[s]) @ basis
        _, first, second = fit.functional.evaluate(v)
        first = first - fit.mass @ first
        scale = np.sqrt(fit.mass * np.maximum(second, 1e-3 * second.max()))
        linear = cls(vectors.reshape(-1, size), np.sign(values).astype(np.float32), scale * v, fit.mass * v)
        return linear, fit.mass * first / scale

    def apply(self, matrix: np.ndarray) -> np.ndarray:
        """Points from a Hermitian matrix."""
        rows = self.signs.shape[1]
        parts = []
        for s in slices(len(self.vectors), 8192):
            block = self.vectors[s]
            image = block @ matrix
            parts.append(np.einsum("pm,pm->p", image.real, block.real) + np.einsum("pm,pm->p", image.imag, block.imag))
        slope = np.sum(np.concatenate(parts).reshape(-1, rows) * self.signs, axis=1).astype(float)
        return self.scale * (slope - self.tilt @ slope)

    def adjoint(self, values: np.ndarray) -> np.ndarray:
        """A Hermitian matrix from points."""
        y = self.scale * values
        y = y - self.tilt * y.sum()
        factor = (self.signs * y[:, None]).reshape(-1).astype(np.float32)
        size = self.vectors.shape[1]
        total = np.zeros((size, size), np.complex64)
        for s in slices(len(self.vectors), 8192):
            block = self.vectors[s]
            total += block.conj().T @ (factor[s, None] * block)
        return total


def fit_general(
    sections: Sections,
    points: Points,
    functional: Density,
    start: HermitianForm | None,
    *,
    seconds: float = 60.0,
    inner: int = 40,
    tick: Callable[[float], None] = lambda sigma: None,
) -> tuple[np.ndarray, History, int]:
    """The Hermitian form on sections of least E_F found within about `seconds`; also the history and the points used.

    Raises `UnderdeterminedError` for fewer points than N² parameters, `KahlerConeError` and `MemoryLimitError`.
    """
    deadline = monotonic() + seconds
    parameters = sections.count**2
    if len(points) <= parameters:
        raise UnderdeterminedError(
            f"{sections.count} sections have {parameters} Hermitian forms, and there are {len(points)} points: the "
            f"fit is under-determined; take at least {_POINTS_PER_PARAMETER * parameters} points or a lower degree"
        )
    used = points[: max(4000, _POINTS_PER_PARAMETER * parameters)]
    fit = GeneralFit.of(sections, used, functional)
    form = _first_form(fit, used, start)
    gram = fit.gram(form)
    v = fit.ratio(gram)
    if v is None:
        raise KahlerConeError(
            "the fit starts outside the Kähler cone: the starting metric is not positive at some point"
        )
    history = History([fit.energy(v)], [float(fit.mass @ np.abs(v - 1))])
    for _ in range(_OUTER):
        step = _step(fit, form, gram, v, inner, deadline)
        moved = _line_search(fit, form, step, history.energy[-1])
        if moved is None:
            break
        form, gram, v = moved
        history.energy.append(fit.energy(v))
        history.sigma.append(float(fit.mass @ np.abs(v - 1)))
        tick(history.sigma[-1])
        if history.energy[-1] > 0.98 * history.energy[-2] or monotonic() > deadline:
            break
    return form, history, len(used)


def _step(
    fit: GeneralFit, form: np.ndarray, gram: np.ndarray, v: np.ndarray, inner: int, deadline: float
) -> np.ndarray:
    """The Gauss–Newton step by CGLS in the basis of the present form."""
    values, vectors = np.linalg.eigh(form)
    basis = vectors * np.sqrt(np.maximum(values, 1e-8 * values.max()))
    linear, right = _Linear.of(fit, gram, v, basis)
    x = _cgls(linear, -right, inner, deadline)
    return basis @ x @ basis.conj().T


def _cgls(linear: _Linear, right: np.ndarray, steps: int, deadline: float) -> np.ndarray:
    """Least squares |L x − right| by conjugate gradients on the normal equations."""
    residual = right.copy()
    gradient = linear.adjoint(residual)
    direction, x = gradient, np.zeros_like(gradient)
    size = first = float(np.vdot(gradient, gradient).real)
    for _ in range(steps):
        image = linear.apply(direction)
        alpha = size / float(image @ image)
        x = x + np.float32(alpha) * direction
        residual -= alpha * image
        gradient = linear.adjoint(residual)
        new = float(np.vdot(gradient, gradient).real)
        if new < 1e-8 * first or monotonic() > deadline:
            break
        direction = gradient + np.float32(new / size) * direction
        size = new
    return x.astype(complex)


def _line_search(
    fit: GeneralFit, form: np.ndarray, step: np.ndarray, energy: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    for shrink in range(8):
        tried = form + 0.5**shrink * step
        tried = (tried + tried.conj().T) / 2
        gram = fit.gram(tried)
        v = fit.ratio(gram)
        if v is not None and fit.energy(v) < energy:
            return tried, gram, v
    return None


def _first_form(fit: GeneralFit, points: Points, start: HermitianForm | None) -> np.ndarray:
    """A positive form near exp(k K) of `start`: a few balancing steps towards its density."""
    target = np.ones(len(points)) if start is None else np.exp(fit.level * start.correction(points))
    values = fit.jets[:, 0]
    mass = fit.mass * values.shape[1]
    moments = (values.conj() * mass[:, None]).T @ values
    form = np.linalg.inv(moments)
    for _ in range(_BALANCING):
        density = np.einsum("pm,pm->p", values @ form, values.conj()).real
        ratio = target / density
        root = np.linalg.cholesky(form)
        white = values @ root
        update = (white.conj() * (mass * ratio / density)[:, None]).T @ white
        old = (white.conj() * (mass / density)[:, None]).T @ white
        form = root @ (np.linalg.inv(old) @ update) @ root.conj().T
        form = (form + form.conj().T) / 2
    return form
