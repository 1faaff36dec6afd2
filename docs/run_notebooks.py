"""Whether the notebooks of the gallery run: python docs/run_notebooks.py docs/gallery [--all].

A notebook holds the code of its script, which the build of the pages has executed; that it is the same code is checked
for all. Those of QUICK, or all of them, are executed by a kernel, as a reader would in Jupyter.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

QUICK = ("your_own_functional", "calabi_flow_torus", "tangent_kernel", "own_polynomial")
TIME_LIMIT = 3600  # seconds, which catches what hangs
MAGIC = "%matplotlib inline"


def code_of(notebook: Path) -> list[str]:
    """The code cells of a notebook, that which sets up pictures left out."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ("".join(cell["source"]).strip() for cell in cells if cell["cell_type"] == "code")
    return [text for text in code if text and not text.startswith(MAGIC)]


def code_beside(notebook: Path) -> list[str]:
    """The code of the script from which a notebook was made."""
    from sphinx_gallery.py_source_parser import remove_config_comments, split_code_and_text_blocks

    blocks = split_code_and_text_blocks(str(notebook.with_suffix(".py")))[1]
    code = (remove_config_comments(block.content).strip() for block in blocks if block.type == "code")
    return [text for text in code if text]


def execute(notebook: Path) -> Iterator[str]:
    """Run all cells in a fresh kernel, in the folder of the notebook, and give those that draw and show no picture.

    Raises `CellExecutionError` where one fails.
    """
    import nbformat
    from nbclient import NotebookClient

    read = nbformat.read(notebook, as_version=4)
    folder = {"metadata": {"path": str(notebook.parent)}}
    around = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}  # the kernel's own shows
    NotebookClient(read, timeout=TIME_LIMIT, kernel_name="python3", resources=folder).execute(env=around)
    for cell in read.cells:
        if "gf.plot." in cell.source and cell.cell_type == "code" and not any("image/png" in output.get("data", {})
                                                                              for output in cell.outputs):
            yield f"no picture is shown below {cell.source.splitlines()[-1]!r}"


def faults(gallery: Path, everything: bool) -> Iterator[str]:
    """What is wrong with the notebooks."""
    notebooks = sorted(gallery.rglob("*.ipynb"))
    if not notebooks:
        yield f"{gallery}: there are no notebooks"
    for notebook in notebooks:
        if code_of(notebook) != code_beside(notebook):
            yield f"{notebook.name}: its code is not that of its script"
        if everything or notebook.stem in QUICK:
            start = time.perf_counter()
            try:
                yield from (f"{notebook.name}: {fault}" for fault in execute(notebook))
            except Exception as error:
                yield f"{notebook.name}: {error}"
            print(f"{notebook.name}: {time.perf_counter() - start:.0f} s", flush=True)


def main() -> int:
    """Print all faults; the exit code is 1 where there are some."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gallery", type=Path, help="the folder of the gallery among the sources of the pages")
    parser.add_argument("--all", action="store_true", help="execute all notebooks")
    given = parser.parse_args()
    found = list(faults(given.gallery.resolve(), given.all))
    print("\n".join(found) if found else "the notebooks are right")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
