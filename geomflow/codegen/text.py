"""The text of generated code: indented lines, and readable, distinct and safe names."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from geomflow.codegen.width import vector_bits

WIDTH = 110
"""Longer lines are broken inside parentheses."""


class Writer:
    """Collects lines of Python at a depth of indentation."""

    def __init__(self, depth: int = 0) -> None:
        self.lines: list[str] = []
        self._depth = depth

    def line(self, text: str) -> None:
        """Add one line, broken into several where it is long."""
        first, *rest = broken(text, WIDTH - 4 * self._depth)
        self.lines.append("    " * self._depth + first)
        self.lines.extend("    " * (self._depth + 2) + part for part in rest)

    def extend(self, lines: Iterable[str]) -> None:
        """Add several lines."""
        for text in lines:
            self.line(text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Indent what is written inside by one step, under `head`."""
        self.line(head)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1


def listed(names: Iterable[str]) -> str:
    """Names of users for comments and texts of the code, without what would end these."""
    return "".join(c if c.isprintable() and c not in '\\"' else "_" for c in ", ".join(names))


def broken(text: str, width: int) -> list[str]:
    """The text in parts that fit the width, where spaces inside parentheses but not in brackets allow it."""
    parts, begin = [], 0
    places = list(_places(text))
    while len(text) - begin > width:
        fitting = [place for place in places if begin < place <= begin + width]
        if not fitting:
            break
        parts.append(text[begin:fitting[-1]])
        begin = fitting[-1] + 1
    return [*parts, text[begin:]]


def _places(text: str) -> Iterator[int]:
    """Where the text may be broken; not in a comment."""
    text = text.partition("#")[0]
    parentheses = brackets = 0
    for place, character in enumerate(text):
        parentheses += (character == "(") - (character == ")")
        brackets += (character == "[") - (character == "]")
        if character == " " and parentheses and not brackets:
            yield place


INSTRUCTIONS = frozenset({
    "abs", "acos", "acosh", "around", "asin", "asinh", "at", "atan", "atanh", "buffer", "cos", "cosh", "erf", "even",
    "exp", "fma", "log", "loop", "maximum", "minimum", "noalias", "odd", "outer", "periodic", "release", "row", "sign",
    "sin", "sinh", "sqrt", "tan", "tanh", "vectors", "when", "where",
})
"""What `geomflow.codegen.instructions` offers."""

RESERVED = INSTRUCTIONS | {
    "__debug__", "arguments", "block", "c", "fields", "first", "grid", "instructions", "last", "left", "line", "njit",
    "origin", "out", "outputs", "p", "parameters", "points", "right", "s", "spacing", "start", "statics", "step",
    "stop", "table", "turn", "turns", "width",
}


OWN = re.compile(r"t\d+|[nh]_[ijkl]|w_[ijkl]+|[ijklqmr]\d*(_\d+)?|(across|d|line|lines|stage)\d+(_[ijkl]+)?")
"""What generated code names without asking."""


class Names:
    """Hands out identifiers, each once: the wanted name where it is free and safe, a variation otherwise."""

    def __init__(self) -> None:
        self._taken: set[str] = set(RESERVED)

    def take(self, wanted: str) -> str:
        """An identifier close to `wanted` that was not handed out before."""
        base = re.sub(r"\W", "_", wanted, flags=re.ASCII) or "_"
        if base[0].isdigit() or keyword.iskeyword(base) or OWN.fullmatch(base):
            base = f"v_{base}"
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}_v{number}"
        self._taken.add(name)
        return name


_FUNCTION = '''\
from numba import njit

from geomflow.codegen.building import instructions
{imports}


@instructions
def {name}({arguments}):
{body}


@njit(cache=True, nogil=True, error_model="numpy")
def block({arguments}):
    {name}(({arguments}))
'''


def function(name: str, arguments: str, lines: Sequence[str]) -> str:
    """The end of a generated file: what it imports, the instructions called `name`, and the function of these.

    They begin with promises: arrays do not overlap, and how wide vectors are to be.
    """
    bits = vector_bits()
    body = "\n".join(["    noalias()", *([f"    vectors({bits})"] if bits else []), *lines])
    used = ", ".join(sorted(INSTRUCTIONS.intersection(re.findall(r"(?<![\w.])(\w+)\(", body))))
    imports = "\n    ".join(broken(f"from geomflow.codegen.instructions import ({used})", WIDTH))
    return _FUNCTION.format(name=name, arguments=arguments, imports=imports, body=body)
