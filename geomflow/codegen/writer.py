"""Indented text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Writer:
    """Collects lines of Python at a depth of indentation."""

    def __init__(self, depth: int = 0) -> None:
        self.lines: list[str] = []
        self._depth = depth

    def line(self, text: str) -> None:
        """Add one line."""
        self.lines.append("    " * self._depth + text if text else "")

    def extend(self, lines: Iterable[str]) -> None:
        """Add several lines."""
        for text in lines:
            self.line(text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Indent what is written inside by one step, under `head`."""
        self.line(head)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def text(self) -> str:
        """Everything so far."""
        return "\n".join(self.lines)
