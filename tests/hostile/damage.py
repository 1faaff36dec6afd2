"""Damaged files and stores: each gives what was written to the last bit, or a `StoreError`."""

from __future__ import annotations

import json
import shutil
import signal
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np

from geomflow.core import archive
from geomflow.core.errors import StoreError

from .isolated import isolated
from .kept import Kept, everything
from .ledger import Tried

PART = "damage"
_SECONDS = 60
#: What may be missing from an archive, and what holds what is not a number on purpose.
OPTIONAL = {"line", "off_variety", "points_line", "points_off_variety", "kind", "digest"}
#: A fit that diverged has these; and any numbers may have been measured.
FREE = {"history", "best_sigma", "parameters", "memory", "moments", "move", "numbers", "measured curve"}


def flip(random: Random, path: Path, other: Path) -> None:
    """One bit, or some."""
    data = bytearray(path.read_bytes())
    for _ in range(random.choice([1, 1, 8])):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    path.write_bytes(data)


def shorten(random: Random, path: Path, other: Path) -> None:
    """The end is missing."""
    data = path.read_bytes()
    path.write_bytes(data[: random.randrange(len(data))])


def zero(random: Random, path: Path, other: Path) -> None:
    """A block of zeros, or of noise."""
    data = bytearray(path.read_bytes())
    start, length = random.randrange(len(data)), random.choice([16, 512, len(data)])
    part = data[start : start + length]
    part[:] = random.choice([bytes(len(part)), random.randbytes(len(part))])
    data[start : start + length] = part
    path.write_bytes(data)


def lose(random: Random, path: Path, other: Path) -> None:
    """No file."""
    path.unlink()


def swap(random: Random, path: Path, other: Path) -> None:
    """A file of another kind, or another file of the same folder."""
    mates = [p for p in path.parent.rglob("*") if p.is_file() and p != path and p.name != "again.npz"]
    path.write_bytes(random.choice(mates).read_bytes() if mates and random.random() < 0.7 else other.read_bytes())


def rewrite(random: Random, path: Path, other: Path) -> None:
    """An archive with one array that cannot stand there, and a digest that fits it."""
    with np.load(path) as file:
        arrays = dict(file)
    digest = arrays.pop("digest", None)
    name = random.choice([n for n, a in arrays.items() if n not in OPTIONAL | FREE and (a.ndim or a.dtype.kind == "U")])
    bad = _bad(random, arrays[name])
    arrays = {key: value for key, value in (arrays | {name: bad}).items() if value is not None}
    if digest is None:
        np.savez(path.with_suffix(".npz"), **arrays)
    else:
        archive.write(path, str(arrays.pop("kind")), **arrays)


def _bad(random: Random, values: np.ndarray) -> np.ndarray | None:
    if values.dtype.kind == "U":
        return random.choice([None, np.asarray("[1]" if str(values).startswith("{") else "{}"), np.asarray("[1, {")])
    if values.dtype.kind in "fc" and values.size and random.random() < 0.6:
        bad = values.copy()
        bad.flat[random.randrange(bad.size)] = random.choice([np.nan, np.inf, -np.inf])
        return bad
    return random.choice([None, np.asarray("1"), values[:-1] if len(values) else None, values[..., None]])


def reword(random: Random, path: Path, other: Path) -> None:
    """Text with another number in it."""
    text = path.read_text()
    places = [i for i, c in enumerate(text) if c.isdigit()]
    place = random.choice(places)
    path.write_text(text[:place] + random.choice([d for d in "0123456789" if d != text[place]]) + text[place + 1 :])


def _damages(path: Path) -> list[Callable[[Random, Path, Path], None]]:
    """What can happen to a file."""
    kinds = [flip, flip, shorten, zero, lose, swap]
    if path.suffix == ".npz":
        return [*kinds, rewrite, rewrite, rewrite]
    return [*kinds, reword, reword] if path.suffix == ".json" else kinds


def damage(seed: int, count: int, folder: Path) -> Iterator[Tried]:
    """So many damages in turn to things of every kind, in a process of their own."""
    found = folder / "found.jsonl"
    work = folder / "work"
    work.mkdir()
    ended = isolated(lambda: _all(seed, count, work, found), work, 400 + 10 * count)
    rows = [json.loads(line) for line in found.read_text().splitlines()] if found.exists() else []
    yield from (Tried(*row) for row in rows)
    if ended.code != 0:
        yield Tried(PART, "all", "reading damaged files", "ended", f"code {ended.code}: {ended.out[-3000:]}")


def _all(seed: int, count: int, work: Path, found: Path) -> None:
    signal.signal(signal.SIGALRM, _too_long)
    kinds = everything()
    with found.open("w") as file:
        whole: list[tuple[Kept, Path, str]] = []
        for n, kept in enumerate(kinds):
            path = work / f"{n}" / ("kept" if kept.folder else "kept.json" if kept.name == "trials" else "kept.npz")
            path.parent.mkdir()
            kept.save(path)
            whole.append((kept, path, kept.told(path)))
        for n in range(count):
            kept, path, right = whole[n % len(kinds)]
            other = _stranger(kept, whole, n)
            row = _one(Random(f"{seed} {PART} {n}"), n, kept, path, right, other)
            file.write(json.dumps(row) + "\n")
            file.flush()
        for kept, path, right in whole:
            if kept.told(path) != right:
                raise AssertionError(f"{kept.name} is not told twice alike")


def _stranger(kept: Kept, whole: list[tuple[Kept, Path, str]], n: int) -> Path:
    """A file that something else reads."""
    others = [path for each, path, _ in whole if (each.reader or each.name) != (kept.reader or kept.name)]
    path = others[n % len(others)]
    return path if path.is_file() else next(p for p in sorted(path.rglob("*")) if p.is_file())


def _one(random: Random, n: int, kept: Kept, path: Path, right: str, other: Path) -> tuple[str, str, str, str, str]:
    files = sorted(p for p in path.rglob("*") if p.is_file()) if kept.folder else [path]
    victim = random.choice(files)
    harm = random.choice(_damages(victim) if victim.name != "zarr.json" or kept.folder else [flip])
    backup = path.parent.parent / "backup"
    (shutil.copytree if kept.folder else shutil.copy)(path, backup)
    try:
        harm(random, victim, other)
        came, wrong = _read(kept, path, right)
    finally:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        backup.rename(path)
    return PART, kept.name, f"{n}: {harm.__name__} {victim.relative_to(path.parent)}", came, wrong


def _read(kept: Kept, path: Path, right: str) -> tuple[str, str]:
    signal.alarm(_SECONDS)
    try:
        told = kept.told(path)
    except StoreError:
        return "StoreError", ""
    except BaseException as error:
        return type(error).__name__, traceback.format_exc()[-1500:]
    finally:
        signal.alarm(0)
    if told == right or "is to be measured" in told:
        return "the same" if told == right else "missing", ""
    return "other numbers", f"it tells {told[:300]} where it told {right[:300]}"


def _too_long(*_: object) -> None:
    raise TimeoutError(f"reading took more than {_SECONDS} s")
