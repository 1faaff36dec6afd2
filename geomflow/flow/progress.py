"""A progress bar on a terminal, silence elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from geomflow.flow.run import Run

_FORMAT = "{l_bar}{bar}| t = {n:.4g} of {total:.4g} [{elapsed}<{remaining}{postfix}]"


class Progress:
    """Shows how far a run is. `wanted`: True always, False never, None if the error stream is a terminal."""

    def __init__(self, run: Run, wanted: bool | None) -> None:
        self._bar: Any = None
        if wanted or (wanted is None and sys.stderr.isatty()):
            from tqdm import tqdm

            span = run.plan.t1 - run.plan.t0
            self._bar = tqdm(total=span, initial=run.cursor.t - run.plan.t0, bar_format=_FORMAT, leave=False)

    def show(self, run: Run) -> None:
        """Move the bar to the run's time."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"{run.steps} steps", refresh=False)
            self._bar.update(run.cursor.t - run.plan.t0 - self._bar.n)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
