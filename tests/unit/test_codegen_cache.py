"""The routine cache survives other processes, damage, and folders that cannot be written."""

import importlib.util
import os
import py_compile
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from limits import HANGS

from geomflow.codegen import cache, compile_points
from geomflow.core import graph as gr

X = gr.symbol("x")
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH
_fresh = count(os.getpid() * 1000)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder, and no routine remembered in the process."""
    monkeypatch.setenv("GEOMFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_loaded", {})
    return tmp_path / "cache"


def routine(number=7):
    return compile_points(X**2 + number, (X,))


def machine_code(path):
    """The files in which Numba keeps what it made of a source."""
    return sorted((path.parent / "__pycache__").glob(f"{path.stem}.*.nb?"))


def restart(monkeypatch):
    """Forget what the process has loaded, as a new process would."""
    monkeypatch.setattr(cache, "_loaded", {})


def test_source_lies_in_the_folder_and_is_content_addressed(folder):
    r = routine()
    assert r(2.0) == 11.0
    assert r.path.parent == folder
    assert r.path.read_text() == r.source
    assert routine().path == r.path != routine(8).path
    assert not list(folder.glob(".partial-*"))


def test_versions_are_part_of_the_name(folder, monkeypatch):
    before = routine().path
    monkeypatch.setattr(cache, "versions", lambda: "another version")
    assert routine().path != before


def test_machine_code_is_kept_and_used_again(folder, monkeypatch):
    assert routine()(1.0) == 8.0
    code = machine_code(routine().path)
    times = [c.stat().st_mtime_ns for c in code]
    restart(monkeypatch)
    r = routine()
    assert r(1.0) == 8.0
    assert sum(r._compiled.function.stats.cache_hits.values()) == 1
    assert code
    assert [c.stat().st_mtime_ns for c in code] == times


@pytest.mark.parametrize("damage", [b"", b"garbage(", b"def block(): return 1\n"])
def test_damaged_source_is_written_again(folder, monkeypatch, damage):
    path = routine().path
    path.write_bytes(damage)
    restart(monkeypatch)
    assert routine()(3.0) == 16.0
    assert path.read_text() == routine().source


@pytest.mark.parametrize("part", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", ["truncated", "altered", "no seal"])
def test_damaged_machine_code_is_made_again(folder, monkeypatch, part, damage):
    assert routine()(3.0) == 16.0
    path = routine().path
    (file,) = (c for c in machine_code(path) if c.suffix == part)
    content = bytearray(file.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "altered":
        content[-40:-20] = bytes(20)
    else:
        path.with_suffix(".seal").unlink()
    file.write_bytes(content)
    restart(monkeypatch)
    r = routine()
    assert r(3.0) == 16.0
    assert not r._compiled.function.stats.cache_hits


def test_folder_that_cannot_be_made_is_replaced_with_a_warning(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("GEOMFLOW_CACHE", str(tmp_path / "file" / "cache"))
    restart(monkeypatch)
    with pytest.warns(RuntimeWarning, match="cannot be used.*Set GEOMFLOW_CACHE"):
        path = routine(next(_fresh)).path
    assert path.exists()


def test_full_disk_under_the_machine_code_is_survived(folder, monkeypatch):
    from numba.core import caching

    write, refuge = caching.IndexDataCacheFile._save_data, str(cache._refuge())

    def full(self, name, data):
        if not self._cache_path.startswith(refuge):
            raise OSError(28, "No space left on device")
        write(self, name, data)

    monkeypatch.setattr(caching.IndexDataCacheFile, "_save_data", full)
    with pytest.warns(RuntimeWarning, match="No space left"):
        assert routine(next(_fresh))(0.0) > 0


_SCRIPT = """
import sys, warnings
warnings.simplefilter("error")
from geomflow.codegen import compile_points
from geomflow.core import graph as gr
x = gr.symbol("x")
for n in range(3):
    assert compile_points(gr.log(x + 1) * x + n, (x,))(0.0) == n
"""


def test_processes_that_compile_the_same_at_once(folder):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    running = [subprocess.Popen([sys.executable, "-c", _SCRIPT], env=environment, stderr=subprocess.PIPE)
               for _ in range(3)]
    for process in running:
        _, errors = process.communicate(timeout=HANGS)
        assert process.returncode == 0, errors.decode()
    assert len(list(folder.glob("points_*.py"))) == 3
    assert not list(folder.glob(".partial-*"))
    for path in folder.glob("points_*.py"):
        assert cache.stem("points", path.read_text()) == path.stem


def test_what_is_made_is_for_the_user_alone_and_holds_no_bytecode(folder):
    umask = os.umask(0)
    try:
        path = routine(next(_fresh)).path
        assert compile_points(X**2, (X,))(1.0) == 1.0
        assert routine(next(_fresh))(0.0) > 0
    finally:
        os.umask(umask)
    made = [folder, *folder.rglob("*")]
    assert len(made) > 6
    assert path in made
    assert not any(file.suffix == ".pyc" for file in made)
    assert not any(file.stat().st_mode & 0o022 for file in made)
    assert folder.stat().st_mode & 0o777 == (folder / "__pycache__").stat().st_mode & 0o777 == 0o700


def computed(number):
    """The routine, having given the right answer."""
    found = routine(number)
    assert found(1.0) == 1.0 + number
    return found


def someone_else(monkeypatch, path):
    """Let a file or folder belong to another user."""
    try:
        os.chown(path, os.getuid() + 1, -1)
    except PermissionError:
        monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
@pytest.mark.parametrize("which", ["folder", "above", "machine code"])
@pytest.mark.parametrize("fault", ["group", "world", "owner"])
def test_folders_that_others_can_change_are_not_used(folder, monkeypatch, which, fault):
    number = next(_fresh)
    assert routine(number)(1.0) == 1.0 + number
    before = {file: file.read_bytes() for file in folder.rglob("*.nb?")}
    bad = {"folder": folder, "above": folder.parent, "machine code": folder / "__pycache__"}[which]
    if fault == "owner":
        someone_else(monkeypatch, bad)
    else:
        bad.chmod(0o770 if fault == "group" else 0o707)
    restart(monkeypatch)
    said = "belongs to user" if fault == "owner" else "others may write"
    with pytest.warns(RuntimeWarning, match=said) as told:
        again, other = computed(number), computed(number + 10**9)
    assert len(told) == 1
    assert other.path.parent == again.path.parent
    assert fault == "owner" or str(bad) in str(told[0].message)
    assert folder not in again.path.parents
    assert again.path.parent.stat().st_mode & 0o777 == 0o700
    assert {file: file.read_bytes() for file in folder.rglob("*.nb?")} == before


def test_a_folder_for_all_above_is_used_where_it_protects_what_is_in_it(folder, monkeypatch):
    folder.parent.chmod(0o1777)
    assert routine(next(_fresh)).path.parent == folder


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
@pytest.mark.parametrize("kind", [".nbi", ".nbc", ".seal"])
@pytest.mark.parametrize("fault", ["rights", "owner", "link"])
def test_files_that_others_can_change_are_made_again(folder, monkeypatch, kind, fault):
    number = next(_fresh)
    path = routine(number).path
    assert routine(number)(1.0) == 1.0 + number
    bad = next(file for file in folder.rglob(f"{path.stem}*") if file.suffix == kind)
    if fault == "rights":
        bad.chmod(0o666)
    elif fault == "owner":
        if os.geteuid():
            pytest.skip("only root gives files away")
        os.chown(bad, 1, -1)
    else:
        bad.rename(folder.parent / "elsewhere")
        bad.symlink_to(folder.parent / "elsewhere")
    restart(monkeypatch)
    again = routine(number)
    assert again(1.0) == 1.0 + number
    assert not again._compiled.function.stats.cache_hits
    assert bad.lstat().st_uid == os.geteuid()
    assert bad.lstat().st_mode & 0o777 == 0o600
    assert not bad.is_symlink()


@pytest.mark.parametrize("content", [b"", b"\0" * 500, bytes(range(256)) * 4, "half"])
def test_garbage_in_any_file_is_made_again(folder, monkeypatch, content):
    number = next(_fresh)
    path = routine(number).path
    assert routine(number)(1.0) == 1.0 + number
    files = [file for file in folder.rglob(f"{path.stem}*") if file.is_file()]
    assert {file.suffix for file in files} == {".py", ".seal", ".nbi", ".nbc"}
    for file in files:
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
        restart(monkeypatch)
        assert routine(number)(1.0) == 1.0 + number
        assert path.read_text() == routine(number).source


def test_bytecode_in_the_folder_is_never_run(folder, monkeypatch, tmp_path):
    number = next(_fresh)
    path = routine(number).path
    spy = tmp_path / "spy.py"
    spy.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit\n")
    py_compile.compile(str(spy), importlib.util.cache_from_source(path), invalidation_mode=UNCHECKED)
    restart(monkeypatch)
    assert routine(number)(1.0) == 1.0 + number
    assert not (tmp_path / "ran").exists()


def test_machine_code_that_cannot_be_removed_is_not_used(folder, monkeypatch):
    number = next(_fresh)
    path = routine(number).path
    assert routine(number)(1.0) == 1.0 + number
    path.with_suffix(".seal").write_bytes(b"another")
    restart(monkeypatch)
    refuse = PermissionError(13, "Permission denied")
    monkeypatch.setattr(cache.Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(refuse))
    with pytest.warns(RuntimeWarning, match="Permission denied"):
        again = computed(number)
    assert folder not in again.path.parents
    assert not again._compiled.function.stats.cache_hits


def nobody(monkeypatch, tmp_path):
    """No home, no entry in the list of users, and an own folder for temporary files."""
    for name in ("GEOMFLOW_CACHE", "XDG_CACHE_HOME", "HOME", "USERPROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: (_ for _ in ()).throw(KeyError(uid)))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(cache, "_loaded", {})
    return tmp_path / f"geomflow-{os.getuid()}"


@pytest.mark.skipif(os.name != "posix", reason="users of POSIX")
def test_without_a_home_the_folder_for_temporary_files_is_used(monkeypatch, tmp_path):
    own = nobody(monkeypatch, tmp_path)
    path = routine(next(_fresh)).path
    assert path.parent == own
    assert own.stat().st_mode & 0o777 == 0o700
    for home in ("", ".", "relative"):
        monkeypatch.setenv("HOME", home)
        monkeypatch.setenv("XDG_CACHE_HOME", home)
        assert cache.default_directory() == own


_INSTALLED = """
import os
real = os.access
os.access = lambda path, mode, **rest: not (str(path).endswith("geomflow") and mode & os.W_OK) and real(path, mode)
import geomflow
print(os.environ.get("NUMBA_CACHE_DIR"))
"""


@pytest.mark.parametrize("given", [None, "chosen"])
def test_where_the_package_cannot_be_written_to_its_functions_are_kept_in_the_users_folder(tmp_path, given):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("NUMBA_CACHE_DIR", None)
    environment |= {"NUMBA_CACHE_DIR": given} if given else {}
    done = subprocess.run([sys.executable, "-c", _INSTALLED], env=environment, capture_output=True, text=True,
                          check=True)
    if given:
        assert done.stdout.strip() == given
        return
    folder = Path(done.stdout.strip())
    assert folder.name == "numba"
    assert folder.stat().st_mode & 0o777 == 0o700
    if sys.platform.startswith("linux"):
        assert folder == tmp_path / "geomflow" / "numba"


@pytest.mark.skipif(os.name != "posix", reason="users of POSIX")
def test_one_that_someone_else_has_made_there_is_not(monkeypatch, tmp_path):
    own = nobody(monkeypatch, tmp_path)
    own.mkdir(mode=0o700)
    someone_else(monkeypatch, own)
    with pytest.warns(RuntimeWarning, match="belongs to user"):
        assert own not in routine(next(_fresh)).path.parents


def test_default_folder_follows_the_platform(monkeypatch):
    monkeypatch.delenv("GEOMFLOW_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    if sys.platform.startswith("linux"):
        assert cache.default_directory() == Path("/somewhere/geomflow")
    assert cache.default_directory().name == "geomflow"
