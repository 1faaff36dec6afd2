"""Where to try next: an even start, then Bayesian optimisation on all trials so far, without hidden state."""

from __future__ import annotations

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from geomflow.core.errors import MissingExtraError
from geomflow.fits.tuning.record import Trial, Tuning

#: Variance of a score between data sets relative to that between settings, which the surrogate allows for.
NOISE = 0.01


def even_start(tuning: Tuning) -> int:
    """How many trials a Sobol sequence spreads before the surrogate takes over: 2 + 2 dim, in whole batches."""
    return -(-(2 + 2 * len(tuning.space)) // tuning.batch) * tuning.batch


def package() -> Any:
    """The package bayesian-optimization; MissingExtraError where it is not installed."""
    try:
        import bayes_opt
    except ImportError as error:
        raise MissingExtraError.of("bayesian-optimization", "study") from error
    return bayes_opt


def proposals(tuning: Tuning) -> list[dict[str, float]]:
    """The settings of the next batch; of one that was begun, those that are missing.

    A function of the search and of the batches that are complete, without hidden state: a search that was stopped goes
    on as if it was not, and the number of threads does not matter. Within a batch a place counts as measured, at the
    surrogate's mean, once it is chosen.
    """
    begun = len(tuning.trials) % tuning.batch
    complete = tuning.trials[: len(tuning.trials) - begun]
    if len(complete) < even_start(tuning):
        places = _spread(tuning)[len(complete) : len(complete) + tuning.batch]
    else:
        with threadpool_limits(1):
            places = _sought(tuning, complete)
    return [tuning.space.at(place) for place in places[begun:]]


def _spread(tuning: Tuning) -> np.ndarray:
    from scipy.stats import qmc

    sobol = qmc.Sobol(len(tuning.space), rng=np.random.default_rng((tuning.seed, 0)))
    return sobol.random_base2(int(np.ceil(np.log2(even_start(tuning)))))


def _sought(tuning: Tuning, complete: tuple[Trial, ...]) -> list[np.ndarray]:
    """The places of a batch where the upper confidence bound of the surrogate is largest, one after another."""
    search = _optimizer(tuning, complete)
    chosen = []
    for _ in range(tuning.batch):
        place = np.array([float(value) for value in search.suggest().values()])
        search.register(_named(place), float(search.predict(_named(place), fit_gp=False)))
        chosen.append(place)
    return chosen


def _optimizer(tuning: Tuning, complete: tuple[Trial, ...]) -> Any:
    """The optimiser of the package with all trials told to it, its random numbers those of this batch."""
    state = np.random.SeedSequence((tuning.seed, 1, len(complete))).generate_state(1)[0]
    places = [tuning.space.places(trial.settings) for trial in complete]
    bounds = dict.fromkeys(_named(places[0]), (0.0, 1.0))
    make = package().BayesianOptimization
    search = make(None, bounds, random_state=int(state), verbose=0, allow_duplicate_points=True)
    search.set_gp_params(alpha=NOISE)
    worst = min((trial.score for trial in complete if np.isfinite(trial.score)), default=0.0)
    for place, trial in zip(places, complete, strict=True):
        search.register(_named(place), max(trial.score, worst))
    return search


def _named(place: np.ndarray) -> dict[str, float]:
    """Names that keep the order of the axes."""
    return {f"u{axis:03d}": float(value) for axis, value in enumerate(place)}
