"""What was tried, what came of it, and what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tried:
    """One hostile input: the part of the run, its kind, how it can be found again, what came of it, what was wrong."""

    part: str
    kind: str
    what: str
    came: str
    wrong: str = ""


@dataclass
class Ledger:
    """All that was tried."""

    tried: list[Tried] = field(default_factory=list)

    def add(self, found: Iterable[Tried]) -> None:
        """Keep what a part yields, and say at once what is wrong."""
        for each in found:
            self.tried.append(each)
            if each.wrong:
                print(f"WRONG {each.part}, {each.kind}: {each.what}\n      {each.wrong}", flush=True)

    @property
    def wrong(self) -> list[Tried]:
        """What went wrong."""
        return [each for each in self.tried if each.wrong]

    def table(self) -> str:
        """One row for each kind of each part: how many, what came of them, how many were wrong."""
        rows = [("part", "kind", "tried", "wrong", "what came of them")]
        for part, kind in dict.fromkeys((each.part, each.kind) for each in self.tried):
            mine = [each for each in self.tried if (each.part, each.kind) == (part, kind)]
            came = ", ".join(f"{count} {name}" for name, count in Counter(each.came for each in mine).most_common())
            rows.append((part, kind, str(len(mine)), str(sum(bool(each.wrong) for each in mine)), came))
        for part in dict.fromkeys(each.part for each in self.tried):
            mine = [each for each in self.tried if each.part == part]
            rows.append((part, "all", str(len(mine)), str(sum(bool(each.wrong) for each in mine)), ""))
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        return "\n".join("  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[4]]).rstrip()
                         for row in rows)
