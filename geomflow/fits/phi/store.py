"""φ-networks and their unfinished fits in .npz files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import StoreError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.fits.phi.metric import PhiNetwork
from geomflow.fits.phi.report import PhiReport
from geomflow.fits.phi.steps import State
from geomflow.networks.perceptron import Perceptron
from geomflow.variety.pointstore import class_of, describe, variety_of

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.fits.phi.training import PhiTraining

_KIND, _TRAINING = "geomflow phi-network 1", "geomflow phi-network training 1"
_NETWORK = ("inputs", "outputs", "parametrisation", "weight_std", "bias_std")


def save_metric(metric: PhiNetwork, path: str | Path) -> None:
    """Write network, parameters, variety and report."""
    report = metric.report
    data: dict[str, Any] = {"report": "", "history": np.zeros((0, 6))}
    if report is not None:
        outcome = [report.outcome.kind.value, report.outcome.message, report.outcome.time]
        fields = [report.parameters, report.points, report.held_out, report.steps, report.seed, report.loss]
        data = {"report": json.dumps([outcome, *fields]), "history": report.history}
    _write(path, _KIND, metric, metric.parameters, data)


def load_metric(path: str | Path) -> PhiNetwork:
    """Read what `save_metric` wrote; raises `StoreError`."""
    with archive.opened(path, _KIND) as file:
        report = None
        if file.text("report"):
            outcome, parameters, points, held, steps, seed, loss = file.json("report", list)
            ended, history = Outcome(OutcomeKind(outcome[0]), *outcome[1:]), file.array("history", "f", None, 6)
            report = PhiReport(ended, parameters, points, held, tuple(steps), seed, loss, history)
        variety, parameters = variety_of(file), file.numbers("parameters", "f", None)
        return PhiNetwork(variety, network_of(file), parameters, class_of(file, variety), report)


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
    _write(path, _TRAINING, training, state.parameters, data)


def restore_training(training: PhiTraining, path: str | Path) -> None:
    """Put a stored state into a fit of the same network, points and seed; raises `StoreError` for another."""
    size = training.network.size
    with archive.opened(path, _TRAINING) as file:
        kappa, seconds, *counts = file.numbers("numbers", "f", 4).tolist()
        same = counts == [len(training.train.weights), len(training.held_out.weights)]
        same = same and file.text("made") == training.made
        if not same or file.text("network") != describe_network(training.network):
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


def _write(path: str | Path, kind: str, owner: Any, parameters: np.ndarray, data: dict[str, Any]) -> None:
    archive.write(
        path,
        kind,
        variety=describe(owner.variety),
        network=describe_network(owner.network),
        kahler_class=np.array(owner.kahler_class),
        parameters=parameters,
        **data,
    )


def describe_network(network: Perceptron) -> str:
    fields = {name: getattr(network, name) for name in _NETWORK}
    return json.dumps(fields | {"hidden": network.widths[1:-1], "activation": network.activation.name})


def network_of(file: Archive) -> Perceptron:
    return Perceptron(**file.json("network", dict))
