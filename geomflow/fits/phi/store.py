"""Unfinished fits of φ-networks in .npz files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import StoreError
from geomflow.fits.phi.steps import State

if TYPE_CHECKING:
    from geomflow.fits.phi.training import PhiTraining

_TRAINING = "geomflow phi-network training 1"


def save_training(training: PhiTraining, path: str | Path) -> None:
    """Write the state of a fit, without its points."""
    state = training.state
    numbers = [state.kappa, training.seconds, len(training.train.weights), len(training.held_out.weights)]
    data = {
        "moments": state.moments,
        "move": state.move,
        "numbers": np.array(numbers),
        "steps": np.array([*state.steps, *(total or 0 for total in training.totals)]),
        "history": np.array(training.history),
        "best": training.best[1],
        "best_sigma": training.best[0],
        "made": training.made,
    }
    archive.write(path, _TRAINING, variety=training.variety.to_json(), network=training.network.to_json(),
                  kahler_class=np.array(training.kahler_class), parameters=state.parameters, **data)


def restore_training(training: PhiTraining, path: str | Path) -> None:
    """Put a stored state into a fit of the same network, points and seed; raises `StoreError` for another."""
    size = training.network.size
    with archive.opened(path, _TRAINING) as file:
        kappa, seconds, *counts = file.numbers("numbers", "f", 4).tolist()
        same = counts == [len(training.train.weights), len(training.held_out.weights)]
        same = same and file.text("made") == training.made
        if not same or file.text("network") != training.network.to_json():
            raise StoreError(f"{path} holds a fit of another network, or with another loss, class, seed, recipe or "
                             "other points than this one: make the training with the same arguments")
        steps = file.array("steps", "i", 4).tolist()
        parameters, move = (file.array(name, "f", size) for name in ("parameters", "move"))
        best = file.numbers("best", "f", size)
        state = State(parameters, file.array("moments", "f", 2, size), move, kappa, steps[:2])
        history, sigma = file.array("history", "f", None, 6), float(file.array("best_sigma", "f"))
    training.state, training.seconds = state, seconds
    training.totals = [total or None for total in steps[2:]]
    training.history, training.best = [tuple(row) for row in history], (sigma, best)
