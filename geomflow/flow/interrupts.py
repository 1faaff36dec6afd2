"""Ctrl-C and termination as a wish, heard between steps."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

_HEARD = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Context in which the first SIGINT or SIGTERM only sets `heard`; a second SIGINT interrupts at once.

    In a thread other than the main one, where Python delivers no signals, it does nothing.
    """

    def __init__(self) -> None:
        self.heard: str | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._hear) for number in _HEARD}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.heard and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.heard = "Ctrl-C" if number == signal.SIGINT else "a request to terminate"
