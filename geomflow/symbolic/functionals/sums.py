"""Sums Σ c E of functionals of one kind over one geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.symbolic.functionals.functional import Functional, Terms, summed
from geomflow.symbolic.functionals.metric import MetricFunctional
from geomflow.symbolic.functionals.potential import PotentialFunctional, flat_matrix, parts


@dataclass(frozen=True)
class FunctionalSum(Functional):
    """Σ c E over pairs (c, E) of functionals of one kind."""

    name: ClassVar[str] = "sum"
    summands: Terms

    @property
    def definition(self) -> str:  # type: ignore[override]
        """The sum, written out."""
        return " + ".join(f"{c} {e.name}" for c, e in self.summands)

    @property
    def factor(self) -> Fraction | int:  # type: ignore[override]
        """That of the summands where they agree, else 1."""
        found = {e.factor for _, e in self.summands}
        return found.pop() if len(found) == 1 else 1

    @property
    def parameters(self) -> Mapping[str, gr.Node]:  # type: ignore[override]
        """Those of all summands."""
        return {k: v for _, e in self.summands for k, v in e.parameters.items()}

    @property
    def remarks(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those of all summands."""
        return tuple(dict.fromkeys(r for _, e in self.summands for r in e.remarks))

    def terms(self) -> Terms:
        """The pairs (c, E)."""
        return self.summands

    def integrand(self, use: Any) -> gr.Node:
        """Σ c s."""
        return gr.add(*(c * e.integrand(use) for c, e in self.summands))

    def energy_integrand(self, use: Any) -> gr.Node:
        """Σ c s, each as at solutions."""
        return gr.add(*(c * e.energy_integrand(use) for c, e in self.summands))


@final
@dataclass(frozen=True)
class MetricSum(FunctionalSum, MetricFunctional):
    """Σ c E over pairs (c, E) of functionals of a metric."""

    @property
    def metrics(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those offered by every summand that has an f, else "ebin" and "L2"."""
        return next((e.metrics for _, e in self.summands if e.dilaton is not None), ("ebin", "L2"))

    @property
    def dilaton(self) -> bool | None:
        """The meaning of f of the summand that has one."""
        return next((e.dilaton for _, e in self.summands if e.dilaton is not None), None)

    @property
    def elliptic(self) -> bool:  # type: ignore[override]
        """Whether a summand's f is the ground state's."""
        return any(e.elliptic for _, e in self.summands)


@final
@dataclass(frozen=True)
class PotentialSum(FunctionalSum, PotentialFunctional):
    """Σ c E over pairs (c, E) of functionals of a Kähler potential."""

    @property
    def form(self) -> Any:
        """Σ c χ over the summands with an energy along a path of forms, in which that is linear; else ½ δ."""
        forms = [(c, e.form) for c, e in self.summands if "form" in e.paths()]
        return _combined(forms) if forms else flat_matrix(self.geometry.dim)

    def paths(self) -> Mapping[str, gr.Node]:
        """Σ c times the coefficients; those of forms are in `form`."""
        total: dict[str, gr.Node] = {}
        for c, e in self.summands:
            for kind, coefficient in e.paths().items():
                total[kind] = total.get(kind, gr.ZERO) + c * coefficient
        return total | ({"form": gr.ONE} if "form" in total else {})


def _combined(forms: Sequence[tuple[Fraction | int, Any]]) -> list[list[tuple[Any, Any]]]:
    """Σ c χ of pairs (c, χ) of matrices with entries x or (re, im), as pairs."""
    size = range(len(forms[0][1]))
    pairs = [[[(c, *parts(chi[a][b])) for c, chi in forms] for b in size] for a in size]
    return [[(sum(c * re for c, re, _ in entry), sum(c * im for c, _, im in entry)) for entry in row] for row in pairs]


@summed.register(MetricFunctional)
def _sum_of_metrics(functional: MetricFunctional, terms: Terms) -> MetricSum:
    """Raises InputError for functionals of another kind, geometry or meaning of f."""
    _check_alike(functional, terms, MetricFunctional)
    if len({e.dilaton for _, e in terms} - {None}) > 1:
        raise InputError("functionals in which f is log(dV/dm) cannot be added to ones in which f is an unknown.")
    return MetricSum(functional.geometry, terms)


@summed.register(PotentialFunctional)
def _sum_of_potentials(functional: PotentialFunctional, terms: Terms) -> PotentialSum:
    """Raises InputError for functionals of another kind or geometry."""
    _check_alike(functional, terms, PotentialFunctional)
    return PotentialSum(functional.geometry, terms)


def _check_alike(functional: Functional, terms: Terms, kind: type[Any]) -> None:
    for _, e in terms:
        if not isinstance(e, kind) or e.geometry != functional.geometry:
            raise InputError(f"{getattr(e, 'name', e)} cannot be added to {functional.name}: functionals are added "
                             "over one geometry and of one kind of field.")
