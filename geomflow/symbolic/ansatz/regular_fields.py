"""The regular fields of an ansatz: smooth functions that stand for its unknowns, with closing conditions built in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.axis import Factor
from geomflow.symbolic.ansatz.closing import closing_at, end_pair, radial
from geomflow.symbolic.ansatz.domain import Domain, Interval
from geomflow.symbolic.ansatz.fibres import Fibre, power_of
from geomflow.symbolic.ansatz.unknowns import Unknown

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


@final
@dataclass(frozen=True)
class RegularField:
    """A smooth function that stands for an unknown.

    Parameters
    ----------
    name : str
        Of the field.
    unknown : Unknown
        u.
    exponent : Fraction or int
        log u = `exponent` (…); 0 where u is the field itself.
    beside : str
        The field L that log u holds beside this one; none where it is empty.
    factor : Factor, optional
        Where u vanishes.
    cone : sympy expression
        q.
    dim : int
        Of the sphere that closes.
    power : int
        How u grows at infinity, as a power of the coordinate.
    """

    name: str
    unknown: Unknown
    exponent: int
    beside: str = ""
    factor: Factor | None = None
    cone: sympy.Expr = field(default=sympy.Integer(1))
    dim: int = 0
    power: int = 0


@final
@dataclass(frozen=True)
class Remainder:
    """Φ_k with ρ^{2k} Φ_k = exp(c ρ² w) − Σ_{j<k} (cρ²w)^j/j!, a symbol of rates.

    Parameters
    ----------
    symbol : str
        Its name.
    field : str
        w.
    rate, order : int
        c and k.
    factor : Factor
        ρ².
    """

    symbol: str
    field: str
    rate: int
    order: int
    factor: Factor


def regular_fields(ansatz: Ansatz) -> tuple[RegularField, ...]:
    """The regular field of each unknown. Raises InputError where an end cannot be smooth."""
    closing: dict[str, tuple[Fibre, Factor, str]] = {}
    for name, domain in ansatz.domain.items():
        if isinstance(domain, Interval):
            low, high = (closing_at(ansatz, end, name, place)
                         for end, place in zip(end_pair(domain), (domain.a, domain.b), strict=True))
            closing |= {own: (fibre, factor, name) for own, (fibre, factor) in _factors(low, high).items()}
    if len(ansatz.domain) > 1 and (closing or not all(_is_closed(domain) for domain in ansatz.domain.values())):
        raise InputError(f"orbits close, or something is given, at an end of one of the coordinates "
                         f"{', '.join(ansatz.domain)}, and that is done for metrics of one coordinate only: take "
                         "mirrors or circles.")
    powers = _powers(ansatz)
    return tuple(replace(_field(ansatz, unknown, closing), power=powers.get(unknown.name, 0))
                 for unknown in ansatz.unknowns)


def _is_closed(domain: Domain) -> bool:
    return not isinstance(domain, Interval) or domain.closed


def _powers(ansatz: Ansatz) -> dict[str, int]:
    """How unknowns grow at infinity."""
    ends = [end for domain in ansatz.domain.values() if isinstance(domain, Interval) for end in domain.ends]
    found = {name: power for end in ends for name, power in end.powers}
    for name, power in found.items():
        if power and not ansatz.unknown(name).positive:
            raise InputError(f"'{name}' may have any sign, and such unknowns tend to a limit at infinity: take the "
                             "power 0.")
    return found


def _factors(low: Sequence[Fibre], high: Sequence[Fibre]) -> dict[str, tuple[Fibre, Factor]]:
    """The unknowns that vanish at the first end, at the last, or at both."""
    ends = [{fibre.unknown.name: fibre for fibre in fibres} for fibres in (low, high)]
    found = {}
    for name in dict.fromkeys([*ends[0], *ends[1]]):
        known = [end[name] for end in ends if name in end]
        if known[0].cone != known[-1].cone:
            raise InputError(f"where '{name}' vanishes its slope is 1/({known[0].cone}) at the first end and "
                             f"1/({known[1].cone}) at the last, in arclength: no such manifold is smooth.")
        found[name] = max(known, key=lambda fibre: fibre.dim), Factor(name in ends[0], name in ends[1])
    return found


def _field(ansatz: Ansatz, unknown: Unknown, closing: Mapping[str, tuple[Fibre, Factor, str]]) -> RegularField:
    if unknown.name in closing:
        fibre, factor, coordinate = closing[unknown.name]
        along = radial(ansatz, coordinate)
        if along is None:
            raise InputError(f"where {unknown} vanishes the metric is smooth if its slope fits g_{coordinate}"
                             f"{coordinate}, which holds no unknown of its own: write chi({coordinate})^2 there.")
        return RegularField(f"w_{unknown.name}", unknown, fibre.exponent, f"log_{along[0].name}", factor, fibre.cone,
                            fibre.dim)
    if not unknown.positive:
        return RegularField(unknown.name, unknown, 0)
    found = power_of(ansatz.metric, unknown)
    lengths = [along for along in (radial(ansatz, name) for name in ansatz.domain) if along is not None]
    exponent = found[1] if found is not None and any(unknown == u for u, _ in lengths) else 1
    return RegularField(f"log_{unknown.name}", unknown, exponent)


def even_ends(field: RegularField, domain: Interval) -> tuple[bool, bool]:
    """Whether an unknown is even about the first end, and about the last; it is odd where it vanishes."""
    low, high = (end.even for end in domain.ends)
    if field.factor is None:
        return low, high
    return low and not field.factor.low, high and not field.factor.high
