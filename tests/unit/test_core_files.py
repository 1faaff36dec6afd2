"""Files that are written whole or not at all, and archives that are checked as they are read."""

from __future__ import annotations

import ast
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import geomflow
from geomflow.core import archive, files
from geomflow.core.errors import StoreError

KIND = "test 1"


def written(path, **data):
    archive.write(path, KIND, x=np.arange(3.0), table='{"a": 1}', **data)
    return path


def test_an_error_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "numbers.json"
    files.write_text(path, "old")
    path.chmod(0o640)
    with pytest.raises(ZeroDivisionError), files.replacing(path) as partial:
        partial.write_text("ne")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    files.write_text(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["numbers.json"]


def test_links_stay_links_and_folders_are_no_files(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    files.write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
    with pytest.raises(StoreError, match="is a folder"):
        files.write_text(tmp_path, "new")
    files.write_text(os.devnull, "nothing")
    assert Path(os.devnull).is_char_device()


def test_what_killed_writers_left_is_swept_and_what_others_write_is_not(tmp_path, monkeypatch):
    """Routines are given one time of the past while they are written: what counts is when a file was changed."""
    monkeypatch.setattr(files, "_FORGOTTEN", 1.0)
    old, new = tmp_path / f"{files._PREFIX}old.npz", tmp_path / f"{files._PREFIX}new.npz"
    old.touch()
    time.sleep(1.2)
    new.touch()
    os.utime(new, (time.time() - 7200,) * 2)
    soon = new.stat().st_ctime + 0.1
    monkeypatch.setattr(files, "time", SimpleNamespace(time=lambda: soon))
    files.write_text(tmp_path / "a.txt", "a")
    assert not old.exists()
    assert new.exists()


_WRITER = """
import sys, numpy as np
from geomflow.core import archive
for n in range(10**9):
    archive.write(sys.argv[1], "test 1", n=n, x=np.full(300_000, float(n)))
    print(n, flush=True)
"""


def test_killed_while_writing_the_file_is_whole(tmp_path):
    """Killed at any moment, the last file that was written, or the next one, is there to the last bit."""
    path = tmp_path / "x.npz"
    for kill in range(3):
        process = subprocess.Popen([sys.executable, "-c", _WRITER, path], stdout=subprocess.PIPE, text=True)
        for _ in range(2 + kill):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        with archive.opened(path, KIND) as file:
            n = int(file.array("n", "i"))
            assert n >= 1 + kill
            assert np.array_equal(file.numbers("x", "f", 300_000), np.full(300_000, float(n)))


def test_archives_come_back(tmp_path):
    with archive.opened(written(tmp_path / "a.npz", c=[1j], n=3, b=True), KIND) as file:
        assert np.array_equal(file.numbers("x", "f", None), [0, 1, 2])
        assert file.json("table", dict) == {"a": 1}
        assert (file.numbers("c", "c", 1)[0], int(file.array("n", "i")), bool(file.array("b", "b"))) == (1j, 3, True)


@pytest.mark.parametrize(("ask", "words"), [
    (lambda file: file.numbers("y", "f"), "'y' is missing"),
    (lambda file: file.numbers("x", "f", 4), r"'x' has shape \(3,\), and \(4\) is needed"),
    (lambda file: file.numbers("x", "f", None, 2), r"and \(any, 2\) is needed"),
    (lambda file: file.array("x", "i", 3), "must hold whole numbers, not float64"),
    (lambda file: file.numbers("bad", "f", 2), r"1 of the 2 numbers in 'bad' are not finite, the first at \(1,\)"),
    (lambda file: file.text("x"), "must hold text"),
    (lambda file: file.json("table", list), "'table' must be a list"),
    (lambda file: file.json("broken", list), "'broken' is not JSON"),
    (lambda file: file.json("deep", list), "'deep' is not JSON"),
    (lambda file: {}["key"], "cannot be used .KeyError: 'key'"),
    (lambda file: geomflow.Chart("x x"), "cannot be used .InputError: coordinates must be different"),
])  # fmt: skip
def test_what_is_not_as_it_must_be_is_said(tmp_path, ask, words):
    path = written(tmp_path / "a.npz", bad=[1, np.nan], broken="[1,", deep="[" * 10**5)
    with pytest.raises(StoreError, match=words), archive.opened(path, KIND) as file:
        ask(file)


def test_content_that_was_not_written_is_refused(tmp_path):
    path = written(tmp_path / "a.npz")
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, "x": arrays["x"] + 1})
    with pytest.raises(StoreError, match="not what was written"), archive.opened(path, KIND):
        pass


def test_every_flipped_bit_is_seen(tmp_path):
    """A damaged file raises, or gives exactly what was written (bits that zip does not use)."""
    path, random = written(tmp_path / "a.npz"), np.random.default_rng(1)
    whole, refused = path.read_bytes(), 0
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[random.integers(len(whole))] ^= 1 << random.integers(8)
        path.write_bytes(damaged)
        try:
            with archive.opened(path, KIND) as file:
                x = file.numbers("x", "f", 3)
            assert x.tolist() == [0, 1, 2]
        except StoreError:
            refused += 1
    assert refused > 50


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("ran"),)


def test_objects_are_never_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", kind=KIND, x=np.array(Evil(), dtype=object))
    Path("b.npz").write_bytes(pickle.dumps(Evil()))
    np.save("c.npz.npy", np.zeros(3))
    for name in ("a.npz", "b.npz", "c.npz.npy", "none.npz"):
        with pytest.raises(StoreError, match="cannot read"):
            archive.read(name)
    assert not Path("ran").exists()


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(StoreError, match="cannot write"):
        written(tmp_path / "none" / "a.npz")


def _opens(call: ast.Call) -> str:
    """How a call opens, loads or writes a file, or nothing."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in ("savez", "savez_compressed", "write_text", "write_bytes", "savefig", "dump"):
        return name
    mode = [a.value for a in [*call.args, *(k.value for k in call.keywords)] if isinstance(a, ast.Constant)]
    opens = name == "open" and any(isinstance(m, str) and set(m) <= set("wbax+t") and m for m in mode)
    return "open" if opens else ""


def _unsafe(tree: ast.AST) -> list[str]:
    """Calls that write to a file outside of `with replacing(...)`."""
    inside = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.With) and "replacing(" in ast.unparse(block.items[0])
        for node in ast.walk(block)
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and id(node) not in inside]
    writes = [call for call in calls if _opens(call) and not isinstance(call.func, ast.Name)]
    memory = _memory(tree)
    return [ast.unparse(call) for call in writes if not (call.args and ast.unparse(call.args[0]) in memory)]


def _memory(tree: ast.AST) -> set[str]:
    """Variables that are files in memory."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets, values = ([x.elts if isinstance(x, ast.Tuple) else [x] for x in (node.targets[0], node.value)])
            names |= {ast.unparse(t) for t, v in zip(targets, values) if ast.unparse(v) == "io.BytesIO()"}
    return names


#: What a module that writes must hold.
WRITES = re.compile(r"savez|write_text|write_bytes|savefig|dump\(|open\(")
#: Files that nobody keeps, and the writers themselves.
OWN = {
    "core/files.py": "the writer",
    "codegen/cache.py": "a cache, written whole by itself",
    "io/layout.py": "the commit of a store, replaced by a rename",
    "distribute/local.py": "the log of a worker, in a temporary folder",
}


def test_every_file_that_is_kept_is_replaced_whole():
    """No module opens a file of the user's for writing but through `replacing`."""
    root = Path(geomflow.__file__).parent
    found = {}
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        text = path.read_text()
        if name not in OWN and WRITES.search(text) and (calls := _unsafe(ast.parse(text))):
            found[name] = calls
    assert not found
