"""Mathematical text read by a whitelist: numbers, names, arithmetic and known functions, nothing else.

The text is cut into words (`geomflow.symbolic.words`) and read in one pass; it is never evaluated. What its numbers,
names and signs mean is said by a `Meaning`: sympy expressions here, tensors in `geomflow.symbolic.language`.

Numbers are exact (`0.1` is 1/10); one that is written to the last of a float's digits is what that float stands for
(`0.6666666666666666` is 2/3). Names are taken as they are written, Python's keywords among them; one that is not known
is looked for in the letters that Unicode holds equivalent to it (NFKC: φ for ϕ, μ for µ), as Python does with its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NoReturn
from unicodedata import normalize

import sympy

from geomflow.core.errors import ExpressionError, UnknownFunctionError, nearest
from geomflow.core.exact_numbers import meant
from geomflow.symbolic.meaning import CONSTANTS, Meaning, Refusal, SympyMeaning
from geomflow.symbolic.words import ONLY, Token, fail, tokens

LONGEST_TEXT = 50_000
DEEPEST_NESTING = 200
MOST_DIGITS = 4_000
DIGITS_OF_A_FLOAT = (16, 17)


def parse(text: str, names: Mapping[str, Any] | Iterable[str | sympy.Symbol] = ()) -> sympy.Expr:
    """The sympy expression that a text says; both `^` and `**` are powers.

    Parameters
    ----------
    text : str
        Numbers, names, arithmetic and known functions.
    names : mapping, or sequence of symbols and str, optional
        Coordinates and parameters, which win over the constants pi, e and i. A mapping gives expressions by name, or
        sympy functions that may be called; names in a sequence become real symbols.

    Notes
    -----
    Raises `ExpressionError` with a caret under the offending place, and `UnknownFunctionError` for a call of an
    unknown function.
    """
    return read(text, SympyMeaning(_named(names)))


def read(text: str, meaning: Meaning) -> Any:
    """What a text says; see `parse` for what it raises.

    Parameters
    ----------
    text : str
        Numbers, names, arithmetic and functions.
    meaning : Meaning
        What they mean.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"an expression must be text, not {type(text).__name__}: {text!r}")
    return Reader(text, meaning).read()


def _named(names: Mapping[str, Any] | Iterable[str | sympy.Symbol]) -> dict[str, Any]:
    if isinstance(names, Mapping):
        return {str(name): value for name, value in names.items()}
    return {str(name): sympy.Symbol(name, real=True) if isinstance(name, str) else name for name in names}


@dataclass
class _Group:
    """What stands in one pair of brackets, or in the whole text, as far as it is read.

    `opened` is the bracket, or the name of the function before it. A sum is kept as its terms, each with its first
    word, the last term as its factors; `pending` are signs, and bases of powers, that wait for the next operand.
    """

    opened: Token
    arguments: list[Any] = field(default_factory=list)
    terms: list[tuple[Token, Any]] = field(default_factory=list)
    factors: list[Any] = field(default_factory=list)
    pending: list[tuple[Token, Any]] = field(default_factory=list)
    begun: Token | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was read in it."""
        return not (self.arguments or self.terms or self.factors or self.pending)


class Reader:
    """A walk over one text's words; open brackets are kept on a list, so that no nesting is too deep for the stack."""

    def __init__(self, text: str, meaning: Meaning) -> None:
        self.text = text
        self.meaning = meaning
        self.groups = [_Group(Token("sign", "", 0))]
        self.called: Token | None = None

    def read(self) -> Any:
        """The value of the whole text."""
        if len(self.text) > LONGEST_TEXT:
            raise ExpressionError(
                f"an expression of {len(self.text)} characters is too long; the most is {LONGEST_TEXT}"
            )
        words = list(tokens(self.text, self.meaning.indexed))
        if words[0].kind == "end":
            raise ExpressionError("an expression is empty: write 0 for zero")
        value: Any = None
        for token, following in zip(words, [*words[1:], words[-1]], strict=True):
            value = self._operand(token, following) if value is None else self._operator(token, value)
        if not self.meaning.is_value(value):
            self._fail(words[0], "this is not a number or an expression")
        if isinstance(value, sympy.Expr) and value.has(sympy.zoo, sympy.nan, sympy.oo):
            raise ExpressionError(f"the expression {self.text.strip()!r} is not finite: it divides by zero")
        return value

    def _fail(self, token: Token, message: str, kind: type[ExpressionError] = ExpressionError) -> NoReturn:
        fail(self.text, token.column, message, kind)

    def _do(self, token: Token, act: Callable[..., Any], *values: Any, places: Sequence[Token] = ()) -> Any:
        """What an operation gives; what it refuses is an error at its place, or at that of an operand."""
        try:
            return act(*values)
        except Refusal as refusal:
            self._fail(places[refusal.which] if places and refusal.which is not None else token, str(refusal))

    def _operand(self, token: Token, following: Token) -> Any:
        """The value of a word where an operand is due; None if it is a sign or a bracket, so that one still is."""
        group = self.groups[-1]
        group.begun = group.begun or token
        match token.kind, token.text:
            case "number", written:
                return self._number(token, written)
            case "name", name:
                if following.text != "(":
                    return self._name(token, name)
                self.called = token
            case "sign", "(":
                self.groups.append(_Group(self.called or token))
                self.called = None
                self._check_nesting(token)
            case "sign", "+" | "-":
                self._wait(token)
            case "sign", ")" if self.groups[-1].opened.kind == "name" and self.groups[-1].empty:
                return self._call(self.groups.pop().opened, [])
            case _:
                self._fail(token, "cannot read this: a number, a name or a bracket is missing here")
        return None

    def _operator(self, token: Token, value: Any) -> Any:
        """What a value becomes at the word behind it; None if that is a sign or a comma, so that an operand is due."""
        group = self.groups[-1]
        if token.kind == "indices":
            return self._do(token, self.meaning.at_indices, self._summand(token, value), self._indices(token))
        if token.text in ("^", "**"):
            return self._wait(token, self._summand(token, value))
        if token.kind in ("number", "name") or token.text == "(":
            self._fail(token, f"{ONLY}; write '*' to multiply")
        value = self._factor(group, value)
        if token.text in ("*", "/"):
            group.factors.append(self._summand(token, value))
            return self._wait(token) if token.text == "/" else None
        if group.factors:
            factors = [*group.factors, self._summand(token, value)]
            value, group.factors = self._do(group.begun or token, self.meaning.product, factors), []
        if token.text in ("+", "-"):
            group.terms.append((group.begun or token, self._summand(token, value)))
            group.begun = None
            return self._wait(token)
        if group.terms:
            places, terms = zip(*group.terms, (group.begun or token, self._summand(token, value)), strict=True)
            value, group.terms = self._do(token, self.meaning.total, terms, places=places), []
        return self._closed(group, token, value)

    def _indices(self, token: Token) -> tuple[str, ...]:
        """The names in "[i, j]"."""
        names = tuple(name.strip() for name in token.text[1:-1].split(","))
        if not token.text.endswith("]") or not all(name.isidentifier() for name in names):
            self._fail(token, "cannot read these indices: write names with commas between them, as in Ric[i, j]")
        return names

    def _wait(self, token: Token, base: Any = None) -> None:
        self.groups[-1].pending.append((token, base))
        self._check_nesting(token)

    def _check_nesting(self, token: Token) -> None:
        if sum(1 + len(group.pending) for group in self.groups) > DEEPEST_NESTING:
            self._fail(token, f"more than {DEEPEST_NESTING} levels of nesting")

    def _summand(self, token: Token, value: Any) -> Any:
        if not self.meaning.is_value(value):
            self._fail(token, "a function without its argument cannot be used in arithmetic")
        return value

    def _factor(self, group: _Group, value: Any) -> Any:
        """The value under the powers and signs that wait for it, the last one first."""
        while group.pending:
            sign, base = group.pending.pop()
            value = self._summand(sign, value)
            if base is not None:
                value = self._do(sign, self.meaning.power, base, value)
            elif sign.text == "-":
                value = self.meaning.negative(value)
            elif sign.text == "/":
                value = self._do(sign, self.meaning.inverse, value)
        return value

    def _closed(self, group: _Group, token: Token, value: Any) -> Any:
        """What a sum becomes at the comma, the bracket or the end behind it."""
        called = group.opened.kind == "name"
        group.begun = None
        if token.kind == "end":
            if len(self.groups) > 1:
                self._fail(group.opened, "cannot read this: its bracket is not closed")
            return value
        if (token.text == "," and not called) or len(self.groups) == 1:
            self._fail(token, f"cannot read this: '{token.text}' does not belong here")
        group.arguments.append(value)
        if token.text == ",":
            return None
        self.groups.pop()
        return self._call(group.opened, group.arguments) if called else value

    def _number(self, token: Token, written: str) -> Any:
        digits = written.replace("_", "").removesuffix("j")
        exponent = digits.lower().partition("e")[2]
        if exponent and (len(exponent) > 5 or abs(int(exponent)) > 400):
            self._fail(token, f"the number {written} is beyond double precision")
        if len(digits) > MOST_DIGITS:
            self._fail(token, f"a number of {len(digits)} digits; the most is {MOST_DIGITS}")
        value = _decimal(digits)
        if written.endswith("j"):
            if self._known("j", self.meaning.names) is not None:
                self._fail(token, f"'{written}' is a number times i, and 'j' is a name here: write '*' to multiply, "
                                  "or i")
            value = sympy.I * value
        return self._do(token, self.meaning.number, value)

    def _known(self, name: str, table: Mapping[str, Any]) -> Any:
        if name in table:
            return table[name]
        plain = normalize("NFKC", name)
        same = next((known for known in table if normalize("NFKC", known) == plain), None)
        return None if same is None else table[same]

    def _name(self, token: Token, name: str) -> Any:
        if (found := self._do(token, self._known, name, self.meaning.names)) is not None:
            return found
        if (constant := self._known(name, CONSTANTS)) is not None:
            return self._do(token, self.meaning.number, constant)
        if name in self.meaning.functions:
            self._fail(token, f"the function '{name}' needs an argument, as in {name}(x)")
        known = [*self.meaning.names, "pi", "e", "i"]
        self._fail(token, f"unknown name '{name}'; {nearest(name, known, 'known here')}")

    def _call(self, token: Token, args: list[Any]) -> Any:
        name, names = token.text, self.meaning.names
        function = self._do(token, self._known, name, names) or self.meaning.functions.get(name)
        if function is None:
            known = [*self.meaning.functions, *self.meaning.callable_names]
            hint = nearest(name, known, 'known here')
            if name in CONSTANTS:
                hint = "it is a number: write '*' to multiply."
            self._fail(token, f"unknown function '{name}'; {hint}", UnknownFunctionError)
        if not callable(function) or self.meaning.is_value(function):
            self._fail(token, f"'{name}' is not a function; write '*' to multiply")
        try:
            value = self._do(token, function, *args)
        except TypeError:
            self._fail(token, f"'{name}' cannot take {len(args)} argument{'s' * (len(args) != 1)}")
        return self._do(token, self.meaning.called, value)


def _decimal(digits: str) -> sympy.Expr:
    """The number that a decimal says; where it is written to the last digit of a float, what that float stands for."""
    exact, near = Fraction(digits), float(digits)
    significant = len(digits.lower().partition("e")[0].replace(".", "").strip("0"))
    written_out = significant in DIGITS_OF_A_FLOAT and math.isfinite(near)
    if written_out and exact in (Fraction(repr(near)), Fraction(f"{near:.17g}")):
        found, simple = meant(sympy.Float(near))
        if simple:
            return found
    return sympy.Rational(exact.numerator, exact.denominator)
