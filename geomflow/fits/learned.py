"""Learned kernels: the tangent kernel of a trained φ-network, frozen; and what training makes of it.

Along the training its drift, its alignment with loss and target, its spectrum and its rank are watched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.hermitian import orthonormal, pack
from geomflow.fits.fit import carried_out
from geomflow.fits.held_out import small_start
from geomflow.fits.phi_network import PhiNetwork
from geomflow.fits.phi_steps import GaussNewton
from geomflow.fits.phi_training import PhiTraining, Recipe
from geomflow.fits.points import WeightedPoints
from geomflow.fits.projective import input_count
from geomflow.fits.tangent_features import PotentialTangent
from geomflow.kernels.spectrum import alignment, participation_ratio
from geomflow.networks.activation import ActivationName
from geomflow.networks.perceptron import Perceptron
from geomflow.variety import Ambient, FubiniStudy, Points, PolarisedMetric
from geomflow.variety.errors import UnderdeterminedError

WIDTHS = (8, 12, 16, 24, 32, 48, 64)
"""Widths of the two hidden layers among which a kernel is learned unless one is asked for."""

TOP = 20
"""The number of eigenvectors that count as the top ones."""

#: The last layer's weights start at this share of their deviation, so that g is positive at the start.
SMALL = 0.1
_PER_PARAMETER, _HELD_OUT, _BATCH = 1.5, 0.1, 300


def feature_network(ambient: Ambient, width: int | Sequence[int], activation: ActivationName = "gelu") -> Perceptron:
    """A perceptron for φ in NTK parametrisation, σ_w = σ_b = 1.

    So wide networks have a tangent kernel in the limit, and steps of least |δθ| are those of the kernel.

    Parameters
    ----------
    ambient : Ambient
        Whose products z_i z̄_j are the inputs.
    width : int or sequence of int
        Nodes of each of two hidden layers, or of the given ones.
    activation : str
        A smooth one.
    """
    hidden = (int(width),) * 2 if isinstance(width, (int, np.integer)) else tuple(width)
    return Perceptron(input_count(ambient), hidden, 1, activation, "ntk", bias_std=1.0)


def feature_training(
    points: Points,
    network: Perceptron,
    seed: int = 0,
    factor: float = SMALL,
    kahler_class: Sequence[float] | None = None,
    steps: int = 300,
) -> PhiTraining:
    """A training of a φ-network by Gauss–Newton steps on batches of 300 points, E_F of F = (v − 1)².

    Parameters
    ----------
    points : Points
        On which it is trained, but a tenth of them, held out.
    network : Perceptron
        A `feature_network`.
    seed : int
        Of the first parameters, of the points held out and of batches.
    factor : float
        The last layer's weights start at this share of their deviation, so that g is positive.
    kahler_class : sequence of float, optional
        The t_i, 1 unless given.
    steps : int
        How many.
    """
    recipe = Recipe(batches=(_BATCH, _BATCH), phases=(Recipe().phases[0], GaussNewton()))
    return PhiTraining(points.variety, points, steps=(0, steps), network=network, seed=seed, recipe=recipe,
                       first=small_start(network, seed, factor), kahler_class=kahler_class)


def learned_kernel(
    points: Points,
    seed: int = 0,
    *,
    width: int | Sequence[int] | None = None,
    steps: int = 300,
    tries: int = 3,
    progress: bool | None = None,
    kahler_class: Sequence[float] | None = None,
) -> PotentialTangent:
    """The tangent features of a φ-network trained on some points, frozen: a span for `kernel_metric` and `frozen_fit`.

    A training ends where σ on a tenth of the points, held out by its seed, was least, and the least of these is taken.

    Parameters
    ----------
    points : Points
        Nothing else is seen.
    seed : int
        Of the first training; the next ones count on.
    width : int or sequence of int, optional
        Of two hidden layers, or of each; the two largest of `WIDTHS` with 1.5 train points a parameter unless given.
    steps : int
        Gauss–Newton steps of a training.
    tries : int
        Trainings of each width.
    progress : bool or None
        Show a bar: True, False, or None for only on a terminal.
    kahler_class : sequence of float, optional
        The t_i, 1 unless given.

    Raises
    ------
    UnderdeterminedError
        Where not even the narrowest network has that many points.
    InputError
        For less than one try or step. Ctrl-C ends all of it.

    Examples
    --------
    >>> import geomflow as gf
    >>> from geomflow.fits import frozen_fit, learned_kernel
    >>> X = gf.Fermat(3)
    >>> points = X.sample(1000, seed=1)
    >>> metric = frozen_fit(learned_kernel(points, steps=40, tries=1), points)
    >>> bool(gf.sigma(metric, X.sample(1000, seed=2)) < 0.01)
    True
    """
    if steps < 1 or tries < 1:
        raise InputError(f"a kernel cannot be learned in {tries} tries of {steps} steps: give at least one of each")
    found: list[tuple[float, PhiNetwork]] = []
    for size in _widest(points) if width is None else [width]:
        network = feature_network(points.variety.ambient, size)
        for number in range(tries):
            training = feature_training(points, network, seed + number, kahler_class=kahler_class, steps=steps)
            last = carried_out(training, training.length, progress).last
            metric = PhiNetwork(points.variety, network, last["best"], kahler_class)
            found.append((last.number("best_sigma"), metric))
    return PotentialTangent(min(found, key=lambda one: one[0])[1])


def _widest(points: Points) -> list[int]:
    """The two largest widths with enough points."""
    room = (1 - _HELD_OUT) * len(points) / _PER_PARAMETER
    sizes = {width: feature_network(points.variety.ambient, width).size for width in WIDTHS}
    fitting = [width for width, size in sizes.items() if size <= room]
    if not fitting:
        raise UnderdeterminedError(
            f"{len(points)} points are too few to learn a kernel from: the narrowest network has {min(sizes.values())} "
            f"parameters; take {round(_PER_PARAMETER * min(sizes.values()) / (1 - _HELD_OUT)) + 1} points"
        )
    return fitting[-2:]


@final
@dataclass(frozen=True, eq=False)
class KernelNumbers:
    """The metric-NTK Θ of a network on some points, in numbers; matrices over pairs (point, component).

    Parameters
    ----------
    drift : float
        ‖Θ − Θ_0‖/‖Θ_0‖, Frobenius norms.
    turned : float
        1 − ⟨Θ, Θ_0⟩/(‖Θ‖‖Θ_0‖), the part of the drift that is no change of scale.
    loss_alignment : float
        ⟨D, ΘD⟩/(λ_max |D|²), D the gradient of ∫(v − 1)² dμ_Ω at the network's own metric.
    target_alignment : float
        ⟨h, Θh⟩/(‖Θ‖|h|²), h = g* − g_FS for the target metric g*.
    target_share : float
        The part of |h|² in the span of the `TOP` leading eigenvectors.
    gradient_share : float
        The part of |D|² there, D at Fubini–Study.
    rank : float
        (tr Θ)²/tr Θ², the participation ratio of the eigenvalues.
    spectrum : (P n²,) array
        Eigenvalues, largest first.
    """

    drift: float
    turned: float
    loss_alignment: float
    target_alignment: float
    target_share: float
    gradient_share: float
    rank: float
    spectrum: np.ndarray


@final
class KernelWatch:
    """Watches the metric-NTK of a φ-network through its training.

    ``watch(metric)`` gives `KernelNumbers` at the parameters of a metric. Matrices are taken in the orthonormal frame
    of g_FS, so that no number depends on coordinates. Raises `InputError` for metrics on another variety.

    Parameters
    ----------
    start : PhiNetwork
        From which drift is measured.
    points : Points
        Θ has 9 P rows on a threefold: a hundred are enough.
    target : PolarisedMetric
        An accurate metric.
    """

    def __init__(self, start: PhiNetwork, points: Points, target: PolarisedMetric) -> None:
        self.points = points
        self.weighted: WeightedPoints = PotentialTangent(start).weighted(points)
        self.initial = PotentialTangent(start).kernel(points)
        self.target = frame_components(target, points)
        self.gradient = self._descent(np.zeros((len(points), points.variety.dim**2)))

    def __call__(self, metric: PhiNetwork) -> KernelNumbers:
        span = PotentialTangent(metric)
        kernel = span.kernel(self.points)
        values, vectors = np.linalg.eigh(kernel)
        top = vectors[:, -TOP:]
        slope = self._descent(span.present(self.weighted.inputs))
        norm, first = np.linalg.norm(kernel), np.linalg.norm(self.initial)
        return KernelNumbers(
            drift=float(np.linalg.norm(kernel - self.initial) / first),
            turned=1 - float(np.vdot(kernel, self.initial) / (norm * first)),
            loss_alignment=alignment(slope, kernel @ slope, float(values[-1])),
            target_alignment=alignment(self.target, kernel @ self.target, float(norm)),
            target_share=_share(top, self.target),
            gradient_share=_share(top, self.gradient),
            rank=participation_ratio(np.maximum(values, 0.0)),
            spectrum=values[::-1].copy(),
        )

    def _descent(self, change: np.ndarray) -> np.ndarray:
        """The gradient of Σ μ (v − 1)² by the matrices of g in an orthonormal basis, (P n²,)."""
        volume, dual, _ = self.weighted.volume(change)
        weights = self.weighted.weights
        kappa = weights @ volume
        v = volume / kappa
        slope = (2 * weights / kappa * ((v - 1) - weights @ ((v - 1) * v)))[:, None] * dual
        return (slope * orthonormal(self.points.variety.dim) ** -1.0).ravel()


def frame_components(metric: PolarisedMetric, points: Points) -> np.ndarray:
    """g − g_FS in an orthonormal frame of g_FS and an orthonormal basis of Hermitian matrices, (P n²,)."""
    metric.check(points)
    reference = FubiniStudy(points.variety, metric.kahler_class).at(points)
    lower = np.linalg.cholesky(reference)
    half = np.linalg.solve(lower, metric.at(points) - reference)
    inside = np.linalg.solve(lower, np.swapaxes(half.conj(), 1, 2))
    return (pack(np.swapaxes(inside.conj(), 1, 2)) * orthonormal(points.variety.dim)).ravel()


def _share(top: np.ndarray, vector: np.ndarray) -> float:
    square = float(vector @ vector)
    if not square > 0:
        raise InputError("the target is Fubini–Study itself: there is nothing to align with")
    return float(np.sum((top.T @ vector) ** 2)) / square
