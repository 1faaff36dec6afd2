"""The basis of a coordinate: what its domain, its ends and the order of a scheme ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import sympy

import geomflow.field.reduced.energies  # noqa: F401  (how functionals are evaluated at reduced states)
from geomflow.core.errors import InputError
from geomflow.field.bases.basis import Basis
from geomflow.field.bases.circles import Drawn, Fourier
from geomflow.field.bases.clustering import Clustered
from geomflow.field.bases.open_ends import EvenThenGiven, EvenToInfinity, GivenThenEven, GivenTwice
from geomflow.field.bases.parity import Cosines
from geomflow.field.bases.polar import Legendre, Polynomials
from geomflow.field.bases.pulled import Pulled
from geomflow.field.bases.stencils import Periodic
from geomflow.symbolic.ansatz import Circle, Span
from geomflow.symbolic.ansatz.domain import Domain

CARRIED = 1e-6
"""By how much the modes of drawn points may miss the waves of the coordinate itself."""


def basis_on(domain: Domain, n: int, order: int | None, modes: int | None,
             places: tuple[tuple[float, float], ...]) -> Basis:
    """The basis of n points on a domain. Raises InputError for orders and places that it does not have."""
    for place in places:
        if order is not None or len(np.atleast_1d(place)) != 2 or place[1] < 0:
            raise InputError(f"places={places!r}: points are drawn to places (X, κ) of a spectral grid, κ ≥ 0 and "
                             "X = π(x − a)/(b − a) on an interval, 2πx/period on a circle, such as "
                             "places=[(pi/2, 6)]; on a span X is 0 or π.")
    if isinstance(domain, Span):
        if order is not None:
            raise InputError("grids on a span are spectral: leave the order out.")
        return _carried(Pulled(n, 0.0, 1.0, modes, places)) if places else GivenTwice(n, 0.0, 1.0, modes)
    if isinstance(domain, Circle):
        period = float(domain.period)
        if order is not None:
            return Periodic(n, period, order=order)
        return _carried(Drawn(n, period, places, modes=modes)) if places else Fourier(n, period)
    if not domain.closed and (places or order is not None):
        raise InputError(f"{domain} has an end without parity: grids on it are spectral, and points are not drawn to "
                         "places. Leave the order and the places out.")
    if domain.b == sympy.oo:
        return EvenToInfinity(n, float(domain.a), float(domain.scale), modes)
    a, b = float(domain.a), float(domain.b)
    if order is not None:
        return Cosines(n, a, b, order)
    if places:
        return _carried(Clustered(n, a, b, places, modes))
    first, last = domain.ends
    if first.even:
        return Legendre(n, a, b, modes) if last.even else EvenThenGiven(n, a, b, modes)
    return GivenThenEven(n, a, b, modes) if last.even else GivenTwice(n, a, b, modes)


def _carried(basis: Clustered | Drawn | Pulled) -> Clustered | Drawn | Pulled:
    """A basis that resolves the map by which points are drawn. Raises InputError with a strength that it carries."""
    if basis.unresolved <= CARRIED:
        return basis
    shares = 0.9 ** np.arange(1, 50)
    weaker = (replace(basis, places=tuple((place, share * kappa) for place, kappa in basis.places)) for share in shares)
    fits = next((each.places for each in weaker if each.unresolved <= CARRIED), None)
    weak = [f"({x:.6g}, {np.floor(10 * kappa) / 10:g})" for x, kappa in fits or ()]
    told = f", such as places=[{', '.join(weak)}]" if weak else ""
    where = ", ".join(f"X = {x:.6g}" for x, _ in basis.places)
    raise InputError(f"points are drawn too strongly to {where} for {basis.n} of them, which carry the coordinate to "
                     f"{basis.unresolved:.1g} only: take a smaller κ{told}, or more points.")


def resized(basis: Basis, n: int) -> Basis:
    """The basis with n points, and the same share of modes."""
    changed: dict[str, Any] = {"n": n}
    if isinstance(basis, Polynomials | Drawn):
        changed["modes"] = n * basis.kept // basis.size
    return replace(basis, **changed)  # type: ignore[type-var]
