"""Mathematical text read by a whitelist: numbers, names, arithmetic and known functions, nothing else.

The text is parsed to Python's syntax tree and walked; it is never evaluated. Numbers are exact (`0.1` is 1/10).
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NoReturn

import sympy

from geomflow.core.errors import ExpressionError, UnknownFunctionError

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
LONGEST_TEXT = 20_000
DEEPEST_NESTING = 200
LARGEST_POWER_BITS = 20_000

_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}


def parse(text: str, names: Mapping[str, Any] | Iterable[str | sympy.Symbol] = ()) -> sympy.Expr:
    """The sympy expression that `text` says.

    `names` are the coordinates and parameters: a mapping from a name to an expression (or to a sympy function, which
    may then be called), or a sequence of symbols or names (names become real symbols). They win over the constants
    pi, e and i. Both `^` and `**` are powers.

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


@dataclass(frozen=True)
class _Reader:
    """A walk over one text's syntax tree."""

    text: str
    names: Mapping[str, Any]

    def read(self) -> sympy.Expr:
        if len(self.text) > LONGEST_TEXT:
            raise ExpressionError(
                f"an expression of {len(self.text)} characters is too long; the most is {LONGEST_TEXT}"
            )
        source = self._python()
        if not source:
            raise ExpressionError("an expression is empty: write 0 for zero")
        try:
            tree = ast.parse(source, mode="eval")
        except SyntaxError as error:
            self._fail_at(self._column(source, (error.offset or 1) - 1), f"cannot read this: {error.msg}")
        except (RecursionError, MemoryError, ValueError) as error:
            raise ExpressionError(f"cannot read {self.text[:40]!r}...: {error}") from None
        result = self._walk(tree.body, 0)
        if not isinstance(result, sympy.Expr):
            self._fail(tree.body, "this is not a number or an expression")
        if result.has(sympy.zoo, sympy.nan, sympy.oo):
            raise ExpressionError(f"the expression {self.text.strip()!r} is not finite: it divides by zero")
        return result

    def _python(self) -> str:
        flat = self.text.replace("\n", " ").replace("\r", " ").replace("\t", " ")
        return flat.strip().replace("^", "**")

    def _column(self, source: str, column: int) -> int:
        """The column of the user's text for a column of the Python text."""
        lead = len(self.text) - len(self.text.lstrip())
        position, seen = lead, 0
        while seen < column and position < len(self.text):
            seen += 2 if self.text[position] == "^" else 1
            position += 1
        return position

    def _fail(self, node: ast.AST, message: str, kind: type[ExpressionError] = ExpressionError) -> NoReturn:
        source = self._python()
        characters = len(source.encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
        self._fail_at(self._column(source, characters), message, kind)

    def _fail_at(self, column: int, message: str, kind: type[ExpressionError] = ExpressionError) -> NoReturn:
        line = self.text.replace("\n", " ").replace("\t", " ")
        start = max(0, column - 50)
        shown = line[start : start + 100]
        raise kind(f"at column {column + 1}: {message}\n  {shown}\n  {' ' * (column - start)}^") from None

    def _walk(self, node: ast.expr, depth: int) -> Any:
        if depth > DEEPEST_NESTING:
            self._fail(node, f"more than {DEEPEST_NESTING} levels of nesting")
        match node:
            case ast.Constant(value=value) if isinstance(value, (int, float, complex)) and not isinstance(value, bool):
                return self._number(node, value)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -self._walk(inner, depth + 1)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self._walk(inner, depth + 1)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return self._binary(node, op, self._walk(left, depth + 1), self._walk(right, depth + 1))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(node, name, [self._walk(a, depth + 1) for a in args])
        self._fail(node, "only numbers, names, + - * / ^ and known functions may be written here")

    def _number(self, node: ast.expr, value: Any) -> sympy.Expr:
        written = ast.get_source_segment(self._python(), node) or ""
        if isinstance(value, complex):
            return sympy.I * self._exact(node, written[:-1])
        return self._exact(node, written) if isinstance(value, float) else sympy.Integer(value)

    def _exact(self, node: ast.expr, written: str) -> sympy.Expr:
        digits = written.replace("_", "")
        exponent = digits.lower().partition("e")[2]
        if exponent and abs(int(exponent)) > 400:
            self._fail(node, f"the number {written} is beyond double precision")
        exact = Fraction(digits)
        return sympy.Rational(exact.numerator, exact.denominator)

    def _name(self, node: ast.expr, name: str) -> Any:
        for table in (self.names, CONSTANTS):
            if name in table:
                return table[name]
        if name in FUNCTIONS:
            self._fail(node, f"the function '{name}' needs an argument, as in {name}(x)")
        known = [*self.names, "pi", "e", "i"]
        self._fail(node, f"unknown name '{name}'; {_nearest(name, known)}")

    def _binary(self, node: ast.expr, op: ast.operator, left: Any, right: Any) -> Any:
        if not (isinstance(left, sympy.Expr) and isinstance(right, sympy.Expr)):
            self._fail(node, "a function without its argument cannot be used in arithmetic")
        if isinstance(op, ast.Div) and right.is_zero:
            self._fail(node, "division by zero")
        if isinstance(op, ast.Pow):
            self._check_power(node, left, right)
        return _OPERATORS[type(op)](left, right)

    def _check_power(self, node: ast.expr, base: sympy.Expr, exponent: sympy.Expr) -> None:
        if base.is_zero and exponent.is_negative:
            self._fail(node, "division by zero")
        if not exponent.is_number:
            return
        size = abs(float(sympy.re(exponent).n(15))) if exponent.is_finite else float("inf")
        bits = 1.0
        if base.is_Rational:
            bits = max(1.0, float(max(abs(int(base.p)), int(base.q)).bit_length()))
        if size * bits > LARGEST_POWER_BITS:
            self._fail(node, "this power is too large to be written exactly")

    def _call(self, node: ast.expr, name: str, args: list[Any]) -> Any:
        function = self.names.get(name) or FUNCTIONS.get(name)
        if function is None:
            known = [*FUNCTIONS, *(n for n, value in self.names.items() if callable(value))]
            hint = f"{_nearest(name, known)}"
            if name in CONSTANTS:
                hint = "it is a number: write '*' to multiply."
            self._fail(node, f"unknown function '{name}'; {hint}", UnknownFunctionError)
        if not callable(function) or isinstance(function, sympy.Expr):
            self._fail(node, f"'{name}' is not a function; write '*' to multiply")
        try:
            return function(*args)
        except TypeError:
            self._fail(node, f"'{name}' cannot take {len(args)} argument{'s' * (len(args) != 1)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    choices = sorted(set(known))
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"known here: {', '.join(choices)}."
