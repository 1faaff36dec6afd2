"""Text is mathematics: whatever takes text reads it by the whitelist, and nothing runs it as Python."""

from __future__ import annotations

import ast
import contextlib
import enum
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from doors import CALABI, CHART, TAKERS, TAKES_NAMES

import geomflow as gf
from geomflow.core.errors import GeomflowError, InputError
from geomflow.core.graph.sympy_bridge import as_sympy
from geomflow.symbolic import flows
from geomflow.symbolic.exact import is_zero
from geomflow.symbolic.given import given, given_bound, given_freely

CODE = "__import__('pathlib').Path('ran').touch() or 1"


class Text(str):
    """A text of another type."""


class Lazy:
    """An object that hands out text where sympy asks for an expression."""

    def __init__(self, text):
        self.text = text

    def _sympy_(self):
        return self.text

    def __str__(self):
        return self.text


HIDDEN = {
    "text": lambda text: text,
    "subclass": Text,
    "numpy": np.str_,
    "array": lambda text: np.array(text),
    "objects": lambda text: np.array([text], dtype=object),
    "list": lambda text: [text],
    "nested": lambda text: [[text]],
    "tuple": lambda text: (text,),
    "set": lambda text: frozenset([text]),
    "mapping": lambda text: {"x": text},
    "lazy": Lazy,
    "bytes": str.encode,
    "enum": lambda text: enum.Enum("E", {"A": text}).A,
}


@pytest.mark.parametrize("taker", TAKERS)
def test_code_is_not_run_wherever_it_is_given(taker, tmp_path, monkeypatch):
    """Refused as what it is, an error of the package, or taken as a name: in no case run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["sympy.parsing.sympy_parser"], "eval", _never, raising=False)
    for hidden, hide in HIDDEN.items():
        plain = hidden in ("text", "subclass", "numpy") and taker not in TAKES_NAMES
        with pytest.raises(GeomflowError) if plain else contextlib.suppress(GeomflowError, TypeError):
            TAKERS[taker](hide(CODE))
    assert not list(tmp_path.iterdir())


def _never(*_):
    raise AssertionError("text was run as Python")


def test_ends_and_lengths_may_be_text():
    chart = gf.Chart("r phi", ranges={"r": ("0", "oo"), "phi": ("-oo", "2*a")}, periods={"phi": "2*pi"})
    a = sp.Symbol("a", real=True)
    assert chart.ranges == {"r": (0, sp.oo), "phi": (-sp.oo, 2 * a)}
    assert chart.periods == {"phi": 2 * sp.pi}
    assert chart.symbols[0].is_positive
    with pytest.raises(InputError, match="a pair"):
        gf.Chart("r", ranges={"r": "01"})


def test_what_text_meant_it_means_still():
    x, k = sp.Symbol("x", real=True), sp.Symbol("k", real=True)
    assert is_zero("sin(t)^2 + cos(t)^2 - 1")
    assert is_zero(["x - x", 0], [x])
    assert not is_zero("x", [x])
    assert given("x^2", [x]) == x**2
    assert given_freely("x + k", [x]) == x + k
    assert given_bound("-inf") == -sp.oo
    assert flows.is_soliton(gf.Metric(CHART, [[1, 0], [0, 1]]), ["x/2", "y/2"], "1/2")
    assert dict(CALABI.linearisation.rates(("2*k", 0))) == {-8 * k**4: 1}
    assert as_sympy(sp.Rational(1, 3)) == sp.Rational(1, 3)


#: Calls that run text as Python, or may.
RUN = {"sympify", "S", "eval", "exec", "parse_expr", "lambdify", "nsimplify", "parse_latex", "parse_mathematica"}
#: What sympy makes of a name, whatever it says.
NAMES = {"Symbol", "Function", "Dummy", "symbols", "latex", "sstr"}
#: Methods of sympy's that read their arguments.
METHODS = {"Matrix", "ImmutableMatrix", "subs", "diff", "xreplace", "replace_with", "coeff", "limit", "series"}
#: Where that is done all the same, and what keeps text from it.
SAFE = {
    ("symbolic/signs.py", "_of_polynomial"): "an expression that a chart has read",
    ("symbolic/signs.py", "ends"): "ranges that a chart has read",
    ("codegen/cache.py", "_module"): "the source that the package has just generated, not what a file holds",
    ("core/graph/sympy_bridge.py", "as_sympy"): "strict, and without what it would read inside",
    ("symbolic/conjugation.py", "_may_be_complex"): "an expression that a chart has read",
    ("variety/hypersurface.py", "_exact"): "what `given` gave",
    ("symbolic/printers.py", "_leaves"): "an array of sympy's, taken apart",
    ("flow/toric/binding.py", "_rates"): "a number that the flow has checked",
    ("symbolic/ansatz/momentum_equation.py", "_transcendental"): "an equation that the package has derived",
    ("symbolic/ansatz/extremal.py", "_with"): "numbers that the class has checked",
    ("distribute/dask_workers.py", "_opened"): "what processes of one run send each other, never a file",
}


def loose(node: ast.AST, names: set[str]) -> set[str]:
    """Those of these names that stand in an expression outside of any call."""
    if isinstance(node, ast.Call):
        return set()
    if isinstance(node, ast.Name):
        return {node.id} & names
    return set().union(*(loose(child, names) for child in ast.iter_child_nodes(node)))


def possibly_text(function: ast.FunctionDef) -> set[str]:
    """The arguments of a function that may be text, as far as their annotations say."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    said = {a.arg: ast.unparse(a.annotation) if a.annotation else "" for a in every if a is not None}
    return {name for name, text in said.items()
            if name not in ("self", "cls") and (not text or re.search(r"\b(Any|object|str)\b", text))}


def runs_text(call: ast.Call, names: set[str]) -> bool:
    """Whether a call runs text, or hands one of these names to sympy as it came."""
    attribute = isinstance(call.func, ast.Attribute)
    name = call.func.attr if attribute else getattr(call.func, "id", "")
    on = getattr(call.func.value, "id", "") if attribute else ""
    if name in RUN or (on == "pickle" and name in ("load", "loads")):
        return True
    reads = (on in ("sympy", "sp") and name not in NAMES) or name in METHODS
    return reads and any(loose(value, names) for value in [*call.args, *(k.value for k in call.keywords)])


def test_no_text_reaches_what_would_run_it():
    """A walk over the library's syntax trees: what runs text, or gives sympy an argument unread, is listed above."""
    root = Path(gf.__file__).parent
    found = set()
    for path in sorted(root.rglob("*.py")):
        text = path.read_text()
        if re.search(r"sympy|pickle|eval|exec", text):
            for function in ast.walk(ast.parse(text)):
                if isinstance(function, ast.FunctionDef):
                    names = possibly_text(function)
                    if any(isinstance(c, ast.Call) and runs_text(c, names) for c in ast.walk(function)):
                        found.add((path.relative_to(root).as_posix(), function.name))
    assert found == set(SAFE)
