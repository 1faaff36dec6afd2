"""Functionals of a metric, and their gradients, as text in the language of tensors, which any ansatz reads."""

from __future__ import annotations

from typing import Any

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.typed import METRIC, Typed, typed_flow
from geomflow.symbolic.functionals.derived import DerivedFlow
from geomflow.symbolic.functionals.fields import FieldsDensity
from geomflow.symbolic.functionals.metric import MetricFunctional
from geomflow.symbolic.variation.display import written

RICCI_SQUARE = "RicciSquared"
WORDS = {
    "Laplacian": "laplacian({})",
    "Pairing": "dot(d({}), d({}))",
    "Hessian": "Hess({})",
    "Outer": "sym(d({})*d({}))",
    "NormSquared": "Ric2",
    "RicciSquare": RICCI_SQUARE,
    "RicciDivergence": "div(div(({})*Ric))",
    "RoughLaplacian": "laplacian(({})*Ric)",
    "Swapped": "sym(nabla(nabla(({})*Ric))[j,k,i,k])",
}
"""What the usual notation of variations is in the language."""
SYMBOLS = {"g_ij": METRIC, "R_ij": "Ric"}


def density_text(functional: Any) -> str:
    """The density s of E = ∫ s dV, as text.

    Raises InputError for a functional of another geometry than a metric's, and of other fields beside.
    """
    if isinstance(functional, FieldsDensity):
        _require_alone(functional, {name: kind.label for name, kind in functional.fields.items()})
        return str(functional.given)
    use = _algebra(functional)
    return _text(written(use, functional.integrand(use)))


@typed_flow.register(DerivedFlow)
def typed_gradient(flow: DerivedFlow, dim: int) -> Typed:
    """∂_t g = −c grad E with the energy c E, in the language.

    Raises InputError for what `density_text` does, for another inner product than Ebin's ∫ h_ij h^ij dV, and for
    gradients that are not written as text.

    Parameters
    ----------
    flow : DerivedFlow
        Of a functional of a metric.
    dim : int
        Of the manifold.
    """
    functional: Any = flow.functional
    text, factor = density_text(functional), functional.factor
    if functional.geometry.dim != dim:
        raise InputError(f"{functional.name} is over a geometry of dimension {functional.geometry.dim}, and the metric "
                         f"of the ansatz has {dim}: gradients differ. Take a geometry of dimension {dim}.")
    gradient = functional.gradient_in(flow.metric)
    if isinstance(functional, FieldsDensity):
        return _of_fields(functional, gradient, text)
    if flow.metric != "ebin":
        raise InputError(f"{flow.name} descends in \"{flow.metric}\", and functionals of metrics with symmetry in "
                         'Ebin\'s inner product: write gradient_flow("ebin").')
    rate = _text(gradient.written(-factor))
    where = {RICCI_SQUARE: "Ric[i,k]*Ric[k,j]"} if RICCI_SQUARE in rate else {}
    return Typed(rate, where=where, energy=f"({factor})*({text})")


def _of_fields(functional: FieldsDensity, gradient: Any, text: str) -> Typed:
    texts = functional.gradient_texts()
    if texts is None or gradient.multiplied:
        raise InputError(f"the gradient of {functional.name} is not written as text: give its density to the ansatz, "
                         f"ansatz.functional({text!r}).gradient_flow().")
    return Typed(f"-({texts[METRIC]})", dict(functional.numbers), dict(functional.where), energy=text)


def _algebra(functional: Any) -> Any:
    if not isinstance(functional, MetricFunctional):
        raise InputError(f"an ansatz takes functionals of a metric, and {functional.name} is of "
                         f"{', '.join(functional.unknowns)}: write its density, ansatz.functional(\"R^2\").")
    if functional.dilaton is not None or functional.elliptic:
        raise InputError(f"{functional.name} holds an f beside the metric, as Perelman's functionals do: on an ansatz "
                         "ansatz.perelman_f, ansatz.perelman_w, state.perelman_lambda() and ConjugateHeatFlow stand "
                         "for them, and up to diffeomorphisms their flow is RicciFlow().")
    return functional.new_algebra()


def _require_alone(functional: FieldsDensity, fields: dict[str, str]) -> None:
    if fields != {METRIC: "metric"}:
        raise InputError(f"{functional.name} is of {', '.join(fields)}, and an ansatz has its metric g alone: write "
                         "ansatz.functional(text, fields=\"f\") for functions beside it.")


def _text(expression: sympy.Expr) -> str:
    return str(_renamed(expression))


def _renamed(expression: Any) -> Any:
    """The expression with operators as symbols that are called what the language says."""
    arguments = [_renamed(part) for part in expression.args]
    if isinstance(expression, sympy.Symbol):
        return sympy.Symbol(SYMBOLS.get(expression.name, expression.name))
    if (word := WORDS.get(type(expression).__name__)) is not None:
        return sympy.Symbol(word.format(*arguments))
    return expression.func(*arguments) if arguments else expression
