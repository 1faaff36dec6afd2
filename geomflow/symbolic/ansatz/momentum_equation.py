"""Kähler–Ricci solitons on a span, exactly: the equation of the momentum profile F is equation.

Where −Ric + λ g keeps F up to diffeomorphisms, F² (X/F)' = 0 with X = F' + pF − q, so that F' + pF − αF = q and
F = e^{αy}/D ∫_a^y e^{−αt} P dt, where D' = pD and P = qD is a polynomial. The gradient soliton has f = αy. Ends close
where q = ±m, which fixes the class, and α closes the other end or makes the metric complete (N. Koiso, 1990; H.-D. Cao,
1996; M. Feldman, T. Ilmanen, D. Knopf, J. Diff. Geom. 65, 2003).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import mpmath
import sympy

from geomflow.core.errors import InputError, require_known
from geomflow.symbolic.ansatz.domain import Span
from geomflow.symbolic.ansatz.exact_places import DIGITS
from geomflow.symbolic.ansatz.measure import measure_of
from geomflow.symbolic.ansatz.momentum_soliton import ALPHA, MomentumSoliton
from geomflow.symbolic.ansatz.reduction import reduced
from geomflow.symbolic.ansatz.span import closing_of, span_of
from geomflow.symbolic.ansatz.typed import Typed
from geomflow.symbolic.exact import all_zero
from geomflow.symbolic.given import given_freely

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


@final
@dataclass(frozen=True)
class _Equation:
    """F' + D'F/D − αF = q on a span."""

    ansatz: Ansatz
    constant: int
    value: sympy.Expr
    density: sympy.Expr
    source: sympy.Expr
    slope: sympy.Expr

    @property
    def place(self) -> sympy.Symbol:
        return self.value.args[0]

    @property
    def weighted(self) -> sympy.Expr:
        """P = qD."""
        return sympy.expand(self.source * self.density)

    def start(self) -> sympy.Expr:
        """a: 0, a number where q = m, or its name where q = m everywhere. Raises InputError where there is none."""
        low = _span(self.ansatz).a
        return low if low == 0 else self._closing(low, self.slope, 0)

    def last(self, start: sympy.Expr) -> sympy.Expr:
        """b, where q = −m."""
        return self._closing(_span(self.ansatz).b, -self.slope, start)

    def _closing(self, end: sympy.Symbol, slope: sympy.Expr, above: sympy.Expr) -> sympy.Expr:
        left = sympy.expand(self.source - slope)
        if left == 0:
            return sympy.Symbol(end.name, positive=True)
        found = [root for root in sympy.solve(left, self.place) if root.is_number and root > above]
        if not found:
            raise InputError(f"no Kähler-Ricci soliton of this kind closes smoothly: at the end {end} of {self.place} "
                             f"{self.source} would be {slope}, and that is at no place above {above}. On O(-k) over "
                             "CP^(n-1) there are shrinking ones for k < n, steady ones for k = n, expanding ones for "
                             "k > n, and compact ones are shrinking with k < n.")
        return found[0]

    def solution(self, start: sympy.Expr, *, closed: bool) -> sympy.Expr:
        """e^{αy}/D ∫_a^y e^{−αt} P dt in the symbol alpha; without what vanishes where the integral to ∞ does."""
        whole = _antiderivative(self.weighted, self.place)
        last = sympy.S.Zero if closed else sympy.exp(ALPHA * (self.place - start)) * whole.subs(self.place, start)
        return sympy.factor((last - whole) / self.density)

    def straight(self, start: sympy.Expr) -> sympy.Expr:
        """The same where α = 0."""
        whole = sympy.integrate(self.weighted, self.place)
        return sympy.factor((whole - whole.subs(self.place, start)) / self.density)

    def made(self, alpha: sympy.Expr, profile: sympy.Expr, condition: sympy.Expr, ends: Mapping[str, sympy.Expr]
             ) -> MomentumSoliton:
        """The soliton. Raises InputError where its profile is not decided to solve the reduced equation."""
        known = alpha if alpha.is_Rational else ALPHA
        profile = sympy.factor(profile.subs(ALPHA, known))
        bent = sympy.expand(profile.diff(self.place) + (sympy.cancel(self.density.diff(self.place) / self.density)
                                                        - known) * profile - self.source)
        if not all_zero([bent], self.ansatz.metric.chart):
            raise InputError("the profile of this soliton does not solve its equation: take steady(...) instead.")
        return MomentumSoliton(self.ansatz, self.constant, alpha, profile, self._scalar(profile, known), condition,
                               ends, self.place)

    def _scalar(self, profile: sympy.Expr, alpha: sympy.Expr) -> sympy.Expr:
        """R, with F' and F'' from the equation."""
        ratio = sympy.cancel(self.density.diff(self.place) / self.density)
        first = self.source + (alpha - ratio) * self.value
        second = first.diff(self.place).subs(self.value.diff(self.place), first)
        found = self.ansatz.scalar("R").subs(self.value.diff(self.place, 2), second)
        return sympy.factor(sympy.expand(found.subs(self.value.diff(self.place), first)).subs(self.value, profile))


def compact_soliton(ansatz: Ansatz) -> MomentumSoliton:
    """The shrinking soliton of a compact ansatz, in the class that is the first Chern class.

    Raises InputError where there is none.
    """
    equation = _equation(ansatz, 1)
    low = equation.start()
    high = equation.last(low)
    ends = {end.name: number for end, number in ((_span(ansatz).a, low), (_span(ansatz).b, high)) if end.is_Symbol}
    if sympy.integrate(equation.weighted, (equation.place, low, high)) == 0:
        return equation.made(sympy.S.Zero, equation.straight(low), ALPHA, ends)
    closing = sympy.Integral(sympy.exp(-ALPHA * equation.place) * equation.weighted, (equation.place, low, high))
    return equation.made(_transcendental(equation, low, high), equation.solution(low, closed=False), closing, ends)


def complete_on_span(ansatz: Ansatz, constant: int, given: Mapping[str, Any]) -> MomentumSoliton:
    """The complete soliton that begins where a span does and has no other end.

    A shrinking one has the α for which ∫_a^∞ e^{−αy} P dy = 0, steady and expanding ones are complete for all α ≤ 0.

    Raises InputError where there is none, where α is missing, or is positive.

    Parameters
    ----------
    ansatz : Ansatz
        On a span.
    constant : int
        λ.
    given : mapping
        alpha, of steady and expanding ones.
    """
    for name in given:
        require_known("number of a complete soliton", name, () if constant == 1 else (ALPHA.name,))
    equation = _equation(ansatz, constant)
    low = equation.start()
    ends = {_span(ansatz).a.name: low} if _span(ansatz).a.is_Symbol and low.is_number else {}
    if constant == 1:
        alpha, condition = _algebraic(equation, low)
        return equation.made(alpha, equation.solution(low, closed=True), condition, ends)
    if ALPHA.name not in given:
        raise InputError("steady and expanding solitons are a family: give alpha, the slope of their potential by "
                         f"{equation.place}, such as alpha=-1. (Of a steady one it only sets the scale.)")
    alpha = given_freely(given[ALPHA.name])
    if not (alpha.is_number and alpha.is_nonpositive):
        raise InputError(f"a soliton with alpha = {alpha} is not complete: give a number that is not positive.")
    profile = equation.straight(low) if alpha == 0 else equation.solution(low, closed=False)
    return equation.made(alpha, profile, sympy.S.Zero, ends)


def _equation(ansatz: Ansatz, constant: int) -> _Equation:
    """The equation, from the reduced one. Raises InputError off spans, and where it is not F² (X/F)' = 0."""
    closing = closing_of(_of_span(ansatz))
    value = closing.unknown.value
    y = value.args[0]
    measure = measure_of(ansatz.metric, ansatz.coordinates).density
    density = sympy.cancel(measure / measure.subs(y, 1))
    rate = reduced(ansatz, Typed(f"-Ric + {constant}*g" if constant else "-Ric")).rates[0]
    jets = {value.diff(y, 2): sympy.S.Zero, value.diff(y): sympy.Symbol("slope"), value: sympy.S.Zero}
    source = sympy.expand(sympy.cancel(rate.xreplace(jets))).coeff(sympy.Symbol("slope"), 1)
    first = value.diff(y) + density.diff(y) / density * value - source
    if not all_zero([value**2 * (first / value).diff(y) - rate], ansatz.metric.chart):
        raise InputError("the equation of solitons of this metric is not linear in its profile: find them by "
                         "steady(\"-Ric + g\", ...).")
    return _Equation(ansatz, constant, value, density, source, closing.slope)


def _of_span(ansatz: Ansatz) -> Ansatz:
    if span_of(ansatz) is None:
        raise InputError(f"solitons are known exactly of metrics on a Span, such as the ansatz \"momentum\"; this is "
                         f"{ansatz}.")
    return ansatz


def _span(ansatz: Ansatz) -> Span:
    span = span_of(ansatz)
    assert span is not None
    return span


def _antiderivative(polynomial: sympy.Expr, y: sympy.Symbol) -> sympy.Expr:
    """Q with ∫ e^{−αy} P dy = −e^{−αy} Q, Σ P^{(j)}/α^{j+1}."""
    degree = sympy.Poly(polynomial, y).degree()
    return sympy.Add(*[polynomial.diff(y, j) / ALPHA ** (j + 1) for j in range(degree + 1)])


def _algebraic(equation: _Equation, low: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """The α > 0 with ∫_a^∞ e^{−αy} P dy = 0, and the polynomial whose root it is.

    e^{αc} times the integral grows with α where q = c − y, so that there is one.
    """
    whole = _antiderivative(equation.weighted, equation.place).subs(equation.place, low)
    polynomial = sympy.Poly(sympy.numer(sympy.together(whole)), ALPHA).primitive()[1]
    roots = [root for root in sympy.real_roots(polynomial, multiple=False) if root[0].is_positive]
    return roots[0][0], polynomial.as_expr()


def _transcendental(equation: _Equation, low: sympy.Expr, high: sympy.Expr) -> sympy.Expr:
    """The α with ∫_a^b e^{−αy} P dy = 0, with 40 digits; e^{αc} times the integral grows with it where q = c − y."""
    weight = sympy.lambdify(equation.place, equation.weighted, "mpmath")
    with mpmath.workdps(DIGITS + 10):
        first, last = (mpmath.mpf(str(end)) for end in (low, high))
        centre = (first + last) / 2

        def excess(alpha: Any) -> Any:
            return mpmath.quad(lambda y: mpmath.exp(-alpha * (y - centre)) * weight(y), [first, last])

        bound = mpmath.mpf(1)
        while excess(bound) * excess(-bound) > 0:
            bound *= 2
        return sympy.Float(mpmath.findroot(excess, (-bound, bound), solver="anderson"), DIGITS)
