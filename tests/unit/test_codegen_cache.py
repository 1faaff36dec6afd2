"""The routine cache survives other processes, damage, and folders that cannot be written."""

import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from geomflow.codegen import cache, compile_points
from geomflow.core import graph as gr

X = gr.symbol("x")
_fresh = count(os.getpid() * 1000)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder, and no routine remembered in the process."""
    monkeypatch.setenv("GEOMFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_loaded", {})
    return tmp_path / "cache"


def routine(number=7):
    return compile_points(X**2 + number, (X,))


def restart(monkeypatch):
    """Forget what the process has loaded, as a new process would."""
    monkeypatch.setattr(cache, "_loaded", {})


def test_source_lies_in_the_folder_and_is_content_addressed(folder):
    r = routine()
    assert r(2.0) == 11.0
    assert r.path.parent == folder
    assert r.path.read_text() == r.source
    assert routine().path == r.path != routine(8).path
    assert not list(folder.glob("*.part"))


def test_versions_are_part_of_the_name(folder, monkeypatch):
    before = routine().path
    monkeypatch.setattr(cache, "versions", lambda: "another version")
    assert routine().path != before


def test_machine_code_is_kept_and_used_again(folder, monkeypatch):
    assert routine()(1.0) == 8.0
    code = cache._machine_code(routine().path)
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
    (file,) = (c for c in cache._machine_code(path) if c.suffix == part)
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
        _, errors = process.communicate(timeout=3600)
        assert process.returncode == 0, errors.decode()
    assert len(list(folder.glob("points_*.py"))) == 3
    assert not list(folder.glob("*.part"))
    for path in folder.glob("points_*.py"):
        assert cache.stem("points", path.read_text()) == path.stem


def test_default_folder_follows_the_platform(monkeypatch):
    monkeypatch.delenv("GEOMFLOW_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    if sys.platform.startswith("linux"):
        assert cache.default_directory() == Path("/somewhere/geomflow")
    assert cache.default_directory().name == "geomflow"
