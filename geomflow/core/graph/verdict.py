"""What was found out about an expression that may be zero, and how surely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from geomflow.core.errors import ExpressionError

Status = Literal["proved", "probable", "undecided"]


@dataclass(frozen=True, repr=False)
class Verdict:
    """Whether an expression vanishes wherever it is defined on a domain; true only where zero is proved or probable.

    `zero` is True, False or None (undecided); `status` says how: "proved", "probable" or "undecided". Not being zero is
    always proved, being zero is proved by a normal form. What is probable carries its `bound`: of the probability that
    a random nonzero expression of this degree would have passed, if residues were taken; of |e| at all the points that
    were tried, if numbers were. `evidence` says which in words, and `point` is where a nonzero value was found, if
    values were needed.
    """

    zero: bool | None
    status: Status
    evidence: str
    bound: float | None = None
    point: Mapping[Any, Any] | None = None

    def __bool__(self) -> bool:
        return self.zero is True

    def decided(self) -> bool:
        """Whether it is zero.

        Raises ExpressionError if that is undecided.
        """
        if self.zero is None:
            raise ExpressionError(f"whether an expression is zero could not be decided: {self.evidence}; "
                                  "give ranges in which it is defined, or write it in simpler functions")
        return self.zero

    def __str__(self) -> str:
        answer = {True: "zero", False: "not zero", None: "zero or not"}[self.zero]
        return f"{answer}, {self.status}: {self.evidence}"

    __repr__ = __str__


ZERO_BY_FORM = Verdict(True, "proved", "its normal form is 0")
NONZERO = Verdict(False, "proved", "its normal form, or a residue of it, is not 0")


def every(verdicts: Iterable[Verdict]) -> Verdict:
    """Whether all are zero: the first that is not, else the first undecided one, else the weakest of all."""
    open_question, probable = None, []
    for verdict in verdicts:
        if verdict.zero is False:
            return verdict
        if verdict.zero is None:
            open_question = verdict if open_question is None else open_question
        elif verdict.status == "probable":
            probable.append(verdict)
    if open_question is not None:
        return open_question
    if not probable:
        return ZERO_BY_FORM
    weakest = max(probable, key=lambda v: v.bound or 0.0)
    return Verdict(True, "probable", weakest.evidence, sum(v.bound or 0.0 for v in probable))
