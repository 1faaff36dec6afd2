"""Words of the language of rates against textbook formulas in sympy, at a point of a metric without symmetries."""

from functools import cache
from itertools import permutations, product

import numpy as np
import pytest
import sympy as sp

import geomflow as gf
from geomflow.core import graph as gr
from geomflow.core.program import unstaged
from geomflow.flow.equations.reading import Reading
from geomflow.symbolic.parse import read

X = sp.symbols("x y z")
POINT = dict(zip(X, (sp.Rational(3, 10), sp.Rational(-7, 10), sp.Rational(11, 20)), strict=True))
x, y, z = X
METRIC = sp.Matrix([[2 + sp.sin(y) * z, x * y / 5, sp.cos(z) / 7],
                    [x * y / 5, sp.exp(x / 3) + z**2, y / 6], [sp.cos(z) / 7, y / 6, 3 + x * z]])
F, H = sp.sin(x * y) + z**3 / 3, sp.exp(x - y) * sp.cos(z)
V = sp.Matrix([y * z, sp.sin(x) + z, x**2 - y])
A = sp.Matrix([sp.cos(y * z), x * z, sp.exp(x) * y])
GRID = gf.Torus(dim=3).grid(5, order=2)
STATE = GRID.fields(g=GRID.metric(), f="0", h="0", X=GRID.vector(["0", "0", "0"]), A=GRID.form(["0", "0", "0"]))
D = range(3)


def field_values():
    """What each component of a field stands for."""
    rising = [(i, j) for i in D for j in D if i <= j]
    names = {**{f"g_{X[i]}{X[j]}": METRIC[i, j] for i, j in rising}, "f": F, "h": H}
    return names | {f"X_{X[i]}": V[i] for i in D} | {f"A_{X[i]}": A[i] for i in D}


@cache
def at_point(expression):
    return float(expression.subs(POINT).evalf(30))


def number(expression):
    return at_point(sp.sympify(expression))


@cache
def jet_value(name, index):
    expression = field_values()[name]
    for symbol, times in zip(X, index, strict=True):
        expression = sp.diff(expression, symbol, times) if times else expression
    return at_point(sp.sympify(expression))


def value(text):
    """What a text is at the point, as an array."""
    from geomflow.symbolic.language.words import Words

    reading = Reading(STATE.grid.torus, STATE.parts, {}, {}, True, None)
    found = read(text, Words(reading._space, reading.averages, reading._known))
    nodes = unstaged(reading.stages, list(found.entries.flat), GRID.torus.coordinates)
    leaves = gr.leaves(nodes)
    known = {leaf: jet_value(*leaf.data) if leaf.op == "jet" else number(POINT[sp.Symbol(leaf.data)])
             for leaf in leaves}
    return np.array(gr.evaluate(nodes, known), dtype=float).reshape(found.entries.shape)


def array(entry, rank):
    result = np.zeros((3,) * rank)
    for place in product(D, repeat=rank):
        result[place] = entry(*place)
    return result


@pytest.fixture(scope="module")
def known():
    """g, g⁻¹, Γ and the curvature at the point, R^k_lij = ∂_i Γ^k_jl − ∂_j Γ^k_il + Γ^k_im Γ^m_jl − Γ^k_jm Γ^m_il."""
    g = array(lambda i, j: number(METRIC[i, j]), 2)
    dg = array(lambda i, j, k: number(sp.diff(METRIC[i, j], X[k])), 3)
    ddg = array(lambda i, j, k, l: number(sp.diff(METRIC[i, j], X[k], X[l])), 4)
    up = np.linalg.inv(g)
    dup = -np.einsum("ia,abk,bj->ijk", up, dg, up)
    lower = (dg + dg.transpose(0, 2, 1) - dg.transpose(2, 0, 1)) / 2
    dlower = (ddg + ddg.transpose(0, 2, 1, 3) - ddg.transpose(2, 0, 1, 3)) / 2
    gamma = np.einsum("km,mij->kij", up, lower)
    dgamma = np.einsum("kml,mij->kijl", dup, lower) + np.einsum("km,mijl->kijl", up, dlower)
    full = np.einsum("kjli->klij", dgamma) + np.einsum("kim,mjl->klij", gamma, gamma)
    full = full - full.transpose(0, 1, 3, 2)
    ricci = np.einsum("klkj->lj", full)
    return {"g": g, "up": up, "gamma": gamma, "rm": np.einsum("ak,klij->alij", g, full), "ric": ricci,
            "R": np.einsum("ij,ij", up, ricci)}


def close(found, right):
    np.testing.assert_allclose(found, right, rtol=1e-11, atol=1e-11 * max(1.0, np.abs(right).max()))


def test_curvature(known):
    close(value("Rm"), known["rm"])
    close(value("Ric"), known["ric"])
    close(value("R"), known["R"])
    up = known["up"]
    close(value("R[i,k,l,m]*R[j,k,l,m]"), np.einsum("iklm,jpqr,kp,lq,mr->ij", known["rm"], known["rm"], up, up, up))
    close(value("Rm2"), np.einsum("iklm,jpqr,ij,kp,lq,mr", known["rm"], known["rm"], *[known["up"]] * 4))
    close(value("Ric2"), np.einsum("ij,kl,ik,jl", known["ric"], known["ric"], known["up"], known["up"]))
    close(value("R[i,k,j,l]*Ric[k,l]"), np.einsum("ikjl,mn,km,ln->ij", known["rm"], known["ric"], known["up"],
                                                  known["up"]))


def test_derivatives_of_functions(known):
    df = array(lambda i: number(sp.diff(F, X[i])), 1)
    hessian = array(lambda i, j: number(sp.diff(F, X[i], X[j])), 2) - np.einsum("kij,k->ij", known["gamma"], df)
    dh = array(lambda i: number(sp.diff(H, X[i])), 1)
    close(value("d(f)"), df)
    close(value("grad(f)"), known["up"] @ df)
    close(value("sharp(d(f)*d(f))"), np.outer(known["up"] @ df, known["up"] @ df))
    close(value("flat(grad(f))"), df)
    close(value("Hess(f)"), hessian)
    close(value("laplacian(f)"), np.einsum("ij,ij", known["up"], hessian))
    close(value("dot(d(f), grad(h))"), df @ known["up"] @ dh)
    close(value("sym(d(f)*d(h))"), (np.outer(df, dh) + np.outer(dh, df)) / 2)
    f = number(F)
    close(value("laplacian(f^3)"), 3 * f**2 * np.einsum("ij,ij", known["up"], hessian)
          + 6 * f * df @ known["up"] @ df)
    close(value("flat.laplacian(f)"), number(sum(sp.diff(F, s, 2) for s in X)))
    close(value("d(f, x, y)"), number(sp.diff(F, x, y)))
    close(value("exp(f)^h"), number(sp.exp(F * H)))
    close(value("exp(f)/(2 + sin(h))"), number(sp.exp(F) / (2 + sp.sin(H))))


def test_derivatives_of_vectors_and_forms(known):
    g, up, gamma = known["g"], known["up"], known["gamma"]
    v, dv = array(lambda i: number(V[i]), 1), array(lambda i, k: number(sp.diff(V[i], X[k])), 2)
    dg = array(lambda i, j, k: number(sp.diff(METRIC[i, j], X[k])), 3)
    close(value("div(X)"), np.trace(dv + np.einsum("ikm,m->ik", gamma, v)))
    lie = np.einsum("k,ijk->ij", v, dg) + np.einsum("kj,ki->ij", g, dv) + np.einsum("ik,kj->ij", g, dv)
    close(value("Lie(X, g)"), lie)
    da = array(lambda i, k: number(sp.diff(A[i], X[k])), 2)
    field = da.T - da
    close(value("d(A)"), field)
    raised = up @ field @ up
    nabla = array(lambda i, j, k: number(sp.diff(A[j], X[i], X[k]) - sp.diff(A[i], X[j], X[k])), 3)
    nabla -= np.einsum("mki,mj->ijk", gamma, field) + np.einsum("mkj,im->ijk", gamma, field)
    close(value("div(d(A))"), np.einsum("ik,ijk->j", up, nabla))
    close(value("dot(d(A), d(A))"), np.einsum("ij,ij", field, raised))
    volume = np.sqrt(np.linalg.det(g))
    epsilon = np.zeros((3, 3, 3))
    for order in permutations(D):
        epsilon[order] = round(np.linalg.det(np.eye(3)[list(order)]))
    a = array(lambda i: number(A[i]), 1)
    close(value("star(A)"), volume * np.einsum("i,ij,jkl->kl", a, up, epsilon))
    close(value("star(d(A))"), volume / 2 * np.einsum("ij,ijk->k", raised, epsilon))
    df = array(lambda i: number(sp.diff(F, X[i])), 1)
    close(value("wedge(d(f), A)"), np.outer(df, a) - np.outer(a, df))
    close(value("star(wedge(A, star(A)))"), a @ up @ a)
    close(value("d(d(f))"), np.zeros((3, 3)))
    close(value("A[i]*X[i]"), a @ v)
    close(value("g[i,j]*X[i]*X[j]"), v @ g @ v)
    close(value("Lie(X, A)"), np.einsum("k,ik->i", v, da) + np.einsum("k,ki->i", a, dv))


def test_the_rough_laplacian_commutes_with_the_gradient_up_to_curvature(known):
    close(value("laplacian(d(f)) - d(laplacian(f))"), value("Ric[i,j]*grad(f)[j]"))


def test_bianchi():
    close(value("div(Ric)[i]"), value("d(R)[i]/2"))
