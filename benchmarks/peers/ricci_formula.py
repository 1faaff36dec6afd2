"""The Ricci tensor from the 2-jet of a metric, written once for anything that adds and multiplies.

R_ij = ½ g^{kl}(∂_k∂_i g_jl + ∂_k∂_j g_il − ∂_k∂_l g_ij − ∂_i∂_j g_kl)
       + g^{kl} Γ_{m,ik} Γ^m_{jl} − g^{kl} Γ_{m,kl} Γ^m_{ij}

with Γ_{m,ij} = ½(∂_i g_jm + ∂_j g_im − ∂_m g_ij). Entries are arrays for NumPy and JAX, symbols for code generators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.cases import pairs

Entry = Callable[..., Any]
Keep = Callable[[str, Any], Any]


def inverse(g: Entry, dim: int) -> list[list[Any]]:
    """The adjugate times one reciprocal of the determinant, in dimension 2 or 3."""
    if dim == 2:
        adjugate = [[g(1, 1), -g(0, 1)], [-g(0, 1), g(0, 0)]]
    else:
        adjugate = [[None] * 3 for _ in range(3)]
        for i, j in pairs(3):
            (a, b), (c, d) = [k for k in range(3) if k != i], [k for k in range(3) if k != j]
            minor = g(a, c) * g(b, d) - g(a, d) * g(b, c)
            adjugate[i][j] = adjugate[j][i] = minor if (i + j) % 2 == 0 else -minor
    scale = 1 / sum(g(0, j) * adjugate[0][j] for j in range(dim))
    return [[scale * entry for entry in row] for row in adjugate]


def ricci(dim: int, g: Entry, dg: Entry, ddg: Entry, keep: Keep = lambda name, value: value) -> dict[tuple, Any]:
    """R_ij for i ≤ j. `dg(i, j, k)` is ∂_k g_ij and `ddg(i, j, k, l)` is ∂_k∂_l g_ij.

    `keep(name, value)` is told every intermediate entry and returns what to use for it: the value itself for arrays,
    a fresh symbol for code generators.
    """
    every = range(dim)
    raw = inverse(g, dim)
    inv = _symmetric(dim, lambda i, j: keep(f"inv_{i}{j}", raw[i][j]))

    def lower(m: int) -> list[list[Any]]:
        return _symmetric(dim, lambda i, j: keep(f"low_{m}{i}{j}", (dg(j, m, i) + dg(i, m, j) - dg(i, j, m)) / 2))

    def upper(k: int) -> list[list[Any]]:
        return _symmetric(dim, lambda i, j: keep(f"up_{k}{i}{j}", sum(inv[k][m] * low[m][i][j] for m in every)))

    low = [lower(m) for m in every]
    up = [upper(k) for k in every]
    trace = [keep(f"trace_{m}", _contract(inv, low[m])) for m in every]
    half = [[[keep(f"half_{m}{i}{l}", sum(inv[k][l] * low[m][i][k] for k in every)) for l in every] for i in every]
            for m in every]

    def entry(i: int, j: int) -> Any:
        linear = _contract(inv, [[ddg(j, l, k, i) + ddg(i, l, k, j) - ddg(i, j, k, l) - ddg(k, l, i, j) for l in every]
                                 for k in every])
        quadratic = sum(half[m][i][l] * up[m][j][l] for m in every for l in every)
        return linear / 2 + quadratic - sum(trace[m] * up[m][i][j] for m in every)

    return {(i, j): entry(i, j) for i, j in pairs(dim)}


def _symmetric(dim: int, entry: Callable[[int, int], Any]) -> list[list[Any]]:
    upper = {(i, j): entry(i, j) for i, j in pairs(dim)}
    return [[upper[min(i, j), max(i, j)] for j in range(dim)] for i in range(dim)]


def _contract(inv: list[list[Any]], t: list[list[Any]]) -> Any:
    """g^{kl} t_kl for symmetric or unsymmetric t."""
    dim = len(inv)
    diagonal = sum(inv[k][k] * t[k][k] for k in range(dim))
    return diagonal + sum(inv[k][l] * (t[k][l] + t[l][k]) for k, l in pairs(dim) if k != l)
