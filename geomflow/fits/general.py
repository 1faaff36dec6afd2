"""Optimal algebraic metrics without symmetry: all Hermitian forms on sections, matrix-free.

N sections have N² parameters, so no matrix is formed. In a basis where the present form is the identity, the derivative
of log det g at a point is X ↦ Σ_{r≥1} v_r X v_r† − n v_0 X v_0† with v = L⁻¹F, F the jets of the sections there and
F F† = L L†. It and its adjoint are one matrix product each; the Gauss–Newton equations are solved by conjugate
gradients (LSQR form), in single precision inside and double outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import gcd
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.memory import require
from geomflow.core.threads import each, slices
from geomflow.fits.density import Density
from geomflow.fits.descent import History
from geomflow.variety import jetframes
from geomflow.variety.errors import KahlerConeError, UnderdeterminedError
from geomflow.variety.ratiojets import log_volume
from geomflow.variety.routines.forms import section_jets
from geomflow.variety.sections import Sections

if TYPE_CHECKING:
    from geomflow.variety.metric import VarietyMetric
    from geomflow.variety.points import Points

_OUTER = 12
_INNER = 40
_FORCING = 0.1
_BALANCING = 8
_FIRST = 60
_POINTS_PER_PARAMETER = 8
_POINTS_AT_FIRST = 2
_BLOCK = 512
_DOUBLE = 150


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
        """Evaluate the sections, above 150 in single precision, which is far below their σ."""
        rows, count = 1 + points.variety.dim, sections.count
        jets = np.empty((len(points), rows, count), complex if count <= _DOUBLE else np.complex64)
        index = jetframes.partial_index(points.variety.ambient.size, 1)
        norms = points.variety.ambient.norms(points.coordinates)
        scale = np.exp(-0.5 * np.log(norms) @ np.array(sections.degrees))

        def work(s: slice) -> None:
            frame = jetframes.first_order(points[s]) * scale[s, None, None]
            out = np.empty((len(frame), rows, count), complex)
            section_jets(points.coordinates[s], frame, index, sections.exponents, out)
            jets[s] = out

        each(work, slices(len(points), 512))
        mass = points.weights / points.weights.sum()
        return cls(jets, np.log(points.omega2), mass, gcd(*sections.degrees), functional)

    def head(self, count: int) -> GeneralFit:
        """The fit on the first points only."""
        mass = self.mass[:count] / self.mass[:count].sum()
        return replace(self, jets=self.jets[:count], log_omega2=self.log_omega2[:count], mass=mass)

    def gram(self, form: np.ndarray) -> np.ndarray:
        """(P, rows, rows) of P = s h s†."""
        parts, form = [], form.astype(self.jets.dtype)
        for s in slices(len(self.jets), _BLOCK):
            block = self.jets[s]
            parts.append((block @ form) @ np.swapaxes(block.conj(), 1, 2))
        return np.concatenate(parts).astype(complex)

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
    scale: np.ndarray
    tilt: np.ndarray

    @classmethod
    def of(cls, fit: GeneralFit, gram: np.ndarray, v: np.ndarray, basis: np.ndarray) -> tuple[_Linear, np.ndarray]:
        """The map at a form, and the residual √(μ/F'') F'."""
        lower = np.linalg.inv(np.linalg.cholesky(gram))
        lower[:, 0] *= np.sqrt(gram.shape[-1] - 1)
        vectors = np.empty(fit.jets.shape, np.complex64)
        single = basis.astype(np.complex64)
        for s in slices(len(vectors), _BLOCK):
            vectors[s] = (lower[s] @ fit.jets[s]).astype(np.complex64) @ single
        _, first, second = fit.functional.evaluate(v)
        first = first - fit.mass @ first
        scale = np.sqrt(fit.mass * np.maximum(second, 1e-3 * second.max()))
        return cls(vectors, scale * v, fit.mass * v), fit.mass * first / scale

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


def fit_general(
    sections: Sections,
    points: Points,
    functional: Density,
    start: VarietyMetric | None,
    *,
    seconds: float = 60.0,
    tick: Callable[[float], None] = lambda sigma: None,
) -> tuple[np.ndarray, History, int]:
    """The Hermitian form on sections of least E_F found within about `seconds`; also the history and the points used.

    The first steps see only as many points as they need. Raises `UnderdeterminedError` for fewer points than N²
    parameters, `KahlerConeError` and `MemoryLimitError`.
    """
    deadline = monotonic() + seconds
    require_general(sections, points)
    parameters = sections.count**2
    used = points[: max(4000, _POINTS_PER_PARAMETER * parameters)]
    whole = GeneralFit.of(sections, used, functional)
    head = _FIRST * sections.count
    first = _first_form(whole.head(head), likeness(start, used[:head], sections.degrees))
    descent = _Descent(whole, first, deadline, tick)
    for share, steps, gain in ((_POINTS_AT_FIRST * parameters, 3, 0.5), (len(used), _OUTER, 0.8)):
        if share < len(used) / 2 or share == len(used):
            descent.run(whole.head(share), steps, gain)
    return descent.form, descent.history, len(used)


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


class _Descent:
    """Inexact Gauss–Newton steps from a form, on more and more points."""

    def __init__(self, fit: GeneralFit, form: np.ndarray, deadline: float, tick: Callable[[float], None]) -> None:
        self.form, self.deadline, self.tick = form, deadline, tick
        self.history = History()
        if fit.ratio(fit.gram(form)) is None:
            raise KahlerConeError(
                "the fit starts outside the Kähler cone: the starting metric is not positive at some point"
            )

    def run(self, fit: GeneralFit, steps: int, gain: float) -> None:
        """At most `steps` steps, until one leaves more than `gain` of E_F or time is up."""
        gram = fit.gram(self.form)
        v = fit.ratio(gram)
        if v is None:
            return
        energy = self._note(fit, v)
        for _ in range(steps):
            moved = _line_search(fit, self.form, _step(fit, self.form, gram, v, self.deadline), energy)
            if moved is None:
                return
            self.form, gram, v = moved
            before, energy = energy, self._note(fit, v)
            if energy > gain * before or monotonic() > self.deadline:
                return

    def _note(self, fit: GeneralFit, v: np.ndarray) -> float:
        self.history.energy.append(fit.energy(v))
        self.history.sigma.append(float(fit.mass @ np.abs(v - 1)))
        self.tick(self.history.sigma[-1])
        return self.history.energy[-1]


def _step(fit: GeneralFit, form: np.ndarray, gram: np.ndarray, v: np.ndarray, deadline: float) -> np.ndarray:
    """The Gauss–Newton step by CGLS in the basis of the present form."""
    values, vectors = np.linalg.eigh(form)
    basis = vectors * np.sqrt(np.maximum(values, 1e-8 * values.max()))
    linear, right = _Linear.of(fit, gram, v, basis)
    x = _cgls(linear, -right, deadline)
    return basis @ x @ basis.conj().T


def _cgls(linear: _Linear, right: np.ndarray, deadline: float) -> np.ndarray:
    """Least squares |L x − right| by conjugate gradients on the normal equations, to a tenth of the gradient.

    In the basis of the present form the normal equations have condition numbers of 50 to 100: no preconditioner pays.
    """
    residual = right.copy()
    gradient = linear.adjoint(residual)
    direction, x = gradient, np.zeros_like(gradient)
    size = first = float(np.vdot(gradient, gradient).real)
    for _ in range(_INNER):
        if size < _FORCING**2 * first or monotonic() > deadline:
            break
        image = linear.apply(direction)
        alpha = size / float(image @ image)
        x = x + np.float32(alpha) * direction
        residual -= alpha * image
        gradient = linear.adjoint(residual)
        new = float(np.vdot(gradient, gradient).real)
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


def likeness(start: VarietyMetric | None, points: Points, degrees: tuple[int, ...]) -> np.ndarray:
    """P/Π|z_i|^{2d_i} of the form of O(d) that is like a metric: e^{cφ}, φ its correction and c = Σd_i/Σt_i, (P,).

    On one ray c t = d, and P = e^{cK} is the metric's own; 1, Fubini–Study's, without one.
    """
    if start is None:
        return np.ones(len(points))
    return np.exp(sum(degrees) / sum(start.kahler_class) * start.correction(points))


def _first_form(fit: GeneralFit, target: np.ndarray) -> np.ndarray:
    """A positive form with density near a target, (P,): a few balancing steps towards it."""
    values = fit.jets[:, 0].astype(complex)
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
