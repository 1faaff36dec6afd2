"""geomflow completion SHELL: the script by which a shell completes the words of this command.

For bash write `geomflow completion bash > ~/.local/share/bash-completion/completions/geomflow`; for zsh the file is
_geomflow in a folder of $fpath, for fish ~/.config/fish/completions/geomflow.fish.

geomflow man: this manual as a page for man. A page that is up to date comes with the package, so that `man geomflow`
shows it where geomflow is installed; `geomflow man | man -l -` shows it anywhere.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

import geomflow
from geomflow.cli import examples, warm_up
from geomflow.cli.terminal import add_command, file_path

SHELLS = ("bash", "zsh", "fish", "tcsh")
FOLDERS = ("out", "to")


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add both subcommands."""
    sub = add_command(commands, "completion", "print the script by which a shell completes this command", __doc__, 1, 2)
    sub.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")
    sub.set_defaults(execute=completion)
    sub = add_command(commands, "man", "print the manual as a page for man", __doc__, 2)
    sub.set_defaults(execute=man)


def completion(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    for command, sub in subcommands(args.top):
        for action in sub._actions:
            if action.type is file_path:
                action.complete = shtab.DIRECTORY if action.dest in FOLDERS else shtab.FILE  # type: ignore[attr-defined]
            names = known_names(command, action.dest)
            if names and action.type is file_path:
                action.complete = files_and(names, f"_geomflow_{command}_files")  # type: ignore[attr-defined]
            elif names:
                action.choices = names
    print(shtab.complete(args.top, args.shell))
    return 0


def known_names(command: str, argument: str) -> list[str]:
    """What an argument may be, as far as that has a name."""
    from geomflow.flow.registry import FLOWS
    from geomflow.study import STUDIES
    from geomflow.symbolic.functionals import FUNCTIONALS

    known: dict[tuple[str, str], Iterable[str]] = {
        ("run", "file"): examples.names_for("run"),
        ("variety", "file"): examples.names_for("variety"),
        ("examples", "names"): examples.shipped(),
        ("derive", "name"): [*(name for name, entry in FLOWS.items() if not entry.derived), *FUNCTIONALS],
        ("study", "name"): STUDIES,
        ("warm-up", "what"): warm_up.RECIPES,
    }
    return list(dict.fromkeys(known.get((command, argument), ())))


def files_and(names: list[str], function: str) -> dict[str, Any]:
    """Names, and files, in the words of each shell; `function` is a name for where one is needed."""
    words = " ".join(names)
    return {
        "bash": function,
        "zsh": function,
        "fish": f"{words} (__fish_complete_path (commandline -ct))",
        "tcsh": "f",
        "preamble": {
            "bash": f'{function}() {{ compgen -W "{words}" -- "$1"; compgen -f -- "$1"; }}',
            "zsh": f"{function}() {{ _alternative 'files:file:_files' 'examples:example:({words})' }}",
        },
    }


def subcommands(top: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The commands of a parser, by name."""
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


# The page for man, in the language of roff


def man(args: argparse.Namespace) -> int:
    """Print the page."""
    print("\n".join(page(args.top, args.codes)))
    return 0


def page(top: argparse.ArgumentParser, codes: str) -> Iterator[str]:
    """The lines of the page; `codes` says what the exit codes are."""
    yield f'.TH GEOMFLOW 1 "" "geomflow {geomflow.__version__}" "User Commands"'
    yield from (".nh", ".ad l")
    yield from (".SH NAME", rf"geomflow \- {roff(str(top.description).rstrip('.'))}")
    yield from (".SH SYNOPSIS", ".B geomflow", r"[\fIOPTION\fR] \fICOMMAND\fR [\fIARGUMENT\fR]...")
    yield ".SH OPTIONS"
    yield from options(top)
    yield ".SH COMMANDS"
    for name, sub in subcommands(top):
        yield f".SS {roff(synopsis(name, sub))}"
        for paragraph in str(sub.description).split("\n\n"):
            yield from (".PP", roff(" ".join(paragraph.split())))
        yield from options(sub)
    yield from (".SH EXIT STATUS", roff(" ".join(codes.split())))
    yield from (".SH EXAMPLES", ".nf", *map(roff, str(top.epilog).splitlines()[1:]), ".fi")


def synopsis(name: str, parser: argparse.ArgumentParser) -> str:
    """A command with what it takes, options left out."""
    marks = {"*": "[{} ...]", "?": "[{}]"}
    words = [marks.get(str(action.nargs), "{}").format(called(action))
             for action in parser._actions if not action.option_strings]
    return " ".join(["geomflow", name, *words])


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Each argument and option with what it means; the commands of the parser have a section of their own."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction | argparse._HelpAction):
            continue
        names = roff(", ".join(action.option_strings) or called(action))
        value = "" if action.nargs == 0 or not action.option_strings else roff(f" {called(action)}")
        yield from (".TP", rf"\fB{names}\fR{value}", roff(str(action.help)))


def called(action: argparse.Action) -> str:
    """What stands for the value of an argument."""
    return str(action.metavar or action.dest.upper())


def roff(text: str) -> str:
    """A text in which roff reads every character as itself.

    >>> roff(".a -b")
    '\\\\&.a \\\\-b'
    """
    plain = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{plain}" if plain[:1] in (".", "'") else plain
