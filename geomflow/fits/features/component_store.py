"""Unfinished fits of networks of metric components in .npz files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import StoreError

if TYPE_CHECKING:
    from geomflow.fits.features.component_training import ComponentTraining

_TRAINING = "geomflow component-network training 1"


def save_training(training: ComponentTraining, path: str | Path) -> None:
    """Write the state of a fit, without its points."""
    data = {
        "memory": training.memory,
        "step": training.step,
        "numbers": np.array([training.seconds, training.total, training.best[0]]),
        "best": training.best[1],
        "history": np.array(training.history),
        "settings": _settings(training),
    }
    archive.write(path, _TRAINING, variety=training.variety.to_json(), network=training.network.to_json(),
                  patch=np.array(training.patch), parameters=training.parameters, **data)


def restore_training(training: ComponentTraining, path: str | Path) -> None:
    """Put a stored state into a fit of the same network, points, batches, optimiser and seed; `StoreError` else."""
    with archive.opened(path, _TRAINING) as file:
        settings, network = file.text("settings"), file.text("network")
        if settings != _settings(training) or network != training.network.to_json():
            raise StoreError(
                f"{path} holds a fit with {settings} of the network {network}, and this one has {_settings(training)} "
                f"and {training.network.to_json()}: make the training with the same arguments"
            )
        parameters = file.array("parameters", "f", training.network.size)
        best = file.numbers("best", "f", training.network.size)
        memory, step = file.array("memory", "f", *training.memory.shape), int(file.array("step", "i"))
        seconds, total, sigma = file.array("numbers", "f", 3).tolist()
        history = file.array("history", "f", None, 5)
    training.parameters, training.memory, training.step = parameters, memory, step
    training.seconds, training.total, training.best = seconds, total, (sigma, best)
    training.history = [tuple(row) for row in history]


def _settings(training: ComponentTraining) -> str:
    """What a fit depends on besides its network; points are known by their number and by κ."""
    counts = [len(training.train), len(training.held_out), training.batch, training.seed]
    return json.dumps([*counts, training.kappa.hex(), repr(training.optimiser)])
