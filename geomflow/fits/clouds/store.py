"""Unfinished flows on points in .npz files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import StoreError
from geomflow.core.outcome import Outcome, OutcomeKind

if TYPE_CHECKING:
    pass

if TYPE_CHECKING:
    from geomflow.fits.clouds.flow import ComponentFlow

_FLOW = "geomflow component flow 2"


def save_flow(flow: ComponentFlow, path: str | Path) -> None:
    """Write the state of a flow, without points and kernel."""
    state = flow.state
    ended = flow.ended
    text = json.dumps(None if ended is None else [ended.kind.value, ended.message, ended.time])
    best = flow.best
    archive.write(path, _FLOW, made=_made(flow), coefficients=state.coefficients, g=state.g,
                  history=np.array(state.history), best_coefficients=best.coefficients, best_g=best.g,
                  best_step=best.step, ended=text)


def restore_flow(flow: ComponentFlow, path: str | Path) -> None:
    """Put a stored state into a flow made with the same arguments; raises StoreError for another."""
    with archive.opened(path, _FLOW) as file:
        if (made := file.text("made")) != _made(flow):
            raise StoreError(f"{path} holds a flow that was made otherwise, {made}, and this one is {_made(flow)}: "
                             "give the same arguments.")
        history = tuple(tuple(row) for row in file.numbers("history", "f", None, 5).tolist())
        shape = flow.state.g.shape
        c, g, best_c, best_g = (file.numbers(name, "f", *shape)
                                for name in ("coefficients", "g", "best_coefficients", "best_g"))
        until = int(file.array("best_step", "i")) + 1
        best = replace(flow.state, coefficients=best_c, g=best_g, history=history[:until])
        ended = json.loads(file.text("ended"))
        outcome = None if ended is None else Outcome(OutcomeKind(ended[0]), *ended[1:])
    flow.resume(replace(flow.state, coefficients=c, g=g, history=history), best, outcome)


def _made(flow: ComponentFlow) -> str:
    """All arguments of a flow as text, the points and clusters by a sum that tells them apart."""
    labels = flow.sums.labels
    places = [len(flow.points), float(np.abs(flow.points.coordinates).sum()), float(flow.points.weights.sum())]
    clusters = None if labels is None else [int(labels.max()) + 1, int(labels @ np.arange(len(labels)))]
    options = [repr(flow.sums.kernel), flow.loss.text, repr(flow.rate), flow.steps, flow.normalise, flow.clip]
    return json.dumps([str(flow.points.variety.polynomial.expression), places, clusters, options])
