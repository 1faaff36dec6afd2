"""The words of mathematical text: numbers, names and signs, each with its place; and errors that show the place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from geomflow.core.errors import ExpressionError

_NUMBER = re.compile(r"(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9]+)?j?")
_SIGN = re.compile(r"\*\*|[-+*/^(),]")
_INDICES = re.compile(r"\[[^\[\]]*\]?")
ONLY = "only numbers, names, + - * / ^ and known functions may be written here"


@dataclass(frozen=True)
class Token:
    """One word of a text; `kind` is "number", "name", "sign", "indices" or "end", `column` counts from 0."""

    kind: str
    text: str
    column: int


def tokens(text: str, indexed: bool = False) -> Iterator[Token]:
    """The words of a text, then the end.

    A name is whatever Python's str.isidentifier takes, keywords and all, letter by letter as it is written. Where
    text is `indexed`, "[i, j]" is a word too, and so is a name within a name, "flat.d".
    """
    column = 0
    while column < len(text):
        if text[column].isspace():
            column += 1
            continue
        token = _token(text, column, indexed)
        yield token
        column += len(token.text)
    yield Token("end", "", len(text))


def _token(text: str, column: int, indexed: bool) -> Token:
    if found := _NUMBER.match(text, column):
        return Token("number", found.group(), column)
    if found := _SIGN.match(text, column):
        return Token("sign", found.group(), column)
    if indexed and (found := _INDICES.match(text, column)):
        return Token("indices", found.group(), column)
    stop = _name_end(text, column)
    if stop == column:
        fail(text, column, ONLY)
    if indexed and text[stop : stop + 1] == "." and (end := _name_end(text, stop + 1)) > stop + 1:
        stop = end
    return Token("name", text[column:stop], column)


def _name_end(text: str, column: int) -> int:
    """Where a name that begins at a column ends."""
    stop = column
    while stop < len(text) and (text[stop] if stop == column else f"a{text[stop]}").isidentifier():
        stop += 1
    return stop


def fail(text: str, column: int, message: str, kind: type[ExpressionError] = ExpressionError) -> NoReturn:
    """Raise an error that shows the place in the text."""
    line = re.sub(r"\s", " ", text)
    start = max(0, column - 50)
    shown = line[start : start + 100]
    raise kind(f"at column {column + 1}: {message}\n  {shown}\n  {' ' * (column - start)}^") from None
