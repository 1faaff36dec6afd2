"""Hostile commands and run files: one line and a documented code, never a traceback, never a wait without a word."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from .documents import CHANGES, RUNS, VARIETIES, spoiled, written
from .isolated import Ended, isolated
from .ledger import Tried

PART = "commands"
#: Seconds of processor time that a command has to end, or to say what it is about to do.
LIMIT = 40.0
#: The codes that the command documents for what is right, diverged, or wrong with the input.
CODES = (0, 1, 2)
#: Words of a command that has said how long it will be.
FORECAST = re.compile(r"^until .*|forecast|about [\d.,]+ (s|seconds|min|minutes|hours|days|years)\b", re.MULTILINE)

NUMBERS = [
    "nan", "inf", "-1", "0", "1", "2", "3", "1.5", "1e400", "1e-320", "9" * 400, "9" * 5000, "0x10", "१", "1_0", "",
    " 3 ", "-", "--", "x", "1/0", "9223372036854775808", "-9223372036854775809", "10000000", "1000",
]  # fmt: skip
NAMES = [
    "", " ", "x", "x" * 5000, "ricci", "kenergy", "gradient", "expression", "calabi", "ef", "ricci-deturck", "sigma",
    "ϕ", "perelman-f", "\udcff\udcfe", "a\nb", "../..", "-", "--list", "\x1b[31m", "None", "__init__", "width",
    "aubin-i", "einstein-hilbert", "local-limit", "conformal-ricci",
]  # fmt: skip
PATHS = [
    "", ".", "/proc", "/dev/null", "/proc/self/mem", "absent", "absent/absent", "folder", "file", "file/inside",
    "loop", "sealed/x", "x" * 5000, "a/" * 2000, "run", "run/run.zarr", "run/run.zarr/zarr.json", "kept.npz", "ϕ",
    "\udcff", "fifo", "damaged", "-", "~", "sealed",
]  # fmt: skip
TEXTS = [
    "v", "-v^2", "", "v*log(v)", "(v - 1)^2", "x", "sin(", "v^(10^9)", "(v+1)^200", "9^9^9^9", "v" * 5000, "\udcff",
    "v²", "log(v)", "v; v", "(" * 3000 + "v" + ")" * 3000, "1" * 5000, "abs(v-1)", "f(v)", "1/(v-v)", "\0v",
    "i*v", "nan",
]  # fmt: skip


@dataclass(frozen=True)
class Command:
    """A command line, and the run files that it needs."""

    kind: str
    argv: Sequence[str]
    files: dict[str, bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        said = [a if len(a) < 60 else f"{a[:40]}…({len(a)})" for a in map(repr, self.argv)]
        return " ".join(said) + "".join(f"\n--- {name}\n{_short(text)}" for name, text in self.files.items())


def _short(data: bytes) -> str:
    lines = data.decode(errors="replace").splitlines()
    return "\n".join(line if len(line) < 200 else f"{line[:150]}…({len(line)})" for line in lines[:60])


def _options(random: Random, known: dict[str, list[str]], most: int = 3) -> list[str]:
    """Some options with hostile values."""
    found: list[str] = []
    for name in random.sample(sorted(known), random.randint(0, min(most, len(known)))):
        found += [name] if not known[name] else [f"{name}={random.choice(known[name])}"]
    return found


def _file(random: Random, documents: dict, name: str) -> dict[str, bytes]:
    """A run file that was right."""
    document = documents[random.choice(sorted(documents))]
    if random.random() < 0.2:
        return {name: spoiled(random, written(document))}
    return {name: written(random.choice(CHANGES)(random, document)).encode()}


OUT = {"--out": PATHS, "--resume": []}


def run(random: Random) -> Command:
    """`geomflow run` of a run file that was right, or of something else."""
    if random.random() < 0.12:
        return Command("run", ["run", random.choice(PATHS), *_options(random, OUT)])
    options = _options(random, OUT | {"--change-monitors": []}) if random.random() < 0.15 else []
    return Command("run", ["run", "a.toml", *options], _file(random, RUNS, "a.toml"))


def variety(random: Random) -> Command:
    """`geomflow variety` of a file that was right, or of something else."""
    spread = {"--workers": ["0", "-1", "x", "1.5", "", "1", "100000"], "--scheduler": ["", "x", "tcp://", "tcp://127.0.0.1:1"]}
    if random.random() < 0.12:
        return Command("variety", ["variety", random.choice(PATHS), *_options(random, OUT | spread)])
    options = _options(random, OUT | spread) if random.random() < 0.15 else []
    return Command("variety", ["variety", "a.toml", *options], _file(random, VARIETIES, "a.toml"))


def derive(random: Random) -> Command:
    """`geomflow derive` of anything."""
    known = {"--dim": NUMBERS, "--gradient": [*NAMES, "mabuchi", "dirichlet", "l2", "dewitt"], "--function": TEXTS,
             "--latex": []}
    return Command("derive", ["derive", random.choice(NAMES), *_options(random, known)])


def quintic(random: Random) -> Command:
    """`geomflow quintic` of few points."""
    numbers = [n for n in NUMBERS if n not in ("10000000", "1000")]
    known = {"--degree": [*numbers, "1000"], "--points": numbers, "--seed": NUMBERS, "--work": NUMBERS,
             "--psi": [*TEXTS, *NUMBERS, "i", "1/2"], "--curvature": NUMBERS, "--euler": NUMBERS, "--out": PATHS,
             "--workers": ["0", "-1", "x", "100000"]}
    return Command("quintic", ["quintic", "--points=300", "--degree=2", "--no-pictures", *_options(random, known)])


def show(random: Random) -> Command:
    """`geomflow show` of anything."""
    return Command("show", ["show", random.choice(PATHS)])


def study(random: Random) -> Command:
    """`geomflow study` of what is none, or to where nothing can be written."""
    if random.random() < 0.6:
        names = [name for name in NAMES if name not in ("width", "local-limit")]
        return Command("study", ["study", random.choice(names), *_options(random, {"--quick": [], "--out": PATHS})])
    out = random.choice(["/dev/null", "file", "file/inside", "x" * 5000, "loop/x"])
    return Command("study", ["study", "local-limit", "--quick", f"--out={out}"])


def anything(random: Random) -> Command:
    """Words that are no command line."""
    words = ["run", "show", "derive", "version", "study", "--debug", "-h", "--help", "--list", "@file", "a.toml"]
    words += NAMES
    return Command("anything", [random.choice(words) for _ in range(random.randint(0, 4))])


#: How many of a hundred commands are of each kind.
SHARES: dict[Callable[[Random], Command], int] = {
    run: 38, variety: 24, derive: 14, quintic: 10, show: 6, study: 4, anything: 4,
}  # fmt: skip


def prepared(folder: Path) -> None:
    """The places that `PATHS` names, in an empty folder."""
    (folder / "folder").mkdir()
    (folder / "file").write_text("file")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "fifo")
    (folder / "damaged").mkdir()
    (folder / "damaged" / "zarr.json").write_bytes(b"\xff{")
    (folder / "sealed").mkdir(mode=0)


def call(argv: Sequence[str]) -> Callable[[], int]:
    """The command in this process."""

    def main() -> int:
        from geomflow.cli import main

        return main(list(argv))

    return main


def outside(argv: Sequence[str]) -> Callable[[], int]:
    """The command in an interpreter of its own, as a user starts it."""

    def started() -> int:
        line = [sys.executable, "-m", "geomflow", *argv]
        return subprocess.run(line, check=False).returncode

    return started


def judge(ended: Ended, argv: Sequence[str]) -> tuple[str, str]:
    """What came of a command, in a word, and what was wrong with it."""
    said = ended.out[-1500:]
    if "Traceback" in ended.out and "--debug" not in argv:
        return "traceback", said
    if ended.code is None:
        told = FORECAST.search(ended.out)
        return ("stopped, as forecast", "") if told else ("hung", f"no word in {ended.seconds:.0f} s: {said}")
    if ended.code not in CODES:
        return f"code {ended.code}", said or "not documented, and not a word"
    if ended.code == 2 and not ended.out.strip():
        return "silent", "code 2 and not a word"
    return f"code {ended.code}", ""


def commands(seed: int, count: int, folder: Path, kept: Path, limit: float = LIMIT) -> Iterator[Tried]:
    """So many hostile commands, one in ten of them in an interpreter of its own."""
    for n in range(count):
        random = Random(f"{seed} {PART} {n}")
        made = random.choices(list(SHARES), list(SHARES.values()))[0](random)
        place = folder / str(n)
        place.mkdir()
        prepared(place)
        shutil.copytree(kept, place, dirs_exist_ok=True)
        for name, data in made.files.items():
            (place / name).write_bytes(data)
        plain = not any("\0" in word for word in made.argv)
        action = outside if n % 10 == 9 and plain else call
        ended = isolated(action(made.argv), place, limit)
        came, wrong = judge(ended, made.argv)
        yield Tried(PART, made.kind, f"{n}: {made} ({ended.seconds:.1f} s)", came, wrong)
