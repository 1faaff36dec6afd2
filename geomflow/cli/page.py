"""One HTML page that holds all it shows, for reports: it needs no network and no file beside it, in light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, final

from geomflow.core.files import write_text
from geomflow.core.notebook import Facts, Markup, cell, data_uri, figure, table

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --ground: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; margin-bottom: 0.2rem; } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
.lead { border-left: 0.3rem solid #2f8fb0; background: var(--ground); padding: 0.6rem 1rem; font-size: 1.05rem; }
.wide { overflow-x: auto; } .math { overflow-x: auto; font-size: 1.15rem; margin: 0.8rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.15rem 0.8rem 0.15rem 0; text-align: left; vertical-align: top;
         border-bottom: 1px solid var(--line); }
th[scope=row] + td { overflow-wrap: anywhere; } figcaption { margin-bottom: 1.6rem; }
pre { background: var(--ground); padding: 0.8rem 1rem; overflow-x: auto; }
img { max-width: 100%; height: auto; background: #fff; border-radius: 4px; }
canvas, input[type=range] { width: 100%; max-width: 40rem; } canvas { touch-action: none; cursor: grab; }
nav a { margin-right: 1rem; }
math { font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", math; }
@media (max-width: 32rem) {
  th[scope=row], th[scope=row] + td { display: block; border: 0; } pre { white-space: pre-wrap; }
  thead th, thead + tbody td { font-size: 0.72rem; padding-right: 0.35rem; }
}
footer { margin-top: 3rem; opacity: 0.7; font-size: 0.9rem; }
"""


@final
@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    body: Markup

    @property
    def anchor(self) -> str:
        """What links to it name."""
        return re.sub(r"[^a-z]+", "-", self.title.lower()).strip("-")


@final
@dataclass(frozen=True)
class Page:
    """A title, one sentence that says what came out, and sections."""

    title: str
    lead: str
    sections: Sequence[Section]
    made: str

    def html(self) -> str:
        """The whole document."""
        links = " ".join(f'<a href="#{s.anchor}">{escape(s.title)}</a>' for s in self.sections)
        body = "".join(f'<section><h2 id="{s.anchor}">{escape(s.title)}</h2>{s.body}</section>' for s in self.sections)
        return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(self.title)}</title>'
                f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
                f'<body><h1>{escape(self.title)}</h1><p class="lead">{escape(self.lead)}</p><nav>{links}</nav>{body}'
                f"<footer>{escape(self.made)}</footer></body></html>\n")

    def write(self, path: Path) -> None:
        """Replace a file by it, at once or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, self.html())


def joined(*parts: str) -> Markup:
    """Pieces of HTML one after another."""
    return Markup("".join(parts))


def prose(text: str) -> Markup:
    """A paragraph of plain text."""
    return Markup(f"<p>{escape(text)}</p>")


def equation(latex: str) -> Markup:
    """Mathematics in LaTeX, on a line of its own."""
    from geomflow.symbolic.show import mathml

    return Markup(f'<div class="math">{mathml(latex, block=True)}</div>')


def facts(rows: Facts) -> Markup:
    """A table of names and values."""
    return Markup(f'<div class="wide">{table(rows)}</div>')


def grid(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """A table with a line of headings."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell(value)}</td>' for value in row)}</tr>" for row in rows)
    return Markup(f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def listing(text: str, name: str = "") -> Markup:
    """Text as it is; with a name, to be saved under that."""
    link = "" if not name else f'<p><a download="{escape(name)}" href="{data_uri(text.encode(), "text/plain")}">' \
        f"save {escape(name)}</a></p>"
    return Markup(f"<pre><code>{escape(text)}</code></pre>{link}")


def drawn(picture: Any, caption: str) -> Markup:
    """A matplotlib figure, which is closed, as a picture."""
    from geomflow.plot.files import png

    return figure(png(picture, 130), caption)


def film(path: Path, caption: str) -> Markup:
    """A .gif as a picture that moves."""
    uri = data_uri(path.read_bytes(), "image/gif")
    return Markup(f'<figure style="margin:0"><img alt="{escape(caption)}" src="{uri}">'
                  f"<figcaption><small>{escape(caption)}</small></figcaption></figure>")
