"""Run files are checked whole, before anything is computed."""

from __future__ import annotations

import tomllib

import pytest

from geomflow.cli.document import checked, is_required, keys_of, line_of, meaning_of, phrase_of, read_document, table_of
from geomflow.cli.schema import RunFile, VarietyFile
from geomflow.cli.symmetric_file import SymmetricFile
from geomflow.cli.toric_file import ToricFile
from geomflow.core.errors import InputError, UnknownNameError

GOOD = """\
[geometry]
type = "torus"
dim = 2

[grid]
n = 64

[state]
metric = [["1 + cos(2*pi*y)/5", 0], ["0", 1]]

[flow]
name = "ricci"
gauge = "deturck"

[solve]
t1 = 0.01
"""


def faults_of(text: str) -> None:
    """Check a text as if it stood in run.toml."""
    checked(tomllib.loads(text), text, "run.toml", RunFile)


def test_a_good_file_passes():
    faults_of(GOOD)


def test_what_a_file_says_is_kept_as_it_stands_there():
    document = tomllib.loads(GOOD)
    file = checked(document, GOOD, "run.toml", RunFile)
    assert file.given() == document
    assert file.solve.t1 == 0.01
    assert file.state.metric == [["1 + cos(2*pi*y)/5", 0], ["0", 1]]
    assert all(type(entry) is not float for row in file.state.metric for entry in row)
    assert file.flow.gauge == "deturck"


@pytest.mark.parametrize("declared", [RunFile, SymmetricFile, ToricFile, VarietyFile])
def test_every_table_and_key_has_a_meaning_and_a_kind(declared):
    for field in keys_of(declared).values():
        table = table_of(field)
        assert table.__doc__
        assert all(meaning_of(key) and phrase_of(key.type) for key in keys_of(table).values())


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("[solve]", "[solv]", UnknownNameError, r"run\.toml, line 15: unknown table 'solv'; did you mean 'solve'\?"),
        ("t1 =", "t2 =", UnknownNameError, r"line 16: unknown key in \[solve\] 't2'; did you mean 't[01]'\?"),
        ("dim = 2", 'dim = "2"', InputError, r"line 3: geometry\.dim takes a whole number, and '2' was given"),
        ("dim = 2", "dim = true", InputError, r"line 3: geometry\.dim takes a whole number, and True was given"),
        ("n = 64", "n = 6.5", InputError, r"line 6: grid\.n takes a whole number or a list of whole numbers"),
        ("n = 64", "order = 4", InputError, r"line 5: \[grid\] needs the key 'n': points along an axis"),
        ("t1 = 0.01", "t1 = 0.01\nsave = ['a']", InputError, r"line 17: solve\.save takes a whole number or a list"),
        (GOOD.splitlines()[8], "metric = 3", InputError, r"line 9: state\.metric takes a list of rows"),
    ],
)
def test_a_fault_is_named_with_its_line(old, new, error, message):
    assert old in GOOD
    with pytest.raises(error, match=message):
        faults_of(GOOD.replace(old, new))


@pytest.mark.parametrize("name", [name for name, field in keys_of(RunFile).items() if is_required(field)])
def test_a_missing_table_is_named(name):
    document = tomllib.loads(GOOD)
    del document[name]
    with pytest.raises(InputError, match=rf"the table \[{name}\] is missing"):
        checked(document, "", "run.toml", RunFile)


def test_a_table_given_as_a_value_is_explained():
    with pytest.raises(InputError, match=r"line 1: 'grid' is a table; write \[grid\]"):
        faults_of("grid = 64\n")


def test_lines_are_found_for_dotted_keys_and_not_invented():
    assert line_of("solve.t1 = 1\n", "solve", "t1") == ", line 1"
    assert line_of("[solve]\nt1 = 1\n", "solve", "t2") == ", line 1"
    assert line_of("[solve]\nt1 = 1\n", "grid", "n") == ""
    assert line_of("[a]\nt1 = 1\n[solve]\n# t1 = 2\nt1 = 3\n", "solve", "t1") == ", line 5"


def test_broken_toml_and_missing_files_are_input_errors(tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("[grid\nn = 3")
    with pytest.raises(InputError, match=r"broken\.toml is not valid TOML: .*line 1"):
        read_document(broken, RunFile)
    with pytest.raises(InputError, match=r"cannot read the run file '.*nowhere\.toml': no such file"):
        read_document(tmp_path / "nowhere.toml", RunFile)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not text in UTF-8"):
        read_document(tmp_path / "bytes.toml", RunFile)
