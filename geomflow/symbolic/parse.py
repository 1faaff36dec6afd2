"""Mathematical text read by a whitelist: numbers, names, arithmetic and known functions, nothing else.

The text is cut into words and read in one pass; it is never evaluated. Numbers are exact (`0.1` is 1/10); one that is
written to the last of a float's digits is what that float stands for (`0.6666666666666666` is 2/3). Names are taken as
they are written, Python's keywords among them; one that is not known is looked for in the letters that Unicode holds
equivalent to it (NFKC: φ for ϕ, μ for µ), as Python does with its own names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NoReturn
from unicodedata import normalize

import sympy

from geomflow.core.errors import ExpressionError, UnknownFunctionError, nearest
from geomflow.core.exact_numbers import MOST_BITS, meant, overgrown

_PLAIN = (
    "sin cos tan cot sec csc asin acos atan sinh cosh tanh coth asinh acosh atanh "
    "exp log sqrt cbrt sign erf re im conjugate"
)
FUNCTIONS: Mapping[str, Callable[..., sympy.Expr]] = {
    **{name: getattr(sympy, name) for name in _PLAIN.split()},
    "abs": sympy.Abs,
    "Abs": sympy.Abs,
    "ln": sympy.log,
    "conj": sympy.conjugate,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
}
CONSTANTS: Mapping[str, sympy.Expr] = {
    "pi": sympy.pi,
    "π": sympy.pi,
    "e": sympy.E,
    "E": sympy.E,
    "i": sympy.I,
    "I": sympy.I,
}
LONGEST_TEXT = 50_000
DEEPEST_NESTING = 200
MOST_DIGITS = 4_000
DIGITS_OF_A_FLOAT = (16, 17)
_NUMBER = re.compile(r"(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9]+)?j?")
_SIGN = re.compile(r"\*\*|[-+*/^(),]")
ONLY = "only numbers, names, + - * / ^ and known functions may be written here"


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
    if not isinstance(text, str):
        raise ExpressionError(f"an expression must be text, not {type(text).__name__}: {text!r}")
    return _Reader(text, _named(names)).read()


def _named(names: Mapping[str, Any] | Iterable[str | sympy.Symbol]) -> dict[str, Any]:
    if isinstance(names, Mapping):
        return {str(name): value for name, value in names.items()}
    return {str(name): sympy.Symbol(name, real=True) if isinstance(name, str) else name for name in names}


@dataclass
class _Group:
    """What stands in one pair of brackets, or in the whole text, as far as it is read.

    `opened` is the bracket, or the name of the function before it. A sum is kept as its terms, the last term as its
    factors; `pending` are signs, and bases of powers, that wait for the next operand.
    """

    opened: Token
    arguments: list[Any] = field(default_factory=list)
    terms: list[Any] = field(default_factory=list)
    factors: list[Any] = field(default_factory=list)
    pending: list[tuple[Token, Any]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing was read in it."""
        return not (self.arguments or self.terms or self.factors or self.pending)


class _Reader:
    """A walk over one text's words; open brackets are kept on a list, so that no nesting is too deep for the stack."""

    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        self.text = text
        self.names = names
        self.groups = [_Group(Token("sign", "", 0))]
        self.called: Token | None = None

    def read(self) -> sympy.Expr:
        if len(self.text) > LONGEST_TEXT:
            raise ExpressionError(
                f"an expression of {len(self.text)} characters is too long; the most is {LONGEST_TEXT}"
            )
        words = list(tokens(self.text))
        if words[0].kind == "end":
            raise ExpressionError("an expression is empty: write 0 for zero")
        value: Any = None
        for token, following in zip(words, [*words[1:], words[-1]], strict=True):
            value = self._operand(token, following) if value is None else self._operator(token, value)
        if not isinstance(value, sympy.Expr):
            self._fail(words[0], "this is not a number or an expression")
        if value.has(sympy.zoo, sympy.nan, sympy.oo):
            raise ExpressionError(f"the expression {self.text.strip()!r} is not finite: it divides by zero")
        return value

    def _fail(self, token: Token, message: str, kind: type[ExpressionError] = ExpressionError) -> NoReturn:
        fail(self.text, token.column, message, kind)

    def _operand(self, token: Token, following: Token) -> Any:
        """The value of a word where an operand is due; None if it is a sign or a bracket, so that one still is."""
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
        if token.text in ("^", "**"):
            return self._wait(token, self._summand(token, value))
        if token.kind in ("number", "name") or token.text == "(":
            self._fail(token, f"{ONLY}; write '*' to multiply")
        value = self._factor(group, value)
        if token.text in ("*", "/"):
            group.factors.append(self._summand(token, value))
            return self._wait(token) if token.text == "/" else None
        if group.factors:
            value, group.factors = sympy.Mul(*group.factors, self._summand(token, value)), []
        if token.text in ("+", "-"):
            group.terms.append(self._summand(token, value))
            return self._wait(token)
        if group.terms:
            value, group.terms = sympy.Add(*group.terms, self._summand(token, value)), []
        return self._closed(group, token, value)

    def _wait(self, token: Token, base: Any = None) -> None:
        self.groups[-1].pending.append((token, base))
        self._check_nesting(token)

    def _check_nesting(self, token: Token) -> None:
        if sum(1 + len(group.pending) for group in self.groups) > DEEPEST_NESTING:
            self._fail(token, f"more than {DEEPEST_NESTING} levels of nesting")

    def _summand(self, token: Token, value: Any) -> sympy.Expr:
        if not isinstance(value, sympy.Expr):
            self._fail(token, "a function without its argument cannot be used in arithmetic")
        return value

    def _factor(self, group: _Group, value: Any) -> Any:
        """The value under the powers and signs that wait for it, the last one first."""
        while group.pending:
            sign, base = group.pending.pop()
            value = self._summand(sign, value)
            if base is not None:
                self._check_power(sign, base, value)
                value = self._evaluable(sign, base**value)
            elif sign.text == "-":
                value = -value
            elif sign.text == "/":
                if value.is_zero:
                    self._fail(sign, "division by zero")
                value = 1 / value
        return value

    def _closed(self, group: _Group, token: Token, value: Any) -> Any:
        """What a sum becomes at the comma, the bracket or the end behind it."""
        called = group.opened.kind == "name"
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

    def _number(self, token: Token, written: str) -> sympy.Expr:
        digits = written.replace("_", "").removesuffix("j")
        exponent = digits.lower().partition("e")[2]
        if exponent and (len(exponent) > 5 or abs(int(exponent)) > 400):
            self._fail(token, f"the number {written} is beyond double precision")
        if len(digits) > MOST_DIGITS:
            self._fail(token, f"a number of {len(digits)} digits; the most is {MOST_DIGITS}")
        value = _decimal(digits)
        if not written.endswith("j"):
            return value
        if self._known("j", self.names) is not None:
            self._fail(token, f"'{written}' is a number times i, and 'j' is a name here: write '*' to multiply, or i")
        return sympy.I * value

    def _known(self, name: str, table: Mapping[str, Any]) -> Any:
        if name in table:
            return table[name]
        plain = normalize("NFKC", name)
        return next((value for known, value in table.items() if normalize("NFKC", known) == plain), None)

    def _name(self, token: Token, name: str) -> Any:
        for table in (self.names, CONSTANTS):
            if (found := self._known(name, table)) is not None:
                return found
        if name in FUNCTIONS:
            self._fail(token, f"the function '{name}' needs an argument, as in {name}(x)")
        known = [*self.names, "pi", "e", "i"]
        self._fail(token, f"unknown name '{name}'; {nearest(name, known, 'known here')}")

    def _check_power(self, token: Token, base: sympy.Expr, exponent: sympy.Expr) -> None:
        if base.is_zero and exponent.is_negative:
            self._fail(token, "division by zero")
        if not exponent.is_number:
            return
        size = abs(float(sympy.re(exponent).n(15))) if exponent.is_finite else float("inf")
        bits = 1.0
        if base.is_Rational:
            bits = max(1.0, float(max(abs(int(base.p)), int(base.q)).bit_length()))
        if size * bits > MOST_BITS:
            self._fail(token, "this power is too large to be written exactly")

    def _call(self, token: Token, args: list[Any]) -> Any:
        name = token.text
        function = self._known(name, self.names) or FUNCTIONS.get(name)
        if function is None:
            known = [*FUNCTIONS, *(n for n, value in self.names.items() if callable(value))]
            hint = nearest(name, known, 'known here')
            if name in CONSTANTS:
                hint = "it is a number: write '*' to multiply."
            self._fail(token, f"unknown function '{name}'; {hint}", UnknownFunctionError)
        if not callable(function) or isinstance(function, sympy.Expr):
            self._fail(token, f"'{name}' is not a function; write '*' to multiply")
        try:
            value = function(*args)
        except TypeError:
            self._fail(token, f"'{name}' cannot take {len(args)} argument{'s' * (len(args) != 1)}")
        return self._evaluable(token, value)

    def _evaluable(self, token: Token, value: Any) -> Any:
        if isinstance(value, sympy.Expr) and value.is_number and overgrown(value):
            self._fail(token, f"this number, or a part of it, is beyond 2^±{MOST_BITS:,}, and is not evaluated")
        return value


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


@dataclass(frozen=True)
class Token:
    """One word of a text; `kind` is "number", "name", "sign" or "end", `column` counts from 0."""

    kind: str
    text: str
    column: int


def tokens(text: str) -> Iterator[Token]:
    """The words of a text, then the end.

    A name is whatever Python's str.isidentifier takes, keywords and all, letter by letter as it is written.
    """
    column = 0
    while column < len(text):
        if text[column].isspace():
            column += 1
            continue
        token = _token(text, column)
        yield token
        column += len(token.text)
    yield Token("end", "", len(text))


def _token(text: str, column: int) -> Token:
    if found := _NUMBER.match(text, column):
        return Token("number", found.group(), column)
    if found := _SIGN.match(text, column):
        return Token("sign", found.group(), column)
    stop = column
    while stop < len(text) and (text[stop] if stop == column else f"a{text[stop]}").isidentifier():
        stop += 1
    if stop == column:
        fail(text, column, ONLY)
    return Token("name", text[column:stop], column)


def fail(text: str, column: int, message: str, kind: type[ExpressionError] = ExpressionError) -> NoReturn:
    """Raise an error that shows the place in the text."""
    line = re.sub(r"\s", " ", text)
    start = max(0, column - 50)
    shown = line[start : start + 100]
    raise kind(f"at column {column + 1}: {message}\n  {shown}\n  {' ' * (column - start)}^") from None
