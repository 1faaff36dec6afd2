"""Measured results as Markdown tables: for the terminal, and for the documentation to include."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.cases import CASES
from benchmarks.peers import MODULES, OURS, peer

MISSING = "–"
QUIET_LOAD = 0.5


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
    text = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([text[0], rule, *text[1:]])


def report(result: dict[str, Any]) -> str:
    """All tables of one run of `benchmarks.right_hand_sides`."""
    cases = result["cases"]
    parts = [
        machine(result),
        "One right-hand side, milliseconds: median (fastest) over all calls.",
        _by_peer(cases, _milliseconds),
        "How many times longer than geomflow: by medians (by fastest calls).",
        _by_peer(cases, _ratio),
        "The machine's bound, and how much of it the fastest call of geomflow reaches.",
        limits(cases),
        "First call of geomflow, seconds: derive, emit, compile and run; then in a second process. Imports apart.",
        first_calls(cases),
    ]
    return "\n\n".join(parts) + "\n"


def machine(result: dict[str, Any]) -> str:
    """One paragraph: processor, its measured limits, versions, and how quiet it was."""
    m, limits_ = result["machine"], result["limits"]
    caches = ", ".join(f"{level} {size}" for level, size in m["caches"].items())
    versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items() if version)
    bandwidths = ", ".join(f"{_size(int(size))} {rate / 1e9:.0f}" for size, rate in limits_["bandwidth"].items())
    return (f"{m['processor']} ({m['kind']}), {result['threads']} threads, {caches}; {m['system']}, "
            f"Python {m['python']}; {versions}. "
            f"Measured {result['date']}, load average {m['load']} at the start{busy(m['load'])}. "
            f"Triad, GB/s by working set: {bandwidths}. Fused multiply-adds: {limits_['flops'] / 1e9:.0f} Gflop/s.")


def busy(load: float) -> str:
    """A warning where other work took part of the processors: medians then say little, and slow peers look slower."""
    return " (**the machine was busy: preliminary**)" if load > QUIET_LOAD else ""


def limits(cases: dict[str, Any]) -> str:
    """The roofline table."""
    head = ["case", "traffic, MB", "traffic, ms", "operations a point", "arithmetic, ms", "divisions a point",
            "divisions, ms", "bound, ms", "fastest, ms", "reached"]
    rows = []
    for name, entry in cases.items():
        b, ours = entry["bound"], entry["peers"].get(OURS, {})
        least = ours.get("least")
        rows.append([
            name, f"{b['bytes'] / 1e6:.1f}", number(b["traffic"]), number(b["operations"], 0),
            number(b["arithmetic"]), number(b["divisions"], 0), number(b["quotients"]), number(b["bound"]),
            number(least), number(b["bound"] / least if least else None),
        ])
    return table(head, rows)


def first_calls(cases: dict[str, Any]) -> str:
    """First call with an empty cache, and in a second process."""
    rows = []
    for name, entry in cases.items():
        ours = entry["peers"].get(OURS, {})
        second = ours.get("second process", {})
        rows.append([name, *(number(v) for v in (ours.get("import"), ours.get("first"), second.get("import"),
                                                 second.get("first")))])
    return table(["case", "import", "first call", "import, second process", "first call, second process"], rows)


def number(value: float | None, digits: int | None = None) -> str:
    """Two significant digits or more, – for nothing."""
    if value is None:
        return MISSING
    if digits is None:
        digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:.{digits}f}"


def _by_peer(cases: dict[str, Any], cell: Any) -> str:
    known = [name for name in MODULES if any(name in entry["peers"] for entry in cases.values())]
    titles = {c.name: f"{c.name}. {c.title}" for c in CASES}
    rows = [[titles[name], *(cell(entry["peers"], peer_name) for peer_name in known)] for name, entry in cases.items()]
    return table(["case", *(peer(name).NAME for name in known)], rows)


def _milliseconds(entries: dict[str, Any], name: str) -> str:
    entry = entries.get(name)
    if entry is None or "median" not in entry:
        return MISSING
    mark = f", order {entry['order']}" if entry["order"] != 4 else ""
    return f"{number(entry['median'])} ({number(entry['least'])}){mark}"


def _ratio(entries: dict[str, Any], name: str) -> str:
    entry, ours = entries.get(name), entries.get(OURS)
    if not entry or not ours or "median" not in entry or "median" not in ours:
        return MISSING
    return f"{entry['median'] / ours['median']:.1f} ({entry['least'] / ours['least']:.1f})"


def _size(size: int) -> str:
    return f"{size / 2**20:g} MiB"
