"""Signals that stop runs: what they wish is noted, and has its effect when all is kept."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

_WISHES = {"SIGINT": "Ctrl-C", "SIGTERM": "a request to terminate", "SIGHUP": "the end of its terminal"}


class Interrupts:
    """Context in which the first signal only sets `heard`, in words; a second Ctrl-C interrupts at once.

    Ctrl-C ends a run and no more. A request to terminate is meant for the process: call `deliver()` once all is kept.
    Signals that the process ignores stay ignored. In a thread other than the main one, where Python delivers no
    signals, it does nothing.
    """

    def __init__(self) -> None:
        self.heard: str | None = None
        self._number = signal.SIGINT
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            numbers = [getattr(signal, name) for name in _WISHES if hasattr(signal, name)]
            self._before = {number: signal.signal(number, self._hear) for number in numbers
                            if signal.getsignal(number) not in (signal.SIG_IGN, None)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.heard and number == signal.SIGINT:
            raise KeyboardInterrupt
        if self.heard is None or self._number == signal.SIGINT:
            self._number = signal.Signals(number)
            self.heard = _WISHES[self._number.name]

    def deliver(self) -> None:
        """Let a request to terminate have its effect, that of the process outside of a run."""
        if self.heard and self._number != signal.SIGINT:
            signal.raise_signal(self._number)
