"""How exact objects are written in the languages of Mathematica and of Sage: names, then printers that know them."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from typing import Any, final

import sympy
from sympy.printing.mathematica import MCodePrinter
from sympy.printing.str import StrPrinter

#: Names in another language, by symbols and by the names of functions.
Names = Mapping[sympy.Symbol | str, str]
#: What text for Mathematica cannot use as a name of its own.
MATHEMATICA_WORDS = frozenset({
    "C", "D", "E", "I", "K", "N", "O", "Pi", "Laplacian", "Hessian", "Div", "Grad", "Curl", "Derivative", "Limit",
    "Sum", "Product", "Re", "Im",
})  # fmt: skip
#: What text for Sage cannot.
SAGE_WORDS = frozenset({"I", "e", "pi", "var", "function", "diff", "matrix", "SR", *keyword.kwlist})
_MATHEMATICA_FUNCTIONS = {"sign": "Sign", "re": "Re", "im": "Im", "Heaviside": "HeavisideTheta",
                          "LambertW": "ProductLog"}
_SAGE_FUNCTIONS = {
    "sign": "sgn", "re": "real_part", "im": "imag_part", "Abs": "abs", "atan2": "arctan2", "LambertW": "lambert_w",
    "Heaviside": "heaviside", "DiracDelta": "dirac_delta", "Max": "max_symbolic", "Min": "min_symbolic",
}  # fmt: skip


def atoms(found: Any) -> tuple[list[sympy.Symbol], list[str]]:
    """The symbols and the names of the functions that are nobody's, in order."""
    parts = list(_leaves(found))
    symbols = sorted({s for part in parts for s in part.atoms(sympy.Symbol)}, key=lambda s: str(s.name))
    calls = {f for part in parts for f in part.atoms(sympy.Function)}
    return symbols, sorted({f.func.__name__ for f in calls if _is_unknown(f)})


def _is_unknown(call: Any) -> bool:
    """Whether a function is no sympy function: undefined, or an operator that is only shown."""
    return not (type(call).__module__ or "").startswith("sympy.functions")


def _leaves(found: Any) -> Iterable[Any]:
    """The expressions of a list, matrix or array."""
    if isinstance(found, list | tuple):
        return [leaf for part in found for leaf in _leaves(part)]
    if isinstance(found, sympy.NDimArray):
        return list(sympy.flatten(found))
    return list(found) if isinstance(found, sympy.MatrixBase) else [found]


def names_in(found: Any, reserved: frozenset[str], underscore: str) -> Names:
    """A name in another language for every symbol, and for every function by its name."""
    symbols, functions = atoms(found)
    names: dict[sympy.Symbol | str, str] = {}
    taken = set(reserved)
    for thing in (*symbols, *functions):
        plain = "".join(c if c.isalnum() else underscore for c in getattr(thing, "name", thing)) or "x"
        if not plain[0].isalpha():
            plain = f"x{plain}"
        tries = (plain, 2 * plain, *(f"{plain}{n}" for n in range(2, 9)))
        names[thing] = next((t for t in tries if t not in taken), f"{plain}{len(taken)}")
        taken.add(names[thing])
    return names


def domain(symbol: sympy.Symbol) -> str:
    """What Sage is told of a variable."""
    for kind in ("positive", "integer", "real"):
        if getattr(symbol, f"is_{kind}"):
            return f", domain='{kind}'"
    return ""


@final
class Mathematica(MCodePrinter):  # type: ignore[misc]
    """Mathematica's language."""

    def __init__(self, names: Names) -> None:
        super().__init__({"user_functions": _MATHEMATICA_FUNCTIONS})
        self._names = names

    def _print_Symbol(self, expr: Any) -> str:
        return self._names[expr]

    _print_Dummy = _print_Symbol

    def _print_Function(self, expr: Any) -> str:
        if _is_unknown(expr):
            return f"{self._names[expr.func.__name__]}[{self.stringify(expr.args, ', ')}]"
        return str(super()._print_Function(expr))

    def _print_atan2(self, expr: Any) -> str:
        return f"ArcTan[{self._print(expr.args[1])}, {self._print(expr.args[0])}]"

    def _print_Derivative(self, expr: Any) -> str:
        along = [self._print(x) if n == 1 else f"{{{self._print(x)}, {n}}}" for x, n in expr.variable_count]
        return f"D[{self._print(expr.expr)}, {', '.join(along)}]"

    def _print_Subs(self, expr: Any) -> str:
        rules = [f"{self._print(x)} -> {self._print(y)}" for x, y in zip(expr.variables, expr.point, strict=True)]
        return f"({self._print(expr.expr)} /. {{{', '.join(rules)}}})"

    def _print_Equality(self, expr: Any) -> str:
        return f"{self._print(expr.lhs)} == {self._print(expr.rhs)}"


@final
class Sage(StrPrinter):  # type: ignore[misc]
    """Sage's language."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def _print_Symbol(self, expr: Any) -> str:
        return self._names[expr]

    _print_Dummy = _print_Symbol

    def _print_Function(self, expr: Any) -> str:
        name = expr.func.__name__
        called = self._names[name] if _is_unknown(expr) else _SAGE_FUNCTIONS.get(name, name)
        return f"{called}({self.stringify(expr.args, ', ')})"

    _print_Abs = _print_sign = _print_Heaviside = _print_Function

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        return str(super()._print_Pow(expr, rational=rational)).replace("**", "^")

    def _print_Exp1(self, expr: Any) -> str:
        return "e"

    def _print_Derivative(self, expr: Any) -> str:
        along = [self._print(x) if n == 1 else f"{self._print(x)}, {n}" for x, n in expr.variable_count]
        return f"diff({self._print(expr.expr)}, {', '.join(along)})"

    def _print_Subs(self, expr: Any) -> str:
        pairs = [f"{self._print(x)}: {self._print(y)}" for x, y in zip(expr.variables, expr.point, strict=True)]
        return f"({self._print(expr.expr)}).subs({{{', '.join(pairs)}}})"

    def _print_Equality(self, expr: Any) -> str:
        return f"{self._print(expr.lhs)} == {self._print(expr.rhs)}"

    def _print_MatrixBase(self, expr: Any) -> str:
        return f"matrix(SR, {self._print(expr.tolist())})"

    def _print_NDimArray(self, expr: Any) -> str:
        return str(self._print(expr.tolist()))

    _print_ImmutableDenseMatrix = _print_MutableDenseMatrix = _print_MatrixBase
