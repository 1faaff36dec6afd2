"""Progress of a fit on a terminal, silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tick = Callable[[float], None]


@contextmanager
def counter(label: str, shown: bool | None = None, total: int | None = None) -> Iterator[Tick]:
    """A function to call with σ after every step; a tqdm bar if stderr is a terminal (or `shown` says so)."""
    if not (sys.stderr.isatty() if shown is None else shown):
        yield lambda sigma: None
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=label, unit=" steps", leave=False) as bar:

        def tick(sigma: float) -> None:
            bar.set_postfix_str(f"σ = {sigma:.3g}")
            bar.update()

        yield tick
