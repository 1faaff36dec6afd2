"""Two ways to take a step on a mini-batch: Adam, and a Gauss–Newton step in the space of the points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core.memory import require
from geomflow.core.threads import one_thread_products
from geomflow.fits.fit import FitState
from geomflow.fits.linear import gram, solved
from geomflow.fits.objective import Loss
from geomflow.fits.points import WeightedPoints
from geomflow.networks.complex_hessian import ComplexHessian
from geomflow.tangent.training import Adam


def _followed(kappa: float, v: np.ndarray) -> float:
    """κ follows the batches: it moves a twentieth of the way to make the mean of this batch's v one."""
    return kappa * (1 + 0.05 * (float(v.mean()) - 1))


#: What a step takes besides what grows with the network, in operations.
_LEAST_WORK = 5e7


class NetworkStep(ABC):
    """A step on a mini-batch from a state that holds `parameters`, `kappa`, `steps` and what both kinds remember."""

    @abstractmethod
    def step(
        self, state: FitState, hessian: ComplexHessian, batch: WeightedPoints, loss: Loss, scale: float
    ) -> FitState:
        """The state after a step of `scale` times its length; its `loss` is that on the batch before it.

        Parameters
        ----------
        state : FitState
            Holds `parameters`, `kappa`, `steps`, `moments`, `move`.
        hessian : ComplexHessian
            Derivatives of the network.
        batch : WeightedPoints
            Points of equal weights, in frames of g_FS.
        loss : Loss
            F.
        scale : float
            A factor of the length of the step.
        """

    @abstractmethod
    def operations(self, count: int, size: int, dim: int) -> float:
        """About how many floating-point operations a step on `count` points with `size` parameters takes.

        Parameters
        ----------
        count : int
            Points in a batch.
        size : int
            Parameters of the network.
        dim : int
            The dimension of the variety.
        """


@final
@dataclass(frozen=True)
class AdamStep(NetworkStep):
    """A step of `geomflow.tangent.Adam` along the gradient of the mean loss over the batch.

    Parameters
    ----------
    rate : float
        The length of a step.
    """

    rate: float = 3e-3

    def step(
        self, state: FitState, hessian: ComplexHessian, batch: WeightedPoints, loss: Loss, scale: float
    ) -> FitState:
        """One step of length rate × scale."""
        parameters, kappa, moments = state["parameters"], state.number("kappa"), state["moments"]
        count = len(batch)
        v = np.empty(count)

        def local(block: slice, value: np.ndarray, packed: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            volume, dual, _ = batch.volume(packed, block)
            v[block] = volume / kappa
            energy, slope, _ = loss.evaluate(v[block])
            return energy.sum() / count, np.zeros(len(value)), (slope / (count * kappa))[:, None] * dual

        total, gradient = hessian.gradient(parameters, batch.inputs, local)
        move, change = Adam(self.rate * scale).step(int(state["steps"][0]), -gradient, moments)
        return state.moved(parameters=parameters + move, moments=moments + change, kappa=[_followed(kappa, v)],
                           steps=state["steps"] + (1, 0), loss=total)

    def operations(self, count: int, size: int, dim: int) -> float:
        """Those of the derivatives."""
        return _LEAST_WORK + 5.0 * count * size * (dim + 1) ** 2


@final
@dataclass(frozen=True)
class GaussNewton(NetworkStep):
    """Gauss–Newton steps on mini-batches, each remembering the last one.

    With A = √(F''/P) ∂v/∂θ on the batch (P rows, far fewer than parameters) and b = −F'/√(P F''), the step is

        m ← μ m + Aᵀ (A Aᵀ + λ)⁻¹ (b − A μ m),

    the least change of μ m that solves the batch's linearised least squares (a regularised Kaczmarz projection, the
    "SPRING" of Goldshlager, Abrahamsen and Lin, arXiv 2401.10190). Longer steps than
    `longest` are shortened.

    Parameters
    ----------
    damping : float
        λ over the mean of diag A Aᵀ.
    memory : float
        μ, in [0, 1).
    longest : float
        The longest step, in |θ|.
    """

    damping: float = 1e-5
    memory: float = 0.9
    longest: float = 1.0

    def step(
        self, state: FitState, hessian: ComplexHessian, batch: WeightedPoints, loss: Loss, scale: float
    ) -> FitState:
        """One step times `scale`."""
        parameters = state["parameters"]
        shape = len(batch), parameters.size
        what = f"derivatives of {shape[0]} points by {shape[1]} parameters"
        require(8.0 * shape[0] * shape[1], what, "take a smaller batch or network")
        rows = np.empty(shape, hessian.dtype)
        v, target, energy = self._linearise(state, hessian, batch, loss, rows)
        start = (self.memory * state["move"]).astype(hessian.dtype)
        with one_thread_products():
            matrix = gram(rows)
            mean = float(np.diagonal(matrix).mean())
            solution = solved(matrix, self.damping * mean, target - rows @ start)
            move = np.asarray(start + solution.astype(hessian.dtype) @ rows, dtype=float)
        length = float(np.linalg.norm(move))
        parameters = parameters + scale * min(1.0, self.longest / max(length, 1e-300)) * move
        return state.moved(parameters=parameters, move=move, kappa=[_followed(state.number("kappa"), v)],
                           steps=state["steps"] + (0, 1), loss=energy)

    def operations(self, count: int, size: int, dim: int) -> float:
        """Those of the derivatives, of the kernel of the points and of its factor."""
        kernel = count**2 * size / 4 + count**3 / 3
        return _LEAST_WORK + 16.0 * count * size * (dim + 1) ** 2 + kernel

    @staticmethod
    def _linearise(
        state: FitState, hessian: ComplexHessian, batch: WeightedPoints, loss: Loss, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """A into `rows`; v, b and the loss."""
        count, kappa = len(rows), state.number("kappa")

        def local(block: slice, value: np.ndarray, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            volume, dual, _ = batch.volume(packed, block)
            curvature = loss.evaluate(volume / kappa)[2]
            root = np.sqrt(curvature / count)
            kept = np.stack([volume / kappa, root], axis=1)
            return kept, np.zeros(len(value)), (root / kappa)[:, None] * dual

        v, root = hessian.jacobian(state["parameters"], batch.inputs, local, rows).T
        energy, slope, _ = loss.evaluate(v)
        return v, -slope / (count * root), float(energy.mean())

