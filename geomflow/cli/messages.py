"""What the command says on one line: messages, and values that a user gave, however long either is."""

from __future__ import annotations

import re
from reprlib import Repr
from typing import Any

LONGEST_WORD = 160
LONGEST_MESSAGE = 1200
_MARKED = re.compile(r"\n  (?P<shown>[^\n]*)\n  (?P<before> *)\^")


def one_line(message: str) -> str:
    """A message as one line that a terminal can show: long words cut, and no control characters.

    An expression with a caret under one place has a mark in that place instead.

    >>> one_line("at column 3: unknown name 'q'\\n  1+q+2\\n    ^")
    "at column 3: unknown name 'q' in 1+▸q+2"
    >>> one_line("unknown flow '" + 5000 * "a")[-64:]
    'aa… (5,001 characters) …aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    """
    text = _MARKED.sub(_marked, message)
    text = " ".join(re.sub(r"\S+", lambda word: cut(word.group(), LONGEST_WORD), text).split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut(text, LONGEST_MESSAGE))


def cut(text: str, longest: int) -> str:
    """`text`, or its two ends with its length between them."""
    if len(text) <= longest:
        return text
    tail = longest // 4
    return f"{text[: longest - tail]}… ({len(text):,} characters) …{text[-tail:]}"


def shown(value: Any) -> str:
    """A value from a file, short enough for a message however long or deep it is."""
    return _SHORT.repr(value)


def _marked(found: re.Match[str]) -> str:
    line, place = found["shown"], len(found["before"])
    return f" in {line[:place]}▸{line[place:]}"


class _Short(Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxdict, self.maxstring = 4, 8, 8, LONGEST_WORD

    def repr_int(self, x: int, level: int) -> str:
        """Python refuses to write the digits of the largest."""
        digits = int(x.bit_length() * 0.30103) + 1
        return repr(x) if digits < 40 else f"a whole number of about {digits:,} digits"


_SHORT = _Short()
