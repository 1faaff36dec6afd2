"""How far something is and what is left, on terminals and in notebooks, for what takes longer than two seconds.

Nothing is shown elsewhere: not in pipes, files and logs, not under continuous integration (CI is set), not by workers,
and nowhere where TQDM_DISABLE is set.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from time import monotonic
from typing import Any, TypeVar, final

T = TypeVar("T")
Tick = Callable[[float], None]

PATIENCE = 2.0
"""Seconds without a word."""
_SWITCHES = ("TQDM_DISABLE", "CI")


def watched() -> bool:
    """Whether somebody looks: at a terminal or at a notebook, of the main thread of the first process."""
    if any(os.environ.get(switch, "0").lower() not in ("", "0", "false") for switch in _SWITCHES):
        return False
    if threading.current_thread() is not threading.main_thread() or multiprocessing.parent_process() is not None:
        return False
    return in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def announce(text: str) -> None:
    """Say something at once where somebody looks, above what is shown there."""
    if watched():
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr)


def in_notebook() -> bool:
    """Whether a kernel of Jupyter runs this."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


@final
class Bar:
    """A bar that says how much of `total` (None where that is open) is done, in the unit of `what` ("t", "steps").

    `wanted`: True at once and anywhere, False never, None after two seconds where somebody looks.
    """

    def __init__(
        self, what: str, total: float | None, wanted: bool | None = None, label: str = "", start: float = 0.0
    ) -> None:
        self._make = partial(_tqdm, total=total, initial=start, desc=label, bar_format=_form(what, total))
        self._wanted, self._begun = watched() if wanted is None else wanted, monotonic()
        self._bar: Any = None
        self._at: tuple[float, str] = (start, "")
        self._lock = threading.Lock()
        self._over = threading.Event()
        if wanted:
            self._appear()
        elif self._wanted and not in_notebook():  # which shows what another thread draws anywhere
            threading.Thread(target=self._tend, daemon=True).start()

    def show(self, done: float, note: str = "") -> None:
        """Move the bar to `done`, with a note behind it."""
        if not self._wanted:
            return
        self._at = (done, note)
        if self._bar is not None:
            self._move()
        elif monotonic() - self._begun > PATIENCE:
            self._appear()

    def _tend(self) -> None:
        """Appear, and tell the time while nothing else is to be told."""
        if self._over.wait(PATIENCE):
            return
        self._appear()
        while not self._over.wait(1.0):
            with self._lock:
                if not self._over.is_set():
                    self._bar.refresh()

    def _appear(self) -> None:
        with self._lock:
            if self._bar is None and self._wanted:
                self._bar = self._make()
                self._bar.start_t -= monotonic() - self._begun
                self._move()
                self._bar.refresh()

    def _move(self) -> None:
        done, note = self._at
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._bar.n)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.clear()
        print(text, flush=True)

    def close(self) -> None:
        """Take the bar away."""
        with self._lock:
            self._over.set()
            self._wanted = False
            if self._bar is not None:
                self._bar.close()


def _form(what: str, total: float | None) -> str:
    ends = ("{l_bar}{bar}| ", " of {total:.4g}", "<{remaining}") if total else ("{desc}: ", "", "")
    return f"{ends[0]}{what} = {{n:.4g}}{ends[1]} [{{elapsed}}{ends[2]}{{postfix}}]"


def _tqdm(**options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without widgets a notebook has bars of text, which are bars too
        from tqdm.auto import tqdm
    return tqdm(leave=False, delay=1e-9, **options)  # drawn when it knows its time


@contextmanager
def counter(label: str, shown: bool | None = None, total: int | None = None) -> Iterator[Tick]:
    """A function to call with σ after every step, which a `Bar` counts."""
    bar, steps = Bar("steps", total, shown, label), count(1)
    try:
        yield lambda sigma: bar.show(next(steps), f"σ = {sigma:.3g}")
    finally:
        bar.close()


def counted(items: Iterable[T], total: int, what: str = "blocks", label: str = "") -> Iterator[T]:
    """The items, with a `Bar` of how many are done where somebody looks."""
    if not watched():
        yield from items
        return
    bar = Bar(what, total, None, label)
    try:
        for number, item in enumerate(items, start=1):
            yield item
            bar.show(number)
    finally:
        bar.close()


_BUSY = threading.Lock()


@contextmanager
def waiting(what: str, shown: bool | None = None) -> Iterator[None]:
    """After two seconds, where somebody looks: `what` is going on, and for how long; nobody knows how much is left.

    The outermost of several speaks; `shown` may be False.
    """
    if shown is False or not watched() or not _BUSY.acquire(blocking=False):
        yield
        return
    over = threading.Event()
    clock = threading.Thread(target=_tell_time, args=(what, over), daemon=True)
    clock.start()
    try:
        yield
    finally:
        over.set()
        clock.join()
        _BUSY.release()


def _tell_time(what: str, over: threading.Event) -> None:
    if over.wait(PATIENCE):
        return
    from tqdm import tqdm

    bar = tqdm(desc=what, bar_format="{desc} [{elapsed}]", leave=False, delay=1e-9)
    bar.start_t -= PATIENCE
    bar.refresh()
    while not over.wait(1.0):
        bar.refresh()
    bar.close()
