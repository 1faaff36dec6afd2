"""One process a peer: prepared once, then timed in short bursts when the parent asks.

Separate processes keep the peers' thread pools, flags and memory apart. Only one works at a time; the others wait on a
pipe.
"""

from __future__ import annotations

import importlib
import multiprocessing as mp
import os
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

THREADS = 2
SETTINGS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def limit_threads(count: int = THREADS) -> None:
    """Bind this process and its children to `count` processors and tell every library so."""
    for name in SETTINGS:
        os.environ[name] = str(count)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


class Worker:
    """A child process that holds one peer prepared for one case.

    `module` is the dotted name of a module with IMPORTS and `prepare(case, fields) -> (call, result)`; `case` is any
    picklable object with a `name` and `fields()`.
    """

    def __init__(self, module: str, case: Any) -> None:
        self._what = f"{module} on case {case.name}"
        context = mp.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, module, case), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, *request: Any) -> Any:
        """Send a request and wait for its answer. Raises RuntimeError with the child's traceback if it failed."""
        self._pipe.send(request)
        try:
            ok, answer = self._pipe.recv()
        except EOFError as died:
            raise RuntimeError(f"the process of {self._what} died") from died
        if not ok:
            raise RuntimeError(f"{self._what}:\n{answer}")
        return answer

    def prepare(self) -> dict[str, float]:
        """Load the peer, prepare it and call it once: the seconds of loading ("import") and of the rest ("first")."""
        return dict(self.ask("prepare"))

    def result(self) -> np.ndarray:
        """What the last call computed."""
        return np.asarray(self.ask("result"))

    def timed(self) -> float:
        """Seconds of one call."""
        return float(self.ask("timed"))

    def burst(self, seconds: float) -> list[float]:
        """Seconds of single calls, repeated for about `seconds`; calls that warm caches and threads are left out."""
        return list(self.ask("burst", seconds))

    def close(self) -> None:
        """End the child."""
        if self._process.is_alive():
            self._pipe.send(("end",))
            self._process.join(5)
        if self._process.is_alive():
            self._process.terminate()


def _serve(pipe: Connection, module: str, case: Any) -> None:
    served = _Served(module, case)
    while True:
        try:
            name, *arguments = pipe.recv()
        except EOFError:
            return
        if name == "end":
            return
        try:
            pipe.send((True, getattr(served, name)(*arguments)))
        except Exception:
            pipe.send((False, traceback.format_exc()))


class _Served:
    def __init__(self, module: str, case: Any) -> None:
        self._module, self._case = module, case

    def prepare(self) -> dict[str, float]:
        module, fields = importlib.import_module(self._module), self._case.fields()
        start = time.perf_counter()
        for name in module.IMPORTS:
            importlib.import_module(name)
        loaded = time.perf_counter()
        self._call, self._result = module.prepare(self._case, fields)
        self._call()
        return {"import": loaded - start, "first": time.perf_counter() - loaded}

    def result(self) -> np.ndarray:
        return self._result()

    def timed(self) -> float:
        return _timed(self._call)

    def burst(self, seconds: float) -> list[float]:
        warm = [_timed(self._call) for _ in range(2)]
        count = int(min(200, max(2, seconds / min(warm))))
        return [_timed(self._call) for _ in range(count)]


def _timed(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
