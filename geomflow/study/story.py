"""What a study found as a story: three numbers with their errors first, and every number in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import final

from geomflow.study.seeds import plus_minus

#: Endings of the names of what belongs to another number: its error, and the ends of its range.
PARTS = ("_error", "_low", "_high")


@final
@dataclass(frozen=True)
class Words:
    """The names of numbers in words.

    A pattern such as ``"gain_{kernel}_{points}"`` says ``"gain on unseen points, {kernel}, {points} points"``; what
    stands in braces is one piece of a name without ``_``, and a term where it is one.

    Parameters
    ----------
    patterns : mapping of str to str
        Words by pattern, the first that fits counts.
    terms : mapping of str to str
        Words by piece.
    first : tuple of str
        The numbers that are told first, in names with ``*`` for any piece; of several the last.
    """

    patterns: Mapping[str, str] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)
    first: tuple[str, ...] = ()

    def of(self, name: str) -> str | None:
        """The words of a number, or None where no pattern fits.

        >>> Words({"gain_{kernel}_{points}": "gain, {kernel}, {points} points"}, {"relu": "ReLU"}).of("gain_relu_1000")
        'gain, ReLU, 1000 points'

        Parameters
        ----------
        name : str
            A key of `Findings.numbers`.
        """
        for pattern, words in self.patterns.items():
            found = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^_]+)", re.escape(pattern)), name)
            if found:
                return words.format(**{key: self.terms.get(piece, piece) for key, piece in found.groupdict().items()})
        return None

    def told(self, numbers: Mapping[str, float]) -> Iterator[tuple[str, str]]:
        """Every number in words (its name where there are none), with its value and its error or range.

        Parameters
        ----------
        numbers : mapping of str to float
            Those of `Findings.numbers`.
        """
        for name in numbers:
            if not is_part(numbers, name):
                yield self.of(name) or name, value_of(numbers, name)

    def headlines(self, numbers: Mapping[str, float]) -> Iterator[tuple[str, str]]:
        """The numbers that are told first.

        Parameters
        ----------
        numbers : mapping of str to float
            Those of `Findings.numbers`.
        """
        for wanted in self.first:
            names = [name for name in numbers if fnmatchcase(name, wanted) and not is_part(numbers, name)]
            if names:
                yield self.of(names[-1]) or names[-1], value_of(numbers, names[-1])


def is_part(numbers: Mapping[str, float], name: str) -> bool:
    """Whether a number is the error of another, or an end of its range.

    >>> numbers = {"c": 1.0, "c_error": 0.1, "worst_error": 0.2}
    >>> [is_part(numbers, name) for name in numbers]
    [False, True, False]
    """
    return any(name.endswith(part) and name.removesuffix(part) in numbers for part in PARTS)


def value_of(numbers: Mapping[str, float], name: str) -> str:
    """A number with its error or its range.

    >>> value_of({"c": 0.1135, "c_error": 0.0026}, "c"), value_of({"n": 3e4, "n_low": 2e4, "n_high": 5e4}, "n")
    ('0.1135 ± 0.0026', '3e+04 (2e+04 to 5e+04)')
    """
    value = numbers[name]
    if f"{name}_low" in numbers:
        return f"{value:.3g} ({numbers[f'{name}_low']:.3g} to {numbers[f'{name}_high']:.3g})"
    error = numbers.get(f"{name}_error", 0.0)
    return f"{value:.4g} ± {error:.2g}" if abs(value) >= 1e6 and error else plus_minus(value, error)


def table(head: tuple[str, str], rows: Iterator[tuple[str, str]]) -> list[str]:
    """A table of Markdown."""
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return [*lines, *(f"| {left} | {right} |" for left, right in rows)]


def story(words: Words, numbers: Mapping[str, float], answer: str, compared: str, picture: str) -> list[str]:
    """The picture, the numbers that are told first, the answer, and what was published beside it: lines of Markdown."""
    first = list(words.headlines(numbers))
    lines = ["", picture, "", *(table(("in numbers", "measured"), iter(first)) if first else []), "", answer]
    return [*lines, *(["", "## Beside the paper", "", compared] if compared else [])]
