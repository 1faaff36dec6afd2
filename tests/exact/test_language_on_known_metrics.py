"""Tensors in the language on metrics with known curvature, decided exactly at random points."""

import numpy as np
import pytest

from geomflow.core import graph as gr
from geomflow.symbolic.jets import MetricNodes, field_node
from geomflow.symbolic.language.averages import Averages
from geomflow.symbolic.language.differences import Differences
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor
from geomflow.symbolic.language.words import Words
from geomflow.symbolic.parse import read

BACH = {"P": "(Ric - R*g/6)/2", "D": "nabla(P)", "C": "D[i,j,k] - D[i,k,j]",
        "B": "nabla(C)[i,j,k,k] + P[k,l]*Weyl[i,k,j,l]"}
"""B_ij = ∇^k∇_k P_ij − ∇^k∇_j P_ik + P^kl W_ikjl, P the Schouten tensor."""

COORDINATES = ("x", "y", "z", "w")


def space_of(matrix, ignorable=()):
    coordinates = COORDINATES[: len(matrix)]
    entries = np.empty((len(matrix),) * 2, dtype=object)
    for place in np.ndindex(entries.shape):
        entries[place] = gr.node(matrix[place[0]][place[1]])
    return Space(Differences(coordinates, ignorable=ignorable), MetricNodes(coordinates, entries, ignorable))


def vanishes(space, text, where=(), **fields):
    known = {"g": Tensor(space.lower, (False, False)), **{name: Tensor.scalar(node) for name, node in fields.items()}}
    for name, definition in dict(where).items():
        found = read(definition, Words(space, Averages(1), dict(known)))
        known[name] = Tensor(found.entries, found.up)
    return space.vanishes(read(text, Words(space, Averages(1), known)).entries)


def diagonal(entries):
    return [[entries[i] if i == j else 0 for j in range(len(entries))] for i in range(len(entries))]


def sphere(dim, radius_squared, names=COORDINATES):
    """4r²/(1 + |x|²)² in stereographic coordinates."""
    square = gr.add(*(gr.symbol(name) ** 2 for name in names[:dim]))
    return [4 * radius_squared / (1 + square) ** 2] * dim


@pytest.mark.parametrize("dim", [2, 3, 4])
def test_flows_on_round_spheres(dim):
    r2 = gr.symbol("r2")
    space = space_of(diagonal(sphere(dim, r2)))
    assert vanishes(space, f"Ric - {dim - 1}*g/r2", r2=r2)
    assert vanishes(space, f"-2*Ric - a/2*R[i,k,l,m]*R[j,k,l,m] + ({2 * (dim - 1)}/r2 + a*{dim - 1}/r2^2)*g", r2=r2,
                    a=gr.symbol("a"))
    assert vanishes(space, f"-2*Ric + 2*rho*R*g + 2*{dim - 1}*(1 - {dim}*rho)*g/r2", r2=r2, rho=gr.symbol("rho"))
    assert not vanishes(space, f"Ric - {dim}*g/r2", r2=r2)


def test_the_bach_tensor_of_conformally_flat_metrics_vanishes():
    u = field_node("u", COORDINATES)
    assert vanishes(space_of(diagonal([u] * 4)), "B", BACH)


def test_the_bach_tensor_of_einstein_metrics_vanishes():
    def product_of_spheres(second):
        return space_of(diagonal([*sphere(2, 1), *sphere(2, second, COORDINATES[2:])]))

    assert vanishes(product_of_spheres(1), "B", BACH)
    assert not vanishes(product_of_spheres(2), "B", BACH)


def test_the_bach_tensor_is_free_of_trace():
    names = ("a", "b", "c", "e")
    space = space_of(diagonal([field_node(name, COORDINATES) for name in names]))
    assert vanishes(space, "trace(B)", BACH)
    assert vanishes(space, "B[i,j] - B[j,i]", BACH)


def test_the_bach_tensor_is_that_of_weyls_and_free_of_divergence():
    """B_ij = ∇^k∇^l W_ikjl + ½ R^kl W_ikjl (Bach 1921), in whose signs spheres have positive curvature."""
    names = ("a", "b", "c", "e")
    space = space_of(diagonal([field_node(name, COORDINATES) for name in names]), ignorable=("z", "w"))
    by_weyl = {**BACH, "V": "nabla(nabla(Weyl))[i,k,j,l,l,k] + Ric[k,l]*Weyl[i,k,j,l]/2"}
    assert vanishes(space, "B - V", by_weyl)
    assert not vanishes(space, "B + V", by_weyl)
    assert vanishes(space, "div(B)", BACH)


def test_cross_curvature_flows_tensor():
    """The adjugate of the Einstein tensor, by Cayley and Hamilton, is g/r⁴ on spheres (Chow and Hamilton 2004, §2)."""
    r2 = gr.symbol("r2")
    space = space_of(diagonal(sphere(3, r2)))
    assert vanishes(space, "E + g/r2", {"E": "Ric - R*g/2"}, r2=r2)
    assert vanishes(space, "h - g/r2^2", {"E": "Ric - R*g/2", "s": "trace(E)",
                                         "h": "E[i,k]*E[k,j] - s*E + (s^2 - dot(E, E))/2*g"}, r2=r2)
