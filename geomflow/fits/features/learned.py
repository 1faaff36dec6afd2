"""Learned kernels: the tangent kernel of a φ-network that was trained on given points, frozen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.fits.features.span import PotentialTangent
from geomflow.fits.fit import carried_out
from geomflow.fits.phi.inputs import input_count
from geomflow.fits.phi.metric import PhiNetwork
from geomflow.fits.phi.steps import GaussNewton
from geomflow.fits.phi.training import PhiTraining, Recipe, small_start
from geomflow.networks.perceptron import Perceptron
from geomflow.variety.errors import UnderdeterminedError

if TYPE_CHECKING:
    from geomflow.variety.ambient import Ambient
    from geomflow.variety.points import Points

WIDTHS = (8, 12, 16, 24, 32, 48, 64)
"""Widths of the two hidden layers among which a kernel is learned unless one is asked for."""

#: The last layer's weights start at this share of their deviation, so that g is positive at the start.
SMALL = 0.1
_PER_PARAMETER, _HELD_OUT, _BATCH = 1.5, 0.1, 300


def feature_network(ambient: Ambient, width: int | Sequence[int], activation: str = "gelu") -> Perceptron:
    """A perceptron for φ in NTK parametrisation, σ_w = σ_b = 1, two hidden layers of `width` nodes or the given ones.

    So wide networks have a tangent kernel in the limit, and steps of least |δθ| are those of the kernel.
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
    """A training of such a network: `steps` Gauss–Newton steps on batches of 300 points, E_F of F = (v − 1)²."""
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
    """The tangent features of a φ-network trained on `points`, frozen: a span for `kernel_metric` and `frozen_fit`.

    Nothing but `points` is seen. Networks with two hidden layers of the two largest of `WIDTHS` that have 1.5 train
    points a parameter (or of the given width) are trained from `tries` starts each, in the Kähler class of the given
    t_i (1 unless given); a training ends where σ on a tenth
    of the points, held out by its seed, was least, and the least of these is taken. Raises `UnderdeterminedError`
    where not even the narrowest has that many, and `InputError` for less than one try or step; Ctrl-C ends all of it.

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
    best, found = np.inf, None
    for size in _widest(points) if width is None else [width]:
        network = feature_network(points.variety.ambient, size)
        for number in range(tries):
            training = feature_training(points, network, seed + number, kahler_class=kahler_class, steps=steps)
            last = carried_out(training, training.length, progress).last
            if found is None or last.number("best_sigma") < best:
                best, found = last.number("best_sigma"), PhiNetwork(points.variety, network, last["best"], kahler_class)
    return PotentialTangent(found)


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
