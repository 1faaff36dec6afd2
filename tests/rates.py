"""Random rates in the language of tensors, and their values by numpy: an evaluation of its own, index by index."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

SCALARS = st.sampled_from(("f", "h", "R", "Ric2", "Rm2", "2"))
OF_SCALARS = ("({0} + {1})", "({0} - {1}/3)", "{0}*{1}", "({0})^2", "sin({0})", "laplacian({0})",
              "dot(d({0}), d({1}))", "div({0}*grad({1}))", "mean({0})*{1}")
OF_TENSORS = ("trace({0})", "dot({0}, {1})", "({0})[i,j]*({1})[i,j]", "({0})[i,j]*grad(f)[i]*d(h)[j]",
              "div(div({0}))", "R[i,k,j,l]*({0})[i,j]*({1})[k,l]", "dot(Rm, Rm)*trace({0})")
FROM_SCALARS = ("({0})*g", "Hess({0})", "d({0})*d({1})", "({0})*Ric", "wedge(d({0}), d({1}))",
                "Lie(grad({0}), g)")
FROM_TENSORS = ("({0} + {1})", "({0} - 2*{1})", "sym({0})", "laplacian({0})", "Lie(grad(f), {0})",
                "trace({0})*{1}", "d(d(f))")
NAMED = ("({0})[i,k]*({1})[k,j]", "R[i,k,l,j]*({0})[k,l]", "({0})[j,i]", "R[i,k,l,m]*R[j,k,l,m] + ({0})[i,j]")
"""Tensors whose indices are named; the last step of a rate, as all terms of a sum have names or none has."""


def filled(shapes, *parts):
    return st.builds(lambda shape, args: shape.format(*args), st.sampled_from(shapes), st.tuples(*parts))


@st.composite
def tensors(draw):
    """A function, and a tensor with two lower indices, of as few steps as show every operator beside every other."""
    scalar = draw(SCALARS | filled(OF_SCALARS, SCALARS, SCALARS))
    simple = filled(FROM_SCALARS, st.just(scalar), SCALARS)
    tensor = draw(simple | filled(FROM_TENSORS, simple, simple))
    other = draw(simple)
    return draw(filled(OF_TENSORS, st.just(tensor), st.just(other))), draw(st.just(tensor) | filled(
        NAMED, st.just(tensor), st.just(other)))


@dataclass(eq=False)
class Plain:
    """A tensor on a grid, (d, ..., d, *grid), all of its indices down; `further` is what R[i, j] and the like mean."""

    on: Grid
    values: np.ndarray
    labels: str = ""
    further: dict[int, Plain] = field(default_factory=dict)

    def __post_init__(self):
        self.on.largest = max(self.on.largest, np.abs(self.values).max())

    @property
    def rank(self):
        return self.values.ndim - self.on.dim

    def __add__(self, other):
        moved = f"{other.labels}...->{self.labels}..."
        return Plain(self.on, self.values + np.einsum(moved, other.values), self.labels)

    def __sub__(self, other):
        return self + -1 * other

    def __mul__(self, other):
        if not isinstance(other, Plain):
            return Plain(self.on, self.values * other, self.labels)
        a, b = self.labels or "abcd"[: self.rank], other.labels or "uvwx"[: other.rank]
        shared = [label for label in a if label in b]
        free = "".join(label for label in a + b if label not in shared)
        ups = [f"{label}{label.upper()}..." for label in shared]
        b = "".join(label.upper() if label in shared else label for label in b)
        text = ",".join([f"{a}...", f"{b}...", *ups]) + f"->{free}..."
        values = np.einsum(text, self.values, other.values, *[self.on.upper] * len(shared), optimize=True)
        return Plain(self.on, values, free if self.labels or other.labels else "")

    __rmul__ = __mul__

    def __truediv__(self, number):
        return self * (1 / number)

    def __pow__(self, times):
        return Plain(self.on, self.values**times)

    def __getitem__(self, labels):
        found = self.further.get(len(labels), self)
        return Plain(self.on, found.values, "".join(labels))


class Grid:
    """A metric (d, d, *grid) on the torus of a lattice, whose vectors are rows; `largest` of all numbers that occur."""

    def __init__(self, lower, lattice):
        self.dim, self.largest, self.cell = len(lower), 0.0, np.linalg.inv(np.array(lattice, dtype=float))
        modes = [np.fft.fftfreq(n, 1 / n) * (np.abs(np.fft.fftfreq(n, 1 / n)) < n / 2) for n in lower.shape[2:]]
        self.waves = 2j * np.pi * np.einsum("ja,a...->j...", self.cell, np.array(np.meshgrid(*modes, indexing="ij")))
        self.lower = lower
        self.upper = np.moveaxis(np.linalg.inv(np.moveaxis(lower, (0, 1), (-2, -1))), (-2, -1), (0, 1))
        self.density = np.sqrt(np.linalg.det(np.moveaxis(lower, (0, 1), (-2, -1))))
        slopes = self.slopes(lower)
        first = (np.einsum("kij...->ijk...", slopes) + np.einsum("jik...->ijk...", slopes) - slopes) / 2
        self.gamma = np.einsum("im...,mjk...->ijk...", self.upper, first)
        moved = np.einsum("iljk...->lkij...", self.slopes(self.gamma))
        moved = moved + np.einsum("lim...,mjk...->lkij...", self.gamma, self.gamma)
        self.riemann = np.einsum("al...,lkij...->akij...", lower, moved - moved.swapaxes(2, 3))

    def slopes(self, values):
        """∂_k, in a new first index."""
        axes = tuple(range(-self.dim, 0))
        return np.stack([np.fft.ifftn(np.fft.fftn(values, axes=axes) * wave, axes=axes).real for wave in self.waves])

    def contracted(self, values):
        return np.einsum("ij...,ij...->...", self.upper, values)

    def nabla(self, tensor):
        """∇_k T, in a new first index."""
        result = self.slopes(tensor.values)
        for n in range(tensor.rank):
            front = np.moveaxis(tensor.values, n, 0)
            result -= np.moveaxis(np.einsum("mki...,m...->ki...", self.gamma, front), 1, n + 1)
        return Plain(self, result)

    def dot(self, first, second):
        letters = "abcd"[: first.rank]
        return first[tuple(letters)] * second[tuple(letters)] if letters else first * second

    def lie(self, field, tensor):
        """X^k ∇_k T + T_k… ∇_i X^k + …."""
        up = np.einsum("ij...,j...->i...", self.upper, field.values)
        result = np.einsum("k...,k...->...", up, self.nabla(tensor).values)
        turned = np.einsum("kj...,ij...->ik...", self.upper, self.nabla(field).values)
        for n in range(tensor.rank):
            front = np.moveaxis(tensor.values, n, 0)
            result = result + np.moveaxis(np.einsum("ik...,k...->i...", turned, front), 0, n)
        return Plain(self, result)

    def exterior(self, tensor):
        slopes = self.slopes(tensor.values)
        return Plain(self, slopes if tensor.rank == 0 else slopes - slopes.swapaxes(0, 1))

    def wedge(self, a, b):
        both = np.einsum("i...,j...->ij...", a.values, b.values)
        return Plain(self, both - both.swapaxes(0, 1))

    def words(self, **functions):
        """What a text of the language names, for Python to read it."""
        metric, rm = Plain(self, self.lower), Plain(self, self.riemann)
        ricci = Plain(self, np.einsum("lk...,lakb...->ab...", self.upper, self.riemann))
        curvature = Plain(self, self.contracted(ricci.values), further={2: ricci, 4: rm})
        weight = self.density / self.density.mean()
        return {
            **{name: Plain(self, values) for name, values in functions.items()}, **dict(zip("ijklm", "ijklm")),
            "g": metric, "R": curvature, "Ric": ricci, "Rm": rm, "Ric2": self.dot(ricci, ricci),
            "Rm2": self.dot(rm, rm), "dot": self.dot, "Lie": self.lie, "d": self.exterior, "wedge": self.wedge,
            "grad": self.exterior, "Hess": lambda f: self.nabla(self.nabla(f)),
            "div": lambda T: Plain(self, self.contracted(self.nabla(T).values)),
            "laplacian": lambda T: Plain(self, self.contracted(self.nabla(self.nabla(T)).values)),
            "trace": lambda T: Plain(self, self.contracted(T.values)),
            "sym": lambda T: Plain(self, (T.values + T.values.swapaxes(0, 1)) / 2),
            "mean": lambda f: Plain(self, np.full(self.density.shape, (f.values * weight).mean())),
            "sin": lambda f: Plain(self, np.sin(f.values)),
        }

    def value(self, text, **functions):
        """What a text is on the grid, its named indices in the order of the alphabet."""
        words = self.words(**functions)
        words["two"] = Plain(self, np.full(self.density.shape, 2.0))
        found = eval(re.sub(r"(?<![\w^/])2\b", "two", text).replace("^", "**"), {"__builtins__": {}}, words)
        return np.einsum(f"{found.labels}...->{''.join(sorted(found.labels))}...", found.values)
