"""What a benchmark measured, kept beside the code: the numbers, and the tables that the documentation includes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def keep(name: str | None, result: dict[str, Any], text: str) -> None:
    """Write results/NAME.json and results/NAME.md; nothing without a name."""
    if name:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        (RESULTS / f"{name}.md").write_text(text)
