"""Hypothesis strategies for varieties, their points and metrics on them, small ones first."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

import geomflow.variety as gv
from geomflow.core.errors import MissingExtraError
from geomflow.variety import Bicubic, Dwork, Fermat, Hypersurface, Points
from geomflow.variety.sections import multi_monomials

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import DrawFn, SearchStrategy
except ImportError as error:
    raise MissingExtraError.of("hypothesis", "test") from error


def varieties() -> SearchStrategy[Hypersurface]:
    """Calabi–Yau hypersurfaces: a curve, then surfaces, a product of projective spaces, and a threefold with moduli."""
    return st.sampled_from(("fermat 3", "fermat 4", "generic", "bicubic", "dwork")).map(named_variety)


@cache
def named_variety(name: str) -> Hypersurface:
    """One of those that `varieties` draws.

    Parameters
    ----------
    name : str
        "fermat 3", "fermat 4", "generic", "bicubic" or "dwork".
    """
    made: dict[str, Callable[[], Hypersurface]] = {
        "fermat 3": lambda: Fermat(3),
        "fermat 4": lambda: Fermat(4),
        "generic": lambda: Hypersurface("z0^4 + 2*z1^4 + z2^4 - i*z3^4 + z0*z1*z2*z3 + z0^2*z1*z3"),
        "bicubic": Bicubic,
        "dwork": lambda: Dwork("1/3 + i/2"),
    }
    return made[name]()


@st.composite
def points(draw: DrawFn, variety: Hypersurface | None = None, most: int = 12) -> Points:
    """Points of a variety, few first.

    Parameters
    ----------
    variety : Hypersurface, optional
        Drawn unless given.
    most : int
        Their largest number.
    """
    on = variety if variety is not None else draw(varieties())
    found: Points = on.sample(most, seed=draw(st.integers(0, 1000)))[: draw(st.integers(1, most))]
    return found


@st.composite
def forms(draw: DrawFn, variety: Hypersurface | None = None, level: int = 1, most: int = 3) -> gv.HermitianForm:
    """Positive Hermitian forms on the monomials of a degree: that of Fubini–Study, and a few squares |Σ c_m z^m|².

    Parameters
    ----------
    variety : Hypersurface, optional
        Drawn unless given.
    level : int
        The degree in each factor.
    most : int
        The largest number of squares.
    """
    on = variety if variety is not None else draw(varieties())
    exponents = multi_monomials(on.ambient, (level,) * len(on.ambient.dims))
    form = np.eye(len(exponents), dtype=complex)
    entries = st.sampled_from((0, 1, -1, 1j, -1j, 0.5))
    for _ in range(draw(st.integers(0, most))):
        row = np.array(draw(st.lists(entries, min_size=len(exponents), max_size=len(exponents))))
        form += np.outer(row, row.conj())
    return gv.HermitianForm(on, exponents, form, level)
