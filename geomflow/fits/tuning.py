"""Bayesian optimisation of hyperparameters: an even start, then batches of trials, each on data of its own."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from geomflow.core.errors import InputError, MissingExtraError, warn
from geomflow.core.numbers import whole
from geomflow.core.progress import Bar
from geomflow.distribute import IN_SEQUENCE, Workers, as_workers
from geomflow.fits.trials import Evaluation, Objective, Score, Space, Trial, Tuning


def tune(objective: Objective, space: Space, trials: int, seed: int, workers: Any = None, *,
         penalty: float | None = None, batch: int = 4, path: str | os.PathLike[str] | None = None,
         progress: bool | None = None) -> Tuning:
    """Make an objective large over a space of hyperparameters by Bayesian optimisation; return all trials.

    Parameters
    ----------
    objective : callable
        `objective(settings, data_seed)` returns a number, or a `Score` where the run behind it may end badly. The seed
        is that of its data, new for every trial: settings are not tuned to one data set (Halverson and Ruehle, section
        3.2, who saw just that).
    space : Space
        Names and ranges of the settings.
    trials : int
        How many, those of an earlier search at `path` among them.
    seed : int
        That of the search, from which the seeds of the data are drawn.
    workers : None, int, str, client or Workers
        None (here, one after another), a number of local processes, the address of a Dask scheduler, a client: whatever
        `geomflow.distribute.as_workers` takes.
    penalty : float or None
        The score of a trial that failed: an outcome other than finished or steady, a number that is not finite, a
        metric that stopped being positive, an overflow. Scores below it are raised to it, which is said when it
        happens. None: a trial that failed scores −∞, counts for the search as the worst that ended well, and no score
        is touched. What happened is kept in the trial's outcome.
    batch : int
        So many trials are chosen at once and may run at once; results depend on it, and not on `workers`.
    path : str or path
        A file that is written after every batch; a search that was stopped goes on from it.
    progress : bool or None
        Show a bar: True, False, or None for only on a terminal.

    Notes
    -----
    The first batches are a Sobol sequence; then the package bayesian-optimization proposes, with the upper confidence
    bound on a Matérn surrogate. Raises InputError for a space, numbers or a file that do not fit, MissingExtraError
    without the package (extra `study`); what the objective raises beyond blow-ups goes through.
    """
    tuning = _started(_checked(space, seed, penalty, batch), path)
    trials = whole(trials, "the number of trials", 1)
    if trials > even_start(tuning):
        package()  # told before any trial is done in vain
    with as_workers(workers, IN_SEQUENCE) as those, closing(Bar("trials", trials, progress, "tune")) as bar:
        while len(tuning.trials) < trials:
            bar.show(len(tuning.trials), _note(tuning))
            tuning = _continued(tuning, objective, trials, those)
            if path is not None:
                tuning.save(path)
    found = replace(tuning, trials=tuning.trials[:trials])
    if found.raised:
        warn(f"{found.raised} of {trials} scores lay below the penalty {penalty:g} and were raised to it, "
             "where the search cannot tell them apart: give a lower penalty, or none.", RaisedScoreWarning)
    return found


class RaisedScoreWarning(UserWarning):
    """Scores of trials that ended well were raised to the penalty."""


def _checked(space: Any, seed: Any, penalty: Any, batch: Any) -> Tuning:
    """A search without trials, or InputError."""
    if not isinstance(space, Space):
        raise InputError("tune searches a Space, such as Space({'rate': LogRange(0.01, 1)}), "
                         f"and {space!r} was given.")
    if penalty is not None and not np.isfinite(penalty):
        raise InputError(f"the penalty is the finite score of a trial that failed, or None, and it is {penalty}.")
    floor = None if penalty is None else float(penalty)
    return Tuning(space, whole(seed, "the seed", 0), floor, whole(batch, "the size of a batch", 1))


def _started(fresh: Tuning, path: str | os.PathLike[str] | None) -> Tuning:
    """The search as it is on disk, if it is there and is the same search."""
    if path is None or not Path(path).exists():
        return fresh
    known = Tuning.load(path)
    for name in ("space", "seed", "penalty", "batch"):
        if getattr(known, name) != getattr(fresh, name):
            raise InputError(f"'{path}' holds trials of another search: its {name} is {getattr(known, name)}, and "
                             f"{getattr(fresh, name)} was given; choose another path.")
    return known


def _continued(tuning: Tuning, objective: Objective, trials: int, workers: Workers) -> Tuning:
    """The search after its next batch, or as much of that as was asked for."""
    start = len(tuning.trials)
    settings = proposals(tuning)[: trials - start]
    seeds = [data_seed(tuning.seed, start + number) for number in range(len(settings))]
    scores = workers.map(Evaluation(objective), settings, seeds)
    new = [_trial(*each, tuning.penalty) for each in zip(settings, seeds, scores, strict=True)]
    return replace(tuning, trials=(*tuning.trials, *new))


def data_seed(seed: int, number: int) -> int:
    """The seed of the data of trial `number` of the search `seed`; no two trials share one but by chance, 2^-63."""
    return int(np.random.SeedSequence((seed, 2, number)).generate_state(1, np.uint64)[0] >> 1)


def _trial(settings: dict[str, float], seed: int, score: Score, penalty: float | None) -> Trial:
    floor = -np.inf if penalty is None else penalty
    if score.failed:
        return Trial(settings, seed, floor, score.outcome)
    return Trial(settings, seed, max(float(score.value), floor), score.outcome, raised=score.value < floor)


def _note(tuning: Tuning) -> str:
    return f"best {tuning.best.score:.4g}" if tuning.failures < len(tuning.trials) else ""


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
        places = list(_spread(tuning)[len(complete) : len(complete) + tuning.batch])
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
