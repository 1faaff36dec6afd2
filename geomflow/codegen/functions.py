"""How each function of the expression graph is called in generated code."""

from __future__ import annotations

from dataclasses import dataclass

from geomflow.core.errors import UnknownFunctionError


@dataclass(frozen=True)
class Implementation:
    """A function in generated code: its name for real and for complex arguments, and whether loops over it vectorise.

    `cost` counts as that many arithmetic operations.
    """

    real: str
    complex: str | None
    vectorises: bool = False
    cost: int = 40


_NUMPY = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
          "atanh": "arctanh"}
_LIBRARY = ("sin", "cos", "tan", "sinh", "cosh", "tanh", *_NUMPY)

IMPLEMENTATIONS: dict[str, Implementation] = {
    **{name: Implementation(f"math.{name}", f"np.{_NUMPY.get(name, name)}") for name in _LIBRARY},
    "log": Implementation("log", "np.log", vectorises=True, cost=30),
    "exp": Implementation("exp", "np.exp", vectorises=True, cost=30),
    "sqrt": Implementation("math.sqrt", "np.sqrt", vectorises=True, cost=8),
    "abs": Implementation("abs", "abs", vectorises=True, cost=1),
    "sign": Implementation("sign", "complex_sign", vectorises=True, cost=4),
    "erf": Implementation("erf", None),
}
"""Every function that code can be generated for, by its name in the graph."""


def implementation(name: str, is_complex: bool = False) -> str:
    """The text that calls the function; UnknownFunctionError names a function that there is no code for."""
    known = IMPLEMENTATIONS.get(name)
    if known is None:
        raise UnknownFunctionError(f"no code can be generated for the function '{name}'; "
                                   f"known are: {', '.join(sorted(IMPLEMENTATIONS))}")
    if not is_complex:
        return known.real
    if known.complex is None:
        raise UnknownFunctionError(f"the function '{name}' is known for real arguments only; "
                                   "give real values or rewrite the expression")
    return known.complex
