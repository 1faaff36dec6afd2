"""Metrics of networks for `geomflow variety`, trained and trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from geomflow.cli.variety_file import HIDDEN, SECONDS

if TYPE_CHECKING:
    from geomflow.cli.variety_file import Task
    from geomflow.cli.variety_folder import Folder
    from geomflow.fits.phi.metric import PhiNetwork
    from geomflow.variety import Points

TRAINING = "training.npz"


def trained(task: Task, folder: Folder, settings: Mapping[str, Any], points: Points) -> PhiNetwork:
    """The metric g_FS + ∂∂̄φ of a network, trained from where the folder has it.

    Raises `InputError` where the folder holds one that was made with other settings, and `UnderdeterminedError`.
    """
    from geomflow.fits.phi.training import PhiTraining

    folder.require(settings)
    with task.at("metric", "kind"):
        training = PhiTraining(
            points.variety,
            points,
            hidden=task.get("metric", "hidden", HIDDEN),
            activation=task.get("metric", "activation", "gelu"),
            loss=task.get("metric", "functional", "(v - 1)^2"),
            seed=task.seed,
            kahler_class=task.kahler_class,
        )
    if (folder.path / TRAINING).exists():
        training.restore(folder.path / TRAINING)
    metric = training.run(seconds=task.get("metric", "seconds", SECONDS))
    folder.write(TRAINING, training.save)
    return metric
