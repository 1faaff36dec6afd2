"""A page for every study: docs/studies/NAME.md, of its full size where that is kept, else of its quick size.

Quick sizes are carried out when the documentation is built.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from carried_out import ensure_all, write_changed
from sphinx.application import Sphinx

if TYPE_CHECKING:
    from geomflow.study import Study


INTRODUCTION = """\
# Studies

A study puts a claim about metric flows of networks to the test: it measures one cell after another, fits what the claim
predicts, and answers in numbers, with one figure. A page shows the full size where that was computed once and kept, by
the command named there; else the quick size, computed when this documentation was built.

| study | question |
|---|---|
"""
MANUAL = """
## The command

```sh
geomflow study --list
geomflow study width --quick
geomflow study width --out width-of-mine
```

`--quick` takes the small size, well under a minute; without it a study has more networks, seeds and widths and takes
minutes. Into the folder (`studies/NAME` unless `--out` says otherwise) go `table.csv` with a row a cell, `numbers.json`
with the fitted numbers, `figure.png` and `page.md`.

Every row is kept in `rows/` of that folder as soon as it is measured. A study that was stopped goes on where it
was when the same command is given again; rows that `--quick` measured are used by the full size where the
cells are the same. A row belongs to its cell and to the version of geomflow: another version measures anew. A row that
cannot be read is named, and measured again once it is removed.

## From Python

```python
from geomflow.study import Width, run_study

findings = run_study(Width(), quick=True, folder="width-of-mine")
print(findings.answer)
print(findings.numbers["distance_exponent_erf_1"])
wide = findings.where(width=256)      # the rows with these settings
print(wide["drift"].mean())           # a column as an array
findings.figure().savefig("width.pdf")
findings.save("width-of-mine")
```

Without `folder` nothing is kept. A study of one's own is a subclass of `Study` with five methods: `cells` lists the
measurements as plain mappings, `measure` takes one of them, `conclude` makes numbers of the rows, `answer` says them
and `draw` shows them.

## Reference

```{eval-rst}
.. autoclass:: geomflow.study.Study
.. autoclass:: geomflow.study.Findings
.. autofunction:: geomflow.study.run_study
```
"""


def index(studies: dict[str, type[Study]]) -> Iterator[str]:
    """The lines of the index."""
    yield INTRODUCTION.rstrip()
    for name, kind in studies.items():
        yield f"| [{kind.title}]({name}.md) | {kind.question} |"
    yield MANUAL.rstrip()
    yield from ("", "```{toctree}", ":hidden:", "", *studies, "```")


def page(kind: type[Study], quick: Path | None, full: Path) -> str:
    """The page of a study: its story at the largest size there is, then that of the quick one, and what is measured."""
    command = f"geomflow study {kind.name}"
    lines = [f"# {kind.title}", "", f"**{escaped(kind.question)}**"]
    if full.is_dir():
        lines += told(kind, full, f"../{full.parent.name}/{kind.name}/")
        lines += ["", f"Made by `{command}`: the full size, computed once and kept."]
    if quick:
        lines += ["", "## At the quick size"] if full.is_dir() else []
        lines += told(kind, quick, f"{kind.name}-quick/")
        lines += ["", f"Made by `{command} --quick` when these pages were built."]
    elif not full.is_dir():
        lines += ["", f"These pages were built without carrying it out. `{command} --quick` does so in a minute."]
    columns = inspect.cleandoc(kind.__doc__ or "")
    lines += ["", "## What is measured", "", "```text", columns, "```", "", f"Source: {escaped(kind.source)}."]
    lines += ["", f"In Python: `run_study({kind.__name__}(), quick=True)`; [how to](index.md)."]
    return "\n".join(lines) + "\n"


def told(kind: type[Study], folder: Path, link: str) -> list[str]:
    """The story of what a folder holds, all numbers in words, and the data as files."""
    from geomflow.study.story import story, table

    facts = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))
    numbers, study = facts["numbers"], kind()
    picture = f"![{kind.title}]({link}figure.png)"
    lines = story(kind.words, numbers, facts["answer"], study.compared(numbers), picture)
    files = [name for name in ("numbers.json", "table.csv") if (folder / name).is_file()]
    data = ", ".join(f"[{name}]({link}{name})" for name in files)
    every = [escaped(line) for line in table(("number", "value"), kind.words.told(numbers))]
    fold = ["", "<details><summary>All numbers</summary>", "", *every, "", "</details>"]
    return [escaped(line) for line in lines] + ["", f"Data: {data}.", *fold]


def escaped(text: str) -> str:
    """Text with `_`, `*` and `|k|` taken literally, except for code in backticks, pictures and the rules of tables."""
    lines = []
    for line in text.split("\n"):
        table = line.startswith("|")
        pieces = re.split(r"(`[^`]+`)", line)
        special = r"([_*])" if table or line.startswith("![") else r"([_*<>\[\]^~|])"
        lines.append("".join(p if p.startswith("`") else re.sub(special, r"\\\1", p) for p in pieces))
    return "\n".join(lines)


def write_pages(app: Sphinx) -> None:
    """Write the pages of all studies, of which those are carried out that are asked for and kept at no full size."""
    from geomflow.study import STUDIES

    folder, pages = Path(app.srcdir) / "studies", app.builder.format in ("html", "latex")
    if not pages and (folder / "index.md").exists():
        return
    folder.mkdir(exist_ok=True)
    full = {name: folder.parent / "full_size" / name for name in STUDIES}
    without = () if app.tags.has("quick") else [name for name in STUDIES if not full[name].is_dir()]
    found = ensure_all(app.config.studies or without) if pages else {}
    for name, kind in STUDIES.items():
        quick = linked(found[name], folder / f"{name}-quick") if name in found else None
        write_changed(folder / f"{name}.md", page(kind, quick, full[name]))
    write_changed(folder / "index.md", "\n".join(index(STUDIES)) + "\n")


def linked(kept: Path, folder: Path) -> Path:
    """A copy of what a study found at its quick size, for links of its page."""
    folder.mkdir(exist_ok=True)
    for file in ("numbers.json", "table.csv", "figure.png"):
        shutil.copy(kept / file, folder / file)
    return folder


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before any is read; `-D studies=width,mixing` carries out these and only tells of the others."""
    app.add_config_value("studies", [], "env", list)
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
