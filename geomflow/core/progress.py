"""How far something is, on a terminal; silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, final

Tick = Callable[[float], None]


@final
class Bar:
    """A bar that says how much of `total` (None where that is open) is done, in the unit of `what` ("t", "steps").

    `wanted`: True always, False never, None if the error stream is a terminal.
    """

    def __init__(
        self, what: str, total: float | None, wanted: bool | None = None, label: str = "", start: float = 0.0
    ) -> None:
        self._bar: Any = None
        if sys.stderr.isatty() if wanted is None else wanted:
            from tqdm import tqdm

            ends = ("{l_bar}{bar}| ", " of {total:.4g}", "<{remaining}") if total else ("{desc}: ", "", "")
            form = f"{ends[0]}{what} = {{n:.4g}}{ends[1]} [{{elapsed}}{ends[2]}{{postfix}}]"
            self._bar = tqdm(total=total, initial=start, desc=label, bar_format=form, leave=False)

    def show(self, done: float, note: str = "") -> None:
        """Move the bar to `done`, with a note behind it."""
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


@contextmanager
def counter(label: str, shown: bool | None = None, total: int | None = None) -> Iterator[Tick]:
    """A function to call with σ after every step, which a `Bar` counts."""
    bar, steps = Bar("steps", total, shown, label), count(1)
    try:
        yield lambda sigma: bar.show(next(steps), f"σ = {sigma:.3g}")
    finally:
        bar.close()
