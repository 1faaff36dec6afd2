"""The directive `ran`: a command of geomflow, run when the documentation is built, with its output and its pictures.

    ```{ran} quintic --degree 6
    :pictures: sigma.png slices.png
    ```

Commands of one page share a directory, which starts empty; what they say and leave is kept until the package changes.
`:file:` copies a file of the repository into it first, and `:code:` says which exit code the command must return, 0
unless given. Only builders of pages run commands.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import ClassVar

from carried_out import digest, kept_folder, package_digest
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[2]
MAIN = "import sys; from geomflow.cli import main; sys.exit(main())"
TIME_LIMIT = 3600  # seconds, which catches what hangs


class RanCommand(SphinxDirective):
    """A command with what it printed."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {
        "pictures": directives.unchanged,
        "file": directives.unchanged,
        "code": directives.nonnegative_int,
    }

    def run(self) -> list[nodes.Node]:
        """A literal block, and an image for each picture. Raises `RuntimeError` for another exit code."""
        if not self.config.run_commands:
            return []
        folder = shared_folder(self.env.docname)
        for name in self.options.get("file", "").split():
            shutil.copy(ROOT / name, folder)
        command = self.arguments[0]
        kept = kept_folder("commands") / key_of(folder, command)
        if (kept / "said.json").exists():
            said = json.loads((kept / "said.json").read_text())
            shutil.copytree(kept / "left", folder, dirs_exist_ok=True)
        else:
            said = self.said(folder, command)
            shutil.copytree(folder, kept / "left", dirs_exist_ok=True)
            (kept / "said.json").write_text(json.dumps(said))
        text = f"$ geomflow {command}\n{said}".rstrip()
        block = nodes.literal_block(text, text, language="text")
        return [block, *(picture(folder, name) for name in self.options.get("pictures", "").split())]

    def said(self, folder: Path, command: str) -> str:
        """Run a command, and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *command.split()],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
        )
        if done.returncode != self.options.get("code", 0):
            raise RuntimeError(f"geomflow {command} returned {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr


def key_of(folder: Path, command: str) -> str:
    """What a command says depends on: itself, the package, and the names and files of one page before it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    parts = [command, package_digest(), *(f"{path.relative_to(folder)} {digest(path)}" for path in files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


_FOLDERS: dict[str, tempfile.TemporaryDirectory[str]] = {}


def shared_folder(page: str) -> Path:
    """The directory of a page, removed with the process."""
    if page not in _FOLDERS:
        _FOLDERS[page] = tempfile.TemporaryDirectory(prefix="geomflow-docs-")
    return Path(_FOLDERS[page].name)


def picture(folder: Path, name: str) -> nodes.image:
    """A picture inside the page."""
    data = base64.b64encode((folder / name).read_bytes()).decode()
    alt = Path(name).stem
    return nodes.image("", uri=f"data:image/png;base64,{data}", alt=alt, width="100%")


def choose(app: Sphinx) -> None:
    """Run nothing for builders that make no pages, such as doctest, and for quick builds."""
    app.config.run_commands = app.builder.format in ("html", "latex") and not app.tags.has("quick")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_config_value("run_commands", True, "env")
    app.add_directive("ran", RanCommand)
    app.connect("builder-inited", choose)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
