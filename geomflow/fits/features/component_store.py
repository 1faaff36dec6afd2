"""Networks of metric components, and unfinished fits of them, in .npz files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import StoreError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.fits.features.component_metric import ComponentNetwork, ComponentReport
from geomflow.fits.phi.store import describe_network, network_of
from geomflow.variety.pointstore import describe, variety_of

if TYPE_CHECKING:
    from geomflow.fits.features.component_training import ComponentTraining

_KIND, _TRAINING = "geomflow component-network 1", "geomflow component-network training 1"
_COUNTS = ("parameters", "points", "held_out", "epochs", "batch", "seed")


def save_metric(metric: ComponentNetwork, path: str | Path) -> None:
    """Write network, parameters, variety, patch and report."""
    report = metric.report
    data: dict[str, Any] = {"report": "", "history": np.zeros((0, 5))}
    if report is not None:
        outcome = [report.outcome.kind.value, report.outcome.message, report.outcome.time]
        counts = [getattr(report, name) for name in _COUNTS]
        data = {"report": json.dumps([outcome, *counts]), "history": report.history}
    _write(path, _KIND, metric, metric.parameters, data)


def load_metric(path: str | Path) -> ComponentNetwork:
    """Read what `save_metric` wrote; raises `StoreError`."""
    with archive.opened(path, _KIND) as file:
        report = None
        if file.text("report"):
            outcome, *counts = file.json("report", list)
            history = file.array("history", "f", None, 5)
            report = ComponentReport(Outcome(OutcomeKind(outcome[0]), *outcome[1:]), *counts, history)
        variety, parameters = variety_of(file), file.numbers("parameters", "f", None)
        patch = tuple(file.array("patch", "i", len(variety.ambient.dims) + 1).tolist())
        return ComponentNetwork(variety, patch, network_of(file), parameters, report)


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
    _write(path, _TRAINING, training, training.parameters, data)


def restore_training(training: ComponentTraining, path: str | Path) -> None:
    """Put a stored state into a fit of the same network, points, batches, optimiser and seed; `StoreError` else."""
    with archive.opened(path, _TRAINING) as file:
        settings, network = file.text("settings"), file.text("network")
        if settings != _settings(training) or network != describe_network(training.network):
            raise StoreError(
                f"{path} holds a fit with {settings} of the network {network}, and this one has {_settings(training)} "
                f"and {describe_network(training.network)}: make the training with the same arguments"
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


def _write(path: str | Path, kind: str, owner: Any, parameters: np.ndarray, data: dict[str, Any]) -> None:
    archive.write(
        path,
        kind,
        variety=describe(owner.variety),
        network=describe_network(owner.network),
        patch=np.array(owner.patch),
        parameters=parameters,
        **data,
    )
