"""geomflow examples [NAME ...] [--to DIR]: the examples that come with geomflow.

Without names it lists them: files for `geomflow run` and `geomflow variety`, which take them by name wherever they are,
and scripts of Python. With names it copies their files to DIR (this folder unless given), to read and to change.
Nothing is overwritten.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

import geomflow
from geomflow.cli.terminal import add_command, file_path, line
from geomflow.core.errors import InputError, StoreError, nearest, require_known
from geomflow.core.files import replacing

FOLDER = Path(geomflow.__file__).parent / "examples"
SCRIPT = "script"
HINT = "geomflow run NAME, geomflow variety NAME: carry one out; geomflow examples NAME: copy its files to this folder"


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the subcommand."""
    sub = add_command(commands, "examples", "list the examples that come with geomflow, or copy some", __doc__)
    sub.add_argument("names", nargs="*", metavar="NAME", help="an example by name; all are listed unless given")
    sub.add_argument("--to", type=file_path, default=Path(), metavar="DIR",
                     help="the folder to copy to (this one unless given)")
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """List, or copy."""
    known = shipped()
    if not known:
        raise StoreError(f"there are no examples in '{FOLDER}': install geomflow from its wheel, or from a checkout on "
                         "a file system with links")
    if not args.names:
        print("\n".join([*listing(known), "", HINT]))
        return 0
    for name in args.names:
        require_known("example", name, known)
    for path in dict.fromkeys(path for name in args.names for path in known[name]):
        print(line("copied", copied(path, args.to)))
    return 0


def shipped() -> dict[str, list[Path]]:
    """The files of each example, by name."""
    found: dict[str, list[Path]] = {}
    for path in sorted([*FOLDER.glob("*/*.toml"), *FOLDER.glob("*/*.py")], key=lambda path: (path.stem, path.suffix)):
        found.setdefault(path.stem, []).append(path)
    return found


def listing(known: dict[str, list[Path]]) -> list[str]:
    """A line for each file: what takes it, its name, and what it says of itself."""
    width = max(map(len, known))
    rows = [(taker(path), path.stem, title(path)) for paths in known.values() for path in paths]
    return [line(kind, f"{name:<{width}} {what}") for kind, name, what in sorted(rows)]


def taker(path: Path) -> str:
    """The command that takes the file of an example: run or variety; a script is one for Python."""
    if path.suffix == ".py":
        return SCRIPT
    return "variety" if "\n[variety]" in path.read_text(encoding="utf-8") else "run"


def names_for(command: str) -> list[str]:
    """The examples that a command takes."""
    return [path.stem for paths in shipped().values() for path in paths if taker(path) == command]


def title(path: Path) -> str:
    """The first line of words in a file."""
    words = (text.strip("# \"'\n") for text in path.read_text(encoding="utf-8").splitlines())
    return next(text for text in words if len(text) > 1)


def copied(path: Path, folder: Path) -> Path:
    """The copy of a file in a folder, which is made if there is none. Raises `StoreError` for a file in its place."""
    target = folder / path.name
    if os.path.lexists(target):
        raise StoreError(f"'{target}' exists already, and nothing is overwritten: choose another folder with --to")
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(target) as partial:
        shutil.copyfile(path, partial)
    return target


def chosen(given: Path, command: str) -> Path:
    """The file that `command` shall take: the one given, or where there is none the example of that name.

    The name may have folders before it and its ending behind it, as `examples/kahler/calabi_flow_torus.toml` has.
    Raises `InputError` for the name of nothing, and for an example that another command takes.
    """
    try:
        os.stat(given)
    except FileNotFoundError:
        return _of_the_shelf(given, command)
    except OSError:  # whoever reads it says what is wrong
        pass
    return given


def _of_the_shelf(given: Path, command: str) -> Path:
    """The example that a name is of, or the name itself where it reads like that of a file."""
    found = [path for paths in shipped().values() for path in paths
             if f"/{path.relative_to(FOLDER.parent).as_posix()}".endswith((f"/{given.as_posix()}", f"/{given}.toml"))]
    files = {taker(path): path for path in found if path.suffix == ".toml"}
    if command in files:
        return files[command]
    if files:
        raise InputError(f"the example '{given}' is for another command: geomflow {next(iter(files))} {given}")
    if given.name == str(given) and not given.suffix:
        raise InputError(f"there is neither a file '{given}' nor an example of that name for geomflow {command}; "
                         f"{nearest(str(given), names_for(command), 'choose one of')}")
    return given
