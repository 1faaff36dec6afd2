"""A call in a process of its own that can be stopped at any moment."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: What a process ends with where an exception came out of the call.
RAISED = 99
_PAUSE = 0.01
#: How many times longer than its processor time a process may take, on a machine that does other things too.
_PATIENCE = 30


@dataclass(frozen=True)
class Ended:
    """How a call ended: its exit code (None where it was stopped, negative for a signal), and what it wrote."""

    code: int | None
    out: str
    seconds: float


def start(call: Callable[[], int | None], folder: Path, log: Path | None = None) -> int:
    """Fork a process that makes the call in a folder and ends with what it returns; gives its id.

    The process leads a group, so that all that it starts can be stopped with it. This one must hold no threads.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    code = RAISED
    try:
        os.setsid()
        os.chdir(folder)
        _redirect(log)
        code = call() or 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(log: Path | None) -> None:
    """Send what is written to a file, line by line as a terminal shows it."""
    target = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(target, 1)
    os.dup2(target, 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def kill(process: int) -> None:
    """SIGKILL to a process and to all that it started."""
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)


def wait(process: int, limit: float) -> int | None:
    """The exit code of a process, None where it had to be stopped after so many seconds of processor time."""
    end = time.monotonic() + _PATIENCE * limit
    while time.monotonic() < end and _spent(process) < limit:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_PAUSE)
    kill(process)
    return None


def _spent(process: int) -> float:
    """Seconds of processor time of a process and of those that it waited for, where the system tells them."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def isolated(call: Callable[[], int | None], folder: Path, limit: float) -> Ended:
    """The call in a process of its own, stopped after so many seconds of processor time."""
    begun, log = time.monotonic(), folder.parent / f"{folder.name}.log"
    code = wait(start(call, folder, log), limit)
    return Ended(code, log.read_text(encoding="utf-8", errors="replace"), time.monotonic() - begun)
