"""python -m tests.hostile [PART ...] [--seed N] [--share S]: the hostile run."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from . import hostile

if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="python -m tests.hostile", description=hostile.__doc__)
    options.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(hostile.SIZES)}; all unless given")
    options.add_argument("--seed", type=int, default=11, help="the seed of everything (11 unless given)")
    options.add_argument("--share", type=float, default=1.0, help="how much of each part; 1 unless given")
    options.add_argument("--folder", type=Path, help="a new folder to work in and leave; a temporary one unless given")
    asked = options.parse_args()
    begun = time.monotonic()
    ledger = hostile.hostile(asked.seed, asked.share, asked.parts or tuple(hostile.SIZES), asked.folder)
    print(ledger.table())
    print(f"{len(ledger.tried)} tried, {len(ledger.wrong)} wrong, {time.monotonic() - begun:.0f} s, seed {asked.seed}")
    sys.exit(1 if ledger.wrong else 0)
