"""What a person meets first: help, the version, completion in a shell, the page for man."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import geomflow
from geomflow.cli import main, parser
from geomflow.cli.shell import SHELLS, page, subcommands

MAN = Path(__file__).parents[2] / "docs" / "man" / "geomflow.1"


def printed(capsys, *argv: str) -> str:
    """What a command prints that ends well."""
    try:
        code = main(argv)
    except SystemExit as end:
        code = end.code
    told = capsys.readouterr()
    assert (code, told.err) == (0, "")
    return told.out


def test_the_version(capsys):
    assert printed(capsys, "--version") == f"geomflow {geomflow.__version__}\n"


def test_no_words_are_a_request_for_help(capsys):
    told = printed(capsys)
    assert told == printed(capsys, "--help")
    assert "  geomflow run calabi_flow_torus   " in told
    for name, sub in subcommands(parser()):
        assert f"    {name}" in told
        assert "\n\n" in printed(capsys, name, "--help")
        assert str(sub.description)[:1].isupper()


def test_help_keeps_to_the_width_of_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, printed(capsys, "variety", "--help").splitlines())) <= 80


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script_that_knows_the_commands(capsys, shell):
    script = printed(capsys, "completion", shell)
    assert "calabi_flow_torus" in script
    assert all(name in script for name, _ in subcommands(parser()))


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("ru", "run"),
        ("run cala", "calabi_flow_torus"),
        ("run own", "own.toml"),
        ("examples own", "own_polynomial"),
        ("derive ken", "kenergy"),
        ("study wid", "width"),
        ("warm-up kern", "kernels"),
        ("quintic --deg", "--degree"),
        ("run --out pla", "place"),
    ],
)
def test_bash_completes(capsys, tmp_path, words, offered):
    (tmp_path / "own.toml").touch()
    (tmp_path / "place").mkdir()
    (tmp_path / "script").write_text(printed(capsys, "completion", "bash"), encoding="utf-8")
    asked = f'source ./script; COMP_WORDS=(geomflow {words}); COMP_CWORD={len(words.split())}; _shtab_geomflow; ' \
            'echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [offered]


def test_the_page_for_man_is_that_of_the_parser(capsys):
    assert printed(capsys, "man") == MAN.read_text(encoding="utf-8"), "run: geomflow man > docs/man/geomflow.1"


def test_the_page_for_man_says_what_each_command_takes():
    lines = list(page(parser(), "0 for all."))
    assert lines[0].startswith(".TH GEOMFLOW 1")
    assert ".SS geomflow run FILE" in lines
    assert ".SS geomflow warm\\-up [WHAT ...]" in lines
    assert r"\fB\-\-change\-monitors\fR" in lines
    assert "0 for all." in lines


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_roff_reads_the_page_without_a_warning():
    command = ["groff", "-man", "-ww", "-K", "utf8", "-T", "utf8", str(MAN)]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stderr == b""
    assert "geomflow quintic" in done.stdout.decode()
