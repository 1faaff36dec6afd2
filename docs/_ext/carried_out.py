"""A study at its quick size, in a process of its own: python docs/_ext/carried_out.py NAME FOLDER.

Beside what `geomflow study` writes, the folder holds depends.json: a digest of every file of the package that was
loaded. While they stay as they are, so does what was found.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geomflow

PACKAGE = Path(geomflow.__file__).resolve().parent
DEPENDS = "depends.json"
WORKERS = 2
"""Processes at work on what pages show."""


def digest(path: Path) -> str:
    """The content of a file, or that there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "none"


def is_current(folder: Path) -> bool:
    """Whether what a folder holds was found with the files of the package as they are."""
    known = folder / DEPENDS
    if not known.exists():
        return False
    return all(digest(PACKAGE / name) == value for name, value in json.loads(known.read_text()).items())


def package_digest() -> str:
    """The content of the whole package."""
    digests = "".join(digest(path) for path in sorted(PACKAGE.rglob("*.py")))
    return hashlib.sha256(digests.encode()).hexdigest()


def kept_folder(name: str) -> Path:
    """Where what a page shows is kept from build to build, beside compiled routines."""
    from geomflow.codegen.cache import default_directory

    return default_directory() / "documentation" / name


def write_changed(path: Path, text: str) -> None:
    """Write a page, unless it stands there already: Sphinx reads anew what is newer."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def ensure(name: str) -> Path:
    """The folder with what a study found, carried out anew where the package has changed."""
    folder = kept_folder(name)
    if not is_current(folder):
        subprocess.run([sys.executable, __file__, name, str(folder)], check=True)
    return folder


def ensure_all(names: Iterable[str]) -> dict[str, Path]:
    """The folders of studies, several at work."""
    chosen = list(names)
    with ThreadPoolExecutor(WORKERS) as workers:
        return dict(zip(chosen, workers.map(ensure, chosen), strict=True))


def note(folder: Path, *also: Path) -> None:
    """Write down what this process has loaded of the package, and other files that count."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    own = {Path(file).resolve() for file in files if file and Path(file).resolve().is_relative_to(PACKAGE)}
    depends = {os.path.relpath(path, PACKAGE): digest(path) for path in sorted(own | set(also))}
    (folder / DEPENDS).write_text(json.dumps(depends, indent=1))


def main(name: str, folder: Path) -> None:
    """Carry out, save, and note what was loaded."""
    from geomflow.study import STUDIES, run_study

    run_study(STUDIES[name](), quick=True, progress=False).save(folder)
    note(folder)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
