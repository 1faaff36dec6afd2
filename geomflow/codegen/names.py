"""Readable, distinct and safe names in generated code."""

from __future__ import annotations

import keyword
import re

RESERVED = frozenset({
    "abs", "arguments", "below", "bits", "block", "c", "complex_sign", "double", "erf", "exp", "fields", "float",
    "fma", "line", "log", "math", "max", "min", "njit", "noalias", "np", "out", "outputs", "p", "parameters",
    "prange", "range", "s", "select", "sign", "spacing", "start", "statics", "step", "stop", "table",
})


class Names:
    """Hands out identifiers, each once: the wanted name where it is free and safe, a variation otherwise."""

    def __init__(self) -> None:
        self._taken: set[str] = set(RESERVED)

    def take(self, wanted: str) -> str:
        """An identifier close to `wanted` that was not handed out before."""
        base = re.sub(r"\W", "_", wanted, flags=re.ASCII) or "_"
        if base[0].isdigit() or keyword.iskeyword(base) or re.fullmatch(r"t\d+", base):
            base = f"v_{base}"
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}_v{number}"
        self._taken.add(name)
        return name
