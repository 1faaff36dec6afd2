"""Workers: who does tasks, in which order results come, what travels, and what is said where there is no cluster."""

from __future__ import annotations

import contextlib
import pickle
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from limits import HANGS

from geomflow.cli import main
from geomflow.core.errors import InputError, MissingExtraError
from geomflow.core.threads import at_most, one_thread_products, threads
from geomflow.distribute import (
    IN_SEQUENCE,
    DaskWorkers,
    Here,
    SchedulerNotFoundError,
    VersionMismatchError,
    WorkersLostError,
    as_workers,
)
from geomflow.distribute.connect import asker, checked_address, connected, require_same
from geomflow.distribute.dask_workers import Whole
from geomflow.study import Study, run_study
from geomflow.study.study import KeptRows


@pytest.fixture(scope="module")
def client():
    """A Dask cluster of two threads in this process: quick to start, and all that is not about processes."""
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster, \
         Client(cluster, set_as_default=False) as found:
        yield found


@pytest.fixture(params=["sequence", "threads", "dask"])
def workers(request):
    """Everyone who can do tasks."""
    if request.param == "dask":
        return DaskWorkers(request.getfixturevalue("client"))
    return IN_SEQUENCE if request.param == "sequence" else Here(3)


def slept(unit, first, second):
    time.sleep(unit * (3 - first))
    return first, second


def test_results_are_in_the_order_of_the_tasks(workers):
    assert workers.map(slept, range(4), "abcd", common=(0.02,)) == [(0, "a"), (1, "b"), (2, "c"), (3, "d")]
    assert sorted(workers.done(slept, range(3), "abcd", common=(0.02,))) == [(n, (n, "abc"[n])) for n in range(3)]
    assert workers.map(slept, [], [], common=(1,)) == []


def test_what_is_shared_and_kept_stands_for_its_value(workers):
    shared = workers.share(np.arange(3.0))
    kept = workers.keep(np.multiply, [1.0, 2.0], common=(shared,))
    found = workers.map(np.add, kept, [10.0, 20.0])
    np.testing.assert_array_equal(found, [[10, 11, 12], [20, 22, 24]])
    np.testing.assert_array_equal(workers.map(np.add, [shared], common=(kept[1],)), [[0, 3, 6]])


def test_the_error_of_a_task_is_raised_as_it_is(workers):
    with pytest.raises(ZeroDivisionError):
        workers.map(divmod, [1, 2, 3], [1, 0, 1])
    assert workers.map(divmod, [7], [2]) == [(3, 1)]


def test_tasks_in_sequence_wait_for_one_another():
    begun = []
    results = IN_SEQUENCE.done(begun.append, [1, 2])
    next(results)
    assert begun == [1]


def test_the_threads_of_a_block_are_limited(monkeypatch):
    monkeypatch.setenv("GEOMFLOW_THREADS", "5")
    with at_most(3):
        with at_most(None):
            assert threads() == 3
        assert Here(2).count == 2
    assert threads() == 5


def test_products_take_one_thread_until_the_last_leaves():
    from threadpoolctl import threadpool_info, threadpool_limits

    def counts():
        return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}

    with threadpool_limits(3, "blas"):
        outer, inner = one_thread_products(), one_thread_products()
        outer.__enter__()
        inner.__enter__()
        outer.__exit__(None, None, None)
        assert counts() == {1}
        inner.__exit__(None, None, None)
        assert counts() == {3}


def test_arrays_arrive_writable_and_aligned():
    buffers = []
    content = pickle.dumps(Whole({"x": np.arange(5.0), "f": lambda y: y + 1}), protocol=5,
                           buffer_callback=buffers.append)
    moved = [b"x" + bytes(buffer.raw()) for buffer in buffers]
    found = pickle.loads(content, buffers=[memoryview(each)[1:] for each in moved]).value
    assert found["x"].flags.writeable
    assert found["x"].flags.aligned
    assert found["x"].ctypes.data % 16 == 0
    np.testing.assert_array_equal(found["f"](found["x"]), np.arange(1.0, 6.0))


def test_what_cannot_travel_is_said():
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=0, dashboard_address=":0", host="127.0.0.1") as cluster, \
         Client(cluster, set_as_default=False) as found:
        unready = object.__new__(DaskWorkers)
        unready.client = found
        with pytest.raises(InputError, match=r"^identity with its arguments cannot be sent to other processes"):
            unready.keep(identity, [threading.Lock()])
        with pytest.raises(WorkersLostError, match=r"no workers for 0\.2 s.*dask worker tcp://127.0.0.1"):
            DaskWorkers(found, patience=0.2)


def identity(value):
    return value


def test_workers_are_what_is_given(client):
    with as_workers(None) as here, as_workers(None, IN_SEQUENCE) as sequence, as_workers(here) as same:
        assert (here, sequence) == (Here(), IN_SEQUENCE)
        assert same is here
    with as_workers(client) as team:
        assert isinstance(team, DaskWorkers)
        assert team.count == 2
        assert str(team).startswith("2 workers of the cluster at ")
    assert client.status == "running"


@pytest.mark.parametrize("given, words", [
    (True, "names no workers"), (2.5, "names no workers"), (object(), "names no workers"),
    (0, "whole number >= 1"), (-3, "whole number >= 1"), ("", "no address"), ("somewhere", "no address"),
    ("host:port", "no address"), ("tcp://host:99999", "no address"),
])
def test_what_are_no_workers_is_said(given, words):
    with pytest.raises(InputError, match=words), as_workers(given):
        pass


def test_addresses_have_a_protocol():
    assert [checked_address(text) for text in ("a:1", "tls://[::1]:8786")] == ["tcp://a:1", "tls://[::1]:8786"]


@pytest.fixture
def closed_port():
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_a_scheduler_that_is_not_there(closed_port, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    address = f"127.0.0.1:{closed_port}"
    for command in (["quintic", "--degree", "1", "--points", "100"], ["study", "local-limit", "--quick"]):
        assert main([*command, "--scheduler", address]) == 2
        words = capsys.readouterr().err
        assert f"no scheduler at tcp://{address} (connection refused)" in words
        assert "--workers N" in words
        assert words.count("\n") == 1
    assert not (tmp_path / "varieties" / "quintic").exists()


@pytest.mark.parametrize("greeting, patience, words", [
    (b"", 0.3, "timed out"), (b"SSH-2.0-Other\r\n", HANGS, "is no scheduler")
])
def test_something_else_at_the_address(greeting, patience, words):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        threading.Thread(target=lambda: _answer(server, greeting), daemon=True).start()
        with pytest.raises(SchedulerNotFoundError, match=words), connected(address, timeout=patience):
            pass


def _answer(server, greeting):
    line, _ = server.accept()
    line.sendall(greeting)
    with contextlib.suppress(OSError):
        while line.recv(4096):  # until the other side has had enough
            pass
    line.close()


def test_workers_and_a_scheduler_are_one_too_many(capsys):
    assert main(["study", "width", "--quick", "--workers", "2", "--scheduler", "a:1"]) == 2
    assert "give one of them" in capsys.readouterr().err


def test_a_missing_package_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    for given in (2, "a:1"):
        with pytest.raises(MissingExtraError, match=r"'distributed'.*geomflow\[cluster\]"), as_workers(given):
            pass


def test_other_versions_are_named():
    ours = asker()()
    assert {"python", "geomflow", "numpy", "numba"} <= set(ours)
    require_same(ours, dict(ours), "tcp://a:1")
    with pytest.raises(VersionMismatchError, match=r"tcp://a:1 has numpy 1\.0 where this process has "):
        require_same(ours, {**ours, "numpy": "1.0"}, "tcp://a:1")
    with pytest.raises(VersionMismatchError, match=r"tcp://a:1 cannot say"):
        require_same(ours, TypeError("bad bytes"), "tcp://a:1")


FOREIGN = """
import pickle, sys
sys.modules["geomflow"] = None
print(pickle.load(sys.stdin.buffer)()["geomflow"])
"""


def test_a_worker_without_geomflow_can_answer():
    import cloudpickle

    command = [sys.executable, "-c", FOREIGN]
    told = subprocess.run(command, input=cloudpickle.dumps(asker()), capture_output=True, check=True)
    assert told.stdout.decode().strip() == "(missing)"


NOTHING = """
import sys
import geomflow as gf
import geomflow.cli.terminal, geomflow.study
from geomflow.distribute import as_workers
with as_workers() as workers:
    assert len(gf.Fermat(3).sample(10, workers=workers)) == 10
assert not [name for name in sys.modules if name.partition(".")[0] in ("distributed", "dask", "tornado")]
"""


def test_nobody_imports_dask_without_need():
    subprocess.run([sys.executable, "-c", NOTHING], check=True)


@dataclass
class Waiting(Study):
    """Cells that end only when the row of another is on disk."""

    name, title, question, source = "waiting", "Waiting", "Is a row kept as it comes in?", "patience"
    rows: Path

    def cells(self, quick):
        return [{"number": n, "after": after} for n, after in ((0, 2), (1, 0), (2, None))]

    def measure(self, cell):
        after = next((other for other in self.cells(True) if other["number"] == cell["after"]), None)
        until = time.monotonic() + HANGS
        while after and not KeptRows(self.rows).path(self.name, after).exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        return {"square": cell["number"] ** 2, "powers": np.arange(3.0) ** cell["number"]}

    def conclude(self, rows):
        return {}

    def answer(self, findings):
        return ""

    def draw(self, figure, findings):
        pass


def test_rows_are_kept_as_they_come_in(tmp_path):
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=3, processes=False, dashboard_address=":0") as cluster, \
         Client(cluster, set_as_default=False) as three:
        found = run_study(Waiting(tmp_path / "rows"), folder=tmp_path, workers=three)
    assert found["number"].tolist() == [0, 1, 2]
    assert found["square"].tolist() == [0, 1, 4]
    again = run_study(Waiting(tmp_path / "rows"), folder=tmp_path, workers="127.0.0.1:1")  # nobody is needed
    np.testing.assert_array_equal(again["powers"], found["powers"])

