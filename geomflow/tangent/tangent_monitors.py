"""Numbers that tell what the tangent kernel does while a network is trained, for `solve(..., monitors=...)`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.kernels.spectrum import alignment, participation_ratio
from geomflow.networks.model import ModelState, flattened_kernel
from geomflow.tangent.gradient_flow import GradientFlow
from geomflow.tangent.loss import Continuum, ContinuumLoss

POINTS = 32
"""Kernels are looked at on about so many of the state's points."""

Monitor = Callable[[float, ModelState], float]


def tangent_monitors(flow: Any, start: ModelState, points: int = POINTS) -> dict[str, Monitor]:
    """Monitors of the tangent kernel Θ_t of a run of `flow` (GradientFlow, LinearisedFlow or Training) from `start`.

    Θ_t is the matrix over pairs (point, component) on about `points` evenly chosen points of the state:

    kernel_drift         ‖Θ_t − Θ_0‖/‖Θ_0‖, Frobenius norms; zero for a frozen kernel
    kernel_alignment     ⟨D, Θ_t D⟩/(‖Θ_t‖_F |D|²) ∈ [0, 1], the alignment of Θ_t and D Dᵀ (Cristianini et al. 2001),
                         D the continuum's δL/δg on these points: one where Θ_t moves nothing but the gradient
    kernel_top           λ_max, the largest eigenvalue
    participation_ratio  (tr Θ_t)²/tr Θ_t²: how many directions can move

    >>> import geomflow as gf
    >>> T = gf.ComplexTorus(dim=1)
    >>> network = gf.networks.Perceptron(2, (16,), embedding=gf.networks.FourierEmbedding(T))
    >>> model = gf.networks.Rescaled(gf.networks.PotentialModel(T, network), 0.01)
    >>> flow = gf.GradientFlow(gf.functionals.KEnergy(T), model)
    >>> start = model.on(T.grid(8, scheme="spectral"), seed=0)
    >>> sol = gf.solve(flow, start, t1=1.0, monitors=gf.tangent.tangent_monitors(flow, start))
    >>> bool(sol["kernel_drift"][0] == 0 < sol["kernel_drift"][-1])
    True
    """
    if not isinstance(start, ModelState):
        raise InputError(f"tangent_monitors needs the state where the run starts, and {start!r} was given.")
    if not hasattr(flow, "functional"):
        raise InputError(f"tangent_monitors needs a GradientFlow, LinearisedFlow or Training, and {flow!r} was given.")
    if points < 1:
        raise InputError(f"tangent_monitors looks at one point at least, and points is {points}.")
    loss = _continuum(flow, start)
    rows = np.unique(np.linspace(0, len(loss.points) - 1, min(points, len(loss.points))).astype(int))

    def kernel(state: ModelState) -> np.ndarray:
        theta = state.model.tangent_kernel(state.parameters, loss.points[rows])
        return flattened_kernel(theta, len(state.model.shape))

    first = kernel(start)

    @lru_cache(maxsize=1)
    def numbers(state: ModelState) -> dict[str, float]:
        matrix = kernel(state)
        covector = loss.derivative(state.parameters, rows).ravel()
        return _numbers(matrix, first, covector)

    def monitor(name: str) -> Monitor:
        return lambda t, state: numbers(state)[name]

    return {name: monitor(name) for name in ("kernel_drift", "kernel_alignment", "kernel_top", "participation_ratio")}


def _continuum(flow: Any, start: ModelState) -> ContinuumLoss:
    """The loss whose functional derivative D is looked at."""
    functional = flow.functional if isinstance(flow.functional, Continuum) else Continuum(flow.functional)
    loss = GradientFlow(functional, start.model, flow.parameters, flow.measure).on(start)
    assert isinstance(loss, ContinuumLoss)
    return loss


def _numbers(matrix: np.ndarray, first: np.ndarray, covector: np.ndarray) -> dict[str, float]:
    spectrum = np.linalg.eigvalsh(matrix)
    return {
        "kernel_drift": float(np.linalg.norm(matrix - first) / np.linalg.norm(first)),
        "kernel_alignment": alignment(covector, matrix @ covector, float(np.linalg.norm(matrix))),
        "kernel_top": float(spectrum[-1]),
        "participation_ratio": participation_ratio(spectrum),
    }
