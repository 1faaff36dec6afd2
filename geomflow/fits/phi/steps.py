"""Two ways to take a step on a mini-batch: Adam, and a Gauss–Newton step in the space of the points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from geomflow.core.memory import require
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.fits.loss import Loss
from geomflow.fits.phi.objective import FramePoints
from geomflow.networks.complex_hessian import ComplexHessian
from geomflow.tangent.optimisers import Adam

_TILE = 512


@dataclass
class State:
    """What steps remember: parameters θ, Adam's moments (2, size), the last Gauss–Newton step, κ, counters."""

    parameters: np.ndarray
    moments: np.ndarray
    move: np.ndarray
    kappa: float
    steps: list[int]

    @classmethod
    def start(cls, parameters: np.ndarray, kappa: float) -> State:
        """Before the first step."""
        return cls(parameters.copy(), np.zeros((2, parameters.size)), np.zeros(parameters.size), kappa, [0, 0])

    def follow(self, v: np.ndarray) -> None:
        """Let κ follow the batches: it moves a twentieth of the way to make the mean of this batch's v one."""
        self.kappa *= 1 + 0.05 * (float(v.mean()) - 1)


@final
@dataclass(frozen=True)
class AdamStep:
    """A step of `geomflow.tangent.Adam` along the gradient of the mean loss over the batch."""

    rate: float = 3e-3

    def step(self, state: State, hessian: ComplexHessian, batch: FramePoints, loss: Loss, scale: float) -> float:
        """One step of length rate × scale, in place; returns the loss on the batch before it."""
        count = batch.inputs.count
        v = np.empty(count)

        def local(block: slice, value: np.ndarray, packed: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            volume, dual, _ = batch.volume(packed, block)
            v[block] = volume / state.kappa
            energy, slope, _ = loss.evaluate(v[block])
            return energy.sum() / count, np.zeros(len(value)), (slope / (count * state.kappa))[:, None] * dual

        total, gradient = hessian.gradient(state.parameters, batch.inputs, local)
        state.follow(v)
        move, change = Adam(self.rate * scale).step(state.steps[0], -gradient, state.moments)
        state.parameters += move
        state.moments += change
        state.steps[0] += 1
        return total


@final
@dataclass(frozen=True)
class GaussNewton:
    """Gauss–Newton steps on mini-batches, each remembering the last one.

    With A = √(F''/P) ∂v/∂θ on the batch (P rows, far fewer than parameters) and b = −F'/√(P F''), the step is

        m ← μ m + Aᵀ (A Aᵀ + λ)⁻¹ (b − A μ m),

    the least change of μ m that solves the batch's linearised least squares (a regularised Kaczmarz projection, the
    "SPRING" of Goldshlager, Abrahamsen and Lin, arXiv 2401.10190). λ is `damping` times the mean of
    diag A Aᵀ, μ is `memory`; steps longer than `longest` (in |θ|) are shortened.
    """

    damping: float = 1e-5
    memory: float = 0.9
    longest: float = 1.0

    def step(self, state: State, hessian: ComplexHessian, batch: FramePoints, loss: Loss, scale: float) -> float:
        """One step times `scale`, in place; returns the loss on the batch before it."""
        shape = batch.inputs.count, state.parameters.size
        what = f"derivatives of {shape[0]} points by {shape[1]} parameters"
        require(8.0 * shape[0] * shape[1], what, "take a smaller batch or network")
        rows = np.empty(shape, hessian.dtype)
        v, target, energy = self._linearise(state, hessian, batch, loss, rows)
        start = (self.memory * state.move).astype(hessian.dtype)
        with one_thread_products():
            solved = _solve(_gram(rows), self.damping, target - rows @ start)
            state.move = np.asarray(start + solved.astype(hessian.dtype) @ rows, dtype=float)
        state.follow(v)
        state.steps[1] += 1
        length = float(np.linalg.norm(state.move))
        state.parameters += scale * min(1.0, self.longest / max(length, 1e-300)) * state.move
        return energy

    @staticmethod
    def _linearise(
        state: State, hessian: ComplexHessian, batch: FramePoints, loss: Loss, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """A into `rows`; v, b and the loss."""
        count = len(rows)

        def local(block: slice, value: np.ndarray, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            volume, dual, _ = batch.volume(packed, block)
            curvature = loss.evaluate(volume / state.kappa)[2]
            root = np.sqrt(curvature / count)
            kept = np.stack([volume / state.kappa, root], axis=1)
            return kept, np.zeros(len(value)), (root / state.kappa)[:, None] * dual

        v, root = hessian.jacobian(state.parameters, batch.inputs, local, rows).T
        energy, slope, _ = loss.evaluate(v)
        return v, -slope / (count * root), float(energy.mean())


def _solve(gram: np.ndarray, damping: float, target: np.ndarray) -> np.ndarray:
    """(G + λ)⁻¹ b with λ = damping × mean diagonal, ten times that as often as rounding has left G + λ not positive."""
    diagonal = np.diagonal(gram).copy()
    while np.isfinite(diagonal).all() and damping < 1:
        np.fill_diagonal(gram, diagonal + damping * diagonal.mean())
        try:
            return cho_solve(cho_factor(gram, check_finite=False), target)
        except LinAlgError:
            damping *= 10
    return np.full(len(gram), np.nan)


def _gram(rows: np.ndarray) -> np.ndarray:
    """A Aᵀ in double precision from tiles on all threads; the upper triangle and the diagonal are filled."""
    out = np.zeros((len(rows), len(rows)))
    parts = slices(len(rows), _TILE)
    tiles = [(a, b) for i, a in enumerate(parts) for b in parts[i:]]

    def work(tile: tuple[slice, slice]) -> None:
        out[tile] = rows[tile[0]] @ rows[tile[1]].T

    each(work, tiles)
    return out
