"""A progress bar on a terminal, silence elsewhere."""

from __future__ import annotations

from geomflow.core.progress import Bar
from geomflow.flow.run import Run


class Progress:
    """Shows how far a run is. `wanted`: True always, False never, None if the error stream is a terminal."""

    def __init__(self, run: Run, wanted: bool | None) -> None:
        plan = run.plan
        self._bar = Bar("t", plan.t1 - plan.t0, wanted, start=run.cursor.t - plan.t0)
        self.close = self._bar.close

    def show(self, run: Run) -> None:
        """Move the bar to the run's time."""
        self._bar.show(run.cursor.t - run.plan.t0, f"{run.steps} steps")
