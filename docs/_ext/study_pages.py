"""A page for every study, carried out at its quick size when the documentation is built: docs/studies/NAME.md."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.application import Sphinx

if TYPE_CHECKING:
    from geomflow.study import Findings, Study

INTRODUCTION = """\
# Studies

A study puts a claim about metric flows of networks to the test: it measures one cell after another, fits what the claim
predicts, and answers in numbers, with one figure. The pages below were computed at the quick size when this
documentation was built; where a page ends with the full size, that was computed once, by the command named there.

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


def page(findings: Findings) -> str:
    """The page of what a study found, with what its columns are and the name of its class."""
    kind, name = type(findings.study), findings.study.name
    columns = inspect.cleandoc(kind.__doc__ or "")
    text = escaped(findings.page()).replace("(figure.png)", f"({name}.png)")
    usage = f"run_study({kind.__name__}(), quick=True)"
    return f"{text}\n## What is measured\n\n```text\n{columns}\n```\n\nIn Python: `{usage}`; [how to](index.md).\n"


def full_size(folder: Path, name: str) -> str:
    """A section with the answer and the figure that the command wrote to folder/NAME, or nothing if it did not."""
    written = folder / name / "page.md"
    if not written.exists():
        return ""
    answer = written.read_text(encoding="utf-8").split("\n\n")[3]
    picture = f"![{name} at its full size](../{folder.name}/{name}/figure.png)"
    command = f"geomflow study {name} --out docs/{folder.name}/{name}"
    return f"\n## At its full size\n\n{escaped(answer)}\n\n{picture}\n\nMade by `{command}`.\n"


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
    """Carry out all studies and write their pages; builders that make no pages need those that are there, or titles."""
    from geomflow.study import STUDIES

    folder, made = Path(app.srcdir) / "studies", app.builder.format in ("html", "latex") and not app.tags.has("quick")
    chosen = app.config.studies or tuple(STUDIES)
    if not made and (folder / "index.md").exists():
        return
    folder.mkdir(exist_ok=True)
    for name, kind in STUDIES.items():
        text = carried_out(kind, folder) if made and name in chosen else f"# {kind.title}\n"
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    (folder / "index.md").write_text("\n".join(index(STUDIES)) + "\n", encoding="utf-8")


def carried_out(kind: type[Study], folder: Path) -> str:
    """The page of a study at its quick size; its figure is written into the folder."""
    import matplotlib.pyplot as plt

    from geomflow.study import run_study

    findings = run_study(kind(), quick=True, progress=False)
    figure = findings.figure()
    figure.savefig(folder / f"{kind.name}.png", dpi=110)
    plt.close(figure)
    return page(findings) + full_size(folder.parent / "full_size", kind.name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before any is read; `-D studies=width,mixing` carries out these and gives the others titles."""
    app.add_config_value("studies", [], "env", list)
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
