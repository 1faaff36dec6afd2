"""Exports: what is written for another system is read back as the same mathematics, and runs as the same numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
import sympy
from sympy.parsing.mathematica import parse_mathematica

import geomflow as gf
from geomflow.core.errors import InputError, MissingExtraError
from geomflow.io.export import exact

SPHERE = gf.Metric(gf.Chart("theta phi_1", ranges={"theta": (0, "pi")}), [["1", "0"], ["0", "sin(theta)^2*r^2"]], "r")
FRIEDMANN = gf.Metric("t x", [["-1", "0"], ["0", "a(t)^2"]], functions="a")
PLANE = gf.KahlerMetric.from_potential("z1 z2", "log(1 + abs(z1)^2 + abs(z2)^2)")
X = sympy.Symbol("x")
EXACT = {
    "metric": SPHERE, "christoffel": SPHERE.christoffel, "riemann": FRIEDMANN.riemann, "ricci": FRIEDMANN.ricci,
    "scalar": PLANE.ricci, "kahler-riemann": PLANE.riemann, "geodesics": list(FRIEDMANN.geodesic_equations()),
    "variety": gf.Dwork("1/2", 3), "calabi": gf.CalabiFlow(), "names": sympy.Symbol("N") + sympy.Symbol("g_xx") / 3,
    "functions": sympy.sign(X) + sympy.conjugate(sympy.Symbol("z")) + sympy.atan2(X, 2),
    "components": gf.RicciFlow().components(gf.Torus(dim=2)),
}


def nested(found):
    """Matrices and arrays as lists of lists."""
    if isinstance(found, list | tuple | sympy.Tuple):
        return [nested(part) for part in found]
    return nested(found.tolist()) if hasattr(found, "tolist") else found


def same(found, wanted) -> bool:
    """Whether two nested lists hold the same expressions, symbols told apart by name alone."""
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, sympy.Eq):
        return same(found.lhs, wanted.lhs) and same(found.rhs, wanted.rhs)
    return sympy.expand(plain(found) - plain(wanted)) == 0


def plain(expression):
    """With symbols that declare nothing and names without underscores."""
    e = sympy.sympify(expression)
    names = {s: sympy.Symbol({"N": "NN"}.get(s.name, s.name.replace("_", ""))) for s in e.atoms(sympy.Symbol)}
    calls = e.atoms(sympy.core.function.AppliedUndef)
    functions = {f.func: sympy.Function(f.func.__name__.replace("_", "")) for f in calls}
    return e.subs(names, simultaneous=True).replace(lambda f: f.func in functions,
                                                    lambda f: functions[f.func](*f.args)).doit()


def from_mathematica(text: str):
    """What Mathematica's text says, by sympy's reader."""
    D, Conjugate = sympy.Function("D"), sympy.Function("Conjugate")
    read = parse_mathematica(text)
    read = read.replace(D, lambda f, *along: sympy.Derivative(f, *along)).replace(Conjugate, sympy.conjugate)
    return read.replace(sympy.Function("ReplaceAll"), lambda f, rules: sympy.Subs(f, *zip(*(r.args for r in rules))))


@pytest.mark.parametrize("name", EXACT)
def test_mathematica_reads_what_was_written(name):
    text = gf.export.mathematica(EXACT[name])
    assert "_" not in text
    assert "Hold" not in text
    assert same(nested(from_mathematica(text)), nested(exact(EXACT[name])))


def from_sage(text: str):
    """What a script for Sage makes, with sympy in the place of Sage's words."""
    words = {
        "var": lambda name, domain=None: sympy.Symbol(name), "function": sympy.Function, "diff": sympy.diff,
        "matrix": lambda ring, rows: sympy.Matrix(rows), "SR": None, "sin": sympy.sin, "cos": sympy.cos,
        "log": sympy.log, "sqrt": sympy.sqrt, "sgn": sympy.sign, "conjugate": sympy.conjugate, "arctan2": sympy.atan2,
        "I": sympy.I, "Integer": sympy.Integer, "tan": sympy.tan, "Eq": sympy.Eq,
    }
    text = re.sub(r"\b(\d+)\b", r"Integer(\1)", text.replace("^", "**"))
    *lines, last = text.split("\n")
    for line in lines:
        exec(line, words)
    last = re.sub(r"([^\[\]]+?) == ([^\[\]]+?)(?=, D|\]|$)", r"Eq(\1, \2, evaluate=False)", last.partition(" = ")[2])
    return eval(last, words)


@pytest.mark.parametrize("name", [name for name in EXACT if name not in ("geodesics", "components")])
def test_sage_reads_what_was_written(name):
    text = gf.export.sage(EXACT[name])
    assert text.splitlines()[-1].startswith("result = ")
    assert same(nested(from_sage(text)), nested(exact(EXACT[name])))


def test_systems_for_sage_are_lists_of_equations():
    text = gf.export.sage(EXACT["geodesics"], "system")
    assert "s = var('s', domain='real')" in text
    assert "x = function('x')" in text
    assert text.splitlines()[-1].count("==") == 2
    compile(text.replace("^", "**"), "system", "exec")


def test_names_that_a_language_has_are_others_there():
    E, I_, lam = sympy.symbols("E I lambda")
    assert gf.export.mathematica(E + I_ * sympy.I) == "EE + I*II"
    assert "lambdalambda = var('lambdalambda')" in gf.export.sage(lam)
    assert gf.export.mathematica(sympy.Symbol("a_b") - sympy.Symbol("ab")) in ("ab - abab", "-ab + abab")


def test_systems_in_latex_are_aligned():
    assert gf.export.latex(EXACT["geodesics"]).count("&=") == 2
    assert gf.export.latex(SPHERE) == SPHERE.latex()
    assert gf.export.latex(sympy.Rational(1, 2)) == r"\frac{1}{2}"
    assert gf.export.latex(gf.Fermat(3)) == "z_{0}^{3} + z_{1}^{3} + z_{2}^{3} = 0"


@pytest.mark.parametrize("thing", ["x^2", 3.5, object(), gf.GaussianKernel(0.3)])
def test_what_is_not_exact_is_refused(thing):
    for write in (gf.export.mathematica, gf.export.sage, gf.export.latex):
        with pytest.raises(InputError, match="no exact object"):
            write(thing)


# runs


@pytest.fixture(scope="module")
def sol(tmp_path_factory):
    pytest.importorskip("xarray")
    phi = gf.ComplexTorus(dim=1).grid(16).potential("cos(2*pi*x)*cos(2*pi*y)/100")
    store = tmp_path_factory.mktemp("run") / "run.zarr"
    return gf.solve(gf.KahlerRicciFlow(), phi, t1=0.01, save_at=3, store=store), store


def test_a_solution_and_its_store_are_the_same_dataset(sol):
    solution, store = sol
    mine, stored = solution.to_xarray(), gf.io.to_xarray(store)
    assert set(mine) == set(stored)
    assert set(mine.coords) == set(stored.coords)
    for name in (*mine, *mine.coords):
        assert mine[name].dims == stored[name].dims
        assert np.array_equal(mine[name], stored[name])
    assert np.array_equal(mine["phi"][-1], solution.last.values)
    assert mine.attrs["equation"] == stored.attrs["equation"]
    assert mine.attrs["outcome"] == str(solution.outcome)


@pytest.mark.parametrize("of", [0, 1])
def test_netcdf_and_zarr_keep_the_numbers(sol, tmp_path, of):
    import xarray

    data = gf.export.netcdf(sol[of], tmp_path / "run.nc")
    with xarray.open_dataset(data) as read:
        assert np.array_equal(read["phi"], sol[0].to_xarray()["phi"])
        assert read.attrs["outcome"] == str(sol[0].outcome)
    store = gf.export.zarr(sol[of], tmp_path / "plain.zarr")
    with xarray.open_zarr(store, consolidated=False) as read:
        assert np.array_equal(read["monitor_energy"], sol[0]["energy"])
    with pytest.raises(FileExistsError):
        gf.export.zarr(sol[of], store)


def test_without_xarray_the_extra_is_named(sol, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "xarray", None)
    with pytest.raises(MissingExtraError, match=r"geomflow\[xarray\]"):
        sol[0].to_xarray()
