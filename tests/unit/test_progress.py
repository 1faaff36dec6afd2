"""What is shown of how far something is: on terminals, in notebooks, after a while; and nothing elsewhere."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
import time
from functools import partial
from types import SimpleNamespace

import pytest
from limits import HANGS

from geomflow.core import progress
from geomflow.core.progress import Bar, counted, counter, waiting, watched
from geomflow.core.threads import each
from geomflow.distribute import IN_SEQUENCE, ON_THREADS


def seen_at(monkeypatch, terminal: bool) -> None:
    """Errors go to a terminal, or do not."""
    stream = SimpleNamespace(isatty=lambda: terminal)
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stream, modules=sys.modules))


@pytest.fixture
def terminal(monkeypatch, capsys):
    """Errors go to a terminal, of somebody who is soon impatient."""
    for switch in ("CI", "TQDM_DISABLE"):
        monkeypatch.delenv(switch, raising=False)
    seen_at(monkeypatch, True)
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    monkeypatch.setattr(progress, "_tqdm", partial(progress._tqdm, mininterval=0))
    return monkeypatch


def shown(capsys) -> str:
    return capsys.readouterr().err


def awaited(capsys, words: str) -> str:
    """What is shown, once it has these words, however long a busy machine takes."""
    told, until = shown(capsys), time.monotonic() + HANGS
    while words not in told:
        assert time.monotonic() < until
        time.sleep(0.01)
        told += shown(capsys)
    return told


@pytest.mark.parametrize("looks", [True, False])
def test_what_is_announced_is_said_at_once_where_somebody_looks(capsys, monkeypatch, looks):
    monkeypatch.setattr(progress, "watched", lambda: looks)
    progress.announce("about 2 min")
    assert shown(capsys) == ("about 2 min\n" if looks else "")


def test_nothing_is_shown_where_nobody_looks(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    assert not watched()
    with waiting("a"), contextlib.closing(Bar("t", 3)) as bar:
        bar.show(1)
        assert list(counted(range(3), 3)) == [0, 1, 2]
    assert shown(capsys) == ""


@pytest.mark.parametrize("switch", ["CI", "TQDM_DISABLE"])
def test_a_terminal_of_machines_is_none(terminal, capsys, switch):
    assert watched()
    terminal.setenv(switch, "1")
    assert not watched()
    terminal.setenv(switch, "0")
    assert watched()


def test_threads_and_workers_are_silent(terminal):
    found = []
    thread = threading.Thread(target=lambda: found.append(watched()))
    thread.start()
    thread.join()
    terminal.setattr(progress.multiprocessing, "parent_process", lambda: object())
    assert found == [False]
    assert not watched()


def test_a_notebook_is_watched(terminal):
    seen_at(terminal, False)
    terminal.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1)))
    assert watched()
    terminal.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not watched()


def test_a_bar_comes_after_a_while_with_the_time_left(terminal, capsys):
    with contextlib.closing(Bar("t", 2.0, None, "flow")) as bar:
        bar.show(0.5, "7 steps")
        time.sleep(0.3)
        bar.show(1.5, "9 steps")
    told = shown(capsys)
    assert "flow:" in told
    assert re.search(r"75%.* t = 1.5 of 2 \[\d\d:\d\d<\d\d:\d\d, 9 steps\]", told)


def test_a_bar_comes_though_nothing_is_done_yet(terminal, capsys):
    with contextlib.closing(Bar("cells", 4, label="study", start=1)):
        awaited(capsys, "cells = 1 of 4")


def test_what_is_short_has_no_bar(terminal, capsys):
    terminal.setattr(progress, "PATIENCE", 100.0)
    with contextlib.closing(Bar("t", 2.0)) as bar, waiting("short"):
        bar.show(1.0)
    assert each(abs, [-1, -2]) == [1, 2]
    assert shown(capsys) == ""
    assert bar._over.is_set()


def test_what_was_asked_for_is_shown_at_once_and_what_was_not_never(terminal, capsys):
    terminal.setattr(progress, "PATIENCE", 100.0)
    with counter("fit", True, 3) as tick:
        tick(0.1)
    assert "fit:" in shown(capsys)
    terminal.setattr(progress, "PATIENCE", 0.0)
    with contextlib.closing(Bar("t", 2.0, False)) as bar, waiting("asked not to", False):
        bar.show(1.0)
    assert shown(capsys) == ""


@pytest.mark.parametrize("workers", [IN_SEQUENCE, ON_THREADS], ids=["sequence", "threads"])
def test_tasks_are_counted_whoever_does_them(terminal, capsys, workers):
    assert workers.map(time.sleep, [0.05] * 8) == [None] * 8
    assert " of 8 [" in shown(capsys)


def test_only_the_outermost_wait_is_told(terminal, capsys):
    with waiting("outer"), waiting("inner"):
        told = awaited(capsys, "outer")
    told += shown(capsys)
    assert re.search(r"outer \[\d\d:\d\d\]", told)
    assert "inner" not in told
    with waiting("later"):
        awaited(capsys, "later")


def test_compiling_is_told(terminal, capsys):
    from numba import njit

    from geomflow.codegen.compiling import tell_of_compiling

    tell_of_compiling()
    tell_of_compiling()

    @njit
    def fresh(x):
        for k in range(3):
            x += k**x
        return x

    terminal.setattr(progress, "PATIENCE", 0.0)
    assert fresh(1.0) > 0
    assert "compiling fresh" in shown(capsys)


def test_a_line_is_printed_above_a_bar(terminal, capsys):
    with contextlib.closing(Bar("recipes", 2, True)) as bar:
        bar.say("one is done")
    assert capsys.readouterr().out == "one is done\n"
