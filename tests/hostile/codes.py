"""Code given as text wherever text is taken: refused, or taken as a name, and never run."""

from __future__ import annotations

import json
import pickle
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .documents import RUNS, VARIETIES, written
from .isolated import isolated
from .ledger import Tried

PART = "code"
_LIMIT = 1200.0

#: Each would leave a file in the working folder where it is run.
CODES = [
    "__import__('pathlib').Path('P').touch()",
    "__import__('os').system('touch P')",
    "__import__('subprocess').run(['touch', 'P'])",
    "open('P', 'w')",
    "open('P', 'w').write('x') or 1",
    "exec('open(\\'P\\', \\'w\\')')",
    "eval('open(\\'P\\', \\'w\\')')",
    "(lambda: open('P', 'w'))()",
    "[open('P', 'w') for _ in (1,)][0]",
    "(p := open('P', 'w'))",
    "1 if open('P', 'w') else 2",
    "f\"{open('P', 'w')}\"",
    "getattr(__builtins__, 'open')('P', 'w')",
    "().__class__.__base__.__subclasses__()[0].__init__.__globals__['open']('P', 'w')",
    "x.__class__.__init__.__globals__['__builtins__']['open']('P', 'w')",
    "sympy.sympify('open(\\'P\\', \\'w\\')')",
    "x; open('P', 'w')",
    "x\nopen('P', 'w')",
    "__ｉmport__('os').system('touch P')",
    "$(touch P) `touch P`",
    "!!python/object/apply:os.system ['touch P']",
]


class Evil:
    """What touches a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("P"),)


def codes(count: int, folder: Path) -> Iterator[Tried]:
    """So many of the codes at every door, in a process of their own."""
    found = folder / "found.jsonl"
    work = folder / "work"
    work.mkdir()
    ended = isolated(lambda: _all(count, found), work, _LIMIT)
    rows = [json.loads(line) for line in found.read_text().splitlines()] if found.exists() else []
    yield from (Tried(*row) for row in rows)
    if ended.code != 0:
        yield Tried(PART, "all", "reading code", "ended", f"code {ended.code}: {ended.out[-3000:]}")


def _all(count: int, found: Path) -> None:
    with found.open("w") as file:
        every = {"calls": _calls(), "run files": _files(), "commands": _commands(), "archives": _archives()}
        for kind, doors in every.items():
            for code in CODES[:count]:
                for name, door in doors.items():
                    came, wrong = _tried(lambda door=door, code=code: door(code), names=name in _NAMES)
                    file.write(json.dumps((PART, kind, f"{name}: {code!r}", came, wrong)) + "\n")


#: Where text may be a name, which says nothing else.
_NAMES = {"assumptions", "geodesics", "Ricci flow's time", "monitors", "file name"}


def _tried(call: Callable[[], Any], names: bool) -> tuple[str, str]:
    from geomflow.core.errors import GeomflowError

    try:
        call()
        came, wrong = "taken", "" if names else "it was taken"
    except (GeomflowError, TypeError) as error:
        came = type(error).__name__
        wrong = "" if isinstance(error, GeomflowError) or names else traceback.format_exc()[-1500:]
    except Exception as error:
        came, wrong = type(error).__name__, traceback.format_exc()[-1500:]
    if Path("P").exists():
        Path("P").unlink()
        return "run", "the code was run"
    return came, wrong


def _calls() -> dict[str, Callable[[str], Any]]:
    """The calls that take text, by name."""
    import geomflow as gf
    from geomflow import fits
    from tests.doors import CHART, CUBIC, TAKERS, TAKES_NAMES

    _NAMES.update(TAKES_NAMES)
    line = gf.Torus(1)
    heat, state = gf.Flow.from_expression("laplacian(u)/10"), line.grid(8).scalar("sin(2*pi*x)")
    own = {
        "unknown functions": lambda v: gf.Metric(CHART, [[1, 0], [0, "f(x)"]], functions=v),
        "stepper": lambda v: gf.solve(heat, state, 1e-4, stepper=v),
        "events": lambda v: gf.solve(heat, state, 1e-4, events=[v]),
        "event": lambda v: gf.solve(heat, state, 1e-4, events=v),
        "save_at": lambda v: gf.solve(heat, state, 1e-4, save_at=v),
        "t1": lambda v: gf.solve(heat, state, v),
        "monitor": lambda v: gf.solve(heat, state, 1e-4, monitors={"m": v}),
        "state": lambda v: gf.solve(heat, v, 1e-4),
        "flow": lambda v: gf.solve(v, state, 1e-4),
        "functional of a gradient": lambda v: gf.GradientFlow(v, state),
        "kernel": lambda v: gf.NetworkKernel(activation=v),
        "kernel's width": lambda v: gf.GaussianKernel(v),
        "loss": lambda v: fits.PhiTraining(gf.Fermat(3), CUBIC, hidden=(3,), loss=v),
        "activation": lambda v: fits.PhiTraining(gf.Fermat(3), CUBIC, hidden=(3,), activation=v),
        "psi": lambda v: gf.variety.Dwork(v, 3),
        "polynomial": lambda v: gf.Hypersurface(v, ambient=[2], coordinates=["x", "y", "z"]),
        "workers": lambda v: gf.Fermat(3).sample(10, workers=v),
    }
    return {**TAKERS, **own}


def _files() -> dict[str, Callable[[str], Any]]:
    """The commands run and variety, with the code for each text of a file."""
    found: dict[str, Callable[[str], Any]] = {}
    for command, documents in (("run", RUNS), ("variety", VARIETIES)):
        for name, document in documents.items():
            for table, keys in document:
                for key, value in keys:
                    if '"' in value:
                        found[f"{command} {name}, {table}.{key}"] = _document(command, document, table, key)
    return found


def _document(command: str, document: Any, table: str, key: str) -> Callable[[str], Any]:
    def door(code: str) -> None:
        text = json.dumps(code)
        changed = [(t, [(k, re.sub(r'"[^"]*"', lambda _: text, v, count=1) if (t, k) == (table, key) else v)
                        for k, v in keys]) for t, keys in document]
        Path("a.toml").write_text(written(changed), encoding="utf-8")
        _command(command, "a.toml")

    return door


def _command(*argv: str) -> None:
    from geomflow.cli import main
    from geomflow.core.errors import InputError

    code = main(argv)
    if code != 2:
        raise RuntimeError(f"the command ended with {code}")
    raise InputError("refused")


def _commands() -> dict[str, Callable[[str], Any]]:
    """Words of command lines."""
    return {
        "derive": lambda v: _command("derive", v),
        "derive --dim": lambda v: _command("derive", "ricci", f"--dim={v}"),
        "derive --function": lambda v: _command("derive", "ef", f"--function={v}"),
        "derive --gradient": lambda v: _command("derive", "kenergy", f"--gradient={v}"),
        "show": lambda v: _command("show", v),
        "study": lambda v: _command("study", v),
        "run": lambda v: _command("run", v),
        "variety": lambda v: _command("variety", v),
        "quintic --psi": lambda v: _command("quintic", f"--psi={v}"),
        "quintic --work": lambda v: _command("quintic", f"--work={v}"),
        "quintic --scheduler": lambda v: _command("quintic", "--points=10", f"--scheduler={v}"),
    }


def _archives() -> dict[str, Callable[[str], Any]]:
    """Files that hold code: pickled, and as the text of each thing that is read as text."""
    import geomflow as gf
    gf.Fermat(3).sample(20, seed=1).save("points.npz")
    gf.algebraic_metric(gf.Fermat(3), 1, gf.Fermat(3).sample(50, seed=1)).save("metric.npz")
    readers: dict[str, Callable[[str], Any]] = {"points.npz": gf.load_points, "metric.npz": gf.load_metric}
    found: dict[str, Callable[[str], Any]] = {}
    for name, load in readers.items():
        with np.load(name) as file:
            arrays = {key: file[key] for key in file.files if key != "digest"}
        for key in arrays:
            found[f"{name}, {key} as text"] = _rewritten(arrays, key, load, lambda code: np.asarray(code))
            found[f"{name}, {key} pickled"] = _rewritten(arrays, key, load, lambda code: np.array(Evil(), dtype=object))
        found[f"{name} as code"] = _raw(load, str.encode)
        found[f"{name} as pickle"] = _raw(load, lambda code: pickle.dumps(Evil()))
        polynomial = json.loads(str(arrays["variety"]))
        for key in polynomial:
            found[f"{name}, variety.{key}"] = _rewritten(
                arrays, "variety", load,
                lambda code, key=key, polynomial=polynomial: np.asarray(json.dumps(polynomial | {key: code})))
    return found


def _rewritten(arrays: Any, key: str, load: Callable, make: Callable[[str], Any]) -> Callable[[str], Any]:
    def door(code: str) -> None:
        np.savez("bad.npz", **{**arrays, key: make(code)})
        load("bad.npz")

    return door


def _raw(load: Callable, make: Callable[[str], bytes]) -> Callable[[str], Any]:
    def door(code: str) -> None:
        Path("bad.npz").write_bytes(make(code))
        load("bad.npz")

    return door
