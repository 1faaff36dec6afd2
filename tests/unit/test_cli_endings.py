"""The command ends in one line and a code of its own for each kind of end, whatever it is given and whatever fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import warnings
from pathlib import Path

import commands
import pytest

import geomflow
from geomflow import cli
from geomflow.cli import main
from geomflow.cli.terminal import DEFECT, INPUT, INTERRUPTED, LONGEST_MESSAGE, NO_READER, one_line, shown
from geomflow.core.errors import InputError

RUN = """\
[geometry]
type = "complex torus"
dim = 1

[grid]
n = 8

[state]
potential = "cos(2*pi*x)/100"

[flow]
name = "kahler-ricci"

[solve]
t1 = 0.001
"""
VARIETY = """\
[variety]
polynomial = "x^3 + y^3 + z^3"

[points]
count = 200

[metric]
degree = 2
"""


pytestmark = pytest.mark.usefixtures("here")


def refused(capsys, *argv: str) -> str:
    """The one line of a command that is refused, having written nothing."""
    before = set(Path.cwd().iterdir())
    line = commands.refused(capsys, *argv)
    assert line.count("\n") == 1
    assert len(line) < LONGEST_MESSAGE + 100
    assert set(Path.cwd().iterdir()) == before
    return line


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("potential =", f'scalar = "0.{"1" * 5000}"\n#', "a number of 5002 digits"),
        ("[grid]", f"[output]\npictures = {'[' * 5000}{']' * 5000}\n[grid]", "nested too deeply"),
        ("[grid]", f"[output]\npictures = {'[' * 300}{']' * 300}\n[grid]", "output.pictures takes a list of texts"),
        ("[grid]", f"[output]\na = {'{a=' * 5000}1{'}' * 5000}\n[grid]", "nested too deeply"),
        ('"kahler-ricci"', f'"gradient"\nparameters.{".".join("a" * 5000)} = 1', "flow.parameters takes a table of "),
        ("n = 8", f"n = 0x{'f' * 5000}", "a whole number of about 6,021 digits"),
        ("n = 8", f"n = {'9' * 5000}", "5000 digits"),
        ("n = 8", f"n = {[8] * 5000}", "5000 numbers of points"),
        ("n = 8", "n = 9000000000000000000", "available"),
        ("0.001", "1" * 400, "solve.t1 takes a number, and a whole number of about 400 digits was given"),
        ("0.001", "1e400", "1e400 is beyond double precision"),
        ("0.001", f"1e{'9' * 400}", "has an exponent beyond those of double precision"),
        ("0.001", f"0.0e-{'9' * 30}", "has an exponent beyond those of double precision"),
        ("0.001", "1e-400", "1e-400 is not 0 but below double precision"),
        ("0.001", "nan", "solve.t1 takes a number, and nan was given"),
        ("0.001", "-1e-320", "must be greater than"),
        ("0.001", "0.001\nsave = 1000000000000", "available"),
        ('"kahler-ricci"', f'"{"a" * 5000}"', "unknown flow 'aaa"),
        ('"kahler-ricci"', '"\\u001b[31mred\\u0000"', r"'\x1b[31mred\x00'"),
        ('"kahler-ricci"', '"kahler-ricci"\nspeed = true', "the speed is True"),
        ('"kahler-ricci"', f'"kahler-ricci"\nspeed = 0x{"f" * 5000}', "flow.speed takes a number"),
        ('"kahler-ricci"', f'"kahler-ricci"\n{"a" * 5000} = 1', "unknown option"),
        ("dim = 1", "dim = 1\nperiods = 1e-200", "beyond double precision"),
        ("cos(2*pi*x)", "lg(x)", "unknown function 'lg'; did you mean 'log'? in ▸lg(x)/100"),
    ],
)
def test_a_run_file_is_refused_in_one_line(capsys, old, new, said):
    assert old in RUN
    Path("f.toml").write_text(RUN.replace(old, new), encoding="utf-8")
    assert said in refused(capsys, "run", "f.toml")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["show", "a" * 5000], "file name too long"),
        (["run", "a" * 5000], "file name too long"),
        (["run", "."], "is a directory"),
        (["run", "/dev/zero"], "more than 4,000,000 bytes"),
        (["run", ""], "takes the name of a file"),
        (["run", "a\0b"], "zero byte"),
        (["--nothing"], "unrecognized arguments: --nothing"),
        (["a" * 5000], "invalid choice: 'aaa"),
        (["run", "f.toml", "--resum"], "f.toml"),
        (["derive", "a" * 5000], "unknown flow or functional 'aaa"),
        (["derive", "ef", "--function", "(" * 5000], "200 levels of nesting"),
        (["derive", "ricci", "--dim", "9" * 400], "takes a whole number below 2^63"),
        (["derive", "ricci", "--dim", "two"], "takes a whole number, and 'two' was given"),
        (["quintic", "--work", "nan"], "takes a number, and 'nan' was given"),
        (["quintic", "--workers", "9" * 5000], "takes a whole number"),
    ],
)
def test_words_are_refused_in_one_line(capsys, argv, said):
    assert said in refused(capsys, *argv)


def fails_with(monkeypatch, error: BaseException) -> None:
    """Let `geomflow version` meet an error."""
    def execute(args):
        raise error
    monkeypatch.setattr(cli, "version", execute)


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), RecursionError(), KeyError(3), AssertionError()])
def test_what_nobody_expected_is_a_defect_with_a_file_of_its_details(capsys, monkeypatch, here, error):
    fails_with(monkeypatch, error)
    assert main(["version"]) == DEFECT
    (file,) = here.glob("geomflow-defect-*.txt")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert type(error).__name__ in told
    assert str(file) in told
    details = file.read_text()
    for part in (f"geomflow {geomflow.__version__}", "geomflow version", "Traceback", "in execute", "numpy"):
        assert part in details


def test_the_details_of_a_defect_go_to_the_temporary_folder_where_the_working_one_is_gone(
        capsys, monkeypatch, tmp_path):  # fmt: skip
    fails_with(monkeypatch, ValueError("\udcff"))
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert main(["version"]) == DEFECT
    assert len(list((tmp_path / "temporary").glob("geomflow-defect-*.txt"))) == 1
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert main(["version"]) == DEFECT
    assert "--debug" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("a\nb"), INPUT, "geomflow: error: a b\n"),
        (OSError(errno.ENOSPC, "No space left on device", "f"), INPUT, "refuses 'f': no space left on device"),
        (MemoryError("Unable to allocate 7 TiB"), INPUT, "memory ran out (Unable to allocate 7 TiB)"),
        (KeyboardInterrupt(), INTERRUPTED, "geomflow: interrupted\n"),
        (BrokenPipeError(), NO_READER, ""),
    ],
)
def test_what_the_machine_or_the_user_ends_is_no_defect(capsys, monkeypatch, here, error, code, said):
    fails_with(monkeypatch, error)
    assert main(["version"]) == code
    assert said in capsys.readouterr().err
    assert not list(here.iterdir())


def test_the_traceback_is_shown_where_it_is_asked_for(capsys):
    assert main(["--debug", "run", "nowhere.toml"]) == INPUT
    told = capsys.readouterr().err
    assert told.startswith("Traceback")
    assert told.splitlines()[-1].startswith("geomflow: error: cannot read the run file")


def test_warnings_are_one_line_each(capsys, monkeypatch):
    monkeypatch.setattr(cli, "version",
                        lambda args: print(warnings.formatwarning("one\ntwo", RuntimeWarning, "file", 1), end="") or 0)
    before = warnings.formatwarning
    assert main(["version"]) == 0
    assert capsys.readouterr().out == "geomflow: warning: one two\n"
    assert warnings.formatwarning is before


COMMAND = f"{sys.executable} -m geomflow version"


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"({COMMAND}; echo $? >&2) | true", "141\n"),
        (f"{COMMAND} > /dev/full; echo $? >&2", "geomflow: error: the system refuses: no space left on device\n2\n"),
        (f"{COMMAND} >&-; echo $? >&2", "0\n"),
        (f"PYTHONIOENCODING=ascii {COMMAND} | tail -c 1 >/dev/null; echo $? >&2", "0\n"),
    ],
)
def test_output_that_goes_nowhere_is_no_traceback(line, said):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == said


def test_messages_are_cut_and_made_visible():
    assert one_line("a\x00b\x1b c\u2028d") == r"a\x00b\x1b c d"
    assert "5,000 characters" in one_line("word " + 5000 * "x")
    assert len(one_line(" ".join(["word"] * 5000))) < LONGEST_MESSAGE + 50
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    assert len(shown(deep)) < 50
    assert "digits" in shown({"a": [16**5000]})


def test_unreadable_names_of_folders_are_shown(capsys):
    assert main(["show", "\udcff"]) == INPUT
    assert "\\udcff" in capsys.readouterr().err
