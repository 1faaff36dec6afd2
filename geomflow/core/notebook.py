"""How things show themselves in a notebook: a small table of facts, beside it a picture where there is one.

Plain HTML in the colours of the page that it stands in, light or dark. Whatever is no HTML already is escaped.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any, final

import numpy as np

from geomflow.core.registry import Registry

#: Name and value, a line of a table each.
Facts = Iterable[tuple[str, object]]

VERBS: Registry[Callable[..., Any]] = Registry("verb", "geomflow", {})
"""What higher floors do for things of lower ones, by name. The package, which knows all floors, says where it is, and
it is loaded when it is asked for: "plot" draws a thing, "thumbnail" makes a small PNG of it with a caption."""

_LONGEST = 300


@final
class Markup(str):
    """Text that is HTML already."""

    def _repr_html_(self) -> str:
        return self


class InNotebook(ABC):
    """What a notebook shows as a table of facts, with a picture where the package can draw one."""

    @abstractmethod
    def __facts__(self) -> Facts:
        """What the table says."""

    def _repr_html_(self) -> str:
        return card(in_words(type(self).__name__), self.__facts__(), picture_of(self))


def card(title: str, facts: Facts, picture: Markup | None = None) -> str:
    """A title over a table, with a picture at their side.

    >>> card("a < b", [("n", 3)])
    '<div style="display:flex;flex-wrap:wrap;gap:1em;...<strong>a &lt; b</strong><table>...
    """
    inner = f'<div style="max-width:36em"><strong>{escape(title)}</strong>{table(facts)}</div>{picture or ""}'
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">{inner}</div>'


def table(facts: Facts) -> Markup:
    """A table of two columns."""
    left = 'style="text-align:left;vertical-align:top'
    rows = (f'<tr><th scope="row" {left};white-space:nowrap">{escape(name)}</th><td {left}">{cell(value)}</td></tr>'
            for name, value in facts)
    return Markup(f"<table><tbody>{''.join(rows)}</tbody></table>")


def cell(value: object) -> str:
    """A value as HTML: what is none yet is written short and escaped."""
    return value if isinstance(value, Markup) else escape(written(value))


def written(value: object) -> str:
    """A value in short: numbers to six digits, arrays by their shapes, long text cut.

    >>> written(0.1 + 0.2), written(np.zeros((3, 4))), written((1, 2.5)), written(None)
    ('0.3', 'array of shape 3 × 4', '1, 2.5', '–')
    """
    if value is None or (isinstance(value, list | tuple) and not value):
        return "–"
    if isinstance(value, np.ndarray):
        return f"array of shape {' × '.join(map(str, value.shape))}" if value.ndim else written(value.item())
    if type(value) in (float, np.float64):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return written([f"{name} = {written(part)}" for name, part in value.items()])
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return written(", ".join(map(written, value[:20])) + (", …" if len(value) > 20 else ""))
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"


def fields_of(thing: Any) -> Facts:
    """The fields of a dataclass that are part of its repr, by name; its repr where it is none."""
    if not dataclasses.is_dataclass(thing):
        return [("", repr(thing))]
    return [(f.name.replace("_", " "), getattr(thing, f.name)) for f in dataclasses.fields(thing) if f.repr]


def in_words(name: str) -> str:
    """The name of a class in words.

    >>> in_words("PotentialField"), in_words("KahlerRicciFlow"), in_words("SGD")
    ('potential field', 'kahler ricci flow', 'SGD')
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][^A-Z]*|[^A-Z]+", name)
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)


def picture_of(thing: Any) -> Markup | None:
    """The thumbnail of a thing as an inline image over its caption, None where there is nothing to see."""
    found = VERBS["thumbnail"](thing)
    return None if found is None else figure(*found)


def figure(png: bytes, caption: str, width: str = "") -> Markup:
    """An inline PNG over its caption."""
    size = f' width="{width}"' if width else ""
    image = f'<img alt="{escape(caption)}"{size} src="{data_uri(png)}">'
    return Markup(f'<figure style="margin:0">{image}<figcaption><small>{escape(caption)}</small></figcaption></figure>')


def data_uri(content: bytes, kind: str = "image/png") -> str:
    """A file as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
