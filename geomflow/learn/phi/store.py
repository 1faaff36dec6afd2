"""φ-networks and their unfinished fits in .npz files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import StoreError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.learn.networks.perceptron import Perceptron
from geomflow.learn.phi.metric import PhiNetwork
from geomflow.learn.phi.report import PhiReport
from geomflow.variety.pointstore import describe, opened, variety_of

if TYPE_CHECKING:
    from geomflow.learn.phi.training import PhiTraining

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
    file = opened(path, _KIND)
    report = None
    if str(file["report"]):
        outcome, parameters, points, held, steps, seed, loss = json.loads(str(file["report"]))
        ended = Outcome(OutcomeKind(outcome[0]), *outcome[1:])
        report = PhiReport(ended, parameters, points, held, tuple(steps), seed, loss, file["history"])
    variety, network = variety_of(str(file["variety"])), network_of(str(file["network"]))
    return PhiNetwork(variety, network, file["parameters"], tuple(file["kahler_class"]), report)


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
    }
    _write(path, _TRAINING, training, state.parameters, data)


def restore_training(training: PhiTraining, path: str | Path) -> None:
    """Put a stored state into a fit of the same network, points and seed; raises `StoreError` for another."""
    file = opened(path, _TRAINING)
    kappa, seconds, *counts = file["numbers"]
    same = counts == [len(training.train.weights), len(training.held_out.weights)]
    if not same or str(file["network"]) != describe_network(training.network):
        raise StoreError(f"{path} holds a fit of another network or with other points than this one")
    steps = [int(k) for k in file["steps"]]
    state = training.state
    state.parameters, state.moments, state.move = file["parameters"], file["moments"], file["move"]
    state.kappa, state.steps = float(kappa), steps[:2]
    training.seconds, training.totals = float(seconds), [total or None for total in steps[2:]]
    training.history = [tuple(row) for row in file["history"]]
    training.best = float(file["best_sigma"]), file["best"]


def _write(path: str | Path, kind: str, owner: Any, parameters: np.ndarray, data: dict[str, Any]) -> None:
    with Path(path).open("wb") as file:
        np.savez_compressed(
            file,
            kind=kind,
            variety=describe(owner.variety),
            network=describe_network(owner.network),
            kahler_class=np.array(owner.kahler_class),
            parameters=parameters,
            **data,
        )


def describe_network(network: Perceptron) -> str:
    fields = {name: getattr(network, name) for name in _NETWORK}
    return json.dumps(fields | {"hidden": network.widths[1:-1], "activation": network.activation.name})


def network_of(text: str) -> Perceptron:
    return Perceptron(**json.loads(text))
