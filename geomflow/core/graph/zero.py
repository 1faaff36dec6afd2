"""Deciding that an expression is zero on a domain, by exact evaluation at random points.

Residues modulo a prime of 61 bits come first (`geomflow.core.graph.modular`): they settle what is rational in the
symbols and in sines, exponentials and unknown functions. What they leave open, identities that need the values of
functions or the branches of roots, is decided by ball arithmetic at points of the domain: a ball that excludes zero
proves that the expression is not zero; balls around zero, of radius below 2^-100, at points of several scales and
signs and in every stretch between branch points (`geomflow.core.graph.branches`), make it probable that it is.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any, Literal

from geomflow.core.errors import ExpressionError
from geomflow.core.graph.branches import beside_poles, branching, far_ends, stretches
from geomflow.core.graph.calculus import leaves, schedule, substitute
from geomflow.core.graph.domain import REALS, Domain, Frame, OutsideDomain
from geomflow.core.graph.evaluate import BITS, ball_values, is_real
from geomflow.core.graph.modular import PRIME, Nature, Undefined, height, natures_of, residue
from geomflow.core.graph.node import ZERO, Node, constant, symbol
from geomflow.core.graph.unknown import Places, meeting

ATTEMPTS, ATTEMPTS_TOGETHER = 200, 20
TRIALS = 2
LARGEST_BOUND = 1e-9
"""Residues that vanish with a larger probability say nothing."""
MOST_CASES = 256
"""Whole numbers between bounds that are nearer than this are taken one by one."""
LEAST_POINTS, MOST_POINTS = 3, 8
"""How many points without branches, and with them, besides those in the stretches."""
SMALL = 2.0**-100

Met = Callable[[Mapping[Node, Any]], dict[Node, Any] | None]
"""What makes of a point of independent values one that functions can have."""
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
NOWHERE = Verdict(None, "undecided", "no point was found at which it is defined")
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


def is_zero(node: Node, domain: Domain = REALS) -> Verdict:
    """Whether the expression vanishes wherever it is defined on the domain; true only if proved or probable."""
    return verdicts((node,), domain)[0]


def all_zero(nodes: Iterable[Node], domain: Domain = REALS) -> Verdict:
    """Whether all the expressions vanish wherever they are defined on the domain."""
    return every(verdicts(nodes, domain))


def verdicts(nodes: Iterable[Node], domain: Domain = REALS) -> list[Verdict]:
    """`is_zero` of each of the expressions; they share the work on their parts."""
    roots = list(nodes)
    pending = list(dict.fromkeys(roots))
    whole = {root: cases for root in pending if domain.integers and (cases := _cases(root, domain)) is not None}
    found = {root: every(verdicts(cases, domain)) if cases else NOWHERE for root, cases in whole.items()}
    found |= _settled([root for root in pending if root not in found], domain)
    rest = [root for root in pending if root not in found]
    found |= zip(rest, _by_values(rest, domain), strict=True)
    return [found[root] for root in roots]


def _cases(root: Node, domain: Domain) -> list[Node] | None:
    """The expression at each value of a whole number that has few, where defined; None if no such number is in it."""
    for name in sorted(_whole_numbers(root, domain)):
        if (values := domain.whole_values(symbol(name), MOST_CASES)) is not None:
            return [case for n in values if (case := _at(root, symbol(name), n)) is not None]
    return None


def _whole_numbers(root: Node, domain: Domain) -> set[str]:
    return {leaf.data for leaf in leaves([root]) if leaf.op == "symbol"} & domain.integers.keys()


def _at(root: Node, leaf: Node, value: int) -> Node | None:
    try:
        return substitute([root], {leaf: constant(value)})[0]
    except ExpressionError:  # a division by zero
        return None


def _settled(roots: Sequence[Node], domain: Domain) -> dict[Node, Verdict]:
    """The verdicts that need no values; a polynomial that is not zero may be so at all whole numbers of a domain."""
    found = {root: ZERO_BY_FORM for root in roots if root is ZERO}
    by_residues = _by_residues([root for root in roots if root not in found])
    return found | {root: verdict for root, verdict in by_residues.items()
                    if verdict.zero or not (domain.integers and _whole_numbers(root, domain))}


def _by_residues(roots: Sequence[Node]) -> dict[Node, Verdict]:
    """The verdicts that residues settle: those on zeros, and on what is rational."""
    order = schedule(roots)
    natures = natures_of(order)
    order = [node for node in order if natures[node] < Nature.ROOTED]
    points = _residues(order, ATTEMPTS if len(roots) == 1 else ATTEMPTS_TOGETHER)
    if not points and len(roots) > 1:  # one of them may be defined nowhere
        return dict(ChainMap(*[_by_residues([root]) for root in roots]))
    found: dict[Node, Verdict] = {}
    for root in (r for r in roots if points and natures[r] < Nature.ROOTED):
        if not any(known[root] for known in points):
            verdict = _probably(root)
            if verdict.bound is not None and verdict.bound < LARGEST_BOUND:
                found[root] = verdict
        elif natures[root] is Nature.RATIONAL:
            found[root] = NONZERO
    return found


def _by_values(roots: Sequence[Node], domain: Domain) -> list[Verdict]:
    """The verdicts from values; unknown functions are told apart by their arguments first, which may settle it."""
    places = Places(lambda a, b: a is b or bool(is_zero(a - b, domain)))
    with_jets = places.as_jets(roots)
    settled = _settled([new for root, new in zip(roots, with_jets, strict=True) if new is not root], domain)
    if places.can_meet:  # what is not zero for independent values may be zero for those that functions can have
        settled = {new: verdict for new, verdict in settled.items() if verdict.zero}
    return [settled[new] if new in settled else _in_balls(new, domain, places) for new in with_jets]


def _residues(order: list[Node], attempts: int) -> list[dict[Node, int]]:
    """Residues at `TRIALS` good points; fewer when good points cannot be found."""
    found: list[dict[Node, int]] = []
    for seed in range(attempts if order else 0):
        try:
            found.append(residue(order, seed))
        except Undefined:
            continue
        if len(found) == TRIALS:
            break
    return found


def _probably(root: Node) -> Verdict:
    """Zero at all residues: the chance of that is at most degree / PRIME a trial."""
    bound = min(1.0, height(root) / PRIME) ** TRIALS
    evidence = (f"its residues modulo {PRIME} vanish at {TRIALS} random points, which happens to a nonzero expression "
                f"of its degree with probability below {bound:.1g}")
    return Verdict(True, "probable", evidence, bound)


def _in_balls(root: Node, domain: Domain, places: Places) -> Verdict:
    """The verdict from values at points of the domain: scattered ones, and one in every stretch of every line."""
    used = places.under(root)
    parts = [root, *(a for place in used for a in place.args)]
    twins = places.conjugates(domain)
    frame, critical = domain.frame(parts, twins), branching(parts)
    tally = _Tally(root, frame, lambda point: meeting(used, point, twins))
    tally.scatter(MOST_POINTS if critical else LEAST_POINTS)
    for shares in chain.from_iterable(look(frame, critical) for look in (far_ends, beside_poles, stretches)
                                      if critical):
        tally.look(shares)
        if tally.refuted is not None:
            break
    return tally.verdict(bool(critical))


class _Tally:
    """What the values of one expression at points of a domain have been."""

    def __init__(self, root: Node, frame: Frame, met: Met) -> None:
        self._root, self._frame, self._met = root, frame, met
        self._good, self._vague, self._largest = 0, 0, 0.0
        self.refuted: Verdict | None = None

    def scatter(self, wanted: int) -> None:
        """Look at random points until enough of them were good, or too many vague."""
        for seed in range(ATTEMPTS):
            self.look(self._frame.shares(seed))
            if self.refuted is not None or self._good >= wanted or self._vague >= MOST_POINTS:
                return

    def look(self, shares: list[Fraction]) -> None:
        """Note the value at one point."""
        found = _value(self._root, self._frame, self._met, shares)
        if found is None:
            return
        value, point = found
        size = float(abs(value).upper())
        if not value.contains(0):
            self.refuted = refuted(value, point)
        elif size < SMALL:
            self._good, self._largest = self._good + 1, max(self._largest, size)
        else:
            self._vague += 1

    def verdict(self, cut: bool) -> Verdict:
        """The verdict after all looks."""
        if self.refuted is not None:
            return self.refuted
        if self._good < LEAST_POINTS:
            evidence = f"its values at {self._vague} points are too uncertain"
            return Verdict(None, "undecided", evidence) if self._vague else NOWHERE
        places = ", some in every stretch found between its branch points" if cut else ""
        evidence = f"its modulus is at most {self._largest:.1g} at {self._good} points{places}"
        return Verdict(True, "probable", evidence, self._largest)


def _value(root: Node, frame: Frame, met: Met, shares: list[Fraction]) -> tuple[Any, dict[Node, Any]] | None:
    """The value as a ball and the point; None where the expression is not defined or the domain leaves no room."""
    try:
        start = frame.point(shares)
    except OutsideDomain:
        return None
    point = met(start)
    if point is None:
        return None
    value = None
    for bits in (BITS, 8 * BITS):
        values = ball_values([root], point, bits, real=is_real(start))
        if values is None or not values[0].is_finite():
            return None
        value = values[0]
        if not value.contains(0) or abs(value).upper() < SMALL:
            break
    return value, point


def refuted(value: Any, point: dict[Node, Any]) -> Verdict:
    """The verdict that a ball around the value at a point excludes zero."""
    return Verdict(False, "proved", f"it is {_short(value)} at {_shown(point)}", point=_named(point))


def _named(point: dict[Node, Any]) -> dict[str, Any]:
    """The point by names of symbols and jets."""
    return {repr(leaf): value for leaf, value in point.items()}


def _shown(point: dict[Node, Any]) -> str:
    """The point in short decimals."""
    return ", ".join(f"{leaf!r} = {_decimal(value)}" for leaf, value in point.items()) or "every point"


def _decimal(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{float(value[0]):.4g} + {float(value[1]):.4g}i"
    return f"{float(value):.4g}"


def _short(value: Any) -> str:
    return f"{complex(value):.4g}" if not value.imag.is_zero() else f"{float(value.real):.4g}"
