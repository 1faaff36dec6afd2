"""Processes of one's own: the command with workers, what it says, and what is left when all is over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from limits import HANGS

pytestmark = pytest.mark.slow

BALANCED = """
[variety]
family = "fermat"
[points]
count = 40000
unseen = 2000
[metric]
kind = "balanced"
degree = 5
ladder = []
symmetry = false
[output]
pictures = []
"""


def started(*arguments, **options):
    """A process that runs Python with these arguments, and hears Ctrl-C even if the tests run in the background."""
    return subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **options)


def descendants(process, at_least, seconds=HANGS):
    """The processes that it has started, as soon as there are so many."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = psutil.Process(process.pid).children(recursive=True)
        if len(found) >= at_least:
            return found
        time.sleep(0.05)
    raise AssertionError(f"there are not {at_least} processes after {seconds} s")


def gone(processes, seconds=HANGS):
    """Whether all of them end in that time."""
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def measured(folder):
    """What a run wrote, but for the seconds that it took and the digest of it all."""
    numbers = json.loads((folder / "numbers.json").read_text())
    del numbers["seconds"], numbers["digest"]
    for rung in numbers["rungs"]:
        rung.pop("seconds")
    return numbers


def test_a_killed_worker_costs_the_command_time_and_nothing_else(tmp_path):
    (tmp_path / "balanced.toml").write_text(BALANCED)
    command = ["-m", "geomflow", "variety", str(tmp_path / "balanced.toml"), "--out"]
    alone = started(*command, str(tmp_path / "alone"))
    assert alone.communicate(timeout=HANGS)[1] == ""
    running = started(*command, str(tmp_path / "spread"), "--workers", "2")
    for line in running.stdout:
        if line.startswith("points"):
            break
    workers = [each for each in descendants(running, 4) if "spawn_main" in " ".join(each.cmdline())]
    while workers[0].cpu_times().user < 3:  # it has imported what it needs, and works
        time.sleep(0.05)
    workers[0].kill()
    words, complaints = running.communicate(timeout=HANGS)
    assert (running.returncode, complaints) == (0, "")
    assert measured(tmp_path / "spread") == measured(tmp_path / "alone")
    assert "time" in words


SLEEPING = """
import time
from geomflow.distribute import local_workers
with local_workers(2) as workers:
    print("begun", flush=True)
    workers.map(time.sleep, [0.2] * 1000)
"""


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left(tmp_path, ended_by):
    (tmp_path / "script.py").write_text(SLEEPING)  # without `if __name__ == "__main__"`
    running = started(str(tmp_path / "script.py"), env={**os.environ, "TMPDIR": str(tmp_path)})
    assert running.stdout.readline() == "begun\n", running.communicate()
    workers = descendants(running, 4)
    running.send_signal(ended_by)
    complaints = running.communicate(timeout=HANGS)[1]
    assert gone(workers)
    if ended_by == signal.SIGINT:
        assert complaints.rstrip().endswith("KeyboardInterrupt")
        assert not list(Path(tmp_path).glob("geomflow-workers-*"))


def test_a_scheduler_of_ones_own(tmp_path):
    place = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(tmp_path / "scheduler")]
    scheduler = started("-m", "distributed.cli.dask_scheduler", *place)
    servers = [scheduler]
    try:
        until = time.monotonic() + HANGS
        while not (tmp_path / "scheduler").exists() or not (tmp_path / "scheduler").read_text():
            assert time.monotonic() < until
            time.sleep(0.05)
        address = json.loads((tmp_path / "scheduler").read_text())["address"]
        servers += [started("-m", "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "2",
                            "--no-dashboard", "--local-directory", str(tmp_path))]
        for name, options in (("alone", []), ("spread", ["--scheduler", address])):
            study = started("-m", "geomflow", "study", "locality", "--quick", "--out", str(tmp_path / name), *options)
            assert study.communicate(timeout=HANGS)[1] == ""
            assert study.returncode == 0
    finally:
        for server in servers:
            server.kill()
            server.communicate()
    first, second = (sorted((tmp_path / name / "rows").iterdir()) for name in ("alone", "spread"))
    assert [path.name for path in first] == [path.name for path in second]
    assert (tmp_path / "alone" / "table.csv").read_text() == (tmp_path / "spread" / "table.csv").read_text()
    assert (tmp_path / "alone" / "numbers.json").read_text() == (tmp_path / "spread" / "numbers.json").read_text()
